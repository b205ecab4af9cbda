"""Somebody with write access to the share who swaps what lies there between any two calls of the daemon: for
links that lead out, for hard links, pipes, folders. Nothing outside is opened, written, moved or named."""
import collections
import ctypes
import json
import os
import random
import shutil
import stat
import struct
import subprocess
import threading
import time
import zipfile

import pytest

from conftest import NOBODY, TIMEOUT, need_root, pdf, sha256, sha256_file

LONG = os.environ.get("ORGANIZER_TORTURE")
SECONDS, ROUND = (120, 2) if LONG else (5, 0.4)  # all, and while one verb begins
LIBC = ctypes.CDLL(None, use_errno=True)
AT_FDCWD, RENAME_NOREPLACE, RENAME_EXCHANGE = -100, 1, 2
IN_ACCESS, IN_MODIFY, IN_OPEN, IN_CREATE = 0x1, 0x2, 0x20, 0x100
IN_MOVE, IN_DELETE, IN_ISDIR = 0xC0, 0x200, 0x40000000
SECRET = "xq7secret"  # in all that lies outside: its names and its bytes


def rename(a, b, flags):
    return LIBC.renameat2(AT_FDCWD, os.fsencode(a), AT_FDCWD, os.fsencode(b), flags) == 0


def exchange(a, b):
    """Both names change places in one step."""
    return rename(a, b, RENAME_EXCHANGE)


class Watched:
    """Folders outside that look like a case, and all that happens to what lies in them."""

    def __init__(self, base):
        self.path = base / SECRET
        for name in (f"{SECRET} 2026-03-02.pdf", "letter 2026-03-02.txt", "Case.txt", "Index.html", "journal.jsonl",
                     f"Inbox/letter {SECRET} 2026-03-02.txt", ".organizer/journal.jsonl",
                     f"Correspondence/{SECRET}.txt"):
            (self.path / name).parent.mkdir(parents=True, exist_ok=True)
            (self.path / name).write_text(f"{SECRET} {name}\n")
        self.linked = base / "linked.pdf"  # whoever may link it into the cabinet gives it a name there
        self.linked.write_bytes(pdf("linked"))
        self.before = self.picture()
        self.fd = LIBC.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        for folder in (self.path, *(p for p in self.path.iterdir() if p.is_dir())):
            assert LIBC.inotify_add_watch(self.fd, os.fsencode(folder),
                                          IN_ACCESS | IN_MODIFY | IN_OPEN | IN_CREATE | IN_MOVE | IN_DELETE) >= 0
        self.happened()

    def picture(self):
        found = {str(p): (sha256_file(p) if p.is_file() else "", p.stat().st_ino, p.stat().st_mode)
                 for p in sorted(self.path.rglob("*"))}
        st = self.linked.stat()
        return found | {"linked": (self.linked.read_bytes(), st.st_ino, st.st_mode, st.st_mtime_ns, st.st_uid)}

    def happened(self):
        names = set()
        try:
            while data := os.read(self.fd, 65536):
                at = 0
                while at < len(data):
                    _, mask, _, n = struct.unpack_from("iIII", data, at)
                    names.add((hex(mask), data[at + 16:at + 16 + n].rstrip(b"\0").decode()))
                    at += 16 + n
        except BlockingIOError:
            pass
        return names


