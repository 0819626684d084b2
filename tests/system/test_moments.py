"""The worst moments: alerts, kills, edits and dead helpers just when they hurt most.

design/interleavings: each test here is one of its lines, on real processes.
"""
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from stage import wait_for
from trouble import COORDINATOR, PATIENCE


def latched(state):
    return state["latched"]


def batch_alert(lab, service, count=1, truncated=0, source="storm", **more):
    """An AlertBatch of any Kafka client: that many alerts of the service, one cause."""
    batch = lab.messages.AlertBatch(source=source, truncated=truncated)
    for number in range(count):
        batch.alerts.add(**{
            "fingerprint": f"{number:016x}", "status": 1, "severity": 3, "name": "Storm",
            "service": service.name, "environment": "production", "summary": "by record",
            "starts_at_ms": int(time.time() * 1000), **more})
    return batch


def send_alerts(lab, service, batch):
    lab.publish("alerts.v1", batch.SerializeToString(), service.name,
                lab.cloudevent("slipway.v1.AlertBatch"))


# --- the executor is away ---

def test_an_alert_while_the_executor_is_dead_undoes_what_was_commanded(trouble):
    """Dead in its batch, or before it took the apply: a batch commanded counts as applied, the
    lost task is not driven again, and the undo looks at every instance."""
    with trouble.some(2) as (busy, unbegun):
        before = busy.versions(), unbegun.versions()
        (busy.directories()[1] / "wait").touch()
        first = trouble.begin(busy)
        wait_for("the batch to be under way", lambda: trouble.called(busy, first), PATIENCE)
        trouble.kill("executor-1")
        second = trouble.begin(unbegun)
        trouble.wait_phase(second, "EXECUTING")
        with trouble.alerting(busy), trouble.alerting(unbegun):
            trouble.wait(first, latched)
            trouble.wait(second, latched)
            busy.wait(False)
            trouble.revive("executor-1")
            for name in (first, second):
                trouble.wait_exit(name, "ROLLED_BACK", people=False)
        assert (busy.versions(), unbegun.versions()) == before
        trouble.audit(first, second)
        applied = [s for s in trouble.history().commands_of(second) if s.kind == "apply"]
        assert len(applied) == 1, "driven again after it was lost"


def test_an_alert_in_the_last_of_many_batches_undoes_them_all(trouble):
    with trouble.some() as (service,):
        before = service.versions()
        (service.directories()[1] / "wait").touch()
        name = trouble.begin(service)
        wait_for("the last batch", lambda: trouble.called(service, name), PATIENCE)
        with trouble.alerting(service):
            trouble.wait(name, latched)
            service.wait(False)
            trouble.wait_exit(name, "ROLLED_BACK", people=False)
        assert service.versions() == before
        trouble.audit(name)


# --- kills ---

@pytest.mark.parametrize("dead", ["coordinator", "coordinator and Redis"])
def test_a_kill_turns_the_flag_off_at_once_with_nobody_there(trouble, dead):
    with trouble.some() as (service,):
        before = service.versions()
        name = trouble.rolling(service)
        assert trouble.anybody(name)
        trouble.kill(COORDINATOR)
        if "Redis" in dead:
            trouble.stop_redis()
        trouble.kill_flag(name)
        wait_for("nobody to see it", lambda: not trouble.anybody(name), 10)
        if "Redis" in dead:
            trouble.start_redis()
        trouble.revive(COORDINATOR)
        trouble.wait_exit(name, "ROLLED_BACK", people=False)
        assert any(s.kind == "kill_seen" for s in trouble.history().of(name))
        assert service.versions() == before
        trouble.audit(name)


def test_an_alert_while_the_coordinator_is_dead_is_found_by_the_next(trouble):
    with trouble.some() as (service,):
        name = trouble.rolling(service)
        trouble.kill(COORDINATOR)
        with trouble.alerting(service):
            trouble.revive(COORDINATOR)
            trouble.wait_exit(name, "ROLLED_BACK", people=False)
        trouble.audit(name)


# --- alerts ---

def test_an_alert_storm_is_one_incident_acted_upon_at_once(trouble):
    """Thousands of alerts: the first stops, the rest are a few facts; no other service waits."""
    with trouble.some() as (service,):
        name = trouble.rolling(service)
        for _ in range(200):
            trouble.producer.produce(
                "alerts.v1", batch_alert(trouble, service, 25).SerializeToString(), service.name,
                headers=list(trouble.cloudevent("slipway.v1.AlertBatch").items()))
        began = time.monotonic()
        assert trouble.producer.flush(30) == 0
        trouble.wait(name, latched)
        trouble.wait_exit(name, "ROLLED_BACK", people=False)
        seconds = time.monotonic() - began
        said = [s for s in trouble.history().of(name) if s.kind == "incident"]
        assert 1 <= len(said) <= 2 + seconds / 5, f"{len(said)} in {seconds:.0f} s"
        wait_for("the storm to be heard", lambda: len(open_alerts(trouble, service)) == 25,
                 PATIENCE)
        send_alerts(trouble, service, batch_alert(trouble, service, 25, status=2))
        wait_for("it to be over", lambda: not open_alerts(trouble, service), PATIENCE)
        trouble.audit(name)


