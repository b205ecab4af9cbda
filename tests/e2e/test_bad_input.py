"""Bad input gets a clear answer and nothing is lost; the rest of the tree goes on."""
import itertools
import json
import os
import random
import shutil
import signal
import socket
import stat
import subprocess
import threading
import time

import pytest
from conftest import EXE, NOBODY, TIMEOUT, need_root, need_tool, pdf, sha256

ORDER = "Smith_Divorce/Court Papers/Smith_Divorce_Order_2026-03-02.pdf"


def attention(c, case="Smith_Divorce"):
    p = c.path / case / "Needs attention.txt"
    return p.read_text("utf-8-sig") if p.exists() else ""


def still_files(c, case="Smith_Divorce"):
    """The rest goes on: a letter dropped now is filed."""
    prefix = case.split("/")[-1]
    c.drop(f"{case}/Inbox", "letter 2026-01-05.pdf", pdf("still"))
    c.sync()
    assert f"{case}/Correspondence/{prefix}_Letter_2026-01-05.pdf" in c.documents()


def wait_until(c, done):
    end = time.monotonic() + TIMEOUT
    while not done():
        assert time.monotonic() < end, f"never came\n{c.documents()}\n{c.log_text()[-3000:]}"
        c.sync()


# ---- what is no document ---------------------------------------------------------------------------

@pytest.mark.parametrize("where", ["Smith_Divorce/Inbox", "Smith_Divorce/Court Papers", "Smith_Divorce/Work", "Inbox"])
def test_links_pipes_and_sockets_are_listed_and_never_followed(smith, where):
    folder = smith.path / where
    folder.mkdir(exist_ok=True)
    outside = smith.base / "outside"
    outside.mkdir()
    (outside / "secret order 2026-03-02.pdf").write_bytes(pdf("secret"))
    os.mkfifo(folder / "order fifo 2026-03-02.pdf")
    s = socket.socket(socket.AF_UNIX)
    s.bind(str(smith.base / "s"))  # a socket's path may have 107 bytes
    s.close()
    os.rename(smith.base / "s", folder / "order socket 2026-03-02.pdf")
    os.symlink(outside / "secret order 2026-03-02.pdf", folder / "order link 2026-03-02.pdf")
    os.symlink("nowhere", folder / "order dangling 2026-03-02.pdf")
    os.symlink("order loop 2026-03-02.pdf", folder / "order loop 2026-03-02.pdf")
    os.symlink(outside, folder / "order folder 2026-03-02")
    os.symlink("..", folder / "order up 2026-03-02")
    before = {e.name: e.stat(follow_symlinks=False).st_ino for e in os.scandir(folder) if "order" in e.name}
    smith.sync()
    smith.run("sweep", smith.path)
    assert {e.name: e.stat(follow_symlinks=False).st_ino for e in os.scandir(folder) if "order" in e.name} == before
    text = attention(smith) if where != "Inbox" else (smith.path / "Index.html").read_text()
    for n in ("fifo", "socket", "link", "dangling", "loop"):
        assert f"order {n} 2026-03-02.pdf" in text
    assert "secret" not in (smith.path / "Smith_Divorce/Index.csv").read_text("utf-8-sig")
    still_files(smith)
    smith.assert_in_order([pdf("still")])


