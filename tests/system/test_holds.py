"""Holds and undo: freezes, windows, warnings; and what happens when the way back fails."""
import time

import pytest

STAGED = [{"name": "some", "percent": 20, "min_time": "60s"}, {"name": "all", "percent": 100}]


def freeze(lab, service, **more):
    answer = lab.http("POST", "/v1/freezes", "olga", {
        "scope": f"production/{service.name}", "reason": "Black Friday",
        "to_ms": int(time.time() * 1000) + 3600 * 1000, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def lift(lab, frozen):
    assert lab.http("DELETE", f"/v1/freezes/{frozen['id']}", "olga").status_code == 200


def kinds(state):
    return {h["kind"] for h in state["holds"]}


def test_a_freeze_holds_the_queue_until_it_is_lifted(service):
    lab = service.lab
    frozen = freeze(lab, service)
    name = lab.begin(service)
    state = lab.wait(name, lambda s: s["phase"] == "QUEUED" and "FREEZE" in kinds(s))
    assert state["waiting_for"]["kind"] == "FREEZE" and "Black Friday" in str(state)
    listed = lab.get("/v1/freezes").json()["items"]
    assert name in next(f for f in listed if f["id"] == frozen["id"])["holds"]
    refused = lab.request(name, "release-engineer", {"resume": {}})
    assert refused.status_code == 409
    lift(lab, frozen)
    lab.wait_exit(name, "COMPLETED")


def test_a_freeze_holds_the_next_stage_and_no_rollback(service):
    lab = service.lab
    before = service.versions()
    name = lab.begin(service, rollout=STAGED)
    lab.wait(name, lambda s: s["stages"][0]["sub"] == "watch")
    frozen = freeze(lab, service)
    lab.wait(name, lambda s: "FREEZE" in kinds(s))
    lab.ask(name, "release-engineer", {"promote": {}})
    state = lab.wait(name, lambda s: s["waiting_for"]["kind"] == "FREEZE")
    assert state["percent"] == 20
    lab.ask(name, "release-engineer", {"rollback": {}})
    lab.wait_exit(name, "ROLLED_BACK", people=False)
    assert service.versions() == before
    lift(lab, frozen)


def test_a_freeze_may_mean_rollback_by_policy(service):
    lab = service.lab
    service.wait()
    name = lab.begin(service, policy="frozen-rollback")
    lab.wait_phase(name, "EXECUTING")
    frozen = freeze(lab, service)
    lab.wait(name, lambda s: s["stop"])
    service.wait(False)
    state = lab.wait_exit(name, "ABORTED", people=False)
    assert state["stop"]["kind"] == "DECISION"
    lift(lab, frozen)


def test_a_freeze_of_another_service_holds_nothing(service):
    lab = service.lab
    other = lab.take()
    frozen = freeze(lab, other)
    name = lab.begin(service)
    lab.wait_exit(name, "COMPLETED")
    lift(lab, frozen)
    lab.give_back(other)


@pytest.mark.parametrize("body,who,status", [
    ({"scope": "production"}, "olga", 422), ({"scope": "a/b", "to_ms": 1}, "olga", 422),
    ({"scope": "a/b", "reason": ""}, "olga", 422), ({"colour": 1}, "olga", 400),
    ({}, "ci/quickstart", 403)])
def test_a_wrong_freeze_is_refused(service, body, who, status):
    body = {"scope": "x/y", "reason": "x", "to_ms": int(time.time() * 1000) + 10000, **body}
    answer = service.lab.http("POST", "/v1/freezes", who, body)
    assert answer.status_code == status, answer.text


def test_a_deployment_waits_for_its_window_without_a_lane(service):
    lab = service.lab
    name = lab.begin(service, policy="later")
    state = lab.wait(name, lambda s: s["waiting_for"] and s["waiting_for"]["kind"] == "WINDOW")
    assert state["phase"] == "QUEUED"
    lane = [l for l in lab.get("/v1/lanes").json()["items"]
            if l["lane"] == f"production/{service.name}"]
    assert not lane or lane[0]["holder"] is None
    lab.ask(name, "release-engineer", {"abort": {}})
    lab.wait_exit(name, "ABORTED")


@pytest.mark.early
def test_a_deployment_begins_when_its_window_opens_and_not_before(service):
    lab = service.lab
    name = lab.begin(service, policy="opening")
    state = lab.wait_exit(name, "COMPLETED")
    assert state["steps"][1]["began_ms"] >= int(lab.opens) * 1000


@pytest.mark.early
@pytest.mark.parametrize("way", ["finish", "hold", "rollback"])
def test_a_window_that_closes_does_what_the_policy_says(service, way):
    lab = service.lab
    before = service.versions()
    service.wait()
    name = lab.begin(service, policy=f"closing-{way}")
    lab.wait(name, lambda s: s["phase"] == "EXECUTING" and s["changes"][1]["batches"][0][
        "state"] == "UPDATING")
    while time.time() < lab.closes:
        time.sleep(0.1)
    if way == "rollback":
        lab.wait(name, lambda s: s["stop"])
    elif way == "hold":
        lab.wait(name, lambda s: "WINDOW" in kinds(s))
    service.wait(False)
    if way == "rollback":
        lab.wait_exit(name, "ABORTED", people=False)
        assert service.versions() == before
        return
    if way == "finish":
        state = lab.wait(name, lambda s: s["steps"][2]["decision"] == "GO")
        assert all(b["state"] == "NEW" for c in state["changes"] for b in c["batches"])
    state = lab.wait(name, lambda s: s["waiting_for"]["kind"] == "WINDOW", people=True)
    assert state["percent"] == 0
    if way == "hold":
        assert state["changes"][1]["batches"][1]["state"] == "OLD"
    lab.ask(name, "release-engineer", {"abort": {}})
    lab.wait_exit(name, "ABORTED", people=False)
    assert service.versions() == before


def test_a_pause_keeps_the_clock_of_step_6_still(service):
    lab = service.lab
    name = lab.begin(service, policy="steady")
    lab.wait_phase(name, "OBSERVING", people=True)
    lab.ask(name, "operations-lead", {"pause": {}}, "looking")
    other = lab.take()  # whose period begins later and is as long: the clock of this test
    lab.wait_exit(lab.begin(other, policy="steady"), "COMPLETED")
    lab.give_back(other)
    state = lab.deployment(name)
    assert state["phase"] == "OBSERVING" and state["waiting_for"]["kind"] == "OPERATOR"
    again = lab.request(name, "operations-lead", {"pause": {}})
    assert again.status_code == 409
    lab.ask(name, "operations-lead", {"resume": {}})
    lab.wait_exit(name, "COMPLETED")


# --- the way back fails ---

def stuck(lab, service):
    """A deployment whose undo fails at both instances."""
    name = lab.begin(service, rollout=STAGED)
    lab.wait(name, lambda s: s["phase"] == "ROLLING_OUT" and s["percent"] == 20)
    service.refuse()
    lab.ask(name, "release-engineer", {"abort": {}}, "postponed")
    state = lab.wait_phase(name, "BLOCKED_ROLLBACK")
    assert state["latched"] and not lab.is_on(name, "anybody")
    assert state["waiting_for"]["kind"] == "DECISION", state["waiting_for"]
    lane = next(l for l in lab.get("/v1/lanes").json()["items"]
                if l["lane"] == f"production/{service.name}")
    assert lane["holder"]["deployment"] == name
    return name


def test_a_failed_undo_keeps_the_lane_and_is_tried_again(service):
    lab = service.lab
    before = service.versions()
    name = stuck(lab, service)
    for body in ({"pause": {}}, {"approve": {}}, {"waive": {"check": "smoke.api"}}):
        assert lab.request(name, "release-engineer", body).status_code == 409
    service.refuse(False)
    lab.ask(name, "release-engineer", {"retry": {}})
    lab.wait_exit(name, "ABORTED", people=False)
    assert service.versions() == before


def test_a_failed_undo_may_be_left_as_it_is_and_is_listed(service):
    lab = service.lab
    name = stuck(lab, service)
    wrong = lab.request(name, "release-engineer", {"skip_change": {"change": 1}})
    assert wrong.json()["code"] == "confirmation-needed"
    for _ in range(4):
        state = lab.wait(name, lambda s: s["phase"] in ("BLOCKED_ROLLBACK", "ABORTED"))
        if state["exit"]:
            break
        lab.ask(name, "release-engineer", {"skip_change": {"change": 2}}, "replaced tonight")
    lab.wait_exit(name, "ABORTED", people=False)
    report = lab.get(f"/v1/deployments/{name}/report", headers={"Accept": "text/markdown"}).text
    assert "replaced tonight" in report
    service.refuse(False)


def test_what_was_restored_by_hand_is_still_read_back(service):
    lab = service.lab
    before = service.versions()
    name = stuck(lab, service)
    for _ in range(2):  # one batch after the other; what is true of them is not asked
        version = lab.ask(name, "release-engineer", {"mark_restored": {}}, "I think so")["version"]
        state = lab.wait(name, lambda s: s["phase"] == "BLOCKED_ROLLBACK" and
                         s["version"] > version)
    assert any(f["check"] == "verify.version" and f["verdict"] == "FAIL"
               for f in state["findings"]), lab.why(state)
    service.refuse(False)
    for directory in service.directories():
        (directory / "marker").unlink()  # before Slipway came there was none
    lab.ask(name, "release-engineer", {"retry": {}})
    lab.wait_exit(name, "ABORTED", people=False)
    assert service.versions() == before
