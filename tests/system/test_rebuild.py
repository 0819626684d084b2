"""A Redis that lost everything is made again from the log, byte for byte, and --verify says so.

The log is a recorded one (tests/replay), again and again under other names: SLIPWAY_TEST_EVENTS says how
many records (2000). Only Kafka, Redis and the coordinator run.
"""
import hashlib
import hmac
import os
import pathlib
import re
import resource
import struct
import subprocess
import time

import confluent_kafka
import pytest
import redis
import shopkeeper
from stage import Stage, wait_for

EVENTS = int(os.environ.get("SLIPWAY_TEST_EVENTS", 2000))
PARTITIONS = 32  # the embedded broker keeps 5 MB of each
CORPUS = pathlib.Path(__file__).parents[1] / "replay" / "corpus" / "exits.log"
DERIVED = re.compile(rb":(dep|lane|feature|plan|acceptance|timeline|live|done|lanes|timers):?")
WRITERS = {"task_started": "executor", "task_finished": "executor", "task_progress": "executor",
           "incident": "monitor", "request": "gateway"}


def recorded():
    data, at = CORPUS.read_bytes(), 14

    def number(code):
        nonlocal at
        size = struct.calcsize(code)
        at += size
        return struct.unpack_from(code, data, at - size)[0]

    def text(code="<H"):
        nonlocal at
        length = number(code)
        at += length
        return data[at - length:at]
    for _ in range(number("<I")):
        number("<I"), number("<q"), number("<q")
        yield text(), text(), text("<I")


def said_without_clocks(messages):
    """The records of features that waited for no timer: theirs can be said at any time."""
    records = [(key, name, value, messages.Event.FromString(value)) for key, name, value in recorded()]
    timed = {key for key, _, _, event in records if event.HasField("timer_fired")}
    features = sorted({key for key, *_ in records if key not in timed and not key.startswith(b"lane/")})
    for key, name, value, event in records:
        writer = WRITERS.get(event.WhichOneof("body"), "coordinator").encode()
        if key in features or key.startswith(b"lane/") and any(f + b"." in value for f in features):
            yield key, name, value, writer


