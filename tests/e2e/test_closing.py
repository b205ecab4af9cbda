"""Closing, reopening and retiring cases: what is looked over first, and what it means then."""
import subprocess

import pytest

from conftest import docx

LETTER = "closing letter 3-2-26.pdf"


def card(case):
    return (case / "Case.txt").read_bytes().decode()


def write_card(cabinet, case, *lines, drop=()):
    """Adds lines to the card, without those that begin with one of drop."""
    kept = [x for x in card(case).splitlines() if not x.startswith(tuple(drop) or ("\0",))]
    (case / "Case.txt").write_text("\r\n".join([*kept, *lines, ""]), newline="")
    cabinet.sync()


def closed_lines(cabinet, case="Smith_Divorce"):
    return [x for x in cabinet.journal(case) if x["kind"] in ("closed", "reopened")]


def is_closed(cabinet, case="Smith_Divorce"):
    lines = closed_lines(cabinet, case)
    return bool(lines) and lines[-1]["kind"] == "closed"


def close(cabinet, *args, status=None):
    return cabinet.run("close", "Smith_Divorce", "-C", cabinet.path, *args, status=status)


@pytest.fixture
def ready(smith):
    """A case against whose closing nothing speaks."""
    smith.drop("Smith_Divorce/Inbox", LETTER)
    smith.sync()
    return smith


# ---- by the verb ------------------------------------------------------------------------------------

def test_close_writes_the_card_and_the_journal(ready):
    case = ready.path / "Smith_Divorce"
    before = card(case)
    r = close(ready, status=0)
    assert r.stdout == "Smith_Divorce is closed\n"
    day = subprocess.run(["date", "-u", "+%F"], capture_output=True, text=True).stdout.strip()
    assert card(case) == before.replace("Status: open\r\n", "Status: closed\r\n").replace(
        "Opened:", "Opened:", 1).replace("Priority:", f"Closed: {day}\r\nPriority:", 1)
    (line,) = closed_lines(ready)
    assert line["kind"] == "closed" and line["by"] == "command" and "against" not in line
    ready.sync()
    assert ">Closed<" in (case / "Index.html").read_text()
    assert close(ready, status=0).stdout == "Smith_Divorce is closed already\n"
    assert len(closed_lines(ready)) == 1


def test_what_speaks_against_closing_is_listed(smith):
    case = smith.path / "Smith_Divorce"
    smith.drop("Smith_Divorce/Inbox", "qwertz.pdf")
    (case / "Tasks.txt").write_text("To do\n=====\n[x] file it\n- call the client\n\nsend bill\n")
    write_card(smith, case, "Originals: will of 1998", "Trust balance: $ 120.50",
               "Tasks: ask the bank; done: pay")
    held = open(smith.drop("Smith_Divorce/My folder", "open.txt", b"a\n"), "ab")
    smith.sync()
    r = close(smith, status=1)
    held.close()
    assert "is not closed" in r.stdout
    for words in ("1 document needs attention (Inbox/qwertz.pdf)",
                  "1 file is open or being written (My folder/open.txt)", "no closing letter",
                  "will of 1998", "$ 120.50",
                  "tasks are open", "call the client", "send bill", "ask the bank"):
        assert words in r.stdout, r.stdout
    assert "file it" not in r.stdout and "pay" not in r.stdout
    assert not is_closed(smith) and "Status: open" in card(case)
    (told,) = smith.json("close", "Smith_Divorce", "-C", smith.path, status=1)
    assert told["case"] == "Smith_Divorce" and told["state"] == "open" and len(told["against"]) >= 5


@pytest.mark.parametrize("line", ["Originals: none", "Originals: returned 2026-03-02", "Originals:",
                                  "Trust balance: $0.00", "Trust balance: nil", "Trust balance: 0",
                                  "Tasks: none", "Tasks: [x] all of it"])
def test_nothing_noted_is_nothing_against(ready, line):
    write_card(ready, ready.path / "Smith_Divorce", line)
    close(ready, status=0)


def test_force_closes_all_the_same_and_the_journal_says_so(smith):
    r = close(smith, "--force", status=0)
    assert r.stdout == "Smith_Divorce is closed\n    although there is no closing letter\n"
    (line,) = closed_lines(smith)
    assert line["anyway"] == "organizer close --force"
    assert line["against"] == ["there is no closing letter"]


def test_a_dry_run_closes_nothing(ready):
    before = card(ready.path / "Smith_Divorce")
    assert close(ready, "--dry-run", status=0).stdout == "Smith_Divorce would be closed\n"
    assert card(ready.path / "Smith_Divorce") == before and not is_closed(ready)


def test_close_works_without_a_daemon(ready):
    ready.stop()
    close(ready, status=0)
    assert is_closed(ready)
    ready.run("reopen", "Smith_Divorce", "-C", ready.path)
    assert not is_closed(ready)


def test_a_lock_file_of_a_program_speaks_against_closing(ready):
    lock = ready.drop("Smith_Divorce/Drafts", "~$answer.docx", b"\x04Jane")
    ready.drop("Smith_Divorce/Drafts", "answer.docx", docx())
    ready.sync()
    assert "open or being written" in close(ready, status=1).stdout
    lock.unlink()
    close(ready, status=0)


def test_a_card_that_is_open_is_not_written(ready):
    case = ready.path / "Smith_Divorce"
    before = card(case)
    with open(case / "Case.txt", "ab"):
        assert "(Case.txt)" in close(ready, status=1).stdout
        assert "open in a program" in close(ready, "--force", status=3).stderr
    assert card(case) == before and not is_closed(ready)


