"""Parts die, freeze, forget and come back while a deployment is in every phase there is: each
reaches the exit that it would have reached without, and its history has nothing to answer for.
What of it every run of the tests shows is in test_faults.py.

In-process tests do the same at every boundary (tests/scenario, tests/simulation); here it is real
processes, a real broker and a real Redis. Who is in trouble: parade.py. What holds: history.py.
"""
import signal

import confluent_kafka.admin
import pytest
import requests
from parade import Load, Parade
from stage import wait_for
from trouble import (COORDINATOR, COORDINATOR_PLACES, PATIENCE, WORKER_PLACES, WORKERS,
                     Keeper)

ONES = [f"{worker}-1" for worker in WORKERS]


# --- the coordinator ---

def test_the_coordinator_dies_at_every_place_it_names(trouble):
    places = [f"{place}:{4 + number}" for number, place in enumerate(COORDINATOR_PLACES)]
    with Keeper(trouble, {COORDINATOR: places}) as keeper:
        with Load(trouble, until=keeper.all_died):
            pass
    assert set(keeper.died[COORDINATOR]) >= set(places)


def test_a_coordinator_that_was_frozen_commits_nothing_when_it_wakes(trouble):
    """Its partitions go to another, which moves everything on; then it wakes, full of old words."""
    with trouble.seconds("coordinator") as others, Load(trouble) as load:
        with Parade(trouble) as parade:
            trouble.kill(COORDINATOR, sig=signal.SIGSTOP)
            for post in parade.posts[:6]:  # what is asked now, the other answers
                post.finish()
        trouble.kill(COORDINATOR, sig=signal.SIGCONT)
        trouble.kill(*others)  # and all is its own again
        trouble.revive(*others)
        wait_for("the load to be done", load.over, PATIENCE)
    trouble.stage.wait_ready([COORDINATOR])


# --- workers ---

def test_every_worker_dies_at_the_places_it_names(trouble):
    """At every place some worker, and every worker at some; each at each is for the unit tests,
    for a death costs a lease."""
    lives = {f"{w}-1": WORKER_PLACES[n::len(WORKERS)] for n, w in enumerate(WORKERS)}
    with Keeper(trouble, lives) as keeper:
        with Load(trouble, until=keeper.all_died):
            pass
    for worker, places in lives.items():
        assert set(keeper.died[worker]) >= set(places), worker


def test_workers_that_were_frozen_report_nothing_when_they_wake(trouble):
    """Their tasks are driven again by others. What they had under their hands at a target stays
    locked until they wake; awake, they find their leases gone and leave it to those others."""
    with trouble.seconds(*WORKERS), Load(trouble), Parade(trouble) as parade:
        held = {p.name: p for p in parade.posts
                if p.phase in ("EXECUTING", "VALIDATING", "ROLLING_BACK")}
        trouble.kill(*ONES, sig=signal.SIGSTOP)
        theirs = {name for name in held if any(
            s.kind == "task_started" and s.body.instance in ONES
            for s in trouble.history().of(name)[-3:])}
        wait_for("their tasks to be lost", lambda: {
            s.message.deployment for s in trouble.history().events
            if s.kind == "task_lost"} >= theirs, PATIENCE, 1)
        trouble.kill(*ONES, sig=signal.SIGCONT)


# --- Redis ---

def test_redis_is_killed_and_comes_back_with_what_it_had(trouble):
    with Load(trouble) as load, Parade(trouble) as parade:
        before = parade.phases()
        for _ in range(2):
            trouble.stop_redis()
            trouble.start_redis()
        assert parade.phases() == before
        wait_for("the load to be done", load.over, PATIENCE)


def test_redis_is_emptied_in_every_phase_and_all_is_told_again_by_the_log(trouble):
    with Load(trouble), Parade(trouble) as parade:
        before = parade.phases()
        trouble.redis.flushall()
        wait_for("all to be known again", lambda: parade.phases() == before, PATIENCE)


