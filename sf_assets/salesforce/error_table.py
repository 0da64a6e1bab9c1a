"""The table of Salesforce's refusals: from status and errorCode to an error, and whether to send the request again.

The status decides before the code where a gateway may speak (429, 503). The text of a message decides only where
Salesforce gives two meanings to one code; the piece of text is then in the table.
"""

from sf_assets import errors
from sf_assets.errors import SalesforceError
from sf_assets.salesforce.error_codes import (
    ACCESS_CODES,
    BAD_QUERY_CODES,
    EXTERNAL_CODES,
    MAINTENANCE_CODES,
    OTHER_CODES,
    PAGING_CODES,
    POLICY_BROKEN_CODES,
    SESSION_CODES,
    TOO_LARGE_CODES,
)
from sf_assets.salesforce.error_row import CODES, HTTP, LEADS_TO, LIMITS, NO_CODE, OWN, REST, STATUS_CODES, Retry, Row

_GONE = "Check SALESFORCE_INSTANCE_URL: an org that was deleted or moved answers this for ever; else try later."
EXEMPT = "Give the integration user 'Exempt from Transaction Security', or correct the org's policy."
_CACHE = "Look for a cache between this machine and Salesforce, and keep it from caching /services/data."
_KEY_GONE = (
    "Restore the tenant secret in Setup (Shield Platform Encryption), or exclude the object's encrypted columns."
)
_MAINTENANCE = "Wait until the maintenance ends (status.salesforce.com): the next run resumes from the last checkpoint."

_TRANSPORT_ROWS = (
    Row(
        0, "no connection", errors.HostUnreachable, Retry.FAULT, 5, when="DNS, firewall, connection refused",
        source=OWN,
    ),
    Row(0, "certificate", errors.CertificateUntrusted, when="TLS: the certificate is not trusted", source=OWN),
    Row(0, "proxy", errors.ProxyRefused, when="the proxy refuses the connection (403, 407)", source=OWN),
    Row(0, "time-out", errors.HostUnreachable, Retry.FAULT, 3, when="no whole answer in time", source=OWN),
    Row(
        0, "torn answer", errors.AnswerTorn, Retry.FAULT, 6,
        when="reset in mid-body, broken gzip, cut JSON, wrong shape", source=OWN,
    ),
    Row(0, "too large", errors.AnswerTooLarge, when="more decoded bytes than any honest answer", source=OWN),
)  # fmt: skip

MAINTENANCE_PAGE = Row(
    range(200, 300), NO_CODE, errors.OrgBusy, Retry.FAULT, 6, text="maintenance",
    when="a page that speaks of maintenance, with a good status", remedy=_MAINTENANCE, source="restforce#860",
)  # fmt: skip
STATUS_ROWS = (
    Row(429, None, errors.OrgBusy, Retry.PUSHBACK, when="too many requests, whatever the code", source=HTTP),
    Row(
        503, None, errors.OrgBusy, Retry.PUSHBACK,
        when="SERVER_UNAVAILABLE: overload or maintenance, JSON or HTML", source=REST,
    ),
    Row(407, None, errors.ProxyRefused, when="the proxy wants a user and a password", source=HTTP),
    MAINTENANCE_PAGE,
    Row(
        range(200, 300), None, errors.AnswerTorn, Retry.FAULT, 6,
        when="a good status with HTML, an empty or a foreign body", source=OWN,
    ),
    Row(
        range(300, 400), None, errors.ForeignAddress, text=LEADS_TO,
        when="a redirect: never followed, so that the token is sent nowhere else", source=HTTP,
    ),
    Row(
        range(300, 400), None, errors.AnswerTorn, Retry.FAULT, 3, remedy=_CACHE,
        when="a 3xx that leads nowhere: 304 of a cache that was asked for nothing it has", source=HTTP,
    ),
    Row(
        410, None, errors.ApiVersionRetired, when="UNSUPPORTED_API_VERSION: the version was retired",
        source="Help 005321531",
    ),
    Row(
        409, None, errors.BulkJobFailed, when="a Bulk query job was created with another API version",
        source="Bulk API 2.0 guide",
    ),
    Row(413, None, errors.QueryTooLarge, when="the request is too long for a gateway", source="restforce#75; RFC 9110"),
    Row(414, None, errors.QueryTooLarge, when="the URI is longer than 16,384 bytes", source=REST),
    Row(431, None, errors.QueryTooLarge, when="URI and headers are longer than 16,384 bytes", source=REST),
    Row(494, None, errors.QueryTooLarge, when="URI and headers are too long for nginx", source="nginx"),
    Row(
        421, NO_CODE, errors.OrgBusy, Retry.FAULT, 3,
        when="a gateway has sent the request to another host's server", source=HTTP,
    ),
    Row(
        425, NO_CODE, errors.OrgBusy, Retry.FAULT, 3, when="a gateway asks for it a little later",
        source="RFC 8470",
    ),
    Row(
        420, None, errors.OrgBusy, Retry.FAULT, 3,
        when="HTML: Salesforce's edge has no route to the org yet", remedy=_GONE, source="REST guide; jsforce",
    ),
)  # fmt: skip

