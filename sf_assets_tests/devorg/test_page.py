"""docs/devorg.md: each of its lists equals the code's."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from sf_assets.devorg import Behaviour, Fault
from sf_assets.devorg.api.admin_api import ADMIN_ROUTES
from sf_assets.devorg.api.routes import ROUTES
from sf_assets.devorg.org.org import OPERATIONS
from sf_assets.devorg.org.refusal_catalog import DATA_REFUSALS, LOGIN_REFUSALS
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
        ("Settings", [field.name for field in fields(Behaviour)]),
        ("Faults", [field.name for field in fields(Fault)]),
        ("What is served", ["token", "versions", *(kind for kind, _, _ in ROUTES)]),
        ("Changes", OPERATIONS),
    ],
)
def test_a_table_lists_every_name_of_the_code(title, names):
    assert sorted(first_column(title)) == sorted(names)


def test_every_route_of_the_admin_api_is_listed():
    routes_on_page = re.findall(r"`((?:GET|POST|DELETE) /practice/[^`?]+)`", section("The admin API"))

    routes = [f"{method} {pattern}" for method, pattern, _ in ADMIN_ROUTES]
    assert sorted(routes_on_page) == sorted(
        route.replace(r"(\w+)", "<sObject>").replace(r"(\d+)", "<n>") for route in routes
    )


def test_every_named_refusal_is_listed():
    names = section("Faults").partition("Names of refusals")[2].partition("refusal_catalog.py`:")[2]

    assert sorted(re.findall(r"`(\w+)`", names)) == sorted([*DATA_REFUSALS, *LOGIN_REFUSALS])


def test_the_language_is_listed():
    supported, refused = section("What is served"), section("What is refused")

    for word in AGGREGATES | COMPARISONS:
        assert re.search(rf"[`, ]{re.escape(word)}[`, (]", supported), word
    for clause in UNSUPPORTED_CLAUSES.values():
        assert f"`{clause.partition(',')[0]}`" in refused, clause


def test_the_versions_are_listed():
    assert f"API versions {Behaviour().oldest_version}.0 to {Behaviour().newest_version}.0" in PAGE
