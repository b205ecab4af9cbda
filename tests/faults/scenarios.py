"""Scenarios: what is prepared in a cabinet, and the command at which the fault strikes. Those of whole cases are
in matters.py."""
import hashlib
import os
import signal

from matters import MATTERS, archiving, retiring
from points import fault_env
from world import CONFIG, Violation


def filing(w):
    w.drop("letter {n} 2026-03-02.pdf")
    w.drop("order 2026-03-02.pdf")
    w.drop("order 3-2-26.pdf")
    w.drop("scan{n}.pdf")
    return ["sweep", w.path]


def reading(w):
    """What documents say is read when they are filed, and recorded."""
    w.drop("letter {n} 2026-03-02.txt", data=b"Dear Counsel,\n\nenclosed are the exhibits.\n\nVery truly yours\n")
    w.drop("scan{n}.txt", data=b"IN THE CIRCUIT COURT OF COOK COUNTY\n\nORDER\n\nIt is so ordered. Dated: March 2, 2026\n")
    return ["sweep", w.path]


def renaming_a_case(w):
    w.drop("order 2026-03-02.pdf")
    w.drop("letter {n} 2026-03-02.pdf")
    w.must("sweep", w.path)
    to = "Smith-K_Divorce" if w.case == "Smith_Divorce" else "Smith_Divorce"
    os.rename(w.path / w.case, w.path / to)
    w.case = to
    w.write_into_card("Rename documents: yes")
    return ["sweep", w.path]


def planned(w):
    w.configure(CONFIG.replace("enforce", "suggest"))
    w.drop("order {n} 2026-03-02.pdf")
    w.drop("answer {n} 3-2-26.pdf", "Pleadings")
    w.must("sweep", w.path)
    w.must("plan", w.path, "-o", w.base / "plan.csv")
    return ["apply", w.base / "plan.csv", "-C", w.path]


def undoing(w):
    w.drop("order {n} 2026-03-02.pdf")
    w.drop("letter {n} 2026-03-02.pdf")
    w.must("sweep", w.path)
    return ["undo", w.path / w.case, "--last", "2"]


def at_work(w):
    """Two documents that nobody files; those before them are gone."""
    for old in sorted(p for p in w.files() if p.parent.name == "Work"):
        w.contents.discard(hashlib.sha256(old.read_bytes()).hexdigest())
        old.unlink()
    a, b = w.drop("a{n}.pdf", "Work"), w.drop("b{n}.pdf", "Work")
    w.must("sweep", w.path)
    return a, b


def edit(w, path):
    w.contents.discard(hashlib.sha256(path.read_bytes()).hexdigest())
    with open(path, "ab") as f:
        f.write(b"edited\n")
    w.contents.add(hashlib.sha256(path.read_bytes()).hexdigest())


def edits(w):
    """Documents are edited, renamed, removed by people: journal and pages only."""
    a, b = at_work(w)
    edit(w, a)
    os.rename(b, b.with_name(f"c{w.serial}.pdf"))
    return ["sweep", w.path]


def watching(w):
    """Struck is the daemon, among people."""
    a, b = at_work(w)
    w.meanwhile = [lambda: filing(w), lambda: edit(w, a), lambda: os.rename(b, b.with_name(f"c{w.serial}.pdf")),
                   lambda: w.write_into_card(f"Opposing counsel: Doe {w.serial}")]
    return ["watch", w.path]


def two_documents(w):
    w.drop("letter {n} 2026-03-02.pdf")
    w.drop("order 2026-03-02.pdf")
    return ["sweep", w.path]


def recovering(scenario, at, calls=("renameat2",), path=None):
    """The scenario was killed at the `at`th of these calls, of those on what has this in its name; struck is the sweep
    behind it."""
    def prepare(w):
        r = w.run(*scenario(w), env=fault_env(w, calls, at, "kill", path=path))
        if r.returncode != -signal.SIGKILL:
            raise Violation(f"there is nothing to recover from: exit {r.returncode}")
        return ["sweep", w.path]
    return prepare


SYNCS = ("syncfs", "fsync")
# What was renamed or archived is in no journal yet; of two that are to be undone, one is.
RECOVERIES = {
    "recovery 1": recovering(two_documents, 1), "recovery 2": recovering(two_documents, 2),
    "recovery 3": recovering(two_documents, 5, SYNCS), "apply recovered": recovering(planned, 1, SYNCS),
    "undo recovered": recovering(undoing, 2), "rename recovered": recovering(renaming_a_case, 1, SYNCS),
    "archive recovered": recovering(archiving, 1, ("write",), "journal.jsonl"),
    "retire recovered": recovering(retiring, 1, SYNCS)}
SCENARIOS = {"filing": filing, "reading": reading, "renaming a case": renaming_a_case, "apply": planned, "undo": undoing,
             "edits and pages": edits, "watching": watching, **RECOVERIES, **MATTERS}
# In which it counts what documents say.
READ = {"reading"}
# In which a person had asked for what was ended, once: no sweep makes up for it.
ONCE = {"apply recovered", "undo recovered"}
# What a daemon calls, and when, hangs on what comes to it when: a point is a way there, also where a call is one else.
UNEVEN = {"watching"}
