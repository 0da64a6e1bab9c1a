"""One Snowflake session. Errors of the connector become errors of ours here and nowhere else."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from sf_assets.errors import (
    SnowflakeDenied,
    SnowflakeError,
    SnowflakeLoginRefused,
    SnowflakeTableMissing,
    SnowflakeUnreachable,
    SnowflakeWarehouseDown,
)


class SqlSession(Protocol):
    """Anything that runs statements on Snowflake, as `SnowflakeSession` does."""

    def execute(self, statement: str) -> Sequence[tuple[Any, ...]]:
        """Run a statement and return its rows. Raises: SnowflakeError."""


Connect = Callable[[], AbstractContextManager[Any]]
"""Opens a connection of the Snowflake connector, as `SnowflakeResource.get_connection` does."""

ERRORS: Mapping[int, type[SnowflakeError]] = {
    606: SnowflakeWarehouseDown,  # No active warehouse selected in the current session
    2003: SnowflakeTableMissing,  # Object does not exist or not authorized
    2043: SnowflakeTableMissing,  # ... or operation cannot be performed
    3001: SnowflakeDenied,  # Insufficient privileges to operate on ...
    90073: SnowflakeWarehouseDown,  # cannot be resumed because its resource monitor has exceeded its quota
    250001: SnowflakeUnreachable,  # the connector could not reach the host
    251005: SnowflakeLoginRefused,  # the user is missing
    251008: SnowflakeLoginRefused,  # the private key is unusable
}
"""Our error by the connector's number. Any other number is a plain SnowflakeError with Snowflake's own message."""
SQLSTATES: Mapping[str, type[SnowflakeError]] = {
    "02000": SnowflakeTableMissing,
    "08001": SnowflakeLoginRefused,  # the host refused the login: 390144 JWT token is invalid
    "28000": SnowflakeLoginRefused,
    "42501": SnowflakeDenied,
    "42S02": SnowflakeTableMissing,
    "57P03": SnowflakeWarehouseDown,
}
"""Our error by SQLSTATE, where the table above does not have the number."""


class SnowflakeSession:
    """A connection of this process. The first statement opens it; a connection failure makes the next one reopen it."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._context: AbstractContextManager[Any] | None = None
        self._connection: Any = None

    def execute(self, statement: str) -> Sequence[tuple[Any, ...]]:
        """Run a statement and return its rows. Raises: SnowflakeError."""
        from snowflake.connector.errors import Error  # 1.5 s of CPU, only where Snowflake is configured

        try:
            with self._open().cursor() as cursor:
                rows: Sequence[tuple[Any, ...]] = cursor.execute(statement).fetchall()
                return rows
        except Error as error:
            ours = translate_error(error, statement)
            if isinstance(ours, SnowflakeUnreachable | SnowflakeLoginRefused):
                self._connection = self._context = None
            raise ours from None

    def close(self) -> None:
        """Log out, if there was a login."""
        context, self._context, self._connection = self._context, None, None
        if context is not None:
            context.__exit__(None, None, None)

    def _open(self) -> Any:
        if self._connection is None:
            self._context = self._connect()
            self._connection = self._context.__enter__()
        return self._connection


def translate_error(error: Any, statement: str) -> SnowflakeError:
    """Return our error by number, SQLSTATE or class, never by the text."""
    from snowflake.connector.errors import HttpError, OperationalError  # see execute

    kind = ERRORS.get(error.errno or 0) or SQLSTATES.get(error.sqlstate or "")
    if kind is None:
        is_connection = isinstance(error, HttpError | OperationalError)
        kind = SnowflakeUnreachable if is_connection else SnowflakeError
    return kind(
        f"Snowflake answered to {statement!r}: {error.msg}",
        errno=error.errno,
        sqlstate=error.sqlstate,
        query_id=error.sfqid,
        statement=statement,
    )
