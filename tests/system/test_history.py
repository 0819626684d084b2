"""The judge of histories is judged: each thing that must never have happened, made up, is seen."""
import pytest
from history import History, Said

DEPLOYMENT = "shop-f1.1"


class Record:
    def __init__(self, topic, offset, identity, message):
        self.parts = topic, offset, identity, message

    topic = lambda self: self.parts[0]                      # noqa: E731
    partition = lambda self: 0                              # noqa: E731
    key = lambda self: b""                                  # noqa: E731
    offset = lambda self: self.parts[1]                     # noqa: E731
    timestamp = lambda self: (1, 1000 + self.parts[1])      # noqa: E731
    headers = lambda self: [("ce_id", self.parts[2].encode())]  # noqa: E731
    value = lambda self: self.parts[3].SerializeToString()  # noqa: E731


class Story(History):
    """A history that was made up."""

    def __init__(self, messages):  # no topics are read
        self.messages, self.found, self.calls = messages, [], []
        self.events, self.signals, self.controls, self.commands = [], [], [], []
        self.number = 0

    def say(self, topic, message, identity=None):
        self.number += 1
        said = Said(Record(topic, self.number, identity or f"id-{self.number}", message), message)
        {"events.v1": self.events, "signals.v1": self.signals, "control.v1": self.controls}.get(
            topic, self.commands).append(said)

    def event(self, kind, of=DEPLOYMENT, /, **body):
        event = self.messages.Event(deployment=of, feature="shop-f1")
        getattr(event, kind).SetInParent()
        for name, value in body.items():
            setattr(getattr(event, kind), name, value)
        self.say("events.v1", event)

    def task(self, step, index, kind="run_checks", version=None, outcome=1, drive=1):
        task = f"{DEPLOYMENT}/{step}/1/{index}"
        command = self.messages.Command(deployment=DEPLOYMENT, task=task, drive=drive)
        command.fence.grant, command.fence.version = 1, version or 10 * index + drive
        getattr(command, kind).SetInParent()
        self.say("commands.executor.v1", command)
        self.event("task_started", task=task, drive=drive)
        self.event("task_finished", task=task, drive=drive, outcome=outcome)

    def signal(self, kind, sequence, identity=None, **body):
        signal = self.messages.Signal(feature="shop-f1", deployment=DEPLOYMENT, sequence=sequence)
        getattr(signal, kind).SetInParent()
        for name, value in body.items():
            setattr(getattr(signal, kind), name, value)
        self.say("signals.v1", signal, identity)

    def flag(self, percent=20):
        control = self.messages.Control()
        control.flag.deployment, control.flag.percent = DEPLOYMENT, percent
        self.say("control.v1", control)

    def lane(self, kind, grant, deployment=DEPLOYMENT):
        self.event(kind, lane="production/shop", deployment=deployment, grant=grant)

    def end(self, exit_="COMPLETED"):
        self.event("attempt_moved", "", ended=True, exit=exit_, deployment=DEPLOYMENT)


@pytest.fixture
def story(messages):
    """One that completed as it should."""
    story = Story(messages)
    story.event("attempt_created")
    story.lane("lane_granted", 1)
    story.task(1, 1)
    story.task(2, 2, "apply")
    story.task(3, 3)
    story.signal("feature_deployed", 1)
    story.flag()
    story.task(4, 4, "set_flags")
    story.signal("feature_available", 2, full=True)
    story.task(5, 5)
    story.lane("lane_released", 1)
    story.task(6, 6, "watch")
    story.task(7, 7, "finalise")
    story.calls = [[instance, "1.1", "1.21", what] for instance in ("shop-1", "shop-2")
                   for what in ("begun", "done")]
    return story


def ended(story, exit_="COMPLETED"):
    story.signal("deployment_finished", 3, exit=exit_)
    story.end(exit_)
    return story.faults()


def test_a_good_story_has_no_faults(story):
    assert ended(story) == []
    assert story.exits() == {DEPLOYMENT: "COMPLETED"}


def test_a_deployment_that_was_lost_is_seen(story):
    assert any("has not ended" in f for f in story.faults())
    assert not story.faults(ended=False)
    assert any("is not on the log" in f for f in story.faults(only=["other.1"]))


@pytest.mark.parametrize("wrong,text", [
    (lambda s: s.task(9, 8), "step 9 was begun"),
    (lambda s: s.task(2, 8), "back from step 7"),
    (lambda s: s.end(), "ended more than once"),
    (lambda s: s.signal("deployment_finished", 3, exit="ABORTED"), "ended more than once"),
    (lambda s: (s.task(7, 8, "revert"), s.task(7, 9, "apply")), "forward after"),
    (lambda s: s.task(7, 7, "finalise", version=99), "two fences of one drive"),
    (lambda s: s.task(7, 7, "finalise", version=2, drive=2), "do not rise"),
    (lambda s: s.task(7, 7, "finalise", outcome=2), "two results"),
    (lambda s: s.signal("feature_withdrawn", 5), "the sequence of its signals"),
    (lambda s: s.signal("feature_withdrawn", 2), "the sequence of its signals"),
    (lambda s: s.lane("lane_granted", 2), "never gave back"),
    (lambda s: (s.lane("lane_granted", 3, "b.1"), s.lane("lane_granted", 4, "c.1")),
     "was granted production/shop while b.1 held it"),
    (lambda s: s.signal("feature_available", 3, s.signals[0].id), "two contents under one id"),
    (lambda s: s.calls.append(["shop-1", "1.1", "1.21", "done"]), "twice under fence 1.21"),
    (lambda s: s.calls.append(["shop-1", "1.1", "1.20", "begun"]), "fence 1.20 after"),
])
def test_what_must_not_be_is_seen(story, wrong, text):
    wrong(story)
    assert any(text in fault for fault in ended(story)), story.found


def test_a_repetition_under_one_fence_is_right_only_where_redis_forgot_who_had_claimed_it(story):
    at = 1_000_000
    story.calls = [["shop-1", "1.1", "1.21", what, str(at + ms)]
                   for ms, what in ((0, "begun"), (50, "done"), (3000, "begun"), (3100, "done"))]
    for forgot, faults in (((), 1), ((at + 200,), 0), ((at + 4000,), 1), ((at - 6000,), 1)):
        story.forgot, story.found = forgot, []
        story.check_effects()
        assert len(story.found) == faults, (forgot, story.found)
    story.calls[3][1] = "1.2"
    story.forgot, story.found = (at + 200,), []
    story.check_effects()
    assert story.found


def test_an_exit_without_a_latch_is_seen(story):
    assert any("without a latch" in fault for fault in ended(story, "ROLLED_BACK"))
    assert any("told only" in fault for fault in story.found)


def test_a_step_after_one_that_failed_is_seen_unless_a_person_waived_it(messages):
    for waived in (False, True):
        story = Story(messages)
        story.event("attempt_created")
        story.task(1, 1, outcome=2)
        if waived:
            event = messages.Event(deployment=DEPLOYMENT)
            event.request.waive.check = "env.ready"
            story.say("events.v1", event)
        story.task(2, 2)
        assert any("1 not done" in fault for fault in story.faults(ended=False)) is not waived
