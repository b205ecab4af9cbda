"""Which document is it? Edited, moved, renamed, removed, returned, restored, linked, fought over."""
import os
import shutil
import signal
import subprocess
import time

import pytest
from conftest import NOBODY, TIMEOUT, docx, need_tool, pdf, sha256

ORDER = "Smith_Divorce/Court Papers/Smith_Divorce_Order_2026-03-02.pdf"


def file_order(c, data=pdf("order"), name="order 2026-03-02.pdf"):
    c.drop("Smith_Divorce/Inbox", name, data)
    c.sync()
    assert ORDER in c.documents()
    return c.path / ORDER


def lines(c, number, case="Smith_Divorce"):
    """What the journal says of a document: kinds, in order."""
    return [l["kind"] for l in c.journal(case) if l.get("doc") == number]


def attention(c, case="Smith_Divorce"):
    p = c.path / case / "Needs attention.txt"
    return p.read_text("utf-8-sig") if p.exists() else ""


def index(c, name, case="Smith_Divorce"):
    """A document's line in Index.csv."""
    return next(row for row in c.index(case) if row["Name"] == name)


# ---- moved by people ----------------------------------------------------------------------------

def test_moved_between_folders_it_stays_the_same_document(smith):
    p = file_order(smith)
    (smith.path / "Smith_Divorce/Trial prep").mkdir()
    os.rename(p, smith.path / "Smith_Divorce/Trial prep" / p.name)
    smith.sync()
    assert lines(smith, 1) == ["filed", "renamed"]
    smith.assert_in_order([pdf("order")])


def wait_kind(c, kind, case="Smith_Divorce"):
    end = time.monotonic() + TIMEOUT / 2
    while kind not in c.kinds(case):
        assert time.monotonic() < end, c.kinds(case)
        c.sync()


def test_moved_with_a_long_quiet_time_is_not_removed_meanwhile(smith):
    """The new place is quiet only after the old one would count as removed."""
    p = file_order(smith)
    smith.configure("settle: 3s\ndate_order: mdy\ntime_zone: UTC\n")
    smith.run("reload", smith.path)
    (smith.path / "Smith_Divorce/Trial prep").mkdir()
    os.rename(p, smith.path / "Smith_Divorce/Trial prep" / p.name)
    wait_kind(smith, "renamed")
    assert lines(smith, 1) == ["filed", "renamed"]
    smith.assert_in_order([pdf("order")])


def test_a_hundred_moved_at_once_are_a_hundred_renamings(smith):
    folder = smith.path / "Smith_Divorce/Work"
    folder.mkdir()
    for i in range(100):
        (folder / f"{i}.pdf").write_bytes(pdf(f"{i}"))
    smith.sync()
    other = smith.path / "Smith_Divorce/Other"
    other.mkdir()
    for i in range(100):
        os.rename(folder / f"{i}.pdf", other / f"x{i}.pdf")
    smith.sync()
    kinds = smith.kinds("Smith_Divorce")
    assert kinds.count("renamed") == 100 and "removed" not in kinds
    assert kinds.count("indexed") == 100
    smith.assert_in_order([pdf(f"{i}") for i in range(100)])


def test_a_folder_renamed_takes_its_documents_along(smith):
    folder = smith.path / "Smith_Divorce/Work/deep"
    folder.mkdir(parents=True)
    for i in range(20):
        (folder / f"{i}.pdf").write_bytes(pdf(f"{i}"))
    smith.sync()
    os.rename(smith.path / "Smith_Divorce/Work", smith.path / "Smith_Divorce/Trial")
    smith.sync()
    kinds = smith.kinds("Smith_Divorce")
    assert kinds.count("indexed") == 20 and "removed" not in kinds
    smith.assert_in_order([pdf(f"{i}") for i in range(20)])


