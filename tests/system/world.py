"""A running Slipway and the independent clients that speak to it.

confluent-kafka for records, google.protobuf for messages, redis-py for Redis, requests for HTTP.
Nothing here uses Slipway's own code.
"""
import copy
import itertools
import os
import pathlib
import subprocess
import time
import uuid

import confluent_kafka
import redis
import requests
import yaml

import shopkeeper
from stage import Failed, Stage, wait_for

USERS = [f"user-{n}" for n in range(100)]
ROLES = {"technical-lead": "tess", "devops-lead": "dev", "operations-lead": "olga",
         "release-engineer": "rel"}
TERMINAL = ("COMPLETED", "ABORTED", "ROLLED_BACK")
numbers = itertools.count(1)


class World:
    """Everything one test module needs."""

    def __init__(self, build, folder, broker, messages):
        self.stage, self.messages = Stage(build, folder, broker), messages

    def open(self, count=1, settings=None):
        stage = self.stage
        stage.start_redis()
        stage.start_broker()
        stage.start_desk()
        stage.make_keys()
        stage.make_tokens()
        shopkeeper.open_shop(stage)
        stage.write_settings({**shopkeeper.replacements(stage), **(settings or {})})
        self.start(count)

    def start(self, count=1):
        stage = self.stage
        stage.start_all(count)
        self.redis = redis.Redis("127.0.0.1", port=stage.redis_port)
        self.producer = confluent_kafka.Producer({"bootstrap.servers": stage.bootstrap,
                                                  "linger.ms": 0})

    def close(self):
        self.record()
        shopkeeper.close_shop(self.stage)
        return self.stage.stop()

    def record(self):
        """Keep what was on events.v1 for tests/replay, where that is asked for."""
        name = os.environ.get("SLIPWAY_TEST_RECORD")
        if not name:
            return
        program = pathlib.Path(__file__).parents[1] / "replay" / "record"
        subprocess.run([program, "--bootstrap", self.stage.bootstrap, "--redis",
                        str(self.stage.redis_port), "--name", name], check=True)

    # --- HTTP ---
    def http(self, method, path, who="rel", body=None, headers=None, **more):
        send = {"Authorization": f"Bearer {self.stage.tokens[who]}", **(headers or {})}
        if isinstance(body, (dict, list)):
            more["json"] = body
        elif body is not None:
            more["data"] = body
        return requests.request(method, self.stage.gateway_url + path, headers=send, timeout=15,
                                **more)

    def get(self, path, **more):
        return self.http("GET", path, **more)

    def deployment(self, name):
        answer = self.get(f"/v1/deployments/{name}")
        return answer.json() if answer.status_code == 200 else None

    def hand_in(self, feature, who="ci/quickstart"):
        """Hands in a feature, a dict shaped as feature.yaml."""
        answer = self.http("POST", "/v1/deployments", who, yaml.safe_dump(feature),
                           {"Content-Type": "application/yaml"})
        assert answer.status_code == 202, answer.text
        return answer

    def submit(self, feature, who="ci/quickstart"):
        """Hands in a feature; answers its newest attempt's id."""
        before = self.deployment(feature["feature"])
        self.hand_in(feature, who)
        state = wait_for(f"{feature['feature']} to be taken up", lambda: self.newer(
            feature["feature"], before))
        return state["id"]

    def newer(self, name, before):
        now = self.deployment(name)
        return now if now and (before is None or now["id"] != before["id"]) else None

    def request(self, name, role, body, reason="test", version=None):
        """One operator request as a person of that role. Answers the HTTP answer; a version that
        moved meanwhile is asked again unless a version was given."""
        for _ in range(30):
            state = self.deployment(name)
            message = {"request": str(uuid.uuid4()), "role": role, "reason": reason,
                       "expected_version": version or state["version"], **body}
            answer = self.http("POST", f"/v1/deployments/{name}/requests", ROLES[role], message,
                               {"Prefer": "wait=5"})
            if answer.status_code != 412 or version:
                return answer
        raise Failed(f"{name} never rested long enough for {body}")

    # --- people ---
    def approve(self, name, roles=("technical-lead", "devops-lead"), accept=()):
        state = self.wait(name, lambda s: s["phase"] == "IN_REVIEW")
        for role in roles:
            answer = self.request(name, role, {"approve": {
                "plan_hash": state["plan"]["hash"], "accept_no_return": list(accept)}})
            assert answer.status_code == 200, answer.text

    def people(self, name, state, done, but=()):
        """Answers whoever is waited for: attestations and sign-offs, `but` those named (checks)
        or numbered (steps that are signed off)."""
        def once(key, role, body):
            if key not in done and self.request(name, role, body).status_code == 200:
                done.add(key)
        for signoff in state["signoffs"]:
            if signoff["state"] == "OPEN" and signoff["step"] not in but:
                once((signoff["step"], state["steps"][signoff["step"]]["try"]), signoff["role"],
                     {"signoff": {"step": signoff["step"], "accept": True}})
        facts = (state["waiting_for"] or {}).get("facts", {})
        for check, role in zip(facts.get("checks", "").split(),
                               facts.get("check_roles", "").split()):
            if check not in but:
                once((check, state["version"]), role,
                     {"attest": {"check": check, "verdict": "PASS"}})

    # --- waiting ---
    def wait(self, name, condition, seconds=90, people=False, but=()):
        """The first state of that deployment for which condition holds; with people=True
        everyone who is waited for answers meanwhile, `but` those named."""
        end, done = time.monotonic() + seconds, set()
        while True:
            state = self.deployment(name)
            if state and condition(state):
                return state
            if state and state["exit"]:
                raise Failed(f"{name} ended {state['exit']}: {self.why(state)}")
            if time.monotonic() > end:
                raise Failed(f"waited {seconds} s for {name}: {self.why(state)}")
            if state and people:
                self.people(name, state, done, but)
            time.sleep(0.05)

    def wait_exit(self, name, exit_state, seconds=90, people=True, but=()):
        return self.wait(name, lambda s: s["exit"] == exit_state, seconds, people, but)

    def wait_phase(self, name, *phases, seconds=90, people=False, but=()):
        return self.wait(name, lambda s: s["phase"] in phases, seconds, people, but)

    @staticmethod
    def why(state):
        if not state:
            return "there is no such deployment"
        bad = [f"{f['verdict']} {f['check']}: {f['observed']} (wanted {f['wanted']})"
               for f in state["findings"] if f["verdict"] not in ("PASS", "NOT_APPLICABLE")]
        return (f"{state['phase']} step {state['step']} v{state['version']}: "
                f"{(state['waiting_for'] or {}).get('sentence')}; stop {state['stop']}; "
                f"missing {state['missing']}; " + "; ".join(bad))

    def ask(self, name, role, body, reason="test", status=200):
        """A request that must be answered with that status; answers its body."""
        answer = self.request(name, role, body, reason)
        assert answer.status_code == status, f"{body}: {answer.status_code} {answer.text}"
        return answer.json()

    # --- features ---
    def feature(self, base="express-pay", **changes):
        """A new feature shaped as feature.yaml, with a name of its own."""
        feature = copy.deepcopy(yaml.safe_load(shopkeeper.feature_yaml(self.stage, base)))
        feature["feature"] = f"{base}-{next(numbers)}"
        for flag in feature["flags"]:
            flag["key"] = feature["feature"]
        feature.update(changes)
        return feature

    # --- Kafka ---
    def publish(self, topic, value, key="", headers=None, partition=None):
        more = {} if partition is None else {"partition": partition}
        self.producer.produce(topic, value, key, headers=list((headers or {}).items()), **more)
        assert self.producer.flush(10) == 0

    def records(self, topic, wanted=lambda record: True, count=1, seconds=20, last=None):
        """The first `count` records of the topic, from its beginning, for which wanted() holds;
        fewer when time is up, or up to the one for which last() holds."""
        consumer = confluent_kafka.Consumer({
            "bootstrap.servers": self.stage.bootstrap, "group.id": f"test-{uuid.uuid4()}",
            "enable.auto.commit": False, "fetch.wait.max.ms": 10})
        parts = consumer.list_topics(topic, 10).topics[topic].partitions
        consumer.assign([confluent_kafka.TopicPartition(topic, p, 0) for p in parts])
        found, end = [], time.monotonic() + seconds
        try:
            while len(found) < count and time.monotonic() < end:
                record = consumer.poll(0.2)
                if record is not None and not record.error() and wanted(record):
                    found.append(record)
                    if last and last(record):
                        break
        finally:
            consumer.close()
        return found

    def signals(self, deployment, kind, count=1, seconds=20):
        def wanted(record):
            signal = self.messages.Signal.FromString(record.value())
            return signal.deployment == deployment and signal.WhichOneof("body") == kind
        return [self.messages.Signal.FromString(r.value())
                for r in self.records("signals.v1", wanted, count, seconds)]

    def all_signals(self, deployment, last="deployment_finished"):
        """All signals of a deployment until `last`, as an independent consumer reads them."""
        def signal_of(record):
            return self.messages.Signal.FromString(record.value())

        def wanted(record):
            return signal_of(record).deployment == deployment
        found = [signal_of(r) for r in self.records(
            "signals.v1", wanted, 100, last=lambda r: signal_of(r).WhichOneof("body") == last)]
        if not found or found[-1].WhichOneof("body") != last:
            raise Failed(f"no signal {last} of {deployment}, only "
                         f"{[s.WhichOneof('body') for s in found]}")
        return found

    def cloudevent(self, kind, identity=None):
        return {"ce_specversion": "1.0", "ce_id": identity or str(uuid.uuid4()),
                "ce_source": "/test", "ce_type": kind, "content-type": "application/protobuf"}

    def ask_shop(self):
        return shopkeeper.look(self.stage, USERS)