LIMIT_ROWS = (
    # The text begins with the limit's name: "ConcurrentRequests (Concurrent API Requests) Limit exceeded."
    Row(
        None, "REQUEST_LIMIT_EXCEEDED", errors.OrgBusy, Retry.PUSHBACK, text="Concurrent",
        when="too many long requests at once", source=f"{LIMITS}; OrgCheck#432",
    ),
    Row(None, "REQUEST_LIMIT_EXCEEDED", errors.QuotaSpent, when="the day's API calls are used up", source=LIMITS),
    Row(
        None, frozenset({"TOO_MANY_APEX_REQUESTS", "DATACLOUD_API_SERVER_BUSY_EXCEPTION"}), errors.OrgBusy,
        Retry.PUSHBACK, when="too many requests at once", source=CODES,
    ),
    Row(None, "UNABLE_TO_LOCK_ROW", errors.OrgBusy, Retry.FAULT, 6, when="a record is being written", source=CODES),
    Row(
        None, MAINTENANCE_CODES, errors.OrgBusy, Retry.FAULT, 6,
        when="maintenance, or a service that is down for a while", remedy=_MAINTENANCE, source=CODES,
    ),
    Row(
        None, POLICY_BROKEN_CODES, errors.AccessDenied, Retry.FAULT, 3,
        when="a transaction security policy fails or is too slow", remedy=EXEMPT,
        source=f"{CODES}; airbyte, source-salesforce",
    ),
    Row(
        None, frozenset({"TXN_SECURITY_NO_ACCESS", "TXN_SECURITY_END_A_SESSION", "TXN_SECURITY_TWO_FA_REQUIRED"}),
        errors.AccessDenied, when="a transaction security policy blocks the user", remedy=EXEMPT, source=CODES,
    ),
)  # fmt: skip

_QUERY_ROWS = (
    Row(
        None, "INVALID_FIELD", errors.FieldInvalid, when="a column is missing, or hidden by field-level security",
        source=CODES,
    ),
    Row(
        None, frozenset({"INVALID_TYPE", "INVALID_TYPE_FOR_OPERATION"}), errors.ObjectUnavailable,
        when="the object is not there, its feature is off, or no access", source=CODES,
    ),
    Row(
        None, frozenset({"ENTITY_NOT_QUERYABLE", "BIG_OBJECT_UNSUPPORTED_OPERATION"}), errors.FilterRequired,
        when="the object cannot be queried like this", source=CODES,
    ),
    Row(
        None, "KEY_HAS_BEEN_DESTROYED", errors.QueryRefused, when="the key of encrypted columns was destroyed",
        remedy=_KEY_GONE, source=CODES,
    ),
    Row(
        None, frozenset({"INVALIDJOBSTATE", "INVALIDJOB"}), errors.BulkJobFailed,
        when="a Bulk query job is not in a state that allows the call", source="Bulk API 2.0 guide",
    ),
    Row(
        None, PAGING_CODES, errors.LocatorLost, when="the cursor is gone: the query is sent again",
        source=f"{CODES}; Bulk API 2.0 guide",
    ),
    Row(
        None, "QUERY_TIMEOUT", errors.QueryTimedOut, when="the query ran too long: a smaller range is read",
        source=CODES,
    ),
    Row(
        None, "REQUEST_RUNNING_TOO_LONG", errors.QueryTimedOut,
        when="the request ran too long: a smaller range is read", source=CODES,
    ),
    Row(
        None, "QUERY_TOO_COMPLICATED", errors.QueryTooComplicated, when="too long, or too many formulas",
        source=CODES,
    ),
    Row(
        None, "OPERATION_TOO_LARGE", errors.QueryTooLarge,
        when="more than 100,000 who/what's: Task or Event without View All Data", source="tap-salesforce#98",
    ),
    Row(
        None, TOO_LARGE_CODES, errors.QueryTooLarge,
        when="more Ids, objects, subqueries or bytes in one request than allowed", source=CODES,
    ),
    Row(
        None, "MALFORMED_QUERY", errors.FilterRequired, text="Implementation restriction",
        when="ContentDocumentLink, EntitySubscription and their like",
        source="Object reference, ContentDocumentLink",
    ),
    Row(
        None, "MALFORMED_QUERY", errors.FilterRequired, text="reified column",
        when="KnowledgeArticleVersion without a filter on its status",
        source="Object reference, KnowledgeArticleVersion",
    ),
    Row(
        None, BAD_QUERY_CODES, errors.QueryRefused,
        when="the SOQL is wrong, or a value or filter does not fit its column", source=CODES,
    ),
    Row(
        None, EXTERNAL_CODES, errors.ExternalSourceFailed, Retry.FAULT, 3,
        when="the external system of an external object fails", source=CODES,
    ),
)  # fmt: skip

