"""The outside world of the quickstart: a ticket system, a webhook receiver and a mail server.

A small stand-in for Jira (REST v2 and v3: issue, fields, comment, transitions, remote links,
properties, search), the receiving end of signed webhooks (Standard Webhooks), and SMTP. What
arrives is kept, so that others can read back what Slipway says it has sent.
"""
import base64
import hashlib
import hmac
import json
import re
import socketserver
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TRANSITIONS = [{"id": "11", "name": "In Progress"}, {"id": "31", "name": "Done"}]
BODY_MAX = 1 << 20


class Desk:
    """What was received; shared by the servers, guarded by a lock."""

    def __init__(self, token="", secret=b""):
        self.token, self.secret = token, secret
        self.lock = threading.Lock()
        self.issues, self.hooks, self.mails = {}, [], []
        self.broken = False  # answers 503 to everything, for tests

    def issue(self, key):
        empty = {"key": key, "fields": {"summary": key, "status": {"name": "To Do"}},
                 "comments": [], "links": {}, "properties": {}}
        return self.issues.setdefault(key, empty)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # an answer in one piece: the other side does not delay its ACK

    def log_message(self, *_):
        pass

    def answer(self, status, body=None):
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        if data:
            self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def handle_any(self):
        desk = self.server.desk
        length = int(self.headers.get("Content-Length") or 0)
        if length > BODY_MAX:
            return self.answer(413, {"errorMessages": ["too large"]})
        raw = self.rfile.read(length)
        if desk.broken:
            return self.answer(503, {"errorMessages": ["down for maintenance"]})
        with desk.lock:
            for method, pattern, function in ROUTES:
                found = re.fullmatch(pattern, self.path.split("?")[0])
                if found and method == self.command:
                    return function(self, desk, raw, *found.groups())
        return self.answer(404, {"errorMessages": [f"no {self.command} {self.path}"]})

    do_GET = do_POST = do_PUT = handle_any

    def signed_in(self, desk):
        if not desk.token:
            return True
        sent = self.headers.get("Authorization", "")
        basic = base64.b64encode(f"slipway:{desk.token}".encode()).decode()
        return sent in (f"Basic {basic}", f"Bearer {desk.token}")


def jira(function):
    """Routes below /rest/api: they need the token, and JSON if they have a body."""
    def wrapped(handler, desk, raw, *groups):
        if not handler.signed_in(desk):
            return handler.answer(401, {"errorMessages": ["not signed in"]})
        try:
            body = json.loads(raw) if raw else {}
        except ValueError:
            return handler.answer(400, {"errorMessages": ["not JSON"]})
        return function(handler, desk, body, *groups)
    return wrapped


@jira
def get_issue(handler, desk, _body, key):
    issue = desk.issue(key)
    fields = dict(issue["fields"], comment={"comments": issue["comments"]})
    return handler.answer(200, {"key": key, "fields": fields, "properties": issue["properties"]})


@jira
def put_issue(handler, desk, body, key):
    issue = desk.issue(key)
    issue["fields"].update(body.get("fields", {}))
    for name, changes in body.get("update", {}).items():
        for change in changes:
            if "add" in change:
                issue["fields"].setdefault(name, []).append(change["add"])
            if "set" in change:
                issue["fields"][name] = change["set"]
    return handler.answer(204)


@jira
def post_comment(handler, desk, body, key):
    comment = {"id": str(len(desk.issue(key)["comments"]) + 1), "body": body.get("body")}
    desk.issue(key)["comments"].append(comment)
    return handler.answer(201, comment)


@jira
def get_comments(handler, desk, _body, key):
    comments = desk.issue(key)["comments"]
    return handler.answer(200, {"comments": comments, "total": len(comments)})


@jira
def get_comment(handler, desk, _body, key, number):
    found = [c for c in desk.issue(key)["comments"] if c["id"] == number]
    if not found:
        return handler.answer(404, {"errorMessages": [f"no comment {number}"]})
    return handler.answer(200, found[0])


@jira
def get_transitions(handler, _desk, _body, _key):
    return handler.answer(200, {"transitions": [
        dict(t, to={"name": t["name"]}, isAvailable=True) for t in TRANSITIONS]})


@jira
def post_transition(handler, desk, body, key):
    wanted = str(body.get("transition", {}).get("id"))
    name = next((t["name"] for t in TRANSITIONS if t["id"] == wanted), None)
    if name is None:
        return handler.answer(400, {"errorMessages": [f"no transition {wanted}"]})
    desk.issue(key)["fields"]["status"] = {"name": name}
    return handler.answer(204)


