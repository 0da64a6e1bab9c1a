"""Describes of many objects in few calls, aggregates five to a call, and both where an org or gateway serves less."""

import msgspec
import pytest

from sf_assets.errors import (
    AccessDenied,
    ApiDisabled,
    FieldInvalid,
    ObjectUnavailable,
    OrgBusy,
    QuotaSpent,
    SalesforceError,
)
from sf_assets.salesforce.describe import NO_NAME, Field, SObject
from sf_assets.salesforce.wire import Query

NOT_FOUND = [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]
NAME = {
    "name": "Name",
    "type": "string",
    "label": "Account Name",
    "length": 255,
    "precision": 0,
    "scale": 0,
    "nillable": False,
    "calculated": False,
    "custom": False,
    "filterable": True,
    "sortable": True,
    "referenceTo": [],
    "inlineHelpText": None,
    "picklistValues": [{"value": "x"}],
}
OWNER = NAME | {
    "name": "OwnerId",
    "type": "reference",
    "referenceTo": ["Group", "User"],
    "inlineHelpText": "Who owns it.",
}


def sobject_json(name):
    return {"name": name, "label": f"{name}s", "queryable": True, "fields": [NAME, OWNER]}


def composite(*answers):
    return {
        "compositeResponse": [
            {"httpStatusCode": status, "referenceId": f"r{n}", "body": body, "httpHeaders": {}}
            for n, (status, body) in enumerate(answers)
        ]
    }


def count(n):
    return {"totalSize": 1, "done": True, "records": [{"attributes": {"type": "AggregateResult"}, "expr0": n}]}


def queries(number, *, all_rows=False):
    return [Query(f"X{n}", f"SELECT COUNT(Id) FROM X{n}", all_rows=all_rows) for n in range(number)]


def test_a_describe_tells_the_fields_as_this_user_sees_them(org):
    org.then(200, composite((200, sobject_json("Account"))))

    answers = org.client().describe(["Account"])

    name = Field("Name", "string", "Account Name", 255, nillable=False)
    owner = Field(
        "OwnerId", "reference", "Account Name", 255, nillable=False, reference_to=("Group", "User"), help="Who owns it."
    )
    assert answers == {"Account": SObject("Account", "Accounts", (name, owner))}


def test_thirty_objects_cost_two_calls(org):
    names = [f"X{n}" for n in range(30)]
    org.then(200, composite(*((200, sobject_json(name)) for name in names[:25])))
    org.then(200, composite(*((200, sobject_json(name)) for name in names[25:])))

    answers = org.client().describe(names)

    assert list(answers) == names
    assert [len(msgspec.json.decode(call.content)["compositeRequest"]) for call in org.data_calls] == [25, 5]
    assert org.data_calls[0].url.path == "/services/data/v60.0/composite"
    assert msgspec.json.decode(org.data_calls[0].content)["compositeRequest"][0] == {
        "method": "GET",
        "url": "/services/data/v60.0/sobjects/X0/describe",
        "referenceId": "r0",
    }


def test_an_object_that_is_off_is_a_value_and_no_failure(org):
    org.then(200, composite((200, sobject_json("Account")), (404, NOT_FOUND)))
    client = org.client()

    answers = client.describe(["Account", "Quote"])

    assert isinstance(answers["Account"], SObject)
    assert isinstance(answers["Quote"], ObjectUnavailable)
    assert "Quote" in str(answers["Quote"])
    assert client.missing_features == ()


def test_describes_are_kept_until_fresh_ones_are_asked_for(org):
    org.then(200, composite((200, sobject_json("Account")))).then(200, composite((200, sobject_json("Account"))))
    client = org.client()

    client.describe(["Account"])
    client.describe(["Account"])
    assert len(org.data_calls) == 1

    client.describe(["Account"], fresh=True)
    assert len(org.data_calls) == 2


@pytest.mark.parametrize(
    ("status", "body"), [(404, NOT_FOUND), (405, b""), (403, b"<html>"), (400, NOT_FOUND), (501, b"")]
)
def test_without_composite_objects_are_described_one_by_one(org, status, body):
    org.then(status, body).then(200, sobject_json("Account")).then(404, NOT_FOUND).then(200, sobject_json("Lead"))
    client = org.client()

    answers = client.describe(["Account", "Quote", "Lead"])

    assert [type(value).__name__ for value in answers.values()] == ["SObject", "ObjectUnavailable", "SObject"]
    assert client.missing_features == ("composite",)


