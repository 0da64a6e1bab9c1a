"""The endpoints' assets with Snowflake configured: the real resource and connector against the loopback account."""

import dagster as dg
import pytest

from sf_assets.assets.deployments import read_deployment
from sf_assets.assets.snowflake import CHECK
from sf_assets.definitions import build_definitions
from sf_assets.devorg.fixtures import practice_org, practice_seed
from sf_assets.errors import ConfigError

__all__ = ["practice_org", "practice_seed"]

# Dagster itself calls it, for a nested resource with an EnvVar.
pytestmark = pytest.mark.filterwarnings("ignore:InitResourceContext.dagster_run:DeprecationWarning")


@pytest.fixture
def environment(practice_org, snowflake, tmp_path, monkeypatch):
    """Production over the practice org and the loopback account; secrets are in the process's environment too."""
    secrets = {f"SALESFORCE_{name.upper()}": value for name, value in practice_org.credentials.items()}
    secrets |= {"SNOWFLAKE_USER": snowflake.user, "SNOWFLAKE_PRIVATE_KEY": snowflake.private_key}
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    return {
        **secrets,
        "SF_ASSETS_DEPLOYMENT": "production",
        "SF_ASSETS_HOME": str(tmp_path / "home"),
        "SALESFORCE_INSTANCE_URL": practice_org.url,
        "SALESFORCE_REQUESTS_PER_SECOND": "1000",
        "SNOWFLAKE_ACCOUNT": snowflake.account,
        "SNOWFLAKE_HOST": f"http://127.0.0.1:{snowflake.port}",
        "SNOWFLAKE_DATABASE": "RAW",
        "SNOWFLAKE_ROLE": "LOADER",
        "SNOWFLAKE_WAREHOUSE": "LOADING",
    }


class Run:
    """One run of some endpoints and what it said."""

    def __init__(self, environment, *endpoints):
        self.deployment = read_deployment(environment)
        self.warehouse = self.deployment.iceberg.tables()
        with dg.DagsterInstance.ephemeral() as instance:
            job = build_definitions(self.deployment).resolve_implicit_global_asset_job_def()
            keys = [self.deployment.naming.key(endpoint) for endpoint in endpoints]
            result = job.execute_in_process(
                instance=instance,
                asset_selection=keys,
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
                raise_on_error=False,
            )
            self.success = result.success
            self.checks = {
                event.asset_check_evaluation_data.asset_key.path[-1]: event.asset_check_evaluation_data
                for event in result.all_events
                if event.event_type_value == "ASSET_CHECK_EVALUATION"
                and event.asset_check_evaluation_data.check_name == CHECK
            }


def lake_of(environment):
    """What the catalog integration finds: the newest metadata of a table."""
    warehouse = read_deployment(environment).iceberg.tables()
    return lambda table: warehouse.facts(table).metadata_location


def test_an_org_of_its_own_is_registered_under_its_own_names(environment, snowflake):
    environment |= {"SF_ASSETS_ORG": "emea", "SF_ASSETS_SNOWFLAKE": "tables"}
    snowflake.lake = lake_of(environment)

    run = Run(environment, "product")

    assert run.checks["product"].passed
    assert run.checks["product"].asset_key == dg.AssetKey(["salesforce_emea", "product"])
    assert 'ALTER ICEBERG TABLE "RAW"."SALESFORCE_EMEA"."PRODUCT" REFRESH' in snowflake.queries
    assert any("CATALOG_NAMESPACE = 'salesforce_emea'" in statement for statement in snowflake.queries)


def test_a_linked_database_is_asked_for_an_orgs_own_tables(environment):
    emea = read_deployment(environment | {"SF_ASSETS_ORG": "emea"})

    checks = build_definitions(emea).asset_checks or ()

    assert str(emea.readers.target.name("account")) == '"RAW"."salesforce_emea"."account"'
    assert emea.naming.key("account") in {spec.asset_key for check in checks for spec in check.check_specs}


def test_a_registered_table_is_created_once_and_then_refreshed(environment, snowflake, practice_org):
    environment |= {"SF_ASSETS_SNOWFLAKE": "tables"}
    snowflake.lake = lake_of(environment)

    first = Run(environment, "product")
    first_statements = list(snowflake.queries)
    snowflake.statements.clear()
    org = practice_org.org
    org.update("Product2", org.rows("Product2")[0]["Id"], {"Name": "Renamed"})
    second = Run(environment, "product")

    name = '"RAW"."SALESFORCE"."PRODUCT"'
    asks = f"SELECT SYSTEM$GET_ICEBERG_TABLE_INFORMATION('{name}')"
    assert first.success
    assert first.checks["product"].passed
    assert first_statements[:4] == [
        asks,
        f"CREATE ICEBERG TABLE IF NOT EXISTS {name} EXTERNAL_VOLUME = 'sf_lake' CATALOG = 'sf_irc'"
        " CATALOG_NAMESPACE = 'salesforce' CATALOG_TABLE_NAME = 'product' AUTO_REFRESH = FALSE",
        f"ALTER ICEBERG TABLE {name} REFRESH",
        asks,
    ]
    assert snowflake.queries[:3] == [asks, f"ALTER ICEBERG TABLE {name} REFRESH", asks]
    assert second.checks["product"].metadata["lag_seconds"].value == 0.0
    status = second.warehouse.facts("_sync_status").metadata_location
    assert snowflake.tables['"RAW"."SALESFORCE"."_SYNC_STATUS"'] == status


