"""Archives made to do harm, and the scrub of a folder of them."""
import io
import json
import os
import shutil
import struct
import subprocess
import tarfile
import time
import zipfile

import pytest

import bags
from conftest import EXE, TIMEOUT, need_own_memory
from test_bags import ENV, LETTER, said, verify


def run(*args, status=None, cwd=None):
    r = subprocess.run([EXE, *map(str, args)], capture_output=True, text=True, timeout=2 * TIMEOUT, env=ENV, cwd=cwd)
    assert status is None or r.returncode == status, (args, r)
    return r


class TestBombs:
    def test_10_gb_of_zeros_in_a_tar_zst(self, tmp_path):
        """A megabyte that unfolds to 10 GB: given up, soon, and told why."""
        size = 10 << 30
        head = tarfile.TarInfo("Smith_Divorce/data/zeros")
        head.size = size
        piece = bags.compressed(bytes(64 << 20), "tar.zst")
        path = tmp_path / "a.tar.zst"
        with open(path, "wb") as f:
            f.write(bags.compressed(head.tobuf(tarfile.GNU_FORMAT), "tar.zst"))
            for _ in range(size // (64 << 20)):
                f.write(piece)
        assert path.stat().st_size < 2 << 20
        start = time.monotonic()
        r = run("verify", path, status=3)
        assert "unfolds to more than" in r.stderr and time.monotonic() - start < TIMEOUT
        r = run("restore", path, "--to", tmp_path / "out", status=3)
        assert "unfolds to more than" in r.stderr and not (tmp_path / "out").exists()

    def test_a_recording_of_silence_is_no_bomb(self, cabinet):
        """Our own archive of zeros, thousands of times smaller: verified, and restored with holes."""
        case, size = cabinet.path / "Smith_Divorce", 600 << 20
        cabinet.run("new", "Smith", "Divorce")
        cabinet.configure(cabinet.config_text + "archive_format: tar.zst\n")
        (case / "Recordings").mkdir()
        with open(case / "Recordings/hearing.wav", "wb") as f:
            f.write(b"RIFF")
            f.truncate(size)
        cabinet.run("archive", "Smith_Divorce")
        archive, = (cabinet.path / "Archive").glob("*.zst")
        assert archive.stat().st_size < 1 << 20
        cabinet.run("verify", archive)
        cabinet.run("restore", archive, "hearing.wav", "--to", cabinet.base / "out")
        st = os.stat(cabinet.base / "out/Recordings/hearing.wav")
        assert st.st_size == size and st.st_blocks * 512 < 1 << 20

    def test_a_zip_whose_entries_lie_over_one_another(self, tmp_path):
        """One kernel of data that many entries of the directory claim."""
        path = bags.pack(bags.bag({"kernel": bytes(1 << 20)}), tmp_path / "a.zip", "zip")
        data = bytearray(path.read_bytes())
        end = data.rindex(b"PK\x05\x06")
        entries, size, start = struct.unpack("<HII", data[end + 10:end + 20])
        directory = bytes(data[start:start + size])
        at = directory.index(b"Smith_Divorce/data/kernel") - 46
        length = 46 + len("Smith_Divorce/data/kernel")
        more = b"".join(directory[at:at + length].replace(b"kernel", b"ke%04d" % i) for i in range(500))
        new = data[:start] + directory + more
        new += struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, entries + 500, entries + 500, size + len(more), start, 0)
        path.write_bytes(new)
        r = run("verify", path, status=3)
        assert "two entries of the ZIP lie in the same place" in r.stderr

    def test_an_archive_in_an_archive_is_a_document(self, tmp_path):
        """42.zip's way: only the first layer is ever unpacked."""
        inner = io.BytesIO()
        with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as z:
            z.writestr("zeros", bytes(50 << 20))
        path = bags.pack(bags.bag({"inner.zip": inner.getvalue()}), tmp_path / "a.zip", "zip")
        _, _, summary = verify(path, status=0)
        assert summary[0]["bytes"] == len(inner.getvalue())


