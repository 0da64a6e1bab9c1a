"""Looking for a text in every file of a lake, the compressed ones included."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

BOUND_LENGTH = 16
"""Iceberg keeps so many characters of a column's least and greatest text in the manifests."""


@pytest.fixture
def holds() -> Callable[[Path, str], list[str]]:
    """Names of the files below a folder that hold a text, or as much of it as a manifest would."""

    def find(folder: Path, text: str) -> list[str]:
        files = [path for path in folder.rglob("*") if path.is_file()]
        return [path.name for path in files if text[:BOUND_LENGTH] in _plain(path)]

    return find


def _plain(path: Path) -> str:
    readers = {".parquet": pl.read_parquet, ".avro": pl.read_avro}
    if path.suffix in readers:
        return repr(readers[path.suffix](path).to_dicts())
    return path.read_bytes().decode("utf-8", errors="replace")
