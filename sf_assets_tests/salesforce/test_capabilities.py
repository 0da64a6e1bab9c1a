"""Features that an org or a gateway refuses: one refusal is no proof, and no refusal is final."""

import pytest

from sf_assets.devorg import Fault, sample_org, serve
from sf_assets.errors import ObjectUnavailable
from sf_assets.salesforce.capabilities import TRIED_AGAIN_SECONDS
from sf_assets.salesforce.client_settings import Clock
from sf_assets.salesforce.describe import SObject
from sf_assets.salesforce.login.credentials import Credentials
from sf_assets.salesforce.wire import Query
from sf_assets_tests.salesforce.build import build_client

NAMES = ("Account", "Contact", "Lead")
COUNTS = [Query(name, f"SELECT COUNT(Id) FROM {name}", all_rows=False) for name in NAMES]


@pytest.fixture(scope="module")
def seed():
    return sample_org(seed=7, rows={"Account": 6, "Contact": 5, "Lead": 4})


@pytest.fixture
def server(seed):
    with serve(seed.copy()) as server:
        yield server


@pytest.fixture
def client(server, clock):
    settings = {"instance_url": server.url, "credentials": Credentials(**server.credentials)}
    timer = Clock(monotonic=clock.monotonic, sleep=clock.sleep)
    client = build_client(settings | {"requests_per_second": 1000.0}, clock=timer)
    yield client
    client.close()


def kinds(server):
    return [request.kind for request in server.requests if request.kind != "token"]


@pytest.mark.parametrize("status", [404, 405, 501, 403])
def test_one_refused_composite_costs_one_round_of_single_calls(server, client, status):
    server.org.faults.append(Fault(kind="composite", times=1, status=status))

    client.describe(NAMES)
    client.ask(COUNTS)

    assert kinds(server) == ["composite", "describe", "describe", "describe", "composite"]
    assert client.missing_features == ()


def test_a_second_refusal_in_a_row_ends_composites(server, client):
    server.org.faults.append(Fault(kind="composite", times=2, status=404))

    client.describe(NAMES)
    for _ in range(2):
        client.ask(COUNTS)

    assert kinds(server).count("composite") == 2
    assert client.missing_features == ("composite",)


def test_a_missing_feature_is_tried_again_after_an_hour(server, client, clock):
    server.org.faults.append(Fault(kind="composite", times=2, status=404))
    client.ask(COUNTS)
    client.ask(COUNTS)
    clock.sleep(TRIED_AGAIN_SECONDS - 60)
    client.ask(COUNTS)
    assert client.missing_features == ("composite",)
    clock.sleep(61)

    client.ask(COUNTS)

    assert kinds(server)[-1] == "composite"
    assert client.missing_features == ()


@pytest.mark.parametrize("features", [(), ("composite",)])
@pytest.mark.parametrize(
    ("off", "names"),
    [
        (("Account",), ("Account",)),
        (("Account", "User"), ("Account",)),
        (("Account", "User"), NAMES),
        (("Account", "Contact", "User"), NAMES),
        (("User",), ("User",)),
        (("User",), ("User", "Contact")),
    ],
)
def test_objects_that_are_off_say_nothing_of_describe(server, client, off, names, features):
    for name in off:
        server.org.switch_off(name)
    server.org.behave(unserved=frozenset(features))

    sobjects = client.describe(names)

    assert "describe" not in client.missing_features
    assert {name for name in names if isinstance(sobjects[name], SObject)} == set(names) - set(off)
    assert all(isinstance(sobjects[name], ObjectUnavailable) for name in set(names) & set(off))


def test_an_org_without_user_and_list_of_objects_is_asked_for_the_next(server, client):
    server.org.switch_off("Account")
    server.org.switch_off("User")
    server.org.behave(unserved=frozenset({"sobjects"}))

    assert client.describe(["Account"]) == {"Account": None}
    assert client.missing_features_of("Account") == ("describe",)
    assert isinstance(client.describe(["Contact"])["Contact"], SObject)
    assert client.missing_features == ()


def test_a_query_all_that_one_object_refuses_is_kept_for_the_others(server, client):
    fault = Fault(path="queryAll", soql="FROM Account", status=400, error_code="OPERATION_NOT_ALLOWED", times=None)
    server.org.faults.append(fault)
    for sobject in ("Account", "Contact", "Account"):
        list(client.read(Query(sobject, f"SELECT Id FROM {sobject}", all_rows=True)))

    assert kinds(server) == ["queryAll", "query", "queryAll", "query"]
    assert (client.missing_features_of("Account"), client.missing_features_of("Contact")) == (("queryAll",), ())


def test_a_probe_that_one_object_refuses_leaves_query_all_to_the_others(server, client):
    fault = Fault(path="queryAll", soql="FROM Account", status=400, error_code="OPERATION_NOT_ALLOWED", times=None)
    server.org.faults.append(fault)

    answers = client.ask([Query(name, f"SELECT COUNT(Id) FROM {name}", all_rows=True) for name in NAMES])

    assert all(isinstance(answer, dict) for answer in answers)
    assert client.missing_features_of("Contact") == ()


@pytest.mark.parametrize("name", ["Account", "Contact"])
def test_an_object_that_answers_rows_to_a_count_is_the_only_one(server, client, name):
    server.org.behave(unserved=frozenset({"composite"}))
    rows = '{"totalSize":2,"done":true,"records":[{"Id":"001"},{"Id":"002"}]}'
    server.org.faults.append(Fault(soql=f"FROM {name}", status=200, body=rows, times=None))

    answers = dict(zip(NAMES, client.ask(COUNTS), strict=True))

    assert [one for one, answer in answers.items() if not isinstance(answer, dict)] == [name]
