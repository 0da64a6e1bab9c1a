"""A CSV page of a Bulk result becomes the frame of the same rows in JSON, or an error that names the cell."""

import json
from datetime import UTC, datetime

import pytest
from polars.testing import assert_frame_equal

from sf_assets.errors import AnswerTorn, ValueUnexpected
from sf_assets.sync.bulk_csv import CsvPage
from sf_assets.sync.columns import Column
from sf_assets.sync.decode import decode

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
ID = Column("Id", "id", "id", key=True)
STAMP = "2026-01-01T00:00:00.000"
TEXTS = [
    'say "hi"', '"', '""', ",", "a\nb", "a\r\nb", "a\rb", "\n", "\r", "a\u2028b\u2029\x85\x0b\x0c", "#N/A", "null",
    "NULL", "NA", "N/A", "nan", "None", "true", "1.0", " padded ", "\ttab", "a\\", "\\n", "\x00nul", "ü 🎉 漢字",
    "x" * 131_072, "=1+1", "Id", '","', '"\n"', "0012", "\ufeffmark", "'",
]  # fmt: skip
NUMBERS = ["0", "-0", "5", "5.0", "5E0", "0.1", "1.2345678E7", "5.6E9", "-1.5e-7", "123456789.123456789", "1e22"]


def record_id(number):
    return f"001{number:012d}AAA"


def cell(text):
    return '"' + text.replace('"', '""') + '"'


def page(columns, rows, *, header=True, line_end="\n", quote=cell):
    lines = [[column.api_name for column in columns]] * header + rows
    return "".join(",".join(quote(text) for text in line) + line_end for line in lines).encode()


def from_csv(body, *columns):
    (result,) = CsvPage(body, columns, sobject="Account").decoded(1_000, synced_at=NOW)
    return result


def from_json(columns, rows):
    records = [dict(zip((column.api_name for column in columns), row, strict=True)) for row in rows]
    return decode(json.dumps(records).encode(), columns, sobject="Account", synced_at=NOW)


def both(column, texts, values):
    """Decode the same values from CSV and from JSON."""
    columns = (ID, column)
    body = page(columns, [[record_id(i), text] for i, text in enumerate(texts)])
    return from_csv(body, *columns), from_json(columns, [[record_id(i), value] for i, value in enumerate(values)])


@pytest.mark.parametrize("header", [True, False])
def test_texts_are_the_same_as_in_json(header):
    columns = (ID, Column("Name", "name", "string"))
    rows = [[record_id(i), text] for i, text in enumerate(TEXTS)]

    bulk, rest = from_csv(page(columns, rows, header=header), *columns), from_json(columns, rows)

    assert_frame_equal(bulk.frame, rest.frame)
    assert bulk.frame["name"].to_list() == TEXTS


@pytest.mark.parametrize("text", TEXTS)
def test_one_text_alone_is_the_same_as_in_json(text):
    bulk, rest = both(Column("Name", "name", "textarea"), [text], [text])

    assert_frame_equal(bulk.frame, rest.frame)


@pytest.mark.parametrize("type_", ["double", "percent", "currency"])
def test_numbers_have_the_digits_of_json(type_):
    columns = (ID, Column("Amount", "amount", type_, scale=2))
    body = page(columns, [[record_id(i), text] for i, text in enumerate([*NUMBERS, ""])])
    records = ",".join(f'{{"Id":"{record_id(i)}","Amount":{text or "null"}}}' for i, text in enumerate([*NUMBERS, ""]))

    bulk, rest = from_csv(body, *columns), decode(f"[{records}]".encode(), columns, sobject="Account", synced_at=NOW)

    assert_frame_equal(bulk.frame, rest.frame, check_exact=True)
    assert (bulk.rounded, bulk.examples) == (rest.rounded, rest.examples)


@pytest.mark.parametrize(
    ("type_", "texts", "values"),
    [
        ("int", ["60", "-1", "", "5.0", "5E0"], [60, -1, None, 5.0, 5.0]),
        ("long", ["9223372036854775807", "0", ""], [9223372036854775807, 0, None]),
        ("boolean", ["true", "false", ""], [True, False, None]),
        ("date", ["2026-01-01", "1700-02-28", "4000-12-31", ""], ["2026-01-01", "1700-02-28", "4000-12-31", None]),
        ("datetime", [f"{STAMP}Z", ""], [f"{STAMP}+0000", None]),
        ("datetime", ["", "2026-01-01T10:00:00.123Z"], [None, "2026-01-01T10:00:00.123+0000"]),
        ("datetime", [f"{STAMP}Z", f"{STAMP}+0200"], [f"{STAMP}+0000", f"{STAMP}+0200"]),
        ("time", ["10:15:00.000Z", "00:00:00.000Z", ""], ["10:15:00.000Z", "00:00:00.000Z", None]),
        ("multipicklist", ["a;b", ""], ["a;b", None]),
    ],
)
def test_values_of_other_types_are_the_same_as_in_json(type_, texts, values):
    bulk, rest = both(Column("Field__c", "field__c", type_), texts, values)

    assert_frame_equal(bulk.frame, rest.frame, check_exact=True)


