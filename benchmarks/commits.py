"""Commit 2,000 hourly changes to one table: do commits, metadata, files and reads stay small?

    python benchmarks/commits.py --upkeep own
    PYTHONPATH=. python benchmarks/commits.py --upkeep external --spark .spark/bin/python

The clock passes an hour with each commit, so 2,000 commits are 83 days. `own`: the syncs compact and expire, and the
upkeep runs once a week. `external`: the syncs do neither; twice a day Spark runs what `sf-assets setup upkeep` prints,
or, without `--spark`, another process runs the job `lake_upkeep`.
Exit status 1 if a bound is exceeded.
"""

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from pyiceberg.table import Table
from pyiceberg.types import DecimalType, DoubleType, IcebergType, StringType, TimestamptzType

from sf_assets.commands.setup.upkeep import ORPHAN_DAYS, RUN_HOURS, days_ago, upkeep_script
from sf_assets.commands.setup.values import SetupValues
from sf_assets.iceberg.commit.data_files import live_files
from sf_assets.iceberg.model import Chunk, TableColumn
from sf_assets.iceberg.tables import IcebergTables

if TYPE_CHECKING:
    from sf_assets_tests.spark.engine import Spark

START = datetime(2026, 1, 1, tzinfo=UTC)
KEPT_HOURS = timedelta(days=5)
TYPES: list[tuple[IcebergType, Any]] = [(StringType(), pl.String), (DoubleType(), pl.Float64)]
WIDE = 36
COLUMNS = [
    TableColumn("id", StringType(), "Id"),
    *(TableColumn(f"text_{n}", TYPES[n % 2][0], f"Text__{n}: a label of the field {n}") for n in range(WIDE)),
    TableColumn("amount", DecimalType(18, 2), "Amount"),
    TableColumn("system_modstamp", TimestamptzType(), "SystemModstamp"),
    TableColumn("_synced_at", TimestamptzType(), "when this version of the row was read"),
]
STATE = '{"columns_read":[%s],"read_until":"%s","full_read_at":"2026-01-01T00:00:00Z"}'
WEEK = 24 * 7


class Lake:
    """One table whose clock passes an hour a commit.

    Snapshots have the real time. The clock therefore answers with the time at which exactly those of the last five
    days, by count of commits, are younger than five days.
    """

    def __init__(self, folder: Path, upkeep: str) -> None:
        self.folder = folder
        self.times: list[datetime] = []
        self.state: str | None = None
        uri = f"sqlite:///{folder}/catalog.db"
        properties = {"type": "sql", "uri": uri, "warehouse": f"file://{folder}/lake"}
        self.properties = properties
        self.tables = self.reopen(upkeep)

    def reopen(self, upkeep: str) -> IcebergTables:
        """Open the catalog as another process does."""
        return IcebergTables("salesforce", "salesforce", self.properties, now=self.now, upkeep=upkeep)

    def now(self) -> datetime:
        """Return the time by which the snapshots before the last 120 commits are five days old."""
        return self.before(KEPT_HOURS) + KEPT_HOURS if self.times else datetime.now(UTC)

    def before(self, age: timedelta) -> datetime:
        """Return the time of the last commit that has this age by count of commits, or of the first one."""
        hours = int(age / timedelta(hours=1))
        return self.times[-hours] if len(self.times) > hours else self.times[0]

    def merge(self, frame: pl.DataFrame, number: int) -> float:
        """Merge a change; return its CPU seconds."""
        names = ",".join(f'"Text__{n}"' for n in range(WIDE + 3))
        state = STATE % (names, START + timedelta(hours=number))
        before = time.process_time()
        self.tables.merge(
            "account", columns=COLUMNS, keys=("id",), stamp="system_modstamp", base=self.state,
            chunks=[Chunk(frame, state)],
        )  # fmt: skip
        cpu_seconds = time.process_time() - before
        self.state = state
        self.times.append(datetime.now(UTC))
        return cpu_seconds

    @property
    def table(self) -> Table:
        """The table as pyiceberg loads it."""
        table = self.tables._catalog.find("account")  # noqa: SLF001
        assert table is not None
        return table


def frame(ids: list[int], number: int) -> pl.DataFrame:
    """Return rows of 40 columns with new values."""
    chance = random.Random(number)
    texts = {
        f"text_{n}": [f"value {chance.random():.6f}" if n % 2 == 0 else chance.random() for _ in ids]
        for n in range(WIDE)
    }
    stamp = pl.lit(START + timedelta(hours=number)).cast(pl.Datetime("us", "UTC"))
    rows = pl.DataFrame({"id": [f"001{key:015}" for key in ids], **texts})
    return rows.with_columns(amount=pl.lit(number).cast(pl.Decimal(18, 2)), system_modstamp=stamp, _synced_at=stamp)


