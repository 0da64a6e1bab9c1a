"""DuckDB sees each table at its current snapshot, in its current columns, without its deleted rows."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from pyiceberg.types import (
    BooleanType,
    DateType,
    DecimalType,
    DoubleType,
    IntegerType,
    LongType,
    StringType,
    TimestamptzType,
    TimeType,
)

from sf_assets.assets.resources import local_catalog
from sf_assets.downstream.tables import show_tables
from sf_assets.downstream.views import Files, can_be_viewed, is_local
from sf_assets.iceberg.catalog import IcebergCatalog
from sf_assets.iceberg.model import UNCHECKED, Chunk, TableColumn
from sf_assets.iceberg.tables import IcebergTables

duckdb = pytest.importorskip("duckdb")

COLUMNS = (TableColumn("id", StringType()), TableColumn("amount", DecimalType(38, 6)), TableColumn("n", IntegerType()))


class Seen:
    """A warehouse and a DuckDB beside it, which is shown the tables when asked for one."""

    def __init__(self, folder: Path) -> None:
        properties = local_catalog(folder / "it's a catalog")
        self.warehouse = IcebergTables("salesforce", "salesforce", properties)
        self.catalog = IcebergCatalog(catalog="salesforce", namespace="salesforce", properties=properties)
        offline = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
        self.conn = duckdb.connect(str(folder / "analytics.duckdb"), config=offline)
        self.conn.execute("set TimeZone = 'UTC'")

    def merge(self, rows, table="account", columns=COLUMNS):
        chunks = [Chunk(pl.DataFrame(rows, schema_overrides={"amount": pl.Decimal(38, 6)}), None)]
        self.warehouse.merge(table, columns=columns, keys=("id",), stamp=None, chunks=chunks, base=UNCHECKED)

    def rows(self, table="account", columns="*"):
        show_tables(self.conn, self.catalog)
        return sorted(self.conn.execute(f'select {columns} from salesforce."{table}"').fetchall())

    def kind(self, table="account"):
        query = "select table_type from information_schema.tables where table_schema = 'salesforce' and table_name = $1"
        return self.conn.execute(query, [table]).fetchall()


@pytest.fixture
def duckdb_view(tmp_path):
    view = Seen(tmp_path)
    yield view
    view.conn.close()


def test_every_table_of_the_namespace_is_a_view(duckdb_view):
    duckdb_view.merge([{"id": "a", "amount": Decimal("1.5"), "n": 1}])
    duckdb_view.merge([{"id": "b", "amount": None, "n": 2}], table="case")

    assert duckdb_view.rows() == [("a", Decimal("1.500000"), 1)]
    assert duckdb_view.rows("case") == [("b", None, 2)]
    assert duckdb_view.kind() == duckdb_view.kind("case") == [("VIEW",)]


def test_a_lake_without_tables_is_an_empty_schema(duckdb_view):
    show_tables(duckdb_view.conn, duckdb_view.catalog)

    assert duckdb_view.conn.execute("select count(*) from duckdb_views() where not internal").fetchall() == [(0,)]


def test_changed_rows_are_seen_once_and_in_their_last_version(duckdb_view):
    many = [{"id": f"{n:06}", "amount": Decimal(n), "n": n} for n in range(150_000)]
    duckdb_view.merge(many)
    duckdb_view.merge([{"id": "000007", "amount": Decimal(1), "n": -7}, {"id": "zz", "amount": Decimal(2), "n": 0}])
    duckdb_view.merge([{"id": "000008", "amount": Decimal(1), "n": -8}])

    table = duckdb_view.catalog.catalog.load_table("salesforce.account")
    assert any(task.delete_files for task in table.scan().plan_files()), "the merge was to leave position deletes"
    assert len(duckdb_view.rows(columns="id")) == 150_001
    assert duckdb_view.rows(columns="id, n")[7:9] == [("000007", -7), ("000008", -8)]


def test_an_added_renamed_or_widened_column_is_right_in_old_files_too(duckdb_view):
    duckdb_view.merge([{"id": "a", "amount": Decimal(1), "n": 1}])
    with duckdb_view.catalog.catalog.load_table("salesforce.account").update_schema() as change:
        change.rename_column("amount", "value")
        change.update_column("n", LongType())
        change.add_column("region__c", StringType())
    table = duckdb_view.catalog.catalog.load_table("salesforce.account")
    types = {"id": pl.String, "value": pl.Decimal(38, 6), "n": pl.Int64, "region__c": pl.String}
    row = {"id": "b", "value": Decimal(2), "n": 2**40, "region__c": "EU"}
    table.append(pl.DataFrame([row], schema=types).to_arrow().cast(table.schema().as_arrow()))

    assert duckdb_view.rows(columns="id, value, n, region__c") == [
        ("a", Decimal("1.000000"), 1, None),
        ("b", Decimal("2.000000"), 2**40, "EU"),
    ]


def test_a_column_takes_the_name_of_a_dropped_one_and_not_its_values(duckdb_view):
    duckdb_view.merge([{"id": "a", "amount": Decimal(1), "n": 1}])
    with duckdb_view.catalog.catalog.load_table("salesforce.account").update_schema() as change:
        change.delete_column("n")
    with duckdb_view.catalog.catalog.load_table("salesforce.account").update_schema() as change:
        change.add_column("n", StringType())

    assert duckdb_view.rows(columns="id, n") == [("a", None)]


def test_a_table_without_rows_has_its_columns(duckdb_view):
    duckdb_view.warehouse.commit_state("quote", columns=COLUMNS, base=None, state="{}", keys=("id",))

    assert duckdb_view.rows("quote") == []
    columns = duckdb_view.conn.execute('describe salesforce."quote"').fetchall()
    assert [row[:2] for row in columns] == [("id", "VARCHAR"), ("amount", "DECIMAL(38,6)"), ("n", "INTEGER")]


def test_every_type_of_ours_arrives_as_it_is(duckdb_view):
    moment = datetime(2026, 3, 10, 12, 0, 0, 123_456, tzinfo=UTC)
    row = {
        "id": "ü'\"\n",
        "on": True,
        "small": 1,
        "large": 2**40,
        "real": 0.5,
        "money": Decimal("12345678901234567890.123456"),
        "day": date(2026, 3, 10),
        "at": moment,
        "clock": time(1, 2, 3, 4),
    }
    kinds = [StringType(), BooleanType(), IntegerType(), LongType(), DoubleType(), DecimalType(38, 6), DateType(),
             TimestamptzType(), TimeType()]  # fmt: skip
    columns = [TableColumn(name, kind) for name, kind in zip(row, kinds, strict=True)]
    schema = {"small": pl.Int32, "money": pl.Decimal(38, 6), "at": pl.Datetime("us", "UTC")}
    chunks = [Chunk(pl.DataFrame([row], schema_overrides=schema), None)]
    duckdb_view.warehouse.merge("account", columns=columns, keys=("id",), stamp=None, chunks=chunks, base=UNCHECKED)

    assert duckdb_view.rows() == [tuple(row.values())]


def test_the_next_process_sees_the_next_snapshot_and_no_table_that_is_gone(duckdb_view):
    duckdb_view.merge([{"id": "a", "amount": None, "n": 1}])
    duckdb_view.merge([{"id": "a", "amount": None, "n": 1}], table="lead")
    assert duckdb_view.rows(columns="n") == [(1,)]

    duckdb_view.merge([{"id": "a", "amount": None, "n": 2}])
    duckdb_view.catalog.catalog.drop_table("salesforce.lead")

    assert duckdb_view.rows(columns="n") == [(2,)]
    with pytest.raises(duckdb.CatalogException):
        duckdb_view.conn.execute("select * from salesforce.lead")


def test_a_table_with_nested_columns_is_copied_again_only_after_a_change(duckdb_view):
    duckdb_view.warehouse.overwrite("tags", [pl.DataFrame({"id": ["a"], "tags": [["x", "y"]]})])
    assert duckdb_view.rows("tags") == [("a", ["x", "y"])]
    assert duckdb_view.kind("tags") == [("BASE TABLE",)]
    duckdb_view.conn.execute("delete from salesforce.tags")

    assert duckdb_view.rows("tags") == []  # the copy of this snapshot stays
    duckdb_view.warehouse.overwrite("tags", [pl.DataFrame({"id": ["b"], "tags": [["z"]]})])
    assert duckdb_view.rows("tags") == [("b", ["z"])]


def test_a_copy_becomes_a_view_once_duckdb_can_read_the_table(duckdb_view):
    duckdb_view.warehouse.overwrite("tags", [pl.DataFrame({"id": ["a"], "tags": [["x"]]})])
    duckdb_view.rows("tags")

    duckdb_view.warehouse.overwrite("tags", [pl.DataFrame({"id": ["b"]})])

    assert duckdb_view.rows("tags", "id") == [("b",)]


def test_many_threads_read_at_once(duckdb_view):
    duckdb_view.merge([{"id": f"{n}", "amount": Decimal(n), "n": n} for n in range(1_000)])
    duckdb_view.rows()

    def total(_):
        return duckdb_view.conn.cursor().execute("select sum(n) from salesforce.account").fetchall()

    with ThreadPoolExecutor(8) as pool:
        assert set(map(tuple, pool.map(total, range(40)))) == {((499_500,),)}


@pytest.mark.parametrize(
    ("path", "local"),
    [("file:///a b/c.parquet", True), ("/a/c.parquet", True), ("s3://catalog/c.parquet", False),
     ("file:///a[1]/c.parquet", False), ("gs://catalog/c.parquet", False)],
)  # fmt: skip
def test_only_files_of_this_machine_are_read_in_place(duckdb_view, path, local):
    duckdb_view.merge([{"id": "a", "amount": None, "n": 1}])
    schema = duckdb_view.catalog.catalog.load_table("salesforce.account").schema()

    assert is_local(path) == local
    assert can_be_viewed(schema, Files((path,), (), ())) == local
    assert can_be_viewed(schema, Files((), (), (path,))) == local
