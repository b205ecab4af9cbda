"""check and explain: the daemon's decisions without its acts, and without it."""
import json
import os

import pytest

from conftest import pdf


@pytest.fixture
def office(cabinet):
    """A case, no daemon; every kind of answer lies in it."""
    cabinet.run("new", "Smith", "Divorce", "-C", cabinet.path)
    return cabinet


def texts(c, *args, status=None):
    return c.run("explain", *args, status=status).stdout


# -- check -----------------------------------------------------------------------------------------

def test_nothing_needs_attention(office):
    r = office.run("check", office.path, status=0)
    assert "0 documents, 0 need attention, 0 would be named" in r.stdout


def test_what_needs_attention_is_exit_1_with_the_act_that_helps(office):
    office.drop("Smith_Divorce/Inbox", "scan0001.pdf")
    r = office.run("check", office.path, status=1)
    assert "Smith_Divorce/Inbox/scan0001.pdf: It is not clear what scan0001.pdf is" in r.stdout
    assert "Rename it to what it is" in r.stdout
    assert "1 document, 1 need attention" in r.stdout


def test_what_would_only_be_named_is_exit_0(office):
    office.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf")
    r = office.run("check", office.path, status=0)
    assert "1 would be named" in r.stdout
    assert (office.path / "Smith_Divorce/Inbox/order 2026-03-02.pdf").exists()


def test_check_changes_nothing(office):
    office.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf")
    office.drop("Smith_Divorce/Inbox", "scan0001.pdf")
    before = {str(p): p.lstat().st_mtime_ns for p in office.path.rglob("*")}
    lines = office.journals()
    office.run("check", office.path, status=1)
    assert {str(p): p.lstat().st_mtime_ns for p in office.path.rglob("*")} == before
    assert office.journals() == lines


def test_check_of_one_path_of_several_and_where_one_stands(office):
    office.drop("Smith_Divorce/Inbox", "scan0001.pdf")
    office.drop("Smith_Divorce/Stuff", "a.pdf")
    office.run("check", office.path / "Smith_Divorce/Stuff", status=0)
    office.run("check", office.path / "Smith_Divorce/Stuff", office.path / "Smith_Divorce/Inbox",
               status=1)
    office.run("check", "Smith_Divorce/Inbox/scan0001.pdf", status=1)
    r = office.run("check", status=1, cwd=office.path / "Smith_Divorce/Stuff")
    assert "scan0001" in r.stdout      # the whole cabinet: that is where one stands
    r = office.run("check", ".", status=0, cwd=office.path / "Smith_Divorce/Stuff")
    assert "1 document," in r.stdout


def test_check_of_what_lies_outside_is_refused(office):
    r = office.run("check", office.path / "Smith_Divorce", "/etc/passwd", status=3)
    assert "/etc/passwd is not in the cabinet" in r.stderr
    r = office.run("check", office.path / "nothing_here", status=3)
    assert "No such file" in r.stderr


def test_check_as_json_lines(office):
    office.drop("Smith_Divorce/Inbox", "scan0001.pdf")
    office.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf")
    office.drop("Smith_Divorce/Stuff", "x.pdf")
    rows = {os.path.basename(r["path"]): r for r in office.json("check", office.path, status=1)}
    assert set(rows) == {"scan0001.pdf", "order 2026-03-02.pdf"}
    listed, filed = rows["scan0001.pdf"], rows["order 2026-03-02.pdf"]
    assert listed["v"] == 1 and listed["action"] == "list" and listed["attention"] is True
    assert listed["reason"] == "unknown-type" and listed["sentence"] and listed["help"]
    assert listed["kind"] == "pdf"
    assert filed["action"] == "file" and filed["attention"] is False
    assert filed["to"] == "Smith_Divorce/Court Papers/Smith_Divorce_Order_2026-03-02.pdf"
    assert filed["type"] == "Order" and filed["date"] == "2026-03-02"
    assert "court-papers.yaml:" in filed["why"]


def test_check_and_the_daemon_do_not_disagree(office):
    """What check says would happen is what the daemon then does."""
    names = ["order 2026-03-02.pdf", "scan0001.pdf", "letter 3-2-26.pdf", "ltr 2026-02-30.pdf",
             "Jones_Probate_Letter_2026-03-02.pdf", "motion to compel FINAL 20260302.pdf",
             "report.pdf", "Smith_Divorce_Memo_2026-03-05.pdf", "a\u202eb.pdf", "will 2050-01-01.pdf"]
    office.run("new", "Jones", "Probate", "-C", office.path)
    for i, n in enumerate(names):
        office.drop("Smith_Divorce/Inbox", n, pdf(str(i)))
        office.drop("Smith_Divorce/Motions", n, pdf(f"m{i}"))
    said = {}
    for r in office.json("explain", office.path / "Smith_Divorce"):
        if r["action"] != "ignore":
            said[r["path"]] = r.get("to") or r["path"]
    office.run("sweep", office.path)
    docs = {p.replace("_02.pdf", ".pdf") for p in office.documents("Smith_Divorce")}
    assert docs == set(said.values())
    attention = {r["path"] for r in office.json("check", office.path) if r["attention"]}
    text = (office.path / "Smith_Divorce/Needs attention.txt").read_text("utf-8-sig")
    assert attention and len(attention) == sum(
        line.startswith("    Smith") or line.startswith("    ") and not line.strip().startswith(">")
        for line in text.splitlines() if line.strip())