def test_moved_to_another_case_and_back(smith):
    smith.new("Jones", "Probate")
    p = file_order(smith)
    to = smith.path / "Jones_Probate/From Smith"
    to.mkdir()
    os.rename(p, to / p.name)
    smith.sync()
    assert lines(smith, 1) == ["filed", "removed"]
    assert smith.kinds("Jones_Probate")[-1] == "indexed"
    assert [l for l in smith.journal("Smith_Divorce") if l["kind"] == "removed"][0]["to_cabinet"] == \
        "Jones_Probate/From Smith/" + p.name
    os.rename(to / p.name, p)
    smith.sync()
    assert lines(smith, 1) == ["filed", "removed", "returned"]
    assert smith.kinds("Jones_Probate")[-1] == "removed"
    smith.assert_in_order([pdf("order")])


def test_dragged_from_a_case_into_another_case_s_inbox_is_listed(smith):
    """It still carries Smith's prefix: in the Inbox of Jones it is a question."""
    smith.new("Jones", "Probate")
    p = file_order(smith)
    os.rename(p, smith.path / "Jones_Probate/Inbox" / p.name)
    smith.sync()
    assert f"Jones_Probate/Inbox/{p.name}" in smith.documents()
    assert "Smith" in attention(smith, "Jones_Probate")
    smith.assert_in_order([pdf("order")])


def test_dragged_back_into_its_inbox_it_is_filed_again(smith):
    p = file_order(smith)
    os.rename(p, smith.path / "Smith_Divorce/Inbox/letter 3-3-26.pdf")
    smith.sync()
    assert list(smith.documents()) == ["Smith_Divorce/Correspondence/Smith_Divorce_Letter_2026-03-03.pdf"]
    assert {l["doc"] for l in smith.journal("Smith_Divorce") if "doc" in l} == {1}
    smith.assert_in_order([pdf("order")])


def test_from_the_office_inbox_into_a_case(smith):
    smith.drop("Inbox", "scan0001.pdf", pdf("s"))
    smith.sync()
    os.rename(smith.path / "Inbox/scan0001.pdf", smith.path / "Smith_Divorce/Inbox/order 3-2-26.pdf")
    smith.sync()
    assert list(smith.documents()) == [ORDER]
    assert not (smith.path / "Needs attention.txt").exists()
    smith.assert_in_order([pdf("s")])


def test_a_filed_document_moved_to_another_standard_folder_keeps_its_name(smith):
    p = file_order(smith)
    to = smith.path / "Smith_Divorce/Evidence"
    to.mkdir()
    os.rename(p, to / p.name)
    smith.sync()
    assert list(smith.documents()) == ["Smith_Divorce/Evidence/" + p.name]
    assert index(smith, p.name)["Named by hand"] == ""
    smith.assert_in_order([pdf("order")])


# ---- renamed, edited, removed, returned ---------------------------------------------------------

def test_renamed_and_edited_between_two_looks(smith):
    p = file_order(smith)
    os.rename(p, p.with_name("the order.pdf"))
    p.with_name("the order.pdf").write_bytes(pdf("edited"))
    smith.sync()
    assert {l["doc"] for l in smith.journal("Smith_Divorce") if "doc" in l} == {1}
    smith.assert_in_order([pdf("edited")])


def test_renamed_and_edited_while_stopped(smith):
    p = file_order(smith)
    smith.stop()
    os.rename(p, p.with_name("the order.pdf"))
    p.with_name("the order.pdf").write_bytes(pdf("edited"))
    smith.start()
    smith.sync()
    assert lines(smith, 1) == ["filed", "renamed"]
    smith.assert_in_order([pdf("edited")])


def test_case_only_rename_by_a_person(smith):
    p = file_order(smith)
    os.rename(p, p.with_name(p.name.upper()))
    smith.sync()
    assert lines(smith, 1) == ["filed", "renamed"]
    assert "look the same" not in attention(smith)
    smith.assert_in_order([pdf("order")])
    assert p.with_name(p.name.upper()).exists()


def test_removed_and_returned_from_a_backup(smith):
    p = file_order(smith)
    p.unlink()
    smith.sync()
    p.write_bytes(pdf("order"))
    smith.sync()
    assert lines(smith, 1) == ["filed", "removed", "returned"]
    smith.assert_in_order([pdf("order")])


