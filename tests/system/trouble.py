"""A lab in which trouble can be made at a chosen moment.

    Troubled   a Lab whose parts can be killed, frozen, emptied and brought back, and whose people
               are patient: what is not answered is asked again
    Keeper     starts again whatever has died

Who is in trouble is in parade.py, what must be true afterwards in history.py.
"""
import collections
import contextlib
import functools
import os
import select
import signal
import socket
import subprocess
import threading
import time

import redis
import requests
import shopkeeper
import verdict
from history import History
from lab import Lab
from stage import Failed, wait_for

# Seconds; far beyond what anything here takes, so that only a hang meets it.
PATIENCE = float(os.environ.get("SLIPWAY_TEST_PATIENCE", 240))
COORDINATOR = "coordinator-1"
WORKERS = ["prechecks", "executor", "validator", "flag-rollout", "monitor", "notifier"]
COORDINATOR_PLACES = ["after-receive", "before-commit", "after-commit", "after-publish",
                      "after-trim", "after-group-commit"]
WORKER_PLACES = ["worker-after-claim", "worker-before-step", "worker-after-step",
                 "worker-after-report", "worker-after-mark", "worker-before-offset",
                 "worker-after-offset"]
NOTED = """#!/bin/sh
# noted DIRECTORY VERSION FENCE: as restart, and the instance writes down what is done to it.
echo "$(basename "$1") $2 $3 begun $(date +%s%3N)" >> calls
bin/restart "$1" || exit
echo "$(basename "$1") $2 $3 done $(date +%s%3N)" >> calls
"""
STAGED = [{"name": "some", "percent": 20, "min_time": "9m"}, {"name": "all", "percent": 100}]


class Gate:
    """A TCP forwarder that can be closed: then connections are refused, and those there end."""

    def __init__(self, port):
        self.to, self.open, self.ended = port, True, False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while not self.ended:
            with contextlib.suppress(OSError):
                client = self.listener.accept()[0]
                threading.Thread(target=self.forward, args=(client,), daemon=True).start()

    def forward(self, client):
        with client, contextlib.suppress(OSError):
            if not self.open:
                return
            with socket.create_connection(("127.0.0.1", self.to), 2) as server:
                ends = {client: server, server: client}
                while self.open and not self.ended:
                    for end in select.select(list(ends), [], [], 0.1)[0]:
                        data = end.recv(65536)
                        if not data:
                            return
                        ends[end].sendall(data)

    def close(self):
        self.ended = True
        self.listener.close()


