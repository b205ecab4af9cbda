"""A document all the way: dropped, named, filed, indexed, provable."""
import os
import re
import time

from conftest import docx, pdf, sha256


def test_scan_named_by_hand_is_filed(smith):
    smith.drop("Smith_Divorce/Inbox", "motion to dismiss 3-2-26.pdf", pdf("a"))
    smith.sync()
    assert smith.documents() == {
        "Smith_Divorce/Motions/Smith_Divorce_MotionToDismiss_2026-03-02.pdf": sha256(pdf("a"))}


def test_words_that_no_field_used_are_kept(smith):
    smith.drop("Smith_Divorce/Inbox", "Motion to Dismiss FINAL v2 2026-03-02.pdf")
    smith.sync()
    assert list(smith.documents()) == [
        "Smith_Divorce/Motions/Smith_Divorce_MotionToDismiss-FINAL-v2_2026-03-02.pdf"]


def test_scan0001_stays_and_is_listed(smith):
    smith.drop("Smith_Divorce/Inbox", "scan0001.pdf")
    smith.sync()
    assert list(smith.documents()) == ["Smith_Divorce/Inbox/scan0001.pdf"]
    text = (smith.path / "Smith_Divorce/Needs attention.txt").read_text("utf-8-sig")
    assert "scan0001.pdf" in text


def test_renaming_a_listed_document_files_it(smith):
    smith.drop("Smith_Divorce/Inbox", "scan0001.pdf", pdf("s"))
    smith.sync()
    os.rename(smith.path / "Smith_Divorce/Inbox/scan0001.pdf",
              smith.path / "Smith_Divorce/Inbox/letter 3-2-26.pdf")
    smith.sync()
    assert list(smith.documents()) == [
        "Smith_Divorce/Correspondence/Smith_Divorce_Letter_2026-03-02.pdf"]
    assert not (smith.path / "Smith_Divorce/Needs attention.txt").exists()


def test_second_of_a_name_gets_a_serial(smith):
    for i in range(3):
        smith.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf", pdf(f"n{i}"))
        smith.sync()
    names = sorted(os.path.basename(p) for p in smith.documents())
    assert names == ["Smith_Divorce_Order_2026-03-02.pdf", "Smith_Divorce_Order_2026-03-02_02.pdf",
                     "Smith_Divorce_Order_2026-03-02_03.pdf"]


def test_same_content_twice_is_told(smith):
    smith.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf", pdf("same"))
    smith.sync()
    smith.drop("Smith_Divorce/Inbox", "order again 2026-03-03.pdf", pdf("same"))
    smith.sync()
    assert "Smith_Divorce/Inbox/order again 2026-03-03.pdf" in smith.documents()
    text = (smith.path / "Smith_Divorce/Needs attention.txt").read_text("utf-8-sig")
    assert "Smith_Divorce_Order_2026-03-02.pdf" in text


def told_the_same(c, case):
    """Name and other document of each that the index tells to be the same as another."""
    text = (c.path / case / "Index.csv").read_text("utf-8-sig")
    return sorted(re.findall(r'"([^",]+) is the same as ([^"]+)"', text))


def test_what_is_told_to_be_the_same_is_told_anew_when_the_other_changes(smith):
    work = smith.path / "Smith_Divorce/Work"
    for name in "abc":
        smith.drop("Smith_Divorce/Work", f"{name}.pdf", pdf("same"))
        smith.sync()
    assert told_the_same(smith, "Smith_Divorce") == [("b.pdf", "Work/a.pdf"), ("c.pdf", "Work/a.pdf")]
    (work / "a.pdf").write_bytes(pdf("edited"))
    smith.sync()
    assert told_the_same(smith, "Smith_Divorce") == [("c.pdf", "Work/b.pdf")]
    os.rename(work / "b.pdf", work / "d.pdf")
    smith.sync()
    assert told_the_same(smith, "Smith_Divorce") == [("c.pdf", "Work/d.pdf")]
    (work / "d.pdf").unlink()
    smith.sync()
    assert told_the_same(smith, "Smith_Divorce") == []


