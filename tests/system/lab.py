"""The lab: many small services, each a lane of its own, whose health a test turns as it likes.

Everything of Slipway is real; what is deployed is not worth much: two instances a service, each a
release directory, all answered for by one HTTP server in this process. So a deployment takes
seconds, and many tests run side by side, each with a service to itself.
"""
import contextlib
import itertools
import json
import os
import queue
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests
import shopkeeper
import stage as stage_module
import yaml
from world import World

SERVICES = 48
WORDS = ("ready", "batch", "backend", "smoke", "feature", "behaviour", "watch")
PAPERS = ("deployment_steps", "configuration", "rollback", "runbook", "requirements",
          "observability")
OPENS_AFTER_S, CLOSES_AFTER_S = 14, 30
HELD_FOR_S = float(os.environ.get("SLIPWAY_TEST_PATIENCE", 240))
RESTART = """#!/bin/sh
# restart DIRECTORY: fails while DIRECTORY/refuse is there, waits while DIRECTORY/wait is;
# with DIRECTORY/refuse-new it takes only the release that this names.
while [ -e "$1/wait" ]; do sleep 0.02; done
[ ! -e "$1/refuse" ] || { echo "$1 refuses" >&2; exit 1; }
[ ! -e "$1/refuse-new" ] || [ "$(readlink "$1/current")" = "$(cat "$1/refuse-new")" ] ||
    { echo "$1 refuses what is new" >&2; exit 1; }
"""


class Service:
    """One service of the lab: instances one and two, their configuration, their numbers."""

    def __init__(self, lab, name):
        self.lab, self.name = lab, name
        self.failing = set()      # words of WORDS that answer 500
        self.requests, self.errors = 1000, 0
        self.silent = False       # /metrics answers 500
        self.holding = set()      # words of WORDS that are not answered while they are here

    def directories(self):
        return [self.lab.stage.folder / "instances" / f"{self.name}-{n}" for n in (1, 2)]

    def versions(self):
        """What runs, asked of the instances' own folders: {1.0} when both agree."""
        return {running(d)["version"] for d in [*self.directories(), self.configuration()]}

    def running(self):
        """The version of each instance."""
        return [running(d)["version"] for d in self.directories()]

    def torn(self):
        """Whether a switch was begun at some instance and never finished."""
        markers = [d / "marker" for d in [*self.directories(), self.configuration()]]
        return any("switching" in m.read_text() for m in markers if m.exists())

    def configuration(self):
        return self.lab.stage.folder / "instances" / f"{self.name}-conf"

    def refuse(self, on=True):
        self.mark("refuse", on)

    def wait(self, on=True):
        self.mark("wait", on)

    def mark(self, word, on):
        for directory in self.directories():
            path = directory / word
            path.touch() if on else path.unlink(missing_ok=True)


def running(directory):
    try:
        folder = (directory / "current").resolve(strict=True)
    except OSError:
        return {"version": None, "digest": ""}
    return {"version": folder.name.rpartition("-")[0], "digest": shopkeeper.tree_digest(folder)}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # an answer in one piece: the other side does not delay its ACK

    def log_message(self, *_):
        pass

    def answer(self, status, body, kind="application/json"):
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self):
        """The channels hook, frail and dead: what is sent to the first two is kept."""
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        lab = self.server.lab
        if self.path == "/dead" or (self.path == "/frail" and lab.frail_down):
            return self.answer(503, {})
        (lab.frail if self.path == "/frail" else lab.hooks).append(json.loads(raw))
        return self.answer(200, {})

    def do_GET(self):
        parts = urllib.parse.urlsplit(self.path).path.strip("/").split("/")
        if parts[0] == "wiki":
            return self.wiki("/".join(parts[1:]))
        if parts[0] != "i" or len(parts) != 3:
            return self.answer(200, {"status": "ok"})
        return self.instance(parts[1], parts[2])

    def wiki(self, name):
        try:
            text = (self.server.lab.stage.wiki / name).read_text()
        except OSError:
            return self.answer(404, {})
        return self.answer(200, text, "text/markdown")

    def instance(self, instance, word):
        lab = self.server.lab
        service = lab.services[instance.rpartition("-")[0]]
        if word == "version":
            return self.answer(200, running(lab.stage.folder / "instances" / instance))
        if word == "metrics":
            text = (f"lab_requests_total {service.requests}\n"
                    f"lab_errors_total {service.errors}\n")
            return self.answer(500 if service.silent else 200, text, "text/plain")
        end = time.monotonic() + HELD_FOR_S
        while word in service.holding and time.monotonic() < end:
            time.sleep(0.05)
        bad = word in service.failing
        with contextlib.suppress(ConnectionError):  # of who did not wait that long
            self.answer(500 if bad else 200, {"status": "bad" if bad else "ok"})


