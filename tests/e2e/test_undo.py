"""Undo: what was filed goes back under the names it came under, and stays there."""
import json
import os
import random

import pytest

from conftest import pdf, sha256


def drop_orders(c, n, case="Smith_Divorce"):
    for i in range(n):
        c.drop(f"{case}/Inbox", f"order {i} 2026-03-{i % 28 + 1:02}.pdf", pdf(f"{case}{i}"))
    c.sync()


def inbox(c, case="Smith_Divorce"):
    return sorted(os.listdir(c.path / case / "Inbox"))


def test_undo_of_one_document(smith):
    drop_orders(smith, 2)
    p = "Smith_Divorce/Court Papers/Smith_Divorce_Order-0_2026-03-01.pdf"
    assert p in smith.documents()
    r = smith.run("undo", smith.path / p)
    assert "1 taken back, 0 left" in r.stdout
    smith.sync()
    assert inbox(smith) == ["order 0 2026-03-01.pdf"]
    assert smith.kinds("Smith_Divorce")[-1] == "undone"
    smith.run("verify", "Smith_Divorce")


def test_what_was_undone_is_not_filed_again_by_itself(smith):
    drop_orders(smith, 1)
    smith.run("undo", "Smith_Divorce", "--all")
    for again in range(2):
        smith.sync()
        smith.run("sweep", smith.path)
        assert inbox(smith) == ["order 0 2026-03-01.pdf"]
        smith.stop()
        smith.start()
        smith.sync()
    assert inbox(smith) == ["order 0 2026-03-01.pdf"]


def test_what_was_undone_is_not_filed_when_edited(smith):
    drop_orders(smith, 1)
    smith.run("undo", "Smith_Divorce", "--all")
    (smith.path / "Smith_Divorce/Inbox/order 0 2026-03-01.pdf").write_bytes(pdf("edited"))
    smith.sync()
    assert inbox(smith) == ["order 0 2026-03-01.pdf"]
    os.utime(smith.path / "Smith_Divorce/Inbox/order 0 2026-03-01.pdf")
    smith.sync()
    assert inbox(smith) == ["order 0 2026-03-01.pdf"]


def test_what_was_undone_is_filed_again_when_renamed(smith):
    drop_orders(smith, 1)
    smith.run("undo", "Smith_Divorce", "--all")
    os.rename(smith.path / "Smith_Divorce/Inbox/order 0 2026-03-01.pdf",
              smith.path / "Smith_Divorce/Inbox/letter 2026-03-01.pdf")
    smith.sync()
    assert list(smith.documents()) == [
        "Smith_Divorce/Correspondence/Smith_Divorce_Letter_2026-03-01.pdf"]


def test_what_was_undone_is_filed_again_when_dropped_into_the_inbox(smith):
    p = smith.drop("Smith_Divorce/Motions", "motion to compel 2026-03-01.pdf")
    smith.sync()
    smith.run("undo", "Smith_Divorce", "--all")
    smith.sync()
    assert p.exists()
    os.rename(p, smith.path / "Smith_Divorce/Inbox/motion to compel 2026-03-01.pdf")
    smith.sync()
    assert list(smith.documents()) == [
        "Smith_Divorce/Motions/Smith_Divorce_MotionToCompel_2026-03-01.pdf"]


def test_what_was_undone_is_said_in_the_index(smith):
    drop_orders(smith, 1)
    smith.run("undo", "Smith_Divorce", "--all")
    smith.sync()
    text = (smith.path / "Smith_Divorce/Index.html").read_text()
    assert "was put back here" in text
    assert not (smith.path / "Smith_Divorce/Needs attention.txt").exists()
    smith.run("check", smith.path, status=0)


def test_undo_of_the_last_n(smith):
    for i in range(4):
        smith.drop("Smith_Divorce/Inbox", f"order {i} 2026-03-0{i + 1}.pdf", pdf(f"{i}"))
        smith.sync()
    r = smith.run("undo", "Smith_Divorce", "--last", 2)
    assert "2 taken back" in r.stdout
    smith.sync()
    assert inbox(smith) == ["order 2 2026-03-03.pdf", "order 3 2026-03-04.pdf"]
    smith.run("undo", "Smith_Divorce", "--last", 1)
    smith.sync()
    assert inbox(smith) == ["order 1 2026-03-02.pdf", "order 2 2026-03-03.pdf",
                            "order 3 2026-03-04.pdf"]