def test_a_latch_stands_when_redis_is_emptied(trouble):
    with trouble.some(2) as services:
        names = [trouble.rolling(service) for service in services]
        trouble.kill_flag(names[0])
        trouble.redis.flushall()
        assert not trouble.anybody(names[0])
        trouble.kill(COORDINATOR)  # nobody is there to say it again
        assert not trouble.anybody(names[0]) and trouble.flag(names[0])["state"] == "LATCHED"
        trouble.revive(COORDINATOR)
        trouble.wait_exit(names[0], "ROLLED_BACK")
        assert trouble.flag(names[0])["state"] == "LATCHED" and trouble.anybody(names[1])
        trouble.do(names[1], "release-engineer", {"abort": {}}, lambda s: s["latched"])
        trouble.wait_exit(names[1], "ABORTED")
        trouble.audit(*names)


@pytest.mark.parametrize("lost", ["newest", "a-minute"])
def test_redis_loses_its_tail(trouble, lost):
    """As after a crash with everysec, or when a replica that lagged behind is promoted."""
    kept = trouble.aof().read_bytes()
    with Load(trouble), Parade(trouble) as parade:
        before = parade.phases()
        trouble.stop_redis()
        file = trouble.aof()
        whole = file.read_bytes()
        file.write_bytes(kept if lost == "a-minute" else
                         whole[:-(len(whole) - len(kept)) // 4])
        trouble.forgets()
        trouble.start_redis()
        wait_for("all to be known again", lambda: parade.phases() == before, PATIENCE)
    trouble.wait_no_alert()


# --- Kafka ---

@pytest.mark.parametrize("how", ["TERM", pytest.param(
    "KILL", marks=pytest.mark.only("kafka"))])  # the embedded one keeps nothing when it is killed
def test_kafka_goes_away_and_comes_back(trouble, how):
    with Load(trouble) as load, Parade(trouble) as parade:
        before = parade.phases()
        with trouble.no_broker(how):
            pass
        assert parade.phases() == before
        wait_for("the load to be done", load.over, PATIENCE)


# --- what is not as it was ---

def readiness(trouble, instance):
    """What /readyz says, whatever its status."""
    address = trouble.stage.address(instance)
    try:
        answer = requests.get(f"http://{address}/readyz", timeout=5)
    except requests.RequestException:
        return None, ""
    return answer.status_code, answer.text


def test_a_log_that_lost_what_was_applied_stops_its_partitions_until_it_is_rebuilt(trouble):
    """The store knows of records that the log does not have: whoever lost them, nothing moves
    until a person says which of the two is right."""
    with trouble.some() as (service,):
        name = trouble.rolling(service)
        trouble.kill(COORDINATOR)
        for key in trouble.redis.scan_iter("slipway:{*}:log"):
            trouble.redis.hincrby(key, "offset", 1000)
        trouble.revive(COORDINATOR)
        told = wait_for("it to say so", lambda: next((text for status, text in [
            readiness(trouble, COORDINATOR)] if status == 503 and "--rebuild" in text), None),
            PATIENCE)
        assert "the log ends at" in told and "--adopt" in told
        assert trouble.anybody(name), "who stops says nothing to flags"
        trouble.kill(COORDINATOR)
        trouble.revive(COORDINATOR, more=["--rebuild"])
        trouble.promote(name)
        trouble.wait_exit(name, "COMPLETED")
        trouble.audit(name)
        trouble.kill(COORDINATOR)
        trouble.revive(COORDINATOR, more=[])
        trouble.stage.wait_ready([COORDINATOR])


@pytest.mark.only("kafka")  # the embedded one knows no administration
def test_a_topic_that_an_admin_has_grown_is_told_with_its_count(trouble):
    """Last of this file, for no topic shrinks again."""
    admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": trouble.stage.bootstrap})
    grown = confluent_kafka.admin.NewPartitions("events.v1", 7)
    admin.create_partitions([grown])["events.v1"].result(30)
    trouble.kill(COORDINATOR)
    trouble.revive(COORDINATOR)
    process = trouble.stage.instances[COORDINATOR]
    wait_for("it to say so", lambda: "7" in readiness(trouble, COORDINATOR)[1] or
             not process.running(), PATIENCE)
    said = readiness(trouble, COORDINATOR)[1] + process.last_lines()
    assert "kafka.partitions" in said and "7" in said and "4" in said
    del trouble.stage.instances[COORDINATOR]  # it cannot go on, and is not asked to
    process.stop()
