"""Any sequence of our writes, upkeep, foreign writes and rollbacks equals a model of plain dicts."""

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from pyiceberg.table import Table
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import BooleanType, IntegerType, StringType, TimestamptzType

from sf_assets.iceberg.commit.casting import complete
from sf_assets.iceberg.commit.data_files import live_files
from sf_assets.iceberg.commit.delete_files import write_deletes
from sf_assets.iceberg.commit.manifests import Manifests
from sf_assets.iceberg.commit.pending_commit import PendingCommit
from sf_assets.iceberg.commit.pyiceberg_internals import CachedTransaction
from sf_assets.iceberg.commit.row_delta import RowDelta
from sf_assets.iceberg.commit.schema_evolution import Evolution
from sf_assets.iceberg.model import Chunk, TableColumn
from sf_assets.iceberg.tables import IcebergTables

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
STAMP = pl.Datetime("us", "UTC")
COLUMNS = (
    TableColumn("id", StringType()),
    TableColumn("name", StringType()),
    TableColumn("is_deleted", BooleanType()),
    *(TableColumn(name, TimestamptzType()) for name in ("system_modstamp", "_synced_at")),
)
IDS = st.sampled_from([f"{number:02}" for number in range(12)])
TEXTS = st.sampled_from(["", " ", "a", "ü", "🚀", "x" * 40, "O'Brien", "\ud7ff" * 17])
ROWS = st.dictionaries(IDS, TEXTS, min_size=1, max_size=8)


@dataclass
class Model:
    """What a table must hold: key -> (name, deleted, further columns), and the state of these rows."""

    rows: dict[str, tuple[str, bool]] = field(default_factory=dict)
    more: dict[str, dict[str, int | None]] = field(default_factory=dict)
    state: str | None = None


