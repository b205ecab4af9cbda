"""What a document is, of which day and in which case, by what it says itself."""
import pytest

from papers import BODY, Paper, motion, photo
from test_texts import SCAN
from test_texts_hostile import cut_off


def card(cabinet, case, *lines):
    """Adds lines to a case's card."""
    path = cabinet.path / case / "Case.txt"
    path.write_text(path.read_text(encoding="utf-8") + "".join(f"{line}\n" for line in lines), encoding="utf-8")


@pytest.fixture
def cases(running):
    """Two cases whose cards say more than their names."""
    running.new("Rivera", "PersonalInjury")
    running.new("Okafor", "Employment")
    running.stop()
    card(running, "Rivera_PersonalInjury", "Docket: 2:24-cv-01234", "Parties: Elena Rivera; Northgate Freight, Inc.",
         "Matter number: 1042-01", "Client email: elena.rivera@example.com")
    card(running, "Okafor_Employment", "Docket: 1:23-cv-04567", "Parties: Chidi Okafor; Meridian Health Systems")
    running.start()
    return running


def in_folder(cabinet, folder):
    return sorted(p.rsplit("/", 1)[-1] for p in cabinet.documents(folder))


def explained(cabinet, path):
    return cabinet.run("explain", path).stdout


def test_the_title_in_a_caption_tells_what_a_scan_is(cases):
    cases.drop("Rivera_PersonalInjury/Inbox", "scan0001.pdf", motion().pdf())
    cases.sync()
    assert in_folder(cases, "Rivera_PersonalInjury/Motions") == [
        "Rivera_PersonalInjury_MotionToDismiss_2026-03-02.pdf"]


def test_explain_says_it_as_a_person_would(cases):
    cases.stop()
    said = explained(cases, cases.drop("Inbox", "scan0001.pdf", motion().pdf()))
    assert said.splitlines()[1] == (
        '  It is a Motion to Dismiss: its title says "MOTION TO DISMISS". Its date is March 2, 2026, as is written in it '
        '("Dated: March 2, 2026"). It belongs to Rivera_PersonalInjury: its docket number "2:24-cv-01234" in its '
        'caption. So it goes into Motions of Rivera_PersonalInjury.')
    assert "rule motions.yaml:" in said


def test_explain_says_why_a_scan_tells_nothing(cases):
    cases.stop()
    said = explained(cases, cases.drop("Rivera_PersonalInjury/Inbox", "scan0001.pdf", SCAN))
    assert said.splitlines()[1] == (
        "  It is a picture without text: only its name could tell what it is. It is not clear what scan0001.pdf is. "
        "Rename it to what it is, e.g. letter 3-2-26.")
    said = explained(cases, cases.drop("Rivera_PersonalInjury/Inbox", "scan0002.doc", cut_off("motion.doc")))
    assert said.splitlines()[1].startswith("  What it says could not tell: it is damaged, or not what it seems")
    said = explained(cases, cases.drop("Rivera_PersonalInjury/Ours", "mails.zip", b"PK\5\6" + bytes(18)))
    assert "nothing in it is read, and it is found by its name only" in said


def test_a_docket_number_in_the_caption_routes_from_the_offices_inbox(cases):
    cases.drop("Inbox", "scan0001.pdf", motion(docket="1:23-cv-4567").pdf())
    cases.drop("Inbox", "scan0002.pdf", motion(docket="9:23-cv-4567", plaintiff="A. NOBODY", defendant="B. NOBODY").pdf())
    cases.sync()
    assert in_folder(cases, "Okafor_Employment/Motions") == []
    assert in_folder(cases, "Inbox") == ["scan0001.pdf", "scan0002.pdf"]


def test_two_parties_route_and_one_is_a_candidate(cases):
    cases.drop("Inbox", "scan0001.pdf", motion(docket="").pdf())
    cases.drop("Inbox", "scan0002.pdf", motion(docket="", defendant="SOMEONE ELSE").pdf())
    cases.sync()
    assert in_folder(cases, "Rivera_PersonalInjury/Motions") == ["Rivera_PersonalInjury_MotionToDismiss_2026-03-02.pdf"]
    assert in_folder(cases, "Inbox") == ["scan0002.pdf"]
    listed = [d for d in cases.json("check", cases.path) if d.get("reason") == "which-case"]
    assert "Rivera_PersonalInjury" in listed[0]["sentence"]


