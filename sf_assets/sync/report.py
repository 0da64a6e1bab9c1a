"""What a sync is asked for (Options) and what it tells afterwards (SyncRecord): facts, put into words by others."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from sf_assets.iceberg.model import Written
from sf_assets.sync.state import State

Kind = Literal["unchanged", "walk", "tail", "replace", "reread", "unavailable"]


@dataclass(frozen=True)
class Options:
    """How one endpoint is to be read; the first five are a run's own, the others a deployment's.

    `since` and `until` bound a re-read by SystemModstamp, half-open. `backfill_calls`: a new column is backfilled when
    that costs at most so many calls. `commit_rows`: a long read commits whenever it holds so many rows.
    `quota_reserve`: the share of the day's calls that is left to others; `bulk_reserve`: the same while a first sync,
    a backfill or a full refresh is under way.
    """

    full_refresh: bool = False
    since: datetime | None = None
    until: datetime | None = None
    confirm_shrink: bool = False
    adopt_org: bool = False
    read_deleted: bool = True
    calculated: Literal["stale", "exclude"] = "stale"
    backfill_calls: int = 50
    commit_rows: int = 200_000
    hash_key: bytes = field(default=b"", repr=False)
    quota_reserve: float = 0.1
    bulk_reserve: float = 0.3


@dataclass
class SyncReport:
    """The facts of one sync. It fills up while the batches are drained and is complete after the last one.

    Columns are API names. `kind` is how the object was read; `calls` counts the requests of this endpoint alone, its
    share of the run's login, describe and probe left out, and `sent_again` those among them that repeated one.
    `rows_deleted`: those of `rows_read` that Salesforce marks as deleted. `pending`: new columns not backfilled ->
    calls that it would cost. `rows_planned`: what the reading will come to, if known. `rounded`: column -> values
    with more digits than the column keeps, met in this sync; `rounded_before`: the columns that have such values
    already. `left_out`: column -> records that came without it. `retyped`: column -> its former and its present type.
    `lacking`: so many rows at least the org held and the table lacked at the last count, with stamps at which no tail
    looks. `final` is where the sync ended up; `settle` says that it is worth a commit of its own when no row changed.
    """

    endpoint: str
    sobject: str
    org_id: str
    began_at: datetime
    kind: Kind = "unchanged"
    soql: str = ""
    rows_read: int = 0
    rows_deleted: int = 0
    rows_planned: int | None = None
    pages: int = 0
    calls: int = 0
    sent_again: int = 0
    waited_seconds: float = 0.0
    table_rows_before: int = 0
    missing: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    revealed_columns: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    pending: dict[str, int] = field(default_factory=dict)
    calculated: tuple[str, ...] = ()
    rounded: dict[str, int] = field(default_factory=dict)
    rounded_before: tuple[str, ...] = ()
    left_out: dict[str, int] = field(default_factory=dict)
    retyped: dict[str, str] = field(default_factory=dict)
    lacking: int = 0
    unavailable: str | None = None
    notes: list[str] = field(default_factory=list)
    degraded: tuple[str, ...] = ()
    true_as_of: datetime | None = None
    quota_used: int | None = None
    quota_limit: int | None = None
    final: State | None = None
    settle: bool = False
    written: Written | None = None

    @property
    def calculated_as_of(self) -> datetime | None:
        """No calculated value of the table was read before this moment; None where nothing says so."""
        return self.final.whole_at if self.final and self.calculated else None


def unwatched(record: SyncReport) -> None:
    """Nobody is told how far a reading is."""
