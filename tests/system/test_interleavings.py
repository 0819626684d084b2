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
from history import read
from parade import Load
from stage import wait_for
from trouble import COORDINATOR, PATIENCE, STAGED, Gate, Troubled

CLOSES_S, FROZEN_S = 90, 13  # a flush gives up after 10


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
        assert state["phase"] == "QUEUED" and any(h["kind"] == "WINDOW" for h in state["holds"])
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


def only_signoffs(waiting):
    """Whether nothing is waited for but those."""
    return waiting["kind"] == "SIGNOFF" and not waiting["facts"].get("checks")


@pytest.mark.parametrize("rests", ["after all receipts", "in BLOCKED(7)"])
def test_the_last_signoff_completes_at_that_event(trouble, rests):
    with trouble.some() as (service,):
        blocked = "BLOCKED" in rests
        name = trouble.begin(service, policy="punctual" if blocked else "quick")
        if blocked:
            trouble.wait_phase(name, "OBSERVING", people=True)
            trouble.do(name, "release-engineer", {"promote": {}},
                       lambda s: s["phase"] != "OBSERVING")
        phase = "BLOCKED" if blocked else "FINALISING"
        trouble.wait(name, lambda s: (s["phase"], s["step"]) == (phase, 7) and
                     [x["step"] for x in s["signoffs"] if x["state"] == "OPEN"] == [6] and
                     (blocked or only_signoffs(s["waiting_for"])), people=True, but=(6,))
        if blocked:  # what else was open is done: only the person is missing
            trouble.wait(name, lambda s: "signoff" in str(s["waiting_for"]).lower())
        signoff(trouble, name, 6)
        trouble.wait_exit(name, "COMPLETED", people=False)
        entries = trouble.get(f"/v1/deployments/{name}/timeline").json()["items"]
        events = {kind: [e["event_id"] for e in entries if e["type"] == kind]
                  for kind in ("SignOff", "Exit")}
        assert events["Exit"] == events["SignOff"][-1:]
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


# --- workers ---

def forget_lease(lab, task):
    """As a Redis does that has lost the claim: the task is there to be taken, the drive the same."""
    key = next(k for k in lab.redis.scan_iter("slipway:*:task:*") if task.encode() in k)
    pipe = lab.redis.pipeline()
    pipe.hdel(key, "owner", "lease_until")
    pipe.hset(key, "state", "PENDING")
    pipe.zrem(key.split(b":task:")[0] + b":leases", task)
    pipe.execute()
    lab.forgets()
    return key


def say_again(lab, worker, task):
    """The newest command of that task once more, as a broker or a zombie may."""
    record = [r for r in read(lab.stage.bootstrap, f"commands.{worker}.v1")
              if lab.messages.Command.FromString(r.value()).task == task and
              lab.messages.Command.FromString(r.value()).WhichOneof("body") != "cancel"][-1]
    lab.producer.produce(record.topic(), record.value(), record.key(), headers=record.headers(),
                         partition=record.partition())
    assert lab.producer.flush(30) == 0


def under_way(lab, service, name):
    """What the log says of the task whose restart does not come back: its task_started."""
    wait_for("the batch to be under way", lambda: lab.called(service, name), PATIENCE)
    return [s for s in lab.history().of(name) if s.kind == "task_started"][-1]


def told_of(lab, kind, started):
    """All records of that kind about that drive, said twice or not."""
    return [s for s in lab.history().everything if s.kind == kind and
            s.body.task == started.body.task and s.body.drive == started.body.drive]


def test_who_lost_its_lease_leaves_the_target_to_the_other_of_the_same_drive(trouble):
    """The first is frozen in its batch; Redis has lost its lease, and another takes the same
    drive. The first wakes, finds that out and ends what it was at; one of them is heard."""
    with trouble.some() as (service,), trouble.seconds("executor"):
        (service.directories()[1] / "wait").touch()
        name = trouble.begin(service)
        started = under_way(trouble, service, name)
        silent = started.body.instance
        trouble.kill(silent, sig=signal.SIGSTOP)
        forget_lease(trouble, started.body.task)
        say_again(trouble, "executor", started.body.task)
        wait_for("the other to claim the same drive", lambda: {
            s.body.instance for s in told_of(trouble, "task_started", started)} > {silent},
            PATIENCE, 0.5)
        trouble.kill(silent, sig=signal.SIGCONT)
        service.wait(False)
        trouble.wait_exit(name, "COMPLETED")
        ends = told_of(trouble, "task_finished", started)
        assert len({s.body.outcome for s in ends}) == 1, ends
        trouble.audit(name)


