"""Build one column of a page from its JSON values: the fast way for what Salesforce writes, an exact way for the rest.

A fast way is taken only when it provably gives the same values as the exact one.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Context, Decimal, InvalidOperation
from typing import Any

import msgspec
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from sf_assets.errors import ValueUnexpected
from sf_assets.sync.columns import Column

MONEY = Context(prec=38)
"""An Iceberg decimal has at most 38 digits."""
EXACT = 2.0**53
"""A binary number of this size or more no longer represents every integer."""
FAST_MONEY_DIGITS = 6
FAST_CENTS = 2.0**49
"""Below this many hundredths, 10,000 times as many fit into 64 bits."""
SALESFORCE_DATETIME = "%Y-%m-%dT%H:%M:%S.000+0000"
BULK_DATETIME = "%Y-%m-%dT%H:%M:%S.000Z"
Cells = Sequence[Any]


class ColumnValues:
    """The cells of one page, column by column, and what was noticed while its columns were built.

    `exact` decodes a column again with every digit of its numbers. `fractions`: API name of a whole number -> row ->
    the value that is not whole.
    """

    def __init__(self, sobject: str, cells: Sequence[Cells], *, exact: Callable[[Column], Cells]) -> None:
        self.sobject, self.cells, self.exact = sobject, cells, exact
        self.rounded: dict[str, int] = {}
        self.fractions: dict[str, dict[int, float]] = {}
        self.examples: dict[str, str] = {}

    def record_id(self, row: int) -> object:
        """Return the Id of a record, or its first text where no Id was read."""
        return next((column[row] for column in self.cells if isinstance(column[row], str)), None)

    def note(self, column: Column, row: int, what: str) -> None:
        """Keep the first example of a column."""
        text = f"{self.sobject}.{column.api_name} in record {self.record_id(row)}: {what}."
        self.examples.setdefault(column.api_name, text)

    def count_rounded(self, column: Column, row: int, value: object, stored: object) -> None:
        """Count a value that loses digits, and keep the first one as an example."""
        self.rounded[column.api_name] = self.rounded.get(column.api_name, 0) + 1
        self.note(column, row, f"{value} is stored as {stored}")

    def keep_fraction(self, column: Column, row: int, value: float, stored: int) -> None:
        """Keep a value that is not whole."""
        self.fractions.setdefault(column.api_name, {})[row] = value
        self.note(column, row, f"{value} is stored as {stored} in {column.name} and exactly in {column.exact_name}")

    def misfit(self, column: Column, row: int, value: object, why: str) -> ValueUnexpected:
        """Return the error of a value that its column does not admit."""
        record_id, text = self.record_id(row), shorten(value)
        return ValueUnexpected(
            f"{self.sobject}.{column.api_name} = {text} in record {record_id}: {why}.",
            object=self.sobject, column=column.api_name, value=text, record_id=record_id,
        )  # fmt: skip


def shorten(value: object) -> str:
    """Return a value as an error shows it."""
    text = str(value) if isinstance(value, Decimal) else repr(value)
    return text if len(text) <= 100 else text[:97] + "..."


def build_column(values: ColumnValues, column: Column, index: int) -> pl.Series:
    """Build the column at an index of the page.

    Raises:
        ValueUnexpected: for the first value that the column's type does not admit.
    """
    build = BUILDERS.get(column.type)
    cells = values.cells[index]
    return build(values, column, cells) if build else pl.Series(column.name, cells, dtype=column.polars, strict=True)


def _integers(values: ColumnValues, column: Column, cells: Cells) -> pl.Series:
    try:
        return pl.Series(column.name, cells, dtype=column.polars, strict=True)
    except (TypeError, OverflowError):
        numbers = [_integer(values, column, row, cell) for row, cell in enumerate(cells)]
        return pl.Series(column.name, numbers, dtype=column.polars, strict=True)


def _integer(values: ColumnValues, column: Column, row: int, cell: int | float | None) -> int | None:
    """Return the integer of a cell; a fraction is rounded half to even and kept."""
    if cell is None:
        return None
    limit = 2**31 if column.type == "int" else 2**63
    if not isinstance(cell, int) and abs(cell) >= EXACT:
        raise values.misfit(column, row, cell, "a binary number of this size is not exact")
    number = round(cell)
    if not -limit <= number < limit:
        raise values.misfit(column, row, cell, f"does not fit {column.type}")
    if number != cell:
        values.keep_fraction(column, row, cell, number)
    return number


def exact_column(values: ColumnValues, column: Column, rows: int) -> pl.Series:
    """Build the second column of a whole number: its fractions, else NULL."""
    fractions = values.fractions.get(column.api_name, {})
    return pl.Series(column.exact_name, [fractions.get(row) for row in range(rows)], dtype=pl.Float64)


def _reals(values: ColumnValues, column: Column, cells: Cells) -> pl.Series:
    return pl.Series(column.name, cells, dtype=pl.Float64, strict=True)


def _money(values: ColumnValues, column: Column, cells: Cells) -> pl.Series:
    """Take hundredths where that is exact. Arrow divides; Polars would multiply by 0.01, which rounds otherwise."""
    reals = pa.array(cells, pa.float64())
    cents = pc.round(pc.multiply(reals, 100.0))
    is_exact = pc.and_(pc.equal(pc.divide(cents, 100.0), reals), pc.less(pc.abs(cents), FAST_CENTS))
    if column.decimal_scale > FAST_MONEY_DIGITS or pc.all(is_exact).as_py() is False:
        return _exact_money(values, column)
    units = pc.multiply(cents.cast(pa.int64()), 10 ** (column.decimal_scale - 2))
    return _as_decimals(units, column)


def _as_decimals(units: pa.Array, column: Column) -> pl.Series:
    """Return integers as decimals of the last digit. It is the same 128 bits with another scale."""
    whole = units.cast(pa.decimal128(38, 0))
    scaled = pa.Array.from_buffers(pa.decimal128(38, column.decimal_scale), len(whole), whole.buffers())
    return pl.Series(column.name, scaled, dtype=column.polars)


def _exact_money(values: ColumnValues, column: Column) -> pl.Series:
    """Build a money column from the page's digits. A digit beyond the scale is counted."""
    unit = Decimal(1).scaleb(-column.decimal_scale)
    numbers: list[Decimal | None] = []
    for row, cell in enumerate(values.exact(column)):
        if cell is None:
            numbers.append(None)
            continue
        try:
            stored = Decimal(cell).quantize(unit, context=MONEY)
        except InvalidOperation:
            digits = 38 - column.decimal_scale
            raise values.misfit(column, row, cell, f"more than {digits} digits before the point") from None
        if stored != cell:
            values.count_rounded(column, row, cell, stored)
        numbers.append(stored)
    return pl.Series(column.name, numbers, dtype=column.polars)


