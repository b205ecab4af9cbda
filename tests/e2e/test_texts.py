"""What documents say: read in sandboxed parsers, kept, and used where the name does not decide."""
import gzip
import io
import json
import pathlib
import sqlite3
import struct
import subprocess
import zipfile

import pytest

from conftest import ROOT, TIMEOUT, docx, need_tool


def contents(cabinet):
    """What is kept of what documents say: facts by the path inside their case."""
    db = next(cabinet.state.glob("**/state.db"))
    with sqlite3.connect(f"file:{db}?mode=ro", uri=True) as s:
        return {path.decode(): json.loads(facts) for path, facts in s.execute(
            "SELECT d.path, c.facts FROM docs d JOIN content c ON c.digest=d.digest"
            " WHERE d.state<>4")}


SUMMONS = b"IN THE SUPERIOR COURT\n\nYou are hereby summoned and required to answer the complaint.\n"


def paragraph(text):
    return docx(f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>")


def test_what_it_says_decides_where_its_name_says_nothing(smith):
    smith.drop("Smith_Divorce/Inbox", "scan0001.txt", SUMMONS)
    smith.drop("Smith_Divorce/Inbox", "Document1.docx",
               paragraph("You are hereby summoned and required to appear."))
    smith.sync()
    filed = sorted(smith.documents("Smith_Divorce/Court Papers")) + \
        sorted(smith.documents("Smith_Divorce/Pleadings"))
    assert [p.split("/")[-1].split("_")[2].split("-")[0] for p in filed] == ["Summons", "Summons"]
    assert not smith.documents("Smith_Divorce/Inbox")


def test_a_document_that_its_name_decides_is_read_afterwards(smith):
    smith.drop("Smith_Divorce/Inbox", "letter 2026-03-02.txt", b"Dear Ms. Roe,\n")
    smith.sync()
    assert list(contents(smith)) == ["Correspondence/Smith_Divorce_Letter_2026-03-02.txt"]
    status = smith.status()["readers"]
    assert status["texts_to_read"] == 0 and status["parser_deaths"] == 0


def test_what_was_read_is_known_to_the_next_daemon_and_not_read_again(smith):
    smith.drop("Smith_Divorce/Inbox", "letter 2026-03-02.txt", b"Dear Ms. Roe,\n")
    smith.sync()
    smith.stop()
    smith.start()
    smith.sync()
    assert smith.status()["readers"]["texts_read"] == 0
    assert len(contents(smith)) == 1


def test_the_same_decision_with_and_without_a_daemon(smith):
    smith.stop()
    scan = smith.drop("Smith_Divorce/Inbox", "scan0001.txt", SUMMONS)
    check = [d for d in smith.json("check", smith.path) if "to" in d]
    assert len(check) == 1, check
    assert "Summons" in json.dumps(check[0])
    assert scan.exists()


def mail(message_id, extra=b"", body=b"Dear Ms. Roe,\n"):
    return (b"From: Ann Roe <ann@roe.example>\nTo: office@law.example\nSubject: Your letter\n"
            b"Date: Mon, 2 Mar 2026 10:00:00 +0000\nMessage-ID: <" + message_id + b">\n" + extra +
            b"MIME-Version: 1.0\nContent-Type: text/plain\n\n" + body)


def names(cabinet, below):
    return sorted(p.split("/")[-1] for p in cabinet.documents(below))


def test_the_same_mail_twice_is_told_although_its_bytes_differ(smith):
    smith.drop("Smith_Divorce/Inbox", "mail.eml", mail(b"1@roe.example"))
    smith.sync()
    filed = names(smith, "Smith_Divorce")
    assert len(filed) == 1 and filed[0].startswith("Smith_Divorce_Email"), filed
    smith.drop("Smith_Divorce/Inbox", "again.eml",
               mail(b"1@roe.example", b"X-Delivered-To: other@law.example\n"))
    smith.drop("Smith_Divorce/Inbox", "other.eml", mail(b"2@roe.example"))
    smith.sync()
    assert names(smith, "Smith_Divorce/Inbox") == ["again.eml"]
    told = (smith.path / "Smith_Divorce/Needs attention.txt").read_text()
    assert "again.eml is the same mail as" in told and filed[0] in told
    (filed_at,) = (smith.path / "Smith_Divorce").rglob(filed[0])
    filed_at.rename(filed_at.with_name("of Ann.eml"))
    smith.sync()
    told = (smith.path / "Smith_Divorce/Needs attention.txt").read_text()
    assert "again.eml is the same mail as" in told and "of Ann.eml" in told
    filed_at.with_name("of Ann.eml").unlink()
    smith.sync()
    assert names(smith, "Smith_Divorce/Inbox") == []


def test_a_document_marked_privileged_says_so_in_its_name(smith):
    smith.drop("Smith_Divorce/Inbox", "scan0002.txt",
               b"PRIVILEGED AND CONFIDENTIAL\n\n" + SUMMONS)
    smith.sync()
    assert any("-Received-Privileged_" in n for n in names(smith, "Smith_Divorce"))


def test_a_name_that_was_given_before_the_text_was_read_becomes_complete(smith):
    smith.drop("Smith_Divorce/Inbox", "memo 2026-03-02.txt",
               b"ATTORNEY WORK PRODUCT\n\nMEMORANDUM\n")
    smith.drop("Smith_Divorce/Inbox", "letter 2026-03-02.txt",
               b"Dear Ms. Roe,\n\nthis is not privileged, and we are privileged to say so.\n")
    smith.sync()
    filed = names(smith, "Smith_Divorce")
    assert "Smith_Divorce_Letter_2026-03-02.txt" in filed
    assert any(n.endswith("-Privileged_2026-03-02.txt") for n in filed), filed
    table = (smith.path / "Smith_Divorce/Index.csv").read_text("utf-8-sig")
    assert "memo 2026-03-02.txt" in table, "the name it came under is not forgotten"
    smith.run("sweep", smith.path)
    assert names(smith, "Smith_Divorce") == filed


# -- older and rarer formats -----------------------------------------------------------------------

def zipped(parts):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for name, data in parts.items():
            z.writestr(zipfile.ZipInfo(name, (2026, 3, 2, 0, 0, 0)), data)
    return out.getvalue()


def wide(text):
    return len(text).to_bytes(4, "little") + text.encode("utf-16-le")


def xlsb(text):
    """A binary workbook of one string that cells share, one in its cell, and the day 46448 ([MS-XLSB] 2.1.4)."""
    shared, cell = b"\0" + wide(text), bytes(8) + wide("Kestrel")
    styles = b"\xe9\x04\0" + b"\x2f\x04" + (14 << 16).to_bytes(4, "little") + b"\xea\x04\0"
    day = b"\0\0" + b"\x05\x10" + bytes(8) + struct.pack("<d", 46448)
    return zipped({"[Content_Types].xml": "<Types/>", "xl/workbook.bin": b"\x83\x01\0",
                   "xl/sharedStrings.bin": b"\x9f\x01\x08" + bytes(8) + b"\x13" +
                   bytes([len(shared)]) + shared + b"\xa0\x01\0",
                   "xl/styles.bin": styles,
                   "xl/worksheets/sheet1.bin": b"\x06" + bytes([len(cell)]) + cell + day})


def epub():
    return zipped({"mimetype": "application/epub+zip",
                   "META-INF/container.xml": "<container/>",
                   "OEBPS/content.opf": "<package xmlns:dc='x'><metadata><dc:title>Florida Procedure</dc:title>"
                                        "<dc:creator>Ann Roe</dc:creator></metadata></package>",
                   "OEBPS/one.xhtml": "<html><body><h1>Albatross rule</h1></body></html>"})


def test_older_and_rarer_formats_are_read(smith):
    """Word, Excel, PowerPoint 97 as LibreOffice writes them (documents/README.md), .xlsb, EPUB."""
    made = pathlib.Path(__file__).parent / "documents"
    for name in ("motion.doc", "ledger.xls", "slides.ppt"):
        smith.drop("Smith_Divorce/Ours", name, gzip.decompress((made / (name + ".gz")).read_bytes()))
    smith.drop("Smith_Divorce/Ours", "trust.xlsb", xlsb("Pelican"))
    smith.drop("Smith_Divorce/Ours", "book.epub", epub())
    motion = gzip.decompress((made / "motion.doc.gz").read_bytes())
    smith.drop("Smith_Divorce/Inbox", "Document1.doc", motion.replace(*(
        s.encode("utf-16-le") for s in ("JOHN", "JANE"))))
    smith.sync()
    facts = {p.split("/")[-1]: f for p, f in contents(smith).items()}
    assert (facts["motion.doc"]["title"], facts["motion.doc"]["author"]) == ("Motion to Compel", "Åsa Meyer")
    assert facts["slides.ppt"]["title"] == "Mediation slides" and facts["slides.ppt"]["pages"] == 2
    assert facts["ledger.xls"]["pages"] == 1 and facts["trust.xlsb"]["pages"] == 1
    assert (facts["book.epub"]["title"], facts["book.epub"]["author"]) == ("Florida Procedure", "Ann Roe")
    for words, name in (("Straße", "motion.doc"), ('"Exhibit B Invoice"', "motion.doc"),
                        ("Søn", "ledger.xls"), ("Ångström", "slides.ppt"), ("pelican", "trust.xlsb"),
                        ("kestrel", "trust.xlsb"), ("2027-03-02", "trust.xlsb"), ("2026-03-02", "ledger.xls"), ("albatross", "book.epub")):
        found = [h["path"] for h in smith.json("find", words) if "/Ours/" in h["path"]]
        assert found == ["Smith_Divorce/Ours/" + name], (words, found)
    assert smith.run("find", "outline", status=1).stdout == "nothing found\n", "of a master slide"
    filed = [n for n in names(smith, "Smith_Divorce") if "MotionToCompel" in n]
    assert len(filed) == 1 and filed[0].endswith("_2026-03-02.doc"), names(smith, "Smith_Divorce")


# -- pictures of text: the `text` hook -------------------------------------------------------------

def text_pdf(lines):
    """A PDF of one page with these lines, as programs write them."""
    stream = "BT /F 20 Tf 72 720 Td 28 TL\n" + "".join(
        f"({line}) Tj T*\n" for line in lines) + "ET\n"
    return pdf_of([
        "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F "
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>",
        (f"<</Length {len(stream)}>>", stream.encode())])


def pdf_of(objects):
    out, at = b"%PDF-1.4\n", []
    for i, o in enumerate(objects, 1):
        head, data = o if isinstance(o, tuple) else (o, None)
        at.append(len(out))
        out += f"{i} 0 obj\n{head}\n".encode()
        if data is not None:
            out += b"stream\n" + data + b"\nendstream\n"
        out += b"endobj\n"
    xref = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{n:010} 00000 n \n".encode() for n in at)
    return out + f"trailer<</Root 1 0 R/Size {len(objects) + 1}>>\nstartxref\n{xref}\n".encode() + \
        b"%%EOF\n"


def pdf_by_codes(encoding, collection, text):
    """A PDF of a font that says by which code its characters are written, but not which they are."""
    stream = f"BT /F 18 Tf 72 720 Td <{text.hex()}> Tj ET\n"
    return pdf_of([
        "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
        (f"<</Length {len(stream)}>>", stream.encode()),
        f"<</Type/Font/Subtype/Type0/BaseFont/M/Encoding/{encoding}/DescendantFonts[6 0 R]>>",
        "<</Type/Font/Subtype/CIDFontType0/BaseFont/M/CIDSystemInfo<</Registry(Adobe)/Ordering"
        f"({collection})/Supplement 2>>/FontDescriptor 7 0 R/DW 1000>>",
        "<</Type/FontDescriptor/FontName/M/Flags 4/FontBBox[0 0 1000 1000]/ItalicAngle 0/Ascent 800"
        "/Descent -200/CapHeight 700/StemV 80>>"])


@pytest.mark.skipif(not pathlib.Path("/usr/share/poppler/cMap").exists(), reason="poppler-data is not installed")
def test_fonts_that_do_not_tell_their_characters_are_read(smith):
    """From the tables of poppler-data, which no parser may open."""
    papers = {"ja.pdf": ("90ms-RKSJ-H", "Japan1", "\u5951\u7d04\u66f8", "shift_jis"),
              "zh.pdf": ("GBK-EUC-H", "GB1", "\u5408\u540c\u4e66", "gbk"),
              "tw.pdf": ("ETen-B5-H", "CNS1", "\u5951\u7d04", "big5"),
              "ko.pdf": ("KSCms-UHC-H", "Korea1", "\uacc4\uc57d\uc11c", "cp949")}
    for name, (encoding, collection, text, charset) in papers.items():
        smith.drop("Smith_Divorce/Received", name, pdf_by_codes(encoding, collection, text.encode(charset)))
    lines = smith.json("explain", smith.path / "Smith_Divorce/Received", status=0)
    assert {x["path"].split("/")[-1]: x["content"]["lines"] for x in lines} == {
        name: [text] for name, (_, _, text, _) in papers.items()}


def scanned_pdf(picture, width, height, colours="DeviceGray", coding="DCTDecode"):
    """A PDF of one page that is a picture, as scanners make them."""
    stream = b"q 612 0 0 792 0 0 cm /I Do Q\n"
    return pdf_of([
        "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R"
        "/Resources<</XObject<</I 5 0 R>>>>>>",
        (f"<</Length {len(stream)}>>", stream),
        (f"<</Type/XObject/Subtype/Image/Width {width}/Height {height}/ColorSpace/{colours}"
         f"/BitsPerComponent 8/Filter/{coding}/Length {len(picture)}>>", picture)])


def grey_jpeg():
    """The smallest picture: one grey pixel."""
    return bytes.fromhex(
        "ffd8ffe000104a46494600010100000100010000ffdb004300" + "03" * 64 +
        "ffc0000b080001000101011100ffc40014000100000000000000000000000000000009"
        "ffc40014100100000000000000000000000000000000ffda0008010100003f0054ffd9")


SCAN = scanned_pdf(grey_jpeg(), 1, 1)


def put_hook(cabinet, script):
    folder = cabinet.hooks / "text"
    folder.mkdir(parents=True, exist_ok=True)
    hook = folder / "reader"
    hook.write_text("#!/bin/sh\n" + script)
    hook.chmod(0o755)
    cabinet.run("reload", cabinet.path)


def test_without_a_hook_a_scan_stays_and_is_marked_as_one(smith):
    smith.drop("Smith_Divorce/Inbox", "scan0001.pdf", SCAN)
    smith.sync()
    assert contents(smith)["Inbox/scan0001.pdf"] == {"pages": 1, "scan": True}


def test_a_scan_is_read_by_the_hook_and_decided_again(smith):
    put_hook(smith, 'cat <&3 | sha256sum >"$0.saw"\necho "SUMMONS" >&4\n'
                    'echo "You are hereby summoned and required to answer." >&4\n')
    smith.drop("Smith_Divorce/Inbox", "scan0001.pdf", SCAN)
    smith.sync()
    saw = (smith.hooks / "text/reader.saw").read_text().split()[0]
    filed = {p: d for p, d in smith.documents("Smith_Divorce").items() if p.endswith(".pdf")}
    assert list(filed.values()) == [saw], "the document's own bytes are never changed"
    assert "_Summons-" in next(iter(filed)), filed
    facts = list(contents(smith).values())
    assert facts == [{"pages": 1, "scan": True, "text_by_hook": True}]
    texts = list((smith.path / "Smith_Divorce/.organizer/text").iterdir())
    assert [t.read_text() for t in texts] == [
        "SUMMONS\nYou are hereby summoned and required to answer.\n"]
    assert smith.status()["readers"]["scans_read"] == 1
    smith.stop()
    smith.start()
    smith.sync()
    assert smith.status()["readers"]["scans_read"] == 0, "it is not read twice"


def test_a_hook_that_fails_or_hangs_holds_nothing_up(smith):
    put_hook(smith, "exec sleep 600\n")
    smith.drop("Smith_Divorce/Inbox", "scan0001.pdf", SCAN)
    smith.drop("Smith_Divorce/Inbox", "letter 2026-03-02.txt", b"Dear Ms. Roe,\n")
    smith.sync()
    assert names(smith, "Smith_Divorce/Correspondence") == ["Smith_Divorce_Letter_2026-03-02.txt"]
    assert smith.stop() == 0


@pytest.mark.parametrize("kind", ["pdf", "png"])
def test_the_shipped_hook_reads_scans(tmp_path, kind):
    need_tool("tesseract")
    need_tool("pdftoppm")
    (tmp_path / "text.pdf").write_bytes(text_pdf(["MOTION TO COMPEL", "Dated March 2, 2026"]))
    subprocess.run(["pdftoppm", "-gray", "-r", "100", f"-{'jpeg' if kind == 'pdf' else 'png'}",
                    "-singlefile", "text.pdf", "page"], cwd=tmp_path, check=True)
    if kind == "pdf":
        document = scanned_pdf((tmp_path / "page.jpg").read_bytes(), 850, 1100, "DeviceRGB")
    else:
        document = (tmp_path / "page.png").read_bytes()
    (tmp_path / "document").write_bytes(document)
    mime = {"pdf": "application/pdf", "png": "image/png"}[kind]
    subprocess.run(["/bin/sh", "-c", '"$0" 3<document 4>text', str(ROOT / "hooks/text/tesseract")],
                   cwd=tmp_path, input=json.dumps({"v": 1, "type": mime}, separators=(",", ":")),
                   text=True, check=True, timeout=2 * TIMEOUT)
    text = (tmp_path / "text").read_text()
    assert "MOTION TO COMPEL" in text and "March 2, 2026" in text, text
    assert (tmp_path / "document").read_bytes() == document
