"""Everything restarts or dies while a deployment is in every phase there is, and others are on
their way: each reaches the exit that it would have reached without, and its history has nothing
to answer for. The worst of it, which takes longer: test_faults_long.py.

Who is in trouble: parade.py. What holds: history.py.
"""
from parade import Load, Parade
from stage import wait_for
from trouble import COORDINATOR, PATIENCE, WORKERS, Keeper

LIGHT = ("complete", "rollback", "alert")
ONES = [f"{worker}-1" for worker in WORKERS]
HELD = {"prechecks", "executor", "validator", "monitor"}  # in a task of the parade
BRIEF = [name for name in ONES if name.rpartition("-")[0] not in HELD]


def test_what_they_stand_on_restarts_under_deployments_in_every_phase(trouble):
    with Load(trouble, LIGHT), Parade(trouble) as parade:
        before = parade.phases()
        trouble.again(COORDINATOR)
        trouble.stage.wait_ready([COORDINATOR])
        assert parade.phases() == before, "the coordinator was killed"
        trouble.stop_redis()
        trouble.start_redis()
        assert parade.phases() == before, "Redis was killed"
        with trouble.no_broker():
            pass
        trouble.stage.wait_ready([COORDINATOR])
        assert parade.phases() == before, "Kafka was restarted"


def who_works(trouble, names):
    """Of each worker an instance that is in a task of those deployments."""
    tasks = {}
    for said in trouble.history().events:
        if said.message.deployment in names and said.kind in (
                "task_started", "task_finished", "task_lost"):
            tasks[said.body.task] = said.body.instance if said.kind == "task_started" else None
    return {name.rpartition("-")[0]: name for name in tasks.values() if name}


def test_one_of_two_of_everything_is_killed_in_its_task(trouble):
    """What the one was at is done by the other, once its lease has run out. Those whose tasks
    are brief die at their first."""
    places = {name: ["worker-before-step"] for name in BRIEF}
    with trouble.seconds("coordinator", *WORKERS), Keeper(trouble, places) as keeper:
        with Load(trouble, LIGHT), Parade(trouble) as parade:
            wait_for("those with brief tasks to die", keeper.all_died, PATIENCE)
            at_work = who_works(trouble, parade.names())
            trouble.kill(COORDINATOR, *(at_work[worker] for worker in HELD))
    trouble.revive(*(name for name in [COORDINATOR, *ONES]
                     if not trouble.stage.instances[name].running()))
    trouble.stage.wait_ready([COORDINATOR, *ONES])
