"""The environment becomes resources; whatever is wrong in it is named by its variable."""

import json
import os
from pathlib import Path

import dagster as dg
import pytest

from sf_assets.assets.credentials import EnvironmentCredentials
from sf_assets.assets.deployments import PRACTICE_URL, read_deployment
from sf_assets.assets.practice_credentials import PracticeCredentials
from sf_assets.assets.settings import home_folder
from sf_assets.definitions import build_definitions
from sf_assets.devorg.credentials import new_private_key
from sf_assets.errors import ConfigError

KEY = new_private_key()
REAL = {
    "SF_ASSETS_DEPLOYMENT": "production",
    "SALESFORCE_INSTANCE_URL": "acme.my.salesforce.com",
    "SALESFORCE_CONSUMER_KEY": "the-consumer-key",
    "SALESFORCE_PRIVATE_KEY": "the-private-key",
    "SALESFORCE_USERNAME": "integration@acme.example",
}


def test_an_empty_environment_is_the_practice_org_on_its_port():
    deployment = read_deployment({})

    assert deployment.name == "practice"
    assert deployment.salesforce.instance_url == PRACTICE_URL
    assert isinstance(deployment.salesforce.credentials, PracticeCredentials)
    assert deployment.fills_missing


@pytest.mark.parametrize(
    ("served_url", "url"),
    [
        ({"pid": os.getpid(), "port": 8657}, "http://127.0.0.1:8657"),
        ({"pid": 0x7FFFFFFE, "port": 8657}, PRACTICE_URL),
        ({"pid": os.getpid(), "port": "x"}, PRACTICE_URL),
        ([], PRACTICE_URL),
    ],
)
def test_a_practice_org_is_read_on_the_port_that_serves_it(tmp_path, served_url, url):
    (tmp_path / "practice").mkdir()
    (tmp_path / "practice" / "server.json").write_text(json.dumps(served_url))

    assert read_deployment({"SF_ASSETS_HOME": str(tmp_path)}).salesforce.instance_url == url


def test_production_reads_four_values_and_leaves_first_copies_to_a_person():
    deployment = read_deployment(REAL)

    assert deployment.salesforce.instance_url == "acme.my.salesforce.com"
    assert isinstance(deployment.salesforce.credentials, EnvironmentCredentials)
    assert not deployment.fills_missing


def test_secrets_stay_names_until_a_run_starts():
    credentials = read_deployment(REAL).salesforce.credentials

    assert credentials.consumer_key == dg.EnvVar("SALESFORCE_CONSUMER_KEY")
    assert "the-private-key" not in repr(credentials)
    assert "the-consumer-key" not in repr(credentials)


@pytest.mark.parametrize(
    ("setting", "value"),
    [("SF_ASSETS_DOCS_URL", "docs"), ("SF_ASSETS_HISTORY_DAYS", "-1"), ("SF_ASSETS_HISTORY_DAYS", "1.5")],
)
def test_an_address_or_a_number_of_days_that_is_none_is_refused(setting, value):
    with pytest.raises(ConfigError, match=f"^{setting} is '{value}'"):
        read_deployment({setting: value})


def test_a_key_file_stands_in_for_the_key():
    env = REAL | {"SALESFORCE_PRIVATE_KEY": "", "SALESFORCE_PRIVATE_KEY_FILE": "/keys/salesforce.pem"}

    assert read_deployment(env).salesforce.credentials.private_key_file == "/keys/salesforce.pem"


@pytest.mark.parametrize(
    "missing", ["SALESFORCE_INSTANCE_URL", "SALESFORCE_CONSUMER_KEY", "SALESFORCE_PRIVATE_KEY", "SALESFORCE_USERNAME"]
)
def test_production_names_the_variable_that_it_lacks(missing):
    with pytest.raises(ConfigError, match=f"^{missing} is not set"):
        read_deployment({name: value for name, value in REAL.items() if name != missing})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SF_ASSETS_DEPLOYMENT", "staging"),
        ("SALESFORCE_REQUESTS_PER_SECOND", "0"),
        ("SALESFORCE_REQUESTS_PER_SECOND", "fast"),
        ("SALESFORCE_REQUESTS_PER_SECOND", "inf"),
        ("SALESFORCE_QUOTA_RESERVE", "1"),
        ("SALESFORCE_QUOTA_RESERVE", "-0.1"),
        ("SALESFORCE_DAILY_CALLS", "9" * 30),
        ("SF_ASSETS_READ_DELETED", "no"),
        ("SF_ASSETS_CALCULATED", "daily"),
        ("SF_ASSETS_BULK", "sometimes"),
        ("SF_ASSETS_DBT", "yes"),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_variable(name, value):
    with pytest.raises(ConfigError, match=f"^{name} is '{value}'"):
        read_deployment({name: value})


