"""The README's code does what the README says: each block between a mark and its fence is run or
read as it stands there, only addresses and digests are this stage's."""
import json
import os
import pathlib
import re
import secrets
import shutil
import subprocess
import sys
import time

import pytest
import yaml

import shopkeeper
from stage import ROOT
from world import World

README = (ROOT / "README.md").read_text()
BLOCKS = {name: (how, language, text) for how, name, language, text in re.findall(
    r"<!-- (run|file): ([\w.-]+) -->\n```(\w*)\n(.*?)```", README, re.S)}
PASSWORD = secrets.token_hex(16)


def block(name):
    return BLOCKS[name][2]


@pytest.fixture(scope="module")
def slipway(tmp_path_factory, build, broker, messages):
    """A stage whose Redis knows the README's user and no other."""
    world = World(build, tmp_path_factory.mktemp("readme"), broker, messages)
    stage = world.stage
    start_redis = stage.start_redis

    def start_with_user():
        start_redis()
        user = block("redis-user").split()[1:]
        redis_cli(stage, "ACL", "SETUSER", *[w.replace("PASSWORD", PASSWORD) for w in user])
        redis_cli(stage, "ACL", "SETUSER", "default", "off")
    stage.start_redis = start_with_user
    stage.write_secret("redis.password", PASSWORD)
    world.open(settings={"  # password_file: /etc/slipway/redis.password":
                         "  user: slipway\n  password_file: redis.password"})
    yield world
    assert not world.close()


def redis_cli(stage, *words):
    done = subprocess.run(["redis-cli", "-p", str(stage.redis_port), *words], text=True,
                          capture_output=True, check=True)
    assert "OK" in done.stdout, done.stdout


def run(name, folder, slipway=None, who="ci/quickstart", seconds=60, **more):
    """Runs a block in that folder; answers its output."""
    _, language, text = BLOCKS[name]
    argv = [sys.executable, "-c", text] if language == "python" else ["sh", "-eu", "-c", text]
    env = dict(os.environ, **more)
    if slipway is not None:
        env.update(KAFKA=slipway.stage.bootstrap, SLIPWAY_SERVER=slipway.stage.gateway_url,
                   SLIPWAY_TOKEN_FILE=str(slipway.stage.folder / "run" / "tokens" /
                                          who.replace("/", "-")))
    done = subprocess.run(argv, cwd=folder, env=env, text=True, capture_output=True,
                          timeout=seconds)
    assert done.returncode == 0, f"{name}: {done.stdout}\n{done.stderr}"
    return done.stdout


def acceptance(slipway):
    """The README's acceptance.json with this stage's links and digests."""
    wanted = json.loads(block("acceptance.json"))
    real = json.loads(shopkeeper.feature_yaml(slipway.stage, wanted["feature"]))
    digests = {a["name"]: a["digest"].split(":")[1] for a in real["artifacts"]}
    for artifact in wanted["artifacts"]:
        artifact["digest"]["value"] = digests[artifact["name"]]
    wanted["report"]["digest"]["value"] = real["acceptance"]["report"]["digest"].split(":")[1]
    return json.dumps(wanted).replace("https://wiki.example", slipway.stage.wiki_url)


def test_every_python_block_is_run_by_a_test():
    assert README.count("```python") == sum(b[:2] == ("run", "python") for b in BLOCKS.values())
    tests = pathlib.Path(__file__).read_text()
    assert [name for name in BLOCKS if f'"{name}"' not in tests] == []


def test_a_feature_handed_in_as_the_readme_says_goes_to_production(slipway, tmp_path):
    (tmp_path / "acceptance.json").write_text(acceptance(slipway))
    run("submit", tmp_path, slipway, BUILD_ID="checkout-117")
    run("submit", tmp_path, slipway, BUILD_ID="checkout-117")    # a repeat is the same event
    slipway.wait("express-pay", lambda s: s["phase"] == "IN_REVIEW")
    run("submit-http", tmp_path, slipway)                        # the same content as well
    name = slipway.deployment("express-pay")["id"]
    assert name == "express-pay.1"
    slipway.approve(name)
    slipway.wait_exit(name, "COMPLETED")

    assert json.loads(run("flag-curl", tmp_path, slipway))["value"] is True
    assert run("flag-python", tmp_path, slipway).split() == ["True", "False"]

    protos = [str(p.relative_to(ROOT)) for p in (ROOT / "proto/slipway/v1").glob("*.proto")]
    subprocess.run(["protoc", "-I", "proto", f"--python_out={tmp_path}", *protos], cwd=ROOT,
                   check=True)
    told = run("listen", tmp_path, slipway)
    kinds = [line.split()[1] for line in told.splitlines()]
    assert kinds[0] == "feature_deployed" and kinds[-1] == "deployment_finished", told
    assert kinds.count("feature_available") == 2 and "monitoring_active" in kinds


def workspace(slipway, folder):
    """What CI has checked out and built: feature.yaml with measured digests, and build/out."""
    feature = slipway.feature()
    for artifact in feature["artifacts"]:
        artifact["digest"] = "auto"
    (folder / "feature.yaml").write_text(yaml.safe_dump(feature))
    shutil.copytree(slipway.stage.folder / "artifacts", folder / "build" / "out")
    return feature["feature"]


