"""Scripted faults: what goes wrong, when, and that everything else goes on as before."""

import time

import httpx
import pytest

from sf_assets.devorg import Fault
from sf_assets.devorg.org.faults import fault_from

DATA = "/services/data/v60.0"
QUERY = "SELECT Id FROM Account"


@pytest.fixture
def statuses(ask):
    """Return the statuses of this many queries."""
    return lambda times, soql=QUERY: [ask(soql).status_code for _ in range(times)]


def test_a_fault_occurs_once_by_default(org, statuses):
    org.faults.append(Fault(status=503))

    assert statuses(3) == [503, 200, 200]


def test_a_fault_waits_for_its_turn_and_counts_its_times(org, statuses):
    org.faults.append(Fault(kind="query", after=1, times=2, status=500))

    assert statuses(5) == [200, 500, 500, 200, 200]


def test_a_fault_may_mean_one_object_one_path_or_one_number(org, server, ask, http):
    org.faults += [
        Fault(sobject="Task", status=500, times=None),
        Fault(path="/limits", status=502, times=None),
        Fault(number=server.requests[-1].number + 4, status=504),
    ]

    answers = [ask(QUERY), ask("SELECT Id FROM Task"), http.get(f"{DATA}/limits"), ask(QUERY), ask(QUERY)]

    assert [answer.status_code for answer in answers] == [200, 500, 502, 504, 200]


def test_a_fault_by_chance_is_the_same_for_the_same_seed(org, statuses):
    runs = []
    for _ in range(2):
        org.faults[:] = [Fault(probability=0.5, seed=3, times=None, status=500)]
        runs.append(statuses(12))

    assert runs[0] == runs[1]
    assert set(runs[0]) == {200, 500}


def test_a_fault_speaks_as_salesforce_does(org, ask):
    org.faults.append(
        Fault(status=403, error_code="REQUEST_LIMIT_EXCEEDED", message="ConcurrentRequests", headers={"X-Why": "busy"})
    )

    answer = ask(QUERY)

    assert answer.json() == [{"message": "ConcurrentRequests", "errorCode": "REQUEST_LIMIT_EXCEEDED"}]
    assert answer.headers["x-why"] == "busy"


@pytest.mark.parametrize(
    ("fault", "status", "content_type", "body"),
    [
        (Fault(status=503, html=True), 503, "text/html", "<html>"),
        (Fault(status=406), 406, None, ""),
        (Fault(status=200, body='{"records"'), 200, "application/json;charset=UTF-8", '{"records"'),
    ],
)
def test_a_fault_may_send_html_nothing_or_rubbish(org, ask, fault, status, content_type, body):
    org.faults.append(fault)

    answer = ask(QUERY)

    assert (answer.status_code, answer.headers.get("content-type")) == (status, content_type)
    assert answer.text.startswith(body)


def test_a_reset_connection_gives_no_answer(org, ask):
    org.faults.append(Fault(reset=True))

    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        ask(QUERY)
    assert ask(QUERY).status_code == 200


def test_a_truncated_answer_announces_more_than_it_sends(org, ask):
    org.insert_many("Account", [{"Name": "a"}] * 50)
    org.faults.append(Fault(truncate=True))

    with pytest.raises(httpx.RemoteProtocolError, match="peer closed connection"):
        ask(QUERY)
    assert len(ask(QUERY).json()["records"]) == 50


def test_a_late_answer_is_the_true_one(org, ask):
    org.faults.append(Fault(delay_seconds=0.2))
    began = time.monotonic()

    answer = ask(QUERY)

    assert answer.status_code == 200
    assert time.monotonic() - began >= 0.2


def test_a_fault_may_strike_a_login(org, log_in):
    org.faults.append(Fault(kind="token", status=420, html=True))

    assert [log_in().status_code for _ in range(2)] == [420, 200]


def test_a_fault_may_strike_one_part_of_a_composite(org, http):
    org.faults.append(Fault(kind="query", sobject="Task", status=400, error_code="QUERY_TIMEOUT", message="too long"))
    urls = [f"{DATA}/query?q=SELECT+Id+FROM+{name}" for name in ("Account", "Task", "Contact")]
    parts = [{"method": "GET", "url": url, "referenceId": url[-4:]} for url in urls]

    answer = http.post(f"{DATA}/composite", json={"compositeRequest": parts})

    inner = [part["httpStatusCode"] for part in answer.json()["compositeResponse"]]
    assert (answer.status_code, inner) == (200, [200, 400, 200])


def test_an_unknown_setting_of_a_fault_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="a fault has no staus; there are kind, path, .*status"):
        fault_from({"staus": 500})
