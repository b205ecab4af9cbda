"""A tree that exists: init, adopt, modes, plan, review as Excel would, apply."""
import csv
import io
import json
import os
import subprocess
import time

import pytest

from conftest import EXE, Cabinet, need_root, need_tool, pdf, sha256


def tree(path):
    """Everything below path with its content, times and modes: what nobody may change."""
    found = {}
    for folder, dirs, names in os.walk(path):
        dirs[:] = [d for d in dirs if d != ".organizer"]
        for n in dirs + names:
            p = os.path.join(folder, n)
            st = os.lstat(p)
            data = open(p, "rb").read() if n in names else b""
            found[p] = (st.st_mode, st.st_mtime_ns if n in names else 0, data)
    return found


@pytest.fixture
def old(tmp_path):
    """An office's tree from before: a case folder with documents, another that is none."""
    c = Cabinet(tmp_path)
    for name, data in (("Smith_Divorce/Motions/mtn to dismiss 3-2-26.pdf", "m"),
                       ("Smith_Divorce/Court Papers/order 2026-03-04.pdf", "o"),
                       ("Smith_Divorce/Stuff/letter 2026-03-05.pdf", "l"),
                       ("Smith_Divorce/Inbox/letter 2026-03-06.pdf", "i"),
                       ("Jones, Ann - probate/letter 2026-03-05.pdf", "j"),
                       ("Templates/Letter.docx", "t")):
        c.drop(name.rpartition("/")[0], name.rpartition("/")[2], pdf(data))
    yield c
    assert c.stop() in (None, 0)


def set_mode(c, mode):
    f = c.path / ".organizer/organizer.yaml"
    text = "".join(l for l in f.read_text().splitlines(True)
                   if not l.startswith(("mode:", "settle:", "drafts:", "date_order:", "time_zone:")))
    f.write_text(text + f"mode: {mode}\nsettle: 0s\ndrafts: 0s\ndate_order: mdy\ntime_zone: UTC\n")


def test_a_folder_from_before_does_not_become_a_case_because_a_disk_was_mounted_over_it(old):
    need_root()
    smith = old.path / "Smith_Divorce"
    old.init().start()
    old.sync()
    before = tree(smith)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", smith]).returncode:
        pytest.skip("this test wants to mount a tmpfs")
    try:
        old.sync()
    finally:
        subprocess.run(["umount", smith], check=True)
    old.sync()
    assert tree(smith) == before


# -- init --------------------------------------------------------------------------------------------

def test_init_in_an_empty_folder_makes_a_working_cabinet(tmp_path):
    c = Cabinet(tmp_path)
    c.run("init", c.path, cwd=c.base)
    assert sorted(p.name for p in c.path.iterdir()) == [".organizer", "Archive", "Inbox"]
    assert "mode: enforce" in (c.path / ".organizer/organizer.yaml").read_text()
    c.run("sweep", c.path)
    c.run("check", c.path, status=0)
    assert (c.path / "How this works.html").exists()


def test_init_where_something_is_changes_nothing_there(old):
    before = tree(old.path)
    r = old.run("init", old.path)
    assert "nothing is renamed until you say so" in r.stdout
    assert "organizer adopt FOLDER" in r.stdout
    assert "mode: suggest" in (old.path / ".organizer/organizer.yaml").read_text()
    assert tree(old.path) == before
    for verb in ("plan", "check"):  # nothing is suggested outside of cases: that is said
        assert "There is no case here yet: organizer adopt FOLDER" in old.run(verb, old.path).stderr
    r = old.run("plan", "-o", old.base / "p.csv", old.path)
    assert "nothing is to be renamed" in r.stdout


def test_init_twice_changes_nothing(old):
    old.run("init", old.path)
    before = (old.path / ".organizer/organizer.yaml").read_bytes()
    r = old.run("init", old.path)
    assert "already" in r.stdout
    assert (old.path / ".organizer/organizer.yaml").read_bytes() == before
    assert old.json("init", old.path)[0]["already"] is True


