"""Ids as numbers, so that a range of Ids can be split without a request. Pure.

A split point need not be the Id of a row. Which rows belong to which part is decided by the org alone: the two parts
`(a, m]` and `(m, b]` cover `(a, b]` where the org too sees `m` between `a` and `b`. Salesforce compares Ids by their
bytes; some orgs that speak its API compare without regard to case. The pages show which order it is.
"""

from collections.abc import Callable, Iterable

import polars as pl

CHECK_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
SHORT, LONG = 15, 18
"""Characters of an Id without and with its check digits, which follow from the others."""
Fold = Callable[[str], str]
"""Maps an Id to a text. The bytes of the texts have the order of the Ids."""


def with_check_digits(short: str) -> str:
    """Return the 18-character form of a 15-character Id."""
    marks = (sum(short[part + i].isupper() << i for i in range(5)) for part in (0, 5, 10))
    return short + "".join(CHECK_DIGITS[mark] for mark in marks)


class IdSpace:
    """The characters that an object's Ids are made of and their order, learned from the Ids that were read."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._alphabet = ""
        self._length = 0
        self._has_check_digits = True
        self._folds: tuple[Fold, ...] = (str, str.lower)

    def observe_page(self, ids: pl.Series) -> None:
        """Read alphabet and order from the Ids of one page, in its order."""
        if len(ids):
            self.observe([ids[0], ids[-1], *ids[:: max(1, len(ids) // 128)]])
        ids = ids.str.head(self._digits)
        is_sorted = {str: ids.is_sorted(), str.lower: ids.str.to_lowercase().is_sorted()}
        folds = tuple(fold for fold in self._folds if is_sorted[fold])
        if folds and folds != self._folds:
            self._folds = folds
            self._read_alphabet()

    def observe(self, ids: Iterable[str]) -> None:
        """Read the alphabet from some Ids."""
        for row_id in ids:
            self._length = self._length or len(row_id)
            self._has_check_digits &= len(row_id) == LONG and with_check_digits(row_id[:SHORT]) == row_id
        digits = SHORT if self._has_check_digits else None
        characters = {character for row_id in ids for character in row_id[:digits]}
        if not characters <= self._seen:
            self._seen |= characters
            self._read_alphabet()

    def _read_alphabet(self) -> None:
        self._alphabet = "".join(sorted({self._fold(character) for character in self._seen}))

    def number(self, row_id: str) -> int:
        """Return an Id as a number, in the order of the Ids."""
        result = 0
        for character in self._fold(row_id[: self._digits]):
            result = result * len(self._alphabet) + max(self._alphabet.find(character), 0)
        return result

    def split_point(self, number: int, *, after: str, before: str | None = None) -> str | None:
        """Return the Id at a number, or None unless it is between two Ids."""
        base, rest, digits = len(self._alphabet), number, []
        for _ in range(self._digits):
            rest, digit = divmod(rest, base)
            digits.append(self._alphabet[digit])
        if rest or base < 2:
            return None
        text = "".join(reversed(digits))
        point = with_check_digits(text) if self._has_check_digits else text
        is_between = self.is_after(point, after) and (before is None or self.is_after(before, point))
        return point if is_between else None

    def is_after(self, row_id: str, bound: str) -> bool:
        """Return whether an Id is after another in each order that the pages admit.

        Without check digits: they differ between two spellings of what a caseless org takes for one Id.
        """
        digits = self._digits
        return all(fold(row_id[:digits]) > fold(bound[:digits]) for fold in self._folds)

    def rows_until(self, ids: pl.Series, upper: str) -> int:
        """Count the Ids at the start of a page that are not after a bound.

        These are not after it in any order that the pages admit.
        """
        is_within, ids = pl.Series([True]).new_from_index(0, len(ids)), ids.str.head(self._digits)
        for fold in self._folds:
            is_within &= (ids if fold is str else ids.str.to_lowercase()) <= fold(upper[: self._digits])
        beyond = (~is_within).arg_true()
        return int(beyond[0]) if len(beyond) else len(ids)

    def _fold(self, text: str) -> str:
        return self._folds[0](text)

    @property
    def _digits(self) -> int:
        return SHORT if self._has_check_digits else self._length
