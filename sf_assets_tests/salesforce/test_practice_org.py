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
def server(seed):
    with serve(seed.copy()) as server:
        yield server


@pytest.fixture
def connect(server):
    """A client of the served org; its pauses are short, its rules the real ones."""
    clients = []

    def open_client(**settings):
        settings = {
            "instance_url": server.url,
            "credentials": Credentials(**server.credentials),
            "requests_per_second": 1000.0,
            "retry": SWIFT,
            **settings,
        }
        clients.append(build_client(settings))
        return clients[-1]

    yield open_client
    for client in clients:
        client.close()


def ids(result):
    return [record["Id"] for page in result for record in msgspec.json.decode(page.records)]


def kinds(server):
    return [request.kind for request in server.requests]


def truth(server, sobject="Account"):
    return sorted(row["Id"] for row in server.org.rows(sobject))


@pytest.mark.slow
@pytest.mark.parametrize("form", ["path", "full"])
@pytest.mark.parametrize("gzip", [True, False])
def test_every_row_comes_in_over_pages_of_any_length(server, connect, form, gzip):
    server.org.behave(page_rows=25, short_pages=(7, 25, 1), next_url=form, gzip=gzip)
    client = connect()

    result = client.read(ACCOUNTS)

    assert sorted(ids(result)) == truth(server)
    assert result.total_size == len(truth(server))
    assert kinds(server)[:3] == ["token", "queryAll", "more"]
    assert client.calls == len(server.requests)


def test_soft_deleted_rows_are_seen_through_query_all_only(server, connect):
    server.org.delete("Account", truth(server)[0])
    client = connect()

    live_ids = set(ids(client.read(ACCOUNTS)))
    plain = set(ids(client.read(Query(ACCOUNTS.sobject, ACCOUNTS.soql, all_rows=False))))

    assert truth(server)[0] in live_ids - plain


def test_login_describe_and_aggregates_of_thirty_objects_cost_nine_calls(server, connect):
    client = connect()
    names = sorted(server.org.tables)
    assert len(names) == 30

    sobjects = client.describe(names)
    counts = client.ask(
        [Query(name, f"SELECT COUNT(Id), MAX(SystemModstamp) FROM {name}", all_rows=False) for name in names]
    )

    assert all(isinstance(value, SObject) for value in sobjects.values())
    assert all(isinstance(value, dict) for value in counts)
    assert client.calls == len(server.requests) == 9


def test_an_object_that_is_switched_off_is_a_value(server, connect):
    server.org.switch_off("Quote")
    client = connect()

    sobjects = client.describe(["Account", "Quote"])
    answers = client.ask([COUNT, Query("Quote", "SELECT COUNT(Id) FROM Quote", all_rows=True)])

    assert isinstance(sobjects["Quote"], errors.ObjectUnavailable)
    assert isinstance(answers[1], errors.ObjectUnavailable)
    assert "expr0" in answers[0]


def test_a_hidden_column_is_absent_from_describe_and_named_by_the_refusal(server, connect):
    server.org.hide_field("Account", "Name")
    client = connect()

    sobject = client.describe(["Account"])["Account"]
    with pytest.raises(errors.FieldInvalid) as error_info:
        ids(client.read(ACCOUNTS))

    assert "Name" not in {field.name for field in sobject.fields}
    assert error_info.value.values["columns"] == ("Name",)


def test_the_widest_select_passes_the_bound_of_the_uri(server, connect):
    client = connect()
    names = [field.name for field in client.describe(["PermissionSet"])["PermissionSet"].fields]
    soql = f"SELECT {(',' + ' ' * 9).join(names)} FROM PermissionSet"

    rows = ids(client.read(Query("PermissionSet", soql, all_rows=False)))

    assert sorted(rows) == truth(server, "PermissionSet")
    assert kinds(server)[-1] == "composite"


UNSERVED = [
    ({"composite"}, ("composite",)),
    ({"composite", "describe"}, ("composite", "describe")),
    ({"describe"}, ("describe",)),
    ({"queryAll"}, ("queryAll",)),
    ({"composite", "describe", "queryAll"}, ("composite", "describe", "queryAll")),
]


@pytest.mark.parametrize("status", [404, 405])
@pytest.mark.parametrize(("features", "notes"), UNSERVED)
def test_what_an_org_or_gateway_does_not_serve_is_done_without_by_name(server, connect, features, notes, status):
    server.org.behave(unserved=frozenset(features), unserved_status=status)
    client = connect()

    sobjects = client.describe(["Account", "Contact"])
    answers = client.ask([COUNT])
    rows = ids(client.read(ACCOUNTS))

    assert client.missing_features == notes
    assert (sobjects["Account"] is None) == ("describe" in features)
    assert answers[0]["expr0"] == len(rows) > 0


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
def test_each_refused_login_has_its_own_error(server, connect, behaviour, error):
    server.org.behave(**behaviour)

    with pytest.raises(errors.LoginError) as error_info:
        connect().org_id()

    assert type(error_info.value) is error
    assert len(server.requests) == 1


@pytest.mark.parametrize(("kind", "logins"), [("connected", 1), ("external", 1), ("generic", 2)])
@pytest.mark.parametrize("sandbox", [False, True])
def test_each_kind_of_app_is_logged_in_to(server, connect, kind, logins, sandbox):
    server.org.behave(app_kind=kind, sandbox=sandbox)
    client = connect(token_seconds=0.0)

    client.org_id()
    first = len(server.requests)
    client.org_id()

    assert first == logins + (kind == "generic" and sandbox)
    assert len(server.requests) == first + 1


