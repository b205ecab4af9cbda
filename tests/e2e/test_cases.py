"""Cases: made, found, renamed, copied, closed, restricted, removed and put back."""
import os
import re
import shutil
import signal

from conftest import Cabinet, need_root, pdf, sha256


def needs(cabinet, case=""):
    """Needs attention.txt of a case (or of the cabinet: its first page), "" when there is none."""
    p = cabinet.path / case / "Needs attention.txt"
    return p.read_text("utf-8-sig") if p.exists() else ""


def front(cabinet, case=""):
    return (cabinet.path / case / "Index.html").read_text("utf-8")


def card(cabinet, case, **fields):
    """Changes lines of a card as a person does: in place, keeping the others."""
    p = cabinet.path / case / "Case.txt"
    lines = p.read_text("utf-8-sig").splitlines()
    for field, value in fields.items():
        name = field.replace("_", " ")
        lines = [l for l in lines if not l.lower().startswith(name.lower() + ":")]
        lines.append(f"{name}: {value}")
    p.write_text("\n".join(lines) + "\n")


# -- new ------------------------------------------------------------------------------------------

def test_new_makes_folder_card_and_inbox(running):
    r = running.run("new", "Smith", "Divorce", "-C", running.path)
    assert r.stdout.strip() == str(running.path / "Smith_Divorce")
    assert (running.path / "Smith_Divorce/Inbox").is_dir()
    text = (running.path / "Smith_Divorce/Case.txt").read_text()
    assert "Client: Smith" in text and "Case type: Divorce" in text


def test_new_makes_the_same_without_a_daemon(cabinet):
    r = cabinet.run("new", "Smith", "Divorce", "-C", cabinet.path)
    assert r.stdout.strip() == str(cabinet.path / "Smith_Divorce")
    assert (cabinet.path / "Smith_Divorce/Inbox").is_dir()
    assert cabinet.kinds("Smith_Divorce") == ["opened"]


def test_new_takes_an_alias_of_a_case_type_and_a_name_with_spaces(running):
    running.run("new", "van der Berg", "divorce", "-C", running.path)
    assert (running.path / "van-der-Berg_Divorce/Case.txt").exists()
    running.run("new", "Lee", "personal injury", "-C", running.path)
    assert (running.path / "Lee_PersonalInjury/Case.txt").exists()


def test_second_matter_asks_for_another_prefix(running):
    running.run("new", "Smith", "Divorce", "-C", running.path)
    r = running.run("new", "Smith", "Divorce", "-C", running.path, status=3)
    assert "Smith_Divorce-" in r.stderr and "another name" in r.stderr
    running.run("new", "Smith", "Divorce", "Smith_Divorce-2024", "-C", running.path)
    running.run("new", "Smith", "Divorce", "Smith-John_Divorce", "-C", running.path)
    for name in "Smith_Divorce", "Smith_Divorce-2024", "Smith-John_Divorce":
        running.drop(f"{name}/Inbox", "letter 2026-03-02.pdf", pdf(name))
    running.sync()
    assert set(running.documents()) == {
        f"{n}/Correspondence/{n}_Letter_2026-03-02.pdf"
        for n in ("Smith-John_Divorce", "Smith_Divorce", "Smith_Divorce-2024")}


def test_new_of_a_prefix_that_a_deeper_case_has_asks_for_another(running):
    (running.path / "Family").mkdir()
    (running.path / "Family/Smith_Divorce").mkdir()
    running.sync()
    r = running.run("new", "Smith", "Divorce", "-C", running.path, status=3)
    assert "another name" in r.stderr
    assert not (running.path / "Smith_Divorce").exists()


def test_unknown_case_type_is_answered_with_near_ones(running):
    r = running.run("new", "Smith", "Divorse", "-C", running.path, status=2)
    assert "did you mean Divorce?" in r.stderr
    assert "PersonalInjury, MVA," in r.stderr  # all of them
    assert not (running.path / "Smith_Divorse").exists()


def test_new_dry_run_makes_nothing(running):
    r = running.run("new", "Smith", "Divorce", "--dry-run", "-C", running.path)
    assert "Smith_Divorce" in r.stdout
    assert not (running.path / "Smith_Divorce").exists()


def test_new_refuses_names_that_are_no_folder_of_the_cabinet(running):
    for bad in "../Out_Divorce", "a/Smith_Divorce", "Smith_Divorce.", "..":
        running.run("new", "Smith", "Divorce", bad, "-C", running.path, status=2)
    assert not (running.base / "Out_Divorce").exists()


def test_new_with_a_folder_name_that_is_no_prefix_says_so(running):
    r = running.run("new", "Smith", "Divorce", "whatever", "-C", running.path, status=2)
    assert "Smith_Divorce" in r.stderr
    assert not (running.path / "whatever").exists()


# -- a folder that becomes a case -------------------------------------------------------------------

def test_explorer_makes_new_folder_then_renames_it(running):
    (running.path / "New folder").mkdir()
    running.sync()
    assert not (running.path / "New folder/Case.txt").exists()
    os.rename(running.path / "New folder", running.path / "Jones_Probate")
    running.sync()
    assert (running.path / "Jones_Probate/Case.txt").exists()
    assert (running.path / "Jones_Probate/Inbox").is_dir()
    assert running.kinds("Jones_Probate") == ["opened"]


