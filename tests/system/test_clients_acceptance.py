"""Acceptance as others send it: any CloudEvents client on Kafka or HTTP, and what they see when it
is wrong. Nothing but README.md, proto/ and their clients."""
import base64
import json
import os
import subprocess
import uuid

import pytest
from google.protobuf import json_format

from stage import wait_for

SIGNED_OFF = "slipway.v1.AcceptanceSignedOff"
WITHDRAWN = "slipway.v1.AcceptanceWithdrawn"
STRUCTURED = "application/cloudevents+json; charset=UTF-8"


def acceptance(service):
    """A feature of that service that could go to production, as the message of proto/."""
    messages, shaped = service.lab.messages, service.lab.feature_of(service)
    kinds = {"configuration": "CONFIGURATION", "backend": "BACKEND"}
    wanted = messages.AcceptanceSignedOff(
        feature=shaped["feature"], title=shaped["title"], environment="production",
        services=shaped["services"], policy="quick", team="lab", approach="rolling",
        ticket=shaped["ticket"], artifacts_ready=True)
    report = shaped["acceptance"]["report"]
    wanted.report.CopyFrom(messages.AcceptanceReport(
        link=report["link"], digest=digest(messages, report["digest"]), criteria_met=True,
        accepted=True, criteria=["it works"]))
    wanted.report.signoffs.add(subject="paula", role="product-owner", at_ms=1768039200000)
    for a in shaped["artifacts"]:
        wanted.artifacts.add(kind=kinds[a["kind"]], name=a["name"], version=a["version"],
                             digest=digest(messages, a["digest"]), target=a["target"],
                             source=a["source"], on_rollback="REVERT")
    wanted.flags.add(key=shaped["feature"], description="the feature")
    for stage in shaped["rollout"]:
        wanted.rollout.add(**stage)
    for paper in shaped["documents"]:
        wanted.documents.add(kind=paper["kind"], link=paper["link"],
                             digest=digest(messages, paper["digest"]))
    wanted.dashboards.add(title="lab", url=shaped["dashboards"][0]["url"])
    wanted.test_results.add(suite="unit", passed=3, link=shaped["test_results"][0]["link"])
    for m in shaped["metrics"]:
        limit = "at_most" if "at_most" in m else "at_least"
        wanted.metrics.add(name=m["name"], source=m["source"], query=m["query"],
                           comparison=limit.upper(), limit_micro=m[limit] * 1000000,
                           required=True, critical=m.get("critical"), check=m["check"],
                           samples=m.get("samples"))
    for check in shaped["checks"]:
        wanted.checks.add(**check)
    return wanted


def digest(messages, text):
    return messages.Digest(algorithm="sha256", value=text.split(":")[1])


def as_json(message):
    return json_format.MessageToDict(message, preserving_proto_field_name=True)


def ce(kind, identity=None, **more):
    return {"specversion": "1.0", "id": identity or str(uuid.uuid4()), "source": "/ci/checkout",
            "type": kind, **more}


def headers(prefix, event, content_type):
    return {**{prefix + k: v for k, v in event.items()}, "content-type": content_type}


# --- every way in ---

def kafka_protobuf(lab, wanted):
    lab.publish("acceptance.v1", wanted.SerializeToString(), wanted.feature,
                headers("ce_", ce(SIGNED_OFF), "application/protobuf"))


def kafka_protobuf_without_content_type(lab, wanted):
    either = lab.messages.Acceptance(signed_off=wanted)
    lab.publish("acceptance.v1", either.SerializeToString(), wanted.feature,
                {"ce_" + k: v for k, v in ce("slipway.v1.Acceptance").items()})


def kafka_json(lab, wanted):
    lab.publish("acceptance.v1", json.dumps(as_json(wanted)), wanted.feature,
                headers("ce_", ce(SIGNED_OFF, time="2026-11-23T12:00:00+01:00"),
                        "application/json; charset=utf-8"))


def kafka_structured(lab, wanted):
    event = ce(SIGNED_OFF, datacontenttype="application/json", data=as_json(wanted))
    lab.publish("acceptance.v1", json.dumps(event), wanted.feature, {"content-type": STRUCTURED})


def kafka_structured_protobuf(lab, wanted):
    data = base64.b64encode(wanted.SerializeToString()).decode()
    event = ce(SIGNED_OFF, datacontenttype="application/protobuf", data_base64=data)
    lab.publish("acceptance.v1", json.dumps(event), wanted.feature, {"content-type": STRUCTURED})


def post(lab, body, content_type, attributes=None, who="ci/quickstart", path="/v1/events"):
    """Sent again, as it says, while the gateway waits for its broker: the event is the same."""
    send = headers("ce-", attributes or {}, content_type)
    data = body if isinstance(body, (str, bytes)) else json.dumps(body)

    def answered():
        answer = lab.http("POST", path, who, data, send)
        return [answer] if answer.status_code != 503 else None
    return wait_for("the gateway to take an event", answered, 60)[0]


def http_binary(lab, wanted):
    answer = post(lab, as_json(wanted), "application/json", ce(SIGNED_OFF))
    assert (answer.status_code, answer.json()["events"]) == (202, 1), answer.text


