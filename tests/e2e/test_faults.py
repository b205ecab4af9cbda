"""The fault suites of tests/faults in a bounded form; `make torture` runs all of it."""
import re
import subprocess

import pytest

from conftest import BUILD, EXE, ROOT


def rows(*args):
    """What the driver's table says: (suite, scenario, points, tried, hit, violations)."""
    program = EXE.read_bytes()
    if b"__asan_init" in program or b"__gcov_init" in program:
        pytest.skip("a sanitizer and gcov stand before libc themselves, and write files of their own")
    preload = BUILD / "faults.so"
    if not preload.exists():
        subprocess.run(["make", "--no-print-directory", f"B={BUILD}", str(preload)], cwd=ROOT, check=True)
    r = subprocess.run([ROOT / "tests/faults/run", "--build", BUILD, "--jobs", "2", *args],
                       capture_output=True, text=True)
    found = re.findall(r"^(.{28}) (.{18}) +(\d+) +(\d+) +(\d+) +(\d+)", r.stdout, re.M)
    assert found and r.returncode == 0, r.stdout + r.stderr
    return [(suite.strip(), scenario.strip(), *map(int, numbers)) for suite, scenario, *numbers in found]


@pytest.mark.parametrize("scenario", ["filing", "renaming a case", "apply", "undo", "edits and pages", "recovery 2"])
def test_killed_at_calls_that_change_the_disk(scenario):
    for _, _, points, tried, hit, violations in rows("--suite", "kill", "--scenario", scenario, "--every", "40"):
        assert points > 80 and tried > 2 and hit > 0 and violations == 0


@pytest.mark.parametrize("suite, every", [("tear", "40"), ("short", "90"), ("ENOSPC", "60"), ("EIO", "300")])
def test_calls_that_fail_while_documents_are_filed(suite, every):
    for _, _, _, tried, hit, violations in rows("--suite", suite, "--scenario", "filing", "--every", every):
        assert tried > 1 and hit > 0 and violations == 0


@pytest.mark.parametrize("watches", ["0", "12"])
def test_storms(watches):
    """Folders and documents come, move and go under the daemon, and its queue overflows."""
    if watches != "0" and subprocess.run(["unshare", "--user", "--map-root-user", "true"]).returncode:
        pytest.skip("this machine lets nobody make a user namespace")
    r = subprocess.run([ROOT / "tests/faults/storm", "--build", BUILD, "--seeds", "4", "--jobs", "2", "--watches", watches],
                       capture_output=True, text=True)
    assert r.returncode == 0, r.stdout + r.stderr
    assert re.search(r"^storm.* 200 +4 +0$", r.stdout, re.M)
