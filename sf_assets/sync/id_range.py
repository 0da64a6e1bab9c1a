"""One range of Ids, read in ascending order by one query after the other."""

from collections.abc import Iterator, Sequence

import polars as pl

from sf_assets.errors import LocatorLost, QueryTimedOut
from sf_assets.specs.soql import string_literal
from sf_assets.sync.limits import SMALLEST_RANGE_ROWS, TRIES
from sf_assets.sync.reader import Reader, Rows


class IdRange:
    """The rows with Ids in `(after, upper]`; `upper` None means the end of the object.

    A result that falls short of its totalSize is continued after its last Id if nothing before that is missing,
    otherwise it is read again. The end is a result with fewer rows than its LIMIT, by its rows and by its totalSize.
    """

    def __init__(
        self, reader: Reader, *, after: str | None, upper: str | None, limit: int, where: Sequence[str] = ()
    ) -> None:
        self.after, self.upper, self.limit = after, upper, limit
        self.is_done = False
        self.is_unordered = False
        """The org does not order by Id, whatever was asked: the range cannot be read."""
        self._reader, self._where = reader, where
        self._tries = 0

    def query(self, *, watch: bool = True) -> Iterator[Rows]:
        """Read one result; `is_done` and `is_unordered` say afterwards whether another is needed.

        Raises:
            ResultIncomplete: when a result stays short.
        """
        start, rows, total = self.after, 0, 0
        where = [*self._where, *between(start, self.upper)]
        try:
            for page in self._reader.pages(where=where, order_by=["Id"], limit=self.limit, watch=watch):
                if not is_ascending(self.after, page.frame["id"]):
                    return self._read_again(start, is_ordered=False)
                rows, total, self.after = rows + page.frame.height, page.total, page.last_id or self.after
                yield page
        except QueryTimedOut as error:
            self.limit = _narrower(self._reader, self.limit, error)
        except LocatorLost:
            if self.after == start:
                self._read_again(start, rows=rows, total=total)
        else:
            self._judge(start, rows, total)

    def _judge(self, start: str | None, rows: int, total: int) -> None:
        if rows >= total:
            self.is_done = max(rows, total) < self.limit
            self._tries = 0
        elif self.after != start and self._reader.confirm_complete([*self._where, *between(start, self.after)], rows):
            self._tries = 0
        else:
            self._read_again(start, rows=rows, total=total)

    def _read_again(self, start: str | None, *, is_ordered: bool = True, rows: int = 0, total: int = 0) -> None:
        self.after, self._tries = start, self._tries + 1
        if self._tries < TRIES:
            return
        if is_ordered:
            raise self._reader.incomplete_error(rows, total)
        self.is_done = self.is_unordered = True


def between(after: str | None, last: str | None) -> list[str]:
    """Return the conditions of a range of Ids."""
    bounds = ((">", after), ("<=", last))
    return [f"Id {sign} {string_literal(bound)}" for sign, bound in bounds if bound is not None]


def is_ascending(after: str | None, ids: pl.Series) -> bool:
    """Return whether the Ids ascend, by their bytes or without regard to case."""
    chain = ids if after is None else pl.concat([pl.Series("id", [after]), ids])
    return (chain.is_sorted() or chain.str.to_lowercase().is_sorted()) and chain.n_unique() == len(chain)


def _narrower(reader: Reader, limit: int, error: QueryTimedOut) -> int:
    """Return a quarter of the LIMIT for the next query. Raises: the error, where the LIMIT is small already."""
    if limit <= SMALLEST_RANGE_ROWS:
        raise error
    reader.report.note(f"QUERY_TIMEOUT: the walk goes on in ranges of {limit // 4} rows.")
    return limit // 4
