"""The HTTP API as its own description says, judged by a validator that others wrote; and every
topic's records as any CloudEvents client with proto/ reads them."""
import json
import re
import subprocess
import time
import uuid

import confluent_kafka
import pytest
from google.protobuf import descriptor

from strangers import packages

EOF = confluent_kafka.KafkaError._PARTITION_EOF
EVENTS = ("events.v1", "control.v1", "commands.prechecks.v1", "commands.executor.v1",
          "commands.validator.v1", "commands.flag-rollout.v1", "commands.monitor.v1",
          "commands.notifier.v1")


@pytest.fixture(scope="module")
def finished(lab):
    """A deployment that has been through everything."""
    service = lab.take()
    name = lab.begin(service)
    lab.wait_exit(name, "COMPLETED")
    lab.publish("acceptance.v1", "{", "walked", {"content-type": "application/json"})
    yield name
    lab.give_back(service)


class Walk:
    """Asks every documented GET and keeps what must fit its schema, and what is undocumented."""

    def __init__(self, lab, document):
        self.lab, self.document, self.answers, self.complaints = lab, document, [], []

    def ask(self, pattern, path, status=None, **more):
        what = f"GET {path} {more.get('headers', '')}"
        answer = self.lab.get(path, **more)
        documented = self.document["paths"][pattern]["get"]["responses"]
        if status is not None and answer.status_code != status:
            self.complaints.append(f"{what}: {answer.status_code}, not {status}")
        if str(answer.status_code) not in documented:
            self.complaints.append(f"{what}: {answer.status_code} is not documented")
            return answer
        content = documented[str(answer.status_code)].get("content", {})
        kind = answer.headers.get("Content-Type", "").partition(";")[0]
        if content and kind not in content:
            self.complaints.append(f"{what}: {kind} is not documented")
        if "schema" in content.get(kind, {}):
            self.answers.append({"what": what, "schema": content[kind]["schema"],
                                 "body": answer.json()})
        return answer


def values_of(name):
    """For each path parameter one that is there."""
    return {"{environment}": "production", "{flag}": name.rpartition(".")[0], "{id}": name,
            "{code}": "behind"}


def path_of(pattern, values, missing=False):
    for name in re.findall(r"{\w+}", pattern):
        pattern = pattern.replace(name, "nothing-here" if missing else values[name], 1)
    return pattern


def test_every_get_answers_as_the_description_says(lab, finished, strangers):
    served = lab.get("/v1/openapi.json")
    document = served.json()
    walk = Walk(lab, document)
    values = values_of(finished)
    walked = 0
    for pattern, operations in document["paths"].items():
        if "get" not in operations or pattern == "/v1/stream":
            continue
        walked += 1
        if pattern == "/v1/requests/{id}":
            walk.ask(pattern, "/v1/requests/no-such", 404)
            continue
        first = walk.ask(pattern, path_of(pattern, values), 200)
        if "304" in operations["get"]["responses"] and first.headers.get("ETag"):
            again = lab.get(path_of(pattern, values),
                            headers={"If-None-Match": first.headers["ETag"]})
            assert again.status_code in (200, 304)
        walk.ask(pattern, f"{path_of(pattern, values)}?no-such=1", 400)
        if "{" in pattern:
            walk.ask(pattern, path_of(pattern, values, missing=True), 404)
        for parameter in operations["get"]["parameters"]:
            if parameter["in"] == "query":
                walk.ask(pattern, f"{path_of(pattern, values)}?{parameter['name']}=1")
                walk.ask(pattern, f"{path_of(pattern, values)}?{parameter['name']}=%00%ff")
        if operations["get"].get("security") != []:
            walk.ask(pattern, path_of(pattern, values), 401,
                     headers={"Authorization": "Bearer wrong"})
    assert walked > 20, "the description names most of the API"
    assert judged(strangers, document, walk.answers) + walk.complaints == []


