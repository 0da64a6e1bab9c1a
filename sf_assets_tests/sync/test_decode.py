import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest

from sf_assets.errors import ValueUnexpected
from sf_assets.sync.columns import Column, column_name
from sf_assets.sync.decode import SYNCED_AT, decode
from sf_assets.sync.type_map import TYPES

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ID = Column("Id", "id", "id")


def column(api_name: str, type_: str, scale: int = 0) -> Column:
    return Column(api_name, column_name(api_name), type_, scale=scale)


def decode_records(*records: dict, columns: tuple[Column, ...]):
    body = json.dumps([{"attributes": {"type": "Account"}, **record} for record in records]).encode()
    return decode(body, (ID, *columns), sobject="Account", synced_at=NOON)


@pytest.mark.parametrize(
    ("type_", "wire", "value"),
    [
        ("string", "Grüße \u2028 🚀", "Grüße \u2028 🚀"),
        ("boolean", True, True),
        ("int", 60, 60),
        ("int", 60.0, 60),
        ("long", 2**62, 2**62),
        ("double", 1.2345678e7, 12345678.0),
        ("double", 3, 3.0),
        ("percent", 0.5, 0.5),
        ("currency", 5.6e9, Decimal("5600000000")),
        ("currency", 0.1, Decimal("0.1")),
        ("currency", 1234567890123.45, Decimal("1234567890123.45")),
        ("date", "1700-01-31", date(1700, 1, 31)),
        ("datetime", "2017-04-25T15:43:01.000+0000", datetime(2017, 4, 25, 15, 43, 1, tzinfo=UTC)),
        ("datetime", "2017-04-25T15:43:01Z", datetime(2017, 4, 25, 15, 43, 1, tzinfo=UTC)),
        ("datetime", "2017-04-25T15:43:01.123+02:00", datetime(2017, 4, 25, 13, 43, 1, 123000, tzinfo=UTC)),
        ("time", "12:30:00.000Z", "12:30:00.000"),
        ("time", "12:30:00Z", "12:30:00.000"),
        ("time", "12:30:00.000001Z", "12:30:00.000001"),
        ("base64", "/services/data/v60.0/sobjects/X/Body", "/services/data/v60.0/sobjects/X/Body"),
        ("anyType", 5.5, "5.5"),
        ("anyType", "text", "text"),
    ],
)
def test_each_type_becomes_its_column(type_, wire, value):
    page = decode_records({"Id": "a", "X": wire}, {"Id": "b", "X": None}, columns=(column("X", type_),))

    assert page.frame["x"].to_list() == [value, None]
    assert page.frame.schema["x"] == TYPES[type_].polars
    assert page.rounded == {}


def test_every_type_of_the_table_admits_a_page_of_nulls_and_an_empty_page():
    columns = tuple(column(f"C{i}", type_) for i, type_ in enumerate(TYPES))

    nulls = decode_records({"Id": "a", **{c.api_name: None for c in columns}}, columns=columns).frame
    empty = decode_records(columns=columns).frame

    assert (
        nulls.schema
        == empty.schema
        == pl.Schema({"id": pl.String(), **{c.name: c.polars for c in columns}, SYNCED_AT: pl.Datetime("us", "UTC")})
    )
    assert (nulls.height, empty.height) == (1, 0)


def test_each_row_says_when_it_was_read():
    assert decode_records({"Id": "a"}, columns=()).frame[SYNCED_AT].to_list() == [NOON]


def test_money_beyond_the_columns_digits_is_rounded_and_counted():
    page = decode_records({"Id": "a", "X": 0.123456789}, {"Id": "b", "X": 1.5}, columns=(column("X", "currency", 2),))

    assert page.frame["x"].to_list() == [Decimal("0.123457"), Decimal("1.5")]
    assert page.rounded == {"X": 1}


@pytest.mark.parametrize(
    "text", ["9999999999999999.99", "-123456789012345678.901234", "12345678901234567890123456", "1.5E+25", "7"]
)
def test_money_keeps_digits_that_a_binary_number_has_not(text):
    wire = f'[{{"Id":"a","X":{text}}}]'.encode()

    page = decode(wire, (ID, column("X", "currency", 2)), sobject="Account", synced_at=NOON)

    assert page.frame["x"].to_list() == [Decimal(text)]
    assert page.rounded == {}


