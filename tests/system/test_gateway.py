"""The gateway, asked by independent clients: live updates, rehearsals, sessions, pages, tags."""
import concurrent.futures
import json
import socket
import uuid

import pytest
import requests
from live import Watch
from stage import wait_for

KINDS = {  # what may be asked, in a form that can be read
    "approve": {"plan_hash": "0" * 64}, "reject": {}, "pause": {}, "resume": {}, "retry": {},
    "abort": {}, "rollback": {}, "mark_restored": {}, "skip_change": {"change": 0},
    "promote": {}, "replan": {}, "signoff": {"step": 3, "accept": True},
    "attest": {"check": "business.requirements", "verdict": "PASS"},
    "waive": {"check": "env.ready"}, "supply": {"input": "runbook", "link": "http://x/"}}


# --- live updates ---
def test_who_watches_a_deployment_is_told_everything_that_happens_to_it(service):
    lab = service.lab
    name = lab.submit(lab.feature_of(service))
    with Watch(lab, f"deployments,deployment:{name},flags") as watch:
        lab.approve(name)
        lab.wait_exit(name, "COMPLETED")
        watch.wait(lambda e: e.name == "deployment" and e.data["id"] == name and
                   e.data["exit"] == "COMPLETED")
        told = watch.news()
    mine = [e for e in told if e.name == "deployment" and e.data["id"] == name]
    versions = [e.data["version"] for e in mine]
    assert versions == sorted(set(versions)) and mine[-1].data["exit"] == "COMPLETED"
    final = lab.deployment(name)
    assert {k: mine[-1].data[k] for k in ("phase", "step", "percent", "exit")} == {
        k: final[k] for k in ("phase", "step", "percent", "exit")}
    timeline = lab.get(f"/v1/deployments/{name}/timeline").json()["items"]
    entries = [(e.data["entry"]["version"], e.data["entry"]["index"]) for e in told
               if e.name == "entry"]
    assert entries == sorted(set(entries)) and entries, "an entry was told twice, or out of order"
    untold = [t for t in timeline if entries[0][0] <= t["version"] <= versions[-1] and
              (t["version"], t["index"]) not in entries]
    assert not untold
    flags = [e.data for e in told if e.name == "flag" and e.data["deployment"] == name]
    percents = [f["percent"] for f in flags]
    assert percents == sorted(percents) and percents[-1] == 100
    samples = [e.data for e in told if e.name == "sample"]
    assert {s["metric"] for s in samples} == {"error_rate", "requests"}
    assert all(s["deployment"] == name and s["verdict"] for s in samples)


def ended(event):
    return event.name == "detail" and event.data["exit"] == "COMPLETED"


def test_who_was_away_is_told_what_was_missed_and_nothing_twice(service):
    lab = service.lab
    name = lab.submit(lab.feature_of(service))
    topics = f"deployment:{name},flags"
    with Watch(lab, topics) as steady:
        with Watch(lab, topics) as broken:
            lab.approve(name)
            lab.wait(name, lambda s: s["step"] >= 5)
            broken.wait(lambda e: e.name == "entry")
        pieces, last = broken.news(), broken.last()
        lab.wait_exit(name, "COMPLETED")
        steady.wait(ended)
        with Watch(lab, topics, last=last) as again:
            end = again.wait(lambda e: ended(e) or e.name == "reset")
            pieces += again.news()
        steady.wait(lambda e: e.id == end.id)
        whole = steady.news()
    assert not [e.data for e in pieces if e.name == "reset"]
    numbers = [e.id for e in whole]
    first, last = numbers.index(pieces[0].id), numbers.index(end.id) + 1
    # of what is told whole, the last is enough for who was away
    news = [e.id for e in whole[first:last] if e.name not in ("detail", "deployment")]
    assert [e.id for e in pieces if e.id in news] == news
    had = [e.id for e in pieces]
    assert len(set(had)) == len(had)


def test_who_comes_back_with_an_id_of_somebody_else_is_to_read_again(service):
    lab = service.lab
    for last in ("p0:990113,p1:88121", "0123456789abcdef-7", "x" * 300):
        with Watch(lab, "flags", last=last) as watch:
            assert watch.wait(lambda e: e.name == "reset").data["why"]


def test_the_inbox_is_told_to_whom_it_concerns(service):
    lab = service.lab
    name = lab.submit(lab.feature_of(service))
    lab.wait_phase(name, "IN_REVIEW")
    with Watch(lab, "inbox", "tess") as tess, Watch(lab, "inbox", "olga") as olga:
        state = lab.deployment(name)
        approve = {"approve": {"plan_hash": state["plan"]["hash"], "accept_no_return": []}}
        assert lab.request(name, "technical-lead", approve).status_code == 200
        tess.wait(lambda e: e.name == "inbox" and
                  e.data == {"id": f"{name}/technical-lead", "gone": True})
        assert not [e for e in olga.news() if e.data["id"].startswith(f"{name}/technical")]
    lab.ask(name, "technical-lead", {"reject": {}})


