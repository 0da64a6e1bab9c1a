"""Every row of the table of refusals, through the real client: outcome, number of requests, message, remedy."""

from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest

from sf_assets import errors
from sf_assets.salesforce.error_row import CODES, Retry
from sf_assets.salesforce.error_table import ROWS
from sf_assets.salesforce.token_errors import TOKEN_ROWS
from sf_assets.salesforce.wire import Query

QUERY = Query("Account", "SELECT Id FROM Account", all_rows=False)
PAGE = {"totalSize": 0, "done": True, "records": []}
HTML = b"<html><body>Down for maintenance</body></html>"


def complaint(code, message="says Salesforce"):
    return [{"errorCode": code, "message": message}]


# status, body, error, requests sent before it is raised (None: bounded by time)
REFUSALS = [
    (400, complaint("MALFORMED_QUERY"), errors.QueryRefused, 1),
    (400, complaint("INVALID_FIELD"), errors.FieldInvalid, 1),
    (400, complaint("INVALID_QUERY_FILTER_OPERATOR"), errors.QueryRefused, 1),
    (400, complaint("INVALID_TYPE"), errors.ObjectUnavailable, 1),
    (400, complaint("INVALID_QUERY_LOCATOR"), errors.LocatorLost, 1),
    (400, complaint("QUERY_TIMEOUT"), errors.QueryTimedOut, 1),
    (400, complaint("OPERATION_TOO_LARGE"), errors.QueryTooLarge, 1),
    (400, complaint("QUERY_TOO_COMPLICATED"), errors.QueryTooComplicated, 1),
    (400, complaint("EXCEEDED_ID_LIMIT"), errors.QueryTooLarge, 1),
    (400, complaint("NUMBER_OUTSIDE_VALID_RANGE"), errors.QueryRefused, 1),
    (400, complaint("SOMETHING_NEW"), errors.QueryRefused, 1),
    (400, complaint("UNABLE_TO_LOCK_ROW"), errors.OrgBusy, 6),
    (400, complaint("EXTERNAL_OBJECT_EXCEPTION"), errors.ExternalSourceFailed, 3),
    (
        400,
        complaint(
            "MALFORMED_QUERY", "Implementation restriction: ContentDocumentLink requires a filter by a single Id"
        ),
        errors.FilterRequired,
        1,
    ),
    (400, complaint("ENTITY_NOT_QUERYABLE"), errors.FilterRequired, 1),
    (400, complaint("MALFORMED_ID"), errors.QueryRefused, 1),
    (400, complaint("INVALID_LOCATOR"), errors.LocatorLost, 1),
    (500, complaint("QUERY_TIMEOUT"), errors.QueryTimedOut, 1),
    (500, complaint("REQUEST_RUNNING_TOO_LONG"), errors.QueryTimedOut, 1),
    (403, complaint("ORG_LOCKED"), errors.OrgInactive, 1),
    (403, complaint("LOGIN_DURING_RESTRICTED_TIME"), errors.LoginHoursRestricted, 1),
    (403, complaint("LOGIN_DURING_RESTRICTED_DOMAIN"), errors.AddressRestricted, 1),
    (403, complaint("TXN_SECURITY_NO_ACCESS"), errors.AccessDenied, 1),
    (403, complaint("CLIENT_NOT_ACCESSIBLE_FOR_USER"), errors.AccessDenied, 1),
    (403, complaint("INVALID_SESSION_ID"), errors.SessionRefused, 1),
    (407, HTML, errors.ProxyRefused, 1),
    (410, complaint("UNSUPPORTED_API_VERSION"), errors.ApiVersionRetired, 1),
    (410, b"", errors.ApiVersionRetired, 1),
    (429, complaint("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), errors.OrgBusy, None),
    (503, complaint("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), errors.OrgBusy, None),
    (500, complaint("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), errors.QuotaSpent, 1),
    (500, complaint("ORG_IN_MAINTENANCE"), errors.OrgBusy, 6),
    (400, complaint("FUNCTIONALITY_TEMPORARILY_UNAVAILABLE"), errors.OrgBusy, 6),
    (400, [{"errorCode": None, "message": None}], errors.OrgBusy, 6),
    (400, {"errorCode": "MALFORMED_QUERY", "message": "one object in place of a list"}, errors.QueryRefused, 1),
    (400, HTML, errors.OrgBusy, 6),
    (401, complaint("INVALID_SESSION_ID", "Session expired or invalid"), errors.SessionRefused, 1),
    (
        401,
        complaint("INVALID_SESSION_ID", "This session is not valid for use with the REST API"),
        errors.SessionRefused,
        1,
    ),
    (401, complaint("INVALID_SESSION_ID", "Connected app is not attached to Agent"), errors.SessionRefused, 1),
    (401, complaint("INVALID_AUTH_HEADER"), errors.SessionRefused, 1),
    (401, complaint("INVALID_JWT_FORMAT"), errors.SessionRefused, 1),
    (403, b"Bad_OAuth_Token", errors.SessionRefused, 1),
    (400, complaint("URL_NOT_RESET", "Destination URL not reset."), errors.ForeignAddress, 1),
    (401, b"", errors.SessionRefused, 1),
    (403, complaint("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), errors.QuotaSpent, 1),
    (
        403,
        complaint("REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded."),
        errors.OrgBusy,
        None,
    ),
    (403, complaint("REQUEST_LIMIT_EXCEEDED", "ConcurrentPerOrgLongTxn Limit exceeded."), errors.OrgBusy, None),
    (403, complaint("API_DISABLED_FOR_ORG"), errors.ApiDisabled, 1),
    (403, complaint("API_CURRENTLY_DISABLED", "API is disabled for this User."), errors.ApiDisabled, 1),
    (503, complaint("API_CURRENTLY_DISABLED"), errors.OrgBusy, None),
    (403, complaint("API_CURRENTLY_DISABLED", "API functionality is unavailable."), errors.OrgBusy, 6),
    (400, complaint("KEY_HAS_BEEN_DESTROYED"), errors.QueryRefused, 1),
    (400, complaint("EXCEEDED_MAX_SEMIJOIN_SUBSELECTS"), errors.QueryTooLarge, 1),
    (400, complaint("UNKNOWN_EXCEPTION"), errors.OrgBusy, 6),
    (403, complaint("TXN_SECURITY_FAIL_CLOSE"), errors.AccessDenied, 3),
    (400, complaint("BIG_OBJECT_UNSUPPORTED_OPERATION"), errors.FilterRequired, 1),
    (403, complaint("FUNCTIONALITY_NOT_ENABLED"), errors.AccessDenied, 1),
    (403, complaint("INSUFFICIENT_ACCESS"), errors.AccessDenied, 1),
    (403, complaint("TXN_SECURITY_METERING_ERROR"), errors.AccessDenied, 3),
    (403, HTML, errors.ProxyRefused, 1),
    (404, complaint("NOT_FOUND"), errors.ResourceNotFound, 1),
    (405, complaint("METHOD_NOT_ALLOWED"), errors.ResourceNotFound, 1),
    (406, b"", errors.OrgBusy, 6),
    (408, b"", errors.OrgBusy, 6),
    (420, HTML, errors.OrgBusy, 3),
    (429, b"", errors.OrgBusy, None),
    (500, complaint("UNKNOWN_EXCEPTION"), errors.OrgBusy, 6),
    (501, b"", errors.ResourceNotFound, 1),
    (502, HTML, errors.OrgBusy, 6),
    (503, complaint("SERVER_UNAVAILABLE"), errors.OrgBusy, None),
    (503, HTML, errors.OrgBusy, None),
    (504, b"", errors.OrgBusy, 6),
    (302, b"", errors.AnswerTorn, 3),
    (304, b"", errors.AnswerTorn, 3),
    (421, HTML, errors.OrgBusy, 3),
    (425, HTML, errors.OrgBusy, 3),
    (418, HTML, errors.ProxyRefused, 1),
    (451, b"", errors.ProxyRefused, 1),
    (418, complaint("SOMETHING_NEW"), errors.SalesforceError, 1),
    (200, complaint("INVALID_FIELD"), errors.FieldInvalid, 1),
    (200, complaint("SERVER_UNAVAILABLE"), errors.OrgBusy, 6),
    (201, {"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests"}, errors.QuotaSpent, 1),
    (200, HTML, errors.OrgBusy, 6),
    (200, b"\n\n\n<html>a page</html>", errors.AnswerTorn, 6),
    (200, b"upstream connect error or disconnect/reset before headers", errors.AnswerTorn, 6),
    (503, b"upstream connect error or disconnect/reset before headers", errors.OrgBusy, None),
    (200, b"", errors.AnswerTorn, 6),
    (204, b"", errors.AnswerTorn, 6),
    (200, b'{"totalSize": 1, "done": true, "records": [{"Id": "0', errors.AnswerTorn, 6),
    (200, {"totalSize": 1, "done": True}, errors.AnswerTorn, 6),
    (200, {"totalSize": 1, "done": True, "records": {}}, errors.AnswerTorn, 6),
    (200, {"totalSize": 1, "done": False, "records": [{}]}, errors.AnswerTorn, 6),
    (200, b"\xff\xfe", errors.AnswerTorn, 6),
]


@pytest.mark.parametrize(("status", "body", "error", "requests"), REFUSALS)
def test_each_refusal_has_its_error_its_number_of_requests_and_a_remedy(org, status, body, error, requests):
    org.always(status, body)

    with pytest.raises(errors.SalesforceError) as error_info:
        list(org.client().read(QUERY))

    assert type(error_info.value) is error
    assert error_info.value.remedy.endswith(".")
    assert requests is None or len(org.data_calls) == requests
    assert "/services/data/v60.0/query" in str(error_info.value)
    assert "q=" not in str(error_info.value)


@pytest.mark.parametrize(("status", "body", "error", "requests"), [row for row in REFUSALS if row[3] != 1])
def test_each_transient_refusal_is_cured_by_a_good_answer(org, status, body, error, requests):
    org.then(status, body).then(200, PAGE)

    pages = list(org.client().read(QUERY))

    assert len(pages) == 1
    assert len(org.data_calls) == 2


@pytest.mark.parametrize(
    ("status", "body"), [(429, b""), (503, HTML), (403, complaint("REQUEST_LIMIT_EXCEEDED", "Concurrent"))]
)
def test_pushbacks_end_when_the_total_time_is_over_and_the_message_says_so(org, clock, status, body):
    org.always(status, body)

    with pytest.raises(errors.OrgBusy, match=r"given up after \d\d attempts in [89]\d\d s"):
        list(org.client().read(QUERY))

    assert 800 < clock.seconds < 960


FAULTS = [
    (httpx.ConnectError("name or service not known"), errors.HostUnreachable, 5),
    (httpx.ConnectTimeout("connecting took too long"), errors.HostUnreachable, 5),
    (httpx.ReadTimeout("silence"), errors.HostUnreachable, 3),
    (httpx.ReadError("connection reset"), errors.AnswerTorn, 6),
    (httpx.RemoteProtocolError("peer closed connection without sending complete message body"), errors.AnswerTorn, 6),
]


@pytest.mark.parametrize(("fault", "error", "requests"), FAULTS)
def test_each_fault_of_the_line_has_its_error_and_its_number_of_tries(org, fault, error, requests):
    org.last = fault

    with pytest.raises(error, match=f"after {requests} attempts"):
        list(org.client().read(QUERY))

    assert len(org.data_calls) == requests


def test_an_answer_whose_gzip_breaks_is_torn_and_asked_again(org):
    org.script.append(
        lambda _: httpx.Response(200, stream=httpx.ByteStream(b"no gzip"), headers={"content-encoding": "gzip"})
    )
    org.then(200, PAGE)

    pages = list(org.client().read(QUERY))

    assert [page.done for page in pages] == [True]
    assert len(org.data_calls) == 2


class Dribble(httpx.SyncByteStream):
    """A body of which a piece comes every 30 seconds, for ever."""

    def __init__(self, clock):
        self.clock = clock

    def __iter__(self):
        while True:
            self.clock.seconds += 30
            yield b" "


def test_a_body_that_dribbles_is_cut_off_at_the_bound_of_one_answer(org, clock):
    org.script.append(lambda _: httpx.Response(200, stream=Dribble(clock)))
    org.then(200, PAGE)

    list(org.client().read(QUERY))

    assert 600 < clock.seconds < 700


def test_a_redirect_names_its_host_and_nothing_more_and_is_not_followed(org):
    org.then(302, b"", location="https://evil.example/steal?token=1")

    with pytest.raises(errors.ForeignAddress) as error_info:
        list(org.client().read(QUERY))

    assert "evil.example" in str(error_info.value)
    assert "steal" not in str(error_info.value)
    assert {request.url.host for request in org.seen} == {"acme.my.salesforce.com"}


def test_pushbacks_and_an_ended_session_take_no_try_from_a_fault(org):
    org.then(200, PAGE)
    client = org.client()
    list(client.read(QUERY))
    for _ in range(5):
        org.then(429)
    org.then(401, complaint("INVALID_SESSION_ID", "Session expired or invalid"))
    for _ in range(5):
        org.then(502, HTML)
    org.then(200, PAGE)

    assert len(list(client.read(QUERY))) == 1


def test_a_fault_among_pushbacks_is_bounded_all_the_same(org):
    for _ in range(7):
        org.then(429).then(502, HTML)

    with pytest.raises(errors.OrgBusy, match="502"):
        list(org.client().read(QUERY))
    assert len(org.data_calls) == 12


def test_what_is_wrong_with_a_query_stands_before_the_place_in_it(org):
    place = "\nSELECT Id, Foo__c FROM Account\n           ^\nERROR at Row:1:Column:12\n"
    org.then(400, complaint("INVALID_FIELD", f"{place}No such column 'Foo__c' on entity 'Account'. If you use it"))

    with pytest.raises(errors.FieldInvalid) as error_info:
        list(org.client().read(Query("Account", "SELECT Id, Foo__c FROM Account WHERE Id > 'x'", all_rows=False)))

    first, _, _ = str(error_info.value).partition("\n")
    assert first.startswith("Account: 400 INVALID_FIELD: No such column 'Foo__c' on entity 'Account'.")
    assert "(column 12, near: SELECT Id, Foo__c FROM Account)" in first
    assert first.endswith("asked for SELECT Id, Foo__c FROM Account WHERE Id > 'x'")


@pytest.mark.parametrize("message", ["Unknown field 'Foo__c'", 'no "Foo__c" in Account', "column `Foo__c` is hidden"])
def test_a_column_is_known_by_its_quotes_in_other_words_too(org, message):
    org.then(400, complaint("INVALID_FIELD", message))

    with pytest.raises(errors.FieldInvalid) as error_info:
        list(org.client().read(QUERY))

    assert error_info.value.values["columns"] == ("Foo__c",)


def test_a_byte_order_mark_before_an_answer_is_no_part_of_it(org):
    org.then(200, b'\xef\xbb\xbf{"totalSize": 0, "done": true, "records": []}')

    assert len(list(org.client().read(QUERY))) == 1


def test_an_invalid_field_names_its_column(org):
    message = (
        "\nSELECT Id, Foo__c FROM Account\n  ^\nERROR at Row:1:Column:12\nNo such column 'Foo__c' on entity 'Account'."
    )
    org.then(400, complaint("INVALID_FIELD", message))

    with pytest.raises(errors.FieldInvalid) as error_info:
        list(org.client().read(QUERY))

    assert error_info.value.values["columns"] == ("Foo__c",)


# Each refusal of the token endpoint: an object, not the list of the data calls
LOGINS = [
    (400, "invalid_grant", "user hasn't approved this consumer", errors.UserNotApproved),
    (400, "invalid_grant", "audience is invalid", errors.AudienceRefused),
    (400, "invalid_grant", "Audience validation failed", errors.AudienceRefused),
    (400, "invalid_grant", "expired authorization code", errors.AssertionExpired),
    (400, "invalid_grant", "invalid assertion", errors.AssertionRefused),
    (400, "invalid_grant", "user is locked", errors.UserInactive),
    (400, "invalid_grant", "inactive user", errors.UserInactive),
    (400, "invalid_grant", "authentication failure", errors.AssertionRefused),
    (400, "invalid_client_id", "client identifier invalid", errors.ConsumerKeyUnknown),
    (400, "invalid_client", "invalid client credentials", errors.ConsumerKeyUnknown),
    (400, "invalid_app_access", "user is not admin approved to access this app", errors.UserNotApproved),
    (400, "inactive_user", "user is inactive", errors.UserInactive),
    (400, "inactive_org", "organization is locked", errors.OrgInactive),
    (400, "rate_limit_exceeded", "login rate exceeded", errors.LoginRateExceeded),
    (400, "invalid_grant", "login rate exceeded", errors.LoginRateExceeded),
    (400, "unsupported_grant_type", "grant type not supported", errors.LoginError),
    (400, "invalid_request", "missing parameter", errors.LoginError),
    (401, "invalid_client", "", errors.ConsumerKeyUnknown),
    (400, "app_not_found", "External client app is not installed in this org", errors.AppNotInstalled),
    (400, "invalid_grant", "ip restricted", errors.AddressRestricted),
    (400, "invalid_grant", "restricted login hours", errors.LoginHoursRestricted),
    (400, "invalid_grant", "expired certificate", errors.CertificateExpired),
    (400, "invalid_grant", "user is frozen", errors.UserInactive),
    (400, "invalid_grant", "activation secret invalid", errors.AssertionRefused),
    (400, "invalid_grant", "authentication failure - invalid client credentials", errors.ConsumerKeyUnknown),
]


@pytest.mark.parametrize(("status", "error", "description", "expected"), LOGINS)
def test_each_refusal_of_a_login_has_its_error_and_is_not_tried_again(org, status, error, description, expected):
    org.login(status, {"error": error, "error_description": description})

    with pytest.raises(errors.LoginError) as error_info:
        list(org.client(audience="https://login.salesforce.com").read(QUERY))

    assert type(error_info.value) is expected
    assert len(org.seen) == 1
    assert description in str(error_info.value)


@pytest.mark.parametrize("error", ["unknown_error", "temporarily_unavailable", "server_error"])
def test_a_login_that_says_retry_is_tried_again(org, error):
    org.login(400, {"error": error, "error_description": "retry your request"}).always(200, PAGE)

    list(org.client().read(QUERY))

    assert len(org.login_calls) == 2


@pytest.mark.parametrize("status", [500, 502, 503, 420, 429])
def test_a_fault_of_the_token_endpoint_is_tried_again(org, status):
    org.login(status, HTML).always(200, PAGE)

    list(org.client().read(QUERY))

    assert len(org.login_calls) == 2


@pytest.mark.parametrize("status", [404, 405])
def test_a_host_without_a_token_endpoint_is_named_at_once(org, status):
    org.login(status, HTML)

    with pytest.raises(errors.ResourceNotFound, match="/services/oauth2/token"):
        org.client().org_id()

    assert len(org.seen) == 1


def test_a_token_answer_without_a_token_is_torn(org):
    org.logins += [httpx.Response(200, json={"instance_url": "https://acme.my.salesforce.com"}) for _ in range(6)]

    with pytest.raises(errors.AnswerTorn):
        org.client().org_id()

    assert len(org.login_calls) == 6


def test_every_transient_row_is_bounded_or_paced():
    for row in (*ROWS, *TOKEN_ROWS):
        assert row.when
        assert row.retry is not Retry.FAULT or row.attempts is not None
    assert (ROWS[-1].status, ROWS[-1].code) == (None, None)


def test_a_429_with_the_code_of_the_quota_waits_for_its_retry_after(org):
    limit = complaint("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
    org.then(429, limit, retry_after="30").then(200, PAGE)

    list(org.client().read(QUERY))

    assert org.sent_at[2] - org.sent_at[1] >= 30


def test_an_error_id_of_salesforce_is_in_the_message(org):
    org.always(500, complaint("UNKNOWN_EXCEPTION", "An unexpected error occurred. ErrorId: 1234567890-12345 (-987)"))

    with pytest.raises(errors.OrgBusy, match=r"ErrorId: 1234567890-12345 \(-987\)"):
        list(org.client().read(QUERY))


def test_every_code_of_a_row_has_a_source_and_stands_in_one_group():
    codes = [code for row in ROWS if isinstance(row.code, frozenset) for code in row.code]

    assert len(codes) == len(set(codes))
    assert all(row.source for row in (*ROWS[:-1], *TOKEN_ROWS))


PUBLISHED = frozenset((Path(__file__).parent / "exception_codes.txt").read_text(encoding="utf-8").split())
"""`ExceptionCode` of the partner WSDL 48.0, as generated classes list it (dedeisep/salesforcePartnerWsdl480)."""


def codes_of(row):
    return row.code if isinstance(row.code, frozenset) else {row.code} if row.code else set()


def test_every_published_exception_code_has_a_row():
    assert len(PUBLISHED) == 213
    assert PUBLISHED - {code for row in ROWS for code in codes_of(row)} == set()


def test_a_row_whose_source_is_the_published_list_is_of_that_list():
    assert {code for row in ROWS if row.source == CODES for code in codes_of(row)} <= PUBLISHED


@pytest.mark.parametrize(("hours", "words"), [(24, "1 d behind"), (-24, "1 d ahead of"), (0.5, "30 min behind")])
def test_a_clock_that_is_off_is_named_with_its_difference(org, clock, hours, words):
    moment = format_datetime(clock.now() + timedelta(hours=hours), usegmt=True)
    org.login(400, {"error": "invalid_grant", "error_description": "invalid assertion"}, date=moment)

    with pytest.raises(errors.ClockWrong, match=words) as error_info:
        org.client().org_id()

    assert error_info.value.values["skew_seconds"] == pytest.approx(-3600 * hours)
    assert len(org.login_calls) == 1


def test_a_refused_login_with_clocks_that_agree_keeps_its_error(org, clock):
    moment = format_datetime(clock.now() + timedelta(seconds=30), usegmt=True)
    for _ in range(2):
        org.login(400, {"error": "invalid_grant", "error_description": "invalid assertion"}, date=moment)

    with pytest.raises(errors.AssertionRefused):
        org.client().org_id()


def test_a_short_text_and_the_title_of_a_page_are_quoted(org):
    org.then(404, b"upstream connect error").then(404, b"<html><head><title>No\n route</title>")

    for words in ("'upstream connect error'", "with the title 'No route'"):
        with pytest.raises(errors.ResourceNotFound, match=words):
            list(org.client().read(QUERY))


@pytest.mark.parametrize("code", ["INVALID_SESSION_ID", "INVALID_AUTH_HEADER", "INVALID_JWT_FORMAT"])
def test_a_token_that_worked_is_renewed_whatever_the_code_of_its_end(org, code):
    org.then(200, PAGE).then(401, complaint(code)).then(200, PAGE)
    client = org.client()

    assert [len(list(client.read(QUERY))) for _ in range(2)] == [1, 1]
    assert len(org.login_calls) == 2


@pytest.mark.parametrize("charset", ["ISO-8859-1", "'latin1'", "windows-1252"])
def test_a_declared_latin_1_is_read_as_such(org, charset):
    body = '{"totalSize": 1, "done": true, "records": [{"Name": "Köln"}]}'
    org.then(200, body.encode("latin-1"), content_type=f"application/json; charset={charset}")
    org.then(200, body.encode(), content_type=f"application/json; charset={charset}")

    pages = [page for _ in range(2) for page in org.client().read(QUERY)]

    assert [bytes(page.records).decode() for page in pages] == ['[{"Name": "Köln"}]'] * 2
    assert [page.repaired for page in pages] == [0, 0]


def test_a_composite_that_is_refused_as_a_whole_is_done_without_at_once(org):
    refusal = [{"errorCode": "LIMIT_EXCEEDED", "message": "The request can't contain more than 25 operations."}]
    org.then(200, {"compositeResponse": [{"body": refusal, "httpStatusCode": 400, "referenceId": None}]})
    org.then(200, {"totalSize": 1, "done": True, "records": [{"expr0": 3}]})

    assert org.client().ask([QUERY]) == [{"expr0": 3}]
    assert len(org.data_calls) == 2
