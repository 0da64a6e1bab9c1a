"""How the columns of a table have changed: from the schemas that its metadata keeps."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pyiceberg.schema import Schema
from pyiceberg.table import Table


@dataclass(frozen=True)
class ColumnChange:
    """The difference between a schema and the one before.

    `at`: the first snapshot with the new schema, or None if that snapshot has expired. `retyped`: column -> "former
    type to present type". `renamed`: former name -> present name.
    """

    at: datetime | None
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    retyped: Mapping[str, str] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)


def column_changes(table: Table) -> tuple[ColumnChange, ...]:
    """Return the changes of the table's columns, oldest first."""
    schemas = sorted(table.metadata.schemas, key=lambda schema: schema.schema_id)
    times = _first_used(table)
    pairs = zip(schemas, schemas[1:], strict=False)
    changes = (_difference(former, present, at=times.get(present.schema_id)) for former, present in pairs)
    return tuple(one for one in changes if one.added or one.removed or one.retyped or one.renamed)


def _first_used(table: Table) -> dict[int, datetime]:
    """Return the time of the first snapshot of each schema."""
    times: dict[int, datetime] = {}
    for snapshot in sorted(table.metadata.snapshots, key=lambda snapshot: snapshot.timestamp_ms):
        if snapshot.schema_id is not None:
            times.setdefault(snapshot.schema_id, datetime.fromtimestamp(snapshot.timestamp_ms / 1000, tz=UTC))
    return times


def _difference(former: Schema, present: Schema, *, at: datetime | None) -> ColumnChange:
    before = {column.field_id: column for column in former.fields}
    now = {column.field_id: column for column in present.fields}
    both = [(before[key], now[key]) for key in before.keys() & now.keys()]
    changed = [(old, new) for old, new in both if old.field_type != new.field_type]
    return ColumnChange(
        at,
        added=tuple(sorted(now[key].name for key in now.keys() - before.keys())),
        removed=tuple(sorted(before[key].name for key in before.keys() - now.keys())),
        retyped={new.name: f"{old.field_type} to {new.field_type}" for old, new in changed},
        renamed={old.name: new.name for old, new in both if old.name != new.name},
    )