def test_of_two_the_same_one_is_told_whatever_became_of_the_first(smith):
    work = smith.path / "Smith_Divorce/Work"
    for name in "ab":
        smith.drop("Smith_Divorce/Work", f"{name}.pdf", pdf("same"))
        smith.sync()
    (work / "a.pdf").unlink()
    smith.sync()
    assert told_the_same(smith, "Smith_Divorce") == []
    smith.drop("Smith_Divorce/Work", "a.pdf", pdf("same"))
    smith.sync()
    assert told_the_same(smith, "Smith_Divorce") == [("b.pdf", "Work/a.pdf")]
    (work / "a.pdf").write_bytes(pdf("other"))
    smith.sync()
    assert told_the_same(smith, "Smith_Divorce") == []
    (work / "a.pdf").write_bytes(pdf("same"))
    smith.sync()
    assert told_the_same(smith, "Smith_Divorce") == [("b.pdf", "Work/a.pdf")]
    os.rename(work / "b.pdf", work / "a.pdf")
    smith.sync()
    assert told_the_same(smith, "Smith_Divorce") == []


def test_what_is_told_to_be_filed_already_is_filed_when_that_is_edited(smith):
    smith.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf", pdf("same"))
    smith.sync()
    smith.drop("Inbox", "Smith_Divorce order 2026-03-03.pdf", pdf("same"))
    smith.drop("Smith_Divorce/Inbox", "letter 2026-03-04.pdf", pdf("same"))
    smith.sync()
    filed = smith.path / "Smith_Divorce/Court Papers/Smith_Divorce_Order_2026-03-02.pdf"
    assert {p for p in smith.documents() if "Inbox" in p} == {
        "Inbox/Smith_Divorce order 2026-03-03.pdf", "Smith_Divorce/Inbox/letter 2026-03-04.pdf"}
    filed.write_bytes(pdf("edited"))
    smith.sync()
    # One of the two is filed, and the other is the same as that.
    assert len([p for p in smith.documents() if "Inbox" in p]) == 1


def test_what_lies_in_the_inbox_longer_than_its_copy_is_filed_stays_told(smith):
    inbox, order = smith.path / "Smith_Divorce/Inbox", "Smith_Divorce_Order_2026-03-02.pdf"
    smith.drop("Smith_Divorce/Inbox", "scan0001.pdf", pdf("same"))
    smith.sync()
    (inbox / "scan0001.pdf").unlink()
    smith.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf", pdf("same"))
    smith.sync()
    smith.drop("Smith_Divorce/Inbox", "scan0001.pdf", pdf("same"))
    smith.sync()
    listed = smith.path / "Smith_Divorce/Needs attention.txt"
    assert f"scan0001.pdf is already filed as Court Papers/{order}" in listed.read_text("utf-8-sig")
    os.rename(smith.path / "Smith_Divorce/Court Papers" / order, smith.path / "Smith_Divorce/Court Papers/of May.pdf")
    smith.sync()
    assert "scan0001.pdf is already filed as Court Papers/of May.pdf" in listed.read_text("utf-8-sig")


def test_what_was_the_same_as_a_document_that_undo_took_back_is_told_no_more(smith):
    smith.drop("Inbox", "Smith_Divorce order 2026-03-02.pdf", pdf("same"))
    smith.sync()
    smith.drop("Smith_Divorce/Work", "mine.pdf", pdf("same"))
    smith.sync()
    assert told_the_same(smith, "Smith_Divorce") == [
        ("mine.pdf", "Court Papers/Smith_Divorce_Order_2026-03-02.pdf")]
    smith.run("undo", "Smith_Divorce", "--all")
    smith.sync()
    assert "Inbox/Smith_Divorce order 2026-03-02.pdf" in smith.documents()
    assert told_the_same(smith, "Smith_Divorce") == []


