"""What is clear by its name is filed before it is read; what it says may then speak against it."""
import json
import os
import shutil
import signal

import pytest

from conftest import EXE, ROOT, sha256
from test_hooks import listen, told

CAPTION = (b"IN THE SUPERIOR COURT\n\nJONES v. ROE\n\nCase No. 24-CA-003311\n\nMOTION TO DISMISS\n\n"
           b"The defendant moves to dismiss.\n")
LETTER = b"Dear Ms. Roe,\n\nthank you for your letter.\n"
NAME = "motion to dismiss 2026-03-02.txt"


@pytest.fixture
def office(running):
    """Two cases; the docket number on the card of one of them is CAPTION's."""
    running.new("Smith", "Divorce")
    jones = running.new("Jones", "MVA") / "Case.txt"
    jones.write_text(jones.read_text() + "Docket: 24-CA-003311\n")
    running.sync()
    return running


def is_listed(cabinet, name=NAME):
    assert list(cabinet.documents("Smith_Divorce")) == [f"Smith_Divorce/Inbox/{name}"]
    told = (cabinet.path / "Smith_Divorce/Needs attention.txt").read_text()
    assert name in told and "24-CA-003311" in told, told
    table = (cabinet.path / "Smith_Divorce/Index.csv").read_text("utf-8-sig")
    assert name in table and "Smith_Divorce_Motion" not in table, "as if it had never been named"


def start_without_reading(cabinet):
    """A daemon whose parsers answer nothing: it names what is clear by its name, and never hears more."""
    build = cabinet.base / "deaf"
    if not build.exists():
        build.mkdir()
        for program in (EXE, EXE.with_name("organizer-main")):
            shutil.copy2(program, build)
        (build / "organizer-parsers").write_text("#!/bin/sh\nexec sleep 60\n")
        (build / "organizer-parsers").chmod(0o755)
    rules = os.environ.get("ORGANIZER_RULES", str(ROOT / "rules"))
    cabinet.start(wrap=("sh", "-c", f'shift; exec {build}/organizer "$@"', "sh"), env={"ORGANIZER_RULES": rules})


def test_another_case_s_document_goes_back_where_it_was_dropped(office):
    listen(office, "filed")
    office.stop()
    office.start()
    office.drop("Smith_Divorce/Inbox", NAME, CAPTION)
    office.drop("Smith_Divorce/Inbox", "letter 2026-03-02.txt", LETTER)
    office.sync()
    (office.path / "Smith_Divorce/Correspondence/Smith_Divorce_Letter_2026-03-02.txt").unlink()
    office.sync()
    is_listed(office)
    lines = [line for line in office.journal("Smith_Divorce") if NAME in json.dumps(line)]
    assert [line["kind"] for line in lines] == ["filed", "undone"]
    assert lines[1]["by"] == "organizer" and "24-CA-003311" in lines[1]["why"]
    assert lines[0]["doc"] == lines[1]["doc"]
    assert [e["to"].split("/")[-1] for e in told(office, "filed")] == ["Smith_Divorce_Letter_2026-03-02.txt"]
    office.assert_in_order([CAPTION])
    undo = office.run("undo", "Smith_Divorce", "--all", "--dry-run", status=None).stdout
    assert NAME not in undo and undo.endswith("0 would be taken back, 1 left\n")


def test_killed_before_it_was_read_it_goes_back_after_the_next_start(office):
    office.stop()
    start_without_reading(office)
    office.drop("Smith_Divorce/Inbox", NAME, CAPTION)
    while not office.documents("Smith_Divorce/Motions"):
        pass
    office.stop(signal.SIGKILL)
    assert not office.documents("Smith_Divorce/Inbox")
    office.start()
    office.sync()
    is_listed(office)
    office.assert_in_order([CAPTION])


def test_from_the_office_nothing_goes_before_it_was_read(office):
    name = "Smith_Divorce_MotionToDismiss_2026-03-02.txt"
    office.drop("Inbox", name, CAPTION)
    office.sync()
    assert list(office.documents()) == [f"Inbox/{name}"]
    assert office.kinds("Smith_Divorce") == ["opened"]


def test_a_name_in_a_standard_folder_goes_back_too(office):
    office.drop("Smith_Divorce/Motions", NAME, CAPTION)
    office.sync()
    assert list(office.documents("Smith_Divorce")) == [f"Smith_Divorce/Motions/{NAME}"]
    assert NAME in (office.path / "Smith_Divorce/Needs attention.txt").read_text()
    office.assert_in_order([CAPTION])


def test_nothing_is_overwritten_and_what_is_open_stays(office):
    """Somebody has put another document where it came from, or has it open: it is listed where it lies."""
    office.stop()
    for number, case in enumerate(("taken", "open")):
        data = CAPTION + b"%d\n" % number
        name = f"motion {case} 2026-03-02.txt"
        start_without_reading(office)
        office.drop("Smith_Divorce/Inbox", name, data)
        while not office.documents("Smith_Divorce/Motions"):
            pass
        (filed,) = office.documents("Smith_Divorce/Motions")
        office.stop(signal.SIGKILL)
        if case == "taken":
            office.drop("Smith_Divorce/Inbox", name, b"\x7fELF another\n")
        with open(office.path / filed, "r+b") as held:
            if case == "taken":
                held.close()
            office.start()
            office.sync()
            assert office.documents()[filed] == sha256(data)
        office.sync()
        assert filed.split("/")[-1] in (office.path / "Smith_Divorce/Needs attention.txt").read_text()
        (office.path / filed).unlink()
        if case == "taken":
            assert (office.path / "Smith_Divorce/Inbox" / name).read_bytes() == b"\x7fELF another\n"
            (office.path / "Smith_Divorce/Inbox" / name).unlink()
        office.sync()
        office.stop()
