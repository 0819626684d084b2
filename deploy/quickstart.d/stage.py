"""A whole Slipway on loopback, in one folder: broker, Redis, all services, and what they need.

Used by deploy/quickstart and by the system tests. Only Python's standard library. Everything is
started on free ports, logs to <folder>/logs, and ends with stop(); nothing is left running.
"""
import atexit
import hashlib
import json
import os
import pathlib
import random
import secrets
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

import desk as desk_module

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORKERS = ["prechecks", "executor", "validator", "flag-rollout", "monitor", "notifier"]
SERVICES = ["coordinator", *WORKERS, "gateway"]
PEOPLE = {  # subject: roles
    "tess": ["technical-lead"],
    "dev": ["devops-lead"],
    "olga": ["operations-lead"],
    "rel": ["release-engineer"],
    "ci/quickstart": ["submitter"],
    "monitoring": ["alerting"],
}


def free_port():
    """A port of loopback that nobody listens on right now, and that the system gives to no outgoing
    connection while whoever listens there is away."""
    while True:
        port = random.randrange(15000, 32000)  # Linux gives out 32768 and up
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class Failed(Exception):
    """Something did not start or did not come true; the text is for people."""


def wait_for(what, condition, seconds=30.0, every=0.02):
    """The first true answer of condition(); Failed with `what` when time is up."""
    end = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise Failed(f"waited {seconds:.0f} s for: {what}")
        time.sleep(every)