def http_binary_protobuf(lab, wanted):
    answer = post(lab, wanted.SerializeToString(), "application/protobuf", ce(SIGNED_OFF))
    assert answer.status_code == 202, answer.text


def http_structured(lab, wanted):
    answer = post(lab, ce(SIGNED_OFF, data=as_json(wanted)), "application/cloudevents+json")
    assert answer.status_code == 202, answer.text


def http_batch(lab, wanted):
    """Two events: the second takes back what nobody knows, and changes nothing."""
    other = ce(WITHDRAWN, data={"feature": "nobody-knows", "reason": "never mind"})
    answer = post(lab, [ce(SIGNED_OFF, data=as_json(wanted)), other],
                  "application/cloudevents-batch+json")
    assert (answer.status_code, answer.json()["events"]) == (202, 2), answer.text


def http_json(lab, wanted):
    answer = post(lab, as_json(wanted), "application/json", path="/v1/deployments")
    assert answer.status_code == 202, answer.text


@pytest.mark.parametrize("send", [
    kafka_protobuf, kafka_protobuf_without_content_type, kafka_json, kafka_structured,
    kafka_structured_protobuf, http_binary, http_binary_protobuf, http_structured, http_batch,
    http_json], ids=lambda f: f.__name__)
def test_an_acceptance_becomes_a_deployment(service, send):
    lab, wanted = service.lab, acceptance(service)
    send(lab, wanted)
    state = wait_for("it to be taken up", lambda: lab.deployment(wanted.feature), 60, 0.1)
    assert (state["id"], state["services"]) == (f"{wanted.feature}.1", [service.name])
    lab.approve(state["id"])
    end = lab.wait_exit(state["id"], "COMPLETED")
    assert [step["decision"] for step in end["steps"]] == ["GO"] * 8
    assert service.versions() == {wanted.artifacts[0].version}


# --- every wrong way, by Kafka ---

def deep(levels):
    return '{"a":' * levels + "1" + "}" * levels


RUBBISH = {  # name: (headers without ce_, content type, data, what the reason says)
    "bad-json": (ce(SIGNED_OFF), "application/json", "{", "line 1"),
    "no-object": (ce(SIGNED_OFF), "application/json", "[1, 2]", "expected object"),
    "wrong-type": (ce("com.example.Other"), "application/json", "{}", "com.example.Other"),
    "unknown-field": (ce(SIGNED_OFF), "application/json", '{"featur": "x"}', "featur"),
    "wrong-field": (ce(SIGNED_OFF), "application/json", '{"feature": 7}', "feature"),
    "twice": (ce(SIGNED_OFF), "application/json", '{"team": "a", "team": "b"}', "duplicate"),
    "too-deep": (ce(SIGNED_OFF), "application/json", deep(3000), "depth"),
    "deep-unknown": (ce(SIGNED_OFF), "application/json", deep(40), "a"),
    "too-large": (ce(SIGNED_OFF), "application/json",
                  json.dumps({"feature": "too-large", "team": "x" * 600000}), "at most 2000"),
    "too-many": (ce(SIGNED_OFF), "application/json",
                 json.dumps({"feature": "too-many", "risks": ["x" * 1900] * 400}), "at most"),
    "no-protobuf": (ce(SIGNED_OFF), "application/protobuf", b"\xff" * 20, "AcceptanceSignedOff"),
    "unknown-media": (ce(SIGNED_OFF), "application/avro", "x", "application/avro"),
    "no-data": (ce(SIGNED_OFF), "application/json", None, "no data"),
    "old-spec": ({**ce(SIGNED_OFF), "specversion": "0.3"}, "application/json", "{}", "0.3"),
    "no-id": ({**ce(SIGNED_OFF), "id": ""}, "application/json", "{}", "ce_id"),
    "no-source": ({**ce(SIGNED_OFF), "source": ""}, "application/json", "{}", "ce_source"),
    "no-time": (ce(SIGNED_OFF, time="yesterday"), "application/json", "{}", "yesterday"),
    "incomplete": (ce(SIGNED_OFF), "application/json", '{"feature": "incomplete"}', "environment"),
    "structured-bad": ({}, STRUCTURED, '{"specversion": "1.0"', "line 1"),
    "structured-no-id": ({}, STRUCTURED, '{"specversion": "1.0"}', "ce_id"),
    "structured-both": ({}, STRUCTURED, json.dumps(ce(SIGNED_OFF, data={}, data_base64="")),
                        "exclude"),
    "structured-avro": ({}, "application/cloudevents+avro", "x", "cloudevents+avro"),
    "withdrawn": (ce(WITHDRAWN), "application/json", "{}", "feature"),
}


