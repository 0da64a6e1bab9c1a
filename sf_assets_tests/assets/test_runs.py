"""Runs over a served org and a real lake, as Dagit launches them."""

import logging
import re
from datetime import UTC, datetime

import dagster as dg
import polars as pl
import pytest

from sf_assets.assets.reporting import TAG
from sf_assets.definitions import build_definitions
from sf_assets.iceberg.model import UNCHECKED, Chunk, TableColumn
from sf_assets.sync import status_table
from sf_assets.sync.type_map import TYPES

# Dagster itself calls it, for a nested resource with an EnvVar.
pytestmark = pytest.mark.filterwarnings("ignore:InitResourceContext.dagster_run:DeprecationWarning")


def kinds(server):
    return [record.kind for record in server.requests]


def statuses(runs):
    return {row["endpoint"]: row for row in runs.warehouse.scan(status_table.TABLE).collect().to_dicts()}


def test_an_endpoint_becomes_a_table_and_says_what_it_took(runs, practice_org):
    result = runs("account")

    rows = runs.warehouse.scan("account").collect()
    assert result.success
    assert rows.height == len(practice_org.org.rows("Account", deleted=True)) == 40
    account = result.materialized["account"]
    assert (account["rows_read"], account["rows_inserted"], account["dagster/row_count"]) == (40, 40, 40)
    assert (account["kind"], account["pages"], account["calls"]) == ("walk", 1, 1)
    assert account["dagster/table_name"] == "salesforce.account"
    assert account["soql"].startswith("```sql\nSELECT Id, ")
    assert account["quota_limit"] == 100_000
    assert account["bytes_written"] > 0


def test_the_columns_panel_shows_salesforces_words_and_the_key(runs):
    schema = runs("account").materialized["account"]["dagster/column_schema"]

    columns = {column.name: column for column in schema.columns}
    assert columns["id"].constraints == dg.TableColumnConstraints(nullable=False, unique=True)
    assert columns["annual_revenue"].type == "decimal(38, 6)"
    assert columns["annual_revenue"].description.startswith("AnnualRevenue: Annual Revenue")


def above_the_columns(run, endpoint):
    """The texts of the tags above Dagit's columns, each as long as Dagit shows it."""
    constraints = run.materialized[endpoint]["dagster/column_schema"].constraints.other
    assert [text for text in constraints if len(text) > TAG] == []
    return " ".join(constraints)


def test_rows_deleted_rows_and_cost_are_above_the_columns(runs, practice_org):
    org = practice_org.org
    org.delete("Account", org.rows("Account")[0]["Id"])
    deleted_rows = sum(row["IsDeleted"] for row in org.rows("Account", deleted=True))

    for run in (runs("account"), runs("account")):  # with news and without
        account = run.materialized["account"]
        texts = above_the_columns(run, "account")
        calls = f"{account['calls']} call{'s' * (account['calls'] != 1)}"
        assert re.match(r"As of \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC ", texts)
        assert f"40 rows {deleted_rows} of them deleted {calls} of 100,000 a day Nothing is wrong." in texts
        assert f"40 rows, {deleted_rows} of them deleted." in account["summary"]
        assert (account["table_rows_deleted"], account["dagster/query_count"]) == (deleted_rows, account["calls"])


def test_what_is_wrong_and_what_to_do_is_above_the_columns_and_in_the_log(runs, practice_org):
    runs("account")
    practice_org.org.hide_field("Account", "Phone")

    run = runs("account")

    check = run.checks["account", "as_specified"]
    lines = [entry.user_message for entry in runs.instance.all_logs(run.run_id) if entry.level == logging.WARNING]
    texts = above_the_columns(run, "account")
    assert not check.passed
    assert "Phone" in texts
    assert "Nothing is wrong" not in texts
    for line in lines:
        assert line.removeprefix("account: ").replace("`", "") in texts  # Dagit shows a tag without markup
    assert [line for line in lines if "Phone" in line and "exclude" in line], lines


def test_long_warnings_end_with_the_way_to_the_checks(runs, practice_org):
    hideable = [
        name for name in practice_org.org.table("Account").schema.fields if name.startswith(("Billing", "Ship"))
    ]
    for name in hideable:
        practice_org.org.hide_field("Account", name)

    texts = above_the_columns(runs("account"), "account")

    assert texts.endswith("... and more: see Checks")


def test_three_checks_are_told_with_each_sync(runs):
    result = runs("profile")

    assert {name for _, name in result.checks} == {"complete", "as_specified", "current"}
    assert all(check.passed for check in result.checks.values())


def test_the_data_version_is_the_snapshot_and_stays_without_changes(runs):
    first = runs("account")
    second = runs("account")

    assert first.versions["account"] == str(runs.warehouse.facts("account").snapshot_id)
    assert second.versions == first.versions
    assert second.materialized["account"]["kind"] == "unchanged"
    assert second.materialized["account"]["commits"] == 0


def test_a_sync_without_news_writes_one_line_and_any_other_three(runs):
    first, second = runs("user_role"), runs("user_role")

    assert [len(lines_of(runs, run)) for run in (first, second)] == [3, 1]
    assert lines_of(runs, second)[0].startswith("user_role: nothing has changed: 0 calls")


def lines_of(runs, run) -> list[str]:
    """The lines at INFO that the run wrote about its endpoints."""
    entries = runs.instance.all_logs(run.run_id)
    return [entry.user_message for entry in entries if entry.level == logging.INFO and not entry.dagster_event]


