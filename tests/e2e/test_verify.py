"""verify: documents and journals against what was recorded; and how the daemon itself notices."""
import json
import os
import shutil

import pytest

from conftest import pdf, sha256

ORDER = "Smith_Divorce/Court Papers/Smith_Divorce_Order_2026-03-02.pdf"
LETTER = "Smith_Divorce/Correspondence/Smith_Divorce_Letter_2026-03-03.pdf"


@pytest.fixture
def filed(smith):
    """A case with an order and a letter, filed; the daemon runs."""
    smith.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf", pdf("order"))
    smith.sync()
    smith.drop("Smith_Divorce/Inbox", "letter 2026-03-03.pdf", pdf("letter"))
    smith.sync()
    return smith


@pytest.fixture
def stopped(filed):
    filed.stop()
    return filed


def findings(c, *args, status=1):
    found = c.json("verify", *(args or ["Smith_Divorce"]), status=status)
    return [(f["what"], f["path"]) for f in found if "what" in f]


def journal(c):
    return c.path / "Smith_Divorce/.organizer/journal.jsonl"


def needs(c, case="Smith_Divorce"):
    p = c.path / case / "Needs attention.txt"
    return p.read_text("utf-8-sig") if p.exists() else ""


# -- documents ---------------------------------------------------------------------------------------

def test_what_is_in_order(filed):
    r = filed.run("verify", "Smith_Divorce")
    assert "2 documents, in order" in r.stdout
    last = filed.json("verify", "Smith_Divorce")[-1]
    assert last["clean"] is True and last["documents"] == 2


def test_changed_while_nobody_watched(stopped):
    (stopped.path / ORDER).write_bytes(pdf("forged"))
    assert findings(stopped) == [("changed", ORDER[14:])]
    r = stopped.run("verify", "Smith_Divorce", status=1)
    assert "it was changed, and no edit of it is recorded" in r.stdout


def test_changed_silently_with_size_and_time_as_they_were(stopped):
    p = stopped.path / ORDER
    st = p.stat()
    p.write_bytes(pdf("ordeR"))
    os.utime(p, ns=(st.st_atime_ns, st.st_mtime_ns))
    assert findings(stopped) == [("changed", ORDER[14:])]
    r = stopped.run("verify", "Smith_Divorce", status=1)
    assert "size and time are" in r.stdout


def test_a_silent_change_is_no_edit_for_the_daemon_either(stopped):
    """The stamp's ctime tells: it is looked at, and journaled as what it is, an edit."""
    p = stopped.path / ORDER
    st = p.stat()
    p.write_bytes(pdf("ordeR"))
    os.utime(p, ns=(st.st_atime_ns, st.st_mtime_ns))
    stopped.start()
    stopped.sync()
    assert stopped.journal("Smith_Divorce")[-1]["kind"] == "edited"


def test_missing(stopped):
    os.unlink(stopped.path / ORDER)
    assert findings(stopped) == [("missing", ORDER[14:])]


def test_renamed(stopped):
    os.rename(stopped.path / ORDER, stopped.path / "Smith_Divorce/Court Papers/x.pdf")
    found = stopped.json("verify", "Smith_Divorce", status=1)
    assert found[0]["what"] == "renamed" and found[0]["now"] == "Court Papers/x.pdf"


def test_extra(stopped):
    stopped.drop("Smith_Divorce/Evidence/deep", "extra.pdf")
    assert findings(stopped) == [("extra", "Evidence/deep/extra.pdf")]


def test_own_pages_cards_and_temporary_names_are_no_extras(stopped):
    stopped.drop("Smith_Divorce/Court Papers", "~$order.docx", b"lock")
    stopped.drop("Smith_Divorce", ".DS_Store", b"x")
    stopped.run("verify", "Smith_Divorce")


def test_all_cases_and_one_by_its_path(stopped):
    stopped.run("new", "Jones", "Probate", "-C", stopped.path)
    stopped.drop("Jones_Probate/Stuff", "a.pdf")
    assert findings(stopped, stopped.path) == [("extra", "Stuff/a.pdf")]
    assert findings(stopped, stopped.path / "Smith_Divorce", status=0) == []
    r = stopped.run("verify", status=1)
    assert "Smith_Divorce: 2 documents, in order" in r.stdout
    for verb, case in (("verify", "Smith_Divorce"), ("log", "Smith_Divorce"), ("log", "Jones_Probate")):
        stopped.run(verb, case, cwd=stopped.path / "Smith_Divorce")  # no document of that name


def test_a_case_that_is_not_there(stopped):
    r = stopped.run("verify", "Nobody_Divorce", status=3)
    assert "there is no case Nobody_Divorce" in r.stderr


