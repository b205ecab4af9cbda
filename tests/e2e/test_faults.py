"""The fault suites of tests/faults in a bounded form; `make torture` runs all of it."""
import errno
import hashlib
import os
import re
import shutil
import subprocess
import time

import pytest

from conftest import BUILD, ROOT, TIMEOUT, Cabinet, has_gcov, is_sanitized, need_root, need_tool, pdf


def preload():
    """The library that stands before libc, made when it is not there."""
    if is_sanitized() or has_gcov():
        pytest.skip("a sanitizer and gcov stand before libc themselves, and write files of their own")
    library = BUILD / "faults.so"
    subprocess.run(["make", "--no-print-directory", f"B={BUILD}", str(library)], cwd=ROOT, check=True)
    return library


def rows(*args, driver="run"):
    """What the driver's table says: (suite, scenario, points, tried, hit, violations)."""
    preload()
    r = subprocess.run([ROOT / "tests/faults" / driver, "--build", BUILD, "--jobs", "2", *args],
                       capture_output=True, text=True)
    found = re.findall(r"^(.{28}) (.{18}) +(\d+) +(\d+) +(\d+) +(\d+)", r.stdout, re.M)
    assert found and r.returncode == 0, r.stdout + r.stderr
    return [(suite.strip(), scenario.strip(), *map(int, numbers)) for suite, scenario, *numbers in found]


@pytest.mark.parametrize("scenario", ["filing", "renaming a case", "apply", "undo", "edits and pages", "recovery 2"])
def test_killed_at_calls_that_change_the_disk(scenario):
    for _, _, points, tried, hit, violations in rows("--suite", "kill", "--scenario", scenario, "--every", "60"):
        assert points > 80 and tried > 2 and hit > 0 and violations == 0


@pytest.mark.parametrize("suite, every", [("tear", "60"), ("short", "90"), ("ENOSPC", "60"), ("EIO", "300")])
def test_calls_that_fail_while_documents_are_filed(suite, every):
    for _, _, _, tried, hit, violations in rows("--suite", suite, "--scenario", "filing", "--every", every):
        assert tried > 1 and hit > 0 and violations == 0


@pytest.mark.parametrize("call, every, deeds", [
    ("renameat2", "5", ["save over", "dance of Word", "rename away", "take a name"]),
    ("lease", "11", ["hold to read", "hold to write", "edit", "remove"])])
def test_people_are_at_documents_meanwhile(call, every, deeds):
    found = rows("--scenario", "filing", "--call", call, "--deed", *deeds, "--every", every, driver="meanwhile")
    assert len(found) > len(deeds)
    for _, _, points, tried, hit, violations in found:
        assert points > 3 and tried > 0 and hit > 0 and violations == 0


def faults(calls, deed, path=None, at=1, ever=True):
    """The environment in which calls fail."""
    return {"LD_PRELOAD": str(preload()), "FAULT_CALLS": calls, "FAULT_DO": str(deed), "FAULT_AT": str(at),
            **({"FAULT_PATH": path} if path else {}), **({"FAULT_EVER": "1"} if ever else {})}


@pytest.mark.parametrize("call", ["fstat", "fstatat", "statx"])
def test_a_document_that_cannot_be_looked_at_is_neither_removed_nor_looked_at_without_end(cabinet, call):
    smith = cabinet.init().new()
    cabinet.drop(smith / "Work", "stays.pdf")
    cabinet.run("sweep", cabinet.path)
    with open(smith / "Work/stays.pdf", "ab") as f:
        f.write(b"edited")
    cabinet.drop(smith / "Inbox", "stays 2026-03-02.pdf")
    cabinet.run("sweep", cabinet.path, env=faults(call, errno.EIO, "stays"))
    assert "removed" not in cabinet.kinds("Smith_Divorce")
    cabinet.run("sweep", cabinet.path, status=None)
    assert cabinet.kinds("Smith_Divorce").count("edited") == 1
    cabinet.run("verify", cabinet.path)


