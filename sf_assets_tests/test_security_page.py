"""docs/security.md: every point names a test, and every test that it names is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/security.md").read_text(encoding="utf-8")
POINTS = [line for line in PAGE.splitlines() if line.startswith("- ")]
TESTS = {
    name
    for path in (ROOT / "sf_assets_tests").rglob("test_*.py")
    for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
}


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point[2:50])
def test_a_point_names_the_tests_behind_it(point):
    assert re.findall(r"`(test_\w+)`", point)


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(test_\w+)`", PAGE))))
def test_a_test_that_is_named_is_there(name):
    assert name in TESTS
