"""Every exit, by every way that leads there."""
import os

import pytest

STAGED = [{"name": "some", "percent": 20, "min_time": "60s"}, {"name": "all", "percent": 100}]


def undone(lab, service, name, state):
    """What an exit other than COMPLETED promises: asked of the instances and the flags."""
    assert service.versions() == {service.before}
    assert not lab.is_on(name, "anybody", group="staff")
    finished = lab.all_signals(name)[-1].deployment_finished
    assert finished.exit == state["exit"]
    report = lab.get(f"/v1/deployments/{name}/report").json()
    assert report["exit"] == state["exit"]


def resting(lab, service, phase):
    """A deployment that has come to the phase and stays there."""
    service.before = service.running()[0]
    if phase == "AWAITING_INPUTS":
        return lab.submit(lab.feature_of(service, test_results=[]))
    if phase == "IN_REVIEW":
        name = lab.submit(lab.feature_of(service))
    elif phase == "QUEUED":
        name = lab.begin(service, policy="later")
    elif phase == "BLOCKED":
        service.failing.add("smoke")
        name = lab.begin(service, policy="blocking")
    elif phase == "VALIDATING":
        service.holding.add("smoke")
        name = lab.begin(service)
    elif phase == "EXECUTING":
        (service.directories()[1] / "wait").touch()
        name = lab.begin(service)
        lab.wait(name, lambda s: s["phase"] == phase and service.running()[0] != service.before)
    elif phase == "ROLLING_OUT":
        name = lab.begin(service, rollout=STAGED)
        lab.wait(name, lambda s: s["phase"] == phase and s["percent"] == 20)
    elif phase == "OBSERVING":
        name = lab.begin(service, policy="slow")
    else:
        name = lab.begin(service)
    lab.wait_phase(name, phase, people=phase in ("OBSERVING", "FINALISING"), but=(2, 3, 6))
    return name


def go_on(service):
    """What a resting deployment was kept from is done now."""
    service.wait(False)
    service.holding.clear()


BEFORE = ["AWAITING_INPUTS", "IN_REVIEW", "QUEUED"]
AFTER = ["EXECUTING", "VALIDATING", "ROLLING_OUT", "CONFIRMING", "OBSERVING", "FINALISING", "BLOCKED"]


@pytest.mark.parametrize("phase", BEFORE + AFTER)
def test_an_abort_ends_aborted_with_nothing_left(service, phase):
    lab = service.lab
    name = resting(lab, service, phase)
    lab.ask(name, "release-engineer", {"abort": {}}, "postponed")
    go_on(service)
    state = lab.wait_exit(name, "ABORTED", people=False)
    assert "postponed" in state["stop"]["cause"] and state["stop"]["by"] == "rel"
    undone(lab, service, name, state)


@pytest.mark.parametrize("phase", AFTER)
def test_an_operators_rollback_ends_rolled_back(service, phase):
    lab = service.lab
    name = resting(lab, service, phase)
    lab.ask(name, "operations-lead", {"rollback": {}}, "EU pays not")
    go_on(service)
    state = lab.wait_exit(name, "ROLLED_BACK", people=False)
    undone(lab, service, name, state)
    assert lab.signals(name, "feature_rolled_back")
    answer = lab.request(name, "operations-lead", {"pause": {}})
    assert answer.status_code == 409


@pytest.mark.parametrize("phase", AFTER)
def test_a_critical_alert_ends_rolled_back(service, phase):
    lab = service.lab
    name = resting(lab, service, phase)
    lab.alert(service, f"In{phase}")
    state = lab.wait(name, lambda s: s["latched"])
    assert f"In{phase}" in [i["cause"] for i in state["incidents"]]
    go_on(service)
    state = lab.wait_exit(name, "ROLLED_BACK", people=False)
    undone(lab, service, name, state)
    lab.alert(service, f"In{phase}", "resolved")


@pytest.mark.parametrize("phase", BEFORE)
def test_before_anything_is_applied_there_is_no_rollback(service, phase):
    lab = service.lab
    name = resting(lab, service, phase)
    answer = lab.request(name, "operations-lead", {"rollback": {}})
    assert answer.status_code == 409 and "abort" in answer.text
    lab.ask(name, "operations-lead", {"abort": {}})
    lab.wait_exit(name, "ABORTED")


