"""Snapshots beside what an administrator would put together: bagit.py and zip, restic, borg, tar and
zstd. All of them read the same 2,000 documents; all but the last two check what they wrote."""
import contextlib
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import threading
import time

import corpus
import measured

HERE = pathlib.Path(__file__).resolve().parent
COUNT, MEDIAN = 2000, 106 << 10
CASE = "Smith_Litigation"


def call(*args, cwd=None, env=None):
    subprocess.run([str(a) for a in args], check=True, capture_output=True, cwd=cwd, env=env,
                   timeout=measured.TIMEOUT)


def shell(line, cwd):
    subprocess.run(["bash", "-o", "pipefail", "-c", line], check=True, capture_output=True, cwd=cwd,
                   timeout=measured.TIMEOUT)


def seconds_of(work):
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


class Peak:
    """Most memory that a process below had resident, in MiB: of the daemon its job, of a verb itself and
    the process that reads archives for it."""

    def __init__(self, program, only=""):
        self.program, self.only, self.mb, self.over = program, only, 0, threading.Event()
        self.thread = threading.Thread(target=self.look)

    def look(self):
        while not self.over.wait(0.01):
            with contextlib.suppress(FileNotFoundError):  # one has just ended
                for pid in self.program.pids():
                    self.look_at(pid)

    def look_at(self, pid):
        if self.only not in measured.read("/proc/%d/cmdline" % pid):
            return
        for line in measured.read("/proc/%d/status" % pid).splitlines():
            if line.startswith("VmHWM:"):
                self.mb = max(self.mb, int(line.split()[1]) / 1024)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


class Office(measured.Organizer):
    """The daemon with one case that holds the documents, indexed and at rest."""

    def fill(self, stage):
        self.init()
        case = self.cabinet / CASE
        case.mkdir()
        (case / "Case.txt").write_text("Client: Smith\nCase type: Litigation\nStatus: open\n")
        shutil.copytree(stage, case / "Evidence")
        self.start()
        self.run("sync", self.cabinet)
        return self

    def set_format(self, name):
        f = self.cabinet / ".organizer/organizer.yaml"
        lines = [x for x in f.read_text().splitlines() if not x.startswith("archive_format")]
        f.write_text("\n".join(lines) + "\narchive_format: %s\n" % name)
        self.run("reload", self.cabinet)
        self.run("sync", self.cabinet)

    def archive(self):
        """Seconds until it is there, verified and journaled; its size; memory of the job."""
        folder = self.cabinet / "Archive"
        for f in folder.iterdir():
            f.unlink()
        with Peak(self, "--job") as peak:
            seconds = seconds_of(lambda: self.run("archive", CASE, "-C", self.cabinet))
        made, = [f for f in folder.iterdir() if not f.name.endswith(".sha256")]
        return seconds, made.stat().st_size, peak.mb


# ---- the peers, each with the size of what it makes ----------------------------------------------------

def bagit(stage, at):
    bag = at / "bag"
    call("cp", "-al", stage, bag)
    began = time.perf_counter()
    call(sys.executable, HERE / "peer_bagit.py", "make", bag)
    call("zip", "-qr", "bag.zip", "bag", cwd=at)
    call("unzip", "-tqq", "bag.zip", cwd=at)
    call(sys.executable, HERE / "peer_bagit.py", "check", bag)
    return time.perf_counter() - began, (at / "bag.zip").stat().st_size


def zip_alone(stage, at):
    return seconds_of(lambda: call("zip", "-qr", at / "case.zip", ".", cwd=stage)), \
        (at / "case.zip").stat().st_size


def restic(stage, at):
    env = dict(os.environ, RESTIC_PASSWORD="x", RESTIC_CACHE_DIR=str(at / "cache"))
    call("restic", "-r", at / "repo", "init", env=env)

    def work():
        call("restic", "-r", at / "repo", "backup", stage, env=env)
        call("restic", "-r", at / "repo", "check", "--read-data", env=env)
    return seconds_of(work), None


def borg(stage, at):
    env = dict(os.environ, BORG_BASE_DIR=str(at / "borg"),
               BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK="yes")
    call("borg", "init", "--encryption=none", at / "repo", env=env)

    def work():
        call("borg", "create", "%s::case" % (at / "repo"), stage, env=env)
        call("borg", "check", "--verify-data", at / "repo", env=env)
    return seconds_of(work), None


def tar_zstd(stage, at):
    def work():
        shell("tar -cf - . | zstd -q -T2 -o '%s'" % (at / "case.tar.zst"), stage)
        shell("find . -type f -print0 | xargs -0 sha256sum >'%s'" % (at / "sums"), stage)
    return seconds_of(work), (at / "case.tar.zst").stat().st_size


PEERS = {"bagit + zip": (bagit, ["zip", "unzip"]), "zip -r alone": (zip_alone, ["zip"]),
         "restic": (restic, ["restic"]), "borg": (borg, ["borg"]),
         "tar | zstd, sums": (tar_zstd, ["zstd"])}


