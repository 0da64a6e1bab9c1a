"""The key of hashed columns is changed: no table takes hashes of two keys, and a full refresh is the way over."""

import hmac
from dataclasses import dataclass, field

import dagster as dg
import pytest

from sf_assets.assets.deployments import read_deployment
from sf_assets.definitions import build_definitions
from sf_assets.sync.hashing import MARK, fingerprint

# Dagster itself calls it, for a nested resource with an EnvVar.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:InitResourceContext.dagster_run:DeprecationWarning"),
]

KEY, OTHER = "0123456789abcdef0123456789abcdef", "another-key-of-thirty-two-bytes!"
HASHED = '[override.contact]\nhashed = ["Email"]\n[override.lead]\nhashed = ["Email"]\n'
NONE = ""
EVALUATED = "ASSET_CHECK_EVALUATION"


@dataclass
class Run:
    """One run of some endpoints: each failure's words, the `as_specified` checks that are red, and the tables."""

    success: bool
    warehouse: object
    failures: list = field(default_factory=list)
    red: set = field(default_factory=set)

    def emails(self, endpoint="contact"):
        frame = self.warehouse.scan(endpoint).collect()
        return dict(frame.select("id", "email").drop_nulls().rows())


@pytest.fixture
def sync(practice_org, tmp_path, monkeypatch):
    """Syncs endpoints under a key and a policy."""
    secrets = {f"SALESFORCE_{name.upper()}": value for name, value in practice_org.credentials.items()}
    (tmp_path / "specs").mkdir()

    def run(key, *endpoints, policy=HASHED, **config):
        environment = {
            **secrets,
            "SALESFORCE_HASH_KEY": key,
            "SF_ASSETS_DEPLOYMENT": "production",
            "SF_ASSETS_HOME": str(tmp_path / "home"),
            "SF_ASSETS_SPECS": str(tmp_path / "specs"),
            "SALESFORCE_INSTANCE_URL": practice_org.url,
            "SALESFORCE_REQUESTS_PER_SECOND": "1000",
        }
        for name in (*secrets, "SALESFORCE_HASH_KEY"):
            monkeypatch.setenv(name, environment[name])
        (tmp_path / "specs/endpoints.toml").write_text(policy)
        deployment, names = read_deployment(environment), endpoints or ("contact",)
        with dg.DagsterInstance.ephemeral() as instance:
            result = (
                build_definitions(deployment)
                .resolve_implicit_global_asset_job_def()
                .execute_in_process(
                    instance=instance,
                    asset_selection=[dg.AssetKey(["salesforce", name]) for name in names],
                    run_config={
                        "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
                        "ops": {f"salesforce__{name}": {"config": config} for name in names},
                    },
                    raise_on_error=False,
                )
            )
            events = [e.dagster_event for e in instance.all_logs(result.run_id) if e.is_dagster_event]
        failures = [e.step_failure_data.user_failure_data.description for e in events if e.is_step_failure]
        checks = [e.asset_check_evaluation_data for e in events if e.event_type_value == EVALUATED]
        red = {e.asset_key.path[-1] for e in checks if e.check_name == "as_specified" and not e.passed}
        return Run(result.success, deployment.iceberg.tables(), failures, red)

    return run


def test_another_key_is_refused_until_the_former_is_back_without_loss(sync, practice_org):
    org = practice_org.org
    before = sync(KEY).emails()
    row_id = org.rows("Contact")[0]["Id"]
    org.update("Contact", row_id, {"Email": "tweety@acme.example"})

    with_other_key = sync(OTHER)
    emails_meanwhile = with_other_key.emails()
    back = sync(KEY)

    assert not with_other_key.success
    assert "not the one that the table's hashes were made with" in with_other_key.failures[0]
    assert "full_refresh: true" in with_other_key.failures[0]
    assert with_other_key.red == {"contact"}
    assert emails_meanwhile == before
    assert back.success
    assert back.emails()[row_id] == hmac.digest(KEY.encode(), b"tweety@acme.example", "sha256").hex()


def test_a_full_refresh_hashes_the_table_with_the_new_key_alone(sync, practice_org):
    before = sync(KEY, "contact", "lead").emails()

    after_refresh = sync(OTHER, full_refresh=True)
    then = sync(OTHER, "contact", "lead")

    expected = {
        row["Id"]: hmac.digest(OTHER.encode(), row["Email"].encode(), "sha256").hex()
        for row in practice_org.org.rows("Contact")
        if row["Email"]
    }
    assert after_refresh.success
    assert after_refresh.red == set()
    assert then.emails() == expected
    assert before.keys() == expected.keys()
    assert [failure.partition(":")[0] for failure in then.failures] == ["lead"]


def test_a_table_without_hashes_takes_any_key(sync):
    sync(KEY)
    sync(KEY, policy=NONE, full_refresh=True)

    with_other_key = sync(OTHER)

    assert with_other_key.success
    assert with_other_key.red == {"contact"}  # texts stand in the table, which is what this check says of it


def test_the_key_is_in_no_file_and_its_fingerprint_is_the_hash_of_no_text(sync, tmp_path, holds):
    with_key = sync(KEY)

    mark = fingerprint(KEY.encode())
    assert f'"hashed_under":"{mark}"' in with_key.warehouse.facts("contact").state
    assert mark != fingerprint(OTHER.encode())
    assert holds(tmp_path / "home", KEY) == []
    assert not any(email_hash.startswith(mark) for email_hash in with_key.emails().values())
    assert b"\0" in MARK  # which no text of Salesforce's has
