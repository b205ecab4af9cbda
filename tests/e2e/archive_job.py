"""The job that makes a snapshot, run by itself: what the daemon tells it, and what it answers."""
import json
import os
import pathlib
import socket
import subprocess
import zipfile

from conftest import BUILD, EXE, ROOT, sha256, sha256_file

RULES = os.environ.get("ORGANIZER_RULES", str(ROOT / "rules"))
OUTCOMES = ["made", "same", "differs", "busy", "failed"]
ZERO = "0" * 64


def build_tool(name):
    """A helper of tests/faults, built when it is not there or older than its source."""
    source, tool = ROOT / "tests" / "faults" / f"{name}.c", BUILD / "faults" / name
    if not tool.exists() or tool.stat().st_mtime < source.stat().st_mtime:
        tool.parent.mkdir(exist_ok=True)
        own = tool.with_suffix(f".{os.getpid()}")
        subprocess.run([os.environ.get("CC", "gcc").split()[-1], "-O2", "-Wall", "-D_GNU_SOURCE",
                        "-o", own, source], check=True)
        own.rename(tool)
    return tool


class Job:
    """A snapshot of one case of a cabinet that no daemon keeps just now."""

    def __init__(self, cabinet, case, **order):
        self.cabinet, self.case = cabinet, case
        cabinet_id = (cabinet.path / ".organizer" / "cabinet-id").read_text().split()[0]
        self.order = {"job": "snapshot", "state_dir": str(cabinet.state / cabinet_id),
                      "rules_dir": RULES, "time_zone": "UTC",
                      "case_id": cabinet.journal(case)[0]["case"], "case_path": case,
                      "prefix": pathlib.PurePath(case).name, "folder": "Archive",
                      "date": "2026-11-23", "office": "Smith & Partners", "format": 0, "purpose": 1,
                      "content": ZERO, **order}
        self.progress = []
        self.intended = None  # what it was about to give its name last, as the private state keeps it
        self.go = True        # whether that could be written down

    def start(self, wrap=(), exe=EXE, **order):
        ours, theirs = socket.socketpair()
        root = os.open(self.cabinet.path, os.O_RDONLY | os.O_DIRECTORY)
        # dup2 in the child: 3 and 4 are where the job looks.
        def place():
            os.dup2(theirs.fileno(), 103)
            os.dup2(root, 104)
            os.dup2(103, 3)
            os.dup2(104, 4)
            os.closerange(5, 256)
        self.process = subprocess.Popen([*map(str, wrap), str(exe), "--job"], preexec_fn=place,
                                        close_fds=False, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={})
        theirs.close()
        os.close(root)
        known = {"intended": self.intended} if self.intended else {}
        self.socket, self.answered = ours, False
        try:
            ours.sendall(json.dumps({**self.order, **known, **order}).encode() + b"\n")
        except BrokenPipeError:  # it ended before it was told anything
            pass
        return self

    def answer(self, data):
        """Goes on when it tells what it is about to do, once."""
        for line in data.split(b"\n")[:-1]:
            told = json.loads(line).get("intend")
            if told and not self.answered:
                self.intended, self.answered = told, True
                try:
                    self.socket.sendall(json.dumps({"go": self.go}).encode() + b"\n")
                except BrokenPipeError:  # it was killed meanwhile
                    return

    def wait(self):
        """The result, or None when it gave none."""
        data = b""
        while True:
            try:
                more = self.socket.recv(65536)
            except ConnectionResetError:
                more = b""
            if not more:
                break
            data += more
            self.answer(data)
        self.socket.close()
        self.errors = self.process.stderr.read().decode(errors="replace")
        self.process.stderr.close()
        self.status = self.process.wait(60)
        lines = [json.loads(x) for x in data.splitlines() if x]
        self.progress = [x for x in lines if "progress" in x]
        result = next((x["result"] for x in lines if "result" in x), None)
        if result:
            result["outcome"] = OUTCOMES[result["outcome"]]
        return result

    def run(self, **kw):
        return self.start(**kw).wait()


def left(cabinet):
    """Temporary names in the folder of archives."""
    return [p.name for p in (cabinet.path / "Archive").iterdir() if p.name.startswith(".~")]


def is_whole(archive):
    """A ZIP all of whose documents and manifests are right, by Python's own means."""
    with zipfile.ZipFile(archive) as z:
        if z.testzip():
            return False
        top = z.namelist()[0].split("/")[0]
        want = dict(reversed(line.split("  ", 1)) for name in ("manifest-sha256.txt",
                    "tagmanifest-sha256.txt") for line in z.read(f"{top}/{name}").decode().splitlines())
        have = {n[len(top) + 1:]: sha256(z.read(n)) for n in z.namelist()
                if not n.endswith("/") and "/tagmanifest-" not in n}
        return {k.replace("%25", "%"): v for k, v in want.items()} == have
