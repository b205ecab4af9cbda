"""Each mutant of tests/mutants/list.toml still applies: what it takes out stands there once, and its tests are there."""
import pathlib
import tomllib

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
MUTANTS = tomllib.loads((ROOT / "tests/mutants/list.toml").read_text())["mutant"]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m["name"])
def test_what_it_takes_out_stands_there_once(mutant):
    assert (ROOT / mutant["file"]).read_text().count(mutant["from"]) == 1


@pytest.mark.parametrize("test", sorted({t for m in MUTANTS for t in m["tests"]}))
def test_its_tests_are_there(test):
    file, _, function = test.partition("::")
    assert (ROOT / "tests" / f"{file.removesuffix('.py')}{'.c' if file.startswith('unit/') else '.py'}").is_file()
    assert not function or f"def {function.split('::')[-1]}(" in (ROOT / "tests" / file).read_text()


def test_no_two_have_one_name():
    assert len({m["name"] for m in MUTANTS}) == len(MUTANTS)
