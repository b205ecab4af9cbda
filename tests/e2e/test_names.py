"""Names of any bytes: what is ignored, left alone, kept together; what people and programs call files."""
import json
import os
import re
import unicodedata

import pytest
from conftest import docx, need_shared, pdf, sha256

DEVICES = {"CON", "PRN", "AUX", "NUL"} | {f"{d}{n}" for d in ("COM", "LPT") for n in "0123456789¹²³"}


def is_legal(name):
    """On Windows, macOS and Linux alike."""
    return (not re.search(r'[<>:"/\\|?*\x00-\x1f\x7f]', name) and name == name.strip()
            and not name.endswith(".") and name.split(".")[0].upper() not in DEVICES
            and unicodedata.normalize("NFC", name) == name and len(os.fsencode(name)) <= 255)


def put(c, where, name, data):
    """As drop(), for a name of any bytes."""
    name = os.fsencode(name) if isinstance(name, str) else name
    folder = os.fsencode(c.path / where)
    os.makedirs(folder, exist_ok=True)
    with open(folder + b"/" + name, "wb") as f:
        f.write(data)


def names_in(c, where):
    return sorted(os.listdir(os.fsencode(c.path / where)))


def attention(c, case="Smith_Divorce"):
    p = c.path / case / "Needs attention.txt"
    return p.read_text("utf-8-sig") if p.exists() else ""


def all_are_legal(c):
    for p in c.documents("Smith_Divorce"):
        folder, name = os.path.split(p)
        if folder.split("/")[-1] not in ("Inbox", "Work", "Evidence"):
            assert is_legal(name), repr(name)


# ---- naughty names -------------------------------------------------------------------------------

def naughty():
    """Names that made programs fail; the stored list has more."""
    return ["-rf", "--help", "$(touch hacked)", "`id`", "a;b&c|d", "%s%n%x", "'\"\\", "\t", " lead", "trail ",
            "dot.", "...", "CON", "nul.pdf", "com1", "LPT¹.pdf", "\x01\x1b[31mred", "new\nline", "\r", "\u202egnp.pdf",
            "zero\u200bwidth", "e\u0301", "ﬃ", "𝒪rder", "😀", "\ufeffbom", "<script>alert(1)<∕script>",
            "=1+1", "@SUM(A1)", "+x", "名前", "اسم", "שם", "a" * 251, "ä" * 125, "undefined", "NULL", "0", "1e9",
            "{{x}}", "{name}", ".._up", "~", "~user", "#", "Case.txt.txt", "*", "?", "a:b", "[a]"]


def stored():
    path = need_shared("samples/names/blns.json")
    found = []
    for s in json.loads(path.read_text()):
        n = os.fsencode(s.replace("/", "\u2215").replace("\0", ""))[:251]
        if n not in (b"", b".", b".."):
            found.append(n)
    return found


PLACES = ["Smith_Divorce/Inbox", "Smith_Divorce/Work", "Smith_Divorce/Evidence", "Inbox"]


def naughty_names_survive(c, names, all_forms=True):
    """All forms: without an extension and with one; else with one or the other."""
    contents = []
    made = set()
    for place in PLACES:
        for i, n in enumerate(dict.fromkeys(os.fsencode(n) for n in names)):
            for ext in (b"", b".pdf") if all_forms else [(b"", b".pdf")[i % 2]]:
                if (place, n + ext) not in made and len(n + ext) <= 255:
                    made.add((place, n + ext))
                    contents.append(pdf(f"{place} {i} {ext}"))
                    put(c, place, n + ext, contents[-1])
    c.sync()
    wanted = {n for place, n in made if place == "Smith_Divorce/Work"}
    assert wanted == set(names_in(c, "Smith_Divorce/Work"))
    assert all_are_legal(c) is None
    for line in (c.path / "Smith_Divorce/.organizer/journal.jsonl").read_bytes().splitlines():
        json.loads(line)
    assert not list(c.base.rglob("hacked"))
    log = (c.base / "daemon.log").read_bytes()
    assert b"\x1b" not in log and not re.search(rb"[\x00-\x08\x0b-\x1f]", log)
    c.assert_in_order(contents)


def test_naughty_names(smith):
    naughty_names_survive(smith, naughty())


def test_the_big_list_of_naughty_strings_as_names(smith):
    naughty_names_survive(smith, stored(), all_forms=bool(os.environ.get("ORGANIZER_TORTURE")))


