"""One range of Ids, read in ascending order by one query after the other."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import polars as pl

from sf_assets.errors import LocatorLost, QueryTimedOut
from sf_assets.specs.soql import string_literal
from sf_assets.sync.limits import SMALLEST_RANGE_ROWS, TRIES
from sf_assets.sync.reader import Reader, Rows


class IdRange:
    """The rows with Ids in `(after, upper]`; `upper` None means the end of the object.

    The pages of a result are yielded once the result is complete, so no row up to `after` is ever missing. If a result
    has fewer rows than its totalSize and none is missing up to its last Id, the next query goes on after that Id;
    otherwise the result is read again. The range ends once rows and totalSize are below the LIMIT.

    An org that ignores LIMIT sends the whole object as one result. It is accepted in parts of `held_rows`, each once
    the org counts no more rows up to its end.
    """

    def __init__(
        self, reader: Reader, *, after: str | None, upper: str | None, limit: int, where: Sequence[str] = ()
    ) -> None:
        self.after, self.upper, self.limit = after, upper, limit
        self.sent_upper: str | None = None
        """`upper` in the present query."""
        self.is_done = False
        self.is_cut = False
        """The caller ended the range within the present result (`end_before`)."""
        self.is_unordered = False
        """The rows come in another order or place than asked for: the range cannot be read."""
        self.ignores_limit = False
        """The org has sent more rows than the LIMIT."""
        self._reader, self._where = reader, where
        self._tries = 0

    def query(self, *, watch: bool = True, takes_more: bool = True) -> Iterator[Rows]:
        """Read one result and yield its pages; `is_done` and `is_unordered` say if another is needed.

        Unless the caller `takes_more` rows than the LIMIT, a longer result ends without rows.

        Raises:
            ResultIncomplete: when a result stays short.
        """
        self.is_cut, self.sent_upper, limit = False, self.upper, self.limit
        pages, accepted, total, is_lost = list[Rows](), 0, 0, False
        try:
            for page in self._reader.pages(
                where=self._between(self.after, self.sent_upper), order_by=["Id"], limit=limit, watch=watch
            ):
                pages, total = [*pages, page], page.total - accepted
                if not is_ascending(self.after, [rows.frame["id"] for rows in pages]):
                    return self._read_again(is_ordered=False)
                self.ignores_limit |= _height(pages) > limit
                if self.ignores_limit and not takes_more:
                    return None
                if self._reader.lanes.held_rows <= _height(pages) < total:
                    if not self._confirm_part(pages, total):
                        return None
                    yield from self._accept(pages)
                    pages, accepted = [], accepted + _height(pages)
        except QueryTimedOut as error:
            self.limit = _narrower(self._reader, limit, error)
            return None
        except LocatorLost:
            self.limit = max(SMALLEST_RANGE_ROWS, pages[0].frame.height) if pages else limit
            is_lost = True
        if self._judge(pages, total, limit=limit, is_lost=is_lost):
            yield from self._accept(pages)

    def _accept(self, pages: Sequence[Rows]) -> Iterator[Rows]:
        """Yield the pages of a complete result. The caller has a page once it asks for the next."""
        self._tries = 0
        for page in pages:
            rows = replace(page, is_resumable=True)
            yield rows
            if self.is_cut:
                return
            self.after = rows.last_id or self.after

    def end_before(self, after: str | None, *, is_done: bool) -> None:
        """End the present result after a row. Unless `is_done` the next query reads on."""
        self.is_cut, self.after, self.is_done = True, after, is_done

    def _confirm_part(self, pages: Sequence[Rows], total: int) -> bool:
        """Count the first part of a long result; return whether it lacks no row. `total`: rows from it to the end.

        Without a count that fits the part's end, the range cannot be read by Id.
        """
        rows = _height(pages)
        count = self._reader.count(self._between(self.after, pages[-1].frame["id"][-1]))
        if count is None or count >= total:
            self.is_done = self.is_unordered = True
        elif count > rows:
            self._read_again(rows=rows, total=count)
        return count is not None and count <= rows

    def _judge(self, pages: Sequence[Rows], total: int, *, limit: int, is_lost: bool) -> bool:
        """Judge a result: return whether no row up to its last one is missing.

        `is_lost`: its locator was lost, so pages after these are missing.
        """
        rows = _height(pages)
        if rows >= total and not is_lost:
            self.is_done = max(rows, total) < limit
            return True
        last = next((page.frame["id"][-1] for page in reversed(pages) if page.frame.height), None)
        confirm = self._reader.holds_all if is_lost else self._reader.confirm_complete
        if last is not None and confirm(self._between(self.after, last), rows):
            return True
        self._read_again(rows=rows, total=total)
        return False

    def _read_again(self, *, is_ordered: bool = True, rows: int = 0, total: int = 0) -> None:
        self._tries += 1
        if self._tries < TRIES:
            return
        if is_ordered:
            raise self._reader.incomplete_error(rows, total)
        self.is_done = self.is_unordered = True

    def _between(self, after: str | None, last: str | None) -> list[str]:
        return [*self._where, *between(after, last)]


def _height(pages: Sequence[Rows]) -> int:
    return sum(page.frame.height for page in pages)


def between(after: str | None, last: str | None) -> list[str]:
    """Return the conditions of a range of Ids."""
    bounds = ((">", after), ("<=", last))
    return [f"Id {sign} {string_literal(bound)}" for sign, bound in bounds if bound is not None]


def is_ascending(after: str | None, pages: Sequence[pl.Series]) -> bool:
    """Return whether the Ids ascend, by their bytes or without regard to case."""
    chain = pl.concat([pl.Series("id", [] if after is None else [after], dtype=pl.String), *pages])
    return (chain.is_sorted() or chain.str.to_lowercase().is_sorted()) and chain.n_unique() == len(chain)


def _narrower(reader: Reader, limit: int, error: QueryTimedOut) -> int:
    """Return a quarter of the LIMIT for the next query. Raises: the error, where the LIMIT is small already."""
    if limit <= SMALLEST_RANGE_ROWS:
        raise error
    reader.report.note(f"QUERY_TIMEOUT: the walk goes on in ranges of {limit // 4} rows.")
    return limit // 4