@pytest.mark.parametrize(
    ("type_", "text"),
    [
        ("int", "five"), ("int", "2147483648"), ("int", "0x10"), ("int", "1_000"), ("long", "9223372036854775808"),
        ("double", "1,5"), ("double", "nan"), ("double", "inf"), ("double", "1e999"), ("double", "0x1F"),
        ("percent", "5%"), ("currency", "USD 5"), ("currency", "1" * 39), ("currency", "+5"), ("boolean", "TRUE"),
        ("boolean", "1"), ("date", "01.02.2026"), ("date", "2026-02-30"), ("datetime", "2026-01-01"),
        ("datetime", f"{STAMP}"), ("time", "25:00:00.000Z"),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_names_record_and_column(type_, text):
    columns = (ID, Column("Field__c", "field__c", type_))

    with pytest.raises(ValueUnexpected) as error:
        from_csv(page(columns, [[record_id(1), ""], [record_id(2), text]]), *columns)

    assert error.value.values["record_id"] == record_id(2)
    assert error.value.values["column"] == "Field__c"


def test_columns_are_found_by_the_names_of_the_header():
    columns = (ID, Column("Name", "name", "string"), Column("Type", "type", "string"))
    other_order = (columns[2], columns[0], columns[1])

    frame = from_csv(page(other_order, [["Customer", record_id(1), "Acme"]]), *columns).frame

    assert frame.drop("_synced_at").rows() == [(record_id(1), "Acme", "Customer")]


@pytest.mark.parametrize("text", ["plain", "a\nb", 'say "hi"', ""])
def test_other_line_ends_and_cells_without_quotes_are_read_too(text):
    columns = (ID, Column("Name", "name", "string"))
    bare = [lambda t: cell(t) if set(t) & set('\n",') else t, cell]

    for quote in bare:
        body = page(columns, [[record_id(1), text]], line_end="\r\n", quote=quote)
        assert from_csv(body, *columns).frame["name"].to_list() == [text or None]


@pytest.mark.parametrize("size", range(30, 96, 3))
def test_a_page_that_breaks_off_is_never_accepted_with_wrong_cells(size):
    columns = (ID, Column("Name", "name", "string"))
    whole = page(columns, [[record_id(1), 'a "quoted"\nname'], [record_id(2), "b"]])
    frame = from_csv(whole, *columns).frame

    try:
        part = from_csv(whole[:size], *columns).frame
    except AnswerTorn:
        return
    assert part.height < frame.height or part.rows() == frame.rows()  # the announced number of rows shows the first


@pytest.mark.parametrize(
    "body",
    [b'"Id","Name"\n"001000000000001AAA"\n', b'"Id","Name"\n"001000000000001AAA","a"x\n', b'"Id","Nam', b'"Id"\n"a"\n'],
)
def test_a_malformed_page_is_refused(body):
    with pytest.raises(AnswerTorn):
        from_csv(body, ID, Column("Name", "name", "string"))


def test_a_page_with_other_columns_is_refused():
    with pytest.raises(AnswerTorn, match="other columns"):
        from_csv(b'"Id","Phone"\n"001000000000001AAA","1"\n', ID, Column("Name", "name", "string"))


def test_broken_characters_are_replaced_and_counted_as_in_json():
    columns = (ID, Column("Name", "name", "string"))
    half = page(columns, [[record_id(1), "cut"]]).replace(b"cut", b"cut\xed\xa0\xbd!")
    pair = page(columns, [[record_id(1), "cut"]]).replace(b"cut", b"cut\xed\xa0\xbc\xed\xbe\x89!")

    result = from_csv(half, *columns)

    assert result.frame["name"].to_list() == ["cut\ufffd!"]
    assert result.replaced == {"Name": 1}
    assert from_csv(pair, *columns).frame["name"].to_list() == ["cut🎉!"]


def test_an_empty_result_is_a_header_alone():
    columns = (ID, Column("Name", "name", "string"))

    assert from_csv(page(columns, []), *columns).frame.height == 0
    assert from_csv(b"", *columns).frame.height == 0
