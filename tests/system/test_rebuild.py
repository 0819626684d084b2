"""A Redis that lost everything is made again from the log, byte for byte, and --verify says so.

SLIPWAY_TEST_EVENTS says how many records the log has (2000).
"""
import os
import time

import pytest
from rebuilt import Rebuilt
from stage import wait_for

EVENTS = int(os.environ.get("SLIPWAY_TEST_EVENTS", 2000))


@pytest.fixture(scope="module")
def flooded(tmp_path_factory, build, broker, messages):
    world = Rebuilt(build, tmp_path_factory.mktemp("rebuild"), broker, messages)
    world.open()
    world.fill(EVENTS)
    yield world
    bad = world.close()
    assert not bad, f"did not stop cleanly: {bad}"


def test_every_deployment_ends_as_it_did_when_it_was_recorded(flooded):
    phases = flooded.phases()
    assert set(phases.values()) == {"COMPLETED", "ABORTED", "ROLLED_BACK"}
    assert phases == flooded.ends


def test_redis_emptied_comes_back_byte_for_byte(flooded):
    marks, before = flooded.offsets(), flooded.held()
    assert len(before) > flooded.count // 50
    began = time.monotonic()
    flooded.redis.flushall()
    wait_for("every partition to be as far as it was",
             lambda: all(int(now or -1) >= int(marks[p])
                         for p, now in flooded.offsets().items()), 900)
    print(f"rebuilt in {time.monotonic() - began:.1f} s")
    flooded.settle()
    flooded.compare(marks, before)
    done = flooded.verify()
    assert done.returncode == 0, done.stdout + done.stderr


def test_verify_beside_a_live_coordinator_finds_all_as_the_log_says(flooded):
    done = flooded.verify()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "everything in Redis is as the log says" in done.stdout


def test_verify_names_what_is_not_as_the_log_says(flooded):
    key = next(k for k in flooded.held() if b":dep:" in k)
    kept = flooded.redis.get(key)
    state = flooded.messages.DeploymentState.FromString(kept)
    state.flags.percent += 1
    flooded.redis.set(key, state.SerializeToString())
    try:
        done = flooded.verify()
    finally:
        flooded.redis.set(key, kept)
    assert done.returncode == 4, done.stdout + done.stderr
    assert f"deployment {state.id}: flags.percent: " in done.stdout