def test_a_remark_does_not_grow_young_because_its_document_is_read_again(smith):
    """What was read within a moment of its last change is read again when somebody looks next."""
    smith.drop("Smith_Divorce/Work", "a.pdf", pdf("1"))
    smith.sync()
    os.rename(smith.path / "Smith_Divorce/Work/a.pdf", smith.path / "Smith_Divorce/Work/b.pdf")
    smith.sync()
    smith.drop("Smith_Divorce/Work", "a.pdf", pdf("2"))
    smith.sync()
    index = smith.path / "Smith_Divorce/Index.csv"
    assert "is a new version of Work/b.pdf" in index.read_text("utf-8-sig")
    smith.stop()
    smith.drop("Smith_Divorce/Work", "c.pdf", pdf("3"))
    smith.run("sweep", smith.path, env={"ORGANIZER_CLOCK": str(15 * 86400)})
    assert "c.pdf" in index.read_text("utf-8-sig") and "is a new version" not in index.read_text("utf-8-sig")


def test_document_of_another_client_is_listed_first(smith):
    smith.new("Jones", "PersonalInjury")
    smith.drop("Smith_Divorce/Inbox", "Jones_PersonalInjury_Letter_2026-03-02.pdf")
    smith.sync()
    assert "Smith_Divorce/Inbox/Jones_PersonalInjury_Letter_2026-03-02.pdf" in smith.documents()
    text = (smith.path / "Smith_Divorce/Needs attention.txt").read_text("utf-8-sig")
    assert "Jones" in text


def test_office_inbox_routes_by_prefix(smith):
    smith.drop("Inbox", "Smith_Divorce order 2026-03-02.pdf")
    smith.sync()
    assert list(smith.documents()) == [
        "Smith_Divorce/Court Papers/Smith_Divorce_Order_2026-03-02.pdf"]


def test_documents_dropped_while_stopped_are_filed_at_start(cabinet):
    cabinet.run("new", "Smith", "Divorce", "-C", cabinet.path)
    cabinet.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf")
    cabinet.start()
    cabinet.sync()
    assert list(cabinet.documents()) == [
        "Smith_Divorce/Court Papers/Smith_Divorce_Order_2026-03-02.pdf"]


def test_sweep_without_a_daemon_files(cabinet):
    cabinet.run("new", "Smith", "Divorce", "-C", cabinet.path)
    cabinet.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf")
    cabinet.run("sweep", cabinet.path)
    assert list(cabinet.documents()) == [
        "Smith_Divorce/Court Papers/Smith_Divorce_Order_2026-03-02.pdf"]


def test_a_second_sweep_changes_nothing(smith):
    for i in range(5):
        smith.drop("Smith_Divorce/Inbox", f"order {i} 2026-03-02.pdf", pdf(f"{i}"))
    smith.drop("Smith_Divorce/Inbox", "scan0007.pdf")
    smith.sync()
    before = (smith.documents(), len(smith.journal("Smith_Divorce")))
    smith.run("sweep", smith.path)
    smith.run("sweep", smith.path)
    assert (smith.documents(), len(smith.journal("Smith_Divorce"))) == before


def test_journal_tells_what_happened(smith):
    smith.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf", pdf("j"))
    smith.sync()
    filed = [l for l in smith.journal("Smith_Divorce") if l["kind"] == "filed"]
    assert len(filed) == 1
    assert filed[0]["from"] == "Inbox/order 2026-03-02.pdf"
    assert filed[0]["to"] == "Court Papers/Smith_Divorce_Order_2026-03-02.pdf"
    assert filed[0]["sha256"] == sha256(pdf("j"))


def test_an_edited_document_stays_the_same_document(smith):
    smith.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf", pdf("1"))
    smith.sync()
    p = smith.path / "Smith_Divorce/Court Papers/Smith_Divorce_Order_2026-03-02.pdf"
    p.write_bytes(pdf("2"))
    smith.sync()
    j = smith.journal("Smith_Divorce")
    assert [l["kind"] for l in j][-1] == "edited"
    assert j[-1]["doc"] == [l for l in j if l["kind"] == "filed"][0]["doc"]


def test_a_folder_named_by_the_convention_becomes_a_case(running):
    os.mkdir(running.path / "Jones_Probate")
    running.sync()
    assert (running.path / "Jones_Probate/Case.txt").exists()
    assert running.kinds("Jones_Probate") == ["opened"]


