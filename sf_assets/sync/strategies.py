"""How an endpoint is read: walk, tail or whole, as batches with the states to resume from."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from sf_assets.errors import LocatorLost, QueryTimedOut, SfAssetsError
from sf_assets.salesforce.limits import PAGE_ROWS
from sf_assets.specs.soql import datetime_literal
from sf_assets.sync.batches import Batch, CommitThreshold
from sf_assets.sync.bulk_walk import WalkedPage, walk_by_bulk, whole_by_bulk
from sf_assets.sync.column_status import with_refused, with_rounded, with_rows_unread
from sf_assets.sync.decide import Step
from sf_assets.sync.id_range import IdRange
from sf_assets.sync.lanes import LaneReader
from sf_assets.sync.limits import DAY, LOOKBACK, TRIES
from sf_assets.sync.reader import Reader, Rows
from sf_assets.sync.resume_marks import ResumeMarks
from sf_assets.sync.state import Probe, Reread, Resume, Spans, State, Walk, at_resume, at_walk, later
from sf_assets.sync.transitions import (
    finished_replace,
    finished_tail,
    finished_walk,
    mid_walk_state,
    reread_state,
    tail_after_walk,
    usable_probe,
)

MOST_COMMITS = 100
"""A walk of slow pages commits this often, but not within a page: a kill costs at most a hundredth of its rows."""
UNKNOWN_PAGES = 10
"""Pages between two commits of a walk if the rows are not counted."""
__all__ = ["Batch", "read_by_id", "reread", "tail", "walk", "whole"]


def _walk_threshold(reader: Reader) -> CommitThreshold:
    """Return when a read by Id commits. A commit costs no API call, so slow pages are committed often.

    The position in a Bulk job moves only at the end of a result page.
    """
    if reader.bulk is not None:
        return CommitThreshold(reader.client.now, most_rows=reader.commit_rows)
    page = reader.lanes.page_rows
    rows = reader.report.planned.rows or UNKNOWN_PAGES * MOST_COMMITS * page
    return CommitThreshold(reader.client.now, most_rows=reader.commit_rows, least_rows=max(page, rows // MOST_COMMITS))


def read_by_id(reader: Reader, *, after: str | None, where: Sequence[str] = ()) -> Iterator[Rows]:
    """Read an object, or the rows of `where`, by ascending Id.

    Each page is a query of its own (`Id > last`): as many calls as by locators, and no row can be lost to a locator
    that executes the query again with an offset after a purge. An org that does not order is read in one query.

    Raises:
        ResultIncomplete: a result stays short.
    """
    ids = IdRange(reader, after=after, upper=None, limit=PAGE_ROWS, where=where)
    while not ids.is_done:
        yield from ids.query()
    if ids.is_unordered:
        yield from _read_unordered(reader, where=where)


def _read_unordered(reader: Reader, *, where: Sequence[str] = ()) -> Iterator[Rows]:
    reader.report.note("The org did not order by Id or ignored `Id >`: the object was read in one query.")
    yield from _in_one_query(reader, where=where)


def _walk_pages(
    reader: Reader, *, after_id: str | None, spans: Spans, rows_expected: int | None
) -> Iterator[WalkedPage]:
    """Read the rest of a walk, in lanes if the object is large."""
    if not spans and (rows_expected is None or rows_expected < reader.lanes.least_rows):
        yield from _walk_in_order(reader, after_id)
        return
    lanes = LaneReader(reader, after_id=after_id, spans=spans, rows_expected=rows_expected)
    for rows in lanes:
        yield WalkedPage(rows, lanes.after_id, lanes.spans)
    if lanes.is_unordered:
        yield from (WalkedPage(rows, None) for rows in _read_unordered(reader))
    elif lanes.obstacle:
        reader.report.note(f"The org {lanes.obstacle}: the object was read by one query after the other.")
        yield from _walk_in_order(reader, lanes.after_id)


def _walk_in_order(reader: Reader, after_id: str | None) -> Iterator[WalkedPage]:
    """Read on by one query after the other. Spans that were read before are read again."""
    for rows in read_by_id(reader, after=after_id):
        after_id = rows.position(after_id)
        yield WalkedPage(rows, after_id)


def walk(
    reader: Reader, base: State, *, ceiling: datetime | None, rows_expected: int | None, filter: str | None
) -> Iterator[Batch]:
    """Read every row by Id, from `base.position.walk` on. After a long walk, read the rows that changed meanwhile.

    `ceiling` is that of this sync. The walk's own ceiling is days old if the walk was interrupted for days.
    """
    start = base.position.walk
    assert start is not None
    walk_end = yield from _by_walk(reader, base, start, rows_expected=rows_expected, filter=filter)
    was_short = not start.is_begun and reader.report.read.pages <= 1 and reader.report.read.bulk_job is None
    if was_short or walk_end.position.tail_from is None:
        return
    step = tail_after_walk(walk_end, reader.columns)
    yield from tail(reader, walk_end, step, ceiling=ceiling, began_at=reader.report.began_at, last_probe=None)


def _by_walk(
    reader: Reader, base: State, start: Walk, *, rows_expected: int | None, filter: str | None
) -> Generator[Batch, None, State]:
    """Read by Id and return the final state, which the last batch has too."""
    threshold, state = _walk_threshold(reader), base
    if not start.is_begun:
        state = with_rounded(base, [c for c in base.columns.rounded if c not in start.columns])
    try:
        pages = _walk_pages(reader, after_id=start.after_id, spans=start.spans, rows_expected=rows_expected)
        for page in walk_by_bulk(reader, start, otherwise=pages):
            state = mid_walk_state(state, reader.columns, after_id=page.after_id, spans=page.spans, bulk=page.bulk)
            state = _with_findings(reader, state)
            yield from threshold.batch(
                page.rows.frame, partial(_identity, state), is_end=page.is_end, is_opening=page.is_opening
            )
    except SfAssetsError:
        yield Batch(reader.empty_frame(), state)
        raise
    final = _with_findings(reader, finished_walk(state, reader.columns, filter=filter))
    yield Batch(reader.empty_frame(), final)
    return final


def tail(
    reader: Reader, base: State, step: Step, *, ceiling: datetime | None, began_at: datetime, last_probe: Probe | None
) -> Iterator[Batch]:
    """Read the rows stamped from `step.lower` on, without an upper bound, with checkpoints between."""
    threshold, state = CommitThreshold(reader.client.now, most_rows=reader.commit_rows), base
    marks = ResumeMarks(reader, base, step, below=ceiling - LOOKBACK if ceiling else None)
    try:
        for rows in marks.pages():
            yield from threshold.batch(rows.frame, lambda: _resume_state(reader, base, step, marks.confirm()))
            state = _resume_state(reader, base, step, marks.confirmed)
    except QueryTimedOut:
        reader.report.note("QUERY_TIMEOUT: the tail is too long to be sorted by stamp; the object is walked by Id.")
        reader.report.kind = "walk"
        start = Walk(None, ceiling, began_at, reader.columns)
        yield from _by_walk(reader, at_walk(base, start), start, rows_expected=None, filter=base.filter)
        return
    except SfAssetsError:
        yield Batch(reader.empty_frame(), state)
        raise
    final = finished_tail(base, reader.columns, step, ceiling=ceiling, began_at=began_at, last_probe=last_probe)
    yield _end(reader, final)


def _resume_state(reader: Reader, base: State, step: Step, resume: Resume | None) -> State:
    unread = with_rows_unread(base, reader.columns, since=step.lower)
    return _with_findings(reader, at_resume(unread, resume))


def whole(
    reader: Reader, base: State, *, ceiling: datetime | None, began_at: datetime, last_probe: Probe | None,
    filter: str | None, rows_expected: int | None, by_ids: bool,
) -> Iterator[Batch]:  # fmt: skip
    """Read the whole object for a replace, which commits once at its end. `by_ids`: by Id instead of one query."""
    newest: datetime | None = None
    pages = _all_pages(reader, rows_expected) if by_ids else _in_one_query(reader)
    for rows in whole_by_bulk(reader, base, otherwise=pages):
        newest = later(newest, rows.newest(reader.spec.stamp_column))
        yield Batch(rows.frame, None)
    final = finished_replace(
        base, reader.columns, ceiling=ceiling, began_at=began_at, last_probe=usable_probe(last_probe, newest),
        filter=filter, hashed=reader.spec.hashed,
    )  # fmt: skip
    yield _end(reader, final)


def _all_pages(reader: Reader, rows_expected: int | None) -> Iterator[Rows]:
    for page in _walk_pages(reader, after_id=None, spans=(), rows_expected=rows_expected):
        yield page.rows


def _in_one_query(reader: Reader, *, where: Sequence[str] = ()) -> Iterator[Rows]:
    """Read one result; read a short one again unless some of it was yielded."""
    most = reader.lanes.held_rows
    for tries_left in reversed(range(TRIES)):
        pages, rows, total = list[Rows](), 0, 0
        try:
            for page in reader.pages(where=where):
                rows, total = rows + page.frame.height, page.total
                pages.append(page)
                if total > most:
                    yield pages.pop()
        except LocatorLost:
            if total > most or not tries_left:
                raise
            continue
        if rows >= total or reader.confirm_complete(where, rows):
            yield from pages
            return
        if total > most:
            break
    raise reader.incomplete_error(rows, total)


def reread(reader: Reader, base: State, *, since: datetime | None, until: datetime | None) -> Iterator[Batch]:
    """Read the rows stamped within [since, until) once more. No watermark moves.

    A re-read with the same bounds goes on where an interrupted one of the last day stopped.
    """
    threshold, now = _walk_threshold(reader), reader.report.began_at
    last = base.position.reread
    is_same = last is not None and (last.since, last.until) == (since, until) and now - last.began_at < DAY
    place = last if last and is_same else Reread(since, until, now)
    bounds = ((">=", since), ("<", until))
    name = reader.spec.stamp
    where = [f"{name} {sign} {datetime_literal(bound)}" for sign, bound in bounds if bound is not None]
    try:
        for rows in read_by_id(reader, after=place.after_id, where=where):
            place = replace(place, after_id=rows.position(place.after_id))
            yield from threshold.batch(rows.frame, partial(reread_state, base, reader.columns, place, since=since))
    except SfAssetsError:
        yield Batch(reader.empty_frame(), reread_state(base, reader.columns, place, since=since))
        raise
    yield _end(reader, reread_state(base, reader.columns, None, since=since))


def _end(reader: Reader, final: State) -> Batch:
    return Batch(reader.empty_frame(), _with_findings(reader, final))


def _identity(state: State) -> State:
    return state


def _with_findings(reader: Reader, state: State) -> State:
    """Add to the state which columns lost digits and which the org refuses."""
    rounded, refused = set(reader.report.problems.rounded), dict.fromkeys(reader.dropped, reader.report.began_at)
    if not rounded <= set(state.columns.rounded):
        state = with_rounded(state, {*state.columns.rounded, *rounded})
    if not refused:
        return state
    return with_refused(state, {**state.columns.refused, **refused}, complicated=reader.complicated)
