"""The pages in Chromium: sort, filter, keyboard, nasty names, contrast, print, 5,000 rows."""
import base64
import csv
import email.headerregistry
import email.message
import io
import itertools
import json
import os
import pathlib
import re
import subprocess
import urllib.parse

import pytest

webdriver = pytest.importorskip("selenium.webdriver", reason="python3-selenium is not installed")
from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import Select, WebDriverWait  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("ORGANIZER_BUILD", ROOT / "build"))
SAMPLE = BUILD / "unit" / "pages_sample"
NOW = "2026-11-23T22:00:00Z"
BLNS = ROOT.parent / "shared" / "samples" / "names" / "blns.json"
FLAGS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --hide-scrollbars
 --disable-background-networking --disable-component-update --disable-sync""".split()

NASTY = [
    "<script>alert(1)</script>.pdf", "\"><script>alert(2)</script>", "'><img src=x onerror=alert(3)>",
    "</script><script>alert(4)</script>", "</style><script>alert(5)</script>", "<!--", "-->", "]]>",
    "<svg onload=alert(6)>", "<iframe srcdoc='<script>alert(7)</script>'>", "javascript:alert(8)",
    "data:text/html,<script>alert(9)</script>", "//evil.example", "\\\\evil\\share", "&lt;b&gt;",
    "&#x3c;script&#x3e;", "%3Cscript%3E", "%00", "%2e%2e%2f", "a\"b", "a'b", "a`b", "${alert(1)}", "{{1+1}}",
    "<%= 1 %>", "{shown}", "{all}", "$&$1", "=1+1", "+1", "-1", "@SUM(1)", "a,b;c", "a\tb", "a\nb",
    "a\r\nb", "\u202egpj.exe", "\u200b", "\ufeff", "שלום", "مرحبا", "e\u0301", "\U0001f600", "𝒜", "ﬁ",
    "ß", "İ", "CON", "a:b", "a?b#c", "a%b", " a", "a ", "a.", "...", "~", "*", "a" * 240,
    "onmouseover=alert(1) x", "style=color:red", "<a href=x>", "<base href=//evil.example>",
    "<meta http-equiv=refresh content=0>", "<form action=x><input name=a>", "expression(alert(1))",
]


def case(i=0, **more):
    c = dict(id="%032x" % (i + 1), path="Smith_Divorce", prefix="Smith_Divorce", client="Smith",
             case_type="Divorce", status="open", priority="High", team="A. Berg", opened="2026-01-05",
             docket="2:26-cv-00123", documents=[])
    c.update(more)
    return c


def documents(n):
    types = [("Motion", "Motions"), ("Complaint", "Pleadings"), ("Letter", "Correspondence"),
             ("Order", "Court Papers"), ("Invoice", "Financial Records")]
    for i in range(n):
        t, folder = types[i % len(types)]
        date = "20%02d-%02d-%02d" % (i % 27, i % 12 + 1, i % 28 + 1)
        yield dict(path="%s/Smith_Divorce_%s-no-%d_%s.pdf" % (folder, t, i, date), type=t, date=date,
                   original="scan%05d.pdf" % i, filed="2026-11-%02dT14:00:00Z" % (i % 22 + 1),
                   changed=NOW, size=1000 + i * 977 % 100000)


def listed(path, reason="unknown-type", **more):
    return dict(path=path, state="listed", reason=reason, sentence="Nothing says what it is.",
                help="Rename it to what it is.", **more)


@pytest.fixture(scope="session")
def sample():
    subprocess.run(["make", "-s", "B=%s" % BUILD, str(SAMPLE)], cwd=ROOT, check=True)
    return SAMPLE


@pytest.fixture
def make_pages(sample, tmp_path):
    """make_pages(cases, …) makes a cabinet and says where."""
    def make(cases, **more):
        cabinet = tmp_path / "Matters"
        cabinet.mkdir(exist_ok=True)
        job = dict(now=NOW, zone="America/New_York", cases=cases, documents=[])
        job.update(more)
        r = subprocess.run([sample, cabinet, tmp_path / "state", ROOT / "rules",
                            ROOT / "rules/language/en.yaml"], input=json.dumps(job).encode(),
                           capture_output=True)
        assert r.returncode == 0, r.stderr
        return cabinet
    return make


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    options = webdriver.ChromeOptions()
    for flag in FLAGS:
        options.add_argument(flag)
    options.add_argument("--user-data-dir=%s" % tmp_path_factory.mktemp("profile"))
    options.add_argument("--window-size=1400,1000")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    try:
        b = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
    except Exception as e:  # no browser here
        pytest.skip("Chromium does not start: %s" % e)
    yield b
    b.quit()


@pytest.fixture
def visit(browser):
    def go(path, dark=False, width=1400):
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", dict(media="", features=[
            dict(name="prefers-color-scheme", value="dark" if dark else "light")]))
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", dict(
            width=width, height=1000, deviceScaleFactor=1, mobile=False))
        browser.get_log("browser")
        browser.get(path.as_uri())
        return browser
    yield go
    assert browser.get_log("browser") == [], "the page complained"


def rows(b):
    """Names of the visible rows, in order."""
    return b.execute_script("""return Array.from(document.querySelectorAll('.finder tbody tr'))
        .filter(r => !r.hidden).map(r => r.querySelector('th a').textContent)""")


def cells(b, column):
    return b.execute_script("""return Array.from(document.querySelectorAll('.finder tbody tr'))
        .map(r => r.cells[arguments[0]].textContent.trim())""", column)


def natural(name):
    return [int(p) if p.isdigit() else p.lower() for p in re.split(r"(\d+)", name)]


def status(b):
    return b.find_element(By.CSS_SELECTOR, ".finder .shown").text


def heads(b):
    return b.find_elements(By.CSS_SELECTOR, ".finder thead button")


def type_words(b, words):
    before = status(b)
    b.find_element(By.CSS_SELECTOR, ".finder input").send_keys(words)
    WebDriverWait(b, 10, 0.02).until(lambda b: status(b) != before)


@pytest.fixture
def forty(make_pages, visit):
    docs = list(documents(40)) + [listed("Inbox/scan%d.pdf" % i) for i in range(3)]
    cabinet = make_pages([case(documents=docs)])
    return visit(cabinet / "Smith_Divorce" / "Index.html")


def test_newest_come_first_and_undated_last(forty):
    dates = cells(forty, 0)
    assert dates[:40] == sorted(dates[:40], reverse=True) and dates[40:] == [""] * 3
    assert forty.find_element(By.CSS_SELECTOR, ".finder th[aria-sort]").text.startswith("Date")


def test_a_click_sorts_and_another_turns_round(forty):
    heads(forty)[2].click()
    up = rows(forty)
    assert up == sorted(up, key=natural), "2 before 10"
    assert forty.find_element(By.CSS_SELECTOR, "[aria-sort=ascending]").text.startswith("Document")
    heads(forty)[2].click()
    assert rows(forty) == up[::-1]
    assert len(forty.find_elements(By.CSS_SELECTOR, ".finder [aria-sort]")) == 1


def test_sizes_sort_as_numbers(forty):
    heads(forty)[6].click()
    sizes = forty.execute_script("""return Array.from(document.querySelectorAll(
        '.finder tbody tr')).map(r => Number(r.cells[6].dataset.k))""")
    assert sizes == sorted(sizes, reverse=True)


def test_the_keyboard_sorts(forty):
    button = heads(forty)[1]
    button.send_keys(Keys.ENTER)
    types = [t for t in cells(forty, 1) if t]
    assert types == sorted(types)
    button.send_keys(Keys.SPACE)
    assert [t for t in cells(forty, 1) if t] == types[::-1]
    assert cells(forty, 1)[-1] == "", "what has none stays last"


def test_tab_reaches_everything(forty):
    forty.execute_script("document.activeElement.blur()")
    body = forty.find_element(By.TAG_NAME, "body")
    seen = []
    body.send_keys(Keys.TAB)
    for _ in range(60):
        e = forty.switch_to.active_element
        seen.append((e.tag_name, e.get_attribute("class") or e.get_attribute("name") or e.text))
        e.send_keys(Keys.TAB)
    assert seen[0] == ("a", "skip")
    tags = [t for t, _ in seen]
    assert tags.count("select") == 4 and "input" in tags and "button" in tags
    assert tags.index("input") < tags.index("select")


def test_the_skip_link_leads_to_the_documents(forty):
    forty.execute_script("document.activeElement.blur()")
    forty.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    forty.switch_to.active_element.send_keys(Keys.ENTER)
    assert forty.switch_to.active_element.get_attribute("id") == "documents"


def test_the_find_box_looks_at_every_column(forty):
    type_words(forty, "SCAN00007")
    assert len(rows(forty)) == 1, "by the old name"
    assert status(forty) == "1 of 43 shown"
    forty.find_element(By.CSS_SELECTOR, ".controls button").click()
    assert len(rows(forty)) == 43 and status(forty) == "43 documents"
    type_words(forty, "court filed")
    assert len(rows(forty)) == 8, "all words, in any column"


def test_nothing_fits_is_said(forty):
    type_words(forty, "zzzz")
    assert rows(forty) == [] and status(forty) == "None of 43 fits"


def test_selects_filter_together(forty):
    selects = {s.get_attribute("name"): Select(s)
               for s in forty.find_elements(By.CSS_SELECTOR, ".controls select")}
    selects["s"].select_by_visible_text("Needs attention")
    assert len(rows(forty)) == 3
    selects["s"].select_by_index(0)
    selects["t"].select_by_visible_text("Letter")
    assert len(rows(forty)) == 8
    selects["f"].select_by_visible_text("Motions")
    assert rows(forty) == []


def test_the_status_is_a_live_region(forty):
    assert forty.find_element(By.CSS_SELECTOR, ".shown").get_attribute("role") == "status"


def test_attention_stands_first(forty):
    assert forty.find_elements(By.CSS_SELECTOR, "main > section")[0].get_attribute("class") == "attention"
    assert "Rename it to what it is." in forty.find_element(By.CSS_SELECTOR, ".attention").text


def test_types_are_coloured_and_named(forty):
    colours = forty.execute_script("""return Array.from(document.querySelectorAll('.finder .dot'))
        .map(d => [d.parentNode.textContent, getComputedStyle(d).backgroundColor])""")
    by_type = {}
    for name, colour in colours:
        assert name
        by_type.setdefault(name, set()).add(colour)
    assert len(by_type) == 5 and all(len(c) == 1 for c in by_type.values())
    assert len(set(itertools.chain.from_iterable(by_type.values()))) > 1


# ---- what documents say of themselves --------------------------------------------------------------

@pytest.fixture
def telling(make_pages, visit):
    """Four documents of which three say something of themselves."""
    docs = [
        dict(path="Correspondence/a mail.eml", date="2026-03-04",
             says=dict(subject="Settlement: caf\u00e9 lease", sender="Bob Roe <bob@roe.example>",
                       recipients=["Ann Lee <ann@lee.example>", "Cy Day <cy@day.example>"],
                       attachments=["offer.pdf", "draft.docx"], flags=4)),
        dict(path="Notes/b memo.docx", date="2026-03-03",
             says=dict(title="Memo on settlement", author="D. Poe", pages=12, flags=2 | 32 | 64)),
        dict(path="Notes/c locked.pdf", date="2026-03-02",
             says=dict(title="Annual accounts", pages=1, flags=1, why="content.locked.password")),
        dict(path="Notes/d silent.pdf", date="2026-03-01"),
    ]
    cabinet = make_pages([case(documents=docs)])
    b = visit(cabinet / "Smith_Divorce" / "Index.html")
    b.cabinet = cabinet
    return b


def box(b, label):
    return b.find_element(By.XPATH, "//label[starts-with(normalize-space(), '%s')]/input" % label)


def shows(b, n):
    WebDriverWait(b, 10, 0.02).until(lambda b: len(rows(b)) == n)
    return rows(b)


def test_title_and_people_have_boxes_of_their_own(telling):
    box(telling, "Title or subject").send_keys("SETTLE")
    assert shows(telling, 2) == ["a mail.eml", "b memo.docx"]
    box(telling, "From or to").send_keys("cy day")
    assert shows(telling, 1) == ["a mail.eml"]
    box(telling, "Title or subject").clear()
    box(telling, "Title or subject").send_keys("cafe roe")
    assert shows(telling, 0) == [], "a sender is no subject"
    telling.find_element(By.CSS_SELECTOR, ".controls button").click()
    assert len(shows(telling, 4)) == 4
    assert all(e.get_attribute("value") == "" for e in
               telling.find_elements(By.CSS_SELECTOR, ".controls input"))


def test_all_that_is_said_is_found_by_the_first_box(telling):
    type_words(telling, "offer.pdf")
    assert shows(telling, 1) == ["a mail.eml"]


def test_what_a_document_says_is_shown(telling):
    cells = telling.execute_script("""return Array.from(document.querySelectorAll('.finder tbody tr')).map(
        r => r.textContent)""")
    assert "from Bob Roe <bob@roe.example>" in cells[0] and "to Ann Lee" in cells[0]
    assert "with offer.pdf; draft.docx" in cells[0] and "signed" in cells[0]
    assert "12 pages \u00b7 has macros" in cells[1] and "by D. Poe" in cells[1]
    assert "Privileged, Work product" in cells[1]
    assert "1 page \u00b7 encrypted" in cells[2] and "it opens with a password only" in cells[2]


def test_privileged_is_a_column_and_a_choice(telling):
    names = [h.text for h in heads(telling)]
    assert names == ["Date", "Type", "Document", "About", "Folder", "Privilege", "Relevance", "State",
                     "Size", "Filed"]
    heads(telling)[5].click()
    assert rows(telling)[0] == "b memo.docx"
    Select(telling.find_element(By.NAME, "p")).select_by_visible_text("Marked")
    assert shows(telling, 1) == ["b memo.docx"]


def test_the_boxes_are_reached_and_used_by_keyboard(telling):
    telling.find_element(By.CSS_SELECTOR, ".controls input").click()
    telling.switch_to.active_element.send_keys(Keys.TAB)
    telling.switch_to.active_element.send_keys("accounts")
    assert shows(telling, 1) == ["c locked.pdf"]
    assert status(telling) == "1 of 4 shown"


def test_sorting_by_title_puts_what_has_none_last(telling):
    heads(telling)[3].click()
    assert rows(telling) == ["c locked.pdf", "b memo.docx", "a mail.eml", "d silent.pdf"]


def test_what_nobody_says_has_no_column(forty):
    assert [h.text for h in heads(forty)] == ["Date", "Type", "Document", "Folder", "Relevance",
                                                  "State", "Size", "Filed"]
    assert len(forty.find_elements(By.CSS_SELECTOR, ".controls input")) == 1


def test_the_columns_have_room(telling):
    width = telling.execute_script("""return [document.querySelector('.finder tbody th').clientWidth,
        document.querySelector('.finder .wide').scrollWidth - document.querySelector('.finder .wide').clientWidth]""")
    assert width[0] > 180 and width[1] <= 0


def test_the_table_for_spreadsheets_tells_it_too(telling):
    table = (telling.cabinet / "Smith_Divorce/Index.csv").read_text("utf-8-sig")
    lines = list(csv.DictReader(io.StringIO(table)))
    assert lines[0]["Subject"] == "Settlement: caf\u00e9 lease" and lines[0]["Signed"] == "Yes"
    assert lines[0]["To"] == "Ann Lee <ann@lee.example>; Cy Day <cy@day.example>"
    assert lines[1]["Privileged"] == lines[1]["Work product"] == "Yes" and lines[1]["Pages"] == "12"
    assert lines[2]["Encrypted"] == "Yes" and lines[3]["Title (properties)"] == ""


def names():
    if BLNS.exists():
        return [n for n in json.loads(BLNS.read_text()) if n]
    print("samples/names/blns.json is missing: a list of %d names instead" % len(NASTY))
    return NASTY


def safe(name):
    return name.replace("/", "\u2215").replace("\0", "")[:200]


def test_no_name_runs_a_script_or_loads_anything(make_pages, visit):
    some = [safe(n) for n in names() + NASTY if safe(n) not in (".", "..")]
    docs = [dict(path="Notes/%d %s" % (i, n), type=n[:60], words=n, original=n, date="2026-03-02",
                 filed=NOW, changed=NOW, reason="by-hand", sentence=n, suggested=n)
            for i, n in enumerate(some)]
    docs += [listed("Inbox/%d %s" % (i, n), reason="no-date") | dict(sentence=n, help=n)
             for i, n in enumerate(some)]
    docs += [dict(path="As Received/%s/%d" % (n, i), state="indexed",
                  says=dict(title=n, subject=n, author=n, sender=n, recipients=[n], attachments=[n], why=n))
             for i, n in enumerate(some)]
    nasty = "\"'><script>alert(0)</script><img src=x onerror=alert(0)>"
    cabinet = make_pages([case(documents=docs, client=nasty, team=nasty, docket=nasty, priority=nasty,
                               hold=nasty, case_type=nasty, opened=nasty, parties=nasty)],
                         office=nasty, documents=docs[:len(some)] + docs[len(some):2 * len(some)],
                         suggest=True)
    ours = {"style": 1, "script": 1}
    for page in (cabinet / "Smith_Divorce" / "Index.html", cabinet / "Index.html"):
        b = visit(page)
        assert b.execute_script("return document.scripts.length") == ours["script"]
        assert b.execute_script("return document.querySelectorAll('style').length") == ours["style"]
        assert b.execute_script("""return document.querySelectorAll(
            'img,svg,iframe,object,embed,base,form,link,audio,video,marquee,[onerror],[onload]'
            ).length""") == 0
        assert b.execute_script("return performance.getEntriesByType('resource').length") == 0
        assert b.execute_script("""return Array.from(document.querySelectorAll('*')).filter(e =>
            Array.from(e.attributes).some(a => /^on|^style$/.test(a.name))).length""") == 0
        hrefs = b.execute_script("""return Array.from(document.links).map(
            a => [a.getAttribute('href'), a.href, a.textContent])""")
        base = cabinet.as_uri()
        for raw, full, _ in hrefs:
            assert full.startswith(base) or raw == "../Index.html", full
    b = visit(cabinet / "Smith_Divorce" / "Index.html")
    want = {d["path"] for d in docs}
    got = {urllib.parse.unquote(raw)[2:] for raw in b.execute_script(
        """return Array.from(document.querySelectorAll('.finder tbody th a')).map(
        a => a.getAttribute('href'))""")}
    assert got == want, "every link leads to its document"


def test_a_click_opens_the_document(make_pages, visit):
    name = "a #1 50% ü?&.txt"
    cabinet = make_pages([case(documents=[dict(path="Notes/" + name, state="indexed")])])
    (cabinet / "Smith_Divorce" / "Notes").mkdir()
    (cabinet / "Smith_Divorce" / "Notes" / name).write_text("here it is")
    b = visit(cabinet / "Smith_Divorce" / "Index.html")
    b.find_element(By.CSS_SELECTOR, ".finder tbody th a").click()
    WebDriverWait(b, 10, 0.05).until(lambda b: "here it is" in b.page_source)


def test_injected_markup_would_not_run(make_pages, browser):
    """The policy holds by itself: a script put into the file is refused."""
    cabinet = make_pages([case()])
    page = cabinet / "Smith_Divorce" / "Index.html"
    evil = page.with_name("evil.html")
    evil.write_text(page.read_text().replace("<main>", "<main><script>window.bad=1</script>"
                                             "<p style='color:red' onclick='window.bad=1'>x</p>"))
    browser.get(evil.as_uri())
    assert browser.execute_script("return window.bad") is None
    assert browser.execute_script("return document.querySelector('.controls') !== undefined")
    assert any("Content Security Policy" in e["message"] for e in browser.get_log("browser"))


# What a daemon is given that would run if a page took it for anything but text.
RUNS = ["<script>window.bad=1<∕script>", "\"'><img src=x onerror=window.bad=1>", "'onmouseover='window.bad=1' x='",
        "\" onfocus=window.bad=1 autofocus tabindex=1 x=\"", "javascript:window.bad=1", "<!--<svg onload=window.bad=1>",
        "<iframe srcdoc=\"<script>parent.bad=1<∕script>\">", "=HYPERLINK(1)", "@SUM(1)", "{{window.bad=1}}",
        "${window.bad=1}", "&lt;script&gt;window.bad=1", "\u202e1=dab.wodniw", "<base href=∕∕evil.example>",
        "<∕script><script>window.bad=1<∕script>", "<∕style><style>*{display:none}", "a\nb\rc\x1b[31m"]


def hostile_mail(text):
    mail = email.message.EmailMessage()
    line = re.sub(r"[\r\n\x1b]", " ", text)
    mail["Subject"] = line
    mail["From"] = email.headerregistry.Address(line, "a", "x.example")
    mail["To"] = email.headerregistry.Address(line, "b", "x.example")
    mail["Date"] = "Mon, 02 Mar 2026 10:00:00 +0000"
    mail.set_content(f"{line}\n")
    mail.add_attachment(b"x", maintype="application", subtype="pdf", filename=line)
    return mail.as_bytes()


def hostile_cabinet(cabinet):
    """A daemon's pages of names, cards, titles, senders and attachments that would run."""
    cabinet.start()
    case = cabinet.new("Smith", "Divorce")
    text = "".join(f"{field}: {RUNS[i].translate({10: ' ', 13: ' '})}\n" for i, field in enumerate(
        ("Priority", "Team", "Docket", "Parties", "Matter number", "Hold", "Key documents", "Client email")))
    kept = [line for line in (case / "Case.txt").read_text().splitlines(True) if line.split(":")[0] not in text]
    (case / "Case.txt").write_text("".join(kept).replace("Client: Smith", "Client: " + RUNS[1]) + text + RUNS[0] + "\n")
    (cabinet.path / "Jones, Ann - probate").mkdir()  # is asked about
    for i, name in enumerate(RUNS):
        cabinet.drop(case / "Inbox", f"{name}.pdf")
        cabinet.drop(case / "Inbox", f"letter {name} 2026-03-{i + 1:02}.pdf")
        cabinet.drop(case / "Inbox", f"notice {i} 2026-04-{i + 1:02}.eml", hostile_mail(name))
        cabinet.drop(case / "Work" / name, f"{i}.eml", hostile_mail(name + "?"))
        cabinet.drop("Inbox", f"{name} {i}.pdf")
    cabinet.sync()
    cabinet.run("sweep", cabinet.path)
    cabinet.sync()
    return case