def test_another_document_under_the_name_of_one_removed_long_ago(cabinet):
    cabinet.start(env={"ORGANIZER_PATIENCE": "0"})
    cabinet.new("Smith", "Divorce")
    p = cabinet.path / "Smith_Divorce/Work/scan0001.pdf"
    p.parent.mkdir()
    for text in "1", "2":
        (cabinet.base / "new").write_bytes(pdf(text))
        os.rename(cabinet.base / "new", p)
        cabinet.sync()
        if text == "1":
            p.unlink()
            cabinet.sync()
    assert [(l["kind"], l["doc"]) for l in cabinet.journal("Smith_Divorce") if "doc" in l] == \
        [("indexed", 1), ("removed", 1), ("indexed", 2)]
    cabinet.assert_in_order([pdf("2")])


def test_a_reused_inode_is_another_document(smith):
    """ext4 hands the number of a removed file to the next one made."""
    work = smith.path / "Smith_Divorce/Work"
    work.mkdir()
    reused = 0
    for i in range(30):
        a, b = work / f"a{i}.pdf", work / f"b{i}.pdf"
        a.write_bytes(pdf(f"a{i}"))
        smith.sync()
        was = a.stat().st_ino
        a.unlink()
        b.write_bytes(pdf(f"b{i}"))
        reused += b.stat().st_ino == was
        smith.sync()
        if reused >= 3:
            break
    if not reused:
        pytest.skip("this file system did not use an inode number again")
    j = smith.journal("Smith_Divorce")
    by_number = {}
    for l in j:
        if "sha256" in l:
            by_number.setdefault(l["doc"], set()).add(l["sha256"])
    assert all(len(h) == 1 for h in by_number.values()), "two documents were taken for one"
    assert smith.kinds("Smith_Divorce").count("removed") == i + 1
    smith.assert_in_order([pdf(f"b{k}") for k in range(i + 1)])


def test_a_reused_inode_while_stopped(smith):
    work = smith.path / "Smith_Divorce/Work"
    work.mkdir()
    (work / "a.pdf").write_bytes(pdf("a"))
    smith.sync()
    smith.stop()
    was = (work / "a.pdf").stat().st_ino
    (work / "a.pdf").unlink()
    (work / "b.pdf").write_bytes(pdf("b"))
    if (work / "b.pdf").stat().st_ino != was:
        pytest.skip("this file system did not use the inode number again")
    smith.start()
    smith.sync()
    assert sorted((l["kind"], l["doc"]) for l in smith.journal("Smith_Divorce") if "doc" in l) == \
        [("indexed", 1), ("indexed", 2), ("removed", 1)]
    smith.assert_in_order([pdf("b")])


# ---- over one another ---------------------------------------------------------------------------

def two(c, a="a.pdf", b="b.pdf"):
    work = c.path / "Smith_Divorce/Work"
    work.mkdir()
    (work / a).write_bytes(pdf("A"))
    c.sync()
    (work / b).write_bytes(pdf("B"))
    c.sync()
    return work


def stand_still(c):
    """Or a fast daemon, or a slow machine, has the name between in the history, too."""
    c.process.send_signal(signal.SIGSTOP)
    os.waitpid(c.process.pid, os.WUNTRACED)


@pytest.mark.parametrize("stopped", [False, True])
def test_two_documents_swap_their_names(smith, stopped):
    work = two(smith)
    if stopped:
        smith.stop()
    else:
        stand_still(smith)
    os.rename(work / "a.pdf", work / "c.pdf")
    os.rename(work / "b.pdf", work / "a.pdf")
    os.rename(work / "c.pdf", work / "b.pdf")
    if stopped:
        smith.start()
    else:
        smith.process.send_signal(signal.SIGCONT)
    smith.sync()
    assert lines(smith, 1) == lines(smith, 2) == ["indexed", "renamed"]
    smith.assert_in_order([pdf("A"), pdf("B")])


@pytest.mark.parametrize("stopped", [False, True])
def test_the_old_one_set_aside_and_another_put_in_its_place(smith, stopped):
    work = two(smith)
    if stopped:
        smith.stop()
    os.rename(work / "a.pdf", work / "z a-old.pdf")
    os.rename(work / "b.pdf", work / "a.pdf")
    if stopped:
        smith.start()
    smith.sync()
    assert lines(smith, 1) == lines(smith, 2) == ["indexed", "renamed"]
    assert [l["to"] for l in smith.journal("Smith_Divorce") if l["kind"] == "renamed" and l["doc"] == 1] \
        == ["Work/z a-old.pdf"]
    smith.assert_in_order([pdf("A"), pdf("B")])


