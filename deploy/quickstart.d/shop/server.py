"""One instance of shop: a small web shop over SQLite, to have something real to deploy.

    server.py --directory INSTANCE --url http://127.0.0.1:8101 --settings shop.json

It runs the release that INSTANCE/current points to when it starts, and says so at /version. What
differs between releases is in release.py beside this file. Only Python's standard library.

    GET /healthz            is it up?            GET /metrics        Prometheus text
    GET /version            release that runs    GET /configuration  configuration in use
    GET /database           schema, orders       GET /order?item=1&user=U
    GET /feature?user=U     which features this user sees, asked of Slipway over OFREP
"""
import argparse
import hashlib
import http.client
import json
import os
import pathlib
import signal
import sqlite3
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import release

FLAG_TIMEOUT_S = 1.0


def tree_digest(folder):
    """sha256 of a folder as Slipway computes it: of `sha256sum` over its files by path."""
    lines = []
    for path in sorted((p for p in folder.rglob("*") if p.is_file()),
                       key=lambda p: os.fsencode(f"./{p.relative_to(folder)}")):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        lines.append(f"{digest}  ./{path.relative_to(folder)}\n")
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def deployed(directory):
    """What a release directory's link points to: its version and what lies there."""
    folder = (directory / "current").resolve(strict=True)
    return {"version": folder.name.rpartition("-")[0], "digest": tree_digest(folder)}


class Shop:
    """What the requests share."""

    def __init__(self, options, settings):
        self.name = options.directory.name
        self.settings = settings
        self.running = {"version": release.VERSION,
                        "digest": tree_digest(pathlib.Path(__file__).resolve().parent)}
        self.lock = threading.Lock()
        self.counts = {"requests": 0, "errors": 0, "orders": 0}
        self.seconds = 0.0

    def count(self, name, by=1):
        with self.lock:
            self.counts[name] += by

    def database(self):
        database = sqlite3.connect(self.settings["database"], timeout=5, isolation_level=None)
        database.execute("PRAGMA busy_timeout = 5000")
        return database

    def schema(self):
        database = self.database()
        try:
            return database.execute("SELECT max(version) FROM schema_migrations").fetchone()[0]
        finally:
            database.close()

    def is_on(self, flag, user, group=""):
        """Asks Slipway now, without a cache. No answer means off."""
        address = urllib.parse.urlsplit(self.settings["gateway"])
        context = {"targetingKey": user, **({"group": group} if group else {})}
        connection = http.client.HTTPConnection(address.netloc, timeout=FLAG_TIMEOUT_S)
        try:
            connection.request("POST", f"/ofrep/v1/evaluate/flags/{urllib.parse.quote(flag)}",
                               json.dumps({"context": context}),
                               {"Content-Type": "application/json"})
            answer = connection.getresponse()
            body = json.loads(answer.read() or b"{}")
            return answer.status == 200 and body.get("value") is True
        except (OSError, ValueError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def log(self, level, text):
        line = f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {level} {self.name} {text}\n"
        with open(self.settings["log"], "a", encoding="utf-8") as log:
            log.write(line)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # an answer in one piece: the other side does not delay its ACK

    def log_message(self, *_):
        pass

    def answer(self, status, body, content_type="application/json"):
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        address = urllib.parse.urlsplit(self.path)
        query = {k: v[0] for k, v in urllib.parse.parse_qs(address.query).items()}
        route = ROUTES.get(address.path)
        if route is None:
            return self.answer(404, {"error": "no such page"})
        try:
            return route(self, self.server.shop, query)
        except Exception as error:  # whatever a page does wrong is the shop's error
            self.server.shop.log("ERROR", f"{address.path}: {type(error).__name__}: {error}")
            return self.answer(500, {"error": "the shop is not well"})


def get_health(handler, shop, _query):
    handler.answer(200, {"status": "ok", "instance": shop.name})


def get_version(handler, shop, _query):
    handler.answer(200, {**shop.running, "instance": shop.name})


def get_configuration(handler, shop, _query):
    directory = pathlib.Path(shop.settings["configuration"])
    values = json.loads((directory / "current" / "shop.json").read_text())
    handler.answer(200, {**deployed(directory), "values": values})


def get_database(handler, shop, _query):
    database = shop.database()
    try:
        schema = database.execute("SELECT max(version) FROM schema_migrations").fetchone()[0]
        orders = database.execute("SELECT count(*) FROM orders").fetchone()[0]
    finally:
        database.close()
    fits = schema is not None and schema >= release.NEEDS_SCHEMA
    handler.answer(200 if fits else 500, {"schema": str(schema), "orders": orders, "fits": fits})


def get_feature(handler, shop, query):
    user, group = query.get("user", ""), query.get("group", "")
    shop.count("requests")
    handler.answer(200, {"user": user, "features": {
        flag: bool(user) and shop.is_on(flag, user, group) for flag in release.FEATURES}})


def get_order(handler, shop, query):
    began, user = time.monotonic(), query.get("user", "")
    shop.count("requests")
    try:
        item = int(query.get("item", ""))
    except ValueError:
        return handler.answer(400, {"error": "item is a number"})
    try:
        order = release.order(item, lambda flag: bool(user) and shop.is_on(flag, user))
        database = shop.database()
        try:
            order["number"] = database.execute(
                "INSERT INTO orders (item, buyer) VALUES (?, ?)", (item, user)).lastrowid
        finally:
            database.close()
        shop.count("orders")
        shop.log("INFO", f"order {order['number']} of {user or 'nobody'}")
        status, body = 200, order
    except Exception as error:
        shop.count("errors")
        shop.log("WARNING", f"order of {user or 'nobody'} failed: {type(error).__name__}: {error}")
        status, body = 500, {"error": "the order failed"}
    with shop.lock:
        shop.seconds += time.monotonic() - began
    return handler.answer(status, body)


def get_metrics(handler, shop, _query):
    with shop.lock:
        counts, seconds = dict(shop.counts), shop.seconds
    helps = {"requests": "orders and pages asked for by users", "errors": "orders that failed",
             "orders": "orders taken"}
    lines = []
    for name, value in counts.items():
        lines += [f"# HELP shop_{name}_total {helps[name]}", f"# TYPE shop_{name}_total counter",
                  f"shop_{name}_total {value}"]
    lines += ["# HELP shop_order_seconds_total time spent on orders",
              "# TYPE shop_order_seconds_total counter", f"shop_order_seconds_total {seconds:.6f}",
              "# HELP shop_release_info what runs", "# TYPE shop_release_info gauge",
              f'shop_release_info{{version="{shop.running["version"]}"}} 1']
    handler.answer(200, "\n".join(lines) + "\n", "text/plain; version=0.0.4; charset=utf-8")


ROUTES = {"/healthz": get_health, "/version": get_version, "/configuration": get_configuration,
          "/database": get_database, "/feature": get_feature, "/order": get_order,
          "/metrics": get_metrics}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--directory", type=pathlib.Path, required=True)
    parser.add_argument("--url", required=True)
    parser.add_argument("--settings", type=pathlib.Path, required=True)
    options = parser.parse_args()
    address = urllib.parse.urlsplit(options.url)
    server = ThreadingHTTPServer((address.hostname, address.port), Handler)
    server.daemon_threads = True
    server.shop = Shop(options, json.loads(options.settings.read_text()))
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.shop.log("INFO", f"shop {release.VERSION} is open at {options.url}")
    server.serve_forever(poll_interval=0.05)
    server.shop.log("INFO", f"shop {release.VERSION} is closed")


if __name__ == "__main__":
    main()
