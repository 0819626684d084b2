"""Two things at once, and what one stands on changed under one's feet: lines of design/interleavings
that no other file has. Which line is shown where: README.md beside this.
"""
import os
import signal
import struct
import time

import confluent_kafka
import pytest
import redis
import requests
import stage
from parade import Load
from stage import wait_for
from trouble import COORDINATOR, PATIENCE, Gate, Troubled

CLOSES_S, FROZEN_S = 100, 13  # a flush gives up after 10


class Interleaved(Troubled):
    """As trouble's; its Redis can be replaced, and a window closes while one looks."""

    def prepare(self):
        self.redis_gate = Gate(self.stage.redis_port)
        self.stage.stops.append(self.redis_gate.close)
        super().prepare()

    def settings(self):
        settings = super().settings()
        settings["redis"]["port"] = self.redis_gate.port
        return settings

    def windows(self):
        windows = super().windows()
        closes = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.began + CLOSES_S))
        return [{**w, "closes": closes} if w["name"] == "closing" else w for w in windows]


@pytest.fixture(scope="module")
def troubled(tmp_path_factory, build, broker, messages):
    lab = Interleaved(build, tmp_path_factory.mktemp("interleaved"), broker, messages)
    try:
        lab.open()
        yield lab
    finally:
        bad = lab.close()
    assert not bad, f"did not stop cleanly: {bad}"


def lane_words(lab, name):
    """What was said between that deployment and its lanes, in order: (kind, number)."""
    said = [s for s in lab.history().events
            if s.kind in ("lane_requested", "lane_granted", "lane_released") and
            s.body.deployment == name]
    return [(s.kind, s.body.number) for s in sorted(said, key=lambda s: s.ms)]


# --- lanes and windows ---

def test_a_window_that_closes_before_the_grant_withdraws_the_request(trouble):
    """First of this file, for the window closes soon after the lab was opened."""
    with trouble.some() as (service,):
        (service.directories()[1] / "wait").touch()
        older = trouble.begin(service)
        wait_for("the older to have the lane", lambda: trouble.called(service, older), PATIENCE)
        newer = trouble.begin(service, policy="closing-hold")
        trouble.wait_phase(newer, "QUEUED")
        wait_for("the lane to be asked for", lambda: lane_words(trouble, newer), PATIENCE, 0.5)
        assert time.time() < trouble.began + CLOSES_S, "this machine is too slow for this test"
        trouble.wait(newer, lambda s: any(h["kind"] == "WINDOW" for h in s["holds"]))
        service.wait(False)
        trouble.wait_exit(older, "COMPLETED")
        state = trouble.deployment(newer)
        assert state["phase"] == "QUEUED" and state["waiting_for"]["kind"] == "WINDOW"
        words = lane_words(trouble, newer)
        assert [kind for kind, _ in words] == ["lane_requested", "lane_released"], words
        assert words[0][1] == words[1][1], "another request than its own was withdrawn"
        lane = next(l for l in trouble.get("/v1/lanes").json()["items"]
                    if l["lane"] == f"production/{service.name}")
        assert lane["holder"] is None and not lane["queue"]
        trouble.do(newer, "release-engineer", {"abort": {}}, lambda s: s["exit"])
        trouble.audit(older, newer)


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


