"""The pages of a walk, and those of a walk or a full read that a Bulk query job gives."""

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass

from sf_assets.errors import BulkJobFailed
from sf_assets.sync.bulk import Outcome, discard_job, read_by_bulk
from sf_assets.sync.reader import Reader, Rows
from sf_assets.sync.state import BulkJob, Spans, State, Walk


@dataclass(frozen=True)
class WalkedPage:
    """A page of a walk, and what has been read with it.

    By REST these are the rows up to `after_id` and the spans, by a Bulk job those of its pages.
    """

    rows: Rows
    after_id: str | None
    spans: Spans = ()
    bulk: BulkJob | None = None
    is_end: bool = False
    """Whether a page of a job ends here: it is committed."""

    @property
    def is_opening(self) -> bool:
        """Whether the page only names a job that has just been created."""
        return self.bulk is not None and self.bulk.locator is None and self.rows.frame.is_empty()


def walk_by_bulk(reader: Reader, start: Walk, *, otherwise: Iterable[WalkedPage]) -> Iterator[WalkedPage]:
    """Yield the pages of a walk by a Bulk job, or else `otherwise`."""
    if reader.bulk is None and start.bulk is not None:
        reader.report.note(f"Bulk query job {start.bulk.id} is not used any more: REST reads the object.")
        discard_job(reader, start.bulk)
    is_complete = False
    if reader.bulk is not None:
        is_complete = yield from _walked(start, read_by_bulk(reader, reader.bulk, start.bulk))
    if not is_complete:
        yield from otherwise


def _walked(start: Walk, pages: Outcome) -> Generator[WalkedPage, None, bool]:
    while True:
        try:
            page = next(pages)
        except StopIteration as end:
            return bool(end.value)
        yield WalkedPage(page.rows, start.after_id, start.spans, page.job, page.is_end)


def whole_by_bulk(reader: Reader, base: State, *, otherwise: Iterable[Rows]) -> Iterator[Rows]:
    """Yield the rows of a full read by a Bulk job, or else `otherwise`.

    Raises:
        BulkJobFailed: the job failed after rows were yielded. They cannot be read again by REST: rows that changed
            meanwhile would come twice.
    """
    walk = base.position.walk
    if walk is not None and walk.bulk is not None:
        discard_job(reader, walk.bulk)
    is_complete = False
    if reader.bulk is not None:
        is_complete = yield from _whole(reader, read_by_bulk(reader, reader.bulk))
    if not is_complete:
        yield from otherwise


def _whole(reader: Reader, pages: Outcome) -> Generator[Rows, None, bool]:
    rows, job = 0, None
    while True:
        try:
            page = next(pages)
        except StopIteration as end:
            if not end.value and rows:
                raise BulkJobFailed(reader.report.problems.notes[-1]) from None
            return bool(end.value)
        except Exception:
            if job is not None:
                discard_job(reader, job)  # no state names it
            raise
        rows, job = rows + page.rows.frame.height, page.job
        try:
            yield page.rows
        except GeneratorExit:
            discard_job(reader, job)  # the rows could not be written
            raise
