"""organizer find: what is filed is found, by those who may read it."""
import json
import os
import subprocess

import pytest

from conftest import EXE, NOBODY, need_root, pdf


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
    assert "nothing found" in r.stdout and r.stderr == ""


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
        r = subprocess.run([str(EXE), "find", *words], cwd=smith.path, env=smith.env, timeout=60,
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


# ---- who may ask -------------------------------------------------------------------------------------

def as_nobody(cabinet, *args):
    """The verb as a user who shares nothing with the daemon but the group 4242."""
    return subprocess.run(["setpriv", f"--reuid={NOBODY}", "--regid=4242", "--clear-groups", str(EXE),
                           *args], cwd="/", env=cabinet.env, capture_output=True, timeout=60)


def test_without_a_daemon_others_find_nothing(smith):
    need_root()
    smith.drop("Smith_Divorce/Ours", "zebra.pdf")
    smith.sync()
    smith.stop()
    for folder in (smith.base, *smith.base.parents):
        if str(folder).startswith("/tmp/"):
            folder.chmod(folder.stat().st_mode | 0o755)
    r = as_nobody(smith, "find", "zebra", "-C", str(smith.path))
    assert r.returncode == 3 and b"zebra" not in r.stdout
