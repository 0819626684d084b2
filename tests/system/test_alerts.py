"""Alerts: in every phase, grouped, resolved, unmatched; from records and from Alertmanager."""
import time


def alert_body(service="shop", severity="critical", status="firing", name="ShopErrorBudgetBurn",
               fingerprint="a1b2c3d4e5f60718", environment="production"):
    return {"version": "4", "groupKey": "{}:{}", "truncatedAlerts": 0, "status": status,
            "receiver": "slipway", "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {},
            "externalURL": "http://127.0.0.1:9093", "alerts": [{
                "status": status, "fingerprint": fingerprint, "generatorURL": "",
                "labels": {"alertname": name, "service": service, "severity": severity,
                           "environment": environment},
                "annotations": {"summary": "error budget burns"},
                "startsAt": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                "endsAt": "0001-01-01T00:00:00Z"}]}


def fire(slipway, **more):
    answer = slipway.http("POST", "/v1/alertmanager", "monitoring", alert_body(**more))
    assert answer.status_code == 202, answer.text


def rolling(slipway, **changes):
    feature = slipway.feature("gift-cards", **changes)
    feature["rollout"][0]["min_time"] = "60s"
    name = slipway.submit(feature)
    slipway.approve(name)
    slipway.wait(name, lambda s: s["phase"] == "ROLLING_OUT" and s["percent"] > 0)
    return name


def test_a_critical_alert_turns_flags_off_and_rolls_back(slipway):
    before = slipway.ask_shop()["version"]
    name = rolling(slipway)
    flag = name.rsplit(".", 1)[0]
    fire(slipway, fingerprint="f000000000000001")
    state = slipway.wait_exit(name, "ROLLED_BACK", people=False)
    assert state["latched"]
    assert slipway.get(f"/v1/flags/production/{flag}").json()["state"] == "LATCHED"
    assert slipway.ask_shop()["version"] == before
    entries = slipway.get(f"/v1/deployments/{name}/timeline").json()["items"]
    versions = [e["version"] for e in entries]
    assert versions == sorted(versions)
    fire(slipway, status="resolved", fingerprint="f000000000000001")


def test_an_alert_record_from_any_kafka_client_counts(slipway):
    name = rolling(slipway)
    batch = slipway.messages.AlertBatch(source="test")
    alert = batch.alerts.add(fingerprint="f000000000000002", status=1, severity=3, service="shop",
                             environment="production", summary="by record", name="ByRecord")
    alert.starts_at_ms = int(time.time() * 1000)
    slipway.publish("alerts.v1", batch.SerializeToString(), "shop",
                    slipway.cloudevent("slipway.v1.AlertBatch"))
    slipway.wait_exit(name, "ROLLED_BACK", people=False)
    fire(slipway, status="resolved", fingerprint="f000000000000002", name="ByRecord")


def test_an_alert_of_another_service_changes_nothing(slipway):
    name = rolling(slipway)
    fire(slipway, service="billing", fingerprint="f000000000000003")
    fire(slipway, severity="info", fingerprint="f000000000000004")
    time.sleep(0.5)
    state = slipway.deployment(name)
    assert state["phase"] == "ROLLING_OUT" and not state["latched"]
    slipway.request(name, "release-engineer", {"abort": {}}, "done")
    slipway.wait_exit(name, "ABORTED")


def test_a_warning_holds_and_resume_goes_on(slipway):
    name = rolling(slipway)
    fire(slipway, severity="warning", fingerprint="f000000000000005", name="Slow")
    state = slipway.wait(name, lambda s: any(h["kind"] == "WARNING" for h in s["holds"]))
    assert not state["latched"]
    fire(slipway, severity="warning", status="resolved", fingerprint="f000000000000005",
         name="Slow")
    slipway.wait(name, lambda s: any(i["cause"] == "Slow" and not i["open"]
                                     for i in s["incidents"]))
    assert slipway.request(name, "release-engineer", {"resume": {}}).status_code == 200
    slipway.wait(name, lambda s: not s["holds"])
    slipway.request(name, "release-engineer", {"abort": {}}, "done")
    slipway.wait_exit(name, "ABORTED")


def test_an_open_critical_alert_fails_step_1(slipway):
    fire(slipway, fingerprint="f000000000000020", name="Before")
    name = slipway.submit(slipway.feature())
    slipway.approve(name)
    state = slipway.wait(name, lambda s: s["phase"] == "BLOCKED")
    assert state["step"] == 1
    bad = [f["check"] for f in state["findings"] if f["verdict"] == "FAIL"]
    assert "monitoring.no_open_critical" in bad
    answer = slipway.request(name, "release-engineer",
                             {"waive": {"check": "monitoring.no_open_critical"}}, "please")
    assert answer.status_code == 409
    fire(slipway, status="resolved", fingerprint="f000000000000020", name="Before")
    slipway.wait(name, lambda s: "Before" not in slipway.get("/v1/alerts").text)
    assert slipway.request(name, "release-engineer", {"retry": {}}).status_code == 200
    slipway.wait_exit(name, "COMPLETED")
