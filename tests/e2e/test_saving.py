"""Programs that save (watching.md): whatever the dance, one document at the end, its history goes on."""
import itertools
import os
import subprocess
import time

import pytest
from conftest import TIMEOUT, docx, pdf, sha256


# Each is a generator that saves `data` as folder/name the way the program does; between any two
# steps it yields.

def word(folder, name, data):
    """Word 2007 and later."""
    (folder / "~WRD0001.tmp").write_bytes(data)
    yield
    if (folder / name).exists():
        os.rename(folder / name, folder / "~WRL0002.tmp")
        yield
    os.rename(folder / "~WRD0001.tmp", folder / name)
    yield
    (folder / "~WRL0002.tmp").unlink(missing_ok=True)


def excel_2003(folder, name, data):
    (folder / "Cedd4100").write_bytes(data)
    yield
    aside = folder / f"{name}~RF1a2b3c.TMP"
    if (folder / name).exists():
        os.rename(folder / name, aside)
        yield
    os.rename(folder / "Cedd4100", folder / name)
    yield
    aside.unlink(missing_ok=True)


def excel_mac(folder, name, data):
    (folder / "._A8A09200").write_bytes(data)
    yield
    (folder / name).unlink(missing_ok=True)
    yield
    os.rename(folder / "._A8A09200", folder / name)


def vi(folder, name, data):
    if (folder / name).exists():
        os.rename(folder / name, folder / (name + "~"))
        yield
    with open(folder / name, "wb") as f:
        f.write(data[:7])
        f.flush()
        yield
        f.write(data[7:])
    yield
    (folder / (name + "~")).unlink(missing_ok=True)


def emacs(folder, name, data):
    """Keeps the backup, and writes over the document in place."""
    (folder / f"#{name}#").write_bytes(data)
    os.symlink("jane@pc12.4711:1700000000", folder / f".#{name}")
    yield
    if (folder / name).exists():
        (folder / (name + "~")).write_bytes((folder / name).read_bytes())
        yield
    with open(folder / name, "wb") as f:
        yield
        f.write(data)
    yield
    (folder / f".#{name}").unlink()
    (folder / f"#{name}#").unlink()


def libreoffice(folder, name, data):
    lock = folder / f".~lock.{name}#"
    lock.write_text(",jane,pc12,23.11.2026 10:00,file:///home/jane/.config/libreoffice/4;")
    yield
    (folder / "lu1234abcd.tmp").write_bytes(data)
    yield
    os.rename(folder / "lu1234abcd.tmp", folder / name)
    yield
    lock.unlink()


def gedit(folder, name, data):
    (folder / ".goutputstream-X1Y2Z3").write_bytes(data)
    yield
    os.rename(folder / ".goutputstream-X1Y2Z3", folder / name)


def macos(folder, name, data):
    """Safe save: a folder beside it holds the new file, which is moved over."""
    aside = folder / f"{name}.sb-6d6ce842-tI5oYC"
    aside.mkdir()
    yield
    (aside / name).write_bytes(data)
    yield
    os.rename(aside / name, folder / name)
    yield
    aside.rmdir()


def in_place(folder, name, data):
    """Opens, cuts, writes: Notepad."""
    with open(folder / name, "wb") as f:
        yield
        f.write(data[:5])
        f.flush()
        yield
        f.write(data[5:])


PROGRAMS = [word, excel_2003, excel_mac, vi, emacs, libreoffice, gedit, macos, in_place]
each_program = pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)


def steps(program, tmp_path, exists=True):
    """How many gaps between two steps the program has."""
    folder = tmp_path / f"count-{program.__name__}"
    folder.mkdir(exist_ok=True)
    if exists:
        (folder / "a.pdf").write_bytes(b"a")
    n = sum(1 for _ in program(folder, "a.pdf", b"0123456789"))
    return n


def save(c, program, folder, name, data, sync_at):
    """Runs the program; `sync` in the gaps whose numbers are in sync_at."""
    for gap, _ in enumerate(program(folder, name, data)):
        if gap in sync_at:
            c.sync()


