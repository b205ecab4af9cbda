"""What documents say: read in sandboxed parsers, kept, and used where the name does not decide."""
import json
import sqlite3

import pytest

from conftest import docx


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
