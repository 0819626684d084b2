"""The README's table of Kafka rights, given to users of a Kafka that asks for them: one user a
service, and nobody may more than stands there. A deployment goes to production under it."""
import json
import re
import secrets
import subprocess

import pytest

from lab import Lab
from stage import ROOT, SERVICES, WORKERS, free_port
from strangers import packages

pytestmark = pytest.mark.only("kafka")  # the embedded broker knows no rights
README = (ROOT / "README.md").read_text()
KAFKA = ROOT / "tests" / "support" / "kafka"
OTHERS = {"CI": "ci", "monitoring": "monitoring", "any team": "team", "any": "team",
          "operators": "operators", "auditors": "auditors"}
GROUPS = {"team": "checkout-team", "operators": "operators", "auditors": "auditors"}
USERS = {name: secrets.token_hex(12) for name in [*SERVICES, *OTHERS.values()]}


def table():
    """{topic: (writers, readers)} as users, from the README."""
    rows = re.findall(r"^\| `([a-z.<>-]+v1)` \| [^|]+ \| ([^|]+) \| ([^|]+) \|", README, re.M)
    found = {}
    for topic, write, read in rows:
        for worker in WORKERS if "<worker>" in topic else [""]:
            found[topic.replace("<worker>", worker)] = (users(write, worker), users(read, worker))
    return found


def users(cell, worker):
    named = set()
    for word in re.sub(", by your policy", "", cell.strip()).split(", "):
        if word == "every service":
            named |= set(SERVICES)
        elif word == "workers":
            named |= set(WORKERS)
        else:
            named.add({"that worker": worker, **OTHERS}.get(word, word))
    assert named <= {*SERVICES, *OTHERS.values()}, named
    return named


def rights():
    """The README's table as ACLs. Services may also ask where topics begin and end."""
    given = []
    for topic, (writers, readers) in table().items():
        given += [(u, "TOPIC", topic, "WRITE") for u in sorted(writers)]
        given += [(u, "TOPIC", topic, "READ") for u in sorted(readers)]
        given += [(u, "TOPIC", topic, "DESCRIBE") for u in SERVICES]
    given += [(u, "CLUSTER", "kafka-cluster", "IDEMPOTENT_WRITE") for u in SERVICES]
    given += [(u, "GROUP", "slipway.*", "READ") for u in SERVICES if u != "gateway"]
    return given + [(u, "GROUP", group, "READ") for u, group in GROUPS.items()]


class Guarded(Lab):
    """A lab on a Kafka where every service has a user of its own. The test itself is nobody, on
    a listener where nobody may do everything."""

    def open(self, count=1, settings=None):
        self.stage.broker, self.port = "kafka", free_port()
        start_broker, start_service = self.stage.start_broker, self.stage.start_service

        def guarded_broker():
            start_broker()
            self.guard_kafka()

        def guarded_service(name, *more, **named):
            plain, own = self.stage.settings, self.stage.folder / f"slipway-{name}.yaml"
            own.write_text(json.dumps({**self.shared, "kafka": {
                **self.shared["kafka"], "brokers": f"127.0.0.1:{self.port}",
                "manage_topics": False, "properties": credentials(name)}}))
            self.stage.settings = own
            try:
                return start_service(name, *more, **named)
            finally:
                self.stage.settings = plain
        self.stage.start_broker, self.stage.start_service = guarded_broker, guarded_service
        super().open(count)

    def guard_kafka(self):
        folder = self.stage.folder / "kafka"
        subprocess.run([KAFKA / "stop", folder], check=True, capture_output=True)
        properties = folder / "server.properties"
        text = properties.read_text()
        known = " ".join(f'user_{name}="{word}"' for name, word in USERS.items())
        for key in ("listeners", "advertised.listeners"):
            text = re.sub(rf"^{re.escape(key)}=.*$",
                          rf"\g<0>,SASL_PLAINTEXT://127.0.0.1:{self.port}", text, flags=re.M)
        properties.write_text(text + f"""
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT
sasl.enabled.mechanisms=PLAIN
listener.name.sasl_plaintext.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required {known};
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
""")
        done = subprocess.run([KAFKA / "start", folder], text=True, capture_output=True)
        assert done.returncode == 0, done.stderr

    def write_settings(self):
        super().write_settings()
        self.shared = json.loads(self.stage.settings.read_text())
        self.make_topics()
        done = subprocess.run(
            [self.python, packages.HERE / "kafka_rights.py"], text=True, capture_output=True,
            input=json.dumps({"brokers": self.stage.bootstrap, "rights": rights()}), timeout=120)
        assert done.returncode == 0, done.stderr

    def make_topics(self):
        """As an operator makes them: by a service that may, once."""
        stage = self.stage
        process = stage.launch("topics", [
            stage.program("prechecks"), "--config", stage.settings, "--instance", "topics",
            "--listen", "127.0.0.1:0", "--port-file", stage.folder / "run" / "topics"],
            cwd=stage.folder)
        stage.instances["topics"] = process
        stage.wait_ready(["topics"])
        assert process.stop() == 0
        del stage.instances["topics"], stage.processes["topics"]


def credentials(user):
    return {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN",
            "sasl.username": user, "sasl.password": USERS[user]}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory, build, messages, strangers):
    world = Guarded(build, tmp_path_factory.mktemp("guarded"), "kafka", messages)
    world.python = strangers
    try:
        world.open()
        yield world
    finally:
        bad = world.close()
    assert not bad


def test_a_deployment_goes_through_with_the_rights_of_the_readme(guarded):
    name = guarded.begin(guarded.take())
    guarded.wait_exit(name, "COMPLETED")
    kinds = [s.WhichOneof("body") for s in guarded.all_signals(name)]
    assert kinds[0] == "feature_deployed" and kinds[-1] == "deployment_finished"
    taken = guarded.take()
    name = guarded.begin(taken, policy="slow")
    guarded.wait(name, lambda s: s["phase"] == "OBSERVING", people=True)
    alert = {"service": taken.name, "environment": "production", "severity": "CRITICAL",
             "summary": "test"}
    answer = guarded.http("POST", "/v1/alerts", "rel", alert)
    assert answer.status_code == 202, answer.text
    guarded.wait_exit(name, "ROLLED_BACK")
    guarded.publish("acceptance.v1", "{", "rubbish", {"content-type": "application/json"})
    assert guarded.records("dead-letter.v1", lambda r: r.key() == b"rubbish")


def test_nobody_may_write_more_than_the_readme_says(guarded):
    forbidden = {user: [topic for topic, (writers, _) in table().items() if user not in writers]
                 for user in USERS}
    done = subprocess.run(
        [guarded.python, packages.HERE / "kafka_refused.py"], text=True, capture_output=True,
        input=json.dumps({"brokers": f"127.0.0.1:{guarded.port}", "users": {
            user: {"password": USERS[user], "topics": topics}
            for user, topics in forbidden.items()}}), timeout=300)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert sorted(told) == sorted(f"{u} {t}" for u, topics in forbidden.items() for t in topics)
    assert {k: v for k, v in told.items() if v != "TOPIC_AUTHORIZATION_FAILED"} == {}
