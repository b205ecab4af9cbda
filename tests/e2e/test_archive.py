"""Snapshots: one file that anyone can open, made of what the journal says, proved from the disk."""
import contextlib
import hashlib
import json
import os
import pathlib
import pty
import re
import signal
import sqlite3
import stat
import subprocess
import sys
import time
import zipfile

import pytest

from archive_job import Job, is_whole, left
from conftest import EXE, Cabinet, NOBODY, TIMEOUT, docx, need_root, need_tool, pdf, sha256_file, wait_until

NOT_UTF8 = os.fsdecode(b"caf\xe9.txt")


def fill(cabinet, n=5):
    """A case with n filed documents and what else lies in folders."""
    case = cabinet.new("Smith", "Divorce")
    for i in range(n):
        cabinet.drop("Smith_Divorce/Inbox", f"letter {i} 2026-03-02.pdf", pdf(f"letter {i}"))
    cabinet.drop("Smith_Divorce/Evidence/Photos", "überführt 日本.txt", b"text " * 4000)
    (case / "Nothing here").mkdir()
    cabinet.run("sweep", cabinet.path)
    return case


def archives(cabinet):
    return sorted(p for p in (cabinet.path / "Archive").iterdir() if not p.name.endswith(".sha256"))


def make(cabinet, status=0):
    """`organizer archive` of the one case; what it says."""
    fact, = cabinet.json("archive", "Smith_Divorce", status=status)
    return fact


def unpack(archive, to):
    """With a stock tool; the top folder."""
    need_tool("unzip")
    subprocess.run(["unzip", "-q", archive, "-d", to], check=True)
    top, = to.iterdir()
    return top


def files(folder):
    return {str(p.relative_to(folder)): p for p in sorted(folder.rglob("*")) if p.is_file()}


def assert_same_documents(case, data):
    there, inside = files(case), files(data)
    assert set(there) == set(inside)
    for name, path in there.items():
        if name == ".organizer/journal.jsonl":
            assert path.read_bytes().startswith(inside[name].read_bytes())
        else:
            assert path.read_bytes() == inside[name].read_bytes(), name


def assert_checks(top):
    for manifest in ("manifest-sha256.txt", "tagmanifest-sha256.txt"):
        subprocess.run(["sha256sum", "-c", "--quiet", manifest], cwd=top, check=True)
    for manifest in ("manifest-sha512.txt", "tagmanifest-sha512.txt"):
        subprocess.run(["sha512sum", "-c", "--quiet", manifest], cwd=top, check=True)


def info(top):
    return dict(line.split(": ", 1) for line in (top / "bag-info.txt").read_text().splitlines())


def metadata(top):
    lines = (top / "organizer-metadata.jsonl").read_text().splitlines()
    head, *rest = [json.loads(line) for line in lines]
    assert head["format"] == "organizer-metadata" and head["v"] == 1 and head["about"]
    return {e["path"]: e for e in rest}


def change(case, text):
    """Edits a filed document as a program does; which."""
    document = sorted((case / "Correspondence").iterdir())[0]
    document.write_bytes(pdf(text))
    return document


# ---- what is in it, and how it opens ---------------------------------------------------------------

def test_unzip_and_sha256sum_suffice(cabinet, tmp_path):
    case = fill(cabinet)
    make(cabinet)
    archive, = archives(cabinet)
    assert re.fullmatch(r"Smith_Divorce_Archive_\d{4}-\d\d-\d\d\.zip", archive.name)
    subprocess.run(["sha256sum", "-c", archive.name + ".sha256"], cwd=archive.parent, check=True)
    top = unpack(archive, tmp_path / "out")
    assert top.name == archive.stem
    assert_checks(top)
    assert_same_documents(case, top / "data")
    assert (top / "data" / "Nothing here").is_dir()


