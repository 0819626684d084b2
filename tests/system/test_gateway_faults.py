"""The gateway while the parts it speaks to are gone: it says so, and what can go on goes on.

A Slipway of its own with two gateways, for here things are stopped.
"""
import contextlib
import hashlib
import hmac
import signal
import socket
import struct
import uuid

import pytest
import requests
import yaml
from live import Watch
from stage import wait_for
from world import World

FLAGS = 10000


@pytest.fixture(scope="module")
def slipway(tmp_path_factory, build, broker, messages):
    world = World(build, tmp_path_factory.mktemp("gateway"), broker, messages)
    world.open()
    world.stage.start_service("gateway", "gateway-2")
    world.stage.wait_ready(["gateway-2"])
    yield world
    bad = world.close()
    assert not bad, f"did not stop cleanly: {bad}"


def urls(slipway):
    return [slipway.stage.gateway_url, f"http://{slipway.stage.address('gateway-2')}"]


def ask(slipway, url, method, path, who="rel", **more):
    headers = {"Authorization": f"Bearer {slipway.stage.tokens[who]}", **more.pop("headers", {})}
    return requests.request(method, url + path, headers=headers, timeout=60, **more)


def evaluate(url, flag, user="user-1"):
    return requests.post(f"{url}/ofrep/v1/evaluate/flags/{flag}",
                         json={"context": {"targetingKey": user}}, timeout=15)


def control(slipway, key, message, writer="coordinator", wait=True):
    """A record of control.v1 as that writer would have written it."""
    secret = bytes.fromhex((slipway.stage.folder / "keys" / f"{writer}.key").read_text())
    headers = {**slipway.cloudevent("slipway.v1.Control", key), "ce_writer": writer}
    mac = hmac.new(secret, digestmod=hashlib.sha256)
    value = message.SerializeToString()
    for piece in (b"control.v1", key.encode(), headers["ce_id"].encode(),
                  headers["ce_type"].encode(), writer.encode(), value):
        mac.update(struct.pack(">Q", len(piece)) + piece)
    slipway.producer.produce("control.v1", value, key,
                             headers=[*headers.items(), ("ce_mac", mac.hexdigest())])
    if wait:
        assert slipway.producer.flush(30) == 0


def grant(slipway, flag, percent=100, sequence=1, wait=True):
    message = slipway.messages.Control()
    message.flag.environment, message.flag.flag = "production", flag
    message.flag.deployment, message.flag.percent = f"{flag}.1", percent
    message.flag.sequence = sequence
    control(slipway, f"flag/production/{flag}", message, wait=wait)


def granted(slipway, flag):
    grant(slipway, flag)
    for url in urls(slipway):
        wait_for(f"{flag} at {url}", lambda u=url: evaluate(u, flag).status_code == 200)


@contextlib.contextmanager
def frozen(slipway, name):
    """That process stands still, as if the machine it is on were gone."""
    process = slipway.stage.processes[name]
    process.kill(signal.SIGSTOP)
    try:
        yield
    finally:
        process.kill(signal.SIGCONT)


@contextlib.contextmanager
def no_redis(slipway):
    """Redis has stopped; its port is closed."""
    slipway.stage.processes["redis"].stop()
    try:
        yield
    finally:
        slipway.stage.start_redis()
        slipway.stage.wait_ready(seconds=90)


def in_review(slipway):
    name = slipway.submit(slipway.feature())
    slipway.wait(name, lambda s: s["phase"] == "IN_REVIEW")
    return name


def body_of(version, request=None, **what):
    return {"request": request or str(uuid.uuid4()), "expected_version": version,
            "reason": "test", **what}


def reject(slipway, url, name, version, request=None, wait=5):
    return ask(slipway, url, "POST", f"/v1/deployments/{name}/requests", "tess",
               json=body_of(version, request, role="technical-lead", reject={}),
               headers={"Prefer": f"wait={wait}"})


def test_two_gateways_say_the_same(slipway):
    granted(slipway, "same")
    name = in_review(slipway)
    version = slipway.deployment(name)["version"]
    one, two = urls(slipway)
    for path in (f"/v1/deployments/{name}", "/v1/deployments?live=all", f"/v1/deployments/{name}/plan",
                 f"/v1/deployments/{name}/timeline", "/v1/inbox?for=all", "/v1/flags", "/v1/lanes",
                 "/v1/freezes", "/v1/windows", "/v1/openapi.json"):
        answers = [ask(slipway, url, "GET", path) for url in (one, two)]
        assert answers[0].status_code == 200 and answers[0].text == answers[1].text, path
        assert answers[0].headers["ETag"] == answers[1].headers["ETag"], path
    request = str(uuid.uuid4())
    first = reject(slipway, one, name, version, request)
    again = reject(slipway, two, name, version, request)
    assert first.status_code == again.status_code == 200 and first.text == again.text
    seen = [ask(slipway, url, "GET", f"/v1/requests/{request}").text for url in (one, two)]
    assert seen[0] == seen[1] and "APPLIED" in seen[0]
    cookie = requests.post(f"{one}/v1/login", json={"token": slipway.stage.tokens["rel"]},
                           timeout=15).headers["Set-Cookie"].partition(";")[0]
    me = requests.get(f"{two}/v1/me", headers={"Cookie": cookie}, timeout=15)
    assert me.json()["subject"] == "rel"


