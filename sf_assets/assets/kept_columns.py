"""The columns that a component keeps as its state: endpoint -> name, type and description of each column."""

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # Polars and pyiceberg take 0.4 s of CPU to import, and every Dagster process loads this module
    from sf_assets.iceberg.model import TableColumn
    from sf_assets.sync.columns import Column


def column_values(columns: "Sequence[TableColumn]") -> list[dict[str, str]]:
    """Return the columns of a table as the state has them."""
    return [{"name": column.name, "type": str(column.type), "description": column.doc} for column in columns]


def keep_columns(file: Path, endpoint: str, columns: "Sequence[Column]") -> None:
    """Put the columns that a sync has found into the state.

    A file that cannot be read or written stays as it is: the rows are committed, and it is only for Dagit.
    """
    from sf_assets.sync.columns import table_columns  # only a run needs it: it loads pyiceberg

    with suppress(OSError, ValueError):
        state = json.loads(file.read_text(encoding="utf-8"))
        values = column_values(table_columns(columns))
        if state.get(endpoint) != values:
            part = file.with_name(f"{file.name}.{os.getpid()}")
            part.write_text(json.dumps({**state, endpoint: values}), encoding="utf-8")
            part.replace(file)
