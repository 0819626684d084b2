"""Lays out the shop in a stage's folder, opens it at 1.0, writes its features' feature.yaml, and
asks the shop itself what it runs: past Slipway, so that it can prove what Slipway says."""
import datetime
import functools
import hashlib
import http.client
import itertools
import json
import os
import pathlib
import shutil
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import stage as stage_module

SHOP = pathlib.Path(__file__).resolve().parent / "shop"
INSTANCES = [f"shop-{n}" for n in range(1, 5)]
FEATURES = {
    "express-pay": {
        "title": "Express pay button in checkout", "ticket": "SHOP-4182", "approach": "canary",
        "version": "1.1", "configuration": "r2", "migration": "0002_express_pay.sql",
        "schema": "2", "criterion": "paying takes one click", "at_half": "300ms"},
    "gift-cards": {
        "title": "Paying with gift cards", "ticket": "SHOP-4190", "approach": "rolling",
        "version": "1.2", "configuration": "r3", "migration": "0003_gift_cards.sql",
        "schema": "3", "criterion": "a gift card pays an order", "at_half": "10s"},
    "broken": {
        "title": "A release that takes no orders", "ticket": "SHOP-4199", "approach": "canary",
        "version": "1.3", "configuration": "r3", "migration": "0003_gift_cards.sql",
        "schema": "3", "criterion": "none", "at_half": "300ms"},
}
DOCUMENTS = {
    "deployment_steps": "1. {migration}\n2. configuration {configuration}\n3. shop {version}\n",
    "configuration": "shop.json of {configuration}; nothing is set by hand.\n",
    "rollback": "`slipway rollback`: shop, configuration and schema go back in that order.\n",
    "runbook": "Orders fail: turn the flag off first, then look at logs/shop.log.\n",
    "requirements": "- {criterion}\n",
    "observability": "shop_requests_total, shop_errors_total; dashboard shop.\n",
}


# --- opening and closing ---

def open_shop(stage):
    """Everything below stage.folder, and four instances of 1.0 that answer."""
    folder = stage.folder
    stage.shop_ports = [stage_module.free_port() for _ in INSTANCES]
    # Once more after the services have ended: an undo under way restarts what was closed.
    stage.stops.append(lambda: close_shop(stage))
    shutil.copytree(SHOP, folder / "shop", dirs_exist_ok=True)
    lay_out_artifacts(folder)
    (folder / "shop.json").write_text(json.dumps({
        "gateway": f"http://127.0.0.1:{stage.gateway_port}",
        "configuration": str(folder / "instances" / "config"),
        "database": str(folder / "shop.db"), "log": str(folder / "logs" / "shop.log")}))
    open_wiki(stage)
    first_release(folder, "config", "r1", "config/r1")
    migrate_first(folder)
    for name, port in zip(INSTANCES, stage.shop_ports):
        first_release(folder, name, "1.0", "shop/1.0")
        restart(folder, folder / "instances" / name, port)
    open_visitors(stage)


def lay_out_artifacts(folder):
    """What CI would have published: artifacts/{shop/<version>, config/<release>, migrations}."""
    artifacts = folder / "artifacts"
    for release in sorted((SHOP / "releases").iterdir()):
        target = artifacts / "shop" / release.name
        target.mkdir(parents=True)
        shutil.copy(SHOP / "server.py", target)
        shutil.copy(release / "release.py", target)
    shutil.copytree(SHOP / "config", artifacts / "config")
    shutil.copytree(SHOP / "migrations", artifacts / "migrations")


def first_release(folder, instance, version, source):
    """What somebody deployed before there was Slipway."""
    origin, directory = folder / "artifacts" / source, folder / "instances" / instance
    release = directory / "releases" / f"{version}-{tree_digest(origin)[:12]}"
    shutil.copytree(origin, release)
    (directory / "current").symlink_to(pathlib.Path("releases") / release.name)


def migrate_first(folder):
    file = folder / "artifacts" / "migrations" / "0001_orders.sql"
    run(folder, "shop/migrate", "apply", "shop.db", file, "1", file_digest(file), "0.0")


def restart(folder, directory, port):
    run(folder, "shop/restart", directory, f"http://127.0.0.1:{port}", "shop.json")