def test_a_kill_at_one_gateway_is_off_at_the_other(slipway):
    granted(slipway, "killed")
    one, two = urls(slipway)
    answer = ask(slipway, two, "POST", "/v1/flags/production/killed/kill", json={"reason": "test"})
    assert answer.status_code == 200 and not answer.json()["already_latched"]
    assert evaluate(two, "killed").json()["value"] is False
    wait_for("the other to follow", lambda: evaluate(one, "killed").json()["value"] is False)
    grant(slipway, "killed", 100, 2)
    grant(slipway, "after-killed")
    for url in (one, two):
        wait_for("later records", lambda u=url: evaluate(u, "after-killed").status_code == 200)
        assert evaluate(url, "killed").json()["value"] is False


def test_without_redis_reads_say_so_and_flags_go_on(slipway):
    granted(slipway, "steady")
    granted(slipway, "doomed")
    name = in_review(slipway)
    version = slipway.deployment(name)["version"]
    url = urls(slipway)[0]
    with Watch(slipway, "flags") as watch, no_redis(slipway):
        for path in (f"/v1/deployments/{name}", "/v1/deployments", "/v1/inbox", "/v1/lanes",
                     f"/v1/deployments/{name}/timeline", "/v1/health", "/v1/freezes"):
            answer = ask(slipway, url, "GET", path)
            assert answer.status_code == 503, (path, answer.text)
            assert answer.json()["code"] == "unavailable" and answer.headers["Retry-After"]
        assert reject(slipway, url, name, version).status_code == 503
        assert evaluate(url, "steady").json()["value"] is True
        assert ask(slipway, url, "GET", "/v1/flags/production/steady").status_code == 200
        killed = ask(slipway, url, "POST", "/v1/flags/production/doomed/kill",
                     json={"reason": "no Redis"})
        assert killed.status_code == 200, killed.text
        assert evaluate(url, "doomed").json()["value"] is False
        watch.wait(lambda e: e.name == "flag" and e.data["flag"] == "doomed" and
                   e.data["state"] == "LATCHED")
    assert slipway.deployment(name)["version"] == version, "what was refused has happened"
    assert reject(slipway, url, name, version).status_code == 200
    slipway.wait_exit(name, "ABORTED")


@pytest.mark.only("embedded")  # which is one process that can be frozen
def test_without_kafka_nothing_is_half_done(slipway):
    granted(slipway, "afloat")
    name = in_review(slipway)
    version = slipway.deployment(name)["version"]
    url, feature, request = urls(slipway)[0], slipway.feature(), str(uuid.uuid4())
    with frozen(slipway, "broker"):
        answer = ask(slipway, url, "POST", "/v1/deployments", "ci/quickstart",
                     data=yaml.safe_dump(feature), headers={"Content-Type": "application/yaml"})
        assert answer.status_code == 503 and answer.json()["code"] == "unavailable", answer.text
        answer = reject(slipway, url, name, version, request)
        assert answer.status_code == 503, answer.text
        killed = ask(slipway, url, "POST", "/v1/flags/production/afloat/kill",
                     json={"reason": "no Kafka"})
        assert killed.status_code == 503, "a kill that no other gateway hears of is none"
        assert evaluate(url, "afloat").status_code == 200
        assert ask(slipway, url, "GET", f"/v1/deployments/{name}").status_code == 200
    slipway.stage.wait_ready(seconds=90)
    slipway.hand_in(feature)  # as the sender was told to
    wait_for("it to be taken up", lambda: slipway.deployment(feature["feature"]), 60)
    wait_for("the request to be answered",
             lambda: reject(slipway, url, name, version, request).status_code == 200, 60)
    slipway.wait_exit(name, "ABORTED")
    attempt = slipway.wait(feature["feature"], lambda s: s["phase"] == "IN_REVIEW")
    assert attempt["attempt"] == 1 and len(attempt["attempts"]) == 1
    slipway.ask(attempt["id"], "technical-lead", {"reject": {}})


