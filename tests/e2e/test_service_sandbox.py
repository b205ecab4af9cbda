"""The daemon through its day in all of the unit's sandbox (unit_sandbox.py), and what a program finds in there."""
import gzip
import json
import os
import pathlib
import re
import resource
import subprocess
import time

import pytest

import unit_sandbox
from conftest import EXE, NOBODY, ROOT, TIMEOUT, docx, need_root, need_tool, pdf
from papers import motion, photo
from test_service import CAP_LEASE, UNIT
from test_texts import mail
from test_texts_hostile import DOCUMENTS, paragraph

NIGHT = UNIT.with_name("organizer-nightly@.service")
LAUNCHER = pathlib.Path(unit_sandbox.__file__)
LETTER = "Correspondence/Smith_Divorce_Letter_2026-03-02.pdf"
# What can be told from inside: a hook is shut in as the daemon is.
PROBE = """#!/usr/bin/python3
import ctypes, json, mmap, os, resource, socket, sys
sys.stdin.read()
def tries(what):
    try:
        what()
        return "worked"
    except OSError as e:
        return type(e).__name__ if e.errno is None else e.errno
libc = ctypes.CDLL(None, use_errno=True)
def call(*args):
    if libc.syscall(*args) == -1:
        raise OSError(ctypes.get_errno(), "")
found = {
    "system": tries(lambda: open("/usr/bin/planted", "w")),
    "etc": tries(lambda: open("/etc/planted", "w")),
    "tunable": tries(lambda: open("/proc/sys/kernel/printk", "w")),
    "internet": tries(lambda: socket.socket(socket.AF_INET)),
    "namespace": tries(lambda: call(272, 0x10000000)),
    "setuid": tries(lambda: os.chmod(os.environ["STATE"] + "/suid", 0o4755)),
    "executable memory": tries(lambda: mmap.mmap(-1, 4096, prot=7)),
    "mount": tries(lambda: call(165, 0, 0, 0, 0, 0)),
    "clock": tries(lambda: call(227, 0, 0)),
    "reboot": tries(lambda: call(169, 0, 0, 0, 0)),
    "homes": os.listdir("/home") + os.listdir("/root"),
    "devices": sorted(os.listdir("/dev")),
    "processes": sorted({os.stat("/proc/" + p).st_uid for p in os.listdir("/proc") if p.isdigit()}),
    "interfaces": [line.split(":")[0].strip() for line in open("/proc/self/net/dev") if ":" in line],
    "umask": os.umask(0), "files": resource.getrlimit(resource.RLIMIT_NOFILE)[1],
}
"""


def launched(c, unit):
    """The words before a command that have it run as the unit says."""
    return ["/usr/bin/python3", LAUNCHER, unit, c.path, NOBODY, c.state, c.base / "run", c.base / "notify", EXE.parent,
            os.environ.get("ORGANIZER_RULES", str(ROOT / "rules")), c.hooks, "--"]


@pytest.fixture
def service(of_nobody, monkeypatch):
    """A cabinet below /tmp, where only BindPaths= shows it, whose daemon start() has run as the unit does. Verbs are
    given as its user, outside."""
    need_root()
    need_tool("systemd-analyze")
    c = of_nobody
    try:
        subprocess.run(["unshare", "--mount", "--net", "--ipc", "--uts", "true"], check=True, capture_output=True)
    except subprocess.CalledProcessError as e:
        pytest.skip(f"no name spaces are to be had here: {e.stderr}")
    for folder in ("run", "hooks"):
        (c.base / folder).mkdir()
    monkeypatch.setenv("ORGANIZER_RULES", os.environ.get("ORGANIZER_RULES", str(ROOT / "rules")))
    plainly = c.start

    def start(wrap=None):
        prefix, c.prefix = c.prefix, []
        try:
            return plainly(wrap=wrap or launched(c, UNIT))
        finally:
            c.prefix = prefix
    c.start = start
    return c


def outside(c):
    """The same user and capability, and nothing else of the unit."""
    return [*c.prefix[:-2], "--bounding-set=-all,+lease", "--inh-caps=-all,+lease", "--ambient-caps=-all,+lease"]


def hook(c, event, text):
    (c.hooks / event).mkdir(parents=True, exist_ok=True)
    path = c.hooks / event / "a"
    path.write_text(text)
    path.chmod(0o755)


def proc_status(c):
    text = pathlib.Path(f"/proc/{c.process.pid}/status").read_text()
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def filed_as(c, below, kind):
    return [p for p in c.documents(below) if f"_{kind}" in p]


# ---- the launcher -------------------------------------------------------------------------------------

@pytest.mark.parametrize("unit", [UNIT, NIGHT], ids=["daemon", "night"])
def test_every_line_of_the_unit_is_known(unit):
    assert unit_sandbox.unknown(unit_sandbox.lines_of(unit, "/srv/matters")) == []


