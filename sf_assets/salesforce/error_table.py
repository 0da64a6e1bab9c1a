"""What each refusal of Salesforce means: one table from status and errorCode to an error and whether to try again.

The text of a message decides only where Salesforce gives two meanings to one code, and then stands in the table.
"""

from dataclasses import dataclass
from enum import Enum

from sf_assets.errors import (
    AccessDenied,
    AnswerTorn,
    ApiDisabled,
    AssertionExpired,
    AssertionRefused,
    AudienceRefused,
    ConsumerKeyUnknown,
    FieldInvalid,
    ForeignAddress,
    HostUnreachable,
    LocatorLost,
    LoginError,
    LoginRateExceeded,
    ObjectUnavailable,
    OrgBusy,
    OrgInactive,
    QueryRefused,
    QueryTimedOut,
    QueryTooLarge,
    QuotaSpent,
    ResourceNotFound,
    SalesforceError,
    SessionRefused,
    UserInactive,
    UserNotApproved,
)


class Retry(Enum):
    """What the client does about a refusal before it raises the error."""

    NEVER = "never"
    FAULT = "after a growing pause with jitter"
    PUSHBACK = "at a lower rate, after Retry-After"
    LOGIN = "once, after a new login, if the token had worked before"


@dataclass(frozen=True)
class Row:
    """One refusal: `status` (None: any), `code` (None: any) and, where one code has two meanings, a piece of its text.

    `attempts` bounds the sendings of one request; None leaves them to the bound in time.
    """

    status: int | range | None
    code: str | None
    error: type[SalesforceError]
    retry: Retry = Retry.NEVER
    attempts: int | None = None
    text: str | None = None
    when: str = ""
    remedy: str | None = None

    def fits(self, status: int, code: str, text: str) -> bool:
        is_status = self.status is None or (
            status in self.status if isinstance(self.status, range) else status == self.status
        )
        is_code = self.code is None or code == self.code
        return is_status and is_code and (self.text is None or self.text.lower() in text.lower())


NO_CODE = ""
"""The code of an answer whose body is not Salesforce's JSON: a page of HTML, or nothing."""

_GONE = "Check SALESFORCE_INSTANCE_URL: an org that was deleted or moved answers this for ever; else try later."
_EXEMPT = "Give the integration user 'Exempt from Transaction Security', or mend the org's transaction security policy."

