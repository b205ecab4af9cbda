"""restore, list, diff: documents come out of an archive whole, verified, and over nothing that exists."""
import hashlib
import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import tarfile
import zipfile

import pytest

import bags
from conftest import EXE, NOBODY, TIMEOUT, pdf, sha256

ENV = dict(os.environ, HOME="/nonexistent", TZ="UTC")
ENV.pop("STATE_DIRECTORY", None)
LETTER = "Correspondence/Smith_Divorce_Letter_2026-03-02.pdf"


def run(*args, status=0, cwd=None, **kw):
    r = subprocess.run([EXE, *map(str, args)], capture_output=True, timeout=2 * TIMEOUT, env=ENV, cwd=cwd,
                       errors="surrogateescape", **kw)
    assert status is None or r.returncode == status, (args, r.returncode, r.stdout, r.stderr)
    return r


def lines(*args, status=0):
    return [json.loads(line) for line in run(*args, "--json", status=status).stdout.splitlines()]


def tree(path):
    """Path -> bytes of every file below."""
    path = pathlib.Path(path)
    return {str(p.relative_to(path)): p.read_bytes() for p in path.rglob("*") if p.is_file() and not p.is_symlink()}


def assert_no_leftovers(path):
    left = [str(p) for p in pathlib.Path(path).rglob(".~organizer-*")]
    assert not left, left


@pytest.fixture(params=bags.FORMS)
def archive(request, tmp_path):
    return bags.pack(bags.bag(), tmp_path / f"a.{request.param}", request.param)


class TestEveryForm:
    def test_all_of_it(self, archive, tmp_path):
        run("restore", archive, "--to", tmp_path / "out")
        assert tree(tmp_path / "out") == bags.DOCUMENTS
        assert_no_leftovers(tmp_path)

    def test_one_document_by_name(self, archive, tmp_path):
        run("restore", archive, "--to", tmp_path / "out", pathlib.Path(LETTER).name)
        assert tree(tmp_path / "out") == {LETTER: bags.DOCUMENTS[LETTER]}

    def test_a_document_that_is_not_what_the_manifest_says_is_not_restored(self, request, tmp_path, archive):
        files = bags.bag()
        files["data/" + LETTER] = b"other bytes\n"
        form = archive.name[2:]
        bad = bags.pack(files, tmp_path / f"bad.{form}", form)
        r = run("restore", bad, "--to", tmp_path / "out", status=1)
        assert LETTER not in tree(tmp_path / "out") and len(tree(tmp_path / "out")) == len(bags.DOCUMENTS) - 1
        assert f"{LETTER}: its content is not what the manifest says" in r.stdout

    def test_list(self, archive):
        found = lines("list", archive)
        assert [d["path"] for d in found] == sorted(bags.DOCUMENTS)
        for d in found:
            assert d["sha256"] == sha256(bags.DOCUMENTS[d["path"]]) and d["size"] == len(bags.DOCUMENTS[d["path"]])

    def test_diff(self, archive, tmp_path):
        case = tmp_path / "case"
        run("restore", archive, "--to", case)
        run("diff", archive, case)
        (case / LETTER).write_bytes(b"edited\n")
        (case / "New.pdf").write_bytes(b"new\n")
        old = "Pleadings/Smith_Divorce_Complaint_2026-01-05.pdf"
        (case / old).rename(case / "Moved.pdf")
        os.remove(case / "Notes/na\u00efve notes.txt")
        found = lines("diff", archive, case, status=1)
        assert {(f["what"], f["path"], f.get("now")) for f in found[:-1]} == {
            ("changed", LETTER, None), ("added", "New.pdf", None), ("renamed", old, "Moved.pdf"),
            ("removed", "Notes/na\u00efve notes.txt", None)}
        assert found[-1] == {"v": 1, "same": 0, "changed": 1, "added": 1, "removed": 1, "renamed": 1}


