"""A sync's reading in pieces that can be priced before it is begun: which rows each finds, and its cost in calls."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sf_assets.specs.model import STAMP
from sf_assets.specs.soql import datetime_literal, string_literal
from sf_assets.sync.endpoint import Sync
from sf_assets.sync.preflight import Preflight
from sf_assets.sync.state import LOOKBACK, Probe, Step, later
from sf_assets.sync.strategies import PAGE_ROWS, PAGED_BY_ID_ROWS, RANGE_ROWS


@dataclass(frozen=True)
class ReadStep:
    """One piece of a reading: the rows that `where` finds, by one query or in ranges of Ids (`expected` picks them).

    `rows` None: not known yet.
    """

    how: Literal["query", "ids"]
    where: tuple[str, ...]
    rows: int | None
    expected: int = 0

    @property
    def calls(self) -> int:
        """The calls that it costs, with pages of 2,000 rows."""
        rows = self.rows or 0
        if self.how == "query":
            return _pages(rows)
        limit = PAGE_ROWS if self.expected <= PAGED_BY_ID_ROWS else RANGE_ROWS
        full, rest = divmod(rows, limit)
        return full * (limit // PAGE_ROWS) + _pages(rest)


def is_first_copy(begun: Sync) -> bool:
    """Whether a sync would begin to read a table of which nothing was read before."""
    return begun.base is None and begun.step is not None and begun.step.kind in ("walk", "replace")


def legs(begun: Sync, known: Preflight) -> list[ReadStep]:
    """What a sync would read, in its order; rows are filled in where the survey has counted them."""
    step, answer = begun.step, known.probes.get(begun.spec.endpoint)
    if step is None or step.kind == "unchanged":
        return []
    probe = answer if isinstance(answer, Probe) else None
    whole = probe.count if probe and probe.since is None else None
    if step.kind == "tail":
        return [_tail(step, probe)]
    expected = probe.count if probe else 0
    if step.walk is None:
        return [ReadStep("query" if begun.spec.how == "snapshot" else "ids", (), whole, expected)]
    after = step.walk.after_id
    walk = ReadStep("ids", (f"Id > {string_literal(after)}",) if after else (), None if after else whole, expected)
    is_short = after is None and (whole or 0) < PAGE_ROWS and probe is not None
    return [walk] if is_short else [walk, _tail_after(begun, step, probe)]


def _tail(step: Step, probe: Probe | None) -> ReadStep:
    lower = step.resume.stamp if step.resume else step.lower
    is_counted = probe is not None and probe.since == lower
    return ReadStep("query", _since(lower), probe.count if probe and is_counted else None)


def _tail_after(begun: Sync, step: Step, probe: Probe | None) -> ReadStep:
    """A walk of more than a page is followed by what was stamped meanwhile."""
    fixed = step.walk.ceiling if step.walk and step.walk.after_id else probe.ceiling if probe else None
    ceiling = later(begun.base.tail_from if begun.base else None, fixed)
    return ReadStep("query", _since(ceiling - LOOKBACK) if ceiling else (), None if ceiling else 0)


def _since(lower: datetime | None) -> tuple[str, ...]:
    return (f"{STAMP} >= {datetime_literal(lower)}",) if lower else ()


def _pages(rows: int) -> int:
    return max(1, -(-rows // PAGE_ROWS))