def test_devices_are_listed(smith):
    need_root()
    try:
        os.mknod(smith.path / "Smith_Divorce/Inbox/order null 2026-03-02.pdf", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        os.mknod(smith.path / "Smith_Divorce/Inbox/order disk 2026-03-02.pdf", stat.S_IFBLK | 0o666, os.makedev(7, 0))
    except PermissionError:
        pytest.skip("this machine lets nobody make devices")
    smith.sync()
    assert "order null" in attention(smith) and "order disk" in attention(smith)
    still_files(smith)


def test_a_listed_link_that_is_replaced_by_a_document(smith):
    p = smith.path / "Smith_Divorce/Inbox/order 2026-03-02.pdf"
    os.symlink("nowhere", p)
    smith.sync()
    assert "order 2026-03-02.pdf" in attention(smith)
    p.unlink()
    p.write_bytes(pdf("x"))
    smith.sync()
    assert list(smith.documents()) == [ORDER] and attention(smith) == ""
    smith.assert_in_order([pdf("x")])


# ---- sizes ---------------------------------------------------------------------------------------------

def test_empty_files_wait_and_are_told_after_a_while(cabinet):
    cabinet.start(env={"ORGANIZER_PATIENCE": "0"})
    cabinet.new("Smith", "Divorce")
    for i in range(5):
        cabinet.drop("Smith_Divorce/Inbox", f"order {i} 2026-03-02.pdf", b"")
        cabinet.drop("Smith_Divorce/Work", f"{i}.pdf", b"")
    wait_until(cabinet, lambda: all(f"order {i} 2026-03-02.pdf" in attention(cabinet) for i in range(5)))
    for i in range(5):
        cabinet.drop("Smith_Divorce/Inbox", f"order {i} 2026-03-02.pdf", pdf(f"{i}"))
        cabinet.drop("Smith_Divorce/Work", f"{i}.pdf", pdf(f"w{i}"))
    wait_until(cabinet, lambda: not attention(cabinet))
    assert len([p for p in cabinet.documents() if "Court Papers" in p]) == 5
    cabinet.assert_in_order([pdf(f"{i}") for i in range(5)] + [pdf(f"w{i}") for i in range(5)])


def test_a_sparse_recording_of_4_gb_does_not_hold_up_letters(smith):
    big = smith.path / "Smith_Divorce/Inbox/.hold"
    with open(big, "wb") as f:
        f.write(b"RIFF\xff\xff\xff\x7fWAVEfmt ")
        f.truncate(4 << 30)
    os.rename(big, big.with_name("deposition 2026-03-02.wav"))
    barrier = subprocess.Popen([*smith.prefix, str(EXE), "sync", str(smith.path)], env=smith.env, cwd=smith.path)
    smith.drop("Smith_Divorce/Inbox", "letter 2026-01-05.pdf", pdf("letter"))
    letter = smith.path / "Smith_Divorce/Correspondence/Smith_Divorce_Letter_2026-01-05.pdf"
    while not letter.exists():
        assert barrier.poll() is None, "the recording was done before the letter"
    assert barrier.wait(TIMEOUT) == 0
    rows = [l for l in smith.journal("Smith_Divorce") if l["kind"] in ("filed", "indexed") and "wav" in l["to"]]
    assert rows and rows[0]["size"] == 4 << 30
    assert attention(smith) == "" or "deposition" in attention(smith)
    assert letter.read_bytes() == pdf("letter")


# ---- what changes while it is looked at ----------------------------------------------------------------

class Racer(threading.Thread):
    """Makes, writes over, renames and removes documents as fast as it can; knows what must be left."""

    def __init__(self, cabinet, seed, seconds):
        super().__init__()
        self.c, self.r, self.end = cabinet, random.Random(seed), time.monotonic() + seconds
        self.alive, self.doubtful, self.failed = {}, set(), None
        self.n = 0

    def path(self):
        return self.c.path / self.r.choice(["Smith_Divorce/Inbox", "Smith_Divorce/Work", "Inbox", "Smith_Divorce/Drafts",
                                            "Smith_Divorce/Evidence"]) / \
            self.r.choice(["order {} 2026-03-02.pdf", "Smith_Divorce letter {} 2026-03-02.pdf", "scan{}.pdf"]).format(self.r.randrange(40))

    def content(self):
        self.n += 1
        return pdf(f"race {self.n}" + "x" * self.r.choice([0, 10, 5000]))

    def make(self):
        # By a temporary and a rename that replaces nothing: so it is known what became of all.
        t, p, data = self.c.base / "t", self.path(), self.content()
        t.write_bytes(data)
        try:
            os.link(t, p)
        except FileExistsError:
            return
        finally:
            t.unlink()
        self.alive[sha256(data)] = p

    def forget(self, p):
        """What was under p may or may not be there any more (the organizer may have moved it before)."""
        self.doubtful |= {h for h, where in self.alive.items() if where == p}

    def replace(self):
        t, p, data = self.c.base / "t", self.path(), self.content()
        t.write_bytes(data)
        os.replace(t, p)
        self.forget(p)
        self.alive[sha256(data)] = p

    def write_over(self):
        p, data = self.path(), self.content()
        with open(p, "r+b") as f:
            self.forget(p)
            f.truncate()
            f.write(data)
        self.alive[sha256(data)] = p

    def move(self):
        a, b = self.path(), self.path()
        os.rename(a, b)
        self.forget(b)
        for h, where in list(self.alive.items()):
            if where == a and a != b:
                self.alive[h] = b

    def remove(self):
        p = self.path()
        os.unlink(p)
        self.forget(p)

    def run(self):
        acts = [self.make] * 4 + [self.replace, self.write_over, self.move, self.move, self.remove]
        try:
            while time.monotonic() < self.end:
                try:
                    self.r.choice(acts)()
                except FileNotFoundError:
                    pass
        except BaseException as e:  # told by the test, not lost with the thread
            self.failed = e


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("settle", ["0s", "1s"])
def test_files_that_vanish_and_change_in_mid_flight(cabinet, seed, settle):
    cabinet.configure(f"settle: {settle}\ndrafts: 0s\ndate_order: mdy\ntime_zone: UTC\n")
    cabinet.start()
    cabinet.new("Smith", "Divorce")
    for d in "Work", "Drafts", "Evidence":
        (cabinet.path / "Smith_Divorce" / d).mkdir()
    racer = Racer(cabinet, seed, 4)
    racer.start()
    while racer.is_alive():
        cabinet.sync()
    racer.join()
    assert not racer.failed, racer.failed
    cabinet.sync()  # the last one may have begun before the last thing that the racer did
    wait_until(cabinet, lambda: cabinet.status()["waiting"] == 0)
    cabinet.sync()  # what was waited for is under way
    docs = list(cabinet.documents().values())
    for h in racer.alive:
        assert docs.count(h) == 1 or (h in racer.doubtful and docs.count(h) == 0), (h, racer.alive[h])
    assert len(docs) == len(set(docs))
    cabinet.assert_in_order([h for h in racer.alive if h not in racer.doubtful])


def test_a_storm_of_small_files_that_come_and_go(smith):
    for i in range(300):
        p = smith.drop("Smith_Divorce/Inbox", f"order {i} 2026-03-02.pdf", pdf(f"{i}"))
        if i % 3 == 0:
            p.unlink(missing_ok=True)
    smith.sync()
    smith.assert_in_order([pdf(f"{i}") for i in range(300) if i % 3])


# ---- rights ----------------------------------------------------------------------------------------------

def give(c, path):
    if os.geteuid() == 0:
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    return path


def test_an_unreadable_document_is_listed_and_read_when_it_may(of_nobody):
    c = of_nobody.start()
    c.new("Smith", "Divorce")
    t = c.base / "t"
    t.write_bytes(pdf("closed"))
    give(c, t)
    os.chmod(t, 0)
    p = c.path / "Smith_Divorce/Inbox/order 2026-03-02.pdf"
    os.rename(t, p)
    c.sync()
    assert "order 2026-03-02.pdf" in attention(c) and p.exists()
    os.chmod(p, 0o600)
    c.sync()
    assert attention(c) == "" and (c.path / ORDER).read_bytes() == pdf("closed")
    c.assert_in_order([pdf("closed")])


def test_a_folder_that_may_not_be_written_keeps_its_documents(of_nobody):
    c = of_nobody.start()
    c.new("Smith", "Divorce")
    papers = c.path / "Smith_Divorce/Court Papers"
    papers.mkdir()
    give(c, papers)
    os.chmod(papers, 0o555)
    p = c.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf", pdf("x"))
    give(c, p)
    c.sync()
    assert p.exists() and "order 2026-03-02.pdf" in attention(c)
    os.chmod(papers, 0o755)
    c.run("sweep", c.path)
    c.sync()
    assert attention(c) == "" and (c.path / ORDER).exists()
    c.assert_in_order([pdf("x")])


def test_a_read_only_case_is_looked_at_and_left(of_nobody):
    c = of_nobody.start()
    c.new("Smith", "Divorce")
    c.new("Jones", "Probate")
    c.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf", pdf("x"))
    c.sync()
    subprocess.run(["chmod", "-R", "a-w", c.path / "Smith_Divorce"], check=True)
    if os.geteuid() == 0:
        subprocess.run(["chown", "-R", "0:0", c.path / "Smith_Divorce"], check=True)
    before = c.documents("Smith_Divorce")
    c.run("sweep", c.path)
    assert c.documents("Smith_Divorce") == before
    c.drop("Jones_Probate/Inbox", "letter 2026-01-05.pdf", pdf("still"))
    give(c, c.path / "Jones_Probate/Inbox/letter 2026-01-05.pdf")
    c.sync()
    assert "Jones_Probate/Correspondence/Jones_Probate_Letter_2026-01-05.pdf" in c.documents()
    if os.geteuid() == 0:
        subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", c.path / "Smith_Divorce"], check=True)
    subprocess.run(["chmod", "-R", "u+w", c.path / "Smith_Divorce"], check=True)
    c.run("sweep", c.path)
    c.assert_in_order([pdf("x"), pdf("still")])


def test_a_folder_that_may_not_be_entered_loses_nothing(of_nobody):
    c = of_nobody.start()
    c.new("Smith", "Divorce")
    work = c.path / "Smith_Divorce/Work"
    work.mkdir()
    give(c, work)
    give(c, c.drop("Smith_Divorce/Work", "a.pdf", pdf("a")))
    c.sync()
    os.chmod(work, 0)
    c.run("sweep", c.path)
    assert "removed" not in c.kinds("Smith_Divorce")
    os.chmod(work, 0o755)
    c.run("sweep", c.path)
    assert c.kinds("Smith_Divorce") == ["opened", "indexed"]
    c.assert_in_order([pdf("a")])


def test_without_leases_quiet_counts(of_nobody):
    """A document of somebody else, which the daemon may not lease, is left for ten seconds at least."""
    need_root()
    c = of_nobody.start()
    c.new("Smith", "Divorce")
    p = c.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf", pdf("x"))
    started = time.monotonic()
    c.sync()
    assert p.exists()
    wait_until(c, lambda: not p.exists())
    assert time.monotonic() - started > 9
    c.assert_in_order([pdf("x")])


def test_an_immutable_document_is_listed(smith):
    need_root()
    need_tool("chattr")
    p = smith.path / "Smith_Divorce/Inbox/order 2026-03-02.pdf"
    (smith.base / "t").write_bytes(pdf("x"))
    if subprocess.run(["chattr", "+i", smith.base / "t"], capture_output=True).returncode:
        pytest.skip("this file system knows no immutable files")
    subprocess.run(["chattr", "-i", smith.base / "t"], check=True)
    smith.stop()
    os.rename(smith.base / "t", p)
    subprocess.run(["chattr", "+i", p], check=True)
    try:
        smith.start()
        smith.sync()
        assert p.exists() and "order 2026-03-02.pdf" in attention(smith)
        still_files(smith)
    finally:
        subprocess.run(["chattr", "-i", p], check=True)
    smith.run("sweep", smith.path)
    smith.sync()
    assert (smith.path / ORDER).exists() and attention(smith) == ""
    smith.assert_in_order([pdf("x"), pdf("still")])


# ---- disks -------------------------------------------------------------------------------------------------

@pytest.fixture
def small_disk(tmp_path):
    """A file system of 4 MB."""
    need_root()
    mount = tmp_path / "disk"
    mount.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m,mode=0755", "tmpfs", mount], capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a tmpfs")
    yield mount
    subprocess.run(["umount", "-l", mount], check=True)