def test_an_answer_to_a_filed_mail_goes_where_that_was_filed(cases):
    mail = (b"From: a@example.com\r\nTo: b@example.com\r\nSubject: hello\r\nDate: Mon, 2 Mar 2026 10:00:00 +0000\r\n"
            b"Message-ID: <one@example.com>\r\n\r\nHello.\r\n")
    reply = mail.replace(b"<one@example.com>", b"<two@example.com>\r\nIn-Reply-To: <one@example.com>").replace(
        b"Mon, 2", b"Tue, 3")
    cases.drop("Okafor_Employment/Inbox", "attachment.eml", mail)
    cases.sync()
    if in_folder(cases, "Okafor_Employment/Correspondence") != ["Okafor_Employment_Email_2026-03-02.eml"]:
        pytest.skip("this build reads no mails")
    cases.drop("Inbox", "attachment.eml", reply)
    # Another who got the first one.
    cases.drop("Inbox", "copy.eml", mail.replace(b"\r\n\r\n", b"\r\nX-Seen: yes\r\n\r\n"))
    cases.drop("Inbox", "same.eml", mail)
    # Its subject is of the one case, what it answers of the other.
    cases.drop("Inbox", "both.eml", reply.replace(b"two@", b"three@").replace(b"hello", b"Case 2:24-cv-01234"))
    cases.sync()
    assert in_folder(cases, "Okafor_Employment/Correspondence") == [
        "Okafor_Employment_Email_2026-03-02.eml", "Okafor_Employment_Email_2026-03-03.eml"]
    listed = (cases.path / "Needs attention.txt").read_text(encoding="utf-8-sig")
    assert "copy.eml is the same mail as Correspondence/Okafor_Employment_Email_2026-03-02.eml" in listed
    assert "same.eml is already filed as Correspondence/Okafor_Employment_Email_2026-03-02.eml" in listed
    assert "both.eml belongs to; perhaps Rivera_PersonalInjury, Okafor_Employment" in listed
    cases.path.chmod(0o755)
    (cases.path / "Okafor_Employment").chmod(0o700)
    cases.run("sweep", cases.path)
    listed = (cases.path / "Needs attention.txt").read_text(encoding="utf-8-sig")
    assert "copy.eml" in listed and "same.eml" in listed and "Okafor" not in listed, listed


def test_a_document_of_another_case_is_listed_first_of_all(cases):
    cases.drop("Okafor_Employment/Inbox", "scan0001.pdf", motion().pdf())
    cases.sync()
    assert in_folder(cases, "Okafor_Employment/Inbox") == ["scan0001.pdf"]
    listed = (cases.path / "Okafor_Employment/Needs attention.txt").read_text(encoding="utf-8-sig")
    assert "scan0001.pdf bears 2:24-cv-01234, the number of another case: Rivera_PersonalInjury" in listed


def test_among_many_it_goes_back_and_is_listed_when_it_was_read(cases):
    cases.stop()
    for i in range(500):
        cases.drop("Okafor_Employment/Inbox", f"Letter {i:03} 2026-03-02.txt", f"letter number {i}".encode())
    for i in range(5):
        cases.drop("Okafor_Employment/Inbox", f"Letter {i}a 2026-03-02.pdf", motion().pdf() + b"%%%d\n" % i)
    cases.start()
    cases.sync()
    assert len(in_folder(cases, "Okafor_Employment/Correspondence")) == 500
    assert sorted(in_folder(cases, "Okafor_Employment/Inbox")) == [f"Letter {i}a 2026-03-02.pdf" for i in range(5)]
    listed = (cases.path / "Okafor_Employment/Needs attention.txt").read_text(encoding="utf-8-sig")
    assert "May belong to another client's case (5" in listed