def test_without_a_coordinator_nothing_is_lost(slipway):
    granted(slipway, "alone")
    name = in_review(slipway)
    version = slipway.deployment(name)["version"]
    url, request = urls(slipway)[0], str(uuid.uuid4())
    slipway.stage.processes["coordinator-1"].kill()
    slipway.stage.processes["coordinator-1"].popen.wait(15)
    try:
        answer = reject(slipway, url, name, version, request, wait=1)
        assert answer.status_code in (202, 503), answer.text
        assert answer.headers["Location"] == f"/v1/requests/{request}"
        wait_for("the gateway to know that none is there",
                 lambda: reject(slipway, url, name, version, request, wait=0.1).status_code == 202
                 and reject(slipway, url, name, version, request, wait=1).status_code == 503, 60)
        gone = reject(slipway, url, name, version, request, wait=1)
        assert gone.json()["code"] == "no-coordinator" and gone.headers["Retry-After"]
        assert gone.headers["Location"] == gone.json()["instance"] == f"/v1/requests/{request}"
        seen = ask(slipway, url, "GET", f"/v1/requests/{request}").json()
        assert seen["state"] == "PENDING"
        killed = ask(slipway, url, "POST", "/v1/flags/production/alone/kill",
                     json={"reason": "no coordinator"})
        assert killed.status_code == 200 and evaluate(url, "alone").json()["value"] is False
        assert ask(slipway, url, "GET", f"/v1/deployments/{name}").json()["version"] == version
    finally:
        slipway.stage.start_service("coordinator", "coordinator-1")
    slipway.wait_exit(name, "ABORTED")
    seen = ask(slipway, url, "GET", f"/v1/requests/{request}").json()
    assert seen["state"] == "APPLIED" and seen["version"] > version
    again = reject(slipway, url, name, version, request)
    assert again.status_code == 200 and again.json()["version"] == seen["version"]


def test_with_ten_thousand_flags_it_starts_again_and_forgets_none(slipway):
    for number in range(FLAGS):
        grant(slipway, f"many-{number}", wait=False)
        slipway.producer.poll(0)
    grant(slipway, "last")
    url = urls(slipway)[1]
    wait_for("the last flag", lambda: evaluate(url, "last").status_code == 200, 120)
    ask(slipway, url, "POST", "/v1/flags/production/many-77/kill",
        json={"reason": "test"}).raise_for_status()
    slipway.stage.restart("gateway-2")
    address = wait_for("its address", lambda: slipway.stage.address("gateway-2"))
    url = f"http://{address}"

    def killed():
        """Until everything is read it does not know: 503, and never 404 or on."""
        answer = ask(slipway, url, "POST", "/v1/flags/production/last/kill",
                     json={"reason": "test"})
        value = evaluate(url, "many-77")
        assert answer.status_code in (200, 503), answer.text
        assert value.status_code == 503 or value.json()["value"] is False
        return answer.status_code == 200
    wait_for("it to have read control.v1", killed, 120, 1)  # as its Retry-After says
    everything = requests.post(f"{url}/ofrep/v1/evaluate/flags",
                               json={"context": {"targetingKey": "user-1"}}, timeout=60)
    values = {f["key"]: f["value"] for f in everything.json()["flags"]}
    assert sum(key.startswith("many-") for key in values) == FLAGS
    assert values["many-77"] is False and values["last"] is False and values["many-78"] is True
    shown = ask(slipway, url, "GET", "/v1/flags").json()["items"]
    assert sum(f["flag"].startswith("many-") for f in shown) == FLAGS


def test_one_client_does_not_take_all_connections(slipway):
    """The tests come from one address themselves: they take all it may have, and give it back."""
    granted(slipway, "steady-while-many-connect")
    host, port = slipway.stage.address("gateway-2").split(":")
    sockets = []
    try:
        for _ in range(400):
            s = socket.create_connection((host, int(port)), timeout=10)
            s.settimeout(0.05)
            sockets.append(s)

        def refused():
            count = 0
            for s in sockets:
                try:
                    count += s.recv(1) == b""
                except TimeoutError:
                    continue
                except OSError:
                    count += 1
            return count
        assert refused() >= 400 - 256
        one = urls(slipway)[0]
        assert evaluate(one, "steady-while-many-connect").status_code == 200
    finally:
        for s in sockets:
            s.close()
    url = urls(slipway)[1]

    def answers():
        try:
            return ask(slipway, url, "GET", "/v1/me").status_code == 200
        except requests.ConnectionError:
            return False
    wait_for("it to answer again", answers)


def test_streams_have_a_limit_for_each_token(slipway):
    url, streams = urls(slipway)[1], []
    try:
        while True:
            answer = ask(slipway, url, "GET", "/v1/stream?topics=flags", "olga", stream=True)
            streams.append(answer)
            if answer.status_code != 200:
                break
            assert len(streams) <= 64
        assert answer.status_code == 429 and answer.json()["code"] == "too-many"
        assert answer.headers["Retry-After"] and len(streams) == 65
    finally:
        for one in streams:
            one.close()