class LakeMachine(RuleBasedStateMachine):
    """One table, and what it must hold after each step."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.model = Model()
        self.past: dict[int, Model] = {}
        self.columns = COLUMNS
        self.turn = 0
        self.days = 0

    def teardown(self) -> None:
        self.folder.cleanup()

    def tables(self, **more: str) -> IcebergTables:
        folder = Path(self.folder.name)
        properties = {"type": "sql", "uri": f"sqlite:///{folder}/catalog.db", "warehouse": f"file://{folder}/lake"}
        now = datetime.now(UTC) + timedelta(days=self.days)
        return IcebergTables("salesforce", "salesforce", properties, now=lambda: now, **more)

    @property
    def table(self) -> Table:
        return self.tables()._catalog.find("account")

    def frame(self, rows: dict[str, str], *, deleted: bool = False) -> pl.DataFrame:
        self.turn += 1
        at = pl.lit(NOON + timedelta(minutes=self.turn), dtype=STAMP)
        texts = {"id": list(rows), "name": list(rows.values())}
        frame = pl.DataFrame(texts, schema=dict.fromkeys(texts, pl.String))
        numbers = {
            column.name: pl.lit(self.turn, pl.Int32) for column in self.columns if column.name.startswith("number")
        }
        return frame.with_columns(is_deleted=pl.lit(deleted), system_modstamp=at, _synced_at=at, **numbers)

    def wrote(self, rows: dict[str, str], *, deleted: bool = False) -> None:
        numbers = {c.name: self.turn for c in self.columns if c.name.startswith("number")}
        for key, name in rows.items():
            self.model.rows[key] = (name, deleted)
            self.model.more[key] = {**self.model.more.get(key, {}), **numbers}

    def remember(self) -> None:
        """Keep the model of the current snapshot: a rollback leads back to it."""
        if (table := self.table) and (snapshot := table.current_snapshot()):
            self.past[snapshot.snapshot_id] = deepcopy(self.model)

    @rule(rows=ROWS, deleted=st.booleans(), upkeep=st.sampled_from(["own", "external"]))
    def merge(self, rows: dict[str, str], deleted: bool, upkeep: str) -> None:
        frame, state = self.frame(rows, deleted=deleted), f"s{self.turn}"
        self.tables(upkeep=upkeep).merge(
            "account", columns=self.columns, keys=("id",), stamp="system_modstamp", base=self.model.state,
            chunks=[Chunk(frame, state)],
        )  # fmt: skip
        self.wrote(rows, deleted=deleted)
        self.model.state = state
        self.remember()

    @rule(rows=ROWS)
    def replace(self, rows: dict[str, str]) -> None:
        frame, state = self.frame(rows), f"s{self.turn}"
        self.tables().replace(
            "account", columns=self.columns, keys=("id",), base=self.model.state, may_vanish=None,
            chunks=[Chunk(frame, state)],
        )  # fmt: skip
        for key in self.model.rows.keys() - rows.keys():
            del self.model.rows[key], self.model.more[key]
        self.wrote(rows)
        self.model.state = state
        self.remember()

    @precondition(lambda self: self.model.state)
    @rule()
    def move_the_state(self) -> None:
        self.turn += 1
        base, self.model.state = self.model.state, f"t{self.turn}"
        self.tables().commit_state("account", columns=self.columns, base=base, state=self.model.state)

    @precondition(lambda self: self.model.state and len(self.columns) < 8)
    @rule()
    def add_a_column(self) -> None:
        self.columns = (*self.columns, TableColumn(f"number{len(self.columns)}", IntegerType()))

    @precondition(lambda self: self.model.state)
    @rule()
    def erase(self) -> None:
        erasure = self.tables().erase("account", "is_deleted")
        keys = [key for key, (_, deleted) in self.model.rows.items() if deleted]
        assert erasure == len(keys)
        for key in keys:
            del self.model.rows[key], self.model.more[key]
        if erasure:
            self.past.clear()
            self.remember()

    @precondition(lambda self: self.model.state)
    @rule(days=st.sampled_from([0, 1, 9]))
    def weekly_upkeep(self, days: int) -> None:
        self.days += days
        self.tables().maintenance.maintain("account")
        self.remember()

    @precondition(lambda self: self.model.state)
    @rule()
    def remove_orphan_files(self) -> None:
        self.tables().remove_orphan_files("account", older_than=timedelta(0))

    @precondition(lambda self: self.model.rows)
    @rule()
    def another_engine_compacts(self) -> None:
        pending = PendingCommit(self.table, Evolution())
        rows = self.tables().scan("account").collect()
        pending.drop_all()
        pending.add(complete(rows, pending.types))
        pending.commit(state=None, summary={}, now=None)
        self.remember()

    @precondition(lambda self: self.model.rows)
    @rule(place=st.integers(0, 20))
    def another_engine_deletes_a_row(self, place: int) -> None:
        table = self.table
        file = live_files(table)[place % len(live_files(table))]
        if file.deletes:
            return
        rows = pl.read_parquet(file.path.removeprefix("file://"), columns=["id"])
        position, key = place % rows.height, rows["id"][place % rows.height]
        path = table.location_provider().new_data_location(f"foreign-{self.turn}-{place}.parquet")
        delete = write_deletes(table.io, file, pl.Series([position]), path=path)
        transaction = CachedTransaction(table)
        RowDelta(table, transaction, manifests=Manifests(table.io), added=[], deletes=[delete], summary={}).commit()
        transaction.commit_transaction()
        del self.model.rows[key], self.model.more[key]
        self.remember()

    @precondition(lambda self: self.model.state)
    @rule(key=IDS, name=TEXTS)
    def another_engine_adds_a_file_without_field_ids(self, key: str, name: str) -> None:
        if key in self.model.rows or "\ud7ff" in name:  # pyiceberg's own add_files cannot round it up for a bound
            return
        path = Path(self.folder.name) / f"plain{self.turn}-{key}.parquet"
        frame = self.frame({key: name})
        frame.select("id", "name", "is_deleted", "system_modstamp", "_synced_at").write_parquet(path)
        self.table.add_files([str(path)])
        self.model.rows[key] = (name, False)
        self.model.more[key] = {}
        self.remember()

    @precondition(lambda self: self.model.rows and len(self.table.specs()) == 1)
    @rule()
    def another_engine_partitions_the_table(self) -> None:
        with self.table.update_spec() as update:
            update.add_field("is_deleted", IdentityTransform(), "part")

    @precondition(lambda self: self.past and self.table)
    @rule(choice=st.integers(0, 50))
    def roll_back(self, choice: int) -> None:
        table = self.table
        snapshots = [s.snapshot_id for s in table.snapshots() if s.snapshot_id in self.past]
        if not snapshots:
            return
        snapshot_id = snapshots[choice % len(snapshots)]
        if snapshot_id == table.current_snapshot().snapshot_id:
            return
        table.manage_snapshots().set_current_snapshot(snapshot_id).commit()
        state = self.model.state
        self.model = deepcopy(self.past[snapshot_id])
        present = self.tables().facts("account").state
        assert present != state or present == self.model.state
        self.model.state = present  # the nearest state on the snapshot's line, checked in commit/test_state.py

    @invariant()
    def the_table_equals_the_model(self) -> None:
        tables = self.tables()
        facts = tables.facts("account")
        if facts is None:
            assert not self.model.rows
            return
        frame = tables.scan("account").collect()
        rows = {row["id"]: (row["name"], row["is_deleted"]) for row in frame.to_dicts()}
        assert frame.height == len(rows) == facts.rows
        assert rows == self.model.rows
        assert facts.state == self.model.state
        for row in frame.to_dicts():
            for name, value in self.model.more[row["id"]].items():
                assert row[name] == value, (row["id"], name)
        assert tables.maintenance.find_damage("account") == ()


LakeMachine.TestCase.settings = settings(
    max_examples=5, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
)
TestLake = pytest.mark.slow(LakeMachine.TestCase)
