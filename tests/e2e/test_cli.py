"""The command line: usage, exit codes, JSON, with a daemon and without; signals."""
import json
import os
import signal
import subprocess

import pytest

from conftest import EXE, TIMEOUT, Cabinet, need_root, pdf, sha256

VERBS = ["init", "watch", "sweep", "sync", "status", "reload", "new", "adopt", "check", "explain",
         "plan", "apply", "log", "undo", "verify", "rules"]


def run(c, *args, **how):
    return subprocess.run([str(EXE), *map(str, args)], env=c.env, capture_output=True, text=True,
                          timeout=TIMEOUT, **how)


# -- usage ---------------------------------------------------------------------------------------------

def test_help_lists_every_verb(cabinet):
    r = cabinet.run("help")
    for v in VERBS:
        assert f"organizer {v} " in r.stdout
    assert cabinet.run().stdout == r.stdout == cabinet.run("--help").stdout
    columns = {l.index(" ", 20) for l in r.stdout.splitlines() if l.startswith("  organizer init")}
    assert columns


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_a_verb(cabinet, verb):
    assert f"organizer {verb}" in cabinet.run("help", verb).stdout
    r = cabinet.run(verb, "--help")
    assert f"organizer {verb}" in r.stdout + r.stderr


def test_help_of_no_verb(cabinet):
    assert "no verb \"nothing\"" in cabinet.run("help", "nothing", status=2).stderr


def test_an_unknown_verb(cabinet):
    r = cabinet.run("frobnicate", status=2)
    assert "frobnicate" in r.stderr and "organizer help" in r.stderr


@pytest.mark.parametrize("args", [
    ["new"], ["new", "Smith"], ["new", "a", "b", "c", "d"], ["adopt"], ["explain"], ["apply"],
    ["apply", "a", "b"], ["rules"], ["rules", "frob"], ["log", "--last", "x"], ["log", "--last", "0"],
    ["log", "--last", "-1"], ["undo", "--last", "1x"], ["init", "a", "b"], ["status", "--frob"],
    ["new", "--json", "a", "b"], ["check", "--last", "3"], ["log", "a", "b"], ["watch", "a", "b"],
    ["help", "a", "b"], ["version", "x"], ["sync", "--dry-run"]])
def test_usage_errors_are_exit_2_and_say_what_to_do(cabinet, args):
    r = cabinet.run(*args, status=2)
    assert r.stdout == ""
    assert "organizer" in r.stderr and len(r.stderr.strip()) > 20


@pytest.mark.parametrize("args", [
    ["sweep"], ["sync"], ["status"], ["reload"], ["new", "Smith", "Divorce"], ["adopt", "."],
    ["check"], ["explain", "."], ["plan"], ["log"], ["undo", "x", "--all"], ["verify"], ["watch"]])
def test_no_cabinet(tmp_path, args):
    c = Cabinet(tmp_path)
    r = c.run(*args, status=3, cwd=tmp_path)
    assert "organizer init" in r.stderr


def test_a_cabinet_that_is_not_there(cabinet):
    for verb in "sweep", "status", "check":
        r = cabinet.run(verb, "/nonexistent/folder", status=3)
        assert "/nonexistent/folder" in r.stderr
    cabinet.run("status", "-C", "/nonexistent", status=3)


def test_the_cabinet_is_found_upward(smith):
    deep = smith.path / "Smith_Divorce/Inbox"
    assert json.loads(run(smith, "status", "--json", cwd=deep).stdout)["cabinet"] == str(smith.path)
    assert json.loads(run(smith, "status", "--json", "-C", deep, cwd="/").stdout)["cases"] == 1
    assert json.loads(run(smith, "status", deep, "--json", cwd="/").stdout)["cases"] == 1


def test_version(cabinet):
    assert cabinet.run("version").stdout.startswith("organizer ")
    assert cabinet.run("--version").stdout == cabinet.run("version").stdout


@pytest.mark.parametrize("args", [["help"], ["version"], ["check", "--json"], ["status"],
                                  ["status", "--json"], ["log"], ["verify"], ["plan"],
                                  ["rules", "list"], ["explain", "."], ["rules", "test"]])
@pytest.mark.parametrize("daemon", [True, False])
def test_a_full_disk_behind_standard_output_is_exit_3(cabinet, args, daemon):
    cabinet.run("new", "Smith", "Divorce", "-C", cabinet.path)
    cabinet.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf")
    cabinet.drop("Smith_Divorce/Inbox", "scan0001.pdf")
    if daemon:
        cabinet.start()
    with open("/dev/full", "w") as full:
        r = subprocess.run([str(EXE), *args], env=cabinet.env, stdout=full, cwd=cabinet.path,
                           stderr=subprocess.PIPE, text=True, timeout=TIMEOUT)
    assert r.returncode == 3
    assert "No space left" in r.stderr