def test_check_while_the_daemon_runs_is_the_same(office):
    office.drop("Smith_Divorce/Inbox", "scan0001.pdf")
    before = office.json("check", office.path, status=1)
    office.start()
    office.sync()
    assert office.json("check", office.path, status=1) == before


def test_links_devices_and_hard_links_are_told(office):
    os.makedirs(office.path / "Smith_Divorce/Stuff")
    os.symlink("/etc/passwd", office.path / "Smith_Divorce/Stuff/link.pdf")
    os.mkfifo(office.path / "Smith_Divorce/Stuff/pipe.pdf")
    p = office.drop("Smith_Divorce/Stuff", "a.pdf")
    os.link(p, office.base / "elsewhere.pdf")
    found = {os.path.basename(r["path"]): r for r in office.json("check", office.path, status=1)}
    assert {n: r["reason"] for n, r in found.items()} == {
        "link.pdf": "link", "pipe.pdf": "link", "a.pdf": "hard-link"}
    assert not found["link.pdf"]["sentence"].rstrip().endswith(":")


def test_what_a_hook_held_back_is_told(office):
    hook = office.hooks / "before-filing" / "no"
    hook.parent.mkdir(parents=True)
    hook.write_text("#!/bin/sh\necho 'a virus, perhaps'\nexit 1\n")
    os.chmod(hook, 0o755)
    office.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf")
    office.run("sweep", office.path)
    assert list(office.documents()) == ["Smith_Divorce/Inbox/order 2026-03-02.pdf"]
    found = office.json("check", office.path, status=1)
    assert [r["reason"] for r in found if r["attention"]] == ["vetoed"]
    assert "a virus, perhaps" in found[0]["sentence"]


def test_hostile_names_are_escaped(office):
    office.drop("Smith_Divorce/Inbox", "scan\x1b[2J\u202e0001.pdf")
    r = office.run("check", office.path, status=1)
    assert "\x1b" not in r.stdout and "\u202e" not in r.stdout
    r = office.run("explain", office.path / "Smith_Divorce/Inbox")
    assert "\x1b" not in r.stdout and "\u202e" not in r.stdout


def test_names_that_are_no_text(office):
    raw = os.fsencode(office.path / "Smith_Divorce/Inbox") + b"/order \xff 2026-03-02.pdf"
    with open(raw, "wb") as f:
        f.write(pdf("raw"))
    found = office.json("check", office.path, status=1)
    assert found[0]["reason"] == "bad-name"
    assert bytes.fromhex(found[0]["path_hex"]).endswith(b"\xff 2026-03-02.pdf")


# -- explain ---------------------------------------------------------------------------------------

def test_explain_of_what_will_be_filed(office):
    office.drop("Smith_Divorce/Inbox", "mtn to dismiss FINAL 3-2-26.pdf")
    text = texts(office, office.path / "Smith_Divorce/Inbox/mtn to dismiss FINAL 3-2-26.pdf",
                 status=0)
    lines = text.splitlines()
    assert lines[0] == "Smith_Divorce/Inbox/mtn to dismiss FINAL 3-2-26.pdf"
    assert lines.pop(1) == ('  It is a Motion to Dismiss: its name says "mtn to dismiss". Its date is March 2, 2026, '
                            'as its name says. So it goes into Motions of Smith_Divorce.')
    assert lines[1] == ("  becomes Smith_Divorce/Motions/"
                        "Smith_Divorce_MotionToDismiss-FINAL_2026-03-02.pdf")
    assert lines[2].startswith("  because of type MotionToDismiss (rule motions.yaml:")
    assert 'name matched "mtn to dismiss")' in lines[2]
    assert "words FINAL (kept from the name)" in lines[2] and "date 2026-03-02 (name)" in lines[2]


def test_explain_tells_why_the_rules_before_did_not_match(office):
    office.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf")
    text = texts(office, office.path / "Smith_Divorce/Inbox/order 2026-03-02.pdf", status=0)
    for line in ("another case: no, nothing in its name belongs to another case",
                 "undone: no, nobody took its filing back",
                 "contradiction: no, content and extension agree",
                 "as-is.yaml:", "name: yes"):
        assert line in text