def test_naughty_words_in_a_name_that_can_be_filed(smith):
    contents = []
    for i, n in enumerate(naughty()):
        name = f"order {n} 2026-03-{i % 28 + 1:02}.pdf"
        if len(os.fsencode(name)) <= 255:
            contents.append(pdf(f"{i}"))
            put(smith, "Smith_Divorce/Inbox", name, contents[-1])
    smith.sync()
    all_are_legal(smith)
    filed = [p for p in smith.documents() if p.startswith("Smith_Divorce/Court Papers/")]
    assert len(filed) > len(contents) * 2 // 3
    smith.assert_in_order(contents)


def test_invalid_utf8_is_a_question(smith):
    put(smith, "Smith_Divorce/Inbox", b"order \xff\xfe 2026-03-02.pdf", pdf("x"))
    put(smith, "Smith_Divorce/Inbox", b"Schrifts\xe4tze order 2026-03-02.pdf", pdf("latin-1"))
    smith.sync()
    assert len(names_in(smith, "Smith_Divorce/Inbox")) == 2
    assert attention(smith).count("2026-03-02.pdf") >= 2
    smith.assert_in_order([pdf("x"), pdf("latin-1")])


@pytest.mark.parametrize("hidden", ["\u202e", "\u200b", "\u2066", "\u200f", "\ufeff"])
def test_invisible_characters_are_a_question(smith, hidden):
    put(smith, "Smith_Divorce/Inbox", f"order{hidden} 2026-03-02.pdf", pdf("x"))
    smith.sync()
    assert len(names_in(smith, "Smith_Divorce/Inbox")) == 1
    assert "order" in attention(smith) and hidden not in attention(smith).lstrip("\ufeff")
    smith.assert_in_order([pdf("x")])


@pytest.mark.parametrize("name, gets", [
    ("order 2026-03-02.PDF", "Smith_Divorce_Order_2026-03-02.pdf"),
    (" order 2026-03-02.pdf", "Smith_Divorce_Order_2026-03-02.pdf"),
    ("order 2026-03-02 .pdf", "Smith_Divorce_Order_2026-03-02.pdf"),
    ("order: 2026-03-02?.pdf", "Smith_Divorce_Order_2026-03-02.pdf"),
    ("order\t2026-03-02.pdf", "Smith_Divorce_Order_2026-03-02.pdf"),
    ("order\n2026-03-02.pdf", "Smith_Divorce_Order_2026-03-02.pdf"),
    ("order 2026-03-02", "Smith_Divorce_Order_2026-03-02.pdf"),
])
def test_what_no_field_may_hold_goes(smith, name, gets):
    put(smith, "Smith_Divorce/Inbox", name, pdf("x"))
    smith.sync()
    assert list(smith.documents()) == [f"Smith_Divorce/Court Papers/{gets}"]
    smith.assert_in_order([pdf("x")])


@pytest.mark.parametrize("fill", ["x", "ä", "😀", "word "])
def test_255_bytes_are_shortened_where_words_give_way(smith, fill):
    stem = b"order 2026-03-02 "
    n = (255 - len(stem) - 4) // len(fill.encode())
    name = stem + fill.encode() * n + b".pdf"
    put(smith, "Smith_Divorce/Inbox", name, pdf("long"))
    put(smith, "Smith_Divorce/Work", name, pdf("left"))
    smith.sync()
    assert names_in(smith, "Smith_Divorce/Work") == [name]
    found = [p for p in smith.documents() if "Court Papers" in p]
    assert len(found) == 1 and len(found[0]) <= 200
    all_are_legal(smith)
    smith.assert_in_order([pdf("long"), pdf("left")])


# ---- what is ignored -----------------------------------------------------------------------------

IGNORED = ["~$order.docx", "~$say.docx", "~WRD0001.tmp", "~WRL0003.tmp", "~wrf0000.tmp", "~mf1.tmp", "order.tmp",
           "Cedd4100", "order.xlk", "Backup of order.doc", "Backup of order.docx", "order.wbk", "order.asd",
           "order.~vsdx", "order.laccdb", "order.ldb", ".~lock.order.odt#", "lu12abcd.tmp", "plan.dwl", "plan.dwl2",
           "plan.sv$", "._alone.pdf", ".DS_Store", ".AppleDB", ".apdisk", "Icon\r", ".VolumeIcon.icns", ".localized",
           "Thumbs.db", "thumbs.db", "Thumbs.db:encryptable", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini",
           "Desktop.ini", "order.pdf:Zone.Identifier", ".::TMPNAME:D:1%order.pdf", ".nfs0000000a", ".fuse_hidden0001",
           ".directory", "order.pdf~", ".order.txt.swp", ".order.txt.swo", ".#order.txt", "#order.txt#",
           ".order.txt.kate-swp", ".goutputstream-A1B2C3", "4913", "order.pdf.part", "order.pdf.crdownload",
           "order.pdf.filepart", "order.pdf.1a2b3c4d.partial", "order.pdf.opdownload", "order.pdf.aria2",
           ".order.pdf.Ab3xYz", "order.pdf.unison1", "x.ffs_tmp", "x.ffs_lock", "sync.ffs_db",
           ".syncthing.order.pdf.tmp", "~syncthing~order.pdf.tmp", ".stignore", ".order.pdf.~1a2b3c",
           ".sync_1a2b.db", "._sync_1a2b.db", "csync_journal.db", ".owncloudsync.log", ".dropbox", ".dropbox.attr",
           "order.pdf.!Sync", ".SyncID", ".SyncIgnore", "a.SyncPart", "a.SyncTemp", "a.SyncOld",
           ".SynologyWorkingDirectory", ".order.pdf.icloud"]