def test_a_reader_that_goes_away_is_no_crash(cabinet):
    r = subprocess.run(f"{EXE} rules list | head -1", shell=True, env=cabinet.env, cwd=cabinet.path,
                       capture_output=True, text=True)
    assert r.returncode == 0 and len(r.stdout.splitlines()) == 1


# -- JSON ---------------------------------------------------------------------------------------------

STATUS = {"v", "cabinet", "id", "mode", "watching", "cases", "documents", "filed", "listed", "waiting",
          "backlog", "filed_since_start", "notices", "watch", "readers", "hooks", "page_errors",
          "journal_lines_waiting"}


@pytest.mark.parametrize("daemon", [True, False])
def test_json_lines_parse(cabinet, daemon):
    c = cabinet
    c.run("new", "Smith", "Divorce", "-C", c.path)
    c.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf", pdf("o"))
    c.drop("Smith_Divorce/Inbox", "scan0001.pdf", pdf("s"))
    c.run("sweep", c.path)
    c.drop("Smith_Divorce/Motions", "motion to compel 2026-03-02.doc", pdf("m"))
    if daemon:
        c.start()
    for args in (["status"], ["sync"], ["sweep"], ["check"], ["explain", "Smith_Divorce"], ["log"],
                 ["verify"], ["plan"], ["rules", "list"], ["init", c.path]):
        r = c.run(*args, "--json", status=None)
        assert r.returncode in (0, 1), (args, r.stderr)
        lines = [json.loads(l) for l in r.stdout.splitlines()]
        assert lines or args == ["plan"], args
        for line in lines:
            assert isinstance(line, dict)
            assert line.get("v", 1) == 1
    # What only a running organizer knows is left out when none runs.
    assert (STATUS if daemon else {"v", "cabinet", "id", "mode", "cases", "documents"}) <= set(c.status())


def test_what_status_says_in_words(cabinet):
    r = cabinet.run("status", cabinet.path)
    assert "no daemon runs here" in r.stdout and "nothing needs attention" in r.stdout
    cabinet.start()
    cabinet.new("Smith", "Divorce")
    cabinet.drop("Smith_Divorce/Inbox", "scan0001.pdf")
    cabinet.sync()
    r = cabinet.run("status", cabinet.path, status=1)
    assert "watched by the daemon" in r.stdout and "1 thing needs attention" in r.stdout
    assert "watches used" in r.stdout and "last sweep" in r.stdout
    assert "{" not in r.stdout and "[" not in r.stdout


def test_status_without_a_daemon_changes_nothing(cabinet):
    cabinet.run("new", "Smith", "Divorce", "-C", cabinet.path)
    cabinet.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf")
    cabinet.run("status", cabinet.path)
    assert list(cabinet.documents()) == ["Smith_Divorce/Inbox/order 2026-03-02.pdf"]


# -- with a daemon and without ------------------------------------------------------------------------

def story(c, daemon):
    """The same acts; what they print, and what is there in the end."""
    said = []

    def do(*args):
        r = c.run(*args, status=None)
        said.append((args[0], r.returncode, r.stdout.replace(str(c.path), "M"),
                     r.stderr.replace(str(c.path), "M")))

    if daemon:
        c.start()
    do("new", "Smith", "Divorce", "-C", c.path)
    do("new", "Smith", "Divorce", "-C", c.path)
    do("new", "Smith", "Divorse", "-C", c.path)
    for i in range(3):
        c.drop("Smith_Divorce/Inbox", f"order {i} 2026-03-0{i + 1}.pdf", pdf(f"{i}"))
    c.drop("Smith_Divorce/Inbox", "scan0001.pdf", pdf("s"))
    do("sync", c.path)
    do("sweep", c.path)
    do("check", c.path)
    do("verify", c.path)
    do("undo", "Smith_Divorce", "--all", "--dry-run")
    do("undo", c.path / "Smith_Divorce/Inbox/order 1 2026-03-02.pdf")
    do("undo", "Smith_Divorce")
    do("undo", "Nobody_Divorce", "--all")
    do("adopt", c.path / "Smith_Divorce")
    do("sync", c.path)
    c.drop("Smith_Divorce/Inbox", "letter 2026-03-09.pdf", pdf("l"))
    do("sync", c.path)
    do("verify", c.path)
    do("apply", "/nonexistent.csv")
    docs = c.documents()
    kinds = sorted(c.kinds("Smith_Divorce"))
    if daemon:
        assert c.stop() == 0
    return said, docs, kinds


