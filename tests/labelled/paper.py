"""How a document of the labelled set looks on paper: captions, letterheads, stamps, pages, noise.

A document's words come from known.txt and held-out.txt (README.md has the mark-up); everything
around them is drawn here from a seed, so that the same set comes out each time.
"""
import datetime
import random
import re
import textwrap

TODAY = datetime.date(2026, 11, 23)

# path, docket, matter, parties, emails, sort of court
ROSTER = [
    ("Rivera_PersonalInjury", "2:24-cv-01234", "1042-01", ["Elena Rivera", "Northgate Freight, Inc."], ["elena.rivera@example.com"], "federal"),
    ("Rivera_Contract", "2:25-cv-00411", "1042-02", ["Elena Rivera", "Bluebird Homes, LLC"], ["elena.rivera@example.com"], "federal"),
    ("Okafor_Employment", "1:23-cv-04567", "1050-01", ["Chidi Okafor", "Meridian Health Systems"], ["c.okafor@example.net"], "federal"),
    ("Whitfield_MedMal", "CV-2024-00918", "1061", ["Ann Whitfield", "Lakeview Hospital Corporation"], [], "state"),
    ("Delgado_MVA", "24-CA-003311", "1070", ["Maria Delgado", "State Farm Mutual Automobile Insurance Company"], ["mdelgado@example.org"], "florida"),
    ("Petrov_MVA", "25-CA-000127", "1071", ["Ivan Petrov", "State Farm Mutual Automobile Insurance Company"], [], "florida"),
    ("Hollis_MVA", "25-CA-001902", "1072", ["Grace Hollis", "State Farm Mutual Automobile Insurance Company"], [], "florida"),
    ("Barnes_Insurance", "24-CA-009140", "1073", ["Tyrell Barnes", "State Farm Mutual Automobile Insurance Company"], [], "florida"),
    ("Nakamura_Contract", "RG24055512", "1080", ["Kenji Nakamura", "Solstice Energy Partners, LP"], ["kenji@example.jp"], "california"),
    ("Abernathy_Contract", "23STCV18821", "1081", ["Abernathy & Sons Masonry", "Crestline Development Co."], [], "california"),
    ("Cho_Litigation", "651234/2025", "1090", ["Min Cho", "Harbor Point Realty Corp."], ["mcho@example.com"], "newyork"),
    ("Feldman_Litigation", "154021/2024", "1091", ["Ruth Feldman", "Gotham Elevator Service, Inc."], [], "newyork"),
    ("Tran_PersonalInjury", "DC-24-08812", "1100", ["Linh Tran", "Lone Star Concrete, L.L.C."], [], "texas"),
    ("Guerra_Contract", "2024-55120", "1101", ["Oscar Guerra", "Pecos Drilling Company"], ["oscar@example.com"], "texas"),
    ("Lindqvist_CivilRights", "3:22-cv-00087", "1110", ["Nils Lindqvist", "City of Fairmont"], [], "federal"),
    ("Ashworth_ProductLiability", "4:24-cv-02002", "1111", ["Peter Ashworth", "Vanguard Tool Company"], [], "federal"),
    ("Smith_Divorce", "FA-24-1234", "2001", ["Jordan Smith", "Taylor Smith"], ["jordan.smith@example.com"], "marriage"),
    ("Smith_Custody", "FA-25-0077", "2002", ["Jordan Smith", "Taylor Smith"], ["jordan.smith@example.com"], "marriage"),
    ("Baptiste_Divorce", "2024-DR-01877", "2003", ["Colette Baptiste", "Marc Baptiste"], ["colette@example.fr"], "marriage"),
    ("Novak_Divorce", "D-1-FM-24-003300", "2004", ["Irena Novak", "Pavel Novak"], [], "marriage"),
    ("Greene_Custody", "24FL00912", "2005", ["Alicia Greene", "Darnell Greene"], [], "marriage"),
    ("Kowalski_Criminal", "1:24-cr-00456", "3001", ["United States of America", "Adam Kowalski"], [], "criminal"),
    ("Boone_Criminal", "24-CF-002217", "3002", ["State of Florida", "Jesse Boone"], [], "criminal"),
    ("Stone_DUI", "CR-24-00310", "3003", ["State of Ohio", "Rachel Stone"], ["rstone@example.com"], "criminal"),
    ("Mercer_Probate", "PR-2024-0331", "4001", ["Harold Mercer", "Lucille Mercer"], [], "probate"),
    ("Olsen_EstatePlanning", "24-CP-00881", "4002", ["Ingrid Olsen", "Sven Olsen"], ["ingrid@example.no"], "probate"),
    ("Patel_Bankruptcy", "24-bk-11873", "5001", ["Anand Patel", "Coastal Credit Union"], [], "bankruptcy"),
    ("Dunham_Bankruptcy", "8:25-bk-00219", "5002", ["Walter Dunham", "Summit Auto Finance"], [], "bankruptcy"),
    ("Ibarra_Appeal", "24-1187", "6001", ["Lucia Ibarra", "Monarch Packaging Corp."], [], "appeal"),
    ("Vance_Appeal", "A-2417-24", "6002", ["Robert Vance", "Township of Millbrook"], [], "appeal"),
]
SORTS = {  # what a document of the set may belong to
    "civil": {"federal", "state", "florida", "california", "newyork", "texas"},
    "family": {"marriage"}, "criminal": {"criminal"}, "probate": {"probate"},
    "bankruptcy": {"bankruptcy"}, "appeal": {"appeal"},
}
ROLES = {"marriage": ("Petitioner", "Respondent"), "criminal": ("Plaintiff", "Defendant"),
         "appeal": ("Plaintiff-Appellant", "Defendant-Appellee"),
         "bankruptcy": ("Debtor", "Movant"), "probate": ("Petitioner", "Decedent")}
