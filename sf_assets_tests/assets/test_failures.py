"""What a person meets when something is wrong: one clear Failure with its remedy, the red check, and no secret."""

import json
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from sf_assets import errors
from sf_assets.devorg import Fault, sample_org, serve
from sf_assets.devorg.credentials import new_private_key
from sf_assets.sync import status_table

# Dagster itself calls it, for a nested resource with an EnvVar.
pytestmark = pytest.mark.filterwarnings("ignore:InitResourceContext.dagster_run:DeprecationWarning")


def failure(result, endpoint):
    return result.failures[endpoint].user_failure_data


def assert_teaches(result, endpoint, error):
    """The first line says what happened to which endpoint and what to do; the metadata names error and remedy."""
    data = failure(result, endpoint)
    assert not result.success
    assert data.description.startswith(f"{endpoint}: ")
    assert data.metadata["error"].value == error.__name__
    remedy = data.metadata["remedy"].value
    assert remedy in data.description
    assert f"errors.md#{error.__name__.lower()}" in str(data.metadata["page"].value)


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        ({"app_known": False}, errors.ConsumerKeyUnknown),
        ({"user_approved": False}, errors.UserNotApproved),
        ({"user_admin_approved": False}, errors.UserNotApproved),
        ({"user_active": False}, errors.UserInactive),
        ({"login_refusal": "wrong_audience"}, errors.AudienceRefused),
        ({"org_active": False}, errors.OrgInactive),
        ({"sessions_refused": True}, errors.SessionRefused),
        ({"api_enabled": False}, errors.ApiDisabled),
    ],
)
def test_a_refused_login_or_right_fails_each_endpoint_with_one_request(runs, practice_org, behaviour, error):
    practice_org.org.behaviour = replace(practice_org.org.behaviour, **behaviour)

    result = runs.under(SALESFORCE_LOGIN_AUDIENCE="https://login.salesforce.com")("product", "pricebook")

    first, second = list(result.failures)
    assert_teaches(result, first, error)
    assert failure(result, second).description == (
        f"{second}: not read, for the same reason as {first} ({error.__name__}). Its failure says what to do."
    )
    assert [record.kind for record in practice_org.requests].count("token") <= 2


def test_a_wrong_username_is_told(runs, monkeypatch):
    monkeypatch.setenv("SALESFORCE_USERNAME", "nobody@acme.example")

    assert_teaches(runs("product"), "product", errors.AssertionRefused)


def test_a_key_of_another_app_is_told(runs, monkeypatch):
    monkeypatch.setenv("SALESFORCE_PRIVATE_KEY", new_private_key())

    assert_teaches(runs("product"), "product", errors.AssertionRefused)


