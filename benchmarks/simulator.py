"""A Salesforce org that answers fast and sleeps as long as asked, for measurements of the client alone.

    python benchmarks/simulator.py --port 8640 --rows 'Account=1000000' --columns 71 --latency 0.8

It serves logins, describes, composite calls, counts and queries by Id, and it checks nothing. A page costs it about
2 ms, because the records repeat: only Ids and numbers differ. `GET /log` returns when each request arrived and left.
"""

import argparse
import bisect
import json
import re
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PAGE_ROWS = 2_000
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
STAMP, OLD_STAMP = "2026-01-02T03:04:05.000+0000", "2026-01-01T03:04:05.000+0000"
NEW_ROWS = 10
"""So many rows, the last of the Id order, have the newer stamp: a tail after a walk reads these alone."""
FIXED = (
    ("Id", "id"), ("IsDeleted", "boolean"), ("Name", "string"), ("CreatedDate", "datetime"),
    ("SystemModstamp", "datetime"), ("LastModifiedDate", "datetime"), ("CreatedById", "reference"),
    ("LastModifiedById", "reference"), ("OwnerId", "reference"), ("LastActivityDate", "date"),
)  # fmt: skip
KINDS = (
    "string", "string", "picklist", "reference", "currency", "string", "double", "datetime", "string", "boolean",
    "int", "string", "percent", "date", "textarea", "url",
)  # fmt: skip
"""The kinds of further columns, in turn: about half of them are texts, as in a real org."""
TEXTS = ("Grünwald & Söhne", None, "1 Market Street", "Energy", "+49 30 1234567", None, "https://example.com/a/b")


def id_of(number: int, prefix: str, *, clumps: int = 1, rows: int = 1) -> str:
    """Return the 18-character Id of a row; `clumps` spreads the rows over pods, as in an org that was moved."""
    clump = number * clumps // max(rows, 1)
    digits = ""
    for _ in range(9):
        number, digit = divmod(number, 62)
        digits = DIGITS[digit] + digits
    pod = DIGITS[5 + 9 * clump % 57] if clumps > 1 else "5"
    short = f"{prefix}{pod}f0{digits}"
    marks = (sum(short[part + i].isupper() << i for i in range(5)) for part in (0, 5, 10))
    return short + "".join(CHECK[mark] for mark in marks)


@dataclass
class SimulatedObject:
    """One sObject: its rows exist only as numbers."""

    name: str
    rows: int
    columns: int
    prefix: str
    clumps: int = 1
    templates: dict[tuple[str, ...], list[bytes]] = field(default_factory=dict)

    @property
    def fields(self) -> list[tuple[str, str]]:
        """Names and types: ten standard columns, then custom ones."""
        extra = max(0, self.columns - len(FIXED))
        return [*FIXED, *((f"Extra_{i:02d}__c", KINDS[i % len(KINDS)]) for i in range(extra))]

    def id(self, number: int) -> str:
        """Return the Id of the row at a position of the Id order."""
        return id_of(number, self.prefix, clumps=self.clumps, rows=self.rows)

    def position(self, bound: str, *, after: bool) -> int:
        """Return how many rows have an Id below (or, `after`, at most) the bound."""
        find = bisect.bisect_right if after else bisect.bisect_left
        return find(range(self.rows), bound, key=self.id)

    def records(self, names: tuple[str, ...], first: int, count: int) -> bytes:
        """Return the JSON of rows in the order of their Ids."""
        rest = self.templates.get(names) or self.templates.setdefault(names, self._rest(names))
        head = f'{{"attributes":{{"type":"{self.name}","url":"/services/data/v60.0/sobjects/{self.name}/'
        parts = []
        for number in range(first, first + count):
            row_id = self.id(number)
            parts.append(f'{head}{row_id}"}},"Id":"{row_id}"'.encode() + rest[number % PAGE_ROWS])
            if number >= self.rows - NEW_ROWS:
                parts[-1] = parts[-1].replace(OLD_STAMP.encode(), STAMP.encode())
        return b",".join(parts)

    def _rest(self, names: tuple[str, ...]) -> list[bytes]:
        types = dict(self.fields)
        return [
            ("," + json.dumps({n: value(types[n], row, i) for i, n in enumerate(names) if n != "Id"})[1:]).encode()
            if len(names) > 1 else b"}"
            for row in range(PAGE_ROWS)
        ]  # fmt: skip


