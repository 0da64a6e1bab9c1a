"""docs/values.md: each row of its table is tried, through the client's repair of texts and the decoding of a page."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import msgspec
import polars as pl
import pytest

from sf_assets.errors import ValueUnexpected
from sf_assets.salesforce.classify import decode as decode_answer
from sf_assets.sync.columns import COMPOUND, Column
from sf_assets.sync.decode import decode
from sf_assets.sync.type_map import TEXT, TYPES

PAGE = (Path(__file__).parent.parent / "docs/values.md").read_text(encoding="utf-8")
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ID, BEFORE = "001000000000001AAA", "001000000000000AAA"
TEXTS = [name for name, types in TYPES.items() if types == TEXT and name not in {"anyType", "time"}]
NUMBERS, WHOLE = ["int", "long", "double", "percent", "currency"], ["int", "long"]
OMITTED = None
"""Instead of a JSON text: the record omits the column."""
COLUMN_TYPES = {
    "text": {pl.String()},
    "boolean": {pl.Boolean()},
    "32 or 64 bits": {pl.Int32(), pl.Int64()},
    "64-bit binary number": {pl.Float64()},
    "decimal(38, 6 or more)": {pl.Decimal(38, 6)},
    "decimal": {pl.Decimal(38, 6)},
    "date": {pl.Date()},
    "timestamp in UTC": {pl.Datetime("us", "UTC")},
}


def each(types, *cases):
    """The cases of each type: JSON text, stored value."""
    return [(type_, text, value) for type_ in types for text, value in cases]


# The row's type and JSON -> (Salesforce type, JSON text, stored value). Where the page says "refused", no value.
CASES = {
    ("all", "`null`"): each(TYPES, ("null", None)),
    ("all", "the record omits the column"): each(TYPES, (OMITTED, None)),
    ("texts", "a string"): each(TEXTS, ('"Grüße 🚀"', "Grüße 🚀"), ('"a\\u0000b"', "a\0b"), ('""', "")),
    ("texts", "half of a surrogate pair"): each(TEXTS, ('"\\ud83d left"', "\ufffd left"), ('"\\ude00"', "\ufffd")),
    ("texts", "a number"): each(TEXTS, ("5", 0), ("true", 0), ("{}", 0), ("[]", 0)),
    ("texts", "bytes that are not UTF-8"): each(TEXTS, (b'"caf\xe9"', "caf\ufffd"), (b'"\xff\xfe"', "\ufffd\ufffd")),
    ("boolean", "`true`"): each(["boolean"], ("true", True), ("false", False)),
    ("boolean", "`0`"): each(["boolean"], ("0", 0), ("1", 0), ('"true"', 0)),
    ("int, long", "`5`"): each(WHOLE, ("5", 5), ("5.0", 5), ("5E0", 5), ("-0.0", 0)),
    ("int, long", "`47.5`"): each(WHOLE, ("47.5", 48), ("46.5", 46), ("-0.25", 0)),
    ("int, long", "beyond 32"): [
        ("int", "2147483648", 0), ("int", "-2147483649", 0), ("long", "9223372036854775808", 0),
        ("int", "9007199254740992.0", 0), ("long", "9007199254740992.0", 0), ("long", "1E16", 0),
    ],
    ("double, percent", "any number"): each(
        ["double", "percent"], ("1.7E308", 1.7e308), ("3", 3.0), ("0.1", 0.1), ("5E-324", 5e-324), ("1E-400", 0.0)
    ),
    ("currency", "up to 38 digits"): each(
        ["currency"],
        ("9999999999999999.99", Decimal("9999999999999999.99")),
        ("12345678901234567890123456789012.123456", Decimal("12345678901234567890123456789012.123456")),
        ("1.5E+25", Decimal("1.5E+25")),
    ),
    ("currency", "digits beyond"): each(
        ["currency"], ("0.1234565", Decimal("0.123456")), ("1.00000051", Decimal("1.000001"))
    ),
    ("currency", "more than 38"): each(["currency"], ("123456789012345678901234567890123", 0), ("1E33", 0)),
    ("any number", "`1E400`"): each(NUMBERS, ("1E400", 0), ("-1E400", 0), ("9" * 5_000, 0)),
    ("any number", '`"5"`'): each(NUMBERS, ('"5"', 0), ("true", 0), ('"NaN"', 0)),
    ("date", "`2026-01-31`"): each(["date"], ('"2026-01-31"', date(2026, 1, 31)), ('"0001-01-01"', date(1, 1, 1))),
    ("date", "a day"): each(
        ["date"], ('"2026-02-30"', 0), ('"2026-01-31T00:00:00Z"', 0), ('""', 0), ("5", 0), ('"0000-01-01"', 0)
    ),
    ("datetime", "`2026-01-31T10:15:00.000+0000`"): each(
        ["datetime"],
        ('"2026-01-31T10:15:00.000+0000"', datetime(2026, 1, 31, 10, 15, tzinfo=UTC)),
        ('"2026-01-31T10:15:00.123456+05:30"', datetime(2026, 1, 31, 4, 45, 0, 123456, tzinfo=UTC)),
        ('"2026-01-31T10:15:00Z"', datetime(2026, 1, 31, 10, 15, tzinfo=UTC)),
        ('"1700-01-01T00:00:00.000+0000"', datetime(1700, 1, 1, tzinfo=UTC)),
    ),
    ("datetime", "without an offset"): each(
        ["datetime"], ('"2026-01-31T10:15:00"', 0), ('"2026-02-30T00:00:00Z"', 0), ('"2026-01-31"', 0), ('""', 0),
        ('"0001-01-01T00:00:00.000+1400"', 0),
    ),
    ("time", "`10:15:00.000Z`"): each(
        ["time"], ('"10:15:00.000Z"', "10:15:00.000"), ('"00:00:00.000001Z"', "00:00:00.000001")
    ),
    ("time", "a time"): each(["time"], ('"25:00:00.000Z"', 0), ('""', 0), ("5", 0)),
    ("anyType", "text, number, boolean"): each(["anyType"], ('"a"', "a"), ("5.5", "5.5"), ("true", "true")),
    ("base64", "the relative URL of the body"): each(["base64"], ('"/services/data/X"', "/services/data/X")),
    ("address, location", "an object"): [],
}  # fmt: skip


def rows():
    """The rows of the page's table: type (that of the row above where the cell is empty), JSON, column, stored."""
    table = PAGE[PAGE.index("| Salesforce type |") : PAGE.index("## Fractions")]
    kind = ""
    for line in table.strip().splitlines()[2:]:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        kind = cells[0] or kind
        yield kind, *cells[1:]


