"""Errors of the org, and of the network on the way to it."""

from sf_assets.errors.general import SfAssetsError


class SalesforceError(SfAssetsError):
    """An answer of the org, or of the network on the way. Values: `status`, `error_code`, `url` without its query."""

    remedy = "Look the errorCode up in docs/errors.md; if it is not there, report it with the message."


class LoginError(SalesforceError):
    """The token endpoint refused the login."""

    remedy = "Check consumer key, username, private key and instance URL against the app in Salesforce's Setup."


class ConsumerKeyUnknown(LoginError):
    """`invalid_client_id`: the org does not know this consumer key."""

    remedy = (
        "Copy the consumer key from the app's page in Setup, check that SALESFORCE_INSTANCE_URL is that org's My Domain"
        " host, and wait ten minutes after the app was created."
    )


class AppNotInstalled(LoginError):
    """`app_not_found`: the External Client App is not in this org, or it was asked for with another host's audience."""

    remedy = (
        "Create the External Client App in this org, or install it there. Leave SALESFORCE_LOGIN_AUDIENCE empty: these"
        " apps accept only the org's own My Domain as audience."
    )


class UserNotApproved(LoginError):
    """`user hasn't approved this consumer` or `invalid_app_access`: the app is not pre-authorized for this user."""

    remedy = (
        "In the app's policies choose 'Admin approved users are pre-authorized', give the user a profile or permission"
        " set of the app, and grant the scopes api and refresh_token."
    )


class UserInactive(LoginError):
    """The user is inactive, locked or frozen."""

    remedy = "Activate, unlock or unfreeze the integration user in Setup > Users."


class OrgInactive(LoginError):
    """The org is locked, closed or an expired trial."""

    remedy = "Ask the org's administrator or Salesforce support to reopen the org."


class AudienceRefused(LoginError):
    """The org accepts none of the audiences: a sandbox's key used on production, or the other way round."""

    remedy = (
        "Correct SALESFORCE_INSTANCE_URL. If it is the org's My Domain or your own gateway, set"
        " SALESFORCE_LOGIN_AUDIENCE to https://test.salesforce.com for a sandbox or https://login.salesforce.com for"
        " production."
    )


class AssertionRefused(LoginError):
    """The assertion was not accepted: unknown username, or a private key that does not match the app's certificate."""

    remedy = (
        "Check that SALESFORCE_USERNAME exists in this org (a sandbox's usernames end in the sandbox's name) and that"
        " the private key belongs to the certificate uploaded to the app."
    )


class AssertionExpired(LoginError):
    """The assertion had expired on arrival: this machine's clock is off by minutes."""

    remedy = "Set this machine's clock (NTP); the assertion is valid for three minutes."


class ClockWrong(LoginError):
    """The login was refused, and this machine's clock differs from the org's. Value `skew_seconds`."""

    remedy = "Set this machine's clock (NTP), then start again; the assertion of a login is valid for three minutes."


class CertificateExpired(LoginError):
    """The certificate of the app has expired."""

    remedy = "Create a new key pair, upload its certificate to the app, and store its private key."


class AddressRestricted(LoginError):
    """`ip restricted`: the user's profile or the app does not allow logins from this machine's IP address."""

    remedy = (
        "Add this machine's public address to the login IP ranges of the user's profile, or set the app's policy to"
        " 'Relax IP restrictions'."
    )


class LoginHoursRestricted(LoginError):
    """`restricted login hours`: the user's profile does not allow logins at this time."""

    remedy = "Extend the login hours of the user's profile in Setup, or run within them."


class LoginRateExceeded(LoginError):
    """The user logged in more often than 3,600 times within the hour."""

    remedy = "Wait an hour and find what logs in so often with this user: a run logs in once."


class SessionRefused(SalesforceError):
    """401 that a new login does not cure."""

    remedy = "Check the app's session and IP policies and the user's login hours in Setup; do not retry before."


class AccessDenied(SalesforceError):
    """403: the user lacks a right, or the org a feature."""

    remedy = "Give the integration user the right that the message names, by a permission set (docs/real-org.md)."


class ApiDisabled(AccessDenied):
    """The org's edition or the user has no API access."""

    remedy = "Grant 'API Enabled' to the integration user, or ask Salesforce to enable the REST API for this edition."


class ProxyRefused(AccessDenied):
    """A proxy or gateway between this machine and Salesforce refused the request: 407, or 403 with a web page."""

    remedy = (
        "Let the proxy pass the host of SALESFORCE_INSTANCE_URL. Set its user and password in HTTPS_PROXY, or add the"
        " host to NO_PROXY. If there is no proxy, check the org's IP and network restrictions."
    )


