"""A page lacks rows that its result announced, it is committed, and the process dies: the next run has every row."""

from contextlib import suppress
from datetime import timedelta

import pytest

from sf_assets.devorg.org.faults import Fault
from sf_assets.errors import ResultIncomplete
from sf_assets.sync.limits import LaneLimits
from sf_assets_tests.sync.histories.lake import KilledError

pytestmark = pytest.mark.slow
LANES = LaneLimits(least_rows=0, page_rows=20, most=3, window_pages=3)
PAGES = "ORDER BY Id LIMIT"


@pytest.fixture
def many(lake):
    """An org of some hundred contacts that no tail reads, because their stamps are old."""
    insert(lake, 240)
    return lake


def insert(lake, rows):
    records = [{"LastName": f"n{i}"} for i in range(rows)]
    lake.org.insert_many("Contact", records, stamp=lake.clock() - timedelta(days=2))
    lake.org.update("Contact", lake.org.rows("Contact")[1]["Id"], {"FirstName": "the ceiling"})
    lake.clock.advance(hours=2)


def lose(lake, places, *, page, times=1, soql=None, kind=None):
    """Let the page of this number (from 0) lack the rows at these places."""
    lake.org.faults.append(Fault(kind=kind, soql=soql, after=page, times=times, lost_rows=places))


def dies(lake, after_pages, **options):
    """Run and die after so many pages. A run that ends before is as good."""
    with suppress(KilledError):
        lake.sync("contact", commit_rows=1, dies_after=after_pages, **options)
    lake.org.faults.clear()


@pytest.mark.parametrize("places", [(7, 8), (-1,), tuple(range(2_000))])
def test_a_walk_commits_no_position_after_a_short_page(lake, places):
    insert(lake, 4_500)
    for after_pages in (1, 1):
        lose(lake, places, page=0, soql=PAGES)
        dies(lake, after_pages)

    lake.sync("contact")

    lake.assert_equal("contact")


@pytest.mark.parametrize(("page", "after_pages"), [(0, 1), (0, 2), (2, 4), (5, 6)])
def test_a_walk_by_locators_commits_no_position_after_a_short_page(many, page, after_pages):
    many.org.behave(page_rows=30)
    lose(many, (-1,), page=page, kind="more")

    dies(many, after_pages)
    many.sync("contact")

    many.assert_equal("contact")


@pytest.mark.parametrize(("places", "after_pages"), [((3,), 1), ((3,), 6), ((-1,), 3), ((-1,), 10)])
def test_lanes_commit_no_position_after_a_short_page(many, places, after_pages):
    for page in (0, 2, 5, 8):
        lose(many, places, page=page, soql=PAGES)

    dies(many, after_pages, lanes=LANES)
    many.sync("contact", lanes=LANES)

    many.assert_equal("contact")


@pytest.mark.parametrize("after_pages", [1, 5])
def test_lanes_with_short_pages_by_locators_commit_no_position(many, after_pages):
    many.org.behave(page_rows=7)
    for page in (1, 4, 9):
        lose(many, (2,), page=page, kind="more")

    dies(many, after_pages, lanes=LANES)
    many.sync("contact", lanes=LANES)

    many.assert_equal("contact")


@pytest.mark.parametrize(("page", "after_pages"), [(0, 2), (1, 3), (1, 5), (3, 5)])
def test_a_tail_commits_no_mark_after_a_short_page(many, page, after_pages):
    many.org.behave(page_rows=20)
    many.sync("contact")
    rows_to_change = many.org.rows("Contact")[20:140]
    for row in rows_to_change:
        many.clock.advance(seconds=1)
        many.org.update("Contact", row["Id"], {"FirstName": "changed"})
    many.clock.advance(hours=2)
    many.org.update("Contact", rows_to_change[0]["Id"], {"FirstName": "the ceiling"})
    lose(many, (5, -1), page=page, kind="more")

    dies(many, after_pages)
    many.clock.advance(hours=1)
    many.sync("contact")

    many.assert_equal("contact")


def test_a_killed_tail_resumes_after_the_rows_that_the_org_counts(many):
    many.org.behave(page_rows=20)
    many.sync("contact")
    for row in many.org.rows("Contact")[20:140]:
        many.org.update("Contact", row["Id"], {"FirstName": "changed"})
    many.clock.advance(hours=2)
    many.org.update("Contact", many.org.rows("Contact")[0]["Id"], {"FirstName": "the ceiling"})

    dies(many, 4)

    assert many.state("contact").position.resume is not None
    assert many.sync("contact")["contact"].read.rows <= 122 - 4 * 20
    many.assert_equal("contact")


@pytest.mark.parametrize("after_pages", [1, 3])
def test_a_reread_commits_no_position_after_a_short_page(many, after_pages):
    many.sync("contact")
    for row in many.org.rows("Contact"):
        many.org.update("Contact", row["Id"], {"FirstName": "changed"}, restamp=False)
    many.org.behave(page_rows=30)
    bounds = {"since": many.clock() - timedelta(days=4_000), "until": many.clock()}
    lose(many, (4,), page=1, kind="more")

    dies(many, after_pages, **bounds)
    many.sync("contact", **bounds)

    many.assert_equal("contact")


@pytest.mark.parametrize("options", [{}, {"lanes": LANES}, {"full_refresh": True}])
def test_a_page_that_stays_short_fails_the_run_and_is_read_by_the_next(many, options):
    many.org.behave(page_rows=30)
    lose(many, (1,), page=0, times=None, soql=PAGES)
    with pytest.raises(ResultIncomplete):
        many.sync("contact", commit_rows=1, **options)
    many.org.faults.clear()

    many.sync("contact")

    many.assert_equal("contact")
