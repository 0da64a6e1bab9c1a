"""The exchanges that read queries: a result page by page, and several aggregate queries in one call."""

import re
from collections.abc import Generator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote_plus

import msgspec

from sf_assets.errors import (
    AccessDenied,
    AnswerTorn,
    ApiDisabled,
    OrgBusy,
    QueryRefused,
    QueryTooLarge,
    ResourceNotFound,
    SalesforceError,
)
from sf_assets.salesforce.composite import QUERIES, SubAnswer, composite_if_served, error_of
from sf_assets.salesforce.instance_url import Address, read_link
from sf_assets.salesforce.wire import Capabilities, Flow, Page, Query, Request, Response, in_groups

URI_BYTES = 16_384
HEADERS_BYTES = 2_048
"""Kept free for the headers, which count too (431): the token above all."""
UNTOLD = -1
EMPTY_PAGES = 3
"""So many pages without a row may follow each other in a result that says it is not done."""
_LIST = re.compile(rb"\s*\[")
_EMPTY = re.compile(rb"\s*\[\s*\]\s*")
_OF_ONE = (QueryRefused, AccessDenied, ResourceNotFound, OrgBusy, AnswerTorn)
"""The errors that are an answer to one query of several, not the end of all."""
_OF_SOQL = frozenset({"MALFORMED_QUERY", "INVALID_QUERY_FILTER_OPERATOR", "NUMBER_OUTSIDE_VALID_RANGE"})


class QueryAnswer(msgspec.Struct):
    """The envelope of a page; its records stay bytes. Where `done` is not told, a page without a link is the last."""

    totalSize: int = UNTOLD
    done: bool | None = None
    records: msgspec.Raw = msgspec.Raw(b"")
    nextRecordsUrl: str | None = None

    def __post_init__(self) -> None:
        if self.done is None:
            self.done = not self.nextRecordsUrl
        if not _LIST.match(memoryview(self.records)):
            raise ValueError("records is no list")
        if not self.done and not self.nextRecordsUrl:
            raise ValueError("not done, but without a nextRecordsUrl")

    def behind(self, page: "QueryAnswer") -> "QueryAnswer":
        """This answer with the totalSize of the page before it, where it tells none."""
        return self if self.totalSize != UNTOLD else msgspec.structs.replace(self, totalSize=page.totalSize)

    @property
    def is_empty(self) -> bool:
        return _EMPTY.fullmatch(memoryview(self.records)) is not None


Stream = Generator[Request | Page, Response, None]


def pages(query: Query, *, address: Address, version: str, services: Capabilities) -> Stream:
    """The pages of a result, to the one that says `done`; yields the requests to send and, between them, the pages."""
    answer, sent_at = yield from first_page(query, version=version, services=services)
    seen: set[str] = set()
    number, empty = 1, 0
    while True:
        yield Page(answer.records, answer.totalSize, bool(answer.done), number, sent_at)
        if answer.done or answer.nextRecordsUrl is None:
            return
        empty = empty + 1 if answer.is_empty else 0
        link = read_link(answer.nextRecordsUrl, address=address)
        _refuse_endless(query, locator=link.locator, seen=seen, empty=empty)
        seen.add(link.locator)
        number += 1
        about = f"page {number} of {query.sobject}"
        reply = yield Request(link.path(version=version), QueryAnswer, "page", about=about)
        answer, sent_at = reply.content.behind(answer), reply.sent_at


def _refuse_endless(query: Query, *, locator: str, seen: set[str], empty: int) -> None:
    if locator in seen:
        raise AnswerTorn(f"{query.sobject}: nextRecordsUrl leads back to {locator}, a page that was read before")
    if empty >= EMPTY_PAGES:
        raise AnswerTorn(f"{query.sobject}: {empty} pages without a row, and still not done")


def first_page(query: Query, *, version: str, services: Capabilities) -> Flow[tuple[QueryAnswer, datetime]]:
    """Ask a query; where queryAll is not served, the same of /query, which is noted."""
    if query.all_rows and services.has("queryAll"):
        try:
            return (yield from _sent(query, version=version, services=services))
        except (ResourceNotFound, AccessDenied, QueryRefused) as error:
            if not _lacks_query_all(error):
                raise
            answer = yield from _sent(replace(query, all_rows=False), version=version, services=services)
            services.refuse("queryAll")
            return answer
    return (yield from _sent(replace(query, all_rows=False), version=version, services=services))


def _lacks_query_all(error: SalesforceError) -> bool:
    """Whether a refusal may be of queryAll and not of the query: then /query is asked, and its answer decides."""
    if isinstance(error, QueryRefused):
        return type(error) is QueryRefused and error.values.get("error_code") not in _OF_SOQL
    return isinstance(error, ResourceNotFound | AccessDenied) and not isinstance(error, ApiDisabled)