def fill(mount):
    """Until a new file takes not a byte more, or cannot be made."""
    (mount / "filler").mkdir()
    for i in itertools.count():
        name = mount / f"filler/{i}"
        try:
            with open(name, "ab", buffering=0) as f:
                while True:
                    f.write(bytes(65536))
        except OSError:
            if not name.exists() or name.stat().st_size == 0:
                return


def test_a_full_cabinet_loses_nothing_and_goes_on_when_there_is_room(cabinet, small_disk):
    shutil.copytree(cabinet.path, small_disk / "Matters", symlinks=True, dirs_exist_ok=True)
    shutil.rmtree(cabinet.path)
    cabinet.path = small_disk / "Matters"
    cabinet.start()
    cabinet.new("Smith", "Divorce")
    cabinet.stop()
    contents = [pdf(f"{i}") for i in range(20)]
    for i, data in enumerate(contents):
        cabinet.drop("Smith_Divorce/Inbox", f"order {i} 2026-03-02.pdf", data)
    fill(small_disk)
    cabinet.start()
    cabinet.run("sync", cabinet.path, status=None)
    assert sorted(d for d in cabinet.documents().values() if d in map(sha256, contents)) == sorted(map(sha256, contents))
    shutil.rmtree(small_disk / "filler")
    end = time.monotonic() + TIMEOUT
    while len([p for p in cabinet.documents() if "Court Papers" in p]) < 20:
        assert time.monotonic() < end, cabinet.log_text()[-2000:]
        cabinet.run("sweep", cabinet.path, status=None)
    cabinet.sync()
    cabinet.assert_in_order(contents)
    assert cabinet.stop() == 0