@pytest.mark.parametrize("archive_format", ["zip", "tar.zst"])
def test_bsdtar_suffices(cabinet, tmp_path, archive_format):
    need_tool("bsdtar")
    cabinet.configure(cabinet.config_text + f"archive_format: {archive_format}\n")
    case = fill(cabinet)
    make(cabinet)
    archive, = archives(cabinet)
    assert archive.name.endswith("." + archive_format)
    (tmp_path / "out").mkdir()
    # Also from a pipe, which cannot be read backwards.
    with open(archive, "rb") as f:
        subprocess.run(["bsdtar", "-xf", "-", "-C", tmp_path / "out"], stdin=f, check=True)
    top, = (tmp_path / "out").iterdir()
    assert_checks(top)
    assert_same_documents(case, top / "data")


def test_the_index_says_where_in_the_lists_a_document_stands(cabinet, tmp_path):
    """Pieces of whole lines, one behind the other, each with its digest; stored, so that they can be read alone."""
    fill(cabinet)
    for i in range(400):
        cabinet.drop("Smith_Divorce/Exhibits", f"{i:03} {'of a long name ' * 10}.bin", b"%d" % i)
    cabinet.run("sweep")
    make(cabinet)
    archive, = archives(cabinet)
    top = unpack(archive, tmp_path / "out")
    pieces = [json.loads(line) for line in (top / "organizer-index.jsonl").read_text().splitlines()]
    for name, start in (("manifest-sha256.txt", b"  %s\n"), ("organizer-metadata.jsonl", b'{"path":"%s",')):
        data, at = (top / name).read_bytes(), 0
        mine = [p for p in pieces if p["file"] == name]
        assert len(mine) > 1
        for p in mine:
            piece = data[at:at + p["size"]]
            assert p["at"] == at and hashlib.sha256(piece).hexdigest() == p["sha256"] and piece.endswith(b"\n")
            assert start % p["first"].encode() in piece.splitlines(keepends=True)[0] or not p["first"]
            at += p["size"]
        assert at == len(data) and [p["first"] for p in mine] == sorted(p["first"] for p in mine)
    with zipfile.ZipFile(archive) as z:
        assert {i.filename.rpartition("/")[2] for i in z.infolist() if not i.compress_type and i.file_size > 65536} == \
            {"manifest-sha256.txt", "organizer-metadata.jsonl"}


def test_it_is_a_bag_with_all_that_belongs_to_one(cabinet, tmp_path):
    cabinet.configure(cabinet.config_text + "office: Smith & Partners\n")
    case = fill(cabinet)
    make(cabinet)
    archive, = archives(cabinet)
    top = unpack(archive, tmp_path / "out")
    assert (top / "bagit.txt").read_bytes() == b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
    about, inside = info(top), files(top / "data")
    assert about["Source-Organization"] == "Smith & Partners"
    assert about["External-Identifier"] == "Smith_Divorce"
    assert about["Bagging-Date"] == archive.stem[-10:]
    assert about["Payload-Oxum"] == f"{sum(p.stat().st_size for p in inside.values())}.{len(inside)}"
    assert about["Bag-Software-Agent"].startswith("organizer ")
    assert about["Organizer-Case"] == cabinet.journal("Smith_Divorce")[0]["case"]
    assert int(about["Organizer-Documents"]) == 6
    tags = {p.name for p in top.iterdir() if p.is_file()} - {"tagmanifest-sha256.txt",
                                                             "tagmanifest-sha512.txt"}
    listed = {line.split("  ")[1] for line in (top / "tagmanifest-sha256.txt").read_text().splitlines()}
    assert listed == tags
    readme = (top / "README.txt").read_bytes()
    for word in (b"Smith & Partners", b"Drag the document", b"sha256sum -c", b"\r\n", b"RFC 8493"):
        assert word in readme
    assert b"{" not in readme
    with zipfile.ZipFile(archive) as z:
        assert z.namelist()[0] == f"{top.name}/README.txt"
    assert inside["Case.txt"].read_bytes() == (case / "Case.txt").read_bytes()
    assert "Index.html" in inside and "Index.csv" in inside


