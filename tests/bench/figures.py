"""What is measured: one function a figure. Each runs ours and the peers by turns, run after run, so
that what else the machine does hits all of them, and adds what it saw to the report."""
import statistics
import os
import pathlib
import re
import shutil
import subprocess
import time

import archives
import bags
import corpus
import finding
import measured
from measured import Organizer, Program

NUMBER = re.compile(r"(?<!\d)(\d{5})(?!\d)")


# ---- filing ----------------------------------------------------------------------------------------

def take_back(program, stage):
    """Moves all documents of the corpus back to the stage. They keep their bytes and inodes, so that
    every program files the very same files and nothing is written anew."""
    names = {NUMBER.search(n)[1]: n for n in stage.names}
    for where in (program.tree, program.inbox):
        for folder, _, files in os.walk(where):
            for name in files:
                m = NUMBER.search(name)
                if m and m[1] in names and ".organizer" not in folder:
                    os.rename(os.path.join(folder, name), stage.path / names.pop(m[1]))
    if names:
        raise RuntimeError("%s lost %d documents" % (program.name, len(names)))


class Stage:
    """A folder with documents ready to be dropped."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.names = sorted(os.listdir(path))

    def part(self, path, count):
        """A stage with the first count of these documents: moved there, until merged again."""
        path.mkdir()
        for name in self.names[:count]:
            os.rename(self.path / name, path / name)
        return Stage(path)

    def merge(self, part):
        for name in part.names:
            os.rename(part.path / name, self.path / name)
        part.path.rmdir()


def drop_all(bench, program, stage):
    """Drops the stage's documents. Returns seconds until the last that was filed, CPU seconds of all
    its processes, and how many are left in the inbox."""
    def left():
        return len(os.listdir(program.inbox))

    program.start_empty()
    try:
        os.sync()
        cpu, began = program.cpu(), time.perf_counter()
        subprocess.run([bench.tool("drop"), "rename", stage.path, program.inbox], check=True,
                       capture_output=True)
        seconds = program.settle(left, len(stage.names)) - began
        result = seconds, program.cpu() - cpu, left()
    finally:
        program.stop()
    take_back(program, stage)
    program.clear()
    return result


def filing(bench):
    """Documents a second, renamed into an Inbox, until all are filed."""
    stage = bench.corpus()
    few = max(100, len(stage.names) // 20)
    programs = bench.programs()
    for _ in range(bench.runs):
        for program in programs:
            slow = program.name == "shell"
            part = stage.part(bench.base / "part", few) if slow else stage
            seconds, cpu, left = drop_all(bench, program, part)
            n = len(part.names)
            if slow:
                stage.merge(part)
            bench.add("filing", program.name, "documents/s", (n - left) / seconds)
            bench.add("filing, CPU", program.name, "ms each", cpu * 1000 / n)
            if program.name == "organizer" and left:
                raise RuntimeError("%d documents were not filed" % left)
    bench.target("filing", "organizer", "at least 2 times Python",
                 lambda ours: ours >= 2 * bench.median("filing", "Python"), needs="Python")


def flood(bench):
    """More documents at once than the event queue holds: what is left behind?"""
    count = bench.count(60000)
    folder = bench.base / "flood"
    corpus.make_small(folder, count)
    stage = Stage(folder)
    for program in bench.programs("organizer", "Python", "C floor"):
        seconds, _, left = drop_all(bench, program, stage)
        bench.add("flood, filed", program.name, "of %d" % count, count - left)
        bench.add("flood, rate", program.name, "documents/s", (count - left) / seconds)
    shutil.rmtree(folder)
    bench.target("flood, filed", "organizer", "all %d" % count, lambda ours: ours == count)


# ---- latency ---------------------------------------------------------------------------------------

def latency(bench):
    """Microseconds from close(2) to the new name, one document at a time."""
    sample = bench.base / "sample.pdf"
    sample.write_bytes(corpus.make_pdf(corpus.random.Random(7), corpus.MEDIAN, "sample"))
    for _ in range(bench.runs):
        for program in bench.programs():
            count = bench.count(1000) if program.name != "shell" else 100
            for q, us in zip((50, 99), drops(bench, program, sample, count)):
                bench.add("latency p%d" % q, program.name, "ms", us / 1000)
        syncs = sorted(float(x) for x in bench.output("drop", "sync", bench.base / "line", 200, 10))
        bench.add("latency p50", "one fdatasync", "ms", syncs[100] / 1000)
        bench.add("latency p99", "one fdatasync", "ms", syncs[198] / 1000)
    bench.target("latency p50", "organizer", "at most 1.5 ms", lambda ours: ours <= 1.5)
    bench.target("latency p99", "organizer", "at most 10 ms", lambda ours: ours <= 10)


def first_destination(program, sample):
    """Where documents of the sample's name go: one is filed, so that the folder is there."""
    shutil.copyfile(sample, program.inbox / "Smith_Litigation_Motion-09999_2026-03-02.pdf")
    end = time.monotonic() + 60
    while time.monotonic() < end:
        for folder, _, files in os.walk(program.tree):
            if any("09999" in f for f in files) and not folder.endswith("Inbox"):
                return folder
        time.sleep(0.05)
    raise RuntimeError("%s filed nothing" % program.name)


