"""organizer find: what is filed is found, by those who may read it."""
import json
import os
import subprocess
import time

import pytest

from conftest import EXE, NOBODY, TIMEOUT, docx, need_root, need_tool, pdf


def find(cabinet, *args, status=None):
    """The documents found, best first."""
    r = cabinet.run("find", *args, "--json", status=status)
    if status is None:
        assert r.returncode == (0 if r.stdout else 1), r.stderr
    return [json.loads(line) for line in r.stdout.splitlines()]


def paths(cabinet, *args):
    return [hit["path"] for hit in find(cabinet, *args)]


# ---- the way of a document ---------------------------------------------------------------------------

def test_what_was_filed_is_found_after_sync(smith):
    smith.drop("Smith_Divorce/Inbox", "mtn to dismiss 2026-03-02.pdf")
    smith.sync()
    hits = find(smith, "motion", "dismissed")
    assert [h["path"] for h in hits] == [
        "Smith_Divorce/Motions/Smith_Divorce_MotionToDismiss_2026-03-02.pdf"]
    assert hits[0]["type"] == "MotionToDismiss" and hits[0]["date"] == "2026-03-02"
    assert hits[0]["client"] == "Smith" and hits[0]["state"] == "filed"


def test_it_is_found_by_the_name_it_came_with(smith):
    smith.drop("Smith_Divorce/Inbox", "Letter of Mr Wunderlich 2026-03-02.pdf")
    smith.drop("Smith_Divorce/Inbox", "scan0001.pdf")
    smith.sync()
    assert paths(smith, "wunderlich") == [
        "Smith_Divorce/Correspondence/Smith_Divorce_Letter-of-Mr-Wunderlich_2026-03-02.pdf"]
    assert paths(smith, "scan0001") == ["Smith_Divorce/Inbox/scan0001.pdf"]


def test_it_follows_a_person_who_renames(smith):
    there = smith.drop("Smith_Divorce/Ours", "zebra.pdf")
    smith.sync()
    assert paths(smith, "zebra") == ["Smith_Divorce/Ours/zebra.pdf"]
    there.rename(there.with_name("giraffe.pdf"))
    smith.sync()
    assert paths(smith, "zebra") == []
    assert paths(smith, "giraffe") == ["Smith_Divorce/Ours/giraffe.pdf"]


def test_it_follows_a_folder_that_is_renamed(smith):
    smith.drop("Smith_Divorce/Ours", "zebra.pdf")
    smith.sync()
    (smith.path / "Smith_Divorce/Ours").rename(smith.path / "Smith_Divorce/Theirs")
    smith.sync()
    assert paths(smith, "zebra") == ["Smith_Divorce/Theirs/zebra.pdf"]


def test_what_is_removed_is_not_found(smith):
    there = smith.drop("Smith_Divorce/Ours", "zebra.pdf")
    smith.sync()
    there.unlink()
    smith.sync()
    assert paths(smith, "zebra") == []


def test_what_is_undone_is_found_where_it_is(smith):
    smith.drop("Smith_Divorce/Inbox", "letter Zebra 2026-03-02.pdf")
    smith.sync()
    smith.run("undo", "Smith_Divorce", "--last", "1")
    smith.sync()
    assert paths(smith, "zebra") == ["Smith_Divorce/Inbox/letter Zebra 2026-03-02.pdf"]


def test_what_moves_to_another_case_is_found_there_only(smith):
    smith.new("Jones", "Probate")
    there = smith.drop("Smith_Divorce/Ours", "zebra.pdf")
    smith.sync()
    (smith.path / "Jones_Probate/Ours").mkdir()
    there.rename(smith.path / "Jones_Probate/Ours/zebra.pdf")
    smith.sync()
    assert paths(smith, "zebra") == ["Jones_Probate/Ours/zebra.pdf"]
    assert paths(smith, "zebra", "--client", "Smith") == []