def test_without_describe_every_object_is_none_after_one_proof(org):
    org.always(404, b"")
    client = org.client()

    answers = client.describe(["Account", "Quote", "Lead"])

    assert answers == {"Account": None, "Quote": None, "Lead": None}
    assert client.missing_features == ("composite", "describe")
    assert [call.url.path.split("/")[-2:] for call in org.data_calls[1:]] == [
        ["Account", "describe"],
        ["Quote", "describe"],
        ["User", "describe"],
        ["v60.0", "sobjects"],
    ]


def test_without_describe_inside_composite_every_object_is_none(org):
    org.then(200, composite((405, b"".decode()), (405, b"".decode()))).then(405, b"").then(405, b"")
    client = org.client()

    assert client.describe(["Account", "Lead"]) == {"Account": None, "Lead": None}
    assert client.missing_features == ("describe",)


def test_one_object_that_is_off_alone_does_not_pass_for_a_missing_describe(org):
    org.then(200, composite((404, NOT_FOUND))).then(200, sobject_json("User"))
    client = org.client()

    assert isinstance(client.describe(["Quote"])["Quote"], ObjectUnavailable)
    assert client.missing_features == ()


def test_an_org_without_api_is_no_degraded_org(org):
    org.then(403, [{"errorCode": "API_DISABLED_FOR_ORG", "message": "The REST API is not enabled"}])

    with pytest.raises(ApiDisabled):
        org.client().describe(["Account"])


@pytest.mark.parametrize(
    ("code", "error"), [("REQUEST_LIMIT_EXCEEDED", QuotaSpent), ("API_DISABLED_FOR_ORG", ApiDisabled)]
)
@pytest.mark.parametrize("objects", [["Account"], ["Account", "Lead"]])
def test_a_refusal_of_the_org_inside_composite_is_raised(org, objects, code, error):
    refusal = (403, [{"errorCode": code, "message": "TotalRequests Limit exceeded."}])
    org.always(200, composite(refusal, *[(200, sobject_json("Lead"))] * (len(objects) - 1)))
    client = org.client()

    with pytest.raises(error):
        client.describe(objects)
    assert client.missing_features == ()


@pytest.mark.parametrize(("status", "code"), [(500, "UNKNOWN_EXCEPTION"), (503, "SERVER_UNAVAILABLE")])
def test_an_object_in_trouble_says_nothing_about_describe(org, status, code):
    fault = (status, [{"errorCode": code, "message": "1234-5678"}])
    org.always(200, composite(fault, (404, NOT_FOUND)))
    client = org.client()

    sobjects = client.describe(["Account", "Quote"])

    assert [type(value) for value in sobjects.values()] == [OrgBusy, ObjectUnavailable]
    assert client.missing_features == ()


def test_a_describe_that_cannot_be_read_is_the_objects_own_error(org):
    org.then(200, composite((200, sobject_json("Account")), (200, {"name": "Lead"})))

    answers = org.client().describe(["Account", "Lead"])

    assert type(answers["Lead"]).__name__ == "AnswerTorn"


def test_aggregates_go_five_to_a_call(org):
    org.then(200, composite(*((200, count(n)) for n in range(5)))).then(
        200, composite((200, count(5)), (200, count(6)))
    )

    answers = org.client().ask(queries(7))

    assert answers == [{"expr0": n} for n in range(7)]
    assert len(org.data_calls) == 2


def test_the_error_of_one_aggregate_is_its_value(org):
    invalid = [{"errorCode": "INVALID_FIELD", "message": "No such column 'SystemModstamp' on entity 'X1'."}]
    org.then(
        200, composite((200, count(1)), (400, invalid), (403, [{"errorCode": "INSUFFICIENT_ACCESS", "message": ""}]))
    )

    answers = org.client().ask(queries(3))

    assert answers[0] == {"expr0": 1}
    assert isinstance(answers[1], FieldInvalid)
    assert answers[1].values["columns"] == ("SystemModstamp",)
    assert isinstance(answers[2], AccessDenied)


