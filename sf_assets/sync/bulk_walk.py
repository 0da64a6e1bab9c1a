"""The pages of a walk, and those of a walk or a full read that a Bulk query job gives."""

from collections.abc import Generator
from dataclasses import dataclass

from sf_assets.errors import BulkJobFailed, SfAssetsError
from sf_assets.sync.bulk import discard_job, read_by_bulk
from sf_assets.sync.reader import Reader, Rows
from sf_assets.sync.state import BulkJob, Spans, Walk


@dataclass(frozen=True)
class WalkedPage:
    """A page of a walk, and what has been read with it: up to `after_id`, and the spans, or by a Bulk job."""

    rows: Rows
    after_id: str | None
    spans: Spans = ()
    bulk: BulkJob | None = None


def walk_by_bulk(reader: Reader, start: Walk) -> Generator[WalkedPage, None, bool]:
    """Yield the pages of a walk by a Bulk job; return whether they are all of its rows."""
    if reader.bulk is None:
        if start.bulk is not None:
            reader.report.note(f"Bulk query job {start.bulk.id} is not used any more: REST reads the object.")
            discard_job(reader, start.bulk)
        return False
    pages = read_by_bulk(reader, reader.bulk, start.bulk)
    while True:
        try:
            page = next(pages)
        except StopIteration as end:
            return bool(end.value)
        yield WalkedPage(page.rows, start.after_id, start.spans, page.job)


def whole_by_bulk(reader: Reader, former: BulkJob | None) -> Generator[Rows, None, bool]:
    """Yield the rows of a full read by a Bulk job; return whether they are all. `former`: a job that nobody needs.

    Raises:
        BulkJobFailed: the job failed after rows were yielded. They cannot be read again by REST: rows that changed
            meanwhile would come twice.
    """
    if former is not None:
        discard_job(reader, former)
    if reader.bulk is None:
        return False
    rows, job, pages = 0, None, read_by_bulk(reader, reader.bulk)
    while True:
        try:
            page = next(pages)
        except StopIteration as end:
            if not end.value and rows:
                raise BulkJobFailed(reader.report.problems.notes[-1]) from None
            return bool(end.value)
        except SfAssetsError:
            if job is not None:
                discard_job(reader, job)  # no state names it
            raise
        rows, job = rows + page.rows.frame.height, page.job
        yield page.rows
