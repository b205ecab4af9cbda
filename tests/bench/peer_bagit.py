"""What bagit.py (LibraryOfCongress/bagit-python 1.8) does, without its command line: it is not in
Debian. A folder becomes a bag in place; a bag is validated. One process, hashlib, blocks of 512 KB, as
there.

  peer_bagit.py make FOLDER
  peer_bagit.py check FOLDER
"""
import hashlib
import os
import sys

BLOCK = 512 * 1024
ALGORITHMS = ("sha256", "sha512")


def sums(path):
    hashes = [hashlib.new(a) for a in ALGORITHMS]
    with open(path, "rb") as f:
        while block := f.read(BLOCK):
            for h in hashes:
                h.update(block)
    return [h.hexdigest() for h in hashes]


def walk(folder):
    for where, dirs, names in os.walk(folder):
        dirs.sort()
        for name in sorted(names):
            yield os.path.join(where, name)


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def make(bag):
    os.chdir(bag)
    entries = os.listdir(".")
    os.mkdir("tmp-data")
    for name in entries:
        os.rename(name, os.path.join("tmp-data", name))
    os.rename("tmp-data", "data")
    manifests, size, count = [[], []], 0, 0
    for path in walk("data"):
        for lines, digest in zip(manifests, sums(path)):
            lines.append(f"{digest}  {path}\n")
        size, count = size + os.path.getsize(path), count + 1
    for algorithm, lines in zip(ALGORITHMS, manifests):
        write(f"manifest-{algorithm}.txt", "".join(lines))
    write("bagit.txt", "BagIt-Version: 0.97\nTag-File-Character-Encoding: UTF-8\n")
    write("bag-info.txt", f"Payload-Oxum: {size}.{count}\n")
    tags = [n for n in sorted(os.listdir(".")) if os.path.isfile(n)]
    for i, algorithm in enumerate(ALGORITHMS):
        write(f"tagmanifest-{algorithm}.txt", "".join(f"{sums(n)[i]} {n}\n" for n in tags))


def check(bag):
    os.chdir(bag)
    for i, algorithm in enumerate(ALGORITHMS):
        listed = {}
        with open(f"manifest-{algorithm}.txt", encoding="utf-8") as f:
            for line in f:
                digest, path = line.rstrip("\n").split("  ", 1)
                listed[path] = digest
        if i == 0:
            found = {path: sums(path) for path in walk("data")}
        if {p: d[i] for p, d in found.items()} != listed:
            sys.exit("the bag is not valid")


if __name__ == "__main__":
    {"make": make, "check": check}[sys.argv[1]](sys.argv[2])