@pytest.mark.parametrize("at", range(1, 7))
def test_what_was_renamed_and_could_not_be_looked_at_is_listed_where_it_lies(cabinet, at):
    smith = cabinet.init().new()
    cabinet.configure(cabinet.config_text.replace("enforce", "suggest"))
    cabinet.drop(smith / "Inbox", "order 2026-03-02.pdf")
    cabinet.run("sweep", cabinet.path, status=None)
    cabinet.run("plan", cabinet.path, "-o", cabinet.base / "plan.csv", status=None)
    cabinet.run("apply", cabinet.base / "plan.csv", "-C", cabinet.path, status=None,
                env=faults("statx", errno.EIO, "Smith_Divorce_Order_2026-03-02.pdf", at=at, ever=False))
    cabinet.run("sweep", cabinet.path, status=None)
    there = [p.name for p in smith.rglob("*.pdf")]
    listed = (smith / "Index.csv").read_text("utf-8-sig")
    assert len(there) == 1 and f",{there[0]}," in listed.replace('"', "")


def test_a_case_that_cannot_be_looked_over_stays_open_and_says_why(cabinet):
    smith = cabinet.init().new()
    cabinet.drop(smith / "Correspondence", "Smith_Divorce_ClosingLetter_2026-03-02.pdf")
    cabinet.run("sweep", cabinet.path, status=None)
    card = smith / "Case.txt"
    card.write_text(card.read_text("utf-8-sig").replace("Status: open", "Status: closed"))
    cabinet.run("sweep", cabinet.path, env=faults("readdir", errno.EIO, "Correspondence"), status=None)
    assert "closed" not in cabinet.kinds("Smith_Divorce")
    assert "1 file or folder cannot be looked at (Correspondence)" in (smith / "Needs attention.txt").read_text()
    cabinet.run("sweep", cabinet.path, status=None)
    assert "closed" in cabinet.kinds("Smith_Divorce")
    assert not (smith / "Needs attention.txt").exists()


@pytest.mark.parametrize("error", [errno.EIO, errno.EACCES, errno.EAGAIN])
def test_a_closed_case_whose_card_cannot_be_read_stays_closed(cabinet, error):
    cabinet.init().new()
    cabinet.run("sweep", cabinet.path)
    cabinet.run("close", "Smith_Divorce", "--force", "-C", cabinet.path)
    cabinet.run("sweep", cabinet.path, env=faults("open", error, "Case.txt"), status=None)
    cabinet.run("sweep", cabinet.path)
    assert "reopened" not in cabinet.kinds("Smith_Divorce")
    assert "it is not closed" not in cabinet.run("retire", "Smith_Divorce", "-C", cabinet.path, status=3).stderr


@pytest.mark.parametrize("error", [errno.EIO, errno.EACCES, errno.EAGAIN])
def test_a_case_whose_card_cannot_be_read_may_be_on_hold(cabinet, error):
    smith = cabinet.init().new()
    with open(smith / "Case.txt", "a") as f:
        f.write("Hold: preservation order\n")
    cabinet.run("sweep", cabinet.path)
    letter = cabinet.drop(smith / "Inbox", "letter 2026-03-02.pdf")
    cabinet.run("sweep", cabinet.path, env=faults("open", error, "Case.txt"), status=None)
    assert letter.exists() and "Case.txt cannot be read, and may say so" in (smith / "Index.html").read_text()


@pytest.mark.parametrize("calls, path, restored", [("fstatat", "Case.txt", False),
                                                   ("read", "Smith_Divorce/Case.txt", True)])
def test_a_copy_of_a_case_that_cannot_be_read_is_not_taken_for_it(cabinet, calls, path, restored):
    """Restored: under the path lies another folder than the one that is known, and only its card can tell."""
    smith = cabinet.init().new()
    cabinet.run("sweep", cabinet.path)
    shutil.copytree(smith, cabinet.path / "Jones_Divorce")
    if restored:
        shutil.copytree(smith, cabinet.path / "back", ignore=shutil.ignore_patterns(".organizer"))
        shutil.rmtree(smith)
        os.rename(cabinet.path / "back", smith)
    cabinet.run("sweep", cabinet.path, env=faults(calls, errno.EIO, path), status=None)
    assert "case-renamed" not in cabinet.kinds("Smith_Divorce") + cabinet.kinds("Jones_Divorce")
    cabinet.run("sweep", cabinet.path)
    assert "is a copy of another case, Smith_Divorce" in cabinet.run("check", cabinet.path, status=None).stdout