def test_a_full_private_state_files_nothing_until_there_is_room(cabinet, small_disk):
    cabinet.state = small_disk / "state"
    cabinet.state.mkdir(mode=0o700)
    cabinet.env["STATE_DIRECTORY"] = str(cabinet.state)
    cabinet.start()
    cabinet.new("Smith", "Divorce")
    fill(small_disk)
    contents = [pdf(f"{i}" + "y" * 3000) for i in range(30)]
    for i, data in enumerate(contents):
        cabinet.drop("Smith_Divorce/Inbox", f"order {i} 2026-03-02.pdf", data)
    r = cabinet.run("sync", cabinet.path, status=3)
    assert "FILING HAS STOPPED: " in r.stdout and "No space left" in r.stdout
    assert "No space left" in cabinet.json("sweep", cabinet.path, status=3)[0]["filing_stopped"]
    docs = cabinet.documents()
    assert sorted(d for d in docs.values()) == sorted(map(sha256, contents))
    shutil.rmtree(small_disk / "filler")
    end = time.monotonic() + TIMEOUT
    while len([p for p in cabinet.documents() if "Court Papers" in p]) < 30:
        assert time.monotonic() < end, cabinet.log_text()[-2000:]
        cabinet.run("sweep", cabinet.path, status=None)
    cabinet.sync()
    cabinet.stop()
    fill(small_disk)
    contents.append(pdf("z" * 3000))
    cabinet.drop("Smith_Divorce/Inbox", "order 99 2026-03-02.pdf", contents[-1])
    cabinet.run("sweep", cabinet.path, status=3)
    assert "Smith_Divorce/Inbox/order 99 2026-03-02.pdf" in cabinet.documents()
    shutil.rmtree(small_disk / "filler")
    cabinet.run("sweep", cabinet.path)
    cabinet.assert_in_order(contents)


