"""Hashed columns: the text is in no file of the lake, equal texts stay equal, and errors do not tell them."""

import hmac

import dagster as dg
import pytest

from sf_assets.assets.deployments import read_deployment
from sf_assets.definitions import build_definitions
from sf_assets.errors import SpecError, ValueUnexpected
from sf_assets.specs.endpoints import endpoints
from sf_assets.sync.hashing import without_value

# Dagster itself calls it, for a nested resource with an EnvVar.
pytestmark = pytest.mark.filterwarnings("ignore:InitResourceContext.dagster_run:DeprecationWarning")

CANARY = "canary.in.the.coalmine@acme.example"
KEY = "0123456789abcdef0123456789abcdef"
POLICY = '[override.contact]\nhashed = ["Email"]\nexcluded = ["MobilePhone"]\n[override.lead]\nhashed = ["Email"]\n'


@pytest.fixture
def environment(practice_org, tmp_path, monkeypatch):
    """A deployment whose own specs hash the e-mail of contacts and leads."""
    secrets = {f"SALESFORCE_{name.upper()}": value for name, value in practice_org.credentials.items()}
    secrets |= {"SALESFORCE_HASH_KEY": KEY}
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs/endpoints.toml").write_text(POLICY)
    return {
        **secrets,
        "SF_ASSETS_DEPLOYMENT": "production",
        "SF_ASSETS_HOME": str(tmp_path / "home"),
        "SF_ASSETS_SPECS": str(tmp_path / "specs"),
        "SALESFORCE_INSTANCE_URL": practice_org.url,
        "SALESFORCE_REQUESTS_PER_SECOND": "1000",
    }


def run(environment, *names):
    """Run some endpoints; return the warehouse and the errors' names."""
    deployment = read_deployment(environment)
    with dg.DagsterInstance.ephemeral() as instance:
        result = (
            build_definitions(deployment)
            .resolve_implicit_global_asset_job_def()
            .execute_in_process(
                instance=instance,
                asset_selection=[dg.AssetKey(["salesforce", name]) for name in names],
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
                raise_on_error=False,
            )
        )
    failures = [e.step_failure_data.user_failure_data.description for e in result.all_events if e.is_step_failure]
    return deployment.iceberg.tables(), failures


@pytest.mark.slow
def test_a_canary_is_in_no_file_and_its_hash_is_the_same_in_every_table(environment, practice_org, tmp_path, holds):
    org = practice_org.org
    contact, lead = org.rows("Contact")[0]["Id"], org.rows("Lead")[0]["Id"]
    for sobject, row_id in (("Contact", contact), ("Lead", lead)):
        org.update(sobject, row_id, {"Email": CANARY})

    warehouse, failures = run(environment, "contact", "lead")

    expected = hmac.digest(KEY.encode(), CANARY.encode(), "sha256").hex()
    contacts = {row["id"]: row for row in warehouse.scan("contact").collect().to_dicts()}
    leads = {row["id"]: row for row in warehouse.scan("lead").collect().to_dicts()}
    assert failures == []
    assert contacts[contact]["email"] == leads[lead]["email"] == expected
    assert "mobile_phone" not in contacts[contact]
    assert holds(tmp_path / "home", CANARY) == []
    assert holds(tmp_path / "home", KEY) == []
    assert holds(tmp_path / "home", contacts[contact]["last_name"])  # what is not hashed is found in this way


@pytest.mark.slow
def test_a_sync_without_news_is_one_although_the_table_holds_hashes(environment, practice_org):
    warehouse, _ = run(environment, "contact")
    before = warehouse.facts("contact").snapshot_id

    warehouse, _ = run(environment, "contact")

    assert warehouse.facts("contact").snapshot_id == before


@pytest.mark.slow
@pytest.mark.parametrize("key", ["", "short"])
def test_without_a_key_nothing_is_read(environment, practice_org, monkeypatch, key):
    monkeypatch.setenv("SALESFORCE_HASH_KEY", key)

    warehouse, failures = run({**environment, "SALESFORCE_HASH_KEY": key}, "contact")

    assert "openssl rand -hex 32" in failures[0]
    assert warehouse.facts("contact") is None


@pytest.mark.parametrize(
    ("policy", "what"),
    [
        ('hashed = ["Id"]', "hashes Id, which every sync needs"),
        ('hashed = ["Emial"]', "hashes Emial, which is not among the columns"),
        ('deleted = "forget"', "deleted 'forget' is unknown"),
    ],
)
def test_a_policy_that_cannot_be_kept_is_refused_at_load(tmp_path, policy, what):
    (tmp_path / "endpoints.toml").write_text(f"[override.contact]\n{policy}\n")

    with pytest.raises(SpecError, match=what):
        endpoints(tmp_path)


@pytest.mark.slow
def test_what_is_no_text_cannot_be_hashed(environment, tmp_path):
    (tmp_path / "specs/endpoints.toml").write_text('[override.contact]\nhashed = ["Birthdate"]\n')

    _, failures = run(environment, "contact")

    assert "only a text can be hashed" in failures[0]


def test_an_error_over_a_hashed_column_does_not_show_the_value(tmp_path):
    (tmp_path / "endpoints.toml").write_text(POLICY)
    (spec,) = (spec for spec in endpoints(tmp_path) if spec.endpoint == "contact")
    error = ValueUnexpected(f"Contact.Email = {CANARY}", column="Email", value=CANARY, record_id="003")
    other = ValueUnexpected("Contact.Name = 5", column="Name", value="5", record_id="003")

    clean_error = without_value(error, spec)

    assert CANARY not in f"{clean_error} {clean_error.values}"
    assert "003" in str(clean_error)
    assert without_value(other, spec) is other
