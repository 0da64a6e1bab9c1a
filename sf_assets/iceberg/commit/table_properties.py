"""The table properties that say how the files are written, for pyiceberg and for other engines."""

from collections.abc import Mapping

VERSION = "sf_assets.version"
PROPERTIES: Mapping[str, str] = {
    "format-version": "2",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "10",
    "commit.manifest-merge.enabled": "true",
    "commit.manifest.min-count-to-merge": "8",
    "commit.retry.num-retries": "10",
    "write.target-file-size-bytes": str(64 * 1024 * 1024),
    "write.parquet.compression-codec": "zstd",
    "write.parquet.row-group-limit": "131072",
    "write.delete.granularity": "file",
    "write.delete.parquet.compression-codec": "zstd",
    "history.expire.max-snapshot-age-ms": str(5 * 24 * 60 * 60 * 1000),
    "history.expire.min-snapshots-to-keep": "10",
    VERSION: "1",
}
"""A file has at most 500,000 rows, which is 50 to 75 MB. External optimizers rewrite what is far below the target."""
FORMER: Mapping[str, str | None] = {
    "write.target-file-size-bytes": str(512 * 1024 * 1024),
    "history.expire.max-snapshot-age-ms": None,
    "history.expire.min-snapshots-to-keep": None,
    "write.delete.granularity": None,
    "write.delete.parquet.compression-codec": None,
}
"""Property -> its value in tables of former versions (None: absent). Values that a user set stay."""


def property_updates(properties: Mapping[str, str]) -> dict[str, str]:
    """Return the properties of a table that still have the value of a former version."""
    if VERSION not in properties:
        return {}
    return {name: PROPERTIES[name] for name, former in FORMER.items() if properties.get(name) == former}