def test_own_renaming_by_a_person_counts(smith):
    smith.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf")
    smith.sync()
    folder = smith.path / "Smith_Divorce/Court Papers"
    os.rename(folder / "Smith_Divorce_Order_2026-03-02.pdf", folder / "the important one.pdf")
    smith.sync()
    smith.run("sweep", smith.path)
    assert list(smith.documents()) == ["Smith_Divorce/Court Papers/the important one.pdf"]
    assert smith.kinds("Smith_Divorce")[-1] == "renamed"


def test_a_removed_document_is_journaled(smith):
    smith.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf")
    smith.sync()
    os.unlink(smith.path / "Smith_Divorce/Court Papers/Smith_Divorce_Order_2026-03-02.pdf")
    smith.sync()
    assert smith.kinds("Smith_Divorce")[-1] == "removed"


def test_a_document_open_for_writing_is_not_touched(smith):
    p = smith.path / "Smith_Divorce/Inbox/order 2026-03-02.pdf"
    with open(p, "wb") as f:
        f.write(pdf("open"))
        f.flush()
        smith.sync()
        assert p.exists()
    smith.sync()
    assert list(smith.documents()) == [
        "Smith_Divorce/Court Papers/Smith_Divorce_Order_2026-03-02.pdf"]


def test_a_folder_dropped_into_an_inbox_goes_whole(smith):
    src = smith.base / "Production Vol 1"
    (src / "sub").mkdir(parents=True)
    (src / "a.pdf").write_bytes(pdf("a"))
    (src / "sub/b.pdf").write_bytes(pdf("b"))
    os.rename(src, smith.path / "Smith_Divorce/Inbox/Production Vol 1")
    smith.sync()
    docs = smith.documents()
    assert len(docs) == 2
    for p in docs:
        assert p.startswith("Smith_Divorce/As Received/20") and "Production Vol 1/" in p


def test_a_standard_folder_in_other_capitals_is_the_same_one(smith):
    (smith.path / "Smith_Divorce/court papers").mkdir()
    smith.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf")
    smith.sync()
    assert list(smith.documents()) == ["Smith_Divorce/court papers/Smith_Divorce_Order_2026-03-02.pdf"]
    assert not (smith.path / "Smith_Divorce/Court Papers").exists()  # Explorer would show one of the two
    smith.run("sweep", smith.path)
    smith.run("verify", "Smith_Divorce")
    smith.run("undo", "Smith_Divorce", "--all")
    assert list(smith.documents()) == ["Smith_Divorce/Inbox/order 2026-03-02.pdf"]


def test_a_folder_with_a_document_that_is_open_for_long_is_listed(cabinet):
    cabinet.start(env={"ORGANIZER_PATIENCE": "0"})
    cabinet.new("Smith", "Divorce")
    folder = cabinet.path / "Smith_Divorce/Inbox/From the client"
    folder.mkdir()
    needs = cabinet.path / "Smith_Divorce/Needs attention.txt"
    with open(folder / "a.pdf", "wb") as f:
        f.write(pdf("a"))
        f.flush()
        for _ in range(2000):
            cabinet.sync()
            if needs.exists():
                break
        assert "A document in Inbox/From the client has been open" in needs.read_text("utf-8-sig")
    for _ in range(2000):
        cabinet.sync()
        if not folder.exists() and not needs.exists():
            break
    assert not folder.exists() and not needs.exists()


def quiet_after_a_second(cabinet, drafts):
    cabinet.configure(f"settle: 1s\ndrafts: {drafts}\ndate_order: mdy\ntime_zone: UTC\nmode: enforce\n")
    cabinet.start(env={"ORGANIZER_PATIENCE": "0"})
    cabinet.new("Smith", "Divorce")


