"""Real and made documents by the thousand: nothing lost, nothing wrong, everything taken back."""
import collections
import datetime
import os
import shutil
import subprocess

import pytest

from conftest import SHARED, Cabinet, need_shared, sha256

CASE_TYPES = ["Litigation", "Probate", "Family", "Immigration", "RealEstate", "Corporate", "Criminal", "IP",
              "Employment", "Bankruptcy"]
TYPES = {"Motion": "Motion", "Motion to Dismiss": "MotionToDismiss", "Complaint": "Complaint", "Answer": "Answer",
         "Discovery": "Discovery", "Interrogatories": "Interrogatories", "Subpoena": "Subpoena",
         "Deposition": "DepositionTranscript", "Exhibit A": "Exhibit", "Exhibit 12": "Exhibit",
         "Affidavit": "Affidavit", "Settlement Agreement": "Settlement", "Retainer": "EngagementLetter",
         "Engagement Letter": "EngagementLetter", "Invoice": "Invoice", "Order": "Order",
         "Notice of Hearing": "NoticeOfHearing", "Brief": "Brief", "Memo": "Memo", "Will": "Will", "Lease": "Lease",
         "Deed": "Deed", "Contract": "Agreement", "NDA": "NDA", "Correspondence": "Letter", "Judgment": "Judgment",
         "Petition": "Petition"}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    tool = need_shared("tools/gen_corpus.py")
    out = tmp_path_factory.mktemp("corpus") / "c"
    subprocess.run(["python3", str(tool), "--out", str(out), "--files", "2000", "--seed", "11", "--median-kb", "20"],
                   check=True, capture_output=True)
    manifest = []
    with open(str(out) + ".manifest.tsv", encoding="utf-8") as f:
        for line in f:
            name, kind, mime, size, client, doc, date = line.rstrip("\n").split("\t")
            manifest.append((out / name, client, doc, datetime.date.fromisoformat(date)))
    return manifest


def tells_type_and_date(name, doc, date):
    forms = ["%Y-%m-%d", "%Y%m%d", "%m-%d-%Y", "%m.%d.%y", "%d %b %Y", "%B %-d, %Y"]
    low = name.lower()
    return (doc.lower() in low or doc.replace(" ", "").lower() in low) and any(
        date.strftime(f).lower() in low for f in forms)


def fill(cabinet, corpus):
    """A case for every client and type; what carries a prefix goes to the office, the rest to its client."""
    dropped = {}
    for client in {c for _, c, _, _ in corpus}:
        for t in CASE_TYPES:
            os.makedirs(cabinet.path / f"{client.replace(' ', '')}_{t}", exist_ok=True)
    if cabinet.process:
        cabinet.sync()
    for path, client, doc, date in corpus:
        prefix = client.replace(" ", "")
        office = any(path.name.startswith(f"{prefix}_{t}_") for t in CASE_TYPES)
        target = cabinet.path / ("Inbox" if office else f"{prefix}_Litigation/Inbox") / path.name
        target.parent.mkdir(exist_ok=True)
        shutil.copy2(path, target)
        dropped[str(target.relative_to(cabinet.path))] = sha256(path.read_bytes())
    return dropped


def judge(cabinet, corpus):
    at = collections.defaultdict(list)
    for p, digest in cabinet.documents().items():
        at[digest].append(p)
    telling = right = 0
    for path, client, doc, date in corpus:
        places = at[sha256(path.read_bytes())]
        assert len(places) == 1, f"{path.name} is at {places}"
        where = places[0]
        filed = "Inbox" not in where.split("/")[:-1]
        told = tells_type_and_date(path.name, doc, date)
        telling += told
        if filed:
            fields = where.split("/")[-1].split("_")
            assert fields[0] == client.replace(" ", ""), f"{path.name} went to {where}"
            if told:
                assert fields[2].split("-")[0] == TYPES[doc], f"{path.name} ({doc}) became {where}"
                right += fields[3].startswith(date.isoformat())
    assert telling > 300
    assert right >= 0.95 * telling, f"{right} of {telling}"


@pytest.mark.parametrize("running", [True, False], ids=["while-running", "while-stopped"])
def test_two_thousand_documents(tmp_path, corpus, running):
    cabinet = Cabinet(tmp_path).init()
    if running:
        cabinet.start()
    dropped = fill(cabinet, corpus)
    if not running:
        cabinet.start()
    cabinet.sync()
    judge(cabinet, corpus)
    listed = [p for p in cabinet.documents() if "/Inbox/" in p or p.startswith("Inbox/")]
    told = {c["path"] for c in cabinet.json("check", cabinet.path) if c.get("attention")}
    assert set(listed) <= told, "in an Inbox without a reason"
    before = cabinet.documents()
    cabinet.run("sweep", cabinet.path)
    assert cabinet.documents() == before, "a second sweep changed something"
    cabinet.run("verify", cabinet.path)
    for case in sorted({p.split("/")[0] for p in before} - {"Inbox"}):
        cabinet.run("undo", case, "--all", "-C", cabinet.path, status=None)
    assert cabinet.documents() == dropped, "undo did not restore every original name"
    assert cabinet.stop() == 0


@pytest.mark.parametrize("running", [True, False], ids=["while-running", "while-stopped"])
def test_every_sample_is_filed_or_listed(tmp_path, running):
    need_shared("samples")
    cabinet = Cabinet(tmp_path).init().start()
    cabinet.new("Smith", "Divorce")
    if not running:
        assert cabinet.stop() == 0
    dropped, contents = {}, collections.Counter()
    for folder, _, names in os.walk(SHARED / "samples"):
        for n in names:
            data = open(os.path.join(folder, n), "rb").read()
            p = cabinet.drop("Smith_Divorce/Inbox", f"{os.path.basename(folder)} {n}", data)
            dropped[str(p.relative_to(cabinet.path))] = sha256(data)
            contents[sha256(data)] += 1
    if not running:
        cabinet.start()
    cabinet.sync()
    before = cabinet.documents()
    assert collections.Counter(before.values()) == contents
    told = {c["path"] for c in cabinet.json("check", cabinet.path) if c.get("attention")}
    waiting = cabinet.status()["waiting"]
    left = [p for p in cabinet.documents("Smith_Divorce/Inbox") if p not in told]
    assert len(left) <= waiting, left
    cabinet.run("sweep", cabinet.path)
    assert cabinet.documents() == before, "a second sweep changed something"
    cabinet.run("verify", cabinet.path)
    cabinet.run("undo", "Smith_Divorce", "--all", "-C", cabinet.path, status=None)
    assert cabinet.documents() == dropped, "undo did not restore every original name"
    assert cabinet.stop() == 0
