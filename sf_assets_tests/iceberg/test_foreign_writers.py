"""Other engines write our tables, between two syncs and in the middle of one: read right, or refused by name."""

from datetime import timedelta
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.table import Table
from pyiceberg.table.sorting import NullOrder, SortDirection
from pyiceberg.transforms import IdentityTransform
from pyiceberg.typedef import Record
from pyiceberg.types import IntegerType, LongType

from sf_assets.errors import ColumnIncompatible, IcebergError, TableUnsupported
from sf_assets.iceberg.commit.casting import complete
from sf_assets.iceberg.commit.data_files import live_files
from sf_assets.iceberg.commit.delete_files import write_deletes
from sf_assets.iceberg.commit.manifests import Manifests
from sf_assets.iceberg.commit.pending_commit import PendingCommit
from sf_assets.iceberg.commit.pyiceberg_internals import CachedTransaction
from sf_assets.iceberg.commit.row_delta import RowDelta
from sf_assets.iceberg.commit.schema_evolution import Evolution
from sf_assets.iceberg.commit.table_state import state_of
from sf_assets.iceberg.model import TableColumn
from sf_assets_tests.iceberg.conftest import COLUMNS, moment

ROWS = [("1", "a", 10), ("2", "b", 20), ("3", "c", 30)]


def commit(table: Table, **files: Any) -> None:
    """Commit files as another engine would: without our state."""
    transaction = CachedTransaction(table)
    RowDelta(table, transaction, manifests=Manifests(table.io), **{"added": [], "summary": {}, **files}).commit()
    transaction.commit_transaction()


def rewrite(table: Table) -> None:
    """Rewrite every live row into one new file, as a compaction of pyiceberg does."""
    table.overwrite(table.scan().to_arrow())


def rewrite_in_one_snapshot(account: Any) -> None:
    """Rewrite every live row into one new file, in one snapshot, as Spark's rewrite_data_files does."""
    pending = PendingCommit(account.table, Evolution())
    rows = account.tables.scan(account.name).collect()
    pending.drop_all()
    pending.add(complete(rows, pending.types))
    pending.commit(state=None, summary={}, now=moment(0))


def plain_file(account: Any, tmp_path: Any, *rows: Any, **more: Any) -> str:
    """Write a Parquet file without field ids, as any tool does."""
    path = str(tmp_path / "plain.parquet")
    account.frame(*rows, **more).write_parquet(path)
    assert b"PARQUET:field_id" not in (pq.read_schema(path).field("id").metadata or {})
    return path


def test_a_file_without_field_ids_never_doubles_a_key(account, tmp_path):
    account.merge(account.frame(("1", "a", 10)), state="s1")
    account.table.add_files([plain_file(account, tmp_path, ("2", "b", 20), ("3", "c", 30))])

    result = account.merge(account.frame(("2", "B", 25), ("4", "d", 40)), state="s2")

    assert (result.inserted, result.updated, result.rows) == (1, 1, 4)
    assert account.rows() == [("1", "a"), ("2", "B"), ("3", "c"), ("4", "d")]


def test_a_file_without_field_ids_and_name_mapping_is_refused(account, tmp_path):
    account.merge(account.frame(("1", "a", 10)), state="s1")
    account.table.add_files([plain_file(account, tmp_path, ("2", "b", 20))])
    account.table.transaction().remove_properties("schema.name-mapping.default").commit_transaction()
    before = account.files()

    with pytest.raises(TableUnsupported, match=r"plain\.parquet: the file has no field ids.*name mapping"):
        account.merge(account.frame(("2", "B", 25)), state="s2")

    assert account.files() == before
    assert account.facts.state == "s1"


def test_a_replace_reads_a_file_without_field_ids(account, tmp_path):
    account.merge(account.frame(("1", "a", 10)), state="s1")
    account.table.add_files([plain_file(account, tmp_path, ("2", "b", 20))])

    result = account.replace(account.frame(("1", "a", 10), ("2", "B", 25)), state="s2")

    assert (result.unchanged, result.updated, result.inserted) == (1, 1, 0)
    assert account.rows() == [("1", "a"), ("2", "B")]