def test_a_file_system_mounted_inside_a_case_is_left_alone(smith, small_disk):
    papers = smith.path / "Smith_Divorce/Court Papers"
    papers.mkdir()
    subprocess.run(["mount", "--bind", small_disk, papers], check=True)
    try:
        p = smith.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf", pdf("x"))
        smith.sync()
        smith.run("sweep", smith.path)
        assert p.exists() and "order 2026-03-02.pdf" in attention(smith)
        assert "Court Papers is another disk" in attention(smith)
        told = [r for r in smith.json("check", smith.path / "Smith_Divorce", status=1) if r.get("reason") == "other-disk"]
        assert [r["path"] for r in told] == ["Smith_Divorce/Court Papers"]
        assert "on another disk" in smith.run("archive", "Smith_Divorce", status=3).stdout
        still_files(smith)
    finally:
        subprocess.run(["umount", "-l", papers], check=True)
    wait_until(smith, lambda: smith.run("sweep", smith.path) and (smith.path / ORDER).exists())
    smith.sync()
    assert not (smith.path / "Smith_Divorce/Needs attention.txt").exists()
    smith.assert_in_order([pdf("x"), pdf("still")])


def test_a_disk_over_what_lies_in_an_inbox_is_left_alone_and_does_not_keep_it_busy(smith):
    """A folder, and a document that is bound over: each look at them ends at another file system."""
    box = smith.path / "Smith_Divorce/Inbox"
    (box / "Scanner").mkdir()
    (box / "order 2026-03-02.pdf").write_bytes(pdf("below"))
    smith.sync()
    filed, = (smith.path / "Smith_Divorce/Court Papers").iterdir()
    other = smith.base / "other.pdf"
    other.write_bytes(pdf("above"))
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", box / "Scanner"]).returncode:
        pytest.skip("this test wants to mount a tmpfs")
    try:
        subprocess.run(["mount", "--bind", other, filed], check=True)
        try:
            for _ in range(3):
                smith.sync()
            before = smith.status()["swept_folders"]
            for _ in range(3):
                smith.sync()
            assert smith.status()["swept_folders"] == before
        finally:
            subprocess.run(["umount", filed], check=True)
    finally:
        subprocess.run(["umount", box / "Scanner"], check=True)
    smith.sync()
    smith.assert_in_order([pdf("below")])


