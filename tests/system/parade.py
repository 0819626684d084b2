"""Deployments to be in trouble.

    Parade   one in every phase, each kept there until it is let go
    walk     one that goes its way to an exit, whatever happens meanwhile
    Load     many that walk at once
"""
import concurrent.futures
import contextlib
import time

from trouble import STAGED


class Post:
    """One place of the parade: how a deployment comes to rest there, and how it goes on."""

    def __init__(self, lab, service):
        self.lab, self.service, self.name, self.exit = lab, service, None, "COMPLETED"
        self.but = ()

    def park(self):
        raise NotImplementedError

    def go(self):
        pass

    def begin(self, **changes):
        self.name = self.lab.begin(self.service, **changes)

    def finish(self):
        self.go()
        self.lab.wait_exit(self.name, self.exit)


class InReview(Post):
    phase = "IN_REVIEW"

    def park(self):
        self.name = self.lab.submit(self.lab.feature_of(self.service))

    def go(self):
        self.lab.approve(self.name)


class Held(Post):
    """In the middle of a step: a probe or a restart does not come back."""
    word = None

    def park(self):
        if self.word:
            self.service.holding.add(self.word)
        else:
            (self.service.directories()[1] / "wait").touch()
        self.begin()

    def go(self):
        self.service.holding.clear()
        self.service.wait(False)


class Checking(Held):
    phase, word = "CHECKING", "ready"


class Executing(Held):
    phase = "EXECUTING"

    def park(self):
        super().park()
        self.lab.wait(self.name, lambda _: self.lab.called(self.service, self.name))


class Queued(Post):
    """Behind another on its lane."""
    phase = "QUEUED"

    def park(self):
        self.begin()


class Validating(Held):
    phase, word = "VALIDATING", "smoke"


class RollingOut(Post):
    phase = "ROLLING_OUT"

    def park(self):
        self.name = self.lab.rolling(self.service)

    def go(self):
        self.lab.promote(self.name)


class Confirming(Held):
    phase, word = "CONFIRMING", "feature"


class Observing(Post):
    phase = "OBSERVING"

    def park(self):
        self.begin(policy="slow")

    def go(self):
        self.lab.do(self.name, "release-engineer", {"promote": {}},
                    lambda s: s["phase"] != "OBSERVING")


class Finalising(Post):
    phase, but = "FINALISING", (2, 3, 6, "review.execution", "review.validation")

    def __init__(self, lab, service):
        super().__init__(lab, service)
        self.but = Finalising.but

    def park(self):
        self.begin()


class Blocked(Post):
    phase = "BLOCKED"

    def park(self):
        self.service.failing.add("smoke")
        self.begin(policy="blocking")

    def go(self):
        self.service.failing.clear()
        self.lab.do(self.name, "release-engineer", {"retry": {}},
                    lambda s: s["exit"] or (s["phase"], s["step"]) != ("BLOCKED", 3))


class Undone(Post):
    """On its way back, after an operator's rollback."""

    def __init__(self, lab, service):
        super().__init__(lab, service)
        self.exit = "ROLLED_BACK"

    def park(self):
        self.name = self.lab.rolling(self.service)
        self.stand_in_the_way()
        self.lab.do(self.name, "release-engineer", {"rollback": {}}, lambda s: s["latched"])


class RollingBack(Undone):
    phase = "ROLLING_BACK"

    def stand_in_the_way(self):
        (self.service.directories()[1] / "wait").touch()

    def go(self):
        self.service.wait(False)


class BlockedRollback(Undone):
    phase = "BLOCKED_ROLLBACK"

    def stand_in_the_way(self):
        self.service.refuse()

    def go(self):
        self.service.refuse(False)
        self.lab.do(self.name, "release-engineer", {"retry": {}},
                    lambda s: s["exit"] or s["phase"] != "BLOCKED_ROLLBACK")


POSTS = (InReview, Checking, Executing, Validating, RollingOut, Confirming, Observing, Finalising,
         Blocked, RollingBack, BlockedRollback)


class Parade:
    """See the top of this file. As a context: in every phase within, and all at their exits, with
    nothing to be said against their history, when it ends without an exception."""

    def __init__(self, lab):
        self.lab = lab
        self.pool = concurrent.futures.ThreadPoolExecutor(len(POSTS) + 1)

    def __enter__(self):
        self.taken = contextlib.ExitStack()
        services = self.taken.enter_context(self.lab.some(len(POSTS)))
        self.posts = [kind(self.lab, service) for kind, service in zip(POSTS, services)]
        self.each(self.park)
        executing = next(p for p in self.posts if p.phase == "EXECUTING")
        self.posts.append(Queued(self.lab, executing.service))
        self.park(self.posts[-1])
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.each(lambda post: post.finish())
            self.lab.audit(*self.names())
            self.taken.close()

    def each(self, what):
        list(self.pool.map(what, self.posts))

    def park(self, post):
        post.park()
        self.lab.wait(post.name, lambda s: s["phase"] == post.phase, people=True, but=post.but)

    def names(self):
        return [post.name for post in self.posts]

    def phases(self):
        """What each is in now; None where nobody knows."""
        states = self.pool.map(self.lab.deployment, self.names())
        return [state and state["phase"] for state in states]


def walk(lab, service, way):
    """Takes a feature of that service to an exit, and answers (its deployment, that exit)."""
    if way == "nogo":
        service.failing.add("smoke")
    staged = {} if way in ("complete", "nogo") else {"rollout": STAGED}
    name = lab.begin(service, policy="stopping" if way == "nogo" else "quick", **staged)
    exit_ = {"complete": "COMPLETED", "abort": "ABORTED"}.get(way, "ROLLED_BACK")
    if staged:
        lab.wait_granted(name)
    if way == "alert":
        with lab.alerting(service):
            lab.wait_exit(name, exit_, people=False)
    elif way in ("abort", "rollback"):
        lab.do(name, "release-engineer", {way: {}}, lambda s: s["latched"])
    elif way == "kill":
        lab.kill_flag(name)
    state = lab.wait(name, lambda s: s["exit"], people=way in ("complete", "nogo"))
    service.failing.clear()
    assert state["exit"] == exit_, lab.why(state)
    return name, exit_


WAYS = ("complete", "complete", "complete", "alert", "abort", "nogo", "rollback", "kill")


class Load:
    """See the top of this file. As a context: all have begun within, and have come to their exits
    when it ends without an exception. With `until`, a condition, each is followed by another as
    long as that does not hold, for 150 s at most."""

    def __init__(self, lab, ways=WAYS, until=None):
        self.lab, self.ways, self.until = lab, ways, until
        self.end = time.monotonic() + 150

    def __enter__(self):
        self.taken = contextlib.ExitStack()
        services = self.taken.enter_context(self.lab.some(len(self.ways)))
        self.pool = concurrent.futures.ThreadPoolExecutor(len(self.ways))
        self.walks = [self.pool.submit(self.go, service, way)
                      for service, way in zip(services, self.ways)]
        return self

    def go(self, service, way):
        names = [walk(self.lab, service, way)[0]]
        while self.until and not self.until() and time.monotonic() < self.end:
            names.append(walk(self.lab, service, way)[0])
        return names

    def __exit__(self, kind, *_):
        if kind is None:
            self.lab.audit(*(name for w in self.walks for name in w.result()))
            self.taken.close()

    def over(self):
        return all(w.done() for w in self.walks)
