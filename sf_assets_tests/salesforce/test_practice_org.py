"""The client against the practice org over a real socket: the whole conversation, faults and limits included."""

import gc
import socket

import msgspec
import pytest

from sf_assets import errors
from sf_assets.devorg import Fault, sample_org, serve
from sf_assets.salesforce.describe import SObject
from sf_assets.salesforce.login.credentials import Credentials
from sf_assets.salesforce.retry import RetryPolicy, Timeouts
from sf_assets.salesforce.wire import Query
from sf_assets_tests.salesforce.build import build_client

ACCOUNTS = Query("Account", "SELECT Id, Name, SystemModstamp, IsDeleted FROM Account", all_rows=True)
COUNT = Query("Account", "SELECT COUNT(Id) FROM Account", all_rows=True)
SWIFT = RetryPolicy(total_seconds=5.0, first_pause_seconds=0.001, longest_pause_seconds=0.002)


@pytest.fixture(scope="module")
def seed():
    return sample_org(seed=7, rows={"Account": 60, "Contact": 20, "Task": 20})


@pytest.fixture
def served(seed):
    with serve(seed.copy()) as server:
        yield server


@pytest.fixture
def connect(served):
    """A client of the served org; its pauses are short, its rules the real ones."""
    clients = []

    def connected(**settings):
        settings = {
            "instance_url": served.url,
            "credentials": Credentials(**served.credentials),
            "requests_per_second": 1000.0,
            "retry": SWIFT,
            **settings,
        }
        clients.append(build_client(settings))
        return clients[-1]

    yield connected
    for client in clients:
        client.close()


def ids(result):
    return [record["Id"] for page in result for record in msgspec.json.decode(page.records)]


def kinds(served):
    return [request.kind for request in served.requests]


def truth(served, sobject="Account"):
    return sorted(row["Id"] for row in served.org.rows(sobject))


@pytest.mark.slow
@pytest.mark.parametrize("form", ["path", "full"])
@pytest.mark.parametrize("gzip", [True, False])
def test_every_row_comes_in_over_pages_of_any_length(served, connect, form, gzip):
    served.org.behave(page_rows=25, short_pages=(7, 25, 1), next_url=form, gzip=gzip)
    client = connect()

    result = client.read(ACCOUNTS)

    assert sorted(ids(result)) == truth(served)
    assert result.total_size == len(truth(served))
    assert kinds(served)[:3] == ["token", "queryAll", "more"]
    assert client.calls == len(served.requests)


def test_soft_deleted_rows_are_seen_through_query_all_only(served, connect):
    served.org.delete("Account", truth(served)[0])
    client = connect()

    seen = set(ids(client.read(ACCOUNTS)))
    plain = set(ids(client.read(Query(ACCOUNTS.sobject, ACCOUNTS.soql, all_rows=False))))

    assert truth(served)[0] in seen - plain


def test_login_describe_and_aggregates_of_thirty_objects_cost_nine_calls(served, connect):
    client = connect()
    names = sorted(served.org.tables)
    assert len(names) == 30

    described = client.describe(names)
    counts = client.ask(
        [Query(name, f"SELECT COUNT(Id), MAX(SystemModstamp) FROM {name}", all_rows=False) for name in names]
    )

    assert all(isinstance(value, SObject) for value in described.values())
    assert all(isinstance(value, dict) for value in counts)
    assert client.calls == len(served.requests) == 9


def test_an_object_that_is_switched_off_is_a_value(served, connect):
    served.org.switch_off("Quote")
    client = connect()

    described = client.describe(["Account", "Quote"])
    told = client.ask([COUNT, Query("Quote", "SELECT COUNT(Id) FROM Quote", all_rows=True)])

    assert isinstance(described["Quote"], errors.ObjectUnavailable)
    assert isinstance(told[1], errors.ObjectUnavailable)
    assert "expr0" in told[0]


def test_a_hidden_column_is_absent_from_describe_and_named_by_the_refusal(served, connect):
    served.org.hide_field("Account", "Name")
    client = connect()

    described = client.describe(["Account"])["Account"]
    with pytest.raises(errors.FieldInvalid) as raised:
        ids(client.read(ACCOUNTS))

    assert "Name" not in {field.name for field in described.fields}
    assert raised.value.values["columns"] == ("Name",)


def test_the_widest_select_passes_the_bound_of_the_uri(served, connect):
    client = connect()
    names = [field.name for field in client.describe(["PermissionSet"])["PermissionSet"].fields]
    soql = f"SELECT {(',' + ' ' * 9).join(names)} FROM PermissionSet"

    found = ids(client.read(Query("PermissionSet", soql, all_rows=False)))

    assert sorted(found) == truth(served, "PermissionSet")
    assert kinds(served)[-1] == "composite"