def run_peer(bench, name, work, stage):
    at = bench.base / "peer"
    shutil.rmtree(at, ignore_errors=True)
    at.mkdir()
    seconds, size = work(stage, at)
    bench.add("snapshot", name, "s", seconds)
    if size:
        bench.add("snapshot, size", name, "MB", size / 1e6)
    shutil.rmtree(at)


def targets(bench):
    def peer(figure, who):
        return bench.median(figure, who)

    bench.target("snapshot", "organizer", "a quarter of bagit + zip, less than restic and borg",
                 lambda ours: ours <= peer("snapshot", "bagit + zip") / 4
                 and all(ours < peer("snapshot", p) for p in ("restic", "borg")
                         if ("snapshot", p) in bench.rows), needs="bagit + zip")
    bench.target("snapshot, size", "organizer", "at most 2 % above zip -r",
                 lambda ours: ours <= 1.02 * peer("snapshot, size", "zip -r alone"),
                 needs="zip -r alone")
    bench.target("snapshot as tar.zst", "organizer", "at most twice tar | zstd and sha256sum",
                 lambda ours: ours <= 2 * peer("snapshot", "tar | zstd, sums"))


def snapshot(bench):
    """Seconds from the order to the answer: the archive is finished, synced, read back from the disk,
    verified and journaled."""
    stage = bench.base / "case"
    corpus.make(stage, bench.count(COUNT), median=MEDIAN)
    peers = {}
    for name, (work, tools) in PEERS.items():
        if all(shutil.which(t) for t in tools):
            peers[name] = work
        else:
            bench.skip("snapshot beside %s: it is not installed" % name)
    ours = Office(bench.base / "office").fill(stage)
    for _ in range(bench.runs):
        for figure, archive_format in (("snapshot as tar.zst", "tar.zst"), ("snapshot", "zip")):
            ours.set_format(archive_format)
            seconds, size, mb = ours.archive()
            bench.add(figure, "organizer", "s", seconds)
            bench.add(figure + ", size", "organizer", "MB", size / 1e6)
            bench.add(figure + ", memory", "organizer", "MB", mb)
        for name, work in peers.items():
            run_peer(bench, name, work, stage)
    ours.clear()
    shutil.rmtree(stage)
    targets(bench)


class Verb(measured.Program):
    """One verb, measured while it runs."""

    def work(self, *args):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.spawn([measured.BUILD / "organizer", *args], stdout=subprocess.DEVNULL,
                   env=dict(os.environ, HOME=str(self.base), ORGANIZER_RULES=str(measured.ROOT / "rules")))
        with Peak(self) as peak:
            self.process.wait(measured.TIMEOUT)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.process.stdin.close()
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, peak.mb


def verbs_of_large(bench, archive, case):
    """What reads an archive of many documents; one document out of it, by its processor time."""
    names = subprocess.run(["unzip", "-Z1", archive], capture_output=True, text=True, check=True).stdout.splitlines() \
        if archive.suffix == ".zip" else []
    verbs = {"verify": ["verify", archive], "list": ["list", archive], "diff": ["diff", archive, case],
             "restore": ["restore", archive, "--to", bench.base / "out"]}
    if names:
        verbs["restore of one document"] = ["restore", archive, "--to", bench.base / "one",
                                            names[len(names) // 2].rpartition("/")[2]]
    for name, args in verbs.items():
        verb = Verb(name, bench.base)
        cpu, mb = verb.work(*args)
        if verb.process.returncode:
            raise RuntimeError("%s of %s: exit %d" % (name, archive.name, verb.process.returncode))
        figure = "memory of %s, %s" % (name, "zip" if names else "tar.zst")
        bench.add(figure, "organizer", "MB", mb)
        bench.target(figure, "organizer", "at most 64 MB", lambda ours: ours <= 64)
        if name == "restore of one document":
            bench.add("processor time of " + name, "organizer", "s", cpu)
    for folder in ("out", "one"):
        shutil.rmtree(bench.base / folder, ignore_errors=True)


def memory(bench):
    """The most that a process has resident for one case of 100,000 documents, under long names: the job that
    archives it, and what reads the archive."""
    count = bench.count(100000)
    stage = bench.base / "many"
    for volume in range(count // 1000):
        corpus.make_small(stage / ("Produced by the plaintiff, volume %03d" % volume), 1000,
                          volume * 1000)
    ours = Office(bench.base / "office").fill(stage)
    for archive_format in ("zip", "tar.zst"):
        ours.set_format(archive_format)
        _, _, mb = ours.archive()
        figure = "memory of a snapshot, " + archive_format
        bench.add(figure, "organizer", "MB", mb)
        bench.target(figure, "organizer", "at most 64 MB", lambda ours: ours <= 64)
        made, = [f for f in (ours.cabinet / "Archive").iterdir() if not f.name.endswith(".sha256")]
        verbs_of_large(bench, made, ours.cabinet / CASE)
    ours.clear()
    shutil.rmtree(stage)