def test_it_is_found_without_a_daemon(smith):
    smith.drop("Smith_Divorce/Ours", "zebra.pdf")
    smith.sync()
    smith.stop()
    assert paths(smith, "zebra") == ["Smith_Divorce/Ours/zebra.pdf"]
    assert paths(smith, "--case", "Smith_Divorce") == ["Smith_Divorce/Ours/zebra.pdf"]


def test_what_came_while_no_daemon_ran_is_found(smith):
    smith.stop()
    smith.drop("Smith_Divorce/Ours", "zebra.pdf")
    smith.start()
    smith.sync()
    assert paths(smith, "zebra") == ["Smith_Divorce/Ours/zebra.pdf"]


@pytest.mark.parametrize("watched", [True, False])
def test_the_catalogue_can_be_made_anew(smith, watched):
    smith.drop("Smith_Divorce/Ours", "zebra.pdf")
    smith.sync()
    if not watched:
        smith.stop()
    for f in smith.state.rglob("search.db*"):
        f.unlink()
    smith.run("find", "--rebuild")
    assert paths(smith, "zebra") == ["Smith_Divorce/Ours/zebra.pdf"]


def test_a_damaged_catalogue_does_no_harm(smith):
    smith.drop("Smith_Divorce/Ours", "zebra.pdf")
    smith.sync()
    smith.stop()
    for f in smith.state.rglob("search.db*"):
        f.write_bytes(b"no database" * 1000)
    smith.run("find", "zebra", status=3)
    smith.start()
    smith.drop("Smith_Divorce/Inbox", "letter 2026-03-02.pdf")
    smith.sync()
    assert len(paths(smith, "letter")) == 1
    assert paths(smith, "zebra") == ["Smith_Divorce/Ours/zebra.pdf"]


# ---- questions ---------------------------------------------------------------------------------------

def test_nothing_found_is_1_and_says_so(smith):
    r = smith.run("find", "unicorn", status=1)
    assert r.stdout == "nothing found\n" and r.stderr == ""
    r = smith.run("find", "zebra unicorn", status=1)
    assert "without the quotes" in r.stdout.splitlines()[1], "the shell took them"


HOSTILE = [
    ['"'], ["(((("], ["))) OR AND"], ["*"], ["NEAR("], ["-x"], ["--", "--"], ["' OR 1=1 --"],
    ["zebra'); DROP TABLE docs; --"], ['zebra" OR "'], ["{name} : zebra"], ["name:"], ["^zebra"],
    ["zebra NEAR/999999999 zebra"], ["a" * 100000], [b"\xff\xfe"], ["(" * 5000],
    ["zebra " * 99], ["NOT NOT NOT"], ["\u202ezebra\x1b[31m"], ["zebra", "\n"], [""]]


@pytest.mark.parametrize("watched", [True, False])
def test_any_question_is_answered_or_refused_in_words(smith, watched):
    smith.drop("Smith_Divorce/Ours", "zebra.pdf")
    smith.sync()
    if not watched:
        smith.stop()
    for words in HOSTILE:
        r = subprocess.run([str(EXE), "find", *words], cwd=smith.path, env=smith.env, timeout=TIMEOUT,
                           capture_output=True)
        assert r.returncode in (0, 1, 2), words
        assert not any(word in r.stderr for word in (b"SQL", b"fts5", b"syntax", b"\x1b")), r.stderr
        assert (r.returncode == 2) == (r.stderr != b""), words
    assert paths(smith, "zebra") == ["Smith_Divorce/Ours/zebra.pdf"]


FAULTS = [
    ([], "what is to be found"), (["--client"], "needs a value"), (["x", "--limit", "no"], "--limit"),
    (["x", "--since", "2026-02-30"], "is no date"), (["x", "--relevance", "hot"], "key, supporting"),
    (["x", "--nonsense"], "there is no option"), (["x", "--case", "Nobody_Divorce"], "no case"),
    (["x", "--type", "Motoin"], "did you mean Motion")]


