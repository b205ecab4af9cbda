"""Cases under rough hands: deleted while the daemon runs, restored, restricted, opened twice."""
import os
import shutil
import subprocess

import pytest

from conftest import need_root, need_tool, pdf, sha256, wait_until


def fill(cabinet, case, n=30):
    for i in range(n):
        cabinet.drop(f"{case}/Inbox", f"letter 2026-03-02 note{i}.pdf", pdf(f"{case} {i}"))
    cabinet.sync()


def attention(cabinet):
    p = cabinet.path / "Needs attention.txt"
    return p.read_text("utf-8-sig") if p.exists() else ""


# -- deleting a case ------------------------------------------------------------------------------

@pytest.mark.parametrize("round", range(3))
def test_a_case_folder_that_is_deleted_stays_away(smith, round):
    fill(smith, "Smith_Divorce")
    r = subprocess.run(["rm", "-r", smith.path / "Smith_Divorce"], capture_output=True, text=True)
    assert (r.returncode, r.stderr) == (0, "")
    smith.sync()
    smith.run("sweep", smith.path)
    assert not (smith.path / "Smith_Divorce").exists()
    assert "Smith_Divorce was here and is gone" in attention(smith)
    assert "case folder is gone" in smith.log_text() or "card of the case is gone" in smith.log_text()


@pytest.mark.parametrize("first, last", [
    (".organizer", "Case.txt"), ("Index.csv", "Case.txt"), ("Index.html", "Case.txt"), ("Index.csv", "Inbox"),
    ("Correspondence", "Case.txt"), ("Inbox", "Correspondence"), (".organizer", "Index.html")])
def test_a_case_folder_that_is_deleted_slowly_stays_away(smith, first, last):
    """Whatever goes first, and however long it takes: nothing that went comes back meanwhile."""
    fill(smith, "Smith_Divorce", 2)
    smith.drop("Smith_Divorce/Inbox", "scan0001.pdf")
    smith.sync()
    case = smith.path / "Smith_Divorce"
    names = sorted(os.listdir(case), key=lambda n: (n == last, n != first, n))
    assert {first, last} <= set(names)
    for i, name in enumerate(names):
        p = case / name
        if not p.exists():  # "Needs attention.txt": nothing does any more
            continue
        shutil.rmtree(p) if p.is_dir() else p.unlink()
        smith.sync()
        back = set(os.listdir(case)) & set(names[:i + 1])
        assert not back, f"{back} came back when {name} was removed"
    case.rmdir()
    smith.sync()
    assert not case.exists()
    assert "Smith_Divorce was here and is gone" in attention(smith)


def test_a_case_that_loses_its_card_first_is_no_new_case(smith):
    fill(smith, "Smith_Divorce", 3)
    case = smith.path / "Smith_Divorce"
    documents = {p for p in case.rglob("*.pdf")}
    (case / "Case.txt").unlink()
    shutil.rmtree(case / ".organizer")
    shutil.rmtree(case / "Inbox")
    (case / "Index.html").unlink()
    smith.sync()
    smith.run("sweep", smith.path)
    assert {p for p in case.rglob("*") if p.is_file()} == documents | {case / "Index.csv"}
    assert not (case / ".organizer").exists() and not (case / "Inbox").exists()
    assert "Case.txt was here and is gone" in attention(smith)
    shutil.rmtree(case)
    smith.sync()
    assert not case.exists()


def test_a_case_taken_away_and_put_back_goes_on_with_its_history(smith, tmp_path):
    fill(smith, "Smith_Divorce", 3)
    before = smith.journal("Smith_Divorce")
    shutil.move(smith.path / "Smith_Divorce", tmp_path / "away")
    smith.sync()
    assert "Smith_Divorce was here and is gone" in attention(smith)
    shutil.move(tmp_path / "away", smith.path / "Smith_Divorce")
    smith.sync()
    assert "is gone" not in attention(smith)
    assert smith.journal("Smith_Divorce")[:len(before)] == before
    assert "tampered" not in smith.log_text()
    smith.drop("Smith_Divorce/Inbox", "order 2026-04-01.pdf", pdf("later"))
    smith.sync()
    smith.assert_in_order([pdf("later"), pdf("Smith_Divorce 0")])


def test_new_makes_a_case_again_where_one_was_deleted(smith):
    shutil.rmtree(smith.path / "Smith_Divorce")
    smith.sync()
    smith.run("new", "Smith", "Divorce", "-C", smith.path)
    assert smith.kinds("Smith_Divorce") == ["opened"]


