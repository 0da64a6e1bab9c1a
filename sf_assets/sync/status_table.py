"""The table `_sync_status`: as of when each endpoint's table is true. One row an endpoint, one commit a run.

An endpoint without news makes no commit, so the rows' own `_synced_at` would look stale to who reads them in Snowflake.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from logging import Logger
from typing import TYPE_CHECKING, Any, Literal

from sf_assets.errors import SfAssetsError

if TYPE_CHECKING:
    import polars as pl

    from sf_assets.iceberg.model import TableColumn
    from sf_assets.iceberg.tables import IcebergTables

TABLE = "_sync_status"
Word = Literal["fresh", "unchanged", "warned", "failed", "quota_spent"]


@dataclass(frozen=True)
class Status:
    """What a run did for one endpoint. `true_as_of`, `rows`, `snapshot_id` None: as they were before the run."""

    endpoint: str
    state: Word
    run_id: str
    true_as_of: datetime | None = None
    rows: int | None = None
    snapshot_id: int | None = None
    warnings: str = ""


_noted: dict[str, dict[str, Status]] = {}


def note(status: Status) -> None:
    """Remember what a run did for an endpoint until the run ends."""
    _noted.setdefault(status.run_id, {})[status.endpoint] = status


def commit(run_id: str, warehouse: "Callable[[], IcebergTables]", log: Logger) -> None:
    """Write what was noted for a run, once; a write that fails is logged and fails nothing else."""
    annotate_hashing = _noted.pop(run_id, {})
    if not annotate_hashing:
        return
    try:
        _write(warehouse(), annotate_hashing.values(), now=datetime.now(UTC))
    except SfAssetsError as error:
        log.warning(f"{TABLE} was not written, the endpoints' tables were: {error.told}")


def _write(warehouse: "IcebergTables", statuses: Iterable[Status], *, now: datetime) -> None:
    import polars as pl

    from sf_assets.iceberg.model import UNCHECKED, Chunk

    rows = [asdict(status) | {"_synced_at": now} for status in _completed(warehouse, statuses)]
    frame = pl.DataFrame(rows, schema=_schema(), orient="row")
    warehouse.merge(
        TABLE,
        columns=_columns(),
        keys=("endpoint",),
        stamp=None,
        chunks=[Chunk(frame, None)],
        base=UNCHECKED,
        doc="As of when each endpoint's table is true, and how its last sync ended.",
    )


def _completed(warehouse: "IcebergTables", statuses: Iterable[Status]) -> list[Status]:
    """Fill what a failed sync does not know from the row that the table has."""
    ended = {status: status.state not in ("failed", "quota_spent") for status in statuses}
    before = {} if all(ended.values()) else _before(warehouse)
    return [status if known else replace(status, **before.get(status.endpoint, {})) for status, known in ended.items()]


def _before(warehouse: "IcebergTables") -> dict[str, dict[str, Any]]:
    kept = ("true_as_of", "rows", "snapshot_id")
    if warehouse.facts(TABLE) is None:
        return {}
    rows = warehouse.scan(TABLE).select("endpoint", *kept).collect().to_dicts()
    return {row["endpoint"]: {name: row[name] for name in kept} for row in rows}


def _schema() -> "dict[str, pl.DataType]":
    import polars as pl

    text, moment = pl.String(), pl.Datetime("us", "UTC")
    return {
        "endpoint": text,
        "state": text,
        "run_id": text,
        "true_as_of": moment,
        "rows": pl.Int64(),
        "snapshot_id": pl.Int64(),
        "warnings": text,
        "_synced_at": moment,
    }


def _columns() -> "tuple[TableColumn, ...]":
    from pyiceberg.types import LongType, StringType, TimestamptzType

    from sf_assets.iceberg.model import TableColumn

    return (
        TableColumn("endpoint", StringType(), "Name of the endpoint and of its table."),
        TableColumn("state", StringType(), "fresh, unchanged, warned, failed or quota_spent."),
        TableColumn("run_id", StringType(), "Dagster's id of the run."),
        TableColumn("true_as_of", TimestamptzType(), "The table equals the org as of this moment."),
        TableColumn("rows", LongType(), "Rows in the table."),
        TableColumn("snapshot_id", LongType(), "The table's snapshot that this row speaks of."),
        TableColumn("warnings", StringType(), "What speaks against the sync, or its error and remedy."),
        TableColumn("_synced_at", TimestamptzType(), "When this row was written."),
    )
