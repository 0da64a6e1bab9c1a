"""Turn the JSON of a page into a typed Polars frame; a value that its column does not admit is an error.

No type is inferred and no value is dropped. Keys that were not selected (`attributes`) are ignored. A column that a
record omits is NULL there, and counted: some gateways and emulators omit what is null. `docs/values.md` lists what
becomes of each value of each type.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec
import polars as pl

from sf_assets.errors import ValueUnexpected
from sf_assets.iceberg.model import SYNCED_AT
from sf_assets.sync.columns import Column
from sf_assets.sync.identity import REQUIRED, refuse_unidentified
from sf_assets.sync.values import ColumnValues, build_column, exact_column, shorten

REPLACEMENT = b"\\ufffd"
"""How the client writes a lone surrogate that it replaced (`salesforce/json_text.py`)."""
LONGEST_VALUE = 100
"""Bytes of a value that an error shows, where it is a number that Python cannot hold."""
_SPARSE = "SparseRow"

Number = int | float | None
WIRE_TYPES: Mapping[str, Any] = {
    "boolean": bool | None,
    "int": Number,
    "long": Number,
    "double": float | None,
    "percent": float | None,
    "currency": float | None,
    "anyType": str | int | float | bool | None,
}
"""JSON types by Salesforce type; the rest is text. An integer may come as 5, 5.0 or 5E0."""


@dataclass(frozen=True)
class Decoded:
    """One page as a frame: the columns in the order of the plan, those of fractions, then `_synced_at`.

    By API name of the column: `rounded` counts values with more digits than the column keeps, `left_out` records
    without the column, `replaced` texts with a lone surrogate, `fractions` values of whole numbers that are not whole.
    `examples` names the first such record of a column.
    """

    frame: pl.DataFrame
    rounded: Mapping[str, int]
    left_out: Mapping[str, int]
    replaced: Mapping[str, int]
    fractions: Mapping[str, int]
    examples: Mapping[str, str] = field(default_factory=dict)


def decode(records: bytes | msgspec.Raw, columns: Sequence[Column], *, sobject: str, synced_at: datetime) -> Decoded:
    """Decode a page's `records` array. `synced_at`: when the page was requested, aware UTC.

    Raises:
        ValueUnexpected: with object, column, value and record Id; also where a record omits what identifies it.
    """
    rows = _rows(records, tuple(columns), sobject)
    cells: list[Sequence[Any]] = list(zip(*map(msgspec.structs.astuple, rows), strict=True)) or [()] * len(columns)
    left_out = _fill_gaps(columns, cells) if rows and type(rows[0]).__name__ == _SPARSE else {}
    values = ColumnValues(sobject, cells, exact=lambda column: _exact_cells(records, column))
    is_repaired = memoryview(records).tobytes().rfind(REPLACEMENT) >= 0  # a third of the time of `in`
    return build_frame(values, columns, synced_at=synced_at, left_out=left_out, is_repaired=is_repaired)


def build_frame(
    values: ColumnValues, columns: Sequence[Column], *, synced_at: datetime, left_out: Mapping[str, int],
    is_repaired: bool,
) -> Decoded:  # fmt: skip
    """Build the frame of a page from its cells, of JSON or of CSV. `is_repaired`: some characters were replaced.

    Raises:
        ValueUnexpected: with object, column, value and record Id.
    """
    refuse_unidentified(values, columns)
    series = [build_column(values, column, i) for i, column in enumerate(columns)]
    series += [exact_column(values, column, len(series[0])) for column in columns if column.keeps_fractions]
    frame = pl.DataFrame(series).with_columns(pl.lit(synced_at, dtype=pl.Datetime("us", "UTC")).alias(SYNCED_AT))
    replaced = _count_replaced(values, frame, columns) if is_repaired else {}
    fractions = {name: len(rows_of) for name, rows_of in values.fractions.items()}
    return Decoded(frame, values.rounded, left_out, replaced, fractions, values.examples)


@lru_cache(maxsize=64)
def _decoder(columns: tuple[Column, ...], *, sparse: bool = False) -> msgspec.json.Decoder[list[Any]]:
    """Build the decoder of these columns; `sparse` lets a record omit columns and is slower."""
    fields: list[Any] = []
    for i, column in enumerate(columns):
        kind = WIRE_TYPES.get(column.type, str | None)
        may_lack = sparse and not (column.key or column.api_name in REQUIRED)
        fields.append((f"c{i}", kind | msgspec.UnsetType, msgspec.UNSET) if may_lack else (f"c{i}", kind))
    names = {f"c{i}": column.api_name for i, column in enumerate(columns)}
    row = msgspec.defstruct(_SPARSE if sparse else "Row", fields, rename=names, gc=False, kw_only=True)
    return msgspec.json.Decoder(list[row])  # type: ignore[valid-type]


def _rows(records: bytes | msgspec.Raw, columns: tuple[Column, ...], sobject: str) -> list[Any]:
    try:
        return _decoder(columns).decode(records)
    except msgspec.ValidationError as error:
        if "missing required field" in str(error):
            return _sparse_rows(records, columns, sobject)
        raise _misfit(records, str(error), sobject) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueUnexpected(f"A page of {sobject} is not an array of records: {error}.", object=sobject) from None


def _sparse_rows(records: bytes | msgspec.Raw, columns: tuple[Column, ...], sobject: str) -> list[Any]:
    try:
        return _decoder(columns, sparse=True).decode(records)
    except msgspec.ValidationError as error:
        raise _misfit(records, str(error), sobject) from None


@lru_cache(maxsize=64)
def _exact_decoder(api_name: str) -> msgspec.json.Decoder[list[Any]]:
    """Build a decoder that keeps every digit of one column. Only untyped numbers keep their text."""
    row = msgspec.defstruct("ExactRow", [("cell", Any, None)], rename={"cell": api_name}, gc=False)
    return msgspec.json.Decoder(list[row], float_hook=Decimal)  # type: ignore[valid-type]


def _exact_cells(records: bytes | msgspec.Raw, column: Column) -> list[Any]:
    try:
        return [row.cell for row in _exact_decoder(column.api_name).decode(records)]
    except msgspec.DecodeError as error:  # an integer of more than 4,300 digits
        raise ValueUnexpected(
            f"a value of {column.api_name} cannot be read: {error}.", column=column.api_name
        ) from None


def _fill_gaps(columns: Sequence[Column], cells: list[Sequence[Any]]) -> dict[str, int]:
    """Count the records that omit a column, and put NULL there."""
    counts = {}
    for i, column in enumerate(columns):
        if count := sum(cell is msgspec.UNSET for cell in cells[i]):
            counts[column.api_name] = count
            cells[i] = [None if cell is msgspec.UNSET else cell for cell in cells[i]]
    return counts


def _count_replaced(values: ColumnValues, frame: pl.DataFrame, columns: Sequence[Column]) -> dict[str, int]:
    counts = {}
    for column in columns:
        if frame.schema[column.name] == pl.String:
            rows = frame[column.name].str.contains("\ufffd", literal=True).fill_null(False).arg_true()
            if len(rows):
                counts[column.api_name] = len(rows)
                values.note(column, rows[0], "half of a surrogate pair was replaced by U+FFFD")
    return counts


def _record_at(records: bytes | msgspec.Raw, row: int) -> Any:
    """Return a record, or the JSON text of its values.

    The text is for a record with a number that Python cannot hold.
    """
    raw = msgspec.json.decode(records, type=list[msgspec.Raw])[row]
    try:
        return msgspec.json.Decoder(float_hook=Decimal).decode(raw)
    except msgspec.DecodeError:
        fields = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
        return {
            name: bytes(value)[:LONGEST_VALUE].decode(errors="replace").strip('"') for name, value in fields.items()
        }


def _misfit(records: bytes | msgspec.Raw, message: str, sobject: str) -> ValueUnexpected:
    where = re.search(r"`\$\[(\d+)\](?:\.([^`]+))?`", message)
    record = _record_at(records, int(where[1])) if where else None
    missing = re.search(r"missing required field `([^`]+)`", message)
    column = (where and where[2]) or (missing and missing[1]) or ""
    value = record.get(column) if isinstance(record, dict) else record
    record_id = record.get("Id") if isinstance(record, dict) else None
    what = "is not in the record" if missing else f"= {shorten(value)}"
    return ValueUnexpected(
        f"{sobject}.{column} {what} in record {record_id}: {message.split(' - at ')[0]}.",
        object=sobject, column=column, value=shorten(value), record_id=record_id,
    )  # fmt: skip
