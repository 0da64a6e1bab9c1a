"""Refusals by name, for faults: status, error code and message as Salesforce sends them.

Sources: REST API guide "Status Codes and Error Responses"; docs/devorg.md names the public report of each message.
"""

from sf_assets.devorg.api_errors import Refusal

DATA_REFUSALS: dict[str, tuple[int, str, str]] = {
    "daily_limit": (403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
    "concurrent_limit": (
        403,
        "REQUEST_LIMIT_EXCEEDED",
        "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
    ),
    "long_transactions": (403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentPerOrgLongTxn Limit exceeded."),
    "gateway_limit": (429, "REQUEST_LIMIT_EXCEEDED", "Too many requests."),
    "retired_version": (410, "UNSUPPORTED_API_VERSION", "The API version is no longer supported."),
    "too_complicated": (400, "QUERY_TOO_COMPLICATED", "Query is either selecting too many fields or too complicated."),
    "query_timeout": (400, "QUERY_TIMEOUT", "Your query request was running for too long."),
    "too_large": (400, "OPERATION_TOO_LARGE", "exceeded 100000 distinct who/what's"),
    "external_object": (
        400,
        "EXTERNAL_OBJECT_EXCEPTION",
        "We couldn’t connect to the external system. Try again later.",
    ),
    "row_lock": (400, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record"),
    "unknown_exception": (
        500,
        "UNKNOWN_EXCEPTION",
        "An unexpected error occurred. Please include this ErrorId if you contact support: 1234567890-12345"
        " (-987654321)",
    ),
    "server_unavailable": (503, "SERVER_UNAVAILABLE", "Server is too busy. Please try again later."),
    "no_composite": (403, "FUNCTIONALITY_NOT_ENABLED", "This feature is not currently enabled for this user."),
    "no_access": (403, "INSUFFICIENT_ACCESS", "insufficient access rights on cross-reference id"),
    "api_currently_disabled": (403, "API_CURRENTLY_DISABLED", "API is currently disabled for this user."),
    "bulk_disabled": (
        403,
        "FEATURENOTENABLED",
        "FeatureNotEnabled : The Bulk API is not enabled for this organization or user.",
    ),
}

QUERY_REFUSALS = frozenset({"query_timeout", "too_complicated", "too_large", "external_object"})
"""Refusals that only a query gets."""

LOGIN_REFUSALS: dict[str, tuple[str, str]] = {
    # passing: the same request works later (sfdx and Data Loader reports)
    "unknown_error": ("unknown_error", "retry your request"),
    "temporarily_unavailable": ("temporarily_unavailable", "The authorization server is busy. Please try again later."),
    # permanent, each with a remedy of its own
    "app_not_found": ("app_not_found", "External client app is not installed in this org"),
    "ip_restricted": ("invalid_grant", "ip restricted"),
    "login_hours": ("invalid_grant", "restricted login hours"),
    "user_locked": ("invalid_grant", "user is locked"),
    "inactive_user": ("inactive_user", "user is inactive"),
    "inactive_org": ("inactive_org", "organization is locked or closed"),
    "not_approved": ("invalid_grant", "user hasn't approved this consumer"),
    "not_admin_approved": ("invalid_app_access", "user is not admin approved to access this app"),
    "wrong_audience": ("invalid_grant", "audience is invalid"),
    "wrong_key": ("invalid_grant", "invalid assertion"),
    "expired_certificate": ("invalid_grant", "expired certificate"),
    "expired_assertion": ("invalid_grant", "expired authorization code"),
    "login_rate": ("invalid_grant", "login rate exceeded"),
    "unknown_app": ("invalid_client_id", "client identifier invalid"),
}


def data_refusal(name: str) -> Refusal:
    """Return a refusal of DATA_REFUSALS."""
    return Refusal(*DATA_REFUSALS[name])


def check_name(name: str) -> None:
    """Check a name of a refusal. Raises: ValueError with the known names."""
    if name not in DATA_REFUSALS and name not in LOGIN_REFUSALS:
        names = ", ".join(sorted({*DATA_REFUSALS, *LOGIN_REFUSALS}))
        raise ValueError(f"unknown refusal {name!r}; there are {names}")
