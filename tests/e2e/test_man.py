"""The manual says what the program does: verbs, keys, conditions, events, reasons."""
import os
import re
import shutil
import subprocess

import pytest

from conftest import EXE, ROOT

MAN = ROOT / "organizer" / "man"
PAGES = sorted(MAN.iterdir())


def text(name):
    return (MAN / name).read_text()


def source(path):
    return (ROOT / "organizer" / path).read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_pages_are_without_a_warning(page):
    if shutil.which("mandoc"):
        command = ["mandoc", "-T", "lint", "-W", "warning", page]
    elif shutil.which("groff"):
        command = ["groff", "-mdoc", "-ww", "-b", "-Tutf8", page]
    else:
        pytest.skip("this test wants mandoc or groff")
    r = subprocess.run(command, capture_output=True, text=True)
    assert r.returncode == 0 and r.stderr == "", r.stderr
    if command[0] == "mandoc":
        assert r.stdout == ""


def test_every_verb_is_described():
    out = subprocess.run([str(EXE), "help"], capture_output=True, text=True, check=True,
                         env=dict(os.environ, HOME="/tmp")).stdout
    verbs = re.findall(r"^  organizer (\w+)", out, re.M)
    assert len(verbs) > 10
    for verb in verbs:
        assert re.search(rf"^\.It Cm {verb}\b", text("organizer.1"), re.M), verb


def test_every_option_is_described():
    options = re.findall(r'\{"([a-z-]+)", (?:no|required)_argument', source("verbs/call.c"))
    assert len(options) > 6
    for option in options:
        assert f"\\-{option}" in text("organizer.1"), option


def test_every_key_of_the_configuration_is_described():
    keys = re.findall(r'\{"([a-z_]+)", read_', source("cabinet/config.c"))
    assert len(keys) > 10
    for key in keys:
        assert re.search(rf"^\.It Cm {key} :", text("organizer.yaml.5"), re.M), key


def test_every_condition_is_described():
    conditions = re.findall(r'\{"([a-z]+)", parse_', source("decide/match_when.c"))
    assert len(conditions) > 10
    part = text("organizer-rules.5").split(".Sh CONDITIONS")[1]
    for condition in conditions:
        assert re.search(rf"^\.It Cm .*\b{condition}\b", part, re.M), condition


def test_every_reason_is_listed():
    reasons = re.findall(r'\[REASON_\w+\] = "([a-z-]+)"', source("decide/reason.c"))
    part = text("organizer.1").split(".Sh REASONS")[1].split(".Sh HOOKS")[0]
    listed = re.findall(r"[a-z][a-z-]+", " ".join(
        line[4:] for line in part.splitlines() if line.startswith(".Ql ")))
    assert sorted(listed) == sorted(set(reasons) - {"none"})


def test_every_event_is_described():
    events = set()
    for path in (ROOT / "organizer" / "flow").glob("*.c"):
        events |= set(re.findall(r'(?:run_hook|flow_tell_case|hooks_run)\(f(?:->hooks)?, "([a-z-]+)"',
                                 path.read_text()))
    assert events == {"before-filing", "filed", "needs-attention", "case-opened", "case-closed",
                      "integrity", "archived", "nightly"}
    for event in events:
        assert f".It Cm {event}\n" in text("organizer.1"), event


def test_the_completion_offers_every_option():
    options = re.findall(r'\{"([a-z-]+)", (?:no|required)_argument', source("verbs/call.c"))
    completion = source("completions/organizer.bash")
    for option in options:
        assert f"--{option}" in completion, option
