"""Who dies when, and how: dice over a lab that has everything of its own twice.

    Doomed   a troubled lab with two of every service, and with one Kafka or three
    Mayhem   moments at which one to three of its parts are killed, frozen or emptied, each of
             which comes back by itself a moment later, others being down or not
"""
import collections
import random
import signal
import subprocess
import threading
import time

import requests
from stage import ROOT, Failed, free_port
from trouble import Troubled

CLUSTER = ROOT / "tests" / "support" / "kafka" / "cluster"
AT_ONCE = 4  # so many may be away at once
AHEAD, PER_DEPLOYMENT, STILL = 12, 2, 60  # kills before the first has ended, for each; seconds


class Doomed(Troubled):
    """See the top of this file."""

    insists = True

    def __init__(self, build, folder, broker, messages):
        super().__init__(build, folder, "embedded" if broker == "embedded" else "kafka", messages)
        self.brokers = 3 if broker == "kafka3" else 1
        self.second_port = free_port()

    def settings(self):
        """A gateway more, which flags are read back from too; topics on all brokers. Who is
        killed again and again is given time: what a deadline does has tests of its own."""
        settings = super().settings()
        for policy in settings["policies"]:
            policy["change_timeout"] = "45m"
        settings["gateway"]["peers"].append(f"http://127.0.0.1:{self.second_port}")
        settings["kafka"]["replication"] = self.brokers
        return settings

    def start_broker(self):
        if self.brokers == 1:
            return super().start_broker()
        done = subprocess.run([CLUSTER, self.stage.folder / "kafka", str(self.brokers),
                               "group.min.session.timeout.ms=1000"],
                              text=True, capture_output=True, check=False)
        if done.returncode != 0:
            raise Failed(f"Kafka did not start: {done.stderr.strip()[-2000:]}")
        self.stage.bootstrap = done.stdout.split()[-1]
        return None

    def start(self, count=1):
        start = self.stage.start_service

        def start_service(name, instance=None, env=None, listen="127.0.0.1:0", more=()):
            if instance == "gateway-2":
                listen = f"127.0.0.1:{self.second_port}"
            return start(name, instance, env, listen, more)
        self.stage.start_service = start_service
        super().start(count)

    def kafka(self, script, *arguments):
        """The broker, or with three all of them."""
        for folder in self.broker_folders():
            self.one_kafka(folder, script, *arguments)

    def broker_folders(self):
        folder = self.stage.folder / "kafka"
        return [folder / str(n + 1) for n in range(self.brokers)] if self.brokers > 1 else [folder]

    def one_kafka(self, folder, script, *arguments):
        subprocess.run([self.stage.kafka_scripts() / script, folder, *arguments], check=True,
                       capture_output=True)

    @staticmethod
    def version_of(name):
        """That deployment brings, of a feature that feature_of() made."""
        return "1." + name.rpartition(".")[0].rpartition("-f")[2]

    def told(self, name):
        """What each gateway tells each of 100 users about the flag, as OpenFeature asks."""
        flag = name.rpartition(".")[0]
        return [self.is_on_at(port, flag, f"user-{n}")
                for port in (self.stage.gateway_port, self.second_port) for n in range(100)]

    def is_on_at(self, port, flag, user):
        answer = requests.post(f"http://127.0.0.1:{port}/ofrep/v1/evaluate/flags/{flag}",
                               json={"context": {"targetingKey": user}}, timeout=15)
        return answer.status_code == 200 and answer.json()["value"] is True


