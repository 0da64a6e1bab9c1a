"""The statements that the org understands, and the words in which it refuses the others."""

import pytest

ROWS = [
    {"Name": "Acme", "Type": "Prospect", "AnnualRevenue": 100.5, "NumberOfEmployees": 7, "FoundedOn": "1999-12-31"},
    {"Name": "acme labs", "Type": "Customer", "AnnualRevenue": 2.5e7, "NumberOfEmployees": None, "IsPartner": True},
    {"Name": "O'Hara \\ Söhne 100%", "Type": None, "AnnualRevenue": None, "NumberOfEmployees": 12},
    {"Name": "Zeta", "Type": "customer", "AnnualRevenue": -3, "NumberOfEmployees": 7, "FoundedOn": "2001-01-01"},
]


@pytest.fixture
def rows(org, clock):
    """The Ids of four accounts, a minute apart."""
    ids = []
    for row in ROWS:
        ids.append(org.insert("Account", row))
        clock.advance(minutes=1)
    return ids


@pytest.mark.parametrize(
    ("condition", "places"),
    [
        ("Name = 'ACME'", [0]),
        ("Name != 'acme'", [1, 2, 3]),
        ("Name <> 'acme'", [1, 2, 3]),
        ("Name LIKE 'acme%'", [0, 1]),
        ("Name LIKE '_eta'", [3]),
        ("NOT Name LIKE '%a'", [0, 1, 2]),
        (r"Name = 'O\'Hara \\ Söhne 100%'", [2]),
        ("Type = null", [2]),
        ("Type != null", [0, 1, 3]),
        ("Type != 'Customer'", [0, 2]),
        ("Type IN ('Customer', 'Other')", [1, 3]),
        ("Type NOT IN ('Customer', 'Other')", [0, 2]),
        ("Type IN (null, 'Prospect')", [0, 2]),
        ("AnnualRevenue > 100", [0, 1]),
        ("AnnualRevenue <= 100.5", [0, 3]),
        ("AnnualRevenue = 2.5E7", [1]),
        ("AnnualRevenue = -3", [3]),
        ("NumberOfEmployees < 12", [0, 3]),
        ("NumberOfEmployees >= 7", [0, 2, 3]),
        ("IsPartner = true", [1]),
        ("IsPartner = FALSE", [0, 2, 3]),
        ("FoundedOn >= 2000-01-01", [3]),
        ("CreatedDate = 2026-03-10T12:01:00Z", [1]),
        ("CreatedDate > 2026-03-10T14:01:00+02:00", [2, 3]),
        ("CreatedDate < 2026-03-10T12:01:00.000Z", [0]),
        ("SystemModstamp >= 2026-03-10T12:02:00Z", [2, 3]),
        ("SystemModstamp > 2026-03-10T12:02:00Z", [3]),
        ("SystemModstamp <= 2026-03-10T12:01:00Z", [0, 1]),
        ("SystemModstamp < 2026-03-10T12:01:00Z AND Name != 'Acme'", []),
        ("Name = 'Acme' OR Name = 'Zeta'", [0, 3]),
        ("(Name = 'Acme' OR Name = 'Zeta') AND NumberOfEmployees = 7 AND FoundedOn > 2000-01-01", [3]),
        ("NOT (Name = 'Acme' OR NOT IsPartner = true)", [1]),
        ("name = 'acme' and type = 'prospect'", [0]),
    ],
)
def test_a_condition_finds_its_rows(rows, select, condition, places):
    records = select(f"SELECT Id FROM Account WHERE {condition} ORDER BY Id")

    assert [rows.index(record["Id"]) for record in records] == places