_SESSION_ROWS = (
    # These two texts come back after any number of new logins
    Row(
        401, None, errors.SessionRefused, text="not valid for use with the REST API",
        when="the app's or an IP policy forbids the session", source="jsforce",
    ),
    Row(
        401, None, errors.SessionRefused, text="Connected app is not attached to Agent",
        when="the app may not be used by this user", source="jsforce",
    ),
    Row(
        None, SESSION_CODES, errors.SessionRefused, Retry.LOGIN,
        when="the session or the JWT-based token has ended, or a proxy changes the header",
        source=f"{CODES}; airbyte#71024",
    ),
    Row(
        403, NO_CODE, errors.SessionRefused, Retry.LOGIN, text="_OAuth_Token",
        when="Bad_OAuth_Token, Missing_OAuth_Token as plain text", source="Help, OAuth endpoints",
    ),
    Row(401, None, errors.SessionRefused, Retry.LOGIN, when="any other 401", source=REST),
)  # fmt: skip

_ACCESS_ROWS = (
    Row(None, "API_DISABLED_FOR_ORG", errors.ApiDisabled, when="the edition has no API", source=CODES),
    Row(
        None, "API_CURRENTLY_DISABLED", errors.ApiDisabled, text="disabled for this user",
        when="the user lacks API Enabled", source="issue reports",
    ),
    Row(
        None, "API_CURRENTLY_DISABLED", errors.OrgBusy, Retry.FAULT, 6,
        when="a system problem: the API is unavailable for a while", remedy=_MAINTENANCE, source=CODES,
    ),
    Row(
        None, frozenset({"FUNCTIONALITY_NOT_ENABLED", "CLIENT_NOT_ACCESSIBLE_FOR_USER", "UNSUPPORTED_CLIENT"}),
        errors.AccessDenied, when="the feature is off, or the app is blocked for this user", source=CODES,
    ),
    Row(
        None, ACCESS_CODES, errors.AccessDenied, when="the right is missing", source=f"{CODES}; {STATUS_CODES}",
    ),
    Row(
        None, frozenset({"LOGIN_DURING_RESTRICTED_DOMAIN", "MUTUAL_AUTHENTICATION_FAILED"}), errors.AddressRestricted,
        when="the session is used from an address or a client that the org does not allow", source=CODES,
    ),
    Row(
        None, "LOGIN_DURING_RESTRICTED_TIME", errors.LoginHoursRestricted, when="outside the login hours",
        source=CODES,
    ),
    Row(
        None, frozenset({"ORG_LOCKED", "TRIAL_EXPIRED", "ORG_IS_SIGNING_UP", "ORG_NOT_OWNED_BY_INSTANCE"}),
        errors.OrgInactive, when="the org is locked, expired, or not on this host", source=CODES,
    ),
    Row(None, "PASSWORD_LOCKOUT", errors.UserInactive, when="the user is locked", source=CODES),
    Row(
        None, "URL_NOT_RESET", errors.ForeignAddress, when="the session belongs to another host",
        source="amazon-connect-salesforce-lambda#12",
    ),
    Row(None, "UNSUPPORTED_API_VERSION", errors.ApiVersionRetired, when="the version was retired", source=CODES),
    Row(
        403, NO_CODE, errors.ProxyRefused, when="a 403 without Salesforce's body: a proxy's page",
        source="issue reports",
    ),
    Row(403, None, errors.AccessDenied, when="any other 403", source=REST),
    Row(None, "METHOD_NOT_ALLOWED", errors.ResourceNotFound, when="the path does not take this method", source=REST),
    Row(404, None, errors.ResourceNotFound, when="unknown sObject in a path, wrong version, wrong host", source=REST),
    Row(405, None, errors.ResourceNotFound, when="the path does not take this method", source=REST),
    Row(501, None, errors.ResourceNotFound, when="this gateway does not know the path", source=HTTP),
)  # fmt: skip

_LAST_ROWS = (
    Row(
        range(400, 500), OTHER_CODES, errors.QueryRefused,
        when="codes of writes and of other APIs; not expected on a read", source=f"{CODES}; {STATUS_CODES}",
    ),
    Row(
        400, NO_CODE, errors.OrgBusy, Retry.PUSHBACK, 6,
        when="HTML 'Access Declined': too many parallel calls from one address", source="OrgCheck#74",
    ),
    Row(400, None, errors.QueryRefused, when="any other refusal of a request", source=REST),
    Row(
        406, None, errors.OrgBusy, Retry.FAULT, 6, when="seen on queries, without a body",
        source="airbyte; tap-salesforce",
    ),
    Row(408, None, errors.OrgBusy, Retry.FAULT, 6, when="the request came too slowly", source=HTTP),
    Row(
        range(500, 600), None, errors.OrgBusy, Retry.FAULT, 6,
        when="a server fault; its text ends in an ErrorId for Salesforce support",
        source=REST,
    ),
    Row(
        range(400, 500), NO_CODE, errors.ProxyRefused,
        when="a refusal without Salesforce's body: a page of a gateway", source=HTTP,
    ),
    Row(None, None, SalesforceError, when="anything else"),
)  # fmt: skip

ROWS: tuple[Row, ...] = (
    *_TRANSPORT_ROWS, *STATUS_ROWS, *LIMIT_ROWS, *_QUERY_ROWS, *_SESSION_ROWS, *_ACCESS_ROWS, *_LAST_ROWS,
)  # fmt: skip
