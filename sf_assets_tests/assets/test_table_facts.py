"""What stays true of a table after the run that found it out: age of formulas, digits that were lost, changed types."""

from datetime import UTC, datetime

import pytest

# Dagster itself calls it, for a nested resource with an EnvVar.
pytestmark = pytest.mark.filterwarnings("ignore:InitResourceContext.dagster_run:DeprecationWarning")


def looked_at(result, endpoint="account"):
    """What the check as_specified names."""
    return {name: entry.value for name, entry in result.checks[endpoint, "as_specified"].metadata.items()}


def test_calculated_columns_are_as_old_as_the_last_reading_of_every_row(runs, practice_org):
    began = datetime.now(UTC).timestamp()
    first = looked_at(runs("account"))
    practice_org.org.update("Account", practice_org.org.rows("Account")[0]["Id"], {"Name": "Renamed"})

    later = runs("account")

    assert first["calculated"] == "Open_Pipeline__c, Region_Label__c"
    assert began - 1 <= first["calculated_as_of"] <= datetime.now(UTC).timestamp()
    assert looked_at(later)["calculated_as_of"] == first["calculated_as_of"]
    assert looked_at(later)["calculated_days"] == 0.0
    assert later.materialized["account"]["calculated_as_of"] == first["calculated_as_of"]
    (status,) = runs.warehouse.scan("_sync_status").collect().to_dicts()
    assert status["calculated_as_of"].timestamp() == first["calculated_as_of"]


def test_a_table_without_calculated_columns_shows_no_age_of_them(runs):
    assert not {"calculated", "calculated_as_of", "calculated_days"} & looked_at(runs("profile"), "profile").keys()


def test_deleted_rows_are_counted_among_those_that_were_read(runs, practice_org):
    org = practice_org.org
    deleted_rows = len(org.rows("Account", deleted=True)) - len(org.rows("Account", deleted=False))
    first = runs("account").materialized["account"]
    org.delete("Account", org.rows("Account", deleted=False)[0]["Id"])

    later = runs("account").materialized["account"]

    assert (first["rows_read"], first["rows_read_deleted"]) == (len(org.rows("Account")), deleted_rows)
    assert (later["rows_updated"], later["rows_inserted"]) == (1, 0)
    assert 1 <= later["rows_read_deleted"] <= later["rows_read"] < first["rows_read"]


def test_lost_digits_of_a_first_copy_are_a_figure_and_no_warning(runs, practice_org):
    org = practice_org.org
    org.update("Account", org.rows("Account", deleted=False)[0]["Id"], {"AnnualRevenue": 0.123456789})

    check = runs("account").checks["account", "as_specified"]

    assert check.passed
    assert "1 column with rounded values: AnnualRevenue." in check.description


def test_lost_digits_warn_once_and_stay_named_until_none_are_lost(runs, practice_org):
    org = practice_org.org
    row = org.rows("Account", deleted=False)[0]["Id"]
    assert runs("account").success
    org.update("Account", row, {"AnnualRevenue": 0.123456789})
    first = runs("account")

    idle = runs("account")
    org.update("Account", row, {"AnnualRevenue": 0.5})
    after_update = runs("account")
    after_refresh = runs("account", config={"full_refresh": True})

    assert not first.checks["account", "as_specified"].passed
    assert "AnnualRevenue (1 value)" in first.checks["account", "as_specified"].description
    assert idle.checks["account", "as_specified"].passed
    assert [looked_at(result).get("rounded_columns") for result in (first, idle, after_update, after_refresh)] == [
        *["AnnualRevenue"] * 3,
        None,
    ]
    assert after_update.materialized["account"]["rounded_columns"] == "AnnualRevenue"


@pytest.mark.parametrize("how", ["walk", "tail"])
def test_lost_digits_are_remembered_by_either_way_of_reading(runs, practice_org, how):
    if how == "tail":
        runs("account")
    practice_org.org.insert("Account", {"Name": "Fine", "AnnualRevenue": 0.123456789})

    result = runs("account")

    assert result.materialized["account"]["kind"] == how
    assert looked_at(result)["rounded_columns"] == "AnnualRevenue"
    assert looked_at(runs("account"))["rounded_columns"] == "AnnualRevenue"


def test_a_column_whose_type_grew_is_named_with_both_types(runs, practice_org):
    runs("account")
    practice_org.org.retype_field("Account", "NumberOfEmployees", "long")
    practice_org.org.insert("Account", {"Name": "Huge", "NumberOfEmployees": 3_000_000_000})

    result = runs.under(SALESFORCE_QUOTA_RESERVE="0.11")("account")

    assert result.checks["account", "as_specified"].passed
    assert looked_at(result)["retyped"] == "number_of_employees (int to long)"
    assert result.materialized["account"]["retyped_columns"] == "number_of_employees (int to long)"
    assert "retyped" not in looked_at(runs.under(SALESFORCE_QUOTA_RESERVE="0.12")("account"))


def test_a_column_that_leaves_the_catalogues_type_once_described_is_named(runs, practice_org):
    org = practice_org.org
    org.retype_field("Account", "NumberOfEmployees", "double")
    org.hide_field("Account", "NumberOfEmployees")
    runs("account")
    org.show_field("Account", "NumberOfEmployees")

    result = runs.under(SALESFORCE_QUOTA_RESERVE="0.11")("account")

    assert looked_at(result)["retyped"] == "number_of_employees (int to double)"


def test_a_column_that_is_excluded_later_is_named_while_the_table_holds_it(runs, tmp_path):
    runs("contact")
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs/endpoints.toml").write_text('[override.contact]\nexcluded = ["MobilePhone"]\n')

    check = runs.under(SF_ASSETS_SPECS=str(tmp_path / "specs"))("contact").checks["contact", "as_specified"]

    assert not check.passed
    assert "still holds values of columns that are excluded now: MobilePhone" in check.description
    assert "sf-assets erase-columns contact" in check.description