def test_a_folder_made_while_stopped_becomes_a_case_at_start(cabinet):
    (cabinet.path / "Jones_Probate").mkdir()
    cabinet.start()
    cabinet.sync()
    assert (cabinet.path / "Jones_Probate/Case.txt").exists()


def test_documents_in_a_folder_dragged_in_are_indexed(running):
    src = running.base / "Jones_Probate"
    src.mkdir()
    (src / "letter 2026-03-02.pdf").write_bytes(pdf("l"))
    os.rename(src, running.path / "Jones_Probate")
    running.sync()
    assert (running.path / "Jones_Probate/Case.txt").exists()
    assert "letter 2026-03-02.pdf" in front(running, "Jones_Probate")
    assert "Jones_Probate/letter 2026-03-02.pdf" in running.documents()


def test_a_card_dropped_into_a_folder_makes_a_case_of_it(running):
    (running.path / "Family").mkdir()
    (running.path / "Family/the big one").mkdir()
    running.drop("Family/the big one", "Case.txt", b"Client: Okafor\r\nCase type: Probate\r\n")
    running.sync()
    running.drop("Family/the big one/Inbox", "letter 2026-03-02.pdf")
    running.sync()
    assert list(running.documents()) == [
        "Family/the big one/Correspondence/Okafor_Probate_Letter_2026-03-02.pdf"]


def test_a_case_at_depth(running):
    (running.path / "Open/Family").mkdir(parents=True)
    (running.path / "Open/Family/Smith_Divorce").mkdir()
    running.sync()
    running.drop("Open/Family/Smith_Divorce/Inbox", "order 2026-03-02.pdf")
    running.sync()
    assert list(running.documents()) == [
        "Open/Family/Smith_Divorce/Court Papers/Smith_Divorce_Order_2026-03-02.pdf"]


def test_cases_do_not_nest(smith):
    (smith.path / "Smith_Divorce/Jones_Probate").mkdir()
    smith.drop("Smith_Divorce/Jones_Probate", "Case.txt", b"Client: Jones\nCase type: Probate\n")
    smith.sync()
    assert not (smith.path / "Smith_Divorce/Jones_Probate/.organizer").exists()
    assert not (smith.path / "Smith_Divorce/Jones_Probate/Inbox").exists()
    assert "Jones_Probate/Case.txt" in front(smith, "Smith_Divorce")
    assert smith.status()["cases"] == 1


def test_an_office_inbox_and_the_archive_hold_no_cases(running):
    (running.path / "Archive/Jones_Probate").mkdir()
    running.sync()
    running.run("sweep", running.path)
    assert not (running.path / "Archive/Jones_Probate/Case.txt").exists()
    assert running.status()["cases"] == 0


# -- beside the Inbox -----------------------------------------------------------------------------------

def test_a_document_beside_the_inbox_is_told_until_it_is_moved(running):
    (running.path / "letter from the bank.txt").write_text("Dear Sirs\n")
    running.sync()
    assert "letter from the bank.txt" in front(running)
    assert "lies beside the Inbox" in front(running)
    running.run("status", running.path, status=1)
    check = running.json("check", running.path, status=1)
    assert [c["reason"] for c in check] == ["no-case"]
    running.run("sweep", running.path)
    assert "lies beside the Inbox" in front(running)
    (running.path / "Office").mkdir()
    os.rename(running.path / "letter from the bank.txt", running.path / "Office/letter from the bank.txt")
    running.sync()
    assert "lies beside the Inbox" not in front(running)
    running.run("check", running.path, status=0)


def test_what_lay_beside_the_inbox_before_or_is_no_document_is_left_alone(tmp_path):
    cabinet = Cabinet(tmp_path)
    cabinet.path.mkdir()
    (cabinet.path / "telephone numbers.txt").write_text("Court 555-0100\n")
    cabinet.init()
    (cabinet.path / ".settings").write_text("x")
    (cabinet.path / "Case.txt").write_text("Client: Smith\n")
    cabinet.run("sweep", cabinet.path)
    assert "beside the Inbox" not in front(cabinet)
    cabinet.run("check", cabinet.path, status=0)


# -- near misses -------------------------------------------------------------------------------------

def test_a_near_miss_is_listed_with_the_name_that_would_do(running):
    (running.path / "Smith, John - divorce").mkdir()
    running.sync()
    assert "Smith, John - divorce" in front(running)
    assert "Smith-John_Divorce" in front(running)
    check = running.json("check", running.path, status=1)
    assert [c["reason"] for c in check] == ["near-miss"]
    assert "Smith-John_Divorce" in check[0]["help"]
    assert not (running.path / "Smith, John - divorce/Case.txt").exists()


def test_a_near_miss_renamed_is_a_case_and_not_listed_any_more(running):
    (running.path / "Smith, John - divorce").mkdir()
    running.sync()
    os.rename(running.path / "Smith, John - divorce", running.path / "Smith-John_Divorce")
    running.sync()
    assert (running.path / "Smith-John_Divorce/Case.txt").exists()
    assert "Smith, John - divorce" not in front(running)
    running.run("check", running.path, status=0)