def test_a_question_that_cannot_be_meant_is_told_with_what_would_do(smith):
    for args, says in FAULTS:
        r = smith.run("find", *args, status=2)
        assert says in r.stderr, r.stderr
        assert r.stdout == ""


def test_filters(smith):
    smith.new("Jones", "Probate")
    for case, name in (("Smith_Divorce", "letter Zebra 2026-03-02.pdf"),
                       ("Smith_Divorce", "motion Zebra 2025-01-15.pdf"),
                       ("Jones_Probate", "letter Zebra 2026-05-05.pdf")):
        smith.drop(case + "/Inbox", name)
    smith.sync()
    assert len(paths(smith, "zebra")) == 3
    assert len(paths(smith, "zebra", "--client", "jones")) == 1
    assert len(paths(smith, "zebra", "--case", "Smith_Divorce")) == 2
    assert len(paths(smith, "zebra", "--type", "letter")) == 2
    assert len(paths(smith, "zebra", "--since", "2026")) == 2
    assert len(paths(smith, "zebra", "--until", "2026-03")) == 2
    assert len(paths(smith, "zebra", "--since", "2026-03", "--until", "2026-03")) == 1
    assert len(paths(smith, "zebra", "--mime", "application/pdf")) == 3
    assert len(paths(smith, "zebra", "--relevance", "supporting")) == 2
    assert len(paths(smith, "zebra", "--limit", "2")) == 2
    by_date = [hit["date"] for hit in find(smith, "--mime", "pdf")]
    assert by_date == ["2026-05-05", "2026-03-02", "2025-01-15"]


def test_open_gives_the_best_to_xdg_open(smith, tmp_path):
    smith.drop("Smith_Divorce/Ours", "zebra $(touch owned) 'x'.pdf")
    smith.sync()
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "xdg-open").write_text(f"#!/bin/sh\nprintf %s \"$1\" >{tmp_path}/opened\n")
    (tools / "xdg-open").chmod(0o755)
    smith.run("find", "zebra", "--open", env={"PATH": f"{tools}:{os.environ['PATH']}"})
    assert (tmp_path / "opened").read_text() == str(
        smith.path / "Smith_Divorce/Ours/zebra $(touch owned) 'x'.pdf")
    r = smith.run("find", "zebra", "--open", env={"PATH": "/nonexistent"}, status=3)
    assert "xdg-utils" in r.stderr


def test_names_show_on_a_terminal_as_text_only(smith):
    smith.drop("Smith_Divorce/Ours", "zebra\x1b[31m\u202egnp.pdf")
    smith.drop("Smith_Divorce/Ours", b"zebra\xff.pdf".decode("utf-8", "surrogateescape"),
               pdf("invalid"))
    smith.sync()
    r = smith.run("find", "zebra", status=0)
    assert "\x1b" not in r.stdout and "\u202e" not in r.stdout and "\udcff" not in r.stdout
    assert "\\x1B[31m\\u{202E}gnp.pdf" in r.stdout and "zebra\\xFF.pdf" in r.stdout


# ---- what documents say ------------------------------------------------------------------------------

def passage(hit):
    """The place in the text, hits in [ ]."""
    return "".join(f"[{part}]" if i % 2 else part for i, part in enumerate(hit["passage"]))


def test_a_text_is_found_and_its_place_shown(smith):
    smith.drop("Smith_Divorce/Inbox", "letter 2026-03-02.txt",
               b"The landlord breached the covenant of quiet enjoyment of the leased premises.\n")
    smith.drop("Smith_Divorce/Inbox", "notice 2026-03-03.docx",
               docx("<w:p><w:r><w:t>Rent of the premises is due in Z\u00fcrich</w:t></w:r></w:p>"))
    smith.sync()
    hit, = find(smith, "quiet enjoyment", "premise", "lease")
    assert passage(hit) == ("The landlord breached the covenant of [quiet enjoyment] of the [leased] "
                            "[premises].")
    assert len(paths(smith, "premises")) == 2
    assert len(paths(smith, "zurich")) == 1
    assert len(paths(smith, "NEAR(rent due, 5)")) == 1 and not paths(smith, "NEAR(rent due, 1)")
    assert len(paths(smith, "premises", "-landlord")) == 1
    r = smith.run("find", "covenants")
    assert "\u00abcovenant\u00bb of quiet" in r.stdout


