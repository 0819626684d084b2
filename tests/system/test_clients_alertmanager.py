"""A real Alertmanager, configured as the README says: what it tells leads to a rollback."""
import pathlib
import re
import time

import pytest
import requests

from stage import ROOT, free_port, wait_for

README = (ROOT / "README.md").read_text()


class Alertmanager:
    """The Debian package's program on loopback, with the README's file."""

    def __init__(self, stage, folder, token):
        (folder / "token").write_text(token)
        text = re.search(r"<!-- file: alertmanager.yml -->\n```yaml\n(.*?)```", README, re.S)[1]
        for old, new in (("https://slipway.example", stage.gateway_url),
                         ("/etc/alertmanager/slipway.token", str(folder / "token"))):
            assert old in text
            text = text.replace(old, new)
        (folder / "alertmanager.yml").write_text(text)
        self.url = f"http://127.0.0.1:{free_port()}"
        self.process = stage.launch(f"alertmanager-{folder.name}", [
            "prometheus-alertmanager", f"--config.file={folder / 'alertmanager.yml'}",
            f"--storage.path={folder / 'data'}", "--cluster.listen-address=",
            f"--web.listen-address={self.url.partition('//')[2]}"])
        wait_for("Alertmanager to be ready", self.ready, 60)

    def ready(self):
        assert self.process.running(), self.process.last_lines()
        try:
            return requests.get(self.url + "/-/ready", timeout=5).status_code == 200
        except requests.ConnectionError:
            return False

    def fire(self, resolved=False, **labels):
        now = time.time()
        alert = {"labels": labels, "annotations": {"summary": "error budget burns"},
                 "startsAt": stamp(now - 5), "generatorURL": "http://prometheus.example/graph",
                 **({"endsAt": stamp(now)} if resolved else {})}
        requests.post(self.url + "/api/v2/alerts", json=[alert], timeout=15).raise_for_status()

    def log(self):
        return pathlib.Path(self.process.log).read_text(errors="replace")


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


@pytest.fixture
def alertmanager(lab, tmp_path):
    started = []

    def start(token):
        folder = tmp_path / str(len(started))
        folder.mkdir()
        started.append(Alertmanager(lab.stage, folder, token))
        return started[-1]
    yield start
    for one in started:
        one.process.stop()


def test_an_alert_of_alertmanager_rolls_back_and_its_end_is_taken(lab, alertmanager):
    real, service = alertmanager(lab.stage.tokens["monitoring"]), lab.take()
    before = service.versions()
    name = lab.begin(service, policy="slow")
    lab.wait(name, lambda s: s["phase"] == "OBSERVING", people=True)
    labels = {"alertname": "ErrorBudgetBurn", "service": service.name, "severity": "critical",
              "environment": "production"}
    real.fire(**labels)
    state = lab.wait_exit(name, "ROLLED_BACK", people=False)
    assert state["latched"] and "ErrorBudgetBurn" in state["stop"]["cause"]
    assert service.versions() == before

    def named():
        return [a for a in lab.get("/v1/alerts").json()["items"]
                if a["service"] == service.name]
    alert = named()[0]
    assert (alert["name"], alert["severity"], alert["summary"]) == (
        "ErrorBudgetBurn", "CRITICAL", "error budget burns")
    real.fire(resolved=True, **labels)
    wait_for("the alert to be gone", lambda: not named(), 60, 0.2)
    assert "level=error" not in real.log() and "level=warn" not in real.log(), real.log()
    lab.give_back(service)


@pytest.mark.parametrize("subject,status", [(None, "401"), ("ci/quickstart", "403")])
def test_a_wrong_token_is_seen_in_alertmanagers_log(lab, alertmanager, subject, status):
    real = alertmanager(lab.stage.tokens[subject] if subject else "slw_wrong")
    real.fire(alertname="Any", service="lab-00", severity="info", environment="production")
    wait_for(f"{status} in the log", lambda: f"status code {status}" in real.log(), 60, 0.1)