@pytest.mark.parametrize("amount", [0.01, -0.07, 1.1, 446910.72, 5600000000.13, 5629499534213.11, -4503599627370.49])
def test_money_with_two_digits_is_exact_the_fast_way(amount):
    page = decode_records({"Id": "a", "X": amount}, {"Id": "b", "X": None}, columns=(column("X", "currency", 2),))

    assert page.frame["x"].to_list() == [Decimal(repr(amount)), None]
    assert page.rounded == {}


@pytest.mark.parametrize("type_", ["int", "long"])
def test_a_fraction_in_a_whole_number_column_is_named_and_kept(type_):
    whole = replace(column("X", type_), keeps_fractions=True)

    page = decode_records({"Id": "a", "X": 47.5}, {"Id": "b", "X": 46.5}, {"Id": "c", "X": 3.0}, columns=(whole,))

    assert page.frame["x"].to_list() == [48, 46, 3]
    assert page.frame["x__exact"].to_list() == [47.5, 46.5, None]
    assert page.fractions == {"X": 2}
    assert page.rounded == {}
    assert page.examples == {"X": "Account.X in record a: 47.5 is stored as 48 in x and exactly in x__exact."}


@pytest.mark.parametrize("type_", ["int", "long", "double", "percent", "currency"])
@pytest.mark.parametrize("text", ["1E400", "-1E400"])
def test_a_number_beyond_every_range_is_refused_by_name(type_, text):
    wire = f'[{{"Id":"001000000000001AAA","X":{text}}}]'.encode()

    with pytest.raises(ValueUnexpected, match=r"Account\.X = -?1E\+400 in record 001000000000001AAA"):
        decode(wire, (ID, column("X", type_)), sobject="Account", synced_at=NOON)


def test_a_replaced_surrogate_is_counted_and_its_record_named():
    wire = b'[{"Id":"a","X":"\\ufffd left"},{"Id":"b","X":"whole"},{"Id":"c","X":null}]'

    page = decode(wire, (ID, column("X", "string")), sobject="Account", synced_at=NOON)

    assert page.frame["x"].to_list() == ["\ufffd left", "whole", None]
    assert page.replaced == {"X": 1}
    assert page.examples == {"X": "Account.X in record a: half of a surrogate pair was replaced by U+FFFD."}


def test_a_page_of_whole_texts_reports_no_replacement():
    assert decode_records({"Id": "a", "X": "\ufffd"}, columns=(column("Y", "string"),)).replaced == {}


def test_money_keeps_the_digits_of_a_column_with_a_larger_scale():
    page = decode_records({"Id": "a", "X": 0.12345678}, columns=(column("X", "currency", 8),))

    assert page.frame["x"].to_list() == [Decimal("0.12345678")]


@pytest.mark.parametrize(
    ("type_", "wire"),
    [
        ("int", "12"),
        ("int", 2**31),
        ("int", 2**31 - 0.25),
        ("int", -(2**31) - 1),
        ("long", 2**63),
        ("long", 2.0**53),
        ("int", True),
        ("double", "1.5"),
        ("currency", "1.5"),
        ("currency", True),
        ("currency", 1e33),
        ("boolean", 1),
        ("string", 12),
        ("string", {"street": "x"}),
        ("date", "2026-02-30"),
        ("date", "2026-01-01T00:00:00"),
        ("datetime", "2026-01-01T00:00:00"),
        ("datetime", "2026-01-01"),
        ("time", "25:00:00.000Z"),
    ],
)
def test_a_misfit_is_refused_with_object_column_value_and_record(type_, wire):
    good = {"Id": "001000000000001AAA", "X": None}

    with pytest.raises(ValueUnexpected) as error_info:
        decode_records(good, {"Id": "001000000000002AAA", "X": wire}, columns=(column("X", type_),))

    assert error_info.value.values["object"] == "Account"
    assert error_info.value.values["column"] == "X"
    assert error_info.value.values["record_id"] == "001000000000002AAA"
    assert error_info.value.values["value"] in str(error_info.value)
    assert "Account.X" in str(error_info.value)


