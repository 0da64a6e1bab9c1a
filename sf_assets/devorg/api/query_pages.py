"""Pages of query results: the first from a statement, the others from the locator in `nextRecordsUrl`."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from sf_assets.devorg.api.messages import Request, Response
from sf_assets.devorg.api_errors import locator_invalid, query_timeout, too_complicated
from sf_assets.devorg.org.cursors import Locator
from sf_assets.devorg.org.org import Org, PageRequest
from sf_assets.devorg.soql import aggregate
from sf_assets.devorg.soql.bind import Plan, plan
from sf_assets.devorg.soql.execute import select_keys
from sf_assets.devorg.soql.ignored_clauses import without_clauses
from sf_assets.devorg.soql.parser import parse_soql
from sf_assets.devorg.store.row_codec import column_picker, split_row
from sf_assets.devorg.store.table import Table

SMALLEST_BATCH = 200
Printer = Callable[[list[bytes]], bytes]


def first_page(org: Org, request: Request, *, version: str, all_rows: bool) -> Response:
    """Return the first page of a statement, or its aggregate records."""
    bound = _bound(org, request.soql)
    _call_hooks(org, bound, offset=0)
    with org.lock:
        table = org.table(bound.sobject)
        if bound.outputs:
            return Response(200, _aggregates(bound, table, all_rows=all_rows))
        locator = _opened(org, bound, request=request, all_rows=all_rows)
        return Response(200, _page(org, locator, offset=0, version=version, server_url=request.server_url))


def later_page(org: Org, request: Request, *, version: str, name: str) -> Response:
    """Return the page of a `nextRecordsUrl`; `name` is `<locator>-<offset>`."""
    locator_id, _, offset = name.partition("-")
    with org.lock:
        locator = org.locators.find(locator_id, org.now(), life_seconds=org.behaviour.locator_seconds)
    if not offset.isdigit() or int(offset) > len(locator.keys):
        raise locator_invalid()
    _call_hooks(org, locator.plan, offset=int(offset))
    with org.lock:
        return Response(200, _page(org, locator, offset=int(offset), version=version, server_url=request.server_url))


def _bound(org: Org, soql: str) -> Plan:
    with org.lock:
        bound = plan(without_clauses(parse_soql(soql), org.behaviour.ignored_clauses), org.visible_table)
    check_complexity(org, bound)
    return bound


def check_complexity(org: Org, bound: Plan) -> None:
    """Refuse a query of more calculated columns than the org takes."""
    most = org.behaviour.formulas_per_query
    if most is not None and sum(field.calculated for field in bound.columns) > most:
        raise too_complicated()


def _call_hooks(org: Org, bound: Plan, *, offset: int) -> None:
    for hook in list(org.on_page):
        hook(PageRequest(bound.sobject, bound.select.text, offset))


def _opened(org: Org, bound: Plan, *, request: Request, all_rows: bool) -> Locator:
    table = org.table(bound.sobject)
    keys = select_keys(bound, table, all_rows=all_rows)
    if org.behaviour.timeout_rows is not None and len(keys) > org.behaviour.timeout_rows:
        raise query_timeout()
    frozen = org.behaviour.locator_rows == "frozen"
    return Locator(
        id=org.locators.next_id(),
        plan=bound,
        all_rows=all_rows,
        keys=keys,
        rows=[table.rows[key] for key in keys] if frozen else None,
        page_rows=_batch_rows(request.headers.get("sforce-query-options", "")),
        opened_at=org.now(),
    )


def _batch_rows(options: str) -> int:
    """Return the batchSize of a request header, within the allowed range."""
    for option in options.split(","):
        name, _, value = option.partition("=")
        if name.strip().lower() == "batchsize" and value.strip().isdigit():
            return min(2_000, max(SMALLEST_BATCH, int(value)))
    return 2_000


# -- one page -----------------------------------------------------------------------------------------------------


def _page(org: Org, locator: Locator, *, offset: int, version: str, server_url: str) -> bytes:
    stop = offset + _rows_of_page(org, locator, offset=offset)
    printer = record_printer(locator.plan, org.table(locator.plan.sobject), version=version)
    records = b",".join(map(printer, _cut_rows(org, locator, offset=offset, stop=stop)))
    more = b""
    if stop < len(locator.keys):
        org.locators.keep(locator)
        more = b'"nextRecordsUrl":"%b",' % _next_url(org, locator, stop, version=version, server_url=server_url)
    done_json = b"false" if more else b"true"
    return b'{"totalSize":%d,"done":%b,%b"records":[%b]}' % (len(locator.keys), done_json, more, records)


def _rows_of_page(org: Org, locator: Locator, *, offset: int) -> int:
    turns = org.behaviour.short_pages
    most = min(org.behaviour.page_rows, locator.page_rows)
    return min(most, turns[offset % len(turns)]) if turns else most


def _next_url(org: Org, locator: Locator, offset: int, *, version: str, server_url: str) -> bytes:
    path = f"/services/data/v{version}/query/{locator.id}-{offset}"
    host = (org.behaviour.next_url_host or server_url) if org.behaviour.next_url == "full" else ""
    return f"{host}{path}".encode()


def _cut_rows(org: Org, locator: Locator, *, offset: int, stop: int) -> Iterable[list[bytes]]:
    table = org.table(locator.plan.sobject)
    if locator.rows is not None:
        return (split_row(row, table.defaults) for row in locator.rows[offset:stop])
    keys = locator.keys
    if offset and org.behaviour.locator_rows == "offset":
        keys = select_keys(locator.plan, table, all_rows=locator.all_rows)
    return (table.parts(key) for key in keys[offset:stop] if _is_there(table, key, all_rows=locator.all_rows))


def _is_there(table: Table, key: str, *, all_rows: bool) -> bool:
    """Return whether a row is still on its page.

    Rows that were purged, hidden or (for /query) deleted meanwhile are not.
    """
    return key in table.rows and key not in table.hidden_keys and (all_rows or key not in table.deleted_keys)


def record_printer(bound: Plan, table: Table, *, version: str) -> Printer:
    """Return a function from a row's cells to its JSON record."""
    url = f"/services/data/v{version}/sobjects/{table.schema.name}/"
    head = f'{{"attributes":{{"type":"{table.schema.name}","url":"{url}%b"}},'
    template = (head + ",".join(f'"{field.name}":%b' for field in bound.columns) + "}").encode()
    pick, id_place = column_picker([table.place[field.name] for field in bound.columns]), table.place["Id"]
    return lambda parts: template % (parts[id_place][1:-1], *pick(parts))


# -- aggregates ---------------------------------------------------------------------------------------------------


def _aggregates(bound: Plan, table: Table, *, all_rows: bool) -> bytes:
    if bound.counts_only:
        return b'{"totalSize":%d,"done":true,"records":[]}' % aggregate.total(bound, table, all_rows=all_rows)
    records = aggregate.groups(bound, table, all_rows=all_rows)
    full: list[dict[str, Any]] = [{"attributes": {"type": "AggregateResult"}, **record} for record in records]
    return msgspec.json.encode({"totalSize": len(full), "done": True, "records": full})
