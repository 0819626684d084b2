"""Two things at once, and what one stands on changed under one's feet: lines of design/interleavings
that no other file has. Which line is shown where: README.md beside this.
"""
import time

import pytest
import requests
from stage import wait_for
from trouble import COORDINATOR, PATIENCE


def lane_words(lab, name):
    """What was said between that deployment and its lanes, in order: (kind, number)."""
    said = [s for s in lab.history().events
            if s.kind in ("lane_requested", "lane_granted", "lane_released") and
            s.body.deployment == name]
    return [(s.kind, s.body.number) for s in sorted(said, key=lambda s: s.ms)]


# --- lanes and windows ---

def test_a_freeze_before_the_grant_withdraws_the_request_and_it_is_asked_again(trouble):
    with trouble.some() as (service,):
        (service.directories()[1] / "wait").touch()
        older = trouble.begin(service)
        wait_for("the older to have the lane", lambda: trouble.called(service, older), PATIENCE)
        newer = trouble.begin(service)
        wait_for("the lane to be asked for", lambda: lane_words(trouble, newer), PATIENCE, 0.5)
        frozen = trouble.http("POST", "/v1/freezes", "olga", {
            "scope": f"production/{service.name}", "reason": "test",
            "to_ms": int(time.time() * 1000) + 3600000}).json()
        trouble.wait(newer, lambda s: s["holds"])
        service.wait(False)
        trouble.wait(older, lambda s: s["steps"][2]["decision"] == "GO")
        trouble.http("DELETE", f"/v1/freezes/{frozen['id']}", "olga")
        trouble.wait_exit(older, "COMPLETED")
        trouble.wait_exit(newer, "COMPLETED")
        numbers = [number for kind, number in lane_words(trouble, newer)
                   if kind == "lane_requested"]
        assert len(numbers) == 2 and numbers[0] < numbers[1]
        trouble.audit(older, newer)


# --- people who are late ---

def signoff(lab, name, step):
    state = lab.deployment(name)
    role = next(s["role"] for s in state["signoffs"] if s["step"] == step)
    lab.do(name, role, {"signoff": {"step": step, "accept": True}},
           lambda s: all(x["state"] != "OPEN" for x in s["signoffs"] if x["step"] == step))


def test_the_last_signoff_in_blocked_7_completes_at_that_event(trouble):
    with trouble.some() as (service,):
        name = trouble.begin(service, policy="punctual")
        trouble.wait_phase(name, "OBSERVING", people=True)
        trouble.do(name, "release-engineer", {"promote": {}}, lambda s: s["phase"] != "OBSERVING")
        trouble.wait(name, lambda s: s["phase"] == "BLOCKED" and
                     s["step"] == 7 and s["signoffs"][-1]["state"] == "OPEN" and
                     sum(s_["state"] == "OPEN" for s_ in s["signoffs"]) == 1 and
                     "signoff" in str(s["waiting_for"]).lower(), people=True, but=(6,))
        open_ = [s["step"] for s in trouble.deployment(name)["signoffs"] if s["state"] == "OPEN"]
        before = trouble.deployment(name)["version"]
        signoff(trouble, name, open_[0])
        state = trouble.wait_exit(name, "COMPLETED", people=False)
        said = [s for s in trouble.history().events if s.kind == "request" and
                s.message.deployment == name][-1]
        assert said.body.WhichOneof("body") == "signoff" and state["version"] >= before + 1
        trouble.audit(name)


# --- holds ---

def test_a_step_that_ends_in_a_pause_with_a_warning_is_measured_once_more(trouble, monkeypatch):
    monkeypatch.setattr(trouble, "insists", True)  # step 6 goes on once it heard of the end
    with trouble.some() as (service,):
        service.holding.add("smoke")
        name = trouble.begin(service)
        trouble.wait_phase(name, "VALIDATING")
        trouble.do(name, "operations-lead", {"pause": {}}, lambda s: s["holds"])
        service.holding.clear()

        def done(step):
            return [s for s in trouble.history().of(name) if s.kind == "task_finished" and
                    s.body.task.split("/")[1] == step]
        wait_for("the step's task to end", lambda: done("3"), PATIENCE, 0.5)
        trouble.alert(service, "Slow", severity="warning")
        trouble.wait(name, lambda s: {"OPERATOR", "WARNING"} <= {h["kind"] for h in s["holds"]})
        assert trouble.deployment(name)["phase"] == "VALIDATING"
        trouble.do(name, "operations-lead", {"resume": {}}, lambda s: not s["holds"])
        trouble.alert(service, "Slow", "resolved", severity="warning")
        trouble.wait_exit(name, "COMPLETED")
        assert len(done("3")) == 2, "what was measured before the pause is no Go after it"
        trouble.audit(name)