class Troubled(Lab):
    """See the top of this file."""

    insists = False  # whether people try again whatever rests
    forgot = ()  # when Redis forgot something, in ms

    def prepare(self):
        (self.stage.folder / "calls").touch()
        self.provider = Gate(self.stage.gateway_port)
        self.stage.stops.append(self.provider.close)
        super().prepare()
        (self.stage.folder / "bin" / "noted").write_text(NOTED)
        (self.stage.folder / "bin" / "noted").chmod(0o755)

    def start(self, count=1):
        self.stage.wait_ready = functools.partial(self.stage.wait_ready, seconds=PATIENCE)
        super().start(count)
        flush = self.redis.flushall

        def flushall():
            self.forgets()
            return flush()
        self.redis.flushall = flushall

    def settings(self):
        """As the lab's, with silent members replaced soon and much patience with what is driven
        again."""
        settings = super().settings()
        if self.stage.broker == "kafka":  # the embedded one takes no less than 6 s
            settings["kafka"]["session"] = "2s"
        settings["gateway"]["peers"] = [f"http://127.0.0.1:{self.provider.port}"]
        for target in settings["targets"]:
            deployer = target["deployer"]
            deployer["restart"] = ["bin/noted", "{directory}", "{version}", "{fence}"]
            deployer["restart_timeout"] = "120s"
        for probe in settings["probes"]:
            probe["timeout"] = "60s"
        for policy in settings["policies"]:
            policy["retry"] = {"drives": 9, "first": "100ms", "max": "500ms", "remeasures": 3}
            policy["change_timeout"] = "150s"
            if policy["name"] == "slow":
                policy["observe"] = "30m"
            for step in policy["steps"].values():
                step.update(task="150s", deadline="1h")
        slow = next(p for p in settings["policies"] if p["name"] == "slow")
        settings["policies"].append({**slow, "name": "punctual", "steps": {
            **slow["steps"], 7: {**slow["steps"][7], "deadline": "4s", "task": "3s"}}})
        blocking = next(p for p in settings["policies"] if p["name"] == "blocking")
        settings["policies"].append({**blocking, "name": "curt", "retry": {
            **blocking["retry"], "drives": 1}})
        return settings

    def start_broker(self):
        """As the stage's; its Kafka lets sessions be short."""
        stage = self.stage
        if stage.broker != "kafka":
            return stage.start_broker()
        done = subprocess.run([stage.kafka_scripts() / "start", stage.folder / "kafka",
                               "group.min.session.timeout.ms=1000"],
                              text=True, capture_output=True)
        if done.returncode != 0:
            raise Failed(f"Kafka did not start: {done.stderr.strip()[-2000:]}")
        stage.bootstrap = done.stdout.split()[-1]
        return None

    def close(self):
        for service in self.services.values():
            service.holding.clear()
        for process in self.stage.instances.values():
            process.kill(signal.SIGCONT)
        try:
            return super().close()
        finally:
            if self.stage.broker == "kafka":
                self.kafka("stop")

    # --- asking while something is down ---
    def http(self, method, path, who="rel", body=None, headers=None, **more):
        """Asked again while nobody answers or the one who does has no store: at most PATIENCE."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                answer = super().http(method, path, who, body, headers, **more)
                if answer.status_code not in (502, 503, 504) or time.monotonic() > end:
                    return answer
            except requests.RequestException:
                if time.monotonic() > end:
                    raise
            time.sleep(0.2)

    def submit(self, feature, who="ci/quickstart"):
        end = time.monotonic() + PATIENCE
        while True:
            try:
                return super().submit(feature, who)
            except (AssertionError, Failed):
                if time.monotonic() > end:
                    raise

    def request(self, name, role, body, reason="test", version=None):
        wait_for(f"{name} to be known", lambda: self.deployment(name), PATIENCE, 0.2)
        try:
            return super().request(name, role, body, reason, version)
        except TypeError:  # emptied meanwhile
            return self.request(name, role, body, reason, version)

    def do(self, name, role, body, done):
        """A request that is said again until done() of the deployment's state."""
        end = time.monotonic() + PATIENCE
        while True:
            state = self.deployment(name)
            if state and done(state):
                return state
            if time.monotonic() > end:
                raise Failed(f"{body} was not done: {self.why(state)}")
            answer = self.request(name, role, body)
            time.sleep(0.05 if answer.status_code == 200 else 0.3)

    def approve(self, name, roles=("technical-lead", "devops-lead"), accept=()):
        plan = self.wait(name, lambda s: s["plan"] and
                         s["phase"] not in ("AWAITING_INPUTS", "PLANNING"))["plan"]
        for role in roles:
            def given(state, role=role):
                return state["phase"] != "IN_REVIEW" or any(
                    a["role"] == role and a["given"] for a in state["approvals"])
            self.do(name, role, {"approve": {
                "plan_hash": plan["hash"],
                "accept_no_return": list(accept)}}, given)

    def wait(self, name, condition, seconds=PATIENCE, people=False, but=()):
        """As World's; whoever is still waited for after a while says it again, for a late word
        may have been refused for the version it named."""
        end, done, again = time.monotonic() + seconds, set(), time.monotonic() + 3
        while True:
            state = self.deployment(name)
            if state and condition(state):
                return state
            if state and state["exit"]:
                raise Failed(f"{name} ended {state['exit']}: {self.why(state)}")
            if time.monotonic() > end:
                raise Failed(f"waited {seconds:.0f} s for {name}: {self.why(state)}")
            if time.monotonic() > again:
                done.clear()
                again = time.monotonic() + 3
            if state and self.insists and self.rests(state):
                self.request(name, "release-engineer", {"retry": {}})
            elif state and people:
                self.people(name, state, done, but)
            time.sleep(0.1)

    @staticmethod
    def rests(state):
        """Whether it goes on when it is told to try again, what was away being back."""
        return state["phase"] in ("BLOCKED", "BLOCKED_ROLLBACK") or (
            state["phase"] == "AWAITING_INPUTS" and state["missing"])

    def wait_exit(self, name, exit_state, seconds=PATIENCE, people=True, but=()):
        return self.wait(name, lambda s: s["exit"] == exit_state, seconds, people, but)

    def wait_phase(self, name, *phases, seconds=PATIENCE, people=False, but=()):
        return self.wait(name, lambda s: s["phase"] in phases, seconds, people, but)

    # --- deployments ---
    def rolling(self, service, **changes):
        """One that stays in its first stage, its flag granted, until somebody ends that."""
        name = self.begin(service, **{"rollout": STAGED, **changes})
        self.wait_granted(name)
        return name

    def wait_granted(self, name):
        """Until that one is in its first stage, and the gateway has heard of it."""
        self.wait(name, lambda s: s["phase"] == "ROLLING_OUT" and s["percent"] == 20)
        wait_for("the flag to be granted",
                 lambda: self.flag(name).get("state") == "GRANTED", PATIENCE)

    def called(self, service, name, number=2):
        """Whether that instance of the service was told to restart with what `name` brings."""
        version = "1." + name.rpartition(".")[0].rpartition("-f")[2]
        return f"{service.name}-{number} {version} " in (self.stage.folder / "calls").read_text()

    def promote(self, name):
        self.do(name, "release-engineer", {"promote": {}},
                lambda s: s["exit"] or s["percent"] != 20)

    @contextlib.contextmanager
    def some(self, count=1):
        """So many services that no other test uses; given back where all went well."""
        taken = [self.take() for _ in range(count)]
        yield taken
        for service in taken:
            self.give_back(service)

    # --- killing and bringing back ---
    def kill(self, *instances, sig=signal.SIGKILL):
        for instance in instances:
            self.stage.instances[instance].kill(sig)
        if sig == signal.SIGKILL:
            for instance in instances:
                self.stage.instances[instance].popen.wait()

    def revive(self, *instances, env=None, more=None):
        for instance in instances:
            old = self.stage.instances[instance]
            assert not old.running()
            self.stage.start_service(old.service, instance, env or {}, old.listen,
                                     old.more if more is None else more)

    def again(self, *instances):
        self.kill(*instances)
        self.revive(*instances)

    @contextlib.contextmanager
    def seconds(self, *services):
        """A further instance of each service for as long as inside."""
        names = [f"{service}-9" for service in services]
        for service, name in zip(services, names):
            self.stage.start_service(service, name)
        self.stage.wait_ready(names)
        yield names
        for name in names:
            process = self.stage.instances[name]
            if process.running():
                assert process.stop() == 0, f"{name} did not stop cleanly"
            del self.stage.instances[name]

    def stop_redis(self, sig=signal.SIGKILL):
        process = self.stage.processes["redis"]
        process.kill(sig)
        process.popen.wait()

    def start_redis(self):
        self.stage.start_redis()
        wait_for("Redis to answer", self.redis_answers, PATIENCE)

    def redis_answers(self):
        try:
            return self.redis.ping()
        except redis.RedisError:
            return False

    def aof(self):
        """The file of Redis that newest writes go to."""
        return max((self.stage.folder / "redis" / "appendonlydir").glob("*.incr.aof"),
                   key=lambda path: path.stat().st_mtime)

    def kafka(self, script, *arguments):
        subprocess.run([self.stage.kafka_scripts() / script, self.stage.folder / "kafka",
                        *arguments], check=True, capture_output=True)

    @contextlib.contextmanager
    def no_broker(self, how="TERM"):
        """Kafka is away for as long as inside. The embedded one only closes its door."""
        if self.stage.broker == "embedded":
            self.stage.processes["broker"].kill(signal.SIGUSR1)
            yield
            self.stage.processes["broker"].kill(signal.SIGUSR2)
        else:
            self.kafka("stop", how)
            yield
            self.start_broker()

    # --- alerts, kills, flags ---
    @contextlib.contextmanager
    def alerting(self, service, name="Any"):
        """An alert that fires from now on and is resolved at the end."""
        self.alert(service, name)
        yield
        self.alert(service, name, "resolved")
        wait_for("alerts to be over", lambda: not any(
            a["service"] == service.name for a in self.get("/v1/alerts").json()["items"]), PATIENCE)

    def wait_no_alert(self):
        wait_for("alerts to be over", lambda: not self.get("/v1/alerts").json()["items"], PATIENCE)

    def flag(self, name):
        return self.get(f"/v1/flags/production/{name.rpartition('.')[0]}").json()

    def kill_flag(self, name):
        answer = self.http("POST", f"/v1/flags/production/{name.rpartition('.')[0]}/kill", "rel",
                           {"reason": "test"})
        assert answer.status_code in (200, 202), answer.text

    def anybody(self, name):
        """Whether the flag is on for any of 100 users."""
        flag = name.rpartition(".")[0]
        return any(shopkeeper.is_on(self.stage, flag, f"user-{n}") for n in range(100))

    def forgets(self):
        """To be called when Redis is about to lose something."""
        self.forgot = (*self.forgot, time.time() * 1000)

    # --- afterwards ---
    def history(self):
        history = History(self.stage.bootstrap, self.messages, self.stage.folder / "keys",
                          self.stage.folder / "calls")
        history.forgot = self.forgot
        return history

    def verdicts(self, history, names):
        """What the simulation's judge says is broken where those deployments are."""
        return verdict.verdicts(history, self.stage.build, self.stage.folder, names,
                                bool(self.forgot))

    def audit(self, *names, history=None):
        """Nothing of those deployments must never have happened; stopped flags are off. A record
        may still be on its way: asked for a while."""
        def faults():
            now = history or self.history()
            found.append(now.faults(only=names) or self.verdicts(now, names))
            return not found[-1]
        found = []
        with contextlib.suppress(Failed):
            wait_for("the history to be complete", faults, 0 if history else 10, 0.5)
        assert not found[-1], "\n".join(found[-1])
        for name in names:
            if self.deployment(name)["exit"] != "COMPLETED":
                assert not self.anybody(name), f"{name} is on for somebody"

    def tidy(self):
        """After a test that broke off: nothing is held, everything runs."""
        for service in self.services.values():
            service.holding.clear()
            service.wait(False)
            service.refuse(False)
        self.provider.open = True
        if not self.stage.processes["redis"].running():
            self.start_redis()
        for name, process in list(self.stage.instances.items()):
            process.kill(signal.SIGCONT)
            if not process.running():
                self.revive(name)
        self.stage.wait_ready()


class Keeper(threading.Thread):
    """Starts instances again when they have died; the nth life with the nth place to die at,
    later ones with none. `died` has, of each, the places that it died at."""

    def __init__(self, lab, lives):
        super().__init__(daemon=True)
        self.stage, self.lives = lab.stage, {name: list(each) for name, each in lives.items()}
        self.died, self.ended, self.at = collections.defaultdict(list), threading.Event(), {}

    def __enter__(self):
        for name in self.lives:
            self.stage.instances[name].stop()
            self.bear(name)
        self.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join()
        for name, place in self.at.items():  # the next test begins with one that means to live
            if place:
                self.lives[name] = []
                self.stage.instances[name].stop()
                self.bear(name)

    def bear(self, name):
        old = self.stage.instances[name]
        self.at[name] = place = self.lives[name].pop(0) if self.lives[name] else None
        env = {"SLIPWAY_CRASH_AT": place} if place else {}
        self.stage.start_service(old.service, name, env, old.listen, old.more)

    def run(self):
        while not self.ended.wait(0.05):
            for name in self.lives:
                if not self.stage.instances[name].running():
                    self.died[name].append(self.at[name])
                    self.bear(name)

    def all_died(self):
        return all(not lives and not self.at[name] for name, lives in self.lives.items())