class QuotaSpent(SalesforceError):
    """The org's rolling 24-hour API quota is used up, or what is left is the reserve for others."""

    remedy = "Wait: calls come back over the next 24 hours and the next run resumes where this one stopped."


class QueryRefused(SalesforceError):
    """400 on a query."""

    remedy = "Paste the SELECT of the message into the org's developer console and correct the .soql file."


class FieldInvalid(QueryRefused):
    """`INVALID_FIELD`: a column is missing or hidden by field-level security. Value `columns`: the names, if any."""

    remedy = "Grant the integration user read access to the column, or exclude it in the endpoint's row."


class FilterRequired(QueryRefused):
    """The object cannot be read as a whole: Salesforce demands a filter, or does not allow queries of it."""

    remedy = "Give the endpoint a WHERE that filters as the message demands, or take the endpoint out."


class ObjectUnavailable(QueryRefused):
    """`INVALID_TYPE`: the object does not exist, its feature is off, or the user may not see it."""

    remedy = (
        "Switch the object's feature on in Setup, give the user read access, or take the endpoint out of"
        " SF_ASSETS_ENDPOINTS."
    )


class QueryTimedOut(QueryRefused):
    """`QUERY_TIMEOUT`: the same query will time out again; a smaller range may not."""

    remedy = "Narrow the endpoint's WHERE, or run it when the org is quiet."


class QueryTooLarge(QueryRefused):
    """`OPERATION_TOO_LARGE`, 414 or 431."""

    remedy = "Give the user 'View All Data' (Task and Event need it), or exclude columns in the endpoint's row."


class QueryTooComplicated(QueryTooLarge):
    """`QUERY_TOO_COMPLICATED`: the calculated columns of the object are too much for one query."""

    remedy = (
        "Exclude the longest formulas in the endpoint's row, or all formulas by `calculated: exclude` of the Salesforce"
        " resource."
    )


class LocatorLost(QueryRefused):
    """`INVALID_QUERY_LOCATOR`: the cursor of this result is gone; the query must be sent again."""

    remedy = "Run the endpoint again: it resumes from its last checkpoint."
    retryable = True


class ExternalSourceFailed(QueryRefused):
    """`EXTERNAL_OBJECT_EXCEPTION`: the external system of this object, or its connection, failed."""

    remedy = "Check the external data source in Setup, or take the endpoint out of SF_ASSETS_ENDPOINTS."
    retryable = True


class BulkJobFailed(SalesforceError):
    """A Bulk query job failed, was aborted, did not end in time, or its result is not complete."""

    remedy = "Run the endpoint again. If it recurs, set SF_ASSETS_BULK=never: then the object is read by REST."
    retryable = True


class ResourceNotFound(SalesforceError):
    """404 or 405: this org or gateway does not serve the path."""

    remedy = "Check SALESFORCE_INSTANCE_URL and that the org serves API version 60.0."


class ApiVersionRetired(SalesforceError):
    """410 `UNSUPPORTED_API_VERSION`: the org does not serve this version of the API any more."""

    remedy = "Upgrade sf_assets to a release that uses a newer API version; `sf-assets doctor` lists those of the org."


class ForeignAddress(SalesforceError):
    """A redirect, or a nextRecordsUrl, that leads to another host. The bearer token was not sent there."""

    remedy = "Set SALESFORCE_INSTANCE_URL to the org's own My Domain host; if it is right, a proxy rewrites answers."


class AnswerTorn(SalesforceError):
    """An answer that is not a complete Salesforce answer, after all tries: HTML, cut JSON, a page without records."""

    remedy = "Run the endpoint again; if it recurs, look for a proxy between this machine and Salesforce."
    retryable = True


class AnswerTooLarge(SalesforceError):
    """An answer that is larger than any honest one; it was not read to its end."""

    remedy = (
        "Exclude the longest text columns in the endpoint's row. If the object has none, something between this machine"
        " and Salesforce answers in its place."
    )


class HostUnreachable(SalesforceError):
    """The host did not answer, after all tries."""

    remedy = "Check SALESFORCE_INSTANCE_URL, DNS, firewall and proxy (HTTPS_PROXY, NO_PROXY) from this machine."
    retryable = True


class CertificateUntrusted(HostUnreachable):
    """The host's TLS certificate is not trusted, so nothing was sent."""

    remedy = (
        "If your company inspects TLS, set SSL_CERT_FILE to a file with its CA certificate; otherwise check"
        " SALESFORCE_INSTANCE_URL and this machine's clock."
    )
    retryable = False


class OrgBusy(SalesforceError):
    """Pushbacks (429, 503, concurrent limits) or server faults, after all tries."""

    remedy = "Wait: the next run resumes from the last checkpoint. See status.salesforce.com for the org's instance."
    retryable = True
