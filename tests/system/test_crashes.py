"""A third of the places where a process may be made to die, each in one step, others for each
commit: the thin matrix of `crashes`, which shows all of it. What must hold afterwards is in
crash_matrix.py and history.py."""
import pathlib
import subprocess

import crash_matrix

CRASHES = pathlib.Path(__file__).with_name("crashes")


def test_killed_at_every_place_nothing_is_lost_and_nothing_doubled(build, broker):
    done = subprocess.run([CRASHES, "--thin", "--broker", broker, "--build", build],
                          text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " 0 faults" in done.stdout


def test_the_matrix_knows_every_place_that_there_is(build):
    program = build / "services" / "coordinator" / "slipway-coordinator"
    said = subprocess.run([program, "--crash-places"], text=True, capture_output=True, check=True)
    assert {line.split("\t")[0] for line in said.stdout.splitlines()} == set(crash_matrix.PLACES)