def test_an_edited_document_is_found_by_what_it_says_now(smith):
    there = smith.drop("Smith_Divorce/Ours", "memo.txt", b"about giraffes and nothing else\n")
    smith.sync()
    assert paths(smith, "giraffe") == ["Smith_Divorce/Ours/memo.txt"]
    there.write_bytes(b"about zebras, at greater length than before\n")
    smith.sync()
    assert paths(smith, "giraffe") == []
    assert paths(smith, "zebra") == ["Smith_Divorce/Ours/memo.txt"]


def test_a_text_goes_along_when_its_document_is_moved(smith):
    smith.new("Jones", "Probate")
    there = smith.drop("Smith_Divorce/Ours", "memo.txt", b"about giraffes\n")
    smith.sync()
    (smith.path / "Jones_Probate/Ours").mkdir()
    there.rename(smith.path / "Jones_Probate/Ours/memo.txt")
    smith.sync()
    assert paths(smith, "giraffe") == ["Jones_Probate/Ours/memo.txt"]
    (smith.path / "Jones_Probate/Ours/memo.txt").rename(smith.path / "Jones_Probate/Ours/note.txt")
    smith.sync()
    assert paths(smith, "giraffe") == ["Jones_Probate/Ours/note.txt"]


def test_a_mail_is_found_by_its_people_and_subject(smith):
    smith.drop("Smith_Divorce/Inbox", "mail 2026-03-02.eml",
               b"From: Bob Roe <bob@roe.example>\r\nTo: Ann Lee <ann@lee.example>\r\n"
               b"Date: Mon, 2 Mar 2026 10:00:00 +0000\r\nSubject: =?utf-8?q?Settlement_of_caf=C3=A9?=\r\n"
               b"Message-ID: <1@roe.example>\r\n\r\nPlease find the offer attached.\r\n")
    smith.sync()
    hit, = find(smith, "subject:cafe", "from:roe", "to:lee", "offer")
    assert hit["subject"] == "Settlement of caf\u00e9" and "bob@roe.example" in hit["sender"]


@pytest.mark.parametrize("watched", [True, False])
def test_texts_are_read_again_for_a_new_catalogue(smith, watched):
    smith.drop("Smith_Divorce/Ours", "memo.txt", b"about giraffes\n")
    smith.sync()
    if not watched:
        smith.stop()
    smith.run("find", "--rebuild")
    assert paths(smith, "giraffe") == ["Smith_Divorce/Ours/memo.txt"]
    assert smith.status()["documents"] == 1


def test_a_catalogue_that_is_gone_comes_back_by_itself(smith):
    smith.drop("Smith_Divorce/Ours", "memo.txt", b"about giraffes\n")
    smith.sync()
    smith.stop()
    for f in smith.state.rglob("search.db*"):
        f.unlink()
    smith.start()
    until = time.monotonic() + TIMEOUT
    while not paths(smith, "giraffe") and time.monotonic() < until:
        smith.sync()
    assert paths(smith, "giraffe") == ["Smith_Divorce/Ours/memo.txt"]


def test_what_a_document_says_is_shown_as_text_only(smith):
    smith.drop("Smith_Divorce/Ours", "memo.txt",
               b"giraffe \xe2\x80\xae evil <script>alert(1)</script> \\u{202E}\n")
    smith.sync()
    r = smith.run("find", "giraffe", status=0)
    assert not any(c in r.stdout for c in "\x1b\u202e\x02\x03"), r.stdout
    assert "<script>alert(1)</script>" in r.stdout
    hit, = find(smith, "giraffe")
    assert [part for i, part in enumerate(hit["passage"]) if i % 2] == ["giraffe"]


