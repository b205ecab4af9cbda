"""Snapshots: one file that anyone can open, made of what the journal says, proved from the disk."""
import os
import re
import subprocess
import zipfile

import pytest

from conftest import need_tool, pdf, sha256, sha256_file

DAY = "2026-03-09"


def shift_to(day):
    """The clock of the organizer at noon of a day."""
    import datetime
    wanted = datetime.datetime.fromisoformat(day + "T12:00:00+00:00")
    return {"ORGANIZER_CLOCK": str(int(wanted.timestamp() - datetime.datetime.now().timestamp()))}


def fill(cabinet, n=5):
    """A case with n filed documents and what else lies in folders."""
    case = cabinet.new("Smith", "Divorce")
    for i in range(n):
        cabinet.drop("Smith_Divorce/Inbox", f"letter {i} 2026-03-02.pdf", pdf(f"letter {i}"))
    cabinet.drop("Smith_Divorce/Evidence/Photos", "überführt 日本.txt", b"text " * 4000)
    (case / "Nothing here").mkdir()
    cabinet.sync()
    return case


def archives(cabinet):
    return sorted(p for p in (cabinet.path / "Archive").iterdir() if not p.name.endswith(".sha256"))


def unpack(archive, to):
    """With a stock tool; the top folder."""
    need_tool("unzip")
    subprocess.run(["unzip", "-q", archive, "-d", to], check=True)
    tops = list(to.iterdir())
    assert len(tops) == 1
    return tops[0]


def files(folder):
    return {str(p.relative_to(folder)): p for p in sorted(folder.rglob("*")) if p.is_file()}


def info(top):
    return dict(line.split(": ", 1) for line in (top / "bag-info.txt").read_text().splitlines())


def test_a_snapshot_opens_with_stock_tools_and_every_document_is_in_it(cabinet, tmp_path):
    case = fill(cabinet)
    cabinet.run("archive", "Smith_Divorce")
    archive, = archives(cabinet)
    assert re.fullmatch(r"Smith_Divorce_Archive_\d{4}-\d\d-\d\d\.zip", archive.name)
    subprocess.run(["sha256sum", "-c", archive.name + ".sha256"], cwd=archive.parent, check=True)
    top = unpack(archive, tmp_path / "out")
    assert top.name == archive.stem
    for manifest in ("manifest-sha256.txt", "tagmanifest-sha256.txt"):
        subprocess.run(["sha256sum", "-c", "--quiet", manifest], cwd=top, check=True)
    for manifest in ("manifest-sha512.txt", "tagmanifest-sha512.txt"):
        subprocess.run(["sha512sum", "-c", "--quiet", manifest], cwd=top, check=True)
    there, inside = files(case), files(top / "data")
    assert set(there) == set(inside)
    for name, path in there.items():
        if name != ".organizer/journal.jsonl":
            assert path.read_bytes() == inside[name].read_bytes(), name
    assert (top / "data" / "Nothing here").is_dir()
