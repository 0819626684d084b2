"""Inputs and review: what is missing is told with its remedy and can be supplied; who may approve
what, and what a new plan does to approvals."""
import pytest

PAPER = "deployment_steps configuration rollback runbook requirements observability".split()


def without(feature, what):
    """Takes one input away."""
    if what == "report":
        del feature["acceptance"]["report"]
    elif what in ("accepted", "signoffs"):
        del feature["acceptance"][what]
    elif what in ("artifacts_ready", "artifacts", "flags", "rollout", "test_results"):
        del feature[what]
    else:
        feature["documents"] = [d for d in feature["documents"] if d["kind"] != what]
    return feature


def missing(lab, name):
    state = lab.wait_phase(name, "AWAITING_INPUTS")
    state = lab.wait(name, lambda s: s["missing"])
    assert state["waiting_for"]["kind"] == "INPUT" and state["waiting_for"]["otherwise"]
    return {m["input"]: m["remedy"] for m in state["missing"]}


REMEDIES = {
    "report": ("acceptance_report", "wait for Acceptance & Signoff"),
    "accepted": ("feature_accepted", "wait for Acceptance & Signoff"),
    "signoffs": ("acceptance_signoffs", "wait for Acceptance & Signoff"),
    "artifacts": ("artifacts", "prepare deployment artifacts"),
    "artifacts_ready": ("artifacts_ready", "prepare deployment artifacts"),
    "flags": ("flag_configuration", "wait for Feature Flag / Rollout"),
    "rollout": ("rollout_plan", "wait for Feature Flag / Rollout"),
    "test_results": ("test_results", "wait for QA procedures"),
    "deployment_steps": ("deployment_steps", "wait for Documentation & Runbook"),
    "configuration": ("configuration", "wait for Documentation & Runbook"),
    "rollback": ("rollback", "wait for Documentation & Runbook"),
    "runbook": ("runbook", "wait for Documentation & Runbook"),
    "requirements": ("requirements", "supply"),
    "observability": ("observability", "supply"),
}


@pytest.mark.parametrize("what", REMEDIES)
def test_a_missing_input_is_told_and_supplied_by_a_new_acceptance(service, what):
    lab = service.lab
    whole = lab.feature_of(service)
    name = lab.submit(without({**whole, "acceptance": dict(whole["acceptance"])}, what))
    expected, remedy = REMEDIES[what]
    told = missing(lab, name)
    assert any(expected in i for i in told) and any(remedy in r for r in told.values()), told
    lab.hand_in(whole)
    state = lab.wait_phase(name, "IN_REVIEW")
    assert not state["missing"]
    lab.ask(name, "technical-lead", {"reject": {}}, "enough")
    lab.wait_exit(name, "ABORTED")


@pytest.mark.parametrize("what", ["report", "accepted", "artifacts_ready", "test_results", *PAPER])
def test_a_missing_input_can_be_supplied_by_request(service, what):
    lab = service.lab
    whole = lab.feature_of(service)
    name = lab.submit(without({**whole, "acceptance": dict(whole["acceptance"])}, what))
    told = missing(lab, name)
    page = lab.page(f"{what if what != 'report' else 'acceptance'}.md")
    for wanted in told:
        supply = {"input": wanted}
        if what not in ("accepted", "artifacts_ready"):
            supply["link"] = page["link"]
            algorithm, _, value = page["digest"].partition(":")
            supply["digest"] = {"algorithm": algorithm, "value": value}
        lab.ask(name, "release-engineer", {"supply": supply})
    lab.approve(name)
    lab.wait_exit(name, "COMPLETED")


def test_a_missing_monitoring_system_is_an_error_and_not_a_no(service):
    lab = service.lab
    service.silent = True
    name = lab.submit(lab.feature_of(service))
    state = lab.wait(name, lambda s: any(f["check"] == "monitoring.available"
                                         for f in s["findings"]))
    bad = [f for f in state["findings"] if f["check"] == "monitoring.available"]
    assert state["phase"] == "AWAITING_INPUTS" and bad[0]["verdict"] == "ERROR"
    service.silent = False
    lab.wait(name, lambda s: s["phase"] == "IN_REVIEW" or
             lab.request(name, "release-engineer", {"retry": {}}))
    lab.ask(name, "release-engineer", {"abort": {}})
    lab.wait_exit(name, "ABORTED")