COURTS = {
    "federal": ["UNITED STATES DISTRICT COURT", "NORTHERN DISTRICT OF EXAMPLIA"],
    "state": ["IN THE CIRCUIT COURT OF SHELBY COUNTY", "THIRTIETH JUDICIAL DISTRICT AT MEMPHIS"],
    "florida": ["IN THE CIRCUIT COURT OF THE THIRTEENTH JUDICIAL CIRCUIT",
                "IN AND FOR HILLSBOROUGH COUNTY, FLORIDA", "CIVIL DIVISION"],
    "california": ["SUPERIOR COURT OF THE STATE OF CALIFORNIA", "FOR THE COUNTY OF ALAMEDA"],
    "newyork": ["SUPREME COURT OF THE STATE OF NEW YORK", "COUNTY OF NEW YORK"],
    "texas": ["IN THE DISTRICT COURT", "DALLAS COUNTY, TEXAS", "134TH JUDICIAL DISTRICT"],
    "marriage": ["IN THE FAMILY COURT OF THE NINTH JUDICIAL CIRCUIT", "COUNTY OF CHARLESTON"],
    "criminal": ["IN THE CIRCUIT COURT", "CRIMINAL DIVISION"],
    "probate": ["IN THE PROBATE COURT OF DAVIDSON COUNTY", "STATE OF TENNESSEE"],
    "bankruptcy": ["UNITED STATES BANKRUPTCY COURT", "MIDDLE DISTRICT OF EXAMPLIA"],
    "appeal": ["UNITED STATES COURT OF APPEALS", "FOR THE EIGHTH CIRCUIT"],
}
FIRMS = ["HALL & ROE LLP", "LAW OFFICES OF DANA RUIZ, P.C.", "Beckett, Marsh & Iyer, PLLC",
         "THE CALLOWAY LAW GROUP"]
WITNESSES = ["Sarah Lindgren", "Dr. Miguel Santos", "Officer T. Brandt", "Priya Raman"]
# What pages hold besides: words of other types stand in all legal text.
FILLER = [
    "This Court has jurisdiction over the subject matter of this action and of the parties hereto, and venue is proper in this county.",
    "On that day the Court entered an order directing the parties to confer, and a notice of hearing was mailed to all counsel of record.",
    "The complaint was filed with a summons; the answer followed, together with a motion to dismiss that was later withdrawn.",
    "A judgment is final when it disposes of all claims. See Harlan v. Keene, No. 2:19-cv-07755, slip op. at 4 (an order denying a motion to compel is not).",
    "Counsel received a letter, an affidavit and two invoices, none of which answers the interrogatories that were served with the subpoena.",
    "The agreement provides that any notice shall be in writing, and that a stipulation signed by both sides may alter the schedule.",
    "Nothing in this paper is a waiver of any privilege, objection, settlement communication or right to appeal.",
    "Attached as Exhibit B is a true copy of the lease; the deed and the receipt are attached as Exhibits C and D.",
]
MONTHS = ("January February March April May June July August September October November "
          "December").split()


class Line:
    def __init__(self, text, page=1, percent=100, flags=""):
        self.text, self.page, self.percent, self.flags = text, page, percent, flags