def test_a_daemon_that_runs_gives_the_same_answer(filed):
    filed.run("verify", "Smith_Divorce")
    for i in range(30):
        filed.drop("Smith_Divorce/Inbox", f"order {i} 2026-03-02.pdf", pdf(f"o{i}"))
    filed.sync()
    filed.run("verify", "Smith_Divorce")


# -- journals ------------------------------------------------------------------------------------------

def edit(data):
    return data.replace(b"letter 2026-03-03", b"lettre 2026-03-03")


def remove_line(data):
    lines = data.splitlines(True)
    return b"".join(lines[:1] + lines[2:])


def reorder(data):
    lines = data.splitlines(True)
    return b"".join([lines[0], lines[2], lines[1]])


def truncate(data):
    return b"".join(data.splitlines(True)[:-1])


def tear(data):
    return data[:-10]


def add(data):
    return data + data.splitlines(True)[-1].replace(b'"seq":3', b'"seq":4')


def garbage(data):
    return data + b"hello\n"


def empty(data):
    return b""


TOMORROW = {"ORGANIZER_CLOCK": str(24 * 3600)}
FORGERIES = [edit, remove_line, reorder, truncate, tear, add, garbage, empty]


@pytest.mark.parametrize("forge", FORGERIES)
def test_what_was_done_to_a_journal_is_found(stopped, forge):
    j = journal(stopped)
    j.write_bytes(forge(j.read_bytes()))
    r = stopped.run("verify", "Smith_Divorce", status=1)
    assert r.stdout.startswith(("Smith_Divorce: journal, line ", "Smith_Divorce: the journal "))
    assert 'organizer adopt "Smith_Divorce"' in r.stdout
    assert ("journal", "") in findings(stopped)


def test_a_missing_journal_is_found(stopped):
    os.unlink(journal(stopped))
    assert ("journal", "") in findings(stopped)


def test_an_older_copy_of_the_journal_is_found(filed):
    old = journal(filed).read_bytes()
    filed.drop("Smith_Divorce/Inbox", "order 2026-03-09.pdf", pdf("9"))
    filed.sync()
    filed.stop()
    journal(filed).write_bytes(old)
    r = filed.run("verify", "Smith_Divorce", status=1)
    assert "shorter" in r.stdout and "backup" in r.stdout


@pytest.mark.parametrize("forge", FORGERIES + [None])
def test_the_daemon_notices_at_its_start(stopped, forge):
    j = journal(stopped)
    if forge:
        j.write_bytes(forge(j.read_bytes()))
    else:
        os.unlink(j)
    stopped.start(env=TOMORROW)
    stopped.sync()
    assert "history of this case was changed" in needs(stopped), stopped.log_text()
    check = stopped.json("check", stopped.path, status=1)
    assert "tampered" in [c.get("reason") for c in check]


# Lines changed in the middle show when all lines are read again, once a day.
@pytest.mark.parametrize("forge", FORGERIES[1:] + [None])
def test_the_daemon_notices_at_its_next_sweep(filed, forge):
    j = journal(filed)
    if forge:
        j.write_bytes(forge(j.read_bytes()))
    else:
        os.unlink(j)
    filed.run("sweep", filed.path)
    filed.sync()
    assert "history of this case was changed" in needs(filed)


@pytest.mark.parametrize("forge", [truncate, tear, add, garbage, empty, None])
def test_the_daemon_notices_at_its_next_line(filed, forge):
    j = journal(filed)
    if forge:
        j.write_bytes(forge(j.read_bytes()))
    else:
        os.unlink(j)
    filed.drop("Smith_Divorce/Inbox", "order 2026-03-09.pdf", pdf("9"))
    filed.sync()
    filed.sync()
    assert "history of this case was changed" in needs(filed)
    kinds = filed.kinds("Smith_Divorce") if forge not in (garbage, tear) else ["foreign", "filed"]
    assert kinds[-2:] == ["foreign", "filed"]


@pytest.mark.parametrize("forge", FORGERIES + [None])
@pytest.mark.parametrize("daemon", [True, False])
def test_adopt_takes_it_up_again(stopped, forge, daemon):
    j = journal(stopped)
    if forge:
        j.write_bytes(forge(j.read_bytes()))
    else:
        os.unlink(j)
    if daemon:
        stopped.start()
        stopped.sync()
    r = stopped.run("adopt", stopped.path / "Smith_Divorce")
    assert "taken up" in r.stdout
    if not daemon:
        stopped.start()
    stopped.sync()
    assert needs(stopped) == ""
    assert findings(stopped, status=0) == []  # it was told of the documents whose lines it lost
    stopped.run("sweep", stopped.path)
    stopped.sync()
    assert needs(stopped) == ""
    stopped.drop("Smith_Divorce/Inbox", "order 2026-03-09.pdf", pdf("9"))
    stopped.sync()
    assert needs(stopped) == ""
    assert findings(stopped, status=0) == []
    r = stopped.run("adopt", stopped.path / "Smith_Divorce")
    assert "in order" in r.stdout


