"""Orgs that are hard to copy: refused columns, odd values and labels, restricted objects, retired versions."""

import json

import pytest

from sf_assets.devorg import Fault

DATA = "/services/data/v60.0"


def code(answer):
    return answer.status_code, answer.json()[0]["errorCode"]


def test_a_refused_column_is_in_describe_and_in_no_query(org, ask, http):
    org.refuse_field("Account", "Type")

    names = [field["name"] for field in http.get(f"{DATA}/sobjects/Account/describe").json()["fields"]]
    assert "Type" in names
    assert code(ask("SELECT Id, Type FROM Account")) == (400, "INVALID_FIELD")
    assert code(ask("SELECT Id FROM Account WHERE Type = null")) == (400, "INVALID_FIELD")
    assert ask("SELECT FIELDS(ALL) FROM Account LIMIT 1").status_code == 200
    org.accept_field("Account", "Type")
    assert ask("SELECT Id, Type FROM Account").status_code == 200


def test_a_stamp_that_cannot_be_filtered_is_refused_by_name(org, ask, http):
    org.change_field("Account", "SystemModstamp", filterable=False, sortable=False)

    assert code(ask("SELECT Id FROM Account WHERE SystemModstamp > 2026-01-01T00:00:00Z")) == (400, "INVALID_FIELD")
    assert code(ask("SELECT Id FROM Account ORDER BY SystemModstamp")) == (400, "INVALID_FIELD")
    fields = http.get(f"{DATA}/sobjects/Account/describe").json()["fields"]
    assert [f["filterable"] for f in fields if f["name"] == "SystemModstamp"] == [False]


@pytest.mark.parametrize(
    ("text", "bytes_sent"),
    [
        ('"\\ud83d"', b'"\\ud83d"'),
        ('"\ud83d"', b'"\xed\xa0\xbd"'),
        ("1E400", b"1E400"),
        ("47.5", b"47.5"),
    ],
)
def test_a_cell_can_hold_any_json_text(org, ask, server, http, text, bytes_sent):
    record_id = org.insert("Account", {"Name": "a"})
    org.set_raw("Account", record_id, "NumberOfEmployees", text)

    assert b'"NumberOfEmployees":' + bytes_sent in ask("SELECT NumberOfEmployees FROM Account").content
    assert len(org.rows("Account")) == 1
    assert http.get(f"{server.url}/practice/truth/Account").status_code == 200


def test_a_column_with_an_index_takes_no_raw_text(org):
    record_id = org.insert("Account", {"Name": "a"})

    with pytest.raises(ValueError, match="SystemModstamp"):
        org.set_raw("Account", record_id, "SystemModstamp", '"later"')


def test_half_an_emoji_in_a_label_reaches_describe(org, server, http):
    change = {"op": "change_field", "sobject": "Account", "name": "Type", "label": "half \ud83d"}
    answer = http.post(
        f"{server.url}/practice/changes",
        content=json.dumps(change),
        headers={"Content-Type": "application/json"},
    )

    assert answer.status_code == 200
    assert b"half \\ud83d" in http.get(f"{DATA}/sobjects/Account/describe").content


@pytest.mark.parametrize(
    ("name", "soql", "status", "error"),
    [
        ("ContentDocumentLink", "SELECT Id FROM ContentDocumentLink", 400, "MALFORMED_QUERY"),
        ("ContentDocumentLink", "SELECT COUNT() FROM ContentDocumentLink", 400, "MALFORMED_QUERY"),
        ("Vote", "SELECT Id FROM Vote", 400, "MALFORMED_QUERY"),
        ("KnowledgeArticleVersion", "SELECT Id FROM KnowledgeArticleVersion", 400, "MALFORMED_QUERY"),
        ("Click__b", "SELECT Id FROM Click__b", 400, "MALFORMED_QUERY"),
        ("ActivityHistory", "SELECT Id FROM ActivityHistory", 400, "INVALID_TYPE_FOR_OPERATION"),
    ],
)
def test_a_restricted_object_names_its_restriction(org, ask, name, soql, status, error):
    org.add_object(name)

    assert code(ask(soql)) == (status, error)


