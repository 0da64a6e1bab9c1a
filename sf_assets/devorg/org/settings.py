"""All settings of the practice org in one frozen value: `org.behave(page_rows=200)` changes them."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal


@dataclass(frozen=True)
class Behaviour:
    """How the org answers. The defaults are what a production org does."""

    # pages
    page_rows: int = 2_000  # the most rows of a page, whatever batchSize asks for
    short_pages: tuple[int, ...] = ()  # page sizes to take in turn, below page_rows and batchSize
    locator_rows: Literal["live", "frozen", "offset"] = "live"  # what later pages show of rows changed meanwhile
    locator_seconds: float = 172_800.0  # the life of a nextRecordsUrl: two days
    next_url: Literal["path", "full"] = "path"  # the form of nextRecordsUrl
    next_url_host: str | None = None  # with `full`: a host that is not the org's, such as https://evil.example
    timeout_rows: int | None = None  # a query that finds more rows is 400 QUERY_TIMEOUT
    formulas_per_query: int | None = None  # a query of more calculated columns is 400 QUERY_TOO_COMPLICATED
    ignored_clauses: frozenset[str] = frozenset()  # of lower_bounds, upper_bounds, limit: no error
    # quota, sessions, limits
    daily_limit: int = 100_000  # calls in 24 hours; further ones are 403 REQUEST_LIMIT_EXCEEDED
    limit_info: Literal["plain", "per_app", "none"] = "plain"  # the form of Sforce-Limit-Info
    requests_per_second: float | None = None  # a gateway that answers 429 with Retry-After above this pace
    session_seconds: float = 7_200.0  # a session dies this long after its last use
    sessions_refused: bool = False  # every session is 401: what a new login does not cure
    uri_bytes: int = 16_384  # longer URIs are 414, URI and headers together 431
    # Bulk API 2.0 query jobs
    bulk_enabled: bool = True
    bulk_queue_seconds: float = 0.0  # a job waits this long in UploadComplete
    bulk_run_seconds: float = 0.0  # and runs this long in InProgress; its rows are read when it starts
    bulk_jobs_at_once: int = 15  # further jobs wait in UploadComplete
    bulk_error: str | None = None  # jobs created from now on end as Failed with this errorMessage
    bulk_page_rows: int = 100_000  # the most rows of a page of results, whatever maxRecords asks for
    bulk_header: Literal["every", "first"] = "every"  # which pages of results begin with the header line
    bulk_jobs_per_day: int = 10_000  # more jobs in 24 hours are LIMIT_EXCEEDED
    bulk_unsupported: frozenset[str] = frozenset()  # objects that the Bulk API does not read
    # replication: /deleted and /updated
    replication_ids: int = 600_000  # more Ids in one answer are 400 EXCEEDED_ID_LIMIT
    oldest_transaction_seconds: float = 0.0  # latestDateCovered ends where the oldest running transaction began
    trimmed_log: Literal["shortened", "refused"] = "shortened"  # what a start before a trimmed log gets
    # login
    app_kind: Literal["connected", "generic", "external"] = "connected"  # which audiences the app accepts
    my_domain: str | None = None  # a further My Domain origin of this org, such as https://acme.my.salesforce.com
    login_refusal: str | None = None  # refuse each login by this name of LOGIN_REFUSALS
    sandbox: bool = False  # the audience is test.salesforce.com
    app_known: bool = True
    user_approved: bool = True
    user_admin_approved: bool = True
    user_active: bool = True
    user_locked: bool = False
    org_active: bool = True
    login_rate_exceeded: bool = False
    instance_url: str | None = None  # a different instance_url in the token's answer
    # what is served at all
    unserved: frozenset[str] = frozenset()  # kinds of requests (docs/devorg.md) that this org or gateway refuses
    unserved_status: Literal[404, 405] = 404
    oldest_version: int = 31  # older API versions are retired: 410
    newest_version: int = 67
    api_enabled: bool = True  # False: 403 API_DISABLED_FOR_ORG
    gzip: bool = True
    latency_seconds: float = 0.0  # each data call takes at least this long
    # data
    cascade: Literal["restamped", "silent", "unlogged", "none"] = "restamped"  # what deleting a parent does to children


def behaviour_from(settings: Mapping[str, Any]) -> Behaviour:
    """Return settings from JSON.

    Raises:
        ValueError: A name is unknown; the message lists the known ones.
    """
    if not isinstance(settings, Mapping):
        raise ValueError("the behaviour must be a JSON object")
    names = {field.name for field in fields(Behaviour)}
    unknown = sorted(set(settings) - names)
    if unknown:
        raise ValueError(f"unknown behaviour {', '.join(unknown)}; there are {', '.join(sorted(names))}")
    shaped = {"short_pages": tuple, "unserved": frozenset, "bulk_unsupported": frozenset, "ignored_clauses": frozenset}
    return Behaviour(**{name: shaped.get(name, _as_is)(value) for name, value in settings.items()})


def _as_is(value: Any) -> Any:
    return value