def test_the_other_variables_reach_the_resources():
    deployment = read_deployment(
        {
            "SALESFORCE_LOGIN_AUDIENCE": "https://test.salesforce.com",
            "SALESFORCE_REQUESTS_PER_SECOND": "0.5",
            "SALESFORCE_QUOTA_RESERVE": "0.25",
            "SF_ASSETS_READ_DELETED": "0",
            "SF_ASSETS_CATALOG": "lake",
            "SF_ASSETS_NAMESPACE": "crm",
            "SF_ASSETS_LEDGER": "postgresql://ledger",
            "SF_ASSETS_SPECS": "/specs",
            "SF_ASSETS_DBT": "1",
        }
    )

    salesforce, iceberg = deployment.salesforce, deployment.iceberg
    assert (salesforce.audience, salesforce.requests_per_second) == ("https://test.salesforce.com", 0.5)
    assert (salesforce.quota_reserve, salesforce.read_deleted) == (0.25, False)
    assert salesforce.ledger == "postgresql://ledger"
    assert (iceberg.catalog, iceberg.namespace) == ("lake", "crm")
    assert (deployment.specs, deployment.dbt) == (Path("/specs"), True)


def test_the_home_is_the_named_one_then_dagsters_then_the_current_folder():
    assert home_folder({"SF_ASSETS_HOME": "/home/sf", "DAGSTER_HOME": "/dagster"}) == Path("/home/sf")
    assert home_folder({"DAGSTER_HOME": "/dagster"}) == Path("/dagster")
    assert home_folder({}) == home_folder({"SF_ASSETS_HOME": " ", "DAGSTER_HOME": ""}) == Path.cwd() / ".sf_assets"


NO_PATHS = ["/home/a\nb", "/home/\x1b[31m", "/home/\udcff"]
DAGSTERS = "DAGSTER_HOME"


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        *[(name, folder) for name in ("SF_ASSETS_HOME", DAGSTERS) for folder in NO_PATHS],
        (DAGSTERS, "/home/a?b"),
        (DAGSTERS, "/home/%41"),
    ],
)
def test_a_home_that_cannot_be_one_is_named(name, folder):
    with pytest.raises(ConfigError, match=f"{name} is /home/.*which cannot be used") as refusal:
        home_folder({name: folder})

    assert str(refusal.value).isprintable()
    assert home_folder({name: "/home/a#b %zz&c"}) == Path("/home/a#b %zz&c")


def test_a_home_of_dagster_is_an_absolute_path():
    with pytest.raises(ConfigError, match="DAGSTER_HOME is rel/ative, which is not an absolute path"):
        home_folder({"DAGSTER_HOME": "rel/ative"})


def test_practice_and_production_do_not_share_a_default_lake():
    practice, production = read_deployment({}), read_deployment(REAL)

    assert practice.iceberg.local_folder != production.iceberg.local_folder


def test_a_practice_org_that_was_never_started_says_how_to_start_it(tmp_path):
    credentials = read_deployment({"SF_ASSETS_HOME": str(tmp_path)}).salesforce.credentials

    with pytest.raises(ConfigError) as error_info:
        credentials.fetch()

    assert "sf-assets practice" in error_info.value.remedy


def test_the_environment_is_read_nowhere_else():
    package = Path(__file__).parents[2] / "sf_assets"
    readers = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if "os.environ" in path.read_text() or "getenv" in path.read_text()
    }

    # Commands hand their environment to children; the plugin, which lives in dbt's process, hands it to read_lake.
    beside = ("commands/", "devorg/", "cli.py", "downstream/duckdb_plugin.py")
    # network.py reads the proxy and certificate variables that every program of a machine shares.
    own = {"assets/deployments.py", "salesforce/network.py"}
    assert {name for name in readers if not name.startswith(beside)} == own


@pytest.mark.parametrize(
    "audience",
    [
        "acme.my.salesforce.com",
        "http://acme.my.salesforce.com",
        "https://u:p@acme.my.salesforce.com",
        "https://a.b/x",
        "https://",
        "https://[::1",
        "-----BEGIN PRIVATE KEY-----",
    ],
)
def test_an_audience_is_an_https_origin_and_is_not_quoted(audience):
    with pytest.raises(ConfigError, match="^SALESFORCE_LOGIN_AUDIENCE is not an https origin") as refusal:
        read_deployment({"SALESFORCE_LOGIN_AUDIENCE": audience})

    assert audience == "https://" or audience not in f"{refusal.value} {refusal.value.values}"


def test_an_audience_may_have_blanks_and_a_slash_around_it():
    audience = read_deployment({"SALESFORCE_LOGIN_AUDIENCE": " https://acme.my.salesforce.com/\n"}).salesforce.audience

    assert audience == "https://acme.my.salesforce.com"


@pytest.mark.parametrize("secret", [KEY, "5Aep861" * 12, "loader@acme.example", "postgresql://u:sesame@host/db"])
@pytest.mark.parametrize(
    "name",
    [
        "SF_ASSETS_DEPLOYMENT",
        "SALESFORCE_REQUESTS_PER_SECOND",
        "SALESFORCE_QUOTA_RESERVE",
        "SALESFORCE_DAILY_CALLS",
        "SF_ASSETS_READ_DELETED",
        "SF_ASSETS_CALCULATED",
        "SF_ASSETS_ORG",
        "SALESFORCE_LOGIN_AUDIENCE",
        "SF_ASSETS_DOCS_URL",
        "SF_ASSETS_CADENCES",
        "SF_ASSETS_ENDPOINTS",
    ],
)
def test_a_secret_in_the_wrong_setting_is_not_quoted(name, secret):
    with pytest.raises(ConfigError, match=f"^{name}") as refusal:
        build_definitions(read_deployment({name: secret}))

    assert secret not in f"{refusal.value} {refusal.value.remedy} {refusal.value.values}"
