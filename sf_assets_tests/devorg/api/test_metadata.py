"""Describe, describe-global and composite; and what an administrator may do to fields and objects."""

import pytest

DATA = "/services/data/v60.0"


@pytest.fixture
def describe(http):
    """An object's described fields by name."""

    def fields(sobject):
        body = http.get(f"{DATA}/sobjects/{sobject}/describe").json()
        return {field["name"]: field for field in body["fields"]}

    return fields


def composite(http, *urls, **more):
    parts = [{"method": "GET", "url": f"{DATA}{url}", "referenceId": f"r{n}", **more} for n, url in enumerate(urls)]
    return http.post(f"{DATA}/composite", json={"compositeRequest": parts})


def test_describe_shows_the_facts_of_an_object_and_its_fields(http):
    body = http.get(f"{DATA}/sobjects/account/describe").json()

    fields = {field["name"]: field for field in body["fields"]}
    assert (body["name"], body["keyPrefix"], body["custom"], body["queryable"]) == ("Account", "001", False, True)
    assert body["urls"]["sobject"] == f"{DATA}/sobjects/Account"
    assert fields["MasterRecordId"]["referenceTo"] == ["Account"]
    assert [choice["value"] for choice in fields["Type"]["picklistValues"]] == ["Prospect", "Customer"]
    score = fields["Score__c"]
    assert (score["type"], score["custom"], score["calculated"], score["soapType"]) == (
        "double",
        True,
        True,
        "xsd:double",
    )
    assert fields["Description"]["filterable"] is False
    assert (fields["AnnualRevenue"]["precision"], fields["AnnualRevenue"]["nillable"]) == (18, True)


def test_describe_global_lists_the_objects(http):
    body = http.get(f"{DATA}/sobjects").json()

    assert [entry["name"] for entry in body["sobjects"]] == ["Account", "Contact", "Profile", "Task"]


def test_a_hidden_field_is_in_no_describe_and_naming_it_is_refused(org, ask, describe):
    row = org.insert("Account", {"Name": "a", "NumberOfEmployees": 5})
    org.hide_field("Account", "NumberOfEmployees")

    hidden = ask("SELECT NumberOfEmployees FROM Account")
    assert "NumberOfEmployees" not in describe("Account")
    assert hidden.json()[0]["errorCode"] == "INVALID_FIELD"
    assert org.row("Account", row)["NumberOfEmployees"] == 5
    org.show_field("Account", "NumberOfEmployees")
    assert ask("SELECT NumberOfEmployees FROM Account").json()["records"][0]["NumberOfEmployees"] == 5


def test_a_new_field_is_null_everywhere_until_it_is_set(org, describe, select):
    ids = org.insert_many("Account", [{"Name": "a"}, {"Name": "b"}])
    org.add_field("Account", {"name": "Tier__c", "type": "picklist", "picklistValues": ["x"], "length": 40})
    org.add_field("Account", {"name": "Flag__c", "type": "boolean"})
    org.update("Account", ids[1], {"Tier__c": "x"})
    org.insert("Account", {"Name": "c", "Flag__c": True})

    assert select("SELECT Tier__c, Flag__c FROM Account ORDER BY Id") == [
        {"Tier__c": None, "Flag__c": False},
        {"Tier__c": "x", "Flag__c": False},
        {"Tier__c": None, "Flag__c": True},
    ]
    assert describe("Account")["Tier__c"]["custom"] is True


@pytest.mark.parametrize(
    ("type_", "values"),
    [
        ("string", ["1.5", "25000000.0", None]),
        ("int", [1, 25_000_000, None]),
        ("double", [1.5, 2.5e7, None]),
        ("boolean", [True, True, False]),
        ("date", [None, None, None]),
    ],
)
def test_a_retyped_field_keeps_what_can_be_kept(org, describe, select, type_, values):
    org.insert_many("Account", [{"Name": "a", "AnnualRevenue": value} for value in (1.5, 2.5e7, None)])
    org.retype_field("Account", "AnnualRevenue", type_, length=18)

    assert [row["AnnualRevenue"] for row in select("SELECT AnnualRevenue FROM Account ORDER BY Id")] == values
    assert describe("Account")["AnnualRevenue"]["type"] == type_


def test_a_text_without_a_number_becomes_null_as_a_number(org, select):
    org.insert("Account", {"Name": "a", "Type": "many"})
    org.retype_field("Account", "Type", "double")

    assert select("SELECT Type FROM Account") == [{"Type": None}]


