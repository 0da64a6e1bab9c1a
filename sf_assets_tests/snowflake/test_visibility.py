"""Whether Snowflake reads the last commit, and since when it does not."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from sf_assets.errors import (
    SnowflakeDenied,
    SnowflakeError,
    SnowflakeNotInitialized,
    SnowflakeStale,
    SnowflakeTableMissing,
)
from sf_assets.snowflake.statements import SnowflakeTarget
from sf_assets.snowflake.visibility import Committed, Version, read_visibility, stale_since
from sf_assets.snowflake.wait import Wait

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
    """Answers the versions one after the other; an exception is raised. `others`: part of a statement -> answer."""

    def __init__(self, *versions, **others):
        self.versions = list(versions)
        self.others = {"RESUME DISCOVERY": "ok", "AUTO_REFRESH_STATUS": {"executionState": "RUNNING"}} | others
        self.statements = []

    def execute(self, statement):
        self.statements.append(statement)
        answer = self._answer(statement)
        if isinstance(answer, Exception):
            raise answer
        return [(json.dumps(answer) if isinstance(answer, dict) else answer,)]

    def _answer(self, statement):
        for part, answer in self.others.items():
            if part in statement:
                return answer
        version = self.versions.pop(0) if len(self.versions) > 1 else self.versions[0]
        return {"metadataLocation": version, "status": "success"} if isinstance(version, str) else version

    def count(self, part):
        return sum(part in statement for statement in self.statements)


def wait(account, clock, **patience):
    return Wait(
        account,
        LINKED,
        "account",
        Committed(versions(10, 20), at(20)),
        patience=timedelta(**patience),
        now=clock,
        sleep=lambda seconds: clock.advance(seconds=seconds),
    ).until_visible()


def test_a_commit_is_waited_for_until_snowflakes_next_poll(clock):
    clock.time = at(20)
    account = Account(SnowflakeTableMissing("not discovered yet"), "s3://lake/10.json", "s3://lake/20.json")

    visibility = wait(account, clock, minutes=5)

    assert visibility.is_current
    assert visibility.lag_seconds(clock()) == 0.0
    assert account.count("TABLE_INFORMATION") == 3
    assert clock() == at(20) + timedelta(seconds=15)


def test_a_missing_table_starts_discovery_once(clock):
    clock.time = at(20)
    missing = SnowflakeTableMissing("not discovered yet")
    account = Account(missing, missing, missing, "s3://lake/20.json")

    assert wait(account, clock, minutes=10).is_current
    assert account.statements[1] == 'ALTER DATABASE "SF_RAW" RESUME DISCOVERY'
    assert account.count("RESUME DISCOVERY") == 1


def test_a_role_that_may_not_start_discovery_waits_for_the_interval(clock):
    clock.time = at(20)
    account = Account(
        SnowflakeTableMissing("unknown"), "s3://lake/20.json", **{"RESUME DISCOVERY": SnowflakeDenied("no")}
    )

    assert wait(account, clock, minutes=10).is_current


def test_a_table_that_is_not_initialized_is_waited_for(clock):
    clock.time = at(20)
    status = {"executionState": "ICEBERG_TABLE_NOT_INITIALIZED", "invalidExecutionStateReason": "no access"}
    account = Account(SnowflakeError("091000"), "s3://lake/20.json", AUTO_REFRESH_STATUS=status)

    assert wait(account, clock, minutes=10).is_current


def test_a_table_that_stays_uninitialized_is_an_error_with_the_reason(clock):
    clock.time = at(20)
    status = {"executionState": "ICEBERG_TABLE_NOT_INITIALIZED", "invalidExecutionStateReason": "no access"}

    with pytest.raises(SnowflakeNotInitialized, match="no access"):
        wait(Account(SnowflakeError("091000"), AUTO_REFRESH_STATUS=status), clock, minutes=10)


def test_an_unknown_error_is_raised_at_once(clock):
    clock.time = at(20)
    account = Account(SnowflakeError("999999"))

    with pytest.raises(SnowflakeError, match="999999"):
        wait(account, clock, minutes=10)

    assert clock() == at(20)


def test_a_stopped_refresh_is_an_error_at_once_with_reason_and_statements(clock):
    clock.time = at(20)
    status = {"executionState": "STOPPED", "invalidExecutionStateReason": "can't establish a direct lineage"}

    with pytest.raises(SnowflakeStale, match="STOPPED: can't establish a direct lineage") as stale:
        wait(Account("s3://lake/10.json", AUTO_REFRESH_STATUS=status), clock, minutes=10)

    assert clock() == at(20)
    assert "SET AUTO_REFRESH = FALSE; ALTER ICEBERG TABLE" in stale.value.remedy
    assert stale.value.values["refresh_state"] == "STOPPED"


def test_a_table_that_stays_behind_is_an_error_with_its_lag(clock):
    clock.time = at(20)
    account = Account("s3://lake/10.json")

    with pytest.raises(SnowflakeStale, match="is 305 s late: Snowflake reads s3://lake/10.json") as stale:
        wait(account, clock, minutes=5)

    assert stale.value.values["lag_seconds"] == 305
    assert len(account.statements) < 20


def test_patience_counts_from_the_commit_so_thirty_tables_wait_as_one(clock):
    clock.time = at(60)
    account = Account("s3://lake/10.json")

    with pytest.raises(SnowflakeStale):
        wait(account, clock, minutes=5)

    assert account.count("TABLE_INFORMATION") == 1


def test_a_table_that_is_never_discovered_is_missing(clock):
    clock.time = at(20)

    with pytest.raises(SnowflakeTableMissing):
        wait(Account(SnowflakeTableMissing("unknown")), clock, minutes=1)


def test_a_missing_privilege_is_an_error_at_once(clock):
    account = Account(SnowflakeDenied("no"))

    with pytest.raises(SnowflakeDenied):
        wait(account, clock, minutes=5)

    assert len(account.statements) == 1


@pytest.mark.parametrize("answer", [[], [(None,)], [("{}",)], [("",)], [("[]",)]])
def test_an_answer_without_a_metadata_file_is_a_table_without_metadata(answer):
    class Odd:
        def execute(self, statement):
            return answer

    with pytest.raises(SnowflakeNotInitialized, match="has not read its metadata"):
        read_visibility(Odd(), LINKED, "account", committed=Committed((), None))
