"""End to end: the real daemon on a fresh cabinet. No sleeps: `organizer sync` is the barrier."""
import atexit
import csv
import ctypes
import hashlib
import io
import json
import os
import pathlib
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
import zipfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("ORGANIZER_BUILD", ROOT / "build"))
EXE = BUILD / "organizer"


def for_everybody(exe):
    """A program that users without rights can run: a copy of it and its rules where the checkout lies in a
    folder that is closed to them, such as /root."""
    if os.geteuid() != 0 or not exe.exists() or all(p.stat().st_mode & 0o001 for p in exe.resolve().parents):
        return exe
    base = pathlib.Path(tempfile.mkdtemp(prefix="organizer-program-"))
    atexit.register(shutil.rmtree, base, ignore_errors=True)
    (base / "build").mkdir()
    for program in (exe, exe.with_name("organizer-main"), exe.with_name("organizer-parsers")):
        shutil.copy2(program, base / "build")
    shutil.copytree(os.environ.get("ORGANIZER_RULES", ROOT / "rules"), base / "rules")
    os.environ["ORGANIZER_RULES"] = str(base / "rules")
    subprocess.run(["chmod", "-R", "a+rX", base], check=True)
    return base / "build" / "organizer"


EXE = for_everybody(EXE)
SHARED = ROOT.parent / "shared"
# How many times longer than usual everything takes: under sanitizers.
SLOW = float(os.environ.get("ORGANIZER_SLOW", 1))
TIMEOUT = 60 * SLOW
NOBODY = 65534


def pytest_configure():
    """ORGANIZER_WITHOUT=openat2: a kernel that does not know this call, as it is in a unit with RestrictSUIDSGID=."""
    if os.environ.get("ORGANIZER_WITHOUT") == "openat2":
        from unit_sandbox import ENOSYS, LIBC, Filter, prctl
        prctl(38, 1)  # PR_SET_NO_NEW_PRIVS: in a container not even root may do without
        Filter().refuse("openat2", error=ENOSYS).load()
        assert LIBC.syscall(437, -1, b"", None, 0) == -1 and ctypes.get_errno() == ENOSYS


PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def pdf(text="x"):
    """A small PDF whose bytes differ by text."""
    return PDF + b"%" + text.encode() + b"\n"