def test_a_fault_that_stays_inside_is_a_value_after_its_tries(org):
    org.always(200, composite((200, count(1)), (500, [{"errorCode": "UNKNOWN_EXCEPTION", "message": "1234-5678"}])))

    answers = org.client().ask(queries(2))

    assert answers[0] == {"expr0": 1}
    assert isinstance(answers[1], OrgBusy)
    assert len(org.data_calls) == 6


def test_without_composite_aggregates_are_asked_one_by_one(org):
    invalid = [{"errorCode": "INVALID_TYPE", "message": "sObject type 'X1' is not supported."}]
    org.then(404, NOT_FOUND).then(200, count(1)).then(400, invalid).then(200, count(3))
    client = org.client()

    answers = client.ask(queries(3))

    assert answers[0] == {"expr0": 1}
    assert isinstance(answers[1], ObjectUnavailable)
    assert answers[2] == {"expr0": 3}
    assert client.missing_features == ("composite",)


def test_without_query_all_aggregates_are_asked_of_query(org):
    org.then(200, composite((404, NOT_FOUND), (404, NOT_FOUND))).then(200, composite((200, count(1)), (200, count(2))))
    client = org.client()

    answers = client.ask(queries(2, all_rows=True))

    assert answers == [{"expr0": 1}, {"expr0": 2}]
    assert client.missing_features == ("queryAll",)
    urls = [entry["url"] for call in org.data_calls for entry in msgspec.json.decode(call.content)["compositeRequest"]]
    assert ["queryAll" in url for url in urls] == [True, True, False, False]


def test_nothing_asked_costs_nothing(org):
    client = org.client()

    assert (client.ask([]), client.describe([])) == ([], {})
    assert org.seen == []


def test_errors_are_values_of_one_family(org):
    org.then(200, composite((400, NOT_FOUND)))

    assert isinstance(org.client().ask(queries(1))[0], SalesforceError)


@pytest.mark.parametrize("body", ["a text", None, [], {"fields": 1}])
def test_a_composite_that_answers_nonsense_is_done_without(org, body):
    org.then(200, composite((200, body), (200, body))).then(200, sobject_json("Account")).then(
        200, sobject_json("Lead")
    )
    client = org.client()

    answer = client.describe(["Account", "Lead"])

    assert all(isinstance(value, SObject) for value in answer.values())
    assert client.missing_features == ("composite",)


@pytest.mark.parametrize("body", ["a text", None, [], {"records": 1}])
def test_aggregates_inside_a_composite_of_nonsense_are_asked_singly(org, body):
    org.then(200, composite((200, body), (200, body))).then(200, count(1)).then(200, count(2))
    client = org.client()

    assert client.ask(queries(2)) == [{"expr0": 1}, {"expr0": 2}]
    assert client.missing_features == ("composite",)


def test_control_characters_of_a_label_and_a_help_text_are_escaped(org):
    odd = {"name": "Id", "type": "id", "label": "a\x1b[2Jb", "inlineHelpText": "one\r\ntwo"}
    org.then(200, composite((200, {"name": "Account", "label": "Accounts", "fields": [odd]})))

    (field,) = org.client().describe(["Account"])["Account"].fields

    assert (field.label, field.help) == ("a\\x1b[2Jb", "one two")


@pytest.mark.parametrize("name", ["__position", "a;b", "x y", "\u001b[2J", "Name'", "é__c", "x" * 300, "", "1st"])
def test_a_field_whose_name_is_no_api_name_is_named_and_not_read(org, name):
    fields = [{"name": each, "type": "string"} for each in ("Id", "IsDeleted", "SystemModstamp", name)]
    org.then(404).then(200, {"name": "Account", "fields": fields}).then(200, {"name": "Account", "fields": fields})

    sobject = org.client().describe(["Account"])["Account"]

    assert isinstance(sobject, SObject)
    assert [field.type for field in sobject.fields] == ["string", "string", "string", NO_NAME]
    assert all(field.name.isprintable() for field in sobject.fields)


def test_a_label_of_a_megabyte_is_cut(org):
    org.then(404).then(200, {"name": "Account", "fields": [{"name": "Id", "type": "id", "label": "x" * 1_000_000}]})

    (field,) = org.client().describe(["Account"])["Account"].fields

    assert len(field.label) < 1_100