def test_a_key_that_another_tool_doubled_is_single_after_a_merge(account):
    account.merge(account.frame(*ROWS), state="s1")
    account.table.append(account.table.scan("id = '2'").to_arrow())
    assert account.facts.rows == 4

    result = account.merge(account.frame(("2", "b", 20)), state="s2")

    assert (result.unchanged, result.rows) == (1, 3)
    assert account.rows() == [("1", "a"), ("2", "b"), ("3", "c")]


@pytest.mark.slow
@pytest.mark.parametrize("column", ["name", "id"])
def test_a_partition_field_that_was_added_does_not_disturb_a_merge(account, column):
    account.merge(account.frame(*ROWS), state="s1")
    with account.table.update_spec() as update:
        update.add_field(column, IdentityTransform(), "part")

    account.merge(account.frame(("2", "B", 25), ("4", "d", 40)), state="s2")
    rewrite(account.table)  # now the data files have partitions
    result = account.merge(account.frame(("3", "C", 35), ("5", "e", 50)), state="s3")
    again = account.merge(account.frame(("3", "CC", 36), ("1", "A", 11)), state="s4")

    assert (result.inserted, result.updated) == (1, 1)
    assert (again.inserted, again.updated, again.rows) == (0, 2, 5)
    expected = [("1", "A"), ("2", "B"), ("3", "CC"), ("4", "d"), ("5", "e")]
    assert account.rows() == expected
    assert sorted(account.table.scan().to_arrow().select(["id", "name"]).to_pylist(), key=lambda row: row["id"]) == [
        {"id": key, "name": name} for key, name in expected
    ]


def test_a_table_that_is_partitioned_from_the_start_is_refused(account):
    account.merge(account.frame(*ROWS), state="s1")
    table = account.table
    catalog = account.tables._catalog.catalog
    catalog.drop_table(("salesforce", "account"))
    spec = PartitionSpec(PartitionField(source_id=2, field_id=1000, transform=IdentityTransform(), name="part"))
    catalog.create_table(("salesforce", "account"), table.schema(), partition_spec=spec, properties=table.properties)
    account.state = account.facts.state

    with pytest.raises(TableUnsupported, match="account: the table has no unpartitioned partition spec"):
        account.merge(account.frame(("2", "B", 25)), state="s2")


def test_a_sort_order_that_was_set_does_not_disturb_a_merge(account):
    account.merge(account.frame(*ROWS), state="s1")
    with account.table.update_sort_order() as update:
        update.desc("name", IdentityTransform(), NullOrder.NULLS_LAST)

    account.merge(account.frame(("2", "B", 25), ("4", "d", 40)), state="s2")

    assert account.table.sort_order().fields[0].direction == SortDirection.DESC
    assert account.rows() == [("1", "a"), ("2", "B"), ("3", "c"), ("4", "d")]


def deletes_of_several_files(table: Table, **positions: list[int]) -> DataFile:
    """Write one position delete file for several data files, without path bounds, as Spark may."""
    live = {file.path: file for file in live_files(table)}
    pairs = [(path, position) for path, key in zip(sorted(live), positions, strict=True) for position in positions[key]]
    path = table.location_provider().new_data_location("foreign-deletes.parquet")
    rows = pa.table({"file_path": [p for p, _ in pairs], "pos": pa.array([n for _, n in pairs], pa.int64())})
    with table.io.new_output(path).create() as stream:
        pq.write_table(rows, stream)
    file = DataFile.from_args(
        content=DataFileContent.POSITION_DELETES, file_path=path, file_format=FileFormat.PARQUET, partition=Record(),
        record_count=len(pairs), file_size_in_bytes=len(table.io.new_input(path)),
    )  # fmt: skip
    file.spec_id = 0
    return file


def test_rows_that_another_engine_deleted_stay_deleted(account):
    account.merge(account.frame(*ROWS), state="s1")
    account.merge(account.frame(("4", "d", 40), ("5", "e", 50)), state="s2")
    commit(account.table, deletes=[deletes_of_several_files(account.table, first=[0], second=[1])])
    missing_keys = {"1", "2", "3", "4", "5"} - {key for (key,) in account.rows("id")}
    assert len(missing_keys) == 2
    assert account.facts.rows == 3

    keys = sorted({"1", "2", "3", "4", "5"} - missing_keys)
    result = account.merge(account.frame((keys[0], "new", 99), (min(missing_keys), "back", 99)), state="s3")

    assert (result.inserted, result.updated, result.rows) == (1, 1, 4)
    assert dict(account.rows())[keys[0]] == "new"
    assert dict(account.rows())[min(missing_keys)] == "back"
    assert len(account.table.scan().to_arrow()) == 4