@pytest.mark.parametrize("wanted,found", [
    (["*letter*"], 1), (["Correspondence"], 1), (["Correspondence/"], 1), ([LETTER], 1), (["*.PDF"], 2),
    (["*.pdf", "Notes"], 3), (["Pleadings/*"], 1), (["correspondence/"], 1), (["plead*s"], 1),
])
def test_patterns(tmp_path, wanted, found):
    archive = bags.pack(bags.bag(), tmp_path / "a.zip", "zip")
    run("restore", archive, "--to", tmp_path / "out", *wanted)
    assert len(tree(tmp_path / "out")) == found


@pytest.mark.parametrize("form,base", [("folder", ""), ("zip", ""), ("tar", ""), ("zip", "Smith_Divorce/"), ("zip", "data/")])
def test_a_case_with_a_folder_that_is_called_data(tmp_path, form, base):
    """Wherever the bag begins: at the top, in a folder, in a folder of that name."""
    documents = {"data/x.csv": b"1,2\n", "data/deep/y.csv": b"3\n", "Notes/z.csv": b"4\n", "top.csv": b"5\n"}
    archive = bags.pack(bags.bag(documents), tmp_path / f"a.{form}", form, base)
    for i, (wanted, found) in enumerate({"data/x.csv": ["data/x.csv"], "data": ["data/deep/y.csv", "data/x.csv"],
                                         "deep/y.csv": [], "Notes/z.csv": ["Notes/z.csv"], "top.csv": ["top.csv"]}.items()):
        run("restore", archive, "--to", tmp_path / str(i), wanted, status=0 if found else 3)
        assert sorted(tree(tmp_path / str(i))) == found


def test_what_is_not_in_the_archive_is_told(tmp_path):
    archive = bags.pack(bags.bag(), tmp_path / "a.zip", "zip")
    r = run("restore", archive, "--to", tmp_path / "out", "Contract.pdf", status=3)
    assert "Contract.pdf: the archive has nothing of that name" in r.stdout and not (tmp_path / "out").exists()
    run("restore", archive, "--to", tmp_path / "out", "Contract.pdf", LETTER, status=1)
    assert list(tree(tmp_path / "out")) == [LETTER]


def test_dry_run_makes_nothing(tmp_path):
    archive = bags.pack(bags.bag(), tmp_path / "a.zip", "zip")
    r = run("restore", archive, "--to", tmp_path / "out", "--dry-run")
    assert LETTER in r.stdout and "would be restored" in r.stdout and os.listdir(tmp_path) == ["a.zip"]


class TestNothingIsReplaced:
    def test_in_a_folder_that_exists(self, tmp_path):
        archive = bags.pack(bags.bag(), tmp_path / "a.zip", "zip")
        (tmp_path / "out/Correspondence").mkdir(parents=True)
        (tmp_path / "out" / LETTER).write_bytes(b"mine\n")
        r = run("restore", archive, "--to", tmp_path / "out", status=1)
        assert "is there already, and stays" in r.stdout
        assert tree(tmp_path / "out") == {**bags.DOCUMENTS, LETTER: b"mine\n"}
        assert_no_leftovers(tmp_path)

    def test_where_a_file_is_in_the_way(self, tmp_path):
        archive = bags.pack(bags.bag(), tmp_path / "a.zip", "zip")
        (tmp_path / "out").write_bytes(b"mine\n")
        run("restore", archive, "--to", tmp_path / "out", status=3)
        assert (tmp_path / "out").read_bytes() == b"mine\n"
        assert_no_leftovers(tmp_path)

    def test_where_a_link_leads_elsewhere(self, tmp_path):
        """A folder in the target that is a link out of it is not written through."""
        archive = bags.pack(bags.bag(), tmp_path / "a.zip", "zip")
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "out").mkdir()
        (tmp_path / "out/Correspondence").symlink_to(tmp_path / "elsewhere")
        run("restore", archive, "--to", tmp_path / "out", LETTER, status=None)
        assert os.listdir(tmp_path / "elsewhere") == []
        assert_no_leftovers(tmp_path)

    def test_beside_the_archive_a_new_folder_each_time(self, tmp_path):
        archive = bags.pack(bags.bag(), tmp_path / "a.zip", "zip")
        for _ in range(3):
            run("restore", archive)
        folders = sorted(p.name for p in tmp_path.iterdir() if p.is_dir())
        assert len(folders) == 3 and all(re.fullmatch(r"Restored \d{4}-\d\d-\d\d( \([23]\))?", n) for n in folders)
        assert all(tree(tmp_path / f) == bags.DOCUMENTS for f in folders)