def open_alerts(lab, service):
    return [a for a in lab.get("/v1/alerts").json()["items"] if a["service"] == service.name]


def arrive(lab, how, service, other):
    """Deployments of both are in their first stage; an alert of the one arrives in that way."""
    name, second = lab.rolling(service), lab.rolling(other)
    batch = batch_alert(lab, service)
    if how == "grouped":
        batch.alerts.add().CopyFrom(batch_alert(lab, other).alerts[0])
    if how == "truncated":
        batch.truncated = 40
    if how == "resolved first":
        early = batch_alert(lab, service, status=2, ends_at_ms=int(time.time() * 1000))
        early.alerts[0].starts_at_ms -= 60000
        send_alerts(lab, service, early)
    for _ in range(3 if how == "repeated" else 1):
        send_alerts(lab, service, batch)
    lab.wait_exit(name, "ROLLED_BACK", people=False)
    if how == "grouped":
        lab.wait_exit(second, "ROLLED_BACK", people=False)
    else:
        assert not lab.deployment(second)["latched"]
        lab.do(second, "release-engineer", {"abort": {}}, latched)
        lab.wait_exit(second, "ABORTED")
    for one in (service, other):
        send_alerts(lab, one, batch_alert(lab, one, status=2))
    wait_for("alerts to be over", lambda: not open_alerts(lab, service) and
             not open_alerts(lab, other), PATIENCE)
    return name, second


def test_alerts_count_however_they_arrive(trouble):
    """All of a group count; what is said thrice, with others left out by its source, or after its
    own resolution of an earlier time, counts as well; another service's is another's."""
    hows = ("grouped", "truncated", "repeated", "resolved first")
    with trouble.some(2 * len(hows)) as services, ThreadPoolExecutor(len(hows)) as pool:
        names = pool.map(partial(arrive, trouble), hows, services[::2], services[1::2])
        trouble.audit(*(name for pair in names for name in pair))


def test_an_alert_during_the_rollback_is_merged_and_after_the_exit_is_told(trouble):
    with trouble.some() as (service,):
        name = trouble.rolling(service)
        (service.directories()[1] / "wait").touch()
        trouble.do(name, "release-engineer", {"rollback": {}}, latched)
        with trouble.alerting(service, "During"):
            trouble.wait(name, lambda s: any(i["cause"] == "During" for i in s["incidents"]))
            service.wait(False)
            state = trouble.wait_exit(name, "ROLLED_BACK", people=False)
        assert "rolled back" in state["stop"]["cause"]
        done = trouble.begin(service)
        trouble.wait_exit(done, "COMPLETED")
        told = len(trouble.hooks)
        with trouble.alerting(service, "After"):
            wait_for("people to be told", lambda: any(
                done.rpartition(".")[0] in str(h) and "rollback" in str(h)
                for h in trouble.hooks[told:]), PATIENCE)
        assert trouble.deployment(done)["exit"] == "COMPLETED"
        trouble.audit(name, done)


def test_an_alert_in_step_6_with_a_newer_on_the_lane_stops_both_the_newer_first(trouble):
    with trouble.some() as (service,):
        before = service.versions()
        older = trouble.begin(service, policy="slow")
        trouble.wait_phase(older, "OBSERVING", people=True)
        (service.directories()[1] / "wait").touch()
        newer = trouble.begin(service)
        wait_for("the newer to change it", lambda: trouble.called(service, newer), PATIENCE)
        with trouble.alerting(service):
            trouble.wait(older, latched)
            trouble.wait(newer, latched)
            service.wait(False)
            for name in (newer, older):
                trouble.wait_exit(name, "ROLLED_BACK", people=False)
        assert service.versions() == before
        ends = [s.body.deployment for s in sorted(trouble.history().events, key=lambda s: s.ms)
                if s.kind == "attempt_moved" and s.body.ended and
                s.body.deployment in (older, newer)]
        assert list(dict.fromkeys(ends)) == [newer, older]
        trouble.audit(older, newer)


