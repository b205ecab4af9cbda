"""The systemd unit, and the daemon as the user and with the rights that the unit gives it."""
import datetime
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import pytest

from conftest import EXE, ROOT, TIMEOUT, Cabinet, need_ptrace, need_root, need_tool, pdf
from unit_sandbox import allowed_calls

SERVICE = ROOT / "organizer" / "service"
UNIT = SERVICE / "organizer@.service"
CAP_LEASE = 1 << 28
USER = 65534


@pytest.fixture
def unit(tmp_path):
    """An instance of the unit whose program is there."""
    need_tool("systemd-analyze")
    path = tmp_path / "organizer@srv-matters.service"
    path.write_text(UNIT.read_text().replace("/usr/bin/organizer", str(EXE)))
    return path


def test_exposure_is_at_most_1(unit):
    r = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)],
                       capture_output=True, text=True)
    level = re.search(r"Overall exposure level for \S+: ([0-9.]+)", r.stdout)
    assert level, r.stdout + r.stderr
    assert float(level[1]) <= 1.0, r.stdout


def test_the_unit_has_no_mistakes(unit):
    r = subprocess.run(["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True,
                       text=True)
    ours = [line for line in r.stderr.splitlines() if "organizer" in line]
    assert not ours, r.stderr


@pytest.fixture
def night_unit(tmp_path):
    """An instance of the night's units whose program is there."""
    need_tool("systemd-analyze")
    for kind in ("service", "timer"):
        (tmp_path / f"organizer-nightly@srv-matters.{kind}").write_text(
            (SERVICE / f"organizer-nightly@.{kind}").read_text().replace("/usr/bin/organizer", str(EXE)))
    return tmp_path / "organizer-nightly@srv-matters.service"


def test_the_night_is_shut_in_as_the_daemon_is(night_unit):
    r = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", str(night_unit)],
                       capture_output=True, text=True)
    level = re.search(r"Overall exposure level for \S+: ([0-9.]+)", r.stdout)
    assert level and float(level[1]) <= 1.0, r.stdout + r.stderr

    def filters(name):
        return re.findall(r"^(?:SystemCall|Restrict|Protect|Private|Capab|Ambient).*$",
                          (SERVICE / name).read_text(), re.M)
    assert filters("organizer-nightly@.service") == filters("organizer@.service")


def test_the_timer_makes_up_for_a_night_that_was_slept_through(night_unit):
    timer = night_unit.with_suffix(".timer")
    r = subprocess.run(["systemd-analyze", "verify", "--man=no", str(timer), str(night_unit)],
                       capture_output=True, text=True)
    ours = [line for line in r.stderr.splitlines() if "organizer" in line]
    assert not ours, r.stderr
    assert "Persistent=true" in timer.read_text()
    r = subprocess.run(["systemd-analyze", "calendar", "*-*-* 03:30:00"], capture_output=True, text=True)
    assert r.returncode == 0 and "03:30:00" in r.stdout


def test_sysusers_makes_the_user_of_the_unit():
    need_tool("systemd-sysusers")
    r = subprocess.run(["systemd-sysusers", "--dry-run", str(SERVICE / "organizer-sysusers.conf")],
                       capture_output=True, text=True)
    assert r.returncode == 0, r.stderr
    assert re.search(r"^User=organizer$", UNIT.read_text(), re.M)
    assert "u organizer " in (SERVICE / "organizer-sysusers.conf").read_text()


def test_the_sample_smb_conf_is_valid():
    need_tool("testparm")
    r = subprocess.run(["testparm", "-s", str(SERVICE / "smb.conf")], capture_output=True, text=True)
    assert r.returncode == 0, r.stderr
    assert not re.search("unknown|ignoring|warning", r.stderr, re.I), r.stderr


# ---- system calls -----------------------------------------------------------------------------------

def test_all_system_calls_are_let_through(tmp_path):
    """What the daemon, its readers and a hook call while documents are filed and listed."""
    need_tool("systemd-analyze")
    need_tool("strace")
    need_ptrace()
    c = Cabinet(tmp_path).init()
    trace = tmp_path / "trace"
    (c.hooks / "filed").mkdir(parents=True)
    (c.hooks / "filed" / "a").write_text("#!/bin/sh\ncat >/dev/null\n")
    (c.hooks / "filed" / "a").chmod(0o755)
    c.start(wrap=["strace", "-f", "-qq", "-o", trace])
    try:
        c.new("Smith", "Divorce")
        c.drop("Smith_Divorce/Inbox", "letter 3-2-26.pdf")
        c.drop("Smith_Divorce/Inbox", "qwertz.docx", b"PK\x03\x04")
        c.sync()
        c.run("reload", c.path)
        c.status()
    finally:
        # strace passes no signal on: the daemon itself is told to stop
        pid = int(trace.read_text(errors="replace").split(None, 1)[0])
        os.kill(pid, 15)
        c.process.wait(TIMEOUT)
        c.process = None
    calls = {}
    for line in trace.read_text(errors="replace").splitlines():
        m = re.match(r"\d+\s+(?:<\.\.\. )?(\w+)(?:\(| resumed)", line)
        if m:
            calls.setdefault(m[1], line)
    assert {"renameat2", "inotify_add_watch", "execve", "seccomp"} <= set(calls)
    refused = {k: v for k, v in calls.items() if k not in allowed_calls(UNIT)}
    assert not refused, json.dumps(refused, indent=1)