def test_a_near_miss_removed_is_not_listed_any_more(running):
    (running.path / "Smith, John - divorce").mkdir()
    running.sync()
    (running.path / "Smith, John - divorce").rmdir()
    running.sync()
    assert "Smith, John - divorce" not in front(running)


def test_a_name_that_another_case_has_is_a_near_miss(smith):
    (smith.path / "Family").mkdir()
    (smith.path / "Family/Smith_Divorce").mkdir()
    smith.sync()
    assert not (smith.path / "Family/Smith_Divorce/Case.txt").exists()
    assert "Smith_Divorce-2" in front(smith)


# -- copies ------------------------------------------------------------------------------------------

def test_a_copied_case_is_listed_and_not_touched(smith):
    smith.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf")
    smith.sync()
    shutil.copytree(smith.path / "Smith_Divorce", smith.path / "Smith_Divorce - Copy")
    before = {str(p): p.stat().st_mtime_ns for p in (smith.path / "Smith_Divorce - Copy").rglob("*")}
    smith.sync()
    smith.drop("Smith_Divorce - Copy/Inbox", "letter 2026-03-02.pdf")
    smith.run("sweep", smith.path)
    assert (smith.path / "Smith_Divorce - Copy/Inbox/letter 2026-03-02.pdf").exists()
    assert "Smith_Divorce - Copy" in front(smith)
    assert [c["reason"] for c in smith.json("check", smith.path)] == ["copied-case"]
    # Nothing is written into the copy: what it is stands beside it.
    assert "Smith_Divorce - Copy is a copy of another case, Smith_Divorce" in needs(smith)
    assert "is a copy of another case" in front(smith)
    for p, t in before.items():
        if not p.endswith("Inbox"):
            assert os.stat(p).st_mtime_ns == t, p
    assert smith.kinds("Smith_Divorce").count("filed") == 1


def test_a_copy_stays_one_over_a_restart(smith):
    shutil.copytree(smith.path / "Smith_Divorce", smith.path / "Smith_Divorce - Copy")
    smith.sync()
    smith.stop()
    smith.start()
    smith.sync()
    assert "Smith_Divorce - Copy" in front(smith)
    smith.drop("Smith_Divorce - Copy/Inbox", "letter 2026-03-02.pdf")
    smith.sync()
    assert (smith.path / "Smith_Divorce - Copy/Inbox/letter 2026-03-02.pdf").exists()


def test_a_copy_that_is_removed_is_not_listed_any_more(smith):
    shutil.copytree(smith.path / "Smith_Divorce", smith.path / "Smith_Divorce - Copy")
    smith.sync()
    shutil.rmtree(smith.path / "Smith_Divorce - Copy")
    smith.sync()
    assert "Smith_Divorce - Copy" not in front(smith)
    smith.run("check", smith.path, status=0)


def test_what_is_removed_from_a_copy_is_not_removed_from_its_case(smith):
    smith.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf", pdf("o"))
    smith.sync()
    shutil.copytree(smith.path / "Smith_Divorce", smith.path / "Smith_Divorce - Copy")
    smith.sync()
    kinds = smith.kinds("Smith_Divorce")
    os.unlink(smith.path / "Smith_Divorce - Copy/Court Papers/Smith_Divorce_Order_2026-03-02.pdf")
    smith.sync()
    assert smith.kinds("Smith_Divorce") == kinds
    assert smith.kinds("Smith_Divorce - Copy") == kinds
    assert [row["Name"] for row in smith.index("Smith_Divorce")] == ["Smith_Divorce_Order_2026-03-02.pdf"]


def test_a_copy_freed_of_its_card_and_journal_becomes_a_case(smith):
    shutil.copytree(smith.path / "Smith_Divorce", smith.base / "copy")
    os.rename(smith.base / "copy", smith.path / "Jones_Divorce")
    smith.sync()
    assert "Jones_Divorce" in front(smith)
    shutil.rmtree(smith.path / "Jones_Divorce/.organizer")
    os.unlink(smith.path / "Jones_Divorce/Case.txt")
    smith.sync()
    assert "Case id" in (smith.path / "Jones_Divorce/Case.txt").read_text()
    assert smith.status()["cases"] == 2
    smith.run("check", smith.path, status=0)


# -- renamed case folders ----------------------------------------------------------------------------

def rename_smith(c):
    c.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf", pdf("o"))
    c.sync()
    os.rename(c.path / "Smith_Divorce", c.path / "Smith-Jane_Divorce")
    c.sync()


OLD = "Smith-Jane_Divorce/Court Papers/Smith_Divorce_Order_2026-03-02.pdf"


def test_renaming_a_case_renames_no_document(smith):
    rename_smith(smith)
    assert smith.documents() == {OLD: sha256(pdf("o"))}
    assert smith.kinds("Smith-Jane_Divorce")[-1] == "case-renamed"
    smith.run("sweep", smith.path)
    assert smith.documents() == {OLD: sha256(pdf("o"))}
    smith.run("verify", smith.path, status=0)