class Attacker(threading.Thread):
    """Swaps what lies in the cabinet, in rounds; leaves the baits, and nothing else, in it when it is told to end."""

    def __init__(self, case, outside, seed):
        super().__init__(daemon=True)
        self.case, self.cabinet, self.outside, self.random = case, case.parent, outside, random.Random(seed)
        self.aside = case.parent.parent / "aside"
        self.aside.mkdir()
        self.over, self.until, self.baits, self.swaps, self.n = threading.Event(), 0, [], collections.Counter(), 0

    def fresh(self):
        self.n += 1
        return self.aside / f"x{self.n}"

    def link(self, q, p, name="."):
        """Makes q a link that leads out once it lies at p."""
        target = self.outside.path / name
        q.symlink_to(self.random.choice([target, os.path.relpath(target, p.parent)]))

    def strange(self, p, name):
        """Something that is no document of this cabinet, of a random kind, to lie at p."""
        q = self.fresh()
        kind = self.random.choice(["link", "folder link", "dangling", "hard link", "pipe", "socket", "device",
                                   "folder"])
        try:
            if kind == "link":
                self.link(q, p, name)
            elif kind == "folder link":
                self.link(q, p)
            elif kind == "dangling":
                self.link(q, p, f"Inbox/new {self.n}.pdf")
            elif kind == "hard link":
                os.link(self.outside.linked, q)
            elif kind == "pipe":
                os.mkfifo(q)
            elif kind == "socket":
                os.mknod(q, stat.S_IFSOCK | 0o666)
            elif kind == "device":
                os.mknod(q, stat.S_IFCHR | 0o666, os.makedev(1, 3))
            else:
                q.mkdir()
        except PermissionError:  # devices are for root
            os.mkfifo(q)
        self.swaps[kind] += 1
        return q

    def is_strange(self, p):
        st = p.lstat()
        return not stat.S_ISREG(st.st_mode) or st.st_ino == self.outside.linked.stat().st_ino

    def take_out(self, p):
        if p.is_dir() and not p.is_symlink():
            p.rmdir()
        else:
            p.unlink()

    def swap(self, p, q, times):
        """p and the strange q change places again and again; then p is what it was, if nobody moved it."""
        for _ in range(times):
            exchange(p, q)
            if self.random.random() < 0.02:
                time.sleep(0.003)
        while not self.is_strange(q):  # somebody moved one of them: what is ours goes back
            if exchange(p, q) or rename(q, p, RENAME_NOREPLACE):
                break
            time.sleep(0.01)
        if os.path.lexists(q):
            self.take_out(q)

    def swap_document(self):
        self.n += 1
        p = self.case / "Inbox" / f"letter {self.n} 2026-03-02.pdf"
        q = self.strange(p, f"{SECRET} 2026-03-02.pdf")
        p.write_bytes(pdf(str(p)))
        self.baits.append(pdf(str(p)))
        self.swap(p, q, self.random.randrange(1, 200))

    def swap_own_file(self):
        """Cards, pages, journals: what the daemon writes itself."""
        p = self.random.choice([
            self.case / "Case.txt", self.case / "Index.html", self.case / "Index.csv", self.cabinet / "Index.html",
            self.case / "Needs attention.txt", self.case / ".organizer/journal.jsonl"])
        if p.exists():
            self.swap(p, self.strange(p, p.name), self.random.randrange(1, 20) * 2)

    def swap_folder(self):
        """A folder becomes a link to one outside, or something else that is no folder."""
        p = self.random.choice([self.case / "Inbox", self.case / "Correspondence", self.case / ".organizer",
                                self.case / "Work", self.cabinet / "Archive", self.cabinet / "Inbox"])
        q = self.fresh()
        if p.is_dir():
            self.link(q, p)
            self.swap_way(p, q, self.random.randrange(1, 40))

    def swap_case(self):
        """The case itself is elsewhere for a moment, and a link leads there."""
        q = self.fresh()
        self.link(q, self.case)
        self.swap_way(self.case, q, 1)

    def swap_way(self, p, q, times):
        """There and back, so that at the end the folder is where it was."""
        self.swaps["way"] += 1
        for _ in range(times):
            if exchange(p, q):
                time.sleep(self.random.choice([0, 0, 0.001, 0.02]))
                while not exchange(p, q):
                    time.sleep(0.001)
        q.unlink()

    def run(self):
        deeds = [self.swap_document] * 6 + [self.swap_own_file] * 3 + [self.swap_folder] * 2 + [self.swap_case]
        while not self.over.is_set():
            if time.monotonic() > self.until:
                time.sleep(0.001)  # what was dropped is waited for, so at some time nothing more may come
                continue
            try:
                self.random.choice(deeds)()
            except OSError:
                pass  # the daemon was faster
        for p in self.cabinet.rglob("*"):
            if not p.is_dir() and not p.is_relative_to(self.cabinet / ".organizer") and self.is_strange(p):
                p.unlink()


