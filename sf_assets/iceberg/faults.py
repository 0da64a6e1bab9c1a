"""The border to foreign libraries: their exceptions stop here and become this project's. Retries nothing."""

import errno
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from pyiceberg import exceptions as iceberg
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from sf_assets.errors import (
    CommitConflict,
    SfAssetsError,
    WarehouseError,
    WarehouseReadOnly,
    WarehouseUnreachable,
)

T = TypeVar("T")

READ_ONLY_ERRNOS = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
READ_ONLY_SQL = frozenset({"SQLITE_READONLY", "SQLITE_PERM", "SQLITE_AUTH", "25006", "42501"})
"""SQLite's error names, and PostgreSQL's states for a read-only transaction and a missing privilege."""
DENIED_AWS = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedAccess", "403", "Forbidden"})
DENIED_S3 = "ACCESS_DENIED"
"""How Arrow names S3's 403; it keeps neither status nor code apart from its text."""
BY_TYPE: tuple[tuple[type[Exception], type[WarehouseError]], ...] = (
    (iceberg.CommitStateUnknownException, WarehouseUnreachable),
    (iceberg.CommitFailedException, CommitConflict),
    (iceberg.ValidationException, CommitConflict),
    (iceberg.ForbiddenError, WarehouseReadOnly),
    (iceberg.UnauthorizedError, WarehouseError),
    (iceberg.OAuthError, WarehouseError),
    (iceberg.ServiceUnavailableError, WarehouseUnreachable),
    (iceberg.ServerError, WarehouseUnreachable),
    (iceberg.NoSuchPropertyException, WarehouseError),
    (BotoCoreError, WarehouseUnreachable),
    (ClientError, WarehouseUnreachable),
    (SQLAlchemyError, WarehouseUnreachable),
    (OSError, WarehouseUnreachable),
)


class _FromOutside(Exception):
    """Carries an exception of the caller's own stream past the border unchanged."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


def from_outside(items: Iterable[T]) -> Iterator[T]:
    """Yield the items; what their producer raises is not taken for the warehouse's trouble."""
    try:
        yield from items
    except Exception as error:
        raise _FromOutside(error) from None


@contextmanager
def border(table: str) -> Iterator[None]:
    """Translate what catalog and storage raise. Raises: WarehouseError and its kinds; all else passes."""
    try:
        yield
    except _FromOutside as carried:
        raise carried.error from None
    except SfAssetsError:
        raise
    except Exception as error:  # noqa: BLE001 - the one border of these libraries; what is not theirs passes
        kind = kind_of(error)
        if kind is None:
            raise
        raise kind(f"{table}: {type(error).__name__}: {_first_line(error)}", table=table) from error


def kind_of(error: Exception) -> type[WarehouseError] | None:
    """The class that stands for a foreign exception; None: not the catalog's or the storage's."""
    if is_denied(error):
        return WarehouseReadOnly
    return next((ours for theirs, ours in BY_TYPE if isinstance(error, theirs)), None)


def is_denied(error: Exception) -> bool:
    """Whether catalog or storage refused to be written; nothing was changed then."""
    if isinstance(error, ClientError):
        return error.response.get("Error", {}).get("Code") in DENIED_AWS
    if isinstance(error, DBAPIError):
        name = getattr(error.orig, "sqlite_errorname", None) or getattr(error.orig, "sqlstate", None) or ""
        return name in READ_ONLY_SQL or name.startswith("SQLITE_READONLY")
    if isinstance(error, OSError):
        return error.errno in READ_ONLY_ERRNOS or DENIED_S3 in str(error)
    return False


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0][:300]