def test_name_against_title_is_a_question_that_a_new_name_answers(cases):
    cases.drop("Rivera_PersonalInjury/Inbox", "order.pdf", motion().pdf())
    cases.sync()
    inbox = cases.path / "Rivera_PersonalInjury/Inbox"
    listed = (cases.path / "Rivera_PersonalInjury/Needs attention.txt").read_text(encoding="utf-8-sig")
    assert "order.pdf is called Order, but its title says MotionToDismiss" in listed
    (inbox / "order.pdf").rename(inbox / "Order on motion.pdf")
    cases.sync()
    assert in_folder(cases, "Rivera_PersonalInjury/Court Papers") == [
        "Rivera_PersonalInjury_Order-on-motion_2026-03-02.pdf"]


def test_a_letter_is_a_letter_whatever_it_is_about(cases):
    p = Paper().centred("HALL & ROE LLP", size=16).skip()
    p.lines("March 2, 2026").skip().lines("Mr. A. Peabody", "12 Commerce Way", "Springfield, IL 62701").skip()
    p.line("Re: ORDER GRANTING MOTION TO COMPEL", bold=True).skip().lines("Dear Mr. Peabody:", *BODY)
    cases.drop("Rivera_PersonalInjury/Inbox", "scan0001.pdf", p.lines("Very truly yours,", "Dana Ruiz").pdf())
    cases.sync()
    assert in_folder(cases, "Rivera_PersonalInjury/Correspondence") == ["Rivera_PersonalInjury_Letter_2026-03-02.pdf"]


def test_a_date_to_come_is_a_question(cases):
    cases.drop("Rivera_PersonalInjury/Inbox", "scan0001.pdf", motion(dated="Dated: March 2, 2095").pdf())
    cases.sync()
    listed = (cases.path / "Rivera_PersonalInjury/Needs attention.txt").read_text(encoding="utf-8-sig")
    assert "2095-03-02" in listed


def test_a_photo_is_of_the_day_it_was_taken(cases):
    for name, taken in (("IMG_2034.jpg", "2026:03:02 10:11:12"), ("photo of car.jpg", "2087:03:02 10:11:12"),
                        ("photo of roof.jpg", "1912:03:02 10:11:12")):
        cases.drop("Rivera_PersonalInjury/Inbox", name, photo(taken))
    cases.sync()
    assert in_folder(cases, "Rivera_PersonalInjury/Evidence") == ["Rivera_PersonalInjury_Photo_2026-03-02.jpg"]
    listed = (cases.path / "Rivera_PersonalInjury/Needs attention.txt").read_text(encoding="utf-8-sig")
    assert "lies in the future: 2087-03-02" in listed and "lies before 1950: 1912-03-02" in listed


def test_the_longest_title_wins_however_it_is_set(cases):
    inbox = "Rivera_PersonalInjury/Inbox"
    caption = ("ELENA RIVERA, Plaintiff,", "v.", "NORTHGATE FREIGHT, INC., Defendant.", "Case No. 2:24-cv-01234")
    for i, (title, size) in enumerate((("Notice of Motion and Motion to Dismiss", 20), ("Stipulated Protective Order", 18),
                                       ("ORDER GRANTING MOTION TO COMPEL", 12), ("MOTION TO COMPEL", 12))):
        p = Paper().lines(*caption).skip().line(title, size=size).skip().lines(*BODY, "Dated: March 2, 2026")
        cases.drop(inbox, f"scan{i:04}.pdf", p.pdf())
    cases.drop(inbox, "scan0009.pdf", motion(dated="Dated: February 30, 2026").pdf())
    cases.sync()
    filed = [p.rsplit("_", 2)[1] for p in cases.documents("Rivera_PersonalInjury") if "/Inbox/" not in p]
    assert sorted(filed) == ["MotionToCompel", "NoticeOfMotion", "Order", "ProtectiveOrder"]
    listed = (cases.path / "Rivera_PersonalInjury/Needs attention.txt").read_text(encoding="utf-8-sig")
    assert "scan0009.pdf has a date that does not exist: February 30, 2026" in listed
