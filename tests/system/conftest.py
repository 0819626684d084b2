"""System tests: real processes, spoken to through independent clients only.

SLIPWAY_TEST_BROKER  embedded (default), kafka, or host:port of a running one
SLIPWAY_TEST_BUILD   folder of the build; default build/test
"""
import concurrent.futures
import os
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "deploy" / "quickstart.d"))
sys.path.insert(0, str(pathlib.Path(__file__).parent))


@pytest.fixture(scope="session")
def messages(tmp_path_factory):
    from proto import Messages
    return Messages(tmp_path_factory.mktemp("proto"))


@pytest.fixture(scope="session")
def build():
    return pathlib.Path(os.environ.get("SLIPWAY_TEST_BUILD", ROOT / "build" / "test"))


def broker_chosen():
    return os.environ.get("SLIPWAY_TEST_BROKER", "embedded")


@pytest.fixture(scope="session")
def broker():
    return broker_chosen()


@pytest.fixture(scope="module")
def slipway(tmp_path_factory, build, broker, messages):
    """One running Slipway for a test module; everything is stopped afterwards."""
    from world import World
    world = World(build, tmp_path_factory.mktemp("slipway"), broker, messages)
    world.open()
    yield world
    bad = world.close()
    assert not bad, f"did not stop cleanly: {bad}"


@pytest.fixture(scope="session")
def lab(tmp_path_factory, build, broker, messages):
    """One running Slipway with many small services, for all tests that need no more than one."""
    from lab import Lab
    lab = Lab(build, tmp_path_factory.mktemp("lab"), broker, messages)
    try:
        lab.open()
        yield lab
    finally:
        bad = lab.close()
    assert not bad, f"did not stop cleanly: {bad}"


@pytest.fixture(scope="session")
def strangers(tmp_path_factory):
    """A Python with other people's clients, for the programs in strangers/."""
    from strangers import packages
    return packages.install(tmp_path_factory.mktemp("strangers") / "python")


@pytest.fixture
def service(lab):
    """One service of the lab, to itself. Tests that take one run side by side: see below."""
    return lab


@pytest.fixture(scope="module")
def troubled(tmp_path_factory, build, broker, messages):
    """A lab to make trouble in, for a whole module."""
    from trouble import Troubled
    lab = Troubled(build, tmp_path_factory.mktemp("trouble"), broker, messages)
    try:
        lab.open()
        yield lab
    finally:
        bad = lab.close()
    assert not bad, f"did not stop cleanly: {bad}"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    item.broke_off = (yield).get_result().failed


@pytest.fixture
def trouble(request, troubled):
    """The same; a test that fails leaves no trouble to the next."""
    yield troubled
    if request.node.broke_off:
        troubled.tidy()


SIDE_BY_SIDE = 12


def call_with_service(lab, item):
    """The test's function with a service of its own; one that failed keeps its service."""
    service = lab.take()
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    item.obj(service=service, **parameters)
    lab.give_back(service)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    """The first test that takes a `service` starts all of them; each then awaits its own end."""
    if "service" not in pyfuncitem.fixturenames:
        return None
    session = pyfuncitem.session
    if not hasattr(session, "side_by_side"):
        session.pool = concurrent.futures.ThreadPoolExecutor(SIDE_BY_SIDE)
        items = [item for item in session.items if "service" in item.fixturenames]
        items.sort(key=lambda item: item.get_closest_marker("early") is None)
        session.side_by_side = {
            item: session.pool.submit(call_with_service, pyfuncitem.funcargs["service"], item)
            for item in items}
    session.side_by_side[pyfuncitem].result()
    return True


def pytest_sessionfinish(session):
    if hasattr(session, "pool"):
        session.pool.shutdown(cancel_futures=True)


def pytest_collection_modifyitems(config, items):
    """Leaves out what is only for the other broker. With several workers (-n 3 --dist loadgroup)
    all that share a Slipway stay together."""
    chosen = "embedded" if broker_chosen() == "embedded" else "kafka"
    other = [i for i in items if any(chosen not in m.args for m in i.iter_markers("only"))]
    config.hook.pytest_deselected(items=other)
    items[:] = [item for item in items if item not in other]
    for item in items:
        group = "lab" if "lab" in item.fixturenames or "service" in item.fixturenames \
            else item.module.__name__
        item.add_marker(pytest.mark.xdist_group(group))


def pytest_configure(config):
    config.addinivalue_line("markers", "only(broker): not with the other: embedded or kafka")
    config.addinivalue_line("markers", "early: begins as soon as the lab is open")