def test_names_of_any_bytes_come_back(cabinet, tmp_path):
    case = fill(cabinet, 1)
    odd = ["50% off.txt", "two\nlines.txt", "back\\slash.txt", "😀.txt", "x" * 250 + ".txt", NOT_UTF8,
           "caf=E9.txt"]
    for name in odd:
        cabinet.drop("Smith_Divorce/Evidence", name, b"content of " + os.fsencode(name))
    cabinet.run("sweep", cabinet.path)
    make(cabinet)
    need_tool("bsdtar")
    (tmp_path / "out").mkdir()
    subprocess.run(["bsdtar", "-xf", archives(cabinet)[0], "-C", tmp_path / "out"], check=True)
    top, = (tmp_path / "out").iterdir()
    subprocess.run(["sha256sum", "-c", "--quiet", "sha256sum.txt"], cwd=top, check=True)
    manifest = (top / "manifest-sha256.txt").read_text()
    assert "50%25 off.txt" in manifest and "two%0Alines.txt" in manifest and "%5C" not in manifest
    entries = metadata(top)
    exact = {bytes.fromhex(e["name_hex"]): e["path"] for e in entries.values() if "name_hex" in e}
    assert list(exact) == [b"Evidence/caf\xe9.txt"]
    for name in odd:
        stored = exact.get(os.fsencode("Evidence/" + name), f"data/Evidence/{name}")
        assert (top / stored).read_bytes() == (case / "Evidence" / name).read_bytes()


def test_what_bagit_drops_is_in_the_metadata(cabinet, tmp_path):
    need_tool("setfacl")
    case = fill(cabinet, 1)
    document = cabinet.drop("Smith_Divorce/Evidence", "exhibit.txt", b"exhibit")
    os.chmod(document, 0o640)
    os.utime(document, ns=(1, 1_700_000_000_123_456_789))
    os.setxattr(document, "user.DOSATTRIB", b"\x00\x01\xff")
    subprocess.run(["setfacl", "-m", f"u:{NOBODY}:r", document], check=True)
    subprocess.run(["setfacl", "-d", "-m", f"u:{NOBODY}:rx", case / "Nothing here"], check=True)
    os.symlink("/etc/passwd", case / "Evidence" / "link")
    cabinet.run("sweep", cabinet.path)
    make(cabinet)
    entries = metadata(unpack(archives(cabinet)[0], tmp_path / "out"))
    e = entries["data/Evidence/exhibit.txt"]
    assert e["type"] == "file" and e["mode"] == "0640" and e["uid"] == os.geteuid()
    assert e["mtime"] == "2023-11-14T22:13:20.123456789Z"
    assert e["xattrs"]["user.DOSATTRIB"] == "0001ff"
    assert f"user:{NOBODY}:r--" in e["acl"]
    assert f"user:{NOBODY}:r-x" in entries["data/Nothing here"]["default_acl"]
    link = entries["data/Evidence/link"]
    assert link["type"] == "link" and bytes.fromhex(link["target_hex"]) == b"/etc/passwd"
    assert not (tmp_path / "out" / "Evidence" / "link").exists()
    assert entries["data"]["type"] == "folder"


def test_what_is_compressed_already_is_stored_and_text_is_not(cabinet):
    fill(cabinet, 1)
    cabinet.drop("Smith_Divorce/Evidence", "photo.bin", os.urandom(300_000))
    cabinet.drop("Smith_Divorce/Evidence", "statement.csv", b"2026-03-02,payment,17.50\n" * 9000)
    cabinet.run("sweep", cabinet.path)
    make(cabinet)
    with zipfile.ZipFile(archives(cabinet)[0]) as z:
        how = {pathlib.PurePath(i.filename).name: i for i in z.infolist()}
    assert how["photo.bin"].compress_type == zipfile.ZIP_STORED
    assert how["statement.csv"].compress_size < how["statement.csv"].file_size / 20


