"""The values that a state consists of. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime


def utc_moment(text: str) -> datetime:
    """Return a moment in UTC, whatever its offset. Raises: ValueError if the text has none."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no offset")
    return moment.astimezone(UTC)


@dataclass(frozen=True)
class Probe:
    """The org's COUNT(Id) and MAX(SystemModstamp) of rows stamped from `since` on (None: of the whole object)."""

    since: datetime | None
    count: int
    ceiling: datetime | None


Spans = tuple[tuple[str | None, str | None], ...]


@dataclass(frozen=True)
class BulkJob:
    """A Bulk query job that a walk reads its rows from.

    `version`: the API version that created it. `query`: a fingerprint of its operation and SELECT. No row was read
    before `created_at`. `locator`: the first page that is not committed, None for the first one, `END` after the last.
    `rows` are committed.
    """

    id: str
    version: str
    query: str
    created_at: datetime
    locator: str | None = None
    rows: int = 0


@dataclass(frozen=True)
class Walk:
    """An unfinished walk by Id: `columns` have been read since its start, `ceiling` was fixed before it.

    Read are the rows up to `after_id` and those of each span: after its first Id, up to its last (None: all). With a
    `bulk` job they are the rows of its pages.
    """

    after_id: str | None
    ceiling: datetime | None
    began_at: datetime
    columns: tuple[str, ...]
    spans: Spans = ()
    bulk: BulkJob | None = None

    @property
    def is_begun(self) -> bool:
        """Whether any row has been read, or a job was created that reads them."""
        return self.after_id is not None or bool(self.spans) or self.bulk is not None


@dataclass(frozen=True)
class Resume:
    """The last row of an unfinished tail that is safely below the ceiling; the tail goes on after it.

    The tail began at `lower`. It reads rows again for the columns in `revealed`.
    """

    stamp: datetime
    id: str
    lower: datetime
    revealed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reread:
    """An unfinished bounded re-read: its bounds, and the last Id that is committed."""

    since: datetime | None
    until: datetime | None
    began_at: datetime
    after_id: str | None = None


@dataclass(frozen=True)
class Position:
    """Where the next sync goes on: after a complete read at `tail_from`, else in the walk or the tail.

    `reread`: where a re-read with the same bounds goes on; other syncs leave it as it is.
    """

    tail_from: datetime | None = None
    walk: Walk | None = None
    resume: Resume | None = None
    reread: Reread | None = None


@dataclass(frozen=True)
class ColumnStatus:
    """What the table holds of each column, by API name.

    `read`: complete in every row. `hidden`: no longer readable -> the stamp from which on its values are old, or None
    if they may be missing in any row. `rounded`: some value lost digits. `refused`: describe lists it, but every query
    that names it is refused -> when it was last tried. `complicated`: refused, since a query of it and the others is
    too complicated. `fractional`: a whole number with a second column for fractions.
    """

    read: tuple[str, ...] = ()
    hidden: Mapping[str, datetime | None] = field(default_factory=dict)
    rounded: tuple[str, ...] = ()
    refused: Mapping[str, datetime] = field(default_factory=dict)
    fractional: tuple[str, ...] = ()
    complicated: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReadTimes:
    """When the last read of each kind began.

    `read_at`: a complete read. `deep_read_at`: one that looked far back. `full_read_at`: one of every row.
    `reconciled_at`: a comparison with the org. `ids_compared_at`: a comparison of every Id. `calculated_at`: a read of
    all columns that change without a stamp.
    """

    read_at: datetime | None = None
    deep_read_at: datetime | None = None
    full_read_at: datetime | None = None
    reconciled_at: datetime | None = None
    ids_compared_at: datetime | None = None
    calculated_at: datetime | None = None

    @property
    def latest(self) -> datetime | None:
        """The latest of these moments, or None if there is none."""
        return max((moment for moment in vars(self).values() if moment), default=None)


@dataclass(frozen=True)
class OrgCounts:
    """What the org counted and logged.

    `last_probe`: the one that the last complete read explains.
    `out_of_sight`: live rows of the table that the org does not show, too many to be deleted, and since when.
    `deleted_until`: the end of the deleted log that was read.
    """

    last_probe: Probe | None = None
    out_of_sight: int = 0
    sight_lost_since: datetime | None = None
    deleted_until: datetime | None = None


@dataclass(frozen=True)
class HashStatus:
    """Which columns hold hashes, by API name in lower case, and the fingerprint of their key.

    `hashed` hold nothing but hashes; `mixed` may hold texts as well.
    """

    hashed: tuple[str, ...] = ()
    mixed: tuple[str, ...] = ()
    key: str | None = None