def gaps(program, tmp_path):
    """Sync nowhere, everywhere, and in each single gap."""
    n = steps(program, tmp_path)
    return [set(), set(range(n))] + [{i} for i in range(n)]


def numbers(c, case, data):
    """The numbers of the documents that ever had this content, by the journal."""
    return {l["doc"] for l in c.journal(case) if l.get("sha256") == sha256(data)}


def wait_until(c, done, why=""):
    """sync again and again until it is so: no sleeps but the daemon's own waiting."""
    end = time.monotonic() + TIMEOUT
    while not done():
        assert time.monotonic() < end, f"never came: {why}\n{c.documents()}\n{c.log_text()[-3000:]}"
        c.sync()


# ---- after filing ------------------------------------------------------------------------------

@each_program
def test_a_filed_document_that_is_saved_stays_one_document(smith, tmp_path, program):
    folder = smith.path / "Smith_Divorce/Court Papers"
    contents = []
    for i, sync_at in enumerate(gaps(program, tmp_path)):
        smith.drop("Smith_Divorce/Inbox", f"order 2026-03-{i + 1:02}.pdf", pdf(f"old {i}"))
        smith.sync()
        name = f"Smith_Divorce_Order_2026-03-{i + 1:02}.pdf"
        save(smith, program, folder, name, pdf(f"new {i}"), sync_at)
        smith.sync()
        contents.append(pdf(f"new {i}"))
        assert (folder / name).read_bytes() == pdf(f"new {i}")
        assert numbers(smith, "Smith_Divorce", pdf(f"new {i}")) == \
            numbers(smith, "Smith_Divorce", pdf(f"old {i}")), sync_at
    smith.assert_in_order(contents)
    assert all(p.endswith((".pdf", "~")) for p in smith.documents())


@each_program
def test_saved_twice_and_renamed_between(smith, tmp_path, program):
    smith.drop("Smith_Divorce/Inbox", "order 2026-03-01.pdf", pdf("0"))
    smith.sync()
    folder = smith.path / "Smith_Divorce/Court Papers"
    save(smith, program, folder, "Smith_Divorce_Order_2026-03-01.pdf", pdf("1"), set())
    smith.sync()
    os.rename(folder / "Smith_Divorce_Order_2026-03-01.pdf", folder / "the order.pdf")
    smith.sync()
    save(smith, program, folder, "the order.pdf", pdf("2"), {0, 1, 2, 3, 4})
    smith.sync()
    assert {l["doc"] for l in smith.journal("Smith_Divorce") if "doc" in l} == {1}
    assert (folder / "the order.pdf").read_bytes() == pdf("2")
    smith.assert_in_order([pdf("2")])


# ---- in a folder that people made, and in an Inbox where it is listed ----------------------------

@each_program
@pytest.mark.parametrize("where", ["Smith_Divorce/Trial prep", "Smith_Divorce/Inbox", "Inbox",
                                   "Smith_Divorce/Drafts"])
def test_a_document_saved_where_it_lies(smith, tmp_path, program, where):
    (smith.path / where).mkdir(exist_ok=True)
    contents = []
    for i, sync_at in enumerate(gaps(program, tmp_path)):
        name = f"scan000{i}.pdf"
        save(smith, program, smith.path / where, name, pdf(f"old {i}"), sync_at)
        smith.sync()
        save(smith, program, smith.path / where, name, pdf(f"new {i}"), sync_at)
        smith.sync()
        contents.append(pdf(f"new {i}"))
        assert (smith.path / where / name).read_bytes() == pdf(f"new {i}")
        if where != "Inbox":
            assert numbers(smith, "Smith_Divorce", pdf(f"new {i}")) == \
                numbers(smith, "Smith_Divorce", pdf(f"old {i}")), sync_at
    smith.assert_in_order(contents)


# ---- in an Inbox, before filing -----------------------------------------------------------------

