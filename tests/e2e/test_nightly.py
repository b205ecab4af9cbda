"""The night: what it does, what it says, how it goes on, and what becomes of closed cases then."""
import contextlib
import datetime
import json
import os
import shutil
import sqlite3
import subprocess
import zipfile

import pytest

from conftest import EXE, sha256_file
from test_closing import LETTER, card, write_card
from test_hooks import listen, script, told

BASE = "settle: 0s\ndrafts: 0s\ndate_order: mdy\ntime_zone: UTC\nmode: enforce\n"


def night(cabinet, *args, status=0, env=None):
    r = cabinet.run("nightly", cabinet.path, "--json", *args, status=status, env=env)
    return [json.loads(line) for line in r.stdout.splitlines() if line.startswith("{")]


def archives(cabinet):
    return sorted(p.name for p in (cabinet.path / "Archive").glob("*.zip"))


def is_whole(cabinet, name):
    """The archive is what its .sha256 and the journal say, and a ZIP without a fault."""
    path = cabinet.path / "Archive" / name
    assert (cabinet.path / "Archive" / (name + ".sha256")).read_text().split()[0] == sha256_file(path)
    with zipfile.ZipFile(path) as z:
        assert z.testzip() is None
    return sha256_file(path)


def journaled(cabinet, case, kind):
    return [line for line in cabinet.journal(case) if line["kind"] == kind]


def make_closed(cabinet, client, case_type="Divorce"):
    case = cabinet.new(client, case_type)
    cabinet.drop(f"{case.name}/Inbox", LETTER)
    cabinet.sync()
    cabinet.run("close", case.name, "-C", cabinet.path)
    return case


@pytest.fixture
def closed(running):
    """A running cabinet with a closed case and an open one."""
    make_closed(running, "Smith")
    running.new("Jones", "Probate")
    return running


# ---- what it does -----------------------------------------------------------------------------------

def test_a_night_archives_what_is_closed(closed):
    (r,) = night(closed)
    assert (r["cases"], r["verified"], r["archived"], r["failed"]) == (2, 2, 1, 0), r
    (name,) = archives(closed)
    assert name.startswith("Smith_Divorce_Archive_")
    assert journaled(closed, "Smith_Divorce", "archived")[-1]["archive_sha256"] == is_whole(closed, name)
    assert not journaled(closed, "Jones_Probate", "archived")


def test_the_next_night_finds_nothing_to_archive(closed):
    night(closed)
    (r,) = night(closed)
    assert (r["archived"], r["unchanged"], r["failed"]) == (0, 1, 0), r
    assert len(archives(closed)) == 1


def test_what_changed_since_is_archived_again(closed):
    night(closed)
    closed.drop("Smith_Divorce/My notes", "late.txt", b"late\n")
    closed.sync()
    (r,) = night(closed)
    assert r["archived"] == 1 and len(archives(closed)) == 2


def test_an_archive_that_was_removed_is_made_again_and_told(closed):
    night(closed)
    (name,) = archives(closed)
    (closed.path / "Archive" / name).unlink()
    (r,) = night(closed, status=1)
    assert r["archived"] == 1 and "removed" in r["failures"][0]["why"]
    assert len(archives(closed)) == 1


def test_a_night_works_without_a_daemon(closed):
    closed.stop()
    (r,) = night(closed)
    assert r["archived"] == 1 and archives(closed)


def test_a_dry_run_only_tells(closed):
    r = closed.run("nightly", closed.path, "--dry-run")
    assert "would archive Smith_Divorce\n" in r.stdout and "would verify Jones_Probate\n" in r.stdout
    assert not archives(closed)
    assert "last_night" not in closed.status()


def test_open_cases_are_archived_when_snapshots_are_asked_for(closed):
    closed.configure(BASE + "snapshots: nightly\n")
    closed.run("reload", closed.path)
    (r,) = night(closed)
    assert r["archived"] == 2
    (r,) = night(closed)
    assert (r["archived"], r["unchanged"]) == (0, 2), "nothing changed"


