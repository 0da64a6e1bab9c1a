"""Translate exceptions of catalog and storage libraries into errors of this project. Nothing is retried."""

import errno
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from typing import TypeVar

from pyiceberg import exceptions as iceberg

from sf_assets.errors import (
    CatalogDamaged,
    CommitConflict,
    CommitUnknown,
    IcebergError,
    IcebergReadOnly,
    IcebergUnreachable,
    SfAssetsError,
    TableDamaged,
)

T = TypeVar("T")

READ_ONLY_ERRNOS = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
READ_ONLY_SQL = frozenset({"SQLITE_READONLY", "SQLITE_PERM", "SQLITE_AUTH", "25006", "42501"})
"""SQLite's error names, and PostgreSQL's states for a read-only transaction and a missing privilege."""
DENIED_AWS = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedAccess", "403", "Forbidden"})
DENIED_S3 = "ACCESS_DENIED"
"""How Arrow names S3's 403; it keeps neither status nor code apart from its text."""
STORE_ERROR = re.compile("AWS Error|curlCode|HTTP|Azure|Google|ACCESS_DENIED|NETWORK", re.IGNORECASE)
"""What Arrow's errors of an object store say. Its errors of a damaged file have neither these words nor an errno."""
CORRUPT_SQL = frozenset({"SQLITE_NOTADB", "SQLITE_CORRUPT"})
MISPLACED_ERRNOS = frozenset({errno.ELOOP, errno.EISDIR, errno.ENOTDIR})
"""A folder, or a symbolic link that leads to itself, is in a file's place."""
FULL_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT})
MAKE_ROOM = "Make room on the disk of the catalog and the tables, then run the endpoint again. No row was lost."
BY_TYPE: tuple[tuple[type[Exception], type[IcebergError]], ...] = (
    (iceberg.CommitStateUnknownException, CommitUnknown),
    (iceberg.CommitFailedException, CommitConflict),
    (iceberg.ValidationException, CommitConflict),
    (iceberg.ServiceUnavailableError, IcebergUnreachable),
    (iceberg.ServerError, IcebergUnreachable),
    (iceberg.TooManyRequestsError, IcebergUnreachable),
    (iceberg.RESTError, IcebergError),
    (iceberg.NoSuchPropertyException, IcebergError),
    (OSError, IcebergUnreachable),
)
BY_LIBRARY: Mapping[str, type[IcebergError]] = {
    "sqlalchemy": IcebergUnreachable,
    "botocore": IcebergUnreachable,
    "pydantic_core": IcebergError,
    "pyiceberg": IcebergError,
    "pyarrow": IcebergError,
}
"""Class for every other exception of a library. Named, not imported: most catalogs need only one of them.

pydantic reads what a REST catalog answers: it fails if something else responds instead of the catalog.
"""


class _CallerError(Exception):
    """An exception of the caller's own stream, on its way through `translate_errors`."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


def caller_errors(items: Iterable[T]) -> Iterator[T]:
    """Yield the items; protect their producer's exceptions from `translate_errors`."""
    try:
        yield from items
    except Exception as error:  # noqa: BLE001 - raised again by translate_errors
        raise _CallerError(error) from error


@contextmanager
def translate_errors(table: str) -> Iterator[None]:
    """Translate exceptions of catalog and storage. Raises: IcebergError; all else passes."""
    try:
        yield
    except _CallerError as carried:
        raise carried.error from carried.error.__cause__
    except SfAssetsError:
        raise
    except Exception as error:
        kind = kind_of(error)
        if kind is None:
            raise
        remedy = MAKE_ROOM if is_full(error) else None
        raise kind(f"{table}: {type(error).__name__}: {_text(error)}", remedy=remedy, table=table) from error


@contextmanager
def name_damage(path: str) -> Iterator[None]:
    """Raise TableDamaged with the path for a file that is missing or cannot be decoded."""
    try:
        yield
    except SfAssetsError:
        raise
    except Exception as error:
        what = damage_of(error)
        if what is None:
            raise
        raise TableDamaged(f"{path} is damaged: {what}", path=path) from error


def damage_of(error: Exception) -> str | None:
    """Return what is wrong with a file, or None if storage or network failed."""
    if isinstance(error, FileNotFoundError):
        return "the file is missing"
    if isinstance(error, OSError) and error.errno in MISPLACED_ERRNOS:
        return f"no file is there: {_text(error)}"
    if isinstance(error, OSError) and (error.errno is not None or STORE_ERROR.search(str(error))):
        return None
    is_ours = isinstance(error, iceberg.RESTError | NotImplementedError) or is_from({"botocore", "sqlalchemy"}, error)
    return None if is_ours else f"{type(error).__name__}: {_text(error)}"


def kind_of(error: Exception) -> type[IcebergError] | None:
    """Return the class for an exception, or None if another library raised it."""
    if is_denied(error):
        return IcebergReadOnly
    driver = getattr(error, "orig", None)
    if getattr(driver, "sqlite_errorname", None) in CORRUPT_SQL or "no such column" in str(driver):
        return CatalogDamaged
    by_type = (ours for theirs, ours in BY_TYPE if isinstance(error, theirs))
    by_library = (ours for library, ours in BY_LIBRARY.items() if is_from({library}, error))
    return next(chain(by_type, by_library), None)


def is_full(error: BaseException) -> bool:
    """Return whether the disk of catalog or storage is full."""
    if isinstance(error, OSError):
        return error.errno in FULL_ERRNOS
    return getattr(getattr(error, "orig", None), "sqlite_errorname", None) == "SQLITE_FULL"


def is_from(libraries: Collection[str], error: BaseException) -> bool:
    """Return whether one of the libraries defines the exception's class."""
    return any(kind.__module__.split(".")[0] in libraries for kind in type(error).__mro__)


def is_denied(error: BaseException) -> bool:
    """Return whether catalog or storage refused the write, so that nothing changed."""
    if isinstance(error, iceberg.ForbiddenError):
        return True
    if isinstance(error, OSError):
        return isinstance(error, PermissionError) or error.errno in READ_ONLY_ERRNOS or DENIED_S3 in str(error)
    if is_from({"botocore"}, error):
        return getattr(error, "response", {}).get("Error", {}).get("Code") in DENIED_AWS
    driver = getattr(error, "orig", None)
    name = getattr(driver, "sqlite_errorname", None) or getattr(driver, "sqlstate", None) or ""
    return name in READ_ONLY_SQL or name.startswith("SQLITE_READONLY")


def _text(error: Exception) -> str:
    """Return the first line of the error; the next ones hold a driver's statement.

    Of pydantic all lines: its first line holds no detail.
    """
    lines = str(error).splitlines() or [""]
    return " ".join(line.strip() for line in lines[: None if is_from({"pydantic_core"}, error) else 1])[:300]
