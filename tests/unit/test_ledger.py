"""What the fault suites note of the points they tried is there again, wherever the run was ended."""
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/faults"))
from ledger import Ledger  # noqa: E402


def noted(folder):
    ledger = Ledger(folder, "kill, filing")
    ledger.count(3, [1, 2, 3])
    ledger.note(1, True, None)
    ledger.note(2, False, "it hangs")
    return ledger.path


def test_what_was_noted_is_there_again(tmp_path):
    noted(tmp_path)
    again = Ledger(tmp_path, "kill, filing")
    assert again.counted == (3, [1, 2, 3]) and again.seen == {1: (True, None), 2: (False, "it hangs")}


@pytest.mark.parametrize("cut", [1, 2, 20])
def test_a_line_that_was_cut_spoils_none_behind_it(tmp_path, cut):
    path = noted(tmp_path)
    path.write_bytes(path.read_bytes()[:-cut])
    Ledger(tmp_path, "kill, filing").note(3, True, None)
    again = Ledger(tmp_path, "kill, filing")
    assert again.seen[1] == (True, None) and again.seen[3] == (True, None)
    assert (2 in again.seen) == (cut == 1)  # then only its end is missing


def test_without_a_folder_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ledger = Ledger(None, "kill, filing")
    ledger.note(1, True, None)
    assert ledger.seen and not list(tmp_path.iterdir())