class Lab(World):
    """A World with many services instead of a shop."""

    handler = Handler

    def __init__(self, build, folder, broker, messages):
        super().__init__(build, folder, broker, messages)
        self.services, self.hooks, self.frail, self.frail_down = {}, [], [], False
        self.free = queue.SimpleQueue()
        self.versions = itertools.count(2)
        self.guard = threading.Lock()
        self.pages = {}

    # --- opening ---
    def prepare(self):
        """What the stage needs before settings can be written."""
        folder = self.stage.folder
        server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler)
        server.daemon_threads, server.lab = True, self
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.stage.stops.append(lambda: (server.shutdown(), server.server_close()))
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        self.stage.wiki, self.stage.wiki_url = folder / "wiki", f"{self.url}/wiki"
        (folder / "bin").mkdir()
        (folder / "bin" / "restart").write_text(RESTART)
        (folder / "bin" / "restart").chmod(0o755)
        self.artifact("app", "1.0")
        self.artifact("conf", "1.0")
        self.add_service("sides")
        (folder / "router").symlink_to("blue")
        for number in range(SERVICES):
            self.free.put(self.add_service(f"lab-{number:02}"))

    def add_service(self, name):
        service = self.services[name] = Service(self, name)
        for directory in service.directories():
            shopkeeper.first_release(self.stage.folder, directory.name, "1.0", "app/1.0")
        shopkeeper.first_release(self.stage.folder, f"{name}-conf", "1.0", "conf/1.0")
        return service

    def artifact(self, kind, version):
        """artifacts/<kind>/<version>, as CI would publish it; answers its digest."""
        folder = self.stage.folder / "artifacts" / kind / version
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "release").write_text(f"{kind} {version}\n")
        return f"sha256:{shopkeeper.tree_digest(folder)}"

    def write_settings(self):
        self.began = time.time()
        self.opens, self.closes = self.began + OPENS_AFTER_S, self.began + CLOSES_AFTER_S
        self.stage.settings.write_text(json.dumps(self.settings(), indent=0))

    def settings(self):
        with open(stage_module.ROOT / "deploy" / "example" / "slipway.yaml",
                  encoding="utf-8") as file:
            settings = yaml.safe_load(file)
        stage = self.stage
        settings["kafka"].update(brokers=stage.bootstrap, fetch_wait="20ms")
        settings["redis"]["port"] = stage.redis_port
        settings["gateway"] = {"listen": f"127.0.0.1:{stage.gateway_port}",
                               "public_url": f"http://127.0.0.1:{stage.gateway_port}",
                               "peers": [f"http://127.0.0.1:{stage.gateway_port}"],
                               "requests_per_minute": 100000}
        settings["links"] = [f"{self.url}/"]
        settings["environments"][0]["policy"] = "quick"
        settings["roles"][0]["members"].append("sam")
        settings["targets"] = [t for name in self.services for t in self.targets(name)]
        settings["probes"] = [{"name": "lab-ok", "driver": "http", "url": f"{self.url}/ok",
                               "status": 200, "json": "status", "equals": "ok",
                               "timeout": "5s"}]
        settings["probes"] += [p for name in self.services for p in self.probes(name)]
        settings["metric_sources"] = [
            {"name": f"{name}-metrics", "driver": "scrape", "target": name, "path": "/metrics",
             "timeout": "5s"} for name in self.services]
        settings["channels"] = [
            {"name": "jira", "driver": "jira", "url": f"http://127.0.0.1:{stage.desk_port}",
             "api": 2, "user": "slipway", "token_file": "jira.token", "transition": "Done",
             "timeout": "5s"},
            *({"name": name, "driver": "webhook", "url": f"{self.url}/{name}",
               "secret_file": "hook.secret", "timeout": "5s"}
              for name in ("hook", "frail", "dead"))]
        settings["windows"] += self.windows()
        settings["alerts"] = [{"alert": "Direct", "direct": True}, {"alert": "Any"}]
        settings["policies"] = self.policies(settings["policies"][0])
        return settings

    def windows(self):
        """One that opens soon, one that closes soon, one that is never open in time."""
        def at(seconds):
            return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.began + seconds))
        return [{"name": "opening", "opens": at(OPENS_AFTER_S), "closes": at(86400)},
                {"name": "closing", "opens": at(-3600), "closes": at(CLOSES_AFTER_S)},
                {"name": "later", "opens": at(3600), "closes": at(7200)}]

    def targets(self, name):
        stage, sides = self.stage, name == "sides"
        base = {"service": name, "environment": "production", "artifact_root": "artifacts"}
        deployer = {"driver": "release-directory", "restart": ["bin/restart", "{directory}"],
                    "restart_timeout": "30s", "keep": 2}
        if sides:
            deployer.update(router_link="router", router_to="{side}",
                            router_reload=["/usr/bin/env", "true"])
        instances = [{"name": f"{name}-{n}", "url": f"{self.url}/i/{name}-{n}",
                      "directory": f"instances/{name}-{n}",
                      **({"side": ("blue", "green")[n - 1]} if sides else {})} for n in (1, 2)]
        conf = {"driver": "release-directory", "restart": ["/usr/bin/env", "true"]}
        return [{"name": name, **base, "deployer": deployer, "instances": instances},
                {"name": f"{name}-conf", **base, "deployer": conf,
                 "instances": [{"name": f"{name}-conf", "url": f"{self.url}/i/{name}-conf",
                                "directory": str(stage.folder / "instances" / f"{name}-conf")}]}]

    @staticmethod
    def probes(name):
        asked = [{"name": f"{name}-{word}", "driver": "http", "target": name, "status": 200,
                  "url": "{url}/" + word, "timeout": "20s"} for word in WORDS]
        return [*asked,
                {"name": f"{name}-version", "driver": "version", "target": name,
                 "url": "{url}/version", "timeout": "5s"},
                {"name": f"{name}-configuration", "driver": "configuration",
                 "target": f"{name}-conf", "url": "{url}/version", "timeout": "5s"}]

    def policies(self, example):
        """Short clocks; what a person answers is business.requirements and the reviews."""
        checks = []
        for check in example["checks"]:
            if "probe" in check and check["check"] not in OF_SERVICE:
                check = {"check": check["check"], "probe": "lab-ok"}
            if check["check"] == "business.user_experience":
                check = {"check": check["check"], "probe": "lab-ok"}
            if check["check"] not in OF_SERVICE:
                checks.append(check)
        steps = {n: dict(step, task="30s") for n, step in example["steps"].items()}
        quick = {**example, "name": "quick", "approach": "rolling", "batch_size": 1,
                 "bake": "100ms", "observe": "600ms", "sample_every": "100ms",
                 "coverage": "20%", "metrics": [], "checks": checks, "steps": steps,
                 "channels": [c for c in example["channels"] if c["channel"] != "mail"] + [
                     {"channel": "hook", "purpose": f"notify.{p}", "required": False}
                     for p in ("blocked", "aborted", "rolled_back", "completed", "incident")],
                 "retry": {"drives": 2, "first": "200ms", "max": "1s", "remeasures": 1}}

        def policy(name, steps=None, **changes):
            mixed = {n: {**s, **(steps or {}).get(n, {})} for n, s in quick["steps"].items()}
            return {**quick, **changes, "name": name, "steps": mixed}

        def through(channel):
            return [dict(c, channel=channel) if c["purpose"] == "notify.rollout" else c
                    for c in quick["channels"]]
        short = {"input": "1500ms", "review": "1500ms", "queue": "1500ms", "hold": "1500ms",
                 "reminder": "500ms"}
        block, stop = {"on_no_go": "block"}, {"on_no_go": "stop"}
        return [
            quick,
            policy("blocking", {n: block for n in (2, 3, 4, 5)}),
            policy("stopping", {n: stop for n in (2, 3, 4, 5)}),
            policy("hasty", {n: {"blocked": "1500ms", **(block if n in (2, 3, 4, 5) else {})}
                             for n in range(1, 8)}, deadlines=short, gate_deadline="1s"),
            policy("slow", observe="60s"),
            policy("steady", observe="3s"),
            policy("opening", windows=["opening"]),
            policy("later", windows=["later"]),
            policy("closing-finish", windows=["closing"], window_grace="60s"),
            policy("closing-hold", windows=["closing"], on_closed_window="hold"),
            policy("closing-rollback", windows=["closing"], on_closed_window="rollback"),
            policy("frozen-rollback", on_freeze="rollback"),
            policy("frail", channels=through("frail")),
            policy("dead-channel", channels=through("dead")),
            policy("resuming", auto_resume="300ms"),
        ]

    def open(self, count=1, settings=None):
        stage = self.stage
        stage.start_redis()
        self.start_broker()
        stage.start_desk()
        stage.make_keys()
        stage.make_tokens({**stage_module.PEOPLE, "sam": ["submitter", "technical-lead"]})
        self.prepare()
        self.write_settings()
        self.start(count)

    def start_broker(self):
        self.stage.start_broker()

    def close(self):
        for service in self.services.values():
            service.wait(False)
        self.record()
        return self.stage.stop()

    # --- services and features ---
    def take(self, seconds=120):
        """A service that no other test uses."""
        return self.free.get(timeout=seconds)

    def give_back(self, service):
        """Only after its test has passed: what another left behind would be hard to understand.
        A service left between two versions, as a test of a failed undo may, is not used again."""
        if service.torn():
            return
        service.failing.clear()
        service.holding.clear()
        service.requests, service.errors, service.silent = 1000, 0, False
        service.refuse(False)
        service.wait(False)
        self.free.put(service)

    def begin(self, service, **changes):
        """A new feature of that service, handed in and approved; answers the attempt's id."""
        name = self.submit(self.feature_of(service, **changes))
        self.approve(name)
        return name

    def begin_at_once(self, service, **changes):
        """As begin, under the policy whose people have little time: approved right away."""
        return self.begin(service, policy="hasty", **changes)

    def alert(self, service, name="Any", status="firing", severity="critical", **more):
        """One alert of that service, as Alertmanager says it."""
        from test_alerts import alert_body
        body = alert_body(service=service.name, name=name, severity=severity, status=status,
                          fingerprint=f"{service.name.encode().hex()[:16]:0>16}", **more)
        answer = self.http("POST", "/v1/alertmanager", "monitoring", body)
        assert answer.status_code == 202, answer.text

    def router(self):
        """The side that has the traffic of the service `sides`."""
        return os.readlink(self.stage.folder / "router")

    def is_on(self, name, user, **attributes):
        """Asks the gateway as any OpenFeature client would."""
        flag = name.rpartition(".")[0]
        answer = requests.post(f"{self.stage.gateway_url}/ofrep/v1/evaluate/flags/{flag}",
                               json={"context": {"targetingKey": user, **attributes}}, timeout=15)
        return answer.status_code == 200 and answer.json()["value"]

    def wait_newer(self, name, condition, seconds=90):
        """The newest attempt of that feature once it is another than `name` and fulfils it."""
        feature = name.rpartition(".")[0]

        def found():
            state = self.newer(feature, {"id": name})
            return state if state and condition(state) else None
        return stage_module.wait_for(f"a newer attempt of {name}", found, seconds, 0.05)

    def page(self, name, text="page\n"):
        with self.guard:
            if name not in self.pages:
                self.pages[name] = shopkeeper.publish(self.stage, name, text)
            return dict(self.pages[name])

    def feature_of(self, service, **changes):
        """A new feature of that service: a configuration and a backend, two stages."""
        version = f"1.{next(self.versions)}"
        name = f"{service.name}-f{version[2:]}"

        def artifact(kind, source, target):
            return {"kind": kind, "name": f"{service.name}-{source}", "version": version,
                    "source": f"{source}/{version}", "digest": self.artifact(source, version),
                    "target": target, "on_rollback": "revert"}
        return {
            "feature": name, "title": f"Feature {version} of {service.name}",
            "environment": "production", "services": [service.name], "ticket": f"LAB-{version[2:]}", "team": "lab",
            "approach": "rolling", "policy": "quick",
            "acceptance": {"report": self.page("acceptance.md"), "accepted": True,
                           "criteria_met": True, "criteria": ["it works"],
                           "signoffs": [{"subject": "paula", "role": "product-owner",
                                         "at": "2026-01-10T10:00:00Z"}]},
            "artifacts_ready": True,
            "artifacts": [artifact("configuration", "conf", f"{service.name}-conf"),
                          artifact("backend", "app", service.name)],
            "flags": [{"key": name, "description": "the feature"}],
            "rollout": [{"name": "some", "percent": 20}, {"name": "all", "percent": 100}],
            "metrics": [{"name": "error_rate", "source": f"{service.name}-metrics",
                         "query": "lab_errors_total", "at_most": 10, "unit": "errors",
                         "critical": True, "check": "stage.errors"},
                        {"name": "requests", "source": f"{service.name}-metrics",
                         "query": "lab_requests_total", "at_least": 0, "samples": True,
                         "check": "stage.min_samples"}],
            "documents": [{"kind": kind, **self.page(f"{kind}.md")} for kind in PAPERS],
            "dashboards": [{"title": "lab", "url": f"{self.url}/dashboard"}],
            "test_results": [{"suite": "unit", "passed": 3, "failed": 0,
                              "link": self.page("tests.md")["link"]}],
            "checks": [{"check": check, "probe": f"{service.name}-{word}"}
                       for check, word in OF_SERVICE.items()],
            **changes}


OF_SERVICE = {"env.ready": "ready", "health": "batch", "health.backend": "backend",
              "smoke.api": "smoke", "verify.version": "version",
              "verify.configuration": "configuration", "functional.feature": "feature",
              "stage.behaviour": "behaviour", "watch.service": "watch"}
