"""A policy that is set on a table which exists: a check names what it does not hold for yet, until a full refresh."""

import dagster as dg
import pytest

from sf_assets.assets.deployments import read_deployment
from sf_assets.definitions import build_definitions

# Dagster itself calls it, for a nested resource with an EnvVar.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:InitResourceContext.dagster_run:DeprecationWarning"),
]

KEY = "0123456789abcdef0123456789abcdef"
CANARY = "Tweety Bird the First"
HASHED = '[override.contact]\nhashed = ["Email"]\n'
MORE = '[override.contact]\nhashed = ["Email", "Phone"]\n'
NONE = ""


@pytest.fixture
def sync(practice_org, tmp_path, monkeypatch):
    """Syncs one endpoint under a policy; returns the warehouse and what `as_specified` says (None: it passes)."""
    secrets = {f"SALESFORCE_{name.upper()}": value for name, value in practice_org.credentials.items()}
    secrets |= {"SALESFORCE_HASH_KEY": KEY}
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "specs").mkdir()
    environment = {
        **secrets,
        "SF_ASSETS_DEPLOYMENT": "production",
        "SF_ASSETS_HOME": str(tmp_path / "home"),
        "SF_ASSETS_SPECS": str(tmp_path / "specs"),
        "SALESFORCE_INSTANCE_URL": practice_org.url,
        "SALESFORCE_REQUESTS_PER_SECOND": "1000",
    }

    def run(policy, endpoint="contact", **config):
        (tmp_path / "specs/endpoints.toml").write_text(policy)
        deployment = read_deployment(environment)
        with dg.DagsterInstance.ephemeral() as instance:
            result = (
                build_definitions(deployment)
                .resolve_implicit_global_asset_job_def()
                .execute_in_process(
                    instance=instance,
                    asset_selection=[dg.AssetKey(["salesforce", endpoint])],
                    run_config={
                        "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
                        "ops": {f"salesforce__{endpoint}": {"config": config}},
                    },
                )
            )
        (check,) = [e for e in result.get_asset_check_evaluations() if e.check_name == "as_specified"]
        return deployment.iceberg.tables(), None if check.passed else check.description

    return run


def test_a_policy_from_the_first_sync_on_is_kept(sync):
    assert sync(HASHED)[1] is None
    assert sync(HASHED)[1] is None


def test_a_policy_on_a_table_with_texts_is_named_until_a_full_refresh(sync):
    sync(NONE)

    warnings = [sync(HASHED)[1] for _ in range(2)]
    warehouse, after_refresh = sync(HASHED, full_refresh=True)

    assert all("may still hold the text of columns that are hashed now: Email." in says for says in warnings)
    assert all("full_refresh: true" in says for says in warnings)
    assert after_refresh is None
    assert sync(HASHED)[1] is None
    emails = warehouse.scan("contact").collect()["email"].drop_nulls()
    assert set(emails.str.len_chars()) == {64}


def test_only_the_column_that_came_to_the_policy_later_is_named(sync):
    sync(HASHED)

    says = sync(MORE)[1]

    assert "hashed now: Phone." in says


def test_hashes_of_a_policy_that_is_no_more_are_named(sync):
    sync(HASHED)

    says = sync(NONE)[1]

    assert "not hashed any more: email." in says
    assert sync(NONE, full_refresh=True)[1] is None


def test_a_policy_that_was_lifted_for_a_while_is_not_taken_for_whole(sync, practice_org):
    org = practice_org.org
    sync(HASHED)
    org.update("Contact", org.rows("Contact")[0]["Id"], {"Email": "tweety@acme.example"})
    sync(NONE)

    warehouse, says = sync(HASHED)

    assert warehouse.scan("contact").collect()["email"].str.contains("@").any()
    assert "hashed now: Email." in says


def test_a_policy_that_was_tried_and_given_up_leaves_hashes_that_are_named(sync, practice_org):
    org = practice_org.org
    sync(NONE)
    org.update("Contact", org.rows("Contact")[0]["Id"], {"Email": "tweety@acme.example"})
    sync(HASHED)

    assert "not hashed any more: email." in sync(NONE)[1]


def test_a_policy_of_forgetting_needs_no_refresh_it_takes_what_was_marked(sync, practice_org, tmp_path, holds):
    org, lake = practice_org.org, tmp_path / "home/lake"
    row_id = org.insert("Account", {"Name": CANARY})
    sync(NONE, "account")
    org.delete("Account", row_id)
    sync(NONE, "account")
    before = holds(lake, CANARY)

    warehouse, says = sync('[override.account]\ndeleted = "remove"\n', "account")

    assert before
    assert says is None
    assert not warehouse.scan("account").collect()["is_deleted"].any()
    assert holds(lake, CANARY) == []
