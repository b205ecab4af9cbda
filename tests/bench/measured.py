"""The programs that are measured: the daemon, its peers and the floors, each under one interface.

start() returns when the program is ready; pids() are all its processes; stop() ends it.
"""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUILD = pathlib.Path(os.environ.get("ORGANIZER_BUILD", ROOT / "build"))
TICKS = os.sysconf("SC_CLK_TCK")
TIMEOUT = 900
CONFIG = "settle: 0s\ndrafts: 0s\ndate_order: mdy\ntime_zone: UTC\nmode: enforce\nnightly: \"%s\"\n"


def slowly(look):
    """Calls look, which returns whether to go on, every 20 ms, or less often: looking at a folder of
    thousands must not take a processor from what is measured, so it gets a fiftieth of one at most."""
    going = True
    while going:
        began = time.perf_counter()
        going = look()
        time.sleep(min(1, max(0.02, 50 * (time.perf_counter() - began))) if going else 0)


def changed(path, seen):
    """When the file or folder was changed last, by perf_counter(): between that and the look by which it was
    seen lie up to seconds, of a folder of thousands more than of a few."""
    now, ticks = time.time(), time.perf_counter()
    return min(seen, ticks - (now - os.stat(path).st_mtime))


def read(path):
    try:
        with open(path) as f:
            return f.read()
    except OSError:
        return ""


def tasks(pid):
    """The threads of a process; none when it has ended just now."""
    try:
        return os.listdir("/proc/%d/task" % pid)
    except OSError:
        return []


def children(pid):
    """pid and all below it."""
    found = [pid]
    for task in tasks(pid):
        for child in read("/proc/%d/task/%s/children" % (pid, task)).split():
            found += children(int(child))
    return found


def switches(pids):
    """Context switches of all threads: what ran at all."""
    n = 0
    for pid in pids:
        for task in tasks(pid):
            for line in read("/proc/%d/task/%s/status" % (pid, task)).splitlines():
                if "ctxt_switches" in line:
                    n += int(line.split()[1])
    return n


def pss_mb(pids):
    kb = 0
    for pid in pids:
        for line in read("/proc/%d/smaps_rollup" % pid).splitlines():
            if line.startswith("Pss:"):
                kb += int(line.split()[1])
    return kb / 1024


def cpu_seconds(pids):
    """User and system time, with that of children that have ended and were waited for."""
    t = 0
    for pid in pids:
        fields = read("/proc/%d/stat" % pid).rpartition(")")[2].split()
        t += sum(int(x) for x in fields[11:15]) if fields else 0
    return t / TICKS


class Program:
    """A process, with those that it starts."""

    def __init__(self, name, base):
        self.name, self.base, self.process = name, pathlib.Path(base), None

    def spawn(self, args, **how):
        self.process = subprocess.Popen([str(a) for a in args], stdin=subprocess.PIPE,
                                        start_new_session=True, text=True, **how)

    def pids(self):
        return children(self.process.pid)

    def cpu(self):
        return cpu_seconds(self.pids())

    def ask_to_stop(self):
        # Its own session: nothing of anybody else's is in that group.
        os.killpg(self.process.pid, signal.SIGTERM)

    def stop(self):
        if not self.process:
            return
        self.ask_to_stop()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe:
                pipe.close()
        self.process = None

    def clear(self):
        self.stop()
        shutil.rmtree(self.base, ignore_errors=True)