@pytest.mark.parametrize("stopped", [False, True])
def test_set_aside_and_written_anew(smith, stopped):
    work = smith.path / "Smith_Divorce/Work"
    work.mkdir()
    (work / "a.pdf").write_bytes(pdf("A"))
    smith.sync()
    if stopped:
        smith.stop()
    os.rename(work / "a.pdf", work / "z a-old.pdf")
    (work / "a.pdf").write_bytes(pdf("A2"))
    if stopped:
        smith.start()
    smith.sync()
    assert lines(smith, 1) == ["indexed", "renamed"]
    assert lines(smith, 2) == ["indexed"]
    smith.assert_in_order([pdf("A"), pdf("A2")])


@pytest.mark.parametrize("stopped", [False, True])
def test_a_program_saves_under_an_unknown_temporary_name(smith, stopped):
    p = file_order(smith)
    t = p.with_name("save 4711.pdf")
    t.write_bytes(pdf("new"))
    smith.sync()
    if stopped:
        smith.stop()
    os.rename(p.with_name("save 4711.pdf") if t.exists() else t, p)
    if stopped:
        smith.start()
    smith.sync()
    assert lines(smith, 1) == ["filed", "edited"]
    assert smith.kinds("Smith_Divorce")[-1] == "removed" or lines(smith, 2)[-1] == "removed"
    smith.assert_in_order([pdf("new")])


def test_a_filed_document_put_over_another(smith):
    a = file_order(smith)
    smith.drop("Smith_Divorce/Inbox", "order 2026-03-05.pdf", pdf("B"))
    smith.sync()
    b = a.with_name("Smith_Divorce_Order_2026-03-05.pdf")
    os.rename(b, a)
    smith.sync()
    assert lines(smith, 1) == ["filed", "removed"]
    assert lines(smith, 2) == ["filed", "renamed"]
    smith.assert_in_order([pdf("B")])


# ---- a restored cabinet ---------------------------------------------------------------------------

def test_a_restored_cabinet_is_not_a_hundred_edits(smith):
    for i in range(60):
        smith.drop("Smith_Divorce/Inbox", f"order {i} 2026-03-02.pdf", pdf(f"{i}"))
    for i in range(40):
        smith.drop("Smith_Divorce/Work", f"{i}.pdf", pdf(f"w{i}"))
    smith.drop("Smith_Divorce/Inbox", "scan0001.pdf", pdf("listed"))
    smith.sync()
    before, journal = smith.documents(), smith.journal("Smith_Divorce")
    smith.stop()
    old = smith.path.with_name("Old")
    os.rename(smith.path, old)
    subprocess.run(["cp", "-a", old, smith.path], check=True)
    shutil.rmtree(old)
    smith.start()
    smith.sync()
    assert smith.documents() == before
    assert smith.journal("Smith_Divorce") == journal
    smith.assert_in_order([pdf(f"{i}") for i in range(60)] + [pdf("listed")])


def test_a_restored_cabinet_where_inode_numbers_are_mixed_up(smith):
    """The worst restore: every file has the inode number that another one had."""
    work = smith.path / "Smith_Divorce/Work"
    work.mkdir()
    for i in range(20):
        (work / f"{i}.pdf").write_bytes(pdf(f"{i}"))
    smith.sync()
    journal = smith.journal("Smith_Divorce")
    smith.stop()
    for i in range(20):
        (work / f"{i}.pdf").unlink()
    for i in reversed(range(20)):
        (work / f"{i}.pdf").write_bytes(pdf(f"{i}"))
    smith.start()
    smith.sync()
    assert smith.journal("Smith_Divorce") == journal
    smith.assert_in_order([pdf(f"{i}") for i in range(20)])


# ---- racily clean -----------------------------------------------------------------------------------