def test_a_selected_column_that_a_record_lacks_is_null_there_and_counted():
    page = decode_records({"Id": "a"}, {"Id": "b", "X": "x"}, columns=(column("X", "string"), column("Y", "boolean")))

    assert page.frame["x"].to_list() == [None, "x"]
    assert page.frame["y"].to_list() == [None, None]
    assert page.left_out == {"X": 1, "Y": 2}
    assert decode_records({"Id": "b", "X": "x"}, columns=(column("X", "string"),)).left_out == {}


@pytest.mark.parametrize("name", ["Id", "SystemModstamp", "IsDeleted", "Key__c"])
def test_a_column_that_tells_rows_apart_is_refused_when_a_record_lacks_it(name):
    columns = (
        *(column(each, "string") for each in ("SystemModstamp", "IsDeleted")),
        replace(column("Key__c", "string"), key=True),
    )
    record = {each: "a" for each in ("Id", "SystemModstamp", "IsDeleted", "Key__c") if each != name}

    with pytest.raises(ValueUnexpected, match=rf"Account\.{name} is not in the record in record"):
        decode_records(record, columns=columns)


@pytest.mark.parametrize("body", [b"{}", b"[null]", b'[{"Id": "a"', b'[{"Id": "\xff"}]', b'[{"Id": "\\ud800"}]'])
def test_a_page_that_is_no_array_of_records_is_refused(body):
    with pytest.raises(ValueUnexpected, match="Account"):
        decode(body, (ID,), sobject="Account", synced_at=NOON)


def test_a_long_value_is_cut_in_the_message():
    with pytest.raises(ValueUnexpected) as error_info:
        decode_records({"Id": "a", "X": ["y" * 5000]}, columns=(column("X", "string"),))

    assert len(str(error_info.value)) < 400


@pytest.mark.parametrize("record_id", ["", " 001", "001\x00", "001\u202e", "00'1", "00\\1", "a" * 256, "\ufffd"])
def test_a_text_that_can_be_no_id_is_refused(record_id):
    with pytest.raises(ValueUnexpected, match="not an Id"):
        decode_records({"Id": record_id}, columns=())


def test_a_record_without_an_id_is_refused():
    with pytest.raises(ValueUnexpected, match="a record without Id"):
        decode_records({"Id": None}, columns=())


@pytest.mark.parametrize(("name", "type_"), [("IsDeleted", "boolean"), ("SystemModstamp", "datetime")])
def test_a_record_whose_stamp_or_mark_of_deletion_is_null_is_read(name, type_):
    assert decode_records({"Id": "a", name: None}, columns=(column(name, type_),)).frame.height == 1


@pytest.mark.parametrize(
    ("type_", "wire"),
    [
        ("datetime", "-0001-01-01T00:00:00.000+0000"),
        ("datetime", "0000-01-01T00:00:00.000+0000"),
        ("datetime", "0001-01-01T00:00:00.000+1400"),
        ("datetime", "+10000-01-01T00:00:00.000+0000"),
        ("datetime", "9999-12-31T23:59:59.000-0100"),
        ("date", "-0001-01-01"),
        ("date", "0000-01-01"),
        ("date", "+10000-01-01"),
    ],
)
def test_a_year_that_python_cannot_hold_is_refused(type_, wire):
    with pytest.raises(ValueUnexpected, match="record a: not"):
        decode_records({"Id": "a", "X": wire}, columns=(column("X", type_),))


@pytest.mark.parametrize("type_", ["int", "long", "double", "currency", "string"])
def test_a_number_of_thousands_of_digits_is_refused_by_name(type_):
    body = b'[{"Id": "a", "X": %s}]' % (b"9" * 5_000)

    with pytest.raises(ValueUnexpected, match=r"Account\.X = 9{97}\.\.\. in record a|Account\.X = '9{96}"):
        decode(body, (ID, column("X", type_)), sobject="Account", synced_at=NOON)


@pytest.mark.parametrize("scale", [-5, 18, 19, 38, 39, 10**9])
def test_money_of_any_described_scale_is_stored(scale):
    page = decode_records({"Id": "a", "X": 1234567890123.45}, columns=(column("X", "currency", scale),))

    assert page.frame["x"].to_list() == [Decimal("1234567890123.45")]