# ---- what the service manager is told ---------------------------------------------------------------

def test_what_was_filed_last_is_on_the_pages_of_a_daemon_that_is_stopped(smith):
    filed = smith.path / "Smith_Divorce/Correspondence/Smith_Divorce_Letter_2026-03-02.pdf"
    smith.sync()
    smith.drop("Smith_Divorce/Inbox", "letter 3-2-26.pdf")
    end = time.monotonic() + TIMEOUT
    while not filed.exists() and time.monotonic() < end:
        pass
    assert smith.stop() == 0
    for page in ("Smith_Divorce/Index.csv", "Smith_Divorce/Index.html", "Index.html"):
        assert filed.name in (smith.path / page).read_text("utf-8-sig"), page


def test_stopped_before_its_first_sweep_is_done_it_was_never_ready(tmp_path):
    """A hook holds the first document while SIGTERM comes."""
    c = Cabinet(tmp_path).init()
    c.run("new", "Smith", "Divorce", "-C", c.path)
    c.drop("Smith_Divorce/Inbox", "letter 3-2-26.pdf")
    for name in ("began", "go"):
        os.mkfifo(tmp_path / name)
    (c.hooks / "before-filing").mkdir(parents=True)
    hook = c.hooks / "before-filing" / "wait"
    hook.write_text(f"#!/bin/sh\ncat >/dev/null\necho >{tmp_path}/began\ncat {tmp_path}/go\n")
    hook.chmod(0o755)
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(str(tmp_path / "manager"))
    manager.settimeout(TIMEOUT)
    c.start(wait=False, env={"NOTIFY_SOCKET": str(tmp_path / "manager")})
    (tmp_path / "began").read_text()
    c.process.send_signal(signal.SIGTERM)
    assert manager.recv(4096) == b"STOPPING=1"
    (tmp_path / "go").write_text("")
    assert c.process.wait(TIMEOUT) == 0
    manager.setblocking(False)
    with pytest.raises(BlockingIOError):
        manager.recv(4096)
    assert "first sweep done" not in c.log_text()
    c.process = None
    c.log.close()


# ---- as an unprivileged user ------------------------------------------------------------------------

GROUP = 65533  # of those who may write the cabinet
FILED = "Smith_Divorce/Correspondence/Smith_Divorce_Letter_2026-03-02.pdf"


@pytest.fixture
def open_to_all():
    """A folder outside pytest's, which every pytest that starts closes to others."""
    need_root()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="organizer-office-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def office(open_to_all):
    """A cabinet that root made, whose group may write everything; the daemon is in that group."""
    tmp_path = open_to_all
    need_tool("setpriv")
    exe = shutil.copy(EXE, tmp_path / "organizer")
    shutil.copy(EXE.with_name("organizer-main"), tmp_path)
    rules = os.environ.get("ORGANIZER_RULES", str(ROOT / "rules"))
    c = Cabinet(tmp_path)
    c.env["ORGANIZER_RULES"] = str(shutil.copytree(rules, tmp_path / "rules"))
    c.path.mkdir()
    c.state.mkdir(mode=0o700)
    os.chown(c.state, USER, USER)
    os.chown(c.path, 0, GROUP)
    c.path.chmod(0o2775)
    c.as_user = ["setpriv", f"--reuid={USER}", f"--regid={USER}", f"--groups={GROUP}"]
    c.exe = exe
    yield c
    if c.process:
        c.stop()


def start(c, monkeypatch, *caps, settle="0s"):
    """Makes the cabinet and starts the daemon on it as the user, with these capabilities."""
    user = [*c.as_user, "--bounding-set=-all" + "".join(f",+{x}" for x in caps),
            "--inh-caps=-all" + "".join(f",+{x}" for x in caps)]
    if caps:
        user.append("--ambient-caps=-all" + "".join(f",+{x}" for x in caps))
    env = dict(c.env, HOME=str(c.base))

    def run(*args):
        r = subprocess.run([*user, c.exe, *map(str, args)], env=env, capture_output=True, timeout=2 * TIMEOUT,
                           preexec_fn=lambda: os.umask(0o007))
        assert r.returncode == 0, (args, r.stdout, r.stderr)
        return r
    run("init", c.path)
    config = c.path / ".organizer" / "organizer.yaml"
    config.write_text(f"settle: {settle}\ndrafts: 0s\ndate_order: mdy\ntime_zone: UTC\nmode: enforce\n")
    run("new", "Smith", "Divorce", "-C", c.path)
    monkeypatch.setattr("conftest.EXE", c.exe)
    # Its sd_notify goes to a socket of ours, which it must be able to write.
    old = os.umask(0)
    try:
        c.start(wrap=user)
    finally:
        os.umask(old)
    return run