EVIL = ["../evil", "/tmp/evil-absolute", "Smith_Divorce/data/../../evil", "Smith_Divorce/data/..", "~/evil", "C:\\evil",
        "..\\evil", "Smith_Divorce/data/a\\..\\..\\..\\evil"]


@pytest.mark.parametrize("name", EVIL)
@pytest.mark.parametrize("form", ["zip", "tar"])
def test_nothing_is_written_outside(tmp_path, name, form):
    """An archive whose manifests even vouch for names that lead out."""
    inner = tmp_path / "a/b/c"
    inner.mkdir(parents=True)
    files = bags.bag()
    line = f"{hashlib.sha256(b'evil').hexdigest()}  {name.removeprefix('Smith_Divorce/')}\n".encode()
    files["manifest-sha256.txt"] += line
    members = [("Smith_Divorce/" + k, v) for k, v in bags.seal(files).items()] + [(name, b"evil")]
    path = inner / f"a.{form}"
    if form == "zip":
        with zipfile.ZipFile(path, "w") as z:
            for k, v in members:
                z.writestr(zipfile.ZipInfo(k), v)
    else:
        import io
        with tarfile.open(path, "w") as t:
            for k, v in members:
                i = tarfile.TarInfo(k)
                i.size = len(v)
                t.addfile(i, io.BytesIO(v))
    run("restore", path, "--to", inner / "out", status=None)
    assert not [p for p in tmp_path.rglob("*") if "evil" in p.name and p.is_file()]
    assert not os.path.exists("/tmp/evil-absolute")
    assert set(tree(inner / "out")) == set(bags.DOCUMENTS)


@pytest.mark.parametrize("kind,target", [(tarfile.SYMTYPE, "/etc/passwd"), (tarfile.LNKTYPE, "../../../../etc/passwd"),
                                         (tarfile.CHRTYPE, ""), (tarfile.FIFOTYPE, "")])
def test_links_and_devices_are_not_made(tmp_path, kind, target):
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as t:
        t.add(bags.pack(bags.bag(), tmp_path / "bag", "folder"), "Smith_Divorce")
        for name in ("data/l", "data/Correspondence"):  # the second takes a folder's place
            i = tarfile.TarInfo("Smith_Divorce/" + name)
            i.type, i.linkname = kind, target
            t.addfile(i)
    run("restore", path, "--to", tmp_path / "out", status=None)
    assert all(p.is_dir() or (p.is_file() and not p.is_symlink()) for p in (tmp_path / "out").rglob("*"))
    assert tree(tmp_path / "out") == bags.DOCUMENTS


def test_a_link_before_what_lies_below_it(tmp_path):
    """tar's old trick: a link, then a file through it."""
    import io
    (tmp_path / "target").mkdir()
    files = bags.bag({"x/evil.txt": b"evil"})
    with tarfile.open(tmp_path / "a.tar", "w") as t:
        i = tarfile.TarInfo("B/data/x")
        i.type, i.linkname = tarfile.SYMTYPE, str(tmp_path / "target")
        t.addfile(i)
        for k, v in files.items():
            i = tarfile.TarInfo("B/" + k)
            i.size = len(v)
            t.addfile(i, io.BytesIO(v))
    run("restore", tmp_path / "a.tar", "--to", tmp_path / "out", status=None)
    assert os.listdir(tmp_path / "target") == []


def test_names_of_any_bytes(tmp_path):
    documents = {"a\nb.pdf": b"1", "100% sure.pdf": b"2", "bad\udcff.pdf": b"3", "e\u0301.pdf": b"4", " x ": b"5"}
    archive = bags.pack(bags.bag(documents), tmp_path / "a.tar.gz", "tar.gz")
    run("restore", archive, "--to", tmp_path / "out")
    assert tree(tmp_path / "out") == documents


