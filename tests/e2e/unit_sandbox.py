"""A program run as a systemd unit would have it run, where no systemd runs: what the unit's own lines say is done to
this process, which then becomes the program. A line that this does not know is an error.

    unit_sandbox.py UNIT INSTANCE USER STATE RUNTIME NOTIFY SHOW… -- COMMAND…

INSTANCE is the cabinet (%f), USER a number that stands for the unit's user and group. STATE and RUNTIME are the folders
that appear as /var/lib/NAME and /run/NAME, NOTIFY the service manager's socket; SHOW are folders of the test that stay
visible to be read. Wants root. Of what systemd does, as in its version 252, only what needs its cgroup is left out.
"""
import ctypes
import os
import pathlib
import re
import resource
import subprocess
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
CAPABILITIES = {"CAP_LEASE": 28}
CAP_LAST = 63
CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWNET = 0x20000, 0x4000000, 0x8000000, 0x40000000
NAMESPACES = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | 0x2000000 | 0x10000000 | 0x20000000 | 0x80
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 8, 4096, 16384, 1 << 18
SYS_MOUNT_SETATTR, AT_RECURSIVE, AT_FDCWD = 442, 0x8000, -100
EPERM, ENOSYS, EAFNOSUPPORT = 1, 38, 97


def checked(result, what):
    if result == -1:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")
    return result


def prctl(*args):
    checked(LIBC.prctl(*(ctypes.c_ulong(a) for a in (*args, 0, 0, 0, 0)[:5])), f"prctl {args}")


def lines_of(unit, instance):
    """The directives of [Service] in their order: (name, value)."""
    section, found = None, []
    for line in pathlib.Path(unit).read_text().splitlines():
        line = line.strip()
        if line.startswith("["):
            section = line
        elif section == "[Service]" and line and line[0] not in "#;":
            name, value = line.split("=", 1)
            found.append((name, value.replace("%f", str(instance))))
    return found


def allowed_calls(unit):
    """What the unit's SystemCallFilter= lines leave, by systemd's own groups."""
    out = subprocess.run(["systemd-analyze", "--no-pager", "syscall-filter"], capture_output=True,
                         text=True, check=True).stdout
    groups, name = {}, None
    for line in out.splitlines():
        if line.startswith("@"):
            name = line.strip()
            groups[name] = set()
        elif name and line.startswith("    ") and not line.strip().startswith("#"):
            groups[name].add(line.strip())

    def members(word):
        if not word.startswith("@"):
            return {word}
        return set().union(*(members(w) for w in groups[word]))

    allowed = members("@default")
    for words in re.findall(r"^SystemCallFilter=(.*)$", pathlib.Path(unit).read_text(), re.M):
        deny = words.startswith("~")
        for word in words.lstrip("~").split():
            allowed = allowed - members(word) if deny else allowed | members(word)
    return allowed


# ---- system calls -----------------------------------------------------------------------------------

class Compare(ctypes.Structure):
    """struct scmp_arg_cmp."""
    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


ALLOW, ERRNO = 0x7FFF0000, 0x00050000
NE, EQ, MASKED = 1, 4, 7


class Filter:
    """A filter that lets through what it has no rule for, or refuses that with EPERM."""

    def __init__(self, otherwise=ALLOW):
        self.lib = ctypes.CDLL("libseccomp.so.2", use_errno=True)
        self.lib.seccomp_init.restype = ctypes.c_void_p
        self.ctx = ctypes.c_void_p(self.lib.seccomp_init(ctypes.c_uint32(otherwise)))
        assert self.ctx, "libseccomp makes no filter"
        self.lib.seccomp_attr_set(self.ctx, 3, 0)  # SCMP_FLTATR_CTL_NNP: NoNewPrivileges= does that

    def rule(self, action, call, *compares):
        number = self.lib.seccomp_syscall_resolve_name(call.encode())
        if number < 0:  # of another architecture
            return self
        array = (Compare * max(1, len(compares)))(*(Compare(*c) for c in compares))
        r = self.lib.seccomp_rule_add_array(self.ctx, ctypes.c_uint32(action), number, len(compares), array)
        assert r == 0, f"{call}: {os.strerror(-r)}"
        return self

    def refuse(self, call, *compares, error=EPERM):
        return self.rule(ERRNO | error, call, *compares)

    def load(self):
        r = self.lib.seccomp_load(self.ctx)
        assert r == 0, f"seccomp: {os.strerror(-r)}"