def test_a_renamed_case_is_listed_once_with_the_two_ways_on(smith):
    rename_smith(smith)
    text = needs(smith, "Smith-Jane_Divorce")
    assert "Smith_Divorce" in text and "Rename documents: yes" in text
    assert [c["reason"] for c in smith.json("check", smith.path)] == ["case-renamed"]
    smith.stop()
    smith.start()
    smith.sync()
    assert needs(smith, "Smith-Jane_Divorce") == text


def test_former_prefixes_are_accepted_and_routed(smith):
    rename_smith(smith)
    smith.drop("Inbox", "Smith_Divorce_Letter_2026-03-04.pdf", pdf("l"))
    smith.drop("Smith-Jane_Divorce/Inbox", "Smith_Divorce_Letter_2026-03-05.pdf", pdf("m"))
    smith.sync()
    assert sorted(smith.documents()) == [
        "Smith-Jane_Divorce/Correspondence/Smith-Jane_Divorce_Letter_2026-03-04.pdf",
        "Smith-Jane_Divorce/Correspondence/Smith-Jane_Divorce_Letter_2026-03-05.pdf", OLD]


def test_rename_documents_no_leaves_them_and_ends_the_listing(smith):
    rename_smith(smith)
    card(smith, "Smith-Jane_Divorce", Rename_documents="no")
    smith.sync()
    assert needs(smith, "Smith-Jane_Divorce") == ""
    assert smith.documents() == {OLD: sha256(pdf("o"))}
    smith.run("check", smith.path, status=0)
    smith.stop()
    smith.start()
    smith.sync()
    assert needs(smith, "Smith-Jane_Divorce") == ""


def test_rename_documents_yes_renames_them_as_journaled_acts(smith):
    rename_smith(smith)
    card(smith, "Smith-Jane_Divorce", Rename_documents="yes")
    smith.sync()
    new = "Smith-Jane_Divorce/Court Papers/Smith-Jane_Divorce_Order_2026-03-02.pdf"
    assert smith.documents() == {new: sha256(pdf("o"))}
    j = smith.journal("Smith-Jane_Divorce")
    assert j[-1]["kind"] == "applied"
    assert j[-1]["from"] == "Court Papers/Smith_Divorce_Order_2026-03-02.pdf"
    assert j[-1]["to"] == "Court Papers/Smith-Jane_Divorce_Order_2026-03-02.pdf"
    assert needs(smith, "Smith-Jane_Divorce") == ""
    smith.run("verify", smith.path, status=0)
    smith.run("undo", "Smith-Jane_Divorce", "--last", 1, "-C", smith.path)
    smith.sync()
    smith.run("sweep", smith.path)
    assert smith.documents() == {OLD: sha256(pdf("o"))}


def test_a_document_that_comes_under_the_former_prefix_is_renamed_in_the_same_sweep(smith):
    rename_smith(smith)
    card(smith, "Smith-Jane_Divorce", Rename_documents="yes")
    smith.sync()
    smith.drop("Smith-Jane_Divorce/Court Papers", "Smith_Divorce_Order_2026-04-02.pdf", pdf("late"))
    smith.sync()
    assert "Smith-Jane_Divorce/Court Papers/Smith-Jane_Divorce_Order_2026-04-02.pdf" in smith.documents()
    smith.stop()
    smith.drop("Smith-Jane_Divorce/Court Papers", "Smith_Divorce_Order_2026-05-02.pdf", pdf("later"))
    smith.run("sweep", smith.path)
    assert "Smith-Jane_Divorce/Court Papers/Smith-Jane_Divorce_Order_2026-05-02.pdf" in smith.documents()
    smith.assert_in_order([pdf("o"), pdf("late"), pdf("later")])


def test_a_document_that_came_under_the_former_prefix_and_is_renamed_back_stays(smith):
    rename_smith(smith)
    card(smith, "Smith-Jane_Divorce", Rename_documents="yes")
    smith.sync()
    papers = smith.path / "Smith-Jane_Divorce/Court Papers"
    smith.drop("Smith-Jane_Divorce/Court Papers", "Smith_Divorce_Order_2026-04-02.pdf", pdf("late"))
    smith.sync()
    os.rename(papers / "Smith-Jane_Divorce_Order_2026-04-02.pdf", papers / "Smith_Divorce_Order_2026-04-02.pdf")
    for _ in range(3):
        smith.sync()
    assert (papers / "Smith_Divorce_Order_2026-04-02.pdf").exists()
    smith.assert_in_order([pdf("o"), pdf("late")])


