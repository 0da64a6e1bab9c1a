"""What a sync is asked to do (options), and the facts that it reports. Checks and metadata put them into words."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from sf_assets.errors.redaction import redact
from sf_assets.iceberg.model import Written
from sf_assets.sync.limits import BulkLimits, LaneLimits
from sf_assets.sync.state import State, later

Kind = Literal["unchanged", "walk", "tail", "replace", "reread", "unavailable"]
Calculated = Literal["refresh", "stale", "exclude"]
BulkMode = Literal["auto", "never", "always"]


@dataclass(frozen=True)
class RunOptions:
    """What one run asks for. `since` and `until` bound a re-read by SystemModstamp, half-open.

    `reconcile`: do all daily work of the endpoint now.
    """

    full_refresh: bool = False
    reconcile: bool = False
    since: datetime | None = None
    until: datetime | None = None
    confirm_shrink: bool = False
    adopt_org: bool = False


@dataclass(frozen=True)
class ComparisonLimits:
    """What the daily comparison of one table with its org may cost.

    Up to `rows_pages` pages every row is read in full: a row costs the same call as its Id. Up to `calculated_calls`
    pages the columns that change without a stamp are read again. Up to `ids_pages` pages all Ids are compared every
    `ids_every`. A larger table is compared by counts, with at most `most_calls` calls.
    """

    rows_pages: int = 5
    calculated_calls: int = 50
    ids_pages: int = 50
    ids_every: timedelta = timedelta(days=7)
    most_calls: int = 500


@dataclass(frozen=True)
class DeploymentOptions:
    """How a deployment reads its org.

    `calculated`: whether formulas and roll-ups are read again daily, stay as of their row's last change, or are left
    out. `comparison`: what the daily comparison with the org may cost. A table may lose `shrink_rows` rows, or
    `shrink_share` of them, without `confirm_shrink`. `backfill_calls`: the most calls for the
    backfill of a new column. `commit_rows`: a long read commits after this many rows. `quota_reserve`: the share of the
    day's calls that is left to others; `bulk_reserve`: the same during first syncs, backfills and full refreshes.
    `bulk`: whether a Bulk query job reads whole objects: large ones (auto), none, or all that allow it.
    """

    read_deleted: bool = True
    calculated: Calculated = "refresh"
    comparison: ComparisonLimits = ComparisonLimits()
    shrink_rows: int = 50
    shrink_share: float = 0.02
    backfill_calls: int = 50
    commit_rows: int = 200_000
    hash_key: bytes = field(default=b"", repr=False)
    quota_reserve: float = 0.1
    bulk_reserve: float = 0.3
    lanes: LaneLimits = LaneLimits()
    bulk: BulkMode = "auto"
    bulk_limits: BulkLimits = BulkLimits()

    @property
    def first_copy_reserve(self) -> float:
        """The share of the day's calls that a bulk read leaves to others."""
        return max(self.quota_reserve, self.bulk_reserve)


@dataclass
class Planned:
    """What the sync set out to read. Columns are API names.

    `rows`: what the read comes to, or None if unknown. `table_rows`: rows in the table before. `added`: columns that
    the table lacks. `revealed`: columns that were hidden and are readable again. `columns`: how many columns the table
    has by its spec and the org. `held_excluded`: columns that the spec excludes and the table still has.
    """

    rows: int | None = None
    table_rows: int = 0
    added: tuple[str, ...] = ()
    revealed: tuple[str, ...] = ()
    calculated: tuple[str, ...] = ()
    columns: int = 0
    held_excluded: tuple[str, ...] = ()


@dataclass
class ReadTotals:
    """What was read so far, and what it cost.

    `deleted`: rows that Salesforce marks as deleted. `calls`: requests of this endpoint alone, without its share of
    login, describe and probe. `repeated_calls`: those of them that were sent again. `bulk_job`: the Bulk query job that
    gave the rows, or None by REST.
    """

    soql: str = ""
    rows: int = 0
    deleted: int = 0
    pages: int = 0
    calls: int = 0
    repeated_calls: int = 0
    waited_seconds: float = 0.0
    bulk_job: str | None = None


