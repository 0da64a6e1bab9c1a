"""One Snowflake session: statements in, rows out. The driver's errors become ours here and nowhere else."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from sf_assets.errors import (
    SnowflakeDenied,
    SnowflakeError,
    SnowflakeLoginRefused,
    SnowflakeTableMissing,
    SnowflakeUnreachable,
    SnowflakeWarehouseDown,
)

Connect = Callable[[], AbstractContextManager[Any]]
"""Opens a connection of the Snowflake connector, as `SnowflakeResource.get_connection` does."""

ERRORS: Mapping[int, type[SnowflakeError]] = {
    606: SnowflakeWarehouseDown,  # No active warehouse selected in the current session
    2003: SnowflakeTableMissing,  # Object does not exist or not authorized
    2043: SnowflakeTableMissing,  # ... or operation cannot be performed
    3001: SnowflakeDenied,  # Insufficient privileges to operate on ...
    90073: SnowflakeWarehouseDown,  # cannot be resumed because its resource monitor has exceeded its quota
    250001: SnowflakeUnreachable,  # the connector gave up trying to reach the host
    251005: SnowflakeLoginRefused,  # no user
    251008: SnowflakeLoginRefused,  # no usable private key
}
"""By the number that the driver gives; whatever is not here is a plain SnowflakeError with Snowflake's own words."""
SQLSTATES: Mapping[str, type[SnowflakeError]] = {
    "02000": SnowflakeTableMissing,
    "08001": SnowflakeLoginRefused,  # the host answered the login, with a refusal: 390144 JWT token is invalid
    "28000": SnowflakeLoginRefused,
    "42501": SnowflakeDenied,
    "42S02": SnowflakeTableMissing,
    "57P03": SnowflakeWarehouseDown,
}
"""By SQLSTATE where the number is not in the table above."""


class Session:
    """A connection of this process, opened at the first statement and anew after a failure of the way to it."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._context: AbstractContextManager[Any] | None = None
        self._connection: Any = None

    def execute(self, statement: str) -> Sequence[tuple[Any, ...]]:
        """Say a statement and return its rows. Raises SnowflakeError with the remedy for what Snowflake answered."""
        from snowflake.connector.errors import Error

        try:
            with self._opened().cursor() as cursor:
                rows: Sequence[tuple[Any, ...]] = cursor.execute(statement).fetchall()
                return rows
        except Error as error:
            ours = translated(error, statement)
            if isinstance(ours, SnowflakeUnreachable | SnowflakeLoginRefused):
                self._connection = self._context = None
            raise ours from None

    def close(self) -> None:
        """Log out, if somebody has logged in."""
        context, self._context, self._connection = self._context, None, None
        if context is not None:
            context.__exit__(None, None, None)

    def _opened(self) -> Any:
        if self._connection is None:
            self._context = self._connect()
            self._connection = self._context.__enter__()
        return self._connection


def translated(error: Any, statement: str) -> SnowflakeError:
    """Return our error for the driver's: by number, by SQLSTATE, or by the kind of failure; never by its text."""
    from snowflake.connector.errors import HttpError, OperationalError

    kind = ERRORS.get(error.errno or 0) or SQLSTATES.get(error.sqlstate or "")
    if kind is None:
        is_way = isinstance(error, HttpError | OperationalError)
        kind = SnowflakeUnreachable if is_way else SnowflakeError
    return kind(
        f"Snowflake answered to {statement!r}: {error.msg}",
        errno=error.errno,
        sqlstate=error.sqlstate,
        query_id=error.sfqid,
        statement=statement,
    )