def archives(folder):
    """Without being led out ourselves."""
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return []
    try:
        return sorted(folder / name for name in os.listdir(fd) if name.endswith(".zip"))
    finally:
        os.close(fd)


def verbs(c, n):
    """All that looks at a case or moves it, while it is raced."""
    yield "sync", c.path
    yield "sweep", c.path
    yield "find", SECRET
    yield "check", c.path
    yield "verify", c.path
    yield "archive", "Smith_Divorce"
    for archive in archives(c.path / "Archive")[-1:]:
        yield "verify", archive
        yield "restore", archive, "--to", c.base / f"restored {n}"
    yield "undo", "Smith_Divorce", "--last", "2"
    yield "close", "Smith_Divorce", "--force"
    yield "archive", "Smith_Divorce"
    yield "retire", "Smith_Divorce"
    yield "reopen", "Smith_Divorce"
    yield "reopen", "Smith_Divorce"


def tells_of(c, secret):
    """All files of the cabinet in which something of what lies outside is."""
    found = [p for p in c.path.rglob("*") if p.is_file() and not p.is_symlink() and secret.encode() in p.read_bytes()]
    for archive in c.path.rglob("*.zip"):
        with zipfile.ZipFile(archive) as z:
            found += [(archive, name) for name in z.namelist() if secret.encode() in name.encode() + z.read(name)]
    return found


@pytest.mark.parametrize("seed", range(1, 11 if LONG else 2))
def test_a_racing_attacker_leads_nothing_out_of_the_cabinet(smith, tmp_path, seed):
    case = smith.path / "Smith_Divorce"
    (smith.path / "Archive").mkdir(exist_ok=True)
    outside = Watched(tmp_path)
    attacker = Attacker(case, outside, seed)
    attacker.start()
    end, said, n = time.monotonic() + SECONDS, "", 0
    while time.monotonic() < end or n == 0:
        n += 1
        for verb in verbs(smith, n):
            attacker.until = time.monotonic() + ROUND
            r = smith.run(*verb, status=None)
            if verb[0] == "find":
                assert r.returncode != 0, r.stdout
            else:
                said += f"{verb}: {r.returncode}\n{r.stdout}{r.stderr}"
    attacker.over.set()
    attacker.join(TIMEOUT)
    assert not attacker.is_alive() and len(attacker.baits) > 3 and len(attacker.swaps) > 3, attacker.swaps
    happened = outside.happened()
    assert outside.picture() == outside.before
    assert not happened, f"what lies outside was touched: {happened}"
    assert smith.process.poll() is None, smith.log_text()[-2000:]
    shutil.rmtree(attacker.aside)
    smith.run("reopen", "Smith_Divorce", status=None)
    smith.run("sweep", smith.path)
    smith.sync()
    assert SECRET not in said and SECRET not in smith.log_text()
    assert tells_of(smith, SECRET) == []
    smith.assert_in_order(attacker.baits)
    smith.stop()


def plant_hooks(smith, ran):
    """Where hooks might be looked for on the share."""
    for event in ("filed", "before-filing", "needs-attention"):
        for own in (smith.parent / ".organizer", smith / ".organizer"):
            folder = own / "hooks" / event
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "run").write_text(f"#!/bin/sh\ntouch '{ran}'\n")
            os.chmod(folder / "run", 0o755)