def test_a_document_that_changes_on_and_on_is_listed_until_it_is_quiet(cabinet):
    quiet_after_a_second(cabinet, "0d")
    needs = cabinet.path / "Smith_Divorce/Needs attention.txt"
    letter = cabinet.drop("Smith_Divorce/Inbox", "letter 2026-03-02.txt", b"Dear Sirs\n")
    end = time.monotonic() + 30
    while not needs.exists() and time.monotonic() < end:
        os.utime(letter)  # a change for which nobody has it open
        cabinet.status()
    assert "letter 2026-03-02.txt has been open or still growing" in needs.read_text("utf-8-sig")
    for _ in range(2000):
        cabinet.sync()
        if not needs.exists():
            break
    assert not needs.exists()
    assert list(cabinet.documents()) == ["Smith_Divorce/Correspondence/Smith_Divorce_Letter_2026-03-02.txt"]


def busy_for(cabinet, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        cabinet.sync()


def test_what_is_renamed_by_hand_while_somebody_has_it_open_stays_that_document_and_keeps_that_name(cabinet):
    quiet_after_a_second(cabinet, "0d")
    needs = cabinet.path / "Smith_Divorce/Needs attention.txt"
    cabinet.drop("Smith_Divorce/Inbox", "letter 2026-03-02.pdf")
    while not any("Correspondence" in p for p in cabinet.documents()):
        cabinet.sync()
    filed = cabinet.path / next(iter(cabinet.documents()))
    with open(filed, "ab") as held:
        mine = filed.rename(filed.with_name("my letter 2026-03-02.pdf"))
        held.write(b"more")
        held.flush()
        while not needs.exists():
            cabinet.sync()
        assert mine.name in needs.read_text()
    while needs.exists():
        cabinet.sync()
    assert mine.exists() and cabinet.kinds("Smith_Divorce")[-2:] == ["renamed", "edited"]
    row, = cabinet.index("Smith_Divorce")
    assert (row["Document number"], row["Named by hand"]) == ("1", "Yes")


def test_a_draft_that_is_saved_much_later_was_not_waited_for_all_the_time(cabinet):
    quiet_after_a_second(cabinet, "5d")
    draft = cabinet.drop("Smith_Divorce/Notes", "notes.docx", docx("notes"))
    while cabinet.status()["documents"] == 0:
        cabinet.sync()
    busy_for(cabinet, 1.5)
    os.utime(draft)
    busy_for(cabinet, 1.5)
    assert "reason=waiting-long" not in cabinet.log_text()


def test_what_was_listed_as_empty_is_not_listed_as_open_when_it_is_not(cabinet):
    quiet_after_a_second(cabinet, "0d")
    cabinet.drop("Smith_Divorce/Inbox", "letter 2026-03-02.pdf", b"")
    while "reason=empty" not in cabinet.log_text():
        cabinet.sync()
    busy_for(cabinet, 1.5)
    full = cabinet.base / "full.pdf"
    full.write_bytes(pdf("letter"))
    os.rename(full, cabinet.path / "Smith_Divorce/Inbox/letter 2026-03-02.pdf")
    while not any("Correspondence" in p for p in cabinet.documents()):
        cabinet.sync()
    assert "reason=waiting-long" not in cabinet.log_text()


def test_a_folder_named_for_another_case_stays_and_is_listed(smith):
    smith.new("Jones", "Probate")
    for name in ("Jones_Probate papers", "Smith_Divorce papers"):
        smith.drop(f"Smith_Divorce/Inbox/{name}", "x.pdf")
    smith.sync()
    stayed = smith.path / "Smith_Divorce/Inbox/Jones_Probate papers"
    text = (smith.path / "Smith_Divorce/Needs attention.txt").read_text("utf-8-sig")
    assert "    Inbox/Jones_Probate papers looks like it belongs to another case: Jones_Probate" in text
    assert [c["reason"] for c in smith.json("check", smith.path, status=1)] == ["other-case"]
    assert (stayed / "x.pdf").exists() and "Smith_Divorce papers/x.pdf" in str(smith.documents())
    os.rename(stayed, smith.path / "Jones_Probate/Inbox/Jones_Probate papers")
    smith.sync()
    assert not (smith.path / "Smith_Divorce/Needs attention.txt").exists()
    assert not stayed.exists() and "Jones_Probate/As Received/" in str(smith.documents())
