"""Turn a CSV page of a Bulk result into the same typed frame that the JSON of a page gives.

Every value becomes what `decode.py` makes of the same value in JSON; what its column does not admit is an error. An
empty cell is NULL: Salesforce stores no empty texts. A page is parsed by Arrow. That parser takes some malformed pages,
so its cells are accepted only if they give back exactly the bytes of the page; other pages are parsed by Python's
strict parser.
"""

import csv
import io
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from sf_assets.errors import AnswerTorn
from sf_assets.sync.columns import Column
from sf_assets.sync.decode import Decoded, build_frame
from sf_assets.sync.values import Cells, ColumnValues

JSON_ONLY = frozenset({"anyType", "base64"})
"""Types that have other values in CSV than in JSON, or none: an object with such a column is read by REST."""
_NUMBER = r"^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$"
_INTEGER = r"^-?[0-9]{1,18}$"
_SURROGATE = re.compile("[\ud800-\udfff]")
_ID = re.compile(r"(?=.*\d)(\w{15}|\w{18})")
LONGEST_CELL = 2**30
LINES_AT_ONCE = 4_000
"""Lines that are compared with the page at a time, so that no copy of the page is made."""


class CsvPage:
    """One page of a Bulk result, parsed.

    Its first line may be a header; without one it has the order of the SELECT.

    Raises:
        AnswerTorn: the page is not whole, or has other columns.
    """

    def __init__(self, body: bytes, columns: Sequence[Column], *, sobject: str) -> None:
        body, self._is_repaired = _as_utf8(body)
        self._columns, self._sobject = columns, sobject
        self._table = _in_order(_parse(body, len(columns)), columns, sobject)
        self.rows: int = self._table.num_rows

    def decoded(self, rows_at_once: int, *, synced_at: datetime) -> Iterator[Decoded]:
        """Yield the rows as typed frames, at least one.

        Raises:
            ValueUnexpected: with object, column, value and record Id.
        """
        for start in range(0, max(1, self.rows), rows_at_once):
            yield self._decode(self._table.slice(start, rows_at_once), synced_at)

    def _decode(self, table: pa.Table, synced_at: datetime) -> Decoded:
        columns = self._columns
        texts = [_texts(table.column(index), column.name) for index, column in enumerate(columns)]
        cells = [_cells(column, series) for column, series in zip(columns, texts, strict=True)]
        values = ColumnValues(self._sobject, cells, exact=lambda column: _exact(texts[columns.index(column)]))
        for column, series, converted in zip(columns, texts, cells, strict=True):
            _refuse_empty(values, column, series)
            _refuse_foreign(values, column, series, converted)
        return build_frame(values, columns, synced_at=synced_at, left_out={}, is_repaired=self._is_repaired)


def _as_utf8(body: bytes) -> tuple[bytes, bool]:
    """Return the body as UTF-8, and whether broken characters were replaced.

    Halves of a surrogate pair, and bytes that are not UTF-8, become U+FFFD.
    """
    body = body.removeprefix(b"\xef\xbb\xbf")
    try:
        _ = body.isascii() or body.decode()
        return body, False
    except UnicodeDecodeError:
        try:
            text = body.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            text = body.decode("utf-8", "replace")
        pairs = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
        return _SURROGATE.sub("\ufffd", pairs).encode(), True


def _parse(body: bytes, width: int) -> pa.Table:
    """Return the cells of a page, its header included, as columns of text."""
    try:
        table = _parse_fast(body, width)
        return table if _is_exact(table, body) else _parse_strictly(body, width)
    except pa.ArrowInvalid:
        return _parse_strictly(body, width)


def _parse_fast(body: bytes, width: int) -> pa.Table:
    names = [f"c{index}" for index in range(width)]
    return pacsv.read_csv(
        pa.BufferReader(body),
        read_options=pacsv.ReadOptions(use_threads=False, block_size=len(body) + 1, column_names=names),
        parse_options=pacsv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=pacsv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False, quoted_strings_can_be_null=False
        ),
    )


def _is_exact(table: pa.Table, body: bytes) -> bool:
    """Return whether the cells give back exactly the bytes of the page."""
    place, page = 0, memoryview(body)
    for start in range(0, table.num_rows, LINES_AT_ONCE):
        lines = _lines(table.slice(start, LINES_AT_ONCE))
        if page[place : place + len(lines)] != lines:
            return False
        place += len(lines)
    return place == len(body)


