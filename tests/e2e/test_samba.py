"""A share of the real smbd on a port of this machine, and what Windows and macOS do on it. Skipped aloud where
smbd is not installed; `make torture` installs it."""
import os
import shutil
import signal
import socket
import subprocess
import time

import pytest

from conftest import TIMEOUT, docx, need_root, pdf

CONF = """[global]
server role = standalone server
workgroup = TEST
smb ports = {port}
interfaces = 127.0.0.1
bind interfaces only = yes
lock directory = {base}
state directory = {base}
cache directory = {base}
private dir = {base}
pid directory = {base}
ncalrpc dir = {base}/ncalrpc
passdb backend = smbpasswd:{base}/passwd
log file = {base}/log
map to guest = Bad User
guest account = root
load printers = no
disable spoolss = yes
unix extensions = no
[matters]
path = {path}
read only = no
guest ok = yes
force user = root
vfs objects = catia streams_xattr
ea support = yes
hide dot files = no
veto files = /.organizer/
"""


class Share:
    def __init__(self, cabinet, base):
        self.cabinet, self.base = cabinet, base
        (base / "ncalrpc").mkdir(parents=True)
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        conf = base / "smb.conf"
        conf.write_text(CONF.format(port=self.port, base=base, path=cabinet.path))
        self.log = open(base / "smbd.log", "wb")
        self.smbd = subprocess.Popen([shutil.which("smbd") or "/usr/sbin/smbd", "--foreground", "--no-process-group",
                                      "--configfile", conf], stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL,
                                     start_new_session=True)
        until = time.monotonic() + TIMEOUT
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                break
            except OSError:
                assert time.monotonic() < until and self.smbd.poll() is None, (base / "smbd.log").read_text()
                time.sleep(0.05)

    def command(self, *lines):
        return ["smbclient", "-N", "-p", str(self.port), "-s", str(self.base / "smb.conf"), "//127.0.0.1/matters",
                "-c", "; ".join(lines)]

    def do(self, *lines):
        """In one session, as one program would."""
        r = subprocess.run(self.command(*lines), cwd=self.base, capture_output=True, text=True, timeout=TIMEOUT)
        assert "NT_STATUS" not in r.stdout + r.stderr, r.stdout + r.stderr
        return r.stdout

    def local(self, name, data):
        p = self.base / name
        p.write_bytes(data)
        return f'"{p}"'

    def close(self):
        os.killpg(self.smbd.pid, signal.SIGTERM)  # a session of its own, clients' processes and all
        try:
            self.smbd.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.smbd.pid, signal.SIGKILL)
            self.smbd.wait()
        self.log.close()


@pytest.fixture
def share(smith, tmp_path):
    need_root()
    if not (shutil.which("smbd") or os.path.exists("/usr/sbin/smbd")) or not shutil.which("smbclient"):
        pytest.skip("smbd or smbclient is not installed (Debian: samba, samba-vfs-modules, smbclient)")
    s = Share(smith, tmp_path / "samba")
    yield s
    s.close()


def test_what_is_put_into_an_inbox_is_filed_once(share):
    a, b = share.local("a", pdf("a")), share.local("b", pdf("b"))
    share.do(f'put {a} "Smith_Divorce/Inbox/letter 2026-03-02.pdf"',
             f'put {b} "Smith_Divorce/Inbox/Mu\u0308ller order 3-2-26.pdf"')
    share.cabinet.sync()
    names = sorted(share.cabinet.documents())
    assert names == ["Smith_Divorce/Correspondence/Smith_Divorce_Letter_2026-03-02.pdf",
                     "Smith_Divorce/Court Papers/Smith_Divorce_Order-M\u00fcller_2026-03-02.pdf"]
    assert "Smith_Divorce_Letter_2026-03-02.pdf" in share.do('ls "Smith_Divorce/Correspondence/*"')


DANCES = {
    "Word": ['put {new} "A.tmp"', 'rename "Doc.docx" "B.tmp"', 'rename "A.tmp" "Doc.docx"', 'rm "B.tmp"'],
    "Excel 2003": ['put {new} "1A2B3C4D"', 'rename "Doc.docx" "Doc.docx~RF1a2b3c.TMP"', 'rename "1A2B3C4D" "Doc.docx"',
                   'rm "Doc.docx~RF1a2b3c.TMP"'],
    "Excel for Mac": ['put {new} "._A8A09200"', 'rm "Doc.docx"', 'rename "._A8A09200" "Doc.docx"'],
    "LibreOffice": ['put {lock} ".~lock.Doc.docx#"', 'put {new} "lu123abc.tmp"', 'rename "lu123abc.tmp" "Doc.docx" -f',
                    'rm ".~lock.Doc.docx#"'],
    "macOS": ['mkdir "Doc.docx.sb-0a1b2c3d-x1y2z3"', 'put {new} "Doc.docx.sb-0a1b2c3d-x1y2z3/Doc.docx"',
              'rename "Doc.docx.sb-0a1b2c3d-x1y2z3/Doc.docx" "Doc.docx" -f', 'rmdir "Doc.docx.sb-0a1b2c3d-x1y2z3"'],
    "in place": ['put {new} "Doc.docx"'],
}


