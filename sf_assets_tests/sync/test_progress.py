"""How far a long reading is: figures first, then the line, and not more lines than a person reads."""

from datetime import UTC, datetime

import pytest

from sf_assets.sync.progress import ProgressLog, progress_of
from sf_assets.sync.report import SyncReport
from sf_assets_tests.changed import changed


def record(**facts):
    return changed(SyncReport("account", "Account", "00D", datetime(2026, 3, 10, tzinfo=UTC)), **facts)


def test_pages_and_minutes_left_follow_from_what_has_come():
    progress = progress_of(record(read__rows=24_000, read__pages=12, planned__rows=80_000), seconds=12)

    assert (progress.pages_planned, progress.rows_per_second, progress.minutes_left) == (40, 2000.0, 0.5)
    assert str(progress) == "account: page 12 of 40, 24,000 of 80,000 rows, 2,000 rows/s, 0.5 minutes left"


def test_a_reading_of_unknown_length_has_no_end_in_its_line():
    assert str(progress_of(record(read__rows=500, read__pages=1), seconds=1)) == "account: page 1, 500 rows, 500 rows/s"


def test_more_rows_than_were_planned_are_the_plan():
    progress = progress_of(record(read__rows=900, read__pages=2, planned__rows=800), seconds=1)

    assert (progress.pages_planned, progress.rows_planned, progress.minutes_left) == (2, 900, 0.0)


@pytest.mark.parametrize(("pages_a_second", "seconds", "lines"), [(10, 4, 0), (10, 31, 6), (0.1, 60, 6)])
def test_a_line_comes_every_five_seconds_however_fast_the_pages_do(pages_a_second, seconds, lines):
    lines_logged, time = [], [0.0]
    log = ProgressLog(lambda text, extra: lines_logged.append(extra["progress"]), monotonic=lambda: time[0])
    read = record(planned__rows=1_000_000)

    for page in range(int(seconds * pages_a_second)):
        time[0] = (page + 1) / pages_a_second
        read.read.pages, read.read.rows = page + 1, (page + 1) * 2_000
        log(read)

    assert len(lines_logged) == lines
    assert [one["rows"] for one in lines_logged] == sorted({one["rows"] for one in lines_logged})


@pytest.mark.slow
def test_a_sync_is_watched_page_by_page(lake):
    lake.org.behave(page_rows=2)
    pages = []

    report = lake.sync("account", watch=lambda report: pages.append(report.read.pages))["account"]

    assert pages == list(range(1, report.read.pages + 1))
    assert report.read.pages > 2
    assert report.planned.rows == len(lake.org.rows("Account"))
