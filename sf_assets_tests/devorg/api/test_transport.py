"""The transport without sockets: the same responses and faults as over HTTP, for httpx and for the product's client."""

import httpx
import pytest

from sf_assets.devorg import Fault
from sf_assets.devorg.api.transport import ORIGIN, in_process
from sf_assets.salesforce.client import Client
from sf_assets.salesforce.client_settings import Clock, OrgAccess, RequestLimits
from sf_assets.salesforce.login.credentials import Credentials
from sf_assets.salesforce.wire import Query

DATA = "/services/data/v60.0"


@pytest.fixture
def transport_parts(org):
    """The org's server and a transport to it; delays are noted and not waited for."""
    delays = []
    server, transport = in_process(org, sleep=delays.append)
    return server, transport, delays


@pytest.fixture
def direct(transport_parts, clock):
    """An httpx client over the transport, with a session."""
    server, transport, _ = transport_parts
    token = server.org.sessions.open(server.org.org_id, server.org.now())
    with httpx.Client(base_url=ORIGIN, transport=transport, headers={"Authorization": f"Bearer {token}"}) as client:
        yield client


def test_a_response_equals_the_one_over_http(org, direct, http):
    org.insert_many("Account", [{"Name": f"a{n} ü"} for n in range(50)])
    soql = {"q": "SELECT Id, Name FROM Account WHERE Name LIKE 'a%' ORDER BY Id"}

    answers = [client.get(f"{DATA}/query", params=soql) for client in (direct, http)]

    assert answers[0].json() == answers[1].json()
    names = ("date", "content-type")
    assert [answers[0].headers[name] for name in names] == [answers[1].headers[name] for name in names]
    assert "api-usage=" in answers[0].headers["sforce-limit-info"]


def test_faults_of_the_wire_are_those_that_httpx_raises(org, direct, transport_parts):
    org.faults += [Fault(reset=True), Fault(truncate=True), Fault(delay_seconds=7.0), Fault(status=503, html=True)]

    with pytest.raises(httpx.ReadError):
        direct.get(f"{DATA}/limits")
    with pytest.raises(httpx.RemoteProtocolError, match="peer closed connection"):
        direct.get(f"{DATA}/limits")
    assert direct.get(f"{DATA}/limits").status_code == 200
    assert transport_parts[2] == [7.0]
    assert direct.get(f"{DATA}/limits").text.startswith("<html>")
    assert [record.status for record in transport_parts[0].requests] == [200, 200, 200, 503]


def test_the_products_client_logs_in_and_reads_over_it(org, transport_parts, clock):
    server, transport, _ = transport_parts
    org.insert_many("Account", [{"Name": "a"}] * 3)
    client = Client(
        OrgAccess(server.url, Credentials(**server.credentials)),
        limits=RequestLimits(requests_per_second=100_000),
        clock=Clock(now=clock, sleep=lambda seconds: None),
        transport=transport,
    )

    result = client.read(Query("Account", "SELECT Id FROM Account", all_rows=False))

    assert [page.total_size for page in result] == [3]
    assert [record.kind for record in server.requests] == ["token", "query"]


def test_the_admin_api_is_reached_too(org, direct):
    change = [{"op": "insert", "sobject": "Account", "record": {"Name": "a"}}]

    assert direct.post("/practice/changes", json=change).status_code == 200
    assert len(direct.get("/practice/truth/Account").json()) == 1
