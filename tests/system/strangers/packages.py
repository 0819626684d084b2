"""A Python of its own with well-kept clients from the package registry: made once a test run."""
import pathlib
import subprocess
import time

HERE = pathlib.Path(__file__).parent
PACKAGES = ["openfeature-sdk", "openfeature-provider-ofrep", "openapi-spec-validator",
            "confluent-kafka"]


def install(folder):
    """Answers its python. What cannot be installed fails the test: nothing is skipped."""
    began = time.monotonic()
    run("/usr/bin/python3", "-m", "venv", folder)
    run(folder / "bin" / "pip", "install", "-q", "--disable-pip-version-check", *PACKAGES)
    print(f"{', '.join(PACKAGES)} installed in {time.monotonic() - began:.1f} s")
    return folder / "bin" / "python"


def run(*argv):
    done = subprocess.run(argv, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
