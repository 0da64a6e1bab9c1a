"""The table of refused logins, and the search in both tables."""

from collections.abc import Sequence

from sf_assets import errors
from sf_assets.salesforce.error_row import NO_CODE, OAUTH, Retry, Row
from sf_assets.salesforce.error_table import LIMIT_ROWS, MAINTENANCE_PAGE, ROWS, STATUS_ROWS

_REFUSED = range(400, 404)
_OTHER_HOST = (
    "Check the spelling of SALESFORCE_INSTANCE_URL: a mistyped host can belong to another company. If it is right, look"
    " for a proxy or a sign-in page between this machine and Salesforce."
)
_NO_JWT = (
    "Check that SALESFORCE_INSTANCE_URL is the org's My Domain host, and that no gateway in between changes the body of"
    " the login."
)
TOKEN_ROWS: tuple[Row, ...] = (
    Row(
        None, frozenset({"unknown_error", "temporarily_unavailable", "server_error"}), errors.OrgBusy, Retry.FAULT, 6,
        when="'retry your request': passes", source="RFC 6749; salesforcecli/cli#2888",
    ),
    Row(
        None, "app_not_found", errors.AppNotInstalled, when="an External Client App, and a generic audience",
        source="forcedotcom/cli#3482",
    ),
    Row(
        _REFUSED, None, errors.UserNotApproved, text="approved this consumer", when="the app is not pre-authorized",
        source=OAUTH,
    ),
    Row(
        None, frozenset({"invalid_app_access", "invalid_app_acess"}), errors.UserNotApproved,
        when="the user is not admin-approved for the app", source=OAUTH,
    ),
    Row(_REFUSED, None, errors.AudienceRefused, text="audience", when="`aud` is wrong for this host", source=OAUTH),
    Row(
        _REFUSED, None, errors.AddressRestricted, text="ip restricted",
        when="the IP ranges of the profile or the app", source=OAUTH,
    ),
    Row(
        _REFUSED, None, errors.LoginHoursRestricted, text="restricted login hours", when="outside the login hours",
        source=OAUTH,
    ),
    Row(
        _REFUSED, None, errors.CertificateExpired, text="certificate", when="the app's certificate has expired",
        source=OAUTH,
    ),
    Row(
        _REFUSED, None, errors.ConsumerKeyUnknown, text="client credentials",
        when="authentication failure - invalid client credentials", source="salesforcedictionary.com",
    ),
    Row(_REFUSED, None, errors.UserInactive, text="user is locked", when="the user is locked", source=OAUTH),
    Row(_REFUSED, None, errors.UserInactive, text="frozen", when="the user is frozen", source=OAUTH),
    Row(_REFUSED, None, errors.UserInactive, text="inactive user", when="the user is inactive", source=OAUTH),
    Row(
        _REFUSED, None, errors.LoginRateExceeded, text="rate exceeded", when="3,600 logins of this user in the hour",
        source="restforce#412",
    ),
    Row(
        _REFUSED, None, errors.LoginRateExceeded, text="rate limit exceeded", when="the same in other words",
        source="restforce#412",
    ),
    Row(
        None, "invalid_grant", errors.AssertionExpired, text="expired", when="the assertion had expired on arrival",
        source="SE 282513",
    ),
    Row(
        None, "invalid_grant", errors.AssertionRefused,
        when="bad signature, wrong certificate, unknown username", source=OAUTH,
    ),
    Row(None, "invalid_client_id", errors.ConsumerKeyUnknown, when="unknown consumer key, or a new one", source=OAUTH),
    Row(None, "invalid_client", errors.ConsumerKeyUnknown, when="unknown consumer key", source=OAUTH),
    Row(None, "inactive_user", errors.UserInactive, when="the user is inactive", source=OAUTH),
    Row(None, "inactive_org", errors.OrgInactive, when="the org is locked or closed", source=OAUTH),
    Row(
        None, frozenset({"rate_limit_exceeded", "login rate exceeded"}), errors.LoginRateExceeded,
        when="3,600 logins of this user in the hour", source=OAUTH,
    ),
    Row(
        None, "unsupported_grant_type", errors.LoginError, when="the host does not offer the JWT bearer flow",
        remedy=_NO_JWT, source="aaronhuggins/sf-jwt-token#1",
    ),
    Row(
        range(200, 300), NO_CODE, errors.AnswerTorn, Retry.FAULT, 3, text="HTML", when="a web page instead of a token",
        remedy=_OTHER_HOST, source="newrelic-salesforce-exporter#6",
    ),
    Row(
        400, NO_CODE, errors.OrgBusy, Retry.FAULT, 3, when="a 400 that is not Salesforce's: a proxy's page",
        source="issue reports",
    ),
    Row(
        403, NO_CODE, errors.ProxyRefused, when="a 403 that is not Salesforce's: a proxy's page",
        source="issue reports",
    ),
    *LIMIT_ROWS,
    Row(
        _REFUSED, None, errors.LoginError,
        when="any other refusal: invalid_request, unsupported_grant_type, …", source=OAUTH,
    ),
)  # fmt: skip


def row_for(status: int, code: str, text: str, *, is_login: bool) -> Row:
    """Return the first row that fits; the last row of the table fits everything."""
    if is_login and status != 0:
        return _first([*_before_token_rows(status), *TOKEN_ROWS, *ROWS], status, code, text)
    return _first(ROWS, status, code, text)


def _before_token_rows(status: int) -> Sequence[Row]:
    """Return the rows that come before those of logins."""
    if status < 400:
        return (MAINTENANCE_PAGE,)
    return STATUS_ROWS if status >= 404 else ()


def _first(rows: Sequence[Row], status: int, code: str, text: str) -> Row:
    return next(row for row in rows if row.fits(status, code, text))
