"""Spark, Iceberg's reference implementation, reads our tables equal to pyiceberg, cell by cell (`make test-spark`)."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import polars as pl
import pytest
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import BooleanType, DateType, DecimalType, DoubleType, IntegerType, LongType, StringType

from sf_assets.iceberg.model import TableColumn
from sf_assets_tests.iceberg.conftest import COLUMNS, Account, open_tables
from sf_assets_tests.spark.conftest import PYTHON
from sf_assets_tests.spark.engine import text

pytestmark = pytest.mark.spark
READER = Path(__file__).parent / "read_tables.py"


def merge_rows(account: Account) -> None:
    account.merge(account.frame(("1", "a", 10), ("2", "b", 20), ("3", None, 30)), state="s1")
    account.merge(account.frame(("2", "B 'quoted' \"x\" 🚀", 25), ("4", "ü\n", 40)), state="s2")
    account.merge(account.frame(("2", "C", 26)), state="s3")


def empty(account: Account) -> None:
    account.tables.commit_state("account", columns=account.columns, base=None, state="s1", keys=("id",))


def evolve_columns(account: Account) -> None:
    merge_rows(account)
    kinds = (IntegerType(), LongType(), DoubleType(), BooleanType(), DateType(), DecimalType(38, 6), StringType())
    account.columns = (*COLUMNS, *(TableColumn(f"c{n}", kind) for n, kind in enumerate(kinds)))
    frame = account.frame(("3", "c", 50), ("5", "e", 50)).with_columns(
        c0=pl.lit(-5, pl.Int32), c1=pl.lit(2**40), c2=pl.lit(1.5), c3=pl.lit(True), c4=pl.date(2026, 2, 28),
        c5=pl.lit("12345678901234567890.123456").str.to_decimal(scale=6).cast(pl.Decimal(38, 6)),
        c6=pl.lit("10:15:00.000"),
    )  # fmt: skip
    account.merge(frame, state="s4")


def widen_type(account: Account) -> None:
    account.columns = (*COLUMNS, TableColumn("seats", IntegerType()))
    account.merge(account.frame(("1", "a", 10), seats=pl.lit(5, pl.Int32)), state="s1")
    account.columns = (*COLUMNS, TableColumn("seats", LongType()))
    account.merge(account.frame(("2", "b", 20), seats=pl.lit(2**40)), state="s2")


def rename_column(account: Account) -> None:
    merge_rows(account)
    with account.table.update_schema() as update:
        update.rename_column("name", "full_name")


def compact(account: Account) -> None:
    merge_rows(account)
    account.tables.maintenance.maintain("account")
    account.merge(account.frame(("1", "A", 90)), state="s9")


def replace_rows(account: Account) -> None:
    merge_rows(account)
    account.replace(account.frame(("1", "a", 10), ("9", "new", 99)), state="s9")


def partitioned_later(account: Account) -> None:
    merge_rows(account)
    with account.table.update_spec() as update:
        update.add_field("name", IdentityTransform(), "part")
    account.merge(account.frame(("1", "A", 90), ("6", "f", 90)), state="s9")


TABLES = (merge_rows, empty, evolve_columns, widen_type, rename_column, compact, replace_rows, partitioned_later)


def as_hadoop_table(account: Account) -> str:
    """Let Spark find the table by its folder, without a catalog."""
    table = account.table
    folder = Path(table.location().removeprefix("file://"))
    shutil.copy(table.metadata_location.removeprefix("file://"), folder / "metadata/v1.metadata.json")
    (folder / "metadata/version-hint.text").write_text("1")
    return str(folder)


def test_spark_reads_every_kind_of_table_equal_to_pyiceberg(tmp_path: Path, jars: Path) -> None:
    expected = {}
    for make in TABLES:
        (tmp_path / make.__name__).mkdir()
        account = Account(open_tables(tmp_path / make.__name__))
        make(account)
        rows = account.table.scan().to_arrow().to_pylist()
        expected[as_hadoop_table(account)] = [{name: text(value) for name, value in row.items()} for row in rows]
    environment = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1"}
    command = [PYTHON, READER, jars, *expected]

    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)

    assert run.returncode == 0, run.stderr[-4000:]
    spark = json.loads(run.stdout.rpartition("\nROWS ")[2])
    for folder, rows in expected.items():
        key = lambda row: str(row["id"])  # noqa: E731
        assert sorted(spark[folder], key=key) == sorted(rows, key=key), folder
