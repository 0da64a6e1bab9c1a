"""Where a table's metadata file is, for a table that pyiceberg cannot load."""

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import NoSuchNamespaceError, NoSuchTableError
from pyiceberg.io import FileIO, load_file_io

from sf_assets.errors import IcebergError
from sf_assets.iceberg.files import list_files

METADATA_FILE = re.compile(r"^v?(\d+)[^/]*\.metadata\.json$")
"""00012-<uuid>.metadata.json, or v12.metadata.json of Hadoop tables."""


def metadata_location(catalog: Catalog, namespace: str, name: str) -> str | None:
    """Return the location that the catalog stores, or None if it has none."""
    with suppress(NoSuchTableError, NoSuchNamespaceError):
        if hasattr(catalog, "engine"):
            return _in_sql(catalog, namespace, name)
        if hasattr(catalog, "glue"):
            table = catalog.glue.get_table(DatabaseName=namespace, Name=name)["Table"]
            location: str | None = table.get("Parameters", {}).get("metadata_location")
            return location
    return None


def table_location(catalog: Catalog, namespace: str, name: str) -> str | None:
    """Return the folder of a table that the catalog cannot load, or None if unknown."""
    if location := metadata_location(catalog, namespace, name):
        return location.rpartition("/metadata/")[0]
    with suppress(NoSuchNamespaceError):
        if root := catalog.load_namespace_properties(namespace).get("location"):
            return f"{root.rstrip('/')}/{name}"
    warehouse = catalog.properties.get("warehouse", "").rstrip("/")
    folder = f"{namespace}.db" if hasattr(catalog, "glue") else namespace
    return f"{warehouse}/{folder}/{name}" if "/" in warehouse else None


def metadata_files(io: FileIO, location: str) -> Sequence[str]:
    """Return the metadata files below a table's folder, the newest first."""
    paths: list[str] = []
    with suppress(IcebergError, FileNotFoundError):
        paths = [file.path for file in list_files(io, f"{location}/metadata")]
    matches = ((METADATA_FILE.match(path.rpartition("/")[2]), path) for path in paths)
    versions = [(int(match[1]), path) for match, path in matches if match]
    return [path for _, path in sorted(versions, reverse=True)]


def file_io(catalog: Catalog, location: str) -> FileIO:
    """Return the access to files below a location, without a table."""
    return load_file_io(dict(catalog.properties), location)


def _in_sql(catalog: Any, namespace: str, name: str) -> str | None:
    from pyiceberg.catalog.sql import IcebergTables as Row  # imported here: other catalogs do without SQLAlchemy
    from sqlalchemy import select
    from sqlalchemy.orm import Session

    where = (Row.catalog_name == catalog.name, Row.table_namespace == namespace, Row.table_name == name)
    with Session(catalog.engine) as session:
        location: str | None = session.scalar(select(Row.metadata_location).where(*where))
        return location
