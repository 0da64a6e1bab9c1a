"""The table `_sync_status`: as of when each endpoint's table is true. One row an endpoint, one commit a run.

An endpoint without news makes no commit, so its rows' own `_synced_at` would look old to a reader in Snowflake.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from logging import Logger
from typing import TYPE_CHECKING, Any, Literal

from sf_assets.errors import SfAssetsError
from sf_assets.errors.redaction import redact

if TYPE_CHECKING:  # Polars and pyiceberg take 0.4 s of CPU to import, and every Dagster process loads this module
    from sf_assets.iceberg.tables import IcebergTables

TABLE = "_sync_status"
Outcome = Literal["fresh", "unchanged", "warned", "failed", "quota_spent"]


@dataclass(frozen=True)
class StatusColumn:
    """A column of the table. `type` is a Salesforce type word of the table of types."""

    name: str
    type: str
    doc: str


COLUMNS = (
    StatusColumn("endpoint", "string", "Name of the endpoint and of its table."),
    StatusColumn("state", "string", "fresh, unchanged, warned, failed or quota_spent."),
    StatusColumn("run_id", "string", "Dagster's id of the run."),
    StatusColumn("true_as_of", "datetime", "The table equals the org as of this moment."),
    StatusColumn("rows", "long", "Rows in the table."),
    StatusColumn("snapshot_id", "long", "The table's snapshot that this row describes."),
    StatusColumn("warnings", "string", "What is wrong with the sync, or its error and remedy."),
    StatusColumn("_synced_at", "datetime", "When this row was written."),
    StatusColumn(
        "calculated_as_of", "datetime", "No formula or roll-up value is older than this. NULL without such columns."
    ),
)
"""A new column is the last one: so it is in the tables of earlier versions."""


@dataclass(frozen=True)
class Status:
    """What a run did for one endpoint.

    `true_as_of`, `rows`, `snapshot_id` None: as they were before the run. So is `calculated_as_of` of a failed one.
    """

    endpoint: str
    state: Outcome
    run_id: str
    true_as_of: datetime | None = None
    rows: int | None = None
    snapshot_id: int | None = None
    warnings: str = ""
    calculated_as_of: datetime | None = None


_pending: dict[tuple[str, str], dict[str, Status]] = {}


def add(source: str, status: Status) -> None:
    """Keep what a run did for an endpoint until the run ends. `source`: first part of the org's asset keys."""
    redacted = replace(status, warnings=redact(status.warnings))
    _pending.setdefault((status.run_id, source), {})[status.endpoint] = redacted


def commit(run_id: str, source: str, tables: "Callable[[], IcebergTables]", log: Logger) -> None:
    """Write the statuses of a run and an org, once. A write that fails is logged and fails nothing else."""
    statuses = _pending.pop((run_id, source), {})
    if not statuses:
        return
    try:
        _write(tables(), statuses.values(), now=datetime.now(UTC))
    except SfAssetsError as error:
        log.warning(f"{TABLE} was not written, the endpoints' tables were: {error.with_remedy}")


def _write(tables: "IcebergTables", statuses: Iterable[Status], *, now: datetime) -> None:
    import polars as pl  # only a run that ends needs it

    from sf_assets.iceberg.model import UNCHECKED, Chunk, TableColumn
    from sf_assets.sync.type_map import TYPES

    rows = [asdict(status) | {"_synced_at": now} for status in _completed(tables, statuses)]
    frame = pl.DataFrame(rows, schema={c.name: TYPES[c.type].polars for c in COLUMNS}, orient="row")
    tables.merge(
        TABLE,
        columns=[TableColumn(c.name, TYPES[c.type].iceberg, c.doc) for c in COLUMNS],
        keys=("endpoint",),
        stamp=None,
        chunks=[Chunk(frame, None)],
        base=UNCHECKED,
        doc="As of when each endpoint's table is true, and how its last sync ended.",
    )


def _completed(tables: "IcebergTables", statuses: Iterable[Status]) -> list[Status]:
    """Fill what a sync does not know from the row that the table has."""
    statuses = list(statuses)
    before = _before(tables) if any(status.true_as_of is None for status in statuses) else {}
    return [_with_former_values(one, before.get(one.endpoint, {})) for one in statuses]


def true_as_of(tables: "IcebergTables", endpoint: str) -> datetime | None:
    """Return as of when an endpoint's table is true, or None without a record."""
    return _before(tables).get(endpoint, {}).get("true_as_of")


def _with_former_values(status: Status, before: dict[str, Any]) -> Status:
    has_read = status.state not in ("failed", "quota_spent")
    names = [name for name in before if not (name == "calculated_as_of" and has_read)]
    return replace(status, **{name: before[name] for name in names if getattr(status, name) is None})


def _before(tables: "IcebergTables") -> dict[str, dict[str, Any]]:
    facts = tables.facts(TABLE)
    if facts is None:
        return {}
    names = [name for name in ("true_as_of", "rows", "snapshot_id", "calculated_as_of") if name in facts.columns]
    rows = tables.read(TABLE, tables.scan(TABLE).select("endpoint", *names)).to_dicts()
    return {row["endpoint"]: {name: row[name] for name in names} for row in rows}
