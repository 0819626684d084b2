"""The whole procedure: to production for each approach, and every exit."""
import time

import pytest


@pytest.mark.parametrize("approach", ["canary", "rolling"])
def test_a_feature_goes_to_production(slipway, approach):
    feature = slipway.feature(approach=approach)
    name = slipway.submit(feature)
    slipway.approve(name)
    state = slipway.wait_exit(name, "COMPLETED")

    assert [s["decision"] for s in state["steps"]] == ["GO"] * 8
    assert state["percent"] == 100
    dates = state["dates"]
    order = [dates["execution_ms"], dates["validation_ms"], *dates["activation_ms"],
             dates["post_validation_ms"], dates["completion_ms"]]
    assert all(order) and order == sorted(order)
    assert dates["monitoring_ms"]

    shop = slipway.ask_shop()
    assert (shop["version"], shop["agree"]) == ("1.1", shop["of"])
    deployed = slipway.signals(name, "feature_deployed")
    assert deployed and deployed[0].feature == feature["feature"]
    available = slipway.signals(name, "feature_available", len(feature["rollout"]))
    assert [s.feature_available.percent for s in available] == [5, 10, 50, 100]
    assert available[-1].feature_available.full
    assert slipway.signals(name, "monitoring_active")
    finished = slipway.signals(name, "deployment_finished")
    assert finished[0].deployment_finished.exit == "COMPLETED"
    everything = slipway.records("signals.v1", lambda r: r.key() == feature["feature"].encode(), 7)
    sequences = [slipway.messages.Signal.FromString(r.value()).sequence for r in everything]
    assert sequences == sorted(set(sequences))


def test_the_ticket_says_what_slipway_says(slipway):
    name = slipway.submit(slipway.feature(ticket="SHOP-77"))
    slipway.approve(name)
    slipway.wait_exit(name, "COMPLETED")
    issue = slipway.stage.desk.issue("SHOP-77")
    assert issue["fields"]["status"]["name"] == "Done"
    assert issue["comments"] and issue["links"]
    assert name in str(issue)


def test_the_report_is_complete_and_readable(slipway):
    name = slipway.submit(slipway.feature())
    slipway.approve(name)
    slipway.wait_exit(name, "COMPLETED")
    report = slipway.get(f"/v1/deployments/{name}/report").json()
    assert len(report["definition_of_done"]) == 10
    assert all(item["done"] for item in report["definition_of_done"])
    text = slipway.get(f"/v1/deployments/{name}/report", headers={"Accept": "text/markdown"}).text
    assert text.startswith("# ") and name in text


def test_a_rejected_plan_is_aborted(slipway):
    name = slipway.submit(slipway.feature())
    slipway.wait(name, lambda s: s["phase"] == "IN_REVIEW")
    assert slipway.request(name, "technical-lead", {"reject": {}}, "not now").status_code == 200
    state = slipway.wait_exit(name, "ABORTED")
    assert "not now" in state["stop"]["cause"]
    finished = slipway.signals(name, "deployment_finished")
    assert finished[0].deployment_finished.exit == "ABORTED"


def test_an_abort_while_rolling_out_undoes_everything(slipway):
    before = slipway.ask_shop()["version"]
    feature = slipway.feature("gift-cards")
    feature["rollout"][0]["min_time"] = "60s"
    name = slipway.submit(feature)
    slipway.approve(name)
    slipway.wait(name, lambda s: s["phase"] == "ROLLING_OUT" and s["percent"] > 0)
    assert slipway.request(name, "release-engineer", {"abort": {}}, "postponed").status_code == 200
    state = slipway.wait_exit(name, "ABORTED")
    assert state["latched"] and state["percent"] == 0 or state["latched"]
    shop = slipway.ask_shop()
    assert (shop["version"], shop["agree"]) == (before, shop["of"])


def test_an_operators_rollback_ends_rolled_back(slipway):
    before = slipway.ask_shop()["version"]
    feature = slipway.feature("gift-cards")
    feature["rollout"][0]["min_time"] = "60s"
    name = slipway.submit(feature)
    slipway.approve(name)
    slipway.wait(name, lambda s: s["phase"] == "ROLLING_OUT" and s["percent"] > 0)
    assert slipway.request(name, "release-engineer", {"rollback": {}}, "EU pays not").status_code == 200
    state = slipway.wait_exit(name, "ROLLED_BACK")
    assert state["stop"]["by"] == "rel"
    assert slipway.signals(name, "feature_rolled_back")
    assert slipway.ask_shop()["version"] == before


def test_a_failed_validation_rolls_back(slipway):
    before = slipway.ask_shop()["version"]
    name = slipway.submit(slipway.feature("broken"))
    slipway.approve(name)
    state = slipway.wait_exit(name, "ROLLED_BACK")
    assert state["stop"]["step"] in (2, 3)
    assert slipway.ask_shop()["version"] == before


def test_a_completed_deployment_can_be_taken_back_by_a_linked_one(slipway):
    before = slipway.ask_shop()["version"]
    name = slipway.submit(slipway.feature("gift-cards"))
    slipway.approve(name)
    slipway.wait_exit(name, "COMPLETED")
    answer = slipway.request(name, "release-engineer", {"rollback": {}}, "regretted")
    assert answer.status_code == 200, answer.text
    end = time.monotonic() + 60
    while time.monotonic() < end:
        newest = slipway.deployment(name.rsplit(".", 1)[0])
        # Between the wish and the birth of the new attempt there is none of that name.
        if newest and newest["id"] != name and newest["exit"]:
            break
        time.sleep(0.1)
    assert (newest["kind"], newest["exit"]) == ("ROLLBACK", "ROLLED_BACK")
    assert newest["attempt_of"] == name
    assert slipway.ask_shop()["version"] == before
