"""Flows that read the result of a query page by page."""

import re
from collections.abc import Generator
from dataclasses import replace
from datetime import datetime
from urllib.parse import quote_plus

import msgspec

from sf_assets.errors import AccessDenied, AnswerTorn, QueryRefused, QueryTooLarge, ResourceNotFound, SalesforceError
from sf_assets.salesforce.capabilities import Capabilities, Feature, is_query_all_in_doubt
from sf_assets.salesforce.classify import decode
from sf_assets.salesforce.composite import SubAnswer, composite_if_served
from sf_assets.salesforce.instance_url import Address, read_link
from sf_assets.salesforce.limits import HEADERS_BYTES, LONGEST_TEXT, URI_BYTES
from sf_assets.salesforce.wire import Flow, Page, Query, Request, Response

NO_TOTAL = -1
"""totalSize of a page without one."""
EMPTY_PAGES = 3
"""Pages without a row that may follow each other in a result that is not done."""
_LIST = re.compile(rb"\s*\[")
_EMPTY = re.compile(rb"\s*\[\s*\]\s*")


class QueryAnswer(msgspec.Struct):
    """The envelope of a page; its records stay bytes. Without `done`, a page without a link is the last."""

    totalSize: int | None = None
    done: bool | None = None
    records: msgspec.Raw = msgspec.Raw(b"")
    nextRecordsUrl: str | None = None

    def __post_init__(self) -> None:
        if self.totalSize is None:
            self.totalSize = NO_TOTAL
        if self.done is None:
            self.done = not self.nextRecordsUrl
        if not _LIST.match(memoryview(self.records)):
            raise ValueError("records is not a list")
        if not self.done and not self.nextRecordsUrl:
            raise ValueError("not done, but without a nextRecordsUrl")

    @property
    def is_empty(self) -> bool:
        """Whether the page has no row."""
        return _EMPTY.fullmatch(memoryview(self.records)) is not None

    def page(self, number: int, total_size: int, response: Response) -> Page:
        """Return the page; `total_size` is that of the page before, for an answer without one."""
        total = total_size if self.totalSize in (None, NO_TOTAL) else self.totalSize
        return Page(self.records, total or 0, bool(self.done), number, response.sent_at, response.repaired)


Stream = Generator[Request | Page, Response, None]


def pages(query: Query, *, address: Address, version: str, capabilities: Capabilities) -> Stream:
    """Yield the requests of a result and, between them, its pages."""
    response = yield from first_page(query, version=version, capabilities=capabilities)
    locators: set[str] = set()
    number, empty_pages, total_size = 1, 0, NO_TOTAL
    while True:
        answer: QueryAnswer = response.content
        page = answer.page(number, total_size, response)
        yield page
        if answer.done or answer.nextRecordsUrl is None:
            return
        total_size, empty_pages = page.total_size, empty_pages + 1 if answer.is_empty else 0
        link = read_link(answer.nextRecordsUrl, address=address)
        _refuse_endless(query, locator=link.locator, locators=locators, empty_pages=empty_pages)
        locators.add(link.locator)
        number += 1
        response = yield Request(
            link.path(version=version), QueryAnswer, "page", about=f"page {number} of {query.sobject}"
        )


def _refuse_endless(query: Query, *, locator: str, locators: set[str], empty_pages: int) -> None:
    if locator in locators:
        raise AnswerTorn(f"{query.sobject}: nextRecordsUrl leads back to {locator}, a page that was read before")
    if empty_pages >= EMPTY_PAGES:
        raise AnswerTorn(f"{query.sobject}: {empty_pages} pages without a row, and the result is not done")


def first_page(query: Query, *, version: str, capabilities: Capabilities) -> Flow[Response]:
    """Send a query; return its answer with a `QueryAnswer` as content.

    Where queryAll is not served, /query is asked instead.
    """
    if query.all_rows and capabilities.has(Feature.QUERY_ALL, of=query.sobject):
        try:
            response = yield from _send(query, version=version, capabilities=capabilities)
        except (ResourceNotFound, AccessDenied, QueryRefused) as error:
            if not is_query_all_in_doubt(error):
                raise
            live_rows = replace(query, all_rows=False)
            response = yield from _send(live_rows, version=version, capabilities=capabilities)
            mark_query_all(error, query.sobject, capabilities)
            return response
        capabilities.mark_served(Feature.QUERY_ALL, of=query.sobject)
        return response
    return (yield from _send(replace(query, all_rows=False), version=version, capabilities=capabilities))


def mark_query_all(error: SalesforceError, sobject: str, capabilities: Capabilities) -> None:
    """Record that queryAll was refused where /query answered. A path that is not there is so for all objects."""
    if type(error) is ResourceNotFound:
        capabilities.mark_missing(Feature.QUERY_ALL)
    else:
        capabilities.mark_missing_of(sobject, Feature.QUERY_ALL)


def _send(query: Query, *, version: str, capabilities: Capabilities) -> Flow[Response]:
    """Send a query by GET, or inside a composite where the URI is too long."""
    path = query_path(query, version=version)
    if len(path) <= URI_BYTES - HEADERS_BYTES:
        try:
            return (yield Request(path, QueryAnswer, "query", about=query.sobject, soql=query.soql))
        except QueryTooLarge as error:
            if error.values.get("status") not in (413, 414, 431, 494):
                raise
    return (yield from _send_in_composite(query, path, version=version, capabilities=capabilities))


def _send_in_composite(query: Query, path: str, *, version: str, capabilities: Capabilities) -> Flow[Response]:
    about = query.sobject
    group = yield from composite_if_served(
        [path], version=version, about=about, capabilities=capabilities, only_way=True
    )
    if group is None:
        raise QueryTooLarge(
            f"{about}: a URI of {len(path):,} bytes is too long, and POST /composite, which takes long queries, is not"
            f" served; asked for {query.soql[:1000]}",
            remedy="Exclude columns in the endpoint's row, or let the gateway pass POST /composite.",
        )
    (answer,), sent_at = group
    return inner_response(answer, path, query, sent_at=sent_at)


def inner_response(answer: SubAnswer, path: str, query: Query, *, sent_at: datetime) -> Response:
    """Return one answer of a composite as an answer of its own; raises its error."""
    error = answer.error(path, about=query.sobject, soql=query.soql)
    if error is not None:
        raise error
    try:
        content, repaired = decode(bytes(answer.body), QueryAnswer)
    except ValueError as cause:
        what = f"{query.sobject}: {cause}, asked for {query.soql[:LONGEST_TEXT]}"
        raise AnswerTorn(what, url=path.partition("?")[0]) from None
    return Response(answer.httpStatusCode, {}, b"", sent_at, content, repaired)


def query_path(query: Query, *, version: str) -> str:
    """Return path and encoded query of the GET; its length is its bytes."""
    resource = "queryAll" if query.all_rows else "query"
    return f"/services/data/v{version}/{resource}?q={quote_plus(query.soql, safe=',()')}"