def test_explain_of_what_is_listed(office):
    office.drop("Smith_Divorce/Inbox", "scan0001.pdf")
    text = texts(office, office.path / "Smith_Divorce/Inbox/scan0001.pdf", status=0)
    assert "  stays under its name: It is not clear what scan0001.pdf is\n" in text
    assert "  what helps: Rename it to what it is, e.g. letter 3-2-26.\n" in text
    assert "no word of theirs is in the name" in text
    office.configure(office.config_text.replace("mdy", "ask"))  # which would ask about that date
    text = texts(office, office.path / "Smith_Divorce/Inbox/scan0001.pdf", status=0)
    assert "  what helps: Rename it to what it is, e.g. letter 2026-03-02.\n" in text


def test_explain_of_what_keeps_its_name(office):
    office.drop("Smith_Divorce/Evidence", "ABC000123.pdf")
    text = texts(office, office.path / "Smith_Divorce/Evidence/ABC000123.pdf", status=0)
    assert "stays under its name: ABC000123.pdf keeps its name: as-is.yaml:" in text


def test_explain_of_what_lies_elsewhere(office):
    office.drop("Smith_Divorce/Stuff", "order 2026-03-02.pdf")
    text = texts(office, office.path / "Smith_Divorce/Stuff/order 2026-03-02.pdf", status=0)
    assert "stays under its name and is indexed where it lies" in text
    assert "in Stuff nothing is named" in text


def test_explain_of_what_is_filed(office):
    office.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf")
    office.run("sweep", office.path)
    text = texts(office, office.path / "Smith_Divorce/Court Papers", status=0)
    assert "stays under its name" in text or "is named and filed as it should be" in text
    assert "becomes" not in text


@pytest.mark.parametrize("what,why", [
    ("Smith_Divorce/Index.html", "it is a page that the organizer makes"),
    ("Index.html", "it is a page that the organizer makes"),
    ("Smith_Divorce/Case.txt", "it is the card of the case"),
    ("Smith_Divorce/.organizer/journal.jsonl", "no notice is taken of it (rule ignored.yaml:"),
    ("Smith_Divorce/Inbox/~$order.docx", "no notice is taken of it (rule ignored.yaml:"),
    ("Loose/letter.pdf", "it lies in no case and in no Inbox")])
def test_explain_of_what_is_left_alone_says_so(office, what, why):
    office.run("sweep", office.path)
    if not (office.path / what).exists():
        office.drop(os.path.dirname(what), os.path.basename(what))
    text = texts(office, office.path / what, status=0)
    assert text.startswith(what + "\n") and f"  is left alone: {why}" in text
    row = office.json("explain", office.path / what, status=0)[0]
    assert row["action"] == "ignore" and row["sentence"].startswith(why)


def test_explain_of_a_copied_case(office):
    import shutil
    office.run("sweep", office.path)
    office.drop("Smith_Divorce/Stuff", "a.pdf")
    shutil.copytree(office.path / "Smith_Divorce", office.path / "Copy")
    text = texts(office, office.path / "Copy/Stuff/a.pdf", status=0)
    assert "copy of another case" in text


def test_explain_of_nothing_is_an_error(office):
    office.run("explain", office.path / "Smith_Divorce/none.pdf", status=3)
    office.run("explain", status=2)


def test_explain_as_json_has_the_trace(office):
    office.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf")
    row = office.json("explain", office.path / "Smith_Divorce/Inbox/order 2026-03-02.pdf")[0]
    assert "name: yes" in row["trace"] and row["to"]


def test_explain_of_an_office_inbox_document(office):
    office.drop("Inbox", "Smith_Divorce order 2026-03-02.pdf")
    text = texts(office, office.path / "Inbox/Smith_Divorce order 2026-03-02.pdf", status=0)
    assert "becomes Smith_Divorce/Court Papers/Smith_Divorce_Order_2026-03-02.pdf" in text
    office.drop("Inbox", "order 2026-03-04.pdf")
    text = texts(office, office.path / "Inbox/order 2026-03-04.pdf", status=0)
    assert "not clear which case" in text


def test_explain_in_mode_suggest_says_could(office):
    office.configure(office.config_text.replace("enforce", "suggest"))
    office.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf")
    text = texts(office, office.path / "Smith_Divorce/Inbox", status=0)
    assert "could become Smith_Divorce/Court Papers/" in text


def test_explain_of_what_was_undone_or_named_by_hand(office):
    office.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf", pdf("1"))
    office.drop("Smith_Divorce/Inbox", "letter 2026-03-02.pdf", pdf("2"))
    office.run("sweep", office.path)
    office.run("undo", office.path / "Smith_Divorce/Inbox/order 2026-03-02.pdf")
    os.rename(office.path / "Smith_Divorce/Correspondence/Smith_Divorce_Letter_2026-03-02.pdf",
              office.path / "Smith_Divorce/Correspondence/mine.pdf")
    text = texts(office, office.path / "Smith_Divorce/Correspondence", status=0)
    assert "mine.pdf was named by hand" in text and "becomes" not in text
    office.run("sweep", office.path)
    text = texts(office, office.path / "Smith_Divorce", status=0)
    assert "was put back here and is not filed again" in text
    assert "mine.pdf was named by hand" in text