def test_verbs_give_the_same_with_a_daemon_and_without(tmp_path):
    results = []
    for daemon in False, True:
        base = tmp_path / f"daemon-{daemon}"
        base.mkdir()
        results.append(story(Cabinet(base).init(), daemon))
    without, with_one = results
    for a, b in zip(without[0], with_one[0]):
        # Documents are filed, and go back, in no fixed order.
        a, b = ((*x[:2], sorted(x[2].splitlines()), x[3]) for x in (a, b))
        assert a == b
    assert without[1:] == with_one[1:]


def test_a_second_daemon_is_refused(running):
    r = run(running, "watch", running.path)
    assert r.returncode == 3 and "another organizer (process" in r.stderr


def test_others_may_not_ask_the_daemon(running):
    need_root()
    running.base.parent.chmod(0o755)
    r = subprocess.run([str(EXE), "status", str(running.path)], env=running.env, text=True,
                       capture_output=True, user=65534, group=65534, cwd="/")
    assert r.returncode == 3 and r.stderr.strip()


# -- signals ---------------------------------------------------------------------------------------------

def rule_file(c, text):
    folder = c.path / ".organizer/rules/types"
    folder.mkdir(parents=True, exist_ok=True)
    f = folder / "ours.yaml"
    f.write_text(text)
    for p in folder, folder.parent:
        os.chmod(p, 0o755)
    os.chmod(f, 0o644)
    return f


def test_reload_with_broken_rules_says_where_and_keeps_the_old(smith):
    f = rule_file(smith, "types:\n  - type: Zebra\n    when: {name: '/(/'}\n")
    r = smith.run("reload", smith.path, status=3)
    assert "ours.yaml:" in r.stderr
    smith.process.send_signal(signal.SIGHUP)
    smith.sync()
    smith.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf")
    smith.sync()
    assert "Smith_Divorce/Court Papers/Smith_Divorce_Order_2026-03-02.pdf" in smith.documents()
    log = smith.log_text()
    assert "the old ones stay" in log and "ours.yaml:" in log
    f.unlink()
    smith.run("reload", smith.path)


def test_reload_with_a_broken_configuration(smith):
    smith.configure("settle: soon\n")
    r = smith.run("reload", smith.path, status=3)
    assert "organizer.yaml:1:" in r.stderr
    smith.drop("Smith_Divorce/Inbox", "order 2026-03-02.pdf")
    smith.sync()
    assert "Smith_Divorce/Court Papers/Smith_Divorce_Order_2026-03-02.pdf" in smith.documents()


def test_rules_check_says_file_line_and_column(cabinet):
    rule_file(cabinet, "types:\n  - type: Zebra\n    when: {name: '/(/'}\n")
    r = cabinet.run("rules", "check", status=3, cwd=cabinet.path)
    import re
    assert re.search(r"ours\.yaml:\d+:\d+", r.stdout + r.stderr)


def test_sighup_takes_a_new_configuration(smith):
    smith.configure(smith.config_text.replace("enforce", "suggest"))
    smith.run("reload", smith.path)
    assert smith.status()["mode"] == "suggest"


def test_reload_without_a_daemon_says_so(cabinet):
    r = cabinet.run("reload", cabinet.path)
    assert "no daemon runs" in r.stdout


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_in_the_middle_of_a_batch(smith, sig):
    """Five hundred documents dropped, stopped at once, started again: each filed exactly once."""
    src = smith.base / "src"
    src.mkdir()
    wanted = set()
    for i in range(500):
        (src / f"order {i} 2026-03-02.pdf").write_bytes(pdf(f"{i}"))
        wanted.add(sha256(pdf(f"{i}")))
    for p in src.iterdir():
        os.rename(p, smith.path / "Smith_Divorce/Inbox" / p.name)
    assert smith.stop(sig) == 0
    docs = smith.documents()
    assert set(docs.values()) == wanted and len(docs) == 500
    smith.run("verify", smith.path, status=None)
    smith.start()
    smith.sync()
    docs = smith.documents()
    assert set(docs.values()) == wanted and len(docs) == 500
    assert all(p.startswith("Smith_Divorce/Court Papers/Smith_Divorce_Order-") for p in docs)
    filed = [l["from"] for l in smith.journal("Smith_Divorce") if l["kind"] == "filed"]
    assert len(filed) == len(set(filed)) == 500
    smith.run("verify", smith.path)


def test_a_verb_that_is_asked_while_the_daemon_stops(smith):
    for i in range(100):
        smith.drop("Smith_Divorce/Inbox", f"order {i} 2026-03-02.pdf", pdf(f"{i}"))
    p = subprocess.Popen([str(EXE), "sync", str(smith.path)], env=smith.env, text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert smith.stop() == 0
    out, err = p.communicate(timeout=TIMEOUT)
    assert p.returncode in (0, 3), err
    if p.returncode == 3:
        assert "daemon" in err or "organizer" in err
