"""A table of fault suites: each row is one suite in one scenario, whose points are counted in runs without a fault and
struck one after the other, as many at once as there are jobs. What ran and was seen is noted in a ledger."""
import argparse
import collections
import concurrent.futures
import itertools
import os
import pathlib
import sys
import tempfile
import threading
import time

from ledger import Ledger, key
from points import Counted, callers_of, fault_env, looked_at, same_addresses
from scenarios import ONCE, READ, SCENARIOS
from world import IN_LIBRARIES, ROOT, Violation, World, called, small_rules

# How many batches the filer makes of the same documents, and how often the journal is brought to the disk, hangs on
# when readers answer; and so the calls. So many runs are counted. A call that all of them came to, and a way that most
# did, must be reached, in so many tries, each but the first in a new cabinet, unless as many runs more come to it less
# often: three of five may have come by a way that is one in twenty's. What fewer came to is a point if it is reached, in
# fewer tries (column `seldom`: those that were not): the 380th call of a run that makes that many is the 330th of one in
# fewer batches.
COUNTS = 5
TRIES, TRIES_BEYOND = 30, 5
# After so many, a run that is struck takes as long as one that is counted.
TRIES_QUICK = 2
# So many runs give all names: a case is renamed to and fro.
NAMED = 3

# A cabinet with so many documents, or a third as many changes, is given up for a new one.
WORN = 60
# Where a cabinet that has filed before makes much fewer calls, each point gets one of its own.
FRESH = {"recovery 3"}

HEAD = "{:28} {:18} {:>7} {:>7} {:>7} {:>10} {:>9} {:>6}"


def on_each(o, work):
    """work(o) in as many threads as there are jobs, each with what it starts on one processor: a program whose threads
    are on two pays for each page that it gives back."""
    def on(cpu):
        os.sched_setaffinity(0, {cpu})
        work(o)

    cpus = itertools.cycle(sorted(os.sched_getaffinity(0)))
    with concurrent.futures.ThreadPoolExecutor(o.jobs) as pool:
        for f in [pool.submit(on, cpu) for cpu, _ in zip(cpus, range(o.jobs))]:
            f.result()


def names_of_one(o, scenario):
    """The names that runs without faults give, and leave, one after the other in one cabinet."""
    w, names = World(o.program(scenario), o.base, o.rules), set()
    try:
        for _ in range(NAMED):
            w.strike(*SCENARIOS[scenario](w), env={})
            w.assert_in_order()
            names |= w.names()
        return names
    finally:
        w.close()


def calls_of_one(o, scenario, calls, callers):
    """What a run without faults calls, in a cabinet of its own."""
    w = World(o.program(scenario), o.base, o.rules)
    try:
        args = SCENARIOS[scenario](w)
        log = w.base / "log"
        r = w.strike(*args, env=fault_env(w, calls, 0, "kill", log=log, callers=callers))
        if r.returncode not in (0, 1):
            raise Violation(f"{scenario} without a fault: exit {r.returncode}: {r.stderr.decode(errors='replace')[-300:]}")
        return log.read_text(errors="replace").splitlines()
    finally:
        w.close()


class Counts:
    """Each scenario's, counted when they are first asked for, in runs that look at each call as those do that are
    struck, since how long that takes tells in what order things happen."""

    def __init__(self, o):
        self.o, self.known, self.named = o, {}, {}

    def names(self, scenario):
        if scenario not in self.named:
            self.named[scenario] = names_of_one(self.o, scenario)
        return self.named[scenario]

    def count(self, scenario, calls, callers):
        k = scenario, *calls, callers
        if k not in self.known:
            left, logs = iter(range(COUNTS)), []

            def work(o):
                logs.extend(calls_of_one(o, scenario, calls, callers) for _ in left)

            on_each(self.o, work)
            self.known[k] = Counted(logs)
        return self.known[k]

    def again(self, scenario, calls, callers):
        """In runs that were not among the first."""
        return Counted([calls_of_one(self.o, scenario, calls, callers) for _ in range(COUNTS)])

    def fewest_and_most(self, scenario, calls):
        return self.count(scenario, calls, 0).fewest_and_most(calls)

    def ways(self, scenario, calls):
        return self.count(scenario, looked_at(calls), callers_of(calls)).ways(calls)


