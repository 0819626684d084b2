"""The coordinator dies at the boundaries where things become durable, Redis forgets everything,
an owner is frozen and comes back: the deployment ends where it ends without.

In-process, tests/scenario/coordinator does the same at every moment there is; here it is real
processes, a real broker and a real Redis, at a few.
"""
import signal
import threading
import time

import pytest

PLACES = ["after-receive:4", "before-commit:5", "after-commit:3", "after-publish:4",
          "after-trim:5"]


class Keeper(threading.Thread):
    """Starts the coordinator again whenever it has died, each time to die at the next place."""

    def __init__(self, stage, places):
        super().__init__(daemon=True)
        self.stage, self.places, self.deaths = stage, list(places), 0
        self.ended = threading.Event()

    def start_one(self):
        place = self.places.pop(0) if self.places else None
        self.stage.start_service("coordinator", "coordinator-1",
                                 {"SLIPWAY_CRASH_AT": place} if place else {})

    def run(self):
        while not self.ended.wait(0.05):
            process = self.stage.processes["coordinator-1"]
            if not process.running():
                self.deaths += 1
                self.start_one()


@pytest.fixture
def keeper(slipway):
    keepers = []

    def begin(places):
        slipway.stage.processes["coordinator-1"].stop()
        keeper = Keeper(slipway.stage, places)
        keeper.start_one()
        keeper.start()
        keepers.append(keeper)
        return keeper
    yield begin
    for one in keepers:
        one.ended.set()
        one.join()
        one.stage.processes["coordinator-1"].env.pop("SLIPWAY_CRASH_AT", None)


def approve(slipway, name):
    """As World.approve, but nobody may be there to answer within the wait."""
    state = slipway.wait(name, lambda s: s["phase"] == "IN_REVIEW", seconds=120)
    for role in ("technical-lead", "devops-lead"):
        answer = slipway.request(name, role, {"approve": {
            "plan_hash": state["plan"]["hash"], "accept_no_return": []}})
        assert answer.status_code in (200, 202), answer.text
        slipway.wait(name, lambda s: s["phase"] != "IN_REVIEW" or any(
            a["role"] == role and a["given"] for a in s["approvals"]), seconds=120)


def ids_with_contents(slipway, topic, deployment):
    """ce_id -> the different contents that were said under it."""
    found = {}
    for record in slipway.records(topic, count=10**6, seconds=3):
        headers = dict(record.headers() or [])
        if headers.get("ce_subject", b"").decode() == deployment:
            found.setdefault(headers["ce_id"], set()).add(record.value())
    return found


def test_it_dies_again_and_again_and_the_deployment_completes(slipway, keeper):
    kept = keeper(PLACES)
    name = slipway.submit(slipway.feature())
    approve(slipway, name)
    slipway.wait_exit(name, "COMPLETED", seconds=240)
    assert kept.deaths >= 3
    for topic in ("signals.v1", "control.v1"):
        said = ids_with_contents(slipway, topic, name)
        assert said and all(len(contents) == 1 for contents in said.values())


def test_redis_is_emptied_under_way_and_the_deployment_completes(slipway):
    name = slipway.submit(slipway.feature())
    state = slipway.wait(name, lambda s: s["phase"] == "IN_REVIEW", seconds=120)
    slipway.redis.flushall()
    # The log says it all again, and the same.
    again = slipway.wait(name, lambda s: s["version"] >= state["version"], seconds=30)
    assert (again["phase"], again["plan"]["hash"]) == ("IN_REVIEW", state["plan"]["hash"])
    approve(slipway, name)
    slipway.wait(name, lambda s: s["phase"] == "EXECUTING")
    slipway.redis.flushall()
    slipway.wait_exit(name, "COMPLETED", seconds=240)


def test_an_owner_that_was_frozen_commits_nothing_when_it_wakes(slipway):
    stage = slipway.stage
    frozen = stage.processes["coordinator-1"]
    frozen.kill(signal.SIGSTOP)
    stage.start_service("coordinator", "coordinator-2")
    try:
        name = slipway.submit(slipway.feature())
        approve(slipway, name)
        slipway.wait(name, lambda s: s["phase"] in ("EXECUTING", "VALIDATING"), seconds=90)
    finally:
        frozen.kill(signal.SIGCONT)
    slipway.wait_exit(name, "COMPLETED", seconds=180)
    time.sleep(1)
    assert frozen.running()