# ---- folders that go under the daemon ------------------------------------------------------------------------

def test_a_case_folder_renamed_while_documents_are_dropped(smith):
    contents = []
    for i in range(60):
        name = "Smith_Divorce" if i < 30 else "Smith-John_Divorce"
        contents.append(pdf(f"{i}"))
        smith.drop(f"{name}/Inbox", f"order {i} 2026-03-02.pdf", contents[-1])
        if i == 29:
            os.rename(smith.path / "Smith_Divorce", smith.path / "Smith-John_Divorce")
    smith.sync()
    assert not (smith.path / "Smith_Divorce").exists()
    assert all(p.startswith("Smith-John_Divorce/Court Papers/") for p in smith.documents())
    smith.assert_in_order(contents)


def test_a_case_folder_removed_while_documents_are_dropped(smith):
    smith.new("Jones", "Probate")
    for i in range(30):
        smith.drop("Smith_Divorce/Inbox", f"order {i} 2026-03-02.pdf", pdf(f"{i}"))
    # What the daemon writes meanwhile may be in rm's way; it must come to an end.
    for _ in range(50):
        smith.sync()
        if subprocess.run(["rm", "-rf", smith.path / "Smith_Divorce"], capture_output=True).returncode == 0:
            break
    smith.sync()
    assert not (smith.path / "Smith_Divorce").exists()
    still_files(smith, "Jones_Probate")


def test_a_case_folder_moved_out_and_back(smith):
    smith.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf", pdf("x"))
    smith.sync()
    os.rename(smith.path / "Smith_Divorce", smith.base / "away")
    smith.sync()
    os.rename(smith.base / "away", smith.path / "Smith_Divorce")
    smith.sync()
    assert [k for k in smith.kinds("Smith_Divorce") if k in ("filed", "removed", "indexed")] == ["filed"]
    still_files(smith)
    smith.assert_in_order([pdf("x"), pdf("still")])


