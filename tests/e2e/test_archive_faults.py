"""Kill, full disk, I/O errors at any system call of archive, restore and verify: no half archive and no half
document under a final name, nothing valid that is not, the next run clean.

ORGANIZER_TORTURE=1 tries every system call; else a spread of them, and of archive all of the last, when it
gets its name. What becomes of whole cases is in tests/faults/run.
"""
import errno
import os
import platform
import shutil
import signal
import subprocess
import sys

import pytest

import bags
from archive_job import Job, build_tool, is_whole, left
from conftest import EXE, ROOT, TIMEOUT, Cabinet, has_gcov, need_ptrace, pdf
from test_faults import rows

sys.path.insert(0, str(ROOT / "tests/faults"))
from matters import MATTERS  # noqa: E402

TORTURE = bool(os.environ.get("ORGANIZER_TORTURE"))
ERRORS = pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO], ids=["ENOSPC", "EIO"])
UNTOUCHED, MISSED = 98, 99  # by syscall_at: that call does not touch files; there are not so many
TRIES = 20  # of a point that a run did not come to
pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="system calls of x86_64")


@pytest.fixture(scope="module", autouse=True)
def traceable():
    need_ptrace()


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


class Figures:
    """What a suite tried, told when it is over. A suite whose points are not reached has not been run."""

    def __init__(self, name, points):
        self.name, self.points, self.tried, self.hit = name, len(points), 0, 0

    def count(self, status):
        """Whether the fault struck. MISSED: the run had fewer calls, as threads and addresses have it."""
        self.tried += 1
        self.hit += status not in (UNTOUCHED, MISSED)
        return status not in (UNTOUCHED, MISSED)

    def tell(self, skipped=0, missed=None):
        """missed: how many points may be so; when not given, some."""
        print(f"\n{self.name}: {self.points} points, {self.tried} tried, {self.hit} hit, {skipped} touch no files, 0 violations")
        # How often two processes wait for one another differs with the load.
        missed = 3 + self.points // 20 if missed is None else missed
        assert self.tried == self.points and self.tried - self.hit - skipped <= missed


def clear(job):
    for f in (job.cabinet.path / "Archive").iterdir():
        f.unlink()


# A disk that does not give back what was written: one bit is another when the archive is brought onto it.
SPOILS = r"""
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
int fsync(int fd)
{
    struct stat st;
    unsigned char c;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 1000 && pread(fd, &c, 1, st.st_size / 2) == 1) {
        c ^= 4;
        if (pwrite(fd, &c, 1, st.st_size / 2) != 1)
            _exit(1);
    }
    return syscall(SYS_fsync, fd);
}
"""


def test_what_does_not_come_back_as_it_was_written_gets_no_name(office, tmp_path):
    clear(office)
    (tmp_path / "spoils.c").write_text(SPOILS)
    subprocess.run(["gcc", "-shared", "-fPIC", "-D_GNU_SOURCE", "-o", tmp_path / "spoils.so", tmp_path / "spoils.c"], check=True)
    r = office.run(wrap=["/usr/bin/env", f"LD_PRELOAD={tmp_path / 'spoils.so'}"])
    assert r["outcome"] == "failed" and "archive on the disk" in r["why"], r
    assert list((office.cabinet.path / "Archive").iterdir()) == []
    assert office.run()["outcome"] == "made"


def count(job):
    clear(job)
    assert job.run(wrap=[build_tool("syscall_at"), "count"])["outcome"] == "made"
    return int(job.errors)


def strike(job, *how):
    """The result of a run that came to the point, if one did: how many calls it makes differs from run to run."""
    for _ in range(TRIES):
        clear(job)
        r = job.run(wrap=[build_tool("syscall_at"), *how])
        if job.status != MISSED:
            break
    return r