def test_rename_documents_yes_leaves_names_by_hand_and_others(smith):
    smith.drop("Smith_Divorce/Inbox", "letter 2026-03-04.pdf", pdf("l"))
    smith.drop("Smith_Divorce/Evidence", "ABC000123.pdf", pdf("b"))
    smith.drop("Smith_Divorce/anything", "Smith_Divorce notes.pdf", pdf("n"))
    smith.sync()
    os.rename(smith.path / "Smith_Divorce/Correspondence/Smith_Divorce_Letter_2026-03-04.pdf",
              smith.path / "Smith_Divorce/Correspondence/Smith_Divorce the letter.pdf")
    smith.sync()
    rename_smith(smith)
    card(smith, "Smith-Jane_Divorce", Rename_documents="yes")
    smith.sync()
    assert sorted(smith.documents()) == [
        "Smith-Jane_Divorce/Correspondence/Smith_Divorce the letter.pdf",
        "Smith-Jane_Divorce/Court Papers/Smith-Jane_Divorce_Order_2026-03-02.pdf",
        "Smith-Jane_Divorce/Evidence/ABC000123.pdf",
        "Smith-Jane_Divorce/anything/Smith_Divorce notes.pdf"]


def test_a_case_renamed_while_stopped(smith):
    smith.stop()
    os.rename(smith.path / "Smith_Divorce", smith.path / "Smith-Jane_Divorce")
    smith.start()
    smith.sync()
    assert smith.kinds("Smith-Jane_Divorce") == ["opened", "case-renamed"]
    assert "Smith_Divorce" in needs(smith, "Smith-Jane_Divorce")


def test_a_case_moved_below_another_folder_goes_on(smith):
    smith.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf", pdf("o"))
    smith.sync()
    (smith.path / "Family").mkdir()
    os.rename(smith.path / "Smith_Divorce", smith.path / "Family/Smith_Divorce")
    smith.sync()
    smith.drop("Family/Smith_Divorce/Inbox", "letter 2026-03-04.pdf", pdf("l"))
    smith.sync()
    assert sorted(smith.documents()) == [
        "Family/Smith_Divorce/Correspondence/Smith_Divorce_Letter_2026-03-04.pdf",
        "Family/Smith_Divorce/Court Papers/Smith_Divorce_Order_2026-03-02.pdf"]
    assert needs(smith, "Family/Smith_Divorce") == ""
    assert smith.kinds("Family/Smith_Divorce").count("filed") == 2
    assert "removed" not in smith.kinds("Family/Smith_Divorce")
    smith.run("verify", smith.path, status=0)


def test_a_folder_of_cases_that_is_renamed(running):
    (running.path / "Family").mkdir()
    for n in "Smith", "Jones", "Brown":
        (running.path / f"Family/{n}_Divorce").mkdir()
    running.sync()
    running.drop("Family/Smith_Divorce/Inbox", "order 2026-03-02.pdf", pdf("o"))
    running.sync()
    os.rename(running.path / "Family", running.path / "Families")
    running.sync()
    running.drop("Families/Smith_Divorce/Inbox", "letter 2026-03-02.pdf", pdf("l"))
    running.sync()
    assert running.status()["cases"] == 3
    assert sorted(running.documents()) == [
        "Families/Smith_Divorce/Correspondence/Smith_Divorce_Letter_2026-03-02.pdf",
        "Families/Smith_Divorce/Court Papers/Smith_Divorce_Order_2026-03-02.pdf"]
    running.run("check", running.path, status=0)


# -- cards ---------------------------------------------------------------------------------------------

def test_a_closed_case_files_nothing_new_and_lists_it(smith):
    card(smith, "Smith_Divorce", Status="closed", Close_anyway="a test, me")
    smith.sync()
    smith.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf")
    smith.drop("Inbox", "Smith_Divorce letter 2026-03-02.pdf", pdf("i"))
    smith.sync()
    assert sorted(smith.documents()) == ["Inbox/Smith_Divorce letter 2026-03-02.pdf",
                                         "Smith_Divorce/Inbox/order 2026-03-02.pdf"]
    assert "closed case" in needs(smith, "Smith_Divorce")
    card(smith, "Smith_Divorce", Status="open")
    smith.sync()
    assert sorted(smith.documents()) == [
        "Smith_Divorce/Correspondence/Smith_Divorce_Letter_2026-03-02.pdf",
        "Smith_Divorce/Court Papers/Smith_Divorce_Order_2026-03-02.pdf"]
    assert needs(smith, "Smith_Divorce") == ""


def test_closing_and_reopening_are_journaled(smith):
    card(smith, "Smith_Divorce", Status="closed", Close_anyway="a test, me")
    smith.sync()
    assert smith.kinds("Smith_Divorce")[-1] == "closed"
    card(smith, "Smith_Divorce", Status="open")
    smith.sync()
    assert smith.kinds("Smith_Divorce")[-2:] == ["closed", "reopened"]
    smith.stop()
    smith.start()
    smith.sync()
    assert smith.kinds("Smith_Divorce")[-2:] == ["closed", "reopened"]


def test_closing_while_stopped_is_journaled_once(smith):
    smith.stop()
    card(smith, "Smith_Divorce", Status="closed", Close_anyway="a test, me")
    for _ in range(2):
        smith.start()
        smith.sync()
        smith.stop()
    assert smith.kinds("Smith_Divorce").count("closed") == 1


def test_a_case_on_hold_moves_nothing(smith):
    card(smith, "Smith_Divorce", Hold="litigation hold, A. Partner")
    smith.sync()
    smith.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf")
    smith.drop("Smith_Divorce/Motions", "motion to dismiss 2026-03-02.pdf")
    smith.sync()
    assert sorted(smith.documents()) == ["Smith_Divorce/Inbox/order 2026-03-02.pdf",
                                         "Smith_Divorce/Motions/motion to dismiss 2026-03-02.pdf"]
    assert "on hold" in needs(smith, "Smith_Divorce")


