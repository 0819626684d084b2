"""The command line as people and scripts use it: the program itself, nothing but its own words,
its JSON and its exit codes. What it does is never asked of anything else."""
import json
import os
import pty
import re
import signal
import subprocess
import threading
import time

import pytest
import yaml

from stage import wait_for

DONE, NO, USAGE, NO_SUCH, NOT_ALLOWED, CHANGED, UNREACHABLE, TIMED_OUT = range(8)
BLOCKED, ABORTED, ROLLED_BACK, INTERRUPTED = 10, 11, 12, 130
STAGED = [{"name": "some", "percent": 20, "min_time": "60s"}, {"name": "all", "percent": 100}]
PATIENCE_S = 90


class Answer:
    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"exit {self.code}\n{self.out}{self.err}"


class Shell:
    """Somebody at a terminal: `tess("show", name)`."""

    def __init__(self, lab, who, **surroundings):
        stage = lab.stage
        self.program = str(stage.program("cli"))
        self.where = {"PATH": os.environ["PATH"], "HOME": str(stage.folder), "LC_ALL": "C.UTF-8",
                      "TZ": "UTC", "SLIPWAY_SERVER": stage.gateway_url,
                      "SLIPWAY_TOKEN_FILE": f"{stage.folder}/run/tokens/{who.replace('/', '-')}",
                      **surroundings}

    def run(self, *words, typed=None):
        more = {"input": typed} if typed is not None else {"stdin": subprocess.DEVNULL}
        return Answer(subprocess.run([self.program, *words], env=self.where, timeout=120,
                                     capture_output=True, text=True, check=False, **more))

    def __call__(self, *words, code=DONE, typed=None):
        answer = self.run(*words, typed=typed)
        assert answer.code == code, f"slipway {' '.join(words)}: {answer}"
        return answer

    def start(self, *words):
        return subprocess.Popen([self.program, *words], env=self.where, text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def ask(self, *words):
        """A request that is made again when the deployment moved on meanwhile, as people do."""
        for _ in range(30):
            answer = self.run(*words)
            if answer.code != CHANGED:
                assert answer.code == DONE, f"slipway {' '.join(words)}: {answer}"
                return answer
        raise AssertionError(f"never rested long enough: {words}")

    def look(self, name):
        return self("show", name, "--json").json()

    def wait(self, name, condition):
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            state = self.look(name)
            if condition(state):
                return state
            assert not state["exit"], f"{name} ended {state['exit']}: {self('show', name)}"
            time.sleep(0.1)
        raise AssertionError(f"waited too long: {self('show', name)}")


def sit(lab):
    """tess, dev, olga, rel and ci, each with a terminal and a token."""
    return [Shell(lab, who) for who in ("tess", "dev", "olga", "rel", "ci/quickstart")]


def write(lab, feature):
    path = lab.stage.folder / f"{feature['feature']}.yaml"
    path.write_text(yaml.safe_dump(feature, sort_keys=False))
    return str(path)


def hand_in(lab, service, **changes):
    """Submitted by the command line; answers the attempt's name."""
    ci = Shell(lab, "ci/quickstart")
    answer = ci("submit", write(lab, lab.feature_of(service, **changes)), "--timeout", "60s")
    return re.match(r"accepted  (\S+)", answer.out).group(1)


def approve(lab, name):
    tess, dev, *_ = sit(lab)
    state = tess.wait(name, lambda s: s["phase"] == "IN_REVIEW")
    for who in (tess, dev):
        who.ask("approve", name, "--plan", state["plan"]["hash"][:8])


def begin(lab, service, **changes):
    name = hand_in(lab, service, **changes)
    approve(lab, name)
    return name


def speak(lab, state, done):
    """Whoever is waited for says so at the command line."""
    shells = dict(zip(("technical-lead", "devops-lead", "operations-lead", "release-engineer"),
                      sit(lab)))
    for signoff in state["signoffs"]:
        key = (signoff["step"], state["steps"][signoff["step"]]["try"])
        if signoff["state"] == "OPEN" and key not in done:
            answer = shells[signoff["role"]].run("signoff", state["id"], "--step",
                                                 str(signoff["step"]))
            assert answer.code in (DONE, NO, CHANGED), answer
            if answer.code == DONE:
                done.add(key)
    facts = state["waiting_for"]["facts"]
    for check, role in zip(facts.get("checks", "").split(), facts.get("check_roles", "").split()):
        if check not in done:
            answer = shells[role].run("attest", state["id"], check, "--link", f"{lab.url}/ok")
            assert answer.code in (DONE, NO, CHANGED), answer
            if answer.code == DONE:
                done.add(check)


def carry_through(lab, name):
    rel, done = Shell(lab, "rel"), set()
    while not rel.wait(name, lambda s: True)["exit"]:
        speak(lab, rel.look(name), done)
        time.sleep(0.1)
    return rel.look(name)


# --- to production, and back ---
@pytest.mark.early
def test_a_feature_goes_to_production_by_the_command_line_alone(service):
    lab = service.lab
    tess, dev, olga, rel, ci = sit(lab)
    feature = lab.feature_of(service)
    path = write(lab, feature)

    assert "0 errors, " in ci("lint", path).out
    told = ci("submit", path, "--dry-run").out
    assert "would be accepted" in told and "nothing is recorded" in told
    assert ci.run("show", feature["feature"]).code == NO_SUCH
    told = ci("submit", path, "--timeout", "60s").out
    name = re.match(r"accepted  (\S+)   LAB-", told).group(1)
    assert name == f"{feature['feature']}.1"
    assert "✓ all required inputs" in told and "2 changes, 2 stages" in told
    assert "waits for  " in told and f"slipway plan {name}" in told

    shown = tess("show", name).out
    for question in ("waits for     technical-lead and devops-lead", "since         ",
                     "goes on when  ", "otherwise     At "):
        assert question in shown, shown
    plan = tess("plan", feature["feature"]).out
    digest = re.search(r"sha256:([0-9a-f]{64})", plan).group(1)
    assert "CHANGES, in order" in plan and "some 20 %" in plan and "STAGES" in plan
    assert tess("plan", name, "--json").json()["plan"]["hash"] == digest
    assert tess("plan", name, "--markdown").out.startswith("# ")
    assert [i["deployment"] for i in tess("inbox", "--json").json()["items"]].count(name) == 1

    assert "--plan" in tess("approve", name, code=USAGE).err
    told = tess("approve", name, "--plan", "0" * 64, code=NO)
    assert digest[:8] in told.err + tess("show", name).out
    assert f"approved  {name}" in tess("approve", name, "--plan", digest[:8]).out
    watch = rel.start("watch", name, "--until-exit", "--timeout", "120s")
    dev.ask("approve", name, "--plan", digest)
    state = carry_through(lab, name)
    lines, errors = watch.communicate(timeout=60)

    assert (watch.returncode, state["exit"]) == (DONE, "COMPLETED"), errors
    assert "StepGo" in lines and "DeploymentFinished" in lines
    assert "waits for     nobody; it has ended" in rel("show", name).out
    assert "✓✓✓✓✓✓✓✓" in rel("list", "--all", "--feature", feature["feature"]).out
    assert "Go" in rel("explain", name, "--step", "3").out
    assert rel("explain", name, "--step", "3", "--json").json()["decision"] == "GO"

    def told_to_all():
        return [json.loads(line) for line in
                rel("signals", "--feature", feature["feature"], "--json").out.splitlines()]
    # The last signal comes to the gateway by Kafka, after the state by Redis.
    wait_for("the last signal", lambda: "deployment_finished" in told_to_all()[-1])
    assert "feature_deployed" in told_to_all()[0]
    assert "FeatureAvailable" in rel("signals", "--feature", feature["feature"]).out
    answer = rel("flags", "eval", feature["feature"], "--key", "user-1").out
    assert answer.startswith("true") and "100 %" in answer
    report = rel("report", name).out
    assert "COMPLETED" in report and "✗" not in report
    assert rel("timeline", name, "--csv").out.startswith("version,")
    assert "all: --all" in rel("timeline", name, "--last", "3").out


def test_an_alert_takes_it_back_and_everybody_can_see_so(service):
    lab = service.lab
    *_, rel, _ = sit(lab)
    before = service.versions()
    name = begin(lab, service, rollout=STAGED)
    rel.wait(name, lambda s: s["percent"] == 20)
    follower = rel.start("timeline", name, "--follow", "--timeout", "120s")
    told = Shell(lab, "monitoring")("alert", "--service", service.name, "--severity", "critical",
                                    "--summary", "pay fails in EU").out
    assert f"matches {name} (changed " in told, told
    watched = rel("watch", name, "--until-exit", "--timeout", "120s", code=ROLLED_BACK)
    assert "pay fails in EU" in watched.out and watched.err == ""
    followed, _ = follower.communicate(timeout=60)
    assert follower.returncode == DONE and "DeploymentFinished" in followed
    shown = rel("show", name).out
    assert "↩ rolled back" in shown and "INCIDENT  ✗ critical" in shown
    flag = next(line for line in rel("flags").out.splitlines() if line.startswith(name[:-2] + " "))
    assert "LATCHED OFF" in flag and name in flag
    assert rel("flags", "eval", name[:-2], "--key", "u").out.startswith("false")
    assert service.versions() == before
    Shell(lab, "monitoring")("alert", "--service", service.name, "--severity", "critical",
                             "--summary", "pay fails in EU", "--resolved")


def test_a_rollback_shows_what_it_does_and_asks_first(service):
    lab = service.lab
    *_, rel, _ = sit(lab)
    before = service.versions()
    name = begin(lab, service, rollout=STAGED)
    rel.wait(name, lambda s: s["stages"][0]["sub"] == "watch")
    assert "TAKEN BACK NOW" in rel("show", name).out
    preview = rel.ask("rollback", name, "--reason", "regretted", "--dry-run").out
    assert "would become stopping" in preview and "off everywhere" in preview
    asked = rel("rollback", name, "--reason", "regretted", code=USAGE).err
    assert "Going on now" in asked and "add --yes" in asked
    assert "a reason is needed" in rel("rollback", name, "--yes", code=USAGE).err
    assert not rel.look(name)["stop"]
    told = rel.ask("rollback", name, "--reason", "regretted", "--yes").out
    assert f"rollback requested  {name}" in told
    rel("watch", name, "--until-exit", "--timeout", "120s", code=ROLLED_BACK)
    assert "STOPPED  by rel" in rel("show", name).out and "regretted" in rel("show", name).out
    refused = rel("pause", name, "--reason", "late", code=NO).err
    assert "slipway: refused: " in refused and "  do:      " in refused
    assert service.versions() == before


def test_a_kill_switch_is_one_command(service):
    lab = service.lab
    *_, rel, _ = sit(lab)
    name = begin(lab, service, rollout=STAGED)
    rel.wait(name, lambda s: s["percent"] == 20)
    rel("flags", "kill", name[:-2], "--reason", "now", code=USAGE)
    told = rel("flags", "kill", name[:-2], "--reason", "now", "--yes").out
    assert re.match(rf"off  {name[:-2]} for good, after \d+ ms, read back on 1 of 1 gateways", told)
    rel("watch", name, "--until-exit", "--timeout", "120s", code=ROLLED_BACK)


# --- what is asked of a deployment ---
def test_pause_resume_and_promote(service):
    lab = service.lab
    *_, rel, _ = sit(lab)
    name = begin(lab, service, rollout=STAGED)
    rel.wait(name, lambda s: s["stages"][0]["sub"] == "watch")
    told = rel.ask("pause", name, "--reason", "looking at a dashboard").out
    assert f"paused  {name}" in told
    shown = rel("show", name).out
    assert "HELD  = OPERATOR" in shown and "looking at a dashboard" in shown
    assert "held" in next(line for line in rel("list").out.splitlines() if name in line)
    rel.ask("resume", name)
    rel.wait(name, lambda s: not s["holds"] and s["stages"][0]["sub"] == "watch")
    rel.ask("promote", name)
    rel.wait(name, lambda s: s["percent"] == 100)
    rel.ask("abort", name, "--reason", "enough seen", "--yes")
    rel("watch", name, "--until-exit", "--timeout", "120s", code=ABORTED)


def test_a_blocked_step_is_explained_waived_and_goes_on(service):
    lab = service.lab
    tess, *_, rel, _ = sit(lab)
    service.failing.add("smoke")
    name = begin(lab, service, policy="blocking")
    rel("watch", name, "--until-exit", "--stop-when-blocked", "--timeout", "120s", code=BLOCKED)
    shown = rel("show", name).out
    assert "✗ blocked in 3" in shown and "OPEN  ✗ smoke.api" in shown
    told = rel("explain", name).out
    assert "No-Go" in told and "✗ smoke.api" in told and "remedy" in told
    assert "which check?" in tess("waive", name, "--reason", "x", code=USAGE).err
    tess.ask("waive", name, "smoke.api", "--reason", "known, harmless")
    assert carry_through(lab, name)["exit"] == "COMPLETED"
    assert "known, harmless" in rel("timeline", name, "--all").out


def test_a_missing_input_is_supplied_and_a_plan_made_again(service):
    lab = service.lab
    tess, *_, rel, ci = sit(lab)
    feature = lab.feature_of(service)
    page = lab.page("runbook.md")
    feature["documents"] = [d for d in feature["documents"] if d["kind"] != "requirements"]
    told = ci("submit", write(lab, feature), "--timeout", "60s").out
    name = re.match(r"accepted  (\S+)", told).group(1)
    assert "✗ 1 required input is missing" in told
    shown = rel("show", name).out
    missing = re.search(r"MISSING  (\S+)", shown).group(1)
    rel.ask("supply", name, missing, "--link", page["link"], "--digest", page["digest"])
    old = rel.wait(name, lambda s: s["phase"] == "IN_REVIEW")["plan"]["hash"]
    tess.ask("approve", name, "--plan", old)
    rel.ask("replan", name, "--approach", "canary")
    new = rel.wait(name, lambda s: s["phase"] == "IN_REVIEW" and s["plan"]["hash"] != old)
    refused = tess("approve", name, "--plan", old, code=NO).err
    assert "slipway: refused: " in refused and new["plan"]["hash"][:8] in refused + rel(
        "plan", name).out
    rel.ask("reject", name, "--reason", "was a try")
    rel("watch", name, "--until-exit", "--timeout", "60s", code=ABORTED)
    assert "was a try" in rel("show", name).out


def test_a_freeze_is_added_seen_and_lifted(service):
    lab = service.lab
    _, _, olga, rel, _ = sit(lab)
    told = olga("freeze", "add", f"production/{service.name}", "--to", "+2h", "--reason",
                "Black Friday").out
    frozen = re.match(r"freeze (\S+)  production/", told).group(1)
    assert "(2 h)" in told and f"slipway freeze lift {frozen}" in told
    name = begin(lab, service)
    rel.wait(name, lambda s: any(h["kind"] == "FREEZE" for h in s["holds"]))
    assert "Black Friday" in rel("show", name).out
    listed = rel("freeze", "list", "--json").json()["items"]
    assert next(f for f in listed if f["id"] == frozen)["holds"] == [name]
    assert f"lifted  {frozen}" in olga("freeze", "lift", frozen).out
    olga("freeze", "lift", frozen, code=NO_SUCH)
    rel.wait(name, lambda s: s["step"] >= 2)
    lane = next(line for line in rel("lanes").out.splitlines() if f"/{service.name} " in line)
    assert f"held by {name}" in lane, lane
    rel.ask("abort", name, "--reason", "seen", "--yes")
    rel("watch", name, "--until-exit", "--timeout", "120s", code=ABORTED)


# --- things ---
def test_an_unusable_record_is_listed_with_its_fix(service):
    lab = service.lab
    rel = Shell(lab, "rel")
    lab.publish("acceptance.v1", b"\xff\xfe not a message", f"{service.name}-garbage",
                lab.cloudevent("slipway.v1.AcceptanceSignedOff", f"{service.name}-garbage"))
    end = time.monotonic() + PATIENCE_S
    while "acceptance.v1[" not in rel("dead-letter", "list").out:
        assert time.monotonic() < end, "the record is in no dead-letter list"
        time.sleep(0.1)
    letters = rel("dead-letter", "--json").json()["items"]
    assert any(item["topic"] == "acceptance.v1" and item["reason"] for item in letters)


def test_the_doctor_finds_nothing_here_and_says_where_settings_come_from(service):
    lab = service.lab
    rel = Shell(lab, "rel")
    told = rel("doctor").out
    assert told.endswith("0 faults, 0 warnings\n") and "✗" not in told
    assert "from SLIPWAY_SERVER" in told and "SLIPWAY_TOKEN_FILE" in told
    assert "signed in      rel, release-engineer" in told
    for part in ("coordinator", "executor", "flag-rollout", "gateway"):
        assert re.search(rf"✓ {part} +1 running", told)
    settings = str(lab.stage.settings)
    whole = rel("doctor", "--settings", settings, "--json").json()
    found = {item["check"]: item for item in whole["items"]}
    assert {"configuration", "brokers", "topics", "redis", "clocks"} <= set(found), found
    assert whole["faults"] == 0 and "13 of 13" in found["topics"]["found"]


def test_the_doctor_names_each_fault_and_its_fix(service):
    lab = service.lab
    down = Shell(lab, "rel", SLIPWAY_SERVER="http://127.0.0.1:9")
    answer = down("doctor", code=NO)
    assert "✗ server" in answer.out and "fix: is slipway-gateway running" in answer.out
    assert answer.err == "" and "1 fault, 0 warnings" in answer.out

    settings = yaml.safe_load(lab.stage.settings.read_text())
    settings["redis"]["port"] = 9
    settings["kafka"]["partitions"] = 7
    other = lab.stage.folder / f"{service.name}-slipway.yaml"
    other.write_text(json.dumps(settings))
    told = Shell(lab, "rel")("doctor", "--settings", str(other), code=NO).out
    assert "! configuration" in told and "the gateway runs with" in told
    assert re.search(r"✗ topics +events\.v1: .*partitions", told), told
    assert re.search(r"✗ redis .*\n +fix: is it running", told), told


# --- errors ---
def test_each_refusal_has_its_exit_code_and_remedy(service):
    lab = service.lab
    *_, rel, ci = sit(lab)
    name = hand_in(lab, service)
    folder = lab.stage.folder

    def refused(answer):
        assert answer.out == "" and answer.err.startswith("slipway: "), answer
        return answer.err

    wrong = folder / f"{service.name}-wrong.token"
    wrong.touch(mode=0o600)
    wrong.write_text("slw_wrong")
    told = refused(Shell(lab, "rel", SLIPWAY_TOKEN_FILE=str(wrong))("list", code=NOT_ALLOWED))
    assert "slipway login" in told and "slw_wrong" not in told
    wrong.chmod(0o644)
    assert "chmod 600" in refused(Shell(lab, "rel", SLIPWAY_TOKEN_FILE=str(wrong))(
        "list", code=NOT_ALLOWED))
    down = refused(Shell(lab, "rel", SLIPWAY_SERVER="http://127.0.0.1:9")(
        "list", code=UNREACHABLE))
    assert "cannot reach http://127.0.0.1:9" in down and "server in SLIPWAY_SERVER" in down
    assert "slipway doctor" in down
    near = refused(rel("show", name[:-3] + "x", code=NO_SUCH))
    assert "no deployment" in near
    told = refused(rel("pause", name, "--reason", "x", "--expected-version", "1", code=CHANGED))
    assert "since:" in told and "do:" in told
    digest = rel.look(name)["plan"]["hash"]
    refused(rel("approve", name, "--plan", digest, "--role", "technical-lead", code=NOT_ALLOWED))
    refused(rel("signoff", name, "--step", "2", code=NO))
    refused(rel("signoff", name, "--step", "2", "--role", "devops-lead", code=NOT_ALLOWED))
    for words in (["show"], ["shwo", name], ["show", name, "--sate"], ["list", "--step"],
                  ["signoff", name, "--step", "5"], ["skip-change", name, "--change", "x",
                                                     "--reason", "y"],
                  ["flags", "kill"], ["freeze", "add"], ["alert"], ["list", "--timeout", "soon"],
                  ["lint", str(folder / "nowhere.yaml")], ["completion", "csh"]):
        told = refused(rel(*words, code=USAGE))
        assert "  do:      " in told, told
    rel("watch", name, "--until-exit", "--timeout", "100ms", code=TIMED_OUT)
    broken = write(lab, {**lab.feature_of(service), "approach": "carnary"})
    told = ci("submit", broken, code=NO)
    assert re.search(rf"{re.escape(broken)}:\d+:\d+: error: ", told.out), told
    assert ci("lint", broken, "--json", code=NO).json()[0]["line"] > 1
    rel.ask("abort", name, "--reason", "only a try", "--yes")


def test_every_answer_is_one_json_value_on_demand(service):
    lab = service.lab
    rel = Shell(lab, "rel")
    name = hand_in(lab, service)
    for words in (["list"], ["show", name], ["plan", name], ["timeline", name], ["report", name],
                  ["explain", name], ["flags"], ["freeze"], ["lanes"], ["dead-letter"],
                  ["inbox", "--all"], ["doctor"],
                  ["pause", name, "--reason", "x", "--dry-run"]):
        answer = rel(*words, "--json")
        assert isinstance(answer.json(), dict), words
        assert answer.err == "", words
    answer = rel.ask("abort", name, "--reason", "only a try", "--yes", "--json")
    assert answer.json()["state"] == "APPLIED"
    exits = [json.loads(line) for line in rel("watch", name, "--json").out.splitlines()]
    assert exits[-1]["version"] >= exits[0]["version"]


def test_names_may_come_from_stdin(service):
    lab = service.lab
    rel = Shell(lab, "rel")
    names = [hand_in(lab, service), hand_in(lab, service)]
    shown = rel("show", "-", "--json", typed="\n".join(names) + "\n").out
    assert [json.loads(line)["id"] for line in shown.splitlines()] == names
    told = rel("show", "-", typed=f"{names[0]}\nno-such-thing\n", code=NO_SUCH)
    assert names[0] in told.out and "no-such-thing" in told.err
    rel("show", "-", typed="", code=USAGE)
    for name in names:
        rel.ask("abort", name, "--reason", "only a try", "--yes")


# --- at a terminal ---
class Terminal:
    """A command on a terminal of its own, answered by typing."""

    def __init__(self, shell, *words, **surroundings):
        self.master, slave = pty.openpty()
        # Whoever started these tests may ignore interrupts; a terminal does not.
        self.child = subprocess.Popen(["env", "--default-signal=INT", shell.program, *words],
                                      stdin=slave, stdout=slave, stderr=slave,
                                      env={**shell.where, "TERM": "xterm", **surroundings})
        os.close(slave)
        self.text, self.more = "", threading.Condition()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            try:
                data = os.read(self.master, 4096)
            except OSError:
                data = b""
            with self.more:
                self.text += data.decode(errors="replace")
                self.more.notify_all()
            if not data:
                return

    def answer(self, question, line):
        with self.more:
            assert self.more.wait_for(lambda: question in self.text, 60), self.text
            before, _, self.text = self.text.partition(question)
        os.write(self.master, line.encode() + b"\n")
        return before

    def end(self):
        code = self.child.wait(60)
        with self.more:
            self.more.wait_for(lambda: False, 0.2)
        os.close(self.master)
        return code


def test_an_approval_at_a_terminal_shows_the_difference_and_asks(service):
    lab = service.lab
    tess, *_, rel, _ = sit(lab)
    name = hand_in(lab, service)
    tess.wait(name, lambda s: s["phase"] == "IN_REVIEW")
    terminal = Terminal(tess, "approve", name)
    before = terminal.answer("[y/d/N] ", "d")
    assert "approvals  0 of 2" in before and "2 changes, 2 stages" in before
    assert "first attempt" in terminal.answer("[y/d/N] ", "n")
    assert terminal.end() == NO
    terminal = Terminal(tess, "approve", name)
    terminal.answer("[y/d/N] ", "y")
    assert terminal.end() == DONE
    given = [a for a in rel.look(name)["approvals"] if a["given"]]
    assert [a["given"][0]["actor"]["subject"] for a in given] == ["tess"]
    rel.ask("abort", name, "--reason", "only a try", "--yes")


def test_a_watch_at_a_terminal_is_drawn_over_itself_and_answers_keys(service):
    lab = service.lab
    *_, rel, _ = sit(lab)
    name = hand_in(lab, service)
    terminal = Terminal(rel, "watch", name)
    frame = terminal.answer("q leave", "o")
    assert f"{name}   " in frame and "Plan and review" in frame
    terminal.answer(f"/#/deployments/{name}", "q")
    assert terminal.end() == DONE
    terminal = Terminal(rel, "watch", name, "--until-exit")
    terminal.answer("q leave", "")
    rel.ask("abort", name, "--reason", "only a try", "--yes")
    assert terminal.end() == ABORTED
    assert "\x1b[" in terminal.text and "report  slipway report" in terminal.text
    terminal = Terminal(rel, "watch", hand_in(lab, service), "--until-exit")
    terminal.answer("q leave", "")
    terminal.child.send_signal(signal.SIGINT)
    assert terminal.end() in (INTERRUPTED, -signal.SIGINT)  # a shell says 130 for both


def test_colours_are_for_terminals_that_want_them(service):
    lab = service.lab
    rel = Shell(lab, "rel")
    rel.ask("abort", hand_in(lab, service), "--reason", "only a try", "--yes")

    def shown(*words, **surroundings):
        terminal = Terminal(rel, "list", "--all", *words, **surroundings)
        assert terminal.end() == DONE
        return terminal.text

    assert "\x1b[3" in shown()
    assert "\x1b[" not in shown(NO_COLOR="1")
    assert "\x1b[" not in shown(TERM="dumb")
    assert "\x1b[" not in shown("--color=never")
    assert "\x1b[3" in shown("--color=always", NO_COLOR="1")
    assert "\x1b[" not in rel("list", "--all").out
    assert "\x1b[3" in rel("list", "--all", "--color", "always").out
    assert rel("list", "--all", "--ascii").out.isascii()


def test_a_login_is_kept_for_this_user_alone(service):
    lab = service.lab
    state = lab.stage.folder / f"{service.name}-state"
    rel = Shell(lab, "rel", XDG_STATE_HOME=str(state))
    token = open(rel.where.pop("SLIPWAY_TOKEN_FILE"), encoding="utf-8").read()
    assert "slipway login" in rel("list", code=NOT_ALLOWED).err
    rel("login", typed="slw_wrong\n", code=NOT_ALLOWED)
    assert not (state / "slipway").exists()
    told = rel("login", typed=token + "\n")
    assert "signed in as rel" in told.out and token not in told.out + told.err
    kept = state / "slipway" / "tokens" / "default"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert token not in rel("list", "--verbose").err


def test_a_shell_completes_verbs_flags_and_names(service):
    lab = service.lab
    rel = Shell(lab, "rel")
    name = hand_in(lab, service)

    def complete(*words):
        folder = os.path.dirname(rel.program)
        script = ('eval "$(slipway completion bash)"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
                  '_slipway; printf "%s\\n" "${COMPREPLY[@]}"')
        return subprocess.run(["bash", "-c", script, "bash", "slipway", *words], check=True,
                              env={**rel.where, "PATH": f"{folder}:{rel.where['PATH']}"},
                              capture_output=True, text=True, timeout=60).stdout.split()

    assert complete("roll") == ["rollback"]
    assert "--until-exit" in complete("watch", name, "--")
    assert complete("freeze", "l") == ["list", "lift"]
    assert complete("completion", "z") == ["zsh"]
    assert complete("flags", "show-no-names") == []
    rel.ask("abort", name, "--reason", "only a try", "--yes")
