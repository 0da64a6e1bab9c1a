"""The plan and what then happens agree: first copies of several sizes, idle tables, changed ones, copies under way."""

import pytest

from sf_assets.assets.deployments import read_deployment
from sf_assets.commands.plan import plan_run, remarks, summary, verdict
from sf_assets.devorg import Org, sample_org, serve
from sf_assets.errors import QuotaSpent
from sf_assets.planning.estimate import Budget, refuse_unaffordable
from sf_assets.specs.endpoints import endpoints
from sf_assets.sync.endpoint import sync
from sf_assets.sync.preflight import preflight, with_all_trials
from sf_assets.sync.report import DeploymentOptions
from sf_assets.sync.write import write_sync
from sf_assets_tests.options import sync_options

SPECS = {spec.endpoint: spec for spec in endpoints()}
ROWS = {"Account": 2_000, "Contact": 4_100, "Lead": 1_999, "Task": 2_001, "Opportunity": 60, "Campaign": 0}


@pytest.fixture(scope="module")
def seed() -> Org:
    return sample_org(seed=7, rows=ROWS)


class House:
    """A deployment over a served org, and runs of it without Dagster."""

    def __init__(self, server, folder) -> None:
        self.server, self.folder = server, folder
        self.deployment = self.deployment_of("0")
        self.client, self.warehouse = (
            self.deployment.salesforce.resolved().client(),
            self.deployment.iceberg.tables(),
        )

    def deployment_of(self, day: str, **environment: str):
        """The deployment, with the ledger of another day."""
        secrets = {f"SALESFORCE_{name.upper()}": value for name, value in self.server.credentials.items()}
        return read_deployment({
            "SF_ASSETS_DEPLOYMENT": "production",
            "SF_ASSETS_HOME": str(self.folder),
            "SF_ASSETS_LEDGER": f"sqlite:///{self.folder}/ledger-{day}.db",
            "SALESFORCE_INSTANCE_URL": self.server.url,
            "SALESFORCE_REQUESTS_PER_SECOND": "1000",
            **secrets,
            **environment,
        })  # fmt: skip

    def plan(self, *names: str, **options):
        return plan_run(self.deployment, names, **options)

    def preflight(self, *names: str):
        now = self.server.org.now
        specs = [SPECS[name] for name in names or SPECS]
        return preflight(specs, tables=self.warehouse, client=self.client, read_deleted=True, now=now)

    def begin(self, name: str, answers, options: dict):
        now = self.server.org.now
        return sync(SPECS[name], preflight=answers, tables=self.warehouse, client=self.client, **options, now=now)

    def run(self, *names: str, options: dict = sync_options(bulk_reserve=0.1)) -> int:  # noqa: B008 - frozen
        """Run endpoints (default all) and return the calls that it took, the login left out."""
        names, before = names or tuple(SPECS), len(self.server.requests)
        answers = self.preflight(*names)
        for name in names:
            write_sync(self.warehouse, name, self.begin(name, answers, options), "run")
        requests = self.server.requests[before:]
        return len([request for request in requests if request.kind != "token"])


@pytest.fixture
def house(seed, tmp_path, monkeypatch):
    with serve(seed.copy()) as server:
        for name, value in server.credentials.items():
            monkeypatch.setenv(f"SALESFORCE_{name.upper()}", value)
        yield House(server, tmp_path)


def assert_agree(planned: int, actual: int) -> None:
    assert abs(planned - actual) <= max(0.1 * actual, 0), f"planned {planned}, happened {actual}"


@pytest.mark.slow
def test_a_first_copy_an_idle_run_and_a_changed_one_cost_what_was_planned(house):
    first = house.plan()
    assert_agree(first.calls, house.run())
    assert first.calls > 30
    assert {one.kind for one in first.endpoints if one.is_first} == {"walk", "replace"}

    second = house.plan()
    assert_agree(second.calls, house.run())

    org = house.server.org
    for row in org.rows("Contact")[:2_500]:
        org.update("Contact", row["Id"], {"Title": "changed"})
    org.update("Account", org.rows("Account")[0]["Id"], {"Name": "changed"})
    org.delete("Lead", org.rows("Lead")[0]["Id"])
    third = house.plan()
    assert {one.kind for one in third.endpoints} >= {"tail"}
    assert_agree(third.calls, house.run())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["account", "contact", "lead", "task", "campaign", "profile", "field_permissions"])
def test_each_size_of_a_first_copy_costs_what_was_planned(house, name):
    assert house.plan(name).calls == house.run(name)