def test_a_new_folder_becomes_a_case_when_it_was_quiet(cabinet):
    cabinet.configure("settle: 2s\nmode: enforce\n")
    cabinet.start()
    folder = cabinet.path / "Jones_Probate"
    folder.mkdir()
    cabinet.sync()
    assert os.listdir(folder) == []
    wait_until(lambda: (folder / "Case.txt").exists() and (folder / "Inbox").is_dir())
    cabinet.sync()
    assert cabinet.kinds("Jones_Probate") == ["opened"]


# -- one writer -----------------------------------------------------------------------------------

def test_a_second_organizer_with_another_private_state_is_refused(smith, tmp_path):
    other = {"STATE_DIRECTORY": str(tmp_path / "other")}
    smith.drop("Smith_Divorce/Drafts", "letter 2026-03-02.pdf")
    for verb in (["sweep", smith.path], ["sync", smith.path], ["watch", smith.path],
                 ["new", "Jones", "Probate", "-C", smith.path], ["status", smith.path]):
        r = smith.run(*verb, env=other, status=3)
        assert "another organizer" in r.stderr and str(smith.process.pid) in r.stderr, verb
        assert "STATE_DIRECTORY" in r.stderr
    assert not (smith.path / "Jones_Probate").exists()


def test_who_runs_the_other_organizer_is_said(of_nobody, tmp_path):
    need_root()
    for p in (of_nobody.path / ".organizer", *(of_nobody.path / ".organizer").iterdir()):
        os.chown(p, 0, 0)
    of_nobody.start()
    of_nobody.prefix = []
    r = of_nobody.run("sweep", of_nobody.path, env={"STATE_DIRECTORY": str(tmp_path / "root")},
                      status=3)
    assert "sudo -u nobody organizer" in r.stderr and str(of_nobody.process.pid) in r.stderr


def test_verbs_that_only_read_need_no_lock(smith, tmp_path):
    fill(smith, "Smith_Divorce", 1)
    other = {"STATE_DIRECTORY": str(tmp_path / "other")}
    smith.run("check", smith.path, env=other)
    smith.run("plan", "-C", smith.path, env=other)
    smith.run("log", "-C", smith.path, env=other)
    smith.run("log", "Smith_Divorce", "-C", smith.path)
    smith.run("verify", "-C", smith.path)


def test_the_lock_ends_with_its_holder(smith, tmp_path):
    smith.stop()
    smith.run("sweep", smith.path, env={"STATE_DIRECTORY": str(tmp_path / "other")})
    smith.run("sweep", smith.path)


# -- copied and restored cabinets -----------------------------------------------------------------

def with_an_old_folder(cabinet):
    """A cabinet in which a folder named like a case was there before `init`."""
    shutil.rmtree(cabinet.path)
    (cabinet.path / "Old_Divorce").mkdir(parents=True)
    (cabinet.path / "Old_Divorce" / "will.pdf").write_bytes(pdf("will"))
    return cabinet.init()


@pytest.mark.parametrize("copy", ["-a", "-r"])
@pytest.mark.parametrize("state", ["kept", "lost"])
def test_old_folders_of_a_copied_cabinet_are_not_new(cabinet, copy, state):
    with_an_old_folder(cabinet).start()
    assert not (cabinet.path / "Old_Divorce/Case.txt").exists()
    cabinet.stop()
    os.rename(cabinet.path, cabinet.base / "before")
    subprocess.run(["cp", copy, cabinet.base / "before", cabinet.path], check=True)
    if state == "lost":
        shutil.rmtree(cabinet.state)
    for _ in range(2):
        cabinet.start()
        cabinet.run("check", cabinet.path, status=None)
        cabinet.stop()
        assert os.listdir(cabinet.path / "Old_Divorce") == ["will.pdf"]
    (cabinet.path / "New_Probate").mkdir()
    cabinet.start()
    assert cabinet.kinds("New_Probate") == ["opened"]
    assert os.listdir(cabinet.path / "Old_Divorce") == ["will.pdf"]


def test_an_id_of_one_line_is_still_good(cabinet):
    f = cabinet.path / ".organizer/cabinet-id"
    f.write_text(f.read_text()[:33])
    cabinet.start()
    (cabinet.path / "New_Probate").mkdir()
    cabinet.sync()
    assert cabinet.kinds("New_Probate") == ["opened"]


# -- verify, check and status know of whole cases ---------------------------------------------------

def whats(cabinet, *args):
    return [(f["case"], f["what"]) for f in cabinet.json("verify", *args, "-C", cabinet.path)
            if "what" in f]