@pytest.mark.parametrize("call, at", [("read", 1), ("write", 1), ("write", 2)])
def test_an_archive_whose_job_cannot_be_talked_to_is_told_and_made_by_the_next_run(cabinet, call, at):
    smith = cabinet.init().new()
    cabinet.drop(smith / "Inbox", "letter 2026-03-02.pdf")
    cabinet.run("sweep", cabinet.path)
    r = cabinet.run("archive", smith, status=3, env=faults(call, errno.EIO, "socket:", at=at, ever=False))
    assert "its pipe failed (i/o error)" in r.stdout + r.stderr
    assert list((cabinet.path / "Archive").iterdir()) == []
    cabinet.run("archive", smith)
    assert len(list((cabinet.path / "Archive").glob("*.zip"))) == 1


@pytest.mark.parametrize("at", ["write", "fsetxattr", "renameat2"])
def test_pages_that_a_crash_left_behind_are_made_up_for(cabinet, at):
    """The document is filed and recorded; the kill comes while the first page is written."""
    smith = cabinet.init().new()
    cabinet.run("sweep", cabinet.path)
    cabinet.drop(smith / "Inbox", "letter 2026-03-02.pdf")
    cabinet.run("sweep", cabinet.path, env=faults(at, "kill", ".~organizer-" if at != "renameat2" else "Index"),
                status=-9)
    assert "Letter" not in (smith / "Index.csv").read_text()
    cabinet.run("sweep", cabinet.path)
    assert "Smith_Divorce_Letter_2026-03-02.pdf" in (smith / "Index.csv").read_text()


@pytest.mark.parametrize("error", [errno.EACCES, errno.EXDEV])
def test_what_an_undo_that_was_cut_off_had_taken_back_is_not_filed_again(cabinet, error):
    """The start behind it cannot look at what is in the Inbox again, but it is not where it was filed."""
    smith = cabinet.init().new()
    for name in ("letter 2026-03-02.pdf", "order 2026-03-02.pdf"):
        cabinet.drop(smith / "Inbox", name)
    cabinet.run("sweep", cabinet.path)
    cabinet.run("undo", smith, "--last", "2", env=faults("renameat2", "kill", at=2), status=-9)
    back, = (p.name for p in (smith / "Inbox").glob("*.pdf"))
    cabinet.run("sweep", cabinet.path, env=faults("statx", error, back, ever=False), status=None)
    cabinet.run("sweep", cabinet.path, status=None)
    assert back in (p.name for p in (smith / "Inbox").iterdir())


def test_pages_of_a_case_whose_card_is_being_saved_are_made_up_for(cabinet):
    """A program removes the card and puts it back; between, the pages would be written."""
    smith = cabinet.init().new()
    cabinet.run("sweep", cabinet.path)
    cabinet.drop(smith / "Inbox", "letter 2026-03-02.pdf")
    cabinet.run("sweep", cabinet.path, env=faults("access", errno.ENOENT, "Case.txt"))
    assert "Smith_Divorce_Letter_2026-03-02.pdf" not in (smith / "Index.csv").read_text()
    cabinet.run("sweep", cabinet.path)
    assert "Smith_Divorce_Letter_2026-03-02.pdf" in (smith / "Index.csv").read_text()


def test_pages_left_behind_are_made_up_for_when_the_case_could_not_be_looked_at(cabinet):
    """At the start that would make up for them; it turns up later in that start."""
    smith = cabinet.init().new()
    cabinet.run("sweep", cabinet.path)
    cabinet.drop(smith / "Inbox", "letter 2026-03-02.pdf")
    cabinet.run("sweep", cabinet.path, env=faults("write", "kill", ".~organizer-"), status=-9)
    cabinet.run("sweep", cabinet.path, env=faults("openat2", errno.EIO, "Smith_Divorce", ever=False), status=None)
    cabinet.run("sweep", cabinet.path)
    assert "Smith_Divorce_Letter_2026-03-02.pdf" in (smith / "Index.csv").read_text()


