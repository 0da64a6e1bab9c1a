"""`deleted = "remove"`: what Salesforce has deleted is in no file of the lake any more, of whatever snapshot."""

import dagster as dg
import polars as pl
import pytest

from sf_assets.assets.deployments import read_deployment
from sf_assets.definitions import build_definitions

# Dagster itself calls it, for a nested resource with an EnvVar.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:InitResourceContext.dagster_run:DeprecationWarning"),
]

CANARY = "Tweety Bird the First"


@pytest.fixture
def sync(practice_org, tmp_path, monkeypatch):
    """Syncs accounts under the policy `remove`; returns the table's warehouse and what the sync was told as."""
    secrets = {f"SALESFORCE_{name.upper()}": value for name, value in practice_org.credentials.items()}
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs/endpoints.toml").write_text('[override.account]\ndeleted = "remove"\n')
    environment = {
        **secrets,
        "SF_ASSETS_DEPLOYMENT": "production",
        "SF_ASSETS_HOME": str(tmp_path / "home"),
        "SF_ASSETS_SPECS": str(tmp_path / "specs"),
        "SALESFORCE_INSTANCE_URL": practice_org.url,
        "SALESFORCE_REQUESTS_PER_SECOND": "1000",
    }

    def run():
        deployment = read_deployment(environment)
        with dg.DagsterInstance.ephemeral() as instance:
            result = (
                build_definitions(deployment)
                .resolve_implicit_global_asset_job_def()
                .execute_in_process(
                    instance=instance,
                    asset_selection=[dg.AssetKey(["salesforce", "account"])],
                    run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
                    raise_on_error=False,
                )
            )
        assert result.success
        return deployment.iceberg.tables()

    return run


def test_a_deleted_row_and_its_older_versions_are_in_no_file(sync, practice_org, tmp_path, holds):
    org, lake = practice_org.org, tmp_path / "home/lake"
    row_id = org.insert("Account", {"Name": "Sylvester"})
    sync()
    org.update("Account", row_id, {"Name": CANARY})
    sync()
    before = {path.rpartition(".")[2] for path in holds(lake, CANARY)}
    org.delete("Account", row_id)

    warehouse = sync()

    living = sorted(row["Id"] for row in org.rows("Account") if not row["IsDeleted"])
    accounts = warehouse.scan("account").collect()
    assert sorted(accounts["id"]) == living
    assert not accounts["is_deleted"].any()
    assert holds(lake, CANARY) == []
    assert holds(lake, row_id) == []
    assert before == {"parquet", "avro"}  # the file that held it, and the bounds of its columns


def test_rows_that_were_deleted_before_the_first_sync_are_never_written(sync, practice_org, tmp_path, holds):
    org = practice_org.org
    row_id = org.insert("Account", {"Name": CANARY})
    org.delete("Account", row_id)

    warehouse = sync()

    assert row_id not in set(warehouse.scan("account").select("id").collect()["id"])
    assert holds(tmp_path / "home/lake", CANARY) == []


def test_after_an_erasure_syncs_without_news_write_nothing(sync, practice_org):
    org = practice_org.org
    row_id = org.insert("Account", {"Name": CANARY})
    sync()
    org.delete("Account", row_id)
    warehouse = sync()
    snapshot = warehouse.facts("account").snapshot_id

    for _ in range(3):
        warehouse = sync()

    assert warehouse.facts("account").snapshot_id == snapshot
    assert warehouse.scan("account").select(pl.len()).collect().item() == len(
        [row for row in org.rows("Account") if not row["IsDeleted"]]
    )


def test_a_table_that_has_forgotten_goes_on(sync, practice_org):
    org = practice_org.org
    first, second = org.insert("Account", {"Name": "a"}), org.insert("Account", {"Name": "b"})
    sync()
    org.delete("Account", first)
    sync()
    org.update("Account", second, {"Name": "B"})

    warehouse = sync()

    names = dict(warehouse.scan("account").select("id", "name").collect().rows())
    assert names[second] == "B"
    assert first not in names