class Process:
    """One started program with its log."""

    def __init__(self, name, argv, log, env=None, cwd=None):
        self.name, self.argv, self.log = name, [str(a) for a in argv], log
        self.env = dict(os.environ, **(env or {}))
        self.cwd = cwd
        self.popen = None

    def start(self):
        with open(self.log, "ab") as log:
            self.popen = subprocess.Popen(self.argv, stdout=log, stderr=log, env=self.env,
                                          cwd=self.cwd, stdin=subprocess.DEVNULL)
        return self

    def running(self):
        return self.popen is not None and self.popen.poll() is None

    def kill(self, sig=signal.SIGKILL):
        if self.running():
            self.popen.send_signal(sig)

    def stop(self, seconds=15):
        """SIGTERM, then SIGKILL when it does not leave in time. Answers its exit status."""
        if self.popen is None:
            return None
        self.kill(signal.SIGTERM)
        try:
            self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            self.popen.wait()
        return self.popen.returncode

    def last_lines(self, count=20):
        try:
            text = pathlib.Path(self.log).read_text(errors="replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-count:])


class Api:
    """The gateway's HTTP API as one subject."""

    def __init__(self, url, token):
        self.url, self.token = url, token

    def call(self, method, path, body=None, headers=None, timeout=15):
        """(status, parsed JSON or text, headers). Error statuses are answers, not exceptions."""
        data, send = None, {"Authorization": f"Bearer {self.token}", **(headers or {})}
        if isinstance(body, (bytes, str)):
            data = body.encode() if isinstance(body, str) else body
        elif body is not None:
            data = json.dumps(body).encode()
            send.setdefault("Content-Type", "application/json")
        request = urllib.request.Request(self.url + path, data, send, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return self.parsed(answer.status, answer.read(), answer.headers)
        except urllib.error.HTTPError as answer:
            return self.parsed(answer.code, answer.read(), answer.headers)

    @staticmethod
    def parsed(status, raw, headers):
        text = raw.decode(errors="replace")
        if "json" in (headers.get("Content-Type") or "") and text:
            return status, json.loads(text), headers
        return status, text, headers

    def get(self, path, **more):
        return self.call("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.call("POST", path, body, **more)


class Stage:
    """Everything that belongs to one running Slipway."""

    def __init__(self, build, folder, broker="embedded"):
        self.build, self.folder, self.broker = pathlib.Path(build), pathlib.Path(folder), broker
        self.processes, self.tokens, self.stops = {}, {}, []
        atexit.register(self.leave_nothing)
        self.redis_port = self.bootstrap = self.gateway_url = None
        self.gateway_port = free_port()
        self.instances = {}
        self.settings = self.folder / "slipway.yaml"
        for name in ("logs", "run", "keys", "documents", "artifacts"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)

    # --- parts ---
    def launch(self, name, argv, env=None, cwd=None):
        process = Process(name, argv, self.folder / "logs" / f"{name}.log", env, cwd).start()
        self.processes[name] = process
        return process

    def start_redis(self):
        self.redis_port = self.redis_port or free_port()
        data = self.folder / "redis"
        data.mkdir(exist_ok=True)
        self.launch("redis", ["redis-server", "--port", self.redis_port, "--bind", "127.0.0.1",
                              "--dir", data, "--appendonly", "yes", "--appendfsync", "everysec",
                              "--save", "", "--daemonize", "no"])
        wait_for("Redis to listen", lambda: self.listens(self.redis_port))

    def start_broker(self):
        if self.broker == "embedded":
            port_file = self.folder / "run" / "broker"
            port_file.unlink(missing_ok=True)
            self.launch("broker", [self.program("devbroker"), "--port-file", port_file,
                                   "--partitions", "4"])
            self.bootstrap = wait_for("the embedded broker", lambda: self.read(port_file))
        elif self.broker == "kafka":
            scripts, folder = self.kafka_scripts(), self.folder / "kafka"
            done = subprocess.run([scripts / "start", folder], text=True, capture_output=True)
            if done.returncode != 0:
                raise Failed(f"Kafka did not start: {done.stderr.strip()[-2000:]}")
            self.bootstrap = done.stdout.split()[-1]
            self.stops.append(lambda: subprocess.run([scripts / "stop", folder],
                                                     capture_output=True, check=False))
        else:
            self.bootstrap = self.broker

    @staticmethod
    def kafka_scripts():
        return ROOT / "tests" / "support" / "kafka"

    def start_desk(self):
        """Ticket system, webhook receiver, mail server; all in this process."""
        token, secret = secrets.token_hex(16), secrets.token_bytes(24)
        self.write_secret("jira.token", token)
        import base64
        self.write_secret("hook.secret", "whsec_" + base64.b64encode(secret).decode())
        self.desk = desk_module.Desk(token, secret)
        self.desk_port, self.smtp_port, stop = desk_module.start(self.desk)
        self.stops.append(stop)

    def make_keys(self):
        for writer in SERVICES:
            self.write_secret(f"keys/{writer}.key", secrets.token_hex(32))

    def make_tokens(self, people=None):
        """tokens.yaml holds only hashes; the tokens themselves go to run/tokens, mode 0600."""
        lines = ["tokens:"]
        (self.folder / "run" / "tokens").mkdir(exist_ok=True)
        for subject, roles in (people or PEOPLE).items():
            token = self.tokens.setdefault(subject, "slw_" + secrets.token_urlsafe(32))
            self.write_secret(f"run/tokens/{subject.replace('/', '-')}", token)
            digest = hashlib.sha256(token.encode()).hexdigest()
            lines.append(f"  - {{subject: {subject}, roles: [{', '.join(roles)}], "
                         f"sha256: {digest}}}")
        self.write_secret("tokens.yaml", "\n".join(lines) + "\n")

    def write_secret(self, name, text):
        path = self.folder / name
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_text(text)

    def write_settings(self, replacements):
        """deploy/example/slipway.yaml with the addresses of this stage."""
        text = (ROOT / "deploy" / "example" / "slipway.yaml").read_text()
        if self.broker == "embedded":  # it answers a waiting fetch when its time is up, no sooner
            replacements = {**replacements, "fetch_wait: 100ms": "fetch_wait: 10ms"}
        for old, new in replacements.items():
            if old not in text:
                raise Failed(f"deploy/example/slipway.yaml has no {old!r} to replace")
            text = text.replace(old, new)
        self.settings.write_text(text)

    # --- services ---
    def program(self, name):
        for path in (self.build / "services" / name / f"slipway-{name}",
                     self.build / "deploy" / name / f"slipway-{name}",
                     self.build / "services" / "cli" / "slipway" if name == "cli" else self.build):
            if path.is_file():
                return path
        installed = shutil.which("slipway" if name == "cli" else f"slipway-{name}")
        if installed:
            return pathlib.Path(installed)
        raise Failed(f"slipway-{name} is not built below {self.build}")

    def start_service(self, name, instance=None, env=None, listen="127.0.0.1:0", more=()):
        instance = instance or f"{name}-1"
        port_file = self.folder / "run" / instance
        port_file.unlink(missing_ok=True)
        process = self.launch(instance, [
            self.program(name), "--config", self.settings, "--instance", instance,
            "--listen", listen, "--port-file", port_file, *more], env, self.folder)
        process.service, process.listen, process.more = name, listen, more
        self.instances[instance] = process
        return process

    def start_all(self, count=1):
        """Every service, `count` instances of each; the gateway first, as flags are read from it."""
        for number in range(1, count + 1):
            for name in SERVICES:
                listen = (f"127.0.0.1:{self.gateway_port}" if name == "gateway" and number == 1
                          else "127.0.0.1:0")
                self.start_service(name, f"{name}-{number}", listen=listen)
        self.gateway_url = f"http://127.0.0.1:{self.gateway_port}"
        self.wait_ready()

    def address(self, instance):
        return self.read(self.folder / "run" / instance)

    def ready(self, instance):
        address = self.address(instance)
        if not address:
            process = self.processes[instance]
            if not process.running():
                raise Failed(f"{instance} ended with {process.popen.returncode}:\n"
                             f"{process.last_lines()}")
            return False
        try:
            with urllib.request.urlopen(f"http://{address}/readyz", timeout=2) as answer:
                return answer.status == 200
        except (OSError, urllib.error.URLError):
            return False

    def wait_ready(self, instances=None, seconds=60):
        for instance in instances or list(self.instances):
            try:
                wait_for(f"{instance} to be ready", lambda i=instance: self.ready(i), seconds)
            except Failed as failed:
                raise Failed(f"{failed}\n{self.processes[instance].last_lines()}") from None

    def restart(self, instance, env=None):
        old = self.instances[instance]
        old.stop()
        return self.start_service(old.service, instance, env, old.listen, old.more)

    def api(self, subject):
        return Api(self.gateway_url, self.tokens[subject])

    def stop(self):
        """Ends everything, services first. Answers the names of those that had to be killed or
        ended with another status than 0."""
        bad = []
        services = [p for n, p in self.processes.items() if n in self.instances]
        for process in services:
            process.kill(signal.SIGTERM)
        for process in services:
            if process.popen is not None and process.stop() != 0:
                bad.append(process.name)
        for name, process in reversed(list(self.processes.items())):
            if name not in self.instances:
                process.stop()
        for stop in reversed(self.stops):
            stop()
        return bad

    def leave_nothing(self):
        """What was opened half, and so never closed, ends with this program."""
        if any(process.running() for process in self.processes.values()):
            self.stop()

    # --- small things ---
    @staticmethod
    def listens(port):
        with socket.socket() as s:
            s.settimeout(0.2)
            return s.connect_ex(("127.0.0.1", int(port))) == 0

    @staticmethod
    def read(path):
        try:
            return pathlib.Path(path).read_text().strip()
        except OSError:
            return ""