@each_program
def test_first_save_into_an_inbox_is_filed_once(smith, tmp_path, program):
    contents = []
    for i, sync_at in enumerate(gaps(program, tmp_path)):
        save(smith, program, smith.path / "Smith_Divorce/Inbox", f"order 2026-03-{i + 1:02}.pdf",
             pdf(f"{i}"), sync_at)
        wait_until(smith, lambda: f"Smith_Divorce/Court Papers/Smith_Divorce_Order_2026-03-{i + 1:02}.pdf"
                   in smith.documents())
        contents.append(pdf(f"{i}"))
    smith.assert_in_order(contents)
    assert [l["kind"] for l in smith.journal("Smith_Divorce")].count("filed") == len(contents)


@each_program
def test_saved_again_within_the_quiet_time(smith, tmp_path, program):
    inbox = smith.path / "Smith_Divorce/Inbox"
    day = itertools.count(1)
    contents = []

    def be_quiet_for(settle):
        smith.configure(f"settle: {settle}s\ndate_order: mdy\ntime_zone: UTC\n")
        smith.run("reload", smith.path)

    def saved_in_time(settle, sync_at):
        """Whether all of it happened within the quiet time, as it does on a machine that is not busy."""
        i = next(day)
        name = f"order 2026-03-{i:02}.pdf"
        began = time.monotonic()
        (inbox / name).write_bytes(pdf(f"old {i}"))
        save(smith, program, inbox, name, pdf(f"new {i}"), sync_at)
        if time.monotonic() - began > 0.9 * settle:
            return False
        contents.append((pdf(f"old {i}"), pdf(f"new {i}")))
        return True

    settle = 1
    be_quiet_for(settle)
    for sync_at in gaps(program, tmp_path):
        while not saved_in_time(settle, sync_at):
            settle *= 2
            assert settle <= 32, "this machine is too busy to save anything"
            be_quiet_for(settle)
    wait_until(smith, lambda: not [p for p in smith.documents("Smith_Divorce/Inbox")
                                   if p.endswith(".pdf")])
    filed = [l["sha256"] for l in smith.journal("Smith_Divorce") if l["kind"] == "filed"]
    for old, new in contents:
        assert not numbers(smith, "Smith_Divorce", old)
        assert len(numbers(smith, "Smith_Divorce", new)) == 1
        assert filed.count(sha256(new)) == 1
    smith.assert_in_order([new for _, new in contents])


@pytest.mark.parametrize("lock", ["~$der 2026-03-02.pdf", "~$order 2026-03-02.pdf",
                                  "~$rder 2026-03-02.pdf", ".~lock.order 2026-03-02.pdf#",
                                  ".order 2026-03-02.pdf.swp", ".#order 2026-03-02.pdf"])
@pytest.mark.parametrize("where", ["Smith_Divorce/Inbox", "Smith_Divorce/Court Papers", "Inbox"])
def test_a_lock_file_beside_it_is_waited_for(smith, lock, where):
    folder = smith.path / where
    folder.mkdir(exist_ok=True)
    name = "order 2026-03-02.pdf" if where != "Inbox" else "Smith_Divorce order 2026-03-02.pdf"
    lock = lock.replace("order 2026", "Smith_Divorce order 2026") if where == "Inbox" else lock
    if where == "Inbox" and not lock.startswith(("~$S", ".")):
        lock = {"~$der 2026-03-02.pdf": "~$ith_Divorce order 2026-03-02.pdf",
                "~$rder 2026-03-02.pdf": "~$mith_Divorce order 2026-03-02.pdf"}[lock]
    (folder / lock).write_bytes(b"\x08Jane Doe" + bytes(50))
    (folder / name).write_bytes(pdf("1"))
    smith.sync()
    assert (folder / name).exists()
    (folder / name).write_bytes(pdf("2"))
    smith.sync()
    assert (folder / name).exists()
    assert smith.status()["waiting"] == 1
    (folder / lock).unlink()
    wait_until(smith, lambda: not (folder / name).exists())
    smith.assert_in_order([pdf("2")])
    assert "Smith_Divorce/Court Papers/Smith_Divorce_Order_2026-03-02.pdf" in smith.documents()