class Paper:
    """One document being laid out."""

    def __init__(self, rng, case, sort):
        self.rng, self.case, self.sort = rng, case, sort
        self.path, self.docket, self.matter, self.parties, self.emails, self.court = case
        self.client = self.path.split("_")[0]
        self.client_name = next((p for p in self.parties if self.client in p), self.parties[0])
        self.day = TODAY - datetime.timedelta(days=rng.randrange(20, 900))
        self.firm, self.witness = rng.choice(FIRMS), rng.choice(WITNESSES)
        self.page, self.lines, self.props = 1, [], {}
        self.expect_date = None
        self.upper = rng.random() < 0.6

    # --- words ---

    def fill(self, text):
        p, d = self.parties[0], self.parties[-1]
        day = f"{MONTHS[self.day.month - 1]} {self.day.day}, {self.day.year}"
        # A day that is told in passing is not the document's own.
        other = self.day - datetime.timedelta(days=45)
        words = {"P": p, "D": d, "CLIENT": self.client_name, "DOCKET": self.docket, "DAY":
                 f"{MONTHS[other.month - 1]} {other.day}, {other.year}", "WITNESS": self.witness,
                 "FIRM": self.firm, "MATTER": self.matter, "COURT": COURTS[self.court][0]}
        assert day
        return re.sub(r"\{(\w+)\}", lambda m: words[m.group(1)], text)

    def long_day(self):
        return f"{MONTHS[self.day.month - 1]} {self.day.day}, {self.day.year}"

    # --- lines ---

    def put(self, text, percent=100, flags=""):
        text = " ".join(text.split())
        if text:
            self.lines.append(Line(text, self.page, percent, flags))

    def body(self, text):
        for line in textwrap.wrap(self.fill(text), 88):
            self.put(line)

    def filler(self, n):
        for text in self.rng.sample(FILLER, n):
            self.body(text)

    def title(self, texts):
        percent = self.rng.choice([100, 100, 110, 130])
        for text in texts:
            self.put(self.fill(text).upper() if self.upper else self.fill(text), percent,
                     self.rng.choice(["c", "cb", "cb"]))

    def new_page(self):
        self.page += 1

    # --- parts of court papers ---

    def attorney(self):
        self.put(f"{self.rng.choice(['Dana Ruiz', 'J. Hall', 'M. Iyer'])}, Esq. (SBN 1{self.rng.randrange(10000, 99999)})")
        self.put(self.firm)
        self.put("400 Court Street, Suite 1200")
        self.put(f"Springfield, {self.rng.choice(['CA 94612', 'NY 10007', 'TX 75202'])}")
        self.put("Telephone: (555) 010-4477  Facsimile: (555) 010-4478")
        self.put("druiz@example.com")
        self.put(f"Attorneys for {self.rng.choice(['Plaintiff', 'Defendant'])} {self.parties[0]}")

    def court_name(self):
        for text in COURTS[self.court]:
            self.put(text, 100, self.rng.choice(["c", "cb"]))

    def number_line(self):
        label = {"newyork": "Index No. ", "texas": "CAUSE NO. ", "appeal": "No. ",
                 "federal": self.rng.choice(["Case No. ", "Civil Action No. "])}
        suffix = self.rng.choice(["", "-ABC", "-RA-KW"]) if self.court == "federal" else ""
        return label.get(self.court, "Case No. ") + self.docket + suffix

    def sides(self):
        """The caption's left side."""
        p, d = self.parties[0], self.parties[-1]
        a, b = ROLES.get(self.court, ("Plaintiff", "Defendant"))
        if self.court == "marriage" and self.rng.random() < 0.5:
            return ["In re the Marriage of:", f"{p.upper()},", f"{a},", "and", f"{d.upper()},", f"{b}."]
        if self.court == "probate":
            return ["IN RE: ESTATE OF", f"{p.upper()},", "Deceased."]
        if self.court == "bankruptcy":
            return ["In re:", f"{p.upper()},", "Debtor.", "Chapter 13"]
        v = self.rng.choice(["v.", "vs.", "-against-" if self.court == "newyork" else "v."])
        return [f"{p.upper()},", f"{a},", v, f"{d.upper()},", f"{b}."]

    def caption(self, title):
        """Court, parties, number and title, in one of the ways they are set."""
        style = self.rng.choice(["below", "columns", "columns", "apart"])
        if self.court == "california" or self.rng.random() < 0.2:
            self.attorney()
        if self.rng.random() < 0.3:
            self.put(self.rng.choice(["FILED", "ELECTRONICALLY FILED", "RECEIVED"]))
            self.put(self.rng.choice(["Clerk of the Court", "By: K. Lopez, Deputy"]))
        if self.court == "texas":
            self.put(self.number_line(), 100, "c")
        self.court_name()
        left = self.sides()
        right = [] if self.court == "texas" else [self.number_line()]
        if self.rng.random() < 0.4:
            right.append(self.rng.choice(["Judge: Hon. Ruth Alvarez", "Hon. Ruth Alvarez", "Dept.: 12"]))
        if style == "columns":
            self.columns(left, right + title)
            return
        if style == "apart":  # right column after the left one, as readers of columns give it
            for text in left + right:
                self.put(text)
        else:
            for text in left[:-1] + [left[-1]] + right:
                self.put(text)
            if self.rng.random() < 0.5:
                self.put("____________________________________/")
        self.title(title)

    def columns(self, left, right):
        bar = "§" if self.court == "texas" else ")"
        title = [self.fill(t).upper() if self.upper else self.fill(t) for t in right]
        rows = max(len(left), len(title) + 1)
        for i in range(rows):
            a = left[i] if i < len(left) else ""
            b = title[i - 1] if 0 < i <= len(title) else ""
            self.put(f"{a} {bar} {b}")

    def ecf(self, pages=8):
        self.expect_date = self.day
        self.put(f"Case {self.docket}-ABC Document {self.rng.randrange(2, 99)} Filed "
                 f"{self.day:%m/%d/%y} Page {self.page} of {pages}")

    def signature(self):
        way = self.rng.randrange(6)
        if way == 0:
            self.put(f"Dated: {self.long_day()}")
        elif way == 1:
            self.put(f"DATED this {ordinal(self.day.day)} day of {MONTHS[self.day.month - 1]}, {self.day.year}.")
        elif way == 2:
            self.put("Dated: New York, New York")
            self.put(self.long_day())
        elif way == 3:
            self.put(f"Date: {self.day:%B} {self.day.day}, {self.day.year}    Respectfully submitted,")
        elif way == 4:
            self.put(f"Dated: {self.day:%m/%d/%Y}")
        if way < 5:
            self.expect_date = self.expect_date or self.day
        self.put("Respectfully submitted,")
        self.put("/s/ Dana Ruiz")
        self.put(f"{self.firm}")
        self.put("400 Court Street, Suite 1200, Springfield")

    def certificate(self):
        self.new_page()
        self.put("CERTIFICATE OF SERVICE", 100, "cb")
        self.body("I hereby certify that a true and correct copy of the foregoing was served upon all counsel of record by the Court's electronic filing system.")
        self.put("/s/ Dana Ruiz")

    def proposed(self):
        self.new_page()
        self.court_name()
        for text in self.sides():
            self.put(text)
        self.put(self.number_line())
        self.put("[PROPOSED] ORDER", 100, "cb")
        self.body("Upon consideration of the motion, it is hereby ORDERED that the motion is GRANTED.")
        self.put("Dated: ____________, 20__")
        self.put("UNITED STATES DISTRICT JUDGE")

    def exhibit(self):
        self.new_page()
        self.put("EXHIBIT A", 200, "cb")


