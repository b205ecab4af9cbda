"""Searching: what documents say is read into the catalogue, and found again, beside recoll.

Both read the same tree. Recoll is as Debian configures it: its filters run pdftotext and others for
each document. Images and spreadsheets of numbers are in the tree, too; neither finds much in them.

A search of ours shows the best 20, each with the passage where the words stand. `recollq -A -n 0-20` does the same and
is what it is measured beside, one program beside the other; "recoll's list" is the same without passages, "recollq alone"
what it shows without any option: a line for each document, at most 2,000."""
import json
import pathlib
import shutil
import socket
import subprocess
import time

import corpus
from measured import BUILD, TIMEOUT, Organizer


def run_timed(took, command, env=None):
    """Milliseconds from the program's start to its end, and what it prints. 1 is "nothing found"."""
    r = subprocess.run([str(took), *map(str, command)], env=env, capture_output=True, text=True, errors="replace",
                       timeout=TIMEOUT)
    if r.returncode > 1:
        raise RuntimeError("%s: %s" % (command, r.stderr))
    return float(r.stderr.split()[-1]), r.stdout


class Recoll:
    """recollindex and recollq with a configuration of their own for one tree."""

    def __init__(self, base, tree):
        self.conf = pathlib.Path(base)
        shutil.rmtree(self.conf, ignore_errors=True)
        self.conf.mkdir(parents=True)
        (self.conf / "recoll.conf").write_text(
            "topdirs = %s\nloglevel = 1\nskippedNames+ = .organizer Index.html Index.csv Case.txt\n" % tree)

    def index(self):
        began = time.perf_counter()
        subprocess.run(["recollindex", "-c", str(self.conf), "-z"], check=True, capture_output=True,
                       timeout=4 * TIMEOUT)
        return time.perf_counter() - began

    def ask(self, took, query, options=("-A", "-n", "0-20")):
        """Milliseconds, and the documents found: at most 20, each with a passage, as ours has."""
        ms, out = run_timed(took, [shutil.which("recollq"), "-c", str(self.conf), *options, *query])
        return ms, sum(line.count("[file://") > 0 for line in out.splitlines())

    def open(self):
        """The index, kept open by this process; None without Debian's python3-recoll."""
        try:
            from recoll import recoll
        except ImportError:
            return None
        self.db = recoll.connect(confdir=str(self.conf))
        return self.answer

    def answer(self, query):
        """As ask(), with a passage for each as ours has, and no program to be started."""
        q = self.db.query()
        q.execute(" ".join(query))
        return sum(bool(self.db.makeDocAbstract(doc, q)) for doc in q.fetchmany(20))


class Ours(Organizer):
    """A daemon whose case holds the tree."""

    def answer(self, query):
        """As ask(), of the daemon's socket, and no program to be started."""
        path = next((self.base / "state").rglob("socket"))
        words = [{"arg": word} for word in query]
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(path))
            s.sendall(json.dumps({"v": 1, "verb": "find", "args": words, "cwd": "/"}).encode() + b"\n")
            with s.makefile("rb") as f:
                return json.loads(f.read())["text"].count("\n") - 1

    def index(self):
        """All documents are read again into an empty catalogue."""
        began = time.perf_counter()
        self.run("find", "--rebuild", "-C", self.cabinet)
        return time.perf_counter() - began

    def ask(self, took, query):
        ms, out = run_timed(took, [BUILD / "organizer", "find", "--json", "-C", self.cabinet, *query], self.env)
        return ms, out.count("\n")


def queries(author, n):
    """What people look for: words from frequent to rare, two together, phrases, beginnings."""
    r = corpus.random.Random(11)
    words = [author.words[int(50 * (len(author.words) / 50) ** r.random())] for _ in range(4 * n)]
    for i in range(n):
        yield [words[4 * i]]
        yield [words[4 * i + 1], r.choice(corpus.WORDS)]
        yield ['"%s %s"' % (r.choice(corpus.WORDS), r.choice(corpus.WORDS))]
        yield [words[4 * i + 3][:5] + "*"]


def answers(bench, ours, recoll, author):
    """The search itself: of the daemon's socket, and of an index that this process holds open."""
    asked = {"organizer": ours.answer, "recoll": recoll and recoll.open()}
    if not asked["recoll"]:
        bench.skip("recoll's answers: Debian's python3-recoll is not installed")
    for query in queries(author, 25):
        for name, answer in asked.items():
            if answer:
                began = time.perf_counter()
                answer(query)
                bench.add("one answer", name, "ms", (time.perf_counter() - began) * 1000)


def finding(bench):
    """Seconds until 20,000 documents can be found, and milliseconds from a query to its answer."""
    if not shutil.which("recollindex") or not shutil.which("recollq"):
        bench.skip("recoll: Debian's recollcmd is not installed")
    count = bench.count(20000)
    author = corpus.Author(3)
    ours = Ours(bench.base / "search")
    ours.init().start()
    ours.run("new", "Smith", "Litigation", "-C", ours.cabinet)
    tree = ours.tree / "Papers"
    corpus.make(bench.base / "papers", count, r=author)
    began = time.perf_counter()
    (bench.base / "papers").rename(tree)
    ours.sync()
    while ours.status()["readers"]["texts_to_read"] or ours.status()["search"]["by_name_only"]:
        time.sleep(0.2)
    bench.add("first time, all in all", "organizer", "s", time.perf_counter() - began)
    peers = {"organizer": ours}
    if shutil.which("recollindex") and shutil.which("recollq"):
        peers["recoll"] = Recoll(bench.base / "recoll", tree)
    for _ in range(bench.runs):
        for name, peer in peers.items():
            bench.add("indexing for search", name, "s", peer.index())
    for query in queries(author, 25):
        for name, peer in peers.items():
            ms, found = peer.ask(bench.tool("took"), query)
            bench.add("one search", name, "ms", ms)
            bench.add("found, at most 20", name, "documents", found)
        if "recoll" in peers:
            for name, options in {"recoll's list": ["-n", "0-20"], "recollq alone": []}.items():
                bench.add("one search", name, "ms", peers["recoll"].ask(bench.tool("took"), query, options)[0])
    answers(bench, ours, peers.get("recoll"), author)
    ours.clear()
    bench.target("indexing for search", "organizer", "at least 3 times as fast as recoll",
                 lambda s: 3 * s <= bench.median("indexing for search", "recoll"), needs="recoll")
    bench.target("one answer", "organizer", "at most a tenth of recoll",
                 lambda ms: 10 * ms <= bench.median("one answer", "recoll"), needs="recoll")
    bench.target("one search", "organizer", "at most a tenth of recoll",
                 lambda ms: 10 * ms <= bench.median("one search", "recoll"), needs="recoll")