def _sent(query: Query, *, version: str, services: Capabilities) -> Flow[tuple[QueryAnswer, datetime]]:
    """Ask by GET, or inside a composite where the URI is too long for Salesforce or for a gateway before it."""
    path = query_path(query, version=version)
    if len(path) <= URI_BYTES - HEADERS_BYTES:
        try:
            reply = yield Request(path, QueryAnswer, "query", about=query.sobject, soql=query.soql)
        except QueryTooLarge as error:
            if error.values.get("status") not in (414, 431):
                raise
        else:
            return reply.content, reply.sent_at
    return (yield from _sent_inside(query, path, version=version, services=services))


def _sent_inside(
    query: Query, path: str, *, version: str, services: Capabilities
) -> Flow[tuple[QueryAnswer, datetime]]:
    about = query.sobject
    group = yield from composite_if_served([path], version=version, about=about, services=services, only_way=True)
    if group is None:
        raise QueryTooLarge(
            f"{about}: a URI of {len(path):,} bytes is too long, and composite, the way round, is not served; asked for"
            f" {query.soql[:1000]}",
            remedy="Exclude columns in the endpoint's row, or let the gateway pass POST /composite.",
        )
    (answer,), sent_at = group
    return _inner(answer, path, query), sent_at


def _inner(answer: SubAnswer, path: str, query: Query) -> QueryAnswer:
    error = error_of(answer, path, about=query.sobject, soql=query.soql)
    if error is not None:
        raise error
    try:
        return msgspec.json.decode(answer.body, type=QueryAnswer)
    except msgspec.DecodeError as cause:
        raise AnswerTorn(f"{query.sobject}: {cause}, asked for {query.soql}", url=path.partition("?")[0]) from None


def ask(
    queries: Sequence[Query], *, version: str, services: Capabilities
) -> Flow[list[dict[str, Any] | SalesforceError]]:
    """The one record of each aggregate query, or the error of that query; five to a call where composite is served."""
    told: list[dict[str, Any] | SalesforceError] = []
    for group in in_groups(list(queries), QUERIES):
        told += yield from _ask_group(group, version=version, services=services)
    return told


def _ask_group(
    group: list[Query], *, version: str, services: Capabilities
) -> Flow[list[dict[str, Any] | SalesforceError]]:
    sent = [replace(query, all_rows=query.all_rows and services.has("queryAll")) for query in group]
    paths = [query_path(query, version=version) for query in sent]
    answers = yield from composite_if_served(paths, version=version, about="aggregates", services=services)
    if answers is None:
        return (yield from _ask_singly(sent, version=version, services=services))
    told: list[dict[str, Any] | SalesforceError] = []
    for query, path, answer in zip(sent, paths, answers[0], strict=True):
        try:
            told.append(_record(_inner(answer, path, query)))
        except _OF_ONE as error:
            told.append(error)
    return (yield from _ask_again(sent, told, version=version, services=services))


def _ask_again(
    sent: list[Query], told: list[dict[str, Any] | SalesforceError], *, version: str, services: Capabilities
) -> Flow[list[dict[str, Any] | SalesforceError]]:
    """Where queryAll turned out not to be served, the same queries once more of /query."""
    errors = [(n, error) for n, error in enumerate(told) if sent[n].all_rows and isinstance(error, SalesforceError)]
    missed = [n for n, error in errors if _lacks_query_all(error)]
    if not missed:
        return told
    again = [replace(sent[n], all_rows=False) for n in missed]
    answers = yield from _ask_group(again, version=version, services=services)
    if not all(isinstance(answer, SalesforceError) for answer in answers):
        services.refuse("queryAll")
    for n, answer in zip(missed, answers, strict=True):
        told[n] = answer
    return told


def _ask_singly(
    queries: list[Query], *, version: str, services: Capabilities
) -> Flow[list[dict[str, Any] | SalesforceError]]:
    told: list[dict[str, Any] | SalesforceError] = []
    for query in queries:
        if not services.has("aggregates"):
            told.append(QueryRefused(f"{query.soql} was not asked: this org has answered another one with no record"))
            continue
        try:
            answer, _ = yield from first_page(query, version=version, services=services)
            told.append(_record(answer))
        except ApiDisabled:
            raise
        except (QueryRefused, AccessDenied, ResourceNotFound) as error:
            told.append(error)
        except (AnswerTorn, OrgBusy) as error:
            if isinstance(error, OrgBusy) and error.values.get("status") != 500:
                raise
            services.refuse("aggregates")
            told.append(error)
    return told


def _record(answer: QueryAnswer) -> dict[str, Any]:
    try:
        records = msgspec.json.decode(answer.records, type=list[dict[str, Any]])
    except msgspec.DecodeError as cause:
        raise AnswerTorn(f"an aggregate's record cannot be read: {cause}") from None
    if len(records) > 1:
        raise AnswerTorn(f"an aggregate has one record, and {len(records)} came: this org knows no aggregates")
    return {name: value for name, value in records[0].items() if name != "attributes"} if records else {}


def query_path(query: Query, *, version: str) -> str:
    """Path and encoded query of the GET that asks a query; its length is its bytes."""
    resource = "queryAll" if query.all_rows else "query"
    return f"/services/data/v{version}/{resource}?q={quote_plus(query.soql, safe=',()')}"
