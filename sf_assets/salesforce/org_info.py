"""Flows that ask for facts about an org: API versions, list of objects, approximate numbers of rows, its Id."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

import msgspec

from sf_assets.errors import AccessDenied, ApiDisabled, QueryRefused, ResourceNotFound
from sf_assets.salesforce.capabilities import Capabilities
from sf_assets.salesforce.classify import decode
from sf_assets.salesforce.instance_url import Address
from sf_assets.salesforce.paging import first_page
from sf_assets.salesforce.wire import Flow, Query, Request


@dataclass(frozen=True)
class Listed:
    """An object in the list of objects, and what this user may do with its records."""

    name: str
    may_read: bool
    may_write: bool


class _Version(msgspec.Struct):
    version: str


class _ListedAnswer(msgspec.Struct):
    name: str
    queryable: bool = False
    createable: bool = False
    updateable: bool = False
    deletable: bool = False


class _ListAnswer(msgspec.Struct):
    sobjects: list[_ListedAnswer]


class _Count(msgspec.Struct):
    name: str
    count: int


class _CountsAnswer(msgspec.Struct):
    sObjects: list[_Count]


def versions() -> Flow[tuple[str, ...]]:
    """Return the API versions that the org serves, such as "60.0"."""
    response = yield Request("/services/data", list[_Version], "inventory", about="API versions")
    return tuple(entry.version for entry in response.content)


def objects(*, version: str) -> Flow[Mapping[str, Listed]]:
    """Return the objects that this user sees, by name; one call (describe-global)."""
    response = yield Request(f"/services/data/v{version}/sobjects", _ListAnswer, "inventory", about="list of objects")
    listed: list[_ListedAnswer] = response.content.sobjects
    return {
        entry.name: Listed(entry.name, entry.queryable, entry.createable or entry.updateable or entry.deletable)
        for entry in listed
    }


def record_counts(sobjects: Sequence[str], *, version: str) -> Flow[Mapping[str, int]]:
    """Return approximate numbers of rows, also for very large objects; one call."""
    names = quote(",".join(sobjects))
    path = f"/services/data/v{version}/limits/recordCount?sObjects={names}"
    response = yield Request(path, _CountsAnswer, "inventory", about="approximate numbers of rows")
    counts: list[_Count] = response.content.sObjects
    return {entry.name: entry.count for entry in counts}


class _Own(msgspec.Struct):
    Id: str


def org_id(address: Address, *, version: str, capabilities: Capabilities) -> Flow[str]:
    """Return the Id of the org's own record, for a login that names none.

    Where no such record is shown: a name made of the host, 15 characters that no Id has.
    """
    try:
        query = Query("Organization", "SELECT Id FROM Organization", all_rows=False)
        response = yield from first_page(query, version=version, capabilities=capabilities)
        records = decode(bytes(response.content.records), list[_Own])[0]
    except ApiDisabled:
        raise
    except (QueryRefused, AccessDenied, ResourceNotFound, ValueError):
        records = []
    return min((record.Id for record in records), default=f"~{hashlib.sha256(address.host.encode()).hexdigest()[:14]}")