UNSERVED = [
    ({"composite"}, ("composite",)),
    ({"composite", "describe"}, ("composite", "describe")),
    ({"describe"}, ("describe",)),
    ({"queryAll"}, ("queryAll",)),
    ({"composite", "describe", "queryAll"}, ("composite", "describe", "queryAll")),
]


@pytest.mark.parametrize("status", [404, 405])
@pytest.mark.parametrize(("unserved", "notes"), UNSERVED)
def test_what_an_org_or_gateway_does_not_serve_is_done_without_by_name(served, connect, unserved, notes, status):
    served.org.behave(unserved=frozenset(unserved), unserved_status=status)
    client = connect()

    described = client.describe(["Account", "Contact"])
    counted = client.ask([COUNT])
    found = ids(client.read(ACCOUNTS))

    assert client.missing_features == notes
    assert (described["Account"] is None) == ("describe" in unserved)
    assert counted[0]["expr0"] == len(found) > 0


LOGINS = [
    ({"app_known": False}, errors.ConsumerKeyUnknown),
    ({"user_approved": False}, errors.UserNotApproved),
    ({"user_admin_approved": False}, errors.UserNotApproved),
    ({"user_active": False}, errors.UserInactive),
    ({"user_locked": True}, errors.UserInactive),
    ({"org_active": False}, errors.OrgInactive),
    ({"login_rate_exceeded": True}, errors.LoginRateExceeded),
    ({"login_refusal": "ip_restricted"}, errors.AddressRestricted),
    ({"login_refusal": "login_hours"}, errors.LoginHoursRestricted),
    ({"login_refusal": "expired_certificate"}, errors.CertificateExpired),
]


@pytest.mark.parametrize(("behaviour", "error"), LOGINS)
def test_each_refused_login_has_its_own_error(served, connect, behaviour, error):
    served.org.behave(**behaviour)

    with pytest.raises(errors.LoginError) as raised:
        connect().org_id()

    assert type(raised.value) is error
    assert len(served.requests) == 1


@pytest.mark.parametrize(("kind", "logins"), [("connected", 1), ("external", 1), ("generic", 2)])
@pytest.mark.parametrize("sandbox", [False, True])
def test_each_kind_of_app_is_logged_in_to(served, connect, kind, logins, sandbox):
    served.org.behave(app_kind=kind, sandbox=sandbox)
    client = connect(token_seconds=0.0)

    client.org_id()
    first = len(served.requests)
    client.org_id()

    assert first == logins + (kind == "generic" and sandbox)
    assert len(served.requests) == first + 1


def test_an_external_app_refuses_a_generic_audience_that_is_set(served, connect):
    served.org.behave(app_kind="external")

    with pytest.raises(errors.AppNotInstalled) as refused:
        connect(audience="https://login.salesforce.com").org_id()

    assert "Leave SALESFORCE_LOGIN_AUDIENCE empty" in refused.value.remedy
    assert len(served.requests) == 1


@pytest.mark.parametrize("refusal", ["unknown_error", "temporarily_unavailable"])
def test_a_login_that_fails_for_a_moment_is_tried_again(served, connect, refusal):
    served.org.behave(login_refusal=refusal)

    with pytest.raises(errors.OrgBusy, match="given up after 6 attempts"):
        connect().org_id()


def test_a_key_of_another_app_is_refused(served, connect, private_key):
    other = Credentials(**{**served.credentials, "private_key": private_key})

    with pytest.raises(errors.AssertionRefused):
        connect(credentials=other).org_id()


def test_an_ended_session_is_renewed_once(served, connect):
    client = connect()
    ids(client.read(ACCOUNTS))
    served.org.expire_sessions()

    assert sorted(ids(client.read(ACCOUNTS))) == truth(served)
    assert kinds(served).count("token") == 2


def test_a_session_that_ends_between_two_pages_does_not_disturb_the_result(served, connect):
    served.org.behave(page_rows=20)
    pages = iter(connect().read(ACCOUNTS))
    found = [next(pages)]
    served.org.expire_sessions()

    found += pages

    assert sorted(ids(found)) == truth(served)


def test_sessions_that_are_always_refused_are_fatal_after_one_login(served, connect):
    served.org.behave(sessions_refused=True)

    with pytest.raises(errors.SessionRefused):
        ids(connect().read(ACCOUNTS))

    assert kinds(served) == ["token", "queryAll"]