def ordinal(n):
    return f"{n}{'th' if 10 < n % 100 < 14 else {1: 'st', 2: 'nd', 3: 'rd'}.get(n % 10, 'th')}"


# --- forms ---


def court(p, doc):
    ecf = p.court in ("federal", "bankruptcy") and p.rng.random() < 0.5
    if ecf:
        p.ecf()
    p.caption(doc.titles)
    for sort, text in doc.text:
        p.put(p.fill(text), 100, "cb") if sort == "H" else p.body(text)
    p.filler(p.rng.randrange(0, 3))
    if p.rng.random() < 0.4:
        p.new_page()
        if ecf:
            p.ecf()
        p.filler(4)
    p.signature()
    if "cos" in doc.plus:
        p.certificate()
    if "proposed" in doc.plus:
        p.proposed()
    if "exhibit" in doc.plus:
        p.exhibit()


def plain(p, doc):
    if p.rng.random() < 0.3:
        p.put(p.firm, 120, "c")
        p.put("400 Court Street, Suite 1200, Springfield")
    p.title(doc.titles)
    for sort, text in doc.text:
        p.put(p.fill(text), 100, "cb") if sort == "H" else p.body(text)
    p.filler(p.rng.randrange(0, 2))
    if p.rng.random() < 0.6:
        p.put(f"Date: {p.long_day()}")
        p.expect_date = p.day