@pytest.mark.parametrize("line", ["ProtectSystem=full", "InaccessiblePaths=/srv", "PrivateUsers=yes"])
def test_a_new_line_is_not_forgotten(line, tmp_path):
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("[Install]", line + "\n\n[Install]"))
    assert unit_sandbox.unknown(unit_sandbox.lines_of(unit, "/srv/matters")) == [line]


# ---- the daemon ---------------------------------------------------------------------------------------

def test_it_is_shut_in(service):
    c = service
    c.start()
    status = proc_status(c)
    assert {int(status[k], 16) for k in ("CapEff", "CapPrm", "CapBnd", "CapAmb")} == {CAP_LEASE}
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2" and status["Uid"].split() == [str(NOBODY)] * 4
    mounts = {line.split()[4]: line.split()[5].split(",")
              for line in pathlib.Path(f"/proc/{c.process.pid}/mountinfo").read_text().splitlines()}
    assert "ro" in mounts["/"] and "rw" in mounts[str(c.path)] and "rw" in mounts["/var/lib/organizer"]
    for kind in ("mnt", "net", "ipc", "uts"):
        assert os.readlink(f"/proc/{c.process.pid}/ns/{kind}") != os.readlink(f"/proc/self/ns/{kind}"), kind


def test_what_a_program_in_there_can_do(service):
    c = service
    hook(c, "filed", PROBE.replace('os.environ["STATE"]', '"/var/lib/organizer"').replace(
        "found = {", 'open("/var/lib/organizer/suid", "w").close()\nfound = {') +
        'json.dump(found, open("/var/lib/organizer/probe", "w"))\n')
    c.start()
    c.new("Smith", "Divorce")
    c.drop("Smith_Divorce/Inbox", "letter 3-2-26.pdf")
    c.sync()
    assert c.stop() == 0  # hooks that run are waited for
    found = json.loads((c.state / "probe").read_text())
    readonly, refused, family = 30, 1, 97
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    assert set(found.pop("devices")) == {"null", "zero", "full", "random", "urandom", "tty", "shm", "fd", "stdin",
                                         "stdout", "stderr"}
    assert found == {
        "system": readonly, "etc": readonly, "tunable": readonly, "internet": family, "namespace": refused,
        "setuid": refused, "executable memory": refused, "mount": refused, "clock": refused, "reboot": refused,
        "homes": [], "processes": [NOBODY], "interfaces": ["lo"], "umask": 0o007,
        "files": 65536 if most == resource.RLIM_INFINITY else min(most, 65536)}


def test_nothing_is_lacking_that_there_is_outside(service):
    c = service

    def read_some():
        c.drop("Smith_Divorce/Inbox", f"scan{c.process.pid}.pdf", motion(dated=f"{c.process.pid}").pdf())
        c.sync()
        c.run("sweep", c.path)
        return c.status()
    c.run("new", "Smith", "Divorce", "-C", c.path)
    c.start(outside(c))
    there = read_some()
    c.stop()
    c.start()
    here = read_some()
    for where in (here, there):
        assert where["readers"]["texts_read"] > 0, json.dumps(where, indent=1)
    for lack in ("sandbox_lacks", "parsers_lack"):
        assert here["readers"][lack] == there["readers"][lack]
    assert here.keys() == there.keys() and here["readers"].keys() == there["readers"].keys()
    words = {k: v for k, v in there.items() if isinstance(v, (str, bool)) and k != "last_sweep"}
    assert {k: here[k] for k in words} == words


def test_a_document_that_someone_has_open_is_waited_for(service):
    """It belongs to root, and only CAP_LEASE lets the daemon ask for it."""
    c = service.start()
    c.new("Smith", "Divorce")
    doc = c.path / "Smith_Divorce/Inbox/letter 3-2-26.pdf"
    with open(doc, "wb") as f:
        f.write(pdf("one"))
        f.flush()
        c.sync()
        assert doc.exists()
        closed = time.monotonic()
    while doc.exists() and time.monotonic() < closed + TIMEOUT:
        c.sync()
    assert time.monotonic() < closed + 9, "quiet time alone would take 10 s"
    assert (c.path / "Smith_Divorce" / LETTER).stat().st_uid == 0


# ---- its day ------------------------------------------------------------------------------------------

SUMMONS = "You are hereby summoned and required to answer the complaint."


