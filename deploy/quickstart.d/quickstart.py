"""The quickstart's story: it tells what it does, measures it, and proves it by asking the shop."""
import argparse
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import shopkeeper
from stage import ROOT, SERVICES, Failed, Stage, wait_for

STEPS = ["plan and review", "pre-deployment", "execute", "validate", "roll out flags",
         "post-deployment", "monitor", "finalise"]
USERS = [f"user-{n}" for n in range(100)]
PASS, FAIL = "✓", "✗"


class Clock:
    def __init__(self):
        self.began = time.monotonic()

    def __str__(self):
        return f"{time.monotonic() - self.began:.1f} s"


def say(text=""):
    print(text, flush=True)


def row(text, clock):
    say(f" {text:<86} {PASS} {clock}")


# --- building and starting ---

def build():
    clock = Clock()
    folder = ROOT / "build" / "quickstart"
    for command in (["cmake", "-S", ROOT, "-B", folder, "-G", "Ninja",
                     "-DCMAKE_BUILD_TYPE=RelWithDebInfo"],
                    ["cmake", "--build", folder, "-j2"]):
        done = subprocess.run([str(c) for c in command], text=True, capture_output=True)
        if done.returncode != 0:
            raise Failed(f"{' '.join(map(str, command))}:\n{(done.stdout + done.stderr)[-4000:]}")
    compiler = subprocess.run(["cc", "-dumpversion"], text=True, capture_output=True).stdout
    row(f"1/6 build              cc {compiler.strip()}, {len(SERVICES)} services", clock)
    return folder


def start(stage):
    clock = Clock()
    stage.start_redis()
    stage.start_broker()
    stage.start_desk()
    stage.make_keys()
    stage.make_tokens()
    shopkeeper.open_shop(stage)
    stage.write_settings(shopkeeper.replacements(stage))
    stage.start_all()
    broker = {"embedded": "EMBEDDED broker (librdkafka's, in memory; --kafka for the real one)",
              "kafka": "Apache Kafka"}[stage.broker]
    say(f" 2/6 start              {broker}, Redis,")
    row(f"                        {len(SERVICES)} services, shop 1.0 on 4 instances; "
        f"API {stage.gateway_url}", clock)


# --- carrying a feature ---