def test_an_edit_that_leaves_size_and_time_as_they_were(smith):
    """mtime set back by the program that saved: ctime tells."""
    p = file_order(smith, pdf("one"))
    st = p.stat()
    p.write_bytes(pdf("two"))
    os.utime(p, ns=(st.st_atime_ns, st.st_mtime_ns))
    smith.sync()
    assert lines(smith, 1) == ["filed", "edited"]
    smith.assert_in_order([pdf("two")])


def test_written_again_and_again_the_last_bytes_are_recorded(smith):
    p = smith.drop("Smith_Divorce/Work", "a.pdf", pdf("start"))
    for i in range(60):
        p.write_bytes(pdf(f"{i:04}"))
        if i % 7 == 0:
            smith.sync()
    smith.sync()
    smith.assert_in_order([pdf("0059")])


# ---- links ------------------------------------------------------------------------------------------

def test_a_hard_link_is_listed_and_not_touched(smith):
    p = smith.drop("Smith_Divorce/Work", "a.pdf", pdf("h"))
    os.link(p, smith.path / "Smith_Divorce/Inbox/order 2026-03-02.pdf")
    smith.sync()
    assert (smith.path / "Smith_Divorce/Inbox/order 2026-03-02.pdf").exists()
    assert "order 2026-03-02.pdf" in attention(smith)
    p.unlink()
    smith.sync()
    assert list(smith.documents()) == [ORDER]
    smith.assert_in_order([pdf("h")])


def test_a_hard_link_that_leads_outside(smith):
    outside = smith.base / "secret.pdf"
    outside.write_bytes(pdf("o"))
    os.link(outside, smith.path / "Smith_Divorce/Inbox/order 2026-03-02.pdf")
    smith.sync()
    assert list(smith.documents()) == ["Smith_Divorce/Inbox/order 2026-03-02.pdf"]
    assert "order 2026-03-02.pdf" in attention(smith)
    smith.assert_in_order([pdf("o")])


def test_a_filed_document_that_gets_a_second_name_and_loses_it(smith):
    p = file_order(smith)
    os.link(p, smith.base / "backup.pdf")
    smith.run("sweep", smith.path)
    p.write_bytes(pdf("edited"))
    smith.sync()
    assert p.name in attention(smith)
    os.unlink(smith.base / "backup.pdf")
    smith.run("sweep", smith.path)
    assert attention(smith) == ""
    assert list(smith.documents()) == [ORDER]
    smith.assert_in_order([pdf("edited")])


def test_replaced_by_a_link_it_is_gone(smith):
    p = file_order(smith)
    outside = smith.base / "moved away.pdf"
    os.rename(p, outside)
    os.symlink(outside, p)
    smith.sync()
    assert lines(smith, 1) == ["filed", "removed"]
    assert p.is_symlink() and p.name in attention(smith)
    smith.assert_in_order([])


# ---- names that come back -------------------------------------------------------------------------

def test_saved_under_the_name_it_was_opened(smith):
    """The program opened Inbox/order…, which is filed now; it saves under that name again."""
    p = file_order(smith, pdf("v1"))
    smith.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf", pdf("v2"))
    smith.sync()
    assert p.read_bytes() == pdf("v1")
    assert p.with_name("Smith_Divorce_Order_2026-03-02_02.pdf").read_bytes() == pdf("v2")
    assert "new version" in index(smith, "Smith_Divorce_Order_2026-03-02_02.pdf")["Remark"]
    assert attention(smith) == ""
    smith.assert_in_order([pdf("v1"), pdf("v2")])


def test_saved_under_its_old_name_in_a_standard_folder(smith):
    folder = smith.path / "Smith_Divorce/Pleadings"
    folder.mkdir()
    (folder / "answer 3-2-26.pdf").write_bytes(pdf("v1"))
    smith.sync()
    assert list(smith.documents()) == ["Smith_Divorce/Pleadings/Smith_Divorce_Answer_2026-03-02.pdf"]
    (folder / "answer 3-2-26.pdf").write_bytes(pdf("v2"))
    smith.sync()
    assert "new version" in index(smith, "Smith_Divorce_Answer_2026-03-02_02.pdf")["Remark"]
    smith.assert_in_order([pdf("v1"), pdf("v2")])


