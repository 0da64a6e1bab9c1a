"""Whether Snowflake reads the version of a table that was committed last, and since when it does not.

A commit in the lake is not yet visible in Snowflake; a refresh that has stopped shows old rows without any error.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sf_assets.errors import SnowflakeError, SnowflakeStale, SnowflakeTableMissing
from sf_assets.snowflake.ddl import SnowflakeTarget, table_information


class SqlSession(Protocol):
    """Anything that says statements to Snowflake; a `Session` does."""

    def execute(self, statement: str) -> Sequence[tuple[object, ...]]:
        """Return the statement's rows."""


@dataclass(frozen=True)
class Version:
    """A metadata file of the table in the lake and when it was committed."""

    location: str
    at: datetime


@dataclass(frozen=True)
class Committed:
    """The table in the lake: its metadata files that are still known, oldest first, and when its rows changed last."""

    versions: tuple[Version, ...]
    rows_at: datetime | None


@dataclass(frozen=True)
class Visibility:
    """What Snowflake reads. `stale_since`: when the first commit that it does not show was made; None: it shows all."""

    location: str
    status: str
    stale_since: datetime | None

    @property
    def is_current(self) -> bool:
        return self.stale_since is None

    def lag_seconds(self, now: datetime) -> float:
        """Return for how long Snowflake has been behind; 0 when it is not."""
        return 0.0 if self.stale_since is None else max(0.0, (now - self.stale_since).total_seconds())


def see(session: SqlSession, place: SnowflakeTarget, table: str, *, committed: Committed) -> Visibility:
    """Ask Snowflake which metadata it reads and compare. Raises SnowflakeError."""
    statement = table_information(place, table)
    rows = session.execute(statement)
    location, status = _information(rows[0][0] if rows and rows[0] else None, statement)
    return Visibility(location, status, stale_since(committed, location))


def stale_since(committed: Committed, location: str) -> datetime | None:
    """Return when the first commit of rows behind `location` was made; None when it has them all.

    A commit that moved only the state changed no row: Snowflake may stay before it. A location that is not known any
    more is older than all that are.
    """
    by_location = {version.location: version for version in committed.versions}
    theirs = by_location.get(location)
    if committed.rows_at is None or (theirs is not None and theirs.at >= committed.rows_at):
        return None
    later = [version.at for version in committed.versions if theirs is None or version.at > theirs.at]
    return min([*later, committed.rows_at])


def wait_until_visible(
    session: SqlSession,
    place: SnowflakeTarget,
    table: str,
    *,
    committed: Committed,
    patience: timedelta,
    now: Callable[[], datetime],
    sleep: Callable[[float], None],
    poll_seconds: float = 5.0,
) -> Visibility:
    """Ask until Snowflake shows the last commit, at most until `patience` after that commit.

    A table that Snowflake has not discovered yet is waited for in the same way. Raises SnowflakeStale with the lag when
    it does not come, and what else Snowflake answers at once.
    """
    until = (committed.rows_at or now()) + patience
    while True:
        missing: SnowflakeError | None = None
        try:
            seen = see(session, place, table, committed=committed)
            if seen.is_current:
                return seen
        except SnowflakeTableMissing as error:
            missing = error
        if now() >= until:
            raise missing or stale(place, table, seen, now=now())
        sleep(poll_seconds)


def stale(place: SnowflakeTarget, table: str, seen: Visibility, *, now: datetime) -> SnowflakeStale:
    """Return the error of a table that Snowflake shows as it was."""
    lag = seen.lag_seconds(now)
    return SnowflakeStale(
        f"{place.name(table)} has been behind the lake for {lag:.0f} s: Snowflake reads {seen.location}"
        f" ({seen.status or 'no status'})",
        lag_seconds=lag,
        location=seen.location,
        refresh_status=seen.status,
    )


def _information(text: object, statement: str) -> tuple[str, str]:
    try:
        told = json.loads(str(text))
        return str(told["metadataLocation"]), str(told.get("status", ""))
    except (ValueError, KeyError, TypeError):
        raise SnowflakeError(
            f"Snowflake answered to {statement!r} with {text!r}, which names no metadata file", statement=statement
        ) from None