class Journey:
    """One deployment, told step by step as it happens."""

    def __init__(self, stage, feature):
        self.stage, self.feature, self.clock = stage, feature, Clock()
        self.ci, self.reader = stage.api("ci/quickstart"), stage.api("rel")
        self.id, self.told, self.asked = None, -1, set()

    def submit(self, yaml):
        status, body, _ = self.ci.post("/v1/deployments", yaml,
                                       headers={"Content-Type": "application/yaml"})
        if status != 202:
            raise Failed(f"submitting {self.feature} was answered {status}: {body}")
        state = wait_for(f"{self.feature} to be taken up", lambda: self.look(self.feature),
                         seconds=120)
        self.id = state["id"]

    def look(self, name=None):
        status, body, _ = self.reader.get(f"/v1/deployments/{name or self.id}")
        if status not in (200, 404):
            raise Failed(f"{name or self.id}: {status} {body}")
        return body if status == 200 else None

    def request(self, who, body, reason=""):
        """Asks in the name of `who`; another version meanwhile is asked again."""
        for _ in range(20):
            state = self.look()
            message = {"expected_version": state["version"], "reason": reason, **body}
            status, answer, _ = self.stage.api(who).post(
                f"/v1/deployments/{self.id}/requests", message, headers={"Prefer": "wait=5"})
            if status != 412:
                return status, answer
        raise Failed(f"{self.id} never rested long enough to answer {body}")

    def answer_people(self, state):
        """Everyone who is waited for answers once: approvals, attestations, sign-offs."""
        for group in state["approvals"]:
            given = [g for g in group["given"] if not g["void"]]
            if state["phase"] == "IN_REVIEW" and len(given) < group["needed"]:
                self.once(("approve", group["role"]), group["role"],
                          {"approve": {"plan_hash": state["plan"]["hash"]}})
        for signoff in state["signoffs"]:
            if signoff["state"] == "OPEN":
                self.once(("signoff", signoff["step"]), signoff["role"],
                          {"signoff": {"step": signoff["step"], "accept": True}})
        facts = (state["waiting_for"] or {}).get("facts", {})
        for check, role in zip(facts.get("checks", "").split(),
                               facts.get("check_roles", "").split()):
            self.once(("attest", check, state["step"]), role,
                      {"attest": {"check": check, "verdict": "PASS"}})

    def once(self, what, role, body):
        people = {"technical-lead": "tess", "devops-lead": "dev", "operations-lead": "olga"}
        if what in self.asked:
            return
        status, answer = self.request(people[role], {"role": role, **body})
        if status in (200, 202):
            self.asked.add(what)
        elif status not in (409, 412):
            raise Failed(f"{role} asked {body} and was answered {status}: {answer}")

    def tell(self, state):
        """A line for each step that has ended since the last look."""
        for step in state["steps"]:
            if step["step"] <= self.told or not step["ended_ms"]:
                continue
            self.told = step["step"]
            glyph = PASS if step["decision"] == "GO" else FAIL
            took = (step["ended_ms"] - step["began_ms"]) / 1000
            say(f"     {step['step']} {STEPS[step['step']]:<20} {glyph}  "
                f"{step['rule'][:58]:<58} {took:>5.1f} s")

    def follow(self, until, seconds=120, people=True):
        """Looks until until(state) is true; answers that state."""
        end = time.monotonic() + seconds
        while True:
            state = self.look()
            self.tell(state)
            if until(state):
                return state
            if state["exit"] or state["phase"].startswith("BLOCKED"):
                raise Failed(self.story(state))
            if time.monotonic() > end:
                raise Failed(self.story(state))
            if people:
                self.answer_people(state)
            time.sleep(0.05)

    def story(self, state):
        """Why it stands where it stands, with the findings that say so."""
        lines = [f"{state['id']} is {state['phase']} in step {state['step']}",
                 str((state["waiting_for"] or {}).get("sentence", ""))]
        for finding in state["findings"]:
            if finding["verdict"] not in ("PASS", "NOT_APPLICABLE"):
                lines.append(f"  {finding['verdict']} {finding['check']}: {finding['observed']} "
                             f"(wanted {finding['wanted']}) {finding['remedy']}")
        for missing in state["missing"]:
            lines.append(f"  missing {missing['input']}: {missing['remedy']}")
        if state["stop"]:
            lines.append(f"  stopped: {state['stop']['cause']}")
        return "\n".join(lines)


def prove(stage, wanted):
    """Asks the shop itself; Failed if it is not what Slipway says."""
    seen = shopkeeper.look(stage, USERS)
    said = (f"{seen['version']} on {seen['agree']} of {seen['of']} · {seen['configuration']} · "
            f"schema {seen['schema']} · {seen['users'][wanted['flag']]} of {len(USERS)} users "
            f"see {wanted['flag']}")
    say(f"     asked shop itself: {said}")
    faults = [f"{key} is {seen[key]}, Slipway says {value}" for key, value in wanted.items()
              if key in seen and seen[key] != value]
    if seen["users"][wanted["flag"]] != wanted["on"]:
        faults.append(f"{seen['users'][wanted['flag']]} users see {wanted['flag']}, "
                      f"Slipway says {wanted['on']}")
    if seen["agree"] != seen["of"]:
        faults.append(f"only {seen['agree']} of {seen['of']} instances agree")
    if faults:
        raise Failed("; ".join(faults))


def first_feature(stage):
    say(" 3/6 express-pay.1 goes to production")
    journey = Journey(stage, "express-pay")
    journey.submit(shopkeeper.feature_yaml(stage, "express-pay"))
    journey.follow(lambda s: s["exit"] == "COMPLETED")
    say(f"   {PASS} COMPLETED in {journey.clock}")
    prove(stage, {"version": "1.1", "configuration": "r2", "schema": "2",
                  "flag": "express-pay", "on": 100})