IGNORED_FOLDERS = [".AppleDouble", ".AppleDesktop", ".TemporaryItems", "Temporary Items", "Network Trash Folder",
                   "TheVolumeSettingsFolder", ".Spotlight-V100", ".fseventsd", ".Trashes", ".DocumentRevisions-V100",
                   "__MACOSX", "order.docx.sb-6d6ce842-tI5oYC", "$RECYCLE.BIN", "System Volume Information",
                   "DfsrPrivate", ".recycle", ".snapshots", "@GMT-2026.03.02-10.00.00", ".Trash-1000", "lost+found",
                   "order.download", ".~tmp~", ".stfolder", ".stversions", ".dropbox.cache", ".sync", ".SyncArchive",
                   "@eaDir", "#recycle", "#snapshot", "@tmp", ".@__thumb", ".tmp.drivedownload", ".tmp.driveupload"]


@pytest.mark.parametrize("where", ["Smith_Divorce/Inbox", "Smith_Divorce/Court Papers", "Smith_Divorce/Work", "Inbox"])
def test_temporary_lock_and_system_names_are_never_touched(smith, where):
    contents = []
    for n in IGNORED:
        contents.append(pdf(f"{n} order 2026-03-02"))
        put(smith, where, n, contents[-1])
    for n in IGNORED_FOLDERS:
        contents.append(pdf(f"in {n}"))
        put(smith, f"{where}/{n}", "order 2026-03-02.pdf", contents[-1])
    before = smith.documents()
    journal = smith.journal("Smith_Divorce")
    smith.sync()
    smith.run("sweep", smith.path)
    assert smith.documents() == before
    assert smith.journal("Smith_Divorce") == journal
    assert attention(smith) == "" and not (smith.path / "Needs attention.txt").exists()
    assert smith.status()["waiting"] == 0
    smith.assert_in_order(contents)


@pytest.mark.parametrize("name", ["20260302", "deadbeef.pdf", "Icon", ".hidden.pdf", "letter.partly.pdf", "4914"])
def test_names_that_only_look_like_those_are_documents(smith, name):
    put(smith, "Smith_Divorce/Work", name, pdf("x"))
    smith.sync()
    assert [l["to"] for l in smith.journal("Smith_Divorce") if l["kind"] == "indexed"] == [f"Work/{name}"]


def test_a_resource_fork_moves_with_its_document(smith):
    put(smith, "Smith_Divorce/Inbox", "._order 2026-03-02.pdf", b"fork")
    put(smith, "Smith_Divorce/Inbox", "order 2026-03-02.pdf", pdf("x"))
    smith.sync()
    assert smith.documents() == {
        "Smith_Divorce/Court Papers/._Smith_Divorce_Order_2026-03-02.pdf": sha256(b"fork"),
        "Smith_Divorce/Court Papers/Smith_Divorce_Order_2026-03-02.pdf": sha256(pdf("x"))}
    smith.run("undo", smith.path / "Smith_Divorce", "--last", "1")
    smith.sync()
    assert smith.documents() == {"Smith_Divorce/Inbox/._order 2026-03-02.pdf": sha256(b"fork"),
                                 "Smith_Divorce/Inbox/order 2026-03-02.pdf": sha256(pdf("x"))}
    smith.assert_in_order([pdf("x"), b"fork"])


# ---- conflict copies -----------------------------------------------------------------------------