def test_init_below_a_cabinet_is_refused(old):
    old.run("init", old.path)
    r = old.run("init", old.path / "Templates", status=3)
    assert str(old.path) in r.stderr
    assert not (old.path / "Templates/.organizer").exists()


def test_init_says_how_dates_are_read(tmp_path):
    c = Cabinet(tmp_path)
    r = c.run("init", c.path, cwd=c.base)
    config = (c.path / ".organizer/organizer.yaml").read_text()
    order = next(l.split(":")[1].split("#")[0].strip() for l in config.splitlines()
                 if l.startswith("date_order:"))
    assert f"date_order: {order}" in r.stdout


@pytest.mark.parametrize("zone,order", [("America/New_York", "mdy"), ("Europe/Berlin", "dmy"),
                                        ("Asia/Tokyo", "ymd"), ("Etc/UTC", "ask")])
def test_init_sets_the_order_of_dates_by_the_time_zone(tmp_path, zone, order):
    need_root()
    need_tool("unshare")
    etc = tmp_path / "etc"
    etc.mkdir()
    (etc / "localtime").symlink_to(f"/usr/share/zoneinfo/{zone}")
    c = Cabinet(tmp_path)
    r = subprocess.run(["unshare", "-m", "sh", "-c",
                        f"mount --bind {etc} /etc && exec {EXE} init {c.path}"],
                       env=c.env, capture_output=True, text=True)
    if "unshare" in r.stderr or "mount:" in r.stderr:
        pytest.skip("no mount namespaces here")
    assert r.returncode == 0, r.stderr
    config = (c.path / ".organizer/organizer.yaml").read_text()
    assert f"date_order: {order}" in config and f"time_zone: {zone}" in config
    assert f"date_order: {order}" in r.stdout and zone in r.stdout


# -- the first run ------------------------------------------------------------------------------------

def documents_of(c):
    return c.documents()


def test_the_first_run_on_an_old_tree_names_nothing(old):
    old.run("init", old.path)
    set_mode(old, "suggest")
    before = old.documents()
    old.start()
    old.sync()
    old.run("sweep", old.path)
    assert old.documents() == before
    assert not (old.path / "Smith_Divorce/Case.txt").exists()
    assert old.status()["cases"] == 0


def test_even_enforced_an_old_folder_is_no_case_by_its_name(old):
    old.run("init", old.path)
    set_mode(old, "enforce")
    before = old.documents()
    old.start()
    old.sync()
    assert old.documents() == before
    assert not (old.path / "Smith_Divorce/Case.txt").exists()
    assert "Jones, Ann" not in (old.path / "Index.html").read_text()


def test_a_new_folder_in_an_old_tree_becomes_a_case(old):
    old.run("init", old.path)
    set_mode(old, "enforce")
    old.start()
    old.sync()
    (old.path / "Brown_Probate").mkdir()
    old.sync()
    old.drop("Brown_Probate/Inbox", "letter 2026-03-02.pdf")
    old.sync()
    assert "Brown_Probate/Correspondence/Brown_Probate_Letter_2026-03-02.pdf" in old.documents()


# -- adopt -----------------------------------------------------------------------------------------

def adopted(old, mode="enforce"):
    old.run("init", old.path)
    set_mode(old, mode)
    old.start()
    old.sync()
    old.run("adopt", old.path / "Smith_Divorce")
    old.sync()
    return old


def test_adopt_makes_a_case_of_a_folder_whose_name_tells(old):
    before = old.documents()
    adopted(old)
    text = (old.path / "Smith_Divorce/Case.txt").read_text()
    assert "Client: Smith" in text and "Case type: Divorce" in text
    assert old.kinds("Smith_Divorce")[0] == "adopted"
    assert old.documents() == before
    old.run("verify", "Smith_Divorce", status=0)


