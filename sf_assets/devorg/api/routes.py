"""The routes of the API: which function answers which request."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from email.utils import format_datetime, parsedate_to_datetime

import msgspec

from sf_assets.devorg import api_errors
from sf_assets.devorg.api.bulk import BULK_ROUTES
from sf_assets.devorg.api.composite import composite_response
from sf_assets.devorg.api.describe import global_describe, object_describe
from sf_assets.devorg.api.messages import JSON, Request, Response
from sf_assets.devorg.api.query_pages import first_page, later_page
from sf_assets.devorg.api.replication import deleted_response, updated_response
from sf_assets.devorg.api_errors import Refusal
from sf_assets.devorg.org.faults import Fault
from sf_assets.devorg.org.org import Org
from sf_assets.devorg.org.refusal_catalog import data_refusal
from sf_assets.devorg.store.table import Table

FaultSource = Callable[[Request, str], Fault | None]
FROM = re.compile(r"\bFROM\s+(\w+)", re.IGNORECASE)


@dataclass(frozen=True)
class Route:
    """The route of a request: its kind, API version, and the name in its path."""

    kind: str
    version: str
    name: str


# kind, methods, path after /services/data/vNN.0
ROUTES: tuple[tuple[str, str, str], ...] = (
    ("query", "GET", r"/query/?"),
    ("queryAll", "GET", r"/queryAll/?"),
    ("more", "GET", r"/query(?:All)?/(?P<name>[^/]+)"),
    ("sobjects", "GET", r"/sobjects/?"),
    ("describe", "GET", r"/sobjects/(?P<name>[^/]+)/describe/?"),
    ("deleted", "GET", r"/sobjects/(?P<name>[^/]+)/deleted/?"),
    ("updated", "GET", r"/sobjects/(?P<name>[^/]+)/updated/?"),
    ("composite", "POST", r"/composite/?"),
    ("jobs", "GET|POST", r"/jobs/query/?"),
    ("job", "GET|PATCH|DELETE", r"/jobs/query/(?P<name>\w+)/?"),
    ("jobResults", "GET", r"/jobs/query/(?P<name>\w+)/results/?"),
    ("jobResultPages", "GET", r"/jobs/query/(?P<name>\w+)/resultPages/?"),
    ("limits", "GET", r"/limits/?"),
    ("recordCount", "GET", r"/limits/recordCount/?"),
    ("resources", "GET", r"/?"),
)
PREFIX = re.compile(r"/services/data/v(?P<version>\d+\.\d)(?P<rest>.*)", re.DOTALL)
COMPILED = tuple((kind, methods.split("|"), re.compile(pattern)) for kind, methods, pattern in ROUTES)
QUERIES = frozenset({"query", "queryAll"})


def find_route(request: Request) -> Route:
    """Return the route of a request.

    Raises:
        Refusal: 404 without a route, 405 if the path takes another method.
    """
    prefixed = PREFIX.fullmatch(request.path)
    if prefixed is None:
        raise api_errors.not_found()
    for kind, methods, pattern in COMPILED:
        match = pattern.fullmatch(prefixed["rest"])
        if match is not None:
            if request.method not in methods:
                raise api_errors.method_not_allowed(request.method, f"{', '.join(methods)}, HEAD")
            return Route(kind, prefixed["version"], match.groupdict().get("name", ""))
    raise api_errors.not_found()


def check_version(org: Org, version: str) -> None:
    """Raise 410 for a retired API version, 404 for an unknown one.

    Source: REST API guide, "API End-of-Life".
    """
    whole, _, part = version.partition(".")
    if int(whole) < org.behaviour.oldest_version:
        raise data_refusal("retired_version")
    if part != "0" or int(whole) > org.behaviour.newest_version:
        raise api_errors.not_found()


def kind_of(request: Request) -> str:
    """Return the kind of a data call for logs and faults; `unknown` without a route."""
    try:
        return find_route(request).kind
    except Refusal:
        return "unknown"


def sobject_of(request: Request) -> str | None:
    """Return the object that a request names, or None."""
    soql = request.body.decode("utf-8", "replace") if request.path.endswith("/jobs/query") else request.soql
    named = FROM.search(soql)
    if named is not None:
        return named[1]
    match = re.search(r"/sobjects/(\w+)", request.path)
    return match[1] if match is not None else None


def is_query(path: str) -> bool:
    """Return whether a path is a query, for composite's limit of five."""
    return kind_of(Request("GET", path, {}, {}, b"", "")) in QUERIES


# -- answering ----------------------------------------------------------------------------------------------------


def data_response(org: Org, request: Request, *, match_fault: FaultSource) -> Response:
    """Answer a data call or a subrequest, refusals included.

    `match_fault` returns the fault of a subrequest.
    """
    try:
        route = find_route(request)
        check_version(org, route.version)
        if route.kind in org.behaviour.unserved:
            raise _unserved(org, request)
        return _respond(org, request, route, match_fault=match_fault)
    except Refusal as refusal:
        return Response(refusal.status, refusal.body())


