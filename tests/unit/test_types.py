"""Each type that documents name in their titles or first pages has examples of what it is and of what it is not."""
import pathlib

import pytest
import yaml

RULES = pathlib.Path(__file__).parents[2] / "rules/types"
TYPES = [t for f in sorted(RULES.glob("*.yaml")) for t in yaml.safe_load(f.read_text())["types"]]
# Of these the kind of file or words in no fixed place tell what they are, never a title; Discovery is for
# names that tell no more.
WITHOUT_TITLE = {"Email", "Photo", "Recording", "Video", "Letter", "Form", "Research",
                 "Discovery"}


def sides(type_, *keys):
    """How many of its examples are of it, and how many are not."""
    answers = [a for key in keys for a in (type_.get(key) or {}).values()]
    own = sum(type_["type"] == a or type_["type"] in (a if isinstance(a, list) else []) for a in answers)
    return own, len(answers) - own


def test_there_are_the_types_of_an_office():
    assert len(TYPES) >= 75 and len({t["type"] for t in TYPES}) == len(TYPES)


@pytest.mark.parametrize("type_", TYPES, ids=lambda t: t["type"])
def test_what_it_is_and_is_not_is_shown_by_examples(type_):
    assert all(sides(type_, "examples")), "of names"
    if type_["type"] not in WITHOUT_TITLE:
        assert type_.get("title"), "a title"
        assert all(sides(type_, "title_examples", "page_examples")), "of titles and first pages"