def test_an_object_that_is_off_is_nowhere(org, http, ask):
    org.insert("Account", {"Name": "a"})
    org.switch_off("Account")

    names = [entry["name"] for entry in http.get(f"{DATA}/sobjects").json()["sobjects"]]
    assert "Account" not in names
    assert http.get(f"{DATA}/sobjects/Account/describe").status_code == 404
    assert ask("SELECT Id FROM Account").json()[0]["errorCode"] == "INVALID_TYPE"
    org.switch_on("Account")
    assert ask("SELECT Id FROM Account").json()["totalSize"] == 1


# -- composite ----------------------------------------------------------------------------------------------------


def test_each_part_of_a_composite_has_its_own_status(org, http):
    org.insert("Account", {"Name": "a"})

    answer = composite(
        http, "/sobjects/Account/describe", "/sobjects/Foo/describe", "/query?q=SELECT+COUNT(Id)+n+FROM+Account"
    )

    describe_part, missing, count_part = answer.json()["compositeResponse"]
    assert answer.status_code == 200
    assert (describe_part["httpStatusCode"], describe_part["referenceId"], describe_part["body"]["name"]) == (
        200,
        "r0",
        "Account",
    )
    assert (missing["httpStatusCode"], missing["body"][0]["errorCode"]) == (404, "NOT_FOUND")
    assert count_part["body"]["records"][0]["n"] == 1


def test_a_composite_counts_as_one_call(org, http):
    composite(http, *["/query?q=SELECT+Id+FROM+Account"] * 5)

    assert http.get(f"{DATA}/limits").headers["sforce-limit-info"] == "api-usage=2/100000"


def test_a_long_statement_goes_by_composite_and_its_pages_by_get(org, http):
    org.insert_many("Account", [{"Name": "a"} for _ in range(2_001)])
    padding = "+OR+".join(["Name='a'"] * 2_000)

    part = composite(http, f"/query?q=SELECT+Id+FROM+Account+WHERE+{padding}").json()["compositeResponse"][0]

    last = http.get(part["body"]["nextRecordsUrl"]).json()
    assert (len(part["body"]["records"]), len(last["records"]), last["done"]) == (2_000, 1, True)


@pytest.mark.parametrize(
    ("urls", "message"),
    [(["/sobjects/Account/describe"] * 26, "more than 25 operations"), (["/queryAll?q=x"] * 6, "more than 5 query")],
)
def test_a_composite_has_its_limits(http, urls, message):
    answer = composite(http, *urls)

    part = answer.json()["compositeResponse"][0]
    assert answer.status_code == 400
    assert (part["httpStatusCode"], part["referenceId"]) == (400, None)
    assert part["body"][0]["errorCode"] == "LIMIT_EXCEEDED"
    assert message in part["body"][0]["message"]


def test_pages_and_describes_are_not_queries_for_the_limit_of_five(http):
    answer = composite(http, *["/query/01g000000000000AAA-2000"] * 6, *["/sobjects/Account/describe"] * 6)

    assert answer.status_code == 200


@pytest.mark.parametrize("body", ["nonsense", "[]", '{"compositeRequest": [{"url": "/x"}]}'])
def test_a_malformed_composite_is_refused(http, body):
    answer = http.post(f"{DATA}/composite", content=body, headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")


def test_a_composite_in_a_composite_is_not_served(http):
    assert composite(http, "/composite").json()["compositeResponse"][0]["httpStatusCode"] == 405


def test_an_unchanged_describe_is_304(org, http, clock):
    part = composite(http, "/sobjects/Account/describe").json()["compositeResponse"][0]
    since = {"If-Modified-Since": part["httpHeaders"]["Last-Modified"]}
    clock.advance(minutes=1)
    same = composite(http, "/sobjects/Account/describe", httpHeaders=since).json()["compositeResponse"][0]
    org.hide_field("Account", "Type")
    other = composite(http, "/sobjects/Account/describe", httpHeaders=since).json()["compositeResponse"][0]

    assert (same["httpStatusCode"], same["body"]) == (304, None)
    assert other["httpStatusCode"] == 200


def test_the_log_keeps_the_parts_of_a_composite(server, http):
    server.forget_requests()
    composite(http, "/sobjects/Account/describe", "/query?q=SELECT+Id+FROM+Task")

    (record,) = server.requests
    assert record.kind == "composite"
    assert record.parts == (f"{DATA}/sobjects/Account/describe", f"{DATA}/query?q=SELECT+Id+FROM+Task")
