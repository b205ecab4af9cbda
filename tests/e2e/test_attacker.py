"""Somebody with write access to the share who swaps what lies there between any two calls of the daemon: for
links that lead out, for hard links, pipes, folders. Nothing outside is opened, written, moved or named."""
import csv
import ctypes
import io
import json
import os
import random
import shutil
import stat
import struct
import threading
import time

import pytest

from conftest import TIMEOUT, pdf, sha256, sha256_file

SECONDS = 120 if os.environ.get("ORGANIZER_TORTURE") else 5
LIBC = ctypes.CDLL(None, use_errno=True)
AT_FDCWD, RENAME_EXCHANGE = -100, 2
IN_ACCESS, IN_MODIFY, IN_OPEN, IN_CREATE = 0x1, 0x2, 0x20, 0x100
IN_MOVE, IN_DELETE = 0xC0, 0x200


def exchange(a, b):
    """Both names change places in one step."""
    return LIBC.renameat2(AT_FDCWD, os.fsencode(a), AT_FDCWD, os.fsencode(b), RENAME_EXCHANGE) == 0


class Watched:
    """A folder outside, and all that happens to what lies in it."""

    def __init__(self, base):
        self.path = base / "outside"
        self.path.mkdir()
        for name in ("secret 2026-03-02.pdf", "letter 2026-03-02.pdf", "Case.txt", "Index.html"):
            (self.path / name).write_bytes(pdf("secret " + name))
        self.before = self.picture()
        self.fd = LIBC.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        assert LIBC.inotify_add_watch(self.fd, os.fsencode(self.path),
                                      IN_ACCESS | IN_MODIFY | IN_OPEN | IN_CREATE | IN_MOVE | IN_DELETE) >= 0

    def picture(self):
        return {p.name: (sha256_file(p), p.stat().st_ino, p.stat().st_mode) for p in sorted(self.path.iterdir())}

    def happened(self):
        names = set()
        try:
            while data := os.read(self.fd, 65536):
                at = 0
                while at < len(data):
                    _, mask, _, n = struct.unpack_from("iIII", data, at)
                    name = data[at + 16:at + 16 + n].rstrip(b"\0").decode()
                    if not mask & 0x40000000:  # folders are listed when a link to one is looked at from outside
                        names.add((hex(mask), name))
                    at += 16 + n
        except BlockingIOError:
            pass
        return names


class Attacker(threading.Thread):
    def __init__(self, case, outside, seed):
        super().__init__(daemon=True)
        self.case, self.outside, self.random = case, outside, random.Random(seed)
        self.aside = case.parent.parent / "aside"
        self.aside.mkdir()
        self.until, self.deeds, self.n = time.monotonic() + SECONDS, 0, 0

    def fresh(self):
        self.n += 1
        return self.aside / f"x{self.n}"

    def bait(self):
        """A document whose name says where it belongs."""
        self.n += 1
        p = self.case / "Inbox" / f"letter {self.n} 2026-03-02.pdf"
        p.write_bytes(pdf(str(p)))
        return p

    def swap_document(self):
        """A document becomes a link, a pipe or a second name of another, and perhaps itself again."""
        p, q = self.bait(), self.fresh()
        kind = self.random.randrange(4)
        if kind == 0:
            q.symlink_to(self.outside / "secret 2026-03-02.pdf")
        elif kind == 1:
            os.mkfifo(q)
        elif kind == 2:
            q.symlink_to(self.outside)
        else:
            q.mkdir()
        for _ in range(self.random.randrange(1, 200)):
            exchange(p, q)
        if q.is_dir() and not q.is_symlink():
            q.rmdir()
        elif not stat.S_ISREG(q.lstat().st_mode):
            q.unlink()

    def swap_folder(self):
        """A folder becomes a link to one outside."""
        name = self.random.choice(["Inbox", "Correspondence", ".organizer", "Work"])
        p, q = self.case / name, self.fresh()
        p.mkdir(exist_ok=True) if name != ".organizer" else None
        q.symlink_to(self.outside)
        for _ in range(self.random.randrange(1, 40) * 2):
            exchange(p, q)
            if self.random.random() < 0.02:
                time.sleep(0.003)
        if p.is_symlink():
            exchange(p, q)
        q.unlink()

    def swap_case(self):
        """The case itself is elsewhere for a moment, and a link leads there."""
        q = self.fresh()
        q.symlink_to(self.outside)
        exchange(self.case, q)
        exchange(self.case, q)
        q.unlink()

    def run(self):
        deeds = [self.swap_document] * 6 + [self.swap_folder] * 2 + [self.swap_case]
        while time.monotonic() < self.until:
            try:
                self.random.choice(deeds)()
            except (FileExistsError, FileNotFoundError, NotADirectoryError, IsADirectoryError, OSError):
                pass  # the daemon was faster
            self.deeds += 1


def test_a_racing_attacker_leads_nothing_out_of_the_cabinet(smith, tmp_path):
    case = smith.path / "Smith_Divorce"
    outside = Watched(tmp_path)
    attacker = Attacker(case, outside.path, 1)
    attacker.start()
    while attacker.is_alive():
        smith.run("sync", smith.path, status=None)
    assert attacker.deeds > 10
    happened = outside.happened()
    assert outside.picture() == outside.before
    assert not happened, f"what lies outside was touched: {happened}"
    if case.is_symlink():
        case.unlink()
    secrets = {digest for digest, *_ in outside.before.values()}
    assert smith.process.poll() is None, smith.log_text()[-2000:]
    for line in (json.loads(x) for x in (case / ".organizer/journal.jsonl").read_bytes().splitlines()):
        assert line.get("sha256") not in secrets and "outside" not in json.dumps(line)
    for p in smith.path.rglob("Index.csv"):
        assert not secrets & set(p.read_text("utf-8-sig").replace(",", "\n").split("\n"))
    shutil.rmtree(attacker.aside)
    smith.stop()


@pytest.mark.parametrize("what", ["hook", "rules", "config"])
def test_what_is_planted_on_the_share_does_not_run_and_is_not_believed(cabinet, what):
    """.organizer is replaced by one of somebody else's making."""
    smith = cabinet.init().new()
    ran = cabinet.base / "ran"
    cabinet.start()
    own = cabinet.path / ".organizer"
    os.rename(own, cabinet.path / ".organizer-before")
    own.mkdir()
    if what == "hook":
        for event in ("filed", "before-filing", "needs-attention"):
            for folder in (own / "hooks" / event, smith / ".organizer/hooks" / event):
                folder.mkdir(parents=True, exist_ok=True)
                (folder / "run").write_text(f"#!/bin/sh\ntouch '{ran}'\n")
                os.chmod(folder / "run", 0o755)
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
        rows = csv.DictReader(io.StringIO((cabinet.path / case / "Index.csv").read_text("utf-8-sig")))
        listed = [f"{case}/{row['Folder']}/{row['Name']}" for row in rows]
        if listed != where or where not in ([letters[case]], [f"{case}/Inbox/letter 2026-03-02.pdf"]):
            wrong.append((where, listed, said[case]))
    assert not wrong, "\n".join(map(str, wrong))
    if not lost:
        assert first.returncode == 1
        assert sum("nothing is undone by it" in said[case] for case in cases) == len(cases) - APPENDED
    assert cabinet.documents("Jones_Probate") == {WILL: sha256(pdf("will"))}
    assert cabinet.kinds("Jones_Probate") == ["opened", "filed"] + ["rebuilt"] * lost
    assert not (cabinet.path / "Brown_Merger").exists()