# --- rehearsals ---
def asked(lab, name, role, kind, version, dry):
    who = {"technical-lead": "tess", "release-engineer": "rel", "devops-lead": "dev",
           "operations-lead": "olga"}[role]
    body = {"request": str(uuid.uuid4()), "expected_version": version, "reason": "rehearsed",
            "role": role, kind: KINDS[kind]}
    return lab.http("POST", f"/v1/deployments/{name}/requests" + ("?dry_run=true" if dry else ""),
                    who, body, {"Prefer": "wait=5"})


def compare(lab, name, role, kind):
    """The rehearsal and the real request, at one version; True if it was applied."""
    for _ in range(20):
        version = lab.deployment(name)["version"]
        dry = asked(lab, name, role, kind, version, True)
        real = asked(lab, name, role, kind, version, False)
        if 412 not in (dry.status_code, real.status_code):
            break
    said = f"{kind} as {role} at {lab.why(lab.deployment(name))}: {dry.text} / {real.text}"
    assert dry.status_code == real.status_code, said
    if dry.status_code == 200:
        assert real.json()["version"] > dry.json()["preview"]["version"], said
        return True
    for member in ("code", "detail", "remedy", "allowed", "confirm"):
        assert dry.json().get(member) == real.json().get(member), said
    return False


def rehearse(lab, name, applied=()):
    """Everything that is refused here, in each role; then what is to be applied."""
    state = lab.deployment(name)
    for role in ("release-engineer", "technical-lead", "operations-lead"):
        who = {"release-engineer": "rel", "technical-lead": "tess", "operations-lead": "olga"}
        allowed = lab.get(f"/v1/deployments/{name}", who=who[role]).json()["allowed"]
        for kind in KINDS:
            if kind not in allowed:
                assert not compare(lab, name, role, kind), f"{kind} was not in {allowed}"
    for role, kind in applied:
        assert compare(lab, name, role, kind), f"{kind} is refused in {state['phase']}"


def test_a_rehearsal_says_what_then_happens(service):
    lab = service.lab
    service.failing.add("smoke")
    name = lab.submit(lab.feature_of(service, policy="blocking"))
    lab.wait_phase(name, "IN_REVIEW")
    rehearse(lab, name)
    lab.approve(name)
    lab.wait_phase(name, "BLOCKED")
    rehearse(lab, name)
    service.failing.clear()
    rehearse(lab, name, [("release-engineer", "rollback")])
    lab.wait_exit(name, "ROLLED_BACK")
    rehearse(lab, name)


def test_a_rehearsal_says_what_then_happens_while_it_watches(service):
    lab = service.lab
    name = lab.begin(service, policy="slow")
    lab.wait_phase(name, "OBSERVING", people=True)
    rehearse(lab, name, [("release-engineer", "pause")])
    lab.wait(name, lambda s: s["holds"])
    rehearse(lab, name, [("release-engineer", "resume"), ("operations-lead", "abort")])
    lab.wait_exit(name, "ABORTED")
    rehearse(lab, name)


def test_a_rehearsal_writes_nothing(service):
    lab = service.lab
    name = lab.submit(lab.feature_of(service))
    version = lab.wait_phase(name, "IN_REVIEW")["version"]
    for kind in KINDS:
        asked(lab, name, "release-engineer", kind, version, True)
    assert lab.deployment(name)["version"] == version
    lab.ask(name, "technical-lead", {"reject": {}})


# --- repeats ---
def test_a_repeated_request_is_the_same_request(service):
    lab = service.lab
    name = lab.submit(lab.feature_of(service))
    lab.wait_phase(name, "IN_REVIEW")
    path, status = f"/v1/deployments/{name}/requests", 412
    while status == 412:
        body = {"request": str(uuid.uuid4()), "expected_version": lab.deployment(name)["version"],
                "reason": "no", "role": "technical-lead", "reject": {}}
        answers = [lab.http("POST", path, "tess", body, {"Prefer": "wait=5"}) for _ in range(3)]
        status = answers[0].status_code
        assert {a.status_code for a in answers} == {status}, [a.text for a in answers]
    assert status == 200 and len({a.text for a in answers}) == 1
    other = lab.http("POST", path, "tess", {**body, "reason": "yes"})
    assert other.status_code == 422 and other.json()["field"] == "request"
    seen = lab.get(f"/v1/requests/{body['request']}").json()
    assert seen["state"] == "APPLIED" and seen["version"] == answers[0].json()["version"]
    lab.wait_exit(name, "ABORTED")
    entries = lab.get(f"/v1/deployments/{name}/timeline").json()["items"]
    assert len({e["event_id"] for e in entries if e["actor"] == "tess"}) == 1


