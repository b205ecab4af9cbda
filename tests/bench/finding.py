"""Searching: what documents say is read into the catalogue, and found again, beside recoll.

Both read the same tree. Recoll is as Debian configures it: its filters run pdftotext and others for
each document. Images and spreadsheets of numbers are in the tree, too; neither finds much in them."""
import pathlib
import shutil
import subprocess
import time

import corpus
from measured import BUILD, TIMEOUT, Organizer


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

    def ask(self, query):
        """The documents found, at most 20."""
        out = subprocess.run(["recollq", "-c", str(self.conf), "-n", "0-20", query], check=True,
                             capture_output=True, text=True, errors="replace", timeout=TIMEOUT).stdout
        return sum(line.count("[file://") > 0 for line in out.splitlines())


class Ours(Organizer):
    """A daemon whose case holds the tree."""

    def index(self):
        """All documents are read again into an empty catalogue."""
        began = time.perf_counter()
        self.run("find", "--rebuild", "-C", self.cabinet)
        return time.perf_counter() - began

    def ask(self, query):
        r = subprocess.run([str(BUILD / "organizer"), "find", "--json", "-C", str(self.cabinet), query],
                           env=self.env, capture_output=True, text=True, timeout=TIMEOUT)
        if r.returncode > 1:
            raise RuntimeError("find %s: %s" % (query, r.stderr))
        return r.stdout.count("\n")


def queries(author, n):
    """What people look for: words from frequent to rare, two together, phrases, beginnings."""
    r = corpus.random.Random(11)
    words = [author.words[int(50 * (len(author.words) / 50) ** r.random())] for _ in range(4 * n)]
    for i in range(n):
        yield words[4 * i]
        yield "%s %s" % (words[4 * i + 1], r.choice(corpus.WORDS))
        yield '"%s %s"' % (r.choice(corpus.WORDS), r.choice(corpus.WORDS))
        yield words[4 * i + 3][:5] + "*"


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
            began = time.perf_counter()
            found = peer.ask(query)
            bench.add("one search", name, "ms", (time.perf_counter() - began) * 1000)
            bench.add("found, at most 20", name, "documents", found)
    ours.clear()
    bench.target("indexing for search", "organizer", "at least 3 times as fast as recoll",
                 lambda s: 3 * s <= bench.median("indexing for search", "recoll"), needs="recoll")
    bench.target("one search", "organizer", "at most a tenth of recoll",
                 lambda ms: 10 * ms <= bench.median("one search", "recoll"), needs="recoll")
