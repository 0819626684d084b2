"""slipway-judge reads what verdict.py writes, and says what the simulation's judge would say: each
made-up history that must not be is seen, and the one that may be is not."""
import json

import pytest
import verdict
from test_history import DEPLOYMENT, Story

TARGETS = [{"name": "shop", "service": "shop", "instances": [{"name": "shop-1"}]}]


class Case:
    """A story about one deployment that a person aborted, in a folder like a stage's."""

    def __init__(self, messages, build, folder):
        self.story, self.build, self.folder = Story(messages), build, folder
        (folder / "slipway.yaml").write_text(json.dumps({"targets": TARGETS}))
        request = messages.Event(deployment=DEPLOYMENT, feature="shop-f1")
        request.request.abort.SetInParent()
        self.story.say("events.v1", request)
        self.grant(7)
        self.story.event("lane_released", lane="production/shop", deployment=DEPLOYMENT, number=7)

    def grant(self, number, to=DEPLOYMENT):
        self.story.event("lane_granted", to, lane="production/shop", deployment=to, grant=number,
                         number=number)

    def end(self, sequence=1, **body):
        self.story.signal("deployment_finished", sequence, **{"exit": "ABORTED", **body})

    def verdicts(self):
        story = self.story
        story.everything = [*story.events, *story.signals, *story.controls, *story.commands]
        return verdict.verdicts(story, self.build, self.folder, [DEPLOYMENT], False)


@pytest.fixture
def case(messages, build, tmp_path):
    return Case(messages, build, tmp_path)


def test_what_may_be_is_in_order(case):
    case.end()
    assert case.verdicts() == []


@pytest.mark.parametrize("exit_, says", [
    ("COMPLETED", "complete means complete"), ("ROLLED_BACK", None)])
def test_an_end_needs_what_it_says(case, exit_, says):
    case.end(exit=exit_)
    assert case.verdicts() == [] if says is None else says in case.verdicts()[0]


def test_a_deployment_that_said_something_and_never_ended_is_seen(case):
    case.story.signal("monitoring_active", 1)
    assert "every deployment says how it ended" in case.verdicts()[0]


def test_a_number_that_two_signals_bear_is_seen(case):
    case.story.signal("monitoring_active", 1)
    case.end()
    assert "a number is one signal" in case.verdicts()[0]


def test_a_lane_granted_while_it_is_held_is_seen_across_features(case):
    case.end()
    case.grant(8, "other-f1.1")
    case.grant(9, "third-f1.1")
    assert "a lane has one holder at a time" in case.verdicts()[0]


@pytest.mark.parametrize("fence, says", [("7.20", None), ("6.20", "never had")])
def test_an_instance_touched_under_a_grant_that_nobody_had_is_seen(case, fence, says):
    case.story.task(1, 2, "apply", version=20)  # of step 1: that needs no plan
    case.story.commands[-1].message.fence.grant = int(fence[0])
    case.story.task(1, 3, "revert", version=30)
    case.story.commands[-1].message.fence.grant = 7
    case.end()
    for line in (f"shop-1 1.1 {fence} begun 5000", f"shop-1 1.1 {fence} done 5001",
                 "shop-1 1.0 7.30 begun 6000", "shop-1 1.0 7.30 done 6001"):
        case.story.calls.append(line.split())
    told = case.verdicts()
    assert told == [] if says is None else says in told[0]


def test_what_was_taken_back_and_still_runs_is_seen(case):
    case.story.task(1, 2, "apply", version=20)  # of step 1: that needs no plan
    case.story.commands[-1].message.fence.grant = 7
    case.end()
    case.story.calls += ["shop-1 1.1 7.20 begun 5000".split(), "shop-1 1.1 7.20 done 5001".split()]
    assert "nothing is left of what was taken back" in case.verdicts()[0]


def test_a_file_that_is_not_whole_is_no_verdict(case, monkeypatch):
    case.end()
    monkeypatch.setattr(verdict, "framed", lambda said: b"\xff")
    assert "2" in case.verdicts()[0] and "not whole" in case.verdicts()[0]