def test_weekly_snapshots_wait_a_week(closed):
    closed.configure(BASE + "snapshots: weekly\n")
    closed.run("reload", closed.path)
    assert night(closed)[0]["archived"] == 2
    closed.drop("Jones_Probate/Inbox", "letter 3-3-26.pdf")
    closed.sync()
    closed.stop()
    assert night(closed, env={"ORGANIZER_CLOCK": str(3 * 86400)})[0]["archived"] == 0
    assert night(closed, env={"ORGANIZER_CLOCK": str(7 * 86400)})[0]["archived"] == 1


def snapshots_of_jones(cabinet, n, **more):
    """So many nights, in each of which the open case changed."""
    cabinet.stop()
    for i in range(n):
        cabinet.drop("Jones_Probate/Notes of ours", f"{i}.txt", f"{i}\n".encode())
        night(cabinet, env={"ORGANIZER_CLOCK": str((i + 1) * 86400)})
    return [a for a in archives(cabinet) if a.startswith("Jones")]


def test_keep_prunes_the_oldest_intermediate_ones(closed):
    closed.configure(BASE + "snapshots: nightly\nkeep: 2\n")
    left = snapshots_of_jones(closed, 4)
    assert len(left) == 2 and len(archives(closed)) == 3, archives(closed)
    pruned = journaled(closed, "Jones_Probate", "pruned")
    made = journaled(closed, "Jones_Probate", "archived")
    assert [p["archive_sha256"] for p in pruned] == [m["archive_sha256"] for m in made[:2]]
    for name in left:
        is_whole(closed, name)
    assert not [p for p in (closed.path / "Archive").glob("*.sha256")
                if not (p.parent / p.name[:-7]).exists()]


def test_a_hold_prunes_nothing(closed):
    closed.configure(BASE + "snapshots: nightly\nkeep: 1\n")
    write_card(closed, closed.path / "Jones_Probate", "Hold: litigation")
    assert len(snapshots_of_jones(closed, 3)) == 3


def test_a_closed_case_is_never_pruned(closed):
    closed.configure(BASE + "snapshots: nightly\nkeep: 1\n")
    closed.run("close", "Jones_Probate", "-C", closed.path, "--force")
    assert len(snapshots_of_jones(closed, 3)) == 3


def test_what_is_not_what_was_written_is_not_removed(closed):
    closed.configure(BASE + "snapshots: nightly\nkeep: 9\n")
    first = snapshots_of_jones(closed, 2)[0]
    with open(closed.path / "Archive" / first, "ab") as f:
        f.write(b"mine")
    closed.configure(BASE + "snapshots: nightly\nkeep: 1\n")
    (r,) = night(closed, env={"ORGANIZER_CLOCK": str(3 * 86400)}, status=1)
    assert "not what was written" in r["failures"][0]["why"]
    assert (closed.path / "Archive" / first).exists()


# ---- verify -----------------------------------------------------------------------------------------

def rot(cabinet, path):
    """Changes a byte as a failing disk does: nothing that a look could see."""
    data = bytearray(path.read_bytes())
    data[-2] ^= 1
    st = path.stat()
    path.write_bytes(data)
    os.utime(path, ns=(st.st_atime_ns, st.st_mtime_ns))
    # no disk tells of its own errors by a new time of change
    with contextlib.closing(sqlite3.connect(next(cabinet.state.rglob("state.db")))) as db:
        n = db.execute("UPDATE docs SET ctime=?, read=? WHERE ino=?",
                       (path.stat().st_ctime_ns, path.stat().st_ctime_ns + 10**10,
                        path.stat().st_ino)).rowcount
        db.commit()
    assert n == 1


def letter_of(cabinet):
    return next((cabinet.path / "Smith_Divorce").rglob("Smith_Divorce_ClosingLetter*.pdf"))


