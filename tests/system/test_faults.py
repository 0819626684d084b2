"""Parts die, freeze, forget and come back while a deployment is in every phase there is: each
reaches the exit that it would have reached without, and its history has nothing to answer for.

In-process tests do the same at every boundary (tests/scenario, tests/simulation); here it is real
processes, a real broker and a real Redis. Who is in trouble: parade.py. What holds: history.py.
"""
from parade import Load, Parade
from stage import wait_for
from trouble import COORDINATOR, COORDINATOR_PLACES, PATIENCE, Keeper


# --- the coordinator ---

def test_the_coordinator_is_killed_in_every_phase(trouble):
    with Parade(trouble) as parade:
        before = parade.phases()
        trouble.again(COORDINATOR)
        trouble.stage.wait_ready([COORDINATOR])
        assert parade.phases() == before


def test_the_coordinator_dies_at_every_place_it_names(trouble):
    places = [f"{place}:{4 + number}" for number, place in enumerate(COORDINATOR_PLACES)]
    with Keeper(trouble, {COORDINATOR: places}) as keeper, Load(trouble):
        wait_for("all places to be reached", keeper.all_died, PATIENCE)
    assert set(keeper.died[COORDINATOR]) >= set(places)
