"""Where a namespace's files are, and whether catalog and storage respond. Read requests only."""

from dataclasses import dataclass
from urllib.parse import urlparse

from pyarrow.fs import FileType
from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import NoSuchNamespaceError
from pyiceberg.io import FileIO, load_file_io
from pyiceberg.io.pyarrow import PyArrowFileIO

from sf_assets.iceberg.files import fsspec_file_system


@dataclass(frozen=True)
class Connectivity:
    """What the catalog lists. `location` is None if the catalog does not know it yet."""

    location: str | None
    tables: int
    is_there: bool


def check_connectivity(catalog: Catalog, namespace: str) -> Connectivity | None:
    """Read the namespace, its tables and the storage root, or None without a namespace."""
    try:
        location = catalog.load_namespace_properties(namespace).get("location")
        tables = catalog.list_tables(namespace)
    except NoSuchNamespaceError:
        return None
    opened = catalog.load_table(tables[0]) if tables else None
    location = location or (opened.location() if opened else _warehouse(catalog))
    io = opened.io if opened else load_file_io(dict(catalog.properties), location)
    return Connectivity(location, len(tables), is_there=location is not None and _is_there(io, location))


def _warehouse(catalog: Catalog) -> str | None:
    """Return the warehouse location, or None if the catalog names it otherwise."""
    warehouse = catalog.properties.get("warehouse", "")
    return warehouse if "://" in warehouse else None


def _is_there(io: FileIO, location: str) -> bool:
    """Return whether the bucket exists (on a disk: the folder).

    An empty prefix does not exist yet.
    """
    parsed = urlparse(location)
    root = parsed.netloc or parsed.path
    if isinstance(io, PyArrowFileIO):
        info = io.fs_by_scheme(parsed.scheme or "file", parsed.netloc or None).get_file_info(root)
        return bool(info.type != FileType.NotFound)
    if (file_system := fsspec_file_system(io, parsed.scheme)) is not None:
        return bool(file_system.exists(root))
    return True
