"""Sync clients (rclone bisync, Syncthing) between the share and a laptop, racing the daemon, which renames what
they have just brought: in the cabinet every document is once, and what is edited on the laptop is not lost."""
import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
import xml.etree.ElementTree as ET

import pytest

from conftest import TIMEOUT, docx, need_tool, pdf, sha256, sha256_file

INBOX = "Smith_Divorce/Inbox"
NAMES = ("letter 2026-03-%02d no %d.pdf", "Motion to Dismiss 2026-04-%02d no %d.docx", "scan %02d%04d.pdf",
         "order 2026-05-%02d %d.pdf")


class Laptop:
    """A folder that a sync client keeps equal to the cabinet, and the person who works in it."""

    def __init__(self, base):
        self.path = base / "laptop"
        self.path.mkdir()
        self.contents = []  # that must be in the cabinet, once
        self.replaced = []  # by an edit: they may be there, but never twice
        self.number = 0

    def documents(self):
        return {str(p.relative_to(self.path)): sha256_file(p) for p in self.path.rglob("*.*")
                if p.is_file() and p.suffix in (".pdf", ".docx") and not p.name.startswith((".", "~"))}

    def drop(self, count):
        folder = self.path / INBOX
        folder.mkdir(parents=True, exist_ok=True)
        for _ in range(count):
            self.number += 1
            name = NAMES[self.number % len(NAMES)] % (self.number % 28 + 1, self.number)
            data = docx(str(self.number)) if name.endswith("docx") else pdf(str(self.number))
            (folder / name).write_bytes(data)
            self.contents.append(sha256(data))

    def edit(self):
        """Saves one document anew, under whatever name it has here at this moment."""
        self.number += 1
        data = pdf("edited %d" % self.number)
        for name, digest in sorted(self.documents().items()):
            if digest in self.contents and name.endswith(".pdf"):
                with open(self.path / name, "wb") as f:
                    f.write(data)
                self.contents.remove(digest)
                self.replaced.append(digest)
                self.contents.append(sha256(data))
                return

    def assert_all_is_there_once(self, cabinet):
        found = cabinet.documents()
        lost = [c for c in self.contents if c not in found.values()]
        twice = {c: [n for n, d in found.items() if d == c] for c in self.contents + self.replaced
                 if list(found.values()).count(c) > 1}
        assert not lost and not twice, "lost %s, twice %s\n%s" % (lost, twice, "\n".join(sorted(found)))


def bisync(cabinet, laptop, *more):
    """One run, as cron would start it."""
    r = subprocess.run(["rclone", "bisync", cabinet.path, laptop.path, "--workdir", cabinet.base / "bisync", "--force",
                        "--exclude", ".organizer/**", "--config", "/dev/null", "-v", *more], capture_output=True,
                       text=True, timeout=TIMEOUT)
    assert r.returncode == 0, r.stdout + r.stderr


def test_rclone_bisync(smith, tmp_path):
    """It compares both sides after each run and stops for good where they differ: that is what the quiet time is
    for, which is longer here than a run takes."""
    need_tool("rclone")
    smith.configure(smith.config_text.replace("settle: 0s", "settle: 3s"))
    smith.run("reload", smith.path)
    laptop = Laptop(tmp_path)
    bisync(smith, laptop, "--resync")
    for _ in range(2):
        laptop.drop(15)
        bisync(smith, laptop)
        smith.sync()
        bisync(smith, laptop)
        laptop.edit()
    bisync(smith, laptop)
    # Now all of it is filed: how much was before depends on how fast the machine is.
    smith.configure(smith.config_text)
    smith.run("reload", smith.path)
    smith.run("sweep", smith.path)
    smith.sync()
    bisync(smith, laptop)
    laptop.assert_all_is_there_once(smith)
    smith.assert_in_order(laptop.contents)
    assert sorted(laptop.documents().values()) == sorted(laptop.contents)
    assert any(name.startswith("Smith_Divorce/Correspondence/") for name in laptop.documents())


# ---- Syncthing: no runs, both sides are watched -------------------------------------------------------------------