def filed_after(c, run, since):
    """Seconds from then until the journal says that the letter was filed."""
    while time.time() < since + TIMEOUT:
        run("sync", c.path)
        lines = [x for x in c.journal("Smith_Divorce") if x["kind"] == "filed"]
        if lines:
            at = datetime.datetime.fromisoformat(lines[0]["at"].replace("Z", "+00:00"))
            return at.timestamp() - since
    raise AssertionError("it was not filed:\n" + c.log_text())


def capabilities(c):
    status = open(f"/proc/{c.process.pid}/status").read()
    return int(re.search(r"CapEff:\s+(\w+)", status)[1], 16)


def test_with_cap_lease_others_documents_are_filed_by_leases(office, monkeypatch):
    run = start(office, monkeypatch, "lease")
    assert capabilities(office) == CAP_LEASE
    inbox = office.path / "Smith_Divorce" / "Inbox"
    # root's document, which the group may only read, still open for writing
    doc = inbox / "letter 3-2-26.pdf"
    with open(doc, "wb") as f:
        f.write(pdf("one"))
        f.flush()
        doc.chmod(0o644)
        run("sync", office.path)
        assert doc.exists(), "it was filed while it was open for writing"
        closed = time.time()
    # Quiet time alone would take 10 s (SETTLE_WITHOUT_LEASES_MS).
    assert filed_after(office, run, closed) < 9
    st = (office.path / FILED).stat()
    assert (st.st_uid, st.st_mode & 0o777) == (0, 0o644), "owner and mode are as they were"
    assert office.stop() == 0


def test_without_cap_lease_the_quiet_time_counts(office, monkeypatch):
    run = start(office, monkeypatch)
    assert capabilities(office) == 0
    dropped = time.time()
    doc = office.drop("Smith_Divorce/Inbox", "letter 3-2-26.pdf", pdf("one"))
    doc.chmod(0o644)
    assert filed_after(office, run, dropped) >= 10
    assert (office.path / FILED).stat().st_uid == 0 and not doc.exists()
    assert office.stop() == 0


def test_a_document_that_cannot_be_read_is_listed(office, monkeypatch):
    run = start(office, monkeypatch, "lease")
    doc = office.drop("Smith_Divorce/Inbox", "letter 3-2-26.pdf", pdf("one"))
    doc.chmod(0o600)
    run("sync", office.path)
    run("sweep", office.path)
    run("sync", office.path)
    assert doc.exists()
    assert "letter 3-2-26.pdf" in (office.path / "Smith_Divorce/Needs attention.txt").read_text()
    assert office.stop() == 0


# ---- members of the group ---------------------------------------------------------------------------

def as_user(c, user, *args, status=None):
    home = c.base / f"home{user}"
    home.mkdir(exist_ok=True)
    os.chown(home, user, user)
    env = {k: v for k, v in c.env.items() if k != "STATE_DIRECTORY"}
    return subprocess.run(["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", str(EXE), *args,
                           str(c.path)], env={**env, "HOME": str(home)}, capture_output=True, text=True,
                          timeout=TIMEOUT)


def test_members_of_the_group_may_ask_and_change_nothing(of_nobody):
    """The users daemon and bin are on every system, each alone in the group of its name."""
    need_root()
    c = of_nobody
    run = c.base / "run"
    run.mkdir()
    os.chown(run, USER, USER)
    c.env["RUNTIME_DIRECTORY"] = str(run)
    c.configure(c.config_text + "group: daemon\n")
    os.chown(c.path / ".organizer/organizer.yaml", USER, USER)
    c.start()
    r = as_user(c, 1, "status", "--json")
    assert r.returncode == 0 and json.loads(r.stdout)["watching"], r.stderr
    r = as_user(c, 1, "sweep")
    assert r.returncode == 3 and "members of the group may ask for status" in r.stderr
    r = as_user(c, 2, "status")
    assert r.returncode == 3 and "members of the group that its configuration names" in r.stderr
    assert oct(c.state.stat().st_mode & 0o077) == "0o0", "the private state stays private"
    c.assert_ended_well()
    assert list(run.iterdir()) == []


def test_a_group_that_is_not_there_is_told(of_nobody):
    c = of_nobody
    c.configure(c.config_text + "group: no-such-group\n")
    if os.geteuid() == 0:
        os.chown(c.path / ".organizer/organizer.yaml", USER, USER)
    c.start()
    assert "there is no group no-such-group" in c.log_text()