def test_a_journal_from_before_a_removal_hears_of_it(stopped):
    before, gone = journal(stopped).read_bytes(), next(iter(stopped.documents("Smith_Divorce")))
    os.unlink(stopped.path / gone)
    stopped.run("sweep", stopped.path)
    assert stopped.kinds("Smith_Divorce")[-1] == "removed"
    journal(stopped).write_bytes(before)
    assert ("table", gone.partition("/")[2]) in findings(stopped)
    stopped.run("adopt", stopped.path / "Smith_Divorce")
    assert stopped.kinds("Smith_Divorce")[-2:] == ["taken-up", "removed"]
    assert findings(stopped, status=0) == []


def test_after_it_was_taken_up_a_further_change_is_found(stopped):
    j = journal(stopped)
    j.write_bytes(edit(j.read_bytes()))
    stopped.run("adopt", stopped.path / "Smith_Divorce")
    assert findings(stopped, status=None) == []
    j.write_bytes(j.read_bytes().replace(b"lettre", b"lettrE"))
    assert ("journal", "") in findings(stopped)


def test_the_notice_stays_over_a_restart_until_adopt(stopped):
    j = journal(stopped)
    j.write_bytes(truncate(j.read_bytes()))
    for _ in range(2):
        stopped.start()
        stopped.sync()
        assert "history of this case was changed" in needs(stopped)
        stopped.stop()


def test_filing_goes_on_in_a_case_with_a_broken_journal(stopped):
    j = journal(stopped)
    j.write_bytes(empty(b""))
    stopped.start()
    stopped.drop("Smith_Divorce/Inbox", "order 2026-03-09.pdf", pdf("9"))
    stopped.sync()
    assert ("Smith_Divorce/Court Papers/Smith_Divorce_Order_2026-03-09.pdf"
            in stopped.documents())


def test_tables_that_say_other_than_the_journal_are_found(stopped):
    import sqlite3
    db = sqlite3.connect(next(stopped.state.rglob("state.db")))
    db.execute("UPDATE docs SET digest=? WHERE digest=?",
               (bytes.fromhex(sha256(b"x")), bytes.fromhex(sha256(pdf("order")))))
    db.commit()
    db.close()
    assert ("table", ORDER[14:]) in findings(stopped)


# -- the private state is lost ---------------------------------------------------------------------------

def lose_state(c):
    c.stop()
    shutil.rmtree(c.state)


def test_the_cabinet_goes_on_without_its_state(filed):
    before = filed.documents()
    numbers = {l["to"]: l["doc"] for l in filed.journal("Smith_Divorce") if "doc" in l}
    lose_state(filed)
    filed.start()
    filed.sync()
    filed.run("sweep", filed.path)
    assert filed.documents() == before
    assert filed.status()["cases"] == 1
    filed.run("verify", "Smith_Divorce")
    assert filed.kinds("Smith_Divorce") == ["opened", "filed", "filed", "rebuilt"]
    assert filed.journal("Smith_Divorce")[-1]["documents"] == 2
    assert needs(filed) == ""
    filed.drop("Smith_Divorce/Inbox", "order 2026-03-09.pdf", pdf("9"))
    filed.sync()
    last = filed.journal("Smith_Divorce")[-1]
    assert last["kind"] == "filed" and last["doc"] == max(numbers.values()) + 1
    filed.run("verify", "Smith_Divorce")


def test_without_its_state_own_pages_are_still_its_own(filed):
    lose_state(filed)
    filed.start()
    filed.sync()
    assert not list(filed.path.rglob("*(yours)*"))


def test_without_its_state_undone_stays_undone(filed):
    filed.run("undo", "Smith_Divorce", "--last", 1)
    filed.sync()
    lose_state(filed)
    filed.start()
    filed.sync()
    filed.run("sweep", filed.path)
    assert "Smith_Divorce/Inbox/letter 2026-03-03.pdf" in filed.documents()
    filed.run("undo", "Smith_Divorce", "--all")
    filed.sync()
    assert sorted(filed.documents()) == ["Smith_Divorce/Inbox/letter 2026-03-03.pdf",
                                         "Smith_Divorce/Inbox/order 2026-03-02.pdf"]