# ---- same content, same bytes ------------------------------------------------------------------------

def test_the_same_content_on_the_same_day_makes_the_same_bytes_and_nothing_new(cabinet):
    fill(cabinet)
    first = make(cabinet)
    archive, = archives(cabinet)
    before = archive.read_bytes()
    again = make(cabinet)
    assert first["outcome"] == "made" and again["outcome"] == "same"
    assert again["archive"] == first["archive"] and again["sha256"] == first["sha256"]
    assert archives(cabinet) == [archive] and cabinet.kinds("Smith_Divorce").count("archived") == 1
    # One that was taken away is made again: of a journal that has grown by a line about an archive,
    # and of pages that were written anew.
    for f in (cabinet.path / "Archive").iterdir():
        f.unlink()
    os.utime(cabinet.path / "Smith_Divorce" / "Index.html")
    assert make(cabinet)["outcome"] == "made"
    assert archives(cabinet) == [archive] and archive.read_bytes() == before


def test_a_change_makes_a_second_archive_beside_the_first(cabinet):
    case = fill(cabinet)
    make(cabinet)
    first, = archives(cabinet)
    before = first.read_bytes()
    change(case, "edited")
    cabinet.run("sweep", cabinet.path)
    assert make(cabinet)["outcome"] == "made"
    assert [p.name for p in archives(cabinet)] == [first.name, first.stem + "_02.zip"]
    assert first.read_bytes() == before
    for p in archives(cabinet):
        assert is_whole(p)


def test_an_archive_that_was_damaged_in_size_is_made_again(cabinet):
    fill(cabinet)
    make(cabinet)
    archive, = archives(cabinet)
    os.truncate(archive, 100)
    assert make(cabinet)["outcome"] == "made"
    assert is_whole(archives(cabinet)[-1])


def test_the_journal_tells_of_the_archive_and_a_lost_private_state_learns_it_again(cabinet):
    fill(cabinet)
    fact = make(cabinet)
    line = cabinet.journal("Smith_Divorce")[-1]
    archive, = archives(cabinet)
    assert line["kind"] == "archived" and line["archive"] == f"Archive/{archive.name}"
    assert line["archive_sha256"] == sha256_file(archive) == fact["sha256"]
    assert line["documents"] == 6 and line["archive_size"] == archive.stat().st_size
    assert f"archived     Archive/{archive.name}" in cabinet.run("log", "Smith_Divorce").stdout
    cabinet.run("verify", cabinet.path)
    for f in cabinet.state.rglob("state.db*"):
        f.unlink()
    cabinet.run("sweep", cabinet.path)
    assert cabinet.kinds("Smith_Divorce")[-1] == "rebuilt"
    # That it was rebuilt is a change; the archive is known all the same and no second name for it.
    make(cabinet)
    assert [p.name for p in archives(cabinet)] == [archive.name, archive.stem + "_02.zip"]


# ---- trust -----------------------------------------------------------------------------------------

def test_what_is_not_what_the_journal_says_is_told_and_not_archived(cabinet):
    case = fill(cabinet)
    document = sorted((case / "Correspondence").iterdir())[0]
    st = document.stat()
    data = bytearray(document.read_bytes())
    data[20] ^= 1
    with open(document, "r+b") as f:  # as a failing disk does it
        f.write(data)
    os.utime(document, ns=(st.st_atime_ns, st.st_mtime_ns))
    job = Job(cabinet, "Smith_Divorce")
    r = job.run()
    assert r["outcome"] == "differs" and len(r["findings"]) == 1
    assert document.name in r["findings"][0]
    assert archives(cabinet) == [] and left(cabinet) == []