def use(b):
    """All of a page is used as people do: folds, sorts, choices, boxes."""
    b.execute_script("""
        document.querySelectorAll('details').forEach(d => d.open = true);
        document.querySelectorAll('.finder thead button').forEach(h => { h.click(); h.click(); });
        for (const s of document.querySelectorAll('.controls select')) {
            for (let i = Math.min(s.length, 5); i-- > 0;) {
                s.selectedIndex = i;
                s.dispatchEvent(new Event('change', {bubbles: true}));
            }
        }
        for (const e of document.querySelectorAll('main *'))
            for (const what of ['mouseover', 'focus', 'load', 'error'])
                e.dispatchEvent(new Event(what));""")
    for field in b.find_elements(By.CSS_SELECTOR, ".controls input"):
        field.send_keys(RUNS[1])
        field.clear()


def test_the_pages_of_a_daemon_among_hostile_people_run_nothing(cabinet, visit):
    case = hostile_cabinet(cabinet)
    for page in (case / "Index.html", cabinet.path / "Index.html", cabinet.path / "How this works.html"):
        b = visit(page)
        assert "bad" in b.page_source or page.name != "Index.html", "what would run is on the page"
        if page.parent == case:
            type_words(b, "window.bad")
            assert len(rows(b)) > len(RUNS), "it is found as the text that it is"
        use(b)
        assert b.execute_async_script("setTimeout(arguments[0], 100, [typeof window.bad, document.scripts.length])") \
            == ["undefined", 1]
        assert b.execute_script("return performance.getEntriesByType('resource').length") == 0
        for href in b.execute_script("return Array.from(document.links).map(a => a.href)"):
            assert href.startswith(cabinet.path.as_uri()), href
    table = (case / "Index.csv").read_text("utf-8-sig")
    assert not re.search(r'(^|,)"?[=+@-]', table, re.M), "formulas are defused"


