"""hooks/archived/offsite against real servers of rclone on the loopback, and the mails of the night."""
import contextlib
import json
import os
import socket
import subprocess
import time

import pytest

from conftest import ROOT, TIMEOUT, need_tool, sha256
from test_hooks import bin, lines, mail, run  # noqa: F401 (fixtures)

OFFSITE = ROOT / "hooks" / "archived" / "offsite"
DATA = b"PK\x03\x04 an archive " * 5000


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def serving(kind, folder, port, *args):
    """A server of rclone for the folder, up until the end of the block."""
    p = subprocess.Popen(["rclone", "serve", kind, str(folder), "--addr", f"127.0.0.1:{port}", *args],
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                         env={"PATH": os.environ["PATH"], "HOME": str(folder.parent)})
    try:
        end = time.monotonic() + TIMEOUT / 2
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert p.poll() is None and time.monotonic() < end, "rclone does not serve"
        yield
    finally:
        p.terminate()
        p.wait(30)


class Far:
    """A far end, and the office's settings for it."""

    def __init__(self, tmp, kind, port, *more):
        self.folder = tmp / "far"
        self.folder.mkdir()
        self.kind, self.port = kind, port
        self.settings = ["OFFSITE_REMOTE=far:matters", "OFFSITE_TRIES=1", "OFFSITE_PAUSE=0.1",
                         f"RCLONE_CONFIG={tmp}/none.conf", *more]

    def serve(self):
        extra = ["--user", "o", "--pass", "secret"] if self.kind == "sftp" else []
        return serving(self.kind, self.folder, self.port, *extra)

    def has(self, name):
        f = self.folder / "matters" / name
        return f.read_bytes() if f.exists() else None


@pytest.fixture
def far(request, tmp_path):
    """WebDAV tells no hashes: what arrived is read back. SFTP does."""
    need_tool("rclone")
    port = free_port()
    if getattr(request, "param", "webdav") == "webdav":
        return Far(tmp_path, "webdav", port, "RCLONE_CONFIG_FAR_TYPE=webdav",
                   f"RCLONE_CONFIG_FAR_URL=http://127.0.0.1:{port}")
    obscured = subprocess.run(["rclone", "obscure", "secret"], capture_output=True, text=True,
                              check=True).stdout.strip()
    return Far(tmp_path, "sftp", port, "RCLONE_CONFIG_FAR_TYPE=sftp",
               "RCLONE_CONFIG_FAR_HOST=127.0.0.1", f"RCLONE_CONFIG_FAR_PORT={port}",
               "RCLONE_CONFIG_FAR_USER=o", f"RCLONE_CONFIG_FAR_PASS={obscured}")


@pytest.fixture
def archive(tmp_path):
    f = tmp_path / "Archive" / "Smith_Divorce_Archive_2026-11-23.zip"
    f.parent.mkdir()
    f.write_bytes(DATA)
    (f.parent / (f.name + ".sha256")).write_text(f"{sha256(DATA)}  {f.name}\n")
    return f


