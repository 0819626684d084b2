"""Every place where a process can be made to die, in every step in which it can come there.

    PLACES   what each place of `--crash-places` can have in hand, and why it cannot have the rest
    Reaper   lets instances die, each life at the next cell of the matrix, and brings them back
    Matrix   deployments that bring the processes to those cells, and what must be true afterwards

A cell is (instance, place, column); columns are the steps 0 to 7, `undo`, `lane` for what is said
of a lane itself, and `any` where a place knows no deployment.
"""
import collections
import concurrent.futures
import hashlib
import hmac
import random
import struct
import threading
import time
import traceback
import uuid

import parade
import requests
import yaml
from stage import wait_for
from trouble import PATIENCE, STAGED, Troubled

STEPS = tuple("01234567")
COLUMNS = (*STEPS, "undo", "lane", "any")
WATCHED = {"prechecks": "1", "executor": ("2", "undo"), "validator": "235",
           "flag-rollout": ("4", "5", "undo"), "monitor": "246", "notifier": "01234567"}
OF_WORKER = {"prechecks": "it works in step 1", "executor": "it works in 2 and takes back",
             "validator": "it works in 2, 3 and 5", "monitor": "it watches in 2, 4 and 6",
             "flag-rollout": "it sets flags in 4 and 5 and takes back",
             "notifier": "an announcement says in which step it was made, also of an undo"}
NO_LANE = "a lane is no deployment, and not asked about here"


class Place:
    """What a place can have in hand; `why` says of every other column why not."""

    def __init__(self, columns, why, **other):
        self.columns, self.why, self.other = tuple(columns), why, other

    def reason(self, column):
        if column in self.columns:
            return None
        if column == "any":
            return "it is always about a deployment"
        return self.other.get(column, self.why)


BATCH = Place((*STEPS, "undo", "lane"), "")
DEPLOYMENTS = Place((*STEPS, "undo"), NO_LANE)
ANY = Place(("any",), "it knows no deployment")
ALERT = Place(("1", "2", "3", "4", "5", "6", "7", "undo"),
              "who has changed nothing is not to blame")
ASKED = Place((*STEPS, "undo"), NO_LANE)
DEPLOYER = Place(("2", "undo"), "instances are changed in 2 and taken back")
FLAGS = Place(("4", "5", "undo"), "flags are set in 4, turned off in 5 and taken back")

