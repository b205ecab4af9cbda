"""Where a fault can strike: the calls of the program that count, the errors that each can have, and what a run
without faults calls. fault.c stands before libc and does it."""
import collections
import ctypes

ADDR_NO_RANDOMIZE = 0x0040000

CHANGES = ["write", "create", "renameat2", "renameat", "linkat", "unlink", "unlinkat", "rmdir", "mkdir", "mkdirat", "ftruncate",
           "fsync", "fdatasync", "syncfs", "chmod", "fchmod", "fchown", "fsetxattr", "fremovexattr"]
HALVES = ["write", "read", "pread"]
LOOKS = ["read", "pread", "open", "openat2", "fstat", "stat", "fstatat", "statx", "access", "getdents64", "readdir",
         "fgetxattr"]
# The calls that can have the error, as their manual pages say.
ERRORS = {
    "EIO": ["write", "fsync", "fdatasync", "syncfs", "renameat2", "linkat", "unlinkat", "mkdirat", "ftruncate", "fremovexattr",
            "sync_file_range", "create", *LOOKS],
    "ENOSPC": ["write", "create", "renameat2", "renameat", "linkat", "mkdir", "mkdirat", "ftruncate", "fsync", "fdatasync",
               "syncfs", "sync_file_range", "fsetxattr"],
    "EDQUOT": ["write", "create", "renameat2", "linkat", "mkdirat", "fsync"],
    "EINTR": ["write", "read", "open", "openat2", "create", "flock", "fcntl", "lease", "fsync", "syncfs", "sendmsg",
              "recvmsg"],
    "EROFS": ["create", "renameat2", "renameat", "linkat", "unlink", "unlinkat", "mkdir", "mkdirat", "chmod", "fchmod", "fchown",
              "fsetxattr", "fremovexattr"],
    "EACCES": ["open", "openat2", "create", "renameat2", "linkat", "unlinkat", "mkdirat", "stat", "fstatat", "statx", "access",
               "opendir", "lease"],
    "ENOMEM": ["open", "openat2", "create", "renameat2", "linkat", "mkdirat", "mmap", "statx", "fstatat", "getdents64", "readdir",
               "fdopendir", "opendir", "sync_file_range", "socket", "sendmsg", "recvmsg", "memfd_create", "fork", "posix_spawn"],
    "EMFILE": ["open", "openat2", "create", "opendir", "socket", "pipe2", "dup", "memfd_create", "mmap"],
}
CALLS = sorted({*CHANGES, *HALVES, *(call for calls in ERRORS.values() for call in calls)})

# Callers by which two ways to a call are told apart. Allocations have many more, most of them in libraries.
CALLERS, CALLERS_OF_ALLOC = 10, 3


def same_addresses():
    """In this process and all that it starts: so that a way has the same number in each run."""
    if ctypes.CDLL(None, use_errno=True).personality(ADDR_NO_RANDOMIZE) == -1:
        raise OSError(ctypes.get_errno(), "personality")


def fault_env(w, calls, at, deed, ever=False, log=None, callers=0, way=None, path=None, looks=False):
    """The at-th call of these, by this way, on what has this in its name, is struck; 0: they are only counted. looks: it
    takes as long as a run in which ways are counted."""
    env = {"LD_PRELOAD": str(w.preload), "FAULT_CALLS": ",".join(calls), "FAULT_AT": str(at), "FAULT_DO": deed}
    env |= {"FAULT_EVER": "1"} if ever else {}
    env |= {"FAULT_LOG": str(log)} if log else {}
    env |= {"FAULT_WAYS": str(callers)} if callers else {}
    env |= {"FAULT_WAY": way} if way else {}
    env |= {"FAULT_LOOKS": "1"} if looks else {}
    env |= {"FAULT_PATH": path} if path else {}
    return env


def looked_at(calls):
    """The calls whose ways are looked for to find those to these."""
    return calls if calls == ["alloc"] else CALLS


def callers_of(calls):
    return CALLERS_OF_ALLOC if calls == ["alloc"] else CALLERS


class Counted:
    """What runs of one scenario without faults call: the name of each call, and the way to it."""

    def __init__(self, logs):
        self.runs = [[line.split(" ")[0] for line in log] for log in logs]

    def fewest_and_most(self, calls):
        """To so many of these calls every run came, and one of them to so many."""
        n = [sum(x.split("@")[0] in calls for x in run) for run in self.runs]
        return min(n), max(n)

    def before(self, call, calls):
        """So many of these calls every run makes before it first makes that one."""
        names = ([x.split("@")[0] for x in run] for run in self.runs)
        return min(sum(x in calls for x in run[:run.index(call)]) for run in names)

    def ways(self, calls):
        """The ways to these, as "name@way", by which most runs came, and those by which fewer did."""
        times = collections.Counter(x for run in self.runs for x in dict.fromkeys(run) if x.split("@")[0] in calls)
        often = [x for x in times if 2 * times[x] > len(self.runs)]
        return often, [x for x in times if x not in often]