def test_what_was_there_before_is_never_named_by_itself(old):
    before = old.documents()
    adopted(old)
    old.run("sweep", old.path)
    assert old.documents() == before
    old.stop()
    old.start()
    old.sync()
    old.run("sweep", old.path)
    assert old.documents() == before


def test_what_was_there_before_is_not_named_when_edited(old):
    adopted(old)
    p = old.path / "Smith_Divorce/Motions/mtn to dismiss 3-2-26.pdf"
    p.write_bytes(pdf("edited"))
    old.sync()
    assert p.exists()


def test_what_was_there_before_shows_the_name_it_would_get(old):
    adopted(old)
    index = (old.path / "Smith_Divorce/Index.html").read_text()
    assert "Smith_Divorce_MotionToDismiss_2026-03-02.pdf" in index


def test_new_arrivals_in_an_adopted_case_are_named(old):
    adopted(old)
    old.drop("Smith_Divorce/Inbox", "order 2026-03-09.pdf", pdf("new"))
    old.drop("Smith_Divorce/Motions", "motion to compel 2026-03-09.pdf", pdf("new2"))
    old.sync()
    docs = old.documents()
    assert "Smith_Divorce/Court Papers/Smith_Divorce_Order_2026-03-09.pdf" in docs
    assert "Smith_Divorce/Motions/Smith_Divorce_MotionToCompel_2026-03-09.pdf" in docs
    assert "Smith_Divorce/Motions/mtn to dismiss 3-2-26.pdf" in docs


def test_new_arrivals_while_stopped_are_named(old):
    adopted(old)
    old.stop()
    old.drop("Smith_Divorce/Inbox", "order 2026-03-09.pdf", pdf("new"))
    old.start()
    old.sync()
    docs = old.documents()
    assert "Smith_Divorce/Court Papers/Smith_Divorce_Order_2026-03-09.pdf" in docs
    assert "Smith_Divorce/Inbox/letter 2026-03-06.pdf" in docs


def test_adopting_without_a_daemon_is_the_same(old):
    old.run("init", old.path)
    set_mode(old, "enforce")
    before = old.documents()
    old.run("adopt", old.path / "Smith_Divorce")
    assert old.documents() == before
    old.drop("Smith_Divorce/Inbox", "order 2026-03-09.pdf", pdf("new"))
    old.run("sweep", old.path)
    assert set(old.documents()) - set(before) == {
        "Smith_Divorce/Court Papers/Smith_Divorce_Order_2026-03-09.pdf"}


def test_an_old_document_dropped_into_the_inbox_is_named(old):
    adopted(old)
    os.rename(old.path / "Smith_Divorce/Stuff/letter 2026-03-05.pdf",
              old.path / "Smith_Divorce/Inbox/letter 2026-03-05.pdf")
    old.sync()
    assert ("Smith_Divorce/Correspondence/Smith_Divorce_Letter_2026-03-05.pdf"
            in old.documents())


def test_adopt_of_a_near_miss_reads_its_name(old):
    old.run("init", old.path)
    r = old.run("adopt", "Jones, Ann - probate")
    assert str(old.path / "Jones, Ann - probate") in r.stdout
    text = (old.path / "Jones, Ann - probate/Case.txt").read_text()
    assert "Probate" in text and "Jones" in text


def test_adopt_of_a_name_that_tells_nothing_asks(old):
    old.run("init", old.path)
    r = old.run("adopt", "Templates", status=2)
    assert "CLIENT CASETYPE" in r.stderr
    assert not (old.path / "Templates/Case.txt").exists()


def test_adopt_with_client_and_type_given(old):
    old.run("init", old.path)
    set_mode(old, "enforce")
    old.run("adopt", "Templates", "van Dyke", "probate")
    old.drop("Templates/Inbox", "letter 2026-03-02.pdf", pdf("x"))
    old.run("sweep", old.path)
    assert "Templates/Correspondence/van-Dyke_Probate_Letter_2026-03-02.pdf" in old.documents()


