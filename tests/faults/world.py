"""A cabinet for the fault suites: what was dropped into it, and what must hold whatever happened."""
import csv
import difflib
import hashlib
import io
import json
import os
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import tempfile
import time
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Of the shipped types: what the scenarios name. Each start reads them, and there are thousands; and of the noise one line.
TYPES = {"correspondence.yaml": {"Letter"}, "court-papers.yaml": {"Order"}, "pleadings.yaml": {"Answer"}}
NIGHT = re.compile(rb"^<div><dt>Next night</dt>.*\n", re.M)  # in the cabinet's page: only a daemon has one
OWN = {"Index.html", "Index.csv", "Needs attention.txt", "How this works.html", "Case.txt"}
CONFIG = "settle: 0s\ndrafts: 0s\ndate_order: mdy\ntime_zone: UTC\nmode: enforce\n"
WHY = re.compile(r"^\S+: ", re.M)  # no line of the log begins so
# libuv aborts after errors that no disk gives, those of its own pipes, and when it gets no pipe (the address tells who asked
# for it); libcrypto uses memory that it did not get.
IN_LIBRARIES = re.compile(r"^alloc@|^pipe2@[0-9a-f]+-7f| (anon_inode|pipe|socket):")
# After such an error libuv may have forgotten a signal, also that of a child's end, or wait for itself.
DEAF = re.compile(r"^(read|write)@[0-9a-f]+-7f\w* pipe:")
TIMEOUT = 240  # much: the machine may be busy, or sleep
DEAF_TIMEOUT = 10


class Violation(Exception):
    pass


