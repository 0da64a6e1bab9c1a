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
def kept(lake, tmp_path, monkeypatch):
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


def test_a_changed_field_becomes_a_row_and_an_idle_sync_is_unchanged(kept):
    account = rename(kept, "One")
    kept.sync(NAME)
    kept.clock.advance(hours=1)
    rename(kept, "Two")
    report = kept.sync(NAME)[NAME]

    assert values(kept) == [("Name", "One", False), ("Name", "Two", False)]
    assert kept.warehouse.scan(NAME).collect()["account_id"].unique().to_list() == [account]
    assert report.kind == "tail"
    for kind in ("tail", "unchanged"):  # the newest second is read once more: a late row may have its stamp
        kept.clock.advance(hours=1)
        assert kept.sync(NAME)[NAME].kind == kind


def test_a_row_that_was_stamped_in_the_past_is_found_within_a_day(kept):
    rename(kept, "One")
    kept.sync(NAME)
    kept.clock.advance(hours=25)
    rename(kept, "Two")
    kept.sync(NAME)
    late = kept.org.rows("AccountHistory")[0] | {"Id": None, "NewValue": "Late"}
    kept.org.insert("AccountHistory", late, stamp=None)
    kept.clock.advance(hours=25)
    kept.sync(NAME)

    assert [row[1] for row in values(kept)] == ["One", "Late", "Two"]


@pytest.mark.parametrize("options", [{}, {"full_refresh": True}], ids=["tail", "full refresh"])
def test_rows_that_the_orgs_retention_removed_stay(kept, options):
    rename(kept, "One")
    kept.clock.advance(hours=40)
    rename(kept, "Two")
    kept.sync(NAME)
    oldest = min(kept.org.rows("AccountHistory"), key=lambda row: row["CreatedDate"])
    kept.org.purge("AccountHistory", oldest["Id"], log=False)
    kept.clock.advance(hours=25)
    rename(kept, "Three")
    report = kept.sync(NAME, **options)[NAME]

    assert [row[1] for row in values(kept)] == ["One", "Two", "Three"]
    assert not any(row[2] for row in values(kept))
    assert report.reconciled is None


def test_a_killed_first_copy_of_an_append_only_object_goes_on(kept):
    for number in range(12):
        rename(kept, f"Name {number}")
        kept.clock.advance(seconds=30)
    kept.org.behave(page_rows=3)
    with pytest.raises(lake_module.KilledError):
        kept.sync(NAME, dies_after=2, commit_rows=3)
    kept.sync(NAME)

    assert [row[1] for row in values(kept)] == [f"Name {number}" for number in range(12)]


def test_a_reread_is_bounded_by_the_stamp_of_the_endpoint(kept):
    rename(kept, "One")
    kept.sync(NAME)
    start = kept.clock() - timedelta(hours=1)

    report = kept.sync(NAME, since=start)[NAME]

    assert report.read.rows == 1
    assert "CreatedDate >=" in report.read.soql


def test_a_stamp_that_is_no_column_is_refused(tmp_path):
    with pytest.raises(SfAssetsError, match="LoginTime is missing"):
        spec_of(tmp_path, TOML.replace("CreatedDate", "LoginTime"))