@pytest.mark.parametrize("what", ["hook", "rules", "config"])
def test_what_is_planted_on_the_share_does_not_run_and_is_not_believed(cabinet, what):
    """.organizer is replaced by one of somebody else's making, with nothing of ours."""
    smith = cabinet.init().new()
    ran = cabinet.base / "ran"
    cabinet.start()
    own = cabinet.path / ".organizer"
    os.rename(own, cabinet.path / ".organizer-before")
    own.mkdir()
    if what == "hook":
        plant_hooks(smith, ran)
    elif what == "rules":
        (own / "rules").mkdir()
        (own / "rules/types.yaml").write_text("folder: ../../etc\ntypes:\n  - type: Letter\n    words: [letter]\n")
        os.chmod(own / "rules", 0o777)
    else:
        (own / "organizer.yaml").write_text("mode: suggest\ntime_zone: ../../../../etc/passwd\n")
        os.chmod(own / "organizer.yaml", 0o666)
    cabinet.process.send_signal(1)
    cabinet.drop(smith / "Inbox", "letter 2026-03-02.pdf")
    # Nobody finds a cabinet there who would ask the daemon.
    until = time.monotonic() + TIMEOUT
    while not (smith / "Correspondence/Smith_Divorce_Letter_2026-03-02.pdf").exists():
        assert time.monotonic() < until, cabinet.log_text()[-1000:]
        time.sleep(0.02)
    assert not ran.exists()
    shutil.rmtree(own)
    os.rename(cabinet.path / ".organizer-before", own)
    cabinet.sync()
    assert not ran.exists()
    cabinet.stop()


PLANTED = {"hook": "Smith_Divorce/.organizer/hooks/filed/run", "rules": ".organizer/rules/types/planted.yaml",
           "config": ".organizer/organizer.yaml"}


@pytest.mark.parametrize("whose", ["ours", "open", "theirs"])
@pytest.mark.parametrize("what", PLANTED)
def test_what_is_planted_beside_what_is_ours_is_not_believed(cabinet, what, whose):
    """Something in .organizer is of somebody else's making: everybody may write to it, or it is theirs. (The same of our
    own is believed; but no hook is ever looked for on the share.)"""
    if whose == "theirs":
        need_root()
    smith = cabinet.init().new()
    ran = cabinet.base / "ran"
    cabinet.start()
    planted = cabinet.path / PLANTED[what]
    planted.parent.mkdir(parents=True, exist_ok=True)
    if what == "hook":
        plant_hooks(smith, ran)
    elif what == "rules":
        planted.write_text(
            "folder: Evidence\ntypes:\n  - type: Planted\n    words: [letter]\n    examples:\n      letter.pdf: Planted\n")
    else:
        planted.write_text(cabinet.config_text.replace("mode: enforce", "mode: suggest"))
    subprocess.run(["chmod", "-R", "go-w", cabinet.path / ".organizer"], check=True)
    if whose == "open":
        os.chmod(planted, 0o777)
    elif whose == "theirs":
        os.chown(planted, NOBODY, NOBODY)
    cabinet.process.send_signal(1)
    reloaded = what == "hook" or whose == "ours"
    until = time.monotonic() + TIMEOUT
    while not any(words in cabinet.log_text() for words in ("reloaded", "the old ones stay")):
        assert time.monotonic() < until, cabinet.log_text()[-1000:]
        time.sleep(0.02)
    assert ("reloaded" in cabinet.log_text()) == reloaded
    assert reloaded or planted.name in cabinet.log_text()
    cabinet.drop(smith / "Inbox", "letter 2026-03-02.pdf")
    cabinet.sync()
    filed = smith / "Correspondence/Smith_Divorce_Letter_2026-03-02.pdf"
    assert filed.exists() == (what == "hook" or whose != "ours")
    if (what, whose) == ("rules", "ours"):
        assert (smith / "Evidence/Smith_Divorce_Planted_2026-03-02.pdf").exists()
    assert not ran.exists()
    cabinet.stop()


def test_a_journal_edited_to_mislead_is_told_and_moves_nothing(cabinet):
    """Undo and recovery believe the private state, not what anybody may have written on the share."""
    smith = cabinet.init().new()
    cabinet.drop(smith / "Inbox", "letter 2026-03-02.pdf")
    cabinet.run("sweep", cabinet.path)
    journal = smith / ".organizer/journal.jsonl"
    lines = journal.read_text().splitlines(True)
    victim = cabinet.base / "victim.pdf"
    victim.write_bytes(pdf("victim"))
    lines[-1] = lines[-1].replace("Inbox/letter 2026-03-02.pdf", "../../../victim.pdf")
    journal.write_text("".join(lines))
    before = cabinet.documents()
    cabinet.run("undo", smith, "--last", "1", status=None)
    assert victim.read_bytes() == pdf("victim")
    assert sorted(cabinet.documents().values()) == sorted(before.values())
    assert cabinet.run("verify", cabinet.path, status=None).returncode == 1
    assert not any(".." in p for p in cabinet.documents())