def run(folder, program, *arguments):
    done = subprocess.run([str(folder / program), *map(str, arguments)], cwd=folder, text=True,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if done.returncode != 0:
        raise stage_module.Failed(f"{program} {' '.join(map(str, arguments))}: {done.stderr}")


def close_shop(stage):
    for name in INSTANCES:
        directory = stage.folder / "instances" / name
        if (directory / "pid").exists():
            run(stage.folder, "shop/restart", "--stop", directory)


class Wiki(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def open_wiki(stage):
    """Where reports, documents and the dashboard are: a folder, served on loopback."""
    stage.wiki = stage.folder / "wiki"
    (stage.wiki / "dashboard").mkdir(parents=True)
    (stage.wiki / "dashboard" / "shop.html").write_text("<h1>shop</h1>\n")
    server = ThreadingHTTPServer(("127.0.0.1", 0),
                                 functools.partial(Wiki, directory=str(stage.wiki)))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    stage.wiki_url = f"http://127.0.0.1:{server.server_address[1]}"
    stage.stops.append(lambda: (server.shutdown(), server.server_close()))


def open_visitors(stage):
    """Guests who order all day: without them there would be nothing to measure. They have no name,
    so no flag is on for them, and what is wrong with a feature is not theirs to notice."""
    closed = threading.Event()

    def visit():
        for number in itertools.count():
            url = urls(stage)[number % len(INSTANCES)]
            get(f"{url}/order?item=1", timeout=1)
            if closed.wait(0.02):
                return
    visitors = threading.Thread(target=visit, daemon=True)
    visitors.start()
    stage.stops.append(lambda: (closed.set(), visitors.join(3)))


# --- what Slipway is told ---

def replacements(stage):
    """What differs in this stage from deploy/example/slipway.yaml."""
    gateway = f"127.0.0.1:{stage.gateway_port}"
    found = {"127.0.0.1:9092": stage.bootstrap, "port: 6379": f"port: {stage.redis_port}",
             "127.0.0.1:8080": gateway,
             "requests_per_minute: 600": "requests_per_minute: 60000",
             '["https://wiki.example/", "https://grafana.example/"]': f'["{stage.wiki_url}/"]',
             "127.0.0.1:8200": f"127.0.0.1:{stage.desk_port}",
             "127.0.0.1:8225": f"127.0.0.1:{stage.smtp_port}"}
    for number, port in enumerate(stage.shop_ports, 1):
        found[f"127.0.0.1:810{number}"] = f"127.0.0.1:{port}"
    return found


def file_digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def tree_digest(folder):
    """As `find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum`."""
    files = sorted((p for p in folder.rglob("*") if p.is_file()),
                   key=lambda p: os.fsencode(f"./{p.relative_to(folder)}"))
    lines = "".join(f"{file_digest(p)}  ./{p.relative_to(folder)}\n" for p in files)
    return hashlib.sha256(lines.encode()).hexdigest()


def publish(stage, name, text):
    """Puts a page into the wiki; answers its link and digest as feature.yaml has them."""
    page = stage.wiki / name
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(text)
    return {"link": f"{stage.wiki_url}/{name}", "digest": f"sha256:{file_digest(page)}"}


def feature_yaml(stage, name):
    """feature.yaml of express-pay or gift-cards. JSON, which is YAML."""
    facts, artifacts = FEATURES[name], stage.folder / "artifacts"
    yesterday = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=1)
    report = publish(stage, f"{name}/acceptance.md", f"# {facts['title']}\n\nAccepted.\n")

    def artifact(kind, label, version, source, target):
        path = artifacts / source
        digest = tree_digest(path) if path.is_dir() else file_digest(path)
        return {"kind": kind, "name": label, "version": version, "source": source,
                "digest": f"sha256:{digest}", "target": target, "on_rollback": "revert"}

    def step(label, percent, min_time="300ms", **more):
        return {"name": label, "percent": percent, "min_time": min_time, **more}

    return json.dumps({
        "feature": name, "title": facts["title"], "environment": "production",
        "services": ["shop"], "ticket": facts["ticket"], "team": "checkout",
        "approach": facts["approach"],
        "acceptance": {"report": report, "accepted": True, "criteria_met": True,
                       "criteria": [facts["criterion"]],
                       "signoffs": [{"subject": "paula", "role": "product-owner",
                                     "at": yesterday.strftime("%Y-%m-%dT%H:%M:%SZ")}]},
        "artifacts_ready": True,
        "artifacts": [
            artifact("migration", facts["migration"], facts["schema"],
                     f"migrations/{facts['migration']}", "shop-db"),
            artifact("configuration", "shop.json", facts["configuration"],
                     f"config/{facts['configuration']}", "shop-config"),
            artifact("backend", "shop", facts["version"], f"shop/{facts['version']}", "shop")],
        "flags": [{"key": name, "description": facts["title"]}],
        "rollout": [step("internal", 5, audience="group=staff"), step("beta", 10),
                    step("gradual", 50, facts["at_half"]), step("full", 100)],
        "documents": [{"kind": kind, **publish(stage, f"{name}/{kind}.md",
                                               text.format(**facts))}
                      for kind, text in DOCUMENTS.items()],
        "dashboards": [{"title": "shop", "url": f"{stage.wiki_url}/dashboard/shop.html"}],
        "test_results": [{"suite": "unit", "passed": 312, "failed": 0,
                          **{"link": publish(stage, f"{name}/tests.md", "all green\n")["link"]}}],
        "risks": ["payment provider limits"],
    }, indent=2)


def alert():
    """What Prometheus Alertmanager posts when shop burns its error budget."""
    now = datetime.datetime.now(datetime.timezone.utc).isoformat().replace("+00:00", "Z")
    labels = {"alertname": "ShopErrorBudgetBurn", "severity": "critical", "service": "shop",
              "environment": "production"}
    return {"version": "4", "groupKey": '{}:{alertname="ShopErrorBudgetBurn"}',
            "truncatedAlerts": 0, "status": "firing", "receiver": "slipway",
            "groupLabels": {"alertname": "ShopErrorBudgetBurn"}, "commonLabels": labels,
            "commonAnnotations": {}, "externalURL": "http://alertmanager.example",
            "alerts": [{"status": "firing", "labels": labels,
                        "annotations": {"summary": "orders with gift cards fail"}, "startsAt": now,
                        "endsAt": "0001-01-01T00:00:00Z", "fingerprint": "5f1e7c0a9d3b2846",
                        "generatorURL": "http://prometheus.example/graph"}]}


# --- asking the shop ---

def get(url, timeout=5):
    """(status, parsed JSON); 0 when there was no answer."""
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as answer:
        return answer.code, json.loads(answer.read() or b"{}")
    except (OSError, ValueError, http.client.HTTPException):
        return 0, {}


def urls(stage):
    return [f"http://127.0.0.1:{port}" for port in stage.shop_ports]


def spread(stage, users, path):
    """Every user asks one of the instances in turn; answers in the order of the users."""
    addresses = urls(stage)
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda at: get(addresses[at[0] % len(addresses)] +
                                            path.format(user=urllib.parse.quote(at[1]))),
                             enumerate(users)))