def filed_at(c, name):
    return [l["at"] for l in c.journal("Smith_Divorce")
            if l["kind"] == "filed" and l["from"].endswith(name)][0]


def test_undo_since_a_time(smith):
    for i in range(3):
        smith.drop("Smith_Divorce/Inbox", f"order {i} 2026-03-0{i + 1}.pdf", pdf(f"{i}"))
        smith.sync()
    smith.run("undo", "Smith_Divorce", "--since", filed_at(smith, "order 1 2026-03-02.pdf"))
    smith.sync()
    assert inbox(smith) == ["order 1 2026-03-02.pdf", "order 2 2026-03-03.pdf"]


@pytest.mark.parametrize("since", ["2h", "3d", "90m", "1w", "2020-01-01", "2020-01-01 08:30",
                                   "2020-01-01T08:30", "2020-01-01T08:30:00Z", "today"])
def test_undo_since_as_people_say_it(smith, since):
    drop_orders(smith, 1)
    r = smith.run("undo", "Smith_Divorce", "--since", since)
    assert "1 taken back" in r.stdout
    r = smith.run("log", "Smith_Divorce", "--since", since)
    assert "undone" in r.stdout


@pytest.mark.parametrize("since", ["0s", "tomorrow", "2026-02-30", "x", "", "-2h", "2026-13-01"])
def test_times_that_are_none_are_refused(smith, since):
    for verb in "undo", "log":
        r = smith.run(verb, "Smith_Divorce", "--since", since, status=2)
        assert "2h" in r.stderr or "usage" in r.stderr, r.stderr


def test_since_counts_in_the_office_s_time_zone(cabinet):
    """Midnight in Honolulu is ten hours after midnight UTC."""
    cabinet.configure("settle: 0s\ndate_order: mdy\ntime_zone: Pacific/Honolulu\n")
    cabinet.start()
    cabinet.new("Smith", "Divorce")
    drop_orders(cabinet, 1)
    at = [l["at"] for l in cabinet.journal("Smith_Divorce") if l["kind"] == "filed"][0]
    r = cabinet.run("log", "Smith_Divorce", "--since", at[:10], "--json")
    import datetime
    t = datetime.datetime.fromisoformat(at[:19] + "+00:00")
    seen = any(json.loads(l)["line"]["kind"] == "filed" for l in r.stdout.splitlines())
    assert seen == (t.hour >= 10)
    # What log shows is what --since takes.
    shown = [l for l in cabinet.run("log", "Smith_Divorce").stdout.splitlines() if " filed " in l][0][:19]
    assert datetime.datetime.fromisoformat(shown.replace("  ", " ") + "-10:00") == t
    assert "1 taken back" in cabinet.run("undo", "Smith_Divorce", "--since", shown).stdout


def test_undo_dry_run_changes_nothing(smith):
    drop_orders(smith, 2)
    before = smith.documents()
    r = smith.run("undo", "Smith_Divorce", "--all", "--dry-run")
    assert "order 0 2026-03-01.pdf" in r.stdout and "2 would be taken back" in r.stdout
    smith.sync()
    assert smith.documents() == before


def test_undo_never_overwrites(smith):
    drop_orders(smith, 1)
    smith.drop("Smith_Divorce/Inbox", "order 0 2026-03-01.pdf", b"")   # empty: stays there
    r = smith.run("undo", "Smith_Divorce", "--all", status=1)
    assert "0 taken back, 1 left" in r.stdout
    assert (smith.path / "Smith_Divorce/Inbox/order 0 2026-03-01.pdf").read_bytes() == b""
    assert "Smith_Divorce/Court Papers/Smith_Divorce_Order-0_2026-03-01.pdf" in smith.documents()


