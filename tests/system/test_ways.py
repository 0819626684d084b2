"""Each way to production, and what people may do on it."""
import pytest

STAGED = [{"name": "some", "percent": 20, "min_time": "60s"}, {"name": "all", "percent": 100}]


@pytest.mark.parametrize("approach", ["rolling", "canary"])
def test_a_feature_goes_to_production(service, approach):
    lab = service.lab
    feature = lab.feature_of(service, approach=approach)
    version = feature["artifacts"][1]["version"]
    name = lab.submit(feature)
    lab.approve(name)
    state = lab.wait_exit(name, "COMPLETED")
    assert [s["decision"] for s in state["steps"]] == ["GO"] * 8
    assert state["percent"] == 100 and not state["latched"]
    assert service.versions() == {version}
    batches = [len(b["instances"]) for b in state["changes"][1]["batches"]]
    assert batches == [1, 1]
    kinds = [s.WhichOneof("body") for s in lab.all_signals(name)]
    assert kinds == ["feature_deployed", "feature_available", "feature_available",
                     "monitoring_active", "deployment_finished"]
    issue = lab.stage.desk.issue(feature["ticket"])
    assert issue["fields"]["status"]["name"] == "Done" and name in str(issue)


def test_blue_green_moves_the_traffic_and_an_abort_moves_it_back(service):
    lab = service.lab
    sides = lab.services["sides"]
    assert lab.router() == "blue"
    name = lab.begin(sides, approach="blue-green")
    state = lab.wait_exit(name, "COMPLETED")
    assert [b["kind"] for b in state["changes"][1]["batches"]] == ["APPLY", "SHIFT"]
    assert lab.router() == "green"
    blue, green = sides.running()
    assert blue == "1.0" and green == state["changes"][1]["version"]

    name = lab.begin(sides, approach="blue-green", rollout=STAGED)
    state = lab.wait(name, lambda s: s["phase"] == "ROLLING_OUT" and s["percent"] == 20)
    assert lab.router() == "blue" and sides.running()[0] == state["changes"][1]["version"]
    lab.ask(name, "release-engineer", {"abort": {}})
    lab.wait_exit(name, "ABORTED")
    assert lab.router() == "green" and sides.running() == [blue, green]


def test_promote_ends_a_clock_but_no_check(service):
    lab = service.lab
    name = lab.begin(service, rollout=STAGED)
    lab.wait(name, lambda s: s["phase"] == "ROLLING_OUT" and s["percent"] == 20)
    lab.wait(name, lambda s: s["stages"][0]["sub"] == "watch")
    lab.ask(name, "release-engineer", {"promote": {}})
    lab.wait(name, lambda s: s["percent"] == 100)
    lab.wait_exit(name, "COMPLETED")


def test_a_long_watch_is_promoted_and_signed_off(service):
    lab = service.lab
    name = lab.begin(service, policy="slow")
    lab.wait(name, lambda s: s["phase"] == "OBSERVING" and s["dates"]["monitoring_ms"],
             people=True)
    lab.ask(name, "release-engineer", {"promote": {}})
    lab.wait_exit(name, "COMPLETED")


def test_a_gate_waits_for_its_person(service):
    lab = service.lab
    rollout = [{"name": "some", "percent": 20, "gate": "operations-lead"},
               {"name": "all", "percent": 100}]
    name = lab.begin(service, rollout=rollout)
    state = lab.wait(name, lambda s: (s["waiting_for"] or {}).get("kind") == "GATE")
    assert state["percent"] == 20
    answer = lab.request(name, "devops-lead", {"attest": {"check": "stage.gate",
                                                          "verdict": "PASS"}})
    assert answer.status_code in (403, 409) and lab.deployment(name)["percent"] == 20
    lab.ask(name, "operations-lead", {"attest": {"check": "stage.gate", "verdict": "PASS"}})
    lab.wait_exit(name, "COMPLETED")


def test_a_gate_that_nobody_answers_blocks(service):
    lab = service.lab
    rollout = [{"name": "some", "percent": 20, "gate": "operations-lead"},
               {"name": "all", "percent": 100}]
    name = lab.begin_at_once(service, rollout=rollout)
    state = lab.wait_phase(name, "BLOCKED")
    assert state["step"] == 4 and state["percent"] == 20
    lab.wait_exit(name, "ABORTED", people=False)  # that nobody comes is an answer as well


def test_pause_stops_the_next_stage_and_resume_goes_on(service):
    lab = service.lab
    name = lab.begin(service, rollout=STAGED)
    lab.wait(name, lambda s: s["phase"] == "ROLLING_OUT" and s["stages"][0]["sub"] == "watch")
    lab.ask(name, "operations-lead", {"pause": {}}, "lunch")
    lab.ask(name, "release-engineer", {"promote": {}})
    state = lab.wait(name, lambda s: s["waiting_for"]["kind"] == "OPERATOR")
    assert state["percent"] == 20 and [h["kind"] for h in state["holds"]] == ["OPERATOR"]
    lab.ask(name, "operations-lead", {"resume": {}})
    lab.wait_exit(name, "COMPLETED")


def test_a_refused_sign_off_blocks_and_leaves_flags_alone(service):
    lab = service.lab
    name = lab.begin(service)
    lab.wait_phase(name, "OBSERVING", "FINALISING", people=True, but=(2,))
    lab.ask(name, "devops-lead", {"signoff": {"step": 2, "accept": False}}, "logs are gone")
    state = lab.wait_phase(name, "BLOCKED", people=True, but=(2,))
    assert state["step"] == 7 and state["percent"] == 100 and not state["latched"]
    lab.ask(name, "devops-lead", {"signoff": {"step": 2, "accept": True}}, "found them")
    lab.wait_exit(name, "COMPLETED")


def test_what_is_applicable_by_plan_only_is_not_asked_for(service):
    lab = service.lab
    name = lab.begin(service)
    lab.wait_exit(name, "COMPLETED")
    findings = lab.get(f"/v1/deployments/{name}/findings?step=1").json()["items"]
    seen = {f["check"] for f in findings}
    assert "artifact.code" in seen and "artifact.migrations" not in {
        f["check"] for f in findings if f["verdict"] != "NOT_APPLICABLE"}