def test_a_spent_quota_has_its_own_outcome(served, connect):
    served.org.behave(daily_limit=1000)
    served.org.spend_calls(1000)
    client = connect(quota_reserve=0.0)

    for _ in range(2):
        with pytest.raises(errors.QuotaSpent):
            ids(client.read(ACCOUNTS))

    assert kinds(served) == ["token", "queryAll"]


@pytest.mark.parametrize("form", ["plain", "per_app"])
def test_the_reserve_is_left_to_others(served, connect, form):
    served.org.behave(daily_limit=1000, limit_info=form, page_rows=10)
    served.org.spend_calls(897)
    pages = iter(connect().read(ACCOUNTS))

    with pytest.raises(errors.QuotaSpent, match="10% of the limit is reserved"):
        list(pages)

    assert kinds(served) == ["token", "queryAll", "more", "more"]


def test_a_lost_locator_is_told_as_such(served, connect):
    served.org.behave(page_rows=20)
    pages = iter(connect().read(ACCOUNTS))
    next(pages)
    served.org.expire_locators()

    with pytest.raises(errors.LocatorLost):
        list(pages)


FAULTS = [
    {"reset": True},
    {"truncate": True},
    {"status": 200, "html": True},
    {"status": 200, "body": ""},
    {"status": 200, "body": '{"totalSize": 60, "done": false, "records": []}'},
    {"status": 500, "error_code": "UNKNOWN_EXCEPTION", "message": "1234-5678 (910)"},
    {"status": 503, "html": True},
    {"status": 429, "headers": {"Retry-After": "0"}},
    {
        "status": 403,
        "error_code": "REQUEST_LIMIT_EXCEEDED",
        "message": "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
    },
    {"status": 420, "html": True},
    {"status": 406},
    {"status": 200, "body": "no gzip", "headers": {"Content-Encoding": "gzip"}},
]


@pytest.mark.parametrize("kind", ["queryAll", "more"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_passing_fault_costs_one_more_request_and_no_row(served, connect, fault, kind):
    served.org.behave(page_rows=25)
    served.org.faults.append(Fault(kind=kind, **fault))

    found = ids(connect().read(ACCOUNTS))

    assert sorted(found) == truth(served)
    assert kinds(served).count(kind) == (2 if kind == "queryAll" else 3)


def test_faults_strewn_over_everything_lose_nothing(served, connect):
    served.org.behave(page_rows=5)
    for number, fault in enumerate(FAULTS):
        served.org.faults.append(Fault(kind="more", probability=0.05, times=None, seed=number, **fault))

    found = ids(connect(retry=RetryPolicy(60.0, 0.001, 0.002)).read(ACCOUNTS))

    assert sorted(found) == truth(served)


def test_a_page_that_never_comes_is_a_time_out(served, connect):
    served.org.faults.append(Fault(kind="queryAll", delay_seconds=0.5, times=None))

    with pytest.raises(errors.HostUnreachable, match="after 3 attempts"):
        ids(connect(timeouts=Timeouts(silence_seconds=0.05)).read(ACCOUNTS))


def test_a_host_that_does_not_answer_is_named(connect):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]

    with pytest.raises(errors.HostUnreachable, match="after 5 attempts"):
        connect(instance_url=f"http://127.0.0.1:{port}").org_id()


@pytest.fixture
def listener():
    """Another server on loopback, which must never be asked anything: its address, and whether anybody has called."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)

        def was_called():
            try:
                server.accept()
            except BlockingIOError:
                return False
            return True

        yield f"http://127.0.0.1:{server.getsockname()[1]}", was_called


def test_no_request_reaches_another_host_whatever_the_answers_say(served, connect, listener):
    foreign, was_called = listener
    served.org.behave(page_rows=20, next_url="full", next_url_host=foreign, instance_url=foreign)
    client = connect()

    with pytest.raises(errors.ForeignAddress):
        ids(client.read(ACCOUNTS))
    served.org.faults.append(Fault(kind="queryAll", status=302, headers={"Location": f"{foreign}/services/data"}))
    with pytest.raises(errors.ForeignAddress):
        ids(client.read(ACCOUNTS))

    assert client.login_instance_url == foreign
    assert not was_called()


def test_a_client_that_is_dropped_closes_its_connections(served, connect):
    client = connect()
    client.org_id()
    http = client._transport._client

    client.close()
    assert http.is_closed

    again = build_client({"instance_url": served.url, "credentials": Credentials(**served.credentials)})
    again.org_id()
    http = again._transport._client
    del again
    gc.collect()
    assert http.is_closed