CONFLICTS = ["order 2026-03-02.sync-conflict-20260302-101500-ABCDEF7.pdf", "order 2026-03-02_conflict-20260302-101500.pdf",
             "order 2026-03-02 (conflicted copy 2026-06-16 143218).pdf",
             "order 2026-03-02 (conflicted copy anna 2026-06-16 143218).pdf",
             "order 2026-03-02 (Anna's conflicted copy 2026-03-02).pdf",
             "order 2026-03-02 (Annas in Konflikt stehende Kopie 2026-03-02).pdf",
             "order 2026-03-02-DESKTOP-AB12CD3.pdf", "order 2026-03-02 - anna conflict.pdf",
             "order 2026-03-02 (Conflict).pdf", "order 2026-03-02 (edited by Anna on PC-3 @ 2026-03-02).pdf",
             "order 2026-03-02.pdf.conflict1", "order 2026-03-02.pdf.path2"]


@pytest.mark.parametrize("where", ["Smith_Divorce/Inbox", "Smith_Divorce/Court Papers", "Smith_Divorce/Work"])
def test_conflict_copies_are_kept_indexed_and_remarked(smith, where):
    contents = [pdf(n) for n in CONFLICTS]
    for n, data in zip(CONFLICTS, contents):
        put(smith, where, n, data)
    smith.sync()
    assert names_in(smith, where) == sorted(map(os.fsencode, CONFLICTS))
    assert attention(smith) == ""
    assert smith.kinds("Smith_Divorce").count("indexed") == len(CONFLICTS)
    html = (smith.path / "Smith_Divorce/Index.html").read_text()
    assert html.count("order 2026-03-02") >= len(CONFLICTS)
    smith.assert_in_order(contents)


@pytest.mark.parametrize("name", ["order Romeo and Juliet (Conflicts between families) 2026-03-02.pdf",
                                  "order on conflicts 2026-03-02.pdf", "order 2026-03-02 (1).pdf",
                                  "order 2026-03-02 2.pdf"])
def test_what_only_looks_like_a_conflict_copy_is_filed(smith, name):
    put(smith, "Smith_Divorce/Inbox", name, pdf("x"))
    smith.sync()
    assert names_in(smith, "Smith_Divorce/Inbox") == []
    smith.assert_in_order([pdf("x")])


# ---- what belongs together -----------------------------------------------------------------------

@pytest.mark.parametrize("where", ["Smith_Divorce/Inbox", "Smith_Divorce/Agreements"])
@pytest.mark.parametrize("ext", ["p7s", "p7m", "asc", "sig", "tsr", "sha256"])
def test_a_signed_document_keeps_its_name(smith, where, ext):
    put(smith, where, f"contract 2026-03-02.pdf.{ext}", b"0\x82\x01\x00signature")
    put(smith, where, "contract 2026-03-02.pdf", pdf("x"))
    smith.sync()
    assert names_in(smith, where) == [b"contract 2026-03-02.pdf", f"contract 2026-03-02.pdf.{ext}".encode()]
    assert ("Move them together into the folder" in attention(smith)) == where.endswith("/Inbox")
    smith.assert_in_order([pdf("x")])


def test_a_signature_that_comes_later_and_goes(smith):
    put(smith, "Smith_Divorce/Inbox", "scan0001.pdf", pdf("x"))
    smith.sync()
    assert "scan0001.pdf" in attention(smith)
    put(smith, "Smith_Divorce/Inbox", "scan0001.pdf.p7s", b"0\x82\x01\x00signature")
    smith.sync()
    assert "It is not clear what" not in attention(smith)
    (smith.path / "Smith_Divorce/Inbox/scan0001.pdf.p7s").unlink()
    smith.sync()
    assert "It is not clear what Inbox/scan0001.pdf is" in attention(smith)
    smith.assert_in_order([pdf("x")])


PAGE = b"<!DOCTYPE html><html><head><title>Order of the court</title></head><body><img src='a.png'></body></html>"


@pytest.mark.parametrize("where", ["Smith_Divorce/Inbox", "Smith_Divorce/Evidence", "Smith_Divorce/Work"])
@pytest.mark.parametrize("folder", ["order 2026-03-02_files", "order 2026-03-02-Dateien", "order 2026-03-02_fichiers"])
def test_a_saved_web_page_keeps_its_name_and_its_folder(smith, where, folder):
    smith.configure("settle: 1s\ndrafts: 0s\ndate_order: mdy\ntime_zone: UTC\n")
    smith.run("reload", smith.path)
    (smith.path / where).mkdir(exist_ok=True)
    new = smith.base / "new"
    (new / folder).mkdir(parents=True)
    (new / folder / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"1")
    (new / folder / "order 2026-03-05.js").write_bytes(b"function x() {}")
    (new / "order 2026-03-02.html").write_bytes(PAGE)
    for n in (folder, "order 2026-03-02.html"):  # a browser writes both within its own moment
        os.rename(new / n, smith.path / where / n)
    before = smith.documents()
    smith.sync()
    while smith.status()["waiting"]:
        smith.sync()
    smith.run("sweep", smith.path)
    assert smith.documents() == before
    assert ("Move them together into the folder" in attention(smith)) == where.endswith("/Inbox")
    smith.assert_in_order([PAGE])


