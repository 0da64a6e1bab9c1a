"""Whatever happens to a table, its history ends in the table's rows and never repeats or rewrites a version."""

from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import precondition, rule

from sf_assets_tests.iceberg.test_lake_model import LakeMachine

VALUES = ["id", "name", "is_deleted"]


class HistoryMachine(LakeMachine):
    """The table of `LakeMachine`, and its history."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[dict[str, Any]] = []

    @precondition(lambda self: self.table and self.table.current_snapshot())
    @rule()
    def update_the_history(self) -> None:
        self.tables().histories.update("account")
        rows = self.tables().scan("account_changes").sort("_change_number", "id").collect()
        assert not rows.select("id", "_change_number").is_duplicated().any()
        assert rows.to_dicts()[: len(self.written)] == _with_columns_of(self.written, rows)
        self.written = rows.to_dicts()
        self._ends_in_the_table(rows)
        assert self.tables().histories.update("account").snapshots == 0

    def _ends_in_the_table(self, rows: pl.DataFrame) -> None:
        last = rows.unique("id", keep="last", maintain_order=True)
        present = last.filter((pl.col("_change") != "delete") | pl.col("is_deleted"))
        names = {row["id"]: (row["name"], row["is_deleted"]) for row in present.select(VALUES).to_dicts()}
        assert names == self.model.rows
        for _, versions in rows.group_by("id", maintain_order=True):
            content = versions.drop("_synced_at", "_snapshot_id", "_derived_from", "_change_number")
            assert not any(one == two for one, two in zip(content.rows(), content.rows()[1:], strict=False))


def _with_columns_of(history_rows: list[dict[str, Any]], rows: pl.DataFrame) -> list[dict[str, Any]]:
    """Return the former rows in today's columns: new ones are NULL in them."""
    return [{name: row.get(name) for name in rows.columns} for row in history_rows]


HistoryMachine.TestCase.settings = settings(
    max_examples=3, stateful_step_count=14, deadline=None, suppress_health_check=list(HealthCheck)
)
TestHistory = pytest.mark.heavy(HistoryMachine.TestCase)
