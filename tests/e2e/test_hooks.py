"""Hooks: the shipped ones with stand-ins for what they call, and the events of the real daemon."""
import email
import email.policy
import json
import os
import subprocess
import sys

import pytest

from conftest import ROOT, TIMEOUT, pdf, sha256

HOOKS = ROOT / "hooks"
EICAR = "Win.Test.EICAR_HDB-1"


def script(path, text, interpreter="/bin/sh"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!{interpreter}\n{text}\n")
    path.chmod(0o755)
    return path


def recorder(path, tell):
    """A program that writes its arguments and standard input to files, and ends well."""
    return script(path, f"""
import json, sys
with open({str(tell)!r}, "a") as f:
    f.write(json.dumps({{"args": sys.argv[1:], "stdin": sys.stdin.read()}}) + "\\n")
""", sys.executable)


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def bin(tmp_path):
    """A folder of stand-ins, first in PATH."""
    d = tmp_path / "bin"
    d.mkdir()
    return d


def run(hook, event, bin, document=b"", args=()):
    """Runs a shipped hook as the runner does, with the stand-ins before the real programs."""
    read, write = os.pipe()
    os.write(write, document)
    os.close(write)
    try:
        return subprocess.run([str(hook), *map(str, args)], input=json.dumps(event).encode(),
                              capture_output=True, timeout=TIMEOUT,
                              preexec_fn=lambda: os.dup2(read, 3), close_fds=False,
                              env={"PATH": f"{bin}:/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/"})
    finally:
        os.close(read)


def event(**more):
    return {"v": 1, "event": "needs-attention", "at": "2026-03-02T10:00:00.000000Z",
            "cabinet": "/srv/Matters", "case": "Smith_Divorce", "case_id": "0" * 32,
            "from": "Smith_Divorce/Inbox/scan0001.pdf", "to": "Smith_Divorce/Inbox/scan0001.pdf",
            "reason": "no-type", "sentence": "It does not say what it is", "help": "Rename it",
            **more}


# ---- clamav ---------------------------------------------------------------------------------------

CLAMAV = HOOKS / "before-filing" / "clamav"


def test_clamav_lets_a_clean_document_pass(bin):
    script(bin / "clamdscan", "cat >/dev/null; echo 'stream: OK'; exit 0")
    r = run(CLAMAV, event(), bin, b"clean")
    assert (r.returncode, r.stdout) == (0, b"")


def test_clamav_reads_the_document_from_descriptor_3(bin, tmp_path):
    script(bin / "clamdscan", f"cat >{tmp_path}/seen; exit 0")
    run(CLAMAV, event(), bin, b"the document")
    assert (tmp_path / "seen").read_bytes() == b"the document"


def test_clamav_asks_clamd_by_descriptor_and_without_a_name(bin, tmp_path):
    script(bin / "clamdscan", f'echo "$@" >{tmp_path}/args; exit 0')
    run(CLAMAV, event(**{"from": "$(touch /tmp/x) ; rm -rf"}), bin)
    assert (tmp_path / "args").read_text() == "--fdpass --no-summary --stdout -\n"


def test_clamav_vetoes_with_the_name_of_the_virus(bin):
    script(bin / "clamdscan", f"echo 'fd[10]: {EICAR} FOUND'; exit 1")
    r = run(CLAMAV, event(), bin)
    assert r.returncode == 1
    assert r.stdout.decode() == f"the virus scanner found {EICAR} in it\n"


def test_clamav_cannot_tell_while_clamd_is_away(bin):
    script(bin / "clamdscan", "echo 'ERROR: Could not connect to clamd' >&2; exit 2")
    r = run(CLAMAV, event(), bin)
    assert (r.returncode, r.stdout) == (75, b"")
    assert b"Could not connect" in r.stderr


def test_clamav_falls_back_to_clamscan(bin):
    for tool in ("cat", "sed", "head"):
        (bin / tool).symlink_to(f"/bin/{tool}")
    script(bin / "clamscan", f"cat >/dev/null; echo 'stdin: {EICAR} FOUND'; exit 1")
    r = subprocess.run([str(CLAMAV)], env={"PATH": str(bin)}, stdin=subprocess.DEVNULL,
                       capture_output=True, preexec_fn=lambda: os.dup2(0, 3), close_fds=False)
    assert r.returncode == 1 and EICAR.encode() in r.stdout, r.stderr


def test_clamav_without_a_scanner_cannot_tell(bin):
    r = subprocess.run([str(CLAMAV)], env={"PATH": str(bin)}, stdin=subprocess.DEVNULL,
                       capture_output=True)
    assert r.returncode == 75 and b"installed" in r.stderr


# ---- mail -----------------------------------------------------------------------------------------

MAIL = HOOKS / "needs-attention" / "mail"


@pytest.fixture
def mail(bin, tmp_path):
    """Sends the notice of an event; returns the sendmail's arguments and the message."""
    sent = tmp_path / "sent"
    recorder(bin / "sendmail", sent)
    conf = tmp_path / "mail.conf"
    conf.write_text("# who\nto = clerk@example.com, it@example.com\n"
                    f"from = organizer@example.com\nsendmail = {bin}/sendmail\n")
    conf.chmod(0o644)

    def send(e):
        r = run(MAIL, e, bin, args=[conf])
        assert r.returncode == 0, r.stderr
        last = lines(sent)[-1]
        return last["args"], email.message_from_string(last["stdin"], policy=email.policy.default)
    send.conf = conf
    send.sent = sent
    return send


def test_mail_goes_to_all_recipients(mail):
    args, m = mail(event())
    assert args == ["-i", "-f", "organizer@example.com", "--", "clerk@example.com",
                    "it@example.com"]
    assert m["To"] == "clerk@example.com, it@example.com"
    assert m["Auto-Submitted"] == "auto-generated"


def test_mail_says_what_and_why(mail):
    _, m = mail(event())
    assert m["Subject"] == "[organizer] Smith_Divorce: a document needs attention"
    text = m.get_content()
    assert "Document: Smith_Divorce/Inbox/scan0001.pdf\n" in text
    assert "Why: It does not say what it is\n" in text
    assert "What helps: Rename it\n" in text


@pytest.mark.parametrize("name", [
    "a\nBcc: evil@example.com", "a\r\n\r\nbody", "\x00", "\x1b[31m", "=?utf-8?q?x?=\n b",
    "\u202egpj.exe", "Müller_Erbe ⚖", "\u2028Bcc: x", ".", "x" * 5000, "$(id) `id` ;|&"],
    ids=lambda name: ascii(name[:20]))
def test_a_name_in_mail_is_data(mail, name):
    args, m = mail(event(**{"case": name, "from": name}))
    assert m["Bcc"] is None
    assert sorted(set(m.keys())) == sorted(
        {"From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Content-Type",
         "Content-Transfer-Encoding", "MIME-Version"})
    assert len(args) == 6
    assert sum(line.startswith(("Case:", "Document:")) for line in m.get_content().splitlines()) == 2
    if name.isprintable():
        assert f"Document: {name}\n" in m.get_content()


def test_mail_for_a_changed_history(mail):
    _, m = mail(event(event="integrity", reason="tampered"))
    assert "history" in m["Subject"]


def test_mail_without_recipients_says_so(bin, tmp_path):
    r = run(MAIL, event(), bin, args=[tmp_path / "none.conf"])
    assert r.returncode == 78 and b"nobody to write to" in r.stderr


def test_a_configuration_that_others_may_write_is_refused(mail, bin):
    mail.conf.chmod(0o666)
    r = run(MAIL, event(), bin, args=[mail.conf])
    assert r.returncode == 78 and b"others may write" in r.stderr
    assert not mail.sent.exists()


@pytest.mark.parametrize("line, problem", [
    ("to = -oQ/tmp@example.com", b"not a plain mail address"),
    ("to = a b@example.com", b"not a plain mail address"),
    ("to = a@example.com\nfrom = x\\ny", b"not a plain mail address"),
    ("too = a@example.com", b":1: expected one of"), ("to", b":1: expected one of"),
    ("to =", b"is missing")])
def test_mistakes_in_mail_conf_are_told(bin, tmp_path, line, problem):
    conf = tmp_path / "mail.conf"
    conf.write_text(line + "\n")
    conf.chmod(0o600)
    r = run(MAIL, event(), bin, args=[conf])
    assert r.returncode == 78 and problem in r.stderr


def test_mail_that_sendmail_refuses_is_a_failure(mail, bin):
    script(bin / "sendmail", "cat >/dev/null; exit 1")
    assert run(MAIL, event(), bin, args=[mail.conf]).returncode == 75


def test_mail_without_sendmail_is_a_failure(mail, bin):
    (bin / "sendmail").unlink()
    assert run(MAIL, event(), bin, args=[mail.conf]).returncode == 69


# ---- desktop --------------------------------------------------------------------------------------

DESKTOP = HOOKS / "needs-attention" / "desktop"


def notified(bin, tmp_path, e):
    recorder(bin / "notify-send", tmp_path / "notes")
    r = run(DESKTOP, e, bin)
    assert r.returncode == 0, r.stderr
    args = lines(tmp_path / "notes")[-1]["args"]
    assert args[-3] == "--"
    return args[-2:]


def test_desktop_shows_case_and_sentence(bin, tmp_path):
    assert notified(bin, tmp_path, event()) == [
        "Needs attention: Smith_Divorce", "scan0001.pdf\nIt does not say what it is"]


def test_desktop_escapes_markup_in_names(bin, tmp_path):
    _, body = notified(bin, tmp_path, event(**{"from": "a/<b>\\n&.pdf"}))
    assert body.startswith("&lt;b&gt;\\\\n&amp;.pdf\n")


def test_desktop_takes_no_option_from_a_name(bin, tmp_path):
    summary, body = notified(bin, tmp_path, event(**{"case": "--help", "from": "a/-x"}))
    assert summary == "Needs attention: --help" and body.startswith("-x\n")


def test_desktop_without_notify_send_says_so(bin):
    (bin / "python3").symlink_to("/usr/bin/python3")
    r = subprocess.run(["/usr/bin/python3", "-I", str(DESKTOP)], input=b"{}", capture_output=True,
                       env={"PATH": str(bin)})
    assert r.returncode == 69 and b"not installed" in r.stderr


# ---- the daemon's events --------------------------------------------------------------------------

def listen(cabinet, *events):
    """Hooks that write down what they are given."""
    cabinet.hooks.mkdir(exist_ok=True)
    for e in events:
        script(cabinet.hooks / e / "tell", f"cat >>{cabinet.base}/{e}.told; exit 0")


def told(cabinet, event):
    return lines(cabinet.base / f"{event}.told")


def stopped(cabinet):
    """Stops the daemon: hooks under way are waited for."""
    assert cabinet.stop() == 0, cabinet.log_text()
    return cabinet


def test_filed_is_told_with_old_and_new_name(cabinet):
    listen(cabinet, "filed")
    cabinet.start()
    cabinet.new("Smith", "Divorce")
    data = pdf("one")
    cabinet.drop("Smith_Divorce/Inbox", "letter 3-2-26.pdf", data)
    cabinet.sync()
    stopped(cabinet)
    (e,) = told(cabinet, "filed")
    assert e["event"] == "filed" and e["v"] == 1
    assert e["cabinet"] == str(cabinet.path)
    assert e["case"] == "Smith_Divorce"
    assert e["from"] == "Smith_Divorce/Inbox/letter 3-2-26.pdf"
    assert (cabinet.path / e["to"]).read_bytes() == data
    assert e["sha256"] == sha256(data) and e["size"] == len(data)
    assert e["type"] == "application/pdf"


def test_needs_attention_is_told_with_reason_and_help(cabinet):
    listen(cabinet, "needs-attention")
    cabinet.start()
    cabinet.new("Smith", "Divorce")
    cabinet.drop("Smith_Divorce/Inbox", "qwertz.pdf")
    cabinet.sync()
    stopped(cabinet)
    (e,) = told(cabinet, "needs-attention")
    assert e["from"] == "Smith_Divorce/Inbox/qwertz.pdf"
    assert e["reason"] and e["sentence"] and e["help"]


def test_case_opened_is_told_once(cabinet):
    listen(cabinet, "case-opened")
    cabinet.start()
    cabinet.new("Smith", "Divorce")
    cabinet.run("reload", cabinet.path)
    cabinet.sync()
    stopped(cabinet)
    (e,) = told(cabinet, "case-opened")
    assert (e["case"], e["client"], e["case_type"]) == ("Smith_Divorce", "Smith", "Divorce")
    assert len(e["case_id"]) == 32


def test_a_renamed_case_is_not_opened_again(cabinet):
    listen(cabinet, "case-opened")
    cabinet.start()
    case = cabinet.new("Smith", "Divorce")
    case.rename(cabinet.path / "Smyth_Divorce")
    cabinet.sync()
    stopped(cabinet)
    assert len(told(cabinet, "case-opened")) == 1


def test_case_closed_is_told_when_its_card_says_so(cabinet):
    listen(cabinet, "case-closed")
    cabinet.start()
    case = cabinet.new("Smith", "Divorce")
    card = case / "Case.txt"
    assert told(cabinet, "case-closed") == []
    text = card.read_text()
    assert "Status: open" in text
    card.write_text(text.replace("Status: open", "Status: closed\nClose anyway: a test, me"))
    cabinet.sync()
    card.write_text(card.read_text() + "Priority: low\n")
    cabinet.sync()
    stopped(cabinet)
    (e,) = told(cabinet, "case-closed")
    assert e["case"] == "Smith_Divorce"


def test_a_changed_journal_is_told(cabinet):
    listen(cabinet, "integrity")
    cabinet.start()
    case = cabinet.new("Smith", "Divorce")
    cabinet.drop("Smith_Divorce/Inbox", "letter 3-2-26.pdf", pdf("one"))
    cabinet.sync()
    journal = case / ".organizer" / "journal.jsonl"
    whole = journal.read_bytes()
    journal.write_bytes(whole.replace(b'"letter', b'"lettre'))
    assert journal.read_bytes() != whole
    cabinet.drop("Smith_Divorce/Inbox", "letter 3-3-26.pdf", pdf("two"))
    cabinet.sync()
    cabinet.run("sweep", cabinet.path)
    cabinet.run("sweep", cabinet.path)
    cabinet.sync()
    stopped(cabinet)
    (e,) = told(cabinet, "integrity")
    assert e["case"] == "Smith_Divorce" and e["reason"] == "tampered"
    assert "history" in (cabinet.path / "Smith_Divorce" / "Needs attention.txt").read_text()


def test_a_veto_leaves_the_document_and_lists_the_reason(cabinet):
    script(cabinet.hooks / "before-filing" / "scan", "echo 'it smells: $(id)'; exit 1")
    cabinet.start()
    case = cabinet.new("Smith", "Divorce")
    left = cabinet.drop("Smith_Divorce/Inbox", "letter 3-2-26.pdf")
    cabinet.sync()
    assert left.exists()
    assert "it smells: $(id)" in (case / "Needs attention.txt").read_text()
    # Read as soon as it was written it is read once more, as one more change then might not show; what is
    # on the disk by then is what the hook is asked about.
    assert cabinet.status()["hooks"]["vetoed"] in (1, 2)


def test_the_clamav_hook_keeps_a_virus_from_being_filed(cabinet, bin):
    script(bin / "clamdscan", "if grep -q virus; then echo 'stream: Bad-1 FOUND'; exit 1; fi")
    script(cabinet.hooks / "before-filing" / "clamav",
           f"PATH={bin}:$PATH exec {CLAMAV}")
    cabinet.start()
    case = cabinet.new("Smith", "Divorce")
    bad = cabinet.drop("Smith_Divorce/Inbox", "letter 3-2-26.pdf", pdf("a virus"))
    good = cabinet.drop("Smith_Divorce/Inbox", "letter 3-3-26.pdf", pdf("clean"))
    cabinet.sync()
    assert bad.exists() and not good.exists()
    assert "Bad-1" in (case / "Needs attention.txt").read_text()


def test_cannot_tell_is_asked_again(cabinet):
    """The first answer is "cannot tell", the second is yes."""
    flag = cabinet.base / "asked"
    script(cabinet.hooks / "before-filing" / "scan",
           f"[ -e {flag} ] && exit 0; touch {flag}; exit 75")
    cabinet.start()
    cabinet.new("Smith", "Divorce")
    doc = cabinet.drop("Smith_Divorce/Inbox", "letter 3-2-26.pdf")
    for _ in range(2000):
        cabinet.sync()
        if not doc.exists():
            break
    assert not doc.exists() and flag.exists()


def test_a_check_that_cannot_be_made_is_told_and_asked_again(cabinet):
    """A scanner that is down for long must not keep an Inbox full without a word."""
    works = cabinet.base / "works"
    script(cabinet.hooks / "before-filing" / "scan", f"[ -e {works} ] && exit 0; echo no scanner >&2; exit 75")
    cabinet.start(env={"ORGANIZER_PATIENCE": "0"})
    cabinet.new("Smith", "Divorce")
    doc = cabinet.drop("Smith_Divorce/Inbox", "letter 3-2-26.pdf")
    needs = cabinet.path / "Smith_Divorce/Needs attention.txt"
    for _ in range(2000):
        cabinet.sync()
        if needs.exists():
            break
    text = needs.read_text("utf-8-sig")
    assert "waits for a check that cannot be made just now: scan: 75" in text and "tried again by itself" in text
    works.touch()
    for _ in range(2000):
        cabinet.sync()
        if not doc.exists() and not needs.exists():
            break
    assert not doc.exists() and not needs.exists()
    assert cabinet.kinds("Smith_Divorce").count("filed") == 1


def test_a_hook_on_the_share_is_never_run(cabinet):
    ran = cabinet.base / "ran"
    script(cabinet.path / ".organizer" / "hooks" / "filed" / "a", f"touch {ran}")
    script(cabinet.path / "hooks" / "filed" / "a", f"touch {ran}")
    cabinet.start()
    cabinet.new("Smith", "Divorce")
    cabinet.drop("Smith_Divorce/Inbox", "letter 3-2-26.pdf")
    cabinet.sync()
    stopped(cabinet)
    assert not ran.exists()


def test_a_hook_that_others_may_write_is_never_run(cabinet):
    ran = cabinet.base / "ran"
    script(cabinet.hooks / "filed" / "a", f"touch {ran}").chmod(0o777)
    cabinet.start()
    cabinet.new("Smith", "Divorce")
    cabinet.drop("Smith_Divorce/Inbox", "letter 3-2-26.pdf")
    cabinet.sync()
    stopped(cabinet)
    assert not ran.exists()
    assert "hook refused" in cabinet.log_text()


def test_hooks_get_no_descriptor_of_the_daemon(cabinet):
    seen = cabinet.base / "descriptors"
    script(cabinet.hooks / "filed" / "a",
           f"for f in /proc/self/fd/*; do readlink $f; done >{seen}")
    cabinet.start()
    cabinet.new("Smith", "Divorce")
    cabinet.drop("Smith_Divorce/Inbox", "letter 3-2-26.pdf")
    cabinet.sync()
    stopped(cabinet)
    text = seen.read_text()
    for secret in ("journal", "state", "socket", "inotify", str(cabinet.path)):
        assert secret not in text, text
