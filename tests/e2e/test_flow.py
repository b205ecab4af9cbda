"""The loop as a whole: sync under load, reloads that would change too much, signals."""
import os
import signal
import threading

import pytest

from conftest import pdf


def test_sync_ends_while_documents_keep_coming(smith):
    smith.new("Jones", "Probate")
    stop = threading.Event()

    def drop():
        i = 0
        while not stop.wait(0.003):
            smith.drop("Jones_Probate/Inbox", f"order {i} 2026-03-02.pdf", pdf(f"load {i}"))
            i += 1

    t = threading.Thread(target=drop)
    t.start()
    try:
        smith.drop("Smith_Divorce/Inbox", "letter 2026-03-02.pdf", pdf("letter"))
        smith.sync()
        assert (smith.path / "Smith_Divorce/Correspondence/Smith_Divorce_Letter_2026-03-02.pdf").exists()
        assert "Smith_Divorce_Letter_2026-03-02.pdf" in (
            smith.path / "Smith_Divorce/Index.csv").read_text("utf-8-sig")
    finally:
        stop.set()
        t.join()
    smith.sync()
    smith.run("verify", smith.path)


def test_a_reload_without_a_configuration_keeps_the_last_one(smith):
    smith.configure("mode: suggest\nsettle: 0s\n")
    smith.run("reload", smith.path)
    assert smith.status()["mode"] == "suggest"
    hidden = smith.path / ".organizer" / "away.yaml"
    os.rename(smith.path / ".organizer/organizer.yaml", hidden)
    r = smith.run("reload", smith.path, status=3)
    assert "organizer.yaml" in r.stderr
    assert smith.status()["mode"] == "suggest"
    os.rename(hidden, smith.path / ".organizer/organizer.yaml")
    smith.run("reload", smith.path)


def test_rules_that_others_may_write_do_not_replace_the_last_good_ones(smith):
    rules = smith.path / ".organizer" / "rules"
    rules.mkdir(mode=0o755)
    os.chmod(rules, 0o777)
    r = smith.run("reload", smith.path, status=3)
    assert "chmod go-w" in r.stderr
    os.chmod(rules, 0o755)
    smith.run("reload", smith.path)


@pytest.mark.parametrize("which", ["rules", "rules/ignored.yaml"])
def test_the_daemon_does_not_start_with_rules_that_others_may_write(cabinet, which):
    rules = cabinet.path / ".organizer" / "rules"
    rules.mkdir(mode=0o755)
    (rules / "ignored.yaml").write_text("ignored:\n  groups: []\n")
    at = cabinet.path / ".organizer" / which
    os.chmod(at, 0o777)
    for verb in ("watch", "check", "sweep"):
        r = cabinet.run(verb, cabinet.path, status=3)
        assert "chmod go-w" in r.stderr
    os.chmod(at, 0o644 if at.is_file() else 0o755)
    cabinet.start()


def test_a_folder_that_is_clear_by_now_is_told_no_more(running):
    running.drop("Inbox/Jones_Probate", "a.pdf")
    running.sync()
    assert running.status()["notices"] == 1
    running.configure(running.config_text.replace("mode: enforce", "mode: suggest"))
    running.run("reload", running.path)
    running.new("Jones", "Probate")
    running.run("sweep", running.path)
    running.sync()
    assert running.status()["notices"] == 0
    assert (running.path / "Inbox/Jones_Probate/a.pdf").exists()


def test_a_hundred_dropped_at_the_end_of_the_day_are_filed_once(smith):
    for i in range(300):
        smith.drop("Smith_Divorce/Inbox", f"order {i} 2026-03-02.pdf", pdf(f"{i}"))
    assert smith.stop(signal.SIGTERM) == 0
    smith.start()
    smith.sync()
    docs = smith.documents()
    assert len(docs) == 300 and len(set(docs.values())) == 300
    assert not [d for d in docs if "/Inbox/" in d]
    smith.run("verify", smith.path)


def test_killed_while_filing_nothing_is_lost(smith):
    for round in range(4):
        for i in range(60):
            smith.drop("Smith_Divorce/Inbox", f"order {round} {i} 2026-03-02.pdf", pdf(f"{round} {i}"))
        smith.stop(signal.SIGKILL)
        smith.start()
    smith.sync()
    docs = smith.documents()
    assert len(docs) == 240 and len(set(docs.values())) == 240
    assert not [d for d in docs if "/Inbox/" in d]
    smith.run("verify", smith.path)