def test_bytes_that_changed_unseen_are_told_and_stay_told(closed):
    listen(closed, "integrity")
    letter = letter_of(closed)
    good = letter.read_bytes()
    closed.stop()
    rot(closed, letter)
    (r,) = night(closed, status=1)
    assert (r["findings"], r["not_archived"]) == (1, 1) and r["archived"] == 0, r
    told_of = (closed.path / "Smith_Divorce" / "Needs attention.txt").read_text()
    assert "not what it was when it was filed" in told_of and letter.name in told_of
    closed.start()
    closed.sync()
    night(closed, status=1)
    closed.sync()
    assert "not what it was" in (closed.path / "Smith_Divorce" / "Needs attention.txt").read_text()
    # the copy from the backup ends it
    letter.write_bytes(good)
    closed.sync()
    (r,) = night(closed)
    assert r["findings"] == 0 and r["archived"] == 1
    closed.sync()
    assert not (closed.path / "Smith_Divorce" / "Needs attention.txt").exists()
    closed.stop()
    assert [e["reason"] for e in told(closed, "integrity")] == ["changed-unread"]


# ---- who needs to know ------------------------------------------------------------------------------

def test_the_hook_gets_what_came_of_it(closed):
    listen(closed, "nightly")
    closed.run("reload", closed.path)
    night(closed)
    closed.stop()
    (e,) = told(closed, "nightly")
    assert e["event"] == "nightly" and e["archived"] == 1 and e["failures"] == []
    assert e["cabinet"] == str(closed.path) and e["began"] <= e["at"]


def test_a_case_that_cannot_be_archived_is_told_everywhere(closed):
    listen(closed, "nightly")
    closed.run("reload", closed.path)
    shutil.rmtree(closed.path / "Archive")
    (closed.path / "Archive").write_text("a file is in the way")
    (r,) = night(closed, status=1)
    assert (r["failed"], r["not_archived"]) == (1, 1) and r["failures"][0]["case"] == "Smith_Divorce"
    closed.sync()
    assert "could not be archived" in (closed.path / "Smith_Divorce/Needs attention.txt").read_text()
    s = closed.run("status", closed.path, status=1)
    assert "1 not in order" in s.stdout
    (closed.path / "Archive").unlink()
    assert night(closed)[0]["archived"] == 1
    closed.sync()
    assert not (closed.path / "Smith_Divorce/Needs attention.txt").exists()
    closed.stop()
    assert [e["failed"] for e in told(closed, "nightly")] == [1, 0]


def test_status_tells_of_the_last_night_and_the_next(closed):
    night(closed)
    s = closed.status()
    assert s["last_night"]["archived"] == 1 and s["next_night"].endswith("T03:30:00.000000Z")
    text = closed.run("status", closed.path, status=None).stdout
    assert "last night" in text and "next night" in text
    assert "1 case is closed, 1 archived, 0 retired\n" in text
    retire(closed)
    assert [closed.status()[k] for k in ("closed", "archived", "retired")] == [1, 1, 1]
    closed.stop()
    s = closed.status()
    assert s["last_night"]["archived"] == 1
    assert [s[k] for k in ("closed", "archived", "retired")] == [1, 1, 1]


def test_the_index_links_the_archive(closed):
    night(closed)
    closed.sync()
    (name,) = archives(closed)
    page = (closed.path / "Index.html").read_text()
    assert f"Archive/{name}" in page and "Last night" in page and "Next night" in page


# ---- when -------------------------------------------------------------------------------------------

def wait_for_night(cabinet, n=1):
    """The daemon's own night has no waiter: status tells when it is over."""
    for _ in range(3000):
        cabinet.sync()
        s = cabinet.status()
        if not s["night_under_way"] and "last_night" in s and len(told(cabinet, "nightly")) >= n:
            return s
    raise AssertionError("no night came:\n" + cabinet.log_text())


def test_a_missed_night_is_caught_up_at_the_start(closed):
    listen(closed, "nightly")
    night(closed)
    closed.stop()
    assert len(told(closed, "nightly")) <= 1
    before = len(told(closed, "nightly"))
    make = closed.path / "Smith_Divorce/My notes"
    make.mkdir()
    (make / "late.txt").write_text("late\n")
    closed.start(env={"ORGANIZER_CLOCK": str(86400)})
    wait_for_night(closed, before + 1)
    assert len(archives(closed)) == 2


def test_a_new_cabinet_has_missed_no_night(running):
    listen(running, "nightly")
    running.run("reload", running.path)
    running.sync()
    running.stop()
    running.start()
    running.sync()
    assert not running.status()["night_under_way"] and "last_night" not in running.status()


