"""Results page by page: where they end, what a link may do, and the ways round what is not served."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from sf_assets.errors import AnswerTorn, ForeignAddress, LocatorLost, QueryTooLarge, QuotaSpent, ResourceNotFound
from sf_assets.salesforce.capabilities import Capabilities
from sf_assets.salesforce.instance_url import parse_instance_url
from sf_assets.salesforce.limits import HEADERS_BYTES, URI_BYTES
from sf_assets.salesforce.paging import QueryAnswer, pages, query_path
from sf_assets.salesforce.wire import Page, Query, Request, Response

QUERY = Query("Account", "SELECT Id FROM Account", all_rows=False)
DELETED_TOO = Query("Account", "SELECT Id FROM Account", all_rows=True)
LONG = Query(
    "Profile", f"SELECT {', '.join(f'PermissionsNumber{n:04}' for n in range(800))} FROM Profile", all_rows=False
)
NOT_FOUND = [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]


def page(*ids, total=None, following=None):
    body = {
        "totalSize": len(ids) if total is None else total,
        "done": following is None,
        "records": [{"Id": i} for i in ids],
    }
    return body if following is None else body | {"nextRecordsUrl": following}


def link(locator):
    return f"/services/data/v60.0/query/{locator}"


def ids(result):
    return [[record["Id"] for record in msgspec.json.decode(page.records)] for page in result]


def inside(status, body, **headers):
    return {"compositeResponse": [{"httpStatusCode": status, "referenceId": "r0", "body": body}]}


def test_pages_are_followed_to_done_whatever_their_length(org):
    org.then(200, page("1", "2", "3", total=6, following=link("01g-3")))
    org.then(200, page("4", total=6, following=f"https://{org.host}{link('01g-4')}"))
    org.then(200, page("5", "6", total=6))

    result = org.client().read(QUERY)

    assert ids(result) == [["1", "2", "3"], ["4"], ["5", "6"]]
    assert result.total_size == 6
    assert [request.url.path for request in org.data_calls[1:]] == [link("01g-3"), link("01g-4")]


def test_a_page_without_done_total_and_link_is_the_last(org):
    following = "/services/data/v60.0/query?cursor=MDFnLTE%3D"
    org.then(200, {"totalSize": 2, "records": [{"Id": "1"}], "nextRecordsUrl": following})
    org.then(200, {"records": [{"Id": "2"}]})

    first, second = org.client().read(QUERY)

    assert [(p.done, p.total_size) for p in (first, second)] == [(False, 2), (True, 2)]
    assert str(org.data_calls[1].url).endswith(following)


def test_a_cursor_in_the_query_of_a_link_is_kept(org):
    following = "/services/data/v60.0/query/next?cursor="
    org.then(200, page("1", total=3, following=f"{following}a")).then(
        200, page("2", total=3, following=f"{following}b")
    )
    org.then(200, page("3", total=3))

    assert ids(org.client().read(QUERY)) == [["1"], ["2"], ["3"]]
    assert [str(call.url).partition("=")[2] for call in org.data_calls[1:]] == ["a", "b"]


@pytest.mark.parametrize("body", [{}, {"totalSize": 0, "done": True}, page("1", following="") | {"done": False}])
def test_an_answer_without_records_or_without_its_next_page_is_torn(org, body):
    org.always(200, body)

    with pytest.raises(AnswerTorn):
        ids(org.client().read(QUERY))


def test_a_result_tells_number_done_and_when_each_page_was_asked_for(org, clock):
    org.then(200, page("1", total=2, following=link("01g-1"))).then(200, page("2", total=2))

    first, second = org.client().read(QUERY)

    assert [(p.number, p.done, p.total_size) for p in (first, second)] == [(1, False, 2), (2, True, 2)]
    assert [clock.now() - p.requested_at for p in (first, second)] == [timedelta(seconds=0.5), timedelta(0)]
    assert first.requested_at.tzinfo is UTC


def test_a_page_is_asked_for_only_when_the_one_before_was_taken(org):
    org.then(200, page("1", total=2, following=link("01g-1"))).then(200, page("2", total=2))

    pages = iter(org.client().read(QUERY))
    next(pages)
    assert len(org.data_calls) == 1

    next(pages)
    assert len(org.data_calls) == 2


def test_a_result_that_is_iterated_again_is_asked_anew(org):
    org.always(200, page("1"))
    result = org.client().read(QUERY)

    assert ids(result) == ids(result) == [["1"]]
    assert len(org.data_calls) == 2


def test_a_foreign_link_is_refused_and_the_token_sent_nowhere_else(org):
    org.then(200, page("1", total=2, following="https://evil.example/services/data/v60.0/query/01g-1"))

    with pytest.raises(ForeignAddress, match=r"evil\.example"):
        list(org.client().read(QUERY))

    assert {request.url.host for request in org.seen} == {org.host}


def test_a_link_that_leads_back_ends_the_result(org):
    org.then(200, page("1", total=9, following=link("01g-1")))
    org.then(200, page("2", total=9, following=link("01g-2")))
    org.then(200, page("3", total=9, following=link("01g-1")))

    with pytest.raises(AnswerTorn, match="leads back to 01g-1"):
        list(org.client().read(QUERY))


def test_pages_without_rows_are_followed_three_times_and_no_more(org):
    for n in range(4):
        org.then(200, page(total=9, following=link(f"01g-{n}")))

    with pytest.raises(AnswerTorn, match="3 pages without a row"):
        list(org.client().read(QUERY))

    assert len(org.data_calls) == 3


def test_a_few_empty_pages_are_no_end(org):
    org.then(200, page("1", total=2, following=link("01g-1"))).then(200, page(total=2, following=link("01g-2")))
    org.then(200, page("2", total=2))

    assert ids(org.client().read(QUERY)) == [["1"], [], ["2"]]


def test_a_lost_locator_is_told_as_such(org):
    org.then(200, page("1", total=2, following=link("01g-1")))
    org.then(400, [{"errorCode": "INVALID_QUERY_LOCATOR", "message": "invalid query locator"}])
    pages = iter(org.client().read(QUERY))
    next(pages)

    with pytest.raises(LocatorLost, match="page 2 of Account"):
        next(pages)


def test_deleted_rows_come_through_query_all_and_its_pages_through_query(org):
    org.then(200, page("1", total=2, following=link("01g-1"))).then(200, page("2", total=2))

    list(org.client().read(DELETED_TOO))

    assert [request.url.path for request in org.data_calls] == ["/services/data/v60.0/queryAll", link("01g-1")]


@pytest.mark.parametrize("status", [404, 405])
def test_where_query_all_is_not_served_query_is_asked_and_it_is_noted(org, status):
    org.then(status, NOT_FOUND).then(200, page("1")).then(200, page("1"))
    client = org.client()

    assert ids(client.read(DELETED_TOO)) == [["1"]]
    assert client.missing_features == ("queryAll",)

    list(client.read(DELETED_TOO))
    assert [request.url.path[-5:] for request in org.data_calls] == ["ryAll", "query", "query"]


def test_where_neither_is_served_nothing_is_noted(org):
    org.always(404, NOT_FOUND)
    client = org.client()

    with pytest.raises(ResourceNotFound):
        list(client.read(DELETED_TOO))

    assert client.missing_features == ()


def test_a_long_select_goes_inside_a_composite_and_its_pages_as_plain_gets(org):
    org.then(200, inside(200, page("1", total=2, following=link("01g-1")))).then(200, page("2", total=2))

    assert ids(org.client().read(LONG)) == [["1"], ["2"]]

    post, get = org.data_calls
    assert (post.method, post.url.path) == ("POST", "/services/data/v60.0/composite")
    subrequests = msgspec.json.decode(post.content)["compositeRequest"]
    assert [entry["url"] for entry in subrequests] == [query_path(LONG, version="60.0")]
    assert (get.method, get.url.path) == ("GET", link("01g-1"))


@pytest.mark.parametrize(("spare", "method"), [(0, "GET"), (-1, "POST")])
def test_the_bound_is_measured_on_the_encoded_path(org, spare, method):
    bare = len(query_path(Query("A", "", all_rows=False), version="60.0"))
    soql = "a" * (URI_BYTES - HEADERS_BYTES - bare - 3 - spare) + "'"
    org.then(200, page("1") if method == "GET" else inside(200, page("1")))

    list(org.client().read(Query("A", soql, all_rows=False)))

    assert org.data_calls[0].method == method


@pytest.mark.parametrize("status", [413, 414, 431, 494])
def test_a_gateway_with_a_smaller_bound_is_passed_in_the_same_way(org, status):
    org.then(status).then(200, inside(200, page("1")))

    assert ids(org.client().read(QUERY)) == [["1"]]


@pytest.mark.parametrize("status", [404, 405, 403])
def test_a_long_select_where_composite_is_not_served_has_its_own_error(org, status):
    org.then(status, NOT_FOUND)
    client = org.client()

    with pytest.raises(QueryTooLarge, match="composite"):
        list(client.read(LONG))

    assert client.missing_features == ("composite",)


def test_an_error_inside_a_composite_is_the_querys_own(org):
    org.then(200, inside(400, [{"errorCode": "QUERY_TIMEOUT", "message": "too long"}]))

    with pytest.raises(Exception, match="QUERY_TIMEOUT") as error_info:
        list(org.client().read(LONG))

    assert type(error_info.value).__name__ == "QueryTimedOut"


def test_a_fault_inside_a_composite_is_tried_again(org):
    org.then(200, inside(503, [{"errorCode": "SERVER_UNAVAILABLE", "message": ""}])).then(200, inside(200, page("1")))

    assert ids(org.client().read(LONG)) == [["1"]]


def test_a_composite_that_answers_other_requests_is_torn(org):
    org.then(200, {"compositeResponse": [{"httpStatusCode": 200, "referenceId": "other", "body": {}}]})

    with pytest.raises(AnswerTorn):
        list(org.client().read(LONG))


def test_the_exchange_can_be_played_without_a_client():
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    flow = pages(
        QUERY, address=parse_instance_url("acme.my.salesforce.com"), version="60.0", capabilities=Capabilities()
    )

    request = next(flow)
    assert isinstance(request, Request)
    first = flow.send(
        Response(200, {}, b"", moment, QueryAnswer(3, False, msgspec.Raw(b'[{"Id":"1"}]'), link("01g-1")))
    )
    assert isinstance(first, Page)
    following = next(flow)

    assert (request.path, following.path) == ("/services/data/v60.0/query?q=SELECT+Id+FROM+Account", link("01g-1"))


def test_what_a_soql_holds_is_encoded(org):
    org.then(200, page("1"))
    soql = "SELECT Id FROM Account WHERE Name = 'a+b & c=d %20 ü #' AND CreatedDate >= 2026-01-01T00:00:00+01:00"

    list(org.client().read(Query("Account", soql, all_rows=False)))

    assert org.data_calls[0].url.params["q"] == soql


def test_usage_calls_waits_and_the_servers_clock_are_told(org):
    org.always(200, page("1"), sforce_limit_info="api-usage=18/5000", date="Sun, 01 Mar 2026 12:00:20 GMT")
    client = org.client()

    for _ in range(3):
        list(client.read(QUERY))

    assert (client.usage.used, client.usage.limit) == (18, 5000)
    assert client.calls == 4
    assert client.waited_seconds == pytest.approx(1.5)
    assert client.server_time == datetime(2026, 3, 1, 12, 0, 20, tzinfo=UTC)


def test_the_reserve_of_the_quota_is_not_touched(org):
    org.always(200, page("1"), sforce_limit_info="api-usage=4500/5000")
    client = org.client()
    list(client.read(QUERY))

    with pytest.raises(QuotaSpent, match="4,500 of its 5,000") as error_info:
        list(client.read(QUERY))

    assert len(org.data_calls) == 1
    assert error_info.value.values["resumes_at"] == "2026-03-01T00:30:00Z"
    assert ids(client.read(QUERY, reserve=0.05)) == [["1"]]


def test_after_the_org_said_that_its_quota_is_spent_nothing_more_is_sent(org):
    org.then(403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}])
    client = org.client()

    for _ in range(3):
        with pytest.raises(QuotaSpent):
            list(client.read(QUERY))

    assert len(org.data_calls) == 1


def test_no_request_leaves_before_a_retry_after_has_passed(org):
    org.then(429, b"", retry_after="30").then(200, page("1"))

    list(org.client().read(QUERY))

    assert org.sent_at[2] - org.sent_at[1] >= 30


def test_a_retry_after_beyond_the_total_time_ends_at_once_and_stays(org, clock):
    org.then(429, b"", retry_after="3000")
    client = org.client()

    for _ in range(2):
        with pytest.raises(Exception, match="429|no request may be sent before"):
            list(client.read(QUERY))

    assert len(org.data_calls) == 1
    assert clock.seconds < 60


def test_requests_keep_their_pace(org):
    org.always(200, page("1"))
    client = org.client()

    for _ in range(20):
        list(client.read(QUERY))

    gaps = [later - earlier for earlier, later in zip(org.sent_at, org.sent_at[1:], strict=False)]
    assert min(gaps) == pytest.approx(0.5)
    assert max(gaps) == pytest.approx(0.5)
