"""A short run of `kills`: random parts die at random moments under load, nothing is lost or doubled.
For a long one see the tool itself."""
import pathlib
import subprocess
import sys

KILLS = pathlib.Path(__file__).with_name("kills")


def test_random_kills_lose_and_double_nothing(build, broker):
    done = subprocess.run([sys.executable, KILLS, "--kills", "10", "--seed", "3", "--every", "2",
                           "--load", "4", "--broker", broker, "--build", build],
                          text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert "10 kills" in done.stdout and " 0 lost, 0 doubled" in done.stdout