def test_a_web_page_in_one_file_is_filed(smith):
    put(smith, "Smith_Divorce/Inbox", "order 2026-03-02.html", PAGE)
    smith.sync()
    assert list(smith.documents()) == ["Smith_Divorce/Court Papers/Smith_Divorce_Order_2026-03-02.html"]


# ---- whole trees that nobody wants to see renamed ---------------------------------------------------

def test_what_keeps_its_name_does_not_stay_in_an_inbox_unseen(smith):
    """An empty Inbox means that all is filed: what lies there is listed, with what helps."""
    put(smith, "Smith_Divorce/Inbox", "SMITH000123.pdf", pdf("x"))
    smith.sync()
    assert names_in(smith, "Smith_Divorce/Inbox") == [b"SMITH000123.pdf"]
    assert "SMITH000123.pdf keeps its name" in attention(smith) and "As Received" in attention(smith)
    (smith.path / "Smith_Divorce/As Received").mkdir(exist_ok=True)
    os.rename(smith.path / "Smith_Divorce/Inbox/SMITH000123.pdf", smith.path / "Smith_Divorce/As Received/SMITH000123.pdf")
    smith.sync()
    assert attention(smith) == ""
    smith.assert_in_order([pdf("x")])


def test_bates_numbered_pages(smith):
    """5,000 of them in make torture."""
    smith.stop()
    pages = 5000 if os.environ.get("ORGANIZER_TORTURE") else 1000
    contents = []
    for i in range(pages):
        data = pdf(f"page {i}")
        if i % 50 == 0:
            contents.append(data)
        put(smith, "Smith_Divorce/Discovery" if i % 2 else "Smith_Divorce/Discovery/VOL001",
            f"SMITH_{i:06}.pdf", data)
    put(smith, "Smith_Divorce/Discovery", "PROD001.dat", b"\xfeBEGBATES\xfe\x14\xfeENDBATES\xfe\r\n")
    before = smith.documents()
    smith.start()
    smith.sync()
    assert smith.documents() == before
    assert attention(smith) == ""
    assert smith.kinds("Smith_Divorce").count("indexed") == pages + 1
    smith.assert_in_order(contents)


@pytest.mark.parametrize("where", ["Smith_Divorce/Evidence/Photos of the client", "Smith_Divorce/As Received/2026-03-02 USB stick",
                                   "Smith_Divorce/Drafts"])
def test_a_folder_of_client_photos(smith, where):
    jpeg = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(40)
    contents = []
    for i in range(200):
        contents.append(jpeg + f"{i}".encode() + b"\xff\xd9")
        put(smith, where, f"IMG_{i:04}.JPG", contents[-1])
    put(smith, where, "order 2026-03-02.jpg", jpeg + b"order\xff\xd9")
    before = smith.documents()
    smith.sync()
    assert smith.documents() == before
    assert attention(smith) == ""
    smith.assert_in_order(contents)


def test_photos_dropped_as_a_folder_go_whole(smith):
    jpeg = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(40)
    folder = smith.base / "Photos of the house"
    folder.mkdir()
    for i in range(50):
        (folder / f"IMG_{i:04}.JPG").write_bytes(jpeg + f"{i}".encode() + b"\xff\xd9")
    os.rename(folder, smith.path / "Smith_Divorce/Inbox/Photos of the house")
    smith.sync()
    docs = smith.documents()
    assert len(docs) == 50 and all(re.search(r"/As Received/\d{4}-\d\d-\d\d Photos of the house/IMG_\d{4}\.JPG$", p)
                                   for p in docs)
    assert names_in(smith, "Smith_Divorce/Inbox") == []
    assert attention(smith) == ""
    smith.assert_in_order([jpeg + b"7\xff\xd9"])


def test_a_court_package_keeps_its_names(smith):
    for n, data in (("manifest.xml", b"<?xml version='1.0'?><manifest/>"), ("xjustiz_nachricht.xml", b"<?xml version='1.0'?><n/>"),
                    ("filing.asice", docx("asice"))):
        put(smith, "Smith_Divorce/Court Papers", n, data)
    before = smith.documents()
    smith.sync()
    assert smith.documents() == before
    smith.assert_in_order([docx("asice")])
