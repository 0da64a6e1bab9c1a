"""Features that an org or a gateway refuses: one refusal is no proof, and no refusal is final."""

import pytest

from sf_assets.devorg import Fault, sample_org, serve
from sf_assets.salesforce.capabilities import TRIED_AGAIN_SECONDS
from sf_assets.salesforce.client_settings import Clock
from sf_assets.salesforce.login.credentials import Credentials
from sf_assets.salesforce.wire import Query
from sf_assets_tests.salesforce.build import build_client

NAMES = ("Account", "Contact", "Lead")
COUNTS = [Query(name, f"SELECT COUNT(Id) FROM {name}", all_rows=False) for name in NAMES]


@pytest.fixture(scope="module")
def seed():
    return sample_org(seed=7, rows={"Account": 6, "Contact": 5, "Lead": 4})


@pytest.fixture
def served(seed):
    with serve(seed.copy()) as server:
        yield server


@pytest.fixture
def client(served, clock):
    settings = {"instance_url": served.url, "credentials": Credentials(**served.credentials)}
    timer = Clock(monotonic=clock.monotonic, sleep=clock.sleep)
    client = build_client(settings | {"requests_per_second": 1000.0}, clock=timer)
    yield client
    client.close()


def kinds(served):
    return [request.kind for request in served.requests if request.kind != "token"]


@pytest.mark.parametrize("status", [404, 405, 501, 403])
def test_one_refused_composite_costs_one_round_of_single_calls(served, client, status):
    served.org.faults.append(Fault(kind="composite", times=1, status=status))

    client.describe(NAMES)
    client.ask(COUNTS)

    assert kinds(served) == ["composite", "describe", "describe", "describe", "composite"]
    assert client.missing_features == ()


def test_a_second_refusal_in_a_row_ends_composites(served, client):
    served.org.faults.append(Fault(kind="composite", times=2, status=404))

    client.describe(NAMES)
    for _ in range(2):
        client.ask(COUNTS)

    assert kinds(served).count("composite") == 2
    assert client.missing_features == ("composite",)


def test_a_missing_feature_is_tried_again_after_an_hour(served, client, clock):
    served.org.faults.append(Fault(kind="composite", times=2, status=404))
    client.ask(COUNTS)
    client.ask(COUNTS)
    clock.sleep(TRIED_AGAIN_SECONDS - 60)
    client.ask(COUNTS)
    assert client.missing_features == ("composite",)
    clock.sleep(61)

    client.ask(COUNTS)

    assert kinds(served)[-1] == "composite"
    assert client.missing_features == ()
