"""Checking archives: `verify` beside unzip -t and sha256sum -c, and the scrub of many beside what
libcrypto and the disk can do at the most."""
import hashlib
import json
import os
import re
import shutil
import subprocess
import time

import corpus
import measured

COUNT, MEDIAN = 2000, 106 << 10  # about 300 MB
SCRUBBED = 4  # archives


def seconds_of(*args, cwd=None):
    began = time.perf_counter()
    subprocess.run([str(a) for a in args], check=True, capture_output=True, cwd=cwd, timeout=measured.TIMEOUT)
    return time.perf_counter() - began


def make_bag(bench):
    """A folder, and its ZIP, that no program measured here made."""
    base = bench.base / "bag"
    top = base / "Smith_Litigation"
    corpus.make(top / "data", bench.count(COUNT), median=MEDIAN)
    files = sorted(p for p in (top / "data").rglob("*") if p.is_file())
    for algorithm in ("sha256", "sha512"):
        lines = []
        for p in files:
            with open(p, "rb") as f:
                lines.append("%s  %s\n" % (hashlib.file_digest(f, algorithm).hexdigest(), p.relative_to(top)))
        (top / ("manifest-%s.txt" % algorithm)).write_text("".join(lines))
    (top / "bagit.txt").write_text("BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")
    subprocess.run(["zip", "-qr", "a.zip", top.name], cwd=base, check=True)
    write_sum(base / "a.zip")
    return base, top


def write_sum(path):
    with open(path, "rb") as f:
        digest = hashlib.file_digest(f, "sha256").hexdigest()
    path.with_name(path.name + ".sha256").write_text("%s  %s\n" % (digest, path.name))


def organizer():
    return measured.BUILD / "organizer"


def verifying(bench):
    """Seconds until all is known of one archive of a case."""
    if not shutil.which("zip") or not shutil.which("unzip"):
        bench.skip("verify: zip and unzip are not installed")
        return
    base, top = make_bag(bench)
    for _ in range(bench.runs):
        bench.add("verify", "organizer", "s", seconds_of(organizer(), "verify", base / "a.zip"))
        bench.add("verify", "unzip, sha256sum", "s",
                  seconds_of("unzip", "-tqq", base / "a.zip") +
                  seconds_of("sha256sum", "-c", "--quiet", "manifest-sha256.txt", cwd=top))
    bench.target("verify", "organizer", "at most half of unzip -t and sha256sum -c",
                 lambda ours: ours <= bench.median("verify", "unzip, sha256sum") / 2)
    shutil.rmtree(base)


def openssl_rate():
    """Bytes a second that libcrypto hashes on all processors at once."""
    out = subprocess.run(["openssl", "speed", "-mr", "-elapsed", "-multi", str(os.cpu_count()), "-seconds", "2", "-bytes", "1048576",
                          "-evp", "sha256"], check=True, capture_output=True, text=True).stdout
    return float(re.findall(r"^\+F:\d+:[^:]*:([\d.]+)", out, re.M)[-1])


def disk_rate(paths):
    """Bytes a second that the disk reads of all these, past the page cache; None where that cannot be
    asked for."""
    began = time.perf_counter()
    for path in paths:
        r = subprocess.run(["dd", "if=%s" % path, "of=/dev/null", "bs=4M", "iflag=direct"], capture_output=True)
        if r.returncode:
            return None
    return sum(p.stat().st_size for p in paths) / (time.perf_counter() - began)


def scrubbing(bench):
    """Bytes a second over a folder of archives, from the disk."""
    folder = bench.base / "scrub"
    folder.mkdir()
    block = os.urandom(64 << 20)
    for i in range(SCRUBBED * os.cpu_count()):
        path = folder / ("Smith_Divorce_Archive_2026-11-%02d.zip" % (i + 1))
        with open(path, "wb") as f:
            for _ in range(max(1, bench.count(4))):
                f.write(block)
            f.flush()
            os.fsync(f.fileno())
        write_sum(path)
    limits = []
    for _ in range(bench.runs):
        out = subprocess.run([organizer(), "verify", "--all", "--json", folder], check=True, capture_output=True,
                             text=True).stdout
        bench.add("scrub", "organizer", "MB/s", json.loads(out.splitlines()[-1])["bytes_per_second"] / 1e6)
        bench.add("scrub", "openssl speed", "MB/s", openssl_rate() / 1e6)
        disk = disk_rate(sorted(folder.glob("*.zip")))
        if disk:
            bench.add("scrub", "dd, direct", "MB/s", disk / 1e6)
        limits.append(min(bench.rows["scrub", "openssl speed"][1][-1], (disk or float("inf")) / 1e6))
    bench.target("scrub", "organizer", "at least 80 % of openssl speed or of the disk",
                 lambda ours: ours >= 0.8 * sorted(limits)[len(limits) // 2])
    shutil.rmtree(folder)
