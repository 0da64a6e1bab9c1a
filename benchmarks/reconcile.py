"""What it costs to find hard-deleted rows, and to go on after a kill. Prints a line for each figure.

    python benchmarks/reconcile.py --rows 1000000

A practice org in this process has the rows; no socket, no pause. The deletes are in no log of the org, so that only
counts find them. The exit status is 1 if a figure is above its bound.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from sf_assets.devorg.api.transport import in_process
from sf_assets.devorg.org.org import Org
from sf_assets.devorg.sample import sample_org
from sf_assets.iceberg.tables import IcebergTables
from sf_assets.salesforce.client import Client
from sf_assets.salesforce.client_settings import Clock, OrgAccess, RequestLimits
from sf_assets.salesforce.login.credentials import Credentials
from sf_assets.specs.endpoints import endpoints
from sf_assets.specs.model import EndpointSpec
from sf_assets.specs.soql_file import read_query
from sf_assets.sync.endpoint import sync
from sf_assets.sync.preflight import preflight
from sf_assets.sync.report import SyncReport
from sf_assets.sync.strategies import Batch
from sf_assets.sync.write import write_sync

START = datetime(2026, 3, 10, 12, tzinfo=UTC)
BOUNDS = {1: 15, 10: 60}
"""Hard-deleted rows -> the most calls to find them."""
MOST_READ_AGAIN = 0.45


class KilledError(Exception):
    """The process ends here."""


class Lake:
    """A practice org, the tables, and one clock."""

    def __init__(self, rows: int, folder: Path) -> None:
        self.now, self.folder = START, folder
        self.org: Org = sample_org(seed=7, rows={"Account": 1}, base=START, clock=lambda: self.now)
        start = START - timedelta(days=700)
        for first in range(0, rows, 1_000):
            stamp = start + timedelta(minutes=first // 10)
            names = [{"Name": f"Account {n}"} for n in range(first, min(first + 1_000, rows))]
            self.org.insert_many("Account", names, stamp=stamp)
        self.server, self.transport = in_process(self.org, sleep=lambda seconds: None)
        account = next(spec for spec in endpoints() if spec.endpoint == "account")
        query = read_query("SELECT Id, IsDeleted, Name, CreatedDate, SystemModstamp FROM Account", path="account.soql")
        self.spec: EndpointSpec = replace(account, query=query)

    def tables(self, name: str) -> IcebergTables:
        """Return tables of their own."""
        place = self.folder / name
        place.mkdir(exist_ok=True)
        return IcebergTables(
            "benchmark",
            "salesforce",
            {"type": "sql", "uri": f"sqlite:///{place}/catalog.db", "warehouse": f"file://{place}/tables"},
        )

    def sync(self, tables: IcebergTables, *, dies_after: int | None = None) -> SyncReport:
        """Sync as a new process does; it may die after some rows."""
        client = Client(
            OrgAccess(self.server.url, Credentials(**self.server.credentials)),
            limits=RequestLimits(requests_per_second=1_000_000),
            clock=Clock(now=lambda: self.now, sleep=lambda seconds: None),
            transport=self.transport,
        )

        def clock() -> datetime:
            return self.now

        answers = preflight([self.spec], tables=tables, client=client, read_deleted=True, now=clock)
        sync_result = sync(self.spec, preflight=answers, tables=tables, client=client, now=clock)
        if dies_after is not None:
            sync_result = replace(sync_result, batches=dying(sync_result.batches, dies_after))
        with suppress(KilledError):
            write_sync(tables, "account", sync_result, "benchmark")
        return sync_result.report


def dying(batches: Iterator[Batch], rows: int) -> Iterator[Batch]:
    """Yield batches until so many rows have come."""
    rows_left = rows
    for batch in batches:
        yield batch
        rows_left -= 0 if batch.frame is None else batch.frame.height
        if rows_left <= 0:
            raise KilledError


def main() -> int:
    """Print the figures and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows: int = parser.parse_args().rows
    with TemporaryDirectory() as folder:
        lake = Lake(rows, Path(folder))
        return int(any([*kill_figures(lake, rows), *delete_figures(lake)]))


def kill_figures(lake: Lake, rows: int) -> Sequence[bool]:
    """Kill a first copy at 60 % and read on."""
    tables = lake.tables("killed")
    lake.sync(tables, dies_after=int(rows * 0.6))
    again = lake.sync(tables).read.rows / rows
    print(f"first copy of {rows:,} rows, killed at 60 %: the next run reads {again:.1%} (bound {MOST_READ_AGAIN:.0%})")
    return [again > MOST_READ_AGAIN]


def delete_figures(lake: Lake) -> Iterator[bool]:
    """Hard-delete rows day by day, and find them."""
    tables = lake.tables("killed")
    lake.now += timedelta(hours=25)
    quiet = lake.sync(tables).reconciled
    print(f"quiet day: {quiet.calls if quiet else 0} calls, by {quiet.how if quiet else 'nothing'}")
    ids = sorted(row["Id"] for row in lake.org.rows("Account"))
    for count, most_calls in BOUNDS.items():
        lake.org.purge_many("Account", ids[count :: len(ids) // count][:count], log=False)
        lake.now += timedelta(hours=25)
        result = lake.sync(tables).reconciled
        assert result is not None
        figures = f"{result.rows_marked} of {count} hard-deleted rows among {len(ids):,}"
        print(f"{figures}: {result.calls} calls (bound {most_calls}), by {result.how}")
        yield result.rows_marked != count or result.calls > most_calls


if __name__ == "__main__":
    sys.exit(main())
