"""A rebuild that is killed wherever something has become durable, and a verify while deployments walk.

SLIPWAY_TEST_KILLED_EVENTS says how many records the log has whose rebuild is killed (1200).
"""
import concurrent.futures
import os
import signal
import subprocess
import threading

import pytest
from rebuilt import PARTITIONS, Rebuilt

EVENTS = int(os.environ.get("SLIPWAY_TEST_KILLED_EVENTS", 1200))
# The first, one in the middle, the last of all partitions; and batches early and late in the fold.
PLACES = [*(f"takeover-after-{word}:{nth}" for word in ("clean", "owner", "ready", "publish")
            for nth in (1, PARTITIONS // 2, PARTITIONS)),
          *(f"{word}:{nth}" for word in ("before-commit", "after-commit")
            for nth in (1, PARTITIONS)),
          *(f"after-receive:{nth}" for nth in (1, 4))]
WALKERS, VERIFIED = 8, 12


@pytest.fixture(scope="module")
def folded(tmp_path_factory, build, broker, messages):
    world = Rebuilt(build, tmp_path_factory.mktemp("killed"), broker, messages)
    world.open()
    world.fill(EVENTS)
    assert world.phases() == world.ends
    yield world
    bad = world.close()
    assert not bad, f"did not stop cleanly: {bad}"


def killed_at(folded, place):
    """A rebuild begins, and the process dies there."""
    dying = folded.stage.start_service("coordinator", "coordinator-1", {"SLIPWAY_CRASH_AT": place},
                                       more=["--rebuild"])
    try:
        assert dying.popen.wait(120) == -signal.SIGKILL, dying.last_lines()
    except subprocess.TimeoutExpired:
        dying.stop()
        raise AssertionError(f"the rebuild did not come to {place}") from None


@pytest.mark.parametrize("place, again", [
    (place, ["--rebuild"] * (number % 2)) for number, place in enumerate(PLACES)])
def test_a_rebuild_killed_anywhere_and_begun_again_ends_with_the_same_bytes(folded, place, again):
    """Whoever comes next goes on, told to rebuild or not."""
    folded.settle()
    marks, before = folded.offsets(), folded.held()
    assert folded.coordinator.stop() == 0
    killed_at(folded, place)
    folded.start(again)
    folded.settle()
    folded.compare(marks, before)
    done = folded.verify()
    assert done.returncode == 0, done.stdout + done.stderr


def verify(lab):
    """As an operator does it."""
    folder = lab.stage.program("coordinator").parent
    return subprocess.run([lab.stage.program("cli"), "verify", "--settings", lab.stage.settings],
                          env=dict(os.environ, PATH=f"{folder}:{os.environ['PATH']}"),
                          capture_output=True, text=True, timeout=300)


def test_verify_while_deployments_walk_finds_nothing_that_is_not_so(lab):
    over = threading.Event()

    def walk():
        count = 0
        while not over.is_set():
            service = lab.take()
            lab.wait_exit(lab.begin(service), "COMPLETED")
            lab.give_back(service)
            count += 1
        return count
    with concurrent.futures.ThreadPoolExecutor(WALKERS) as pool:
        walked = [pool.submit(walk) for _ in range(WALKERS)]
        try:
            for _ in range(VERIFIED):
                done = verify(lab)
                assert done.returncode == 0, done.stdout + done.stderr
                assert "everything in Redis is as the log says" in done.stdout
        finally:
            over.set()
    counts = [each.result() for each in walked]
    print(f"{sum(counts)} deployments walked while Redis was verified {VERIFIED} times")
    assert all(counts)