def test_code_is_never_restored_under_a_newer_deployment(trouble):
    """Its flag is off, it rests in BLOCKED(rollback) naming the newer, and goes on once that is
    undone."""
    with trouble.some() as (service,):
        before = service.versions()
        older = trouble.begin(service, policy="slow")
        trouble.wait_phase(older, "OBSERVING", people=True)
        newer = trouble.begin(service)
        trouble.wait_exit(newer, "COMPLETED")
        now = service.versions()
        trouble.do(older, "release-engineer", {"rollback": {}}, latched)
        state = trouble.wait_phase(older, "BLOCKED_ROLLBACK")
        assert newer in state["waiting_for"]["sentence"] and not trouble.anybody(older)
        assert service.versions() == now
        trouble.do(newer, "release-engineer", {"rollback": {}}, lambda s: s["id"] != newer or
                   trouble.newer(newer.rpartition(".")[0], {"id": newer}))
        trouble.wait_newer(newer, lambda s: s["exit"] == "ROLLED_BACK", PATIENCE)
        trouble.wait_exit(older, "ROLLED_BACK", people=False)
        assert service.versions() == before
        trouble.audit(older)


def test_a_newer_one_aborted_before_its_first_batch_leaves_the_older_on_top(trouble):
    with trouble.some() as (service,):
        before = service.versions()
        older = trouble.begin(service, policy="slow")
        trouble.wait_phase(older, "OBSERVING", people=True)
        service.holding.add("ready")
        newer = trouble.begin(service)
        trouble.wait_phase(newer, "CHECKING")
        trouble.do(newer, "release-engineer", {"abort": {}}, lambda s: s["exit"])
        service.holding.clear()
        trouble.do(older, "release-engineer", {"rollback": {}}, latched)
        state = trouble.wait(older, lambda s: s["exit"] or s["phase"] == "BLOCKED_ROLLBACK")
        assert state["exit"] == "ROLLED_BACK", trouble.why(state)
        assert service.versions() == before
        trouble.audit(older, newer)


# --- what one relies on is away ---


def test_flags_that_cannot_be_read_back_as_off_stop_it(trouble):
    """Step 5 says No and turns flags off for the time being; that this was done cannot be seen."""
    with trouble.some() as (service,):
        before = service.versions()
        service.holding.add("feature")
        name = trouble.begin(service, policy="curt")
        trouble.wait_phase(name, "CONFIRMING", people=True)
        trouble.provider.open = False
        service.failing.add("feature")
        service.holding.clear()
        trouble.wait(name, latched)
        trouble.provider.open = True
        service.failing.clear()
        state = trouble.wait(name, lambda s: s["exit"] or s["phase"] == "BLOCKED_ROLLBACK")
        if not state["exit"]:
            trouble.do(name, "release-engineer", {"retry": {}},
                       lambda s: s["phase"] != "BLOCKED_ROLLBACK")
        trouble.wait_exit(name, "ROLLED_BACK", people=False)
        assert service.versions() == before
        trouble.audit(name)

def test_a_flag_provider_that_is_away_delays_the_exit_and_not_the_undo(trouble):
    with trouble.some() as (service,):
        before = service.versions()
        name = trouble.rolling(service)
        trouble.provider.open = False
        trouble.do(name, "release-engineer", {"rollback": {}}, latched)
        wait_for("the code to be as before", lambda: service.versions() == before, PATIENCE)
        assert not trouble.anybody(name) and not trouble.deployment(name)["exit"]
        trouble.provider.open = True
        state = trouble.wait(name, lambda s: s["exit"] or s["phase"] == "BLOCKED_ROLLBACK")
        if not state["exit"]:
            trouble.do(name, "release-engineer", {"retry": {}},
                       lambda s: s["phase"] != "BLOCKED_ROLLBACK")
        trouble.wait_exit(name, "ROLLED_BACK", people=False)
        trouble.audit(name)


def test_an_unreachable_rollback_target_holds_lane_and_latch_until_it_is_back(trouble):
    with trouble.some() as (service,):
        before = service.versions()
        name = trouble.rolling(service)
        service.refuse()
        with trouble.alerting(service):
            state = trouble.wait_phase(name, "BLOCKED_ROLLBACK")
            assert state["latched"] and not trouble.anybody(name)
            lane = next(l for l in trouble.get("/v1/lanes").json()["items"]
                        if l["lane"] == f"production/{service.name}")
            assert lane["holder"]["deployment"] == name
            wait_for("people to be paged", lambda: any(
                name.rpartition(".")[0] in str(h) for h in trouble.hooks), PATIENCE)
            service.refuse(False)
            trouble.do(name, "release-engineer", {"retry": {}},
                       lambda s: s["exit"] or s["phase"] != "BLOCKED_ROLLBACK")
            trouble.wait_exit(name, "ROLLED_BACK", people=False)
        assert service.versions() == before
        trouble.audit(name)


