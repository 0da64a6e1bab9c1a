"""An append-only object is read by its own stamp: late rows come, and rows that Salesforce's retention removed stay."""

from datetime import timedelta

import pytest

from sf_assets.errors import SfAssetsError
from sf_assets.specs.endpoints import endpoints
from sf_assets_tests.sync.histories import lake as lake_module

NAME = "account_history"
TOML = """
[[endpoint]]
endpoint = "account_history"
sobject = "AccountHistory"
stamp = "CreatedDate"
description = "Changes of tracked fields of accounts."
"""
SOQL = """
SELECT
  Id,
  IsDeleted,
  AccountId,
  CreatedById,
  CreatedDate,
  Field,
  OldValue,
  NewValue
FROM AccountHistory
"""


def spec_of(folder, toml=TOML):
    (folder / "endpoints.toml").write_text(toml)
    (folder / f"{NAME}.soql").write_text(SOQL)
    return next(spec for spec in endpoints(folder) if spec.endpoint == NAME)


@pytest.fixture
def lake_with_history(lake, tmp_path, monkeypatch):
    monkeypatch.setitem(lake_module.SPECS, NAME, spec_of(tmp_path))
    lake.org.add_object("AccountHistory")
    return lake


def rename(lake, name):
    account = lake.org.rows("Account")[0]["Id"]
    lake.org.update("Account", account, {"Name": name})
    return account


def values(lake):
    rows = lake.warehouse.scan(NAME).sort("created_date", "id").collect()
    return rows.select("field", "new_value", "is_deleted").rows()


def test_a_changed_field_becomes_a_row_and_an_idle_sync_is_unchanged(lake_with_history):
    account = rename(lake_with_history, "One")
    lake_with_history.sync(NAME)
    lake_with_history.clock.advance(hours=1)
    rename(lake_with_history, "Two")
    report = lake_with_history.sync(NAME)[NAME]

    assert values(lake_with_history) == [("Name", "One", False), ("Name", "Two", False)]
    assert lake_with_history.warehouse.scan(NAME).collect()["account_id"].unique().to_list() == [account]
    assert report.kind == "tail"
    for kind in ("tail", "unchanged"):  # the newest second is read once more: a late row may have its stamp
        lake_with_history.clock.advance(hours=1)
        assert lake_with_history.sync(NAME)[NAME].kind == kind


def test_a_row_that_was_stamped_in_the_past_is_found_within_a_day(lake_with_history):
    rename(lake_with_history, "One")
    lake_with_history.sync(NAME)
    lake_with_history.clock.advance(hours=25)
    rename(lake_with_history, "Two")
    lake_with_history.sync(NAME)
    late = lake_with_history.org.rows("AccountHistory")[0] | {"Id": None, "NewValue": "Late"}
    lake_with_history.org.insert("AccountHistory", late, stamp=None)
    lake_with_history.clock.advance(hours=25)
    lake_with_history.sync(NAME)

    assert [row[1] for row in values(lake_with_history)] == ["One", "Late", "Two"]


@pytest.mark.parametrize("options", [{}, {"full_refresh": True}], ids=["tail", "full refresh"])
def test_rows_that_the_orgs_retention_removed_stay(lake_with_history, options):
    rename(lake_with_history, "One")
    lake_with_history.clock.advance(hours=40)
    rename(lake_with_history, "Two")
    lake_with_history.sync(NAME)
    oldest = min(lake_with_history.org.rows("AccountHistory"), key=lambda row: row["CreatedDate"])
    lake_with_history.org.purge("AccountHistory", oldest["Id"], log=False)
    lake_with_history.clock.advance(hours=25)
    rename(lake_with_history, "Three")
    report = lake_with_history.sync(NAME, **options)[NAME]

    assert [row[1] for row in values(lake_with_history)] == ["One", "Two", "Three"]
    assert not any(row[2] for row in values(lake_with_history))
    assert report.reconciled is None


def test_a_killed_first_copy_of_an_append_only_object_goes_on(lake_with_history):
    for number in range(12):
        rename(lake_with_history, f"Name {number}")
        lake_with_history.clock.advance(seconds=30)
    lake_with_history.org.behave(page_rows=3)
    with pytest.raises(lake_module.KilledError):
        lake_with_history.sync(NAME, dies_after=2, commit_rows=3)
    lake_with_history.sync(NAME)

    assert [row[1] for row in values(lake_with_history)] == [f"Name {number}" for number in range(12)]


def test_a_reread_is_bounded_by_the_stamp_of_the_endpoint(lake_with_history):
    rename(lake_with_history, "One")
    lake_with_history.sync(NAME)
    start = lake_with_history.clock() - timedelta(hours=1)

    report = lake_with_history.sync(NAME, since=start)[NAME]

    assert report.read.rows == 1
    assert "CreatedDate >=" in report.read.soql


def test_a_stamp_that_is_no_column_is_refused(tmp_path):
    with pytest.raises(SfAssetsError, match="LoginTime is missing"):
        spec_of(tmp_path, TOML.replace("CreatedDate", "LoginTime"))