@pytest.mark.slow
def test_columns_that_are_tried_together_are_planned_as_one_query(house):
    org = house.server.org
    for name in ("Industry", "Rating", "Site", "Type"):
        org.change_field("Account", name, calculated=True)
    org.behave(formulas_per_query=4)
    house.run("account")

    answers = with_all_trials(house.preflight("account"), SPECS["account"], tables=house.warehouse, client=house.client)

    assert len(answers.trials["account"]) > 1
    assert answers.trial_queries == 1


@pytest.mark.slow
def test_a_copy_that_was_stopped_is_planned_from_where_it_goes_on(house):
    org = house.server.org
    org.behave(daily_limit=1_000)
    org.spend_calls(896)
    with pytest.raises(QuotaSpent):
        house.run("contact")
    org.spend_calls(0)
    house.deployment = house.deployment_of("1")
    house.client = house.deployment.salesforce.resolved().client()

    plan = house.plan("contact")

    assert not plan.endpoints[0].is_first
    assert plan.endpoints[0].rows < 4_000
    assert_agree(plan.calls, house.run("contact"))


@pytest.mark.slow
def test_a_full_refresh_costs_what_was_planned(house):
    house.run("contact", "user_role")

    plan = house.plan("contact", "user_role", full_refresh=True)

    assert_agree(plan.calls, house.run("contact", "user_role", options=sync_options(full_refresh=True)))


@pytest.mark.slow
def test_what_is_off_hidden_new_or_not_countable_is_said(house):
    org = house.server.org
    house.run("lead", "quote")
    org.switch_off("Quote")
    org.hide_field("Lead", "Title")
    org.add_field("Lead", {"name": "Brand_New__c", "type": "double", "label": "Brand new", "custom": True})

    lead, quote = house.plan("lead", "quote").endpoints

    assert list(remarks(quote, DeploymentOptions())) == ["off in this org, or hidden from this user"]
    assert "hidden: Title" in list(remarks(lead, DeploymentOptions()))
    assert "new: Brand_New__c" in list(remarks(lead, DeploymentOptions()))
    assert "11 columns missing" in list(remarks(lead, DeploymentOptions()))


@pytest.mark.slow
def test_an_object_too_large_to_be_counted_is_told_by_its_rough_number(house):
    from sf_assets.devorg import Fault

    house.server.org.faults.append(
        Fault(kind="queryAll", sobject="Contact", status=400, error_code="QUERY_TIMEOUT", times=None)
    )

    (contact,) = house.plan("contact").endpoints

    assert contact.is_approximate
    assert 3_900 < contact.rows < 4_400


@pytest.mark.slow
def test_the_plan_has_calls_minutes_quota_and_cadences_for_each_limit(house):
    house.server.org.behave(daily_limit=15_000)

    text = "\n".join(summary(house.plan()))

    assert "at 1e+03 requests a second" in text or "requests a second" in text
    assert "of 15,000 calls of 24 hours are used" in text
    assert "calls when nothing changes" in text
    for limit in ("A limit of 1,000", "This org's limit of 15,000", "A limit of 100,000"):
        assert limit in text


@pytest.mark.slow
def test_a_first_copy_beyond_the_reserve_is_refused_before_a_page_is_read(house):
    org = house.server.org
    org.behave(daily_limit=1_000)
    org.spend_calls(697)

    plan = house.plan("contact")
    answers = house.preflight("contact")
    first_copy = house.begin("contact", answers, sync_options())

    assert "spread_over_days" in verdict(plan)
    with pytest.raises(QuotaSpent, match="first copy of Contact, 4,"):
        refuse_unaffordable(first_copy, preflight=answers, client=house.client, deployment=DeploymentOptions())
    assert "queryAll" not in [request.kind for request in house.server.requests]


@pytest.mark.slow
def test_a_first_copy_that_fits_is_begun(house):
    plan, answers = house.plan("contact"), house.preflight("contact")

    first_copy = house.begin("contact", answers, sync_options())

    refuse_unaffordable(first_copy, preflight=answers, client=house.client, deployment=DeploymentOptions())

    assert verdict(plan) is None


@pytest.mark.parametrize(
    ("budget", "calls_left"),
    [
        (Budget(), None),
        (Budget(used=100, limit=1_000), 800),
        (Budget(used=950, limit=1_000), 0),
        (Budget(own_calls=10, cap=50), 40),
        (Budget(used=100, limit=1_000, own_calls=10, cap=50), 40),
    ],
)
def test_what_may_still_be_sent_is_bounded_by_reserve_and_cap(budget, calls_left):
    assert budget.left(0.1) == calls_left