def _lines(table: pa.Table) -> memoryview:
    """Return rows as Salesforce writes them."""
    columns = [column.combine_chunks() for column in table.columns]
    cells = [_doubled(column) if pc.any(pc.match_substring(column, '"')).as_py() else column for column in columns]
    rows = pc.binary_join_element_wise(*cells, pa.scalar('","'))
    whole = pa.ListArray.from_arrays(pa.array([0, len(rows)], pa.int32()), rows)
    return memoryview(('"' + pc.binary_join(whole, '"\n"')[0].as_py() + '"\n').encode())


def _doubled(column: pa.Array) -> pa.Array:
    return pc.replace_substring(column, '"', '""')


def _parse_strictly(body: bytes, width: int) -> pa.Table:
    csv.field_size_limit(LONGEST_CELL)
    try:
        rows = list(csv.reader(io.StringIO(body.decode(), newline=""), strict=True))
    except csv.Error as error:
        raise AnswerTorn(f"a page of a Bulk result is not CSV: {error}") from None
    if odd := next((number for number, row in enumerate(rows, start=1) if len(row) != width), None):
        raise AnswerTorn(f"line {odd} of a Bulk result has {len(rows[odd - 1])} cells, not {width}")
    if rows and not body.endswith((b"\n", b"\r", b'"')):
        raise AnswerTorn("a page of a Bulk result ends within a line")
    names = [f"c{index}" for index in range(width)]
    cells = [[row[index] for row in rows] for index in range(width)]
    return pa.table([pa.array(column, pa.string()) for column in cells], names=names)


def _in_order(table: pa.Table, columns: Sequence[Column], sobject: str) -> pa.Table:
    """Return the rows without the header, their columns in the order of the plan."""
    names = [column.api_name.lower() for column in columns]
    first = [column[0].as_py().lower() for column in table.columns] if table.num_rows else []
    has_header = sorted(first) == sorted(names)
    if first and not has_header and not _ID.fullmatch(first[names.index("id")]):
        raise AnswerTorn(f"a Bulk result of {sobject} has other columns than its query: {', '.join(first)[:500]}")
    if not has_header:
        return table
    return table.select([first.index(name) for name in names]).slice(1)


def _texts(cells: pa.ChunkedArray, name: str) -> pl.Series:
    """Return the cells of a column as texts; empty is NULL."""
    texts = pl.Series(name, cells, dtype=pl.String)
    return texts.replace("", None)


def _cells(column: Column, texts: pl.Series) -> Cells:
    """Return the cells as JSON would hold them."""
    convert = CONVERTERS.get(column.type)
    return convert(texts) if convert else texts  # type: ignore[return-value]


def _integers(texts: pl.Series) -> Cells:
    """Return integers as JSON has them; numbers in other forms become floats."""
    if texts.drop_nulls().str.contains(_INTEGER).all():
        return texts.cast(pl.Int64, strict=False).to_list()
    return [None if text is None else _number(text) for text in texts]


def _number(text: str) -> int | float | None:
    if re.fullmatch(r"-?\d+", text, re.ASCII):
        return int(text)
    number = float(text) if re.fullmatch(_NUMBER, text, re.ASCII) else math.inf
    return number if math.isfinite(number) else None


def _reals(texts: pl.Series) -> Cells:
    numbers = texts.cast(pl.Float64, strict=False)
    is_number = texts.str.contains(_NUMBER) & numbers.is_finite()
    return pl.select(pl.when(is_number).then(numbers)).to_series().to_list()


def _booleans(texts: pl.Series) -> Cells:
    return texts.replace_strict({"true": True, "false": False}, default=None, return_dtype=pl.Boolean).to_list()


CONVERTERS: Mapping[str, Callable[[pl.Series], Cells]] = {
    "int": _integers,
    "long": _integers,
    "double": _reals,
    "percent": _reals,
    "currency": _reals,
    "boolean": _booleans,
}
_FORMS = {"int": "an integer", "long": "an integer", "boolean": "true or false"}


def _refuse_foreign(values: ColumnValues, column: Column, texts: pl.Series, cells: Cells) -> None:
    """Refuse the first text that is not of the column's type."""
    if column.type not in CONVERTERS:
        return
    is_foreign = pl.Series([cell is None for cell in cells], dtype=pl.Boolean) & texts.is_not_null()
    if is_foreign.any():
        row = is_foreign.arg_true()[0]
        raise values.misfit(column, row, texts[row], f"not {_FORMS.get(column.type, 'a number')}")


def _refuse_empty(values: ColumnValues, column: Column, texts: pl.Series) -> None:
    """Refuse a row without what identifies it."""
    if column.api_name == "Id" and texts.null_count():
        raise values.misfit(column, texts.is_null().arg_true()[0], None, "a record without an Id")


def _exact(texts: pl.Series) -> list[Any]:
    return [None if text is None else Decimal(text) for text in texts]
