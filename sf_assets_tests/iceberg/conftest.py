"""An Iceberg catalog in a temporary folder (SQLite, local files) and one table in it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pyiceberg.table import Table
from pyiceberg.types import DecimalType, StringType, TimestamptzType

from sf_assets.iceberg.model import Chunk, TableColumn, TableFacts, Unchecked, Written
from sf_assets.iceberg.tables import IcebergTables

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
TYPES: dict[str, Any] = {
    "id": pl.String,
    "name": pl.String,
    "amount": pl.Decimal(38, 6),
    "system_modstamp": pl.Datetime("us", "UTC"),
    "_synced_at": pl.Datetime("us", "UTC"),
}
COLUMNS = (
    TableColumn("id", StringType(), "Id"),
    TableColumn("name", StringType(), "Name"),
    TableColumn("amount", DecimalType(38, 6), "Amount"),
    TableColumn("system_modstamp", TimestamptzType(), "SystemModstamp"),
    TableColumn("_synced_at", TimestamptzType(), "when this version of the row was read"),
)


def moment(seconds: float) -> datetime:
    return EPOCH + timedelta(seconds=seconds)


@dataclass
class Account:
    """The table `account`: rows are (id, name, stamp in seconds), read at `at` seconds."""

    tables: IcebergTables
    columns: tuple[TableColumn, ...] = COLUMNS
    state: str | Unchecked | None = None
    name: str = "account"
    keys: tuple[str, ...] = ("id",)
    stamp: str | None = "system_modstamp"
    commits: list[Written] = field(default_factory=list)

    def frame(self, *rows: Sequence[Any], at: float = 1000, **more: Any) -> pl.DataFrame:
        records = [
            {"id": row[0], "name": row[1], "system_modstamp": None if row[2] is None else moment(row[2])}
            for row in rows
        ]
        types = {name: TYPES[name] for name in ("id", "name", "system_modstamp")}
        return pl.DataFrame(records, schema=types).with_columns(
            pl.lit(moment(at), dtype=TYPES["_synced_at"]).alias("_synced_at"), **more
        )

    def merge(self, *frames: pl.DataFrame, state: str | None, **more: Any) -> Written:
        return self.stream(self.chunks(*frames, state=state), **more)

    def stream(self, chunks: Iterable[Chunk], **more: Any) -> Written:
        options = {"columns": self.columns, "keys": self.keys, "stamp": self.stamp, "base": self.state, **more}
        return self._wrote(self.tables.merge(self.name, chunks=chunks, **options))

    def replace(self, *frames: pl.DataFrame, state: str | None, **more: Any) -> Written:
        return self.stream_replace(self.chunks(*frames, state=state), **more)

    def stream_replace(self, chunks: Iterable[Chunk], **more: Any) -> Written:
        options = {"columns": self.columns, "keys": self.keys, "base": self.state, "may_vanish": None, **more}
        return self._wrote(self.tables.replace(self.name, chunks=chunks, **options))

    def chunks(self, *frames: pl.DataFrame, state: str | None) -> list[Chunk]:
        return [Chunk(frame, state if i == len(frames) else None) for i, frame in enumerate(frames, start=1)]

    @property
    def facts(self) -> TableFacts:
        facts = self.tables.facts(self.name)
        assert facts is not None
        return facts

    @property
    def table(self) -> Table:
        table = self.tables._catalog.find(self.name)
        assert table is not None
        return table

    def rows(self, *columns: str) -> list[tuple[Any, ...]]:
        """The table's rows by key, read by Polars."""
        frame = self.tables.scan(self.name).sort(self.keys).collect()
        return frame.select(columns or ("id", "name")).rows()

    def files(self, kind: str = "data") -> set[Path]:
        """The files that lie under the table's location, needed or not."""
        folder = Path(self.table.location().removeprefix("file://")) / kind
        return {path for path in folder.rglob("*") if path.is_file()}

    def _wrote(self, result: Written) -> Written:
        self.commits.append(result)
        if not isinstance(self.state, Unchecked):
            self.state = self.facts.state
        return result


def open_tables(folder: Path, **more: Any) -> IcebergTables:
    properties = {"type": "sql", "uri": f"sqlite:///{folder}/catalog.db", "warehouse": f"file://{folder}/lake"}
    return IcebergTables("salesforce", "salesforce", properties, **more)


@pytest.fixture
def another(tmp_path: Path) -> Callable[..., IcebergTables]:
    """Open the same catalog as another process would."""
    return lambda **more: open_tables(tmp_path, **more)


@pytest.fixture
def tables(tmp_path: Path) -> IcebergTables:
    return open_tables(tmp_path)


@pytest.fixture
def account(tables: IcebergTables) -> Account:
    return Account(tables)