PLACES = {
    "after-receive": DEPLOYMENTS,
    **dict.fromkeys(("before-commit", "after-commit", "after-publish", "after-trim"), BATCH),
    "after-control": Place(("4", "5", "undo"),
                           "flags are granted in 4, turned off in 5; a latch is an undo's"),
    "after-group-commit": DEPLOYMENTS,
    "intake-after-publish": Place("0", "an acceptance has no deployment yet"),
    "intake-after-offset": Place("0", "an acceptance has no deployment yet"),
    "timers-after-publish": DEPLOYMENTS,
    "leases-after-publish": Place(("1", "2", "3", "4", "5", "6", "7", "undo"),
                                  "there is no task before step 1"),
    "kills-after-publish": Place(STEPS, "what is taken back is latched already"),
    "holds-after-publish": Place(STEPS, "nothing holds an undo"),
    **dict.fromkeys(("genesis-after-publish", "adopt-after-commit", "skip-after-publish"), ANY),
    **dict.fromkeys(("takeover-after-clean", "takeover-after-owner", "takeover-after-ready"), ANY),
    "takeover-after-publish": DEPLOYMENTS,
    "worker-after-letter": ANY,
    **{place: None for place in (
        "worker-after-claim", "worker-before-step", "worker-after-step", "worker-after-report",
        "worker-after-mark", "worker-before-offset", "worker-after-offset")},
    **dict.fromkeys(("executor-before-act", "executor-after-act", "deployer-after-stage",
                     "deployer-after-mark", "deployer-after-link", "deployer-after-act"),
                    DEPLOYER),
    **dict.fromkeys(("flags-before-set", "flags-after-set", "flags-after-read-back"), FLAGS),
    **dict.fromkeys(("watch-after-incident", "watch-after-keep"),
                    Place("246", "it watches in 2, 4 and 6")),
    **dict.fromkeys(("alerts-before-tell", "alerts-after-tell", "alerts-after-keep",
                     "alerts-after-offset"), ALERT),
    "alerts-after-latch": Place("234567", "it latches what has changed something and is not "
                                "latched"),
    **dict.fromkeys(("notice-before-send", "notice-after-send"),
                    Place(STEPS, OF_WORKER["notifier"])),
    **dict.fromkeys(("jira-after-note", "jira-after-comment", "jira-after-transition",
                     "document-after-publish"), Place("7", "tickets and documents are step 7's")),
    **dict.fromkeys(("gateway-before-publish", "gateway-after-publish",
                     "gateway-after-remember"), ASKED),
    "gateway-after-latch": Place("4567", "a flag is known once it was granted; what is taken back "
                                 "is latched already"),
}
THIN = 3
AT_ONCE, BROKEN_MAX = 2, 20  # walks about one cell; after so many broken ones it gives up
# Told by whichever coordinator has the partition then, a lease later: too slow for the thin matrix.
BY_CHANCE = ("timers-after-publish", "leases-after-publish")
# Not on anybody's way: see Matrix.by_hand.
BY_HAND = ("genesis-after-publish", "adopt-after-commit", "skip-after-publish")
ALONE = "takeover-after-clean"
BEFORE_COMMIT = ("after-receive", "before-commit")  # three deaths at one record put it aside
Cell = collections.namedtuple("Cell", "instance place column")


def place_of(place, service):
    """The Place for that service: a worker's own steps are its own."""
    return PLACES[place] or Place(WATCHED[service], OF_WORKER[service])


def whose(who):
    """The instances whose turn it is at the places of that service."""
    if who == "worker":
        return [f"{worker}-1" for worker in WATCHED]
    return {"coordinator": ["coordinator-1", "coordinator-2"], "gateway": ["gateway-2"]}.get(
        who, [f"{who}-1"])


