"""The doctor on Snowflake: the loopback account against a lake of this test's own."""

import os
import subprocess
import sys
from decimal import Decimal

import polars as pl
import pytest

from sf_assets.assets.deployments import read_deployment
from sf_assets.commands.doctor.checks import run_checks
from sf_assets.specs.endpoints import endpoints

CHOSEN = [spec for spec in endpoints() if spec.endpoint in ("account", "contact")]
SALESFORCE = {
    "SF_ASSETS_DEPLOYMENT": "production",
    "SALESFORCE_INSTANCE_URL": "http://127.0.0.1:9",
    "SALESFORCE_CONSUMER_KEY": "3MVG9",
    "SALESFORCE_USERNAME": "integration@acme.example",
    "SALESFORCE_PRIVATE_KEY": "no key: the doctor goes on without a login",
}


@pytest.fixture
def environment(snowflake, tmp_path, monkeypatch):
    """Production over the loopback account; secrets are in the process's environment too."""
    values = {
        **SALESFORCE,
        "SF_ASSETS_HOME": str(tmp_path),
        "SNOWFLAKE_ACCOUNT": snowflake.account,
        "SNOWFLAKE_HOST": f"http://127.0.0.1:{snowflake.port}",
        "SNOWFLAKE_USER": snowflake.user,
        "SNOWFLAKE_PRIVATE_KEY": snowflake.private_key,
        "SNOWFLAKE_DATABASE": "RAW",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return values


@pytest.fixture
def run_doctor(environment):
    """Runs the doctor; returns what it says of Snowflake."""

    def run(**changes):
        deployment = read_deployment({**environment, **changes})
        return [finding for finding in run_checks(deployment, CHOSEN) if finding.check == "snowflake"]

    return run


@pytest.fixture
def lake(environment, snowflake):
    """Three contacts, which a linked database shows at their newest version."""
    warehouse = read_deployment(environment).iceberg.tables()
    rows = {"id": ["1", "2", "3"], "weight": [0.1, 0.2, 0.3], "amount": [Decimal("1.25"), None, Decimal("2.50")]}
    warehouse.overwrite("contact", [pl.DataFrame(rows)])
    snowflake.sees_all(lambda table: warehouse.facts(table).metadata_location)
    return warehouse


@pytest.fixture
def sound(snowflake):
    """An account that answers well."""
    snowflake.answers = {
        "CURRENT_ROLE": [["LOADER", "SF_LOADER", "AWS_EU_CENTRAL_1"]],
        "LINK_STATUS": [['{"executionState": "RUNNING", "failureDetails": []}']],
        "COUNT": [["3", "3.750000"]],
    }
    return snowflake


def words(findings):
    return [finding.status for finding in findings]


def test_what_snowflake_reads_is_compared_with_the_lake(sound, lake, run_doctor):
    findings = run_doctor()

    assert words(findings) == ["ok"] * 4
    assert sound.queries[-1] == 'SELECT COUNT(*), SUM("amount") FROM "RAW"."salesforce"."contact"'
    assert "3 rows, sum 3.75" in findings[-1].message
    assert not [statement for statement in sound.queries if not statement.startswith("SELECT ")]


def test_registered_tables_are_asked_for_without_a_linked_database(sound, lake, run_doctor):
    findings = run_doctor(SF_ASSETS_SNOWFLAKE="tables", SNOWFLAKE_WAREHOUSE="LOADING")

    assert words(findings) == ["ok"] * 3
    assert '"RAW"."SALESFORCE"."CONTACT"' in findings[-1].message


def test_before_the_first_sync_the_account_alone_is_asked(sound, run_doctor):
    findings = run_doctor()

    assert words(findings) == ["ok", "ok", "warn"]
    assert findings[-1].remedy == "Run doctor again after the first sync."


def test_a_login_that_snowflake_refuses_fails_with_its_remedy(sound, lake, run_doctor, other_key, monkeypatch):
    monkeypatch.setenv("SNOWFLAKE_PRIVATE_KEY", other_key)

    (findings,) = run_doctor()

    assert findings.status == "fail"
    assert "RSA_PUBLIC_KEY_FP" in findings.remedy
    assert other_key.splitlines()[3] not in f"{findings}"


def test_rows_that_snowflake_does_not_show_are_a_failure(sound, lake, run_doctor):
    sound.answers["COUNT"] = [["2", "3.750000"]]

    findings = run_doctor()

    assert words(findings) == ["ok", "ok", "ok", "fail"]
    assert "2 rows, sum 3.75" in findings[-1].message
    assert "the table has 3 rows" in findings[-1].message


def test_a_sum_over_no_value_is_no_sum(sound, environment, run_doctor):
    warehouse = read_deployment(environment).iceberg.tables()
    warehouse.overwrite(
        "contact", [pl.DataFrame({"id": ["1"], "amount": [None]}, {"id": pl.String, "amount": pl.Int64})]
    )
    sound.sees_all(lambda table: warehouse.facts(table).metadata_location)
    sound.answers["COUNT"] = [["1", None]]

    assert words(run_doctor()) == ["ok"] * 4


LOADED = """
import sys
from sf_assets.assets.deployments import read_deployment
from sf_assets.commands.doctor.checks import run_checks
print([finding for finding in run_checks(read_deployment(), []) if finding.check == "snowflake"])
print([name for name in sys.modules if name.startswith(("dagster_snowflake", "snowflake."))])
"""


def test_without_an_account_nothing_is_asked_and_its_library_is_not_loaded(tmp_path):
    shell = {**SALESFORCE, "SF_ASSETS_HOME": str(tmp_path), "PATH": os.environ["PATH"]}

    process = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, timeout=60, env=shell)

    assert process.stdout == "[]\n[]\n", process.stderr