def test_open_for_reading_is_not_renamed_but_afterwards(smith):
    p = smith.drop("Smith_Divorce/Inbox", ".hold", pdf("r"))
    target = p.with_name("order 2026-03-02.pdf")
    with open(p, "rb"):
        os.rename(p, target)
        smith.sync()
        assert target.exists()
        smith.run("sweep", smith.path)
        assert target.exists()
    wait_until(smith, lambda: not target.exists())
    smith.assert_in_order([pdf("r")])


def test_memory_mapped_for_writing_is_waited_for(smith):
    import mmap
    p = smith.path / "Smith_Divorce/Inbox/order 2026-03-02.pdf"
    p.write_bytes(b"")
    fd = os.open(p, os.O_RDWR)
    os.ftruncate(fd, len(pdf("m")))
    with mmap.mmap(fd, 0) as m:
        os.close(fd)
        smith.sync()
        m[:] = pdf("m")
        smith.sync()
        assert p.exists()
    wait_until(smith, lambda: not p.exists())
    smith.assert_in_order([pdf("m")])


def test_an_explorer_copy_grows_under_its_final_name(smith):
    p = smith.path / "Smith_Divorce/Inbox/order 2026-03-02.pdf"
    data = pdf("grow") + bytes(100_000)
    with open(p, "wb") as f:
        os.truncate(p, len(data))   # Windows sets the size first
        for i in range(0, len(data), 20_000):
            smith.sync()
            assert p.exists()
            f.write(data[i:i + 20_000])
            f.flush()
    smith.sync()
    smith.assert_in_order([data])
    assert "filed" in smith.kinds("Smith_Divorce")


def test_a_scanner_that_reopens_and_appends(smith):
    smith.configure("settle: 1s\ndate_order: mdy\ntime_zone: UTC\n")
    smith.run("reload", smith.path)
    p = smith.path / "Smith_Divorce/Inbox/order 2026-03-02.pdf"
    data = b""
    for page in range(6):
        with open(p, "ab") as f:
            f.write(pdf(f"page {page}"))
        data += pdf(f"page {page}")
        smith.sync()
        assert p.exists()
    wait_until(smith, lambda: not p.exists())
    smith.assert_in_order([data])
    assert numbers(smith, "Smith_Divorce", data) == {1}
    assert [l["kind"] for l in smith.journal("Smith_Divorce")] == ["opened", "filed"]


def test_a_scanner_that_appends_to_a_filed_document(smith):
    p = smith.path / "Smith_Divorce/Court Papers/Smith_Divorce_Order_2026-03-02.pdf"
    p.parent.mkdir()
    data = b""
    for page in range(4):
        with open(p, "ab") as f:
            f.write(pdf(f"page {page}"))
        data += pdf(f"page {page}")
        smith.sync()
    smith.assert_in_order([data])
    assert {l["doc"] for l in smith.journal("Smith_Divorce") if "doc" in l} == {1}


def test_every_change_restarts_the_quiet_time(smith):
    smith.configure("settle: 1s\ndate_order: mdy\ntime_zone: UTC\n")
    smith.run("reload", smith.path)
    p = smith.path / "Smith_Divorce/Inbox/order 2026-03-02.pdf"
    started = time.monotonic()
    i = 0
    while time.monotonic() - started < 2.5:
        changed = time.monotonic()
        p.write_bytes(pdf(f"{i}"))
        smith.sync()
        # A machine that stood still for a second here proves nothing either way.
        assert p.exists() or time.monotonic() - changed > 0.9
        i += 1
    wait_until(smith, lambda: not p.exists())
    assert time.monotonic() - changed >= 1
    smith.assert_in_order([pdf(f"{i - 1}")])


# ---- Explorer's own ------------------------------------------------------------------------------

