"""Scenarios of what becomes of whole cases: closed, reopened, by card and by verb, archived, retired, and a
night in which one case is archived, another gets a snapshot, and an old snapshot goes."""
import json

from world import CONFIG

OTHER = "Jones_Probate"
NIGHTS = CONFIG + "snapshots: nightly\nkeep: 1\n"


def journal(w, case):
    """Its lines, wherever the case lies."""
    found = [p for p in w.path.rglob(f"{case}/.organizer/journal.jsonl")]
    return [json.loads(line) for line in found[0].read_bytes().splitlines()] if len(found) == 1 else []


def about(w, verb, *more, case=None):
    return [verb, case or w.case, *more, "-C", w.path]


def opened(w, again):
    """The case is open and lies where it lay, with one document more; again: what a run afterwards must do."""
    w.run(*about(w, "reopen"))
    w.drop("letter {n} 2026-03-02.pdf")
    w.must("sweep", w.path)
    w.again, w.cases = [again], {w.case}
    return again


def closing(w):
    return opened(w, about(w, "close", "--force"))


def by_card(w):
    """A person writes it into the card; the sweep acts on it."""
    opened(w, ["sweep", w.path])
    w.write_into_card("Status: closed", "Close anyway: settled, K")
    return ["sweep", w.path]


def reopening(w):
    opened(w, about(w, "reopen"))
    w.must(*about(w, "close", "--force"))
    return about(w, "reopen")


def archiving(w):
    opened(w, about(w, "archive"))
    w.must(*about(w, "close", "--force"))
    return about(w, "archive")


def retiring(w):
    archiving(w)
    w.must(*about(w, "archive"))
    w.again = [about(w, "retire")]
    return about(w, "retire")


def taking_back(w):
    retiring(w)
    w.must(*about(w, "retire"))
    w.again = [about(w, "reopen")]
    return about(w, "reopen")


def night(w):
    """A day later: one case is closed and changed, the other open with a snapshot of yesterday."""
    w.configure(NIGHTS)
    first = not (w.path / OTHER).exists()
    if first:
        w.must("new", "Jones", "Probate", "-C", w.path)
    opened(w, ["nightly", w.path])
    if first:
        w.must("nightly", w.path)
        w.drop("letter {n} 2026-03-03.pdf")
    w.env["ORGANIZER_CLOCK"] = str(int(w.env.get("ORGANIZER_CLOCK", 0)) + 86400)
    w.case, mine = OTHER, w.case
    w.run(*about(w, "reopen"))
    w.drop("will {n} 2026-03-02.pdf")
    w.must("sweep", w.path)
    w.must(*about(w, "close", "--force"))
    w.case, w.cases = mine, {mine, OTHER}
    return ["nightly", w.path]


MATTERS = {"close": closing, "close by card": by_card, "reopen": reopening, "archive": archiving, "retire": retiring,
           "take back": taking_back, "night": night}