def _unserved(org: Org, request: Request) -> Refusal:
    if org.behaviour.unserved_status == 405:
        return api_errors.method_not_allowed(request.method, "HEAD")
    return api_errors.not_found()


def _respond(org: Org, request: Request, route: Route, *, match_fault: FaultSource) -> Response:
    if route.kind in QUERIES:
        return first_page(org, request, version=route.version, all_rows=route.kind == "queryAll")
    if route.kind == "more":
        return later_page(org, request, version=route.version, name=route.name)
    if route.kind == "composite":
        return composite_response(
            request, serve=lambda part: _part_response(org, part, match_fault=match_fault), is_query=is_query
        )
    with org.lock:
        if route.kind in BULK_ROUTES:
            return BULK_ROUTES[route.kind](org, request, route.version, route.name)
        return METADATA[route.kind](org, request, route)


def _part_response(org: Org, request: Request, *, match_fault: FaultSource) -> Response:
    fault = match_fault(request, kind_of(request))
    if fault is not None and fault.response_status is not None:
        return fault_response(fault, fault.response_status)
    if kind_of(request) == "composite":
        return Response(405, api_errors.method_not_allowed(request.method, "POST").body())
    return data_response(org, request, match_fault=match_fault)


def fault_response(fault: Fault, status: int) -> Response:
    """Return the answer of a fault that has a status."""
    return Response(status, fault.response_body(), fault.headers, "text/html" if fault.html else JSON)


# -- metadata -----------------------------------------------------------------------------------------------------


def _global(org: Org, request: Request, route: Route) -> Response:
    tables = sorted(org.visible_tables(), key=lambda table: table.schema.name)
    return Response(200, global_describe(tables, version=route.version))


def _describe(org: Org, request: Request, route: Route) -> Response:
    table = _visible(org, route.name)
    changed = {"Last-Modified": format_datetime(org.metadata_at.astimezone(UTC), usegmt=True)}
    since = request.headers.get("if-modified-since")
    if since is not None and org.metadata_at <= parsedate_to_datetime(since):
        return Response(304, b"", changed)
    return Response(200, object_describe(table, version=route.version), changed)


def _visible(org: Org, name: str) -> Table:
    table = org.visible_table(name)
    if table is None:
        raise api_errors.not_found()
    return table


def _limits(org: Org, request: Request, route: Route) -> Response:
    most = org.behaviour.daily_limit
    left = max(0, most - org.usage.used(org.now()))
    jobs = org.behaviour.bulk_jobs_per_day
    jobs_left = max(0, jobs - org.bulk_jobs.created_within_a_day(org.now()))
    limits = {
        "DailyApiRequests": {"Max": most, "Remaining": left},
        "DailyBulkV2QueryJobs": {"Max": jobs, "Remaining": jobs_left},
        "DailyBulkV2QueryFileStorageMB": {"Max": 976_562, "Remaining": 976_562},
    }
    return Response(200, msgspec.json.encode(limits))


def _record_count(org: Org, request: Request, route: Route) -> Response:
    tables = {table.schema.name.lower(): table for table in org.visible_tables()}
    names = request.parameters.get("sObjects", "")
    wanted = [name.strip().lower() for name in names.split(",")] if names else list(tables)
    counts = [_counted(tables[name]) for name in wanted if name in tables]
    return Response(200, msgspec.json.encode({"sObjects": counts}))


def _counted(table: Table) -> dict[str, object]:
    return {"count": len(table.rows) - len(table.deleted_keys), "name": table.schema.name}


def _resources(org: Org, request: Request, route: Route) -> Response:
    path = f"/services/data/v{route.version}"
    names = ("query", "queryAll", "sobjects", "composite", "limits", "jobs")
    return Response(200, msgspec.json.encode({name: f"{path}/{name}" for name in names}))


def versions_response(org: Org) -> Response:
    """Answer GET /services/data with the API versions; it needs no login."""
    served = range(org.behaviour.oldest_version, org.behaviour.newest_version + 1)
    listed = [{"label": release(n), "url": f"/services/data/v{n}.0", "version": f"{n}.0"} for n in served]
    return Response(200, msgspec.json.encode(listed))


def release(version: int) -> str:
    """Return the name of an API version's release: three a year; 59 was Winter '24."""
    years, season = divmod(version - 59, 3)
    return f"{('Winter', 'Spring', 'Summer')[season]} '{24 + years}"


def _deleted(org: Org, request: Request, route: Route) -> Response:
    return deleted_response(org, request, _visible(org, route.name))


def _updated(org: Org, request: Request, route: Route) -> Response:
    return updated_response(org, request, _visible(org, route.name))


METADATA: dict[str, Callable[[Org, Request, Route], Response]] = {
    "deleted": _deleted,
    "updated": _updated,
    "sobjects": _global,
    "describe": _describe,
    "limits": _limits,
    "recordCount": _record_count,
    "resources": _resources,
}