def test_out_of_a_damaged_archive_comes_what_is_still_right(tmp_path):
    archive = bags.pack(bags.bag({f"{i}.bin": os.urandom(5000) for i in range(20)}), tmp_path / "a.zip", "zip")
    data = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as z:
        at = z.getinfo("Smith_Divorce/data/7.bin").header_offset
    data[at + 200] ^= 0xff
    archive.write_bytes(data)
    r = run("restore", archive, "--to", tmp_path / "out", status=1)
    assert set(tree(tmp_path / "out")) == {f"{i}.bin" for i in range(20) if i != 7}
    assert "7.bin: " in r.stdout


def test_what_is_no_bag_is_not_unpacked(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as z:
        z.writestr("data/x.pdf", b"x")
    r = run("restore", tmp_path / "a.zip", "--to", tmp_path / "out", status=3)
    assert "no manifest" in r.stderr and not (tmp_path / "out").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_a_full_disk_leaves_nothing(tmp_path):
    archive = bags.pack(bags.bag({f"{i}.bin": os.urandom(200000) for i in range(20)}), tmp_path / "a.zip", "zip")
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", small], check=True)
    try:
        r = run("restore", archive, "--to", small / "out", status=3)
        assert "No space left" in r.stderr and os.listdir(small) == []
    finally:
        subprocess.run(["umount", small], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_what_is_removed_again_takes_no_room(tmp_path):
    """Three documents are wrong and go again: the three that are right have room in their place."""
    documents = {f"{i}.bin": os.urandom(200000) for i in range(6)}
    files = bags.bag(documents)
    for i in range(3):
        files[f"data/{i}.bin"] = os.urandom(200000)
    archive = bags.pack(files, tmp_path / "a.zip", "zip")
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", small], check=True)
    try:
        run("restore", archive, "--to", small / "out", status=1)
        assert tree(small / "out") == {f"{i}.bin": documents[f"{i}.bin"] for i in range(3, 6)}
    finally:
        subprocess.run(["umount", small], check=True)


def test_a_leftover_is_removed_by_the_next_one(tmp_path):
    archive = bags.pack(bags.bag(), tmp_path / "a.zip", "zip")
    (tmp_path / ".~organizer-restore-0123/x/y").mkdir(parents=True)
    (tmp_path / ".~organizer-restore-0123/x/half.pdf").write_bytes(b"ha")
    run("restore", archive, "--to", tmp_path / "out")
    assert_no_leftovers(tmp_path)


# ---- archives of the organizer's own

def archived(cabinet):
    """A closed case with documents of every kind, and its archive."""
    case = cabinet.path / "Smith_Divorce"
    cabinet.run("new", "Smith", "Divorce")
    cabinet.drop("Smith_Divorce/Inbox", "letter 2026-03-02.pdf", pdf("letter"))
    cabinet.drop("Smith_Divorce/Exhibits", "Photo 1.jpg", b"\xff\xd8\xff\xe0" + b"jpeg" * 50)
    cabinet.drop("Smith_Divorce/Exhibits", "bad\udcff.txt", b"bytes\n")
    (case / "Empty folder").mkdir()
    (case / "link.pdf").symlink_to("/etc/passwd")
    cabinet.run("sweep")
    photo = case / "Exhibits/Photo 1.jpg"
    os.chmod(photo, 0o640)
    subprocess.run(["setfattr", "-n", "user.note", "-v", "seen", photo], check=True)
    subprocess.run(["setfacl", "-m", f"u:{NOBODY}:r", photo], check=True)
    os.utime(photo, ns=(1772452800123456789, 1772452800123456789))
    cabinet.run("close", "Smith_Divorce", "--force")
    cabinet.run("archive", "Smith_Divorce")
    return case, next((cabinet.path / "Archive").glob("*.zip"))


class TestOwn:
    def test_into_the_case_and_it_stays_as_it_is(self, cabinet):
        case, archive = archived(cabinet)
        before = cabinet.documents("Smith_Divorce")
        cabinet.run("restore", archive)
        folder = next(p for p in case.iterdir() if p.name.startswith("Restored "))
        assert tree(folder / "Correspondence") == tree(case / "Correspondence")
        assert (folder / "Exhibits/bad\udcff.txt").read_bytes() == b"bytes\n"
        assert (folder / "Empty folder").is_dir()
        assert not (folder / "Case.txt").exists() and not (folder / ".organizer").exists()
        assert not (folder / "link.pdf").exists()
        cabinet.run("sweep")
        assert {k: v for k, v in cabinet.documents("Smith_Divorce").items() if "Restored" not in k} == before
        assert tree(folder / "Exhibits") == tree(case / "Exhibits")

    def test_rights_times_and_attributes_come_back(self, cabinet):
        case, archive = archived(cabinet)
        cabinet.run("restore", archive, "Photo 1.jpg")
        folder = next(p for p in case.iterdir() if p.name.startswith("Restored "))
        old, new = case / "Exhibits/Photo 1.jpg", folder / "Exhibits/Photo 1.jpg"
        a, b = old.stat(), new.stat()
        assert (a.st_mode, a.st_uid, a.st_gid, a.st_mtime_ns) == (b.st_mode, b.st_uid, b.st_gid, b.st_mtime_ns)
        assert os.getxattr(new, "user.note") == b"seen"
        acl = [subprocess.run(["getfacl", "-cn", p], check=True, capture_output=True).stdout for p in (old, new)]
        assert acl[0] == acl[1] and str(NOBODY).encode() in acl[0]

    def test_beside_the_archive_when_the_case_is_gone_and_no_wall_leaks(self, cabinet):
        case, archive = archived(cabinet)
        os.chmod(case, 0o700)
        cabinet.run("reopen", "Smith_Divorce")
        cabinet.drop("Smith_Divorce/Exhibits", "New.txt", b"new\n")
        cabinet.run("sweep")
        cabinet.run("close", "Smith_Divorce", "--force")
        cabinet.run("archive", "Smith_Divorce")
        newest = max((cabinet.path / "Archive").glob("*.zip"), key=lambda p: p.stat().st_mtime_ns)
        shutil.rmtree(case)
        cabinet.run("sweep")
        cabinet.run("restore", newest)
        folder = next(p for p in (cabinet.path / "Archive").iterdir() if p.name.startswith("Restored "))
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert (folder / "Exhibits/New.txt").read_bytes() == b"new\n"

    def test_back_as_the_case(self, cabinet):
        case, archive = archived(cabinet)
        documents = {k: v for k, v in tree(case).items() if not k.startswith(("Index", ".organizer", "Case.txt", "Needs"))}
        r = cabinet.run("restore", archive, "--as-case", status=3)
        assert "the case is there" in r.stderr
        shutil.rmtree(case)
        cabinet.run("sweep")
        cabinet.run("restore", archive, "--as-case")
        assert {k: v for k, v in tree(case).items() if k in documents} == documents
        assert "Status: open" in (case / "Case.txt").read_text()
        kinds = cabinet.kinds("Smith_Divorce")
        assert "filed" in kinds and "taken-up" in kinds and kinds[-1] == "reopened"
        cabinet.run("verify", "Smith_Divorce")
        assert (case / "Empty folder").is_dir()

    def test_back_as_the_case_while_the_daemon_runs(self, cabinet):
        case, archive = archived(cabinet)
        documents = {k: v for k, v in tree(case).items() if not k.startswith(("Index", ".organizer", "Case.txt", "Needs"))}
        cabinet.start()
        shutil.rmtree(case)
        cabinet.sync()
        cabinet.run("restore", archive, "--as-case")
        cabinet.sync()
        assert {k: v for k, v in tree(case).items() if k in documents} == documents
        cabinet.run("verify", "Smith_Divorce")
        cabinet.drop("Smith_Divorce/Inbox", "letter 2026-03-03.pdf", pdf("another"))
        cabinet.sync()
        assert (case / "Correspondence/Smith_Divorce_Letter_2026-03-03.pdf").exists()
        cabinet.assert_ended_well()

    def test_list_and_diff_know_the_organizers_own_pages(self, cabinet):
        case, archive = archived(cabinet)
        assert any(d["path"] == "Case.txt" for d in map(json.loads, cabinet.run("list", archive, "--json").stdout.splitlines()))
        cabinet.run("diff", archive, "Smith_Divorce")
        (case / "Exhibits/Photo 1.jpg").unlink()
        cabinet.run("diff", archive, "Smith_Divorce", status=1)


# ---- one of many

PIECE = 64 << 10


def pieces(text, name, path_of):
    """The lines of organizer-index.jsonl about a tag file."""
    out, at, piece = [], 0, b""
    lines = text.splitlines(keepends=True)
    for i, line in enumerate(lines):
        piece += line
        if len(piece) > PIECE or i + 1 == len(lines):
            out.append({"file": name, "at": at, "size": len(piece), "sha256": hashlib.sha256(piece).hexdigest(),
                        "first": path_of(piece.split(b"\n")[0])})
            at, piece = at + len(piece), b""
    return out


def indexed(path, n, empty=(), edit=lambda index: index, entries=True):
    """An archive of n documents and empty folders as the organizer makes it: long tag files stored, with an index."""
    documents = {f"Evidence/volume {i // 1000:03}/Exhibit {i:06} of some length.bin": b"%d\n" % i for i in range(n)}
    files = bags.bag(documents, algorithms=("sha256",))
    folders = sorted({f"data/{f}" for d in documents for f in (d[:d.rindex("/")], "Evidence")} | {"data"})
    lines = [{"path": p, "type": "folder", "mode": "0750"} for p in folders]
    lines += [{"path": f"data/{p}", "type": "folder", "mode": "0700"} for p in empty]
    lines += [{"path": "data/" + d, "type": "file", "mode": "0640"} for d in documents]
    metadata = '{"format":"organizer-metadata","v":1}\n' + "".join(
        json.dumps(x, separators=(",", ":")) + "\n" for x in sorted(lines, key=lambda x: x["path"]))
    files["organizer-metadata.jsonl"] = metadata.encode()
    index = pieces(files["manifest-sha256.txt"], "manifest-sha256.txt", lambda x: x[66:].decode())
    index += pieces(files["organizer-metadata.jsonl"], "organizer-metadata.jsonl", lambda x: json.loads(x).get("path", ""))
    files["organizer-index.jsonl"] = "".join(json.dumps(x) + "\n" for x in edit(index)).encode()
    files = bags.seal({k: v for k, v in files.items() if not k.startswith("tagmanifest-")}, ("sha256",))
    with zipfile.ZipFile(path, "w") as z:
        for name, data in files.items():
            z.writestr(zipfile.ZipInfo("Smith_Divorce/" + name, bags.WHEN), data)
        for name in empty if entries else ():
            z.writestr(zipfile.ZipInfo(f"Smith_Divorce/data/{name}/", bags.WHEN), b"")
    return list(documents), index


def processor_time(*args):
    p = subprocess.Popen([EXE, *map(str, args)], stdout=subprocess.DEVNULL, env=ENV)
    _, status, usage = os.wait4(p.pid, 0)
    p.returncode = os.waitstatus_to_exitcode(status)
    assert p.returncode == 0, args
    return usage.ru_utime + usage.ru_stime


def test_one_document_costs_the_same_whatever_the_archives_size(tmp_path):
    """Of 20,000 not much more than of 200: the directory is read, and little else."""
    cost = {}
    for n in (200, 20000):
        names, _ = indexed(tmp_path / f"{n}.zip", n)
        one = names[n // 2]
        cost[n] = min(processor_time("restore", tmp_path / f"{n}.zip", one, "--to", tmp_path / f"{n} {i}") for i in range(3))
        assert (tmp_path / f"{n} 0" / one).read_bytes() == b"%d\n" % (n // 2)
        assert stat.S_IMODE(os.stat(tmp_path / f"{n} 0" / one).st_mode) == 0o640
        assert stat.S_IMODE(os.stat(tmp_path / f"{n} 0" / "Evidence").st_mode) == 0o750
    assert cost[20000] < 2 * cost[200], cost


def pieces_about(document, index):
    """That of the manifest, then those of the metadata."""
    def piece(file, path):
        return [p for p in index if p["file"] == file and p["first"] <= path][-1]

    about = ["data/" + document, "data", "data/Evidence", "data/" + document.rpartition("/")[0]]
    return [piece("manifest-sha256.txt", about[0])] + [piece("organizer-metadata.jsonl", p) for p in about]


def spoil(archive, some):
    """A bit in each of these pieces."""
    with zipfile.ZipFile(archive) as z:
        at = {i.filename.rpartition("/")[2]: i.header_offset + 30 + len(i.filename) for i in z.infolist()}
    data = bytearray(archive.read_bytes())
    for p in some:
        data[at[p["file"]] + p["at"] + p["size"] // 2] ^= 1
    archive.write_bytes(data)


def test_of_the_long_lists_only_the_part_about_the_document_is_read(tmp_path):
    """So that damage elsewhere in them does not matter; where the part itself is damaged they are read whole."""
    archive = tmp_path / "a.zip"
    names, index = indexed(archive, 3000)
    one = names[1500]
    data = archive.read_bytes()
    mine = pieces_about(one, index)
    assert len(index) - len([p for p in index if p in mine]) > 5
    spoil(archive, [p for p in index if p not in mine])
    run("restore", archive, one, "--to", tmp_path / "others")
    assert stat.S_IMODE(os.stat(tmp_path / "others" / one).st_mode) == 0o640
    archive.write_bytes(data)
    spoil(archive, mine[1:2])
    r = run("restore", archive, one, "--to", tmp_path / "own")
    assert (tmp_path / "own" / one).read_bytes() == b"1500\n" and "owners and rights are left out" in r.stdout


@pytest.mark.parametrize("entries", [True, False], ids=["in the archive", "only told of"])
def test_an_empty_folder_by_name_has_its_rights(tmp_path, entries):
    """At the top, deep down by its mere name in other letters; one that is not asked for is not made."""
    empty = ["Aaa Restricted", "Evidence/volume 001/A sealed one", "Zzz"]
    unused = lambda index: index + [dict(index[0], first=f"data/~{i}") for i in range(17000)]
    names, _ = indexed(tmp_path / "a.zip", 3000, empty, unused if not entries else lambda index: index, entries)
    run("restore", tmp_path / "a.zip", "Aaa Restricted", "a SEALED one", names[2500], "--to", tmp_path / "out")
    assert list(tree(tmp_path / "out")) == [names[2500]]
    modes = {str(p.relative_to(tmp_path / "out")): stat.S_IMODE(p.stat().st_mode)
             for p in (tmp_path / "out").rglob("*") if p.is_dir()}
    assert modes == {"Aaa Restricted": 0o700, "Evidence": 0o750, "Evidence/volume 001": 0o750,
                     "Evidence/volume 001/A sealed one": 0o700, "Evidence/volume 002": 0o750}


@pytest.mark.parametrize("edit,used", [
    (lambda index: index[::-1], True),
    (lambda index: index + [dict(index[0], first=f"data/~{i}") for i in range(17000)], False),
    (lambda index: index + [dict(index[0], first="data/~" + "x" * 500000)] * 40, False),
], ids=["in any order", "of too many pieces", "too long"])
def test_an_index_that_is_made_by_others(tmp_path, edit, used):
    """Where it is used damage elsewhere does not matter; one that would cost too much is left, and all is read."""
    names, index = indexed(tmp_path / "a.zip", 3000, edit=edit)
    mine = pieces_about(names[1500], index)
    spoil(tmp_path / "a.zip", [p for p in index if p not in mine and p["file"] == "organizer-metadata.jsonl"])
    r = run("restore", tmp_path / "a.zip", names[1500], "--to", tmp_path / "out")
    assert list(tree(tmp_path / "out")) == [names[1500]]
    assert ("owners and rights are left out" not in r.stdout) == used