def letter(p, doc):
    p.put(p.firm, 130, "c")
    p.put("400 Court Street, Suite 1200 | Springfield | (555) 010-4477", 90, "c")
    p.put(p.long_day())
    p.expect_date = p.day
    if p.rng.random() < 0.5:
        p.put(p.rng.choice(["VIA CERTIFIED MAIL", "VIA EMAIL AND U.S. MAIL", "By hand"]))
    for text in ("Mr. Alan Peabody", "Peabody & Lowe", "12 Commerce Way", "Springfield, IL 62701"):
        p.put(text)
    p.put(f"{p.rng.choice(['Re:', 'RE:'])} {p.fill(doc.subject)}", 100, p.rng.choice(["", "b"]))
    if p.rng.random() < 0.4 and p.docket not in p.fill(doc.subject):
        p.put(f"Our file: {p.matter}")
    p.put(f"Dear {p.rng.choice(['Mr. Peabody', 'Counsel', 'Ms. Ortiz'])}:")
    for _, text in doc.text:
        p.body(text)
    p.filler(p.rng.randrange(0, 2))
    p.put(p.rng.choice(["Very truly yours,", "Sincerely,", "Yours truly,"]))
    p.put("Dana Ruiz")


def memo(p, doc):
    if p.rng.random() < 0.5:
        p.put(p.firm, 120, "c")
    p.put("MEMORANDUM" if p.upper else "Memorandum", 130, "cb")
    p.put("TO: File")
    p.put("FROM: Dana Ruiz")
    p.put(f"DATE: {p.long_day()}")
    p.expect_date = p.day
    p.put(f"RE: {p.fill(doc.subject)}")
    for _, text in doc.text:
        p.body(text)
    p.filler(2)


def mail(p, doc):
    p.props = {"subject": p.fill(doc.subject), "sender": "Counsel <counsel@example.com>",
               "to": "Dana Ruiz <druiz@example.com>", "mail_date": p.day.isoformat()}
    p.expect_date = p.day
    if p.emails and p.rng.random() < 0.5:
        p.props["sender"] = f"Client <{p.emails[0]}>"
    for _, text in doc.text:
        p.body(text)


def printmail(p, doc):
    p.put("From: Dana Ruiz <druiz@example.com>")
    p.put(f"Sent: {p.day:%A}, {p.long_day()} 10:12 AM")
    p.put("To: Counsel <counsel@example.com>")
    p.put(f"Subject: {p.fill(doc.subject)}")
    p.expect_date = p.day
    raw(p, doc)


def raw(p, doc):
    for sort, text in doc.text:
        if sort == "^":
            p.put(p.fill(text).upper() if p.upper else p.fill(text), p.rng.choice([100, 150]), "cb")
        elif sort == "!":
            p.put(p.fill(text), 100, "b")
        elif sort == "=":
            p.new_page()
        else:
            p.put(p.fill(text))


def blank(p, doc):
    pass


FORMS = {f.__name__: f for f in (court, plain, letter, memo, mail, printmail, raw, blank)}

# --- noise ---


def noisy(rng, lines):
    """As a scanner and OCR make of it: no sizes, no weight, letters mistaken, words broken."""
    out = []
    for line in lines:
        text = line.text
        if rng.random() < 0.10 and len(text) > 12:
            at = rng.randrange(2, len(text) - 2)
            text = text[:at] + " " + text[at:]
        text = "".join(mistaken(rng, c) for c in text)
        out.append(Line(text, line.page, 0, "c" if "c" in line.flags and rng.random() < 0.5 else ""))
        if rng.random() < 0.03:
            out.append(Line(rng.choice(["|", "~ .", "' ,", "- -"]), line.page, 0, ""))
    return out


def mistaken(rng, c):
    swaps = {"O": "0", "I": "l", "l": "1", "S": "5", "B": "8", "o": "0", "i": "1"}
    return swaps[c] if c in swaps and rng.random() < 0.012 else c


def spaced(rng, lines):
    """A title set with spaces between its letters."""
    return [Line(" ".join(l.text) if l.flags == "cb" and len(l.text) < 8 else l.text, l.page,
                 l.percent, l.flags) for l in lines]


def draw(doc, seed, variant):
    """The document laid out; variant 0 is clean, 1 is a scan."""
    rng = random.Random(f"{seed}/{doc.number}/{variant}")
    cases = [c for c in ROSTER if c[5] in SORTS[doc.sort]]
    p = Paper(rng, rng.choice(cases), doc.sort)
    FORMS[doc.form](p, doc)
    if variant == 1:
        p.lines = noisy(rng, p.lines)
    elif rng.random() < 0.05:
        p.lines = spaced(rng, p.lines)
    p.rng = rng
    return p