ROWS = list(rows())


def key_of(row):
    """The entry of CASES for a row: those whose beginnings are the row's."""
    keys = [key for key in CASES if row[0].startswith(key[0]) and row[1].startswith(key[1])]
    return keys[0] if len(keys) == 1 else None


def decode_value(type_, text):
    """The second of two records through the client's reading of an answer and the decoding of the page."""
    json = text if isinstance(text, bytes) else text.encode() if text else b""
    cell = b',"X":' + json if text is not OMITTED else b""
    body = b'[{"Id":"%b","X":null},{"Id":"%b"%b}]' % (BEFORE.encode(), ID.encode(), cell)
    records, _ = decode_answer(body, msgspec.Raw)
    columns = (Column("Id", "id", "id"), replace(Column("X", "x", type_), keeps_fractions=type_ in WHOLE))
    return decode(records, columns, sobject="Account", synced_at=NOON)


def test_each_row_of_the_page_has_cases_and_each_case_a_row():
    assert [row for row in ROWS if key_of(row) is None] == []
    assert {key_of(row) for row in ROWS} == set(CASES)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0][:20]}: {row[1][:30]}")
def test_a_value_becomes_what_its_row_says(row):
    for type_, text, value in CASES[key_of(row)]:
        if row[3].startswith("refused"):
            with pytest.raises(ValueUnexpected, match=r"Account(\.X|: )"):
                decode_value(type_, text)
            continue
        page = decode_value(type_, text)
        assert page.frame["x"].to_list() == [None, value], (type_, text)
        assert (not row[2] or row[2] == "NULL") or page.frame.schema["x"] in COLUMN_TYPES[row[2]]
        counts = {**page.rounded, **page.left_out, **page.replaced, **page.fractions}
        assert counts == ({"X": 1} if "counted" in row[3] else {}), (type_, text)
        assert bool(page.examples) == ("counted" in row[3] and text is not OMITTED)


@pytest.mark.parametrize(("type_", "text"), [("int", "47.5"), ("long", "-0.25")])
def test_the_second_column_has_the_exact_value(type_, text):
    assert decode_value(type_, text).frame["x__exact"].to_list() == [None, float(text)]


def test_compound_fields_have_no_column():
    assert {name.strip() for row in ROWS if row[3].startswith("not selected") for name in row[0].split(",")} == COMPOUND
    assert not COMPOUND & set(TYPES)


def test_every_type_has_a_row_of_its_own():
    types = " ".join(row[0] for row in ROWS)
    assert [name for name in TYPES if name not in TEXTS and not re.search(rf"\b{name}\b", types)] == []