@pytest.mark.parametrize("rests", ["after all receipts", "in BLOCKED(7)"])
def test_the_last_signoff_completes_at_that_event(trouble, rests):
    with trouble.some() as (service,):
        blocked = "BLOCKED" in rests
        name = trouble.begin(service, policy="punctual" if blocked else "quick")
        if blocked:
            trouble.wait_phase(name, "OBSERVING", people=True)
            trouble.do(name, "release-engineer", {"promote": {}},
                       lambda s: s["phase"] != "OBSERVING")
        trouble.wait(name, lambda s: s["phase"] == ("BLOCKED" if blocked else "FINALISING") and
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

def test_a_step_that_ends_in_a_pause_with_a_warning_is_measured_once_more(trouble):
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


# --- workers ---

def test_two_workers_with_one_lease_do_it_once(trouble):
    """The first is silent in its batch; Redis has lost its lease, and another takes the same
    drive. The first wakes and ends what it was at; only one of them is heard."""
    with trouble.some() as (service,), trouble.seconds("executor"):
        (service.directories()[1] / "wait").touch()
        name = trouble.begin(service)
        wait_for("the batch to be under way", lambda: trouble.called(service, name), PATIENCE)
        started = [s for s in trouble.history().of(name) if s.kind == "task_started"][-1]
        silent, task = started.body.instance, started.body.task
        trouble.kill(silent, sig=signal.SIGSTOP)
        key = next(k for k in trouble.redis.scan_iter("slipway:*:task:*") if task.encode() in k)
        trouble.redis.hdel(key, "lease_owner", "lease_until")
        trouble.redis.hset(key, "state", "PENDING")
        trouble.redis.zrem(key.split(b":task:")[0] + b":leases", task)
        record = next(r for r in trouble.records("commands.executor.v1", count=10**9, seconds=3)
                      if trouble.messages.Command.FromString(r.value()).task == task)
        trouble.producer.produce("commands.executor.v1", record.value(), record.key(),
                                 headers=record.headers(), partition=record.partition())
        assert trouble.producer.flush(30) == 0

        def claimed():
            return {s.body.instance for s in trouble.history().of(name)
                    if s.kind == "task_started" and s.body.task == task and s.body.drive ==
                    started.body.drive}
        wait_for("the other to claim the same drive", lambda: len(claimed()) == 2, PATIENCE, 0.5)
        trouble.kill(silent, sig=signal.SIGCONT)
        service.wait(False)
        trouble.wait_exit(name, "COMPLETED")
        results = {(s.body.task, s.body.drive, s.body.outcome)
                   for s in trouble.history().of(name) if s.kind == "task_finished" and
                   s.body.task == task}
        assert len(results) == 1, results
        trouble.audit(name)


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
        revisions = {each: trouble.get(f"/v1/deployments/{each}/plan").json()["revision"]
                     for each in (name, newer)}
        assert revisions == {name: 1, newer: 2}
        trouble.audit(name, newer)
        trouble.again(COORDINATOR)
        trouble.stage.wait_ready([COORDINATOR])


# --- what it stands on ---

@pytest.mark.only("kafka")
def test_what_timed_out_and_was_written_all_the_same_is_said_once(trouble):
    """Kafka stands still for longer than anybody waits for it, with records on their way."""
    pid = int((trouble.stage.folder / "kafka" / "pid").read_text())
    with Load(trouble, ("complete", "rollback", "alert", "kill")) as load:
        for _ in range(2):
            wait_for("some of them to be under way", lambda: load.over() or any(
                s["step"] >= 2 for s in trouble.get("/v1/deployments").json()["items"]), PATIENCE)
            os.kill(pid, signal.SIGSTOP)
            time.sleep(FROZEN_S)  # what is being tested is time
            os.kill(pid, signal.SIGCONT)
            trouble.stage.wait_ready([COORDINATOR])


def test_a_replica_that_lagged_is_promoted_and_told_the_rest_by_the_log(trouble):
    """Its link is cut, the master goes on and dies; what the replica does not know is folded
    again before anybody acts on it."""
    port = stage.free_port()
    folder = trouble.stage.folder / "replica"
    folder.mkdir()
    link = Gate(trouble.stage.redis_port)
    trouble.stage.launch("redis-2", ["redis-server", "--port", port, "--bind", "127.0.0.1",
                                     "--dir", folder, "--appendonly", "yes", "--save", "",
                                     "--replicaof", "127.0.0.1", link.port])
    replica = redis.Redis("127.0.0.1", port=port)
    with trouble.some(3) as (service, rolled, held):
        name = trouble.rolling(service)
        wait_for("the replica to follow", lambda: alive(replica) and replica.info("replication")[
            "master_link_status"] == "up" and replica.dbsize() == trouble.redis.dbsize(), PATIENCE)
        link.open = False
        wait_for("its link to be down", lambda: replica.info("replication")[
            "master_link_status"] == "down", PATIENCE)
        (held.directories()[1] / "wait").touch()
        stuck = trouble.begin(held)
        wait_for("a batch to be under way", lambda: trouble.called(held, stuck), PATIENCE)
        gone = trouble.rolling(rolled)
        trouble.do(gone, "release-engineer", {"rollback": {}}, lambda s: s["latched"])
        trouble.wait_exit(gone, "ROLLED_BACK")
        trouble.stop_redis()
        replica.execute_command("REPLICAOF", "NO", "ONE")
        trouble.redis_gate.to, trouble.redis_gate.open = port, False
        time.sleep(0.3)  # those there are cut off within one look of the gate
        trouble.redis_gate.open = True
        trouble.redis, trouble.stage.redis_port = replica, port
        trouble.stage.processes["redis"] = trouble.stage.processes.pop("redis-2")
        wait_for("all to be known again", lambda: (trouble.deployment(gone) or {}).get(
            "exit") == "ROLLED_BACK", PATIENCE)
        assert trouble.flag(gone)["state"] == "LATCHED" and not trouble.anybody(gone)
        held.wait(False)
        trouble.promote(name)
        for each in (name, stuck):
            trouble.wait_exit(each, "COMPLETED")
        trouble.audit(name, gone, stuck)
    link.close()


def alive(client):
    try:
        return client.ping()
    except redis.RedisError:
        return False


def batches(data):
    """(first offset, position) of each batch of records of a segment."""
    at, found = 0, []
    while at + 12 <= len(data):
        first, length = struct.unpack_from(">qi", data, at)
        if length <= 0:
            break
        found.append((first, at))
        at += 12 + length
    return found


@pytest.mark.only("kafka")  # the embedded one keeps nothing on a disk
def test_kafka_that_lost_its_tail_stops_those_partitions_until_somebody_decides(trouble):
    """A disk that kept less than was said. Last of this file: what was lost is lost."""
    with trouble.some(2) as (service, other):
        name = trouble.rolling(service)
        record = next(r for r in trouble.records("events.v1", count=10**9, seconds=3)
                      if trouble.messages.Event.FromString(r.value()).deployment == name)
        part = record.partition()
        trouble.kill(COORDINATOR)
        trouble.kafka("stop", "KILL")
        folder = trouble.stage.folder / "kafka" / "data" / f"events.v1-{part}"
        segment = max(folder.glob("*.log"))
        data = segment.read_bytes()
        last, at = batches(data)[-2]
        segment.write_bytes(data[:at])
        for index in (*folder.glob("*.index"), *folder.glob("*.timeindex"),
                      *folder.glob("*.snapshot")):
            index.unlink()
        trouble.start_broker()
        wait_for("Kafka to say where its log ends", lambda: log_end(trouble, part) == last,
                 PATIENCE, 0.5)
        trouble.revive(COORDINATOR)
        told = wait_for("it to say so", lambda: unready(trouble, COORDINATOR, "records were lost"),
                        PATIENCE)
        assert f"the log ends at {last - 1}" in told and "--rebuild" in told and "--adopt" in told
        assert trouble.anybody(name), "who stops says nothing to flags"
        trouble.kill(COORDINATOR)
        trouble.revive(COORDINATOR, more=["--rebuild"])
        trouble.wait(name, lambda s: s["phase"] == "ROLLING_OUT")
        trouble.promote(name)
        trouble.wait_exit(name, "COMPLETED")
        done = trouble.begin(other)
        trouble.wait_exit(done, "COMPLETED")
        trouble.kill(COORDINATOR)
        trouble.revive(COORDINATOR, more=[])
        trouble.stage.wait_ready([COORDINATOR])


def log_end(lab, partition):
    consumer = confluent_kafka.Consumer({"bootstrap.servers": lab.stage.bootstrap,
                                         "group.id": "ends"})
    try:
        return consumer.get_watermark_offsets(
            confluent_kafka.TopicPartition("events.v1", partition), 5)[1]
    except confluent_kafka.KafkaException:
        return None
    finally:
        consumer.close()


def unready(lab, instance, words):
    """What /readyz says when it has those words."""
    try:
        answer = requests.get(f"http://{lab.stage.address(instance)}/readyz", timeout=5)
    except requests.RequestException:
        return None
    return answer.text if answer.status_code == 503 and words in answer.text else None