def pipeline(slipway, folder, argv, text, **more):
    """Begins a step of a pipeline: its shell text, with the command line on the PATH."""
    path = f"{slipway.stage.program('cli').parent}:{os.environ['PATH']}"
    env = {"PATH": path, "HOME": str(folder), "LC_ALL": "C.UTF-8", **more,
           "SLIPWAY_SERVER": slipway.stage.gateway_url}
    return subprocess.Popen([*argv, text], cwd=folder, env=env, text=True,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT)


def carry(slipway, name, steps):
    """Runs the steps one after the other while people do their part; answers what they said."""
    said = ""
    for step in steps:
        with step() as process:
            while process.poll() is None:
                attempt = slipway.deployment(f"{name}.1")
                if attempt and attempt["phase"] == "IN_REVIEW":
                    slipway.approve(f"{name}.1")
                    slipway.wait_exit(f"{name}.1", "COMPLETED")
                time.sleep(0.05)
            said += process.stdout.read()
        assert process.returncode == 0, said
    return said


def test_the_pipelines_of_github_actions_and_jenkins_carry_a_feature_to_its_end(slipway, tmp_path):
    name = workspace(slipway, tmp_path)
    token = slipway.stage.tokens["ci/quickstart"]
    job = yaml.safe_load(block("deploy.yml"))["jobs"]["deploy"]
    assert set(job["env"]) == {"SLIPWAY_SERVER"}
    scripts = [step["run"].replace("express-pay", name) for step in job["steps"] if "run" in step]
    said = carry(slipway, name, [
        lambda text=text: pipeline(slipway, tmp_path, ["bash", "-e", "-c"], text, TOKEN=token,
                                   RUNNER_TEMP=str(tmp_path)) for text in scripts])
    assert "COMPLETED" in said, said
    assert (tmp_path / "token").stat().st_mode & 0o777 == 0o600

    # The same commit built again hands in what is there already, and ends well at once.
    shell = re.findall(r"\bsh '([^']*)'", block("Jenkinsfile"))
    assert len(shell) == 3
    said = carry(slipway, name, [
        lambda text=text: pipeline(slipway, tmp_path, ["sh", "-xe", "-c"],
                                   text.replace("express-pay", name),
                                   SLIPWAY_TOKEN_FILE=str(tmp_path / "token")) for text in shell])
    assert "COMPLETED" in said and not slipway.deployment(f"{name}.2"), said


def test_a_token_and_keys_made_as_the_readme_says_are_believed(slipway, tmp_path, build):
    folder = slipway.stage.folder
    (tmp_path / "tokens.yaml").write_text((folder / "tokens.yaml").read_text())
    run("token", tmp_path)
    token = (tmp_path / "mira.token").read_text()
    shutil.copy(tmp_path / "tokens.yaml", folder / "tokens.yaml")
    slipway.stage.restart("gateway-1")
    slipway.stage.wait_ready(["gateway-1"])
    slipway.stage.tokens["mira.okafor"] = token
    me = slipway.get("/v1/me", who="mira.okafor").json()
    assert (me["subject"], me["roles"]) == ("mira.okafor", ["technical-lead"])

    run("keys", tmp_path)
    keys = sorted((tmp_path / "keys").iterdir())
    assert [k.name for k in keys] == sorted(k.name for k in (folder / "keys").iterdir())
    assert all(k.stat().st_mode & 0o777 == 0o600 and len(k.read_text()) == 65 for k in keys)


def test_alertmanager_takes_the_readmes_configuration(tmp_path):
    text = block("alertmanager.yml")
    assert yaml.safe_load(text)["receivers"][0]["webhook_configs"][0]["url"].endswith(
        "/v1/alertmanager")
    (tmp_path / "alertmanager.yml").write_text(text)
    done = subprocess.run(["amtool", "check-config", tmp_path / "alertmanager.yml"], text=True,
                          capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_where_it_is_asked_for_an_acceptance_signed_as_the_readme_says_is_believed(
        slipway, tmp_path):
    stage = slipway.stage
    keys = stage.folder / "producers"
    for topic in ("acceptance.v1", "alerts.v1"):
        (keys / topic).mkdir(parents=True)
    old, new = secrets.token_hex(32), secrets.token_hex(32)
    stage.write_secret("producers/acceptance.v1/checkout-ci.key", f"{new}\n{old}\n")
    (tmp_path / "key").write_text(old + "\n")
    text = stage.settings.read_text()
    assert text.count("  tokens: ") == 1
    stage.settings.write_text(text.replace("  tokens: ", "  producers: producers\n  tokens: "))
    stage.restart("coordinator-1")
    stage.wait_ready(["coordinator-1"])

    wanted = json.loads(acceptance(slipway))
    wanted["feature"] = "signed-pay"
    (tmp_path / "acceptance.json").write_text(json.dumps(wanted))
    run("submit", tmp_path, slipway, BUILD_ID="unsigned")
    letters = slipway.records("dead-letter.v1", lambda r: r.key() == b"signed-pay")
    assert "ce_writer is missing" in slipway.messages.DeadLetter.FromString(
        letters[0].value()).reason
    assert not slipway.deployment("signed-pay.1")
    run("sign", tmp_path, slipway, BUILD_ID="signed", SLIPWAY_PRODUCER_KEY=str(tmp_path / "key"))
    slipway.wait("signed-pay.1", lambda state: state["feature"] == "signed-pay")
