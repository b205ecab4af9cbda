"""The map in main.c's first comment and the tree are the same."""
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCE = ROOT / "organizer"
MAP = (SOURCE / "main.c").read_text().split("*/")[0]
# "├─ flow_open        flow/     the way of a document": an entry function and its folder
ENTRIES = re.findall(r"─ (\w+) +(\w+)/ ", MAP)
FILES = re.findall(r"(\w+)/(\w+\.c)", MAP)


def test_the_map_names_exactly_the_folders_there_are():
    named = set(re.findall(r"(?<![\w/])(\w+)/(?=\s)", MAP))
    there = {p.name for p in SOURCE.iterdir() if p.is_dir() and any(p.glob("*.c"))}
    assert named == there


@pytest.mark.parametrize("function,folder", ENTRIES)
def test_an_entry_function_lives_in_its_folder(function, folder):
    definition = re.compile(rf"^[a-z][^;=\n]*\b{function}\(", re.M)
    assert any(definition.search(p.read_text()) for p in (SOURCE / folder).glob("*.c"))


@pytest.mark.parametrize("folder,file", FILES)
def test_a_file_that_is_named_is_there(folder, file):
    assert (SOURCE / folder / file).is_file()


def test_every_folder_has_an_entry():
    assert {folder for _, folder in ENTRIES} | {"base"} >= {
        p.name for p in SOURCE.iterdir() if p.is_dir() and any(p.glob("*.c"))}