def points(job, most):
    """Numbers of system calls to try, of the part of the run that works on the case; every other run has so many."""
    usual = sorted(count(job) for _ in range(3))[1]
    first = usual // 4  # before: the program starts, rules and language are read
    if TORTURE:
        return range(1, usual + 1)
    tail = range(max(first, usual - most // 3), usual + 1)
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
    at = points(office, 60)
    figures, healed = Figures("archive, killed", at), 0
    for n in at:
        r = strike(office, "kill", n)
        # Behind its answer there is little left to be killed at; then the archive must be whole.
        assert figures.count(office.status) >= (r is None), (n, office.status, r)
        assert r is None or is_whole(office.cabinet.path / r["path"]), (n, r)
        healed += any(p.name.endswith(".zip") for p in (office.cabinet.path / "Archive").iterdir())
        check(office, f"killed at {n}")
    figures.tell(missed=0)
    assert healed > 0


@ERRORS
def test_when_any_system_call_fails_it_leaves_no_half_archive(office, error):
    at = points(office, 60 if has_gcov() else 40)  # a build for coverage makes calls of its own
    figures, skipped, failed = Figures(f"archive, {errno.errorcode[error]}", at), 0, 0
    for n in at:
        r = strike(office, "fail", n, error)
        skipped += office.status == UNTOUCHED
        if not figures.count(office.status):
            continue
        failed += bool(r) and r["outcome"] == "failed"
        if r and r["outcome"] == "made":
            assert is_whole(office.cabinet.path / r["path"]), n
        elif r:
            assert r.get("why") or r.get("findings"), (n, r)
        check(office, f"{errno.errorcode[error]} at {n}")
    figures.tell(skipped, missed=0)
    assert failed > 5


# ---- what becomes of whole cases ------------------------------------------------------------------------

@pytest.mark.skipif(TORTURE, reason="tests/faults/run does all of them")
@pytest.mark.parametrize("scenario", MATTERS)
def test_killed_at_calls_that_change_the_disk(scenario):
    every = 250 if scenario == "night" else 120
    for _, _, points, tried, hit, violations in rows("--suite", "kill", "--scenario", scenario, "--every", str(every)):
        assert points > 100 and tried > 0 and hit == tried and violations == 0


# ---- restore and verify -------------------------------------------------------------------------------

ENV = dict(os.environ, HOME="/nonexistent", TZ="UTC")
ENV.pop("STATE_DIRECTORY", None)


def run(*args, wrap=(), cwd=None, env=None):
    return subprocess.run([*map(str, wrap), EXE, *map(str, args)], capture_output=True, timeout=2 * TIMEOUT, env=env or ENV, cwd=cwd)


def calls(most, *args, **how):
    """Numbers of the system calls to try: all, or so many, evenly. how: as run()."""
    r = run(*args, wrap=[build_tool("syscall_at"), "count"], **how)
    count = int(r.stderr.split()[-1])
    assert count > most
    return range(1, count + 1) if TORTURE else range(1 + count // most // 2, count + 1, max(1, count // most))


def files(path, hidden=True):
    """Path -> bytes, of what is below; hidden: temporary names, too."""
    return {str(p.relative_to(path)): p.read_bytes() for p in path.rglob("*") if p.is_file() and
            (hidden or not any(x.startswith(".~organizer-") for x in p.relative_to(path).parts))}


class Place:
    """A new or an empty folder to restore to, again and again."""

    def __init__(self, base, into):
        self.base, self.into, self.archive = base, into, bags.pack(bags.bag(), base / "a.zip", "zip")
        self.work = base / "work"

    def fresh(self):
        shutil.rmtree(self.work, ignore_errors=True)
        (self.work / "out" if self.into == "existing" else self.work).mkdir(parents=True)
        return ["restore", self.archive, "--to", self.work / "out"]

    def check(self, n, whole):
        """After the fault: only whole documents, and of a new folder whole: all or nothing; after another run all."""
        seen = {k.removeprefix("out/"): v for k, v in files(self.work, hidden=False).items()}
        assert all(bags.DOCUMENTS[k] == v for k, v in seen.items()), n
        if whole:
            assert self.into == "existing" or len(seen) in (0, len(bags.DOCUMENTS)), (n, list(seen))
        run("restore", self.archive, "--to", self.work / "out")
        assert files(self.work / "out", hidden=False) == bags.DOCUMENTS, n
        if self.into == "existing" or not seen:
            assert files(self.work).keys() == {"out/" + k for k in bags.DOCUMENTS}, n
            assert not list(self.work.rglob(".~organizer-*")), n


@pytest.mark.parametrize("into", ["new", "existing"])
def test_restore_killed_at_any_system_call(tmp_path, into):
    place = Place(tmp_path, into)
    at = calls(24, *place.fresh())
    figures = Figures(f"restore into a folder that is {into}, killed", at)
    for n in at:
        r = run(*place.fresh(), wrap=[build_tool("syscall_at"), "kill", n])
        assert figures.count(r.returncode) == (r.returncode == 128 + signal.SIGKILL), (n, r)
        place.check(n, True)
    figures.tell()


@ERRORS
def test_restore_when_any_system_call_fails(tmp_path, error):
    place = Place(tmp_path, "new")
    at = calls(24, *place.fresh())
    figures, skipped = Figures(f"restore, {errno.errorcode[error]}", at), 0
    for n in at:
        r = run(*place.fresh(), wrap=[build_tool("syscall_at"), "fail", n, error])
        skipped += r.returncode == UNTOUCHED
        if figures.count(r.returncode):
            assert r.returncode or files(place.work, hidden=False).keys() == {"out/" + k for k in bags.DOCUMENTS}, (n, r)
            assert r.returncode == 0 or r.stderr or r.stdout, n
            place.check(n, False)
    figures.tell(skipped)


def verifying(base, what):
    """The folder that is looked at, the verb's arguments, and the environment."""
    if what == "case":
        c = Cabinet(base).init()
        c.new("Smith", "Divorce")
        c.drop("Smith_Divorce/Inbox", "letter 2026-03-02.pdf", pdf("1"))
        c.run("sweep")
        return c.path, ["verify", "Smith_Divorce", "-C", c.path], c.env
    folder = base / "Archive"
    folder.mkdir()
    documents = bags.bag()
    if what == "damaged archive":
        documents["data/" + next(iter(bags.DOCUMENTS))] = b"%PDF-1.4 another\n"
    a = bags.pack(documents, folder / "a.zip", "zip")
    if what == "scrub":
        subprocess.run(f"sha256sum {a.name} >{a.name}.sha256", shell=True, check=True, cwd=folder)
    return folder, ["verify", "--all", folder] if what == "scrub" else ["verify", a], ENV


LOOKED_AT = pytest.mark.parametrize("what", ["case", "archive", "damaged archive", "scrub"])


def answer(r):
    """Without its rate."""
    return r.returncode, r.stdout.split(b"/s:")[-1], r.stderr


@LOOKED_AT
def test_verify_killed_at_any_system_call_writes_nothing_and_answers_the_same_again(tmp_path, what):
    folder, args, env = verifying(tmp_path, what)
    good, before = answer(run(*args, env=env)), files(folder)
    assert (good[0] == 0) == (what != "damaged archive"), good
    at = calls(10, *args, env=env)
    figures = Figures(f"verify {what}, killed", at)
    for n in at:
        r = run(*args, env=env, wrap=[build_tool("syscall_at"), "kill", n])
        assert figures.count(r.returncode) == (r.returncode == 128 + signal.SIGKILL), (n, r)
        assert files(folder) == before, n
        if n % 8 == 0 or not TORTURE:
            assert answer(run(*args, env=env)) == good, n
    figures.tell()
    assert answer(run(*args, env=env)) == good


@LOOKED_AT
def test_verify_with_an_io_error_never_calls_valid_what_is_not(tmp_path, what):
    folder, args, env = verifying(tmp_path, what)
    good, before = answer(run(*args, env=env)), files(folder)
    at = calls(10, *args, env=env)
    figures, skipped = Figures(f"verify {what}, EIO", at), 0
    for n in at:
        r = run(*args, env=env, wrap=[build_tool("syscall_at"), "fail", n, errno.EIO])
        skipped += r.returncode == UNTOUCHED
        if figures.count(r.returncode):
            assert r.returncode != 0 or answer(r)[:2] == good[:2], (n, r)
            assert r.returncode == 0 or r.stderr or r.stdout, (n, r)
            assert files(folder) == before, n
    figures.tell(skipped)
    assert answer(run(*args, env=env)) == good
