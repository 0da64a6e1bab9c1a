"""Page bytes and columns -> a typed Polars frame, strictly: a value that its column's type does not admit is an error.

It never infers a type and never drops a value. Keys that were not asked for (`attributes`) are left aside; a column
that a record leaves out is NULL there, and counted: some gateways and emulators drop what is null.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Context, Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

import msgspec
import polars as pl

from sf_assets.errors import ValueUnexpected
from sf_assets.iceberg.model import SYNCED_AT
from sf_assets.sync.columns import Column

MONEY = Context(prec=38)
"""An Iceberg decimal has at most 38 digits."""

EXACT = 2.0**53
"""From here on a binary number no longer has every whole number."""
ALWAYS_TOLD = frozenset({"Id", "IsDeleted", "SystemModstamp"})
"""Without these, and its keys, a record cannot be told from others, older versions and dead ones."""
_SPARSE = "SparseRow"

Number = int | float | None
WIRE_TYPES: Mapping[str, Any] = {
    "boolean": bool | None,
    "int": Number,
    "long": Number,
    "double": Number,
    "percent": Number,
    "currency": Any,
    "anyType": str | int | float | bool | None,
}
"""JSON types by Salesforce type; the rest is text. A whole number may come as 5, 5.0 or 5E0.

Money may have more digits than a binary number has. Only an untyped number is decoded from its text, so money is judged
later.
"""


@dataclass(frozen=True)
class Decoded:
    """One page: the frame (columns in the order asked for, then `_synced_at`); by column, in how many records digits
    went and in how many it was left out."""

    frame: pl.DataFrame
    rounded: Mapping[str, int]
    left_out: Mapping[str, int]


def decode(records: bytes | msgspec.Raw, columns: Sequence[Column], *, sobject: str, synced_at: datetime) -> Decoded:
    """Decode a page's `records` array. `synced_at`: when the page was asked for, aware UTC.

    Raises ValueUnexpected with object, column, value and record id; also where a record leaves out what identifies it.
    """
    rows = _rows(records, tuple(columns), sobject)
    values: list[Sequence[Any]] = list(zip(*map(msgspec.structs.astuple, rows), strict=True)) or [()] * len(columns)
    left_out = _left_out(columns, values) if rows and type(rows[0]).__name__ == _SPARSE else {}
    page = _Page(sobject, rows)
    series = [page.series(column, cells) for column, cells in zip(columns, values, strict=True)]
    frame = pl.DataFrame(series).with_columns(pl.lit(synced_at, dtype=pl.Datetime("us", "UTC")).alias(SYNCED_AT))
    return Decoded(frame, page.rounded, left_out)


@lru_cache(maxsize=64)
def _decoder(columns: tuple[Column, ...], *, sparse: bool = False) -> msgspec.json.Decoder[list[Any]]:
    """`sparse` takes records that leave columns out, those that identify a row apart; the full form is the faster."""
    fields: list[Any] = []
    for i, column in enumerate(columns):
        kind = WIRE_TYPES.get(column.type, str | None)
        may_lack = sparse and not (column.key or column.api_name in ALWAYS_TOLD)
        fields.append((f"c{i}", kind | msgspec.UnsetType, msgspec.UNSET) if may_lack else (f"c{i}", kind))
    names = {f"c{i}": column.api_name for i, column in enumerate(columns)}
    row = msgspec.defstruct(_SPARSE if sparse else "Row", fields, rename=names, gc=False, kw_only=True)
    return msgspec.json.Decoder(list[row], float_hook=Decimal)  # type: ignore[valid-type]


def _rows(records: bytes | msgspec.Raw, columns: tuple[Column, ...], sobject: str) -> list[Any]:
    try:
        return _decoder(columns).decode(records)
    except msgspec.ValidationError as error:
        if "missing required field" in str(error):
            return _sparse_rows(records, columns, sobject)
        raise _misfit(records, str(error), sobject) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueUnexpected(f"A page of {sobject} is no array of records: {error}.", object=sobject) from None


def _sparse_rows(records: bytes | msgspec.Raw, columns: tuple[Column, ...], sobject: str) -> list[Any]:
    try:
        return _decoder(columns, sparse=True).decode(records)
    except msgspec.ValidationError as error:
        raise _misfit(records, str(error), sobject) from None


def _left_out(columns: Sequence[Column], values: list[Sequence[Any]]) -> dict[str, int]:
    """Count what was left out by column, and put NULL in its place."""
    counts = {}
    for i, column in enumerate(columns):
        if count := sum(cell is msgspec.UNSET for cell in values[i]):
            counts[column.api_name] = count
            values[i] = [None if cell is msgspec.UNSET else cell for cell in values[i]]
    return counts


def _misfit(records: bytes | msgspec.Raw, message: str, sobject: str) -> ValueUnexpected:
    where = re.search(r"`\$\[(\d+)\](?:\.([^`]+))?`", message)
    record: Any = msgspec.json.decode(records)[int(where[1])] if where else None
    missing = re.search(r"missing required field `([^`]+)`", message)
    column = (where and where[2]) or (missing and missing[1]) or ""
    value = record.get(column) if isinstance(record, dict) else record
    record_id = record.get("Id") if isinstance(record, dict) else None
    what = "is not in the record" if missing else f"= {_shown(value)}"
    return ValueUnexpected(
        f"{sobject}.{column} {what} in record {record_id}: {message.split(' - at ')[0]}.",
        object=sobject, column=column, value=_shown(value), record_id=record_id,
    )  # fmt: skip


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 100 else text[:97] + "..."


class _Page:
    """The rows of one page while its columns are built: it knows which record a misfit stands in."""

    def __init__(self, sobject: str, rows: Sequence[Any]) -> None:
        self.sobject = sobject
        self.rows = rows
        self.rounded: dict[str, int] = {}

    def series(self, column: Column, cells: Sequence[Any]) -> pl.Series:
        build = BUILDERS.get(column.type)
        return build(self, column, cells) if build else pl.Series(column.name, cells, dtype=column.polars, strict=True)

    def refuse(self, column: Column, row: int, value: object, why: str) -> ValueUnexpected:
        record_id = next((v for v in msgspec.structs.astuple(self.rows[row]) if isinstance(v, str)), None)
        return ValueUnexpected(
            f"{self.sobject}.{column.api_name} = {_shown(value)} in record {record_id}: {why}.",
            object=self.sobject, column=column.api_name, value=_shown(value), record_id=record_id,
        )  # fmt: skip

    def whole(self, column: Column, cells: Sequence[Number]) -> pl.Series:
        """5.0 is a whole number, 5.5 is not, one that a binary number has rounded neither; nothing exceeds 64 bits."""
        limit = 2**31 if column.type == "int" else 2**63
        numbers = [int(c) if isinstance(c, float) and c.is_integer() and abs(c) < EXACT else c for c in cells]
        for row, number in enumerate(numbers):
            if number is not None and not (isinstance(number, int) and -limit <= number < limit):
                raise self.refuse(column, row, number, f"no whole number that fits {column.type}")
        return pl.Series(column.name, numbers, dtype=column.polars, strict=True)

    def real(self, column: Column, cells: Sequence[Number]) -> pl.Series:
        return pl.Series(column.name, [None if c is None else float(c) for c in cells], dtype=pl.Float64)

    def money(self, column: Column, cells: Sequence[Any]) -> pl.Series:
        """Every digit that the column keeps; what was beyond is counted."""
        scale = column.decimal_scale
        unit = Decimal(1).scaleb(-scale)
        values = list(cells)
        for row, cell in enumerate(cells):
            if cell is None:
                continue
            if type(cell) not in (int, Decimal):
                raise self.refuse(column, row, cell, "no number")
            value = Decimal(cell)
            try:
                kept = value.quantize(unit, context=MONEY)
            except InvalidOperation:
                raise self.refuse(column, row, value, f"more than {38 - scale} digits before the point") from None
            if kept != value:
                self.rounded[column.api_name] = self.rounded.get(column.api_name, 0) + 1
            values[row] = kept
        return pl.Series(column.name, values, dtype=column.polars)

    def text_of_anything(self, column: Column, cells: Sequence[Any]) -> pl.Series:
        texts = [c if c is None or isinstance(c, str) else msgspec.json.encode(c).decode() for c in cells]
        return pl.Series(column.name, texts, dtype=pl.String)

    def parsed(self, column: Column, texts: pl.Series, values: pl.Series, form: str) -> pl.Series:
        """Refuse the first text that did not parse."""
        bad = (values.is_null() & texts.is_not_null()).arg_true()
        if len(bad):
            raise self.refuse(column, bad[0], texts[bad[0]], f"no {form}")
        return values

    def moment(self, column: Column, cells: Sequence[str | None]) -> pl.Series:
        """`2017-04-25T15:43:01.000+0000` as Salesforce writes it; an offset in any form, and Z, are read too."""
        texts = pl.Series(column.name, cells, dtype=pl.String)
        with_offset = texts.str.replace("Z$", "+0000")
        values = with_offset.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%z", time_unit="us", strict=False)
        return self.parsed(column, texts, values.cast(pl.Datetime("us", "UTC")), "datetime with an offset")

    def day(self, column: Column, cells: Sequence[str | None]) -> pl.Series:
        texts = pl.Series(column.name, cells, dtype=pl.String)
        return self.parsed(column, texts, texts.str.to_date("%Y-%m-%d", strict=False), "date")

    def clock_time(self, column: Column, cells: Sequence[str | None]) -> pl.Series:
        """Read `10:15:00.000Z` into the text `10:15:00.000`."""
        texts = pl.Series(column.name, cells, dtype=pl.String)
        values = texts.str.strip_suffix("Z").str.to_time("%H:%M:%S%.f", strict=False)
        return time_text(self.parsed(column, texts, values, "time of day"))


def time_text(times: pl.Series) -> pl.Series:
    """Return times of day as text: milliseconds as Salesforce has them, microseconds where there are some."""
    is_exact = times.dt.nanosecond() % 1_000_000 == 0
    return times.dt.to_string("%H:%M:%S%.3f").zip_with(is_exact, times.dt.to_string("%H:%M:%S%.6f"))


BUILDERS: Mapping[str, Callable[[_Page, Column, Sequence[Any]], pl.Series]] = {
    "int": _Page.whole,
    "long": _Page.whole,
    "double": _Page.real,
    "percent": _Page.real,
    "currency": _Page.money,
    "anyType": _Page.text_of_anything,
    "datetime": _Page.moment,
    "date": _Page.day,
    "time": _Page.clock_time,
}
