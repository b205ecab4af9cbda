"""verify of archives and bags by whomever: complete and valid as RFC 8493 means it, each deviation named."""
import json
import os
import subprocess
import tarfile
import unicodedata

import pytest

import bags
from conftest import EXE, TIMEOUT

ENV = dict(os.environ, HOME="/nonexistent", TZ="UTC")
ENV.pop("STATE_DIRECTORY", None)


def verify(*args, status=None, cwd=None):
    """(exit status, findings, summaries)"""
    r = subprocess.run([EXE, "verify", "--json", *map(str, args)], capture_output=True, timeout=2 * TIMEOUT, env=ENV,
                       cwd=cwd)
    lines = [json.loads(line) for line in r.stdout.splitlines()]
    assert status is None or r.returncode == status, (r.returncode, lines, r.stderr)
    assert r.returncode in (0, 1, 2, 3), r
    return (r.returncode, [line for line in lines if "severity" in line],
            [line for line in lines if "severity" not in line])


def said(findings, severity, text, file=None):
    return [f for f in findings if f["severity"] == severity and text in f["sentence"] and
            (file is None or f["file"] == file)]


@pytest.mark.parametrize("form", bags.FORMS + ("tar.bz2", "tar.xz"))
def test_a_valid_bag_is_valid_in_every_form(tmp_path, form):
    path = bags.pack(bags.bag(), tmp_path / f"a.{form}", form)
    _, findings, summary = verify(path, status=0)
    assert findings == []
    assert summary[0]["complete"] and summary[0]["valid"]
    assert summary[0]["documents"] == len(bags.DOCUMENTS)


@pytest.mark.parametrize("form", bags.FORMS)
def test_a_valid_bag_of_some_megabytes_is_valid(tmp_path, form):
    """More than is read at a time."""
    files = bags.bag({f"{i}.bin": os.urandom(700001) for i in range(3)})
    _, findings, summary = verify(bags.pack(files, tmp_path / f"a.{form}", form), status=0)
    assert findings == [] and summary[0]["valid"]


@pytest.mark.parametrize("form", bags.FORMS)
def test_a_changed_document_is_named_in_every_form(tmp_path, form):
    files = bags.bag()
    name = next(n for n in files if n.endswith("Letter_2026-03-02.pdf"))
    files[name] = files[name][:-1] + b"!"
    _, findings, summary = verify(bags.pack(files, tmp_path / f"a.{form}", form), status=1)
    assert [f["file"] for f in findings] == [name]
    assert said(findings, "error", "its content is not what the manifest says: sha256 is ", name)
    assert summary[0]["complete"] and not summary[0]["valid"]


@pytest.mark.parametrize("form", bags.FORMS)
def test_a_missing_and_a_slipped_in_document_are_named_in_every_form(tmp_path, form):
    files = bags.bag()
    name = next(n for n in files if n.endswith("Letter_2026-03-02.pdf"))
    files["data/Slipped in.pdf"] = files.pop(name)
    _, findings, summary = verify(bags.pack(files, tmp_path / f"a.{form}", form), status=1)
    assert said(findings, "error", "listed and not there", name)
    assert said(findings, "error", "no payload manifest lists it", "data/Slipped in.pdf")
    assert not summary[0]["complete"]


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3256", "blake2b512",
                                       "blake2s256", "sha512256"])
@pytest.mark.parametrize("form", ["folder", "tar.gz"])
def test_every_algorithm_of_libcrypto(tmp_path, form, algorithm):
    files = bags.bag(algorithms=[algorithm])
    _, findings, _ = verify(bags.pack(files, tmp_path / f"a.{form}", form), status=0)
    assert bool(said(findings, "warning", "MD5 and SHA-1 find accidents")) == (algorithm in ("md5", "sha1"))
    files["data/Notes/na\u00efve notes.txt"] = b"other\n"
    _, findings, _ = verify(bags.pack(files, tmp_path / f"b.{form}", form), status=1)
    assert said(findings, "error", f"{algorithm} is ")