class Row:
    """One suite in one scenario."""

    def __init__(self, suite, scenario, calls, deed, ever=False):
        self.suite, self.scenario, self.calls, self.deed, self.ever = suite, scenario, calls, deed, ever
        self.points, self.asked, self.as_before = 0, [], 0
        self.cut, self.ledger = False, None
        self.lock = threading.Lock()

    def name(self):
        return f"{self.suite}{' for ever' if self.ever else ''}"

    def noted_as(self):
        return f"{self.name()}, {self.scenario}"

    # -- one point ----------------------------------------------------------------------------------------
    def fault(self, w, at, log):
        return fault_env(w, self.calls, at, self.deed, self.ever, log)

    def prepare(self, w):
        w.args = SCENARIOS[self.scenario](w)
        w.before, w.were = w.trace(), w.names()

    def reach(self, w, at):
        """Whether the point was hit, and whether nothing on the disk is otherwise; when it was hit, all is in order again."""
        log = w.base / "log"
        log.unlink(missing_ok=True)
        if not w.before:
            self.prepare(w)
        r = w.strike(*w.args, env=self.fault(w, at, log))
        hit = log.exists() and b"\nHIT" in b"\n" + log.read_bytes()
        if not hit and r.returncode not in (0, 1):
            raise Violation(f"exit {r.returncode} without a fault")
        if not hit:
            return False, False
        # libuv aborts when its own calls fail; how the program ends when a call fails for ever is not judged.
        if self.deed not in ("kill", "tear") and not self.ever and r.returncode < 0 and \
                not IN_LIBRARIES.search(called(log)):
            raise Violation(f"it ended with signal {-r.returncode}")
        if w.trace() == w.before:
            if r.returncode == 0:
                raise Violation("it did nothing, and said nothing")
            return True, True
        w.before = None
        w.changed += 1
        left = w.were | {(given, f"CASE/{given}") for given, _ in self.names}
        w.assert_named(self.names | left, "after the fault")
        w.assert_in_order()
        # A sweep that was ended is made up for by the next; what an error left, or a person asked for once, may stay.
        made_up = self.deed in ("kill", "tear") and w.args[0] == "sweep" and self.scenario not in ONCE
        w.assert_named(self.names if made_up else self.names | left, "after recovery")
        return True, False

    def world(self, o):
        w = World(o.program(self.scenario), o.base, o.rules)
        w.before, w.changed = None, 0
        return w

    def wants_new_worlds(self):
        return self.scenario in FRESH

    def strike(self, o, w, at):
        """The world for the next point, or None when there is none that could be used again."""
        hit, nothing, problem = False, False, None
        for n in range(TRIES if self.must_be_reached(at) else TRIES_BEYOND):
            w = w or self.world(o)
            w.tries = n
            try:
                hit, nothing = self.reach(w, at)
            except Violation as v:
                hit, problem = True, f"{self.name()}, {self.scenario}, call {at} ({called(w.base / 'log')}): {v}"
                problem += f" ({w.base})" if o.keep else ""
            if problem and o.keep:
                w = None
            elif not hit or problem or self.wants_new_worlds():
                w.close()
                w = None
            if hit:
                break
        if hit or (self.must_be_reached(at) and self.is_come_to(o, at)):
            self.ledger.note(at, hit, problem, nothing)
        if problem:
            print(problem, file=sys.stderr, flush=True)
        return w

    # -- all of them --------------------------------------------------------------------------------------
    def following(self):
        while True:
            with self.lock:
                at = next(self.rest, None)
            if at is None:
                return
            yield at

    def work(self, o):
        w = None
        for at in self.following():
            if time.monotonic() > self.until:
                self.cut = True
                break
            if w and (w.serial > WORN or w.changed >= WORN // 3):
                w.close()
                w = None
            w = self.strike(o, w, at)
        if w:
            w.close()

    def run(self, o, offset):
        self.ledger = Ledger(o.seen, self.noted_as())
        if not self.ledger.counted:
            self.ledger.count(*self.count(o))
        self.points, last = self.ledger.counted
        self.asked = self.choose(o, last, offset)
        self.until = time.monotonic() + o.seconds if o.seconds else float("inf")
        self.try_those(o, self.asked)

    def try_those(self, o, points):
        rest = [at for at in points if at not in self.ledger.seen]
        if rest:
            self.names, self.rest = o.counts.names(self.scenario), iter(rest)
            on_each(o, self.work)

    # -- what came of it ----------------------------------------------------------------------------------
    def seen(self):
        """How each that was to be tried and was ended: whether it was hit, and what was violated."""
        return {at: self.ledger.seen[at] for at in self.asked if at in self.ledger.seen}

    def violations(self):
        return sum(bool(problem) for _, problem in self.seen().values())

    def hits(self):
        return sum(hit for hit, _ in self.seen().values())

    def missed(self):
        """Points that were never reached."""
        return sum(not hit for hit, _ in self.seen().values())

    def seldom(self):
        """Calls and ways that only a few runs without a fault came to, and none that was to be struck."""
        return 0 if self.cut else len(self.asked) - len(self.seen())

    def bad(self):
        return bool(self.violations() or self.missed() or not self.points or not (self.seen() or self.as_before))

    def figures(self):
        return self.points, len(self.seen()), self.hits(), self.violations(), self.as_before, self.seldom()

    def line(self):
        return (HEAD.format(self.name(), self.scenario, *self.figures()) +
                f"{'   cut short' if self.cut else ''}{f'   {self.missed()} never reached' if self.missed() else ''}")


class Walk(Row):
    """At the first call, the second, and so on, as far as runs come."""

    def count(self, o):
        return o.counts.fewest_and_most(self.scenario, self.calls)

    def choose(self, o, most, offset):
        return list(range(1 + offset % max(1, min(o.every, self.points)), most + 1, o.every))

    def must_be_reached(self, at):
        return at <= self.ledger.counted[0]

    def is_come_to(self, o, at):
        return at <= o.counts.again(self.scenario, self.calls, 0).fewest_and_most(self.calls)[0]

    def run(self, o, offset):
        super().run(o, offset)
        self.points += sum(hit for at, (hit, _) in self.seen().items() if not self.must_be_reached(at))


def table(o, rows):
    bad, sums = [], collections.defaultdict(lambda: [0] * 6)
    print(HEAD.format("suite", "scenario", "points", "tried", "hit", "violations", "as before", "seldom"), flush=True)
    for i, row in enumerate(rows):
        row.run(o, i)
        print(row.line(), flush=True)
        bad += [f"{row.name()}, {row.scenario}"] if row.bad() else []
        for name in (row.name(), "all"):
            sums[name] = [a + b for a, b in zip(sums[name], row.figures())]
    everywhere = sums.pop("all")
    for name, figures in (*sums.items(), ("all", everywhere)):
        print(HEAD.format(name, "all scenarios" if not o.scenario else "these", *figures), flush=True)
    if bad:
        print("failed: " + "; ".join(bad), flush=True)
    return 1 if bad else 0


def options():
    """Those of all tables."""
    p = argparse.ArgumentParser()
    p.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    p.add_argument("--quick", type=pathlib.Path)
    p.add_argument("--base", type=pathlib.Path, default=pathlib.Path(
        "/dev/shm" if os.access("/dev/shm", os.W_OK) else tempfile.gettempdir()))
    p.add_argument("--scenario", nargs="*", default=[], choices=[*SCENARIOS, []])
    p.add_argument("--every", type=int, default=1)
    p.add_argument("--keep", action="store_true", help="keep the cabinets of violations")
    p.add_argument("--seconds", type=float, default=0)
    p.add_argument("--jobs", type=int, default=os.cpu_count())
    p.add_argument("--seen", type=pathlib.Path, help="go on where a run that noted here was stopped")
    return p


def run(p, rows):
    """Tries the rows(options) with the options that p finds; what the program exits with."""
    o = p.parse_args()
    o.build, o.quick = o.build.resolve(), (o.quick or o.build).resolve()
    o.program = lambda scenario: o.build if scenario in READ else o.quick
    same_addresses()
    with tempfile.TemporaryDirectory(prefix="organizer-fault-", dir=o.base) as base:
        o.base, o.rules = pathlib.Path(base), small_rules(base)
        o.seen = o.seen and o.seen.resolve() / key([o.build, o.quick], o.rules, pathlib.Path(sys.argv[0]).resolve())
        o.counts, o.before = Counts(o), collections.defaultdict(set)
        return table(o, rows(o))