def test_undo_of_documents_from_the_office_inbox(smith):
    smith.drop("Inbox", "Smith_Divorce order 2026-03-02.pdf", pdf("office"))
    smith.sync()
    assert "Smith_Divorce/Court Papers/Smith_Divorce_Order_2026-03-02.pdf" in smith.documents()
    smith.run("undo", "Smith_Divorce", "--last", 1)
    smith.sync()
    smith.run("sweep", smith.path)
    assert smith.documents() == {"Inbox/Smith_Divorce order 2026-03-02.pdf": sha256(pdf("office"))}
    assert "-> the office's Inbox/Smith_Divorce order 2026-03-02.pdf" in smith.run("log", "Smith_Divorce").stdout
    smith.run("verify", "Smith_Divorce")
    assert "undone" in smith.kinds("Smith_Divorce")
    smith.stop()
    smith.start()
    smith.sync()
    assert list(smith.documents()) == ["Inbox/Smith_Divorce order 2026-03-02.pdf"]
    os.rename(smith.path / "Inbox/Smith_Divorce order 2026-03-02.pdf",
              smith.path / "Inbox/Smith_Divorce letter 2026-03-02.pdf")
    smith.sync()
    assert list(smith.documents()) == [
        "Smith_Divorce/Correspondence/Smith_Divorce_Letter_2026-03-02.pdf"]


def test_a_document_is_called_as_pages_show_it_also_when_it_is_gone(smith):
    drop_orders(smith, 2)
    gone = "Smith_Divorce/Court Papers/Smith_Divorce_Order-0_2026-03-01.pdf"
    os.unlink(smith.path / gone)
    smith.sync()
    for args in ((smith.path / gone,), (gone, "-C", smith.path)):
        assert "removed" in smith.run("log", *args, cwd="/").stdout
        assert "not there any more" in smith.run("undo", *args, cwd="/", status=1).stdout
    there = "Smith_Divorce/Court Papers/Smith_Divorce_Order-1_2026-03-02.pdf"
    assert "1 taken back" in smith.run("undo", there, "-C", smith.path, cwd="/").stdout


def test_what_a_person_renamed_since_is_left_by_undo_of_all(smith):
    drop_orders(smith, 2)
    os.rename(smith.path / "Smith_Divorce/Court Papers/Smith_Divorce_Order-0_2026-03-01.pdf",
              smith.path / "Smith_Divorce/Court Papers/mine.pdf")
    smith.sync()
    r = smith.run("undo", "Smith_Divorce", "--all", status=1)
    assert "1 taken back, 1 left" in r.stdout and \
        "\nSmith_Divorce/Court Papers/mine.pdf stays: a person named or moved it since" in "\n" + r.stdout
    smith.sync()
    assert sorted(smith.documents()) == ["Smith_Divorce/Court Papers/mine.pdf",
                                         "Smith_Divorce/Inbox/order 1 2026-03-02.pdf"]


def test_what_a_person_renamed_since_goes_back_when_asked_for_by_itself(smith):
    drop_orders(smith, 1)
    p = smith.path / "Smith_Divorce/Court Papers/mine.pdf"
    os.rename(smith.path / "Smith_Divorce/Court Papers/Smith_Divorce_Order-0_2026-03-01.pdf", p)
    smith.sync()
    smith.run("undo", p)
    smith.sync()
    assert inbox(smith) == ["order 0 2026-03-01.pdf"]


def test_what_is_gone_is_told(smith):
    drop_orders(smith, 1)
    os.unlink(smith.path / "Smith_Divorce/Court Papers/Smith_Divorce_Order-0_2026-03-01.pdf")
    smith.sync()
    r = smith.run("undo", "Smith_Divorce", "--all", status=1)
    assert "not there any more" in r.stdout


def test_what_is_open_is_left(smith):
    drop_orders(smith, 1)
    with open(smith.path / "Smith_Divorce/Court Papers/Smith_Divorce_Order-0_2026-03-01.pdf", "r+b"):
        r = smith.run("undo", "Smith_Divorce", "--all", status=1)
    assert "open" in r.stdout and "0 taken back, 1 left" in r.stdout
    smith.run("undo", "Smith_Divorce", "--all")


def test_undo_with_nothing_to_undo(smith):
    r = smith.run("undo", "Smith_Divorce", "--all")
    assert "0 taken back, 0 left" in r.stdout


def test_undo_twice(smith):
    drop_orders(smith, 2)
    smith.run("undo", "Smith_Divorce", "--all")
    r = smith.run("undo", "Smith_Divorce", "--all")
    assert "0 taken back, 0 left" in r.stdout
    smith.sync()
    assert len(inbox(smith)) == 2


def test_undo_asks_what(smith):
    for args in ([], ["Smith_Divorce"], ["--all"]):
        r = smith.run("undo", *args, status=2)
        assert "--last N" in r.stderr, r.stderr


