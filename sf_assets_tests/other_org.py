"""An org of the tests that answers in other forms than Salesforce, and a sync of its accounts.

It knows a token, /query, nextRecordsUrl and a little SOQL; each liberty is a switch of it.
"""

import json
import random
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

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
LOST = (400, [{"errorCode": "INVALID_QUERY_LOCATOR", "message": "invalid query locator"}])
Synced = Callable[..., SyncReport]


@dataclass
class OtherOrg:
    """`count` and `query_all` answer an aggregate and queryAll; `unknown` every path that is not served.

    `later` answers the n-th page of a nextRecordsUrl in its place; only the newest `open_cursors` can be read on.
    A body of bytes is sent as it is.
    """

    rows: list[dict[str, Any]]
    filters: bool = True
    orders: bool = True
    limits: bool = True
    total: Callable[[int, int], int] = lambda result, page: result
    count: Callable[[list[Any]], tuple[int, Any]] = lambda rows: (400, [{"errorCode": "MALFORMED_QUERY"}])
    query_all: tuple[int, Any] | None = None
    unknown: tuple[int, Any] = NOT_FOUND
    later: Callable[[int], tuple[int, Any] | None] = lambda number: None
    open_cursors: int = 1_000_000
    requests: list[str] = field(default_factory=list)
    cursors: list[list[Any]] = field(default_factory=list)
    later_pages: int = 0

    def answer(self, path: str, soql: str) -> tuple[int, Any]:
        self.requests.append(soql or path)
        if path.endswith("/token"):
            return 200, {"access_token": "sesame", "id": "https://login.salesforce.com/id/00D000000000001AAA/005"}
        if path.endswith("/queryAll") and self.query_all:
            return self.query_all
        if path.endswith(("/query", "/queryAll")) and soql:
            return self.count(self.matching_rows(soql)) if "COUNT(" in soql else self.first(self.matching_rows(soql))
        locator = re.search(r"/query/(\d+)-(\d+)$", path)
        return self.next_page(int(locator[1]), int(locator[2])) if locator else self.unknown

    def next_page(self, cursor: int, start: int) -> tuple[int, Any]:
        self.later_pages += 1
        if cursor < len(self.cursors) - self.open_cursors:
            return LOST
        return self.later(self.later_pages) or (200, self.page(cursor, start))

    def matching_rows(self, soql: str) -> list[dict[str, Any]]:
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
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET

        def log_message(self, *_: Any) -> None: ...

    return Handler


def new_credentials() -> Credentials:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Credentials("sesame-consumer-key", key.private_bytes(*form).decode(), "sesame@acme.example")


@contextmanager
def syncing(credentials: Credentials, folder: Path, clock: Any) -> Iterator[Synced]:
    """Yield a function that syncs accounts of an org, as a run of its own does."""
    servers = list[ThreadingHTTPServer]()
    catalog = {"type": "sql", "uri": f"sqlite:///{folder}/c.db", "warehouse": f"file://{folder}"}
    warehouse = IcebergTables("test", "salesforce", catalog)

    def one(org: OtherOrg, **options: Any) -> SyncReport:
        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), handler(org)))
        threading.Thread(target=servers[-1].serve_forever, args=(0.01,), daemon=True).start()
        client = new_client(servers[-1].server_port, credentials, clock)
        answers = preflight([ACCOUNT], tables=warehouse, client=client, read_deleted=True, now=clock)
        sync_result = sync(
            ACCOUNT, preflight=answers, tables=warehouse, client=client, **sync_options(**options), now=clock
        )
        try:
            write_sync(warehouse, "account", sync_result, "run")
        finally:
            client.close()
        sync_result.report.rows = warehouse.scan("account").collect()  # type: ignore[attr-defined]
        return sync_result.report

    try:
        yield one
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def new_client(port: int, credentials: Credentials, clock: Any) -> Client:
    retry = RetryPolicy(first_pause_seconds=0.001, longest_pause_seconds=0.002)
    return Client(
        OrgAccess(f"http://127.0.0.1:{port}", credentials),
        limits=RequestLimits(requests_per_second=100_000, retry=retry),
        clock=Clock(now=clock),
    )


def accounts(count: int, **columns: Any) -> list[dict[str, Any]]:
    """Accounts in no order of their Ids, without the columns that are null."""
    rows = [{"Id": f"001{n:012d}AAA", "IsDeleted": False, "SystemModstamp": STAMP, **columns} for n in range(count)]
    random.Random(5).shuffle(rows)
    return rows


def ids(record: SyncReport) -> list[str]:
    return sorted(record.rows["id"].to_list())  # type: ignore[attr-defined]


def expected_ids(org: OtherOrg) -> list[str]:
    return sorted(row["Id"] for row in org.rows)