@pytest.mark.parametrize("text", ["not a key", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"])
def test_a_text_that_is_no_private_key_is_told_without_showing_it(runs, monkeypatch, text):
    monkeypatch.setenv("SALESFORCE_PRIVATE_KEY", text)

    result = runs("product")

    assert_teaches(result, "product", errors.ConfigError)
    assert "MIIB" not in failure(result, "product").description


def test_a_private_key_file_that_is_not_there_is_told(runs, tmp_path):
    result = runs.under(SALESFORCE_PRIVATE_KEY_FILE=str(tmp_path / "absent.pem"))("product")

    assert_teaches(result, "product", errors.ConfigError)
    assert "absent.pem" in failure(result, "product").description


def test_a_host_that_does_not_answer_is_told(runs):
    hasty = replace(runs, salesforce={"give_up_after_seconds": 0.01})

    result = hasty.under(SALESFORCE_INSTANCE_URL="http://127.0.0.1:9")("product")

    assert_teaches(result, "product", errors.HostUnreachable)


def test_a_practice_org_that_is_not_running_says_how_to_start_it(runs, practice_org):
    folder = runs.deployment.home / "practice"
    folder.mkdir(parents=True)
    (folder / "credentials.json").write_text(json.dumps(practice_org.credentials))
    hasty = replace(runs, salesforce={"give_up_after_seconds": 0.01})

    result = hasty.under(SF_ASSETS_DEPLOYMENT="practice", SALESFORCE_INSTANCE_URL="http://127.0.0.1:9")("product")

    assert_teaches(result, "product", errors.HostUnreachable)
    assert "sf-assets practice" in failure(result, "product").description


def test_a_spent_quota_turns_current_red_and_reads_as_what_it_is(runs, practice_org):
    runs("product")
    practice_org.org.behaviour = replace(practice_org.org.behaviour, daily_limit=1)

    result = runs("product")

    assert_teaches(result, "product", errors.QuotaSpent)
    assert not result.checks["product", "current"].passed
    row = runs.warehouse.scan(status_table.TABLE).collect().to_dicts()[0]
    assert row["state"] == "quota_spent"


def test_complete_is_red_and_rows_stay_when_the_user_cannot_see_most_rows(runs, practice_org):
    runs("field_permissions")
    org = practice_org.org
    before = runs.warehouse.facts("field_permissions")
    org.hide_rows("FieldPermissions", [row["Id"] for row in org.rows("FieldPermissions")[:-10]])

    result = runs("field_permissions")

    assert_teaches(result, "field_permissions", errors.ShrinkRefused)
    assert not result.checks["field_permissions", "complete"].passed
    assert runs.warehouse.facts("field_permissions").rows == before.rows
    assert runs("field_permissions", config={"confirm_shrink": True}).success


def test_an_endpoint_that_fails_does_not_take_its_siblings_along(runs, practice_org):
    practice_org.org.hide_field("Product2", "SystemModstamp")

    result = runs("product", "pricebook")

    assert set(result.failures) == {"product"}
    assert_teaches(result, "product", errors.FieldInvalid)
    assert not result.checks["product", "as_specified"].passed
    assert result.materialized["pricebook"]["dagster/row_count"] > 0


def test_a_failed_endpoint_keeps_its_true_as_of_in_the_status_table(runs, practice_org):
    runs("product")
    first = runs.warehouse.scan(status_table.TABLE).collect().to_dicts()[0]
    practice_org.org.faults.append(Fault(kind="composite", times=None, status=403, error_code="REQUEST_LIMIT_EXCEEDED"))

    result = runs("product")

    row = runs.warehouse.scan(status_table.TABLE).collect().to_dicts()[0]
    assert (row["state"], row["run_id"]) == ("quota_spent", result.run_id)
    assert (row["true_as_of"], row["rows"]) == (first["true_as_of"], first["rows"])
    assert "calls" in row["warnings"]


def test_an_endpoint_is_refused_config_that_contradicts_itself(runs, practice_org):
    result = runs("product", config={"since": "2026-01-01T00:00:00"})

    assert_teaches(result, "product", errors.ConfigError)
    assert practice_org.requests == ()


def test_a_failure_between_two_pages_tells_what_was_sent_read_and_kept(runs, practice_org):
    org = practice_org.org
    org.behaviour = replace(org.behaviour, page_rows=15)
    org.faults.append(Fault(kind="more", times=1, status=429))
    org.faults.append(Fault(kind="more", times=1, status=403, error_code="INSUFFICIENT_ACCESS", message="No."))

    result = runs("account")

    assert_teaches(result, "account", errors.AccessDenied)
    entries = {name: entry.value for name, entry in failure(result, "account").metadata.items()}
    assert (entries["status"], entries["error_code"], entries["attempts"]) == ("403", "INSUFFICIENT_ACCESS", "2")
    assert (entries["calls"], entries["sent_again"], entries["pages"], entries["rows_read"]) == (3, 1, 1, 15)
    assert entries["committed"] == "Nothing: there is no table yet."  # a page counts once its result is complete
    assert runs.warehouse.facts("account") is None
    red = result.checks["account", "as_specified"].metadata
    assert (red["rows_read"].value, red["error"].value) == (15, "AccessDenied")
    assert runs("account").materialized["account"]["rows_inserted"] == 40


def test_a_failure_links_to_the_page_that_the_deployment_names(runs, practice_org):
    practice_org.org.hide_field("Product2", "SystemModstamp")

    result = runs.under(SF_ASSETS_DOCS_URL="https://acme.example/docs")("product")

    page = failure(result, "product").metadata["page"]
    assert page == dg.MetadataValue.url("https://acme.example/docs/errors.md#fieldinvalid")
    assert result.checks["product", "as_specified"].metadata["page"] == page


def test_a_failure_that_keeps_nothing_says_so(runs, practice_org):
    runs("profile")
    org = practice_org.org
    org.behaviour = replace(org.behaviour, page_rows=2)
    org.update("Profile", org.rows("Profile")[0]["Id"], {"Name": "changed"})
    org.faults.append(Fault(kind="more", times=1, status=403, error_code="INSUFFICIENT_ACCESS", message="No."))

    entries = failure(runs("profile"), "profile").metadata

    assert entries["committed"].value == "Nothing: the table is as it was."
    assert entries["table_rows"].value == entries["table_rows_before"].value == len(org.rows("Profile"))


def test_a_lake_that_may_not_be_written_is_told(runs):
    runs("product")
    folder = Path(runs.deployment.iceberg.local_folder)
    read_only = {
        "type": "sql",
        "uri": f"sqlite:///file:{folder}/catalog.db?mode=ro&uri=true",
        "warehouse": f"file://{folder}/tables",
    }

    result = replace(runs, iceberg={"properties": read_only})("pricebook")

    assert_teaches(result, "pricebook", errors.IcebergReadOnly)


def test_a_catalog_that_may_not_be_made_is_told(runs):
    folder = Path(runs.deployment.iceberg.local_folder)
    folder.parent.mkdir(parents=True)
    folder.write_text("in the way")

    result = runs("product")

    assert_teaches(result, "product", errors.IcebergReadOnly)


def test_a_table_of_another_org_is_refused_until_it_is_adopted(runs, monkeypatch):
    runs("product")
    with serve(sample_org(seed=8, rows={"Account": 1})) as other:
        theirs = runs.under(SALESFORCE_INSTANCE_URL=other.url)
        monkeypatch.setenv("SALESFORCE_USERNAME", other.credentials["username"])

        assert_teaches(theirs("product"), "product", errors.TableForeign)
        assert theirs("product", config={"adopt_org": True, "full_refresh": True, "confirm_shrink": True}).success


def test_no_secret_is_in_any_event_or_log_of_a_failed_run(runs, practice_org, instance):
    practice_org.org.behaviour = replace(practice_org.org.behaviour, user_approved=False)

    result = runs("product")

    events = "".join(dg.serialize_value(entry) for entry in instance.all_logs(result.run_id))
    key = practice_org.credentials["private_key"]
    assert key.splitlines()[1] not in events
    assert json.dumps(key)[1:60] not in events
    assert practice_org.credentials["consumer_key"] not in events


def test_a_failure_leaves_the_other_checks_as_they_were(runs, practice_org):
    before = runs("product").checks
    practice_org.org.hide_field("Product2", "SystemModstamp")

    after = runs("product").checks

    assert not after["product", "as_specified"].passed
    for name in ("complete", "current"):
        assert after["product", name].passed
        assert after["product", name].description == before["product", name].description


def test_the_checks_of_a_first_sync_that_fails_are_not_empty(runs, practice_org):
    practice_org.org.hide_field("Product2", "SystemModstamp")

    checks = runs("product").checks

    assert checks["product", "as_specified"].severity == dg.AssetCheckSeverity.ERROR
    for name in ("complete", "current"):
        assert checks["product", name].severity == dg.AssetCheckSeverity.WARN
        assert checks["product", name].description.startswith("Not checked yet")


def test_an_object_that_is_off_keeps_its_true_as_of(runs, practice_org):
    runs("quote")
    before = runs.warehouse.scan(status_table.TABLE).collect().to_dicts()[0]
    practice_org.org.switch_off("Quote")

    after = runs("quote")

    row = runs.warehouse.scan(status_table.TABLE).collect().to_dicts()[0]
    assert (row["state"], row["true_as_of"]) == ("warned", before["true_as_of"])
    assert "true_as_of" not in after.materialized["quote"]
    assert f"True as of {before['true_as_of']:%Y-%m-%d %H:%M:%S} UTC" in after.materialized["quote"]["summary"]
    assert "hidden from this user (describe: 404 NOT_FOUND)." in after.checks["quote", "as_specified"].description


def test_a_failure_after_a_commit_says_what_was_kept(runs, practice_org):
    practice_org.org.behaviour = replace(practice_org.org.behaviour, bulk_page_rows=15)
    practice_org.org.faults.append(Fault(kind="jobResults", after=1, times=None, refusal="daily_limit"))

    result = runs.under(SF_ASSETS_BULK="always")("account")

    entries = {name: entry.value for name, entry in failure(result, "account").metadata.items()}
    assert entries["committed"] == "All rows up to a checkpoint. The next run goes on there."
    assert (entries["table_rows_before"], entries["table_rows"]) == (0, 15)
    assert entries["snapshot_id"] == str(runs.warehouse.facts("account").snapshot_id)
