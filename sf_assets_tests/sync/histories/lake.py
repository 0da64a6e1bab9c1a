"""An org, its tables and one clock: what every history is played on."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from sf_assets.devorg.org.org import Org
from sf_assets.iceberg.tables import IcebergTables
from sf_assets.salesforce.client import Client
from sf_assets.salesforce.client_settings import Clock, OrgAccess, RequestLimits
from sf_assets.salesforce.login.credentials import Credentials
from sf_assets.specs.endpoints import endpoints
from sf_assets.specs.model import EndpointSpec
from sf_assets.sync.columns import plan_columns
from sf_assets.sync.endpoint import Batch, sync
from sf_assets.sync.preflight import Preflight, preflight
from sf_assets.sync.report import SyncReport, ignore_progress
from sf_assets.sync.state import State
from sf_assets.sync.write import write_sync
from sf_assets_tests.options import sync_options

SPECS = {spec.endpoint: spec for spec in endpoints()}
TINY = dict.fromkeys(
    ["Account", "Contact", "Lead", "Opportunity", "Case", "Task", "Event", "Campaign", "Product2", "Quote", "User"], 8
)


class Lake:
    """An org, a client of it and a warehouse, all on one clock."""

    quota_reserve = 0.1

    def __init__(self, org: Org, *, server: Any, folder: Path, clock: Any, transport: Any = None) -> None:
        self.org, self.server, self.clock, self.folder = org, server, clock, folder
        self.transport = transport
        self.warehouse = IcebergTables("test", "salesforce", catalog(folder))
        self.client = self.new_client()

    def new_client(self) -> Client:
        """Return a client as a new process has one."""
        return Client(
            OrgAccess(self.server.url, Credentials(**self.server.credentials)),
            limits=RequestLimits(requests_per_second=100_000, quota_reserve=self.quota_reserve),
            clock=Clock(now=self.clock, sleep=lambda seconds: None),
            transport=self.transport,
        )

    def sync(
        self,
        *names: str,
        dies_after: int | None = None,
        watch: Callable[[SyncReport], None] = ignore_progress,
        **options: Any,
    ) -> dict[str, SyncReport]:
        """Sync endpoints as one run does, in a process of its own, which may die after some pages."""
        self.client.close()
        self.client = self.new_client()
        specs = [SPECS[name] for name in names or SPECS]
        answers = preflight(specs, tables=self.warehouse, client=self.client, read_deleted=True, now=self.clock)
        all_options = {**sync_options(**options), "watch": watch}
        return {spec.endpoint: self.one(spec, answers, all_options, dies_after) for spec in specs}

    def one(
        self, spec: EndpointSpec, answers: Preflight, options: dict[str, Any], dies_after: int | None
    ) -> SyncReport:
        sync_result = sync(
            spec, preflight=answers, tables=self.warehouse, client=self.client, **options, now=self.clock
        )  # fmt: skip
        if dies_after is not None:
            sync_result = replace(sync_result, batches=dying(sync_result.batches, dies_after))
        facts = write_sync(self.warehouse, spec.endpoint, sync_result, "run")
        assert facts == self.warehouse.facts(spec.endpoint)  # what Dagit shows is the table as it is now
        return sync_result.report

    def state(self, endpoint: str) -> State:
        return State.from_json(self.warehouse.facts(endpoint).state)

    def snapshots(self) -> dict[str, int | None]:
        return {name: self.warehouse.facts(name).snapshot_id for name in SPECS}

    def table(self, endpoint: str) -> list[dict[str, Any]]:
        spec = SPECS[endpoint]
        rows = self.warehouse.scan(endpoint).collect().drop("_synced_at").to_dicts()
        return sorted(rows, key=lambda row: tuple(str(row[key]) for key in (*spec.keys, "id")))

    def truth(self, endpoint: str) -> list[dict[str, Any]]:
        """The org's rows as the table must have them, put into Python values without any code of the product."""
        spec = SPECS[endpoint]
        schema = self.org.tables[spec.sobject].schema
        plan = plan_columns(spec, self.client.describe([spec.sobject], fresh=True)[spec.sobject])
        names = {column.name: column.api_name for column in plan.read}
        types = {name: schema.fields[api_name].type for name, api_name in names.items()}
        scales = {name: max(6, schema.fields[api_name].scale) for name, api_name in names.items()}
        blank = dict.fromkeys(self.warehouse.facts(endpoint).columns)
        blank.pop("_synced_at")
        rows = [
            blank | {name: plain(row[api], types[name], scales[name]) for name, api in names.items()}
            for row in self.org.rows(spec.sobject)
        ]
        return sorted(rows, key=lambda row: tuple(str(row[key]) for key in (*spec.keys, "id")))

    def assert_equal(self, *names: str) -> None:
        for name in names or SPECS:
            table, truth = self.table(name), self.truth(name)
            assert len(table) == len(truth), name
            wrong = [(mine, theirs) for mine, theirs in zip(table, truth, strict=True) if mine != theirs]
            examples = [{k: (m[k], t[k]) for k in t if m[k] != t[k]} for m, t in wrong[:3]]
            assert wrong == [], f"{name}: {len(wrong)} rows differ, such as {examples}"


def plain(value: Any, type_: str, scale: int) -> Any:
    """A value of the wire as Python has it."""
    if value is None:
        return None
    convert: dict[str, Callable[[Any], Any]] = {
        "datetime": lambda text: datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z").astimezone(UTC),
        "date": date.fromisoformat,
        "time": lambda text: text.rstrip("Z"),
        "currency": lambda number: Decimal(str(number)).quantize(Decimal(10) ** -scale, rounding=ROUND_HALF_EVEN),
        "double": float,
        "percent": float,
        "int": int,
    }
    return convert.get(type_, lambda same: same)(value)


def catalog(folder: Path) -> dict[str, str]:
    return {"type": "sql", "uri": f"sqlite:///{folder}/catalog.db", "warehouse": f"file://{folder}/tables"}


class KilledError(Exception):
    """The process dies here: what it had committed stays, what it held is gone."""


def dying(batches: Iterator[Batch], after_pages: int) -> Iterator[Batch]:
    """Hand on so many pages, then die."""
    yield from islice(batches, after_pages)
    raise KilledError
