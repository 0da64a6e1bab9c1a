"""Repair, upkeep and size of the tables of one namespace."""

from collections.abc import Callable
from datetime import datetime

from sf_assets.iceberg.catalog import IcebergCatalog
from sf_assets.iceberg.maintenance.damage import Damage, find_damage
from sf_assets.iceberg.maintenance.repair import Repair, Repairer, StateCheck
from sf_assets.iceberg.maintenance.size import TableSize, measure
from sf_assets.iceberg.maintenance.upkeep import UpkeepResult, maintain
from sf_assets.iceberg.translate_errors import translate_errors


class TableMaintenance:
    """The maintenance of the tables of a catalog's namespace."""

    def __init__(self, catalog: IcebergCatalog, now: Callable[[], datetime]) -> None:
        self._catalog = catalog
        self._now = now

    def find_damage(self, table: str, *, deep: bool = False) -> tuple[Damage, ...]:
        """Return the damaged files of the table's current snapshot. Raises: TableDamaged, TableForeign."""
        with translate_errors(table):
            loaded = self._catalog.find(table)
            return () if loaded is None else find_damage(loaded, deep=deep)

    def plan_repair(
        self, table: str, *, is_state_valid: StateCheck, deep: bool = False, full_copy: bool = False
    ) -> Repair:
        """Return what is wrong with a table and what `repair` does about it."""
        with translate_errors(table):
            return self._repairer(table, is_state_valid).plan(deep=deep, full_copy=full_copy)

    def repair(self, plan: Repair, *, is_state_valid: StateCheck) -> None:
        """Apply the plan. No file is deleted."""
        with translate_errors(plan.table):
            self._repairer(plan.table, is_state_valid).apply(plan)

    def maintain(self, table: str, *, dry_run: bool = False) -> UpkeepResult | None:
        """Run the weekly upkeep of a table, or only report what is due."""
        with translate_errors(table):
            loaded = self._catalog.find(table)
            return None if loaded is None else maintain(loaded, now=self._now(), dry_run=dry_run)

    def measure(self, table: str) -> TableSize | None:
        """Return the table's size, or None if it does not exist."""
        with translate_errors(table):
            loaded = self._catalog.find(table)
            return None if loaded is None else measure(loaded)

    def _repairer(self, table: str, is_state_valid: StateCheck) -> Repairer:
        return Repairer(self._catalog, table, is_state_valid=is_state_valid, now=self._now())