def test_documents_of_a_renamed_case_that_stayed_are_renamed_by_the_next_sweep(cabinet):
    """While the case is read again, its documents are open: by ourselves."""
    smith = cabinet.init().new()
    for n in range(12):
        cabinet.drop(smith / "Inbox", f"letter {n} 2026-03-02.pdf")
    cabinet.run("sweep", cabinet.path)
    os.rename(smith, cabinet.path / "Jones_Divorce")
    with open(cabinet.path / "Jones_Divorce/Case.txt", "a") as f:
        f.write("Rename documents: yes\n")
    cabinet.run("sweep", cabinet.path, env=faults("fdatasync", errno.EIO, "journal", ever=False), status=None)
    cabinet.run("sweep", cabinet.path, status=None)
    names = sorted(p.name for p in (cabinet.path / "Jones_Divorce/Correspondence").iterdir())
    assert names == sorted(f"Jones_Divorce_Letter-{n}_2026-03-02.pdf" for n in range(12))


def test_what_the_disk_did_not_keep_is_listed_until_it_is_brought_again(cabinet):
    """Its sync fails, and once memory has let go of it other bytes are read."""
    smith = cabinet.init().new()
    cabinet.run("sweep", cabinet.path)
    document = cabinet.drop(smith / "Inbox", "letter 2026-03-02.pdf")
    good, stamp = document.read_bytes(), document.stat()
    cabinet.run("sweep", cabinet.path, env=faults("fsync,fdatasync", errno.EIO, "2026-03-02.pdf"),
                status=None)
    assert document.read_bytes() == good and cabinet.kinds("Smith_Divorce").count("filed") == 0
    with open(document, "r+b") as f:
        f.write(good[:-1] + b" ")
    os.utime(document, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    for aside in ("1.pdf", "2.pdf"):
        cabinet.run("sweep", cabinet.path, status=None)
        assert document.exists() and cabinet.kinds("Smith_Divorce").count("filed") == 0
        attention = (smith / "Needs attention.txt").read_text()
        assert "The disk did not keep Inbox/letter 2026-03-02.pdf as it was written" in attention
        assert "Bring it again from where it came from" in attention
        os.rename(document, smith / aside)  # it is looked at once more
        os.rename(smith / aside, document)
    document.write_bytes(good)
    cabinet.run("sweep", cabinet.path)
    assert (smith / "Correspondence/Smith_Divorce_Letter_2026-03-02.pdf").read_bytes() == good
    assert not (smith / "Needs attention.txt").exists()
    cabinet.run("verify", cabinet.path)


def kept_by_folder(cabinet, case):
    return cabinet.drop(case / "As Received", "as it came.pdf")


def taken_back(cabinet, case):
    cabinet.drop(case / "Inbox", "letter 2026-03-02.pdf")
    cabinet.run("sweep", cabinet.path)
    cabinet.run("undo", case, "--all")
    with open(case / "Inbox/letter 2026-03-02.pdf", "ab") as f:
        f.write(b"edited")
    return case / "Inbox/letter 2026-03-02.pdf"


def of_a_closed_case(cabinet, case):
    document = cabinet.drop(case / "Work", "stays.pdf")
    cabinet.run("sweep", cabinet.path)
    cabinet.run("close", "--force", case)
    with open(document, "ab") as f:
        f.write(b"edited")
    return document


def renamed_by_hand(cabinet, case):
    cabinet.drop(case / "Inbox", "letter 2026-03-02.pdf")
    cabinet.run("sweep", cabinet.path)
    return (case / "Correspondence/Smith_Divorce_Letter_2026-03-02.pdf").rename(
        case / "Correspondence/my letter 2026-03-02.pdf")


@pytest.mark.parametrize("at", [3, 4])  # no digester can be started, or no classifier
@pytest.mark.parametrize("keeps_its_name", [kept_by_folder, taken_back, of_a_closed_case, renamed_by_hand])
def test_what_could_not_be_read_is_listed_and_read_later_also_when_it_keeps_its_name(cabinet, keeps_its_name, at):
    """An index has the digest of what is there; a row without one proves nothing. What was known of it stays known."""
    smith = cabinet.init().new()
    document = keeps_its_name(cabinet, smith)
    digest = hashlib.sha256(document.read_bytes()).hexdigest()
    cabinet.run("sweep", cabinet.path, env=faults("socket", errno.ENOMEM, at=at))
    assert f"{document.name} could not be read" in (smith / "Needs attention.txt").read_text()
    cabinet.run("sweep", cabinet.path)
    row, = cabinet.index("Smith_Divorce")
    assert (row["Name"], row["SHA-256"], row["Kind"], row["Document number"]) == (document.name, digest, "pdf", "1")
    assert cabinet.journal("Smith_Divorce")[-1]["sha256"] == digest
    assert not (smith / "Needs attention.txt").exists()
    cabinet.run("verify", cabinet.path)


def test_what_came_late_into_a_closed_case_and_could_not_be_read_is_still_late(cabinet):
    smith = cabinet.init().new()
    cabinet.run("close", "--force", smith)
    cabinet.drop(smith / "Work", "late.pdf")
    for env in (faults("socket", errno.ENOMEM, at=3), {}):
        cabinet.run("sweep", cabinet.path, env=env)
        assert "late.pdf was put into a closed case" in (smith / "Needs attention.txt").read_text()


def test_what_was_there_before_and_is_put_into_an_inbox_unread_is_filed_when_it_can_be_read(tmp_path):
    cabinet = Cabinet(tmp_path)
    document = cabinet.drop("Smith_Divorce/Work", "letter 2026-03-02.pdf")
    cabinet.init()
    smith = cabinet.path / "Smith_Divorce"
    cabinet.run("adopt", smith)
    cabinet.run("sweep", cabinet.path)
    assert cabinet.journal("Smith_Divorce")[-1]["before"]
    document.rename(smith / "Inbox" / document.name)
    cabinet.run("sweep", cabinet.path, env=faults("socket", errno.ENOMEM, at=3))
    assert (smith / "Inbox" / document.name).exists()
    cabinet.run("sweep", cabinet.path)
    assert list(cabinet.documents()) == ["Smith_Divorce/Correspondence/Smith_Divorce_Letter_2026-03-02.pdf"]


def test_the_edit_of_a_document_with_two_names_that_could_not_be_read_is_one_edit(cabinet):
    smith = cabinet.init().new()
    document = cabinet.drop(smith / "Work", "stays.pdf")
    os.link(document, smith / "Work/second.pdf")
    cabinet.run("sweep", cabinet.path)
    with open(document, "ab") as f:
        f.write(b"edited")
    before = len(cabinet.journal("Smith_Divorce"))
    cabinet.run("sweep", cabinet.path, env=faults("socket", errno.ENOMEM, at=3))
    assert len(cabinet.journal("Smith_Divorce")) == before
    cabinet.run("sweep", cabinet.path)
    assert {x["sha256"] for x in cabinet.journal("Smith_Divorce")[before:]} == \
        {hashlib.sha256(document.read_bytes()).hexdigest()}


@pytest.mark.parametrize("kept", [0, 1, 100], ids=["nothing of it", "a byte", "a part"])
def test_a_journal_whose_last_lines_are_zeros_after_a_power_cut_is_no_stranger_s(cabinet, kept):
    """ext4 may have the new size of a file on the disk, and not yet what was written there."""
    cabinet.init().new()
    cabinet.drop("Smith_Divorce/Inbox", "letter 3-3-26.pdf", pdf("letter"))
    cabinet.run("sweep", cabinet.path)
    journal = cabinet.path / "Smith_Divorce/.organizer/journal.jsonl"
    before = journal.stat().st_size
    cabinet.drop("Smith_Divorce/Inbox", "order 3-3-26.pdf", pdf("order"))
    cabinet.run("sweep", cabinet.path, status=-9,
                env={"LD_PRELOAD": str(preload()), "FAULT_CALLS": "fdatasync", "FAULT_PATH": "journal.jsonl",
                     "FAULT_DO": "kill", "FAULT_AT": "1"})
    size = journal.stat().st_size
    assert size > before + kept, "nothing had been written"
    with open(journal, "r+b") as f:
        f.seek(before + kept)
        f.write(bytes(size - before - kept))
    cabinet.run("verify", cabinet.path)
    cabinet.run("sweep", cabinet.path)
    cabinet.run("verify", cabinet.path)
    assert b"\0" not in journal.read_bytes()
    assert cabinet.kinds("Smith_Divorce").count("filed") == 2
    cabinet.assert_in_order([pdf("letter"), pdf("order")])


def test_zeros_that_a_stranger_puts_behind_a_journal_are_told(smith):
    """Nothing was being written there."""
    smith.drop("Smith_Divorce/Inbox", "letter 3-3-26.pdf", pdf("letter"))
    smith.sync()
    journal = smith.path / "Smith_Divorce/.organizer/journal.jsonl"
    os.truncate(journal, journal.stat().st_size + 40)
    smith.drop("Smith_Divorce/Inbox", "order 3-3-26.pdf", pdf("order"))
    smith.sync()
    assert journal.read_bytes().count(b'"kind":"foreign"') == 1
    assert "bytes at its end that the organizer did not write" in smith.run("verify", smith.path, status=1).stdout


def test_what_was_filed_into_a_new_folder_and_is_put_back_at_once_is_seen(cabinet):
    """Watches are slow: nothing tells the daemon of its own rename into the folder that it made, and
    what comes there next is somebody's."""
    cabinet.init().new()
    cabinet.new("Jones", "Probate")
    away = cabinet.path / "Jones_Probate/From Smith"
    away.mkdir()
    cabinet.start(env={"LD_PRELOAD": str(preload()), "FAULT_CALLS": "inotify", "FAULT_DO": "slow", "FAULT_MS": "100"})
    cabinet.drop("Smith_Divorce/Inbox", "order 3-3-26.pdf", pdf("order"))
    cabinet.sync()
    (p,) = (cabinet.path / "Smith_Divorce/Court Papers").glob("*.pdf")
    os.rename(p, away / p.name)
    cabinet.sync()
    os.rename(away / p.name, p)
    cabinet.sync()
    assert [l["kind"] for l in cabinet.journal("Smith_Divorce") if l.get("doc") == 1] == ["filed", "removed", "returned"]
    cabinet.assert_in_order([pdf("order")])


def test_what_goes_while_it_is_being_recorded_is_not_listed_for_good(cabinet):
    """The disk is slow: between the document and its row, what happens to it finds no row yet."""
    cabinet.init().new()
    log = cabinet.base / "syncs"
    log.touch()
    work = cabinet.path / "Smith_Divorce/Work"
    work.mkdir()
    (work / "stays.pdf").write_bytes(pdf("stays"))
    cabinet.start(env={"LD_PRELOAD": str(preload()), "FAULT_CALLS": "fsync,fdatasync,syncfs", "FAULT_DO": "slow",
                       "FAULT_MS": "100", "FAULT_LOG": str(log)})
    cabinet.sync()
    before, until = log.stat().st_size, time.monotonic() + TIMEOUT
    (work / "goes.pdf").write_bytes(pdf("goes"))
    while log.stat().st_size == before:
        assert time.monotonic() < until, "nothing is recorded"
    os.rename(work, work.with_name("Moved"))
    shutil.rmtree(work.with_name("Moved"))
    cabinet.sync()
    cabinet.run("verify", cabinet.path)
    assert cabinet.status()["documents"] == 0


@pytest.mark.parametrize("office", [0, 1])
def test_undo_knows_what_is_not_in_the_journal_yet(cabinet, office):
    """The disk is slow: what was just taken back or filed stands in the private state, and its line is on its way."""
    smith = cabinet.init().new()
    names = [f"order {n} 2026-03-0{n}.pdf" for n in (1, 2)]
    for name in names:
        cabinet.drop("Inbox" if office else smith / "Inbox", "Smith_Divorce " * office + name, pdf(name))
    cabinet.start(env={"LD_PRELOAD": str(preload()), "FAULT_CALLS": "fsync,fdatasync,syncfs", "FAULT_DO": "slow",
                       "FAULT_MS": "300"})
    cabinet.sync()
    assert "2 taken back, 0 left" in cabinet.run("undo", "Smith_Divorce", "--all").stdout
    assert "0 taken back, 0 left" in cabinet.run("undo", "Smith_Divorce", "--all").stdout
    cabinet.sync()
    inbox = cabinet.path / "Inbox" if office else smith / "Inbox"
    assert sorted(p.name for p in inbox.iterdir()) == ["Smith_Divorce " * office + name for name in names]
    cabinet.run("verify", cabinet.path)


@pytest.mark.parametrize("watches", ["0", "12"])
def test_storms(watches):
    """Folders and documents come, move and go under the daemon, its queue overflows, its disk is slow."""
    if watches != "0" and subprocess.run(["unshare", "--user", "--map-root-user", "true"]).returncode:
        pytest.skip("this machine lets nobody make a user namespace")
    r = subprocess.run([ROOT / "tests/faults/storm", "--build", BUILD, "--seeds", "3", "--jobs", "3", "--watches", watches,
                        "--slow", "20"],
                       capture_output=True, text=True)
    assert r.returncode == 0, r.stdout + r.stderr
    assert re.search(r"^storm.* 200 +3 +0$", r.stdout, re.M)


def test_a_long_life_in_short():
    """Two days of an office with few people, under one daemon; make torture has twenty at work."""
    r = subprocess.run([ROOT / "tests/faults/life", "--build", BUILD, "--documents", "240", "--people", "4"],
                       capture_output=True, text=True)
    assert r.returncode == 0, r.stdout + r.stderr
    assert re.search(r"^44 hours in .*: 440 documents, \d+ cases open, .* 0 violations$", r.stdout, re.M)


def test_a_slow_call_is_told_with_what_it_is_of(cabinet):
    """By that the power cuts come between intent and done."""
    smith = cabinet.init().new()
    cabinet.drop(smith / "Inbox", "letter 2026-03-02.pdf")
    log = cabinet.base / "syncs"
    cabinet.run("sweep", cabinet.path, env={"LD_PRELOAD": str(preload()), "FAULT_CALLS": "fsync,fdatasync", "FAULT_DO": "slow",
                                            "FAULT_MS": "0", "FAULT_LOG": str(log)})
    told = log.read_text()
    assert 0 <= told.index("/intents.log\n") < told.rindex("/state.db-wal\n")


@pytest.mark.parametrize("fs,during", [("ext4", "filing"), ("xfs", "filing"), ("ext4", "archiving")])
def test_power_cuts(fs, during):
    """A file system that is shut down at once while documents are filed, a case is archived, or a cut is recovered from."""
    need_root()
    need_tool(f"mkfs.{fs}")
    if subprocess.run(["losetup", "--find"], capture_output=True).returncode:
        pytest.skip("this machine has no loop devices")
    preload()
    r = subprocess.run([ROOT / "tests/faults/power", "--build", BUILD, "--fs", fs, "--while", during, "--cuts", "6"],
                       capture_output=True, text=True)
    assert r.returncode == 0, r.stdout + r.stderr
    assert re.search(rf"^power, {fs}(, archiving)? +6 +\d+ +\d+ +\d+ +\d+ +0$", r.stdout, re.M)


def need_recorder():
    need_root()
    if subprocess.run(["pkg-config", "--exists", "fuse3"]).returncode or not os.path.exists("/dev/fuse"):
        pytest.skip("FUSE is not here (Debian: libfuse3-dev)")
    if subprocess.run(["losetup", "--find"], capture_output=True).returncode:
        pytest.skip("this machine has no loop devices")
    preload()
    subprocess.run(["make", "--no-print-directory", f"B={BUILD}", f"{BUILD}/recorder"], cwd=ROOT, check=True)


def cuts_between_blocks(states, *args):
    need_recorder()
    r = subprocess.run([ROOT / "tests/faults/blocks", "--build", BUILD, "--states", str(states), *args],
                       capture_output=True, text=True)
    found = re.search(r"^blocks, ext4 +(\d+) +(\d+) +(\d+) +\d+ +(\d+) +(\d+)$", r.stdout, re.M)
    assert found, r.stdout + r.stderr
    return (r.returncode, *map(int, found.groups()))


def test_cuts_between_blocks():
    """What a disk may hold that was told to write and lost its power, put together from what it noted down."""
    rc, writes, flushes, states, torn, violations = cuts_between_blocks(8)
    assert writes > 50 and flushes > 20 and states == 8 and torn > 0 and violations == 0 and rc == 0


def test_a_disk_that_lies_is_found_out():
    """The suite finds what it is there to find: without any syncs something is lost."""
    rc, *_, violations = cuts_between_blocks(60, "--lie", "fsync,fdatasync,syncfs")
    assert violations > 0 and rc == 1


def test_what_the_disk_did_not_take_is_not_filed_from_memory():
    """One write fails in the disk itself, and the kernel then takes what it has for written."""
    need_recorder()
    r = subprocess.run([ROOT / "tests/faults/badwrite", "--build", BUILD], capture_output=True, text=True)
    assert r.returncode == 0 and re.search(r"^a failed write +0$", r.stdout, re.M), r.stdout + r.stderr