def test_a_card_with_a_mistake_is_not_written(ready):
    case = ready.path / "Smith_Divorce"
    write_card(ready, case, "Naming: perhaps")
    r = close(ready, "--force", status=3)
    assert "mistake in line" in r.stderr
    assert not is_closed(ready)


def test_an_unknown_case_is_told(ready):
    r = ready.run("close", "Jones_Probate", "-C", ready.path, status=3)
    assert "Jones_Probate" in r.stderr
    ready.run("close", "-C", ready.path, status=2)


def test_a_utf16_card_stays_one(ready):
    case = ready.path / "Smith_Divorce"
    (case / "Case.txt").write_bytes(card(case).encode("utf-16"))
    ready.sync()
    close(ready, status=0)
    text = (case / "Case.txt").read_bytes()
    assert text[:2] == b"\xff\xfe" and "Status: closed\r\n" in text.decode("utf-16")


# ---- by the card ------------------------------------------------------------------------------------

def test_the_card_closes_a_case(ready):
    case = ready.path / "Smith_Divorce"
    write_card(ready, case, "Status: closed", drop=["Status"])
    (line,) = closed_lines(ready)
    assert line["by"] == "card"
    assert not (case / "Needs attention.txt").exists()


def test_what_speaks_against_the_card_is_listed_until_it_is_settled(smith):
    case = smith.path / "Smith_Divorce"
    write_card(smith, case, "Status: closed", drop=["Status"])
    assert not is_closed(smith)
    told = (case / "Needs attention.txt").read_text()
    assert "not closed yet" in told and "no closing letter" in told and "Close anyway" in told
    assert "Open" in (case / "Index.html").read_text()
    # the case goes on as open: the letter is filed, and then nothing speaks against it any more
    smith.drop("Smith_Divorce/Inbox", LETTER)
    smith.sync()
    assert is_closed(smith)
    assert not (case / "Needs attention.txt").exists()


def test_close_anyway_on_the_card_overrides(smith):
    case = smith.path / "Smith_Divorce"
    write_card(smith, case, "Status: closed", "Close anyway: client moved, Jane Doe", drop=["Status"])
    (line,) = closed_lines(smith)
    assert line["anyway"] == "client moved, Jane Doe"
    assert line["against"] == ["there is no closing letter"]
    assert not (case / "Needs attention.txt").exists()


def test_without_a_daemon_check_lists_the_same(smith):
    case = smith.path / "Smith_Divorce"
    write_card(smith, case, "Status: closed", drop=["Status"])
    smith.stop()
    r = smith.run("check", smith.path, status=1)
    assert "not closed yet" in r.stdout and "no closing letter" in r.stdout
    smith.run("sweep", smith.path)
    assert not is_closed(smith)


# ---- what it means ----------------------------------------------------------------------------------

def test_nothing_is_filed_in_a_closed_case(ready):
    case = ready.path / "Smith_Divorce"
    close(ready, status=0)
    inbox = ready.drop("Smith_Divorce/Inbox", "letter 3-3-26.pdf")
    folder = ready.drop("Smith_Divorce/Correspondence", "late letter 3-4-26.pdf")
    office = ready.drop("Inbox", "Smith_Divorce letter 3-5-26.pdf")
    ready.sync()
    assert inbox.exists() and folder.exists() and office.exists()
    told = (case / "Needs attention.txt").read_text()
    assert "letter 3-3-26.pdf" in told and "late letter 3-4-26.pdf" in told and "closed case" in told
    assert "closed case" in (ready.path / "Needs attention.txt").read_text()
    assert ready.run("check", ready.path, status=1).stdout.count("closed case") == 3


def test_what_was_there_before_is_not_listed(ready):
    case = ready.path / "Smith_Divorce"
    ready.drop("Smith_Divorce/My folder", "notes.txt", b"notes\n")
    ready.sync()
    close(ready, status=0)
    ready.run("sweep", ready.path)
    ready.sync()
    assert not (case / "Needs attention.txt").exists()


def test_reopen_undoes_it(ready):
    case = ready.path / "Smith_Divorce"
    write_card(ready, case, "Close anyway: because, me")
    close(ready, status=0)
    late = ready.drop("Smith_Divorce/Inbox", "letter 3-3-26.pdf")
    ready.sync()
    assert late.exists()
    ready.run("reopen", "Smith_Divorce", "-C", ready.path, "--dry-run")
    assert is_closed(ready)
    r = ready.run("reopen", case, cwd="/")
    assert r.stdout == "Smith_Divorce is open again\n"
    ready.sync()
    assert not is_closed(ready) and closed_lines(ready)[-1]["by"] == "command"
    assert "Status: open\r\nOpened" in card(case) and "Closed:\r\n" in card(case).replace(": \r", ":\r")
    assert "because, me" not in card(case)
    assert not late.exists(), "what was dropped meanwhile is filed now"
    assert ready.run("reopen", case, cwd="/").stdout == "Smith_Divorce is open\n"


def test_the_card_reopens_it(ready):
    case = ready.path / "Smith_Divorce"
    close(ready, status=0)
    write_card(ready, case, "Status: open", drop=["Status", "Closed"])
    assert [x["kind"] for x in closed_lines(ready)] == ["closed", "reopened"]


def test_a_case_on_hold_can_be_closed(ready):
    write_card(ready, ready.path / "Smith_Divorce", "Hold: litigation")
    close(ready, status=0)


def test_a_lost_private_state_knows_what_is_closed(ready):
    close(ready, status=0)
    ready.stop()
    subprocess.run(["rm", "-rf", str(ready.state)], check=True)
    ready.start()
    ready.sync()
    late = ready.drop("Smith_Divorce/Inbox", "letter 3-3-26.pdf")
    ready.sync()
    assert late.exists()
    assert len([x for x in closed_lines(ready) if x["kind"] == "closed"]) == 1