# ---- journals ---------------------------------------------------------------------------------------

LETTER = "Correspondence/{case}_Letter_2026-03-02.pdf"
WILL = "Jones_Probate/Agreements/Jones_Probate_Will_2026-03-02.pdf"


def forge(journal, change):
    """Somebody edits the lines of a journal and chains them anew, so that nothing in it shows that."""
    lines, prev = [json.loads(line) for line in journal.read_bytes().splitlines()], "0" * 64
    change(lines)
    with open(journal, "wb") as f:
        for i, line in enumerate(lines, 1):
            raw = json.dumps(line | {"seq": i, "prev": prev}, separators=(",", ":"), ensure_ascii=False).encode()
            prev = sha256(raw)
            f.write(raw + b"\n")


def filed(**members):
    """The line of the letter's filing says that."""
    return lambda lines: next(line for line in lines if line["kind"] == "filed").update(members)


def from_office(path):
    """The letter came from the office's Inbox."""
    def change(lines):
        line = next(line for line in lines if line["kind"] == "filed")
        del line["from"]
        line["from_office"] = path
    return change


def goes_on(**line):
    """Another line behind it."""
    return lambda lines: lines.append(dict(lines[-1], **line))


# BASE: the folder that the cabinet lies in.
MISLEADING = [
    *(filed(**{"from": path}) for path in (
        "../../victim.pdf", "BASE/new.pdf", "../../new.pdf", "../Jones_Probate/Inbox/new.pdf", "../new.pdf",
        "Work/../../Jones_Probate/Work/new.pdf", ".organizer/hooks/filed/new.pdf", "../.organizer/rules/new.yaml",
        "Index.html", "Inbox/../Case.txt", "", "Inbox/..", ".", "Inbox/./new.pdf", "Inbox//new.pdf")),
    *(from_office(path) for path in (
        "Jones_Probate/Inbox/new.pdf", "../new.pdf", ".organizer/rules/new.yaml", "Brown_Merger/Case.txt",
        "Inbox/../Jones_Probate/Inbox/new.pdf", "Archive/new.zip")),
    *(filed(to=path) for path in (f"../{WILL}", "../../victim.pdf", "BASE/victim.pdf", ".organizer/journal.jsonl")),
    goes_on(kind="moved", doc=0, **{"from": "Correspondence", "to": "../Jones_Probate/Agreements"}),
    goes_on(kind="renamed", **{"from": "Inbox/letter 2026-03-02.pdf", "to": f"../{WILL}"}),
    goes_on(kind="case-renamed", doc=0, was="../../Jones_Probate"),
    goes_on(kind="archived", doc=0, archive="../../victim.pdf", sha256="0" * 64, bytes=1, documents=1),
]
APPENDED = 4  # what stands behind the head does not count, and the rest is as it was