def test_another_engines_delete_file_of_one_data_file_is_merged(account):
    account.merge(account.frame(*ROWS), state="s1")
    table = account.table
    (file,) = live_files(table)
    path = table.location_provider().new_data_location("foreign-deletes.parquet")
    commit(table, deletes=[write_deletes(table.io, file, pl.Series([1]), path=path)])

    result = account.merge(account.frame(("3", "C", 35)), state="s2")

    assert (result.updated, result.rows) == (1, 2)
    assert account.rows() == [("1", "a"), ("3", "C")]
    assert [len(live.deletes) for live in live_files(account.table) if live.path == file.path] == [1]


def equality_delete(table: Table) -> DataFile:
    path = table.location_provider().new_data_location("equality.parquet")
    with table.io.new_output(path).create() as stream:
        pq.write_table(pa.table({"id": ["1"]}), stream)
    file = DataFile.from_args(
        content=DataFileContent.EQUALITY_DELETES, file_path=path, file_format=FileFormat.PARQUET, partition=Record(),
        record_count=1, file_size_in_bytes=100, equality_ids=[1],
    )  # fmt: skip
    file.spec_id = 0
    return file


def deletion_vector(table: Table) -> DataFile:
    file = DataFile.from_args(
        content=DataFileContent.POSITION_DELETES, file_path=f"{table.location()}/data/dv.puffin",
        file_format=FileFormat.PUFFIN, partition=Record(), record_count=1, file_size_in_bytes=100,
    )  # fmt: skip
    file.spec_id = 0
    return file


@pytest.mark.slow
@pytest.mark.parametrize(
    ("foreign", "what"),
    [(equality_delete, "the table has equality deletes"), (deletion_vector, "the table has PUFFIN files")],
)
def test_deletes_that_cannot_be_applied_are_refused_before_writing(account, foreign, what):
    account.merge(account.frame(*ROWS), state="s1")
    commit(account.table, deletes=[foreign(account.table)])
    before, snapshot = account.files(), account.table.current_snapshot()
    frame = account.frame(("1", "A", 15))

    for act in (
        lambda: account.merge(frame, state="s2"),
        lambda: account.replace(frame, state="s2"),
        lambda: account.facts,
        lambda: account.tables.erase("account", "name"),
    ):
        with pytest.raises(TableUnsupported, match=f"account: {what}") as error_info:
            act()
        assert "sf-assets repair" in error_info.value.remedy

    assert account.files() == before
    assert account.table.current_snapshot() == snapshot


def test_format_version_3_is_refused_by_name(account):
    account.merge(account.frame(*ROWS), state="s1")
    table = account.table
    path = table.metadata_location.removeprefix("file://")
    with open(path) as file:
        text = file.read()
    with open(path, "w") as file:
        file.write(text.replace('"format-version":2', '"format-version":3,"next-row-id":0'))

    with pytest.raises(TableUnsupported, match="account: the table was upgraded to Iceberg format version 3"):
        account.merge(account.frame(("1", "A", 15)), state="s2")


def test_a_renamed_key_column_is_refused_before_rows_come_twice(account):
    account.merge(account.frame(*ROWS), state="s1")
    with account.table.update_schema() as update:
        update.rename_column("id", "record_id")

    with pytest.raises(ColumnIncompatible, match="account: the table has no column id, which is its key"):
        account.merge(account.frame(("1", "A", 15)), state="s2")


def test_columns_that_another_tool_added_keep_their_values(account):
    account.merge(account.frame(*ROWS), state="s1")
    with account.table.update_schema() as update:
        update.add_column("score", IntegerType(), doc="added by a data scientist")
        update.update_column("name", doc="another comment")
    account.table.overwrite(account.table.scan().to_arrow().set_column(5, "score", pa.array([1, 2, 3], pa.int32())))

    account.merge(account.frame(("2", "B", 25)), state="s2")

    assert account.rows("id", "name", "score") == [("1", "a", 1), ("2", "B", 2), ("3", "c", 3)]