def test_adopt_of_an_unknown_type_is_refused(old):
    old.run("init", old.path)
    r = old.run("adopt", "Templates", "van Dyke", "probat", status=2)
    assert "Probate" in r.stderr
    assert not (old.path / "Templates/Case.txt").exists()


def test_adopt_dry_run_makes_nothing(old):
    old.run("init", old.path)
    r = old.run("adopt", "--dry-run", "Smith_Divorce")
    assert "Smith" in r.stdout
    assert not (old.path / "Smith_Divorce/Case.txt").exists()


def test_adopt_of_a_case_says_that_it_is_one(old):
    adopted(old)
    r = old.run("adopt", old.path / "Smith_Divorce")
    assert "already" in r.stdout
    assert old.kinds("Smith_Divorce").count("adopted") == 1


def test_adopt_inside_of_a_case_or_of_no_folder_is_refused(old):
    adopted(old)
    old.run("adopt", old.path / "Smith_Divorce/Stuff", "A", "probate", status=2)
    old.run("adopt", old.path / "Smith_Divorce/nothing", "A", "probate", status=3)
    old.run("adopt", old.path / "nothing_Divorce", status=3)
    old.run("adopt", old.path, status=2)
    old.run("adopt", "/tmp", status=3, cwd=old.path)
    for own in ("Inbox", "Archive"):
        (old.path / own).mkdir(exist_ok=True)
        assert "no place for a case" in old.run("adopt", old.path / own, "A", "Divorce", status=2).stderr
        assert not (old.path / own / "Case.txt").exists()


def test_a_card_that_a_person_writes_adopts_an_old_folder(old):
    old.run("init", old.path)
    set_mode(old, "enforce")
    old.start()
    old.sync()
    before = old.documents()
    (old.path / "Smith_Divorce/Case.txt").write_text("Client: Smith\nCase type: Divorce\n")
    old.sync()
    old.run("sweep", old.path)
    assert old.documents() == before
    assert old.kinds("Smith_Divorce")[0] == "adopted"
    old.drop("Smith_Divorce/Motions", "motion to compel 2026-03-09.pdf", pdf("new2"))
    old.sync()
    assert set(old.documents()) - set(before) == {
        "Smith_Divorce/Motions/Smith_Divorce_MotionToCompel_2026-03-09.pdf"}


def test_a_card_written_while_stopped_adopts_an_old_folder(old):
    old.run("init", old.path)
    set_mode(old, "enforce")
    before = old.documents()
    (old.path / "Smith_Divorce/Case.txt").write_text("Client: Smith\nCase type: Divorce\n")
    old.start()
    old.sync()
    old.run("sweep", old.path)
    assert old.documents() == before


def test_old_documents_in_the_office_inbox_are_left(old):
    old.drop("Inbox", "Brown_Probate letter 2026-03-02.pdf", pdf("b"))
    old.run("init", old.path)
    set_mode(old, "enforce")
    old.start()
    old.run("new", "Brown", "Probate", "-C", old.path)
    old.sync()
    assert "Inbox/Brown_Probate letter 2026-03-02.pdf" in old.documents()


# -- modes -------------------------------------------------------------------------------------------

def test_suggest_shows_names_in_the_index_only(cabinet):
    set_mode(cabinet, "suggest")
    cabinet.start()
    cabinet.new("Smith", "Divorce")
    cabinet.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf")
    cabinet.sync()
    assert list(cabinet.documents()) == ["Smith_Divorce/Inbox/order 2026-03-02.pdf"]
    assert ("Smith_Divorce_Order_2026-03-02.pdf"
            in (cabinet.path / "Smith_Divorce/Index.html").read_text())
    assert not (cabinet.path / "Smith_Divorce/Needs attention.txt").exists()
    cabinet.run("check", cabinet.path, status=0)


def sweep_until_settled(c):
    """What was read as soon as it was written is looked at again by the next sweep, whatever else says so."""
    dropped = time.monotonic()
    while time.monotonic() < dropped + 0.2:
        c.run("sweep", c.path)
    c.run("sweep", c.path)


