"""The flow that asks aggregate queries (COUNT, MAX), several in one call."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec

from sf_assets.errors import AnswerTorn, QueryRefused, SalesforceError
from sf_assets.salesforce.capabilities import (
    TROUBLES_IN_A_ROW,
    Capabilities,
    Feature,
    concerns_all,
    concerns_one,
    is_query_all_in_doubt,
    is_trouble,
)
from sf_assets.salesforce.classify import decode
from sf_assets.salesforce.composite import SubAnswer, composite_if_served
from sf_assets.salesforce.limits import COMPOSITE_QUERIES
from sf_assets.salesforce.paging import first_page, inner_response, mark_query_all, query_path
from sf_assets.salesforce.wire import Flow, Query, in_groups

Record = dict[str, Any] | SalesforceError
MOST_ROWS = 10**15
"""A larger number is not a count of rows."""


def row_count(values: Iterable[object]) -> int | None:
    """Return the first number of rows among an answer's values, or None.

    Some gateways answer a count as text or as a float, or under another name.
    """
    for value in values:
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= len(str(MOST_ROWS)):
            value = int(value)  # noqa: PLW2901
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MOST_ROWS:
            return int(value) if value == int(value) else None
    return None


def ask(queries: Sequence[Query], *, version: str, capabilities: Capabilities) -> Flow[list[Record]]:
    """Return the record of each aggregate query, or its error.

    Five queries go into a call where composite is served."""
    records: list[Record] = []
    for group in in_groups(list(queries), COMPOSITE_QUERIES):
        records += yield from _ask_group(group, version=version, capabilities=capabilities)
    return records


def _ask_group(group: list[Query], *, version: str, capabilities: Capabilities) -> Flow[list[Record]]:
    sent = [
        replace(query, all_rows=query.all_rows and capabilities.has(Feature.QUERY_ALL, of=query.sobject))
        for query in group
    ]
    paths = [query_path(query, version=version) for query in sent]
    answers = yield from composite_if_served(paths, version=version, about="aggregates", capabilities=capabilities)
    if answers is None:
        return (yield from _ask_singly(sent, version=version, capabilities=capabilities))
    triples = zip(sent, paths, answers[0], strict=True)
    records = [_inner_record(answer, path, query, answers[1]) for query, path, answer in triples]
    if all(isinstance(record, AnswerTorn) and "records" not in record.values for record in records):
        capabilities.mark_missing(Feature.COMPOSITE, is_certain=len(group) > 1)  # what is inside cannot be read
        return (yield from _ask_singly(sent, version=version, capabilities=capabilities))
    return (yield from _ask_again(sent, records, version=version, capabilities=capabilities))


def _inner_record(answer: SubAnswer, path: str, query: Query, sent_at: datetime) -> Record:
    try:
        return _record(inner_response(answer, path, query, sent_at=sent_at).content.records)
    except SalesforceError as error:
        if concerns_all(error):
            raise
        return error


def _ask_again(
    sent: list[Query], records: list[Record], *, version: str, capabilities: Capabilities
) -> Flow[list[Record]]:
    """Ask /query where queryAll may not be served."""
    errors = {n: error for n, error in enumerate(records) if sent[n].all_rows and isinstance(error, SalesforceError)}
    doubtful = [n for n, error in errors.items() if is_query_all_in_doubt(error)]
    for query in (query for n, query in enumerate(sent) if query.all_rows and n not in errors):
        capabilities.mark_served(Feature.QUERY_ALL, of=query.sobject)
    if not doubtful:
        return records
    again = [replace(sent[n], all_rows=False) for n in doubtful]
    answers = yield from _ask_group(again, version=version, capabilities=capabilities)
    for n, answer in zip(doubtful, answers, strict=True):
        if not isinstance(answer, SalesforceError):
            mark_query_all(errors[n], sent[n].sobject, capabilities)
        records[n] = answer
    return records


def _ask_singly(queries: list[Query], *, version: str, capabilities: Capabilities) -> Flow[list[Record]]:
    """Ask one query after the other.

    An org that answers none of the first ones serves no aggregates, and an object that answers rows has none."""
    records: list[Record] = []
    for query in queries:
        if not capabilities.has(Feature.AGGREGATES, of=query.sobject):
            records.append(QueryRefused(f"{query.soql} was not sent: this org or object answers no aggregate query"))
            continue
        record = yield from _ask_one(query, version=version, capabilities=capabilities)
        records.append(record)
        if isinstance(record, AnswerTorn) and "records" in record.values:
            capabilities.mark_missing_of(query.sobject, Feature.AGGREGATES)
        elif not isinstance(record, SalesforceError):
            capabilities.mark_served(Feature.AGGREGATES, of=query.sobject)
        elif _is_without_answers(records):
            capabilities.mark_missing(Feature.AGGREGATES)
    return records


def _ask_one(query: Query, *, version: str, capabilities: Capabilities) -> Flow[Record]:
    try:
        response = yield from first_page(query, version=version, capabilities=capabilities)
        return _record(response.content.records)
    except SalesforceError as error:
        if not concerns_one(error):
            raise
        return error


def _is_without_answers(records: list[Record]) -> bool:
    """Return whether none of several queries was answered."""
    troubles = [record for record in records if isinstance(record, SalesforceError) and is_trouble(record)]
    return len(troubles) == len(records) >= TROUBLES_IN_A_ROW


def _record(records: msgspec.Raw) -> dict[str, Any]:
    try:
        rows, _ = decode(bytes(records), list[dict[str, Any]])
    except ValueError as cause:
        raise AnswerTorn(f"the record of an aggregate query cannot be read: {cause}") from None
    if len(rows) > 1:
        what = f"an aggregate query has one record, and {len(rows)} came: this org answers no aggregate query"
        raise AnswerTorn(what, records=len(rows))
    return {name: value for name, value in rows[0].items() if name != "attributes"} if rows else {}