@jira
def post_link(handler, desk, body, key):
    links = desk.issue(key)["links"]
    name = body.get("globalId") or str(len(links))
    status = 200 if name in links else 201
    links[name] = body
    return handler.answer(status, {"id": len(links)})


@jira
def get_links(handler, desk, _body, key):
    return handler.answer(200, list(desk.issue(key)["links"].values()))


@jira
def put_property(handler, desk, body, key, name):
    known = name in desk.issue(key)["properties"]
    desk.issue(key)["properties"][name] = body
    return handler.answer(200 if known else 201)


@jira
def get_property(handler, desk, _body, key, name):
    if name not in desk.issue(key)["properties"]:
        return handler.answer(404, {"errorMessages": [f"no property {name}"]})
    return handler.answer(200, {"key": name, "value": desk.issue(key)["properties"][name]})


def signature_is_right(desk, headers, raw):
    """Standard Webhooks: v1,<base64 HMAC-SHA256 of id.timestamp.body>."""
    signed = f"{headers.get('webhook-id')}.{headers.get('webhook-timestamp')}.".encode() + raw
    wanted = base64.b64encode(hmac.new(desk.secret, signed, hashlib.sha256).digest()).decode()
    return any(hmac.compare_digest(part, "v1," + wanted)
               for part in headers.get("webhook-signature", "").split())


def post_hook(handler, desk, raw):
    if desk.secret and not signature_is_right(desk, handler.headers, raw):
        return handler.answer(401, {"error": "signature is wrong"})
    name = handler.headers.get("webhook-id")
    if all(hook["id"] != name for hook in desk.hooks):
        desk.hooks.append({"id": name, "body": json.loads(raw)})
    return handler.answer(204)


def get_state(handler, desk, _raw):
    return handler.answer(200, {"issues": desk.issues, "hooks": desk.hooks, "mails": desk.mails})


API = r"/rest/api/[23]/issue/([A-Z]+-\d+)"
ROUTES = [
    ("GET", API, get_issue), ("PUT", API, put_issue),
    ("GET", API + r"/comment/(\d+)", get_comment),
    ("GET", API + "/comment", get_comments), ("POST", API + "/comment", post_comment),
    ("GET", API + "/transitions", get_transitions),
    ("POST", API + "/transitions", post_transition),
    ("GET", API + "/remotelink", get_links), ("POST", API + "/remotelink", post_link),
    ("GET", API + "/properties/([^/]+)", get_property),
    ("PUT", API + "/properties/([^/]+)", put_property),
    ("POST", "/hook", post_hook), ("GET", "/state", get_state),
]


class MailHandler(socketserver.StreamRequestHandler):
    """Just enough SMTP to take a message."""

    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self):
        self.say("220 desk")
        envelope = {"from": "", "to": []}
        for raw in self.rfile:
            line = raw.decode(errors="replace").strip()
            verb = line[:4].upper()
            if verb in ("EHLO", "HELO"):
                self.say("250 desk")
            elif verb == "MAIL":
                envelope = {"from": line[10:], "to": []}
                self.say("250 ok")
            elif verb == "RCPT":
                envelope["to"].append(line[8:])
                self.say("250 ok")
            elif verb == "DATA":
                self.take(envelope)
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")

    def take(self, envelope):
        self.say("354 go on")
        lines = []
        for raw in self.rfile:
            if raw in (b".\r\n", b".\n"):
                break
            lines.append(raw.decode(errors="replace").rstrip("\r\n"))
        with self.server.desk.lock:
            self.server.desk.mails.append(dict(envelope, text="\n".join(lines)))
        self.say("250 taken")


class MailServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


def webhook_key(secret):
    """The bytes of a secret written as Standard Webhooks has it: whsec_<base64>."""
    return base64.b64decode(secret.strip().removeprefix("whsec_"))


def start(desk, host="127.0.0.1", http_port=0, smtp_port=0):
    """Starts both servers, on free ports unless told; answers (http_port, smtp_port, stop)."""
    http = ThreadingHTTPServer((host, http_port), Handler)
    mail = MailServer((host, smtp_port), MailHandler)
    http.daemon_threads = True
    for server in (http, mail):
        server.desk = desk
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def stop():
        for server in (http, mail):
            server.shutdown()
            server.server_close()
    return http.server_address[1], mail.server_address[1], stop