def test_ids_are_compared_by_ascii_and_in_both_lengths(rows, select):
    second = rows[1]

    assert [r["Id"] for r in select(f"SELECT Id FROM Account WHERE Id > '{second}' ORDER BY Id LIMIT 1")] == [rows[2]]
    assert [r["Id"] for r in select(f"SELECT Id FROM Account WHERE Id <= '{second}' ORDER BY Id")] == rows[:2]
    assert [r["Id"] for r in select(f"SELECT Id FROM Account WHERE Id = '{second[:15]}'")] == [second]
    assert [r["Id"] for r in select(f"SELECT Id FROM Account WHERE Id IN ('{rows[3]}', '{rows[0]}')")] == [
        rows[0],
        rows[3],
    ]


def test_a_query_resumes_after_a_stamp_and_an_id(org, clock, select):
    ids = org.insert_many("Account", [{"Name": str(n)} for n in range(5)])
    stamp = "2026-03-10T12:00:00Z"
    late = org.insert("Account", {"Name": "late"}, stamp=clock.advance(seconds=1))
    after = f"(SystemModstamp > {stamp} OR (SystemModstamp = {stamp} AND Id > '{ids[2]}'))"

    records = select(f"SELECT Id FROM Account WHERE {after} ORDER BY SystemModstamp, Id LIMIT 3")

    assert [record["Id"] for record in records] == [ids[3], ids[4], late]


@pytest.mark.parametrize(
    ("order", "places"),
    [
        ("Name", [0, 1, 2, 3]),
        ("Name DESC", [3, 2, 1, 0]),
        ("NumberOfEmployees", [1, 0, 3, 2]),
        ("NumberOfEmployees NULLS LAST", [0, 3, 2, 1]),
        ("NumberOfEmployees DESC", [1, 2, 0, 3]),
        ("NumberOfEmployees DESC NULLS LAST, AnnualRevenue ASC", [2, 3, 0, 1]),
        ("AnnualRevenue ASC NULLS FIRST", [2, 3, 0, 1]),
        ("SystemModstamp DESC", [3, 2, 1, 0]),
        ("SystemModstamp DESC, Id DESC", [3, 2, 1, 0]),
        ("Id DESC", [3, 2, 1, 0]),
    ],
)
def test_rows_come_in_the_order_asked_for(rows, select, order, places):
    assert [rows.index(record["Id"]) for record in select(f"SELECT Id FROM Account ORDER BY {order}")] == places


def test_limit_and_offset_cut_the_result(rows, ask):
    body = ask("SELECT Id FROM Account ORDER BY Id LIMIT 2 OFFSET 1").json()

    assert [record["Id"] for record in body["records"]] == rows[1:3]
    assert body["totalSize"] == 2


def test_names_are_read_in_any_case_and_written_as_they_are(rows, select):
    assert select("select ID, nAmE from ACCOUNT order by id limit 1") == [{"Id": rows[0], "Name": "Acme"}]


def test_values_have_the_form_of_the_wire(rows, ask):
    text = ask("SELECT AnnualRevenue, CreatedDate, IsPartner, Type FROM Account ORDER BY Id").text

    assert '"AnnualRevenue":100.5,"CreatedDate":"2026-03-10T12:00:00.000+0000","IsPartner":false' in text
    assert '"AnnualRevenue":2.5E7,"CreatedDate":"2026-03-10T12:01:00.000+0000","IsPartner":true' in text
    assert '"AnnualRevenue":-3.0,' in text
    assert '"AnnualRevenue":null,"CreatedDate":"2026-03-10T12:02:00.000+0000","IsPartner":false,"Type":null' in text


def test_a_compound_value_is_an_object_or_null(org, select):
    whole = {"city": "Köln", "latitude": 50.9, "street": "Domplatz 1\nHinterhof"}
    org.insert_many("Account", [{"Name": "a", "Address": whole}, {"Name": "b"}])

    assert select("SELECT Address FROM Account ORDER BY Id") == [{"Address": whole}, {"Address": None}]


def test_a_record_names_its_type_and_url(rows, ask):
    record = ask("SELECT Name FROM Account ORDER BY Id LIMIT 1").json()["records"][0]

    url = f"/services/data/v60.0/sobjects/Account/{rows[0]}"
    assert record == {"attributes": {"type": "Account", "url": url}, "Name": "Acme"}