def test_a_restricted_object_is_read_with_its_filter(org, ask):
    org.add_object("ContentDocumentLink")
    org.insert(
        "ContentDocumentLink", {"LinkedEntityId": "001000000000001AAA", "ContentDocumentId": "069000000000001AAA"}
    )

    response = ask("SELECT Id FROM ContentDocumentLink WHERE LinkedEntityId IN ('001000000000001AAA') AND Id != null")

    assert response.json()["totalSize"] == 1


def test_an_object_of_ones_own_can_be_added(org, ask, http):
    org.add_object("Visit__c", [{"name": "Id", "type": "id"}, {"name": "Note__c", "type": "string"}], key_prefix="a0V")
    org.insert("Visit__c", {"Note__c": "hello"})

    assert ask("SELECT Note__c FROM Visit__c").json()["records"][0]["Note__c"] == "hello"
    assert http.get(f"{DATA}/sobjects/Visit__c/describe").json()["keyPrefix"] == "a0V"


def test_a_retired_version_is_gone_and_not_listed(org, http):
    org.behave(oldest_version=61)

    assert code(http.get(f"{DATA}/sobjects")) == (410, "UNSUPPORTED_API_VERSION")
    assert http.get("/services/data").json()[0]["version"] == "61.0"
    assert code(http.get("/services/data/v99.0/sobjects")) == (404, "NOT_FOUND")


def test_one_object_can_fail_alone(org, ask, http):
    org.faults += [
        Fault(kind="describe", sobject="Account", status=500, html=True, times=None),
        Fault(soql="count(", sobject="Account", status=504, times=None),
    ]
    parts = [
        {"method": "GET", "url": f"{DATA}/sobjects/{name}/describe", "referenceId": name}
        for name in ("Account", "Contact")
    ]

    answer = http.post(f"{DATA}/composite", json={"compositeRequest": parts}).json()["compositeResponse"]

    assert [part["httpStatusCode"] for part in answer] == [500, 200]
    assert answer[0]["body"].startswith("<html>")
    assert ask("SELECT COUNT() FROM Account").status_code == 504
    assert ask("SELECT Id FROM Account").status_code == 200
    assert ask("SELECT COUNT() FROM Contact").status_code == 200


@pytest.mark.parametrize(
    ("name", "status", "error"),
    [
        ("concurrent_limit", 403, "REQUEST_LIMIT_EXCEEDED"),
        ("gateway_limit", 429, "REQUEST_LIMIT_EXCEEDED"),
        ("too_complicated", 400, "QUERY_TOO_COMPLICATED"),
        ("external_object", 400, "EXTERNAL_OBJECT_EXCEPTION"),
    ],
)
def test_a_fault_can_name_a_refusal_of_the_catalog(org, ask, name, status, error):
    org.faults.append(Fault(refusal=name))

    assert code(ask("SELECT Id FROM Account")) == (status, error)
    assert ask("SELECT Id FROM Account").status_code == 200


def test_a_refusal_of_queries_leaves_other_requests_alone(org, ask, http):
    org.faults.append(Fault(refusal="query_timeout", times=None))

    assert http.get(f"{DATA}/sobjects/Account/describe").status_code == 200
    assert code(ask("SELECT Id FROM Account")) == (400, "QUERY_TIMEOUT")


def test_an_unknown_refusal_names_those_that_exist():
    with pytest.raises(ValueError, match="there are .*concurrent_limit.*unknown_app"):
        Fault(refusal="nonsense")


def test_ignored_clauses_are_ignored_without_an_error(org, ask):
    org.insert_many("Account", [{"Name": f"n{i}"} for i in range(4)])
    everything = ask("SELECT Id FROM Account").json()["totalSize"]
    middle = sorted(row["Id"] for row in org.rows("Account"))[everything // 2]
    query = f"SELECT Id FROM Account WHERE Id > '{middle}' AND (Id <= '{middle}' OR Name = 'x') LIMIT 1"
    assert ask(query).json()["totalSize"] == 0
    org.behave(ignored_clauses=frozenset({"lower_bounds", "upper_bounds", "limit"}))

    assert ask(query).json()["totalSize"] == everything