def test_naming_off_leaves_everything(smith):
    card(smith, "Smith_Divorce", Naming="off")
    smith.sync()
    smith.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf")
    smith.drop("Smith_Divorce/Motions", "motion to dismiss 2026-03-02.pdf")
    smith.sync()
    assert sorted(smith.documents()) == ["Smith_Divorce/Inbox/order 2026-03-02.pdf",
                                         "Smith_Divorce/Motions/motion to dismiss 2026-03-02.pdf"]


def test_naming_inbox_names_only_what_is_dropped_there(smith):
    card(smith, "Smith_Divorce", Naming="inbox")
    smith.sync()
    smith.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf")
    smith.drop("Smith_Divorce/Motions", "motion to dismiss 2026-03-02.pdf")
    smith.sync()
    assert sorted(smith.documents()) == [
        "Smith_Divorce/Court Papers/Smith_Divorce_Order_2026-03-02.pdf",
        "Smith_Divorce/Motions/motion to dismiss 2026-03-02.pdf"]


def test_naming_everywhere_names_in_other_folders_in_place(smith):
    card(smith, "Smith_Divorce", Naming="everywhere")
    smith.sync()
    smith.drop("Smith_Divorce/By Jane/deep", "motion to dismiss 2026-03-02.pdf")
    smith.sync()
    assert list(smith.documents()) == [
        "Smith_Divorce/By Jane/deep/Smith_Divorce_MotionToDismiss_2026-03-02.pdf"]


def test_leave_alone(smith):
    card(smith, "Smith_Divorce", Leave_alone="Motions; *.tif")
    smith.sync()
    smith.drop("Smith_Divorce/Motions", "motion to dismiss 2026-03-02.pdf")
    smith.sync()
    assert list(smith.documents()) == ["Smith_Divorce/Motions/motion to dismiss 2026-03-02.pdf"]


def test_a_docket_number_routes(smith):
    card(smith, "Smith_Divorce", Docket="2026-CV-1234")
    smith.sync()
    smith.drop("Inbox", "order 2026-CV-1234 2026-03-02.pdf")
    smith.sync()
    docs = list(smith.documents())
    assert len(docs) == 1 and docs[0].startswith("Smith_Divorce/Court Papers/Smith_Divorce_Order")


def test_a_card_that_lets_a_waiting_document_go(smith):
    smith.drop("Inbox", "order 2026-CV-1234 2026-03-02.pdf")
    smith.sync()
    assert list(smith.documents()) == ["Inbox/order 2026-CV-1234 2026-03-02.pdf"]
    card(smith, "Smith_Divorce", Docket="2026-CV-1234")
    smith.sync()
    assert next(iter(smith.documents())).startswith("Smith_Divorce/Court Papers/")


def test_a_mistake_is_listed_with_its_line_and_the_last_good_card_counts(smith):
    p = smith.path / "Smith_Divorce/Case.txt"
    good = p.read_text()
    line = good.splitlines().index("Status: open") + 1
    p.write_text(good.replace("Status: open", "Status: opne"))
    smith.sync()
    text = needs(smith, "Smith_Divorce")
    assert f"line {line}" in text and "opne" in text
    assert [c["reason"] for c in smith.json("check", smith.path)] == ["card"]
    smith.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf")
    smith.sync()
    assert list(smith.documents()) == [
        "Smith_Divorce/Court Papers/Smith_Divorce_Order_2026-03-02.pdf"]
    p.write_text(good)
    smith.sync()
    assert needs(smith, "Smith_Divorce") == ""
    smith.run("check", smith.path, status=0)


def test_two_mistakes_are_both_listed(smith):
    p = smith.path / "Smith_Divorce/Case.txt"
    lines = p.read_text().splitlines()
    p.write_text(p.read_text().replace("Status: open", "Status: opne") + "Naming: evrywhere\n")
    smith.sync()
    text = needs(smith, "Smith_Divorce")
    assert f"line {lines.index('Status: open') + 1}" in text and f"line {len(lines) + 1}" in text


def test_a_card_as_notepad_saves_it(smith):
    p = smith.path / "Smith_Divorce/Case.txt"
    text = p.read_text() + "Naming: off\n"
    p.write_bytes(b"\xff\xfe" + text.replace("\n", "\r\n").encode("utf-16-le"))
    smith.sync()
    smith.drop("Smith_Divorce/Motions", "motion to dismiss 2026-03-02.pdf")
    smith.sync()
    assert list(smith.documents()) == ["Smith_Divorce/Motions/motion to dismiss 2026-03-02.pdf"]