def test_a_document_that_is_gone_is_told_and_one_that_came_too(cabinet):
    case = fill(cabinet)
    documents = sorted((case / "Correspondence").iterdir())
    documents[0].unlink()
    (case / "Evidence" / "new.txt").write_bytes(b"new")
    r = Job(cabinet, "Smith_Divorce", purpose=0).run()
    assert r["outcome"] == "differs"
    assert any(documents[0].name in f for f in r["findings"])
    assert any("new.txt" in f for f in r["findings"])
    # The organizer looks first at what is new: then all is recorded, and it is archived.
    assert make(cabinet)["outcome"] == "made"


def test_a_journal_that_was_changed_is_told(cabinet):
    case = fill(cabinet)
    journal = case / ".organizer" / "journal.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b"letter", b"Letter", 1))
    r = Job(cabinet, "Smith_Divorce").run()
    assert r["outcome"] == "differs" and "journal" in r["findings"][0]


def test_an_unreadable_document_is_told_with_its_name(of_nobody):
    if os.geteuid() != 0:
        pytest.skip("this test wants root")
    c = of_nobody
    c.run("new", "Smith", "Divorce", "-C", c.path)
    secret = c.drop("Smith_Divorce/Evidence", "secret.txt", b"secret")
    os.chmod(secret, 0)
    c.run("sweep", c.path)
    fact = make(c, status=3)
    assert fact["outcome"] == "failed" and "secret.txt" in fact["why"]
    assert archives(c) == []


def test_a_folder_of_archives_that_cannot_be_written_is_told(of_nobody):
    if os.geteuid() != 0:
        pytest.skip("this test wants root")
    c = of_nobody
    c.run("new", "Smith", "Divorce", "-C", c.path)
    os.chmod(c.path / "Archive", 0o555)
    fact = make(c, status=3)
    assert "right" in fact["why"]
    os.chmod(c.path / "Archive", 0o755)
    assert make(c)["outcome"] == "made"


@pytest.fixture
def small_disk(cabinet):
    """The folder of archives is a disk of 1 MB."""
    need_root()
    target = cabinet.path / "Archive"
    r = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", target], check=False)
    if r.returncode:
        pytest.skip("this test wants to mount a tmpfs")
    yield target
    subprocess.run(["umount", target], check=True)


def test_a_full_disk_is_told_and_leaves_nothing(cabinet, small_disk):
    fill(cabinet, 1)
    big = cabinet.drop("Smith_Divorce/Evidence", "recording.bin", os.urandom(3 << 20))
    cabinet.run("sweep", cabinet.path)
    fact = make(cabinet, status=3)
    assert "room" in fact["why"]
    assert list(small_disk.iterdir()) == []
    big.unlink()
    cabinet.run("sweep", cabinet.path)
    assert make(cabinet)["outcome"] == "made"
    assert is_whole(archives(cabinet)[0])


def test_a_read_only_disk_is_told(cabinet, small_disk):
    fill(cabinet, 1)
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    fact = make(cabinet, status=3)
    assert "writing" in fact["why"] and list(small_disk.iterdir()) == []


# ---- rights ------------------------------------------------------------------------------------------

def test_the_archive_has_owner_mode_and_acl_of_its_case(cabinet):
    need_root()
    need_tool("setfacl")
    case = fill(cabinet, 1)
    os.chown(case, 1234, 2345)
    os.chmod(case, 0o2750)
    subprocess.run(["setfacl", "-m", "u:3456:rx", case], check=True)
    make(cabinet)
    for p in (cabinet.path / "Archive").iterdir():
        st = p.stat()
        assert (st.st_uid, st.st_gid) == (1234, 2345) and stat.S_IMODE(st.st_mode) & 0o007 == 0
        acl = subprocess.run(["getfacl", "-cn", p], capture_output=True, text=True, check=True).stdout
        assert "user:3456:r--" in acl and "other::---" in acl and "x" not in acl