def test_programs_that_save_through_the_share(share):
    """Each ends as in a folder that nobody watches: one document, whose history goes on."""
    smith = share.cabinet.path / "Smith_Divorce"
    for program in DANCES:
        folder = smith / "Work" / program
        folder.mkdir(parents=True)
        (folder / "Doc.docx").write_bytes(docx(f"old {program}"))
    share.cabinet.sync()
    lock = share.local("lock", b",K,pc,now,profile;")
    for program, dance in DANCES.items():
        new = share.local("new", docx(f"new {program}"))
        share.do(f'cd "Smith_Divorce/Work/{program}"', *(line.format(new=new, lock=lock) for line in dance))
    share.cabinet.sync()
    found = share.cabinet.documents("Smith_Divorce/Work")
    assert sorted(found) == sorted(f"Smith_Divorce/Work/{program}/Doc.docx" for program in DANCES)
    for program in DANCES:
        assert (smith / "Work" / program / "Doc.docx").read_bytes() == docx(f"new {program}")
    kinds = share.cabinet.kinds("Smith_Divorce")
    assert kinds.count("edited") == len(DANCES) and kinds.count("removed") == 0, kinds
    share.cabinet.run("verify", share.cabinet.path)


def test_a_slow_upload_is_left_alone_until_it_is_closed(share):
    """The client writes a little at a time; the document is there, and open."""
    inbox = share.cabinet.path / "Smith_Divorce/Inbox"
    pipe = share.base / "slow"
    os.mkfifo(pipe)
    client = subprocess.Popen(share.command(f'put "{pipe}" "Smith_Divorce/Inbox/letter 2026-03-02.pdf"'),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    data = pdf("slow") + b"x" * 300000
    with open(pipe, "wb", buffering=0) as f:
        for at in range(0, len(data), 100000):
            f.write(data[at:at + 100000])
            until = time.monotonic() + TIMEOUT
            while not (inbox / "letter 2026-03-02.pdf").exists():
                assert time.monotonic() < until
                time.sleep(0.01)
            share.cabinet.sync()
            assert [p.name for p in inbox.iterdir() if not p.name.startswith(".")] == ["letter 2026-03-02.pdf"]
    assert client.wait(TIMEOUT) == 0
    share.cabinet.sync()
    filed = share.cabinet.path / "Smith_Divorce/Correspondence/Smith_Divorce_Letter_2026-03-02.pdf"
    assert filed.read_bytes() == data


def test_a_document_that_a_client_reads_is_not_renamed_meanwhile(share):
    """A client that reads slowly holds it open; then the daemon hears that it may be filed."""
    smith = share.cabinet.path / "Smith_Divorce"
    name, pipe = "order 2026-03-02.pdf", share.base / "out"
    (smith / "Work").mkdir()
    (smith / "Work" / name).write_bytes(pdf("big") + bytes(8 << 20))
    share.cabinet.sync()
    os.mkfifo(pipe)
    client = subprocess.Popen(share.command(f'get "Smith_Divorce/Work/{name}" "{pipe}"'), stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    with open(pipe, "rb") as f:
        f.read(65536)  # the rest waits for us
        os.rename(smith / "Work" / name, smith / "Inbox" / name)
        share.cabinet.sync()
        assert (smith / "Inbox" / name).exists()
        f.read()
    assert client.wait(TIMEOUT) == 0
    share.cabinet.sync()
    assert (smith / "Court Papers/Smith_Divorce_Order_2026-03-02.pdf").exists()


def test_both_sides_rename_and_delete(share):
    """What the daemon renames, the client finds; what the client renames and removes, the journal tells."""
    a, b = share.local("a", pdf("a")), share.local("b", pdf("b"))
    share.do(f'put {a} "Smith_Divorce/Inbox/letter 2026-03-02.pdf"', f'put {b} "Smith_Divorce/Inbox/order 3-2-26.pdf"')
    share.cabinet.sync()
    share.do('cd Smith_Divorce/Correspondence', 'rename "Smith_Divorce_Letter_2026-03-02.pdf" "my letter.pdf"',
             'cd "../Court Papers"', 'rm "Smith_Divorce_Order_2026-03-02.pdf"')
    share.cabinet.sync()
    assert list(share.cabinet.documents()) == ["Smith_Divorce/Correspondence/my letter.pdf"]
    kinds = share.cabinet.kinds("Smith_Divorce")
    assert kinds.count("renamed") == 1 and kinds.count("removed") == 1


def test_alternate_data_streams_go_with_their_document(share):
    """What Windows notes beside a download (streams_xattr keeps it with the file) is no document."""
    a, zone = share.local("a", pdf("a")), share.local("zone", b"[ZoneTransfer]\r\nZoneId=3\r\n")
    share.do('cd Smith_Divorce', 'mkdir Work', f'put {a} "Work\\letter.pdf"', f'put {zone} "Work\\letter.pdf:Zone.Identifier"',
             'rename "Work\\letter.pdf" "Inbox\\letter 2026-03-02.pdf"')
    share.cabinet.sync()
    assert list(share.cabinet.documents()) == ["Smith_Divorce/Correspondence/Smith_Divorce_Letter_2026-03-02.pdf"]
    out = share.base / "back"
    share.do('cd Smith_Divorce/Correspondence', f'get "Smith_Divorce_Letter_2026-03-02.pdf:Zone.Identifier" "{out}"')
    assert out.read_bytes().startswith(b"[ZoneTransfer]")