@pytest.mark.parametrize("lost", [False, True], ids=["known", "lost"])
def test_journals_forged_whole_lead_nothing_out_of_their_case(cabinet, lost):
    """Also where the private state was lost, and with it the heads that would have told."""
    cases = [f"Smith{i}_Divorce" for i, _ in enumerate(MISLEADING)]
    for case in cases:
        cabinet.drop(f"{case}/Inbox", "letter 2026-03-02.pdf", pdf(case))
    cabinet.drop("Jones_Probate/Inbox", "will 2026-03-02.pdf", pdf("will"))
    cabinet.start()
    cabinet.sync()
    letters = {case: f"{case}/{LETTER.format(case=case)}" for case in cases}
    assert set(cabinet.documents()) == {*letters.values(), WILL}
    cabinet.stop()
    victim = cabinet.base / "victim.pdf"
    victim.write_bytes(pdf("victim"))

    def tells(line):
        return json.loads(json.dumps(line).replace("BASE", str(cabinet.base)))
    for case, change in zip(cases, MISLEADING):
        def misled(lines, change=change):
            change(lines)
            lines[:] = map(tells, lines)
        forge(cabinet.path / case / ".organizer/journal.jsonl", misled)
    if lost:
        shutil.rmtree(cabinet.state)
    around = {*os.listdir(cabinet.base), "state"}
    cabinet.start()
    cabinet.sync()
    cabinet.run("log", cases[0], status=None)
    first = cabinet.run("verify", cabinet.path, status=None)
    said = {case: cabinet.run("undo", case, "--all", status=None).stdout for case in cases}
    cabinet.run("verify", cabinet.path, status=None)
    cabinet.run("archive", cases[0], status=None)
    cabinet.sync()
    assert victim.read_bytes() == pdf("victim") and set(os.listdir(cabinet.base)) <= around
    wrong = []
    for case in cases:
        where = [p for p, digest in cabinet.documents().items() if digest == sha256(pdf(case))]
        listed = [f"{case}/{row['Folder']}/{row['Name']}" for row in cabinet.index(case)]
        if listed != where or where not in ([letters[case]], [f"{case}/Inbox/letter 2026-03-02.pdf"]):
            wrong.append((where, listed, said[case]))
    assert not wrong, "\n".join(map(str, wrong))
    if not lost:
        assert first.returncode == 1
        assert sum("nothing is undone by it" in said[case] for case in cases) == len(cases) - APPENDED
    assert cabinet.documents("Jones_Probate") == {WILL: sha256(pdf("will"))}
    assert cabinet.kinds("Jones_Probate") == ["opened", "filed"] + ["rebuilt"] * lost
    assert not (cabinet.path / "Brown_Merger").exists()


def test_a_journal_calls_no_document_a_snapshot_that_may_go(cabinet):
    """Only intermediate snapshots are ever removed, and a forged journal says that a document is one."""
    for case, name in ("Smith_Divorce", "letter 2026-03-02.pdf"), ("Jones_Probate", "will 2026-03-02.pdf"):
        cabinet.drop(f"{case}/Inbox", name, pdf(name))
    cabinet.configure(cabinet.config_text + "snapshots: nightly\nkeep: 1\n")
    cabinet.start()
    cabinet.sync()
    cabinet.stop()
    victims = [WILL, "Smith_Divorce/" + LETTER.format(case="Smith_Divorce"), "Jones_Probate/Case.txt"]

    def forged(lines):
        for victim in victims:
            goes_on(kind="archived", doc=0, archive=victim, archive_sha256=sha256_file(cabinet.path / victim),
                    content="0" * 64, purpose="intermediate", archive_size=1, documents=1)(lines)
    forge(cabinet.path / "Smith_Divorce/.organizer/journal.jsonl", forged)
    shutil.rmtree(cabinet.state)
    cabinet.start()
    cabinet.sync()
    cabinet.run("nightly", cabinet.path, status=None)
    cabinet.sync()
    assert len(list((cabinet.path / "Archive").glob("Smith_Divorce_*.zip"))) == 1
    assert all((cabinet.path / victim).exists() for victim in victims)


@pytest.mark.parametrize("name", ["Index.html", "Index.csv", "Needs attention.txt", "Case.txt"])
def test_a_journal_calls_no_page_a_document(cabinet, name):
    """Whatever led to such a line, the next sweep says that there is none."""
    smith = cabinet.new()
    cabinet.drop(smith / "Inbox", "letter 2026-03-02.pdf")
    cabinet.start()
    cabinet.sync()
    cabinet.stop()
    page = smith / name
    data = page.read_bytes() if page.exists() else b""
    forge(smith / ".organizer/journal.jsonl",
          goes_on(kind="indexed", doc=7, to=name, sha256=sha256(data), size=len(data)))
    shutil.rmtree(cabinet.state)
    cabinet.start()
    cabinet.sync()
    cabinet.run("sweep", cabinet.path)
    assert [row["Name"] for row in cabinet.index(smith.name)] == [LETTER.format(case=smith.name).split("/")[-1]]
    cabinet.assert_in_order([])
    assert cabinet.journal(smith.name)[-1]["kind"] == "removed"