# --- flags ---

@pytest.mark.parametrize("how", ["retry", "waive"])
def test_flags_turned_off_in_step_5_go_up_again_from_the_first_stage(trouble, how):
    with trouble.some() as (service,):
        service.failing.add("feature")
        name = trouble.begin(service, policy="blocking", rollout=[
            {"name": "some", "percent": 20}, {"name": "all", "percent": 100}])
        trouble.wait(name, lambda s: (s["phase"], s["step"]) == ("BLOCKED", 5), people=True)
        wait_for("nobody to see it", lambda: not trouble.anybody(name), PATIENCE)
        if how == "retry":
            service.failing.clear()
        body = {"retry": {}} if how == "retry" else {"waive": {"check": "functional.feature"}}
        role = "release-engineer" if how == "retry" else "technical-lead"
        trouble.do(name, role, body, lambda s: (s["phase"], s["step"]) != ("BLOCKED", 5))
        trouble.wait_exit(name, "COMPLETED")
        assert trouble.anybody(name)
        told = [(s.kind, getattr(s.body, "percent", None)) for s in trouble.history().signals
                if s.message.deployment == name and s.kind in (
                    "feature_available", "feature_withdrawn")]
        assert [p for k, p in told if k == "feature_available"] == [20, 100, 20, 100], told
        assert [k for k, _ in told][2] == "feature_withdrawn"
        service.failing.clear()
        trouble.audit(name)


# --- what is away, and what is new ---

def test_a_page_that_no_notifier_sends_is_in_the_coordinators_metrics(trouble):
    """The second way: whoever watches Slipway itself sees a rollback that waits for people."""
    def gauge():
        text = requests.get(f"http://{trouble.stage.address(COORDINATOR)}/metrics", timeout=5).text
        return next((float(line.split()[-1]) for line in text.splitlines()
                     if line.startswith("slipway_deployments{") and
                     "BLOCKED_ROLLBACK" in line), 0)
    with trouble.some() as (service,):
        name = trouble.rolling(service)
        trouble.kill("notifier-1")
        service.refuse()
        trouble.do(name, "release-engineer", {"rollback": {}}, lambda s: s["latched"])
        trouble.wait_phase(name, "BLOCKED_ROLLBACK")
        wait_for("the gauge to say so", lambda: gauge() == 1, PATIENCE)
        service.refuse(False)
        trouble.revive("notifier-1")
        trouble.do(name, "release-engineer", {"retry": {}},
                   lambda s: s["exit"] or s["phase"] != "BLOCKED_ROLLBACK")
        trouble.wait_exit(name, "ROLLED_BACK", people=False)
        wait_for("the gauge to fall", lambda: gauge() == 0, PATIENCE)
        trouble.audit(name)


# --- a later release ---

def test_a_coordinator_upgraded_in_mid_step_carries_on_under_the_old_revision(trouble, build):
    later = build / "tests" / "system" / "slipway-coordinator-later"
    with trouble.some(2) as (service, other):
        (service.directories()[1] / "wait").touch()
        name = trouble.begin(service)
        wait_for("the batch to be under way", lambda: trouble.called(service, name), PATIENCE)
        trouble.kill(COORDINATOR)
        program, trouble.stage.program = trouble.stage.program, lambda _: later
        try:
            trouble.revive(COORDINATOR)
        finally:
            trouble.stage.program = program
        trouble.stage.wait_ready([COORDINATOR])
        newer = trouble.begin(other)
        service.wait(False)
        for each in (name, newer):
            trouble.wait_exit(each, "COMPLETED")
        revisions = {each: trouble.get(f"/v1/deployments/{each}/plan").json()["plan"]["revision"]
                     for each in (name, newer)}
        assert revisions == {name: 1, newer: 2}
        trouble.audit(name, newer)
        trouble.again(COORDINATOR)
        trouble.stage.wait_ready([COORDINATOR])
