"""`sf-assets erase-columns`: values that a table holds against its policy leave every file."""

from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from sf_assets.cli import main
from sf_assets.devorg import serve
from sf_assets.devorg.sample import sample_org
from sf_assets_tests.assets.conftest import Runs, instance

__all__ = ["instance"]

# Dagster itself calls it, for a nested resource with an EnvVar.
pytestmark = pytest.mark.filterwarnings("ignore:InitResourceContext.dagster_run:DeprecationWarning")


@pytest.fixture
def runs(tmp_path, monkeypatch, instance):
    """A filled table of contacts, and the environment of its deployment in this process."""
    with serve(sample_org(seed=8, rows={"Contact": 20, "Account": 10})) as org:
        secrets = {f"SALESFORCE_{name.upper()}": value for name, value in org.credentials.items()}
        values = {
            **secrets,
            "SF_ASSETS_DEPLOYMENT": "production",
            "SF_ASSETS_HOME": str(tmp_path / "home"),
            "SALESFORCE_INSTANCE_URL": org.url,
            "SALESFORCE_REQUESTS_PER_SECOND": "1000",
        }
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        runs = Runs(values, instance)
        assert runs("contact").success
        yield runs


def texts(runs, tmp_path, column):
    """The values of a column, and every text in the table's files."""
    values = runs.warehouse.scan("contact").select(column).collect()[column].drop_nulls().to_list()
    files = list((tmp_path / "home").rglob("*.parquet"))
    return values, "".join(pl.read_parquet(path).write_ndjson() for path in files if "contact" in str(path))


def exclude(tmp_path, monkeypatch):
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs/endpoints.toml").write_text('[override.contact]\nexcluded = ["MobilePhone"]\n')
    monkeypatch.setenv("SF_ASSETS_SPECS", str(tmp_path / "specs"))


def test_an_excluded_column_leaves_every_file_of_the_table(runs, tmp_path, monkeypatch):
    values, _ = texts(runs, tmp_path, "mobile_phone")
    assert values
    exclude(tmp_path, monkeypatch)

    result = CliRunner().invoke(main, ["erase-columns", "contact", "--yes"], catch_exceptions=False)

    facts = runs.warehouse.facts("contact")
    _, content = texts(runs, tmp_path, "id")
    assert result.exit_code == 0
    assert "mobile_phone and all older snapshots removed" in result.output
    assert "mobile_phone" not in facts.columns
    assert facts.rows == 20
    assert not any(value in content for value in values)
    assert Path(runs.deployment.iceberg.local_folder).exists()


def test_the_sync_goes_on_after_an_erasure_and_the_check_is_green(runs, tmp_path, monkeypatch):
    exclude(tmp_path, monkeypatch)
    CliRunner().invoke(main, ["erase-columns", "contact", "--yes"], catch_exceptions=False)

    after = runs.under(SF_ASSETS_SPECS=str(tmp_path / "specs"))("contact")

    assert after.success
    assert after.checks["contact", "as_specified"].passed


def test_texts_of_a_column_that_is_hashed_now_leave_every_file(runs, tmp_path, monkeypatch):
    values, _ = texts(runs, tmp_path, "email")
    assert values
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs/endpoints.toml").write_text('[override.contact]\nhashed = ["Email"]\n')
    monkeypatch.setenv("SF_ASSETS_SPECS", str(tmp_path / "specs"))
    monkeypatch.setenv("SALESFORCE_HASH_KEY", "ab" * 32)
    hashing = runs.under(SF_ASSETS_SPECS=str(tmp_path / "specs"), SALESFORCE_HASH_KEY="ab" * 32)
    assert "erase-columns contact Email" in hashing("contact").checks["contact", "as_specified"].description

    CliRunner().invoke(main, ["erase-columns", "contact", "Email", "--yes"], catch_exceptions=False)
    after_refresh = hashing("contact", config={"full_refresh": True})

    hashes, content = texts(runs, tmp_path, "email")
    assert after_refresh.checks["contact", "as_specified"].passed
    assert len(hashes) == len(values)
    assert not any(value in content for value in values)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["contact"], "excludes no column"),
        (["contact", "NoSuch"], "has no column NoSuch"),
        (["contact", "Id"], "is a key"),
        (["product", "Name"], "there is no table product"),
        (["contacts"], "no endpoint or group is named contacts"),
    ],
)
def test_what_cannot_be_erased_is_named(runs, arguments, says):
    result = CliRunner().invoke(main, ["erase-columns", *arguments, "--yes"])

    assert result.exit_code == 1
    assert says in result.output
    assert runs.warehouse.facts("contact").rows == 20


def test_nothing_is_removed_without_a_yes(runs):
    before = runs.warehouse.facts("contact").snapshot_id

    result = CliRunner().invoke(main, ["erase-columns", "contact", "MobilePhone"], input="n\n")

    assert result.exit_code != 0
    assert runs.warehouse.facts("contact").snapshot_id == before
