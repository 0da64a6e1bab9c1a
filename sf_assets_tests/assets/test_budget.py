"""The budget of calls, through Dagster: where a sync stops, what is kept, and what the next run does."""

import dagster as dg
import pytest

from sf_assets.devorg import Org, Server, sample_org, serve
from sf_assets.sync.endpoint import State

# Dagster itself calls it, for a nested resource with an EnvVar.
pytestmark = pytest.mark.filterwarnings("ignore:InitResourceContext.dagster_run:DeprecationWarning")

AT_ONCE = {"spread_over_days": False}


@pytest.fixture(scope="module")
def large() -> Org:
    """An org whose accounts take four pages."""
    return sample_org(seed=7, rows={"Account": 7_000})


@pytest.fixture
def practice_org(large: Org):
    """The served org of this file's tests."""
    with serve(large.copy()) as server:
        yield server


def state(runs) -> State | None:
    facts = runs.warehouse.facts("account")
    return State.from_json(facts.state) if facts and facts.state else None


def status(runs) -> dict:
    (row,) = runs.warehouse.scan("_sync_status").collect().to_dicts()
    return row


def spend_all_but(server: Server, calls_left: int) -> None:
    """Leave so many calls before a reserve of 30 % of 1,000 is reached."""
    server.org.behave(daily_limit=1_000)
    server.org.spend_calls(700 - calls_left)


def test_a_first_sync_stops_at_the_reserve_and_resumes_at_its_checkpoint(runs, practice_org):
    spend_all_but(practice_org, 4)

    result = runs("account")

    first_state = state(runs)
    assert not result.success
    assert first_state.position.walk.after_id is not None
    assert runs.warehouse.facts("account").rows == 4_000

    practice_org.org.spend_calls(0)
    next_day = runs.under(SF_ASSETS_LEDGER=f"sqlite:///{runs.environment['SF_ASSETS_HOME']}/next_day.db")
    result = next_day("account")

    assert result.success
    assert result.materialized["account"]["rows_read"] < 3_100  # the rest, and what was stamped last
    assert runs.warehouse.facts("account").rows == len(practice_org.org.rows("Account"))


def test_a_spent_budget_is_told_as_such_and_says_when_it_resumes(runs, practice_org):
    spend_all_but(practice_org, 3)

    result = runs("account")

    failure = result.failures["account"].user_failure_data
    assert failure.description.startswith("account: budget spent: the org has used 700 of its 1,000 API calls")
    assert result.failures["account"].error.cls_name == "Failure"
    check = result.checks["account", "current"]
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.ERROR)
    for name in ("complete", "as_specified"):
        assert result.checks["account", name].severity == dg.AssetCheckSeverity.WARN
        assert result.checks["account", name].description.startswith("Not checked yet")
    result = status(runs)
    assert result["state"] == "quota_spent"
    assert failure.metadata["resumes_at"].value in result["warnings"]


def test_the_orgs_own_refusal_is_a_spent_budget_too(runs, practice_org):
    practice_org.org.behave(daily_limit=1_000, limit_info="none")
    practice_org.org.spend_calls(1_000)

    result = runs("account", "lead")

    first, second = (result.failures[name].user_failure_data.description for name in ("account", "lead"))
    assert first.startswith("account: budget spent: ")
    assert "asking again is allowed at" in first
    assert second.startswith("lead: not read, for the same reason as account (QuotaSpent).")
    assert {row["state"] for row in runs.warehouse.scan("_sync_status").collect().to_dicts()} == {"quota_spent"}


def test_the_own_cap_ends_a_sync_at_its_checkpoint_and_all_runs_share_it(runs, practice_org):
    with_cap = runs.under(SALESFORCE_DAILY_CALLS="5")

    first, second = with_cap("account"), with_cap("lead")

    assert "SALESFORCE_DAILY_CALLS allows 5" in first.failures["account"].user_failure_data.description
    assert "SALESFORCE_DAILY_CALLS allows 5" in second.failures["lead"].user_failure_data.description
    assert runs.warehouse.facts("account").rows == 6_000
    assert [request.kind for request in practice_org.requests].count("queryAll") == 3


def test_a_first_copy_that_may_not_be_spread_does_not_start_without_calls(runs, practice_org):
    spend_all_but(practice_org, 4)

    result = runs("account", config=AT_ONCE)

    failure = result.failures["account"].user_failure_data
    assert failure.description.startswith("account: budget too small: the first copy of Account, 7,")
    assert "spread_over_days: false" in failure.metadata["remedy"].value
    assert not result.checks["account", "current"].passed
    assert status(runs)["state"] == "quota_spent"
    assert "queryAll" not in [request.kind for request in practice_org.requests]


def test_no_secret_is_in_ledger_catalog_or_files_after_success_and_failure(runs, practice_org, tmp_path):
    assert runs("pricebook").success
    practice_org.org.expire_sessions()
    practice_org.org.behave(user_active=False)
    assert not runs("product").success

    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    secrets = [practice_org.credentials[name] for name in ("consumer_key", "username")]
    secrets.append(practice_org.credentials["private_key"].splitlines()[3])
    assert any(path.name == "ledger.db" for path in files)
    for path in files:
        content = path.read_bytes()
        assert not [secret for secret in secrets if secret.encode() in content], path
        assert b"Bearer " not in content
