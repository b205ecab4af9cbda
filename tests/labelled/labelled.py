"""Reads known.txt and held-out.txt, and writes what judge.c reads."""
import datetime
import pathlib
import re

import paper

HERE = pathlib.Path(__file__).resolve().parent
NAMES = ["scan0001.pdf", "Document1.docx", "scan_0417.pdf", "DOC20251104.pdf", "untitled.pdf",
         "SKM_C3350.pdf", "image0003.pdf", "attachment.pdf"]
KINDS = {"jpeg": "IMG_2034.jpg", "png": "IMG_2035.png", "mp3": "Recording.mp3", "wav": "rec001.wav",
         "mp4": "VID_0001.mp4", "mov": "MOV_0002.mov"}


class Document:
    """What one entry of the set says."""

    def __init__(self, half, number, head):
        words = head.split()
        self.half, self.number = half, f"{half}-{number:03d}"
        self.type, self.form, self.sort = words[:3]
        self.kind = words[3] if len(words) > 3 else None
        self.right = {self.type}
        self.titles, self.text, self.plus, self.subject = [], [], set(), ""

    def add(self, line):
        mark, rest = line[:2], line[2:].strip()
        if mark == "T ":
            self.titles.append(rest)
        elif mark in ("S ", "R "):
            self.subject = rest
        elif mark in ("H ", "^ ", "! "):
            self.text.append((mark[0], rest))
        elif mark == "? ":
            self.right = {t.strip() for t in rest.split(",")}
        elif line.startswith("+"):
            self.plus |= {w.lstrip("+") for w in line.split()}
        elif line.startswith("=page"):
            self.text.append(("=", ""))
        else:
            self.text.append(("", line))


def read(half):
    documents = []
    for line in (HERE / f"{half}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("== "):
            documents.append(Document(half, len(documents) + 1, line[3:]))
        elif line.strip() and not line.startswith("#"):
            documents[-1].add(line)
    return documents


def clean(text):
    return re.sub(r"[\t\n]", " ", str(text))


def write_cases(out):
    for path, docket, matter, parties, emails, _ in paper.ROSTER:
        client, kind = path.split("_")
        out.write("\t".join(["case", path, client, kind, docket, matter, "|".join(parties),
                             "|".join(emails)]) + "\n")


def tells_case(doc):
    return doc.form in ("court", "letter", "memo", "mail", "printmail") or any(
        "{DOCKET}" in text or "{MATTER}" in text for _, text in doc.text)


def write(out, doc, variant, seed):
    """One document; returns what is right of it."""
    p = paper.draw(doc, seed, variant)
    ident = f"{doc.number}.{variant}"
    # Into the office's Inbox comes what the court, the other side and clients send; what tells no
    # case at all is mostly dropped where it belongs.
    office = p.rng.random() < (0.4 if tells_case(doc) else 0.1)
    if doc.form == "mail":
        name, kind = "attachment.eml", "eml"
    elif doc.kind:
        name, kind = KINDS[doc.kind], doc.kind
    else:
        name = p.rng.choice(NAMES)
        kind = "docx" if name.endswith("docx") else "pdf"
    out.write("\t".join(["doc", ident, "-" if office else p.path, name, kind, str(p.page)]) + "\n")
    for key, value in p.props.items():
        out.write(f"{key}\t{clean(value)}\n")
    for line in p.lines:
        out.write(f"line\t{line.page}\t{line.percent}\t{line.flags}\t{clean(line.text)}\n")
    out.write("end\n")
    # A day in the name comes before that of the document.
    date = datetime.date(2025, 11, 4) if "20251104" in name else p.expect_date
    return ident, {"document": doc, "case": p.path, "date": date, "office": office,
                   "scan": variant == 1}
