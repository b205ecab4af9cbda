"""Scenarios: what is prepared in a cabinet, and the command at which the fault strikes. Those of whole cases are
in matters.py."""
import hashlib
import os
import signal

from matters import MATTERS
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


def edits(w):
    """Documents are edited, renamed, removed by people: journal and pages only."""
    for old in sorted(p for p in w.files() if p.parent.name == "Work"):
        w.contents.discard(hashlib.sha256(old.read_bytes()).hexdigest())
        old.unlink()
    a, b = w.drop("a{n}.pdf", "Work"), w.drop("b{n}.pdf", "Work")
    w.must("sweep", w.path)
    w.contents.discard(hashlib.sha256(a.read_bytes()).hexdigest())
    with open(a, "ab") as f:
        f.write(b"edited\n")
    w.contents.add(hashlib.sha256(a.read_bytes()).hexdigest())
    os.rename(b, b.with_name(f"c{w.serial}.pdf"))
    return ["sweep", w.path]


def recovering(at):
    """A sweep that was killed just before its `at`th renaming, or behind the last one."""
    def prepare(w):
        w.drop("letter {n} 2026-03-02.pdf")
        w.drop("order 2026-03-02.pdf")
        names = ["renameat2"] if at < 3 else ["syncfs", "fsync"]
        r = w.run("sweep", w.path, env=fault_env(w, names, at if at < 3 else 5, "kill"))
        if r.returncode != -signal.SIGKILL:
            raise Violation(f"there is nothing to recover from: exit {r.returncode}")
        return ["sweep", w.path]
    return prepare


SCENARIOS = {"filing": filing, "reading": reading, "renaming a case": renaming_a_case, "apply": planned, "undo": undoing,
             "edits and pages": edits, "recovery 1": recovering(1), "recovery 2": recovering(2), "recovery 3": recovering(3), **MATTERS}
# In which it counts what documents say.
READ = {"reading"}