def judged(python, document, answers):
    done = subprocess.run([python, packages.HERE / "openapi_judge.py"], text=True, timeout=120,
                          input=json.dumps({"document": document, "answers": answers}),
                          capture_output=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_judge_sees_what_does_not_fit(lab, strangers):
    document = lab.get("/v1/openapi.json").json()
    me = {"what": "me", "schema": {"$ref": "#/components/schemas/Me"}, "body": {"subject": 7}}
    said = " ".join(judged(strangers, {**document, "paths": {"x": {}}}, [me]))
    assert "me:" in said and "the document:" in said


# --- records ---

def headers_of(record):
    return {name: value.decode() for name, value in record.headers()}


def unknown_fields(message):
    """Names of what a message of proto/ does not say it has, at any depth."""
    from google.protobuf.unknown_fields import UnknownFieldSet
    found = [f"{message.DESCRIPTOR.name} field {f.field_number}" for f in UnknownFieldSet(message)]
    for field, value in message.ListFields():
        if field.type == descriptor.FieldDescriptor.TYPE_MESSAGE:
            repeated = hasattr(value, "append") or hasattr(value, "add")
            for item in value if repeated else [value]:
                found += unknown_fields(item)
    return found


def test_every_record_is_a_cloudevent_that_proto_reads(lab, finished):
    topics = {t for t in lab.producer.list_topics(timeout=20).topics if not t.startswith("_")}
    assert topics >= {*EVENTS, "signals.v1", "archive.v1", "dead-letter.v1", "acceptance.v1"}
    ids, seen = set(), {}
    for topic in sorted(topics - {"acceptance.v1", "alerts.v1"}):
        for record in everything(lab, topic):
            kind, event_id = check_record(lab, topic, record)
            seen.setdefault(topic, set()).add(kind)
            ids.add((topic, event_id))
    assert seen.keys() >= {*EVENTS, "signals.v1", "archive.v1", "dead-letter.v1"}
    assert seen["signals.v1"] == {"slipway.v1.Signal"}


def everything(lab, topic):
    """The records of a topic until now, at most 400 of each partition."""
    consumer = confluent_kafka.Consumer({
        "bootstrap.servers": lab.stage.bootstrap, "group.id": f"test-{uuid.uuid4()}",
        "enable.auto.commit": False, "enable.partition.eof": True, "fetch.wait.max.ms": 10})
    found = []
    try:
        for part in lab.producer.list_topics(topic, timeout=20).topics[topic].partitions:
            consumer.assign([confluent_kafka.TopicPartition(topic, part, 0)])
            taken = 0
            while taken < 400:
                record = consumer.poll(20)
                if record is None or record.error():
                    assert record is not None and record.error().code() == EOF, record
                    break
                found.append(record)
                taken += 1
    finally:
        consumer.close()
    return found


def check_record(lab, topic, record):
    headers = headers_of(record)
    for name in ("ce_id", "ce_source", "ce_type", "ce_time", "ce_writer"):
        assert headers.get(name), f"{topic}: {name} is missing in {headers}"
    assert headers["ce_specversion"] == "1.0"
    assert headers["content-type"] == "application/protobuf"
    assert headers["ce_source"].startswith(f"/slipway/{headers['ce_writer']}"), headers
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", headers["ce_time"])
    if topic in EVENTS:
        assert re.fullmatch("[0-9a-f]{64}", headers["ce_mac"]), f"{topic}: unsigned"
    if record.value() is not None:
        message = getattr(lab.messages, headers["ce_type"].rpartition(".")[2]).FromString(
            record.value())
        assert unknown_fields(message) == [], f"{topic} {headers['ce_type']}"
    return headers["ce_type"], headers["ce_id"]


def test_live_updates_are_server_sent_events(lab, finished):
    with lab.get("/v1/stream?topics=deployments,flags", stream=True) as answer:
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].partition(";")[0] == "text/event-stream"
        lines, end = [], time.monotonic() + 15
        for line in answer.iter_lines(decode_unicode=True):
            lines.append(line)
            if not line or time.monotonic() > end:
                break
    assert "event: hello" in lines and any(line.startswith("data: {") for line in lines), lines