def at_once(count, ask):
    """What ask() answers in so many threads."""
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return [future.result() for future in [pool.submit(ask) for _ in range(count)]]


def test_the_same_request_at_once_happens_once(service):
    lab = service.lab
    name = lab.submit(lab.feature_of(service))
    lab.wait_phase(name, "IN_REVIEW")
    statuses = {412}
    while 412 in statuses:  # it moved meanwhile: for all of them
        body = {"request": str(uuid.uuid4()), "expected_version": lab.deployment(name)["version"],
                "reason": "no", "role": "technical-lead", "reject": {}}
        statuses = {a.status_code for a in at_once(
            8, lambda b=body: lab.http("POST", f"/v1/deployments/{name}/requests", "tess", b,
                                       {"Prefer": "wait=5"}))}
        assert statuses in ({412}, {200}, {202}, {200, 202})
    lab.wait_exit(name, "ABORTED")
    assert lab.get(f"/v1/requests/{body['request']}").json()["state"] == "APPLIED"


# --- tags and pages ---
def test_a_tag_moves_with_the_version_and_with_nothing_else(service):
    lab = service.lab
    name = lab.submit(lab.feature_of(service))
    lab.wait_phase(name, "IN_REVIEW")
    first = lab.get(f"/v1/deployments/{name}")
    tag = first.headers["ETag"]
    assert tag.startswith(f'"v{first.json()["version"]}')
    assert int(first.headers["Slipway-As-Of"]) >= first.json()["updated_ms"]
    same = lab.get(f"/v1/deployments/{name}", headers={"If-None-Match": tag})
    assert same.status_code == 304 and not same.content and same.headers["ETag"] == tag
    lab.ask(name, "technical-lead", {"reject": {}})
    later = lab.get(f"/v1/deployments/{name}", headers={"If-None-Match": tag})
    assert later.status_code == 200 and later.headers["ETag"] != tag


def test_pages_hold_while_others_write(service):
    """What was there from beginning to end, and did not move, is on one page, once."""
    lab = service.lab
    names = []
    for _ in range(5):
        names.append(lab.submit(lab.feature_of(service)))
        lab.wait_phase(names[-1], "IN_REVIEW")
        lab.ask(names[-1], "technical-lead", {"reject": {}})
        lab.wait_exit(names[-1], "ABORTED")
    moving = lab.submit(lab.feature_of(service))
    lab.wait_phase(moving, "IN_REVIEW")
    path, found = f"/v1/deployments?service={service.name}&limit=2&live=all", []
    for page in range(50):
        answer = lab.get(path)
        found += [item["id"] for item in answer.json()["items"]]
        if page == 1:
            lab.ask(moving, "technical-lead", {"reject": {}})
        cursor = answer.json()["next"]
        if cursor is None:
            assert "Link" not in answer.headers
            break
        assert f"cursor={cursor}" in answer.headers["Link"]
        path = f"/v1/deployments?service={service.name}&limit=2&live=all&cursor={cursor}"
    assert [n for n in found if n in names] == names[::-1]
    answer = lab.get(f"/v1/deployments?limit=2&cursor={cursor or 'x'}")
    assert answer.status_code == 400 and answer.json()["field"] == "cursor"


# --- sessions ---
def test_a_browser_signs_in_and_works_with_its_cookie(service):
    lab = service.lab
    url, own = lab.stage.gateway_url, {"Origin": lab.stage.gateway_url}
    answer = requests.post(f"{url}/v1/login", json={"token": lab.stage.tokens["rel"]},
                           headers=own, timeout=15)
    assert answer.status_code == 200 and answer.json()["subject"] == "rel"
    said = answer.headers["Set-Cookie"]
    for word in ("HttpOnly", "Secure", "SameSite=Strict", "Path=/", "Max-Age=28800"):
        assert word in said
    assert lab.stage.tokens["rel"] not in said
    cookie = {"Cookie": said.partition(";")[0]}
    assert requests.get(f"{url}/v1/me", headers=cookie, timeout=15).json()["subject"] == "rel"
    freeze = {"scope": f"production/{service.name}", "to_ms": 4000000000000, "reason": "test"}
    for headers in ({}, {"Origin": "https://evil.example"}):
        bad = requests.post(f"{url}/v1/freezes", json=freeze, headers={**cookie, **headers},
                            timeout=15)
        assert bad.status_code == 403 and bad.json()["code"] == "wrong-origin"
    made = requests.post(f"{url}/v1/freezes", json=freeze, headers={**cookie, **own}, timeout=15)
    assert made.status_code == 201
    gone = requests.delete(f"{url}/v1/freezes/{made.json()['id']}", headers={**cookie, **own},
                           timeout=15)
    assert gone.status_code == 200
    stream = requests.get(f"{url}/v1/stream?topics=flags", headers=cookie, stream=True, timeout=15)
    assert stream.status_code == 200
    stream.close()