class TestZip:
    def make(self, tmp_path, *more):
        path = tmp_path / "a.zip"
        with zipfile.ZipFile(path, "w") as z:
            for k, v in {**{"Smith_Divorce/" + k: v for k, v in bags.bag().items()}}.items():
                z.writestr(zipfile.ZipInfo(k), v)
            for info, data in more:
                z.writestr(info, data)
        return path

    @pytest.mark.filterwarnings("ignore:Duplicate name")
    def test_two_entries_of_one_name(self, tmp_path):
        path = self.make(tmp_path, (zipfile.ZipInfo("Smith_Divorce/" + LETTER), b"another"))
        _, findings, _ = verify(path, status=1)
        assert said(findings, "error", "more than once", LETTER)

    def test_a_link(self, tmp_path):
        info = zipfile.ZipInfo("Smith_Divorce/data/link.pdf")
        info.create_system, info.external_attr = 3, 0o120777 << 16
        _, findings, _ = verify(self.make(tmp_path, (info, b"/etc/passwd")), status=1)
        assert said(findings, "error", "it is a link", "data/link.pdf")

    def test_a_name_that_leads_out(self, tmp_path):
        _, findings, _ = verify(self.make(tmp_path, (zipfile.ZipInfo("../../evil"), b"x")), status=1)
        assert said(findings, "error", "leads out of the archive", "../../evil")

    def test_a_nul_in_a_name(self, tmp_path):
        path = self.make(tmp_path, (zipfile.ZipInfo("Smith_Divorce/data/xZy.pdf"), b"x"))
        path.write_bytes(path.read_bytes().replace(b"xZy.pdf", b"x\0y.pdf"))
        _, findings, _ = verify(path, status=1)
        assert said(findings, "error", "none that a file can have")

    def test_an_encrypted_document(self, tmp_path):
        bags.pack(bags.bag(), tmp_path / "Smith_Divorce", "folder")
        subprocess.run(["zip", "-q", "-r", "-P", "secret", "a.zip", "Smith_Divorce/data"], cwd=tmp_path, check=True)
        subprocess.run(["zip", "-q", "-r", "a.zip", "Smith_Divorce"], cwd=tmp_path, check=True)
        shutil.rmtree(tmp_path / "Smith_Divorce")
        subprocess.run(["zip", "-q", "-d", "a.zip", "Smith_Divorce/" + LETTER], cwd=tmp_path, check=True)
        os.makedirs(tmp_path / "Smith_Divorce/data/Correspondence")
        (tmp_path / "Smith_Divorce" / LETTER).write_bytes(bags.DOCUMENTS[LETTER[5:]])
        subprocess.run(["zip", "-q", "-P", "secret", "a.zip", "Smith_Divorce/" + LETTER], cwd=tmp_path, check=True)
        _, findings, summary = verify(tmp_path / "a.zip", status=1)
        assert said(findings, "error", "it is encrypted", LETTER) and not summary[0]["valid"]
        r = run("restore", tmp_path / "a.zip", "--to", tmp_path / "out", status=1)
        assert f"{LETTER[5:]}: it is encrypted" in r.stdout and not (tmp_path / "out" / LETTER[5:]).exists()

    def test_another_name_beside_the_data_than_in_the_directory(self, tmp_path):
        """Some programs believe the one, some the other."""
        path = self.make(tmp_path)
        data = path.read_bytes()
        name = ("Smith_Divorce/" + LETTER).encode()
        at = data.index(name)
        path.write_bytes(data[:at] + name[:-4] + b".exe" + data[at + len(name):])
        _, findings, _ = verify(path, status=1)
        assert said(findings, "error", "another name beside its data", LETTER)

    def test_one_made_by_info_zip_and_one_with_something_before_it(self, tmp_path):
        bags.pack(bags.bag(), tmp_path / "Smith_Divorce", "folder")
        subprocess.run(["zip", "-q", "-r", "a.zip", "Smith_Divorce"], cwd=tmp_path, check=True)
        verify(tmp_path / "a.zip", status=0)
        (tmp_path / "b.zip").write_bytes(b"#!/bin/sh\n" * 20 + (tmp_path / "a.zip").read_bytes())
        verify(tmp_path / "b.zip", status=0)

    def test_one_made_by_bsdtar_streaming(self, tmp_path):
        """Sizes behind the data, Zip64."""
        bags.pack(bags.bag(), tmp_path / "Smith_Divorce", "folder")
        for name, options in (("a.zip", []), ("b.zip", ["--options", "zip:zip64"]), ("c.tar.xz", ["-J"]), ("d.tar.bz2", ["-j"])):
            kind = ["--format", "zip"] if name.endswith("zip") else []
            with open(tmp_path / name, "wb") as f:
                subprocess.run(["bsdtar", "-cf", "-", *kind, *options, "Smith_Divorce"], cwd=tmp_path, check=True, stdout=f)
            verify(tmp_path / name, status=0)


def test_a_sparse_tar(tmp_path):
    """GNU tar's holes are zeros, also at the end of a document."""
    bag = bags.pack(bags.bag({"sparse.img": bytes(1 << 20) + b"middle" + bytes(1 << 20)}), tmp_path / "B", "folder")
    image = bag / "data/sparse.img"
    data = image.read_bytes()
    with open(image, "wb") as f:
        f.seek(1 << 20)
        f.write(b"middle")
        f.truncate(len(data))
    subprocess.run(["tar", "-S", "-cf", "a.tar", "B"], cwd=tmp_path, check=True)
    verify(tmp_path / "a.tar", status=0)