def test_going_over_to_enforce_names_what_arrived_meanwhile(cabinet):
    set_mode(cabinet, "suggest")
    cabinet.start()
    cabinet.new("Smith", "Divorce")
    cabinet.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf")
    cabinet.sync()
    sweep_until_settled(cabinet)
    set_mode(cabinet, "enforce")
    cabinet.run("reload", cabinet.path)
    cabinet.sync()
    assert list(cabinet.documents()) == [
        "Smith_Divorce/Court Papers/Smith_Divorce_Order_2026-03-02.pdf"]


def test_going_over_to_enforce_while_stopped(cabinet):
    set_mode(cabinet, "suggest")
    cabinet.start()
    cabinet.new("Smith", "Divorce")
    cabinet.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf")
    cabinet.sync()
    sweep_until_settled(cabinet)
    cabinet.stop()
    set_mode(cabinet, "enforce")
    cabinet.start()
    cabinet.sync()
    assert list(cabinet.documents()) == [
        "Smith_Divorce/Court Papers/Smith_Divorce_Order_2026-03-02.pdf"]


# -- plan and apply -----------------------------------------------------------------------------------

def plan(c, *args):
    """Rows of a new plan, and the file."""
    out = c.base / "plan.csv"
    c.run("plan", "-o", out, *args)
    text = out.read_bytes()
    assert text.startswith(b"\xef\xbb\xbf") and b"\r\n" in text
    return list(csv.DictReader(io.StringIO(text.decode("utf-8-sig")))), out


def write_plan(path, rows, columns=None, **how):
    out = io.StringIO()
    w = csv.DictWriter(out, columns or list(rows[0]), extrasaction="ignore", **how)
    w.writeheader()
    w.writerows(rows)
    path.write_text(out.getvalue(), newline="")


NAMED = {"Smith_Divorce/Motions/mtn to dismiss 3-2-26.pdf":
         "Smith_Divorce/Motions/Smith_Divorce_MotionToDismiss_2026-03-02.pdf",
         "Smith_Divorce/Court Papers/order 2026-03-04.pdf":
         "Smith_Divorce/Court Papers/Smith_Divorce_Order_2026-03-04.pdf",
         "Smith_Divorce/Inbox/letter 2026-03-06.pdf":
         "Smith_Divorce/Correspondence/Smith_Divorce_Letter_2026-03-06.pdf"}


@pytest.mark.parametrize("mode", ["suggest", "enforce"])
def test_plan_shows_and_apply_does(old, mode):
    adopted(old, mode)
    before = old.documents()
    rows, out = plan(old)
    assert {r["From"]: r["To"] for r in rows} == NAMED
    assert {r["Apply"] for r in rows} == {"yes"}
    assert all(r["Why"] and r["Type"] and r["Date"] for r in rows)
    assert old.documents() == before
    r = old.run("apply", out)
    assert "3 renamed, 0 left" in r.stdout
    old.sync()
    assert old.documents() == {NAMED.get(p, p): d for p, d in before.items()}
    assert old.kinds("Smith_Divorce").count("applied") == 3
    old.run("verify", "Smith_Divorce", status=0)
    rows, _ = plan(old)
    assert rows == []


def test_apply_without_a_daemon(old):
    adopted(old)
    before = old.documents()
    old.stop()
    _, out = plan(old)
    old.run("apply", out)
    assert old.documents() == {NAMED.get(p, p): d for p, d in before.items()}
    old.run("verify", "Smith_Divorce", status=0)


def test_apply_does_nothing_for_rows_that_say_no_or_hold_another_name(old):
    adopted(old)
    before = old.documents()
    rows, out = plan(old)
    for r, word in zip(rows, ("no", "", "yes")):
        r["Apply"] = word
    rows[2]["To"] = "Smith_Divorce/Motions/a better name.pdf"
    write_plan(out, rows)
    r = old.run("apply", out, status=1)
    assert "0 renamed, 1 left" in r.stdout
    assert rows[2]["From"] + " stays: another name was written into the column To" in r.stdout
    assert old.documents() == before