def test_saved_under_its_old_name_after_a_person_renamed_it(smith):
    p = smith.drop("Smith_Divorce/Work", "brief.pdf", pdf("v1"))
    smith.sync()
    os.rename(p, p.with_name("brief for court.pdf"))
    smith.sync()
    p.write_bytes(pdf("v2"))
    smith.sync()
    assert sorted(smith.documents()) == ["Smith_Divorce/Work/brief for court.pdf",
                                         "Smith_Divorce/Work/brief.pdf"]
    assert "new version" in index(smith, "brief.pdf")["Remark"]
    assert attention(smith) == ""
    smith.assert_in_order([pdf("v1"), pdf("v2")])


# ---- names that look the same ---------------------------------------------------------------------

NFC, NFD = "Müller café.pdf", "Mu\u0308ller cafe\u0301.pdf"


@pytest.mark.parametrize("names", [(NFC, NFD), (NFD, NFC), ("Brief.pdf", "BRIEF.pdf")])
def test_two_names_that_look_the_same_both_survive_and_one_is_listed(smith, names):
    for n in names:
        smith.drop("Smith_Divorce/Work", n, pdf(n))
        smith.sync()
    assert sorted(smith.documents()) == sorted(f"Smith_Divorce/Work/{n}" for n in names)
    listed = [l for l in attention(smith).splitlines() if "are two documents" in l]
    assert len(listed) == 1
    smith.assert_in_order([pdf(n) for n in names])
    (smith.path / "Smith_Divorce/Work" / names[0]).unlink()
    smith.sync()
    assert attention(smith) == ""


def test_twins_in_an_inbox_both_get_a_name(smith):
    a, b = "Müller order 3-2-26.pdf", "Mu\u0308ller order 3-2-26.pdf"
    smith.drop("Smith_Divorce/Inbox", a, pdf("a"))
    smith.drop("Smith_Divorce/Inbox", b, pdf("b"))
    smith.sync()
    names = [os.path.basename(p) for p in smith.documents()]
    assert len(names) == 2 and len({n.lower() for n in names}) == 2
    assert sum("_02" in n for n in names) == 1
    smith.assert_in_order([pdf("a"), pdf("b")])


# ---- copies ---------------------------------------------------------------------------------------

def test_a_copy_in_an_inbox_is_filed_when_the_first_is_removed(smith):
    p = file_order(smith, pdf("same"))
    smith.drop("Smith_Divorce/Inbox", "order again 2026-03-03.pdf", pdf("same"))
    smith.sync()
    assert "already filed" in attention(smith)
    p.unlink()
    smith.sync()
    assert attention(smith) == ""
    assert list(smith.documents()) == [
        "Smith_Divorce/Court Papers/Smith_Divorce_Order-again_2026-03-03.pdf"]
    smith.assert_in_order([pdf("same")])


def test_a_copy_elsewhere_is_a_remark(smith):
    file_order(smith, pdf("same"))
    smith.drop("Smith_Divorce/Work", "copy.pdf", pdf("same"))
    smith.sync()
    assert attention(smith) == ""
    assert len(smith.documents()) == 2
    smith.assert_in_order([])


# ---- fought over ------------------------------------------------------------------------------------

def test_renamed_back_again_and_again_it_is_left_alone_and_listed(smith):
    p = file_order(smith)
    back = smith.path / "Smith_Divorce/Inbox/order 2026-03-02.pdf"
    for i in range(4):
        os.rename(p, back)
        smith.sync()
        if back.exists():
            break
    assert i == 3
    assert back.exists() and not p.exists()
    assert "renamed again and again" in attention(smith)
    smith.assert_in_order([pdf("order")])
    smith.stop()
    smith.start()
    assert back.exists()
    os.rename(back, back.with_name("order of the court 2026-03-02.pdf"))
    smith.sync()
    assert attention(smith) == ""
    smith.assert_in_order([pdf("order")])