AUDIT = r"""
const found = [];
function lum(c) {
  const [r, g, b] = c.map(v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; });
  return .2126 * r + .7152 * g + .0722 * b;
}
function rgba(s) { return s.match(/[\d.]+/g).map(Number); }
function ground(e) {
  for (; e; e = e.parentElement) {
    const c = rgba(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] === 1) return c.slice(0, 3);
  }
  return [255, 255, 255];
}
document.querySelectorAll('details').forEach(d => d.open = true);
for (const e of document.querySelectorAll('body *')) {
  const text = Array.from(e.childNodes).some(n => n.nodeType === 3 && n.textContent.trim());
  const style = getComputedStyle(e);
  if (!text || style.display === 'none' || e.closest('script,style,caption,option')) continue;
  const a = lum(rgba(style.color).slice(0, 3)), b = lum(ground(e));
  const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  if (ratio < 4.5) found.push('contrast ' + ratio.toFixed(2) + ' ' + e.outerHTML.slice(0, 80));
}
for (const e of document.querySelectorAll('input,select,textarea'))
  if (!e.labels || !e.labels.length || !e.labels[0].textContent.trim()) found.push('no label ' + e.outerHTML);
for (const e of document.querySelectorAll('a,button,summary'))
  if (!e.textContent.trim()) found.push('no name ' + e.outerHTML);
let level = 0;
for (const h of document.querySelectorAll('h1,h2,h3,h4')) {
  const n = Number(h.tagName[1]);
  if (n > level + 1) found.push('heading jumps to ' + h.outerHTML);
  level = n;
}
if (document.querySelectorAll('h1').length !== 1) found.push('not one h1');
if (document.querySelectorAll('main').length !== 1) found.push('not one main');
if (!document.documentElement.lang) found.push('no language');
if (!document.title.trim()) found.push('no title');
for (const t of document.querySelectorAll('table')) {
  if (!t.caption || !t.caption.textContent.trim()) found.push('no caption');
  for (const th of t.querySelectorAll('th')) if (!th.scope) found.push('no scope ' + th.outerHTML);
  const n = t.tHead.rows[0].cells.length;
  for (const r of t.tBodies[0].rows) if (r.cells.length !== n) found.push('ragged row ' + r.outerHTML);
}
const ids = Array.from(document.querySelectorAll('[id]')).map(e => e.id);
if (new Set(ids).size !== ids.length) found.push('an id twice: ' + ids);
for (const e of document.querySelectorAll('[aria-labelledby]'))
  if (!document.getElementById(e.getAttribute('aria-labelledby'))) found.push('labelled by nothing');
for (const e of document.querySelectorAll('ul')) for (const k of e.children)
  if (k.tagName !== 'LI') found.push('not an item: ' + k.outerHTML);
return found;
"""