def measure(lake: Lake) -> dict[str, float]:
    """Return size of the metadata, live files and the time of a read of two columns (best of five)."""
    table = lake.table
    files = live_files(table)
    reads = []
    for _ in range(5):
        before = time.perf_counter()
        lake.tables.scan("account").select("text_1", "amount").sum().collect()
        reads.append(time.perf_counter() - before)
    deletes = {delete.file_path for file in files for delete in file.deletes}
    path = Path(table.metadata_location.removeprefix("file://"))
    return {
        "metadata kB": path.stat().st_size / 1000,
        "snapshots": len(table.metadata.snapshots),
        "data files": len(files),
        "delete files": len(deletes),
        "read s": min(reads),
    }


@contextmanager
def spark(python: str | None, folder: Path) -> Iterator["Spark | None"]:
    """Start a Spark over the table's catalog, if one is named."""
    if python is None:
        yield None
        return
    from sf_assets_tests.spark.engine import collect_jars, spark_over  # imported here: only with --spark

    jars = folder / "jars"
    jars.mkdir()
    collect_jars(Path(python).absolute(), jars)
    database, warehouse = folder / "catalog.db", f"file://{folder}/lake"
    with spark_over(Path(python), jars, database=database, warehouse=warehouse, log=folder / "spark.log") as engine:
        yield engine


def main() -> int:
    """Commit, maintain, measure, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--upkeep", choices=["own", "external"], default="own")
    parser.add_argument("--spark", help="the Python of a Spark, for external")
    parser.add_argument("--every", type=int, default=RUN_HOURS, help="hours between two upkeeps of the external engine")
    parser.add_argument("--commits", type=int, default=2000)
    parser.add_argument("--rows", type=int, default=20_000)
    arguments = parser.parse_args()
    chance = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(Path(folder), arguments.upkeep)
        count = arguments.rows
        lake.merge(frame(list(range(count)), 0), 0)
        cpu_seconds, worst = [], {"metadata kB": 0.0, "files": 0.0}
        with spark(arguments.spark, lake.folder) as engine:
            for number in range(1, arguments.commits + 1):
                recent = [max(0, count - 1 - int(chance.expovariate(1 / 2000))) for _ in range(20)]
                ids = sorted({*recent, *range(count, count + 10)})
                count += 10
                cpu_seconds.append(lake.merge(frame(ids, number), number))
                if number % 100 == 0 or number == arguments.commits:
                    figures = measure(lake)
                    worst["metadata kB"] = max(worst["metadata kB"], figures["metadata kB"])
                    worst["files"] = max(worst["files"], figures["data files"] + figures["delete files"])
                    text = ", ".join(f"{name} {value:.3g}" for name, value in figures.items())
                    print(f"{number}: commit {statistics.median(cpu_seconds[-100:]):.3f} CPU s, {text}", flush=True)
                if arguments.upkeep == "own" and number % WEEK == 0:
                    lake.tables.maintenance.maintain("account")
                if arguments.upkeep == "external" and number % arguments.every == 0:
                    maintain_with(engine, lake)
            if arguments.upkeep == "own":
                lake.tables.maintenance.maintain("account")
            else:
                maintain_with(engine, lake)
        last = measure(lake)
        fresh = fresh_load(lake, Path(folder) / "fresh")
        rows = lake.tables.scan("account").select("id").collect()["id"]
        assert rows.n_unique() == len(rows) == count, (rows.n_unique(), len(rows), count)
    first = statistics.median(cpu_seconds[:20])
    ratios = {
        "commit": statistics.median(cpu_seconds[-100:]) / first,
        "files after the upkeep": (last["data files"] + last["delete files"]) / fresh["data files"],
        "read after the upkeep": last["read s"] / fresh["read s"],
    }
    print(f"first 20 commits: {first:.3f} CPU s each (median); fresh load: {fresh}; after: {last}; worst: {worst}")
    print(", ".join(f"{name} {value:.2f} x" for name, value in ratios.items()))
    return int(max(ratios.values()) > 2 or worst["metadata kB"] > 50)


def fresh_load(lake: Lake, folder: Path) -> dict[str, float]:
    """Copy the rows into a new table in one commit, and measure it."""
    folder.mkdir()
    fresh = Lake(folder, "own")
    fresh.merge(lake.tables.scan("account").collect(), 0)
    return measure(fresh)


def maintain_with(engine: "Spark | None", lake: Lake) -> None:
    """Let Spark run what `sf-assets setup upkeep` prints: snapshots before the last 24 commits expire.

    Without a Spark the job `lake_upkeep` of another deployment maintains the table.
    """
    if engine is None:
        lake.reopen("own").maintenance.maintain("account")
        return
    old, orphans = lake.before(timedelta(days=1)), datetime.now(UTC) - timedelta(days=ORPHAN_DAYS)
    values = SetupValues(account_id="123456789012", region="eu-central-1", bucket="lake")
    for line in upkeep_script(values, engine="spark", tables={"account": 1}).splitlines():
        if line.startswith("CALL"):
            statement = line.rstrip(";").replace(days_ago(1), f"{old:%Y-%m-%d %H:%M:%S.%f}")
            engine(statement.replace(days_ago(ORPHAN_DAYS), f"{orphans:%Y-%m-%d %H:%M:%S}"))


if __name__ == "__main__":
    sys.exit(main())