@pytest.mark.parametrize("word,step", [("smoke", 3), ("behaviour", 4), ("feature", 5)])
def test_a_no_go_rolls_back_where_the_plan_says_stop(service, word, step):
    lab = service.lab
    service.before = service.running()[0]
    service.failing.add(word)
    name = lab.begin(service, policy="stopping")
    state = lab.wait_exit(name, "ROLLED_BACK")
    assert state["stop"]["step"] == step and state["stop"]["kind"] == "FAILURE"
    undone(lab, service, name, state)


def test_an_apply_that_fails_rolls_back(service):
    lab = service.lab
    service.before = service.running()[0]
    name = lab.submit(lab.feature_of(service))
    refused = service.directories()[1] / "refuse-new"
    refused.write_text(os.readlink(service.directories()[1] / "current"))
    lab.approve(name)
    state = lab.wait_exit(name, "ROLLED_BACK")
    refused.unlink()
    assert state["stop"]["step"] == 2
    undone(lab, service, name, state)


@pytest.mark.parametrize("phase", ["IN_REVIEW", "ROLLING_OUT"])
def test_a_withdrawn_acceptance_ends_aborted(service, phase):
    lab = service.lab
    name = resting(lab, service, phase)
    feature = name.rpartition(".")[0]
    record = lab.messages.Acceptance(withdrawn=lab.messages.AcceptanceWithdrawn(
        feature=feature, reason="legal says no"))
    lab.publish("acceptance.v1", record.SerializeToString(), feature,
                lab.cloudevent("slipway.v1.Acceptance"))
    state = lab.wait_exit(name, "ABORTED", people=False)
    assert "legal says no" in state["stop"]["cause"]
    undone(lab, service, name, state)


@pytest.mark.parametrize("what", ["input", "review", "blocked 1", "blocked 3", "hold"])
def test_when_nobody_answers_in_time_it_is_aborted(service, what):
    lab = service.lab
    service.before = service.running()[0]
    if what == "input":
        name = lab.submit(lab.feature_of(service, policy="hasty", test_results=[]))
    elif what == "review":
        name = lab.submit(lab.feature_of(service, policy="hasty"))
    else:
        service.failing.add({"blocked 1": "ready", "blocked 3": "smoke", "hold": "none"}[what])
        name = lab.begin_at_once(service, rollout=STAGED)
    if what == "hold":
        lab.wait(name, lambda s: s["phase"] == "ROLLING_OUT" and s["percent"] == 20)
        lab.ask(name, "operations-lead", {"pause": {}}, "lunch")
    state = lab.wait_exit(name, "ABORTED", people=False)
    undone(lab, service, name, state)
    if what in ("input", "blocked 1", "blocked 3"):
        assert lab.signals(name, "deployment_blocked"), "nobody was told"


def test_a_completed_deployment_is_taken_back_by_a_linked_one(service):
    lab = service.lab
    service.before = service.running()[0]
    name = lab.begin(service)
    lab.wait_exit(name, "COMPLETED")
    assert lab.is_on(name, "anybody")
    lab.ask(name, "release-engineer", {"rollback": {}}, "regretted")
    state = lab.wait_newer(name, lambda s: s["exit"])
    assert (state["kind"], state["exit"], state["attempt_of"]) == ("ROLLBACK", "ROLLED_BACK", name)
    undone(lab, service, state["id"], state)


def test_after_a_rollback_retry_is_a_new_attempt(service):
    lab = service.lab
    service.failing.add("smoke")
    name = lab.begin(service, policy="stopping")
    lab.wait_exit(name, "ROLLED_BACK")
    service.failing.clear()
    lab.ask(name, "technical-lead", {"retry": {}}, "fixed")
    again = lab.wait_newer(name, lambda s: s["phase"] == "IN_REVIEW")
    assert again["attempt"] == 2 and again["attempt_of"] == name
    lab.approve(again["id"])
    lab.wait_exit(again["id"], "COMPLETED")


def test_the_end_is_the_end(service):
    lab = service.lab
    name = lab.submit(lab.feature_of(service))
    lab.wait_phase(name, "IN_REVIEW")
    lab.ask(name, "technical-lead", {"reject": {}}, "not now")
    state = lab.wait_exit(name, "ABORTED")
    assert state["stop"]["by"] == "tess" and "not now" in state["stop"]["cause"]
    for body in ({"approve": {"plan_hash": state["plan"]["hash"]}}, {"abort": {}}, {"resume": {}},
                 {"waive": {"check": "smoke.api"}}, {"replan": {}}, {"rollback": {}}):
        answer = lab.request(name, "technical-lead", body)
        assert answer.status_code == 409, (body, answer.text)
    assert lab.deployment(name)["phase"] == "ABORTED"
