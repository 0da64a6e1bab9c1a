"""A history has each version that its table has held: once, in order, whatever happens to snapshots and columns."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from pyiceberg.types import BooleanType, IntegerType, LongType, StringType, TimestamptzType

from sf_assets.errors import CommitConflict, IcebergError
from sf_assets.iceberg.commit.pending_commit import PendingCommit
from sf_assets.iceberg.commit.schema_evolution import Evolution
from sf_assets.iceberg.commit.table_state import state_property
from sf_assets.iceberg.history.model import OWN_COLUMNS
from sf_assets.iceberg.history_state import HistoryState
from sf_assets.iceberg.model import Chunk, TableColumn
from sf_assets.iceberg.tables import IcebergTables

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
STAMP = pl.Datetime("us", "UTC")
ID, NAME = TableColumn("id", StringType()), TableColumn("name", StringType())
MORE = (
    TableColumn("is_deleted", BooleanType()),
    *(TableColumn(name, TimestamptzType()) for name in ("system_modstamp", "_synced_at")),
)


class Table:
    """A table `account` and its history."""

    def __init__(self, folder):
        self.folder, self.turn, self.days, self.stamps = folder, 0, 0, {}
        self.columns = (ID, NAME, *MORE)

    @property
    def tables(self) -> IcebergTables:
        properties = {"type": "sql", "uri": f"sqlite:///{self.folder}/c.db", "warehouse": f"file://{self.folder}/lake"}
        return IcebergTables(
            "salesforce", "salesforce", properties, now=lambda: datetime.now(UTC) + timedelta(days=self.days)
        )

    @property
    def iceberg(self):
        return self.tables._catalog.find("account")

    def frame(self, rows, deleted):
        self.turn += 1
        at = NOON + timedelta(minutes=self.turn)
        stamps = [self.stamps.setdefault((key, str(values), deleted), at) for key, values in rows.items()]
        frame = pl.DataFrame([{"id": key, **values} for key, values in rows.items()])
        return frame.with_columns(
            pl.Series("system_modstamp", stamps, dtype=STAMP),
            is_deleted=pl.lit(deleted),
            _synced_at=pl.lit(at, dtype=STAMP),
        )

    def merge(self, deleted=False, **names):
        rows = {key: value if isinstance(value, dict) else {"name": value} for key, value in names.items()}
        frame, facts = self.frame(rows, deleted), self.tables.facts("account")
        self.tables.merge(
            "account", columns=self.columns, keys=("id",), stamp="system_modstamp",
            base=facts.state if facts else None, chunks=[Chunk(frame, f"s{self.turn}")],
        )  # fmt: skip

    def replace(self, retype=False, **names):
        rows = {key: value if isinstance(value, dict) else {"name": value} for key, value in names.items()}
        facts = self.tables.facts("account")
        self.tables.replace(
            "account", columns=self.columns, keys=("id",), base=facts.state if facts else None, may_vanish=None,
            chunks=[Chunk(self.frame(rows, False), f"s{self.turn}")], retype=retype,
        )  # fmt: skip

    def update(self, **options):
        return self.tables.histories.update("account", **options)

    def history(self, *columns):
        frame = self.tables.scan("account_changes").sort("_change_number", "id").collect()
        return frame.select(columns or ("id", "name", "_change")).rows()

    def roll_back(self, snapshot_id):
        self.iceberg.manage_snapshots().set_current_snapshot(snapshot_id).commit()


@pytest.fixture
def account(tmp_path):
    return Table(tmp_path)


def test_each_version_is_a_row_and_deletes_and_undeletes_are_named(account):
    account.merge(a="x", b="y")
    account.update()
    account.merge(a="z")
    account.merge(deleted=True, b="y")
    account.merge(b="y")

    result = account.update()

    assert account.history() == [
        ("a", "x", "insert"), ("b", "y", "insert"), ("a", "z", "update"), ("b", "y", "delete"), ("b", "y", "undelete"),
    ]  # fmt: skip
    assert result.changes == {"delete": 1, "undelete": 1, "update": 1}
    assert (result.snapshots, result.notes, result.has_gap) == (3, (), False)


def test_a_history_that_begins_late_is_rebuilt_from_the_snapshots(account):
    account.merge(a="x")
    account.merge(a="y")

    account.update()

    assert account.history() == [("a", "x", "insert"), ("a", "y", "update")]


def test_each_change_names_its_snapshot_and_the_time_of_its_sync(account):
    account.merge(a="x")
    first = account.iceberg.current_snapshot().snapshot_id
    account.merge(a="y")
    account.update()

    second = account.iceberg.current_snapshot().snapshot_id
    minutes = [NOON + timedelta(minutes=1), NOON + timedelta(minutes=2)]
    assert account.history("_snapshot_id", "_synced_at") == list(zip((first, second), minutes, strict=True))


def test_a_full_refresh_adds_the_changed_rows_alone(account):
    account.merge(a="x", b="y", c="z")
    account.update()

    account.replace(a="x", b="new")
    account.update()

    assert account.history()[3:] == [("b", "new", "update"), ("c", "z", "delete")]


def test_a_row_that_vanished_and_came_back_is_inserted_again(account):
    account.replace(a="x")
    account.replace(b="y")
    account.replace(a="x", b="y")
    account.update()

    assert [row for row in account.history() if row[0] == "a"] == [
        ("a", "x", "insert"), ("a", "x", "delete"), ("a", "x", "insert"),
    ]  # fmt: skip


@pytest.mark.slow
def test_compaction_changes_nothing(account):
    for turn in range(30):
        account.merge(**{f"k{turn:02}": "x"})
    account.update()
    before = account.history()

    account.tables.maintenance.maintain("account")
    result = account.update()

    assert account.history() == before
    assert result.changes == {}
    assert account.update().snapshots == 0


def test_a_rewrite_by_another_engine_changes_nothing(account):
    account.merge(a="x", b="y")
    account.update()

    pending = PendingCommit(account.iceberg, Evolution())  # as a copy-on-write MERGE of Spark leaves it
    pending.drop_all()
    pending.add(account.tables.scan("account").collect())
    pending.commit(state=None, summary={}, now=None)
    result = account.update()

    assert account.history() == [("a", "x", "insert"), ("b", "y", "insert")]
    assert (result.snapshots, result.changes) == (1, {})


def test_an_update_without_news_writes_nothing(account):
    account.merge(a="x")
    account.update()
    location = account.tables.facts("account_changes").metadata_location

    result = account.update()

    assert (result.snapshots, result.changes, result.rows) == (0, {}, 1)
    assert account.tables.facts("account_changes").metadata_location == location


def test_a_rollback_is_named_and_its_rows_return(account):
    account.merge(a="x", b="y")
    good = account.iceberg.current_snapshot().snapshot_id
    account.merge(a="wrong", c="new")
    account.update()

    account.roll_back(good)
    account.merge(b="later")
    result = account.update()

    assert account.history("id", "name", "_change", "_derived_from")[4:] == [
        ("a", "x", "update", "rollback"), ("c", "new", "delete", "rollback"), ("b", "later", "update", "snapshot"),
    ]  # fmt: skip
    assert "rolled back" in result.notes[0]
    assert not result.has_gap


@pytest.mark.slow
@pytest.mark.parametrize("by", ["sync", "upkeep"])
def test_no_snapshot_expires_before_the_history_has_used_it(account, by):
    """A run was killed between the sync and its history, or the history fails: later syncs would expire its rest."""
    account.merge(a="v0", b="y")
    account.update()
    for turn in range(1, 13):
        account.merge(a=f"v{turn}")
    account.days = 9
    account.merge(a="v13") if by == "sync" else account.tables.maintenance.maintain("account")

    result = account.update()
    account.merge(a="v14")

    versions = [f"v{turn}" for turn in range(14 if by == "sync" else 13)]
    assert [name for key, name, _ in account.history() if key == "a"] == versions
    assert (result.has_gap, result.notes) == (False, ())
    assert len(account.iceberg.snapshots()) == 10


@pytest.mark.slow
def test_a_rollback_keeps_the_snapshot_at_which_the_history_branched(account):
    account.merge(a="x")
    good = account.iceberg.current_snapshot().snapshot_id
    account.merge(a="bad")
    account.update()
    account.roll_back(good)
    for turn in range(12):
        account.merge(b=f"v{turn}")
    account.days = 9
    account.merge(b="last")

    result = account.update()

    assert account.history("id", "name", "_derived_from")[2:4] == [("a", "x", "rollback"), ("b", "v0", "snapshot")]
    assert not result.has_gap


@pytest.mark.slow
def test_a_damaged_history_stops_no_sync_and_no_snapshot_expires(account):
    account.merge(a="v0")
    account.update()
    for turn in range(12):
        account.merge(a=f"v{turn + 1}")
    location = account.tables._catalog.find("account_changes").metadata_location
    Path(location.removeprefix("file://")).write_text("{")
    account.days = 9

    account.merge(a="last")

    assert len(account.iceberg.snapshots()) == 14


@pytest.mark.slow
def test_snapshots_expire_without_regard_to_a_history_of_a_former_table(account):
    account.merge(a="v0")
    account.update()
    account.tables._catalog.catalog.drop_table(("salesforce", "account"))
    for turn in range(12):
        account.merge(a=f"v{turn + 1}")
    account.days = 9

    account.merge(a="last")

    assert len(account.iceberg.snapshots()) == 10


@pytest.mark.slow
def test_expired_snapshots_lead_to_a_comparison_that_is_named(account):
    account.merge(a="x", b="y", c="z")
    account.update()
    account.merge(deleted=True, c="z")
    for turn in range(12):
        account.merge(a=f"v{turn}")
    account.days = 31
    account.tables.maintenance.maintain("account")

    result = account.update()

    assert result.has_gap
    assert "has expired" in result.notes[0]
    rows = account.history("id", "name", "_change", "_derived_from")
    assert rows[3][0] == "a"
    assert rows[4] == ("c", "z", "delete", "comparison")
    assert rows[-1][:3] == ("a", "v11", "update")
    assert account.history("id")[3:].count(("b",)) == 0


@pytest.mark.slow
def test_snapshots_that_expire_in_the_middle_are_a_gap_and_no_rollback(account):
    """apache/incubator-xtable issue 147: an expiry may remove any snapshot, not only the oldest ones."""
    account.merge(a="v0", b="y")
    account.update()
    account.merge(a="v1")
    middle = account.iceberg.current_snapshot().snapshot_id
    account.merge(a="v2")
    account.iceberg.maintenance.expire_snapshots().by_id(middle).commit()

    result = account.update()

    assert account.history("id", "name", "_derived_from")[2:] == [("a", "v2", "comparison")]
    assert result.has_gap
    assert "snapshots between it and the present one have expired" in result.notes[0]


def test_a_comparison_of_equal_tables_adds_nothing(account):
    account.merge(a="x", b="y")
    account.replace(a="x")
    account.merge(deleted=True, a="x")
    account.update()
    before = account.history()

    table = account.tables._catalog.find("account_changes")
    other = HistoryState("another table", snapshot=1, sequence=3, number=3).to_json()
    with table.transaction() as transaction:
        transaction.set_properties(state_property(other, snapshot_id=table.current_snapshot().snapshot_id))
    result = account.update()

    assert account.history() == before
    assert "made again" in result.notes[0]


@pytest.mark.slow
def test_columns_follow_the_table_by_field_id(account):
    account.merge(a="x")
    account.update()
    with account.iceberg.update_schema() as update:
        update.rename_column("name", "title")
        update.add_column("size", IntegerType())
    account.columns = (ID, TableColumn("title", StringType()), TableColumn("size", IntegerType()), *MORE)
    account.merge(a={"title": "x", "size": 3})
    account.update()
    account.columns = (ID, TableColumn("title", StringType()), TableColumn("size", LongType()), *MORE)
    account.merge(a={"title": "y", "size": 2**40})
    account.update()

    assert account.history("title", "size", "_change") == [
        ("x", None, "insert"), ("x", 3, "update"), ("y", 2**40, "update"),
    ]  # fmt: skip
    assert "name" not in account.tables.facts("account_changes").columns


def test_a_column_of_another_type_keeps_its_former_values(account):
    account.columns = (ID, TableColumn("size", StringType()), *MORE)
    account.merge(a={"size": "big"})
    account.update()
    account.columns = (ID, TableColumn("size", LongType()), *MORE)
    account.replace(a={"size": 7}, retype=True)
    account.update()

    former = next(name for name in account.tables.facts("account_changes").columns if name.startswith("size__former_"))
    assert account.history(former, "size", "_change") == [("big", None, "insert"), (None, 7, "update")]


@pytest.mark.slow
def test_removed_rows_are_erased_from_the_history_and_its_files(account):
    account.merge(a="kept", b="secret-one")
    account.update(forgets_deleted=True)
    account.merge(b="secret-two")
    account.update(forgets_deleted=True)
    account.merge(deleted=True, b="secret-two")
    account.tables.erase("account", "is_deleted")

    result = account.update(forgets_deleted=True)

    assert account.history() == [("a", "kept", "insert")]
    assert result.erased == 3
    assert not result.has_gap
    files = [path for path in account.folder.rglob("*.parquet") if "account_changes" in str(path)]
    assert files
    for path in files:
        assert "b" not in pl.read_parquet(path)["id"].to_list()
    account.merge(b="again")
    account.update(forgets_deleted=True)
    assert account.history()[1:] == [("b", "again", "insert")]


def test_an_erasure_that_was_interrupted_is_completed_by_the_next_update(account):
    account.merge(a="kept", b="secret")
    account.update()
    account.merge(deleted=True, b="secret")
    account.update()

    result = account.update(forgets_deleted=True)

    assert result.erased == 2
    assert account.history() == [("a", "kept", "insert")]


def test_two_updates_at_once_write_each_version_once(account, monkeypatch):
    account.merge(a="x")
    account.update()
    account.merge(a="y")
    tables = account.tables
    late = tables.histories
    stale = tables._catalog.find("account_changes")
    account.update()

    monkeypatch.setattr(late._catalog, "open", lambda *_, **__: stale)
    with pytest.raises(CommitConflict):
        late.update("account")

    assert account.history() == [("a", "x", "insert"), ("a", "y", "update")]


def test_a_history_without_a_table_says_what_to_materialize(account):
    with pytest.raises(IcebergError, match="no such table"):
        account.update()


def test_the_own_columns_are_described(account):
    account.merge(a="x")
    account.update()

    schema = account.tables._catalog.find("account_changes").schema()
    assert all(schema.find_field(column.name).doc for column in OWN_COLUMNS)


def test_a_version_hidden_in_its_own_commit_is_no_change(account):
    """As apache/iceberg#10935 asks: such a row was never visible."""
    frames = [account.frame({"a": {"name": name}}, False) for name in ("first", "second")]
    account.tables.merge(
        "account", columns=account.columns, keys=("id",), stamp="system_modstamp", base=None,
        chunks=[Chunk(frames[0], None), Chunk(frames[1], "s")],
    )  # fmt: skip
    account.update()

    assert account.history() == [("a", "second", "insert")]


def test_a_row_that_is_read_again_adds_no_version(account):
    """As in airbytehq/airbyte#14066: the newest row is read by each sync."""
    account.merge(a="x", b="y")
    account.update()
    for _ in range(3):
        account.merge(b="y")
        account.update()

    assert account.history() == [("a", "x", "insert"), ("b", "y", "insert")]


def test_a_rollback_behind_a_new_column_keeps_the_column(account):
    """As in apache/iceberg#5591: rows go back, the schema does not."""
    account.merge(a="x")
    before = account.iceberg.current_snapshot().snapshot_id
    account.columns = (*account.columns, TableColumn("size", IntegerType()))
    account.merge(a={"name": "x", "size": 3})
    account.update()
    account.roll_back(before)
    account.update()
    account.merge(a={"name": "x", "size": 4})
    account.update()

    assert account.history("name", "size", "_derived_from") == [
        ("x", None, "snapshot"), ("x", 3, "snapshot"), ("x", None, "rollback"), ("x", 4, "snapshot"),
    ]  # fmt: skip