@pytest.mark.parametrize("where", ["Smith_Divorce/Inbox", "Smith_Divorce/Pleadings"])
@pytest.mark.parametrize("first", [b"", docx("template")], ids=["empty", "template"])
def test_new_word_document_waits_for_name_and_content(smith, where, first):
    folder = smith.path / where
    folder.mkdir(exist_ok=True)
    new = folder / "New Microsoft Word Document.docx"
    new.write_bytes(first)
    smith.sync()
    assert new.exists()
    os.rename(new, folder / "answer 3-2-26.docx")
    if not first:
        smith.sync()
        assert (folder / "answer 3-2-26.docx").exists()
        assert "filed" not in smith.kinds("Smith_Divorce")
    for _ in word(folder, "answer 3-2-26.docx", docx("Answer")):
        pass
    smith.sync()
    assert list(smith.documents()) == ["Smith_Divorce/Pleadings/Smith_Divorce_Answer_2026-03-02.docx"]
    smith.assert_in_order([docx("Answer")])


def test_new_word_document_filled_before_it_is_renamed(smith):
    inbox = smith.path / "Smith_Divorce/Inbox"
    new = inbox / "New Microsoft Word Document.docx"
    new.write_bytes(b"")
    smith.sync()
    for _ in word(inbox, new.name, docx("x")):
        smith.sync()
    smith.sync()
    assert new.exists()
    os.rename(new, inbox / "answer 3-2-26.docx")
    smith.sync()
    smith.assert_in_order([docx("x")])
    assert "Smith_Divorce/Pleadings/Smith_Divorce_Answer_2026-03-02.docx" in smith.documents()


def test_new_folder_then_renamed_becomes_a_case(running):
    os.mkdir(running.path / "New folder")
    running.sync()
    (running.path / "New folder/Inbox").mkdir()
    running.drop("New folder/Inbox", "order 2026-03-02.pdf", pdf("n"))
    running.sync()
    os.rename(running.path / "New folder", running.path / "Jones_Probate")
    running.sync()
    assert "Jones_Probate/Court Papers/Jones_Probate_Order_2026-03-02.pdf" in running.documents()
    running.assert_in_order([pdf("n")])


@pytest.mark.parametrize("synced", [False, True])
def test_new_folder_in_a_case_then_renamed(smith, synced):
    new = smith.path / "Smith_Divorce/New folder"
    new.mkdir()
    smith.sync()
    (new / "a.pdf").write_bytes(pdf("a"))
    if synced:
        smith.sync()
    os.rename(new, smith.path / "Smith_Divorce/Trial prep")
    smith.sync()
    assert list(smith.documents()) == ["Smith_Divorce/Trial prep/a.pdf"]
    assert {l["doc"] for l in smith.journal("Smith_Divorce") if "doc" in l} == {1}
    smith.assert_in_order([pdf("a")])


@pytest.mark.parametrize("synced", [False, True])
def test_new_folder_in_an_inbox_then_renamed(smith, synced):
    new = smith.path / "Smith_Divorce/Inbox/New folder"
    new.mkdir()
    if synced:
        smith.sync()
    os.rename(new, new.with_name("Production"))
    (new.with_name("Production") / "a.pdf").write_bytes(pdf("a"))
    wait_until(smith, lambda: not new.with_name("Production").exists())
    assert all("/As Received/" in p and "Production/" in p for p in smith.documents())
    smith.assert_in_order([pdf("a")])


# ---- hard links, O_TMPFILE: no CLOSE_WRITE ever ----------------------------------------------------

def test_a_file_without_a_name_that_is_linked_in(smith):
    inbox = smith.path / "Smith_Divorce/Inbox"
    fd = os.open(inbox, os.O_TMPFILE | os.O_RDWR)
    os.write(fd, pdf("t"))
    subprocess.run(["ln", "-L", f"/proc/{os.getpid()}/fd/{fd}", inbox / "order 2026-03-02.pdf"],
                   check=True)
    smith.sync()
    assert (inbox / "order 2026-03-02.pdf").exists()
    os.close(fd)
    wait_until(smith, lambda: not (inbox / "order 2026-03-02.pdf").exists())
    smith.assert_in_order([pdf("t")])


# ---- drafts ---------------------------------------------------------------------------------------

DRAFTS = "settle: 0s\ndrafts: 5d\ndate_order: mdy\ntime_zone: UTC\n"


