"""How far a long reading is: figures first, then the line, and not more lines than a person reads."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sf_assets.salesforce.client import Client
from sf_assets.salesforce.login.credentials import Credentials
from sf_assets.specs.endpoints import endpoints
from sf_assets.sync.endpoint import sync
from sf_assets.sync.preflight import survey
from sf_assets.sync.progress import ProgressLog, progress_of
from sf_assets.sync.report import Options, SyncReport


def record(**facts):
    return SyncReport("account", "Account", "00D", datetime(2026, 3, 10, tzinfo=UTC), **facts)


def test_pages_and_minutes_left_follow_from_what_has_come():
    progress = progress_of(record(rows_read=24_000, pages=12, rows_planned=80_000), seconds=12)

    assert (progress.pages_planned, progress.rows_per_second, progress.minutes_left) == (40, 2000.0, 0.5)
    assert str(progress) == "account: page 12 of 40, 24,000 of 80,000 rows, 2,000 rows/s, 0.5 minutes left"


def test_a_reading_of_unknown_length_has_no_end_in_its_line():
    assert str(progress_of(record(rows_read=500, pages=1), seconds=1)) == "account: page 1, 500 rows, 500 rows/s"


def test_more_rows_than_were_planned_are_the_plan():
    progress = progress_of(record(rows_read=900, pages=2, rows_planned=800), seconds=1)

    assert (progress.pages_planned, progress.rows_planned, progress.minutes_left) == (2, 900, 0.0)


@pytest.mark.parametrize(("pages_a_second", "seconds", "lines"), [(10, 4, 0), (10, 31, 6), (0.1, 60, 6)])
def test_a_line_comes_every_five_seconds_however_fast_the_pages_do(pages_a_second, seconds, lines):
    told, time = [], [0.0]
    log = ProgressLog(lambda text, extra: told.append(extra["progress"]), monotonic=lambda: time[0])
    read = record(rows_planned=1_000_000)

    for page in range(int(seconds * pages_a_second)):
        time[0] = (page + 1) / pages_a_second
        read.pages, read.rows_read = page + 1, (page + 1) * 2_000
        log(read)

    assert len(told) == lines
    assert [one["rows"] for one in told] == sorted({one["rows"] for one in told})


def test_a_sync_is_watched_page_by_page(runs, practice_org):
    practice_org.org.behaviour = replace(practice_org.org.behaviour, page_rows=15)
    (account,) = (spec for spec in endpoints() if spec.endpoint == "account")
    credentials = Credentials(**practice_org.credentials)
    client = Client(instance_url=practice_org.url, credentials=credentials, requests_per_second=1_000)
    warehouse, now, seen = runs.warehouse, lambda: datetime.now(UTC), []
    known = survey([account], warehouse=warehouse, client=client, read_deleted=True, now=now)

    planned = sync(
        account, survey=known, warehouse=warehouse, client=client, options=Options(), now=now,
        watch=lambda record: seen.append((record.pages, record.rows_read, record.rows_planned)),
    )  # fmt: skip
    for _ in planned.batches:
        pass

    record, held = planned.record, len(practice_org.org.rows("Account"))
    assert [pages for pages, _, _ in seen] == list(range(1, record.pages + 1))
    assert record.pages > 2
    assert seen[-1][1:] == (record.rows_read, held)