def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Node:
    """One Syncthing, alone with its peer: nothing is looked for in the network."""

    def __init__(self, home, folder):
        self.home, self.folder, self.process = home, folder, None
        self.gui, self.port = free_port(), free_port()
        subprocess.run(["syncthing", "generate", "--home", home, "--no-default-folder"], check=True, capture_output=True,
                       timeout=TIMEOUT)
        self.id = subprocess.run(["syncthing", "--home", home, "--device-id"], check=True, capture_output=True,
                                 text=True, timeout=TIMEOUT).stdout.strip()

    def configure(self, peer):
        root = ET.Element("configuration", version="36")
        folder = ET.SubElement(root, "folder", id="matters", label="Matters", path=str(self.folder), type="sendreceive",
                               rescanIntervalS="3600", fsWatcherEnabled="true", fsWatcherDelayS="1")
        for n in (self, peer):
            ET.SubElement(folder, "device", id=n.id)
            device = ET.SubElement(root, "device", id=n.id, name=n.home.name)
            ET.SubElement(device, "address").text = "tcp://127.0.0.1:%d" % n.port
        gui = ET.SubElement(root, "gui", enabled="true", tls="false")
        ET.SubElement(gui, "address").text = "127.0.0.1:%d" % self.gui
        ET.SubElement(gui, "apikey").text = "key"
        options = ET.SubElement(root, "options")
        for name, value in (("listenAddress", "tcp://127.0.0.1:%d" % self.port), ("globalAnnounceEnabled", "false"),
                            ("localAnnounceEnabled", "false"), ("relaysEnabled", "false"), ("natEnabled", "false"),
                            ("urAccepted", "-1"), ("startBrowser", "false"), ("crashReportingEnabled", "false"),
                            ("reconnectionIntervalS", "1")):
            ET.SubElement(options, name).text = value
        ET.ElementTree(root).write(self.home / "config.xml")
        (self.folder / ".stignore").write_text(".organizer\n")
        (self.folder / ".stfolder").mkdir(exist_ok=True)

    def start(self):
        self.log = open(self.home / "log", "wb")
        self.process = subprocess.Popen(["syncthing", "serve", "--home", self.home, "--no-browser", "--no-restart",
                                         "--no-upgrade"], stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL,
                                        env=dict(os.environ, HOME=str(self.home)))

    def ask(self, path, method="GET"):
        r = urllib.request.Request("http://127.0.0.1:%d/rest/%s" % (self.gui, path), method=method,
                                   headers={"X-API-Key": "key"})
        with urllib.request.urlopen(r, timeout=TIMEOUT) as answer:
            return json.loads(answer.read() or b"null")

    def wait(self, what):
        """Until what() holds; Syncthing tells of each step by its events, which are waited for."""
        until = time.monotonic() + TIMEOUT
        while True:
            try:
                if what():
                    return
                self.ask("events?since=0&limit=1&timeout=1")
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.05)  # it is just starting
            assert time.monotonic() < until, (self.home / "log").read_text(errors="replace")[-3000:]

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(TIMEOUT)
            self.log.close()


@pytest.fixture
def nodes(smith, tmp_path):
    need_tool("syncthing")
    laptop = Laptop(tmp_path)
    server, client = Node(tmp_path / "server", smith.path), Node(tmp_path / "client", laptop.path)
    server.configure(client)
    client.configure(server)
    for n in (server, client):
        n.start()
    yield laptop, server, client
    for n in (server, client):
        n.stop()


def scan(*nodes):
    """All that is on the disk is known to all of them, and both sides are the same."""
    for _ in range(2):
        for n in nodes:
            n.wait(lambda: n.ask("system/ping"))
            n.ask("db/scan?folder=matters", "POST")
        for n, peer in (nodes, nodes[::-1]):
            n.wait(lambda: n.ask("db/completion?folder=matters&device=" + peer.id)["completion"] == 100
                   and n.ask("db/status?folder=matters")["state"] == "idle"
                   and n.ask("db/status?folder=matters")["needTotalItems"] == 0)


def test_syncthing(smith, nodes):
    laptop, server, client = nodes
    scan(server, client)
    for _ in range(5):
        laptop.drop(20)
        client.ask("db/scan?folder=matters", "POST")  # the daemon renames while they come
        laptop.edit()
    for _ in range(3):
        scan(server, client)
        smith.sync()
    laptop.assert_all_is_there_once(smith)
    smith.assert_in_order(laptop.contents)
    scan(server, client)
    assert sorted(laptop.documents().values()) == sorted(laptop.contents)
