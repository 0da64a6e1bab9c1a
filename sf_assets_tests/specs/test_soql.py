"""The reader of `.soql` files and the writers of queries."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from sf_assets.errors import ConfigError, SpecError
from sf_assets.specs.soql import datetime_literal, select, string_literal
from sf_assets.specs.soql_file import read_file, read_query


def test_a_query_is_read_with_its_columns_in_their_order() -> None:
    query = read_query("SELECT\n  Id,\n  Name,\n  SystemModstamp,\n  FIELDS(CUSTOM)\nFROM Account\n", path="a.soql")

    assert query.sobject == "Account"
    assert query.columns == ("Id", "Name", "SystemModstamp")
    assert (query.standard, query.custom, query.where) == (False, True, None)


def test_both_expansions_are_read_and_are_no_columns() -> None:
    query = read_query("SELECT FIELDS(STANDARD), FIELDS(CUSTOM) FROM Profile", path="p.soql")

    assert (query.columns, query.standard, query.custom) == ((), True, True)


def test_keywords_are_read_in_any_case_and_line_ends_of_any_system() -> None:
    query = read_query("select Id,\r\n\tfields( custom )\r\nfrom Order", path="o.soql")

    assert (query.sobject, query.columns, query.custom) == ("Order", ("Id",), True)


@pytest.mark.parametrize(
    "condition",
    [
        "IsActive = true",
        "Name = 'a) OR (b; -- ORDER BY Id LIMIT 1'",
        r"Name = 'O\'Brien' AND (Amount > -1.5 OR Amount = null)",
        "Name LIKE 'Zürich%'",
        "CreatedDate >= 2026-01-01T00:00:00+01:00 AND CloseDate < 2026-11-24",
        "CreatedDate = LAST_N_DAYS:30",
        "Type IN ('a', 'b') AND NOT Owner.Name != 'x'",
        "CALENDAR_YEAR(CloseDate) <> 2026",
    ],
)
def test_a_condition_is_kept_as_it_was_written(condition: str) -> None:
    query = read_query(f"SELECT Id\nFROM Account\nWHERE {condition}\n", path="a.soql")

    assert query.where == condition


REFUSED = [
    ("", 1, "SELECT is expected", "Begin"),
    ("\n\n", 1, "SELECT is expected", "Begin"),
    ("Id, Name FROM Account", 1, "SELECT is expected here, not Id", "Begin"),
    ("SELECT FROM Account", 1, "column is expected here, not FROM", "Write a column"),
    ("SELECT Id,\n  Name,\nFROM Account", 3, "column is expected here, not FROM", "comma before it"),
    ("SELECT Id,\n\n  ,Name FROM Account", 3, "column is expected here, not ,", "Write a column"),
    ("SELECT Id,\n  'Name' FROM Account", 2, "column is expected here, not 'Name'", "API name"),
    ("SELECT Id\n  Name\nFROM Account", 2, "Name follows Id without a comma", "comma after Id"),
    ("SELECT Id,\n  Name n\nFROM Account", 2, "n follows Name", "no aliases"),
    ("SELECT Id,\n  Name,\n  Id FROM Account", 3, "Id is here and on line 1", "Remove one of the two"),
    ("SELECT Id,\n  Name,\n  NAME FROM Account", 3, "NAME is here and on line 2", "Remove one of the two"),
    ("SELECT Id,\n  FIELDS(CUSTOM),\n  fields(custom) FROM Account", 3, "CUSTOM is here", "Remove one of the two"),
    ("SELECT FIELDS(STANDARD),\n  Id FROM Account", 2, "among FIELDS(STANDARD)", "Remove Id or FIELDS(STANDARD)"),
    ("SELECT Id,\n  A__c,\n  FIELDS(CUSTOM) FROM Account", 2, "among FIELDS(CUSTOM)", "Remove A__c or FIELDS(CUSTOM)"),
    ("SELECT Id,\n  FIELDS(ALL) FROM Account", 2, "FIELDS(ALL)", "FIELDS(STANDARD), FIELDS(CUSTOM)"),
    ("SELECT Id,\n  FIELDS(CUSTOM FROM Account", 2, "FIELDS(CUSTOM)", "FIELDS(CUSTOM)"),
    ("SELECT Id,\n  COUNT(Id) FROM Account", 2, "COUNT() is a function", "Remove COUNT()"),
    ("SELECT Id,\n  toLabel(Type) FROM Account", 2, "toLabel() is a function", "Remove toLabel()"),
    ("SELECT Id,\n  Owner.Name FROM Account", 2, "path to another object", "join on the Id column"),
    ("SELECT Id,\n  (SELECT Id FROM Contacts) FROM Account", 2, "a subquery", "endpoint of its own"),
    ("SELECT Id,\n  TYPEOF What WHEN Account THEN Name END FROM Task", 2, "not TYPEOF", "API name"),
    ("SELECT Id", 1, "FROM is expected here, not the end of the file", "object's name"),
    ("SELECT Id\nFROM", 2, "object is expected here, not the end of the file", "one object"),
    ("SELECT Id\nFROM Account.Contacts", 2, "object is expected here", "one object"),
    ("SELECT Id\nFROM Account,\n  Contact", 2, ", is not part of a spec", "Remove , and what follows"),
    ("SELECT Id\nFROM Account a", 2, "a is not part of a spec", "Remove a and what follows"),
    ("SELECT Id\nFROM Account\nORDER BY Id", 3, "ORDER is not part of a spec", "Remove ORDER and what follows"),
    ("SELECT Id\nFROM Account\nLIMIT 200", 3, "LIMIT is not part of a spec", "Remove LIMIT"),
    ("SELECT Id\nFROM Account\nGROUP BY Id", 3, "GROUP is not part of a spec", "Remove GROUP"),
    ("SELECT Id\nFROM Account\nUSING SCOPE mine", 3, "USING is not part of a spec", "Remove USING"),
    ("SELECT Id\nFROM Account;", 2, "; is not part of a spec", "Remove ;"),
    ("SELECT Id\nFROM Account\nWHERE", 3, "WHERE has no condition", "Write a condition"),
    ("SELECT Id\nFROM Account\nWHERE (A = 1\nAND (B = 2)", 3, "a '(' of the WHERE is never closed", "Balance"),
    ("SELECT Id\nFROM Account\nWHERE A = 1)\nOR (B = 2", 3, "a ')' without a", "Balance"),
    ("SELECT Id\nFROM Account\nWHERE A = 1\nORDER BY Id", 4, "ORDER inside the WHERE", "Remove ORDER"),
    ("SELECT Id\nFROM Account\nWHERE A = 1\nlimit 5", 4, "limit inside the WHERE", "Remove limit"),
    ("SELECT Id\nFROM Account\nWHERE A = 1;", 3, "; inside the WHERE", "Remove ;"),
    ("SELECT Id\nFROM Account\nWHERE A = 1\nALL ROWS", 4, "ALL inside the WHERE", "Remove ALL"),
    ("SELECT Id\nFROM Account\nWHERE A IN (\nSELECT Id FROM B)", 4, "SELECT inside the WHERE", "Remove SELECT"),
    ("SELECT Id\nFROM Account\nWHERE A = 'x", 3, "a string does not end", "Close the string"),
    ("SELECT Id, -- the key\n  Name FROM Account", 1, "a comment", "Remove the comment"),
    ("SELECT Id\n// or so\nFROM Account", 2, "a comment", "Remove the comment"),
    ("/* all */ SELECT Id FROM Account", 1, "a comment", "Remove the comment"),
    ("SELECT Id,\n  Stra\u00dfe FROM Account", 2, "U+00DF", "Remove the character"),
    ("SELECT Id,\n\u00a0 Name FROM Account", 2, "U+00A0", "Remove the character"),
    ("SELECT Id,\n  \u201cName\u201d FROM Account", 2, "U+201C", "Remove the character"),
    ("SELECT Id\nFROM Account\nWHERE A = :x", 3, "U+003A", "Remove the character"),
    ("\ufeffSELECT Id FROM Account", 1, "byte order mark", "without a byte order mark"),
]


@pytest.mark.parametrize(("text", "line", "what", "remedy"), REFUSED, ids=[repr(case[0]) for case in REFUSED])
def test_what_is_no_spec_is_refused_with_file_line_and_remedy(text: str, line: int, what: str, remedy: str) -> None:
    with pytest.raises(SpecError) as error_info:
        read_query(text, path="folder/a.soql")

    assert str(error_info.value).startswith(f"folder/a.soql:{line}: ")
    assert what in str(error_info.value)
    assert remedy in error_info.value.remedy
    assert error_info.value.values == {"path": "folder/a.soql", "line": line}


def test_a_file_that_is_missing_is_refused_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"gone\.soql: no such file") as error_info:
        read_file(tmp_path / "gone.soql")

    assert "gone.soql" in error_info.value.remedy


def test_a_file_in_another_encoding_is_refused_with_its_first_bad_line(tmp_path: Path) -> None:
    path = tmp_path / "latin.soql"
    path.write_bytes(b"SELECT Id\nFROM Account\nWHERE Name = 'Z\xfcrich'\n")

    with pytest.raises(SpecError, match=r"latin\.soql:3: the file is not UTF-8"):
        read_file(path)


def test_the_line_of_a_word_is_that_of_the_whole_word() -> None:
    query = read_query("SELECT\n  Id,\n  AccountId,\n  Account__c,\n  Name\nFROM Account\n", path="a.soql")

    assert [query.line_of(word) for word in ("id", "Account", "Name", "Nowhere")] == [2, 6, 5, 1]


def test_a_query_is_written_on_one_line() -> None:
    soql = select(["Id", "Name"], "Account", where=["Id > 'x'"], order_by=["SystemModstamp", "Id"], limit=200)

    assert soql == "SELECT Id, Name FROM Account WHERE Id > 'x' ORDER BY SystemModstamp, Id LIMIT 200"


def test_a_query_may_have_neither_condition_nor_order_nor_limit() -> None:
    assert select(["COUNT(Id)"], "Account") == "SELECT COUNT(Id) FROM Account"


@pytest.mark.parametrize(
    ("conditions", "condition"),
    [
        (["A = 1 OR B = 2"], "A = 1 OR B = 2"),
        (["A = 1", "Id > 'x'"], "A = 1 AND Id > 'x'"),
        (["A = 1 OR B = 2", "Id > 'x'"], "(A = 1 OR B = 2) AND Id > 'x'"),
        (["A = 1 and B = 2", "not C = 3"], "(A = 1 and B = 2) AND (not C = 3)"),
    ],
)
def test_conditions_are_joined_without_changing_each_others_meaning(conditions: list[str], condition: str) -> None:
    assert select(["Id"], "Account", where=conditions) == f"SELECT Id FROM Account WHERE {condition}"


@pytest.mark.parametrize(
    ("moment", "literal"),
    [
        (datetime(2026, 11, 24, 8, 5, 7, tzinfo=UTC), "2026-11-24T08:05:07Z"),
        (datetime(2026, 11, 24, 8, 5, 7, 999_999, tzinfo=UTC), "2026-11-24T08:05:07Z"),
        (datetime(2026, 11, 24, 0, 5, tzinfo=timezone(timedelta(hours=1))), "2026-11-23T23:05:00Z"),
    ],
)
def test_a_moment_is_written_in_whole_seconds_of_utc(moment: datetime, literal: str) -> None:
    assert datetime_literal(moment) == literal


def test_a_moment_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ConfigError, match="no time zone"):
        datetime_literal(datetime(2026, 11, 24))  # noqa: DTZ001 (the naive moment is the point)


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ("001xx", "'001xx'"),
        ("O'Brien", r"'O\'Brien'"),
        ("a\\", r"'a\\'"),
        ("a\nb\t", r"'a\nb\t'"),
        ("Zürich", "'Zürich'"),
    ],
)
def test_a_text_is_written_so_that_it_cannot_end_the_string(text: str, literal: str) -> None:
    assert string_literal(text) == literal


@pytest.mark.parametrize("text", ["O'Brien", "a\\", "\\'", "line\nline", "') OR (Id != '"])
def test_a_text_that_we_write_is_one_string_to_our_reader(text: str) -> None:
    query = read_query(f"SELECT Id FROM Account WHERE Name = {string_literal(text)}", path="a.soql")

    assert query.where == f"Name = {string_literal(text)}"
