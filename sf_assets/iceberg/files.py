"""List the files below a location, on a disk or in an object store."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from pyarrow.fs import FileSelector, FileType
from pyiceberg.io import FileIO
from pyiceberg.io.pyarrow import PyArrowFileIO

from sf_assets.errors import IcebergError


@dataclass(frozen=True)
class FileInfo:
    """A file's location, its size in bytes and when it was written (None: unknown)."""

    path: str
    size: int | None
    modified: datetime | None


def list_files(io: FileIO, location: str) -> Iterator[FileInfo]:
    """Yield the files below the location; nothing if it does not exist. Raises: IcebergError."""
    scheme, _ = split_scheme(location)
    for info in _listing(io, location):
        yield FileInfo(f"{scheme}://{info.path}" if scheme else info.path, info.size, info.modified)


def has_files(io: FileIO, location: str) -> bool:
    """Return whether there is a file below the location; False if the storage cannot list."""
    try:
        return next(_listing(io, location), None) is not None
    except IcebergError:
        return False


def split_scheme(location: str) -> tuple[str, str]:
    """Return the scheme (empty without one) and the path as a file system has it."""
    scheme, separator, rest = location.partition("://")
    return (scheme, rest) if separator else ("", location)


def fsspec_file_system(io: FileIO, scheme: str) -> Any | None:
    """Return the file system of pyiceberg's `FsspecFileIO`, or None for any other.

    The class is not imported: its module loads requests, 0.15 s of CPU for processes that never use it.
    """
    get_fs = getattr(io, "get_fs", None)
    return get_fs(scheme or "file") if get_fs else None


def _listing(io: FileIO, location: str) -> Iterator[FileInfo]:
    scheme, path = split_scheme(location)
    if isinstance(io, PyArrowFileIO):
        selector = FileSelector(path, recursive=True, allow_not_found=True)
        infos = io.fs_by_scheme(scheme or "file", path.partition("/")[0] or None).get_file_info(selector)
        return (FileInfo(info.path, info.size, info.mtime) for info in infos if info.type == FileType.File)
    if (file_system := fsspec_file_system(io, scheme)) is not None:
        listing = file_system.find(path, detail=True)
        return (FileInfo(name, info.get("size"), _modified(info)) for name, info in listing.items())
    remedy = "Use the catalog's own tool to list and remove files."
    raise IcebergError(f"{location}: {type(io).__name__} cannot list files", remedy=remedy)


def _modified(info: Mapping[str, Any]) -> datetime | None:
    """Return when a file was written, from the fields of fsspec's file systems."""
    if isinstance(info.get("LastModified"), datetime):
        return cast(datetime, info["LastModified"])
    return datetime.fromtimestamp(info["mtime"], UTC) if "mtime" in info else None
