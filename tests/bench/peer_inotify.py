#!/usr/bin/python3
"""A peer: what a careful person writes in Python on one afternoon: inotify, python3-magic, hashlib.

  peer_inotify.py INBOX OUT JOURNAL [--fsync]

With --fsync journal and folder are on disk for each document; without, nothing is.
"""
import ctypes
import hashlib
import os
import re
import struct
import sys
import time

import magic

NAME = re.compile(r"^([^_]+)_([A-Za-z]+)_([^_]+)_(\d{4})-?(\d\d)-?(\d\d)\.(\w+)$")
HEAD, CHUNK = 65536, 262144
CLOSE_WRITE, MOVED_TO, OVERFLOW, ISDIR = 0x8, 0x80, 0x4000, 0x40000000


class Filer:
    def __init__(self, out, journal, fsync):
        self.out, self.fsync = out, fsync
        self.magic = magic.Magic(mime=True)
        self.journal = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        self.folders = set()

    def examine(self, path):
        with open(path, "rb", buffering=0) as f:
            head = f.read(HEAD)
            mime, digest = self.magic.from_buffer(head), hashlib.sha256(head)
            while chunk := f.read(CHUNK):
                digest.update(chunk)
            return mime, digest.hexdigest(), os.fstat(f.fileno()).st_mtime

    def destination(self, name, mtime):
        m = NAME.match(name)
        if m:
            return (os.path.join(self.out, m[1], m[2]),
                    "%s_%s_%s_%s-%s-%s" % m.group(1, 2, 3, 4, 5, 6), "." + m[7])
        stem, ext = os.path.splitext(name)
        day = time.strftime("%Y-%m-%d", time.localtime(mtime))
        return (os.path.join(self.out, "Unsorted"),
                "Unknown_General_%s_%s" % (stem.replace(" ", "-"), day), ext)

    def move(self, path, folder, stem, ext):
        """Python has no renameat2(RENAME_NOREPLACE): a link, then the old name goes."""
        if folder not in self.folders:
            os.makedirs(folder, exist_ok=True)
            self.folders.add(folder)
        to, serial = os.path.join(folder, stem + ext), 2
        while True:
            try:
                os.link(path, to)
                break
            except FileExistsError:
                to = os.path.join(folder, "%s-%d%s" % (stem, serial, ext))
                serial += 1
        os.unlink(path)
        return to

    def file(self, path):
        try:
            mime, digest, mtime = self.examine(path)
        except FileNotFoundError:
            return
        folder, stem, ext = self.destination(os.path.basename(path), mtime)
        to = self.move(path, folder, stem, ext)
        line = "%s\t%s\t%s\t%s\n" % (path, to, mime, digest)
        os.write(self.journal, line.encode("utf-8", "surrogateescape"))
        if self.fsync:
            os.fdatasync(self.journal)
            fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            os.fsync(fd)
            os.close(fd)


def main():
    inbox, out, journal = sys.argv[1:4]
    libc = ctypes.CDLL(None, use_errno=True)
    fd = libc.inotify_init1(os.O_CLOEXEC)
    libc.inotify_add_watch(fd, os.fsencode(inbox), CLOSE_WRITE | MOVED_TO)
    filer = Filer(out, journal, "--fsync" in sys.argv)
    print("ready", flush=True)
    while True:
        events, at = os.read(fd, 262144), 0
        while at < len(events):
            _, mask, _, size = struct.unpack_from("iIII", events, at)
            name = events[at + 16:at + 16 + size].rstrip(b"\0")
            at += 16 + size
            if name and not mask & (OVERFLOW | ISDIR):
                filer.file(os.path.join(inbox, os.fsdecode(name)))


main()