ROWS: tuple[Row, ...] = (
    Row(None, "no connection", HostUnreachable, Retry.FAULT, 5, when="no connection: DNS, firewall, TLS, refused"),
    Row(None, "time-out", HostUnreachable, Retry.FAULT, 3, when="no answer in time, or one that dribbles"),
    Row(
        None,
        "torn answer",
        AnswerTorn,
        Retry.FAULT,
        6,
        when="reset in mid-body, gzip that breaks, cut JSON, wrong shape",
    ),
    Row(range(200, 300), None, AnswerTorn, Retry.FAULT, 6, when="a good status with HTML, an empty or a foreign body"),
    Row(range(300, 400), None, ForeignAddress, when="a redirect: never followed, the bearer token stays here"),
    # One errorCode, two meanings; the text begins with the limit's name (Limits guide; OrgCheck#181 and #432)
    Row(
        None,
        "REQUEST_LIMIT_EXCEEDED",
        OrgBusy,
        Retry.PUSHBACK,
        text="Concurrent",
        when="too many long requests at once",
    ),
    Row(None, "REQUEST_LIMIT_EXCEEDED", QuotaSpent, when="the day's API calls are used up"),
    Row(None, "UNABLE_TO_LOCK_ROW", OrgBusy, Retry.FAULT, 6, when="a record is being written"),
    Row(
        None,
        "TXN_SECURITY_METERING_ERROR",
        AccessDenied,
        Retry.FAULT,
        3,
        when="a security policy is too slow",
        remedy=_EXEMPT,
    ),
    Row(400, "INVALID_FIELD", FieldInvalid, when="a column is missing, or hidden by field-level security"),
    Row(400, "INVALID_TYPE", ObjectUnavailable, when="the object is not there, its feature is off, or no access"),
    Row(400, "INVALID_QUERY_LOCATOR", LocatorLost, when="the cursor is gone: ask the query anew"),
    Row(400, "QUERY_TIMEOUT", QueryTimedOut, when="the query ran too long: ask a smaller range"),
    Row(400, "OPERATION_TOO_LARGE", QueryTooLarge, when="Task or Event without View All Data"),
    Row(400, "QUERY_TOO_COMPLICATED", QueryTooLarge, when="too long or too many formulas"),
    Row(400, "EXCEEDED_ID_LIMIT", QueryTooLarge, when="more than 600,000 Ids in one answer"),
    Row(400, "MALFORMED_QUERY", QueryRefused, when="the SOQL is wrong"),
    Row(400, "INVALID_QUERY_FILTER_OPERATOR", QueryRefused, when="a filter does not fit its column"),
    Row(400, "NUMBER_OUTSIDE_VALID_RANGE", QueryRefused, when="a number in the SOQL is out of range"),
    Row(400, NO_CODE, OrgBusy, Retry.PUSHBACK, 6, when="HTML 'Access Declined': too many parallel calls from one page"),
    Row(400, None, QueryRefused, when="any other refusal of a request"),
    # These two texts come back after any number of new logins (jsforce keeps the same two)
    Row(
        401,
        None,
        SessionRefused,
        text="not valid for use with the REST API",
        when="the app's or an IP policy forbids the session",
    ),
    Row(
        401,
        None,
        SessionRefused,
        text="Connected app is not attached to Agent",
        when="the app may not be used by this user",
    ),
    Row(401, "INVALID_AUTH_HEADER", SessionRefused, when="the header is malformed: a proxy changes it"),
    Row(401, None, SessionRefused, Retry.LOGIN, when="the session has ended"),
    Row(403, "API_DISABLED_FOR_ORG", ApiDisabled, when="the edition has no API"),
    Row(403, "API_CURRENTLY_DISABLED", ApiDisabled, when="the user lacks API Enabled"),
    Row(403, "FUNCTIONALITY_NOT_ENABLED", AccessDenied, when="the feature is off"),
    Row(403, "INSUFFICIENT_ACCESS", AccessDenied, when="the right is missing"),
    Row(403, None, AccessDenied, when="any other 403, also one without Salesforce's body"),
    Row(404, None, ResourceNotFound, when="unknown sObject in a path, wrong version, wrong host"),
    Row(405, None, ResourceNotFound, when="the path does not take this method"),
    Row(406, None, OrgBusy, Retry.FAULT, 6, when="seen on queries, without a body"),
    Row(408, None, OrgBusy, Retry.FAULT, 6, when="the request came too slowly"),
    Row(414, None, QueryTooLarge, when="the URI passes 16,384 bytes"),
    Row(431, None, QueryTooLarge, when="URI and headers pass 16,384 bytes"),
    Row(420, None, OrgBusy, Retry.FAULT, 3, when="HTML: Salesforce's edge has no route to the org yet", remedy=_GONE),
    Row(429, None, OrgBusy, Retry.PUSHBACK, when="too many requests"),
    Row(501, None, ResourceNotFound, when="this gateway does not know the path"),
    Row(503, None, OrgBusy, Retry.PUSHBACK, when="SERVER_UNAVAILABLE: overload or maintenance, JSON or HTML"),
    Row(range(500, 600), None, OrgBusy, Retry.FAULT, 6, when="a server fault; its text ends in a number for support"),
    Row(None, None, SalesforceError, when="anything else"),
)

TOKEN_ROWS: tuple[Row, ...] = (
    Row(None, "invalid_grant", UserNotApproved, text="approved this consumer", when="the app is not pre-authorized"),
    Row(None, "invalid_app_access", UserNotApproved, when="the user is not admin-approved for the app"),
    Row(None, "invalid_grant", AudienceRefused, text="audience", when="`aud` is wrong for this host"),
    Row(None, "invalid_grant", AssertionExpired, text="expired", when="the assertion had expired on arrival"),
    Row(None, "invalid_grant", UserInactive, text="user is locked", when="the user is locked"),
    Row(None, "invalid_grant", UserInactive, text="inactive user", when="the user is inactive"),
    Row(
        None,
        "invalid_grant",
        LoginRateExceeded,
        text="login rate exceeded",
        when="3,600 logins of this user in the hour",
    ),
    Row(None, "invalid_grant", AssertionRefused, when="bad signature, wrong certificate, unknown username"),
    Row(None, "invalid_client_id", ConsumerKeyUnknown, when="unknown or not yet propagated consumer key"),
    Row(None, "invalid_client", ConsumerKeyUnknown, when="unknown consumer key"),
    Row(None, "inactive_user", UserInactive, when="the user is inactive"),
    Row(None, "inactive_org", OrgInactive, when="the org is locked or closed"),
    Row(None, "rate_limit_exceeded", LoginRateExceeded, when="3,600 logins of this user in the hour"),
    Row(None, "login rate exceeded", LoginRateExceeded, when="the same in another spelling"),
    Row(400, NO_CODE, OrgBusy, Retry.FAULT, 3, when="a 400 that is not Salesforce's: a proxy's page"),
    Row(range(400, 404), None, LoginError, when="any other refusal: invalid_request, unsupported_grant_type, …"),
)


def row_for(status: int, code: str, text: str, *, is_login: bool) -> Row:
    """The first row that fits; the last row of the table fits everything."""
    rows = TOKEN_ROWS + ROWS if is_login else ROWS
    return next(row for row in rows if row.fits(status, code, text))