def test_a_change_in_the_org_is_merged_and_counted(runs, practice_org):
    runs("account")
    org = practice_org.org
    org.update("Account", org.rows("Account")[0]["Id"], {"Name": "Renamed"})
    org.insert("Account", {"Name": "New"})

    account = runs("account").materialized["account"]

    assert (account["rows_inserted"], account["rows_updated"]) == (1, 1)
    assert {"Renamed", "New"} <= set(runs.warehouse.scan("account").collect()["name"])


def test_one_survey_serves_all_endpoints_of_a_run(runs, practice_org):
    runs("product", "pricebook", "user_role")

    assert kinds(practice_org).count("token") == 1
    assert kinds(practice_org).count("composite") == 2  # one describe, one probe for the three


def test_materialize_surveys_its_selection_or_all_that_it_is_given(runs, practice_org, instance):
    definitions = build_definitions(runs.deployment)
    names = ("salesforce_org", "product", "pricebook")
    assets = [a for a in definitions.assets if a.key.path[-1] in names]

    for selection in ([dg.AssetKey(["salesforce", "product"])], None):
        practice_org.forget_requests()
        result = dg.materialize(assets, selection=selection, resources=definitions.resources, instance=instance)
        assert result.success
        composites = [record for record in practice_org.requests if record.kind == "composite"]
        assert len(composites) <= 2

    assert runs.warehouse.facts("pricebook") is not None


def test_the_next_run_asks_the_org_anew_with_the_login_that_it_has(runs, practice_org):
    runs("product")
    practice_org.forget_requests()

    runs("product")

    assert kinds(practice_org) == ["composite", "composite"]  # describe and probe


def test_an_object_that_is_off_is_a_table_without_rows_and_a_warning(runs, practice_org):
    practice_org.org.switch_off("Quote")

    result = runs("quote")

    assert result.success
    assert result.materialized["quote"]["kind"] == "unavailable"
    assert result.materialized["quote"]["dagster/row_count"] == 0
    assert not result.checks["quote", "as_specified"].passed
    assert result.checks["quote", "as_specified"].severity == dg.AssetCheckSeverity.WARN
    assert statuses(runs)["quote"]["state"] == "warned"


def test_a_hidden_column_warns_by_name(runs, practice_org):
    runs("account")
    practice_org.org.hide_field("Account", "Phone")
    practice_org.org.update("Account", practice_org.org.rows("Account")[0]["Id"], {"Name": "Renamed"})

    check = runs.under(SALESFORCE_QUOTA_RESERVE="0.11")("account").checks["account", "as_specified"]

    assert not check.passed
    assert "Phone" in check.description


def test_a_bounded_reread_runs_from_the_launchpad(runs):
    runs("account")

    result = runs("account", config={"since": "2000-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z"})

    assert result.materialized["account"]["kind"] == "reread"
    assert result.materialized["account"]["rows_read"] == 40


def test_the_status_table_tells_each_endpoint_in_one_commit_a_run(runs):
    result = runs("product", "pricebook")
    first = runs.warehouse.facts(status_table.TABLE)
    again = runs("product", "pricebook")

    rows = statuses(runs)
    assert {row["run_id"] for row in rows.values()} == {again.run_id} != {result.run_id}
    assert {row["state"] for row in rows.values()} == {"unchanged"}
    assert rows["product"]["rows"] == runs.warehouse.facts("product").rows
    assert rows["product"]["snapshot_id"] == runs.warehouse.facts("product").snapshot_id
    assert first.rows == 2


def status_of(endpoint, state, **values):
    status_table.add("salesforce", status_table.Status(endpoint, state, "run", **values))


def test_the_status_of_an_earlier_version_gets_the_age_of_formulas(runs):
    now, log = datetime(2026, 1, 1, tzinfo=UTC), logging.getLogger("test")
    former = pl.DataFrame({"endpoint": ["account"], "true_as_of": [now], "rows": [7], "snapshot_id": [1]})
    runs.warehouse.merge(
        status_table.TABLE,
        columns=[TableColumn(c.name, TYPES[c.type].iceberg) for c in status_table.COLUMNS if c.name in former.columns],
        keys=("endpoint",), stamp=None, base=UNCHECKED,
        chunks=[Chunk(former.with_columns(pl.col("true_as_of").cast(pl.Datetime("us", "UTC"))), None)],
    )  # fmt: skip

    status_of("account", "failed")
    status_table.commit("run", "salesforce", lambda: runs.warehouse, log)
    assert statuses(runs)["account"]["calculated_as_of"] is None
    assert (statuses(runs)["account"]["true_as_of"], statuses(runs)["account"]["rows"]) == (now, 7)
    for endpoint, state, value in (("account", "fresh", now), ("account", "failed", None), ("case", "fresh", None)):
        status_of(endpoint, state, calculated_as_of=value)
        status_table.commit("run", "salesforce", lambda: runs.warehouse, log)

    assert {name: row["calculated_as_of"] for name, row in statuses(runs).items()} == {"account": now, "case": None}
    status_of("account", "fresh", true_as_of=now)  # its formulas were removed
    status_table.commit("run", "salesforce", lambda: runs.warehouse, log)
    assert statuses(runs)["account"]["calculated_as_of"] is None


def test_a_status_table_that_cannot_be_written_fails_no_run(runs, instance):
    runs.warehouse.overwrite(status_table.TABLE, [pl.DataFrame({"mine": [1]})])

    result = runs("product")

    entries = [entry.user_message for entry in instance.all_logs(result.run_id)]
    assert result.success
    assert any("_sync_status was not written" in message for message in entries)