def look(stage, users):
    """What the shop itself says: release, configuration and schema; how many instances agree; how
    many of the users see each feature."""
    versions = [get(f"{url}/version")[1] for url in urls(stage)]
    first = next((v for v in versions if v), {})
    agree = sum(v.get("version") == first.get("version") and v.get("digest") == first.get("digest")
                for v in versions)
    seen = {name: 0 for name in FEATURES}
    for _, answer in spread(stage, users, "/feature?user={user}"):
        for name, on in answer.get("features", {}).items():
            seen[name] += on
    return {"version": first.get("version"), "agree": agree, "of": len(versions),
            "configuration": get(f"{urls(stage)[0]}/configuration")[1].get("version"),
            "schema": get(f"{urls(stage)[0]}/database")[1].get("schema"), "users": seen}


def shop_around(stage, users, flag):
    """Every user visits; all who do not have the feature order twice, then one of those who have
    it: too few failures for the limit of error_rate, so that it takes an alert to notice.
    Remembers who had the feature, for flag_off."""
    features = spread(stage, users, "/feature?user={user}")
    stage.shop_users_on = [user for user, (_, answer) in zip(users, features)
                           if answer.get("features", {}).get(flag)]
    others = [user for user in users if user not in stage.shop_users_on]
    spread(stage, [*others, *others, *stage.shop_users_on[:1]], "/order?item=1&user={user}")


def is_on(stage, flag, user):
    """Asks the gateway as any OpenFeature client would."""
    request = urllib.request.Request(
        f"{stage.gateway_url}/ofrep/v1/evaluate/flags/{flag}",
        json.dumps({"context": {"targetingKey": user}}).encode(),
        {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=2) as answer:
            return json.load(answer).get("value") is True
    except urllib.error.HTTPError as answer:
        return answer.code != 404


def flag_off(stage, flag):
    """The moment (seconds) at which none of those who had the feature had it any more; None while
    somebody has."""
    for user in getattr(stage, "shop_users_on", [])[:3]:
        if is_on(stage, flag, user):
            return None
    return time.time()