def test_a_sync_without_news_asks_and_refreshes_nothing(environment, snowflake):
    environment |= {"SF_ASSETS_SNOWFLAKE": "tables"}
    snowflake.lake = lake_of(environment)
    Run(environment, "product")
    snowflake.statements.clear()

    run = Run(environment, "product")

    assert run.checks["product"].passed
    assert [statement for statement in snowflake.queries if '"PRODUCT"' in statement] == [
        'SELECT SYSTEM$GET_ICEBERG_TABLE_INFORMATION(\'"RAW"."SALESFORCE"."PRODUCT"\')'
    ]


def test_a_refused_registration_is_a_failed_check_and_keeps_the_rows(environment, snowflake, refusal, practice_org):
    environment |= {"SF_ASSETS_SNOWFLAKE": "tables"}
    snowflake.lake = lake_of(environment)
    snowflake.answers = {"^CREATE": refusal("003001", "42501", "Insufficient privileges to operate on schema")}

    run = Run(environment, "product")

    check = run.checks["product"]
    assert run.warehouse.facts("product").rows == len(practice_org.org.rows("Product2", deleted=True))
    assert not check.passed
    assert check.blocking
    assert check.metadata["error"].value == "SnowflakeDenied"
    assert "sf-assets setup snowflake" in check.description


def test_a_refresh_that_does_not_take_is_a_red_check_with_the_lag(environment, snowflake):
    environment |= {"SF_ASSETS_SNOWFLAKE": "tables"}
    snowflake.lake = lambda table: "s3://lake/old.json"

    check = Run(environment, "product").checks["product"]

    assert not check.passed
    assert check.metadata["error"].value == "SnowflakeStale"
    assert check.metadata["lag_seconds"].value >= 0


def test_a_linked_database_is_asked_in_the_catalogs_own_case(environment, snowflake):
    snowflake.sees_all(lake_of(environment))

    run = Run(environment, "product")

    assert run.success
    assert run.checks["product"].passed
    assert run.checks["product"].metadata["table"].value == '"RAW"."salesforce"."product"'
    assert {statement.split()[0] for statement in snowflake.queries} == {"SELECT"}
    assert len(snowflake.logins) == 1


def test_a_linked_database_that_stays_behind_is_a_red_check_and_blocks(environment, snowflake):
    environment |= {"SNOWFLAKE_PATIENCE_SECONDS": "0.01"}
    snowflake.sees_all(lambda table: "s3://lake/old.json")

    run = Run(environment, "product")

    check = run.checks["product"]
    assert not check.passed
    assert check.blocking
    assert check.severity == dg.AssetCheckSeverity.ERROR
    assert check.metadata["error"].value == "SnowflakeStale"


@pytest.fixture
def removing(environment, tmp_path):
    """The environment with an endpoint that removes deleted rows."""
    folder = tmp_path / "specs"
    folder.mkdir()
    (folder / "endpoints.toml").write_text('[override.product]\ndeleted = "remove"\n', encoding="utf-8")
    return environment | {"SF_ASSETS_SPECS": str(folder)}


@pytest.mark.parametrize("mode", ["linked", "tables"])
def test_erased_rows_leave_the_files_only_after_snowflake_has_moved(removing, snowflake, practice_org, mode):
    environment = removing | {"SF_ASSETS_SNOWFLAKE": mode, "SNOWFLAKE_PATIENCE_SECONDS": "0.01"}
    lake = lake_of(environment)
    snowflake.lake = lake
    snowflake.sees_all(lake) if mode == "linked" else None
    Run(environment, "product")
    old = lake("product")
    practice_org.org.delete("Product2", practice_org.org.rows("Product2")[0]["Id"])
    snowflake.lake = lambda table: old
    snowflake.sees_all(lambda table: old) if mode == "linked" else None

    behind = Run(environment, "product")
    pending = behind.warehouse.versions("product").is_erasure_pending
    snowflake.lake = lake
    snowflake.sees_all(lake) if mode == "linked" else None
    second_run = Run(environment, "product")

    assert "Erased rows are still in the files of older snapshots" in behind.checks["product"].description
    assert pending
    assert second_run.checks["product"].passed
    assert second_run.checks["product"].metadata["erased_snapshots"].value >= 1
    assert not second_run.warehouse.versions("product").is_erasure_pending


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"SF_ASSETS_SNOWFLAKE": "both"}, "SF_ASSETS_SNOWFLAKE"),
        ({"SNOWFLAKE_USER": ""}, "SNOWFLAKE_USER"),
        ({"SNOWFLAKE_DATABASE": ""}, "SNOWFLAKE_DATABASE"),
        ({"SNOWFLAKE_PRIVATE_KEY": ""}, "SNOWFLAKE_PRIVATE_KEY"),
        ({"SF_ASSETS_SNOWFLAKE": "tables", "SNOWFLAKE_WAREHOUSE": ""}, "SNOWFLAKE_WAREHOUSE"),
        ({"SNOWFLAKE_HOST": "http://elsewhere.example"}, "SNOWFLAKE_HOST"),
        ({"SNOWFLAKE_PATIENCE_SECONDS": "-1"}, "SNOWFLAKE_PATIENCE_SECONDS"),
    ],
)
def test_a_setting_that_is_missing_or_wrong_is_named_at_load(environment, settings, message):
    with pytest.raises(ConfigError, match=message):
        read_deployment(environment | settings)
