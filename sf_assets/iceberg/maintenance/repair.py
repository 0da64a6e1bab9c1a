"""Repair a damaged table: return to its newest whole version, or set it aside for a full copy. No file is deleted."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from pyiceberg.exceptions import NoSuchNamespaceError, NoSuchTableError
from pyiceberg.table import StaticTable, Table
from pyiceberg.table.snapshots import Snapshot, ancestors_of

from sf_assets.errors import IcebergError, TableDamaged, TableUnsupported
from sf_assets.iceberg.catalog import SET_ASIDE, IcebergCatalog, contradiction_in
from sf_assets.iceberg.commit.table_properties import VERSION
from sf_assets.iceberg.commit.table_state import STATE, drop_state, state_at, state_of, state_property
from sf_assets.iceberg.maintenance.damage import Damage, DamageFinder
from sf_assets.iceberg.metadata_location import file_io, metadata_files, metadata_location, table_location
from sf_assets.iceberg.translate_errors import name_damage

StateCheck = Callable[[str], bool]
"""Returns whether a state is readable."""


class RepairAction(Enum):
    """What a repair does with a table."""

    NOTHING = ""
    ROLL_BACK = "return to snapshot {target}; the next run reads what is missing"
    RESTORE_METADATA = "return to the metadata file {target}; the next run reads what is missing"
    REGISTER = "register the table again from {target}"
    RESET_STATE = "return to the state of {target}; the next run compares all rows"
    MOVE_BACK = "none: move the folder {target} back, or put a symbolic link there, or ask for a full copy"
    SET_ASIDE = "rename the table to {target}; the next run copies the endpoint in full"


@dataclass(frozen=True)
class Repair:
    """What is wrong with a table and what a repair does about it."""

    table: str
    damage: tuple[Damage, ...]
    action: RepairAction = RepairAction.NOTHING
    target: str = ""

    @property
    def does(self) -> str:
        """The action in words; empty if nothing is to be done."""
        return self.action.value.format(target=self.target)


class Repairer:
    """The repair of one table of a catalog."""

    def __init__(self, catalog: IcebergCatalog, name: str, *, is_state_valid: StateCheck, now: datetime) -> None:
        self._catalog = catalog
        self._name = name
        self._is_state_valid = is_state_valid
        self._aside = f"{name}{SET_ASIDE}{now:%Y%m%d%H%M%S}"

    def plan(self, *, deep: bool = False, full_copy: bool = False) -> Repair:
        """Find the damage and decide what to do. Nothing is changed."""
        try:
            table = self._catalog.load(self._name)
        except (NoSuchTableError, NoSuchNamespaceError):
            return self._plan_missing()
        except TableDamaged as error:
            damage = (
                Damage(str(error.values.get("path", "")), str(error).partition(" is damaged: ")[2] or str(error)),
            )
            return self._set_aside(damage) if full_copy else self._plan_metadata(damage)
        if VERSION not in table.properties:
            return Repair(self._name, ())
        return self._set_aside(()) if full_copy else self._plan_loaded(table, deep=deep)

    def apply(self, repair: Repair) -> None:
        """Apply the plan."""
        identifier = (self._catalog.namespace, self._name)
        pyiceberg = self._catalog.catalog
        if repair.action is RepairAction.SET_ASIDE:
            self._catalog.set_aside(self._name, repair.target)
        elif repair.action in {RepairAction.RESTORE_METADATA, RepairAction.REGISTER}:
            self._catalog.register(self._name, repair.target)
        elif repair.action is RepairAction.ROLL_BACK:
            table = pyiceberg.load_table(identifier)
            table.manage_snapshots().set_current_snapshot(int(repair.target)).commit()
        elif repair.action is RepairAction.RESET_STATE:
            self._reset_state(pyiceberg.load_table(identifier))

    def _plan_loaded(self, table: Table, *, deep: bool) -> Repair:
        try:
            self._catalog.find(self._name)
        except TableUnsupported as error:
            return self._set_aside((Damage(table.metadata_location, str(error)),))
        finder = DamageFinder(table.io, table.location(), deep=deep)
        damage = finder.check(table.current_snapshot())
        if not damage:
            return self._plan_state(table)
        whole = next((s for s in _newest_first(table) if not finder.check(s)), None)
        if whole is None:
            return self._set_aside(damage)
        return Repair(self._name, damage, RepairAction.ROLL_BACK, str(whole.snapshot_id))

    def _plan_state(self, table: Table) -> Repair:
        try:
            state = state_of(table)
            if state is None or self._is_state_valid(state):
                return Repair(self._name, ())
            what = f"unreadable: {state[:80]!r}"
        except TableDamaged as error:
            what = str(error)
        snapshot, _ = self._newest_state(table)
        target = f"snapshot {snapshot.snapshot_id}" if snapshot else "an empty table"
        damage = Damage(f"property {STATE} of {table.metadata_location}", what)
        return Repair(self._name, (damage,), RepairAction.RESET_STATE, target)

    def _newest_state(self, table: Table) -> tuple[Snapshot | None, str | None]:
        """Return the newest snapshot of the current line with a readable state, and that state."""
        for snapshot in ancestors_of(table.current_snapshot(), table.metadata):
            state = state_at(table.metadata, snapshot)
            if state is not None and self._is_state_valid(state):
                return snapshot, state
        return None, None

    def _reset_state(self, table: Table) -> None:
        _, state = self._newest_state(table)
        snapshot = table.current_snapshot()
        if state is None:
            drop_state(table)
        else:
            properties = state_property(state, snapshot_id=snapshot.snapshot_id if snapshot else None)
            table.transaction().set_properties(properties).commit_transaction()

    def _plan_missing(self) -> Repair:
        """Decide for a table that the catalog lacks: its files may still exist."""
        location = table_location(self._catalog.catalog, self._catalog.namespace, self._name)
        if location in self._set_aside_locations():
            return Repair(self._name, ())  # a repair has set it aside: the next run copies the endpoint in full
        for path in self._metadata_files(location):
            if self._is_whole(path):
                damage = Damage(
                    f"{self._catalog.namespace}.{self._name}", "the catalog has no such table, its files exist"
                )
                return Repair(self._name, (damage,), RepairAction.REGISTER, path)
        return Repair(self._name, ())

    def _set_aside_locations(self) -> set[str | None]:
        """Return the folders of the tables that repairs have replaced."""
        catalog, namespace = self._catalog.catalog, self._catalog.namespace
        try:
            names = [identifier[-1] for identifier in catalog.list_tables(namespace)]
        except NoSuchNamespaceError:
            return set()
        replaced = [name for name in names if name.startswith(f"{self._name}{SET_ASIDE}")]
        return {table_location(catalog, namespace, name) for name in replaced}

    def _plan_metadata(self, damage: tuple[Damage, ...]) -> Repair:
        """Decide for a table without a readable metadata file."""
        location = table_location(self._catalog.catalog, self._catalog.namespace, self._name)
        present = metadata_location(self._catalog.catalog, self._catalog.namespace, self._name)
        paths = [path for path in self._metadata_files(location) if path != present]
        if location is not None and not paths and self._is_folder_missing(location):
            return Repair(self._name, damage, RepairAction.MOVE_BACK, location)
        for path in paths:
            if self._is_whole(path):
                return Repair(self._name, damage, RepairAction.RESTORE_METADATA, path)
        return self._set_aside(damage)

    def _set_aside(self, damage: tuple[Damage, ...]) -> Repair:
        return Repair(self._name, damage, RepairAction.SET_ASIDE, self._aside)

    def _metadata_files(self, location: str | None) -> Iterator[str]:
        if location is not None:
            yield from metadata_files(file_io(self._catalog.catalog, location), location)

    def _is_folder_missing(self, location: str) -> bool:
        return not any(self._metadata_files(location))

    def _is_whole(self, path: str) -> bool:
        """Return whether a metadata file is readable and its snapshot whole."""
        try:
            with name_damage(path):
                table = StaticTable.from_metadata(path, dict(self._catalog.catalog.properties))
            if VERSION not in table.properties or contradiction_in(table) is not None:
                return False
            return not DamageFinder(table.io, table.location()).check(table.current_snapshot())
        except IcebergError:
            return False


def _newest_first(table: Table) -> Iterator[Snapshot]:
    """Yield the former snapshots, newest first; those of the current line come first."""
    current = table.current_snapshot()
    line = list(ancestors_of(current, table.metadata))[1:]
    others = [s for s in table.metadata.snapshots if s not in line and s != current]
    yield from line
    yield from sorted(others, key=lambda snapshot: snapshot.timestamp_ms, reverse=True)
