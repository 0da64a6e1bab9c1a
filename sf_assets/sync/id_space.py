"""Ids as numbers, so that a range of Ids can be split without a request. Pure.

A split point need not be the Id of a row. Which rows belong to which part is decided by the org alone: the two parts
`(a, m]` and `(m, b]` cover `(a, b]` in whatever order the org compares Ids.
"""

from collections.abc import Iterable

CHECK_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
SHORT, LONG = 15, 18
"""Characters of an Id without and with its check digits, which follow from the others."""


def with_check_digits(short: str) -> str:
    """Return the 18-character form of a 15-character Id."""
    marks = (sum(short[part + i].isupper() << i for i in range(5)) for part in (0, 5, 10))
    return short + "".join(CHECK_DIGITS[mark] for mark in marks)


class IdSpace:
    """The characters that an object's Ids are made of, learned from the Ids that were read."""

    def __init__(self) -> None:
        self._alphabet = ""
        self._length = 0
        self._has_check_digits = True

    def observe(self, ids: Iterable[str]) -> None:
        """Read the alphabet of Ids from one page."""
        for row_id in ids:
            self._length = self._length or len(row_id)
            self._has_check_digits &= len(row_id) == LONG and with_check_digits(row_id[:SHORT]) == row_id
        digits = SHORT if self._has_check_digits else None
        seen = {character for row_id in ids for character in row_id[:digits]}
        if not seen <= set(self._alphabet):
            self._alphabet = "".join(sorted(seen | set(self._alphabet)))

    def number(self, row_id: str) -> int:
        """Return an Id as a number, in the order of its bytes."""
        result = 0
        for character in row_id[: self._digits]:
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
        return point if after < point and (before is None or point < before) else None

    @property
    def _digits(self) -> int:
        return SHORT if self._has_check_digits else self._length