MARKUP = "\"'><script>window.bad=1</script><img src=//evil.example onerror=window.bad=1>"
# What is put at the top of a card, and what people are told of it ("": nothing, it is taken as it is written).
MISLEADING = [
    ("Client: ../../outside\n", ""),
    ("Client: /etc/passwd\nCase type: ../../etc\n", "is no known case type"),
    ("Case id: JONES\n", "the case id is that of another case"),
    ("Case id: ../../../../etc/passwd\n", "is no case id"),
    ("Former names: Jones_Probate\n", ""),
    ("Former names: ../Jones_Probate; /; ..; .; .organizer\n", ""),
    ("Leave alone: ../Jones_Probate/*; /*; ../../*\nKey documents: ../../*\n", ""),
    ("Team: " + "x" * 10_000_000 + "\n", "too large to be a card"),
    ("x" * 200_000 + "\n", "is not of the form"),
    (f"Client: {MARKUP}\nCase type: {MARKUP}\nTeam: {MARKUP}\n{MARKUP}: {MARKUP}\n", "is no known case type"),
    (f"Hold: {MARKUP}\nPriority: {MARKUP}\nDocket: {MARKUP}\nParties: {MARKUP}\nMatter number: {MARKUP}\n",
     "For a case on hold"),
    ("Team: javascript:window.bad=1\nClient email: data:text/html,<script>window.bad=1</script>\n", ""),
    ("Client: -rf\nTeam: --help\nMatter number: $(touch outside)\nDocket: `touch outside`\n", ""),
    ("Client: =HYPERLINK(\"//evil.example\")\nTeam: @SUM(1)\nHold: +1\n", "For a case on hold"),
    ("Client: a\0b\nTeam: \0\n", "no plain text"),
    ("Client: Smith\x1b[31mred\x07\n", "no plain text"),
    ("Client: Smith\u202ednuoS\u200b\nTeam: \u2066red\nParties: \u200f\u2028\n", ""),
]


def test_cards_that_mislead_touch_no_other_case_and_are_told(cabinet):
    """Whoever may write a card may write anything into it."""
    cases = [f"Smith{i}_Divorce" for i, _ in enumerate(MISLEADING)]
    for case in [*cases, "Jones_Probate"]:
        cabinet.drop(f"{case}/Inbox", "letter 2026-03-02.pdf", pdf(case))
    cabinet.start()
    cabinet.sync()
    others = {p: p.read_bytes() for p in (cabinet.path / "Jones_Probate").rglob("*") if p.is_file()}
    jones = re.search(r"Case id: (\w+)", (cabinet.path / "Jones_Probate/Case.txt").read_text())[1]
    around = set(os.listdir(cabinet.base))
    for case, (text, _) in zip(cases, MISLEADING):
        p = cabinet.path / case / "Case.txt"
        fields = {line.split(":")[0] for line in text.splitlines()}
        rest = [line for line in p.read_text().splitlines(True) if line.split(":")[0] not in fields]
        p.write_text(text.replace("JONES", jones) + "".join(rest))
        cabinet.drop(f"{case}/Inbox", "order 2026-03-03.pdf", pdf(case + " order"))
    cabinet.sync()
    cabinet.run("sweep", cabinet.path)
    cabinet.stop()
    cabinet.start()  # it is no other case after the next start either
    cabinet.sync()
    wrong = []
    where = {digest: path.split("/")[0] for path, digest in cabinet.documents().items()}
    for case, (text, told) in zip(cases, MISLEADING):
        assert where[sha256(pdf(case))] == where[sha256(pdf(case + " order"))] == case
        said = needs(cabinet, case)
        if told not in said or (not told and "Case.txt" in said):
            wrong.append((text[:99], said))
        assert not re.search("[\x00-\x08\x0e-\x1f\u200b\u202e\u2066]", needs(cabinet, case))
    assert not wrong, "\n".join(map(str, wrong))
    assert {p: p.read_bytes() for p in others} == others
    assert set(os.listdir(cabinet.base)) == around and not list(cabinet.path.rglob("outside"))
    for page in [cabinet.path, *(cabinet.path / case for case in cases)]:
        text = (page / "Index.html").read_text("utf-8")
        assert text.count("<script") == 1 and "<img" not in text and "href=\"javascript" not in text
        assert len((page / "Index.html").read_bytes()) < 1_000_000
    cabinet.drop("Inbox", "Jones_Probate order 2026-03-04.pdf", pdf("of Jones"))
    cabinet.sync()
    assert "Jones_Probate/Court Papers/Jones_Probate_Order_2026-03-04.pdf" in cabinet.documents()
    cabinet.assert_in_order([pdf(case) for case in cases])


def test_a_card_that_is_taken_away_does_not_make_a_second_case(smith):
    smith.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf", pdf("o"))
    smith.sync()
    p = smith.path / "Smith_Divorce/Case.txt"
    os.rename(p, smith.base / "Case.txt")
    smith.sync()
    assert "Smith_Divorce" in front(smith)
    os.rename(smith.base / "Case.txt", p)
    smith.sync()
    smith.drop("Smith_Divorce/Inbox", "letter 2026-03-02.pdf", pdf("l"))
    smith.sync()
    assert len(smith.documents()) == 2
    assert smith.kinds("Smith_Divorce").count("opened") == 1
    smith.run("verify", smith.path, status=0)


# -- removed and put back ---------------------------------------------------------------------------