def test_a_dead_notifier_blocks_step_7_at_its_deadline_and_it_goes_on_when_back(
        trouble, monkeypatch):
    with trouble.some() as (service,):
        name = trouble.begin(service, policy="punctual")
        trouble.wait_phase(name, "OBSERVING", people=True)
        trouble.kill("notifier-1")
        trouble.do(name, "release-engineer", {"promote": {}}, lambda s: s["phase"] != "OBSERVING")
        state = trouble.wait_phase(name, "BLOCKED", people=True)
        assert state["step"] == 7 and trouble.anybody(name)
        trouble.revive("notifier-1")
        monkeypatch.setattr(trouble, "insists", True)
        trouble.wait_exit(name, "COMPLETED")
        trouble.audit(name)


# --- configuration, topics, forgeries ---

def test_a_configuration_edited_in_mid_flight_stops_forward_work_and_no_undo(trouble):
    with trouble.some() as (service,):
        before = service.versions()
        (service.directories()[1] / "wait").touch()
        name = trouble.begin(service)
        wait_for("the batch to be under way", lambda: trouble.called(service, name), PATIENCE)
        text = trouble.stage.settings.read_text()
        trouble.stage.settings.write_text(text.replace('"restart_timeout": "120s"',
                                                       '"restart_timeout": "119s"'))
        try:
            trouble.again("executor-1")
            service.wait(False)
            state = trouble.wait(name, lambda s: s["exit"] or s["phase"] == "BLOCKED" or latched(s))
            assert "configuration" in str(state["stop"]) + str(state["waiting_for"]) + str(
                state["findings"]), trouble.why(state)
            trouble.wait(name, lambda s: s["exit"], people=False)
        finally:
            trouble.stage.settings.write_text(text)
            trouble.again("executor-1")
        assert service.versions() == before
        trouble.audit(name)


def test_every_record_again_forwards_and_backwards_changes_nothing(trouble):
    """Late, repeated and reordered events and commands, in the same bytes, by another producer."""
    topics = ["events.v1", *(f"commands.{w}.v1" for w in (
        "prechecks", "executor", "validator", "flag-rollout", "monitor", "notifier"))]
    with trouble.some(2) as (service, other):
        done = trouble.begin(other)
        trouble.wait_exit(done, "COMPLETED")
        name = trouble.rolling(service)
        said = {t: [r for r in trouble.records(t, count=10**9, seconds=2) if r.key() in (
            name.rpartition(".")[0].encode(), done.rpartition(".")[0].encode(),
            f"lane/production/{service.name}".encode())] for t in topics}
        before = service.versions(), [s.id for s in trouble.history().signals]
        for turned in (False, True):
            for topic, records in said.items():
                for record in reversed(records) if turned else records:
                    trouble.producer.produce(topic, record.value(), record.key(),
                                             headers=record.headers(),
                                             partition=record.partition())
        assert trouble.producer.flush(30) == 0
        # A word behind all of them was heard.
        trouble.do(name, "release-engineer", {"pause": {}}, lambda s: s["holds"])
        trouble.do(name, "release-engineer", {"resume": {}}, lambda s: not s["holds"])
        assert (service.versions(), [s.id for s in trouble.history().signals]) == before
        trouble.promote(name)
        trouble.wait_exit(name, "COMPLETED")
        trouble.audit(name, done)


def test_forged_facts_of_a_task_are_nobodys(trouble):
    with trouble.some() as (service,):
        service.holding.add("smoke")
        name = trouble.begin(service)
        trouble.wait_phase(name, "VALIDATING")
        started = [s for s in trouble.history().of(name) if s.kind == "task_started"][-1]
        forged = trouble.messages.Event(deployment=name, feature=name.rpartition(".")[0])
        forged.task_finished.task, forged.task_finished.drive = started.body.task, 1
        forged.task_finished.outcome = trouble.messages.OUTCOME_FAILED
        version = trouble.deployment(name)["version"]
        for mac in ("0" * 64, started.headers["ce_mac"]):
            trouble.publish("events.v1", forged.SerializeToString(), forged.feature, {
                **trouble.cloudevent("slipway.v1.Event", str(uuid.uuid4())),
                "ce_writer": "validator", "ce_mac": mac})
        raw = forged.SerializeToString()
        assert len(trouble.records("dead-letter.v1", lambda r: trouble.messages.DeadLetter
                                   .FromString(r.value()).bytes == raw, 2)) == 2
        assert trouble.deployment(name)["version"] == version
        service.holding.clear()
        trouble.wait_exit(name, "COMPLETED")
        trouble.audit(name)