class Mayhem:
    """See the top of this file."""

    def __init__(self, lab, options, ended):
        self.lab, self.options, self.ended = lab, options, ended
        self.rng, self.counted = random.Random(options.seed), collections.Counter()
        self.down, self.threads, self.guard = set(), [], threading.Lock()
        self.began, self.failed = time.monotonic(), []
        brokers = [f"broker-{n + 1}" for n in range(lab.brokers)]
        self.victims = [*sorted(lab.stage.instances), *["redis"] * 2, *brokers]
        self.kept = b""  # of Redis, from a while ago

    def run(self):
        """Until so many were killed; who was only frozen lives. Answers what was done, counted."""
        while self.killed() < self.options.kills and not self.failed:
            time.sleep(self.rng.uniform(0, self.options.every))
            self.let_them_go_on()
            for _ in range(self.rng.randint(1, 3)):
                self.strike()
        for thread in self.threads:
            thread.join()
        if self.failed:
            raise self.failed[0]
        return self.counted

    def let_them_go_on(self):
        """Nothing is shown by killing what stands still, as on a machine that is busy with other
        things: no more kills than a few for each deployment that has come to its end, unless
        nothing ends for a minute."""
        end = time.monotonic() + STILL
        while self.killed() > AHEAD + PER_DEPLOYMENT * len(self.ended) and \
                time.monotonic() < end and not self.failed:
            time.sleep(0.1)

    def killed(self):
        return sum(n for what, n in self.counted.items() if not what.startswith("frozen"))

    def strike(self):
        """One victim, one way. All dice are thrown here, so that the seed is the order."""
        victim, frozen = self.rng.choice(self.victims), self.rng.random() < 0.15
        way, seconds = self.rng.random(), self.rng.uniform(0, 1.5)
        if victim in self.down or len(self.down) >= AT_ONCE or \
                self.killed() >= self.options.kills:
            return
        kind = victim.rpartition("-")[0] or victim
        if frozen and kind != "broker":
            kind, do = f"frozen {kind}", lambda: self.freeze(victim, 4 * seconds)
        elif victim == "redis":
            kind, do = self.of_redis(way, seconds)
        elif kind == "broker":
            do = self.of_broker(victim, seconds)
        else:
            do = lambda: self.of_service(victim, seconds)  # noqa: E731
        self.down.add(victim)
        self.counted[kind] += 1
        print(f"{self.killed()}: {time.monotonic() - self.began:.1f} s, {victim}, {kind}; "
              f"{len(self.ended)} ended", flush=True)
        self.threads.append(threading.Thread(target=self.until_back, args=(victim, do),
                                             daemon=True))
        self.threads[-1].start()

    def until_back(self, victim, do):
        try:
            do()
        except Exception as failed:  # told by run()
            self.failed.append(failed)
        finally:
            with self.guard:
                self.down.discard(victim)

    # --- what is done; each comes back ---
    def freeze(self, victim, seconds):
        process = self.lab.stage.processes[victim]
        process.kill(signal.SIGSTOP)
        time.sleep(seconds)
        process.kill(signal.SIGCONT)

    def of_service(self, victim, seconds):
        self.lab.kill(victim)
        time.sleep(seconds)
        self.lab.revive(victim)

    def of_redis(self, way, seconds):
        """Most often it has all it had; now and then it has lost its newest writes, or all."""
        def again(change):
            self.lab.stop_redis()
            change(self.lab.aof())
            time.sleep(seconds)
            self.lab.start_redis()
        if way < 0.7:
            return "redis", lambda: again(self.keep)
        if way < 0.9:
            return "redis with a lost tail", lambda: again(self.lose_tail)
        return "redis emptied", lambda: again(self.empty)

    def keep(self, file):
        self.kept = file.read_bytes()

    def empty(self, file):
        self.lab.forgets()
        file.write_bytes(b"")

    def lose_tail(self, file):
        """What it wrote since it was last killed, or a tenth of all; cut in the midst of a word."""
        self.lab.forgets()
        whole = file.read_bytes()
        known = self.kept if whole.startswith(self.kept) and self.kept else \
            whole[:len(whole) * 9 // 10]
        file.write_bytes(whole[:(len(known) + len(whole)) // 2])

    def of_broker(self, victim, seconds):
        if self.lab.stage.broker == "embedded":
            def away():
                self.lab.stage.processes["broker"].kill(signal.SIGUSR1)
                time.sleep(seconds)
                self.lab.stage.processes["broker"].kill(signal.SIGUSR2)
            return away
        folder = self.lab.broker_folders()[int(victim.rpartition("-")[2]) - 1]

        def again():
            self.lab.one_kafka(folder, "stop", "KILL")
            time.sleep(seconds)
            self.lab.one_kafka(folder, "start")
        return again
