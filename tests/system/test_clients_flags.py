"""Flags as an application asks for them: the OpenFeature SDK with its OFREP provider, and plain
requests in OFREP's shape."""
import json
import subprocess
import time

import pytest
import requests

from strangers import packages

USERS = [f"user-{n}" for n in range(600)]
ROLLOUT = [{"name": "staff", "percent": 5, "audience": "group=staff", "gate": "operations-lead"},
           {"name": "some", "percent": 30, "audience": "group=staff", "gate": "operations-lead"},
           {"name": "all", "percent": 100}]
OFF = {"value": False, "error": "FLAG_NOT_FOUND"}


class Application:
    """A program of another team that asks Slipway's gateway for flags."""

    def __init__(self, python, url):
        self.python, self.url = python, url

    def ask(self, *asks):
        asks = [{"default": False, **ask} for ask in asks]
        done = subprocess.run(
            [self.python, packages.HERE / "openfeature_asker.py"], text=True, timeout=120,
            input=json.dumps({"url": self.url, "asks": asks}), capture_output=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def users_on(self, flag):
        answers = self.ask(*({"flag": flag, "user": user} for user in USERS))
        assert {a["reason"] for a in answers} <= {"SPLIT", "STATIC", "TARGETING_MATCH"}
        assert all(a["variant"] == ("on" if a["value"] else "off") for a in answers)
        return {user for user, a in zip(USERS, answers) if a["value"]}


def rest_at(lab, name, percent):
    return lab.wait(name, lambda s: s["percent"] == percent and
                    s["stages"][[5, 30, 100].index(percent)]["sub"] == "gate")


def go_on(lab, name):
    lab.ask(name, "operations-lead", {"attest": {"check": "stage.gate", "verdict": "PASS"}})


def test_an_openfeature_client_sees_a_rollout_grow_and_end(lab, strangers):
    service = lab.take()
    application = Application(strangers, lab.stage.gateway_url)
    name = lab.submit(lab.feature_of(service, rollout=ROLLOUT))
    flag = name.rpartition(".")[0]
    before = application.ask({"flag": flag, "user": "user-1"},
                             {"flag": flag, "user": "user-1", "default": True})
    assert [(a["value"], a["error"]) for a in before] == [(False, "FLAG_NOT_FOUND"),
                                                          (True, "FLAG_NOT_FOUND")]
    lab.approve(name)
    rest_at(lab, name, 5)
    few = application.users_on(flag)
    assert 0.01 * len(USERS) <= len(few) <= 0.11 * len(USERS), len(few)
    others = [u for u in USERS if u not in few][:20]
    staff = application.ask(*({"flag": flag, "user": u, "attributes": {"group": "staff"}}
                              for u in others))
    assert all(a["value"] and a["reason"] == "TARGETING_MATCH" for a in staff), staff[0]
    guests = application.ask(*({"flag": flag, "user": u, "attributes": {"group": "guest"}}
                               for u in others))
    assert not any(a["value"] for a in guests)

    go_on(lab, name)
    rest_at(lab, name, 30)
    some = application.users_on(flag)
    assert 0.22 * len(USERS) <= len(some) <= 0.38 * len(USERS), len(some)
    assert few < some, "who is on at 5 % stays on at 30 %"
    assert application.users_on(flag) == some, "the same users each time"

    go_on(lab, name)
    lab.wait(name, lambda s: s["percent"] == 100)
    assert application.users_on(flag) == set(USERS)
    odd(application, flag)

    killed = lab.http("POST", f"/v1/flags/production/{flag}/kill", "rel", {"reason": "test"})
    assert killed.status_code == 200, killed.text
    after = application.ask({"flag": flag, "user": "user-1"},
                            {"flag": flag, "user": "user-1", "attributes": {"group": "staff"}})
    assert [(a["value"], a["reason"], a["variant"], a["metadata"]["latched"]) for a in after] == [
        (False, "DISABLED", "off", True)] * 2
    lab.wait_exit(name, "ROLLED_BACK")
    lab.give_back(service)


def odd(application, flag):
    """What an application does wrong comes back as OpenFeature's own errors, with its default."""
    unknown, no_key, wrong_kind, number = application.ask(
        {"flag": "no-such-flag", "user": "user-1", "default": True},
        {"flag": flag, "default": False},
        {"flag": flag, "user": "user-1", "kind": "string", "default": "blue"},
        {"flag": flag, "user": "user-1", "attributes": {"age": 41, "vip": True, "tags": ["a"]}})
    assert (unknown["value"], unknown["error"]) == (True, "FLAG_NOT_FOUND")
    assert (no_key["value"], no_key["error"]) == (False, "TARGETING_KEY_MISSING")
    assert (wrong_kind["value"], wrong_kind["error"]) == ("blue", "TYPE_MISMATCH")
    assert number["value"] is True and number["metadata"]["deployment"].startswith(flag)


# --- plain requests ---

def evaluate(lab, flag="", body='{"context": {"targetingKey": "user-1"}}', **headers):
    path = f"/ofrep/v1/evaluate/flags{'/' + flag if flag else ''}"
    return requests.post(lab.stage.gateway_url + path, data=body, timeout=15,
                         headers={"Content-Type": "application/json",
                                  **{k.replace("_", "-"): v for k, v in headers.items()}})


def asked_twice(lab, seconds=60):
    """Until nothing changes in between: flags of others may, and then the tag is another."""
    end = time.monotonic() + seconds
    while True:
        first = evaluate(lab)
        assert first.status_code == 200 and first.headers["ETag"], first.text
        same = evaluate(lab, If_None_Match=first.headers["ETag"])
        if same.status_code == 304:
            return first, same
        assert same.status_code == 200 and time.monotonic() < end
        assert same.headers["ETag"] != first.headers["ETag"] and same.json() != first.json()


def test_all_flags_at_once_come_with_a_tag_and_come_again_only_when_they_changed(lab):
    service = lab.take()
    name = lab.begin(service, rollout=ROLLOUT)
    rest_at(lab, name, 5)
    flag = name.rpartition(".")[0]
    first, same = asked_twice(lab)
    flags = {f["key"]: f for f in first.json()["flags"]}
    assert flags[flag].keys() >= {"key", "reason", "variant", "value", "metadata"}
    assert same.content == b"" and same.headers["ETag"] == first.headers["ETag"]
    staff = '{"context": {"targetingKey": "user-1", "group": "staff"}}'
    other = evaluate(lab, body=staff, If_None_Match=first.headers["ETag"])
    assert other.status_code == 200, "another user's answer is another"
    go_on(lab, name)
    rest_at(lab, name, 30)
    assert evaluate(lab, If_None_Match=first.headers["ETag"]).status_code == 200
    lab.ask(name, "release-engineer", {"rollback": {}})
    lab.wait_exit(name, "ROLLED_BACK")
    lab.give_back(service)


@pytest.mark.parametrize("flag,body,status,code", [
    ("no-such-flag", '{"context": {"targetingKey": "u"}}', 404, "FLAG_NOT_FOUND"),
    ("no-such-flag", "{", 400, "PARSE_ERROR"),
    ("no-such-flag", "", 400, "PARSE_ERROR"),
    ("no-such-flag", "[]", 400, "INVALID_CONTEXT"),
    ("no-such-flag", '{"context": 1}', 400, "INVALID_CONTEXT"),
    ("no-such-flag", '{"context": {}}', 400, "TARGETING_KEY_MISSING"),
    ("no-such-flag", '{"context": {"targetingKey": 7}}', 400, "TARGETING_KEY_MISSING"),
    ("", "{", 400, "PARSE_ERROR"),
    ("", '{"context": {}}', 400, "TARGETING_KEY_MISSING"),
    ("no-such-flag", '{"a":' * 3000 + "1" + "}" * 3000, 400, "PARSE_ERROR"),
], ids=["unknown", "bad-json", "empty", "no-object", "no-context", "no-key", "wrong-key",
        "all-bad-json", "all-no-key", "deep"])
def test_an_error_has_ofreps_shape(lab, flag, body, status, code):
    answer = evaluate(lab, flag, body)
    assert answer.status_code == status, answer.text
    error = answer.json()
    assert error["errorCode"] == code and error["errorDetails"], error
    assert answer.headers["Content-Type"].startswith("application/json")
    assert not flag or error["key"] == flag