@dataclass
class Problems:
    """What is wrong, or was done in another way. Columns are API names.

    `missing`: columns that the org does not show. `hidden`: those of them that the table has values of. `pending`: new
    columns that were not backfilled -> the calls it would cost. `refused`: columns that describe lists and queries
    refuse -> the calls of a backfill once they are accepted. `complicated`: calculated columns that are not read, since
    a query of all of them is too complicated. `rounded`: column -> values that lost digits in this
    sync; `rounded_before`: columns with such values already. `fractions`: whole-number column -> values of this sync
    that are not whole; `fractions_before`: such columns of the table already. `left_out`: column -> records that came
    without it. `replaced`: column -> texts in which half of a surrogate pair became U+FFFD. `out_of_sight`: live rows
    of the table that the org does not show, too many to be taken for deleted. `not_compared`: why the daily comparison
    failed.
    `unavailable`: why the object is off.
    """

    missing: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    pending: dict[str, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    complicated: tuple[str, ...] = ()
    rounded: dict[str, int] = field(default_factory=dict)
    rounded_before: tuple[str, ...] = ()
    fractions: dict[str, int] = field(default_factory=dict)
    fractions_before: tuple[str, ...] = ()
    left_out: dict[str, int] = field(default_factory=dict)
    replaced: dict[str, int] = field(default_factory=dict)
    out_of_sight: int = 0
    not_compared: str | None = None
    unavailable: str | None = None
    notes: list[str] = field(default_factory=list)


@dataclass
class Reconciled:
    """What the comparison with the org found and did.

    `rows_read`: rows that differed and were read by Id. `rows_marked`: rows that are marked as deleted because the org
    does not show them. `is_partial`: today's calls did not suffice. `oldest`: the oldest stamp of rows that differed.
    """

    how: str
    rows_read: int = 0
    rows_marked: int = 0
    calls: int = 0
    is_partial: bool = False
    oldest: datetime | None = None


@dataclass
class OrgFacts:
    """What is known of the org as a whole. `degraded`: what it does not serve of this object, by name."""

    degraded: tuple[str, ...] = ()
    true_as_of: datetime | None = None
    quota_used: int | None = None
    quota_limit: int | None = None


@dataclass
class SyncReport:
    """The facts of one sync. It fills up while the batches are drained, and `write_sync` completes it.

    `kind`: how the object was read. `written`: what the write did, or None if there was nothing to write. `retyped`:
    column -> its former and its present type. `final`: the state of the last batch.
    """

    endpoint: str
    sobject: str
    org_id: str
    began_at: datetime
    kind: Kind = "unchanged"
    planned: Planned = field(default_factory=Planned)
    read: ReadTotals = field(default_factory=ReadTotals)
    problems: Problems = field(default_factory=Problems)
    org: OrgFacts = field(default_factory=OrgFacts)
    written: Written | None = None
    retyped: dict[str, str] = field(default_factory=dict)
    reconciled: Reconciled | None = None
    final: State | None = None

    @property
    def true_as_of(self) -> datetime | None:
        """The moment as of which the table equals the org, or None if unmoved.

        A sync of an object that is off reads nothing, and a re-read looks at a part of the rows.
        """
        return None if self.problems.unavailable or self.kind == "reread" else self.org.true_as_of

    @property
    def calculated_as_of(self) -> datetime | None:
        """The moment since which every calculated value was read, or None if unknown."""
        if self.final is None or not self.planned.calculated:
            return None
        return later(self.final.times.full_read_at, self.final.times.calculated_at)

    def note(self, sentence: str) -> None:
        """Add a sentence for the metadata. It may quote what the org answered."""
        self.problems.notes.append(redact(sentence))


def ignore_progress(report: SyncReport) -> None:
    """Ignore a page: the default of `watch`."""