# -- aggregates ---------------------------------------------------------------------------------------------------


def test_count_alone_is_the_total_without_records(rows, ask):
    assert ask("SELECT COUNT() FROM Account").json() == {"totalSize": 4, "done": True, "records": []}


def test_the_probe_answers_count_and_newest_stamp(rows, ask):
    body = ask("SELECT COUNT(Id), MAX(SystemModstamp) FROM Account WHERE SystemModstamp >= 2026-03-10T12:01:00Z").json()

    assert body["records"] == [
        {"attributes": {"type": "AggregateResult"}, "expr0": 3, "expr1": "2026-03-10T12:03:00.000+0000"}
    ]


def test_the_probe_of_an_empty_window_is_zero_and_null(rows, select):
    records = select("SELECT COUNT(Id), MAX(SystemModstamp) FROM Account WHERE SystemModstamp > 2030-01-01T00:00:00Z")

    assert records == [{"expr0": 0, "expr1": None}]


def test_the_probe_counts_deleted_rows_only_through_query_all(org, rows, clock, select):
    org.delete("Account", rows[3])
    probe = "SELECT COUNT(Id) n, MAX(SystemModstamp) newest, MIN(SystemModstamp) oldest FROM Account"

    assert select(probe) == [
        {"n": 3, "newest": "2026-03-10T12:02:00.000+0000", "oldest": "2026-03-10T12:00:00.000+0000"}
    ]
    assert select(probe, resource="queryAll") == [
        {"n": 4, "newest": "2026-03-10T12:04:00.000+0000", "oldest": "2026-03-10T12:00:00.000+0000"}
    ]


def test_aggregates_of_other_columns_look_at_the_rows(rows, select):
    request = "COUNT(Type) a, MAX(AnnualRevenue) b, MIN(Name) c, MAX(FoundedOn) d, MAX(Id) e, SUM(NumberOfEmployees) f"

    assert select(f"SELECT {request}, AVG(AnnualRevenue) g, COUNT_DISTINCT(Type) h FROM Account WHERE Name != 'x'") == [
        {"a": 3, "b": 25e6, "c": "Acme", "d": "2001-01-01", "e": rows[3], "f": 26.0, "g": 25000097.5 / 3, "h": 2}
    ]


def test_groups_come_with_names_or_numbers(rows, select):
    records = select("SELECT IsPartner, COUNT(Id), MAX(AnnualRevenue) most FROM Account GROUP BY IsPartner")

    assert records == [
        {"IsPartner": False, "expr0": 3, "most": 100.5},
        {"IsPartner": True, "expr0": 1, "most": 25e6},
    ]


# -- FIELDS() -----------------------------------------------------------------------------------------------------


def test_fields_gives_the_visible_columns_of_a_group(org, rows, select):
    org.hide_field("Account", "Description")

    everything = select("SELECT FIELDS(ALL) FROM Account LIMIT 1")[0]
    standard = select("SELECT FIELDS(STANDARD) FROM Account LIMIT 1")[0]
    custom = select("SELECT Id, FIELDS(CUSTOM) FROM Account LIMIT 200")[0]

    assert list(custom) == ["Id", "Score__c"]
    assert list(everything) == [*standard, "Score__c"]
    assert "Description" not in everything


# -- refusals -----------------------------------------------------------------------------------------------------

APPEND = (
    "If you are attempting to use a custom {0}, be sure to append the '__c' after the {1} name. Please reference your "
    "WSDL or the describe call for the appropriate names."
)


def test_an_unknown_column_is_named_with_its_place(ask):
    answer = ask("SELECT Id, Foo FROM Account")

    place = "\nSELECT Id, Foo FROM Account\n           ^\nERROR at Row:1:Column:12\n"
    events = f"{place}No such column 'Foo' on entity 'Account'. "
    assert answer.status_code == 400
    assert answer.json() == [{"message": events + APPEND.format("field", "custom field"), "errorCode": "INVALID_FIELD"}]


