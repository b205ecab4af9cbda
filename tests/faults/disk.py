"""A disk in memory: a file, the loop device over it, and what is mounted from that. mount(8), umount(8) and losetup(8)
are not started for it: each takes longer than what it does."""
import ctypes
import errno
import fcntl
import os
import struct
import subprocess
import time

from world import TIMEOUT

LOOP_SET_FD, LOOP_CLR_FD, LOOP_CTL_GET_FREE = 0x4C00, 0x4C01, 0x4C82
BLKFLSBUF = 0x1261
NOTE = struct.Struct("=QII")
WRITE, FLUSH = 1, 2
CLONE_NEWNS, MS_SLAVE, MNT_DETACH = 0x20000, 1 << 19, 2
libc = ctypes.CDLL(None, use_errno=True)


def until_free(what, act):
    """Its result, as soon as nothing has the disk any more."""
    until = time.monotonic() + TIMEOUT
    while True:
        try:
            return act()
        except OSError as e:
            if e.errno != errno.EBUSY:
                raise
            if time.monotonic() > until:
                raise RuntimeError(f"{what} is still in use") from e
        time.sleep(0.002)


def call(function, *args):
    if function(*args) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def unmount(path):
    until_free(path, lambda: call(libc.umount2, os.fsencode(path), 0))


def own_namespace(below):
    """What this process mounts from now on only it sees. Disks below that folder, which came along, are let go: they
    would be in use for as long."""
    call(libc.unshare, CLONE_NEWNS)
    with open("/proc/self/mounts") as f:
        there = [line.split()[1] for line in f]
    for path in there:  # one by one: where "/" was changed (chroot) it may be none
        call(libc.mount, b"none", path.encode(), None, MS_SLAVE, None)
    for path in reversed(there):
        if path.startswith(f"{below}/"):
            libc.umount2(path.encode(), MNT_DETACH)


def attached(image):
    """A loop device over it."""
    control, file = os.open("/dev/loop-control", os.O_RDWR), os.open(image, os.O_RDWR)
    try:
        def attach():
            path = f"/dev/loop{fcntl.ioctl(control, LOOP_CTL_GET_FREE)}"
            device = os.open(path, os.O_RDWR)
            try:
                fcntl.ioctl(device, LOOP_SET_FD, file)
            finally:
                os.close(device)
            return path
        return until_free("each loop device", attach)  # another may have been given the same
    finally:
        os.close(file)
        os.close(control)


class Disk:
    """Of an image that there is, or of an empty one with `size` bytes on which a file system of that kind is made."""

    def __init__(self, image, mount, kind="ext4", size=0, options=()):
        self.image, self.mount, self.kind, self.is_up = image, mount, kind, False
        mount.mkdir(exist_ok=True)
        if size:
            with open(image, "wb") as f:
                f.truncate(size)
            subprocess.run([f"mkfs.{kind}", "-q", *options, image], check=True)
        self.device = attached(image)

    def up(self):
        until_free(self.device, lambda: call(libc.mount, self.device.encode(), os.fsencode(self.mount), self.kind.encode(),
                                             0, None))
        self.is_up = True

    def down(self):
        """Unmounted, and in no other mount namespace any more: what is mounted next would be that, as it was. Nothing of
        what is on it is remembered."""
        unmount(self.mount)
        device = until_free(self.device, lambda: os.open(self.device, os.O_RDONLY | os.O_EXCL))
        fcntl.ioctl(device, BLKFLSBUF)
        os.close(device)
        self.is_up = False

    def close(self):
        if self.is_up:
            self.down()
        device = os.open(self.device, os.O_RDWR)
        fcntl.ioctl(device, LOOP_CLR_FD)
        os.close(device)


class Recorder:
    """The disk, while it notes down (recorder.c). bad: the first write with these bytes fails."""

    def __init__(self, build, base, image, bad=None):
        self.notes, self.folder = base / "notes", base / "recorder"
        self.folder.mkdir()
        self.process = subprocess.Popen([build / "recorder", image, self.notes, self.folder, *filter(None, [bad])],
                                        stdin=subprocess.DEVNULL)
        until = time.monotonic() + TIMEOUT
        while not (self.folder / "disk").exists():
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError("the recorder does not run")
            time.sleep(0.01)

    def close(self):
        unmount(self.folder)
        self.process.wait(TIMEOUT)

    def intervals(self):
        """The writes between one flush and the next."""
        data, at, writes = self.notes.read_bytes(), 0, []
        while at < len(data):
            offset, size, kind = NOTE.unpack_from(data, at)
            at += NOTE.size
            if kind == FLUSH:
                yield writes
                writes = []
            else:
                writes.append((offset, data[at:at + size]))
                at += size
        yield writes
