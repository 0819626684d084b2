"""BLOCKED rests: each step stops where something is wrong, and is left by each way."""
import pytest

STAGED = [{"name": "some", "percent": 20, "min_time": "60s"}, {"name": "all", "percent": 100}]


def failing(service, word):
    service.failing.add(word)


def heal(service):
    service.failing.clear()
    service.errors, service.silent = 0, False


def blocked(lab, name, step, people=True):
    state = lab.wait_phase(name, "BLOCKED", people=people)
    assert state["step"] == step, lab.why(state)
    waiting = state["waiting_for"]
    assert waiting["sentence"] and waiting["otherwise"] and waiting["deadline_ms"]
    return state


def test_failed_prechecks_block_and_retry_goes_through_the_queue(service):
    lab = service.lab
    failing(service, "ready")
    name = lab.begin(service)
    blocked(lab, name, 1)
    lane = next(l for l in lab.get("/v1/lanes").json()["items"]
                if l["lane"] == f"production/{service.name}")
    assert lane["holder"] is None, "a deployment that rests in step 1 keeps its lane"
    signal = lab.signals(name, "deployment_blocked")[0].deployment_blocked
    assert signal.step == 1 and signal.reason and signal.remedy and signal.notify
    heal(service)
    lab.ask(name, "release-engineer", {"retry": {}})
    lab.wait_exit(name, "COMPLETED")


def test_an_apply_that_fails_goes_on_at_the_batch_that_stopped(service):
    lab = service.lab
    name = lab.submit(lab.feature_of(service, policy="blocking"))
    (service.directories()[1] / "refuse").touch()
    lab.approve(name)
    state = blocked(lab, name, 2)
    version = state["changes"][1]["version"]
    assert service.running()[0] == version and state["percent"] == 0
    service.refuse(False)
    lab.ask(name, "devops-lead", {"retry": {}})
    lab.wait_exit(name, "COMPLETED")
    assert service.versions() == {version}


@pytest.mark.parametrize("way", ["retry", "waive"])
def test_a_failed_validation_may_be_put_right_or_waived(service, way):
    lab = service.lab
    failing(service, "smoke")
    name = lab.begin(service, policy="blocking")
    state = blocked(lab, name, 3)
    assert state["percent"] == 0
    if way == "retry":
        heal(service)
        lab.ask(name, "technical-lead", {"retry": {}})
    else:
        answer = lab.request(name, "technical-lead", {"waive": {"check": "smoke.api"}}, "")
        assert answer.status_code == 422 and answer.json()["code"] == "reason-missing"
        lab.ask(name, "technical-lead", {"waive": {"check": "smoke.api"}}, "known, harmless")
    state = lab.wait_exit(name, "COMPLETED")
    if way == "waive":
        entries = lab.get(f"/v1/deployments/{name}/timeline?type=Waived").json()["items"]
        assert "known, harmless" in str(entries) and "tess" in str(entries)


def test_a_bad_stage_turns_flags_off_and_retry_starts_at_stage_1(service):
    lab = service.lab
    stages = [{"name": "few", "percent": 5}, *STAGED]
    name = lab.begin(service, rollout=stages, metrics=[{
        "name": "errors", "source": f"{service.name}-metrics", "query": "lab_errors_total",
        "at_most": 10, "unit": "errors", "check": "stage.errors"}])
    lab.wait(name, lambda s: s["stages"][1]["sub"] == "watch")
    service.errors = 500
    state = blocked(lab, name, 4)
    assert state["percent"] == 0 and not state["latched"]
    assert lab.signals(name, "feature_withdrawn")
    assert not lab.is_on(name, "anybody")
    heal(service)
    lab.ask(name, "technical-lead", {"retry": {}})
    lab.wait(name, lambda s: s["stages"][1]["sub"] == "watch" and s["percent"] == 20)
    lab.ask(name, "technical-lead", {"promote": {}})
    lab.wait_exit(name, "COMPLETED")


def test_a_failed_step_5_turns_flags_off_and_goes_back_to_stage_1(service):
    lab = service.lab
    failing(service, "feature")
    name = lab.begin(service)
    state = blocked(lab, name, 5)
    assert state["percent"] == 0 and not state["latched"]
    heal(service)
    lab.ask(name, "technical-lead", {"retry": {}})
    lab.wait_exit(name, "COMPLETED")
    percents = [s.feature_available.percent for s in lab.all_signals(name)
                if s.WhichOneof("body") == "feature_available"]
    assert percents == [20, 100, 20, 100]


def test_a_critical_metric_in_a_stage_rolls_back(service):
    lab = service.lab
    name = lab.begin(service, rollout=STAGED)
    lab.wait(name, lambda s: s["stages"][0]["sub"] == "watch")
    service.errors = 500
    state = lab.wait_exit(name, "ROLLED_BACK")
    assert state["stop"]["step"] == 4 and state["latched"]


def test_no_data_in_step_6_extends_once_and_blocks_with_flags_on(service):
    lab = service.lab
    name = lab.begin(service, policy="steady")
    lab.wait_phase(name, "OBSERVING", people=True)
    service.silent = True
    state = blocked(lab, name, 6)
    assert state["percent"] == 100
    heal(service)
    lab.ask(name, "operations-lead", {"retry": {}})
    lab.wait_exit(name, "COMPLETED")


def test_a_critical_metric_in_step_6_rolls_back(service):
    lab = service.lab
    name = lab.begin(service, policy="slow")
    lab.wait(name, lambda s: s["phase"] == "OBSERVING" and s["dates"]["monitoring_ms"],
             people=True)
    service.errors = 500
    state = lab.wait_exit(name, "ROLLED_BACK")
    assert state["stop"]["step"] == 6 and state["latched"]


def test_a_channel_that_is_down_blocks_step_7_and_flags_stay(service):
    lab = service.lab
    lab.frail_down = True
    name = lab.begin(service, policy="frail")
    state = blocked(lab, name, 7)
    assert state["percent"] == 100 and not state["latched"]
    assert any(f["check"] == "notify.rollout" and f["verdict"] != "PASS"
               for f in state["findings"])
    lab.frail_down = False
    lab.ask(name, "operations-lead", {"retry": {}})
    lab.wait_exit(name, "COMPLETED")
    told = [h for h in lab.frail if name in str(h)]
    assert told


def test_a_channel_that_stays_down_may_be_waived(service):
    lab = service.lab
    name = lab.begin(service, policy="dead-channel")
    blocked(lab, name, 7)
    lab.ask(name, "operations-lead", {"waive": {"check": "notify.rollout"}}, "called them")
    lab.wait_exit(name, "COMPLETED")


@pytest.mark.parametrize("check", ["signoff.devops", "artifact.code", "flag.read_back",
                                   "monitoring.no_open_critical"])
def test_some_checks_are_never_waived(service, check):
    lab = service.lab
    failing(service, "ready" if check != "signoff.devops" else "nothing")
    if check == "signoff.devops":
        name = lab.begin(service)
        lab.wait_phase(name, "FINALISING", people=True, but=(2,))
    else:
        name = lab.begin(service)
        blocked(lab, name, 1)
    answer = lab.request(name, "release-engineer", {"waive": {"check": check}}, "please")
    assert answer.status_code == 409, answer.text
    lab.ask(name, "release-engineer", {"abort": {}})
    lab.wait_exit(name, "ABORTED", people=False)