def cells_of(listed, thin=None):
    """instance -> its cells in an order that puts no healthy record aside. `listed`: lines of
    --crash-places. thin: a number, of which it depends which third of the places is taken, each
    in one step, and in which."""
    cells, turn = collections.defaultdict(list), thin or 0
    for place, who, _ in listed:
        for at, instance in enumerate(whose(who)[:1] if place in BY_HAND else whose(who)):
            columns = place_of(place, instance.rpartition("-")[0]).columns
            if who == "coordinator":
                columns = [c for n, c in enumerate(columns)
                           if (0 if place in BEFORE_COMMIT else n % 2) == at]
            if thin is not None and place in BY_CHANCE:
                continue
            if thin is not None:
                turn += 1
                columns = columns and [columns[turn // THIN % len(columns)]]
                columns = columns if turn % THIN == 0 else []
            cells[instance] += [Cell(instance, place, column) for column in columns]
    for instance, each in cells.items():
        early = [c for c in each if c.place in BEFORE_COMMIT]
        late = [c for c in each if c.place not in BEFORE_COMMIT]
        random.Random(instance).shuffle(late)
        cells[instance] = [c for pair in zip(early, late) for c in pair] + late[len(early):]
    return {instance: each for instance, each in cells.items() if each}


def armed_at(cell):
    known = cell.column != "any" and not cell.instance.startswith("gateway")
    return cell.place + (f"@{cell.column}" if known else "")


class Reaper(threading.Thread):
    """See the top of this file. `hit` has the cells died at, with the seconds that took."""

    LONG_S, SHORT_S = 150, 20

    def __init__(self, lab, cells):
        super().__init__(daemon=True)
        workers = {f"{worker}-1": [] for worker in WATCHED}  # may be shot, cells or none
        self.stage, self.left = lab.stage, {**workers, **{
            i: [cell for cell in c if cell.place not in BY_HAND] for i, c in cells.items()}}
        self.armed, self.born, self.tries = {}, {}, collections.Counter()
        self.hit, self.missed, self.broken = {}, [], []
        self.shot, self.ended, self.lock = set(), threading.Event(), threading.RLock()

    def __enter__(self):
        for instance in self.left:
            self.stage.instances[instance].stop()
            self.bear(instance)
        self.start()
        return self

    def __exit__(self, *_):
        self.spare()
        self.ended.set()
        self.join()

    def spare(self):
        """From now on nobody dies of a cell; what has died is still brought back."""
        with self.lock:
            for instance, cell in self.armed.items():
                self.left[instance] = []
                if cell:
                    self.shoot(instance)
                    self.shot.discard(instance)
                    self.bear(instance)

    def bear(self, instance, cell=None):
        """The next life, at whose end the next cell, or that one again, is waiting."""
        with self.lock:
            if cell is None and self.left[instance]:
                cell = self.left[instance].pop(0)
            self.armed[instance], self.born[instance] = cell, time.monotonic()
            old = self.stage.instances[instance]
            self.stage.start_service(
                old.service, instance, {"SLIPWAY_CRASH_AT": armed_at(cell)} if cell else {},
                old.listen,
                ["--rebuild"] if cell and cell.place == "takeover-after-clean" else [])

    def run(self):
        while not self.ended.wait(0.05):
            for instance in self.left:
                with self.lock:
                    self.look_at(instance)

    def stands_aside(self, instance):
        """Whether another wants to be alone: nothing is folded anew beside a second coordinator."""
        return instance.startswith("coordinator") and any(
            cell and cell.place == ALONE for other, cell in self.armed.items() if other != instance)

    def look_at(self, instance):
        process, cell = self.stage.instances[instance], self.armed[instance]
        age = time.monotonic() - self.born[instance]
        if self.stands_aside(instance):
            self.shoot(instance)
            if instance in self.shot:
                return
        if process.running():
            if cell and age > (self.SHORT_S if "takeover" in cell.place else self.LONG_S):
                self.give_up(instance, cell)
            return
        if instance in self.shot:
            self.shot.discard(instance)
            self.bear(instance, cell)
            return
        if process.popen.returncode != -9:
            self.broken.append(f"{instance} ended with {process.popen.returncode} at {cell}: "
                               f"{process.last_lines(8)}")
        elif cell:
            self.hit[cell] = age
        self.bear(instance)

    def give_up(self, instance, cell):
        """It did not come there. A take-over is tried again at once; others at the end."""
        self.tries[cell] += 1
        self.stage.instances[instance].kill()
        self.stage.instances[instance].popen.wait()
        if self.tries[cell] < 20 and "takeover" in cell.place:
            self.bear(instance, cell)
            return
        if self.tries[cell] < 3:
            self.left[instance].append(cell)
        else:
            self.missed.append(cell)
        self.bear(instance)

    def shoot(self, instance):
        """It dies now, for another reason than its cell."""
        with self.lock:
            process = self.stage.instances[instance]
            if instance in self.armed and process.running():
                self.shot.add(instance)
                process.kill()
                process.popen.wait()

    def wanted(self):
        with self.lock:
            return [cell for cell in self.armed.values() if cell]

    def is_wanted(self, cell):
        return self.armed.get(cell.instance) == cell

    def over(self):
        with self.lock:
            return not self.wanted() and not any(self.left.values())


class Everybody:
    """Of whom nobody answers."""

    def __contains__(self, _):
        return True


class Crashing(Troubled):
    """A lab with two coordinators, a gateway to kill, and a policy with time to look at a batch."""

    insists = True

    def settings(self):
        settings = super().settings()
        quick = next(p for p in settings["policies"] if p["name"] == "quick")
        settings["policies"].append({**quick, "name": "baking", "bake": "4s"})
        for policy in settings["policies"]:
            # Whose worker has died ten times in a row waits for a person, who insists.
            if policy["name"] != "stopping":
                policy["steps"] = {**policy["steps"],
                                   2: {**policy["steps"][2], "on_no_go": "block"}}
        return settings

    def wait(self, name, condition, seconds=PATIENCE, people=False, but=()):
        """Whoever waits, somebody tries again what rests."""
        return super().wait(name, condition, seconds, True, but if people else Everybody())

    def people(self, name, state, done, but=()):
        """A period that was cut up by deaths may have to be begun, and ended early, again."""
        if name in self.hurried and state["phase"] == "OBSERVING":
            self.request(name, "release-engineer", {"promote": {}})
        super().people(name, state, done, but)

    def start(self, count=1):
        """The first life of the first coordinator ends when a log has begun."""
        self.die_of("genesis-after-publish")
        super().start(count)

    def die_of(self, place, *more):
        """The first coordinator lives until it comes to that place; the seconds that took."""
        began = time.monotonic()
        process = self.stage.start_service("coordinator", "coordinator-1",
                                           {"SLIPWAY_CRASH_AT": place}, more=more)
        assert process.popen.wait(PATIENCE) == -9, process.last_lines(8)
        return time.monotonic() - began

    def open(self, count=1, settings=None):
        self.hurried = set()
        super().open(count, settings)
        self.stage.start_service("coordinator", "coordinator-2")
        self.stage.start_service("gateway", "gateway-2")
        self.stage.wait_ready()

    def at_other_gateway(self, method, path, who, body, headers=None):
        """One call to the gateway that is to die of it; None when nobody answered."""
        url = f"http://{self.stage.address('gateway-2')}{path}"
        headers = {"Authorization": f"Bearer {self.stage.tokens[who]}", **(headers or {})}
        try:
            said = {"data" if isinstance(body, str) else "json": body}
            return requests.request(method, url, headers=headers, timeout=15, **said)
        except requests.RequestException:
            return None

    def latch(self, name):
        """The latch of `slipway flags kill --direct`: written by an operator's gateway key."""
        control = self.messages.Control()
        control.kill.deployment, control.kill.environment = name, "production"
        control.kill.flags.append(name.rpartition(".")[0])
        control.kill.reason, control.kill.actor.subject = "by hand", "rel"
        control.kill.at_ms = int(time.time() * 1000)
        key = f"kill/{name}"
        secret = bytes.fromhex((self.stage.folder / "keys" / "gateway.key").read_text())
        headers = {**self.cloudevent("slipway.v1.Control", key), "ce_writer": "gateway"}
        mac, value = hmac.new(secret, digestmod=hashlib.sha256), control.SerializeToString()
        for piece in (b"control.v1", key.encode(), key.encode(),
                      headers["ce_type"].encode(), b"gateway", value):
            mac.update(struct.pack(">Q", len(piece)) + piece)
        self.publish("control.v1", value, key, {**headers, "ce_mac": mac.hexdigest()})


POSTS = {"0": parade.InReview, "1": parade.Checking, "2": parade.Executing,
         "3": parade.Validating, "4": parade.RollingOut, "5": parade.Confirming,
         "6": parade.Observing, "7": parade.Finalising, "undo": parade.RollingBack}


class Walk:
    """One deployment that brings a process to a cell; every way ends in an exit that is known."""

    def __init__(self, lab, reaper, service, cell):
        self.lab, self.reaper, self.service, self.cell = lab, reaper, service, cell
        self.name = None

    def go(self):
        """(deployment, its exit); None where none was begun."""
        way = getattr(self, "at_" + self.cell.place.partition("-")[0], None)
        post = POSTS.get(self.cell.column)
        self.post = post(self.lab, self.service) if post else None
        expected = way() if way else self.pass_by()
        if expected:
            self.lab.wait_exit(self.name, expected)
        return self.name, expected

    # --- coming to rest, and going on ---
    def park(self):
        self.post.park()
        self.name = self.post.name
        self.lab.wait(self.name, lambda s: s["phase"] == self.post.phase, people=True,
                      but=self.post.but)

    def release(self):
        self.service.holding.clear()
        self.service.failing.clear()
        self.service.errors = 0
        self.service.wait(False)

    def go_on(self):
        """As if nothing had been."""
        if self.cell.column == "6":
            self.lab.hurried.add(self.name)
        else:
            self.post.go()
        return self.post.exit

    def until_hit(self, seconds=20):
        end = time.monotonic() + seconds
        while self.reaper.is_wanted(self.cell) and time.monotonic() < end:
            time.sleep(0.1)

    def ask(self, body, done):
        self.lab.do(self.name, "release-engineer", body, done)

    def complete(self, **changes):
        self.name = self.lab.begin(self.service, **changes)
        return "COMPLETED"

    def stop(self, what="abort"):
        """Parked in the cell's step, and taken back from there by a request."""
        self.park()
        self.ask({what: {}}, lambda s: s["exit"] or s["latched"])
        self.release()
        return "ROLLED_BACK" if what == "rollback" else "ABORTED"

    # --- ways ---
    def pass_by(self):
        """What every deployment does there."""
        if self.cell.column == "undo":
            self.name = self.lab.rolling(self.service)
            self.ask({"rollback": {}}, lambda s: s["latched"])
            return "ROLLED_BACK"
        return self.complete()

    at_before = at_after = at_executor = at_deployer = at_jira = at_document = pass_by

    def at_flags(self):
        return self.disabled() if self.cell.column == "5" else self.pass_by()

    def at_after(self):
        return self.at_flags() if self.cell.place == "after-control" else self.pass_by()

    def disabled(self):
        """Step 5 says No, flags go off for the time being, and are on again after a retry."""
        self.service.failing.add("feature")
        self.complete(policy="blocking")
        self.lab.wait(self.name, lambda s: s["phase"] == "BLOCKED" and s["step"] == 5, people=True)
        self.release()
        return "COMPLETED"

    def at_worker(self):
        if self.cell.column == "any":
            worker = self.cell.instance.rpartition("-")[0]
            self.lab.publish(f"commands.{worker}.v1", b"rubbish", "x",
                             self.lab.cloudevent("slipway.v1.Command"))
            self.until_hit(5)
            return None
        return self.at_notice() if self.cell.instance == "notifier-1" else self.at_flags()

    def at_notice(self):
        """What was stopped in a step is announced as of that step."""
        return self.complete() if self.cell.column == "7" else self.stop()

    def at_intake(self):
        return self.complete()

    def at_timers(self):
        if self.cell.column == "0":
            self.name = self.lab.submit(self.lab.feature_of(self.service, policy="hasty"))
            return "ABORTED"
        if self.cell.column == "7":  # its deadline: then it rests, and is told to try again
            self.name = self.lab.begin(self.service, policy="punctual")
            self.lab.hurried.add(self.name)
            self.lab.wait(self.name, lambda s: s["exit"] or (s["phase"], s["step"]) == (
                "BLOCKED", 7), people=True, but=parade.Finalising.but)
            return "COMPLETED"
        return self.orphan()

    def orphan(self):
        """Whoever is at its task dies in it: the task is lost, and driven again."""
        if self.cell.column == "7":
            self.name = self.lab.begin(self.service)
            self.lab.wait(self.name, lambda s: s["exit"] or s["phase"] == "FINALISING",
                          people=True)
            self.reaper.shoot("notifier-1")
            return "COMPLETED"
        worker = {"1": "prechecks", "2": "executor", "3": "validator", "4": "monitor",
                  "5": "validator", "6": "monitor", "undo": "executor"}[self.cell.column]
        self.park()
        self.reaper.shoot(f"{worker}-1")
        self.until_hit(40)
        return self.go_on()

    at_leases = orphan

    def at_kills(self):
        self.park()
        self.lab.latch(self.name)
        self.lab.wait(self.name, lambda s: s["exit"] or s["latched"] or s["stop"])
        self.release()
        return "ABORTED" if self.cell.column in "01" else "ROLLED_BACK"

    def at_holds(self):
        self.park()
        answer = self.lab.http("POST", "/v1/freezes", "olga", {
            "scope": f"production/{self.service.name}", "reason": "test",
            "to_ms": int(time.time() * 1000) + 3600000})
        assert answer.status_code == 201, answer.text
        self.lab.wait(self.name, lambda s: any(h["kind"] == "FREEZE" for h in s["holds"]))
        self.until_hit(10)
        answer = self.lab.http("DELETE", f"/v1/freezes/{answer.json()['id']}", "olga")
        assert answer.status_code in (200, 404), answer.text
        return self.go_on()

    def at_takeover(self):
        if self.cell.column == "any":
            return self.complete()
        self.park()
        self.until_hit(90)
        return self.go_on()

    def at_watch(self):
        if self.cell.place == "watch-after-keep":
            return self.complete()
        if self.cell.column == "2":
            self.service.errors = 1000
            self.name = self.lab.begin(self.service, policy="baking")
        else:
            self.park()
            self.service.errors = 1000
        self.lab.wait(self.name, lambda s: s["exit"] or s["latched"])
        self.release()
        return "ROLLED_BACK"

    def at_alerts(self):
        direct = self.cell.place == "alerts-after-latch"
        self.park()
        with self.lab.alerting(self.service, "Direct" if direct else "Any"):
            self.lab.wait(self.name, lambda s: s["exit"] or s["latched"] or
                          s["phase"] == "BLOCKED" or s["incidents"])
            self.release()
            wait_for("the alert to be kept", lambda: any(  # else it would meet the next one here
                a["service"] == self.service.name
                for a in self.lab.get("/v1/alerts").json()["items"]), PATIENCE)
            if self.cell.column != "1":
                self.lab.wait_exit(self.name, "ROLLED_BACK")
        return "COMPLETED" if self.cell.column == "1" else "ROLLED_BACK"

    def at_gateway(self):
        if self.cell.place == "gateway-after-latch":
            return self.kill_at_gateway()
        if self.cell.column == "0" and self.cell.place != "gateway-after-remember":
            return self.hand_in_at_gateway()
        self.park()
        body = {"request": str(uuid.uuid4()), "role": "release-engineer", "reason": "test",
                "pause": {}}
        for _ in range(20):
            body["expected_version"] = self.lab.deployment(self.name)["version"]
            path = f"/v1/deployments/{self.name}/requests"
            first = self.lab.at_other_gateway("POST", path, "rel", body)
            again = self.lab.http("POST", path, "rel", body, {"Prefer": "wait=5"})
            if again.status_code != 412 and not self.reaper.is_wanted(self.cell):
                break
            body["request"] = str(uuid.uuid4())
            time.sleep(0.2)
        else:
            raise AssertionError(f"{self.cell}: {first}, then {again.status_code} {again.text}")
        assert again.status_code in (200, 202, 409), again.text
        if self.cell.column != "undo":  # of those asked, some may not have been heard yet
            self.ask({"pause": {}}, lambda s: s["holds"])
            self.ask({"resume": {}}, lambda s: not s["holds"])
        return self.go_on()

    def hand_in_at_gateway(self):
        """Handed in twice, for nobody answered the first time: one attempt."""
        feature = self.lab.feature_of(self.service)
        while self.reaper.is_wanted(self.cell):
            self.lab.at_other_gateway("POST", "/v1/deployments", "ci/quickstart",
                                      yaml.safe_dump(feature),
                                      {"Content-Type": "application/yaml"})
            time.sleep(0.2)
        self.lab.hand_in(feature)
        wait_for("it to be taken up", lambda: self.lab.deployment(feature["feature"]), PATIENCE)
        self.name = f"{feature['feature']}.1"
        self.lab.approve(self.name)
        return "COMPLETED"

    def kill_at_gateway(self):
        self.park()
        if self.cell.column == "4":
            self.lab.wait_granted(self.name)
        feature = self.name.rpartition(".")[0]
        path = f"/v1/flags/production/{feature}/kill"
        for _ in range(50):
            answer = self.lab.at_other_gateway("POST", path, "rel", {"reason": "test"})
            if not self.reaper.is_wanted(self.cell) or (answer is not None and answer.ok):
                break
            time.sleep(0.2)  # a gateway that has just begun may not have read of the flag yet
        wait_for("nobody to see it", lambda: not self.lab.anybody(self.name), PATIENCE)
        self.lab.wait(self.name, lambda s: s["exit"] or s["latched"])
        self.release()
        return "ROLLED_BACK"


class Matrix:
    """See the top of this file."""

    def __init__(self, lab, cells, walkers=10, seconds=3600, say=print):
        self.lab, self.cells, self.walkers, self.say = lab, cells, walkers, say
        self.seconds = seconds
        self.exits, self.broken, self.lock = {}, [], threading.Lock()
        self.busy, self.stopped = collections.Counter(), False

    def run(self):
        began = time.monotonic()
        with Reaper(self.lab, self.cells) as self.reaper, \
                concurrent.futures.ThreadPoolExecutor(self.walkers) as pool:
            for _ in range(self.walkers):
                pool.submit(self.walk)
            seen = 0
            while not self.reaper.over() and len(self.broken) < BROKEN_MAX and \
                    time.monotonic() - began < self.seconds:
                time.sleep(1)
                if len(self.reaper.hit) >= seen + 10 or \
                        len(self.reaper.hit) > seen and len(self.reaper.wanted()) < 5:
                    seen = len(self.reaper.hit)
                    self.say(f"{time.monotonic() - began:.0f} s: {seen} of "
                             f"{sum(map(len, self.cells.values()))} cells hit, "
                             f"{len(self.exits)} ended, {len(self.broken)} broken; waits for " +
                             ", ".join(f"{c.instance} {armed_at(c)}"
                                       for c in self.reaper.wanted()))
            self.stopped = True
            self.reaper.spare()
        self.lab.stage.wait_ready()
        for cell in self.cells.get("coordinator-1", ()):
            if cell.place in BY_HAND:
                self.by_hand(cell)

    def by_hand(self, cell):
        """What only an operator or a bad night brings about, with nobody else there."""
        if cell.place == "genesis-after-publish":  # of that the lab's first coordinator died
            self.reaper.hit[cell] = 0.0
            return
        service = self.lab.take()
        name = self.lab.submit(self.lab.feature_of(service))
        plan = self.lab.wait_phase(name, "IN_REVIEW")["plan"]["hash"]
        wait_for("nothing more to be said", self.is_still, PATIENCE)
        self.lab.kill("coordinator-1", "coordinator-2")
        if cell.place == "adopt-after-commit":
            for key in self.lab.redis.scan_iter("slipway:{*}:log"):
                self.lab.redis.hincrby(key, "offset", 1000)
            self.reaper.hit[cell] = self.lab.die_of(cell.place, "--adopt")
            self.lab.revive("coordinator-1", more=["--adopt"])
        else:  # an approval at which it dies three times is put aside, and given again
            self.lab.request(name, "technical-lead", {"approve": {"plan_hash": plan}})
            for _ in range(3):
                self.lab.die_of("before-commit")
            self.reaper.hit[cell] = self.lab.die_of(cell.place)
            self.lab.revive("coordinator-1", more=[])
        self.lab.stage.wait_ready(["coordinator-1"])
        if cell.place == "skip-after-publish":  # it is held for a person
            self.lab.wait(name, lambda s: any(h["id"].startswith("quarantine/")
                                              for h in s["holds"]))
            self.lab.do(name, "release-engineer", {"resume": {}}, lambda s: not s["holds"])
        self.lab.approve(name)
        self.exits[name] = "COMPLETED"
        self.lab.wait_exit(name, "COMPLETED", people=True)
        self.lab.kill("coordinator-1")
        self.lab.revive("coordinator-1", "coordinator-2", more=[])
        self.lab.stage.wait_ready()
        self.lab.give_back(service)

    def is_still(self):
        """Whether for a second nothing was applied."""
        def offsets():
            return {key: self.lab.redis.hget(key, "offset")
                    for key in self.lab.redis.scan_iter("slipway:{*}:log")}
        before = offsets()
        time.sleep(1)
        return offsets() == before

    def choose(self):
        """The armed cell that the fewest are about."""
        with self.lock:
            wanted = [c for c in self.reaper.wanted()
                      if self.busy[c] < (1 if c.instance == "gateway-2" else AT_ONCE)]
            if not wanted:
                return None
            cell = min(wanted, key=lambda c: (self.busy[c], random.random()))
            self.busy[cell] += 1
            return cell

    def walk(self):
        while not self.reaper.over() and not self.stopped:
            cell = self.choose()
            if cell is None:
                time.sleep(0.2)
                continue
            service = self.lab.take()
            walk = Walk(self.lab, self.reaper, service, cell)
            try:
                name, exit_ = walk.go()
                if name:
                    self.exits[name] = exit_
                self.lab.give_back(service)
            except Exception:  # whatever it is, it is what broke
                self.broken.append(f"{cell}, {walk.name}: {traceback.format_exc(limit=-4)}")
                self.say("BROKE: " + self.broken[-1])
            finally:
                with self.lock:
                    self.busy[cell] -= 1

    def faults(self):
        """Texts for people; [] is good."""
        found = []
        with_history = list(self.exits)
        end = time.monotonic() + 30
        while True:
            history = self.lab.history()
            found = history.faults(only=with_history)
            if not found or time.monotonic() > end:
                break
            time.sleep(1)
        on_log = history.exits()
        found += [f"{name} should have ended {exit_}, the log says {on_log.get(name)}"
                  for name, exit_ in self.exits.items() if on_log.get(name) != exit_]
        found += [f"{name} is on for somebody" for name, exit_ in self.exits.items()
                  if exit_ != "COMPLETED" and self.lab.anybody(name)]
        found += self.doubled_comments()
        return [*self.broken, *self.reaper.broken, *found,
                *(f"{cell.instance} {armed_at(cell)} was never hit" for each in
                  self.cells.values() for cell in each if cell not in self.reaper.hit)]

    def doubled_comments(self):
        """A ticket says nothing twice."""
        found = []
        for key, issue in self.lab.stage.desk.issues.items():
            marks = [str(c["body"]).rpartition("(slipway.")[2] for c in issue["comments"]]
            found += [f"{key} says twice {mark}" for mark, n in
                      collections.Counter(marks).items() if n > 1]
        return found

    def table(self, listed):
        """The matrix, a line a place and service: x hit, . cannot occur, ! missed."""
        lines = [f"{'':24}{'':14}" + "".join(f"{c:>6}" for c in COLUMNS)]
        hit, reasons = {(c.instance.rpartition("-")[0], c.place, c.column)
                        for c in self.reaper.hit}, {}
        wanted = {(c.instance.rpartition("-")[0], c.place, c.column)
                  for each in self.cells.values() for c in each}
        for place, who, _ in listed:
            for service in dict.fromkeys(i.rpartition("-")[0] for i in whose(who)):
                row = ""
                for column in COLUMNS:
                    key, why = (service, place, column), place_of(place, service).reason(column)
                    row += f"{'x' if key in hit else '!' if key in wanted else '-' if not why else '.':>6}"
                    if why:
                        reasons.setdefault(why, []).append(place)
                lines.append(f"{place:24}{service:14}{row}")
        lines += ["x: died there and came back; .: cannot occur; -: left out; !: missed", ""]
        lines += [f". {why}: {', '.join(dict.fromkeys(places))}"
                  for why, places in reasons.items() if len(why) > 0]
        return "\n".join(lines)
