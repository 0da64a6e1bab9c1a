"""Trouble of one object stays with it: the other objects of a run are described and counted."""

import json

import pytest

from sf_assets import errors
from sf_assets.devorg import Fault, sample_org, serve
from sf_assets.salesforce.describe import SObject
from sf_assets.salesforce.login.credentials import Credentials
from sf_assets.salesforce.retry import RetryPolicy
from sf_assets.salesforce.wire import Query
from sf_assets_tests.salesforce.build import build_client

NAMES = ("Account", "Contact", "Lead")
COUNTS = [Query(name, f"SELECT COUNT(Id) FROM {name}", all_rows=False) for name in NAMES]
TROUBLES = {
    "500": {"status": 500, "error_code": "UNKNOWN_EXCEPTION", "message": "ErrorId 1-2 (3)"},
    "502": {"status": 502, "html": True},
    "504": {"status": 504},
    "HTML": {"status": 200, "html": True},
    "cut": {"truncate": True},
    "reset": {"reset": True},
    "an empty body": {"status": 200, "body": ""},
    "QUERY_TIMEOUT": {"status": 400, "error_code": "QUERY_TIMEOUT"},
    "INSUFFICIENT_ACCESS": {"status": 403, "error_code": "INSUFFICIENT_ACCESS"},
}


@pytest.fixture(scope="module")
def seed():
    return sample_org(seed=7, rows={"Account": 6, "Contact": 5, "Lead": 4})


@pytest.fixture
def server(seed):
    with serve(seed.copy()) as server:
        yield server


@pytest.fixture
def client(server):
    client = build_client(
        {
            "instance_url": server.url,
            "credentials": Credentials(**server.credentials),
            "requests_per_second": 1000.0,
            "retry": RetryPolicy(total_seconds=5.0, first_pause_seconds=0.001, longest_pause_seconds=0.002),
        }
    )
    yield client
    client.close()


def without_composite(server):
    server.org.behave(unserved=frozenset({"composite"}))


@pytest.mark.slow
@pytest.mark.parametrize("name", TROUBLES)
def test_a_describe_in_trouble_without_composite_leaves_the_others(server, client, name):
    without_composite(server)
    server.org.faults.append(Fault(kind="describe", sobject="Account", times=None, **TROUBLES[name]))

    sobjects = client.describe(NAMES)

    assert isinstance(sobjects["Account"], errors.SalesforceError)
    assert all(isinstance(sobjects[other], SObject) for other in NAMES[1:])
    assert client.missing_features == ("composite",)


@pytest.mark.parametrize("name", TROUBLES)
def test_a_count_in_trouble_without_composite_leaves_the_others(server, client, name):
    without_composite(server)
    server.org.faults.append(Fault(kind="query", sobject="Account", times=None, **TROUBLES[name]))

    account, *others = client.ask(COUNTS)

    assert isinstance(account, errors.SalesforceError)
    assert [record["expr0"] > 0 for record in others] == [True, True]
    assert client.missing_features == ("composite",)


@pytest.mark.parametrize("name", [name for name in TROUBLES if "status" in TROUBLES[name]])
def test_trouble_inside_a_composite_leaves_the_others(server, client, name):
    server.org.faults.append(Fault(sobject="Account", times=None, **TROUBLES[name]))

    sobjects, counts = client.describe(NAMES), client.ask(COUNTS)

    assert isinstance(sobjects["Account"], errors.SalesforceError)
    assert isinstance(counts[0], errors.SalesforceError)
    assert all(isinstance(sobjects[other], SObject) for other in NAMES[1:])
    assert all(isinstance(record, dict) for record in counts[1:])


def test_an_org_in_trouble_with_every_object_raises_after_three(server, client):
    without_composite(server)
    names = ("Account", "Contact", "Lead", "Opportunity", "Case", "Task")
    server.org.faults.append(Fault(kind="describe", times=None, status=504))

    with pytest.raises(errors.OrgBusy):
        client.describe(names)

    described_names = {request.sobject for request in server.requests if request.kind == "describe"}
    assert described_names == set(names[:3])


NAMES = ("Account", "Contact")
HALVES = {"high": "\\ud83d", "low": "\\ude00", "wrong order": "\\ude00\\ud83d", "three": "\\ud83d\\ud83d\\ude00"}


@pytest.mark.parametrize("name", HALVES)
@pytest.mark.parametrize("served_by", ["composite", "GET"])
def test_half_an_emoji_in_a_label_is_replaced(org, name, served_by):
    fields = [{"name": "Id", "type": "id", "label": "LABEL"}]
    body = {"name": "Account", "label": "Accounts", "fields": fields}
    answers = [{"httpStatusCode": 200, "referenceId": f"r{n}", "body": {**body, "name": NAMES[n]}} for n in (0, 1)]
    if served_by == "composite":
        org.then(200, json.dumps({"compositeResponse": answers}).replace("LABEL", HALVES[name], 1).encode())
    else:
        org.then(404).then(200, json.dumps(body).replace("LABEL", HALVES[name]).encode()).then(
            200, {**body, "name": "Contact"}
        )

    sobjects = org.client().describe(NAMES)

    assert "\ufffd" in sobjects["Account"].fields[0].label
    assert isinstance(sobjects["Contact"], SObject)


def page_with(text: bytes):
    return b'{"totalSize": 1, "done": true, "records": [{"Id": "1", "Name": "' + text + b'"}]}'


REPAIRS = [
    (rb"a\ud83d", 1),
    (rb"\ude00\ud83d and \ud83d\ude00", 2),
    (rb"\\ud83d is plain text", 0),
    (rb"\\\ud83d", 1),
    (b"caf\xe9", 1),
    (b"\xff\xfe", 2),
    ("🙂 \ufffd é".encode(), 0),
]


@pytest.mark.parametrize(("text", "count"), REPAIRS)
def test_broken_characters_of_a_page_are_replaced_and_counted(org, text, count):
    org.then(200, page_with(text))

    (page,) = org.client().read(Query("Account", "SELECT Id, Name FROM Account", all_rows=False))

    (row,) = json.loads(bytes(page.records))
    assert page.repaired == count
    assert row["Name"].count("\ufffd") == max(count, text.decode("utf-8", "replace").count("\ufffd"))
    assert len(org.data_calls) == 1
