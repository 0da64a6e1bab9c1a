"""Whether Snowflake reads the last commit, and since when it does not."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from sf_assets.errors import SnowflakeDenied, SnowflakeError, SnowflakeStale, SnowflakeTableMissing
from sf_assets.snowflake.ddl import SnowflakeTarget
from sf_assets.snowflake.visibility import Committed, Version, see, stale_since, wait_until_visible

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
LINKED = SnowflakeTarget("linked", database="SF_RAW", schema="salesforce")


def at(minute):
    return NOON + timedelta(minutes=minute)


def versions(*minutes):
    return tuple(Version(f"s3://lake/{minute}.json", at(minute)) for minute in minutes)


@pytest.mark.parametrize(
    ("rows_at", "theirs", "since"),
    [
        (30, "s3://lake/30.json", None),
        (30, "s3://lake/10.json", at(20)),
        (30, "s3://lake/20.json", at(30)),
        (20, "s3://lake/20.json", None),  # what came after moved only the state
        (20, "s3://lake/10.json", at(20)),
        (30, "s3://lake/forgotten.json", at(10)),
        (None, "s3://lake/forgotten.json", None),  # a table without a snapshot has no rows to miss
    ],
)
def test_snowflake_is_behind_from_the_first_commit_of_rows_that_it_lacks(rows_at, theirs, since):
    committed = Committed(versions(10, 20, 30), None if rows_at is None else at(rows_at))

    assert stale_since(committed, theirs) == since


class Account:
    """Answers one after the other what Snowflake reads; an error is raised."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    def execute(self, statement):
        self.asked.append(statement)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return [(json.dumps({"metadataLocation": answer, "status": "success"}),)]


def wait(account, clock, **patience):
    return wait_until_visible(
        account,
        LINKED,
        "account",
        committed=Committed(versions(10, 20), at(20)),
        patience=timedelta(**patience),
        now=clock,
        sleep=lambda seconds: clock.advance(seconds=seconds),
    )


def test_a_commit_is_waited_for_until_snowflakes_next_poll(clock):
    clock.time = at(20)
    missing = SnowflakeTableMissing("not discovered yet")
    account = Account(missing, "s3://lake/10.json", "s3://lake/20.json")

    seen = wait(account, clock, minutes=5)

    assert seen.is_current
    assert seen.lag_seconds(clock()) == 0.0
    assert len(account.asked) == 3
    assert clock() == at(20) + timedelta(seconds=10)


def test_a_refresh_that_has_stopped_is_an_error_with_its_lag(clock):
    clock.time = at(20)

    with pytest.raises(SnowflakeStale, match="has been behind the lake for 300 s") as stale:
        wait(Account("s3://lake/10.json"), clock, minutes=5)

    assert stale.value.values["lag_seconds"] == 300
    assert "SYSTEM$CATALOG_LINK_STATUS" in stale.value.remedy


def test_patience_counts_from_the_commit_so_that_thirty_tables_wait_no_longer_than_one(clock):
    clock.time = at(60)
    account = Account("s3://lake/10.json")

    with pytest.raises(SnowflakeStale):
        wait(account, clock, minutes=5)

    assert len(account.asked) == 1


def test_a_table_that_is_never_discovered_is_missing(clock):
    clock.time = at(20)

    with pytest.raises(SnowflakeTableMissing):
        wait(Account(SnowflakeTableMissing("unknown")), clock, minutes=1)


def test_a_missing_privilege_is_told_at_once(clock):
    account = Account(SnowflakeDenied("no"))

    with pytest.raises(SnowflakeDenied):
        wait(account, clock, minutes=5)

    assert len(account.asked) == 1


@pytest.mark.parametrize("answer", [[], [(None,)], [("{}",)], [("",)], [("[]",)]])
def test_an_answer_without_a_metadata_file_is_no_answer(answer):
    class Odd:
        def execute(self, statement):
            return answer

    with pytest.raises(SnowflakeError, match="names no metadata file"):
        see(Odd(), LINKED, "account", committed=Committed((), None))