@pytest.mark.parametrize("dark", [False, True])
def test_pages_are_accessible(make_pages, visit, dark):
    docs = list(documents(60)) + [listed("Inbox/scan%d.pdf" % i) for i in range(40)]
    docs += [listed("Inbox/x.pdf", reason="program"), dict(path="Notes/w.docx", state="waiting", reason="draft",
                                                           sentence="A draft.", changed=NOW)]
    cases = [case(documents=docs, hold="Preserve", key_documents=["*no-7*"])]
    cases += [case(i, path="Case%02d_PI" % i, prefix="Case%02d_PI" % i, priority=p, status=s,
                   documents=[listed("Inbox/a.pdf")])
              for i, (p, s) in enumerate([("high", "open"), ("low", "closed"), ("normal", "open"), ("urgent", "open")], 1)]
    cabinet = make_pages(cases, documents=[listed("Inbox/who.pdf", reason="which-case")])
    for page in ("Index.html", "How this works.html", "Smith_Divorce/Index.html"):
        assert visit(cabinet / page, dark=dark).execute_script(AUDIT) == [], page


def test_a_narrow_window_does_not_scroll_sideways(make_pages, visit):
    cabinet = make_pages([case(documents=list(documents(30)) + [listed("Inbox/" + "x" * 200)])])
    for page in ("Index.html", "Smith_Divorce/Index.html", "How this works.html"):
        b = visit(cabinet / page, width=400)
        assert b.execute_script("return document.documentElement.scrollWidth") <= 400, page


