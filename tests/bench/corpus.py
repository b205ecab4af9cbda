"""Documents as an office has them, made from a seed: nothing outside is needed.

Kinds and sizes follow what offices keep: sizes are log-normal with a median of 80 KB. No two
documents have the same content, and every name carries a number of five digits that stays in it
through any filing, so that a document can be found again wherever it went.
"""
import base64
import io
import math
import os
import random
import struct
import zipfile
import zlib

MIX = {"pdf": 47, "docx": 21, "eml": 12, "jpg": 10, "xlsx": 4, "txt": 3, "rtf": 3}
TYPES = ["Motion", "Order", "Letter", "Answer", "Brief", "Deed", "Memo", "Invoice"]
WORDS = ("the court plaintiff defendant counsel motion hereby pursuant to section of in re matter "
         "evidence exhibit filed honorable judge order discovery request production documents party "
         "agreement settlement damages claim relief jurisdiction venue witness testimony deposition "
         "notary county district federal rule civil procedure respectfully submitted dated day "
         "undersigned attorney privileged confidential whereas herein thereof premises lease").split()
MEDIAN, SIGMA, MOST, LEAST = 80 << 10, 1.0, 2 << 20, 2 << 10
WORD_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"


class Author(random.Random):
    """Writes with a vocabulary as people have it: few words often, most of them seldom (Zipf). The
    WORDS stand first."""

    def __init__(self, seed, vocabulary=20000):
        super().__init__(seed)
        r = random.Random(7)
        self.words = list(WORDS)
        while len(self.words) < vocabulary:
            self.words.append("".join(r.choice("bcdfghklmnprstvw") + r.choice("aeiou")
                                      for _ in range(r.randint(2, 5))) + r.choice("nrst"))
        total, self.weights = 0, []
        for i in range(len(self.words)):
            total += 1 / (i + 10)
            self.weights.append(total)

    def sentence(self):
        return self.choices(self.words, cum_weights=self.weights, k=self.randint(8, 22))


def prose(r, size):
    if isinstance(r, Author):
        pool = [" ".join(r.sentence()).capitalize() + ".\r\n" for _ in range(40)]
    else:
        pool = [" ".join(r.choices(WORDS, k=r.randint(8, 22))).capitalize() + ".\r\n"
                for _ in range(40)]
    out = []
    while size > 0:
        out.append(r.choice(pool))
        size -= len(out[-1])
    return "".join(out)


def stream(head, data):
    return head.encode() + b"\nstream\n" + data + b"\nendstream"


def make_pdf(r, size, title):
    """A page of text and, as in most, one large compressed stream: a font or a scanned page."""
    lines = ["(%s) Tj T*" % line for line in prose(r, 1500).splitlines()]
    text = zlib.compress(("BT /F1 10 Tf\n%s\nET" % "\n".join(lines)).encode())
    fill = r.randbytes(max(0, size - 2000 - len(text)))
    if r.random() < 0.35:
        head = "<</Type/XObject/Subtype/Image/Width 1700/Height 2200/Filter/DCTDecode/Length %d>>"
        fill = b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\1\0\x96\0\x96\0\0" + fill + b"\xff\xd9"
    else:
        head = "<</Filter/FlateDecode/Length %d>>"
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
               b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 5 0 R>>",
               b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
               stream("<</Length %d/Filter/FlateDecode>>" % len(text), text),
               stream(head % len(fill), fill), ("<</Title(%s)>>" % title).encode()]
    out = bytearray(b"%PDF-1.6\n%\xe2\xe3\xcf\xd3\n")
    at = []
    for i, body in enumerate(objects, 1):
        at.append(len(out))
        out += b"%d 0 obj\n" % i + body + b"\nendobj\n"
    start = len(out)
    out += b"xref\n0 8\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % x for x in at)
    return bytes(out) + b"trailer\n<</Size 8/Root 1 0 R/Info 7 0 R>>\nstartxref\n%d\n%%%%EOF\n" % start


