"""One object read in several ranges of Ids at once: kills, changes meanwhile, orgs that answer in other forms."""

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import polars as pl
import pytest

from sf_assets.devorg.org.faults import Fault
from sf_assets.errors import TableForeign
from sf_assets.sync.id_range import IdRange
from sf_assets.sync.id_space import IdSpace
from sf_assets.sync.lane import Lane
from sf_assets.sync.lanes import LaneReader
from sf_assets.sync.limits import LaneLimits
from sf_assets.sync.reader import Rows
from sf_assets.sync.state import State
from sf_assets_tests.sync.histories.lake import KilledError

LANES = LaneLimits(least_rows=0, page_rows=20, most=4, window_pages=3)
ROWS = 600


@pytest.fixture
def many(lake):
    rows = [{"LastName": f"n{i}"} for i in range(ROWS)]
    lake.org.insert_many("Contact", rows, stamp=lake.clock() - timedelta(days=2))
    lake.org.update("Contact", lake.org.rows("Contact")[1]["Id"], {"FirstName": "the ceiling"})
    lake.clock.advance(days=1)
    return lake


@pytest.mark.slow
def test_lanes_read_every_row_once(many):
    report = many.sync("contact", lanes=LANES)["contact"]

    many.assert_equal("contact")
    row_count = len(many.org.rows("Contact"))
    assert report.read.rows <= row_count + LANES.page_rows  # the tail after the walk reads the newest row again
    assert report.read.calls <= 1.3 * row_count / LANES.page_rows + LANES.most


@pytest.mark.slow
@pytest.mark.parametrize(
    "after_pages", [1, 8, 26, *(pytest.param(pages, marks=pytest.mark.heavy) for pages in (2, 3, 5, 11, 14, 18, 22))]
)
def test_a_walk_in_lanes_that_is_killed_goes_on(many, after_pages):
    with pytest.raises(KilledError):
        many.sync("contact", lanes=LANES, commit_rows=1, dies_after=after_pages)
    rows_before = many.table("contact")
    many.org.update("Contact", many.org.rows("Contact")[0]["Id"], {"FirstName": "changed meanwhile"})
    many.org.update("Contact", many.org.rows("Contact")[-1]["Id"], {"FirstName": "changed meanwhile"})
    many.clock.advance(days=1)

    report = many.sync("contact", lanes=LANES)["contact"]

    many.assert_equal("contact")
    row_count = len(many.org.rows("Contact"))
    assert report.read.rows <= row_count - len(rows_before) + (LANES.most + 1) * LANES.page_rows


@pytest.mark.slow
def test_a_killed_walk_leaves_spans_that_a_walk_without_lanes_goes_on_from(many):
    spans = ()
    for after_pages in (6, 9, 12):
        with pytest.raises(KilledError):
            many.sync("contact", lanes=LANES, commit_rows=1, dies_after=after_pages)
        spans = spans or many.state("contact").position.walk.spans
    assert spans

    many.sync("contact")

    many.assert_equal("contact")


@pytest.mark.slow
def test_rows_that_change_while_lanes_read_are_in_the_table(many):
    rows_to_change = iter(many.org.rows("Contact")[5::40])

    def change_one(_):
        row = next(rows_to_change, None)
        if row is not None:
            many.clock.advance(seconds=1)
            many.org.update("Contact", row["Id"], {"FirstName": "while it was read"})

    many.sync("contact", lanes=LANES, watch=change_one)
    many.clock.advance(days=1)
    many.sync("contact", lanes=LANES)

    many.assert_equal("contact")


@pytest.mark.slow
def test_a_walk_in_lanes_goes_on_without_an_answer_to_count(many):
    with pytest.raises(KilledError):
        many.sync("contact", lanes=LANES, commit_rows=1, dies_after=8)
    assert many.state("contact").position.walk.spans
    many.org.faults.append(Fault(soql="COUNT(", status=400, error_code="MALFORMED_QUERY", times=None))

    many.sync("contact", lanes=LANES)

    many.assert_equal("contact")


@pytest.mark.slow
def test_an_org_that_refuses_an_upper_bound_of_ids_is_read_in_order(many):
    many.org.faults.append(Fault(soql="Id <= '", status=400, error_code="MALFORMED_QUERY", times=None))

    report = many.sync("contact", lanes=LANES)["contact"]

    many.assert_equal("contact")
    assert "refused an upper bound" in " ".join(report.problems.notes)


