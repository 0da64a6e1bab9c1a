"""docs/security.md: each of its sentences names a test, and each test that it names exists."""

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/security.md").read_text(encoding="utf-8")
LIMITS = "What is not protected"
"""The one section without tests."""
NAMED = re.compile(r"`(test_\w+)`")
ENDS = re.compile(r"[.!?](?=\s|$)")
FILES = {path: path.read_text(encoding="utf-8") for path in (ROOT / "sf_assets_tests").rglob("test_*.py")}
DEFINED = Counter(name for text in FILES.values() for name in re.findall(r"^def (test_\w+)", text, flags=re.MULTILINE))
LEFT_OUT = re.findall(r"not (\w+)", re.search(r'"-m", "(.*?)"', (ROOT / "pyproject.toml").read_text("utf-8"))[1])
"""Marks of the tests that `make test` does not run."""
APART = {
    name
    for text in FILES.values()
    if re.search(rf"^pytestmark = .*mark\.({'|'.join(LEFT_OUT)})\b", text, flags=re.MULTILINE)
    for name in re.findall(r"^def (test_\w+)", text, flags=re.MULTILINE)
}


def claims(page):
    """The blocks that must be tested: points, rows and paragraphs, but for introductions, code and the limits."""
    page = re.sub(r"^```.*?^```", "", page, flags=re.MULTILINE | re.DOTALL)
    for section in re.split(r"^## ", page, flags=re.MULTILINE)[1:]:
        title, _, body = section.partition("\n")
        if title.strip() != LIMITS:
            yield from (block for part in body.split("\n\n") for block in blocks(part.strip()))


def blocks(part):
    """Points and rows one by one, a paragraph whole; no head of a table, and no line that leads to code."""
    rows = part.splitlines()
    if part.startswith("|"):
        return rows[2:]
    points = [" ".join(point.split()) for point in re.split(r"^- ", part, flags=re.MULTILINE)]
    return [point for point in points if point and not point.endswith(":")]


def texts_without_test(block):
    """The words of a block that no name of a test follows, and those between two names that are several sentences."""
    *texts, rest = re.split(r"(?:`test_\w+`[\s|]*)+", block)
    loose = [rest] if re.search(r"\w", rest) else []
    return loose + [words for words in texts if len(ENDS.findall(re.sub(r"`[^`]*`", "", words).strip())) > 1]


@pytest.mark.parametrize("claim", list(claims(PAGE)), ids=lambda claim: claim.strip("| ")[:50])
def test_a_sentence_and_a_row_name_the_tests_behind_them(claim):
    assert texts_without_test(claim) == []


@pytest.mark.parametrize("name", sorted(set(NAMED.findall(PAGE))))
def test_a_test_that_is_named_is_there_and_is_the_only_one_of_its_name(name):
    assert DEFINED[name] == 1


@pytest.mark.parametrize("claim", list(claims(PAGE)), ids=lambda claim: claim.strip("| ")[:50])
def test_what_make_test_does_not_try_says_by_which_target_it_is_tried(claim):
    if APART & set(NAMED.findall(claim)):
        assert re.search(r"`make [a-z-]+`", claim)


def test_it_is_known_which_tests_stand_apart():
    assert "test_a_run_leaves_no_secret_anywhere_and_speaks_to_no_other_host" not in APART
    assert "browser" in LEFT_OUT
    in_browsers = "".join(text for path, text in FILES.items() if path.parent.name == "browser")
    assert set(re.findall(r"^def (test_\w+)", in_browsers, flags=re.MULTILINE)) <= APART


def test_the_page_has_its_sections():
    assert len(list(claims(PAGE))) > 50
    assert {"## Secrets", "## Personal data", "## Threats", f"## {LIMITS}"} <= set(PAGE.splitlines())


@pytest.mark.parametrize(
    "line",
    [
        "- The moon is made of cheese.",
        "- Two sentences. One test. `test_the_page_has_its_sections`",
        "- One that is tested. `test_the_page_has_its_sections` One that is not.",
        "A paragraph between the points.",
        "| who | could | against it | tried by |\n| --- | --- | --- | --- |\n| a ghost | walk in | a door | |",
    ],
)
def test_what_names_no_test_does_not_get_in(line):
    page = PAGE.replace("## Threats\n", f"## Threats\n\n{line}\n")

    assert [claim for claim in claims(page) if texts_without_test(claim)]
    assert not [claim for claim in claims(PAGE) if texts_without_test(claim)]