def test_an_unknown_approach_is_replanned(service):
    lab = service.lab
    name = lab.submit(lab.feature_of(service, approach="blue-green"))
    told = missing(lab, name)
    assert "approach" in told and "replan" in told["approach"]
    lab.ask(name, "release-engineer", {"replan": {"approach": "canary"}})
    lab.approve(name)
    state = lab.wait_exit(name, "COMPLETED")
    assert state["approach"] == "canary"


def test_replan_voids_approvals_and_old_hashes(service):
    lab = service.lab
    name = lab.submit(lab.feature_of(service))
    old = lab.wait_phase(name, "IN_REVIEW")["plan"]["hash"]
    lab.ask(name, "technical-lead", {"approve": {"plan_hash": old}})
    lab.ask(name, "release-engineer", {"replan": {"approach": "canary"}})
    state = lab.wait(name, lambda s: s["phase"] == "IN_REVIEW" and s["plan"]["hash"] != old)
    assert all(g["void"] for a in state["approvals"] for g in a["given"])
    answer = lab.request(name, "devops-lead", {"approve": {"plan_hash": old}})
    assert answer.status_code == 409 and answer.json()["code"] == "plan-changed", answer.text
    shown = lab.get(f"/v1/deployments/{name}/plan").json()
    assert shown["plan"]["hash"] == state["plan"]["hash"]
    lab.approve(name)
    lab.wait_exit(name, "COMPLETED")


def test_another_acceptance_during_review_is_another_plan(service):
    lab = service.lab
    feature = lab.feature_of(service)
    name = lab.submit(feature)
    old = lab.wait_phase(name, "IN_REVIEW")["plan"]["hash"]
    lab.ask(name, "technical-lead", {"approve": {"plan_hash": old}})
    lab.hand_in({**feature, "risks": ["it may rain"]})
    state = lab.wait(name, lambda s: s["phase"] == "IN_REVIEW" and s["plan"]["hash"] != old)
    assert state["attempt"] == 1 and not any(
        not g["void"] for a in state["approvals"] for g in a["given"])
    lab.ask(name, "technical-lead", {"reject": {}}, "rain")
    lab.wait_exit(name, "ABORTED")


def test_the_same_acceptance_again_is_noted_and_nothing_else(service):
    lab = service.lab
    feature = lab.feature_of(service)
    name = lab.submit(feature)
    lab.wait_phase(name, "IN_REVIEW")
    for _ in range(3):
        lab.hand_in(feature)
    lab.approve(name)
    state = lab.wait_exit(name, "COMPLETED")
    assert state["attempt"] == 1
    lab.hand_in(feature)
    assert lab.deployment(state["feature"])["id"] == name


def test_what_comes_during_execution_waits_its_turn(service):
    lab = service.lab
    feature = lab.feature_of(service)
    service.wait()
    name = lab.submit(feature)
    lab.approve(name)
    lab.wait_phase(name, "EXECUTING")
    lab.hand_in({**feature, "title": "better"})
    service.wait(False)
    lab.wait_exit(name, "COMPLETED")
    after = lab.wait_newer(name, lambda s: s["phase"] == "IN_REVIEW")
    assert (after["attempt"], after["title"]) == (2, "better")
    lab.ask(after["id"], "technical-lead", {"reject": {}}, "enough")
    lab.wait_exit(after["id"], "ABORTED")


