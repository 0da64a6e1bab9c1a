"""docs/devorg.md enumerates: each list of it is the code's, no more and no less."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from sf_assets.devorg import Behaviour, Fault
from sf_assets.devorg.api.admin_api import ADMIN_ROUTES
from sf_assets.devorg.api.routes import ROUTES
from sf_assets.devorg.org.org import OPERATIONS
from sf_assets.devorg.soql.parser import AGGREGATES, COMPARISONS, UNSUPPORTED_CLAUSES

PAGE = Path(__file__).parents[2].joinpath("docs/devorg.md").read_text(encoding="utf-8")


def section(title):
    return re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)[1]


def first_column(title):
    rows = re.findall(r"^\| (`.*?) \|", section(title), re.MULTILINE)
    return [name for row in rows for name in re.findall(r"`(\w+)`", row)]


@pytest.mark.parametrize(
    ("title", "names"),
    [
        ("Behaviour", [field.name for field in fields(Behaviour)]),
        ("Faults", [field.name for field in fields(Fault)]),
        ("What is served", ["token", "versions", *(kind for kind, _, _ in ROUTES)]),
    ],
)
def test_a_table_lists_what_there_is(title, names):
    assert sorted(first_column(title)) == sorted(names)


def test_every_verb_is_listed():
    listed = section("Changes").partition("):\n")[2].partition(". Those")[0]

    assert tuple(re.findall(r"`(\w+)`", listed)) == OPERATIONS


def test_every_door_is_listed():
    listed = re.findall(r"`((?:GET|POST|DELETE) /practice/[^`?]+)`", section("The side door"))

    doors = [f"{method} {pattern}" for method, pattern, _ in ADMIN_ROUTES]
    assert sorted(listed) == sorted(door.replace(r"(\w+)", "<sObject>").replace(r"(\d+)", "<n>") for door in doors)


def test_the_language_is_listed():
    supported, refused = section("What is served"), section("What is refused")

    for word in AGGREGATES | COMPARISONS:
        assert re.search(rf"[` ]{re.escape(word)}[` (]", supported), word
    for clause in UNSUPPORTED_CLAUSES.values():
        assert f"`{clause.partition(',')[0]}`" in refused, clause


def test_the_versions_are_told():
    assert f"API versions {Behaviour().oldest_version}.0 to {Behaviour().newest_version}.0" in PAGE