def test_apply_of_what_excel_makes_of_it(old):
    """Semicolons, other columns, columns moved, sorted, cells changed that do not count."""
    adopted(old)
    before = old.documents()
    rows, out = plan(old)
    for r in rows:
        r["Apply"] = "x"
        r["Note"] = "seen; by \"me\"\nand you"
        r["Date"] = "46083"
    rows.sort(key=lambda r: r["From"], reverse=True)
    write_plan(out, rows, ["Note", "To", "Row", "Plan", "From", "Apply"], delimiter=";",
               quoting=csv.QUOTE_ALL)
    old.run("apply", out)
    old.sync()
    assert old.documents() == {NAMED.get(p, p): d for p, d in before.items()}


def test_apply_reads_tabs_and_utf_16_as_excel_saves_unicode_text(old):
    adopted(old)
    before = old.documents()
    rows, out = plan(old)
    write_plan(out, rows, delimiter="\t")
    out.write_bytes(out.read_bytes().decode().encode("utf-16"))
    old.run("apply", out)
    old.sync()
    assert old.documents() == {NAMED.get(p, p): d for p, d in before.items()}


def test_apply_dry_run_changes_nothing(old):
    adopted(old)
    before = old.documents()
    _, out = plan(old)
    r = old.run("apply", "--dry-run", out)
    for a, b in NAMED.items():
        assert a in r.stdout and b in r.stdout
    assert "3 would be renamed" in r.stdout
    assert old.documents() == before
    assert "applied" not in old.kinds("Smith_Divorce")


def test_apply_twice(old):
    adopted(old)
    before = old.documents()
    _, out = plan(old)
    old.run("apply", out)
    r = old.run("apply", out, status=1)
    assert "0 renamed, 3 left" in r.stdout and "not there any more" in r.stdout
    old.sync()
    assert old.documents() == {NAMED.get(p, p): d for p, d in before.items()}


def test_what_changed_since_is_left_with_the_reason(old):
    adopted(old)
    _, out = plan(old)
    (old.path / "Smith_Divorce/Motions/mtn to dismiss 3-2-26.pdf").write_bytes(pdf("changed"))
    os.unlink(old.path / "Smith_Divorce/Court Papers/order 2026-03-04.pdf")
    old.drop("Smith_Divorce/Correspondence", "Smith_Divorce_Letter_2026-03-06.pdf", pdf("taken"))
    old.sync()
    r = old.run("apply", out, status=1)
    assert "0 renamed, 3 left" in r.stdout
    for word in "changed since", "not there any more", "taken by now":
        assert word in r.stdout, r.stdout
    assert "Smith_Divorce/Motions/mtn to dismiss 3-2-26.pdf" in old.documents()
    assert "Smith_Divorce/Inbox/letter 2026-03-06.pdf" in old.documents()


def test_a_document_that_is_open_is_left(old):
    adopted(old)
    _, out = plan(old)
    with open(old.path / "Smith_Divorce/Motions/mtn to dismiss 3-2-26.pdf", "r+b"):
        r = old.run("apply", out, status=1)
    assert "2 renamed, 1 left" in r.stdout and "open" in r.stdout


def test_a_plan_of_another_cabinet_is_refused(old, tmp_path):
    adopted(old)
    other = tmp_path / "other"
    other.mkdir()
    b = Cabinet(other)
    b.env["STATE_DIRECTORY"] = str(old.state)
    b.init()
    _, out = plan(old)
    r = b.run("apply", out, "-C", b.path, status=3)
    assert "plan" in r.stderr
    assert "3 renamed" in old.run("apply", out).stdout


