"""Comments of columns and tables, within the limits of the catalog that stores them."""

from collections.abc import Sequence
from dataclasses import replace

from pyiceberg.catalog import URI, Catalog

from sf_assets.iceberg.model import TableColumn

GLUE_LIMIT = 255
"""Characters of a column comment in Glue's data catalog and in the Hive metastore."""
LIMITED_TYPES = frozenset({"glue", "hive"})
LIMITED_SIGNING_NAMES = frozenset({"glue", "s3tables"})
"""AWS services that offer an Iceberg REST catalog over Glue's data catalog."""


def comment_limit(catalog: Catalog) -> int | None:
    """Return how many characters a column comment may have, or None without a limit."""
    properties = catalog.properties
    is_typed = properties.get("type") in LIMITED_TYPES or type(catalog).__name__ in {"GlueCatalog", "HiveCatalog"}
    is_signed = properties.get("rest.signing-name") in LIMITED_SIGNING_NAMES
    uri = properties.get(URI, "")
    is_aws = ".amazonaws.com" in uri and any(name in uri for name in LIMITED_SIGNING_NAMES)
    return GLUE_LIMIT if is_typed or is_signed or is_aws else None


def with_short_comments(columns: Sequence[TableColumn], limit: int | None) -> tuple[TableColumn, ...]:
    """Return the columns with comments of one line that are not longer than the limit."""
    return tuple(replace(column, doc=short_comment(column.doc, limit)) for column in columns)


def short_comment(text: str, limit: int | None) -> str:
    """Return the text on one line, without control characters, cut at the limit."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if limit is None or len(line) <= limit else f"{line[: limit - 1].rstrip()}…"