def test_many_documents_take_little_memory(tmp_path):
    """10,000 documents: what is known of each has to fit, for 100,000, into 64 MiB."""
    need_own_memory()
    path = bags.pack(bags.bag({f"Folder {i % 50}/Smith_Divorce_Letter-number-{i:06}_2026-03-02.pdf": b"%d" % i
                               for i in range(10000)}), tmp_path / "a.zip", "zip")
    r = subprocess.run(["/usr/bin/python3", "-c", "import resource, subprocess, sys\n"
                        "r = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode\n"
                        "print(r, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)", EXE, "verify", path],
                       capture_output=True, text=True, env=ENV, check=True)
    status, kib = map(int, r.stdout.split())
    assert status == 0 and kib < 20 << 10, r.stdout


# ---- scrub

class TestScrub:
    def folder(self, tmp_path, n=4):
        a = tmp_path / "Archive"
        (a / "2026").mkdir(parents=True)
        for i in range(n):
            where = a / "2026" if i % 2 else a
            bags.beside(bags.pack(bags.bag({"x": b"%d" % i}), where / f"Smith_Divorce_Archive_2026-11-2{i}.zip", "zip"))
        return a

    def json(self, folder, status):
        return [json.loads(line) for line in run("verify", "--all", "--json", folder, status=status).stdout.splitlines()]

    def test_all_right(self, tmp_path):
        *each, total = self.json(self.folder(tmp_path), 0)
        assert len(each) == 4 and all(e["right"] and len(e["sha256"]) == 64 for e in each)
        assert total["archives"] == 4 and total["bytes"] == sum(e["bytes"] for e in each) and total["wrong"] == 0

    def test_a_flipped_bit_and_a_missing_archive(self, tmp_path):
        a = self.folder(tmp_path)
        bad, gone = sorted(a.rglob("*.zip"))[:2]
        data = bytearray(bad.read_bytes())
        data[len(data) // 2] ^= 1
        bad.write_bytes(data)
        gone.unlink()
        *each, total = self.json(a, 1)
        wrong = {e["archive"]: e["sentence"] for e in each if not e["right"]}
        assert set(wrong) == {str(bad.relative_to(a)), str(gone.relative_to(a))}
        assert "damaged" in wrong[str(bad.relative_to(a))] and "missing" in wrong[str(gone.relative_to(a))]
        assert total["wrong"] == 2
        r = run("verify", "--all", a, status=1)
        assert "2 wrong" in r.stdout

    def test_an_archive_without_sha256_is_looked_at_as_a_bag(self, tmp_path):
        a = self.folder(tmp_path)
        bags.pack({**bags.bag(), "data/x": b""}, a / "foreign.zip", "zip")
        r = run("verify", "--all", a, status=1)
        assert "foreign.zip: data/x: error: it is there, and no payload manifest lists it" in r.stdout

    def test_what_cannot_be_read_is_told(self, tmp_path):
        a = self.folder(tmp_path)
        (a / "Smith_Divorce_Archive_2026-11-20.zip.sha256").write_bytes(b"nothing\n")
        *each, total = self.json(a, 3)
        assert total["unreadable"] == 1

    def test_of_the_cabinet(self, cabinet):
        shutil.copytree(self.folder(cabinet.base / "x"), cabinet.path / "Archive", dirs_exist_ok=True)
        r = cabinet.run("verify", "--all")
        assert "4 archives" in r.stdout and "all as their .sha256 say" in r.stdout

    def test_an_archive_and_its_sha256_both_changed_or_gone(self, cabinet):
        """Whoever can write there can write both; the record lies off the share."""
        cabinet.run("new", "Smith", "Divorce")
        cabinet.drop("Smith_Divorce/Exhibits", "a.txt", b"a\n")
        cabinet.run("sweep")
        cabinet.run("close", "Smith_Divorce", "--force")
        cabinet.run("archive", "Smith_Divorce")
        archive = next((cabinet.path / "Archive").glob("*.zip"))
        cabinet.run("verify", "--all")
        cabinet.run("verify", archive)
        bags.pack(bags.bag(), archive, "zip")
        bags.beside(archive)
        r = cabinet.run("verify", archive, status=1)
        assert "not the one that was made" in r.stdout
        r = cabinet.run("verify", "--all", status=1)
        assert "not the archive that was made" in r.stdout
        archive.unlink()
        archive.with_name(archive.name + ".sha256").unlink()
        r = cabinet.run("verify", "--all", status=1)
        assert "an archive was made under this name" in r.stdout

    def test_a_folder_that_is_not_there(self, tmp_path):
        run("verify", "--all", tmp_path / "nothing", status=3)
        run("verify", "--all", tmp_path, tmp_path, status=2)