# ---- who may ask -------------------------------------------------------------------------------------

@pytest.fixture
def office(of_nobody):
    """A daemon of nobody whose group is `daemon`. The users daemon and bin are on every system, each
    alone in the group of its name. The case Jones is for nobody alone, a letter of Smith's too."""
    need_root()
    need_tool("setpriv")
    c = of_nobody
    run = c.base / "run"
    run.mkdir()
    os.chown(run, NOBODY, NOBODY)
    c.env["RUNTIME_DIRECTORY"] = str(run)
    c.configure(c.config_text + "group: daemon\n")
    os.chown(c.path / ".organizer/organizer.yaml", NOBODY, NOBODY)
    c.start()
    for client, mode in (("Smith", 0o755), ("Jones", 0o700)):
        case = c.new(client, "Divorce")
        case.chmod(mode)
        for name, rights in (("open.txt", 0o644), ("closed.txt", 0o600)):
            doc = c.drop(f"{client}_Divorce/Ours", name, f"{client}'s {name} about giraffes\n".encode())
            os.chown(doc, NOBODY, NOBODY)
            doc.chmod(rights)
        os.chown(case / "Ours", NOBODY, NOBODY)
    c.sync()
    return c


def as_user(c, user, *args):
    home = c.base / f"home{user}"
    home.mkdir(exist_ok=True)
    os.chown(home, user, user)
    env = {k: v for k, v in c.env.items() if k != "STATE_DIRECTORY"}
    return subprocess.run(["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", str(EXE), *args,
                           "-C", str(c.path)], env={**env, "HOME": str(home)}, capture_output=True,
                          text=True, timeout=TIMEOUT)


def test_members_of_the_group_find_what_they_may_read(office):
    assert len(paths(office, "giraffe")) == 4
    r = as_user(office, 1, "find", "giraffe", "--json")
    assert r.returncode == 0, r.stderr
    assert [json.loads(x)["path"] for x in r.stdout.splitlines()] == ["Smith_Divorce/Ours/open.txt"]
    r = as_user(office, 1, "find", "giraffe")
    assert "Jones" not in r.stdout and "closed" not in r.stdout and "documents" not in r.stdout
    r = as_user(office, 0, "find", "giraffe", "--json")
    assert len(r.stdout.splitlines()) == 4, ("root may read all", r.stderr)


def test_of_what_they_may_not_read_they_are_not_told(office):
    for args in (["jones"], ["closed"], ["--until", "2030", "giraffe"]):
        r = as_user(office, 1, "find", *args)
        assert r.returncode == 1 and r.stdout == "nothing found\n", (args, r)
    there = as_user(office, 1, "find", "giraffe", "--case", "Jones_Divorce")
    not_there = as_user(office, 1, "find", "giraffe", "--case", "Nolan_Divorce")
    assert there.returncode == not_there.returncode == 2
    assert there.stderr.replace("Jones", "Nolan") == not_there.stderr


def test_a_list_of_access_counts_as_it_does_for_the_kernel(office):
    need_tool("setfacl")
    case = office.path / "Jones_Divorce"
    r = subprocess.run(["setfacl", "-m", "u:1:rx", case], capture_output=True, text=True)
    if r.returncode:
        pytest.skip("no access lists here: " + r.stderr)
    r = as_user(office, 1, "find", "giraffe", "--json", "--client", "jones")
    assert [json.loads(x)["path"] for x in r.stdout.splitlines()] == ["Jones_Divorce/Ours/open.txt"]


def test_members_cannot_have_it_made_anew_and_others_cannot_ask(office):
    r = as_user(office, 1, "find", "--rebuild")
    assert r.returncode == 3 and "only root" in r.stderr
    r = as_user(office, 2, "find", "giraffe")
    assert r.returncode == 3 and r.stdout == ""


def test_without_a_daemon_members_find_nothing(office):
    office.stop()
    r = as_user(office, 1, "find", "giraffe")
    assert r.returncode == 3 and "giraffe" not in r.stdout