def test_copied_back_again_and_again_it_is_told_once(smith):
    """A sync client that uploads what it misses."""
    p = file_order(smith)
    back = smith.path / "Smith_Divorce/Inbox/order 2026-03-02.pdf"
    for _ in range(5):
        shutil.copyfile(p, back)
        smith.sync()
        assert back.exists() and p.exists()
        assert "already filed" in attention(smith)
        back.unlink()
        smith.sync()
    assert list(smith.documents()) == [ORDER]
    smith.assert_in_order([pdf("order")])


# ---- many at once, and by other means ---------------------------------------------------------------

def test_rsync_in_place_and_by_temporary(smith):
    need_tool("rsync")
    p = file_order(smith)
    source = smith.base / "source"
    source.mkdir()
    for i, options in enumerate((["--inplace"], [], ["--delay-updates"])):
        (source / p.name).write_bytes(pdf(f"r{i}"))
        subprocess.run(["rsync", "-a", "--checksum", *options, f"{source}/", f"{p.parent}/"], check=True)
        smith.sync()
        assert p.read_bytes() == pdf(f"r{i}")
    assert lines(smith, 1) == ["filed", "edited", "edited", "edited"]
    smith.assert_in_order([pdf("r2")])


def test_a_document_edited_while_stopped_is_an_edit(smith):
    p = file_order(smith)
    smith.stop()
    p.write_bytes(pdf("edited"))
    smith.start()
    smith.sync()
    assert lines(smith, 1) == ["filed", "edited"]
    smith.assert_in_order([pdf("edited")])


def test_editable_documents_keep_their_name_when_they_are_filed_and_edited(smith):
    smith.drop("Smith_Divorce/Inbox", "answer 3-2-26.docx", docx("1"))
    smith.sync()
    p = smith.path / "Smith_Divorce/Pleadings/Smith_Divorce_Answer_2026-03-02.docx"
    for i in range(3):
        p.write_bytes(docx(f"edit {i}"))
        smith.sync()
    assert list(smith.documents()) == [str(p.relative_to(smith.path))]
    assert lines(smith, 1) == ["filed", "edited", "edited", "edited"]
    smith.assert_in_order([docx("edit 2")])


def test_a_link_in_the_place_of_a_document_is_not_that_document(cabinet):
    smith = cabinet.init().new()
    document = cabinet.drop(smith / "Work", "stays.pdf")
    cabinet.run("sweep", cabinet.path)
    document.unlink()
    document.symlink_to("/etc/passwd")
    for _ in range(3):
        cabinet.run("sweep", cabinet.path)
        assert cabinet.kinds("Smith_Divorce")[2:] == ["removed", "indexed"]
        assert [row["SHA-256"] for row in cabinet.index("Smith_Divorce")] == [""]
    cabinet.run("verify", cabinet.path)


def test_nor_when_the_document_there_was_just_read(smith):
    work = smith.path / "Smith_Divorce/Work"
    document = smith.drop(work, "stays.pdf")
    second = work / "second.pdf"
    os.link(document, second)
    while len(smith.index("Smith_Divorce")) < 2:
        smith.sync()
    second.unlink()
    second.symlink_to("/etc/passwd")
    while smith.kinds("Smith_Divorce")[-2:] != ["removed", "indexed"]:
        smith.sync()
    assert "sha256" not in smith.journal("Smith_Divorce")[-1]
    assert {row["Name"]: row["SHA-256"] for row in smith.index("Smith_Divorce")} == \
        {"stays.pdf": sha256(document.read_bytes()), "second.pdf": ""}


def test_what_nobody_may_read_in_the_place_of_a_document_is_not_that_document(of_nobody):
    cabinet = of_nobody
    smith = cabinet.new()
    document = cabinet.drop(smith / "Work", "stays.pdf")
    os.chown(document, NOBODY, NOBODY)
    cabinet.run("sweep", cabinet.path)
    assert cabinet.journal("Smith_Divorce")[-1]["sha256"] == sha256(document.read_bytes())
    document.unlink()
    cabinet.run("sweep", cabinet.path)
    os.chmod(cabinet.drop(smith / "Work", "stays.pdf", pdf("another")), 0)
    cabinet.run("sweep", cabinet.path)
    assert "returned" not in cabinet.kinds("Smith_Divorce")
    assert [row["SHA-256"] for row in cabinet.index("Smith_Divorce")] == [""]