def test_an_editable_document_in_a_standard_folder_waits_as_a_draft(smith):
    smith.configure(DRAFTS)
    smith.run("reload", smith.path)
    folder = smith.path / "Smith_Divorce/Pleadings"
    folder.mkdir()
    (folder / "answer 3-2-26.docx").write_bytes(docx("a"))
    (folder / "complaint 3-2-26.pdf").write_bytes(pdf("c"))
    smith.sync()
    assert sorted(smith.documents()) == ["Smith_Divorce/Pleadings/Smith_Divorce_Complaint_2026-03-02.pdf",
                                         "Smith_Divorce/Pleadings/answer 3-2-26.docx"]
    for _ in word(folder, "answer 3-2-26.docx", docx("b")):
        smith.sync()
    smith.sync()
    assert (folder / "answer 3-2-26.docx").read_bytes() == docx("b")
    assert not (smith.path / "Smith_Divorce/Needs attention.txt").exists()
    smith.assert_in_order([docx("b"), pdf("c")])


def test_a_draft_is_named_when_it_was_left_alone_long_enough(smith):
    smith.configure(DRAFTS)
    smith.run("reload", smith.path)
    folder = smith.path / "Smith_Divorce/Pleadings"
    folder.mkdir()
    p = folder / "answer 3-2-26.docx"
    p.write_bytes(docx("a"))
    smith.sync()
    assert p.exists()
    old = time.time() - 6 * 86400
    os.utime(p, (old, old))
    smith.sync()
    assert list(smith.documents()) == ["Smith_Divorce/Pleadings/Smith_Divorce_Answer_2026-03-02.docx"]
    smith.assert_in_order([docx("a")])


def test_a_draft_in_an_inbox_is_filed_at_once(smith):
    smith.configure(DRAFTS)
    smith.run("reload", smith.path)
    smith.drop("Smith_Divorce/Inbox", "answer 3-2-26.docx", docx("a"))
    smith.sync()
    assert list(smith.documents()) == ["Smith_Divorce/Pleadings/Smith_Divorce_Answer_2026-03-02.docx"]


# ---- listed after a quarter of an hour ----------------------------------------------------------

def test_waited_for_too_long_is_listed_with_who_holds_it(cabinet):
    cabinet.start(env={"ORGANIZER_PATIENCE": "0"})
    cabinet.new("Smith", "Divorce")
    inbox = cabinet.path / "Smith_Divorce/Inbox"
    listed = cabinet.path / "Smith_Divorce/Needs attention.txt"
    (inbox / "~$der 2026-03-02.pdf").write_bytes(b"\x08Jane Doe" + bytes(50))
    (inbox / "order 2026-03-02.pdf").write_bytes(pdf("1"))
    (inbox / "empty.pdf").write_bytes(b"")
    wait_until(cabinet, listed.exists)
    wait_until(cabinet, lambda: all(w in listed.read_text("utf-8-sig")
                                    for w in ("Jane Doe", "order 2026-03-02.pdf", "empty.pdf",
                                              "delete the hidden file ~$der 2026-03-02.pdf")))
    assert (inbox / "order 2026-03-02.pdf").exists()
    (inbox / "~$der 2026-03-02.pdf").unlink()
    (inbox / "empty.pdf").unlink()
    wait_until(cabinet, lambda: not listed.exists())
    cabinet.assert_in_order([pdf("1")])
    assert "Smith_Divorce/Court Papers/Smith_Divorce_Order_2026-03-02.pdf" in cabinet.documents()


def test_open_for_writing_for_too_long_is_listed_and_filed_later(cabinet):
    cabinet.start(env={"ORGANIZER_PATIENCE": "0"})
    cabinet.new("Smith", "Divorce")
    listed = cabinet.path / "Smith_Divorce/Needs attention.txt"
    p = cabinet.path / "Smith_Divorce/Inbox/order 2026-03-02.pdf"
    with open(p, "wb") as f:
        f.write(pdf("1"))
        f.flush()
        wait_until(cabinet, listed.exists)
        assert "order 2026-03-02.pdf" in listed.read_text("utf-8-sig")
    wait_until(cabinet, lambda: not p.exists() and not listed.exists())
    cabinet.assert_in_order([pdf("1")])