class Organizer(Program):
    """The daemon on a cabinet of its own; its state lies beside it, on the same file system."""

    case = "Smith_Litigation"

    def __init__(self, base):
        super().__init__("organizer", base)
        self.read_to = self.filed = 0  # of the case's journal
        self.cabinet = self.base / "Matters"
        self.env = dict(os.environ, STATE_DIRECTORY=str(self.base / "state"), HOME=str(self.base),
                        ORGANIZER_HOOKS=str(self.base / "hooks"), ORGANIZER_RULES=str(ROOT / "rules"),
                        TZ="UTC", NOTIFY_SOCKET=str(self.base / "notify"))

    def run(self, *args):
        return subprocess.run([str(BUILD / "organizer"), *map(str, args)], env=self.env, cwd=self.base,
                              check=True, capture_output=True, text=True, timeout=TIMEOUT).stdout

    def init(self):
        shutil.rmtree(self.base, ignore_errors=True)
        self.base.mkdir(parents=True)
        self.run("init", self.cabinet)
        # Twelve hours away: no nightly sweep in the middle of a measurement.
        night = time.strftime("%H:%M", time.gmtime(time.time() + 43200))
        (self.cabinet / ".organizer/organizer.yaml").write_text(CONFIG % night)
        return self

    def start(self):
        """Returns the seconds from the start to the end of the first sweep."""
        address = self.base / "notify"
        address.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.bind(str(address))
            s.settimeout(TIMEOUT)
            began = time.perf_counter()
            with open(self.base / "daemon.log", "ab") as log:
                self.spawn([BUILD / "organizer", "watch", self.cabinet], env=self.env, stdout=log,
                           stderr=log)
            while b"READY=1" not in s.recv(4096):
                pass
            return time.perf_counter() - began

    def ask_to_stop(self):
        self.process.terminate()

    def start_empty(self):
        self.init().start()
        self.run("new", "Smith", "Litigation", "-C", self.cabinet)
        self.sync()
        self.read_to = self.filed = 0

    @property
    def inbox(self):
        return self.cabinet / self.case / "Inbox"

    @property
    def tree(self):
        return self.cabinet / self.case

    def sync(self):
        self.run("sync", self.cabinet)

    def status(self):
        return json.loads(self.run("status", self.cabinet, "--json").splitlines()[0])

    def read_all(self):
        """Waits until what all documents say is read: that goes on when nothing else is under way."""
        while self.status()["readers"]["texts_to_read"]:
            time.sleep(0.2)

    def journaled(self):
        """How many documents the case's journal says were filed. What was counted is not read again:
        looking at five megabytes each time would be the larger part of the measurement."""
        path = self.tree / ".organizer/journal.jsonl"
        if not path.exists():
            return 0
        with open(path, "rb") as f:
            f.seek(self.read_to)
            whole = f.read().rpartition(b"\n")[0]
        self.read_to += len(whole) + 1 if whole else 0
        self.filed += whole.count(b'"kind":"filed"')
        return self.filed

    def settle(self, left, count):
        """Waits until the drop box is empty and the journal tells of all, or nothing more happens.
        Returns when the last line of the journal was written: then the document, its folder and its
        rows have been on the disk for a while."""
        last, since = None, time.perf_counter()

        def look():
            nonlocal last, since
            waited = time.perf_counter() - since
            n = left()
            # Read as it grows: all five megabytes at the end are a look so long that the next one comes
            # up to a second later, which would count as ours.
            filed = min(count, self.journaled())
            now = n, 0 if n else filed
            if now != last:
                last, since = now, time.perf_counter()
            elif waited > 2 and not self.status()["backlog"]:
                return False
            return last != (0, count)

        slowly(look)
        return changed(self.tree / ".organizer/journal.jsonl", since) if last == (0, count) else since


class Loop(Program):
    """A filing loop on one folder: COMMAND INBOX OUT JOURNAL OPTIONS."""

    def __init__(self, name, base, *command, options=()):
        super().__init__(name, base)
        self.command, self.options = command, options

    def start_empty(self):
        shutil.rmtree(self.base, ignore_errors=True)
        for folder in (self.inbox, self.tree):
            folder.mkdir(parents=True)
        self.spawn([*self.command, self.inbox, self.tree, self.base / "journal", *self.options],
                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        if self.process.stdout.readline().strip() != "ready":
            raise RuntimeError("%s did not start" % self.name)

    @property
    def inbox(self):
        return self.base / "in"

    @property
    def tree(self):
        return self.base / "out"

    def settle(self, left, count):
        """Waits until the inbox is empty, or nothing more happens in it for two seconds. Returns
        when the last document went."""
        last, since = None, time.perf_counter()

        def look():
            nonlocal last, since
            n = left()
            if n != last:
                last, since = n, time.perf_counter()
            return last and time.perf_counter() - since < 2

        slowly(look)
        return since if last else changed(self.inbox, since)


def loops(base, tools):
    """The peers and floors that can be run here, by name."""
    floor, peer = tools / "floor_filer", HERE / "peer_inotify.py"
    python = "/usr/bin/python3"  # Debian's: it has Debian's python3-magic
    found = [Loop("C floor", base / "floor", floor),
             Loop("C floor, fsync", base / "floor-fsync", floor, options=["fsync"])]
    if subprocess.run([python, "-c", "import magic"], capture_output=True).returncode == 0:
        found += [Loop("Python", base / "python", python, peer),
                  Loop("Python, fsync", base / "python-fsync", python, peer, options=["--fsync"])]
    if shutil.which("inotifywait") and shutil.which("file"):
        found.append(Loop("shell", base / "shell", "bash", HERE / "peer_shell.sh"))
    return {loop.name: loop for loop in found}