def test_an_unknown_object_is_named_with_its_place(ask):
    answer = ask("SELECT Id FROM Foo")

    events = "\nSELECT Id FROM Foo\n               ^\nERROR at Row:1:Column:16\nsObject type 'Foo' is not supported. "
    assert answer.status_code == 400
    assert answer.json() == [{"message": events + APPEND.format("object", "entity"), "errorCode": "INVALID_TYPE"}]


@pytest.mark.parametrize(
    ("soql", "code", "piece"),
    [
        ("SELECT Id FROM Account WHERE Foo = 1", "INVALID_FIELD", "Column:30\nNo such column 'Foo'"),
        ("SELECT Id FROM Account ORDER BY Foo", "INVALID_FIELD", "No such column 'Foo'"),
        ("SELECT MAX(Foo) FROM Account", "INVALID_FIELD", "Column:12\nNo such column 'Foo'"),
        ("SELECT COUNT(Id) FROM Account GROUP BY Foo", "INVALID_FIELD", "No such column 'Foo'"),
        ("SELECT Id FROM Account WHERE Description = 'x'", "INVALID_FIELD", "'Description' can not be filtered"),
        ("SELECT Id FROM Account ORDER BY Description", "INVALID_FIELD", "'Description' can not be sorted"),
        ("SELECT Id, id FROM Account", "INVALID_FIELD", "duplicate field selected: Id"),
        ("SELECT Id, FIELDS(ALL) FROM Account LIMIT 9", "INVALID_FIELD", "duplicate field selected: Id"),
        ("SELECT Id FROM Account WHERE Name = 5", "INVALID_FIELD", "must be of type string and should be enclosed"),
        (
            "SELECT Id FROM Account WHERE CreatedDate > '2020-01-01T00:00:00Z'",
            "INVALID_FIELD",
            "must be of type dateTime",
        ),
        ("SELECT Id FROM Account WHERE CreatedDate > 2020-01-01", "INVALID_FIELD", "must be of type dateTime"),
        ("SELECT Id FROM Account WHERE IsPartner = 'true'", "INVALID_FIELD", "must be of type boolean"),
        ("SELECT Id FROM Account WHERE AnnualRevenue = '5'", "INVALID_FIELD", "must be of type double"),
        ("SELECT SUM(Name) FROM Account", "INVALID_FIELD", "does not support aggregate operator SUM"),
        (
            "SELECT Id FROM Account WHERE Id LIKE '001%'",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid operator on id field",
        ),
        ("SELECT Id FROM Account WHERE CreatedDate LIKE '2%'", "INVALID_QUERY_FILTER_OPERATOR", "datetime field"),
        ("SELECT Id FROM Account WHERE Address = 'x'", "INVALID_FIELD", "'Address' can not be filtered"),
        ("SELECT Id FROM Account ORDER BY Address", "INVALID_FIELD", "'Address' can not be sorted"),
        ("SELECT Id FROM Account WHERE CreatedDate > 2026-13-01T00:00:00Z", "MALFORMED_QUERY", "Invalid datetime"),
        ("SELECT Id FROM Account WHERE FoundedOn > 2026-02-30", "MALFORMED_QUERY", "Invalid date: 2026-02-30"),
        ("", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT FROM Account", "MALFORMED_QUERY", "unexpected token: 'FROM'"),
        ("SELECT Id, FROM Account", "MALFORMED_QUERY", "unexpected token: 'FROM'"),
        ("SELECT Id FROM", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT Id FROM Account WHERE", "MALFORMED_QUERY", "unexpected token"),
        ("SELECT Id FROM Account WHERE Name = 'x", "MALFORMED_QUERY", "a quote is not closed"),
        ("SELECT Id FROM Account WHERE Name ~ 'x'", "MALFORMED_QUERY", "unexpected token: '~'"),
        ("SELECT Id FROM Account WHERE (Name = 'x'", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT Id FROM Account WHERE Name = 'a' AND Name = 'b' OR Name = 'c'", "MALFORMED_QUERY", "token: 'OR'"),
        ("SELECT Id FROM Account LIMIT many", "MALFORMED_QUERY", "unexpected token: 'many'"),
        ("SELECT Id FROM Account LIMIT 1 ORDER BY Id", "MALFORMED_QUERY", "unexpected token: 'ORDER'"),
        ("SELECT FIELDS(ALL) FROM Account", "MALFORMED_QUERY", "must have a LIMIT of at most 200"),
        ("SELECT FIELDS(CUSTOM) FROM Account LIMIT 201", "MALFORMED_QUERY", "must have a LIMIT of at most 200"),
        ("SELECT FIELDS(NONE) FROM Account", "MALFORMED_QUERY", "unexpected token: 'NONE'"),
        ("SELECT Id x FROM Account", "MALFORMED_QUERY", "only aggregate expressions use field aliasing"),
        ("SELECT Name, COUNT(Id) FROM Account", "MALFORMED_QUERY", "Field must be grouped or aggregated: Name"),
        ("SELECT COUNT(), MAX(Id) FROM Account", "MALFORMED_QUERY", "must be the only element"),
        ("SELECT Id FROM Account OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000"),
        ("SELECT " + "Id," * 40_000, "MALFORMED_QUERY", "longer than 100000 characters"),
    ],
)
def test_a_wrong_statement_is_refused_in_salesforces_words(http, soql, code, piece):
    part = {"method": "GET", "url": f"/services/data/v60.0/query?q={soql}", "referenceId": "q"}

    answer = http.post("/services/data/v60.0/composite", json={"compositeRequest": [part]})

    inner = answer.json()["compositeResponse"][0]
    assert inner["httpStatusCode"] == 400
    assert inner["body"][0]["errorCode"] == code
    assert piece in inner["body"][0]["message"]


@pytest.mark.parametrize(
    ("soql", "what"),
    [
        ("SELECT Id, Parent.Name FROM Account", "Parent.Name"),
        ("SELECT (SELECT Id FROM Contacts) FROM Account", "subqueries"),
        ("SELECT Id FROM Account WHERE CreatedDate = TODAY", "TODAY"),
        ("SELECT Id FROM Account WHERE CreatedDate > LAST_N_DAYS:7", "LAST_N_DAYS:7"),
        ("SELECT Id FROM Account WHERE CALENDAR_YEAR(CreatedDate) = 2026", "CALENDAR_YEAR()"),
        ("SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact)", "semi-joins"),
        ("SELECT Id FROM Account WHERE Type INCLUDES ('a')", "INCLUDES"),
        ("SELECT toLabel(Type) FROM Account", "toLabel()"),
        ("SELECT Type, COUNT(Id) FROM Account GROUP BY Type HAVING COUNT(Id) > 1", "HAVING"),
        ("SELECT COUNT(Id) FROM Account GROUP BY ROLLUP(Type)", "ROLLUP()"),
        ("SELECT Id FROM Account FOR VIEW", "FOR VIEW"),
        ("SELECT Id FROM Account WITH SECURITY_ENFORCED", "WITH"),
        ("SELECT Id FROM Account ALL ROWS", "ALL ROWS"),
        ("SELECT Id FROM Account USING SCOPE mine", "USING SCOPE"),
        ("SELECT TYPEOF What WHEN Account THEN Name END FROM Task", "TYPEOF"),
        ("SELECT a.Id FROM Account a", "a.Id"),
        ("SELECT Id FROM Account a", "alias"),
        ("SELECT Id FROM Account, Contact", "several objects"),
    ],
)
def test_what_the_reader_does_not_know_is_refused_by_name(ask, soql, what):
    answer = ask(soql)

    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "PRACTICE_ORG_UNSUPPORTED")
    assert what in answer.json()[0]["message"]


def test_a_query_of_many_groups_does_not_page(org, ask):
    org.insert_many("Account", [{"Name": str(n), "NumberOfEmployees": n} for n in range(2_001)])

    answer = ask("SELECT NumberOfEmployees, COUNT(Id) FROM Account GROUP BY NumberOfEmployees")

    assert answer.json()[0]["errorCode"] == "EXCEEDED_ID_LIMIT"


def test_rows_are_counted_by_month_and_by_day(org, select):
    for day in ("2026-01-31T23:59:59Z", "2026-02-01T00:00:00Z", "2026-02-01T12:00:00Z", "2025-02-03T00:00:00Z"):
        org.insert("Account", {"Name": "a"}, stamp=day)
    deleted_id = org.insert("Account", {"Name": "gone"}, stamp="2026-02-01T00:00:00Z")
    org.delete("Account", deleted_id)

    months = "CALENDAR_YEAR(CreatedDate), CALENDAR_MONTH(CreatedDate)"
    by_month = select(
        f"SELECT {months}, COUNT(Id) n FROM Account WHERE IsDeleted = false GROUP BY {months}"
        " ORDER BY CALENDAR_YEAR(CreatedDate) DESC, CALENDAR_MONTH(CreatedDate)",
        resource="queryAll",
    )
    by_day = select(
        "SELECT DAY_ONLY(CreatedDate) day, MAX(SystemModstamp) last FROM Account GROUP BY DAY_ONLY(CreatedDate)"
        " ORDER BY MAX(SystemModstamp) DESC LIMIT 1"
    )

    assert by_month == [
        {"expr0": 2026, "expr1": 1, "n": 1},
        {"expr0": 2026, "expr1": 2, "n": 2},
        {"expr0": 2025, "expr1": 2, "n": 1},
    ]
    assert by_day == [{"day": "2026-02-01", "last": "2026-02-01T12:00:00.000+0000"}]


@pytest.mark.parametrize(
    ("soql", "error"),
    [
        ("SELECT CALENDAR_YEAR(CreatedDate) FROM Account", "MALFORMED_QUERY"),
        ("SELECT CALENDAR_YEAR(Name), COUNT(Id) FROM Account GROUP BY CALENDAR_YEAR(Name)", "INVALID_FIELD"),
        ("SELECT DAY_ONLY(FoundedOn), COUNT(Id) FROM Account GROUP BY DAY_ONLY(FoundedOn)", "INVALID_FIELD"),
        ("SELECT COUNT(Id) FROM Account GROUP BY Type ORDER BY Name", "MALFORMED_QUERY"),
        ("SELECT FISCAL_YEAR(CreatedDate) FROM Account GROUP BY FISCAL_YEAR(CreatedDate)", "PRACTICE_ORG_UNSUPPORTED"),
    ],
)
def test_a_wrong_use_of_a_date_function_is_refused(ask, soql, error):
    assert ask(soql).json()[0]["errorCode"] == error


def test_live_rows_are_counted_without_deleted_ones(org, ask):
    live_id, deleted_id = org.insert_many("Account", [{"Name": "a"}, {"Name": "b"}])
    task = org.insert("Task", {"Subject": "archived", "IsArchived": True})
    org.delete("Account", deleted_id)

    def count(where):
        return ask(f"SELECT COUNT() FROM {where}", resource="queryAll").json()["totalSize"]

    assert (count("Account"), count("Account WHERE IsDeleted = false"), count("Account WHERE IsDeleted = true")) == (
        2,
        1,
        1,
    )
    assert count("Account WHERE IsDeleted = false AND Name = 'a'") == 1
    assert count("Account WHERE NOT IsDeleted = false") == 1
    assert count("Task WHERE IsDeleted = false") == 1
    org.delete("Task", task)
    assert (count("Task"), count("Task WHERE IsDeleted = false")) == (1, 0)
    org.undelete("Task", task)
    assert count("Task WHERE IsDeleted = false AND SystemModstamp > 2020-01-01T00:00:00Z") == 1