@pytest.mark.parametrize("text,word", [
    ("", "rows"), ("a,b\n1,2\n", "Apply"), ("Apply,Plan,Row\nyes,plan-0123456789abcdef,1\n", "plan"),
    ("Apply,Plan,Row\nyes,nonsense,1\n", "line 2"), ("Apply,Plan,Row\n\"yes,x,1\n", "quote")])
def test_what_is_no_plan_is_refused_in_plain_words(cabinet, text, word):
    f = cabinet.base / "x.csv"
    f.write_text(text)
    r = cabinet.run("apply", f, status=3)
    assert word in r.stderr, r.stderr


def test_a_word_that_is_neither_yes_nor_no_is_refused_before_anything_is_done(old):
    adopted(old)
    before = old.documents()
    rows, out = plan(old)
    rows[-1]["Apply"] = "maybe"
    write_plan(out, rows)
    r = old.run("apply", out, status=3)
    assert "maybe" in r.stderr and "line 4" in r.stderr
    assert old.documents() == before


def test_two_that_want_one_name_get_serials(old):
    for n in "abc":
        old.drop("Smith_Divorce/Motions", f"motion to compel {'.' * ord(n)}2026-03-09.pdf"[:40] + n + " 2026-03-09.pdf", pdf(n))
    old.drop("Smith_Divorce/Court Papers", "ORDER 03-04-2026.pdf", pdf("second"))
    adopted(old)
    rows, out = plan(old)
    to = {r["To"] for r in rows}
    assert len(to) == len(rows)
    assert "Smith_Divorce/Court Papers/Smith_Divorce_Order_2026-03-04_02.pdf" in to
    old.run("apply", out)
    old.sync()
    assert to <= set(old.documents())


def test_only_what_was_asked_for_is_planned(old):
    adopted(old)
    rows, _ = plan(old, old.path / "Smith_Divorce/Motions")
    assert [r["From"] for r in rows] == ["Smith_Divorce/Motions/mtn to dismiss 3-2-26.pdf"]


def test_names_are_defused_for_excel(old):
    old.drop("Smith_Divorce/Motions", "=1+1 motion to compel 2026-03-09.pdf", pdf("f"))
    adopted(old)
    out = old.base / "plan.csv"
    old.run("plan", "-o", out)
    for line in csv.reader(io.StringIO(out.read_text("utf-8-sig"))):
        for field in line:
            assert field[:1] not in "=+-@\t\r" or field == ""
    before = old.documents()
    old.run("apply", out)
    old.sync()
    assert len(set(old.documents()) - set(before)) == 4


# -- chains, rings and case-only renames -----------------------------------------------------------------

def replan(old, out, **names):
    """Changes where the stored plan takes documents: by the last letter of their old names' stems."""
    p = next(old.state.rglob("plans/*.json"))
    stored = json.loads(p.read_text())
    for r in stored["rows"]:
        stem, folder = os.path.splitext(r["from"])[0], os.path.dirname(r["from"])
        if stem[-1] in names:
            r["to"] = f"{folder}/{names[stem[-1]]}"
    p.write_text(json.dumps(stored))
    rows = list(csv.DictReader(io.StringIO(out.read_bytes().decode("utf-8-sig"))))
    write_plan(out, rows, ["Apply", "Plan", "Row"])  # its column To would show other names
    return out


@pytest.fixture
def row_of_three(old):
    """Three old documents that a plan renames: their names end in a, b and c."""
    for n in "abc":
        old.drop("Smith_Divorce/Stuff2", f"motion to compel 2026-03-09 {n}.pdf", pdf(n))
    adopted(old)
    (old.path / "Smith_Divorce/Case.txt").write_text(
        (old.path / "Smith_Divorce/Case.txt").read_text() + "Naming: everywhere\n")
    old.sync()
    rows, out = plan(old, old.path / "Smith_Divorce/Stuff2")
    assert len(rows) == 3
    return old, out


def where(c):
    """Name in Stuff2 -> letter of the document that has it."""
    by_digest = {sha256(pdf(n)): n for n in "abc"}
    return {os.path.basename(p): by_digest[d] for p, d in c.documents("Smith_Divorce/Stuff2").items()}