def test_the_inbox_removed_and_made_again(smith):
    (smith.path / "Smith_Divorce/Inbox").rmdir()
    smith.sync()
    (smith.path / "Smith_Divorce/Inbox").mkdir()
    still_files(smith)
    (smith.path / "Inbox").rmdir()
    smith.sync()
    smith.drop("Inbox", "Smith_Divorce order 2026-03-02.pdf", pdf("x"))
    smith.sync()
    assert (smith.path / ORDER).exists()
    smith.assert_in_order([pdf("x"), pdf("still")])


@pytest.mark.parametrize("target", ["{base}", "../.."])
def test_a_standard_folder_replaced_by_a_file_and_by_a_link(smith, target):
    papers = smith.path / "Smith_Divorce/Court Papers"
    papers.write_bytes(pdf("not a folder"))
    p = smith.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf", pdf("x"))
    smith.sync()
    assert p.exists()
    papers.unlink()
    os.symlink(target.format(base=smith.base), papers)
    assert papers.samefile(smith.base)
    smith.run("sweep", smith.path)
    smith.sync()
    assert p.exists() and not (smith.base / "Smith_Divorce_Order_2026-03-02.pdf").exists()
    papers.unlink()
    smith.run("sweep", smith.path)
    smith.sync()
    assert (smith.path / ORDER).exists()
    smith.assert_in_order([pdf("x")])


def test_a_tree_deeper_than_any_path(smith):
    here = os.open(smith.path / "Smith_Divorce", os.O_RDONLY)
    try:
        fd = os.dup(here)
        for i in range(150):
            os.mkdir("deeper and deeper than any path may be", dir_fd=fd)
            below = os.open("deeper and deeper than any path may be", os.O_RDONLY, dir_fd=fd)
            os.close(fd)
            fd = below
        f = os.open("bottom.pdf", os.O_CREAT | os.O_WRONLY, 0o644, dir_fd=fd)
        os.write(f, pdf("bottom"))
        os.close(f)
        smith.sync()
        smith.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf", pdf("x"))
        smith.sync()
        assert (smith.path / ORDER).read_bytes() == pdf("x")
        smith.run("sweep", smith.path)
        assert os.stat("bottom.pdf", dir_fd=fd).st_size == len(pdf("bottom"))
        os.close(fd)
    finally:
        os.close(here)
        subprocess.run(["rm", "-rf", smith.path / "Smith_Divorce/deeper and deeper than any path may be"], check=True)
    smith.sync()
    smith.assert_in_order([pdf("x")])


# ---- daemons, cabinets, clocks -------------------------------------------------------------------------------

def test_a_second_daemon_says_who_has_the_cabinet(smith):
    r = smith.run("watch", smith.path, status=3)
    assert str(smith.process.pid) in r.stderr and "open" in r.stderr
    assert r.stdout == "" and "Traceback" not in r.stderr
    still_files(smith)


def test_a_killed_daemon_leaves_no_lock_behind(smith):
    smith.process.send_signal(signal.SIGKILL)
    smith.process.wait()
    smith.process = None
    smith.start()
    still_files(smith)
    smith.assert_in_order([pdf("still")])