def test_two_results_of_one_drive_are_one(trouble):
    """Both did it, one after the other, and both reported, before anybody was there to hear."""
    with trouble.some() as (service,), trouble.seconds("executor") as (other,):
        trouble.kill(other, sig=signal.SIGSTOP)
        (service.directories()[1] / "wait").touch()
        name = trouble.begin(service)
        started = under_way(trouble, service, name)
        assert started.body.instance == "executor-1"
        trouble.kill(COORDINATOR, sig=signal.SIGSTOP)
        service.wait(False)
        wait_for("the first to report", lambda: told_of(trouble, "task_finished", started),
                 PATIENCE, 0.5)
        key = f"slipway:*:task:{started.body.task}"
        wait_for("it to be marked", lambda: all(
            trouble.redis.hget(k, "state") == b"DONE" for k in trouble.redis.scan_iter(key)),
            PATIENCE)
        trouble.kill("executor-1", sig=signal.SIGSTOP)
        forget_lease(trouble, started.body.task)
        trouble.kill(other, sig=signal.SIGCONT)
        say_again(trouble, "executor", started.body.task)
        wait_for("the other to report", lambda: len(told_of(trouble, "task_finished", started)) == 2,
                 PATIENCE, 0.5)
        trouble.kill("executor-1", COORDINATOR, sig=signal.SIGCONT)
        trouble.wait_exit(name, "COMPLETED")
        assert {s.body.instance for s in told_of(trouble, "task_started", started)} == {
            "executor-1", other}
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


# --- what it stands on ---

@pytest.mark.only("kafka")
def test_what_timed_out_and_was_written_all_the_same_is_said_once(trouble):
    """Kafka stands still for longer than anybody waits for it, with records on their way: it
    writes them when it wakes, and so do those who gave up on it."""
    pid = int((trouble.stage.folder / "kafka" / "pid").read_text())
    with Load(trouble, ("complete", "rollback", "alert", "kill")) as load:
        for _ in range(2):
            wait_for("some of them to be under way", lambda: load.over() or any(
                s["step"] >= 2 for s in trouble.get("/v1/deployments").json()["items"]), PATIENCE)
            os.kill(pid, signal.SIGSTOP)
            time.sleep(FROZEN_S)  # what is being tested is time
            os.kill(pid, signal.SIGCONT)
            trouble.stage.wait_ready([COORDINATOR])
    said = [(s.topic, s.id) for s in trouble.history().everything if s.topic != "dead-letter.v1"]
    assert len(said) > len(set(said)), "nobody gave up on what was written"


def dropped(lab, instance, reason):
    """How many commands that worker dropped for that reason."""
    text = requests.get(f"http://{lab.stage.address(instance)}/metrics", timeout=5).text
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(
        "slipway_commands_dropped_total{") and f'"{reason}"' in line)


def alive(client):
    try:
        return client.ping()
    except redis.RedisError:
        return False


def follow(lab, link):
    """A second Redis that has all that the first has, by that link."""
    port, folder = stage.free_port(), lab.stage.folder / "replica"
    folder.mkdir()
    lab.stage.launch("redis-2", ["redis-server", "--port", port, "--bind", "127.0.0.1", "--dir",
                                 folder, "--appendonly", "yes", "--save", "", "--replicaof",
                                 "127.0.0.1", link.port])
    replica = redis.Redis("127.0.0.1", port=port)
    wait_for("the replica to follow", lambda: alive(replica) and replica.info("replication")[
        "master_link_status"] == "up", PATIENCE)
    return replica, port


def promote(lab, replica, port):
    """The first dies; the other is what services find at the address that they know."""
    lab.stop_redis()
    replica.execute_command("REPLICAOF", "NO", "ONE")
    lab.redis_gate.to, lab.redis_gate.open = port, False
    time.sleep(0.3)  # those there are cut off within one look of the gate
    lab.redis_gate.open = True
    lab.redis, lab.stage.redis_port = replica, port
    lab.forgets()
    lab.stage.processes["redis"] = lab.stage.processes.pop("redis-2")