def deny_namespaces():
    f = Filter().refuse("clone3", error=ENOSYS)  # its flags lie in memory
    f.refuse("setns")
    for flag in (1 << bit for bit in range(32) if NAMESPACES & 1 << bit):
        f.refuse("unshare", (0, MASKED, flag, flag)).refuse("clone", (0, MASKED, flag, flag))
    return f


def deny_suid_sgid():
    f = Filter().refuse("openat2", error=ENOSYS)  # its mode lies in memory
    for bit in (0o4000, 0o2000):
        for call, arg in (("chmod", 1), ("fchmod", 1), ("fchmodat", 2), ("mkdir", 1), ("mkdirat", 2), ("mknod", 1),
                          ("mknodat", 2), ("creat", 1)):
            f.refuse(call, (arg, MASKED, bit, bit))
        for call, arg in (("open", 1), ("openat", 2)):
            f.refuse(call, (arg, MASKED, os.O_CREAT, os.O_CREAT), (arg + 1, MASKED, bit, bit))
    return f


def deny_runnable_memory():
    f = Filter().refuse("mmap", (2, MASKED, 6, 6)).refuse("shmat", (2, MASKED, 0o100000, 0o100000))
    return f.refuse("mprotect", (2, MASKED, 4, 4)).refuse("pkey_mprotect", (2, MASKED, 4, 4))


def deny_realtime():
    f = Filter()
    for policy in (1, 2, 6):  # FIFO, RR, DEADLINE
        f.refuse("sched_setscheduler", (1, EQ, policy, 0))
    return f


def deny(*calls):
    f = Filter()
    for call in calls:
        f.refuse(call)
    return f


def only_families(value):
    assert value == "AF_UNIX", value
    return Filter().refuse("socket", (0, NE, 1, 0), error=EAFNOSUPPORT)


def only_calls(unit):
    f = Filter(ERRNO | EPERM)
    for call in sorted(allowed_calls(unit)):
        f.rule(ALLOW, call)
    return f


# ---- what is seen of the file system -------------------------------------------------------------------

def mount(source, target, kind=None, flags=0, data=None):
    words = [w if w is None else str(w).encode() for w in (source, target, kind, data)]
    checked(LIBC.mount(words[0], words[1], words[2], ctypes.c_ulong(flags), words[3]), f"mount {target}")


def set_read_only(path, yes, recursive=False):
    attr = (ctypes.c_uint64 * 4)(1 if yes else 0, 0 if yes else 1, 0, 0)
    checked(LIBC.syscall(SYS_MOUNT_SETATTR, AT_FDCWD, str(path).encode(), AT_RECURSIVE if recursive else 0,
                         ctypes.byref(attr), ctypes.c_size_t(32)), f"mount_setattr {path}")


def empty(path, mode="755", flags=MS_NOSUID | MS_NODEV):
    """Hides all below the folder, where there is one."""
    if os.path.isdir(path):
        mount("tmpfs", path, "tmpfs", flags, f"mode={mode}")
        return [path]
    return []