class Rebuilt:
    def __init__(self, build, folder, broker, messages):
        self.stage, self.messages = Stage(build, folder, broker), messages

    def open(self):
        stage = self.stage
        stage.start_redis()
        if stage.broker == "embedded":
            port_file = stage.folder / "run" / "broker"
            stage.launch("broker", [stage.program("devbroker"), "--port-file", port_file,
                                    "--partitions", str(PARTITIONS)])
            stage.bootstrap = wait_for("the broker", lambda: stage.read(port_file))
        else:
            stage.start_broker()
        stage.start_desk()
        stage.make_keys()
        stage.make_tokens()
        shopkeeper.open_shop(stage)
        stage.write_settings({**shopkeeper.replacements(stage),
                              "partitions: 4": f"partitions: {PARTITIONS}"})
        self.redis = redis.Redis("127.0.0.1", port=stage.redis_port)
        self.start()

    def close(self):
        shopkeeper.close_shop(self.stage)
        return self.stage.stop()

    def start(self):
        self.coordinator = self.stage.start_service("coordinator", "coordinator-1")
        self.stage.wait_ready(["coordinator-1"], 600)

    def sealed(self, key, name, value, writer):
        secret = bytes.fromhex((self.stage.folder / "keys" / f"{writer.decode()}.key").read_text())
        mac = hmac.new(secret, digestmod=hashlib.sha256)
        kind = b"slipway.v1.Event"
        for piece in (b"events.v1", key, name, kind, writer, value):
            mac.update(struct.pack(">Q", len(piece)) + piece)
        return [("ce_specversion", b"1.0"), ("ce_id", name), ("ce_type", kind),
                ("ce_source", b"/recorded"), ("ce_time", b"2026-01-01T00:00:00Z"),
                ("ce_writer", writer), ("ce_mac", mac.hexdigest().encode())]

    def flood(self):
        """Says the recorded log under as many names as it takes; answers how many records."""
        producer = confluent_kafka.Producer({"bootstrap.servers": self.stage.bootstrap,
                                             "partitioner": "murmur2_random", "linger.ms": 50,
                                             "queue.buffering.max.messages": 200000})
        said, count = list(said_without_clocks(self.messages)), 0
        for copy in range(max(1, EVENTS // len(said))):
            for key, name, value, writer in said:
                # Features and services alike; of the same length, so that lengths in it stay right.
                key, name, value = (p.replace(b"lab-0", b"%05x" % copy) for p in (key, name, value))
                producer.produce("events.v1", value, key,
                                 headers=self.sealed(key, name, value, writer))
                count += 1
            producer.poll(0)
        assert producer.flush(300) == 0
        return count

    def settle(self):
        """Until everything that these records lead to has been said, and nothing more comes."""
        def still():
            waiting = sum(self.redis.zcard(f"slipway:{{{p}}}:outbox") for p in range(PARTITIONS))
            marks = [self.redis.hget(f"slipway:{{{p}}}:log", "offset") for p in range(PARTITIONS)]
            now = (waiting, marks)
            quiet = waiting == 0 and None not in marks and now == self.seen
            self.seen = now
            return quiet
        self.seen = None
        wait_for("all to be said", lambda: (time.sleep(1.0), still())[1], 900)

    def offsets(self):
        """How far Redis is in each partition."""
        return {p: self.redis.hget(f"slipway:{{{p}}}:log", "offset") for p in range(PARTITIONS)}

    def held(self):
        """Everything that Redis has from the log, key by key."""
        readers = {b"string": self.redis.get, b"hash": self.redis.hgetall,
                   b"set": self.redis.smembers,
                   b"zset": lambda k: self.redis.zrange(k, 0, -1, withscores=True)}
        found = {}
        for key in self.redis.scan_iter("slipway:{*", 5000):
            if DERIVED.search(key):
                value = readers[self.redis.type(key)](key)
                value = sorted(value.items()) if isinstance(value, dict) else value
                found[key] = sorted(value) if isinstance(value, set) else value
        return found

    def verify(self):
        began = time.monotonic()
        done = subprocess.run([self.stage.program("coordinator"), "--config", self.stage.settings,
                               "--verify"], capture_output=True, text=True, timeout=900)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
        print(f"verify: {time.monotonic() - began:.1f} s, at most {peak} MB; "
              f"{done.stdout.splitlines()[-1] if done.stdout else done.stderr[-500:]}")
        return done


@pytest.fixture(scope="module")
def flooded(tmp_path_factory, build, broker, messages):
    world = Rebuilt(build, tmp_path_factory.mktemp("rebuild"), broker, messages)
    world.open()
    world.coordinator.stop()
    began = time.monotonic()
    world.count = world.flood()
    print(f"\n{world.count} records said in {time.monotonic() - began:.1f} s")
    world.redis.flushall()
    began = time.monotonic()
    world.start()
    print(f"folded in {time.monotonic() - began:.1f} s")
    world.settle()
    yield world
    bad = world.close()
    assert not bad, f"did not stop cleanly: {bad}"


def test_redis_emptied_comes_back_byte_for_byte(flooded):
    marks, before = flooded.offsets(), flooded.held()
    assert len(before) > flooded.count // 50
    began = time.monotonic()
    flooded.redis.flushall()
    wait_for("every partition to be as far as it was",
             lambda: all(int(now or -1) >= int(marks[p])
                         for p, now in flooded.offsets().items()), 900)
    print(f"rebuilt in {time.monotonic() - began:.1f} s")
    flooded.settle()
    # A lease or a deadline may end meanwhile: that partition's log has gone on, and only the
    # fold of it can say what is right.
    still = {p for p, now in flooded.offsets().items() if now == marks[p]}
    print(f"{len(still)} of {PARTITIONS} partitions stood still")
    assert len(still) > 0

    def of_still(held):
        return {key: value for key, value in held.items()
                if int(key.partition(b"{")[2].partition(b"}")[0]) in still}
    assert of_still(flooded.held()) == of_still(before)
    done = flooded.verify()
    assert done.returncode == 0, done.stdout + done.stderr


def test_verify_beside_a_live_coordinator_finds_all_as_the_log_says(flooded):
    done = flooded.verify()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "everything in Redis is as the log says" in done.stdout


def test_verify_names_what_is_not_as_the_log_says(flooded):
    key = next(k for k in flooded.held() if b":dep:" in k)
    kept = flooded.redis.get(key)
    state = flooded.messages.DeploymentState.FromString(kept)
    state.flags.percent += 1
    flooded.redis.set(key, state.SerializeToString())
    try:
        done = flooded.verify()
    finally:
        flooded.redis.set(key, kept)
    assert done.returncode == 4, done.stdout + done.stderr
    assert f"deployment {state.id}: flags.percent: " in done.stdout
