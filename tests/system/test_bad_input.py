"""Bad input: a clear error where its sender looks, and nothing else is affected."""
import os
import socket
import time
import uuid

import pytest
import requests

TOPICS = ["acceptance.v1", "alerts.v1", "events.v1", "commands.executor.v1", "control.v1"]


@pytest.mark.parametrize("topic", TOPICS)
def test_rubbish_on_any_topic_becomes_a_dead_letter(slipway, topic):
    mark = uuid.uuid4().bytes + os.urandom(200)
    slipway.publish(topic, mark, "rubbish", {"ce_id": "x", "ce_source": "/rubbish"})
    letters = slipway.records(
        "dead-letter.v1",
        lambda r: slipway.messages.DeadLetter.FromString(r.value()).bytes == mark)
    assert letters, "no dead letter"
    letter = slipway.messages.DeadLetter.FromString(letters[0].value())
    assert letter.topic == topic and letter.reason
    slipway.stage.wait_ready(seconds=30)


def test_a_forged_event_is_refused(slipway):
    name = slipway.submit(slipway.feature())
    slipway.wait(name, lambda s: s["phase"] == "IN_REVIEW")
    version = slipway.deployment(name)["version"]
    event = slipway.messages.Event(deployment=name, feature=name.rsplit(".", 1)[0])
    event.request.request = str(uuid.uuid4())
    event.request.actor.subject = "mallory"
    event.request.actor.roles.append("technical-lead")
    event.request.expected_version = version
    event.request.approve.plan_hash = slipway.deployment(name)["plan"]["hash"]
    event.request.role = "technical-lead"
    headers = slipway.cloudevent("slipway.v1.Event")
    for forged in ({}, {"ce_writer": "gateway"}, {"ce_writer": "gateway", "ce_mac": "0" * 64}):
        slipway.publish("events.v1", event.SerializeToString(), event.feature, {**headers, **forged})
    raw = event.SerializeToString()
    assert len(slipway.records("dead-letter.v1", lambda r: slipway.messages.DeadLetter.FromString(
        r.value()).bytes == raw, 3)) == 3
    state = slipway.deployment(name)
    assert state["version"] == version and not any(a["given"] for a in state["approvals"])
    slipway.request(name, "technical-lead", {"reject": {}}, "done")
    slipway.wait_exit(name, "ABORTED")


def test_an_acceptance_without_digest_is_refused_to_its_sender(slipway):
    acceptance = slipway.messages.AcceptanceSignedOff(feature="no-digest", title="x",
                                                      environment="production")
    acceptance.services.append("shop")
    acceptance.artifacts.add(kind=7, name="shop", version="1", target="shop", source="shop/1.1",
                             on_rollback=1)
    record = slipway.messages.Acceptance(signed_off=acceptance)
    slipway.publish("acceptance.v1", record.SerializeToString(), "no-digest",
                    slipway.cloudevent("slipway.v1.Acceptance"))
    raw = record.SerializeToString()
    letters = slipway.records("dead-letter.v1", lambda r: slipway.messages.DeadLetter.FromString(
        r.value()).bytes == raw)
    letter = slipway.messages.DeadLetter.FromString(letters[0].value())
    assert "digest" in letter.field + letter.reason
    refused = slipway.records("signals.v1", lambda r: slipway.messages.Signal.FromString(
        r.value()).feature == "no-digest")
    assert slipway.messages.Signal.FromString(
        refused[0].value()).WhichOneof("body") == "acceptance_refused"


@pytest.mark.parametrize("body,kind,status", [
    ("{", "application/yaml", 400),
    ("feature: [1, 2]", "application/yaml", 400),
    ("{}", "application/json", 422),
    ('{"feature": 1}', "application/json", 400),
    ("x" * 300000, "application/yaml", 413),
    ("x", "text/plain", 415),
    ("&a [*a]", "application/yaml", 400),
])
def test_a_bad_submission_is_a_clear_problem(slipway, body, kind, status):
    answer = slipway.http("POST", "/v1/deployments", "ci/quickstart", body, {"Content-Type": kind})
    assert answer.status_code == status, answer.text
    if status != 413:
        problem = answer.json()
        assert problem["status"] == status and problem["code"]


def test_requests_without_or_with_wrong_tokens_are_refused(slipway):
    url = slipway.stage.gateway_url
    assert requests.get(url + "/v1/deployments", timeout=5).status_code == 401
    answer = requests.get(url + "/v1/deployments", timeout=5,
                          headers={"Authorization": "Bearer nonsense"})
    assert answer.status_code == 401 and answer.json()["code"] == "not-signed-in"
    answer = slipway.http("POST", "/v1/deployments", "tess", "feature: x",
                          {"Content-Type": "application/yaml"})
    assert answer.status_code == 403


def test_unknown_filters_paths_and_methods_are_told(slipway):
    assert slipway.get("/v1/deployments?colour=red").json()["code"] == "unknown-filter"
    assert slipway.get("/v1/nothing").status_code == 404
    assert slipway.http("PUT", "/v1/deployments").status_code == 405
    assert slipway.get("/v1/deployments/nobody").status_code == 404


def test_a_slow_or_broken_client_holds_up_nobody(slipway):
    address = slipway.stage.gateway_url.rsplit("/", 1)[1].split(":")
    idle = []
    for _ in range(20):
        s = socket.create_connection((address[0], int(address[1])))
        s.sendall(b"POST /v1/deployments HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n")
        idle.append(s)
    began = time.monotonic()
    assert slipway.get("/v1/me").status_code == 200
    assert time.monotonic() - began < 10
    for s in idle:
        s.close()
    with socket.create_connection((address[0], int(address[1]))) as s:
        s.sendall(b"\x00\xff\r\n\r\n")
        s.settimeout(15)
        s.recv(100)
    assert slipway.get("/v1/me").status_code == 200


def test_two_lengths_in_one_request_are_refused(slipway):
    address = slipway.stage.gateway_url.rsplit("/", 1)[1].split(":")
    for head in (b"Content-Length: 5\r\nContent-Length: 6\r\n",
                 b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"):
        with socket.create_connection((address[0], int(address[1]))) as s:
            s.settimeout(15)
            s.sendall(b"POST /v1/alerts HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n0\r\n\r\nGET")
            assert b" 400 " in s.recv(200)