@pytest.mark.parametrize("verb", ["watch", "sweep", "sync", "status", "check", "verify"])
def test_a_folder_that_is_no_cabinet(tmp_path, cabinet, verb):
    (tmp_path / "empty").mkdir()
    for path in tmp_path / "empty", tmp_path / "missing":
        r = cabinet.run(verb, path, cwd=tmp_path, status=None)
        assert r.returncode in (2, 3), (r.returncode, r.stdout, r.stderr)
        assert "init" in r.stderr or "No such file" in r.stderr
        assert len(r.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("text, says", [("settle: soon\n", "organizer.yaml:1"), ("mode: enforce\nsetle: 3s\n", "organizer.yaml:2"),
                                        ("mode: [\n", "organizer.yaml:"), ("\x00", "organizer.yaml")])
def test_a_broken_configuration_is_told_with_its_line_and_the_old_one_stays(smith, text, says):
    smith.configure(text)
    r = smith.run("reload", smith.path, status=None)
    assert r.returncode != 0 and says in r.stderr + r.stdout
    still_files(smith)
    smith.stop()
    r = smith.run("watch", smith.path, status=3)
    assert says in r.stderr
    smith.configure(smith.config_text)


def test_broken_rules_are_told_with_file_line_and_column_and_the_old_ones_stay(smith):
    rules = smith.path / ".organizer/rules/types"
    rules.mkdir(parents=True)
    (rules / "ours.yaml").write_text("types:\n  Motion:\n    folder: [\n")
    r = smith.run("reload", smith.path, status=None)
    assert r.returncode != 0
    assert "ours.yaml:" in r.stderr + r.stdout
    still_files(smith)


@pytest.mark.parametrize("when", [0, 1, 4102444800, 2 ** 33])
def test_file_times_of_long_ago_and_of_the_future(smith, when):
    t = smith.base / "t"
    for i, where in enumerate(["Smith_Divorce/Inbox/order 2026-03-02.pdf", "Smith_Divorce/Inbox/order.pdf",
                               "Smith_Divorce/Work/a.pdf", "Smith_Divorce/Evidence/exhibit 2026-03-02.pdf"]):
        t.write_bytes(pdf(f"{i}"))
        os.utime(t, (when, when))
        (smith.path / where).parent.mkdir(exist_ok=True)
        os.rename(t, smith.path / where)
    wait_until(smith, lambda: (smith.path / ORDER).exists())
    wait_until(smith, lambda: smith.status()["waiting"] == 0)
    assert int((smith.path / ORDER).stat().st_mtime) == when
    smith.assert_in_order([pdf(f"{i}") for i in range(4)])


def test_a_clock_that_jumps_between_starts(cabinet):
    contents = []
    cabinet.start()
    cabinet.new("Smith", "Divorce")
    for i, shift in enumerate([0, 400 * 86400, -3000 * 86400, 0]):
        cabinet.stop()
        cabinet.start(env={"ORGANIZER_CLOCK": str(shift)})
        contents.append(pdf(f"{i}"))
        cabinet.drop("Smith_Divorce/Inbox", f"order {i} 2016-03-02.pdf", contents[-1])
        cabinet.drop("Smith_Divorce/Work", "edited.pdf", pdf(f"edit {i}"))
        cabinet.sync()
        assert len([p for p in cabinet.documents() if "Court Papers" in p]) == i + 1
    assert [l["kind"] for l in cabinet.journal("Smith_Divorce") if l.get("to") == "Work/edited.pdf"] == \
        ["indexed", "edited", "edited", "edited"]
    cabinet.assert_in_order(contents + [pdf("edit 3")])


def test_a_future_date_by_the_clock_is_a_question_until_it_came(cabinet):
    cabinet.start(env={"ORGANIZER_CLOCK": str(-10 * 365 * 86400)})
    cabinet.new("Smith", "Divorce")
    cabinet.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf", pdf("x"))
    cabinet.sync()
    assert "order 2026-03-02.pdf" in attention(cabinet)
    cabinet.stop()
    cabinet.start()
    cabinet.sync()
    assert (cabinet.path / ORDER).exists()
    cabinet.assert_in_order([pdf("x")])


def test_a_json_line_for_every_problem(smith):
    smith.drop("Smith_Divorce/Inbox", "scan0001.pdf", pdf("x"))
    smith.sync()
    r = smith.run("check", smith.path, "--json", status=1)
    for line in r.stdout.splitlines():
        json.loads(line)
    assert "scan0001.pdf" in r.stdout