def test_a_case_folder_that_is_removed_is_told_loudly(smith):
    smith.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf", pdf("o"))
    smith.sync()
    os.rename(smith.path / "Smith_Divorce", smith.base / "away")
    smith.sync()
    assert "Smith_Divorce" in front(smith)
    assert "gone" in smith.log_text()
    assert [c["reason"] for c in smith.json("check", smith.path)] == ["missing"]
    smith.stop()
    smith.start()
    smith.sync()
    assert "Smith_Divorce" in front(smith)


def test_a_case_folder_that_is_put_back_goes_on(smith):
    smith.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf", pdf("o"))
    smith.sync()
    os.rename(smith.path / "Smith_Divorce", smith.base / "away")
    smith.sync()
    os.rename(smith.base / "away", smith.path / "Smith_Divorce")
    smith.sync()
    smith.drop("Smith_Divorce/Inbox", "letter 2026-03-02.pdf", pdf("l"))
    smith.sync()
    assert sorted(smith.documents()) == [
        "Smith_Divorce/Correspondence/Smith_Divorce_Letter_2026-03-02.pdf",
        "Smith_Divorce/Court Papers/Smith_Divorce_Order_2026-03-02.pdf"]
    kinds = smith.kinds("Smith_Divorce")
    assert kinds.count("opened") == 1 and kinds.count("filed") == 2 and "removed" not in kinds
    smith.run("check", smith.path, status=0)
    smith.run("verify", smith.path, status=0)


# -- restricted cases --------------------------------------------------------------------------------

def test_a_restricted_case_is_not_named_outside_of_it(smith):
    need_root()
    smith.new("Jones", "Probate")
    os.chmod(smith.path, 0o755)
    os.chmod(smith.path / "Jones_Probate", 0o700)
    smith.drop("Inbox", "Jones letter 2026-03-02.pdf", pdf("j"))
    smith.run("sweep", smith.path)
    smith.sync()
    assert "Smith_Divorce" in front(smith)
    for page in "Index.html", "Needs attention.txt", "Index.csv":
        p = smith.path / page
        if p.exists():
            text = p.read_text("utf-8-sig")
            assert "Jones_Probate" not in text, page
            assert "Probate" not in text.replace("CaseType", ""), page
    assert "Jones_Probate" in front(smith, "Jones_Probate")


def test_a_case_that_is_opened_to_all_again_is_named_again(smith):
    need_root()
    smith.new("Jones", "Probate")
    os.chmod(smith.path / "Jones_Probate", 0o700)
    smith.run("sweep", smith.path)
    smith.sync()
    assert "Jones_Probate" not in front(smith)
    os.chmod(smith.path / "Jones_Probate", 0o755)
    smith.run("sweep", smith.path)
    smith.sync()
    assert "Jones_Probate" in front(smith)


# -- standard folders --------------------------------------------------------------------------------

def test_an_inbox_that_a_copying_program_left_behind_is_made_again(smith):
    smith.new("Jones", "Probate")
    card(smith, "Jones_Probate", Naming="off")
    smith.sync()
    for inbox in ("Inbox", "Smith_Divorce/Inbox", "Jones_Probate/Inbox"):
        (smith.path / inbox).rmdir()
    smith.sync()
    assert not (smith.path / "Smith_Divorce/Inbox").exists()  # not at once: somebody may be at work there
    smith.run("sweep", smith.path)
    assert (smith.path / "Inbox").is_dir() and not (smith.path / "Jones_Probate/Inbox").exists()
    smith.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf")
    smith.sync()
    assert list(smith.documents()) == ["Smith_Divorce/Court Papers/Smith_Divorce_Order_2026-03-02.pdf"]


def test_standard_folders_are_made_when_first_needed(smith):
    assert sorted(p.name for p in (smith.path / "Smith_Divorce").iterdir() if p.is_dir()) == [
        ".organizer", "Inbox"]
    smith.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf")
    smith.sync()
    assert (smith.path / "Smith_Divorce/Court Papers").is_dir()
    assert not (smith.path / "Smith_Divorce/Motions").exists()


def test_standard_folders_have_the_mode_of_their_case(smith):
    os.chmod(smith.path / "Smith_Divorce", 0o2770)
    smith.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf")
    smith.sync()
    assert (smith.path / "Smith_Divorce/Court Papers").stat().st_mode & 0o7777 == 0o2770


def test_a_page_that_comes_before_its_card_is_no_document(cabinet):
    """A case's folder is copied in: as long as it has no card, nobody knows that the page in it is one."""
    cabinet.start()
    cabinet.sync()
    case = cabinet.path / "Old matter"
    case.mkdir()
    cabinet.sync()
    cabinet.process.send_signal(signal.SIGSTOP)
    (case / "Index.html").write_text("<p>as it was then")
    (case / "Case.txt").write_text("Client: Jones\nCase type: Probate\n")
    cabinet.process.send_signal(signal.SIGCONT)
    cabinet.sync()
    assert [line for line in cabinet.journal(case.name) if line.get("to") == "Index.html"] == []
    assert (case / "Index (yours).html").read_text() == "<p>as it was then"
    assert "as it was then" not in (case / "Index.html").read_text()
    cabinet.assert_in_order([])
