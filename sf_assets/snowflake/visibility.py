"""Whether Snowflake reads the last commit of a table, and since when it does not.

A commit is not visible in Snowflake at once. A refresh that has stopped shows old rows without an error.
"""

from dataclasses import dataclass
from datetime import datetime

from sf_assets.errors import SnowflakeError, SnowflakeNotInitialized, SnowflakeStale
from sf_assets.snowflake.refresh_status import (
    NOT_INITIALIZED,
    RefreshStatus,
    parse_json,
    read_refresh_status,
    restart_remedy,
)
from sf_assets.snowflake.session import SqlSession
from sf_assets.snowflake.statements import SnowflakeTarget, table_information


@dataclass(frozen=True)
class Version:
    """A metadata file of the table and the time of its commit."""

    location: str
    at: datetime


@dataclass(frozen=True)
class Committed:
    """The table in the catalog: its metadata files, oldest first, and when its rows changed last."""

    versions: tuple[Version, ...]
    rows_at: datetime | None


@dataclass(frozen=True)
class Visibility:
    """What Snowflake reads. `stale_since`: the first commit that it does not show, or None if it shows all."""

    location: str
    status: str
    stale_since: datetime | None

    @property
    def is_current(self) -> bool:
        return self.stale_since is None

    def lag_seconds(self, now: datetime) -> float:
        """Return the seconds since the first commit that Snowflake lacks, or 0."""
        return 0.0 if self.stale_since is None else max(0.0, (now - self.stale_since).total_seconds())


def read_visibility(session: SqlSession, target: SnowflakeTarget, table: str, *, committed: Committed) -> Visibility:
    """Ask Snowflake which metadata file it reads, and compare.

    Raises: SnowflakeTableMissing, SnowflakeNotInitialized (the table is discovered and not read yet), SnowflakeError.
    """
    try:
        rows = session.execute(table_information(target, table))
    except SnowflakeError as error:
        raise _not_initialized(session, target, table, error) or error from None
    answer = parse_json(rows[0][0] if rows and rows[0] else None)
    location = answer.get("metadataLocation")
    if not location:
        raise SnowflakeNotInitialized(f"Snowflake knows {target.name(table)} and has not read its metadata yet: {rows}")
    return Visibility(str(location), str(answer.get("status") or ""), stale_since(committed, str(location)))


def _not_initialized(
    session: SqlSession, target: SnowflakeTarget, table: str, error: SnowflakeError
) -> SnowflakeNotInitialized | None:
    """Return the error of a discovered table, or None if its meaning is known.

    Which error Snowflake gives for such a table is not documented; the state of its refresh is.
    """
    if type(error) is not SnowflakeError:
        return None
    status = read_refresh_status(session, target, table)
    if status.state != NOT_INITIALIZED:
        return None
    return SnowflakeNotInitialized(f"Snowflake has not initialized {target.name(table)}: {status}")


def stale_since(committed: Committed, location: str) -> datetime | None:
    """Return the time of the first commit of rows after `location`, or None.

    A commit that moved only the state changed no row: Snowflake may stay before it. An unknown location is older than
    all known ones.
    """
    by_location = {version.location: version for version in committed.versions}
    read = by_location.get(location)
    if committed.rows_at is None or (read is not None and read.at >= committed.rows_at):
        return None
    later = [version.at for version in committed.versions if read is None or version.at > read.at]
    return min([*later, committed.rows_at])


def stale_error(
    target: SnowflakeTarget, table: str, visibility: Visibility, *, status: RefreshStatus | None, now: datetime
) -> SnowflakeStale:
    """Return the error of a table that Snowflake shows as it was. `status`: the automated refresh, if there is one."""
    lag = visibility.lag_seconds(now)
    refresh = f", automated refresh {status}" if status else ""
    return SnowflakeStale(
        f"{target.name(table)} is {lag:.0f} s late: Snowflake reads {visibility.location}"
        f" ({visibility.status or 'no status'}{refresh})",
        remedy=restart_remedy(target, table) if status else None,
        lag_seconds=lag,
        location=visibility.location,
        refresh_status=visibility.status,
        **({"refresh_state": status.state, "refresh_reason": status.reason} if status else {}),
    )
