"""The simulated org of `simulator.py`, with Bulk API 2.0 query jobs that are complete at once.

python benchmarks/bulk_simulator.py --port 8640 --rows 'Account=1000000' --columns 71 --page-rows 50000
"""

import argparse
import json
import re
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from simulator import (
    NEW_ROWS,
    OLD_STAMP,
    PAGE_ROWS,
    STAMP,
    Handler,
    SimulatedObject,
    Simulator,
    SimulatorServer,
    value,
)

PAGES_AT_ONCE = 5
JOBS = "/services/data/v60.0/jobs/query"
JOB_ID = "750000000000001AAA"


@dataclass
class BulkSimulator(Simulator):
    """The org with one Bulk query job at a time. A locator is the number of the page's first row."""

    page_rows: int = 50_000
    names: tuple[str, ...] = ()
    job_object: SimulatedObject | None = None
    csv: dict[tuple[str, ...], list[bytes]] = field(default_factory=dict)

    def create(self, body: bytes) -> dict[str, Any]:
        """Create the job."""
        match = re.match(r"SELECT (.+?) FROM (\w+)", json.loads(body)["query"])
        assert match is not None
        self.names = tuple(name.strip() for name in match[1].split(","))
        self.job_object = self.objects[match[2]]
        return self.info()

    def info(self) -> dict[str, Any]:
        """Return the state of the job."""
        rows = self.job_object.rows if self.job_object else 0
        return {"id": JOB_ID, "state": "JobComplete", "numberRecordsProcessed": rows}

    def listed(self, first: int) -> dict[str, Any]:
        """Return the locators of the next five pages."""
        starts = range(first, self.info()["numberRecordsProcessed"], self.page_rows)
        pages = [{"resultUrl": f"{JOBS}/{JOB_ID}/results?locator={start}"} for start in starts[:PAGES_AT_ONCE]]
        rest = starts[PAGES_AT_ONCE:]
        following = f"{JOBS}/{JOB_ID}/resultPages?locator={rest[0]}" if rest else None
        return {"resultPages": pages, "nextRecordsUrl": following, "done": not rest}

    def results(self, first: int) -> tuple[bytes, dict[str, str]]:
        """Return a page as CSV, and its headers."""
        simulated = self.job_object
        assert simulated is not None
        last = min(simulated.rows, first + self.page_rows)
        rest = self.csv.get(self.names) or self.csv.setdefault(self.names, self._rest(simulated))
        lines = [b",".join(b'"%b"' % name.encode() for name in self.names)]
        for number in range(first, last):
            line = b'"%b",%b' % (simulated.id(number).encode(), rest[number % PAGE_ROWS])
            lines.append(line.replace(_text(OLD_STAMP), _text(STAMP)) if number >= simulated.rows - NEW_ROWS else line)
        headers = {
            "Sforce-NumberOfRecords": str(last - first),
            "Sforce-Locator": str(last) if last < simulated.rows else "null",
        }
        return b"\n".join(lines) + b"\n", headers

    def _rest(self, simulated: SimulatedObject) -> list[bytes]:
        types = dict(simulated.fields)
        return [
            b",".join(_cell(value(types[name], row, i)) for i, name in enumerate(self.names) if name != "Id")
            for row in range(PAGE_ROWS)
        ]


def _cell(content: Any) -> bytes:
    text = "" if content is None else str(content).lower() if isinstance(content, bool) else str(content)
    return b'"%b"' % _text(text.replace('"', '""'))


def _text(text: str) -> bytes:
    return text.replace(".000+0000", ".000Z").encode()


class BulkHandler(Handler):
    """Serves the job; everything else is as in the other simulator."""

    org: BulkSimulator

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        first = int(parse_qs(parts.query).get("locator", ["0"])[0])
        if not parts.path.startswith(JOBS):
            super().do_GET()
            return
        arrival = time.time()
        if parts.path.endswith("/results"):
            body, headers = self.org.results(first)
            self._send_csv(body, headers)
        else:
            self._send(200, self.org.listed(first) if parts.path.endswith("/resultPages") else self.org.info())
        self.org.log.append((arrival, time.time(), self.path[:400]))

    def do_POST(self) -> None:
        if not self.path.startswith(JOBS):
            super().do_POST()
            return
        arrival = time.time()
        self._send(200, self.org.create(self.rfile.read(int(self.headers["Content-Length"]))))
        self.org.log.append((arrival, time.time(), self.path))

    def do_DELETE(self) -> None:
        self.send_response(204)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.org.log.append((time.time(), time.time(), self.path))

    def _send_csv(self, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(200)
        for name, text in {"Content-Type": "text/csv", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8640)
    parser.add_argument("--rows", default="Account=100000", help="Object=rows")
    parser.add_argument("--columns", type=int, default=40)
    parser.add_argument("--page-rows", type=int, default=50_000)
    arguments = parser.parse_args()
    name, _, rows = arguments.rows.partition("=")
    objects = {name: SimulatedObject(name, int(rows), arguments.columns, "001")}
    handler = type("BoundHandler", (BulkHandler,), {"org": BulkSimulator(objects, page_rows=arguments.page_rows)})
    server = SimulatorServer(("127.0.0.1", arguments.port), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"http://127.0.0.1:{server.server_address[1]}\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    main()