def test_documents_of_all_kinds_are_read(service):
    c = service.start()
    c.new("Smith", "Divorce")
    inbox = "Smith_Divorce/Inbox"
    c.drop(inbox, "scan0001.pdf", motion().pdf())
    c.drop(inbox, "Document1.docx", docx(paragraph(SUMMONS)))
    c.drop(inbox, "scan0002.txt", SUMMONS.encode())
    c.drop(inbox, "scan0003.html", f"<html><body><p>{SUMMONS}</p></body></html>".encode())
    c.drop(inbox, "mail 3-2-26.eml", mail(b"1@x"))
    c.drop(inbox, "photo 3-2-26.jpg", photo("2026:03:02 10:11:12"))
    for name in ("motion.doc.gz", "ledger.xls.gz", "slides.ppt.gz"):
        c.drop(inbox, f"letter {name[:-3]}", gzip.decompress((DOCUMENTS / name).read_bytes()))
    c.sync()
    c.run("sweep", c.path)
    c.sync()
    assert filed_as(c, "Smith_Divorce/Motions", "MotionToDismiss"), c.documents()
    assert len(filed_as(c, "Smith_Divorce", "Summons")) == 3, c.documents()
    readers = c.status()["readers"]
    assert (readers["parser_deaths"], readers["reader_deaths"], readers["texts_to_read"]) == (0, 0, 0)
    assert readers["texts_read"] >= 9
    assert "Smith_Divorce_Summons" in c.run("find", "hereby summoned").stdout


def test_a_day(service):
    c = service
    hook(c, "filed", "#!/bin/sh\ncat >>/var/lib/organizer/filed\n")
    c.start()
    case = c.new("Smith", "Divorce")
    c.drop("Smith_Divorce/Inbox", "letter 3-2-26.pdf")
    doc = c.drop("Smith_Divorce/Inbox", "scan0001.pdf", pdf("a scan"))
    c.sync()
    assert (case / LETTER).exists() and doc.exists()
    assert "scan0001.pdf" in (case / "Needs attention.txt").read_text()

    # A person says what it is; then renames what was filed, and the case.
    doc.rename(doc.with_name("order 2026-03-03.pdf"))
    c.sync()
    order, = filed_as(c, "Smith_Divorce", "Order")
    (case / LETTER).rename(case / LETTER.replace("Letter", "LetterToClient"))
    c.sync()
    assert "renamed" in c.kinds(case.name), c.kinds(case.name)
    case = case.rename(case.with_name("Smith-Jane_Divorce"))
    c.sync()
    assert "case-renamed" in c.kinds(case.name) and filed_as(c, case.name, "Order")
    c.run("undo", case.name, "--last", 1, "-C", c.path)
    c.sync()
    c.run("verify", c.path)

    # It is closed, archived, looked over, and taken out of sight; and comes back.
    before = sorted(c.documents(case.name).values())
    c.run("close", case.name, "--force", "-C", c.path)
    c.run("archive", case.name, "-C", c.path)
    archive, = (c.path / "Archive").glob("*.zip")
    c.run("verify", archive)
    c.run("list", archive)
    c.run("retire", case.name, "-C", c.path)
    c.sync()
    assert not case.exists() and list((c.path / "Closed").glob(f"*/{case.name}"))
    c.run("reopen", case.name, "-C", c.path)
    c.sync()
    assert case.is_dir() and sorted(c.documents(case.name).values()) == before
    c.run("restore", archive, "-C", c.path)
    c.sync()
    assert len(c.documents(case.name)) > len(before)
    c.run("verify", c.path)
    c.run("close", case.name, "--force", "-C", c.path)
    night, = (x for x in c.json("nightly", c.path) if "archived" in x)
    assert (night["archived"], night["failed"]) == (1, 0), night
    refused = re.findall(".*(?:not permitted|not implemented|Read-only|Permission denied).*", c.log_text())
    assert not refused, refused
    assert c.stop() == 0
    assert json.loads((c.state / "filed").read_text().splitlines()[0])


def test_a_night_without_a_daemon(service):
    c = service
    c.start()
    c.new("Smith", "Divorce")
    c.drop("Smith_Divorce/Inbox", "letter 3-2-26.pdf")
    c.sync()
    c.run("close", "Smith_Divorce", "--force", "-C", c.path)
    assert c.stop() == 0
    r = subprocess.run([*map(str, launched(c, NIGHT)), str(EXE), "nightly", str(c.path)], env=c.env,
                       capture_output=True, text=True, timeout=2 * TIMEOUT)
    assert r.returncode == 0, r.stdout + r.stderr
    archive, = (c.path / "Archive").glob("Smith_Divorce_*.zip")
    c.run("verify", archive)


def test_reload_and_restart(service):
    c = service.start()
    c.new("Smith", "Divorce")
    c.configure(c.config_text.replace("mode: enforce", "mode: suggest"))
    c.run("reload", c.path)
    kept = c.drop("Smith_Divorce/Inbox", "letter 3-2-26.pdf")
    c.sync()
    assert kept.exists()
    c.configure(c.config_text)
    assert c.stop() == 0
    c.start()
    c.sync()
    assert not kept.exists()