@pytest.mark.slow
def test_a_full_refresh_in_lanes_ends_while_rows_change(many):
    wide, first_sparse = replace(LANES, window_pages=25), 300
    many.org.insert_many("Contact", [{"LastName": f"m{i}"} for i in range(2_400)])
    ids = [row["Id"] for row in many.org.rows("Contact")]
    many.org.purge_many("Contact", [row_id for i, row_id in enumerate(ids) if i > first_sparse and i % 10])
    names = iter(range(10_000))

    def change_all(_):
        many.clock.advance(seconds=1)
        for row in many.org.rows("Contact")[first_sparse::3]:
            many.org.update("Contact", row["Id"], {"FirstName": f"{next(names)}"})

    many.sync("contact", lanes=wide, full_refresh=True)
    many.sync("contact", lanes=wide, full_refresh=True, watch=change_all)
    many.clock.advance(days=1)
    many.sync("contact", lanes=wide)

    many.assert_equal("contact")


UNDECIDED, BYTES, CASELESS = ["003A", "003B"], ["003B", "003a"], ["003a", "003B"]


@pytest.mark.parametrize(
    ("other_ids", "page", "own", "is_done"),
    [
        (UNDECIDED, ["003A", "003B", "003C", "003a"], ["003A", "003B"], True),
        (BYTES, ["003A", "003B", "003a", "003b"], ["003A", "003B"], True),
        (CASELESS, ["003A", "003a", "003b", "003C"], ["003A", "003a", "003b"], True),
        (UNDECIDED, ["003A", "003a", "003b", "003C"], ["003A"], False),
        (UNDECIDED, ["003a", "003b"], [], False),
        (BYTES, ["003A", "003B"], ["003A", "003B"], False),
    ],
)
def test_a_lane_leaves_out_the_rows_after_its_range(other_ids, page, own, is_done):
    space = IdSpace()
    space.observe_page(pl.Series(other_ids))
    lane = Lane(IdRange(None, after="0030", upper="003B", limit=5), first=None, taken=None)

    rows = lane.own_rows(Rows(pl.DataFrame({"id": page}), 5, is_resumable=True), space)

    assert rows.frame["id"].to_list() == own
    assert (lane.range.is_done, lane.range.after) == (is_done, own[-1] if own else "0030")


def test_a_lane_takes_every_row_of_a_query_with_its_own_bound():
    lane = Lane(IdRange(None, after="0030", upper="003B", limit=5), first=None, taken=None)
    lane.range.sent_upper = "003B"

    rows = lane.own_rows(Rows(pl.DataFrame({"id": ["003a", "003b"]}), 2, is_resumable=True), IdSpace())

    assert rows.frame["id"].to_list() == ["003a", "003b"]


@pytest.mark.parametrize(("rows_left", "is_bounded"), [(20, False), (22, True), (30, True), (39, True)])
def test_the_last_two_pages_are_read_at_once(many, rows_left, is_bounded):
    ids = [row["Id"] for row in many.org.rows("Contact")]
    lanes = LaneReader(SimpleNamespace(lanes=LANES), after_id=ids[19], spans=(), rows_expected=rows_left)
    (last,) = lanes._lanes
    lanes._space.observe_page(pl.Series(ids[:20]))
    last.page = (ids[0], ids[19])
    lanes._width = lanes._page_width(last)

    assert lanes._next_lane() is last
    assert (last.range.upper is not None) == is_bounded
    assert len(lanes._lanes) == 1 + is_bounded


@pytest.mark.slow
def test_a_full_refresh_in_lanes_equals_the_org(many):
    many.sync("contact", lanes=LANES)
    many.org.update("Contact", many.org.rows("Contact")[7]["Id"], {"FirstName": "changed"})

    many.sync("contact", lanes=LANES, full_refresh=True)

    many.assert_equal("contact")


@pytest.mark.slow
def test_pages_shorter_than_asked_for_are_followed_in_each_lane(many):
    many.org.behave(short_pages=(7, 3, 11))

    many.sync("contact", lanes=LANES)

    many.assert_equal("contact")


@pytest.mark.slow
def test_a_state_with_something_that_this_version_does_not_know_is_refused(many):
    with pytest.raises(KilledError):
        many.sync("contact", lanes=LANES, commit_rows=1, dies_after=6)
    text = many.state("contact").to_json()

    with pytest.raises(TableForeign, match="lanes_of_tomorrow"):
        State.from_json(text.replace('"walk":{', '"walk":{"lanes_of_tomorrow":1,'))
    assert State.from_json(text).to_json() == text


@pytest.mark.slow
@pytest.mark.parametrize("after_pages", [4, 9, 17])
def test_a_kill_between_slow_pages_costs_a_page_a_lane(many, after_pages):
    with pytest.raises(KilledError):
        many.sync("contact", lanes=LANES, dies_after=after_pages, watch=lambda _: many.clock.advance(seconds=1))
    row_count, count_before = len(many.org.rows("Contact")), len(many.table("contact"))

    report = many.sync("contact", lanes=LANES)["contact"]

    many.assert_equal("contact")
    assert count_before >= (after_pages - 2) * LANES.page_rows
    assert report.read.rows <= row_count - count_before + LANES.page_rows