def docx(text="x"):
    """A small Word document whose bytes differ by text, and by nothing else."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for name, data in (
                ("[Content_Types].xml",
                 '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/'
                 'content-types"><Default Extension="xml" ContentType="application/xml"/><Override '
                 'PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-'
                 'officedocument.wordprocessingml.document.main+xml"/></Types>'),
                ("word/document.xml",
                 '<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/'
                 f'wordprocessingml/2006/main"><w:body>{text}</w:body></w:document>')):
            z.writestr(zipfile.ZipInfo(name, (2026, 3, 2, 0, 0, 0)), data)
    return out.getvalue()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def sha256_file(path):
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


class Cabinet:
    """A cabinet in a fresh folder, its state, its hooks, and the daemon when started."""

    def __init__(self, base, config="settle: 0s\ndrafts: 0s\ndate_order: mdy\ntime_zone: UTC\nmode: enforce\n"):
        self.base = pathlib.Path(base)
        self.path = self.base / "Matters"
        self.state = self.base / "state"
        self.hooks = self.base / "hooks"
        self.env = dict(os.environ, STATE_DIRECTORY=str(self.state), HOME=str(self.base),
                        ORGANIZER_HOOKS=str(self.hooks), TZ="UTC")
        self.env.pop("NOTIFY_SOCKET", None)
        self.config_text = config
        self.prefix = []  # of every command: who runs the program
        self.process = None
        self.log = None
        self.deadly = False  # readers are to die of something here

    # -- the program -------------------------------------------------------------------------------
    def run(self, *args, status=0, env=None, cwd=None):
        r = subprocess.run([*self.prefix, str(EXE), *map(str, args)],
                           env=dict(self.env, **(env or {})),
                           cwd=cwd or self.path if self.path.is_dir() else self.base,
                           capture_output=True, timeout=TIMEOUT * 4, errors="surrogateescape")
        if status is not None:
            assert r.returncode == status, f"{args}: exit {r.returncode}\n{r.stdout}\n{r.stderr}"
        return r

    def json(self, *args, status=None):
        r = self.run(*args, "--json", status=status)
        return [json.loads(line) for line in r.stdout.splitlines() if line.startswith("{")]

    def init(self):
        self.run("init", self.path, cwd=self.base)
        self.configure(self.config_text)
        return self

    def configure(self, text):
        f = self.path / ".organizer" / "organizer.yaml"
        f.write_text(text)
        os.chmod(f, 0o644)

    def start(self, wrap=(), env=None, wait=True):
        """Starts the daemon and returns when it says that it is ready (sd_notify)."""
        address = str(self.base / "notify")
        if os.path.exists(address):
            os.unlink(address)
        s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        s.bind(address)
        os.chmod(address, 0o666)
        s.settimeout(1)
        self.log = open(self.base / "daemon.log", "ab")
        self.process = subprocess.Popen([*map(str, wrap), *self.prefix, str(EXE), "watch",
                                         str(self.path)],
                                        env={**self.env, "NOTIFY_SOCKET": address, **(env or {})},
                                        stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)
        if wait:
            self._wait_for_ready(s)
        s.close()
        return self

    def _wait_for_ready(self, s):
        end = time.monotonic() + TIMEOUT
        while True:
            try:
                if b"READY=1" in s.recv(4096):
                    return
            except socket.timeout:
                assert self.process.poll() is None, "the daemon ended at once:\n" + self.log_text()
                assert time.monotonic() < end, "the daemon did not become ready:\n" + self.log_text()

    def stop(self, sig=signal.SIGTERM):
        if not self.process:
            return None
        if self.process.poll() is None:
            self.process.send_signal(sig)
        try:
            rc = self.process.wait(TIMEOUT)
        finally:
            self.process.kill()
            self.process.wait()
            self.process = None
            self.log.close()
        return rc

    def log_text(self):
        return (self.base / "daemon.log").read_text(errors="replace")

    def sync(self):
        self.run("sync", self.path)

    def status(self):
        return self.json("status", self.path)[0]

    # -- the tree ------------------------------------------------------------------------------------
    def new(self, client="Smith", case_type="Divorce", *rest):
        self.run("new", client, case_type, *rest, "-C", self.path)
        self.sync()
        return self.path / (rest[0] if rest else f"{client}_{case_type}")

    def drop(self, where, name, data=None):
        """Writes a document as Explorer does: created, grown, closed."""
        target = self.path / where / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(target, "wb") as f:
            f.write(data if data is not None else pdf(str(target)))
        return target

    def documents(self, below=""):
        """Path below the cabinet -> sha256, without what the organizer made."""
        own = {"Index.html", "Index.csv", "Needs attention.txt", "How this works.html", "Case.txt"}
        found = {}
        for folder, dirs, names in os.walk(self.path / below):
            dirs[:] = [d for d in dirs if d != ".organizer"]
            for n in names:
                p = pathlib.Path(folder) / n
                try:
                    if n in own or n.startswith(".~organizer-"):
                        continue
                    if stat.S_ISREG(p.lstat().st_mode):
                        found[str(p.relative_to(self.path))] = sha256_file(p)
                except FileNotFoundError:  # it was just being filed
                    pass
        return found

    def journal(self, case):
        p = self.path / case / ".organizer" / "journal.jsonl"
        return [json.loads(line) for line in p.read_bytes().splitlines()] if p.exists() else []

    def kinds(self, case):
        return [line["kind"] for line in self.journal(case)]

    def index(self, case):
        """The rows of its Index.csv."""
        return list(csv.DictReader(io.StringIO((self.path / case / "Index.csv").read_text("utf-8-sig"))))

    def journals(self):
        """Folder of each case -> how many lines its journal has."""
        return {str(j.parent.parent): j.read_bytes().count(b"\n")
                for j in self.path.rglob(".organizer/journal.jsonl")}

    def assert_no_reader_died(self):
        """Readers tell nobody what a sanitizer found in them: they die of it."""
        r = self.run("status", self.path, "--json", status=None)
        if r.returncode in (0, 1):
            readers = json.loads(r.stdout)["readers"]
            assert (readers["reader_deaths"], readers["parser_deaths"]) == (0, 0), readers

    def assert_ended_well(self):
        """Stops the daemon, which leaves nothing temporary behind."""
        if self.process and not self.deadly and is_sanitized():
            self.assert_no_reader_died()
        rc = self.stop()
        assert rc in (None, 0), f"the daemon ended with {rc}:\n{self.log_text()}"
        left = [str(p) for p in self.base.rglob(".~organizer-*")]
        assert not left, f"temporary files are left: {left}"

    def assert_in_order(self, contents):
        """What must hold when all is done: each of the contents (bytes, or a SHA-256) is there once,
        whole; the records say so; one more sweep finds nothing to do."""
        wanted = [c if isinstance(c, str) else sha256(c) for c in contents]
        before = self.documents()
        for h in wanted:
            where = [p for p, digest in before.items() if digest == h]
            assert len(where) == wanted.count(h), f"{h} lies at {where}: {before}"
        verify = self.run("verify", self.path, status=None)
        assert verify.returncode == 0, f"verify: {verify.stdout}{verify.stderr}"
        journals = self.journals()
        for _ in range(2):
            self.run("sweep", self.path)
        assert self.documents() == before, "a second sweep changed names"
        assert self.journals() == journals, "a second sweep wrote to journals"

@pytest.fixture
def cabinet(tmp_path):
    c = Cabinet(tmp_path).init()
    yield c
    c.assert_ended_well()


@pytest.fixture
def of_nobody():
    """A cabinet whose daemon runs without any rights of its own, in a folder that root's pytest would
    close to it. What is dropped there belongs to it unless a test says otherwise."""
    base = pathlib.Path(tempfile.mkdtemp(prefix="organizer-nobody-"))
    c = Cabinet(base)
    if os.geteuid() == 0:
        need_tool("setpriv")
        os.chmod(base, 0o755)
        os.chown(base, NOBODY, NOBODY)
        c.prefix = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
                    "--bounding-set=-all", "--inh-caps=-all"]
    try:
        yield c.init()
        c.assert_ended_well()
    finally:
        c.stop(signal.SIGKILL)
        subprocess.run(["chmod", "-R", "u+rwX", base], check=False)
        shutil.rmtree(base)


@pytest.fixture
def running(cabinet):
    return cabinet.start()


@pytest.fixture
def smith(running):
    """A running cabinet with one case."""
    running.new("Smith", "Divorce")
    return running


def need_shared(path=""):
    p = SHARED / path
    if not p.exists():
        pytest.skip(f"{p} is not there: this test wants the shared samples")
    return p


def need_root():
    if os.geteuid() != 0:
        pytest.skip("this test wants root")


def is_sanitized():
    return EXE.exists() and b"__asan_init" in EXE.read_bytes()


def has_gcov():
    return EXE.exists() and b"__gcov_init" in EXE.read_bytes()


def need_own_memory():
    if is_sanitized():
        pytest.skip("the memory that the address sanitizer takes would be measured")


def need_ptrace():
    if is_sanitized():
        pytest.skip("the leak sanitizer cannot look where ptrace(2) is at work, and makes calls of its own")


def wait_until(done):
    """For what only time brings: it is given up to a minute."""
    end = time.monotonic() + TIMEOUT
    while not done():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)


def need_tool(name):
    if not shutil.which(name):
        pytest.skip(f"this test wants {name}")