def test_an_external_app_refuses_a_generic_audience_that_is_set(server, connect):
    server.org.behave(app_kind="external")

    with pytest.raises(errors.AppNotInstalled) as error_info:
        connect(audience="https://login.salesforce.com").org_id()

    assert "Leave SALESFORCE_LOGIN_AUDIENCE empty" in error_info.value.remedy
    assert len(server.requests) == 1


@pytest.mark.parametrize("refusal", ["unknown_error", "temporarily_unavailable"])
def test_a_login_that_fails_for_a_moment_is_tried_again(server, connect, refusal):
    server.org.behave(login_refusal=refusal)

    with pytest.raises(errors.OrgBusy, match="given up after 6 attempts"):
        connect().org_id()


def test_a_key_of_another_app_is_refused(server, connect, private_key):
    other = Credentials(**{**server.credentials, "private_key": private_key})

    with pytest.raises(errors.AssertionRefused):
        connect(credentials=other).org_id()


def test_an_ended_session_is_renewed_once(server, connect):
    client = connect()
    ids(client.read(ACCOUNTS))
    server.org.expire_sessions()

    assert sorted(ids(client.read(ACCOUNTS))) == truth(server)
    assert kinds(server).count("token") == 2


def test_a_session_that_ends_between_two_pages_does_not_disturb_the_result(server, connect):
    server.org.behave(page_rows=20)
    pages = iter(connect().read(ACCOUNTS))
    rows = [next(pages)]
    server.org.expire_sessions()

    rows += pages

    assert sorted(ids(rows)) == truth(server)


def test_sessions_that_are_always_refused_are_fatal_after_one_login(server, connect):
    server.org.behave(sessions_refused=True)

    with pytest.raises(errors.SessionRefused):
        ids(connect().read(ACCOUNTS))

    assert kinds(server) == ["token", "queryAll"]


def test_a_spent_quota_has_its_own_outcome(server, connect):
    server.org.behave(daily_limit=1000)
    server.org.spend_calls(1000)
    client = connect(quota_reserve=0.0)

    for _ in range(2):
        with pytest.raises(errors.QuotaSpent):
            ids(client.read(ACCOUNTS))

    assert kinds(server) == ["token", "queryAll"]


@pytest.mark.parametrize("form", ["plain", "per_app"])
def test_the_reserve_is_left_to_others(server, connect, form):
    server.org.behave(daily_limit=1000, limit_info=form, page_rows=10)
    server.org.spend_calls(897)
    pages = iter(connect().read(ACCOUNTS))

    with pytest.raises(errors.QuotaSpent, match="10% of the limit is reserved"):
        list(pages)

    assert kinds(server) == ["token", "queryAll", "more", "more"]


def test_a_lost_locator_is_told_as_such(server, connect):
    server.org.behave(page_rows=20)
    pages = iter(connect().read(ACCOUNTS))
    next(pages)
    server.org.expire_locators()

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
def test_a_passing_fault_costs_one_more_request_and_no_row(server, connect, fault, kind):
    server.org.behave(page_rows=25)
    server.org.faults.append(Fault(kind=kind, **fault))

    rows = ids(connect().read(ACCOUNTS))

    assert sorted(rows) == truth(server)
    assert kinds(server).count(kind) == (2 if kind == "queryAll" else 3)


def test_faults_strewn_over_everything_lose_nothing(server, connect):
    server.org.behave(page_rows=5)
    for number, fault in enumerate(FAULTS):
        server.org.faults.append(Fault(kind="more", probability=0.05, times=None, seed=number, **fault))

    rows = ids(connect(retry=RetryPolicy(60.0, 0.001, 0.002)).read(ACCOUNTS))

    assert sorted(rows) == truth(server)


def test_a_page_that_never_comes_is_a_time_out(server, connect):
    server.org.faults.append(Fault(kind="queryAll", delay_seconds=0.5, times=None))

    with pytest.raises(errors.HostUnreachable, match="after 3 attempts"):
        ids(connect(timeouts=Timeouts(silence_seconds=0.05)).read(ACCOUNTS))


def test_a_host_that_does_not_answer_is_named(connect):
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]

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


def test_no_request_reaches_another_host_whatever_the_answers_say(server, connect, listener):
    foreign, was_called = listener
    server.org.behave(page_rows=20, next_url="full", next_url_host=foreign, instance_url=foreign)
    client = connect()

    with pytest.raises(errors.ForeignAddress):
        ids(client.read(ACCOUNTS))
    server.org.faults.append(Fault(kind="queryAll", status=302, headers={"Location": f"{foreign}/services/data"}))
    with pytest.raises(errors.ForeignAddress):
        ids(client.read(ACCOUNTS))

    assert client.login_instance_url == foreign
    assert not was_called()


def test_a_client_that_is_dropped_closes_its_connections(server, connect):
    client = connect()
    client.org_id()
    http = client._transport._client

    client.close()
    assert http.is_closed

    again = build_client({"instance_url": server.url, "credentials": Credentials(**server.credentials)})
    again.org_id()
    http = again._transport._client
    del again
    gc.collect()
    assert http.is_closed