def test_a_wall_above_the_case_holds_for_its_archive(cabinet):
    partners = cabinet.path / "Partners"
    partners.mkdir(mode=0o700)
    case = partners / "Smith_Divorce"
    case.mkdir(mode=0o755)
    (case / "Case.txt").write_text("Client: Smith\nCase type: Divorce\n")
    cabinet.run("sweep", cabinet.path)
    cabinet.run("archive", partners / "Smith_Divorce")
    for p in (cabinet.path / "Archive").iterdir():
        assert stat.S_IMODE(p.stat().st_mode) == 0o600


# ---- beside all else -----------------------------------------------------------------------------------

def job_of(cabinet):
    """Process id of the job that the daemon runs, which writes its archive."""
    until = time.monotonic() + TIMEOUT
    while time.monotonic() < until:
        for p in (cabinet.path / "Archive").glob(".~organizer-archive-*"):
            return int(p.name.split("-")[2])
    raise AssertionError("no job was started")


def has_ended(pid):
    """It may stay a zombie, of a parent that never asks for it."""
    try:
        return "Z" in pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1][:3]
    except (FileNotFoundError, ProcessLookupError):
        return True


@pytest.fixture
def at_work(smith):
    """The daemon has a job at work, which is stopped in the middle."""
    smith.drop("Smith_Divorce/Evidence", "recording.bin", os.urandom(8 << 20))
    smith.sync()
    smith.asked = subprocess.Popen([*smith.prefix, os.fspath(__import__("conftest").EXE), "archive",
                                    "Smith_Divorce"], cwd=smith.path, env=smith.env,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    smith.job = job_of(smith)
    os.kill(smith.job, signal.SIGSTOP)
    yield smith
    smith.asked.kill()
    smith.asked.communicate()


def is_pending(sig, pid):
    """Whether it was sent to the process, which has it blocked."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"ShdPnd:\s*(\w+)", status)[1], 16) >> (sig - 1) & 1


def test_filing_goes_on_while_a_case_is_archived(at_work):
    at_work.drop("Smith_Divorce/Inbox", "letter 2026-03-02.pdf")
    at_work.sync()
    assert (at_work.path / "Smith_Divorce/Correspondence/Smith_Divorce_Letter_2026-03-02.pdf").exists()
    assert at_work.status()["archiving"]["case"] == "Smith_Divorce"
    os.kill(at_work.job, signal.SIGCONT)
    at_work.asked.wait(TIMEOUT)
    assert at_work.asked.returncode == 0


def test_a_killed_daemon_takes_its_job_along_and_the_next_run_is_clean(at_work):
    at_work.stop(signal.SIGKILL)
    wait_until(lambda: has_ended(at_work.job))
    (at_work.path / "Archive" / ".~organizer-archive-1-0").write_bytes(b"of a run before that\n")
    at_work.start()
    at_work.sync()
    assert left(at_work) == []
    assert make(at_work)["outcome"] == "made"
    assert left(at_work) == [] and len(archives(at_work)) == 1


def test_a_daemon_that_is_stopped_asks_its_job_to_give_up(at_work):
    """What it gives up is not told as archived already."""
    at_work.process.terminate()
    wait_until(lambda: is_pending(signal.SIGTERM, at_work.job))
    os.kill(at_work.job, signal.SIGCONT)
    assert at_work.stop() == 0
    out, err = at_work.asked.communicate(timeout=TIMEOUT)
    assert at_work.asked.returncode == 3 and "not archived. it was stopped; the next run makes it" in out, out + err
    assert left(at_work) == []
    for p in archives(at_work):
        assert is_whole(p)


def ended_before_it_was_recorded(cabinet):
    """As a run leaves it that was ended between the archive's name and its record."""
    job = Job(cabinet, "Smith_Divorce")
    made = job.run()
    intention = json.dumps({"intend": job.intended, "purpose": 1})
    with contextlib.closing(sqlite3.connect(next(cabinet.state.rglob("state.db")))) as db, db:
        db.execute("INSERT INTO small VALUES(?, ?)",
                   (f"archive-intended {job.order['case_id']}", intention))
    return made


def intentions(cabinet):
    with contextlib.closing(sqlite3.connect(next(cabinet.state.rglob("state.db")))) as db:
        return db.execute("SELECT name FROM small WHERE name LIKE 'archive-intended%'").fetchall()


def test_an_archive_that_was_finished_and_not_recorded_is_recorded_by_the_next_run(cabinet):
    fill(cabinet)
    made = ended_before_it_was_recorded(cabinet)
    archive, = archives(cabinet)
    (cabinet.path / "Archive" / (archive.name + ".sha256")).unlink()
    fact = make(cabinet)
    assert fact["outcome"] == "same" and fact["sha256"] == made["digest"]
    assert archives(cabinet) == [archive] and cabinet.kinds("Smith_Divorce").count("archived") == 1
    subprocess.run(["sha256sum", "-c", archive.name + ".sha256"], cwd=archive.parent, check=True)
    assert intentions(cabinet) == []


def test_what_an_archive_was_about_to_be_is_forgotten_when_it_is_recorded(cabinet):
    fill(cabinet)
    assert make(cabinet)["outcome"] == "made"
    assert intentions(cabinet) == []


def test_an_archive_that_nobody_intended_is_not_taken_for_ours_though_it_looks_so(cabinet):
    fill(cabinet)
    Job(cabinet, "Smith_Divorce").run()
    planted, = archives(cabinet)
    fact = make(cabinet)
    assert fact["outcome"] == "made" and len(archives(cabinet)) == 2
    assert cabinet.journal("Smith_Divorce")[-1]["archive"] != f"Archive/{planted.name}"


def test_without_a_record_of_what_comes_next_an_archive_gets_no_name(cabinet):
    fill(cabinet)
    job = Job(cabinet, "Smith_Divorce")
    job.go = False
    assert job.run()["outcome"] == "failed"
    assert archives(cabinet) == [] and left(cabinet) == []


def test_a_damaged_file_under_such_a_name_is_left_alone(cabinet):
    fill(cabinet)
    ended_before_it_was_recorded(cabinet)
    archive, = archives(cabinet)
    data = bytearray(archive.read_bytes())
    data[len(data) // 2] ^= 1
    archive.write_bytes(data)
    make(cabinet)
    assert archive.read_bytes() == data
    assert cabinet.journal("Smith_Divorce")[-1]["archive"] != f"Archive/{archive.name}"


# ---- the verb --------------------------------------------------------------------------------------------

def test_without_a_case_all_closed_ones_are_archived(cabinet):
    for client in ("Smith", "Jones", "Adams"):
        cabinet.run("new", client, "Divorce", "-C", cabinet.path)
    cabinet.run("close", "Smith_Divorce", "--force")
    cabinet.run("close", "Jones_Divorce", "--force")
    assert cabinet.run("archive", "--dry-run").stdout.split() == [
        "would", "archive", "Jones_Divorce", "would", "archive", "Smith_Divorce"]
    out = cabinet.run("archive").stdout
    assert "Smith_Divorce: Archive/Smith_Divorce_Archive_" in out and "verified" in out
    assert {p.name.split("_")[0] for p in archives(cabinet)} == {"Jones", "Smith"}
    assert cabinet.journal("Smith_Divorce")[-1]["purpose"] == "closed"
    assert "nothing changed since" in cabinet.run("archive").stdout


def test_an_archive_of_the_open_case_does_not_serve_for_the_closed_one(cabinet):
    fill(cabinet, 1)
    make(cabinet)
    assert cabinet.journal("Smith_Divorce")[-1]["purpose"] == "intermediate"
    cabinet.run("close", "Smith_Divorce", "--force")
    make(cabinet)
    assert cabinet.journal("Smith_Divorce")[-1]["purpose"] == "closed"
    assert len(archives(cabinet)) == 2


def test_a_cabinet_that_was_there_before_gets_its_folder_of_archives(tmp_path):
    old = tmp_path / "Matters" / "Smith_Divorce"
    old.mkdir(parents=True)
    (old / "letter.txt").write_bytes(b"an old letter")
    c = Cabinet(tmp_path)
    c.run("init", c.path, cwd=tmp_path)
    c.run("adopt", old)
    assert not (c.path / "Archive").exists()
    assert make(c)["outcome"] == "made"
    assert is_whole(archives(c)[0])
    assert (old / "letter.txt").exists()


def test_an_unknown_case_is_a_wrong_command_line(cabinet):
    r = cabinet.run("archive", "Nobody_Divorce", status=2)
    assert "Nobody_Divorce" in r.stderr


# ---- how far it is ------------------------------------------------------------------------------------

def on_a_terminal(cabinet, *args):
    """What the verb writes to standard error when that is a terminal."""
    ours, theirs = pty.openpty()
    p = subprocess.Popen([str(EXE), *map(str, args)], env=cabinet.env, cwd=cabinet.path, stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # the terminal's end
        while piece := os.read(ours, 4096):
            shown += piece
    os.close(ours)
    assert p.wait() == 0, p.stdout.read()
    p.stdout.close()
    return shown.decode()


@pytest.mark.parametrize("daemon", [True, False], ids=["by the daemon", "without one"])
def test_how_far_it_is_is_shown_on_a_terminal(cabinet, daemon):
    case = cabinet.path / "Smith_Divorce"
    cabinet.run("new", "Smith", "Divorce", "-C", cabinet.path)
    (case / "Recordings").mkdir()
    with open(case / "Recordings/hearing.wav", "wb") as f:
        f.truncate(250 << 20)
    cabinet.run("sweep")
    if daemon:
        cabinet.start().sync()
    shown = on_a_terminal(cabinet, "archive", "Smith_Divorce")
    assert re.search(r"Smith_Divorce  \d[\d.]* [kMG]?B of 262\.\d MB \(\d+ %\), [\d.]+ MB/s", shown), shown
    assert shown.endswith("\r\x1b[K")


def test_a_clock_that_was_set_back_makes_no_archive_twice(cabinet):
    """The later archive has the earlier date, and is the one that counts."""
    case = fill(cabinet)
    first = make(cabinet)
    change(case, "edited")
    back = {"ORGANIZER_CLOCK": str(-3 * 86400)}
    cabinet.run("sweep", env=back)
    for words in ("read back from the disk and verified", "nothing changed since"):
        assert words in cabinet.run("archive", "Smith_Divorce", env=back).stdout
    assert make(cabinet)["outcome"] == "same"
    second, = [a for a in archives(cabinet) if a.name != pathlib.Path(first["archive"]).name]
    assert second.name < pathlib.Path(first["archive"]).name
    assert is_whole(second) and cabinet.run("verify", "--all").stdout.startswith("2 archives")


@pytest.mark.skipif(not os.environ.get("ORGANIZER_TORTURE"), reason="takes minutes: make torture")
def test_a_recording_of_10_gb(cabinet, monkeypatch):
    """Sparse on the disk; larger than a ZIP's own numbers can say. Info-ZIP gets it out again."""
    monkeypatch.setattr(sys.modules[Cabinet.__module__], "TIMEOUT", 900)  # of each command, a quarter
    case = cabinet.path / "Smith_Divorce"
    cabinet.run("new", "Smith", "Divorce", "-C", cabinet.path)
    (case / "Recordings").mkdir()
    recording = case / "Recordings/hearing.wav"
    with open(recording, "wb") as f:
        f.write(b"RIFF" + bytes(1000))
        f.seek((10 << 30) - 5)
        f.write(b"adieu")
    cabinet.run("sweep")
    archive = cabinet.path / make(cabinet)["archive"]
    need_tool("unzip")
    out = subprocess.run(f"unzip -p '{archive}' '*/hearing.wav' | sha256sum", shell=True, check=True, capture_output=True)
    assert out.stdout.split()[0].decode() == sha256_file(recording)
    cabinet.run("verify", archive)
