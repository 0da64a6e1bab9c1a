"""What a history costs: CPU seconds and bytes of its updates, next to those of the table's own commits.

    python benchmarks/history.py [ROWS]

A table of ROWS rows (default one million) of 40 columns is filled, then merged with some changed rows; after each
commit the history is updated. The last line compares the whole table with its history, as after an erasure.
"""

import resource
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
from pyiceberg.types import DoubleType, StringType, TimestamptzType

from sf_assets.iceberg.commit.table_state import RUN, state_property
from sf_assets.iceberg.history_state import HistoryState
from sf_assets.iceberg.model import UNCHECKED, Chunk, TableColumn
from sf_assets.iceberg.tables import IcebergTables

STAMP = pl.Datetime("us", "UTC")
START = datetime(2026, 3, 10, 12, tzinfo=UTC)
TEXTS, NUMBERS = 27, 10
COLUMNS = (
    TableColumn("id", StringType()),
    *(TableColumn(f"text_{n}", StringType()) for n in range(TEXTS)),
    *(TableColumn(f"number_{n}", DoubleType()) for n in range(NUMBERS)),
    TableColumn("system_modstamp", TimestamptzType()),
    TableColumn("_synced_at", TimestamptzType()),
)
PAGE = 50_000


def frame(first: int, count: int, turn: int, step: int = 1) -> pl.DataFrame:
    """Return rows whose values differ from turn to turn."""
    at = pl.lit(START + timedelta(minutes=turn), dtype=STAMP)
    number = pl.int_range(first, first + count * step, step, eager=True).alias("n")
    ids = number.cast(pl.String).str.zfill(18).alias("id")
    texts = [(number.cast(pl.String) + f"-{n}-{turn}").alias(f"text_{n}") for n in range(TEXTS)]
    numbers = [(number * 1.5 + n + turn).alias(f"number_{n}") for n in range(NUMBERS)]
    return pl.DataFrame([ids, *texts, *numbers]).with_columns(system_modstamp=at, _synced_at=at)


def measure(name: str, act: Callable[[], int]) -> None:
    """Print the CPU seconds of the act and the bytes that it returns."""
    before = _cpu()
    result = act()
    sys.stdout.write(f"| {name} | {_cpu() - before:.2f} | {result / 1e6:.1f} |\n")
    sys.stdout.flush()


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main(rows: int) -> None:
    """Run all measurements over a table of so many rows."""
    with TemporaryDirectory() as folder:
        properties = {"type": "sql", "uri": f"sqlite:///{folder}/c.db", "warehouse": f"file://{folder}/lake"}
        tables = IcebergTables("salesforce", "salesforce", properties)

        def merge(*frames: pl.DataFrame) -> int:
            chunks = [Chunk(one, str(number)) for number, one in enumerate(frames)]
            return tables.merge(
                "account",
                columns=COLUMNS,
                keys=("id",),
                stamp="system_modstamp",
                chunks=chunks,
                base=UNCHECKED,
                summary={RUN: "benchmark"},
            ).bytes_written

        def update() -> int:
            return tables.histories.update("account").bytes_written

        sys.stdout.write("| step | CPU s | MB written |\n| --- | ---: | ---: |\n")
        pages = (frame(first, min(PAGE, rows - first), 0) for first in range(0, rows, PAGE))
        measure(f"table: {rows:,} new rows", lambda: merge(*pages))
        measure("history: the same", update)
        for turn, count in enumerate((100, 10_000, 100_000), 1):
            measure(f"table: {count:,} changed rows", lambda: merge(frame(0, count, turn, rows // count)))  # noqa: B023 - called at once
            measure("history: the same", update)
        measure("history: no news", update)
        _forget_snapshots(tables)
        measure("history: compared with the whole table", update)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        sys.stdout.write(f"peak memory {peak:.0f} MB; files in {Path(folder).name}\n")


def _forget_snapshots(tables: IcebergTables) -> None:
    """Make the history's last snapshot one that the table does not have."""
    history = tables._catalog.find("account_changes")  # noqa: SLF001 - a state that no run would write
    assert history is not None
    snapshot = history.current_snapshot()
    assert snapshot is not None
    foreign_state = HistoryState("another table", snapshot=1, sequence=0, number=9).to_json()
    with history.transaction() as transaction:
        transaction.set_properties(state_property(foreign_state, snapshot_id=snapshot.snapshot_id))


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 1_000_000)