@pytest.mark.parametrize("taken", ["", "Case.txt"])
def test_verify_finds_a_missing_case(smith, taken):
    fill(smith, "Smith_Divorce", 2)
    smith.stop()
    (smith.path / "Smith_Divorce" / taken).rename(smith.base / "taken")
    r = smith.run("verify", smith.path, status=1)
    assert "Smith_Divorce: missing: the folder of this case" in r.stdout
    assert whats(smith) == [("Smith_Divorce", "missing")]
    assert whats(smith, "Smith_Divorce") == [("Smith_Divorce", "missing")]
    smith.run("verify", "Jones_Probate", "-C", smith.path, status=3)
    (smith.base / "taken").rename(smith.path / "Smith_Divorce" / taken)
    smith.run("verify", smith.path, status=0)


def test_verify_finds_a_case_that_was_moved_where_it_is_now(smith):
    fill(smith, "Smith_Divorce", 2)
    smith.stop()
    (smith.path / "Closed").mkdir()
    (smith.path / "Smith_Divorce").rename(smith.path / "Closed/Smith_Divorce")
    r = smith.run("verify", smith.path, status=0)
    assert "Closed/Smith_Divorce: 2 documents, in order" in r.stdout


def test_verify_check_and_status_find_a_missing_journal(smith):
    fill(smith, "Smith_Divorce", 2)
    smith.stop()
    (smith.path / "Smith_Divorce/.organizer/journal.jsonl").unlink()
    assert ("Smith_Divorce", "journal") in whats(smith)
    smith.run("verify", smith.path, status=1)
    assert [f["reason"] for f in smith.json("check", smith.path)] == ["tampered"]
    smith.run("check", smith.path, status=1)
    smith.run("status", smith.path, status=1)


def test_check_and_status_count_an_edited_journal(smith):
    fill(smith, "Smith_Divorce", 2)
    smith.stop()
    smith.run("check", smith.path, status=0)
    smith.run("status", smith.path, status=0)
    j = smith.path / "Smith_Divorce/.organizer/journal.jsonl"
    j.write_bytes(j.read_bytes().replace(b'"opened"', b'"0pened"'))
    assert [f["reason"] for f in smith.json("check", smith.path)] == ["tampered"]
    assert smith.status()["notices"] == 1
    smith.run("status", smith.path, status=1)


def test_check_and_status_count_a_missing_case(smith):
    smith.stop()
    shutil.rmtree(smith.path / "Smith_Divorce")
    assert [(f["reason"], f["path"]) for f in smith.json("check", smith.path)] == \
        [("missing", "Smith_Divorce")]
    smith.run("check", smith.path, status=1)
    smith.run("status", smith.path, status=1)
    assert smith.status()["notices"] == 1


# -- status without a daemon ------------------------------------------------------------------------

def everything(folder):
    return {str(p): (p.lstat().st_mtime_ns, p.lstat().st_ctime_ns, p.lstat().st_ino)
            for p in folder.rglob("*")}


def everything_but(state):
    return {p: t for p, t in everything(state).items() if "state.db-" not in p}


def test_status_without_a_daemon_changes_nothing(smith):
    fill(smith, "Smith_Divorce", 2)
    smith.stop()
    smith.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf")
    (smith.path / "Jones_Probate").mkdir()
    # The state's own folder gets and loses SQLite's shared memory when it is read.
    state = next(smith.state.iterdir())
    before = everything(smith.path), everything_but(state)
    r = smith.run("status", smith.path, status=0)
    assert "no daemon runs here" in r.stdout and "2 documents in 1 case" in r.stdout
    assert (everything(smith.path), everything_but(state)) == before
    assert smith.status()["watching"] is False


def test_status_without_a_daemon_says_that_something_needs_attention(smith):
    smith.drop("Smith_Divorce/Inbox", "scan0001.pdf")
    smith.sync()
    smith.stop()
    smith.run("status", smith.path, status=1)
    assert smith.status()["listed"] == 1


def test_status_before_anything_ran(cabinet):
    assert cabinet.status()["documents"] == 0


# -- restricted cases -------------------------------------------------------------------------------

def front(cabinet):
    return (cabinet.path / "Index.html").read_text("utf-8")


@pytest.mark.parametrize("how", ["chmod", "setfacl"])
@pytest.mark.parametrize("where", ["Adams_Probate", "Closed"])
def test_a_case_that_is_closed_to_others_goes_from_the_index_at_once(running, how, where):
    running.path.chmod(0o755)
    case = running.path / ("Closed/Adams_Probate" if where == "Closed" else where)
    case.mkdir(parents=True)
    running.sync()
    assert "Adams_Probate" in front(running)
    if how == "chmod":
        os.chmod(running.path / where, 0o700)
    else:
        need_tool("setfacl")
        subprocess.run(["setfacl", "-m", "o::---,g::---", running.path / where], check=True)
    running.sync()
    assert "Adams_Probate" not in front(running)
    os.chmod(running.path / where, 0o755)
    running.sync()
    assert "Adams_Probate" in front(running)