def send(far, archive, tmp_path, digest=None, more=()):
    conf = tmp_path / "offsite.env"
    conf.write_text("# where\n" + "\n".join([*far.settings, *more]) + "\n")
    conf.chmod(0o600)
    event = {"v": 1, "event": "archived", "path": str(archive), "archive": "Archive/" + archive.name,
             "sha256": digest or sha256(DATA), "case": "Smith_Divorce"}
    return subprocess.run([str(OFFSITE), str(conf)], input=json.dumps(event).encode(),
                          capture_output=True, timeout=2 * TIMEOUT,
                          env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": str(tmp_path)})


both = pytest.mark.parametrize("far", ["webdav", "sftp"], indirect=True)


@both
def test_an_archive_is_there_whole_with_its_digest(far, archive, tmp_path):
    with far.serve():
        r = send(far, archive, tmp_path)
        assert r.returncode == 0, r.stderr
        assert far.has(archive.name) == DATA
        assert far.has(archive.name + ".sha256").decode().split()[0] == sha256(DATA)
        # once more: nothing is uploaded again
        before = (far.folder / "matters" / archive.name).stat().st_mtime_ns
        assert send(far, archive, tmp_path).returncode == 0
        assert (far.folder / "matters" / archive.name).stat().st_mtime_ns == before


@both
def test_what_rotted_at_the_far_end_is_sent_again(far, archive, tmp_path):
    with far.serve():
        assert send(far, archive, tmp_path).returncode == 0
        there = far.folder / "matters" / archive.name
        st = there.stat()
        there.write_bytes(b"x" + DATA[1:])
        os.utime(there, ns=(st.st_atime_ns, st.st_mtime_ns))
    with far.serve():
        assert send(far, archive, tmp_path).returncode == 0
    assert far.has(archive.name) == DATA


def test_a_server_that_is_away_means_again(far, archive, tmp_path):
    r = send(far, archive, tmp_path, more=["OFFSITE_OPTIONS=--retries 1 --low-level-retries 1 "
                                           "--contimeout 2s --timeout 2s"])
    assert r.returncode == 75, r.stderr
    assert r.stderr
    with far.serve():
        assert send(far, archive, tmp_path).returncode == 0
    assert far.has(archive.name) == DATA


def test_an_archive_that_is_not_what_was_recorded_is_never_sent(far, archive, tmp_path):
    with far.serve():
        r = send(far, archive, tmp_path, digest="0" * 64)
        assert r.returncode == 75 and b"not what was recorded" in r.stderr
    assert far.has(archive.name) is None


def test_a_far_end_that_loses_bytes_is_noticed(archive, tmp_path):
    """A remote that takes everything and keeps less of it."""
    need_tool("rclone")
    fake = tmp_path / "rclone"
    fake.write_text(f"""#!/bin/sh
dir={tmp_path}/far; mkdir -p $dir
case $* in
*lsjson*) n=$(echo "$*" | sed 's,.*/,,')
  [ -e $dir/$n ] && echo "[{{\\"Name\\":\\"$n\\",\\"Size\\":{len(DATA)}}}]" || echo '[]' ;;
*copyto*) for a; do :; done; head -c 100 "$3" >$dir/$(basename "$a") ;;
*cat*) for a; do :; done; cat $dir/$(basename "$a") ;;
esac
""")
    fake.chmod(0o755)
    conf = tmp_path / "offsite.env"
    conf.write_text(f"OFFSITE_REMOTE=far:x\nOFFSITE_TRIES=2\nOFFSITE_PAUSE=0\nOFFSITE_RCLONE={fake}\n")
    event = {"path": str(archive), "sha256": sha256(DATA)}
    r = subprocess.run([str(OFFSITE), str(conf)], input=json.dumps(event).encode(),
                       capture_output=True, timeout=TIMEOUT, env={"PATH": "/usr/bin:/bin"})
    assert r.returncode == 75 and r.stderr.count(b"not what was sent") == 2, r.stderr


@pytest.mark.parametrize("text,mode,status,words", [
    ("", 0o600, 78, b"OFFSITE_REMOTE"), ("OFFSITE_REMOTE=x:\nNAME=x\n", 0o600, 78, b":2: expected"),
    ("OFFSITE_REMOTE=x:\n", 0o666, 78, b"refused"),
    ("OFFSITE_REMOTE=x:\nOFFSITE_VERIFY=no\n", 0o600, 78, b"OFFSITE_VERIFY"),
    ("OFFSITE_REMOTE=x:\nOFFSITE_RCLONE=/nowhere\n", 0o600, 69, b"/nowhere")])
def test_mistakes_in_its_settings_are_told(archive, tmp_path, text, mode, status, words):
    conf = tmp_path / "offsite.env"
    conf.write_text(text)
    conf.chmod(mode)
    r = subprocess.run([str(OFFSITE), str(conf)], capture_output=True, timeout=TIMEOUT,
                       input=json.dumps({"path": str(archive), "sha256": sha256(DATA)}).encode(),
                       env={"PATH": "/usr/bin:/bin"})
    assert (r.returncode, words in r.stderr) == (status, True), r.stderr


# ---- mail -------------------------------------------------------------------------------------------

def test_the_mail_hooks_are_one_file():
    for event in ("archived", "nightly"):
        assert (ROOT / "hooks" / event / "mail").resolve() == ROOT / "hooks/needs-attention/mail"


def test_an_archive_is_mailed_with_its_digest(mail):
    _, m = mail({"v": 1, "event": "archived", "case": "Smith_Divorce", "sha256": "ab" * 32,
                 "archive": "Archive/Smith_Divorce_Archive_2026-11-23.zip", "size": 7})
    assert m["Subject"] == "[organizer] Smith_Divorce: archived"
    assert "ab" * 32 in m.get_content() and "Archive_2026-11-23.zip" in m.get_content()


def night(failed, **more):
    return {"v": 1, "event": "nightly", "cabinet": "/srv/Matters", "verified": 50, "archived": 3,
            "failed": failed, "failures": [{"case": "Smith_Divorce", "step": "archive",
                                            "why": "the disk is full"}] * failed, **more}


def test_a_night_that_did_not_end_in_order_is_mailed(mail):
    _, m = mail(night(1))
    assert m["Subject"] == "[organizer] the night: 1 not in order"
    assert "archive: Smith_Divorce: the disk is full" in m.get_content()


def test_a_night_in_order_is_mailed_when_asked_for(mail, bin):
    hook = ROOT / "hooks" / "nightly" / "mail"
    assert run(hook, night(0), bin, args=[mail.conf]).returncode == 0
    assert lines(mail.sent) == []
    mail.conf.write_text(mail.conf.read_text() + "nightly = always\n")
    _, m = mail(night(0))
    assert m["Subject"] == "[organizer] the night: in order"