def _texts_of_anything(values: ColumnValues, column: Column, cells: Cells) -> pl.Series:
    texts = [c if c is None or isinstance(c, str) else msgspec.json.encode(c).decode() for c in cells]
    return pl.Series(column.name, texts, dtype=pl.String)


def _datetimes(values: ColumnValues, column: Column, cells: Cells) -> pl.Series:
    texts = pl.Series(column.name, cells, dtype=pl.String)
    first = texts.drop_nulls().head(1).to_list()
    form = BULK_DATETIME if first and first[0].endswith("Z") else SALESFORCE_DATETIME
    moments = texts.str.to_datetime(form, time_unit="us", strict=False)
    if moments.null_count() == texts.null_count():
        return _in_calendar(values, column, texts, moments.cast(pl.Datetime("us", "UTC")))
    return _any_datetimes(values, column, texts)


def _any_datetimes(values: ColumnValues, column: Column, texts: pl.Series) -> pl.Series:
    """Read fractions of a second, `Z` and any offset too."""
    with_offset = texts.str.replace("Z$", "+0000")
    moments = with_offset.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%z", time_unit="us", strict=False)
    utc = _parsed(values, column, texts, moments.cast(pl.Datetime("us", "UTC")), "not a datetime with an offset")
    return _in_calendar(values, column, texts, utc)


def _dates(values: ColumnValues, column: Column, cells: Cells) -> pl.Series:
    texts = pl.Series(column.name, cells, dtype=pl.String)
    dates = _parsed(values, column, texts, texts.str.to_date("%Y-%m-%d", strict=False), "not a date")
    return _in_calendar(values, column, texts, dates)


def _in_calendar(values: ColumnValues, column: Column, texts: pl.Series, days: pl.Series) -> pl.Series:
    """Return dates or moments of the years 1 to 9999. Raises: ValueUnexpected for others, which Python cannot hold."""
    is_outside = ~days.dt.year().is_between(1, 9999)
    if is_outside.any():
        row = is_outside.arg_true()[0]
        raise values.misfit(column, row, texts[row], "not in the years 1 to 9999")
    return days


def _times(values: ColumnValues, column: Column, cells: Cells) -> pl.Series:
    """Read `10:15:00.000Z` into the text `10:15:00.000`."""
    texts = pl.Series(column.name, cells, dtype=pl.String)
    clock = texts.str.strip_suffix("Z").str.to_time("%H:%M:%S%.f", strict=False)
    return time_text(_parsed(values, column, texts, clock, "not a time of day"))


def time_text(times: pl.Series) -> pl.Series:
    """Return times of day as text with milliseconds, or microseconds if there are some."""
    is_exact = times.dt.nanosecond() % 1_000_000 == 0
    return times.dt.to_string("%H:%M:%S%.3f").zip_with(is_exact, times.dt.to_string("%H:%M:%S%.6f"))


def _parsed(values: ColumnValues, column: Column, texts: pl.Series, parsed: pl.Series, why: str) -> pl.Series:
    """Return the parsed column. Raises: ValueUnexpected for the first text that did not parse."""
    if parsed.null_count() != texts.null_count():
        row = (parsed.is_null() & texts.is_not_null()).arg_true()[0]
        raise values.misfit(column, row, texts[row], why)
    return parsed


BUILDERS: Mapping[str, Callable[[ColumnValues, Column, Cells], pl.Series]] = {
    "int": _integers,
    "long": _integers,
    "double": _reals,
    "percent": _reals,
    "currency": _money,
    "anyType": _texts_of_anything,
    "datetime": _datetimes,
    "date": _dates,
    "time": _times,
}