def office(r, size, main, main_type, text):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("[Content_Types].xml",
                   '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/'
                   '2006/content-types"><Default Extension="xml" ContentType="application/xml"/>'
                   '<Override PartName="/%s" ContentType="%s"/></Types>' % (main, main_type))
        z.writestr("_rels/.rels",
                   '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/'
                   'package/2006/relationships"><Relationship Id="r1" Type="http://schemas.'
                   'openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
                   'Target="%s"/></Relationships>' % main)
        z.writestr(main, text)
        z.writestr("docProps/thumbnail.png",
                   b"\x89PNG\r\n\x1a\n" + r.randbytes(max(16, size - len(text) // 5)))
    return out.getvalue()


def make_docx(r, size, title):
    text = "".join("<w:p><w:r><w:t>%s</w:t></w:r></w:p>" % s
                   for s in [title] + prose(r, min(60000, max(3000, size // 2))).splitlines())
    return office(r, size, "word/document.xml", WORD_TYPE,
                  '<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/'
                  'wordprocessingml/2006/main"><w:body>%s</w:body></w:document>' % text)


def make_xlsx(r, size, title):
    rows = "".join('<row r="%d"><c><v>%.2f</v></c></row>' % (i, r.random() * 9e4)
                   for i in range(1, max(30, size // 60)))
    return office(r, size // 3, "xl/workbook.xml", SHEET_TYPE,
                  '<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/'
                  'spreadsheetml/2006/main" name="%s">%s</workbook>' % (title, rows))


def make_eml(r, size, title):
    head = ("Return-Path: <clerk@court.example>\r\nReceived: from mx.example; Mon, 2 Mar 2026 10:00:00 "
            "-0500\r\nDate: Mon, 2 Mar 2026 10:00:00 -0500\r\nFrom: Clerk <clerk@court.example>\r\n"
            "To: office@lawfirm.example\r\nSubject: RE: %s\r\nMessage-ID: <%016x@court.example>\r\n"
            "MIME-Version: 1.0\r\n" % (title, r.getrandbits(64)))
    if r.random() < 0.5:
        return (head + "Content-Type: text/plain; charset=utf-8\r\n\r\n"
                + prose(r, r.randint(1000, 8000))).encode()
    pdf = base64.encodebytes(make_pdf(r, int(size * 0.7), title)).replace(b"\n", b"\r\n")
    return (head + 'Content-Type: multipart/mixed; boundary="=_b"\r\n\r\n--=_b\r\n'
            "Content-Type: text/plain\r\n\r\n%s\r\n--=_b\r\nContent-Type: application/pdf\r\n"
            "Content-Transfer-Encoding: base64\r\n\r\n" % prose(r, 600)).encode() + pdf + b"--=_b--\r\n"


def make_jpg(r, size, title):
    head = (b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\1\1\x2c\1\x2c\0\0\xff\xdb\0\x43\0" + bytes(range(1, 65))
            + b"\xff\xc0\0\x0b\x08" + struct.pack(">HH", 3300, 2550)
            + b"\1\1\x11\0\xff\xda\0\x08\1\1\0\0\x3f\0")
    return head + r.randbytes(max(1000, size)).replace(b"\xff", b"\xfe") + b"\xff\xd9"


def make_txt(r, size, title):
    return (title + "\r\n\r\n" + prose(r, size // 6)).encode()


def make_rtf(r, size, title):
    return ("{\\rtf1\\ansi\\deff0{\\fonttbl{\\f0 Times New Roman;}}{\\info{\\title %s}}\\f0\\fs24 %s}"
            % (title, prose(r, size // 6).replace("\r\n", "\\par\r\n"))).encode()


MAKERS = {"pdf": make_pdf, "docx": make_docx, "eml": make_eml, "jpg": make_jpg, "xlsx": make_xlsx,
          "txt": make_txt, "rtf": make_rtf}


def name_of(i, ext):
    return "%s %05d 2026-03-%02d.%s" % (TYPES[i % len(TYPES)], i, 1 + i % 28, ext)


def make(folder, count, seed=1, median=MEDIAN, r=None):
    """count documents into folder, which must not be there, by r or from the seed. Returns their
    bytes."""
    r, total = r or random.Random(seed), 0
    os.makedirs(folder)
    for i in range(count):
        kind = r.choices(list(MIX), list(MIX.values()))[0]
        size = int(min(MOST, max(LEAST, math.exp(r.gauss(math.log(median), SIGMA)))))
        body = MAKERS[kind](r, size, "%s %05d" % (TYPES[i % len(TYPES)], i))
        with open(os.path.join(folder, name_of(i, kind)), "wb") as f:
            f.write(body)
        total += len(body)
    return total


def make_small(folder, count, first=0):
    """count small PDFs, no two the same: where their number matters and not their bytes."""
    os.makedirs(folder, exist_ok=True)
    for i in range(first, first + count):
        with open(os.path.join(folder, name_of(i, "pdf")), "wb") as f:
            f.write(small_pdf(i))


def small_pdf(i):
    return (b"%%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\n%%%s\ntrailer<</Root 1 0 R>>\n%%%%EOF\n"
            % (b"%d " % i * 40))


def page_pdf(number, pages=1):
    """A PDF of pages of text."""
    stream = b"BT /F 12 Tf 72 720 Td 14 TL\n" + b"".join(
        b"(Document %d line %d of the text that stands here for all to read) Tj T*\n" % (number, k)
        for k in range(45)) + b"ET\n"
    kids = b" ".join(b"%d 0 R" % (4 + k) for k in range(pages))
    return b"".join((
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[", kids,
        b"]/Count %d>>endobj\n" % pages,
        b"3 0 obj<</Length %d>>\nstream\n" % len(stream), stream, b"endstream endobj\n",
        *(b"%d 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 3 0 R/Resources<</Font<</F"
          b"<</Type/Font/Subtype/Type1/BaseFont/Times-Roman>>>>>>>>endobj\n" % (4 + k) for k in range(pages)),
        b"trailer<</Root 1 0 R/Size %d>>\n" % (4 + pages)))