def test_who_may_not_approve_is_told_why(service):
    lab = service.lab
    name = lab.submit(lab.feature_of(service), who="sam")
    state = lab.wait_phase(name, "IN_REVIEW")
    plan = {"approve": {"plan_hash": state["plan"]["hash"]}}

    def ask(who, role, body):
        return lab.http("POST", f"/v1/deployments/{name}/requests", who, {
            "role": role, "expected_version": lab.deployment(name)["version"], **body},
            {"Prefer": "wait=5"})
    own = ask("sam", "technical-lead", plan)
    assert (own.status_code, own.json()["code"]) == (403, "own-submission"), own.text
    wrong = ask("olga", "technical-lead", plan)
    assert (wrong.status_code, wrong.json()["code"]) == (403, "role-missing"), wrong.text
    unneeded = ask("olga", "operations-lead", plan)
    assert unneeded.status_code in (403, 409), unneeded.text
    hashed = ask("tess", "technical-lead", {"approve": {"plan_hash": "0" * 64}})
    assert (hashed.status_code, hashed.json()["code"]) == (409, "plan-changed"), hashed.text
    early = ask("tess", "technical-lead", {"signoff": {"step": 3, "accept": True}})
    assert early.status_code == 409
    stale = lab.http("POST", f"/v1/deployments/{name}/requests", "tess", {
        "role": "technical-lead", "expected_version": 1, **plan}, {"Prefer": "wait=5"})
    assert (stale.status_code, stale.json()["code"]) == (412, "version-changed"), stale.text
    none = lab.http("POST", f"/v1/deployments/{name}/requests", "tess", plan)
    assert (none.status_code, none.json()["code"]) == (428, "version-missing"), none.text
    assert not any(a["given"] for a in lab.deployment(name)["approvals"])
    lab.approve(name)
    lab.wait(name, lambda s: s["step"] >= 1)
    late = lab.request(name, "technical-lead", plan)
    assert late.status_code == 409, late.text
    lab.ask(name, "release-engineer", {"abort": {}})
    lab.wait_exit(name, "ABORTED", people=False)


def test_a_repeated_request_is_the_same_request(service):
    lab = service.lab
    name = lab.submit(lab.feature_of(service))
    state = lab.wait_phase(name, "IN_REVIEW")
    message = {"request": f"again-{name}", "role": "technical-lead", "reason": "fine",
               "expected_version": state["version"],
               "approve": {"plan_hash": state["plan"]["hash"]}}
    answers = [lab.http("POST", f"/v1/deployments/{name}/requests", "tess", message,
                        {"Prefer": "wait=5"}) for _ in range(3)]
    assert [a.status_code for a in answers] == [200] * 3, [a.text for a in answers]
    given = [g for a in lab.deployment(name)["approvals"] for g in a["given"]]
    assert len(given) == 1
    lab.ask(name, "technical-lead", {"reject": {}}, "enough")
    lab.wait_exit(name, "ABORTED")


def test_a_point_of_no_return_must_be_accepted_and_is_left_by_hand(service):
    lab = service.lab
    before = service.running()
    feature = lab.feature_of(service, rollout=[{"name": "some", "percent": 20,
                                                "min_time": "60s"}])
    feature["artifacts"][0].update(on_rollback="manual", way_back="restore last night's copy",
                                   note="drops a column")
    name = lab.submit(feature)
    state = lab.wait_phase(name, "IN_REVIEW")
    assert [p["change"] for p in state["plan"]["ponr"]] in ([0], [1])
    plan = {"plan_hash": state["plan"]["hash"]}
    refused = lab.request(name, "technical-lead", {"approve": plan})
    assert refused.json()["code"] == "confirmation-needed", refused.text
    lab.approve(name, accept=[1])
    lab.wait(name, lambda s: s["phase"] == "ROLLING_OUT" and s["percent"] == 20)
    lab.ask(name, "release-engineer", {"abort": {}})
    lab.wait_phase(name, "BLOCKED_ROLLBACK")
    assert service.running() == before and not lab.is_on(name, "anybody")
    lab.ask(name, "release-engineer", {"skip_change": {"change": 1}}, "the copy is bad")
    lab.wait_exit(name, "ABORTED", people=False)
    report = lab.get(f"/v1/deployments/{name}/report", headers={"Accept": "text/markdown"}).text
    assert "left as it is" in report and "the copy is bad" in report


def test_a_change_that_is_kept_stays_after_an_abort(service):
    lab = service.lab
    before = service.running()
    feature = lab.feature_of(service, rollout=[{"name": "some", "percent": 20,
                                                "min_time": "60s"}])
    feature["artifacts"][0]["on_rollback"] = "keep"
    name = lab.submit(feature)
    lab.approve(name)
    lab.wait(name, lambda s: s["phase"] == "ROLLING_OUT" and s["percent"] == 20)
    lab.ask(name, "release-engineer", {"abort": {}})
    lab.wait_exit(name, "ABORTED", people=False)
    assert service.running() == before
    assert service.versions() == {before[0], feature["artifacts"][0]["version"]}