def test_undo_of_what_is_not_there(smith):
    for what in "Nobody_Divorce", smith.path / "Smith_Divorce/nothing.pdf", "/etc/passwd":
        r = smith.run("undo", what, "--all" if what == "Nobody_Divorce" else "-C",
                      *([] if what == "Nobody_Divorce" else [smith.path]), status=3)
        assert r.stderr.strip()


def test_undo_by_the_name_it_had(smith):
    drop_orders(smith, 1)
    smith.run("undo", smith.path / "Smith_Divorce/Inbox/order 0 2026-03-01.pdf")
    smith.sync()
    assert inbox(smith) == ["order 0 2026-03-01.pdf"]


def test_undo_by_a_relative_path(smith):
    drop_orders(smith, 1)
    smith.run("undo", "Smith_Divorce_Order-0_2026-03-01.pdf",
              cwd=smith.path / "Smith_Divorce/Court Papers")
    smith.sync()
    assert inbox(smith) == ["order 0 2026-03-01.pdf"]


def test_undo_without_a_daemon(smith):
    drop_orders(smith, 3)
    smith.stop()
    r = smith.run("undo", "Smith_Divorce", "--all")
    assert "3 taken back" in r.stdout
    assert len(inbox(smith)) == 3
    smith.run("sweep", smith.path)
    assert len(inbox(smith)) == 3
    smith.run("verify", "Smith_Divorce")


def test_serials_go_back_to_their_own_names(smith):
    for i in range(3):
        smith.drop("Smith_Divorce/Inbox", f"{'x' * i}order 2026-03-02.pdf".replace("xorder", "order")
                   if i < 2 else "ORDER 2026-03-02.pdf", pdf(f"n{i}"))
        smith.sync()
    assert len(smith.documents()) == 3
    smith.run("undo", "Smith_Divorce", "--all", status=None)
    smith.sync()
    docs = smith.documents()
    assert sorted(docs.values()) == sorted(sha256(pdf(f"n{i}")) for i in range(3))


def test_undo_refuses_a_journal_that_others_edited(smith):
    drop_orders(smith, 1)
    smith.stop()
    j = smith.path / "Smith_Divorce/.organizer/journal.jsonl"
    j.write_bytes(j.read_bytes().replace(b"Inbox/order 0", b"Inbox/../../x"))
    r = smith.run("undo", "Smith_Divorce", "--all", status=None)
    assert r.returncode != 0 and "verify" in r.stdout + r.stderr
    assert not (smith.base / "x 2026-03-01.pdf").exists()
    assert "Smith_Divorce/Court Papers/Smith_Divorce_Order-0_2026-03-01.pdf" in smith.documents()


def test_undo_of_everything_restores_every_original_name(running):
    """Two hundred documents in four cases, dropped in every way, some named by hand meanwhile."""
    rng = random.Random(42)
    cases = ["Smith_Divorce", "Jones_Probate", "van-Dyke_Custody", "Smith_Divorce-2024"]
    for c in cases:
        (running.path / c).mkdir()
    running.sync()
    types = ["order", "letter", "motion to compel", "Motion to Dismiss FINAL v2", "affidavit",
             "answer", "complaint", "subpoena"]
    original = {}
    for i in range(200):
        case = rng.choice(cases)
        name = f"{rng.choice(types)} {rng.choice(['', 'signed', 'Dr. Who', 'äöü'])} " \
               f"2026-0{rng.randint(1, 9)}-{rng.randint(1, 28):02}" \
               f"{rng.choice(['', ' copy', ' %d' % i])}.pdf"
        where = rng.choice([f"{case}/Inbox", f"{case}/Inbox", f"{case}/Motions", f"{case}/Stuff",
                            "Inbox"])
        if where == "Inbox":
            name = f"{case} {name}"
        path = f"{where}/{name}"
        if path in original:
            continue
        running.drop(where, name, pdf(f"{i}"))
        original[path] = sha256(pdf(f"{i}"))
        if i % 23 == 0:
            running.sync()
    running.sync()
    after = running.documents()
    assert sorted(after.values()) == sorted(original.values())
    assert len(set(after) - set(original)) > 120
    for c in cases:
        running.run("undo", c, "--all", status=None)
    running.sync()
    running.run("sweep", running.path)
    now = running.documents()
    assert now == original
    for c in cases:
        running.run("verify", c)