def test_the_night_comes_at_its_time(cabinet):
    """The clock stands a second before it."""
    listen(cabinet, "nightly")
    now = datetime.datetime.now(datetime.timezone.utc)
    at = now.replace(hour=3, minute=30, second=0, microsecond=0)
    if at <= now:
        at += datetime.timedelta(days=1)
    shift = int((at - now).total_seconds()) - 2
    cabinet.start(env={"ORGANIZER_CLOCK": str(shift)})
    wait_for_night(cabinet)


def test_never_means_never(closed):
    closed.configure(BASE + "nightly: never\n")
    closed.run("reload", closed.path)
    assert "next_night" not in closed.status()
    night(closed)
    closed.stop()
    closed.start(env={"ORGANIZER_CLOCK": str(5 * 86400)})
    closed.sync()
    assert not closed.status()["night_under_way"]


def test_a_night_that_was_cut_off_goes_on(closed):
    """Killed while it verifies: what was verified is not read again, all is archived in the end."""
    for name in ("Adams", "Baker", "Clark"):
        make_closed(closed, name)
    closed.stop()
    # the last case holds the night up: a document that takes a while to read
    slow = closed.path / "Smith_Divorce" / "My films" / "film.bin"
    slow.parent.mkdir()
    with open(slow, "wb") as f:
        f.truncate(768 << 20)
    closed.run("sweep", closed.path)
    p = subprocess.Popen([str(EXE), "nightly", str(closed.path)], env=closed.env,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seen = set()
    while len(seen) < 3 and p.poll() is None:
        try:
            db = sqlite3.connect(f"file:{next(closed.state.rglob('state.db'))}?mode=ro", uri=True)
            seen = {r[0] for r in db.execute(
                "SELECT name FROM small WHERE name LIKE 'night.verified.%'")}
            db.close()
        except sqlite3.OperationalError:
            pass
    assert p.poll() is None, "it was over too soon to be cut off"
    p.kill()
    p.wait()
    slow.unlink()
    (r,) = night(closed)
    assert r["resumed"] >= 3 and r["archived"] == 4, r
    assert len(archives(closed)) == 4
    (r,) = night(closed)
    assert r["resumed"] == 0 and r["verified"] == 5


# ---- retiring ---------------------------------------------------------------------------------------

def retire(cabinet, *args, status=0):
    return cabinet.run("retire", "Smith_Divorce", "-C", cabinet.path, *args, status=status)


def year(cabinet):
    return subprocess.run(["date", "-u", "+%Y"], capture_output=True, text=True).stdout.strip()


def test_retire_moves_the_case_to_closed(closed):
    night(closed)
    before = {p.split("/", 1)[1]: d for p, d in closed.documents("Smith_Divorce").items()}
    r = retire(closed)
    where = f"Closed/{year(closed)}/Smith_Divorce"
    assert r.stdout == f"Smith_Divorce is retired: {where}\n"
    closed.sync()
    assert not (closed.path / "Smith_Divorce").exists()
    assert {p[len(where) + 1:]: d for p, d in closed.documents(where).items()} == before
    assert [line["kind"] for line in closed.journal(where)][-2:] == ["verified", "retired"]
    assert not (closed.path / "Needs attention.txt").exists()
    # it is the same case: nothing new in its journal, its pages go with it, verify is content
    assert "case-renamed" not in closed.kinds(where) and "removed" not in closed.kinds(where)
    closed.run("verify", closed.path)
    page = (closed.path / "Index.html").read_text()
    assert f"{where}/Index.html" in page.split('id="retired"')[1]
    assert archives(closed)[0] in page.split('id="retired"')[1]
    (r,) = night(closed)
    assert (r["archived"], r["unchanged"], r["failed"]) == (0, 1, 0), r


def test_a_retired_case_is_known_after_a_restart(closed):
    night(closed)
    retire(closed)
    closed.stop()
    closed.start()
    closed.sync()
    where = f"Closed/{year(closed)}/Smith_Divorce"
    assert "case-renamed" not in closed.kinds(where) and closed.kinds(where)[-1] == "retired"
    late = closed.drop(f"{where}/Inbox", "letter 3-3-26.pdf")
    closed.sync()
    assert late.exists(), "nothing is filed in it"
    assert "closed case" in (closed.path / where / "Needs attention.txt").read_text()


def test_reopen_moves_it_back(closed):
    night(closed)
    retire(closed)
    r = closed.run("reopen", "Smith_Divorce", "-C", closed.path)
    assert r.stdout == "Smith_Divorce is open again\n"
    closed.sync()
    assert (closed.path / "Smith_Divorce").is_dir()
    assert closed.kinds("Smith_Divorce")[-2:] == ["unretired", "reopened"]
    doc = closed.drop("Smith_Divorce/Inbox", "letter 3-3-26.pdf")
    closed.sync()
    assert not doc.exists()


def test_a_case_in_a_folder_of_its_own_moves_back_there(closed):
    (closed.path / "Family").mkdir()
    (closed.path / "Smith_Divorce").rename(closed.path / "Family/Smith_Divorce")
    closed.sync()
    night(closed)
    retire(closed)
    assert (closed.path / f"Closed/{year(closed)}/Smith_Divorce").is_dir()
    closed.stop()
    shutil.rmtree(closed.state)  # the journal tells where it lay
    closed.start()
    closed.sync()
    closed.run("reopen", "Smith_Divorce", "-C", closed.path)
    assert (closed.path / "Family/Smith_Divorce/Case.txt").exists()


def test_reopen_never_moves_it_onto_another(closed):
    night(closed)
    retire(closed)
    (closed.path / "Smith_Divorce").mkdir()
    r = closed.run("reopen", f"Closed/{year(closed)}/Smith_Divorce", "-C", closed.path, status=3)
    assert "already" in r.stderr
    assert (closed.path / f"Closed/{year(closed)}/Smith_Divorce/Case.txt").exists()


@pytest.mark.parametrize("lines,words", [(["Hold: litigation"], "on hold")])
def test_a_hold_keeps_it_where_it_is(closed, lines, words):
    night(closed)
    write_card(closed, closed.path / "Smith_Divorce", *lines)
    assert words in retire(closed, status=3).stderr
    assert (closed.path / "Smith_Divorce").is_dir()


def test_what_is_not_closed_or_not_archived_is_not_retired(closed):
    assert "no archive" in retire(closed, status=3).stderr
    closed.run("reopen", "Smith_Divorce", "-C", closed.path)
    assert "not closed" in retire(closed, status=3).stderr


def test_a_damaged_archive_keeps_the_case_where_it_is(closed):
    night(closed)
    (name,) = archives(closed)
    with open(closed.path / "Archive" / name, "r+b") as f:
        f.seek(200)
        b = f.read(1)
        f.seek(200)
        f.write(bytes([b[0] ^ 1]))
    assert "not what was written" in retire(closed, status=3).stderr
    assert (closed.path / "Smith_Divorce").is_dir()


def test_an_open_document_keeps_the_case_where_it_is(closed):
    night(closed)
    with open(letter_of(closed), "ab"):
        assert "is open" in retire(closed, status=3).stderr
    retire(closed)


def test_retire_only_tells_in_a_dry_run(closed):
    night(closed)
    assert "would be retired" in retire(closed, "--dry-run").stdout
    assert (closed.path / "Smith_Divorce").is_dir()


def test_the_night_retires_when_the_time_has_come(closed):
    closed.configure(BASE + "retire: 30d\n")
    closed.stop()
    assert night(closed, env={"ORGANIZER_CLOCK": str(29 * 86400)})[0]["retired"] == 0
    assert night(closed, env={"ORGANIZER_CLOCK": str(31 * 86400)})[0]["retired"] == 1
    assert (closed.path / f"Closed/{year(closed)}/Smith_Divorce").is_dir()


def test_a_case_folder_that_goes_away_without_an_archive_is_loud(closed):
    listen(closed, "integrity")
    closed.run("reload", closed.path)
    shutil.rmtree(closed.path / "Jones_Probate")
    closed.sync()
    assert "Jones_Probate" in (closed.path / "Needs attention.txt").read_text()
    for _ in range(1000):
        closed.run("sweep", closed.path)
        missing = [e for e in told(closed, "integrity") if e["reason"] == "missing"]
        if missing:
            break
    assert [e["case"] for e in missing] == ["Jones_Probate"]
    closed.run("sweep", closed.path)
    closed.stop()
    assert [e["reason"] for e in told(closed, "integrity")].count("missing") == 1


def test_a_case_folder_that_goes_away_with_its_archive_is_kept_in_the_index(closed):
    listen(closed, "integrity")
    night(closed)
    (name,) = archives(closed)
    shutil.rmtree(closed.path / "Smith_Divorce")
    closed.sync()
    closed.run("sweep", closed.path)
    closed.sync()
    assert not (closed.path / "Needs attention.txt").exists()
    assert f"Archive/{name}" in (closed.path / "Index.html").read_text()
    closed.stop()
    assert "missing" not in [e["reason"] for e in told(closed, "integrity")]


# ---- off the server ---------------------------------------------------------------------------------

def test_the_archived_hook_gets_path_and_digest(closed):
    listen(closed, "archived")
    closed.run("reload", closed.path)
    (r,) = night(closed)
    assert r["sent"] == 1
    (name,) = archives(closed)
    (e,) = told(closed, "archived")
    assert e["path"] == str(closed.path / "Archive" / name)
    assert e["sha256"] == is_whole(closed, name) and not e["again"] and not e["intermediate"]
    night(closed)
    assert len(told(closed, "archived")) == 1, "once taken, it is not offered again"


def test_an_archive_is_offered_until_it_is_taken(closed):
    flag = closed.base / "server is up"
    script(closed.hooks / "archived" / "send",
           f"cat >>{closed.base}/archived.told; [ -e '{flag}' ] || exit 75")
    closed.run("reload", closed.path)
    (r,) = night(closed, status=1)
    assert r["sent"] == 0 and r["failures"][0]["step"] == "send"
    flag.touch()
    (r,) = night(closed)
    assert r["sent"] == 1
    assert [e["again"] for e in told(closed, "archived")] == [False, True]


def test_an_archive_made_by_hand_is_sent_at_once(closed):
    listen(closed, "archived")
    closed.run("reload", closed.path)
    closed.run("archive", "Smith_Divorce", "-C", closed.path)
    closed.sync()
    closed.stop()
    assert len(told(closed, "archived")) == 1


# ---- a whole office ---------------------------------------------------------------------------------

def test_a_night_over_fifty_closed_cases_leaves_fifty_verified_archives(cabinet):
    """By the README's own words: folders named Client_CaseType are cases, "Status: closed" on their
    cards closes them, `organizer nightly` does the rest, stock tools check it."""
    cases = [f"Client{i:02d}_{t}" for i, t in enumerate(["Divorce", "Probate"] * 25)]
    for name in cases:
        (cabinet.path / name / "Inbox").mkdir(parents=True)
        cabinet.drop(f"{name}/Inbox", LETTER)
        cabinet.drop(f"{name}/Inbox", "letter 3-2-26.pdf")
    cabinet.run("sweep", cabinet.path)
    for name in cases:
        text = card(cabinet.path / name)
        (cabinet.path / name / "Case.txt").write_text(text.replace("Status: open", "Status: closed"),
                                                      newline="")
    (r,) = night(cabinet)
    assert (r["cases"], r["verified"], r["archived"], r["failed"]) == (50, 50, 50, 0), r
    found = archives(cabinet)
    assert len(found) == 50 and {a.rsplit("_Archive_", 1)[0] for a in found} == set(cases)
    done = subprocess.run(["sha256sum", "-c", "--quiet", *[a + ".sha256" for a in found]],
                          cwd=cabinet.path / "Archive", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for name in cases:
        (line,) = journaled(cabinet, name, "archived")
        assert line["archive_sha256"] == sha256_file(cabinet.path / line["archive"])
    cabinet.run("verify", *[cabinet.path / "Archive" / a for a in found])
    (r,) = night(cabinet)
    assert (r["archived"], r["unchanged"], r["failed"]) == (0, 50, 0), r
