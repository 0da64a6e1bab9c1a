"""Orgs, gateways and emulators that answer in other forms than Salesforce: every row comes in, or the sync says why.

The org of these tests knows a token, /query, nextRecordsUrl and a little SOQL; each liberty is a switch of it.
"""

import json
import random
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sf_assets.assets.checks import findings
from sf_assets.errors import ResultIncomplete, ValueUnexpected
from sf_assets.iceberg.tables import IcebergTables
from sf_assets.salesforce.client import Client
from sf_assets.salesforce.client_settings import Clock, OrgAccess, RequestLimits
from sf_assets.salesforce.login.credentials import Credentials
from sf_assets.salesforce.retry import RetryPolicy
from sf_assets.specs.endpoints import endpoints
from sf_assets.sync.endpoint import sync
from sf_assets.sync.preflight import preflight
from sf_assets.sync.report import SyncReport
from sf_assets.sync.write import write_sync
from sf_assets_tests.options import sync_options

ACCOUNT = next(spec for spec in endpoints() if spec.endpoint == "account")
STAMP = "2026-03-01T10:00:00.000+0000"
PAGE = 700
NOT_FOUND = (404, [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}])


@dataclass
class OtherOrg:
    """`count` and `query_all` answer an aggregate and queryAll; `unknown` every path that is not served."""

    rows: list[dict[str, Any]]
    filters: bool = True
    orders: bool = True
    limits: bool = True
    total: Callable[[int, int], int] = lambda result, page: result
    count: Callable[[list[Any]], tuple[int, Any]] = lambda rows: (400, [{"errorCode": "MALFORMED_QUERY"}])
    query_all: tuple[int, Any] | None = None
    unknown: tuple[int, Any] = NOT_FOUND
    asked: list[str] = field(default_factory=list)
    cursors: list[list[Any]] = field(default_factory=list)

    def answer(self, path: str, soql: str) -> tuple[int, Any]:
        self.asked.append(soql or path)
        if path.endswith("/token"):
            return 200, {"access_token": "sesame", "id": "https://login.salesforce.com/id/00D000000000001AAA/005"}
        if path.endswith("/queryAll") and self.query_all:
            return self.query_all
        if path.endswith(("/query", "/queryAll")) and soql:
            return self.count(self.chosen(soql)) if "COUNT(" in soql else self.first(self.chosen(soql))
        found = re.search(r"/query/(\d+)-(\d+)$", path)
        return (200, self.page(int(found[1]), int(found[2]))) if found else self.unknown

    def chosen(self, soql: str) -> list[dict[str, Any]]:
        after, limit, rows = re.search(r"Id > '(\w+)'", soql), re.search(r"LIMIT (\d+)", soql), self.rows
        if after and self.filters:
            rows = [row for row in rows if row["Id"] > after[1]]
        if "ORDER BY Id" in soql and self.orders:
            rows = sorted(rows, key=lambda row: str(row["Id"]))
        return rows[: int(limit[1])] if limit and self.limits else rows

    def first(self, rows: list[Any]) -> tuple[int, Any]:
        self.cursors.append(rows)
        return 200, self.page(len(self.cursors) - 1, 0)

    def page(self, cursor: int, start: int) -> dict[str, Any]:
        rows, end = self.cursors[cursor], start + PAGE
        records = rows[start:end]
        more = {"nextRecordsUrl": f"/services/data/v60.0/query/{cursor}-{end}"} if end < len(rows) else {}
        return {"totalSize": self.total(len(rows), len(records)), "done": not more, "records": records, **more}


def handler(org: OtherOrg) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            url = urlsplit(self.path)
            status, body = org.answer(url.path, parse_qs(url.query).get("q", [""])[0])
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET

        def log_message(self, *_: Any) -> None: ...

    return Handler


@pytest.fixture(scope="module")
def credentials() -> Credentials:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Credentials("consumer", key.private_bytes(*form).decode(), "sesame@acme.example")


Synced = Callable[..., SyncReport]


@pytest.fixture
def synced(credentials: Credentials, tmp_path: Path, clock: Any) -> Iterator[Synced]:
    """Sync accounts of an org into a new table, as a run of its own does."""
    servers = list[ThreadingHTTPServer]()
    warehouse = IcebergTables("test", "salesforce", {"type": "sql", "uri": f"sqlite:///{tmp_path}/c.db", "warehouse": f"file://{tmp_path}"})  # fmt: skip # noqa: E501

    def one(org: OtherOrg, **asked: Any) -> SyncReport:
        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), handler(org)))
        threading.Thread(target=servers[-1].serve_forever, args=(0.01,), daemon=True).start()
        client = Client(
            OrgAccess(f"http://127.0.0.1:{servers[-1].server_port}", credentials),
            limits=RequestLimits(
                requests_per_second=100_000,
                retry=RetryPolicy(first_pause_seconds=0.001, longest_pause_seconds=0.002),
            ),
            clock=Clock(now=clock),
        )
        known = preflight([ACCOUNT], tables=warehouse, client=client, read_deleted=True, now=clock)
        done = sync(ACCOUNT, preflight=known, tables=warehouse, client=client, **sync_options(**asked), now=clock)
        try:
            write_sync(warehouse, "account", done, "run")
        finally:
            client.close()
        done.report.rows = warehouse.scan("account").collect()  # type: ignore[attr-defined]
        return done.report

    yield one
    for server in servers:
        server.shutdown()
        server.server_close()