class Tree:
    """The mounts of one service. What is shown is opened before anything is hidden."""

    def __init__(self):
        checked(LIBC.unshare(CLONE_NEWNS), "unshare")
        mount("none", "/", None, MS_REC | MS_PRIVATE)
        self.shown = []  # descriptor, place, to be written
        self.hidden = []
        self.protected = []

    def show(self, source, place, writable):
        self.shown.append((os.open(source, os.O_PATH), pathlib.Path(place), writable))

    def hide(self, path, **how):
        self.hidden += empty(path, **how)

    def put_in_place(self):
        for fd, place, writable in self.shown:
            if not place.exists():
                is_folder = os.path.isdir(f"/proc/self/fd/{fd}")
                (place if is_folder else place.parent).mkdir(parents=True, exist_ok=True)
                if not is_folder:
                    place.touch()
            mount(f"/proc/self/fd/{fd}", place, None, MS_BIND)
            set_read_only(place, not writable)
            os.close(fd)

    def devices(self):
        names = ("null", "zero", "full", "random", "urandom", "tty")
        fds = {n: os.open(f"/dev/{n}", os.O_PATH) for n in names}
        mount("tmpfs", "/dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=755")
        for name, fd in fds.items():
            pathlib.Path("/dev", name).touch()
            mount(f"/proc/self/fd/{fd}", f"/dev/{name}", None, MS_BIND)
            os.close(fd)
        os.mkdir("/dev/shm")
        mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777")
        for name, to in (("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
            os.symlink(f"/proc/self/{to}", f"/dev/{name}")
        set_read_only("/dev", True)

    def protect(self, *paths):
        for path in paths:
            if os.path.exists(path):
                mount(path, path, None, MS_BIND | MS_REC)
                set_read_only(path, True, recursive=True)


# ---- the unit -----------------------------------------------------------------------------------------

# Of these the service manager itself takes care, or its cgroup.
OF_THE_MANAGER = {
    "Type", "ExecReload", "TimeoutStopSec", "TimeoutStartSec", "Restart", "RestartSec", "RestartPreventExitStatus",
    "SuccessExitStatus", "RuntimeDirectoryPreserve", "RemoveIPC",
    "DevicePolicy",   # PrivateDevices= leaves no others to open
    "IPAddressDeny",  # PrivateNetwork= leaves no others to send to
}
# Of these there is one value that is known here.
AS_IT_IS = {
    "ProtectSystem": "strict", "ProtectHome": "tmpfs", "ProtectProc": "invisible", "KeyringMode": "private",
    "SystemCallArchitectures": "native", "SystemCallErrorNumber": "EPERM", "IOSchedulingClass": "idle",
    **{name: "yes" for name in (
        "PrivateTmp", "PrivateDevices", "PrivateNetwork", "PrivateIPC", "ProtectHostname", "ProtectClock",
        "ProtectKernelTunables", "ProtectKernelModules", "ProtectKernelLogs", "ProtectControlGroups",
        "NoNewPrivileges", "RestrictNamespaces", "RestrictRealtime", "RestrictSUIDSGID", "LockPersonality",
        "MemoryDenyWriteExecute")},
}
WITH_A_VALUE = {"ExecStart", "User", "Group", "StateDirectory", "StateDirectoryMode", "RuntimeDirectory",
                "RuntimeDirectoryMode", "UMask", "LimitNOFILE", "AmbientCapabilities", "CapabilityBoundingSet",
                "ReadWritePaths", "BindPaths", "RestrictAddressFamilies", "SystemCallFilter", "Nice"}


def unknown(lines):
    """The lines of which this does not know what they do."""
    return [f"{name}={value}" for name, value in lines if not (
        name in OF_THE_MANAGER or name in WITH_A_VALUE or AS_IT_IS.get(name) == value)]


class Service:
    def __init__(self, unit, instance, user, state, runtime, notify, shown):
        self.unit, self.instance, self.user = unit, instance, int(user)
        self.lines = lines_of(unit, instance)
        assert not unknown(self.lines), f"{unit}: what is to be done for {unknown(self.lines)}?"
        self.has = dict(self.lines)
        self.state, self.runtime, self.notify, self.shown = state, runtime, notify, shown
        self.env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "LANG": "C.UTF-8",
                    "USER": "organizer", "LOGNAME": "organizer", "HOME": "/var/lib/organizer"}
        self.env |= {k: v for k, v in os.environ.items() if k.startswith("ORGANIZER_") or k.endswith("SAN_OPTIONS")}

    def folder(self, kind, source, place, variable):
        """StateDirectory= or RuntimeDirectory=."""
        if kind not in self.has:
            return
        os.makedirs(source, exist_ok=True)
        os.chown(source, self.user, self.user)
        os.chmod(source, int(self.has.get(kind + "Mode", "0755"), 8))
        self.tree.show(source, f"{place}/{self.has[kind]}", True)
        self.env[variable] = f"{place}/{self.has[kind]}"

    def file_system(self):
        has, tree = self.has, Tree()
        self.tree = tree
        # In place of the host's own, which a test leaves alone.
        self.folder("StateDirectory", self.state, "/var/lib", "STATE_DIRECTORY")
        self.folder("RuntimeDirectory", self.runtime, "/run", "RUNTIME_DIRECTORY")
        if os.path.exists(self.notify):
            tree.show(self.notify, "/run/systemd/notify", True)
            self.env["NOTIFY_SOCKET"] = "/run/systemd/notify"
        for path in self.shown:
            tree.show(path, path, False)
        for path in dict.fromkeys(v for k, v in self.lines if k in ("BindPaths", "ReadWritePaths")):
            tree.show(path, path, "ReadWritePaths" in has)
        if "ProtectSystem" in has:
            set_read_only("/", True, recursive=True)
        for path in ("/var/lib", "/run"):
            tree.hide(path)
        for path in ("/home", "/root") if "ProtectHome" in has else ():
            tree.hide(path)
        for path in ("/tmp", "/var/tmp") if "PrivateTmp" in has else ():
            empty(path, "1777")
        if "PrivateDevices" in has:
            tree.devices()
        if "ProtectKernelModules" in has:
            tree.hide("/usr/lib/modules", mode="000")
        tree.put_in_place()
        for path in tree.hidden if "ProtectSystem" in has else ():
            set_read_only(path, True)
        if "ProtectProc" in has:
            mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, "hidepid=invisible")
        if "ProtectKernelTunables" in has:
            tree.protect("/proc/sys", "/proc/sysrq-trigger", "/proc/fs", "/proc/irq", "/proc/bus", "/sys")
        if "ProtectControlGroups" in has:
            tree.protect("/sys/fs/cgroup")
        if "ProtectKernelLogs" in has:
            mount("/dev/null", "/proc/kmsg", None, MS_BIND)

    def namespaces(self):
        flags = {"PrivateNetwork": CLONE_NEWNET, "PrivateIPC": CLONE_NEWIPC, "ProtectHostname": CLONE_NEWUTS}
        checked(LIBC.unshare(sum(flags[k] for k in flags if k in self.has)), "unshare")

    def limits(self):
        if "LimitNOFILE" in self.has:
            most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]  # more not even root gets in a container
            n = int(self.has["LimitNOFILE"])
            n = n if most == resource.RLIM_INFINITY else min(n, most)
            resource.setrlimit(resource.RLIMIT_NOFILE, (n, n))
        if "IOSchedulingClass" in self.has:
            checked(LIBC.syscall(251, 1, 0, 3 << 13), "ioprio_set")  # x86-64
        os.nice(int(self.has.get("Nice", 0)))
        os.umask(int(self.has.get("UMask", "0022"), 8))

    def rights(self):
        """Becomes the user, with the capabilities of AmbientCapabilities=; no more can be had ever."""
        bounds = {CAPABILITIES[c] for c in self.has["CapabilityBoundingSet"].split()}
        ambient = {CAPABILITIES[c] for c in self.has["AmbientCapabilities"].split()}
        for cap in set(range(CAP_LAST + 1)) - bounds:
            LIBC.prctl(24, ctypes.c_ulong(cap), 0, 0, 0)  # PR_CAPBSET_DROP; EINVAL for those there are not
        prctl(8, 1)  # PR_SET_KEEPCAPS
        os.setgroups([])
        os.setresgid(self.user, self.user, self.user)
        os.setresuid(self.user, self.user, self.user)
        mask = sum(1 << c for c in ambient)
        header = (ctypes.c_uint32 * 2)(0x20080522, 0)
        data = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)
        checked(LIBC.capset(header, data), "capset")
        for cap in ambient:
            prctl(47, 2, cap)  # PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE

    def filters(self):
        """In systemd's order; SystemCallFilter= last, since it refuses what the others are made with."""
        made = {
            "RestrictAddressFamilies": lambda: only_families(self.has["RestrictAddressFamilies"]),
            "MemoryDenyWriteExecute": deny_runnable_memory,
            "RestrictRealtime": deny_realtime,
            "RestrictSUIDSGID": deny_suid_sgid,
            "RestrictNamespaces": deny_namespaces,
            "ProtectHostname": lambda: deny("sethostname", "setdomainname"),
            "ProtectClock": lambda: deny("adjtimex", "clock_adjtime", "clock_settime", "settimeofday"),
            "ProtectKernelModules": lambda: deny("init_module", "finit_module", "delete_module"),
            "ProtectKernelLogs": lambda: deny("syslog"),
            "PrivateDevices": lambda: deny("ioperm", "iopl"),
            "LockPersonality": lambda: Filter().refuse("personality", (0, NE, 0, 0)),
            "SystemCallFilter": lambda: only_calls(self.unit),
        }
        return [made[name]() for name in made if name in self.has]

    def become(self, command):
        assert command[1:] == self.has["ExecStart"].split()[1:], f"{command} is not {self.has['ExecStart']}"
        filters = self.filters()
        self.file_system()
        self.namespaces()
        self.limits()
        if "KeyringMode" in self.has:
            LIBC.syscall(250, 1, None)  # KEYCTL_JOIN_SESSION_KEYRING; x86-64
        self.rights()
        os.chdir("/")
        if "NoNewPrivileges" in self.has:
            prctl(38, 1)
        for f in filters:
            f.load()
        os.execve(command[0], command, self.env)


def main(argv):
    at = argv.index("--")
    unit, instance, user, state, runtime, notify, *shown = argv[1:at]
    Service(unit, instance, user, state, runtime, notify, shown).become(argv[at + 1:])


if __name__ == "__main__":
    main(sys.argv)
