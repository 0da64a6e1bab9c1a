"""When a read commits: often where pages are slow, seldom where commits are."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from sf_assets.sync.batches import CommitThreshold
from sf_assets.sync.state import State

STATE = State("00D000000000001EAA", "Account")
PAGE = pl.DataFrame({"id": ["001"] * 2_000})


def commits(*, pages, page_seconds, commit_seconds, least_rows=2_000, most_rows=200_000):
    """Read so many pages and return after which of them a commit came."""
    moment = datetime(2026, 3, 10, tzinfo=UTC)
    threshold = CommitThreshold(lambda: moment, most_rows=most_rows, least_rows=least_rows)
    due = []
    for page in range(1, pages + 1):
        moment += timedelta(seconds=page_seconds)
        for batch in threshold.batch(PAGE, lambda: STATE):
            if batch.state is not None:
                due.append(page)
                moment += timedelta(seconds=commit_seconds)
    return due


def test_slow_pages_are_committed_one_by_one():
    assert commits(pages=5, page_seconds=2, commit_seconds=0.05) == [1, 2, 3, 4, 5]


def test_a_large_object_is_committed_after_a_part_of_its_rows():
    assert commits(pages=10, page_seconds=2, commit_seconds=0.05, least_rows=8_000) == [4, 8]


def test_fast_pages_are_committed_by_their_rows():
    assert commits(pages=30, page_seconds=0.01, commit_seconds=0.01, most_rows=20_000) == [10, 20, 30]


@pytest.mark.parametrize("commit_seconds", [0.05, 0.3, 1, 1.5])
def test_commits_take_at_most_a_tenth_of_the_time(commit_seconds):
    commit_times = commits(pages=200, page_seconds=0.5, commit_seconds=commit_seconds)

    assert len(commit_times) * commit_seconds <= 0.11 * 200 * 0.5 + commit_seconds


def test_a_tail_commits_every_twenty_seconds():
    assert commits(pages=25, page_seconds=2, commit_seconds=0.1, least_rows=None) == [10, 20]