def accounts(count: int, **columns: Any) -> list[dict[str, Any]]:
    """Accounts in no order of their Ids, without the columns that are null."""
    rows = [{"Id": f"001{n:012d}AAA", "IsDeleted": False, "SystemModstamp": STAMP, **columns} for n in range(count)]
    random.Random(5).shuffle(rows)
    return rows


def ids(record: SyncReport) -> list[str]:
    return sorted(record.rows["id"].to_list())  # type: ignore[attr-defined]


def expected(org: OtherOrg) -> list[str]:
    return sorted(row["Id"] for row in org.rows)


@pytest.mark.parametrize(
    "liberties",
    [
        {"orders": False},
        {"filters": False},
        {"limits": False},
        {"orders": False, "filters": False},
        {"orders": False, "filters": False, "limits": False},
    ],
    ids=lambda liberties: " ".join(liberties),
)
def test_every_row_is_read_from_an_org_that_ignores_order_filter_and_limit(synced: Synced, liberties: Any) -> None:
    org = OtherOrg(accounts(4_500), **liberties)

    record = synced(org)

    assert ids(record) == expected(org)
    assert len(org.asked) < 40
    assert any("did not order by Id" in note for note in record.problems.notes) == (liberties != {"limits": False})


@pytest.mark.parametrize("total", [lambda result, page: page, lambda result, page: -1], ids=["of the page", "unknown"])
def test_a_total_size_that_is_too_small_ends_no_walk(synced: Synced, total: Any) -> None:
    org = OtherOrg(accounts(4_500), total=total)

    assert ids(synced(org)) == expected(org)


def test_a_total_size_that_is_too_large_and_stays_so_is_no_whole_result(synced: Synced) -> None:
    org = OtherOrg(accounts(900), total=lambda result, page: result + 1)

    with pytest.raises(ResultIncomplete, match="announced 901 rows, held 900"):
        synced(org)


@pytest.mark.parametrize(
    "count",
    [
        lambda rows: (200, answer({"expr1": STAMP, "expr0": len(rows)})),
        lambda rows: (200, answer({"rows": float(len(rows)), "newest": STAMP})),
        lambda rows: (200, answer(*({"Id": row["Id"]} for row in rows))),
        lambda rows: (200, answer({"Id": "001"})),
        lambda rows: (200, answer()),
        lambda rows: (200, answer({"expr0": len(rows), "expr1": "2026-03-01 10:00"})),
        lambda rows: (200, {}),
        lambda rows: (500, [{"errorCode": "UNKNOWN_EXCEPTION", "message": "no aggregates here"}]),
    ],
    ids=["swapped", "named", "rows", "one row", "no record", "no offset", "no answer", "500"],
)
def test_an_aggregate_in_another_form_costs_at_most_the_probe(synced: Synced, count: Any) -> None:
    org = OtherOrg(accounts(60), count=count)

    assert ids(synced(org)) == expected(org)


def answer(*records: dict[str, Any]) -> dict[str, Any]:
    return {"totalSize": len(records), "done": True, "records": list(records)}


@pytest.mark.parametrize("status", [400, 403, 404, 405, 501])
def test_what_a_gateway_refuses_beside_the_query_is_done_without(synced: Synced, status: int) -> None:
    refusal = (status, [{"errorCode": "NO", "message": "not here"}])
    org = OtherOrg(accounts(60), unknown=refusal, query_all=refusal)

    record = synced(org)

    assert ids(record) == expected(org)
    assert {"composite", "describe", "queryAll"} <= set(record.org.degraded)
    assert "deleted and archived rows are not read" in " ".join(findings(ACCOUNT, record)["complete"].warnings)


def test_a_column_that_records_leave_out_is_null_and_named(synced: Synced) -> None:
    org = OtherOrg(
        [*accounts(2, Name="Acme"), {"Id": "001000000000009AAA", "IsDeleted": False, "SystemModstamp": STAMP}]
    )

    record = synced(org)

    assert sorted(record.rows["name"].to_list(), key=str) == ["Acme", "Acme", None]  # type: ignore[attr-defined]
    assert record.problems.left_out["Name"] == 1
    assert "Left out of records, and so stored as NULL" in " ".join(findings(ACCOUNT, record)["as_specified"].warnings)


@pytest.mark.parametrize("name", ["Id", "IsDeleted", "SystemModstamp"])
def test_what_tells_rows_and_versions_apart_may_not_be_left_out(synced: Synced, name: str) -> None:
    org = OtherOrg([{key: value for key, value in row.items() if key != name} for row in accounts(1)], orders=False)

    with pytest.raises(ValueUnexpected, match=rf"Account\.{name} is not in the record"):
        synced(org)