# --- what is sent on the wire ---
def raw(lab, data, seconds=20):
    """What comes back for those bytes, until the other side hangs up or is silent."""
    with socket.create_connection(("127.0.0.1", lab.stage.gateway_port), timeout=seconds) as s:
        came = b""
        try:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            while chunk := s.recv(65536):
                came += chunk
        except OSError:  # it has hung up, or is silent
            pass
        return came


HIDDEN = b"GET /v1/hidden HTTP/1.1\r\nHost: x\r\n\r\n"
PROBES = {
    "length and chunks": b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
                         b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "two lengths": b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
                   b"Content-Length: %d\r\n\r\n" % len(HIDDEN) + HIDDEN,
    "two encodings": b"POST /v1/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
                     b"Transfer-Encoding: identity\r\n\r\n0\r\n\r\n" + HIDDEN,
    "an encoding nobody knows": b"POST /v1/events HTTP/1.1\r\nHost: x\r\n"
                                b"Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n" + HIDDEN,
    "a length that is none": b"POST /v1/events HTTP/1.1\r\nHost: x\r\n"
                             b"Content-Length: +5\r\n\r\n" + HIDDEN,
    "a negative length": b"POST /v1/events HTTP/1.1\r\nHost: x\r\n"
                         b"Content-Length: -1\r\n\r\n" + HIDDEN,
    "a space before the colon": b"POST /v1/events HTTP/1.1\r\nHost: x\r\n"
                                b"Content-Length : %d\r\n\r\n" % len(HIDDEN) + HIDDEN,
    "two hosts": b"GET /v1/events HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n" + HIDDEN,
    "a chunk too long for numbers": b"POST /v1/events HTTP/1.1\r\nHost: x\r\n"
                                    b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n"
                                    + HIDDEN,
}


@pytest.mark.parametrize("probe", PROBES)
def test_no_request_hides_in_another(service, probe):
    came = raw(service.lab, PROBES[probe])
    # libmicrohttpd may say the head of a refusal of its own twice
    statuses = {answer[:3] for answer in came.split(b"HTTP/1.1 ")[1:]}
    assert statuses <= {b"400", b"413", b"501"} and b"hidden" not in came, came


def test_what_is_too_large_is_refused(service):
    lab = service.lab
    large = lab.http("POST", "/v1/deployments", "ci/quickstart", b"x" * (256 * 1024 + 1),
                     {"Content-Type": "application/yaml"})
    assert large.status_code == 413
    token = lab.stage.tokens["rel"]
    head = raw(lab, f"GET /v1/me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
                    f"X: {'y' * 20000}\r\n\r\n".encode())
    assert head == b"" or head.split()[1] in (b"431", b"413", b"400"), head
    many = "".join(f"X-{n}: 1\r\n" for n in range(100))
    head = raw(lab, f"GET /v1/me HTTP/1.1\r\nHost: x\r\n{many}\r\n".encode())
    assert head.split()[1] == b"431"
    deep = lab.http("POST", "/v1/deployments", "ci/quickstart", "[" * 100000,
                    {"Content-Type": "application/json"})
    assert deep.status_code == 400 and deep.json()["code"] == "malformed"


def test_who_sends_a_request_slowly_is_hung_up_on(service):
    """One byte a moment keeps no connection open; others are answered meanwhile."""
    lab = service.lab
    with socket.create_connection(("127.0.0.1", lab.stage.gateway_port), timeout=60) as slow:
        slow.sendall(b"GET /v1/me HTTP/1.1\r\nHost: x\r\nX: ")

        def hung_up():
            try:
                slow.sendall(b"y")
                slow.settimeout(0.3)
                return slow.recv(1000) == b""
            except TimeoutError:
                assert lab.get("/v1/me").status_code == 200
                return False
            except OSError:
                return True
        wait_for("the gateway to hang up", hung_up, 60)


# --- the description ---
def test_what_is_answered_is_described(service):
    """Each GET of the description, as served, has a status of the description."""
    lab = service.lab
    name = lab.submit(lab.feature_of(service))
    lab.wait_phase(name, "IN_REVIEW")
    described = lab.get("/v1/openapi.json").json()
    values = {"{id}": name, "{environment}": "production", "{flag}": "none"}
    for path, methods in described["paths"].items():
        if "get" not in methods or path == "/v1/stream":
            continue
        target = path
        for old, new in values.items():
            target = target.replace(old, new)
        answer = lab.get(target)
        assert str(answer.status_code) in methods["get"]["responses"], (path, answer.text)
        if answer.status_code >= 400:
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert json.loads(answer.text)["trace_id"]
    lab.ask(name, "technical-lead", {"reject": {}})