def drops(bench, program, sample, count):
    program.start_empty()
    try:
        to = first_destination(program, sample)
        time.sleep(1)
        out = bench.output("drop", "latency", sample, program.inbox, to, count, 10, 5000)
    finally:
        program.clear()
    us = sorted(5e6 if x == "timeout" else float(x) for x in out)
    return us[len(us) // 2], us[len(us) * 99 // 100]


# ---- watch set-up ----------------------------------------------------------------------------------

class Watcher(Program):
    """A program that only sets watches on a tree."""

    def __init__(self, name, base, start):
        super().__init__(name, base)
        self.begin = start

    def start(self, tree):
        began = time.perf_counter()
        self.begin(self, tree)
        return time.perf_counter() - began


def start_floor(bench):
    def begin(program, tree):
        program.spawn([bench.tool("floor_watch"), tree], stdout=subprocess.PIPE)
        program.process.stdout.readline()
    return begin


def start_inotifywait(program, tree):
    program.spawn(["inotifywait", "-m", "-r", tree], stdout=subprocess.DEVNULL,
                  stderr=subprocess.PIPE)
    while "established" not in program.process.stderr.readline():
        pass


def start_fswatch(program, tree):
    """It does not say when it is ready: until it tells of a folder's change, we change that folder."""
    program.spawn(["fswatch", "-r", "-l", "0.1", tree], stdout=subprocess.PIPE)
    os.set_blocking(program.process.stdout.fileno(), False)
    probe = pathlib.Path(tree) / "probe"
    while not program.process.stdout.readline():
        probe.touch()
        probe.unlink()
        time.sleep(0.02)


def start_watchman(program, tree):
    program.base.mkdir(parents=True)
    sock = program.base / "sock"
    call = ["watchman", "-U", str(sock)]
    program.spawn(["watchman", "--foreground", "-U", sock, "-o", program.base / "log",
                   "--pidfile", program.base / "pid", "-n"],
                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not sock.exists() and program.process.poll() is None:
        time.sleep(0.005)
    for args in (["watch", str(tree)], ["clock", str(tree)]):
        subprocess.run([*call, "--no-spawn", *args], check=True, capture_output=True, timeout=300)


def setup(bench):
    """Seconds until every folder of a tree is watched. Ours: from the start of the process to the end
    of the first sweep, which also looks at every entry; the tree is warm and known."""
    count = bench.count(100000)
    ours = Organizer(bench.base / "setup").init()
    make_folders(ours.cabinet, count)
    others = [Watcher("C floor", bench.base / "w", start_floor(bench))]
    for name, start in (("inotifywait", start_inotifywait), ("fswatch", start_fswatch),
                        ("watchman", start_watchman)):
        if shutil.which(name):
            others.append(Watcher(name, bench.base / name, start))
        else:
            bench.skip("set-up beside %s: it is not installed" % name)
    ours.start()
    ours.stop()
    for _ in range(bench.runs):
        for program in [ours, *others]:
            seconds = program.start() if program is ours else program.start(ours.cabinet)
            bench.add("watch set-up", program.name, "s", seconds)
            bench.add("watch set-up, memory", program.name, "MB PSS",
                      measured.pss_mb(program.pids()))
            program.stop()
            if program is not ours:
                program.clear()
    ours.clear()
    bench.target("watch set-up", "organizer", "at most 1.5 times the C floor",
                 lambda ours: ours <= 1.5 * bench.median("watch set-up", "C floor"))


def case_name(number):
    return "Client%s_Litigation" % "".join(chr(65 + number // 26 ** k % 26) for k in range(3))


def make_case(cabinet, number):
    case = cabinet / case_name(number)
    case.mkdir()
    (case / "Case.txt").write_text("Client: %s\nCase type: Litigation\nStatus: open\n"
                                   % case.name.split("_")[0])
    return case


def make_folders(cabinet, count, fanout=8):
    """count folders: cases of a hundred, fanout in each folder."""
    for number in range(count // 100):
        todo = [make_case(cabinet, number)]
        for folder in todo:
            for i in range(min(fanout, 100 - len(todo))):
                todo.append(folder / ("Volume %d" % i))
                todo[-1].mkdir()


# ---- sweep, idle -----------------------------------------------------------------------------------

FOLDERS = {"Motions": "Motion", "Correspondence": "Letter", "Court Papers": "Order",
           "Pleadings": "Answer"}


def make_office(cabinet, cases, each):
    """Cases with named documents in their standard folders."""
    number = 0
    for c in range(cases):
        case = make_case(cabinet, c)
        for f, (folder, kind) in enumerate(FOLDERS.items()):
            (case / folder).mkdir()
            for i in range(f, each, len(FOLDERS)):
                name = "%s_%s-%06d_2026-03-02.pdf" % (case.name, kind, number)
                (case / folder / name).write_bytes(corpus.small_pdf(number))
                number += 1


def seconds_of(call):
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def sweep_and_idle(bench):
    """A sweep of documents that did not change; then what the daemon does and holds while nothing
    happens: switches of all threads of all its processes, memory by share."""
    count = bench.count(100000)
    ours = Organizer(bench.base / "office").init()
    make_office(ours.cabinet, count // 100, 100)
    ours.start()
    documents = ours.status()["documents"]
    # What the documents say is read behind everything else: the idle office has done that.
    while ours.status()["readers"]["texts_to_read"]:
        time.sleep(5)
    if documents != count:
        raise RuntimeError("%d of %d documents are known" % (documents, count))
    ours.read_all()
    # As after the nightly restart of a server: taken up from the private state.
    ours.stop()
    ours.start()
    find = ["find", str(ours.cabinet), "-printf", "%i %s %T@ %C@ %p\\n"]
    stat = [str(bench.tool("floor_watch")), str(ours.cabinet), "stat"]
    for _ in range(bench.runs):
        cpu = ours.cpu()
        bench.add("sweep", "organizer", "s", seconds_of(lambda: ours.run("sweep", ours.cabinet)))
        bench.add("sweep, CPU", "organizer", "s", ours.cpu() - cpu)
        for name, args in (("find -printf", find), ("C floor", stat)):
            bench.add("sweep", name, "s",
                      seconds_of(lambda: subprocess.run(args, check=True, capture_output=True)))
    time.sleep(10)
    for _ in range(bench.runs):
        idle_figures(bench, ours)
    if shutil.which("inotifywait"):
        peer = Watcher("inotifywait", bench.base / "iw", start_inotifywait)
        peer.start(ours.cabinet)
        idle_figures(bench, peer)
        peer.stop()
    ours.clear()
    bench.target("idle, switches", "organizer", "none", lambda ours: ours == 0)
    bench.target("idle, memory", "organizer", "below 40 MB", lambda ours: ours < 40)


def idle_figures(bench, program):
    pids = program.pids()
    before = measured.switches(pids)
    time.sleep(bench.idle_s)
    pids = program.pids()
    bench.add("idle, switches", program.name, "a minute",
              (measured.switches(pids) - before) * 60 / bench.idle_s)
    bench.add("idle, memory", program.name, "MB PSS", measured.pss_mb(pids))


def read_texts(bench):
    """First-page text and metadata of PDFs: ours reads all pages, each document in a process of its
    own; the peers are run for each file, as a script would."""
    count = bench.count(500)
    folder = bench.base / "pdfs"
    folder.mkdir()
    files = []
    for i in range(count):
        files.append(folder / ("%04d.pdf" % i))
        files[-1].write_bytes(corpus.page_pdf(i))
    parsers = pathlib.Path(measured.BUILD).resolve() / "organizer-parsers"
    for _ in range(bench.runs):
        seconds, read, _, kib = bench.output("read_texts", parsers, *files)
        if int(read) != count:
            raise RuntimeError("%s of %d PDFs were read" % (read, count))
        bench.add("reading PDFs", "organizer", "a second", count / float(seconds))
        bench.add("reader, memory", "organizer", "MiB", int(kib) / 1024)
        if not shutil.which("pdftotext") or not shutil.which("pdfinfo"):
            bench.skip("pdftotext, pdfinfo: poppler-utils is not installed")
            continue
        some = files[:max(count // 5, 1)]
        seconds = seconds_of(lambda: [subprocess.run(args, check=True, capture_output=True)
                                      for f in some
                                      for args in (["pdftotext", "-l", "1", f, "-"], ["pdfinfo", f])])
        bench.add("reading PDFs", "pdftotext+pdfinfo", "a second", len(some) / seconds)
    long = folder / "long.pdf"
    long.write_bytes(corpus.page_pdf(0, pages=1000))
    bench.add("reader, memory, long", "organizer", "MiB", int(bench.output("read_texts", parsers, long)[3]) / 1024)
    for figure in ("reader, memory", "reader, memory, long"):
        bench.target(figure, "organizer", "below 128 MiB", lambda ours: ours < 128)
    peer = bench.rows.get(("reading PDFs", "pdftotext+pdfinfo"))
    if peer:
        theirs = statistics.median(peer[1])
        bench.target("reading PDFs", "organizer", "10 times pdftotext+pdfinfo",
                     lambda ours: ours >= 10 * theirs)


FIGURES = {"filing": filing, "flood": flood, "latency": latency, "setup": setup,
           "sweep": sweep_and_idle, "texts": read_texts,
           "snapshot": archives.snapshot, "archive-memory": archives.memory,
           "verify": bags.verifying, "scrub": bags.scrubbing,
           "find": finding.finding}
