"""A coordinator with Kafka and Redis only, and a long log: recorded ones of real deployments (tests/replay),
again and again under other names, each deployment to the end that it had.
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
import redis
import shopkeeper
from stage import Stage, wait_for

PARTITIONS = 32  # the embedded broker keeps 5 MB of each
CORPUS = pathlib.Path(__file__).parents[1] / "replay" / "corpus"
LOGS = ("exits", "undo", "review")
DERIVED = re.compile(rb":(dep|lane|feature|plan|acceptance|timeline|live|done|lanes|timers):?")
WRITERS = {"task_started": "executor", "task_finished": "executor", "task_progress": "executor",
           "incident": "monitor", "request": "gateway"}


def recorded(log):
    data, at = (CORPUS / f"{log}.log").read_bytes(), 14

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


def written(log, messages):
    """The records of a log, each with the name of its writer."""
    for key, name, value in recorded(log):
        body = messages.Event.FromString(value).WhichOneof("body")
        yield key, name, value, WRITERS.get(body, "coordinator").encode()


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

    def start(self, more=()):
        self.coordinator = self.stage.start_service("coordinator", "coordinator-1", more=more)
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

    def flood(self, events):
        """Says the recorded logs under as many names as it takes; answers how many records."""
        producer = confluent_kafka.Producer({"bootstrap.servers": self.stage.bootstrap,
                                             "partitioner": "murmur2_random", "linger.ms": 50,
                                             "queue.buffering.max.messages": 200000})
        said, count = [list(written(log, self.messages)) for log in LOGS], 0
        self.ends = {}
        for copy in range(max(len(LOGS), len(LOGS) * events // sum(map(len, said)))):
            for key, name, value, writer in said[copy % len(LOGS)]:
                # Features and services alike; of the same length, so that lengths in it stay right.
                key, name, value = (p.replace(b"lab-0", b"%05x" % copy) for p in (key, name, value))
                producer.produce("events.v1", value, key,
                                 headers=self.sealed(key, name, value, writer))
                count += 1
                moved = self.messages.Event.FromString(value).attempt_moved
                if moved.ended:
                    self.ends[moved.deployment] = moved.exit
            producer.poll(0)
        assert producer.flush(300) == 0
        return count

    def fill(self, events):
        """A log of so many records, and what a coordinator makes of it."""
        self.coordinator.stop()
        began = time.monotonic()
        self.count = self.flood(events)
        print(f"\n{self.count} records said in {time.monotonic() - began:.1f} s")
        self.redis.flushall()
        began = time.monotonic()
        self.start()
        print(f"folded in {time.monotonic() - began:.1f} s")
        self.settle()

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

    def compare(self, marks, before):
        """Redis holds what it held when the log ended at these marks. A lease or a deadline may have
        ended since: that partition's log has gone on, and only the fold of it can say what is right."""
        still = {p for p, now in self.offsets().items() if now == marks[p]}
        print(f"{len(still)} of {PARTITIONS} partitions stood still")
        assert len(still) > 0

        def of_still(held):
            return {key: value for key, value in held.items()
                    if int(key.partition(b"{")[2].partition(b"}")[0]) in still}
        assert of_still(self.held()) == of_still(before)

    def phases(self):
        """What became of each deployment."""
        state, name = self.messages.DeploymentState, self.messages.Phase.Name
        states = (state.FromString(v) for k, v in self.held().items() if b":dep:" in k)
        return {s.id: name(s.phase) for s in states}

    def verify(self):
        began = time.monotonic()
        done = subprocess.run([self.stage.program("coordinator"), "--config", self.stage.settings,
                               "--verify"], capture_output=True, text=True, timeout=900)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
        print(f"verify: {time.monotonic() - began:.1f} s, at most {peak} MB; "
              f"{done.stdout.splitlines()[-1] if done.stdout else done.stderr[-500:]}")
        return done