def test_a_column_that_another_tool_widened_stays_wide(account):
    account.columns = (*COLUMNS, TableColumn("seats", IntegerType()))
    account.merge(account.frame(*ROWS, seats=pl.lit(5, pl.Int32)), state="s1")
    with account.table.update_schema() as update:
        update.update_column("seats", field_type=LongType())

    account.merge(account.frame(("2", "B", 25), seats=pl.lit(6, pl.Int32)), state="s2")

    assert account.rows("id", "seats") == [("1", 5), ("2", 6), ("3", 5)]


def test_a_compaction_in_the_middle_of_a_merge_is_planned_again(account):
    account.merge(account.frame(*ROWS), state="s1")

    def chunks():
        yield from account.chunks(account.frame(("2", "B", 25)), state=None)
        rewrite(account.table)
        yield from account.chunks(account.frame(("3", "C", 35)), state="s2")

    result = account.stream(chunks())

    assert result.rows == 3
    assert account.rows() == [("1", "a"), ("2", "B"), ("3", "C")]
    assert account.facts.state == "s2"


def test_the_state_survives_a_rewrite_and_expiry_of_the_past(account):
    """Spark's expire_snapshots keeps the parent id of the oldest snapshot that is left."""
    account.merge(account.frame(*ROWS), state="s1")
    account.merge(account.frame(("4", "d", 40)), state="s2")
    rewrite_in_one_snapshot(account)
    table = account.table
    last = table.current_snapshot()
    old = [s.snapshot_id for s in table.snapshots() if s != last]
    table.maintenance.expire_snapshots().by_ids(old).commit()

    table = account.table
    table.metadata = table.metadata.model_copy(update={"snapshots": [last]})

    assert state_of(table) == "s2"
    assert state_of(account.table) is None  # pyiceberg drops the parent id: nothing proves what came before


def test_a_table_dropped_in_the_middle_of_a_merge_is_an_error_of_ours(account):
    account.merge(account.frame(*ROWS), state="s1")

    def chunks():
        yield from account.chunks(account.frame(("2", "B", 25)), state=None)
        account.tables._catalog.catalog.drop_table(("salesforce", "account"))
        yield from account.chunks(account.frame(("3", "C", 35)), state="s2")

    with pytest.raises(IcebergError, match="account: "):
        account.stream(chunks())


def test_rows_of_a_clock_ahead_do_not_matter_to_a_foreign_append(account):
    """A foreign append with a later stamp wins like any later version."""
    account.merge(account.frame(*ROWS), state="s1")
    arrow = account.table.scan("id = '1'").to_arrow()
    later = pl.from_arrow(arrow).with_columns(
        pl.lit("foreign").alias("name"), pl.lit(moment(0) + timedelta(days=1)).alias("system_modstamp")
    )
    account.table.append(later.to_arrow().cast(account.table.schema().as_arrow()))

    account.merge(account.frame(("1", "A", 15)), state="s2")

    assert account.rows() == [("1", "foreign"), ("2", "b"), ("3", "c")]


@pytest.mark.parametrize("mode", ["copy-on-write", "merge-on-read"])
def test_write_modes_that_another_engine_set_change_nothing_for_us(account, mode):
    """pyiceberg ignores write.delete.mode with a warning; Spark and Trino users set these on every table."""
    ours = {f"write.{verb}.mode": mode for verb in ("delete", "update", "merge")}
    others = {**ours, "write.delete.granularity": "partition", "write.delete.format.default": "avro"}
    account.merge(account.frame(*ROWS), state="s1")
    account.table.transaction().set_properties(others).commit_transaction()

    merge_result = account.merge(account.frame(("2", "B", 25), ("4", "d", 40)), state="s2")
    deletes = [delete.file_format for task in account.table.scan().plan_files() for delete in task.delete_files]
    replace_result = account.replace(account.frame(("2", "B", 25), ("4", "D", 50)), state="s3")
    account.tables.maintenance.maintain("account")

    assert (merge_result.updated, merge_result.inserted, merge_result.rows) == (1, 1, 4)
    assert deletes == ["PARQUET"]
    assert (replace_result.updated, replace_result.rows) == (1, 2)
    assert account.rows() == [("2", "B"), ("4", "D")]
    assert account.facts.state == "s3"
    assert {name: account.table.properties[name] for name in others} == others
