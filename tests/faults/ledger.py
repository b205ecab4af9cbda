"""What was tried already, so that a run of hours that was stopped goes on where it was: one file for each row,
in a folder for each state of program, rules and suite. Another program is tried from the beginning."""
import hashlib
import json
import pathlib
import threading

HERE = pathlib.Path(__file__).resolve().parent


def key(builds, rules, suite):
    """Of all that the outcome hangs on."""
    h = hashlib.sha256()
    files = [b / n for b in builds for n in ("organizer", "organizer-main", "organizer-parsers", "faults.so") if (b / n).exists()]
    files += sorted(HERE.glob("*.py")) + [suite] + sorted(p for p in rules.rglob("*") if p.is_file())
    for p in files:
        h.update(p.name.encode() + b"\0" + hashlib.sha256(p.read_bytes()).digest())
    return h.hexdigest()[:16]


class Ledger:
    """The points of one row: how many there are, which they are, how each tried one ended, and at which nothing was done."""

    def __init__(self, folder, name):
        self.path = folder and folder / f"{name.replace(' ', '-')}.jsonl"
        self.lock = threading.Lock()
        self.counted, self.seen, self.nothing = None, {}, set()
        text = self.path.read_text() if self.path and self.path.exists() else ""
        for line in text.splitlines():
            self.take(line)
        # What follows a line that was cut begins on one of its own.
        self.begin = "\n" if text and not text.endswith("\n") else ""

    def take(self, line):
        try:
            x = json.loads(line)
        except ValueError:
            return  # the run was ended while it was written
        if "points" in x:
            self.counted = x["points"], x["at"]
        else:
            self.keep(x["at"], x["hit"], x.get("problem"), x.get("nothing", False))

    def keep(self, at, hit, problem, nothing):
        self.seen[at] = hit, problem
        self.nothing |= {at} if hit and nothing and not problem else set()

    def write(self, x):
        if not self.path:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.lock, open(self.path, "a") as f:
            f.write(self.begin + json.dumps(x) + "\n")
            self.begin = ""

    def count(self, points, at):
        self.counted = points, at
        self.write({"points": points, "at": at})

    def note(self, at, hit, problem, nothing=False):
        """nothing: the run that was struck there said so, and changed nothing."""
        with self.lock:
            self.keep(at, hit, problem, nothing)
        self.write({"at": at, "hit": hit, **({"problem": problem} if problem else {}), **({"nothing": True} if nothing else {})})