def test_a_replica_that_lagged_is_promoted_and_nothing_is_claimed_before_it_knows_all(trouble):
    """Its link is cut, the master goes on and dies. Of what it does not know nothing is done
    again: not by a command that comes late, and not by who folds the log."""
    link = Gate(trouble.stage.redis_port)
    replica, port = follow(trouble, link)
    with trouble.some(3) as (service, rolled, held):
        trouble.kill("executor-1")
        name = trouble.begin(service, rollout=STAGED)
        trouble.wait_phase(name, "EXECUTING")

        def pending():
            return [k for k in replica.scan_iter(f"slipway:*:task:{name}/2/*")
                    if replica.hget(k, "state") == b"PENDING"]
        key, = wait_for("the replica to have the task", pending, PATIENCE)
        task = key.decode().partition(":task:")[2]
        link.open = False
        wait_for("its link to be down", lambda: replica.info("replication")[
            "master_link_status"] == "down", PATIENCE)
        trouble.revive("executor-1")
        trouble.wait_granted(name)
        (held.directories()[1] / "wait").touch()
        stuck = trouble.begin(held)
        wait_for("a batch to be under way", lambda: trouble.called(held, stuck), PATIENCE)
        gone = trouble.rolling(rolled)
        trouble.do(gone, "release-engineer", {"rollback": {}}, lambda s: s["latched"])
        trouble.wait_exit(gone, "ROLLED_BACK")
        trouble.kill(COORDINATOR, sig=signal.SIGSTOP)
        promote(trouble, replica, port)
        before = dropped(trouble, "executor-1", "catching up")
        say_again(trouble, "executor", task)
        wait_for("the late command to be dropped", lambda: dropped(
            trouble, "executor-1", "catching up") > before, PATIENCE)
        assert replica.hget(key, "state") == b"PENDING"
        trouble.kill(COORDINATOR, sig=signal.SIGCONT)
        wait_for("all to be known again", lambda: (trouble.deployment(gone) or {}).get(
            "exit") == "ROLLED_BACK", PATIENCE)
        assert trouble.flag(gone)["state"] == "LATCHED" and not trouble.anybody(gone)
        held.wait(False)
        trouble.promote(name)
        for each in (name, stuck):
            trouble.wait_exit(each, "COMPLETED")
        trouble.audit(name, gone, stuck)
    link.close()


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


def partition_of(lab, name):
    """Of events.v1, where that deployment's records are."""
    return next(r for r in read(lab.stage.bootstrap, "events.v1")
                if lab.messages.Event.FromString(r.value()).deployment == name).partition()


def cut_log(lab, part, count):
    """Kafka dies, and its disk has lost the last so many batches of that partition of events.v1.
    Answers the offset that the log ends at then."""
    lab.kafka("stop", "KILL")
    data = lab.stage.folder / "kafka" / "data"
    folder = next(data.glob(f"events.v1-{part}"))
    segment = max(folder.glob("*.log"))
    whole = segment.read_bytes()
    end, at = batches(whole)[-count]
    segment.write_bytes(whole[:at])
    for derived in (*folder.glob("*.index"), *folder.glob("*.timeindex"),
                    *folder.glob("*.snapshot"), *data.glob("*checkpoint")):
        derived.unlink()
    return end


def log_end(lab, part):
    consumer = confluent_kafka.Consumer({"bootstrap.servers": lab.stage.bootstrap,
                                         "group.id": "ends"})
    try:
        return consumer.get_watermark_offsets(
            confluent_kafka.TopicPartition("events.v1", part), 5)[1]
    except confluent_kafka.KafkaException:
        return None
    finally:
        consumer.close()


def unready(lab, instance, *words):
    """What /readyz says when it has one of those words."""
    try:
        answer = requests.get(f"http://{lab.stage.address(instance)}/readyz", timeout=5)
    except requests.RequestException:
        return None
    told = answer.status_code == 503 and any(word in answer.text for word in words)
    return answer.text if told else None


@pytest.mark.only("kafka")  # the embedded one keeps nothing on a disk
@pytest.mark.parametrize("way_out", ["--rebuild", "--adopt"])
@pytest.mark.parametrize("coordinator", ["dead", "alive"])
def test_kafka_that_lost_its_tail_stops_that_partition_until_somebody_decides(
        trouble, coordinator, way_out):
    """A disk that kept less than was said. Last of this file: what was lost is lost."""
    with trouble.some(2) as (service, other):
        name = trouble.rolling(service)
        part = partition_of(trouble, name)
        if coordinator == "dead":
            trouble.kill(COORDINATOR)
        end = cut_log(trouble, part, 2)
        trouble.start_broker()
        if coordinator == "dead":
            wait_for("the log to be shorter", lambda: log_end(trouble, part) == end, PATIENCE, 0.5)
            trouble.revive(COORDINATOR)
        told = wait_for("it to say so", lambda: unready(
            trouble, COORDINATOR, "records were lost", "not the one that was applied"), PATIENCE)
        assert "--rebuild" in told and "--adopt" in told
        assert trouble.anybody(name), "who stops says nothing to flags"
        trouble.kill(COORDINATOR)
        trouble.revive(COORDINATOR, more=[way_out])
        trouble.wait(name, lambda s: s["phase"] == "ROLLING_OUT")
        trouble.promote(name)
        trouble.wait_exit(name, "COMPLETED")
        done = trouble.begin(other)
        trouble.wait_exit(done, "COMPLETED")
        trouble.kill(COORDINATOR)
        trouble.revive(COORDINATOR, more=[])
        trouble.stage.wait_ready([COORDINATOR])