def test_it_prints(forty):
    forty.execute_cdp_cmd("Emulation.setEmulatedMedia", dict(media="print", features=[]))
    assert not forty.find_element(By.CSS_SELECTOR, ".controls").is_displayed()
    assert forty.execute_script(
        "return getComputedStyle(document.querySelector('.finder thead')).display") == "table-header-group"
    assert forty.execute_script(
        "return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    pdf = base64.b64decode(forty.execute_cdp_cmd("Page.printToPDF", {})["data"])
    assert pdf.startswith(b"%PDF-") and len(pdf) > 10000
    assert pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") >= 2


def test_without_scripts_everything_is_there(make_pages, visit, browser):
    cabinet = make_pages([case(documents=list(documents(5)))])
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", dict(value=True))
    try:
        visit(cabinet / "Smith_Divorce" / "Index.html")
        assert not browser.find_element(By.CSS_SELECTOR, ".controls").is_displayed()
        assert len(browser.find_elements(By.CSS_SELECTOR, ".finder tbody tr")) == 5
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", dict(value=False))


def processor_time(browser):
    """Seconds of processor time of the browser and all of its processes: on a busy machine the clock would
    tell of the others."""
    of, parents = {}, {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(errors="replace").rsplit(")", 1)[1].split()
        except OSError:
            continue
        pid = int(stat.parent.name)
        parents[pid], of[pid] = int(fields[1]), int(fields[11]) + int(fields[12])
    top = browser.service.process.pid

    def belongs(pid):
        while pid and pid != top:
            pid = parents.get(pid)
        return pid == top
    ticks = [t for pid, t in of.items() if belongs(pid)]
    assert sum(ticks) > 0, "the browser is one of them"
    return sum(ticks) / os.sysconf("SC_CLK_TCK")


def test_5000_documents_load_and_filter_quickly(make_pages, visit):
    cabinet = make_pages([case(documents=list(documents(5000)))])
    b = visit(cabinet / "Index.html")
    at = [processor_time(b)]
    b = visit(cabinet / "Smith_Divorce" / "Index.html")
    at.append(processor_time(b))
    assert status(b) == "5000 documents" and len(rows(b)) == 300
    at.append(processor_time(b))
    type_words(b, "invoice")
    at.append(processor_time(b))
    assert status(b) == "1000 of 5000 shown"
    at.append(processor_time(b))
    heads(b)[2].click()
    b.execute_script("return document.body.offsetHeight")
    at.append(processor_time(b))
    load, find, sort = at[1] - at[0], at[3] - at[2], at[5] - at[4]
    print("load %.2f s, find %.2f s, sort %.2f s" % (load, find, sort))
    assert load < 5 and find < 2 and sort < 2


def test_long_tables_grow_when_wanted(make_pages, visit):
    cabinet = make_pages([case(documents=list(documents(700)))])
    b = visit(cabinet / "Smith_Divorce" / "Index.html")
    more = b.find_element(By.CSS_SELECTOR, ".more")
    assert len(rows(b)) == 300 and more.get_attribute("textContent") == "Show 400 more"
    heads(b)[0].click()
    assert len(rows(b)) == 300 and cells(b, 0)[0] == min(cells(b, 0)), "all of them were sorted"
    b.execute_script("document.querySelector('.more').scrollIntoView()")
    WebDriverWait(b, 10, 0.05).until(lambda b: len(rows(b)) >= 600)
    b.execute_script("window.dispatchEvent(new Event('beforeprint'))")
    assert len(rows(b)) == 700 and not more.is_displayed()


def test_the_cabinet_sorts_and_filters_cases(make_pages, visit):
    cases = [case(i, path="Case%02d_PI" % i, prefix="Case%02d_PI" % i, client="Client %02d" % i,
                  status="closed" if i % 3 == 0 else "open", priority=["high", "normal", "low"][i % 3],
                  documents=[listed("Inbox/%d.pdf" % k) for k in range(i % 4)]) for i in range(1, 13)]
    cases.append(case(99, path="Hush_Merger", prefix="Hush_Merger", client="Hush", restricted=True))
    b = visit(make_pages(cases) / "Index.html")
    assert len(rows(b)) == 12 and "Hush" not in b.page_source
    assert "1 restricted matter" in b.page_source
    assert cells(b, 2) == ["Open"] * 8 + ["Closed"] * 4
    Select(b.find_element(By.NAME, "a")).select_by_visible_text("Yes")
    assert len(rows(b)) == 9
    heads(b)[4].click()
    todo = [int(t or 0) for t in cells(b, 4)]
    assert todo == sorted(todo, reverse=True)
    b.find_element(By.CSS_SELECTOR, ".finder tbody tr:not([hidden]) th a").click()
    WebDriverWait(b, 10, 0.05).until(lambda b: b.title.startswith("Case"))


def test_an_unchanged_case_writes_nothing(make_pages):
    cabinet = make_pages([case(documents=list(documents(20)))])
    page = cabinet / "Smith_Divorce" / "Index.html"
    before = page.stat().st_mtime_ns, page.stat().st_ino
    make_pages([case()])
    assert (page.stat().st_mtime_ns, page.stat().st_ino) == before