def test_what_cannot_be_used_is_told_to_its_sender_and_kept_with_its_reason(service):
    lab = service.lab
    for name, (attributes, media, data, _) in RUBBISH.items():
        lab.publish("acceptance.v1", data, name, headers("ce_", attributes, media))
    letters = {r.key().decode(): lab.messages.DeadLetter.FromString(r.value())
               for r in lab.records("dead-letter.v1", count=len(RUBBISH), seconds=60,
                                    wanted=lambda r: r.key().decode() in RUBBISH)}
    signals = {r.key().decode(): lab.messages.Signal.FromString(r.value())
               for r in lab.records("signals.v1", count=len(RUBBISH), seconds=60,
                                    wanted=lambda r: r.key().decode() in RUBBISH)}
    for name, (_, _, data, reason) in RUBBISH.items():
        letter, told = letters[name], signals[name].acceptance_refused
        assert reason in letter.reason, f"{name}: {letter.reason}"
        assert (letter.topic, letter.service) == ("acceptance.v1", "coordinator")
        raw = data.encode() if isinstance(data, str) else data or b""
        assert letter.bytes == raw[:64 * 1024]
        assert (told.reason, told.remedy) == (letter.reason, letter.fix) and told.remedy
        assert lab.deployment(name) is None
    where_people_look(lab, letters["wrong-type"])


def where_people_look(lab, letter):
    """GET /v1/dead-letters and `slipway dead-letter list` show it with its reason."""
    def listed():
        items = lab.get("/v1/dead-letters").json()["items"]
        return next((i for i in items if i["offset"] == letter.offset and
                     i["partition"] == letter.partition and i["key"] == letter.key), None)
    item = wait_for("the dead letter in the API", listed, 20, 0.1)
    assert (item["reason"], item["sender"]) == (letter.reason, "/ci/checkout")
    stage = lab.stage
    done = subprocess.run(
        [stage.program("cli"), "dead-letter", "list"], capture_output=True, text=True, timeout=30,
        env={**os.environ, "SLIPWAY_SERVER": stage.gateway_url, "COLUMNS": "400",
             "SLIPWAY_TOKEN_FILE": str(stage.folder / "run" / "tokens" / "rel")})
    assert done.returncode == 0, done.stderr
    assert "com.example.Other" in done.stdout, done.stdout


# --- and by HTTP ---

@pytest.mark.parametrize("body,media,attributes,status,word", [
    ("{", "application/json", ce(SIGNED_OFF), (400, 422), "line 1"),
    ("{}", "application/json", ce("com.example.Other"), (422,), "type"),
    ("{}", "application/json", {**ce(SIGNED_OFF), "specversion": "0.3"}, (422,), "specversion"),
    ("{}", "application/json", {}, (422,), "specversion"),
    ('{"featur": 1}', "application/json", ce(SIGNED_OFF), (422,), "featur"),
    (deep(3000), "application/json", ce(SIGNED_OFF), (400,), "nested deeper than 32"),
    ("x" * 300000, "application/json", ce(SIGNED_OFF), (413,), ""),
    ("x", "text/plain", ce(SIGNED_OFF), (415,), "protobuf"),
    (b"\xff" * 20, "application/protobuf", ce(SIGNED_OFF), (422,), "data"),
    ("{", "application/cloudevents+json", {}, (400,), "line 1"),
    (json.dumps(ce(SIGNED_OFF, data={"feature": "x"})), "application/cloudevents+json", {},
     (422,), "environment"),
    (json.dumps([ce(WITHDRAWN, data={"feature": "x"}), ce(SIGNED_OFF, data={})]),
     "application/cloudevents-batch+json", {}, (422,), "feature"),
    (json.dumps([ce(WITHDRAWN, data={"feature": "x"})] * 101),
     "application/cloudevents-batch+json", {}, (422,), "at most 100"),
], ids=["bad-json", "other-type", "old-spec", "no-attributes", "unknown-field", "too-deep",
        "too-large", "other-media", "no-protobuf", "structured-bad-json", "incomplete",
        "one-of-a-batch", "too-many"])
def test_a_wrong_cloudevent_by_http_is_a_clear_problem(service, body, media, attributes, status,
                                                       word):
    answer = post(service.lab, body, media, attributes)
    assert answer.status_code in status, answer.text
    if answer.status_code != 413:
        problem = answer.json()
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert problem["status"] == answer.status_code and word in answer.text, problem


def test_the_same_event_twice_is_one_attempt(service):
    lab, wanted = service.lab, acceptance(service)
    event, data = ce(SIGNED_OFF, "build-117"), json.dumps(as_json(wanted))
    for _ in range(2):
        lab.publish("acceptance.v1", data, wanted.feature,
                    headers("ce_", event, "application/json"))
    structured = {"content-type": STRUCTURED}
    lab.publish("acceptance.v1", json.dumps({**event, "data": as_json(wanted)}), wanted.feature,
                structured)
    state = wait_for("it to be taken up", lambda: lab.deployment(wanted.feature), 60, 0.1)
    withdrawal = {"feature": wanted.feature, "reason": "not yet"}
    lab.publish("acceptance.v1", json.dumps(ce(WITHDRAWN, data=withdrawal)), wanted.feature,
                structured)
    end = lab.wait_exit(state["id"], "ABORTED")
    assert [a["id"] for a in end["attempts"]] == [f"{wanted.feature}.1"]