def test_without_its_state_names_by_hand_stay(filed):
    os.rename(filed.path / ORDER, filed.path / "Smith_Divorce/Court Papers/order 2026-03-05.pdf")
    filed.sync()
    lose_state(filed)
    filed.start()
    filed.sync()
    filed.run("sweep", filed.path)
    assert "Smith_Divorce/Court Papers/order 2026-03-05.pdf" in filed.documents()


def test_without_its_state_what_was_there_before_is_left(filed):
    (filed.path / "Jones").mkdir()
    filed.drop("Jones/Motions", "motion to compel 2026-03-02.pdf", pdf("old"))
    filed.sync()
    filed.run("adopt", filed.path / "Jones", "Jones", "probate")
    filed.sync()
    lose_state(filed)
    filed.start()
    filed.sync()
    assert "Jones/Motions/motion to compel 2026-03-02.pdf" in filed.documents()


def test_without_its_state_an_edit_meanwhile_is_one(filed):
    lose_state(filed)
    (filed.path / ORDER).write_bytes(pdf("edited"))
    filed.start()
    filed.sync()
    assert filed.journal("Smith_Divorce")[-1]["kind"] == "edited"
    assert filed.journal("Smith_Divorce")[-1]["doc"] == 1


def test_without_its_state_a_renamed_case_keeps_its_former_prefix(filed):
    os.rename(filed.path / "Smith_Divorce", filed.path / "Smith-Jane_Divorce")
    filed.sync()
    lose_state(filed)
    filed.start()
    filed.sync()
    filed.drop("Inbox", "Smith_Divorce_Letter_2026-03-04.pdf", pdf("l"))
    filed.sync()
    assert ("Smith-Jane_Divorce/Correspondence/Smith-Jane_Divorce_Letter_2026-03-04.pdf"
            in filed.documents())


def test_without_its_state_a_broken_journal_is_told(filed):
    lose_state(filed)
    j = journal(filed)
    j.write_bytes(j.read_bytes().replace(b"order 2026-03-02", b"0rder 2026-03-02"))
    filed.start()
    filed.sync()
    assert "history of this case was changed" in needs(filed)


def test_a_case_from_another_server_goes_on(filed, tmp_path):
    """A case folder that comes with its journal from another cabinet keeps its history."""
    from conftest import Cabinet
    (tmp_path / "two").mkdir()
    other = Cabinet(tmp_path / "two").init().start()
    filed.stop()
    shutil.copytree(filed.path / "Smith_Divorce", other.base / "Smith_Divorce")
    os.rename(other.base / "Smith_Divorce", other.path / "Smith_Divorce")
    other.sync()
    try:
        assert other.kinds("Smith_Divorce")[-1] == "rebuilt"
        assert sorted(other.documents()) == sorted(filed.documents())
        other.run("verify", "Smith_Divorce")
    finally:
        other.stop()


def test_state_is_lost_while_nothing_runs_and_a_verb_comes_first(filed):
    lose_state(filed)
    filed.run("new", "Jones", "Probate", "-C", filed.path)
    filed.run("verify", filed.path)
    assert filed.kinds("Smith_Divorce")[-1] == "rebuilt"


def test_verify_without_any_state_says_so(filed):
    lose_state(filed)
    r = filed.run("verify", "Smith_Divorce", status=3)
    assert "private state" in r.stderr


# -- log -------------------------------------------------------------------------------------------------

def test_log_tells_what_happened(filed):
    r = filed.run("log", "Smith_Divorce")
    assert "Inbox/order 2026-03-02.pdf -> Court Papers/Smith_Divorce_Order_2026-03-02.pdf" in r.stdout
    assert len(r.stdout.splitlines()) == 3
    assert len(filed.run("log", "Smith_Divorce", "--last", 1).stdout.splitlines()) == 1


def test_log_of_one_document_by_either_name(filed):
    for p in ORDER, "Smith_Divorce/Inbox/order 2026-03-02.pdf":
        r = filed.run("log", filed.path / p)
        assert len(r.stdout.splitlines()) == 1 and "Order" in r.stdout


def test_log_as_json(filed):
    for line in filed.json("log", "Smith_Divorce"):
        assert line["case_folder"] == "Smith_Divorce" and line["line"]["v"] == 1


def test_log_shows_hostile_names_as_escapes(filed):
    filed.drop("Smith_Divorce/Stuff", "a\x1b[31mred\u202e.pdf", pdf("h"))
    filed.sync()
    r = filed.run("log", "Smith_Divorce", "--last", 1)
    assert "\x1b" not in r.stdout and "\u202e" not in r.stdout