def value(kind: str, row: int, column: int) -> Any:
    """Return the value of one cell, by the kind of its column."""
    mixed = (row * 31 + column * 17) % 997
    values: Mapping[str, Any] = {
        "boolean": False,
        "datetime": OLD_STAMP,
        "date": f"2026-{mixed % 12 + 1:02d}-{mixed % 28 + 1:02d}",
        "currency": round(mixed * 1234.56, 2) if mixed % 5 else None,
        "double": mixed / 8 if mixed % 3 else None,
        "percent": float(mixed % 100),
        "int": mixed,
        "reference": id_of(mixed, "005"),
        "picklist": ("Prospect", "Customer", None)[mixed % 3],
    }
    if kind in values:
        return values[kind]
    text = TEXTS[mixed % len(TEXTS)]
    return f"{text} {row}-{column}" if text else None


@dataclass
class Simulator:
    """The org: objects, how long an answer takes, and the log of requests."""

    objects: dict[str, SimulatedObject]
    latency: float = 0.0
    log: list[tuple[float, float, str]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    cursors: dict[str, tuple[SimulatedObject, tuple[str, ...], int, int, int]] = field(default_factory=dict)

    def query(self, soql: str) -> dict[str, Any] | bytes:
        """Answer one SELECT: counts as a value, rows as the bytes of the body."""
        match = re.match(r"SELECT (.+?) FROM (\w+)(?: WHERE (.+?))?(?: ORDER BY (.+?))?(?: LIMIT (\d+))?$", soql)
        assert match is not None, soql
        simulated = self.objects.get(match[2]) or SimulatedObject(match[2], 0, len(FIXED), "0zz")
        first, last = self._range(simulated, match[3] or "")
        if "COUNT(" in match[1]:
            record: dict[str, Any] = {"attributes": {"type": "AggregateResult"}, "expr0": last - first}
            if "MAX(" in match[1]:
                record["expr1"] = STAMP if last > first else None
            return {"totalSize": 1, "done": True, "records": [record]}
        names = tuple(name.strip() for name in match[1].split(","))
        if "DESC" in (match[4] or ""):
            first = max(first, last - int(match[5] or last))
        last = min(last, first + int(match[5])) if match[5] else last
        return self.page(simulated, names, first, first, last)

    def _range(self, simulated: SimulatedObject, where: str) -> tuple[int, int]:
        first, last = 0, simulated.rows
        for sign, bound in re.findall(r"\bId (>=|>|<=|<) '(\w+)'", where):
            position = simulated.position(bound, after=sign in (">", "<="))
            first, last = (max(first, position), last) if ">" in sign else (first, min(last, position))
        stamps = re.findall(r"SystemModstamp >=? ([0-9TZ:.-]+)", where)
        if any(stamp > OLD_STAMP for stamp in stamps):
            first = max(first, simulated.rows - NEW_ROWS)
        if any(stamp > STAMP for stamp in stamps):
            first = simulated.rows
        return first, max(first, last)

    def page(self, simulated: SimulatedObject, names: tuple[str, ...], start: int, first: int, last: int) -> bytes:
        """Return the body of one page of the rows from `first` on."""
        count = min(PAGE_ROWS, last - first)
        body = b'{"totalSize":%d,"done":%s,' % (last - start, b"true" if first + count >= last else b"false")
        if first + count < last:
            with self.lock:
                locator = f"01g{len(self.cursors):015d}-{first + count - start}"
                self.cursors[locator] = (simulated, names, start, first + count, last)
            body += b'"nextRecordsUrl":"/services/data/v60.0/query/%s",' % locator.encode()
        return body + b'"records":[' + simulated.records(names, first, count) + b"]}"

    def describe(self, name: str) -> dict[str, Any] | None:
        """Return the describe of an object, or None where the org has none."""
        simulated = self.objects.get(name)
        if simulated is None:
            return None
        fields = [
            {"name": n, "type": t, "label": n, "custom": n.endswith("__c"), "scale": 2 * (t == "currency")}
            for n, t in simulated.fields
        ]
        return {"name": name, "label": name, "fields": fields}

    def get(self, path: str) -> tuple[int, Any]:
        """Answer a GET: the status, and a value or the bytes of the body."""
        parts = urlsplit(path)
        if parts.path.endswith("/describe"):
            answer = self.describe(parts.path.split("/")[-2])
            return (200, answer) if answer else (404, [{"errorCode": "NOT_FOUND", "message": "no such object"}])
        if (cursor := self.cursors.get(parts.path.rpartition("/")[2])) is not None:
            return 200, self.page(*cursor)
        if "q" in (parameters := parse_qs(parts.query)):
            return 200, self.query(parameters["q"][0])
        return 404, [{"errorCode": "NOT_FOUND", "message": f"nothing at {parts.path}"}]

    def composite(self, body: bytes) -> dict[str, Any]:
        """Answer the GETs inside a composite call."""
        answers = []
        for entry in json.loads(body)["compositeRequest"]:
            status, content = self.get(entry["url"])
            content = json.loads(content) if isinstance(content, bytes) else content
            answers.append({"referenceId": entry["referenceId"], "httpStatusCode": status, "body": content})
        return {"compositeResponse": answers}


class Handler(BaseHTTPRequestHandler):
    """Speaks HTTP for the simulator; sleeps on data calls."""

    protocol_version = "HTTP/1.1"
    org: Simulator

    def do_GET(self) -> None:
        arrival = time.time()
        if self.path == "/log":
            self._send(200, self.org.log)
            return
        status, content = self.org.get(self.path)
        self._sleep(arrival)
        self._send(status, content)
        self.org.log.append((arrival, time.time(), self.path[:400]))

    def do_POST(self) -> None:
        arrival = time.time()
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.endswith("/token"):
            origin = f"http://{self.headers['Host']}"
            names = {"id": f"{origin}/id/00D000000000001EAA/005000000000001AAA", "instance_url": origin}
            self._send(200, {"access_token": "token", "token_type": "Bearer", **names})
            return
        if not self.path.endswith("/composite"):
            self._send(404, [{"errorCode": "NOT_FOUND", "message": f"nothing at {self.path}"}])
            return
        answer = self.org.composite(body)
        self._sleep(arrival)
        self._send(200, answer)
        self.org.log.append((arrival, time.time(), "composite"))

    def _sleep(self, arrival: float) -> None:
        time.sleep(max(0.0, arrival + self.org.latency - time.time()))

    def _send(self, status: int, content: Any) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Sforce-Limit-Info", "api-usage=18/5000000")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Keep no access log; the simulator has its own."""


class SimulatorServer(ThreadingHTTPServer):
    """A server with a long queue of connections, whose threads end with it."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that was killed."""

    request_queue_size = 64


def start(org: Simulator, port: int = 0) -> SimulatorServer:
    """Serve an org from a thread of this process."""
    handler = type("BoundHandler", (Handler,), {"org": org})
    server = SimulatorServer(("127.0.0.1", port), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8640)
    parser.add_argument("--rows", action="append", default=[], help="Object=rows, may be repeated")
    parser.add_argument("--columns", type=int, default=40)
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--clumps", type=int, default=1)
    arguments = parser.parse_args()
    objects = {}
    for number, pair in enumerate(arguments.rows or ["Account=100000"]):
        name, _, rows = pair.partition("=")
        objects[name] = SimulatedObject(name, int(rows), arguments.columns, f"0{number:02d}"[:3], arguments.clumps)
    server = start(Simulator(objects, arguments.latency), arguments.port)
    sys.stdout.write(f"http://127.0.0.1:{server.server_address[1]}\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    main()