def old_name(letter):
    return f"motion to compel 2026-03-09 {letter}.pdf"


def test_a_chain_is_done_as_a_whole(row_of_three):
    c, out = row_of_three
    c.run("apply", replan(c, out, a=old_name("b"), b=old_name("c"), c="last.pdf"))
    c.sync()
    assert where(c) == {old_name("b"): "a", old_name("c"): "b", "last.pdf": "c"}
    c.run("verify", "Smith_Divorce", status=0)


def test_a_chain_whose_last_stays_stays_behind_it(row_of_three):
    c, out = row_of_three
    replan(c, out, a=old_name("b"), b=old_name("c"), c="last.pdf")
    (c.path / "Smith_Divorce/Stuff2" / old_name("c")).write_bytes(pdf("changed"))
    c.sync()
    r = c.run("apply", out, status=1)
    assert "0 renamed, 3 left" in r.stdout
    assert (c.path / "Smith_Divorce/Stuff2" / old_name("a")).read_bytes() == pdf("a")


def test_a_swap(row_of_three):
    c, out = row_of_three
    r = c.run("apply", replan(c, out, a=old_name("b"), b=old_name("a"), c="last.pdf"))
    assert "3 renamed, 0 left" in r.stdout, r.stdout
    c.sync()
    assert where(c) == {old_name("b"): "a", old_name("a"): "b", "last.pdf": "c"}
    c.run("verify", "Smith_Divorce", status=0)


def test_a_ring_of_three(row_of_three):
    c, out = row_of_three
    c.run("apply", replan(c, out, a=old_name("b"), b=old_name("c"), c=old_name("a")))
    c.sync()
    assert where(c) == {old_name("b"): "a", old_name("c"): "b", old_name("a"): "c"}
    c.run("verify", "Smith_Divorce", status=0)
    c.run("undo", "Smith_Divorce", "--all")
    c.sync()
    assert where(c) == {old_name(n): n for n in "abc"}
    c.run("verify", "Smith_Divorce", status=0)


def test_a_ring_of_which_one_changed_leaves_nothing_lost(row_of_three):
    c, out = row_of_three
    replan(c, out, a=old_name("b"), b=old_name("c"), c=old_name("a"))
    (c.path / "Smith_Divorce/Stuff2" / old_name("b")).write_bytes(pdf("changed"))
    c.sync()
    before = sorted(c.documents("Smith_Divorce/Stuff2").values())
    c.run("apply", out, status=1)
    c.sync()
    assert sorted(c.documents("Smith_Divorce/Stuff2").values()) == before
    assert len(c.documents("Smith_Divorce/Stuff2")) == 3
    c.run("verify", "Smith_Divorce", status=0)


def test_a_plan_uses_a_standard_folder_in_other_capitals(old):
    (old.path / "Smith_Divorce/correspondence").mkdir()
    adopted(old)
    rows, out = plan(old)
    letter = "Smith_Divorce/correspondence/Smith_Divorce_Letter_2026-03-06.pdf"
    assert [r["To"] for r in rows if "Inbox" in r["From"]] == [letter]
    old.run("apply", out)
    assert letter in old.documents() and not (old.path / "Smith_Divorce/Correspondence").exists()


def test_a_case_only_rename(old):
    old.drop("Smith_Divorce/Motions", "smith_divorce_motiontocompel_2026-03-09.PDF", pdf("low"))
    adopted(old)
    rows, out = plan(old)
    low = [r for r in rows if "compel" in r["From"]]
    assert [r["To"] for r in low] == [
        "Smith_Divorce/Motions/Smith_Divorce_MotionToCompel_2026-03-09.pdf"]
    old.run("apply", out)
    old.sync()
    assert ("Smith_Divorce/Motions/Smith_Divorce_MotionToCompel_2026-03-09.pdf"
            in old.documents())
