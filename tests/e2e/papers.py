"""PDF documents as word processors and scanners make them, written by hand: lines with a place and a size."""
import re
import struct

WIDTH, HEIGHT, MARGIN, LEADING = 612, 792, 72, 15
# Widths of Helvetica's letters are near this share of their size; enough to centre a line.
LETTER = 0.53


def escaped(text):
    return re.sub(r"([()\\])", r"\\\1", text)


class Paper:
    """Lines from the top of a page down; pages follow each other."""

    def __init__(self):
        self.pages, self.y = [[]], HEIGHT - MARGIN

    def put(self, text, x=MARGIN, size=12, bold=False):
        self.pages[-1].append((x, self.y, size, bold, text))

    def line(self, text, **how):
        self.put(text, **how)
        self.y -= LEADING
        return self

    def lines(self, *texts):
        for text in texts:
            self.line(text)
        return self

    def centred(self, text, size=12, bold=True):
        return self.line(text, x=(WIDTH - len(text) * size * LETTER) / 2, size=size, bold=bold)

    def columns(self, left, right, bar=")"):
        """A caption: parties, a bracket, number and title."""
        for i in range(max(len(left), len(right))):
            if i < len(left):
                self.put(left[i])
            self.put(bar, x=300)
            if i < len(right):
                self.put(right[i], x=320)
            self.y -= LEADING
        return self

    def skip(self, n=1):
        self.y -= n * LEADING
        return self

    def page(self):
        self.pages.append([])
        self.y = HEIGHT - MARGIN
        return self

    def pdf(self):
        """The document's bytes."""
        objects = ["<</Type/Catalog/Pages 2 0 R>>", None,
                   "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
                   "<</Type/Font/Subtype/Type1/BaseFont/Helvetica-Bold/Encoding/WinAnsiEncoding>>"]
        kids = []
        for page in self.pages:
            stream = "".join(f"BT /{'B' if bold else 'R'} {size} Tf {x:.1f} {y} Td ({escaped(text)}) Tj ET\n"
                             for x, y, size, bold, text in page)
            objects.append(f"<</Length {len(stream.encode('cp1252'))}>>stream\n{stream}endstream")
            objects.append(f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {WIDTH} {HEIGHT}]/Contents {len(objects)} 0 R"
                           "/Resources<</Font<</R 3 0 R/B 4 0 R>>>>>>")
            kids.append(f"{len(objects)} 0 R")
        objects[1] = f"<</Type/Pages/Kids[{' '.join(kids)}]/Count {len(kids)}>>"
        out = b"%PDF-1.4\n"
        at = []
        for i, body in enumerate(objects, 1):
            at.append(len(out))
            out += f"{i} 0 obj".encode() + body.encode("cp1252") + b"endobj\n"
        start = len(out)
        out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
        out += b"".join(f"{a:010} 00000 n \n".encode() for a in at)
        return out + f"trailer<</Root 1 0 R/Size {len(objects) + 1}>>\nstartxref\n{start}\n%%EOF\n".encode()


def photo(taken):
    """A JPEG of one pixel that tells when it was taken ("2026:03:02 10:11:12", CIPA DC-008 4.6)."""
    exif = (b"II*\0" + struct.pack("<IHHHIII", 8, 1, 0x8769, 4, 1, 26, 0) +
            struct.pack("<HHHIII", 1, 0x9003, 2, 20, 44, 0) + taken.encode() + b"\0")
    segment = b"Exif\0\0" + exif
    return b"\xff\xd8\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + bytes.fromhex(
        "ffdb004300" + "03" * 64 + "ffc0000b080001000101011100ffc40014000100000000000000000000000000000009"
        "ffc40014100100000000000000000000000000000000ffda0008010100003f0054ffd9")


BODY = ("The Court has jurisdiction over the parties. An order was entered in a related action, and the",
        "answer, the notice of appeal and the judgment are attached. Counsel received a letter about it.")


def motion(docket="2:24-cv-01234-ABC", plaintiff="ELENA RIVERA", defendant="NORTHGATE FREIGHT, INC.",
           title=("DEFENDANT'S MOTION TO DISMISS",), dated="Dated: March 2, 2026"):
    """A motion with a caption in two columns, a proposed order behind it and a certificate of service."""
    p = Paper()
    p.centred("UNITED STATES DISTRICT COURT").centred("NORTHERN DISTRICT OF EXAMPLIA").skip()
    p.columns([f"{plaintiff},", "     Plaintiff,", "v.", f"{defendant},", "     Defendant."],
              ["", f"Case No. {docket}", *title])
    p.skip().lines(*BODY).skip().lines(dated, "Respectfully submitted,", "/s/ Dana Ruiz")
    p.page().centred("CERTIFICATE OF SERVICE").lines("I hereby certify that a copy was served.")
    p.page().centred("[PROPOSED] ORDER").lines("The motion is GRANTED.", "Dated: ____________, 20__")
    return p
