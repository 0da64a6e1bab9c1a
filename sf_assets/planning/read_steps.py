"""A sync's read in steps that can be priced before it starts: which rows each step finds, and its calls."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sf_assets.salesforce.limits import PAGE_ROWS
from sf_assets.specs.soql import datetime_literal, string_literal
from sf_assets.sync.bulk_choice import bulk_calls
from sf_assets.sync.decide import Step
from sf_assets.sync.endpoint import Sync
from sf_assets.sync.limits import LOOKBACK, BulkLimits, pages
from sf_assets.sync.preflight import Preflight
from sf_assets.sync.state import Probe, Walk, later


@dataclass(frozen=True)
class ReadStep:
    """One step: the rows that `where` finds, by one query or page by page in the order of Ids.

    `rows` None: not counted yet. With `bulk` a Bulk query job reads them.
    """

    how: Literal["query", "ids"]
    where: tuple[str, ...]
    rows: int | None
    bulk: BulkLimits | None = None

    @property
    def calls(self) -> int:
        """The calls of the step."""
        rows = self.rows or 0
        if self.bulk is not None:
            return bulk_calls(rows, self.bulk)
        return pages(rows) if self.how == "query" else rows // PAGE_ROWS + 1


def is_first_copy(planned: Sync) -> bool:
    """Return whether a sync starts the first copy of a table."""
    return planned.base is None and planned.step is not None and planned.step.kind in ("walk", "replace")


def read_steps(planned: Sync, preflight: Preflight) -> list[ReadStep]:
    """Return what a sync would read, in its order, with rows if they are counted."""
    step, probe = planned.step, preflight.probe(planned.spec.endpoint)
    if step is None or step.kind == "unchanged":
        return []
    if step.kind == "tail":
        return [_tail(planned.spec.stamp, step, probe)]
    whole = probe.count if probe and probe.since is None else None
    if step.walk is None:
        how: Literal["query", "ids"] = "query" if planned.spec.how == "snapshot" else "ids"
        return [ReadStep(how, (), whole, planned.bulk)]
    walk = _walk(planned, step.walk, whole)
    is_short = step.walk.after_id is None and (whole or 0) < PAGE_ROWS and probe is not None and planned.bulk is None
    return [walk] if is_short else [walk, _tail_after(planned, step, probe)]


def _walk(planned: Sync, walk: Walk, whole: int | None) -> ReadStep:
    """Return the rest of a walk. A job's pages have no order, so their rest is known by its number alone."""
    after, job = walk.after_id, walk.bulk
    if job is not None and planned.bulk is not None and whole is not None:
        return ReadStep("ids", (), max(0, whole - job.rows), planned.bulk)
    where = (f"Id > {string_literal(after)}",) if after else ()
    return ReadStep("ids", where, None if after else whole, planned.bulk)


def _tail(stamp: str, step: Step, probe: Probe | None) -> ReadStep:
    lower = step.resume.stamp if step.resume else step.lower
    is_counted = probe is not None and probe.since == lower
    return ReadStep("query", _since(stamp, lower), probe.count if probe and is_counted else None)


def _tail_after(planned: Sync, step: Step, probe: Probe | None) -> ReadStep:
    """Return the tail after a walk of several pages, for rows that changed meanwhile."""
    fixed = step.walk.ceiling if step.walk and step.walk.is_begun else probe.ceiling if probe else None
    ceiling = later(planned.base.position.tail_from if planned.base else None, fixed)
    return ReadStep("query", _since(planned.spec.stamp, ceiling - LOOKBACK) if ceiling else (), None if ceiling else 0)


def _since(stamp: str, lower: datetime | None) -> tuple[str, ...]:
    return (f"{stamp} >= {datetime_literal(lower)}",) if lower else ()
