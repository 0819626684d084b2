"""Keeps the example shop in its container: lays it out once, runs its four instances, and changes
them when the executor asks (see `ask`). Visitors order all day, so that there is something to
measure.

    POST /restart|/stop      Word: shop-1
    POST /observe
    POST /check|/apply       Word: version, digest [, fence]; the migration's file as body
    POST /revert             Word: version, fence

200 with the output; 422 when that will never work; 500 when it may be tried again.
"""
import http.client
import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import shopkeeper

FOLDER = pathlib.Path("/srv/targets")
ARTIFACTS = pathlib.Path("/srv/artifacts")
PORTS = [8101, 8102, 8103, 8104]
URLS = {name: f"http://0.0.0.0:{port}" for name, port in zip(shopkeeper.INSTANCES, PORTS)}
KEEPER_PORT = 8100
BODY_MAX = 1 << 20
RUN_SECONDS = 25
NEVER = 65


class Place:
    """What shopkeeper knows as a stage: where the shop is and at which ports."""
    shop_ports = PORTS

    def __init__(self):
        self.stops = []


def lay_out():
    """The shop as somebody deployed it before there was Slipway; kept if it is there."""
    for name, target in (("artifacts", ARTIFACTS), ("shop", shopkeeper.SHOP)):
        if not (FOLDER / name).is_symlink():
            (FOLDER / name).symlink_to(target)
    (FOLDER / "logs").mkdir(exist_ok=True)
    (FOLDER / "shop.json").write_text(json.dumps({
        "gateway": "http://gateway:9100", "configuration": str(FOLDER / "instances" / "config"),
        "database": str(FOLDER / "shop.db"), "log": str(FOLDER / "logs" / "shop.log")}))
    for name, version, source in [("config", "r1", "config/r1"),
                                  *((name, "1.0", "shop/1.0") for name in shopkeeper.INSTANCES)]:
        if not (FOLDER / "instances" / name / "current").is_symlink():
            shopkeeper.first_release(FOLDER, name, version, source)
    if not observe().stdout:
        shopkeeper.migrate_first(FOLDER)


def run(*argv):
    return subprocess.run([str(word) for word in argv], cwd=FOLDER, capture_output=True,
                          text=True, timeout=RUN_SECONDS, check=False)


def restart(name):
    return run("shop/restart", FOLDER / "instances" / name, URLS[name], "shop.json")


def stop(name):
    return run("shop/restart", "--stop", FOLDER / "instances" / name)


def observe():
    return run("shop/migrate", "observe", "shop.db")


def migrate(verb, body, words):
    with tempfile.NamedTemporaryFile(suffix=".sql") as file:
        file.write(body)
        file.flush()
        return run("shop/migrate", verb, "shop.db", file.name, *words)


def carry_out(verb, words, body):
    """What was asked for, done; None if nobody could mean that."""
    counts = {"restart": 1, "stop": 1, "observe": 0, "check": 2, "apply": 3, "revert": 2}
    if counts.get(verb) != len(words):
        return None
    if verb in ("restart", "stop"):
        if words[0] not in URLS:
            return None
        return restart(words[0]) if verb == "restart" else stop(words[0])
    if verb == "observe":
        return observe()
    if verb == "revert":
        return run("shop/migrate", "revert", "shop.db", *words)
    return migrate(verb, body, words)


class Handler(BaseHTTPRequestHandler):
    timeout = 10

    def log_message(self, *_):
        pass

    def do_POST(self):
        verb, words = self.path.strip("/"), self.headers.get_all("Word") or []
        length = int(self.headers.get("Content-Length") or 0)
        if length > BODY_MAX:
            return self.answer(422, "too large")
        try:
            done = carry_out(verb, words, self.rfile.read(length))
        except (OSError, subprocess.TimeoutExpired) as problem:
            return self.answer(500, str(problem))
        if done is None:
            return self.answer(422, f"what is {verb} {' '.join(words)}?")
        print(verb, *words, "->", done.returncode, flush=True)
        status = {0: 200, NEVER: 422}.get(done.returncode, 500)
        return self.answer(status, done.stdout if status == 200 else done.stderr)

    def answer(self, status, text):
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())


def check():
    """0 when the keeper listens and every instance is well."""
    for port, path in [*((port, "/healthz") for port in PORTS)]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
        try:
            connection.request("GET", path)
            if connection.getresponse().status != 200:
                return 1
        except OSError:
            return 1
        finally:
            connection.close()
    return 0


def main():
    place, closed = Place(), threading.Event()
    server = ThreadingHTTPServer(("0.0.0.0", KEEPER_PORT), Handler)
    signal.signal(signal.SIGTERM, lambda *_: closed.set())
    lay_out()
    for name in shopkeeper.INSTANCES:
        done = restart(name)
        if done.returncode != 0:
            sys.exit(done.stderr)
    shopkeeper.open_visitors(place)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("the shop is open", flush=True)
    closed.wait()
    server.shutdown()
    for end in place.stops:
        end()
    for name in shopkeeper.INSTANCES:
        stop(name)


if __name__ == "__main__":
    sys.exit(check() if "--check" in sys.argv[1:] else main())
