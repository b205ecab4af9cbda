"""`make install` into a folder of its own: what is there, and that it works from there."""
import os
import shutil
import stat
import subprocess

import pytest

from conftest import BUILD, ROOT, Cabinet, pdf

EVENTS = {"before-filing", "filed", "needs-attention", "case-opened", "case-closed", "integrity",
          "text", "archived", "nightly"}


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    dest = tmp_path_factory.mktemp("dest")
    # "all" is what the tests run already: nothing is compiled for this.
    subprocess.run(["make", "-s", "-o", "all", "install", f"B={BUILD}", f"DESTDIR={dest}",
                    "PREFIX=/opt/organizer"], cwd=ROOT, check=True, capture_output=True)
    return dest


@pytest.fixture
def program(installed, tmp_path, monkeypatch):
    """A cabinet that is kept by the installed program, with the rules it finds by itself."""
    monkeypatch.delenv("ORGANIZER_RULES", raising=False)
    monkeypatch.setattr("conftest.EXE", installed / "opt/organizer/bin/organizer")
    return Cabinet(tmp_path)


def test_everything_is_where_it_belongs(installed):
    prefix = installed / "opt/organizer"
    for path in ("bin/organizer", "lib/organizer/organizer-main", "lib/organizer/organizer-parsers",
                 "share/organizer/rules/conventions.yaml",
                 "share/organizer/rules/types/motions.yaml",
                 "share/organizer/rules/language/en.yaml",
                 "share/organizer/hooks/before-filing/clamav",
                 "share/organizer/service/smb.conf", "share/organizer/service/mail-hook.conf",
                 "share/organizer/hooks/archived/offsite", "share/organizer/hooks/nightly/mail",
                 "share/organizer/service/offsite-hook.conf",
                 "lib/systemd/system/organizer-nightly@.service",
                 "lib/systemd/system/organizer-nightly@.timer",
                 "lib/systemd/system/organizer@.service", "lib/sysusers.d/organizer.conf",
                 "lib/tmpfiles.d/organizer.conf", "share/man/man1/organizer.1",
                 "share/man/man5/organizer.yaml.5", "share/man/man5/organizer-rules.5",
                 "share/bash-completion/completions/organizer"):
        assert (prefix / path).is_file(), path


def test_hook_folders_are_ready_and_empty(installed):
    hooks = installed / "etc/organizer/hooks"
    assert {p.name for p in hooks.iterdir()} == EVENTS
    for p in hooks.iterdir():
        assert stat.S_IMODE(p.stat().st_mode) == 0o755
        assert not list(p.iterdir())


def test_all_rules_and_hooks_are_installed(installed):
    share = installed / "opt/organizer/share/organizer"
    for folder in ("rules", "hooks"):
        def names(top):
            return sorted(p.relative_to(top) for p in top.rglob("*") if p.is_file())
        assert names(share / folder) == names(ROOT / folder)
    for hook in (share / "hooks").glob("*/*"):
        assert os.access(hook, os.X_OK), hook


def test_nobody_else_may_write_what_is_installed(installed):
    for p in installed.rglob("*"):
        assert not p.lstat().st_mode & 0o022, p


def test_the_unit_starts_the_installed_program(installed):
    unit = (installed / "opt/organizer/lib/systemd/system/organizer@.service").read_text()
    assert "ExecStart=/opt/organizer/bin/organizer watch %f\n" in unit
    assert "/usr/bin/organizer" not in unit


def test_installed_rules_pass_their_own_tests(program):
    program.path.mkdir()
    r = program.run("rules", "test")
    assert ", 0 failed" in r.stdout


def test_the_installed_program_files_a_document(program):
    program.init()
    program.run("new", "Smith", "Divorce", "-C", program.path)
    program.drop("Smith_Divorce/Inbox", "letter 3-2-26.pdf", pdf("one"))
    program.run("sweep", program.path)
    assert (program.path / "Smith_Divorce/Correspondence/Smith_Divorce_Letter_2026-03-02.pdf").exists()


def test_completion_knows_all_verbs(installed):
    if not shutil.which("bash"):
        pytest.skip("this test wants bash")
    script = installed / "opt/organizer/share/bash-completion/completions/organizer"
    out = subprocess.run(
        ["bash", "-c", f"PATH={installed}/opt/organizer/bin:$PATH; . {script}; COMP_CWORD=1; "
         'COMP_WORDS=(organizer ""); _organizer; printf "%s\\n" "${COMPREPLY[@]}"'],
        capture_output=True, text=True, check=True, env=dict(os.environ, HOME="/tmp")).stdout.split()
    assert {"init", "watch", "sweep", "undo", "verify", "rules"} <= set(out)