def called(log):
    """The call that was hit, and of what."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    at = [i for i, line in enumerate(lines) if line.startswith("HIT ")]
    return lines[at[0] - 1] if at else "not reached"


def small_rules(base):
    """A copy of the shipped rules with fewer types."""
    rules = pathlib.Path(base) / "rules"
    if not rules.exists():
        shutil.copytree(ROOT / "rules", rules, ignore=lambda folder, names: [
            n for n in names if pathlib.Path(folder).name == "types" and n not in TYPES])
        for n, few in TYPES.items():
            head, *types = re.split(r"^(?=  - type: )", (rules / "types" / n).read_text(), flags=re.M)
            (rules / "types" / n).write_text(head + "".join(t for t in types if t.split()[2] in few))
        noise = (rules / "noise.yaml").read_text().splitlines()
        (rules / "noise.yaml").write_text("words:\n" + "".join(f"{line}\n" for line in noise if line.startswith("  - 'scan(")))
    return rules


def changes(was, now):
    """The names of what differs, and the first lines in which it does."""
    out = []
    for k in sorted(k for k in {**was, **now} if was.get(k) != now.get(k)):
        out.append(k)
        if isinstance(was.get(k, b""), bytes) and isinstance(now.get(k, b""), bytes):
            diff = difflib.unified_diff(*(x.get(k, b"").decode(errors="replace").splitlines() for x in (was, now)), n=0)
            out += [line[:300] for line in diff if line[:2] not in ("--", "++", "@@")][:6]
    return "\n    ".join(out)


def read_since(was, now):
    """Only what documents say is told now and was not before: that is read when nothing else is to be done."""
    def tables(pages):
        return {p: [row[:-1] for row in csv.reader(io.StringIO(data.decode("utf-8-sig", "surrogateescape")))]
                for p, data in pages.items() if p.endswith("/Index.csv")}
    return was.keys() == now.keys() and tables(was) == tables(now) and \
        any(was[p] != now[p] for p in was if p.endswith("/Index.csv"))


class World:
    """A cabinet, its private state, and what was dropped into it."""

    def __init__(self, build, base, rules=ROOT / "rules"):
        self.exe, self.preload = build / "organizer", build / "faults.so"
        self.base = pathlib.Path(tempfile.mkdtemp(prefix="organizer-fault-", dir=base))
        self.path = self.base / "Matters"
        self.case = "Smith_Divorce"
        self.env = dict(os.environ, STATE_DIRECTORY=str(self.base / "state"), HOME=str(self.base), TZ="UTC",
                        ORGANIZER_HOOKS=str(self.base / "hooks"), ORGANIZER_RULES=str(rules))
        self.contents, self.serial = set(), 0
        self.given = {}  # SHA-256 -> the name below its case under which a document was dropped
        self.daemon, self.meanwhile = None, []  # what people do while it watches, one after the other
        self.again, self.cases = [], set()  # verbs to be given once more, cases whose archives are looked at
        self.must("init", self.path)
        self.configure(CONFIG)
        self.must("new", "Smith", "Divorce", "-C", self.path)
        self.must("sweep", self.path)

    def configure(self, text):
        (self.path / ".organizer/organizer.yaml").write_text(text)

    def set_clock(self, ahead):
        """The organizer's, in nanoseconds ahead of ours. It has the file mapped: that stays the same one."""
        clock = self.base / "clock"
        self.env["ORGANIZER_CLOCK"] = f"@{clock}"
        fd = os.open(clock, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.write(fd, struct.pack("q", ahead))
        os.close(fd)

    def kill(self):
        if self.daemon and self.daemon.poll() is None:
            self.daemon.kill()
            self.daemon.wait()

    def close(self):
        self.kill()
        shutil.rmtree(self.base)

    def run(self, *args, env=None):
        """One that is deaf may hang, and is killed."""
        env = env or {}
        with subprocess.Popen([self.exe, *args], cwd=self.path if self.path.is_dir() else self.base,
                              env=self.env | env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
            for _ in range(TIMEOUT // DEAF_TIMEOUT):
                try:
                    out, err = p.communicate(timeout=DEAF_TIMEOUT)
                    return subprocess.CompletedProcess(p.args, p.returncode, out, err)
                except subprocess.TimeoutExpired:
                    if self.is_deaf(env):
                        p.kill()
            p.kill()
        raise Violation(f"{args[0]} hangs")

    def must(self, *args):
        r = self.run(*args)
        if r.returncode not in (0, 1):
            raise Violation(f"{args[0]}: exit {r.returncode}: {r.stderr.decode(errors='replace')[-300:]}")
        return r

    def drop(self, name, where="Inbox", data=b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n%"):
        self.serial += 1
        data += f"{self.base.name} {self.serial}\n".encode()
        target = self.path / self.case / where / name.format(n=self.serial)
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(target, "xb") as f:
            f.write(data)
        self.contents.add(hashlib.sha256(data).hexdigest())
        self.given[hashlib.sha256(data).hexdigest()] = str(target.relative_to(self.path / self.case))
        return target

    def write_into_card(self, *lines, case=None):
        """A person writes these into the card, each over the line of that name, or below the others."""
        card = self.path / (case or self.case) / "Case.txt"
        text = card.read_text("utf-8-sig").splitlines()
        for line in lines:
            name = line[:line.index(":") + 1]
            at = next((i for i, there in enumerate(text) if there.startswith(name)), len(text))
            text[at:at + 1] = [line]
        card.write_text("\n".join(text) + "\n")

    def strike(self, verb, *args, env):
        """The command at which a fault strikes, if it is that of the environment."""
        return self.day(env) if verb == "watch" else self.run(verb, *args, env=env)

    # -- a daemon ---------------------------------------------------------------------------------------
    def watch(self, *before, env=None):
        """Starts the daemon of the cabinet, behind these words."""
        with open(self.base / "daemon.log", "wb") as log:
            self.daemon = subprocess.Popen([*before, self.exe, "watch", self.path], env={**self.env, **(env or {})},
                                           stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def said(self):
        """The last words of the daemon."""
        return (self.base / "daemon.log").read_text(errors="replace")[-300:]

    def status(self):
        return json.loads(self.must("status", "--json", self.path).stdout.splitlines()[0])

    def watches(self):
        """Whether the daemon watches, as soon as it does: False when it ended. At first it may not listen yet, and then
        another is refused."""
        until = time.monotonic() + TIMEOUT
        while self.daemon.poll() is None:
            if b'"watching":true' in self.run("status", "--json", self.path).stdout:
                return True
            if time.monotonic() > until:
                raise Violation("the daemon does not begin to watch")
        return False

    def settled(self):
        """A verb that finds no daemon would do the work itself."""
        if not self.watches():
            raise Violation(f"the daemon ended: {self.said()}")
        self.must("sync", self.path)

    def end(self):
        self.daemon.terminate()
        try:
            code = self.daemon.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            raise Violation("the daemon does not end")
        if code:
            raise Violation(f"the daemon ended with {code}: {self.said()}")

    def may_end(self, code, asked, env):
        """After an error that came once: because it was asked to, or it said why."""
        if code >= 0:
            return asked if code == 0 else WHY.search(self.said())
        return IN_LIBRARIES.search(called(pathlib.Path(env["FAULT_LOG"])))

    def is_deaf(self, env):
        """Whether the organizer may not know any more that it, or its child, is to end."""
        return "FAULT_LOG" in env and DEAF.search(called(pathlib.Path(env["FAULT_LOG"])))

    def live(self, env):
        """People work, until the daemon knows all; whether it is alive."""
        if self.watches():
            for act in self.meanwhile:
                act()
        if self.daemon.poll() is not None:
            return False
        if not self.is_deaf(env):
            self.run("sync", self.path)
        return True

    def ended(self, env):
        """What the daemon ends with, which was told to; one that is deaf is killed."""
        until = time.monotonic() + TIMEOUT
        while time.monotonic() < until:
            if self.is_deaf(env):
                self.daemon.kill()
            try:
                return self.daemon.wait(1)
            except subprocess.TimeoutExpired:
                pass
        raise Violation("the daemon does not end")

    def day(self, env):
        """The daemon is started, people work, and it is ended, if it did not end before."""
        alive = True
        self.watch(env=env)
        try:
            try:
                alive = self.live(env)
            except Violation:
                if not self.is_deaf(env):
                    raise
            if alive:
                self.daemon.terminate()
            code = self.ended(env)
        finally:
            self.kill()
        if code != -signal.SIGKILL and "FAULT_EVER" not in env and not self.may_end(code, alive, env):
            raise Violation(f"the daemon ended with {code}: {self.said()}")
        if code < 0:
            # A reader that it had just begun to start has its socket for a moment: whoever asks then is turned away.
            self.run("status", self.path)
        return subprocess.CompletedProcess(self.exe, code, b"", self.said().encode())

    def files(self):
        for folder, dirs, names in os.walk(self.path):
            dirs[:] = [d for d in dirs if d != ".organizer"]
            for n in names:
                yield pathlib.Path(folder) / n

    def documents(self):
        return {str(p.relative_to(self.path)): hashlib.sha256(p.read_bytes()).hexdigest() for p in self.files()
                if p.name not in OWN and not p.name.startswith(".~organizer-") and p.parent != self.path / "Archive"}

    def assert_nothing_lost(self, when):
        found = sorted(self.documents().values())
        if found != sorted(self.contents):
            lost, more = self.contents - set(found), len(found) - len(set(found))
            strange = [p for p, digest in self.documents().items() if digest not in self.contents]
            raise Violation(f"{when}: {len(lost)} lost, {more} twice, {len(strange)} strange: {strange[:4]}")

    def names(self):
        """What each was dropped as, and where it lies: numbers and the name of the case aside, the same everywhere."""
        def plain(path):
            return re.sub(r"\d+", "#", re.sub(r"_\d\d(?=\.\w+$)", "", path.replace(self.case, "CASE")))
        lie = self.documents().items()
        return {(plain(self.given[digest]), plain(path)) for path, digest in lie if digest in self.given}

    def assert_named(self, known, when):
        if wrong := self.names() - known:
            raise Violation(f"{when}: names that no run without a fault gives: {sorted(wrong)[:4]}")

    def archives(self):
        """SHA-256 -> name of what lies there under a final name."""
        return {hashlib.sha256(p.read_bytes()).hexdigest(): p.name for p in sorted((self.path / "Archive").glob("[!.]*.zip"))}

    def assert_archives_whole(self, when):
        for digest, name in self.archives().items():
            path = self.path / "Archive" / name
            try:
                with zipfile.ZipFile(path) as z:
                    bad = z.testzip()
            except zipfile.BadZipFile as e:
                bad = e
            if bad:
                raise Violation(f"{when}: {name} is no whole archive: {bad}")
            beside = path.with_name(name + ".sha256")
            if beside.exists() and beside.read_text().split()[0] != digest:
                raise Violation(f"{when}: {beside.name} is not that of the archive")

    def assert_archives_journaled(self):
        """Each is in the journal of its case, and what the journal has is there, unless it was pruned."""
        told = set()
        for case in self.cases:
            folders = list(self.path.rglob(f"{case}/.organizer/journal.jsonl"))
            if len(folders) != 1:
                raise Violation(f"the case {case} lies in {len(folders)} places")
            lines = [json.loads(line) for line in folders[0].read_bytes().splitlines()]
            turns = [x["kind"] for x in lines if x["kind"] in ("closed", "reopened")]
            if any(a == b for a, b in zip(turns, turns[1:])):
                raise Violation(f"{case} was {turns[-1]} twice, by its journal")
            made = {x["archive_sha256"] for x in lines if x["kind"] == "archived"}
            told |= made - {x["archive_sha256"] for x in lines if x["kind"] == "pruned"}
        there = self.archives()
        if self.cases and set(there) != told:
            raise Violation(f"archives that no journal has: {[there[d] for d in set(there) - told]}; "
                            f"{len(told - set(there))} that only a journal has")
        for name in there.values():
            if not (self.path / "Archive" / (name + ".sha256")).exists():
                raise Violation(f"{name} has no .sha256")

    def assert_chained(self):
        """Each journal, without the program: a line has the hash of the one before it, and none tells of a line that the
        program did not write or of private state that was lost."""
        for path in self.path.rglob(".organizer/journal.jsonl"):
            *lines, rest = path.read_bytes().split(b"\n")
            before = "0" * 64
            for n, line in enumerate(lines, 1):
                x = json.loads(line)
                if (x["seq"], x["prev"]) != (n, before) or x["kind"] in ("foreign", "rebuilt"):
                    raise Violation(f"line {n} of {path.parent.parent.name}'s journal: {line.decode()}")
                before = hashlib.sha256(line).hexdigest()
            if rest or not lines:
                raise Violation(f"{path.parent.parent.name}'s journal ends with {rest}")

    def assert_listed(self):
        """Each case's index has each document that lies in it, where it lies and with its digest, and nothing else."""
        there = self.documents()
        for page in self.path.rglob("Index.csv"):
            case = str(page.parent.relative_to(self.path)) + "/"
            table = csv.DictReader(io.StringIO(page.read_text("utf-8-sig", "surrogateescape")))
            listed = [(case + row["Folder"] + "/" * bool(row["Folder"]) + row["Name"], row["SHA-256"]) for row in table]
            lie = [x for x in there.items() if x[0].startswith(case)]
            if sorted(listed) != sorted(lie):
                raise Violation(f"{case}Index.csv has {sorted(set(listed) - set(lie))[:4]} that are not there, "
                                f"and has not {sorted(set(lie) - set(listed))[:4]}")

    def trace(self):
        """Differs when anything on the disk was changed, the private state's included; but for the lock, in which each
        start writes who holds it."""
        def look(top, skip):
            for folder, dirs, names in os.walk(top):
                for n in names if skip else [".", *names]:
                    st = os.lstat(os.path.join(folder, n))
                    if n != "lock" and not n.endswith("-shm") and not (n.endswith("-wal") and st.st_size == 0):
                        yield folder, n, st.st_ino, st.st_size, st.st_mtime_ns, st.st_ctime_ns, st.st_mode
        return sorted(look(self.path, False)) + sorted(look(self.base / "state", True))

    def picture(self):
        """What one more sweep must leave as it is."""
        journals = {str(p): p.read_bytes() for p in self.path.rglob(".organizer/journal.jsonl")}
        pages = {str(p): NIGHT.sub(b"", p.read_bytes()) for p in self.files() if p.name in OWN}
        return self.documents(), journals, pages

    def assert_in_order(self):
        self.assert_nothing_lost("after the fault")
        self.assert_archives_whole("after the fault")
        self.must("sweep", self.path)
        for verb in self.again:
            self.must(*verb)
        self.assert_archives_whole("after recovery")
        self.assert_archives_journaled()
        self.assert_nothing_lost("after recovery")
        r = self.run("verify", self.path)
        if r.returncode:
            raise Violation(f"verify: {r.stdout.decode(errors='replace')[-300:]}{r.stderr.decode(errors='replace')[-300:]}")
        left = [str(p) for p in self.base.rglob(".~organizer-*")]
        if left:
            raise Violation(f"temporary files are left: {left}")
        self.assert_chained()
        self.assert_listed()
        self.assert_settled()

    def assert_settled(self):
        """One more sweep changes no name, no journal and no page."""
        before = self.picture()
        self.must("sweep", self.path)
        self.assert_as_before(before, "one more sweep")

    def assert_daemon_saw_all(self):
        """What the daemon leaves is what a fresh scan makes of it: no name, no journal and no page changes."""
        before = self.picture()
        self.end()
        self.assert_in_order()
        self.assert_as_before(before, "a fresh scan")

    def assert_as_before(self, before, cause):
        for what, was, now in zip(("names", "journals", "pages"), before, self.picture()):
            if was != now and not (what == "pages" and read_since(was, now)):
                raise Violation(f"{cause} changed {what}: {changes(was, now)}")