@pytest.mark.parametrize("version,status", [("0.93", 0), ("0.94", 0), ("0.95", 0), ("0.96", 0), ("0.97", 0),
                                            ("1.0", 0), ("1.1", 1), ("0.92", 1), ("2.0", 1), ("one", 1), ("1", 1)])
def test_versions(tmp_path, version, status):
    _, findings, _ = verify(bags.pack(bags.bag(version=version), tmp_path / "a", "folder"), status=status)
    old = version.startswith("0.9") and version != "0.92"
    assert bool(said(findings, "warning", "an old version")) == old


def changed(**kw):
    """A bag with these tag files instead, sealed again. None takes one away."""
    files = bags.bag()
    for name, text in kw.items():
        name = {"bagit": "bagit.txt", "info": "bag-info.txt", "fetch": "fetch.txt", "sha256": "manifest-sha256.txt",
                "sha512": "manifest-sha512.txt"}[name]
        files.pop(name, None)
        if text is not None:
            files[name] = text(bags.bag()[name]) if callable(text) else text
    return bags.seal(files)


def add(line):
    return lambda data: data + line


DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
HEX = b"a" * 64
LETTER = "data/Correspondence/Smith_Divorce_Letter_2026-03-02.pdf"

# name: (files, error or warning, part of the sentence, file it is about)
CASES = {
    "no bagit.txt": (lambda: changed(bagit=None), "error", "no bagit.txt", "bagit.txt"),
    "bagit.txt with a BOM": (lambda: changed(bagit=b"\xef\xbb\xbf" + DECLARATION), "error", "byte-order mark", "bagit.txt"),
    "bagit.txt of one line": (lambda: changed(bagit=DECLARATION[:19]), "error", "two lines", "bagit.txt"),
    "bagit.txt with a third line": (lambda: changed(bagit=DECLARATION + b"X: y\n"), "error", "more than its two", "bagit.txt"),
    "bagit.txt empty": (lambda: changed(bagit=b""), "error", "two lines", "bagit.txt"),
    "bagit.txt the other way round": (lambda: changed(bagit=b"".join(DECLARATION.splitlines(True)[::-1])), "error",
                                      "BagIt-Version: M.N", "bagit.txt"),
    "bagit.txt in lower case": (lambda: changed(bagit=DECLARATION.lower()), "error", "BagIt-Version: M.N", "bagit.txt"),
    "encoding unknown": (lambda: changed(bagit=DECLARATION.replace(b"UTF-8", b"NONE-9")), "error", "encoding cannot", "bagit.txt"),
    "encoding that names a file": (lambda: changed(bagit=DECLARATION.replace(b"UTF-8", b"../../x")), "error",
                                   "encoding cannot", "bagit.txt"),
    "no payload manifest": (lambda: changed(sha256=None, sha512=None), "error", "no payload manifest", ""),
    "manifest line of a digest only": (lambda: changed(sha256=add(HEX + b"\n")), "error", "digest, blanks and a path",
                                       "manifest-sha256.txt"),
    "manifest with a short digest": (lambda: changed(sha256=add(b"abc  data/x\n")), "error", "in hexadecimal", "manifest-sha256.txt"),
    "manifest with no digest": (lambda: changed(sha256=add(b"z" * 64 + b"  data/x\n")), "error", "in hexadecimal", "manifest-sha256.txt"),
    "manifest names what is not payload": (lambda: changed(sha256=add(HEX + b"  bagit.txt\n")), "error", "not below the folder data",
                                           "manifest-sha256.txt"),
    "manifest path up": (lambda: changed(sha256=add(HEX + b"  data/../../etc/passwd\n")), "error", "leads out", "manifest-sha256.txt"),
    "manifest path absolute": (lambda: changed(sha256=add(HEX + b"  /etc/passwd\n")), "error", "leads out", "manifest-sha256.txt"),
    "manifest path of a home": (lambda: changed(sha256=add(HEX + b"  ~root/x\n")), "error", "leads out", "manifest-sha256.txt"),
    "manifest path of a drive": (lambda: changed(sha256=add(HEX + b"  C:/x\n")), "error", "leads out", "manifest-sha256.txt"),
    "manifest path up by backslash": (lambda: changed(sha256=add(HEX + b"  data\\..\\..\\x\n")), "error", "leads out",
                                      "manifest-sha256.txt"),
    "manifest path encoded up": (lambda: changed(sha256=add(HEX + b"  data/%0A/../../../x\n")), "error", "leads out",
                                 "manifest-sha256.txt"),
    "manifest lists one twice": (lambda: changed(sha256=lambda d: d + d.splitlines(True)[0]), "error", "more than once",
                                 "manifest-sha256.txt"),
    "manifest contradicts itself": (lambda: changed(sha256=add(HEX + b"  " + LETTER.encode() + b"\n")), "error",
                                    "different digests", "manifest-sha256.txt"),
    "manifest lists what is not there": (lambda: changed(sha256=add(HEX + b"  data/x.pdf\n")), "error", "not there", "data/x.pdf"),
    "one manifest lacks a file": (lambda: changed(sha256=lambda d: b"".join(d.splitlines(True)[1:])), "error",
                                  "not listed in every payload manifest", LETTER),
    "manifest with md5sum's stars": (lambda: changed(sha256=lambda d: d.replace(b"  ", b" *")), "warning", "mark of binary",
                                     "manifest-sha256.txt"),
    "manifest with ./": (lambda: changed(sha256=lambda d: d.replace(b"  data/", b"  ./data/")), "warning", "says nothing",
                         "manifest-sha256.txt"),
    "manifest with empty lines": (lambda: changed(sha256=lambda d: d + b"\n\n"), "warning", "empty lines", "manifest-sha256.txt"),
    "manifest with backslashes": (lambda: changed(sha256=lambda d: d.replace(b"Correspondence/", b"Correspondence\\")), "error",
                                  "where / has to separate", "manifest-sha256.txt"),
    "manifest with a BOM": (lambda: changed(sha256=lambda d: b"\xef\xbb\xbf" + d), "warning", "byte-order mark",
                            "manifest-sha256.txt"),
    "Payload-Oxum wrong": (lambda: changed(info=b"Payload-Oxum: 1.3\n"), "error", "not what is there: 1.3", "bag-info.txt"),
    "Payload-Oxum malformed": (lambda: changed(info=b"Payload-Oxum: many\n"), "error", "two numbers", "bag-info.txt"),
    "Payload-Oxum negative": (lambda: changed(info=b"Payload-Oxum: -1.3\n"), "error", "two numbers", "bag-info.txt"),
    "Payload-Oxum twice": (lambda: changed(info=lambda d: d + b"payload-oxum: 864.3\n"), "error", "more than once", "bag-info.txt"),
    "Payload-Oxum missing": (lambda: changed(info=b"Source-Organization: x\n"), "warning", "no Payload-Oxum", "bag-info.txt"),
    "bag-info line without colon": (lambda: changed(info=lambda d: d + b"what is this\n"), "error", "label, a colon", "bag-info.txt"),
    "bag-info label with blanks": (lambda: changed(info=lambda d: d + b"Source-Organization : x\n"), "error", "blanks before or behind",
                                   "bag-info.txt"),
    "Bagging-Date twice": (lambda: changed(info=lambda d: d + b"Bagging-Date: 2026-11-24\n"), "warning", "repeated", "bag-info.txt"),
    "Bagging-Date in words": (lambda: changed(info=lambda d: d.replace(b"2026-11-23", b"November")), "warning", "YYYY-MM-DD",
                              "bag-info.txt"),
    "fetch line malformed": (lambda: changed(fetch=b"http://x/y\n"), "error", "a URL, a length", "fetch.txt"),
    "fetch leads out": (lambda: changed(fetch=b"http://x/y - data/../../z\n"), "error", "leads out", "fetch.txt"),
    "fetch of a tag file": (lambda: changed(fetch=b"http://x/y - bagit.txt\n"), "error", "not below the folder data", "fetch.txt"),
    "fetch of what is not listed": (lambda: changed(fetch=b"http://x/y 3 data/x.pdf\n"), "error", "not in every payload manifest",
                                    "data/x.pdf"),
    "fetch with another length": (lambda: changed(fetch=b"http://x/y 3 " + LETTER.encode() + b"\n"), "error", "not as long", LETTER),
    "fetch from this machine": (lambda: changed(fetch=b"file:///etc/passwd - " + LETTER.encode() + b"\n"), "warning",
                                "should not be fetched", "fetch.txt"),
    "tag manifest lists payload": (lambda: {**bags.bag(), "tagmanifest-sha256.txt":
                                            bags.bag()["tagmanifest-sha256.txt"] + HEX + b"  " + LETTER.encode() + b"\n"},
                                   "error", "lists a payload file", "tagmanifest-sha256.txt"),
    "tag manifest lists a tag manifest": (lambda: {**bags.bag(), "tagmanifest-sha256.txt":
                                                   bags.bag()["tagmanifest-sha256.txt"] + HEX + b"  tagmanifest-sha512.txt\n"},
                                          "error", "lists a tag manifest", "tagmanifest-sha256.txt"),
    "tag manifest lacks a manifest": (lambda: {**bags.bag(), "tagmanifest-sha256.txt": b"".join(
        line for line in bags.bag()["tagmanifest-sha256.txt"].splitlines(True) if b"manifest-sha512" not in line)},
        "error", "lacks a payload manifest", "manifest-sha512.txt"),
    "a tag file that nobody lists": (lambda: {**bags.bag(), "extra.txt": b"x"}, "warning", "no tag manifest vouches", "extra.txt"),
    "no tag manifest": (lambda: {k: v for k, v in bags.bag().items() if not k.startswith("tag")}, "warning", "no tag manifest:", ""),
    "a changed manifest": (lambda: {**bags.bag(), "bag-info.txt": bags.bag()["bag-info.txt"] + b"X: y\n"}, "error",
                           "not what the manifest says", "bag-info.txt"),
    "an algorithm that nobody has": (lambda: {**bags.bag(), "manifest-crc99.txt": bags.bag()["manifest-sha256.txt"]}, "error",
                                     "cannot be computed here", "manifest-crc99.txt"),
    "an algorithm in capitals": (lambda: bags.seal({("manifest-SHA-256.txt" if k == "manifest-sha256.txt" else k): v
                                                    for k, v in bags.bag().items()}), "error", "lower case", "manifest-SHA-256.txt"),
    "a bag in the bag": (lambda: bags.bag({**bags.DOCUMENTS, "bagit.txt": DECLARATION}), "warning", "bag within", "data/bagit.txt"),
    "names that differ in capitals": (lambda: bags.bag({"A.pdf": b"1", "a.PDF": b"2"}), "warning", "capitals only", "data/a.PDF"),
    "names that differ in normalisation": (lambda: bags.bag({"\u00e9.pdf": b"1", "e\u0301.pdf": b"2"}), "warning",
                                           "normalisation only", "data/\u00e9.pdf"),
    "files of macOS": (lambda: bags.bag({**bags.DOCUMENTS, ".DS_Store": b"1"}), "warning", "operating system", "data/.DS_Store"),
    "files of Windows": (lambda: bags.bag({**bags.DOCUMENTS, "Thumbs.db": b"1"}), "warning", "operating system", "data/Thumbs.db"),
    "a device of Windows": (lambda: bags.bag({**bags.DOCUMENTS, "con.pdf": b"1"}), "warning", "a device", "data/con.pdf"),
    "a name that Windows cannot have": (lambda: bags.bag({**bags.DOCUMENTS, "a:b.pdf": b"1"}), "warning", "does not allow", "data/a:b.pdf"),
    "a name that ends with a dot": (lambda: bags.bag({**bags.DOCUMENTS, "a.": b"1"}), "warning", "Windows drops", "data/a."),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("form", ["folder", "zip", "tar.gz"])
def test_conformance(tmp_path, form, case):
    files, severity, text, file = CASES[case]
    code, findings, _ = verify(bags.pack(files(), tmp_path / f"a.{form}", form))
    assert said(findings, severity, text, file), findings
    assert all(f["rule"] for f in findings)
    errors = [f for f in findings if f["severity"] == "error"]
    assert code == (1 if errors else 0)
    if severity == "warning":
        assert not errors, errors


FINE = {
    "an empty payload": lambda: {**bags.bag({}), "data/": b""},
    "an empty document": lambda: bags.bag({"empty.pdf": b""}),
    "names with LF, CR and %": lambda: bags.bag({"a\nb.pdf": b"1", "c\rd.pdf": b"2", "100% sure.pdf": b"3", "a%0Ab.pdf": b"4"}),
    "names with blanks at their end": lambda: bags.bag({"a .pdf ": b"1", " b.pdf": b"2"}),
    "names of any bytes": lambda: bags.bag({"bad\udcff.pdf": b"1"}),
    "names in any normalisation": lambda: bags.bag({unicodedata.normalize("NFD", "r\u00e9sum\u00e9.pdf"): b"1"}),
    "lines that end with CR": lambda: changed(sha256=lambda d: d.replace(b"\n", b"\r"), bagit=DECLARATION.replace(b"\n", b"\r")),
    "lines that end with CRLF": lambda: changed(sha256=lambda d: d.replace(b"\n", b"\r\n"), bagit=DECLARATION.replace(b"\n", b"\r\n")),
    "a last line without an end": lambda: changed(sha256=lambda d: d[:-1], bagit=DECLARATION[:-1]),
    "tabs between": lambda: changed(sha256=lambda d: d.replace(b"  ", b"\t")),
    "digests in capitals": lambda: changed(sha256=lambda d: b"".join(
        line[:64].upper() + line[64:] for line in d.splitlines(True))),
    "values that go on": lambda: changed(info=lambda d: d + b"External-Description: a\n  b: c\n\td\n"),
    "labels repeated": lambda: changed(info=lambda d: d + b"Contact-Name: a\nContact-Name: b\n"),
    "tag files of one's own": lambda: bags.bag(tags={"meta/office.xml": b"<x/>", "README.txt": b"hello"}),
    "what was fetched already": lambda: changed(fetch=b"https://x/y 18 " + LETTER.encode() + b"\n"),
    "tag files in Latin-1": lambda: changed(bagit=DECLARATION.replace(b"UTF-8", b"ISO-8859-1"),
                                            sha256=lambda d: d.decode().encode("latin-1"),
                                            sha512=lambda d: d.decode().encode("latin-1")),
    "tag files in UTF-16": lambda: changed(bagit=DECLARATION.replace(b"UTF-8", b"UTF-16"),
                                           info=lambda d: d.decode().encode("utf-16"),
                                           sha256=lambda d: d.decode().encode("utf-16"),
                                           sha512=lambda d: d.decode().encode("utf-16")),
}


@pytest.mark.parametrize("case", FINE)
@pytest.mark.parametrize("form", ["folder", "zip", "tar", "tar.zst"])
def test_what_the_standard_allows_is_valid(tmp_path, form, case):
    files = FINE[case]()
    if "UTF-16" in case:  # the tag manifests are in that encoding, too
        files = {k: v.decode().encode("utf-16") if k.startswith("tagmanifest-") else v for k, v in files.items()}
    if form == "folder":
        files.pop("data/", None) is None or (tmp_path / "a.folder/data").mkdir(parents=True)
    if form == "zip" and "any bytes" in case:
        pytest.skip("Python's zipfile cannot write such a name")
    _, findings, summary = verify(bags.pack(files, tmp_path / f"a.{form}", form))
    errors = [f for f in findings if f["severity"] == "error"]
    assert not errors and summary[0]["valid"], errors


def test_an_old_bag_may_spread_its_files_over_manifests(tmp_path):
    files = bags.bag(version="0.97")
    lines = files["manifest-sha256.txt"].splitlines(True)
    files["manifest-sha256.txt"] = b"".join(lines[1:])
    verify(bags.pack(bags.seal(files), tmp_path / "a", "folder"), status=0)


def test_a_bag_of_before_096_has_its_oxum_in_package_info(tmp_path):
    files = bags.bag(version="0.95")
    files["package-info.txt"] = files.pop("bag-info.txt").replace(b"864", b"865")
    _, findings, _ = verify(bags.pack(bags.seal(files), tmp_path / "a", "folder"), status=1)
    assert said(findings, "error", "not what is there: 865.3")


def test_a_holey_bag_is_incomplete_and_says_from_where(tmp_path):
    files = bags.bag()
    data = files.pop(LETTER)
    files["fetch.txt"] = f"https://example.org/letter {len(data)} {LETTER}\n".encode()
    _, findings, summary = verify(bags.pack(bags.seal(files), tmp_path / "a.zip", "zip"), status=1)
    assert [f["sentence"] for f in findings] == ["it is still to be fetched"]
    assert summary[0]["fetch"] and not summary[0]["complete"]


def test_a_name_in_another_normalisation_is_found_and_told(tmp_path):
    """macOS writes NFD names, the manifest came from elsewhere."""
    files = bags.bag({"r\u00e9sum\u00e9.pdf": b"1"})
    files["data/" + unicodedata.normalize("NFD", "r\u00e9sum\u00e9.pdf")] = files.pop("data/r\u00e9sum\u00e9.pdf")
    _, findings, _ = verify(bags.pack(files, tmp_path / "a.zip", "zip"), status=0)
    assert said(findings, "warning", "another Unicode normalisation")


def test_a_percent_that_was_not_encoded_is_told(tmp_path):
    files = bags.bag({"100% sure.pdf": b"1"})
    for a in ("sha256", "sha512"):
        files[f"manifest-{a}.txt"] = files[f"manifest-{a}.txt"].replace(b"%25", b"%")
    _, findings, _ = verify(bags.pack(bags.seal(files), tmp_path / "a.zip", "zip"), status=0)
    assert said(findings, "warning", "%25")


def test_fast_looks_at_oxum_and_names_only(tmp_path):
    files = bags.bag()
    files[LETTER] = files[LETTER][:-1] + b"!"
    path = bags.pack(files, tmp_path / "a.zip", "zip")
    _, _, summary = verify("--fast", path, status=0)
    assert summary[0]["complete"] and "valid" not in summary[0]
    files[LETTER] += b"!"
    _, findings, _ = verify("--fast", bags.pack(files, tmp_path / "b.zip", "zip"), status=1)
    assert said(findings, "error", "Payload-Oxum is not what is there")


@pytest.mark.parametrize("form", ["zip", "tar", "tar.gz"])
def test_a_bag_at_the_top_of_its_archive_is_read(tmp_path, form):
    verify(bags.pack(bags.bag(), tmp_path / f"a.{form}", form, base=""), status=0)


def test_what_lies_beside_the_bag_is_told(tmp_path):
    files = {"Smith_Divorce/" + k: v for k, v in bags.bag().items()}
    files["README.txt"] = b"hello"
    _, findings, _ = verify(bags.pack(files, tmp_path / "a.zip", "zip", base=""), status=0)
    assert said(findings, "warning", "nothing vouches", "README.txt")


def test_several_bags_in_one_archive_are_told(tmp_path):
    files = {f"{b}/{k}": v for b in "AB" for k, v in bags.bag().items()}
    _, findings, _ = verify(bags.pack(files, tmp_path / "a.zip", "zip", base=""), status=1)
    assert said(findings, "error", "several bags")


def test_a_folder_with_links_and_pipes(tmp_path):
    path = bags.pack(bags.bag(), tmp_path / "a", "folder")
    os.symlink("/etc/passwd", path / "data/link.pdf")
    os.symlink("/etc", path / "data/folder")
    os.mkfifo(path / "data/pipe")
    _, findings, _ = verify(path, status=1)
    assert {f["file"] for f in said(findings, "error", "it is a link")} == {"data/link.pdf", "data/folder"}
    assert said(findings, "error", "neither a file nor a folder", "data/pipe")
    assert len(findings) == 3


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_document_that_may_not_be_read(tmp_path):
    path = bags.pack(bags.bag(), tmp_path / "a", "folder")
    os.chmod(path / LETTER, 0)
    _, findings, _ = verify(path, status=1)
    assert said(findings, "error", "cannot be read to its end", LETTER)


@pytest.mark.parametrize("what", ["nothing", "text", "pdf", "pipe", "missing"])
def test_what_is_no_archive_is_unreadable(tmp_path, what):
    path = tmp_path / "a.zip"
    if what == "pipe":
        os.mkfifo(path)
    elif what != "missing":
        path.write_bytes({"nothing": b"", "text": b"hello\n" * 500, "pdf": b"%PDF-1.4\n" * 99}[what])
    r = subprocess.run([EXE, "verify", path], capture_output=True, text=True, timeout=TIMEOUT, env=ENV, cwd=tmp_path)
    assert r.returncode == 3 and "a.zip" in r.stderr and not r.stdout


def test_several_at_once_and_the_worst_counts(tmp_path):
    good = bags.pack(bags.bag(), tmp_path / "good.zip", "zip")
    bad = bags.pack({**bags.bag(), "data/x": b""}, tmp_path / "bad.zip", "zip")
    broken = tmp_path / "broken.zip"
    broken.write_bytes(good.read_bytes()[:-10])
    _, findings, rest = verify(good, bad, broken, status=3)
    assert {f["bag"] for f in findings} == {str(bad)}
    assert [s.get("valid") for s in rest] == [True, False, None] and "cut off" in rest[2]["unreadable"]


def test_text_for_people_and_terminals(tmp_path):
    files = bags.bag({"a\x1b[31m\u202e.pdf": b"1"})
    files["data/\x1b]0;x.pdf"] = b"2"
    path = bags.pack(files, tmp_path / "a.zip", "zip")
    r = subprocess.run([EXE, "verify", path], capture_output=True, timeout=TIMEOUT, env=ENV)
    assert r.returncode == 1 and b"\x1b" not in r.stdout and b"\xe2\x80\xae" not in r.stdout
    assert b"not complete" in r.stdout


class TestBeside:
    """NAME.sha256"""

    def test_is_used(self, tmp_path):
        path = bags.pack(bags.bag(), tmp_path / "a.zip", "zip")
        beside = bags.beside(path)
        verify(path, status=0)
        subprocess.run(["sha256sum", "-c", beside], cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)
        beside.write_text("0" * 64 + "  a.zip\n")
        _, findings, _ = verify(path, status=1)
        assert [f["sentence"] for f in findings] == ["the archive's bytes are not what the .sha256 beside it says"]

    @pytest.mark.parametrize("text", [b"", b"hello\n", b"\0" * 70, b"0" * 64 + b"  b.zip\n", b"x" * 70000])
    def test_that_says_nothing_is_told(self, tmp_path, text):
        path = bags.pack(bags.bag(), tmp_path / "a.zip", "zip")
        (tmp_path / "a.zip.sha256").write_bytes(text)
        _, findings, _ = verify(path, status=1)
        assert findings[0]["rule"] == "sha256sum(1)"


def tar_of(tmp_path, *members):
    """A valid bag as a tar with more members."""
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as t:
        bag = bags.pack(bags.bag(), tmp_path / "bag", "folder")
        t.add(bag, "Smith_Divorce")
        for name, kind, target in members:
            i = tarfile.TarInfo(name)
            i.type, i.linkname = kind, target
            t.addfile(i)
    return path


@pytest.mark.parametrize("member,text", [
    (("Smith_Divorce/data/l", tarfile.SYMTYPE, "/etc/passwd"), "it is a link"),
    (("Smith_Divorce/data/l", tarfile.LNKTYPE, "../../../etc/passwd"), "it is a link"),
    (("Smith_Divorce/data/d", tarfile.CHRTYPE, ""), "neither a file nor a folder"),
    (("Smith_Divorce/data/f", tarfile.FIFOTYPE, ""), "neither a file nor a folder"),
    (("../outside", tarfile.REGTYPE, ""), "leads out"),
    (("/outside", tarfile.REGTYPE, ""), "leads out"),
    (("Smith_Divorce/data/../../../outside", tarfile.REGTYPE, ""), "leads out"),
    (("Smith_Divorce/" + LETTER, tarfile.REGTYPE, ""), "more than once"),
])
def test_entries_of_a_tar_that_should_not_be(tmp_path, member, text):
    _, findings, _ = verify(tar_of(tmp_path, member), status=1)
    assert said(findings, "error", text)
