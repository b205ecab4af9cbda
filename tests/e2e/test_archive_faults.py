"""Kill, full disk, I/O errors at any point: no half archive under a final name, the next run clean.

ORGANIZER_TORTURE=1 tries every system call; else a spread of them, and all of the last, when the
archive gets its name.
"""
import errno
import os
import platform
import shutil
import signal
import subprocess

import pytest

from archive_job import Job, build_tool, is_whole, left
from conftest import Cabinet, need_root, need_tool, pdf

TORTURE = bool(os.environ.get("ORGANIZER_TORTURE"))
pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="system calls of x86_64")


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    """A cabinet with one small case, and its job."""
    c = Cabinet(tmp_path_factory.mktemp("office")).init()
    case = c.new("Smith", "Divorce")
    for i in range(3):
        c.drop("Smith_Divorce/Inbox", f"letter {i} 2026-03-02.pdf", pdf(str(i)))
    (case / "Nothing here").mkdir()
    c.run("sweep")
    return Job(c, "Smith_Divorce")


def clear(job):
    for f in (job.cabinet.path / "Archive").iterdir():
        f.unlink()


def points(job, most):
    """Numbers of system calls to try, of the part of the run that works on the case."""
    tool = build_tool("syscall_at")
    clear(job)
    assert job.run(wrap=[tool, "count"])["outcome"] == "made"
    count = int(job.errors)
    first = count // 4  # before: the program starts, rules and language are read
    if TORTURE:
        return range(1, count + 1)
    tail = range(max(first, count - most // 3), count + 1)
    step = max(1, (tail.start - first) // (most - len(tail)))
    return [*range(first, tail.start, step), *tail]


def check(job, what):
    """Whatever lies there under a final name is whole; the next run is clean, and there is one."""
    folder = job.cabinet.path / "Archive"
    finals = [p for p in folder.iterdir() if p.name.endswith(".zip")]
    assert len(finals) <= 1, what
    for p in finals:
        assert is_whole(p), what
    for p in folder.glob("[!.]*.sha256"):
        assert finals, what
        subprocess.run(["sha256sum", "-c", "--quiet", p.name], cwd=folder, check=True)
    r = job.run()
    assert r and r["outcome"] == "made", (what, r, job.errors)
    assert r["healed"] == bool(finals), what
    assert left(job.cabinet) == [], what
    there = sorted(p.name for p in folder.iterdir())
    assert there == ["Smith_Divorce_Archive_2026-11-23.zip",
                     "Smith_Divorce_Archive_2026-11-23.zip.sha256"], what
    subprocess.run(["sha256sum", "-c", "--quiet", there[1]], cwd=folder, check=True)


def test_killed_at_any_system_call_it_leaves_no_half_archive(office):
    tool = build_tool("syscall_at")
    killed = healed = 0
    for n in points(office, 90):
        clear(office)
        r = office.run(wrap=[tool, "kill", n])
        killed += r is None
        healed += any(p.name.endswith(".zip") for p in (office.cabinet.path / "Archive").iterdir())
        check(office, f"killed at {n}")
    assert killed > 40 and healed > 0


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO], ids=["ENOSPC", "EIO"])
def test_when_any_system_call_fails_it_leaves_no_half_archive(office, error):
    tool = build_tool("syscall_at")
    failed = 0
    for n in points(office, 60):
        clear(office)
        r = office.run(wrap=[tool, "fail", n, error])
        if office.status in (98, 99):
            continue
        failed += bool(r) and r["outcome"] == "failed"
        if r and r["outcome"] == "made":
            assert is_whole(office.cabinet.path / r["path"]), n
        elif r:
            assert r.get("why") or r.get("findings"), (n, r)
        check(office, f"{errno.errorcode[error]} at {n}")
    assert failed > 5
