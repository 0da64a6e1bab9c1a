"""The models over a history: valid_from and valid_to, and the pipeline at the end of each day."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from sf_assets.devorg.activity.simulate import simulate
from sf_assets.devorg.api.transport import in_process
from sf_assets.devorg.sample import sample_org
from sf_assets.salesforce.client import Client
from sf_assets.salesforce.client_settings import Clock as ClientClock
from sf_assets.salesforce.client_settings import OrgAccess, RequestLimits
from sf_assets.salesforce.login.credentials import Credentials
from sf_assets.specs.endpoints import endpoints
from sf_assets.sync.endpoint import sync
from sf_assets.sync.preflight import preflight
from sf_assets.sync.write import write_sync
from sf_assets_tests.conftest import Clock
from sf_assets_tests.dbt.conftest import Downstream
from sf_assets_tests.options import sync_options

START = datetime(2026, 3, 10, 12, tzinfo=UTC)
NAMES = ("opportunity", "opportunity_history")
ROWS = dict.fromkeys(["Account", "Contact", "Lead", "Opportunity", "Case", "Task", "Event", "Campaign", "Quote"], 8)


class KeptDownstream(Downstream):
    """Two tables of an org on a clock, the history of one of them, and what the org's pipeline was on each day."""

    def __init__(self, home):
        self.clock = Clock(START)
        org = sample_org(seed=7, rows={**ROWS, "Opportunity": 40}, base=START).copy(clock=self.clock)
        server, self.transport = in_process(org, sleep=lambda seconds: None)
        super().__init__(server, home)
        self.org = org
        self.journal = {}

    def day(self):
        """Let a day of activity pass, sync, and note the pipeline."""
        before = self.clock()
        self.clock.advance(days=1)
        simulate(self.org, before, self.clock() - timedelta(minutes=30))
        self.sync()
        self.journal[self.clock().date()] = self.pipeline()

    def sync(self):
        specs = [spec for spec in endpoints() if spec.endpoint in NAMES]
        client = Client(
            OrgAccess(self.server.url, Credentials(**self.server.credentials)),
            limits=RequestLimits(requests_per_second=100_000),
            clock=ClientClock(now=self.clock, sleep=lambda seconds: None),
            transport=self.transport,
        )
        answers = preflight(specs, tables=self.warehouse, client=client, read_deleted=True, now=self.clock)
        for spec in specs:
            sync_result = sync(
                spec, preflight=answers, tables=self.warehouse, client=client, **sync_options(), now=self.clock
            )  # fmt: skip
            write_sync(self.warehouse, spec.endpoint, sync_result, "run")
        client.close()
        self.warehouse.histories.update("opportunity")

    def pipeline(self):
        """Return stage -> open deals and the sum of their amounts, from the org's own rows."""
        counts, amounts = Counter(), Counter()
        for deal in self.org.rows("Opportunity"):
            if not deal["IsClosed"] and not deal["IsDeleted"]:
                counts[deal["StageName"]] += 1
                amounts[deal["StageName"]] += Decimal(str(deal["Amount"] or 0))
        return {stage: (count, amounts[stage]) for stage, count in counts.items()}


@pytest.fixture(scope="module")
def lake_of_days(tmp_path_factory):
    pytest.importorskip("dbt.adapters.duckdb", reason="the extra dbt is not installed")
    downstream = KeptDownstream(tmp_path_factory.mktemp("kept"))
    for _ in range(3):
        downstream.day()
    selection = "opportunity_validity pipeline_by_day every_version_has_the_stage_of_its_time"
    downstream.dbt("build", "--select", selection, changes=True)
    return downstream


@pytest.mark.slow
def test_the_pipeline_of_each_day_equals_the_orgs_own_rows(lake_of_days):
    pipeline = {}
    for day, stage, count, amount in lake_of_days.mart("pipeline_by_day", "day, stage_name, opportunities, amount"):
        if count:
            pipeline.setdefault(day, {})[stage] = (count, amount)

    assert pipeline == lake_of_days.journal


@pytest.mark.slow
def test_versions_of_a_deal_follow_each_other_without_a_gap(lake_of_days):
    rows = lake_of_days.mart("opportunity_validity", "id, _change_number, valid_from, valid_to, is_current")
    by_id = {}
    for row in sorted(rows):
        by_id.setdefault(row[0], []).append(row[1:])

    assert max(len(versions) for versions in by_id.values()) > 1
    for versions in by_id.values():
        assert [v[2] for v in versions[:-1]] == [v[1] for v in versions[1:]]
        assert [v[3] for v in versions[:-1]] == [False] * (len(versions) - 1)