def second_feature(stage):
    say(" 4/6 gift-cards.1 goes out, and fails at 50 %")
    journey = Journey(stage, "gift-cards")
    journey.submit(shopkeeper.feature_yaml(stage, "gift-cards"))
    journey.follow(lambda s: any(stage["percent"] == 50 and stage["sub"] == "watch"
                                 for stage in s["stages"]))
    shopkeeper.shop_around(stage, USERS, "gift-cards")
    fired = time.time()
    status, body, _ = stage.api("monitoring").post("/v1/alertmanager", shopkeeper.alert())
    if status != 202:
        raise Failed(f"the alert was answered {status}: {body}")
    off = wait_for("the flag to be off everywhere", lambda: shopkeeper.flag_off(stage, "gift-cards"),
                   every=0.002)
    state = journey.follow(lambda s: s["exit"] == "ROLLED_BACK", people=False)
    reaction = (off - fired) * 1000
    say(f"       alert recorded       Alertmanager webhook, critical: {state['stop']['cause'][:50]}")
    say(f"       flag off             +{reaction:.0f} ms, seen from outside")
    say(f"   {PASS} ROLLED_BACK in {(state['updated_ms'] / 1000 - fired):.1f} s after the alert")
    prove(stage, {"version": "1.1", "configuration": "r2", "schema": "2",
                  "flag": "gift-cards", "on": 0})


def what_is_left(stage):
    api = stage.api("rel")
    signals = api.get("/v1/signals")[1]["items"]
    reports = pathlib.Path.cwd() / "slipway-reports"
    reports.mkdir(exist_ok=True)
    for name in ("express-pay.1", "gift-cards.1"):
        status, text, _ = api.get(f"/v1/deployments/{name}/report",
                                  headers={"Accept": "text/markdown"})
        if status != 200:
            raise Failed(f"the report of {name} was answered {status}: {text}")
        (reports / f"{name}.md").write_text(text)
    say(" 5/6 what anyone can read now")
    say(f"     signals.v1 {len(signals)} records · ticket SHOP-4182 is "
        f"{stage.desk.issue('SHOP-4182')['fields']['status']['name']} · "
        f"{len(stage.desk.hooks)} signed webhooks · reports in {reports.name}/")


def stay(stage):
    say(" 6/6 it stays up. Try:")
    say(f"     export SLIPWAY_SERVER={stage.gateway_url} "
        f"SLIPWAY_TOKEN_FILE={stage.folder}/run/tokens/rel")
    cli = stage.program("cli")
    say(f"     {cli} list --all")
    say(f"     {cli} show express-pay")
    say(f"     {cli} alert --service shop --severity critical --summary 'try it'")
    say("     tokens of the others: tess (technical), dev (devops), olga (operations) beside it")
    say("     Ctrl-C ends everything and removes the files.")
    signal.pause()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kafka", action="store_true")
    parser.add_argument("--stay", action="store_true")
    options = parser.parse_args()
    whole = Clock()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = pathlib.Path(tempfile.mkdtemp(prefix="slipway."))
    say(f"Slipway quickstart. Everything runs on loopback in {folder} and is removed at the end.")
    stage, kept = None, False
    try:
        stage = Stage(build(), folder, "kafka" if options.kafka else "embedded")
        start(stage)
        first_feature(stage)
        second_feature(stage)
        what_is_left(stage)
        if options.stay:
            stay(stage)
        clock = Clock()
        shopkeeper.close_shop(stage)
        bad = stage.stop()
        stage = None
        if bad:
            kept = True
            raise Failed(f"did not stop cleanly: {', '.join(bad)}")
    except KeyboardInterrupt:
        return 130
    except Failed as failed:
        kept = True
        say(f"\n {FAIL} {failed}")
        say(f"   logs are kept in {folder}/logs")
        return 1
    finally:
        if stage is not None:
            shopkeeper.close_shop(stage)
            stage.stop()
        if not kept:
            shutil.rmtree(folder, ignore_errors=True)
    row("6/6 clean              all processes stopped, files removed", clock)
    say(f"Done in {whole}. Try --stay to keep it up, or: tests/run")
    return 0


if __name__ == "__main__":
    os.umask(0o077)
    sys.exit(main())
