"""What a sync knows becomes three checks: what warns, what is silent, and which error turns which check red."""

import inspect
import re
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from sf_assets import errors
from sf_assets.assets import column_check
from sf_assets.assets.checks import CHECKS, check_results, check_specs, failed_evaluation, warnings
from sf_assets.specs.endpoints import endpoints
from sf_assets.sync.report import OrgFacts, Reconciled, SyncReport
from sf_assets_tests.changed import changed

ACCOUNT = next(spec for spec in endpoints() if spec.endpoint == "account")
PROFILE = next(spec for spec in endpoints() if spec.endpoint == "profile")
KEY = dg.AssetKey(["salesforce", "account"])
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
PLAIN = SyncReport("account", "Account", "00D000000000001", NOON, org=OrgFacts((), NOON, 100, 15_000))


def results(record, spec=ACCOUNT):
    return {result.check_name: result for result in check_results(spec, record)}


def test_a_plain_sync_passes_all_three():
    assert {name: result.passed for name, result in results(PLAIN).items()} == dict.fromkeys(CHECKS, True)


@pytest.mark.parametrize(
    ("what", "check", "names"),
    [
        (
            {"planned__rows": 40, "read__rows": 41, "planned__table_rows": 39},
            "complete",
            {"keys": "id", "rows_announced": 40, "rows_read": 41, "table_rows_before": 39, "rows_vanished": 0},
        ),
        ({}, "as_specified", {"object": "Account", "object_available": True}),
        ({"problems__unavailable": "Off."}, "as_specified", {"object_available": False}),
        (
            {
                "problems__missing": ("Fax",),
                "problems__hidden": ("Phone",),
                "planned__added": ("New__c",),
                "retyped": {"size": "int to long"},
            },
            "as_specified",
            {"missing": "Fax", "hidden": "Phone", "added": "New__c", "retyped": "size (int to long)"},
        ),
        ({}, "current", {"true_as_of": NOON.timestamp(), "quota_used": 100, "quota_limit": 15_000}),
    ],
)
def test_each_check_names_what_it_looked_at(what, check, names):
    looked_at = {name: entry.value for name, entry in results(changed(PLAIN, **what))[check].metadata.items()}

    assert {name: looked_at.get(name) for name in names} == names


def test_only_complete_blocks_what_is_downstream():
    assert [spec.name for spec in check_specs(KEY) if spec.blocking] == ["complete"]


@pytest.mark.parametrize(
    ("what", "check", "says"),
    [
        ({"problems__hidden": ("Phone",)}, "as_specified", "Phone"),
        ({"problems__missing": ("Industry",)}, "as_specified", "Industry"),
        (
            {"problems__pending": {"Score__c": 120}},
            "as_specified",
            "Score__c (costs 120 calls). Run the endpoint with full_refresh: true",
        ),
        (
            {"problems__rounded": {"AnnualRevenue": 3}, "planned__table_rows": 40},
            "as_specified",
            "AnnualRevenue (3 values)",
        ),
        ({"problems__unavailable": "Quotes are off."}, "as_specified", "Quotes are off."),
        ({"problems__unavailable": "Quotes are off."}, "current", "stays as it was"),
        ({"org__degraded": ("describe",)}, "as_specified", "describe"),
        ({"org__degraded": ("queryAll",)}, "complete", "deleted"),
        ({"org__quota_used": 14_000}, "current", "93%"),
    ],
)
def test_what_a_person_may_want_to_mend_warns_by_its_check_and_name(what, check, says):
    record = changed(PLAIN, **what)

    result = results(record)[check]

    assert not result.passed
    assert result.severity == dg.AssetCheckSeverity.WARN
    assert says in result.description
    assert says in " ".join(warnings(ACCOUNT, record))


def test_a_right_of_a_newer_release_is_not_missed_in_all_standard_columns():
    right = next(column.name for column in PROFILE.catalogue if column.name.startswith("Permissions"))

    assert results(changed(PLAIN, problems__missing=(right,)), PROFILE)["as_specified"].passed
    assert not results(changed(PLAIN, problems__missing=("UserType",)), PROFILE)["as_specified"].passed
    assert not results(changed(PLAIN, problems__missing=(right,)), ACCOUNT)["as_specified"].passed


def test_a_column_of_a_feature_that_is_off_is_not_missed():
    feature = next(column.name for column in ACCOUNT.catalogue if column.feature)

    result = results(changed(PLAIN, problems__missing=(feature,)))["as_specified"]

    assert result.passed
    assert result.metadata["missing"].value == feature


def test_an_object_that_has_no_deleted_rows_does_not_miss_queryall():
    assert results(changed(PLAIN, org__degraded=("queryAll",)), PROFILE)["complete"].passed


def test_loss_of_sight_is_an_error_that_names_the_rights():
    complete = results(changed(PLAIN, problems__out_of_sight=3_000))["complete"]

    assert not complete.passed
    assert "3,000 rows of the table are out of the user's sight" in complete.description
    assert "View All Data" in complete.description
    assert "confirm_shrink" in complete.description
    assert complete.severity == dg.AssetCheckSeverity.ERROR


def test_no_reading_of_the_quota_is_no_warning():
    assert results(changed(PLAIN, org__quota_used=None, org__quota_limit=None))["current"].passed


@pytest.mark.parametrize(
    ("error", "check"),
    [
        (errors.ResultIncomplete("short"), "complete"),
        (errors.ShrinkRefused("shrunk"), "complete"),
        (errors.KeysRepeated("twice"), "complete"),
        (errors.ColumnIncompatible("retyped"), "as_specified"),
        (errors.ObjectUnavailable("off"), "as_specified"),
        (errors.FieldInvalid("hidden"), "as_specified"),
        (errors.QuotaSpent("spent"), "current"),
    ],
)
def test_an_error_turns_the_check_red_that_asks_for_it(error, check):
    evaluation = failed_evaluation(KEY, error, {"would_vanish": 3})

    assert evaluation.check_name == check
    assert evaluation.metadata["would_vanish"].value == 3
    assert evaluation.severity == dg.AssetCheckSeverity.ERROR
    assert not evaluation.passed
    assert error.remedy in evaluation.description


def test_an_error_that_no_check_asks_for_turns_none_red():
    assert failed_evaluation(KEY, errors.HostUnreachable("silence"), {}) is None


def test_a_green_check_speaks_in_figures():
    read = changed(
        PLAIN,
        read__rows=12, read__deleted=3, read__calls=1, planned__table_rows=1_200, planned__columns=71,
        problems__missing=tuple(column.name for column in ACCOUNT.catalogue if column.feature)[:2],
    )  # fmt: skip

    texts = {name: result.description for name, result in results(read).items()}

    assert texts["complete"].startswith("1,200 rows. This run read 12 (3 of them deleted)")
    assert texts["as_specified"].startswith("69 of 71 columns are read. 2 columns of features that are off")
    assert texts["current"] == (
        "True as of 2026-03-10 12:00:00 UTC. 1 call in this run. All apps have used 100 of 15,000 calls today."
    )


WARNED = [
    {"problems__hidden": ("Phone",)},
    {"problems__missing": ("Industry",)},
    {"problems__pending": {"Score__c": 1}},
    {"problems__refused": {"Score__c": 1}},
    {"problems__rounded": {"AnnualRevenue": 3}, "planned__table_rows": 40},
    {"problems__left_out": {"Phone": 3}},
    {"problems__replaced": {"Phone": 3}},
    {"problems__unavailable": "Quotes are off."},
    {"problems__out_of_sight": 2},
    {"problems__not_compared": "It timed out."},
    {"planned__held_excluded": ("Phone",)},
    {"org__degraded": ("describe", "queryAll")},
    {"org__quota_used": 14_000},
    {"problems__complicated": ("Score__c",)},
    {"problems__fractions": {"Seats": 2}},
    {"reconciled": Reconciled("counts", is_partial=True)},
]
"""A report with each kind of warning."""
CHECKS_PAGE = Path(__file__).parents[2] / "docs/checks.md"


@pytest.mark.parametrize("what", WARNED)
def test_each_warning_says_what_to_do(what):
    verbs = ("Give ", "Ask ", "Run ", "Correct ", "Check ", "Lower ", "Remove ", "See ", "Switch ", "list ")

    for sentence in warnings(ACCOUNT, changed(PLAIN, **what)):
        assert any(verb in sentence for verb in verbs), sentence
        assert "1 columns" not in sentence
        assert "1 rows" not in sentence


def test_the_page_of_the_checks_quotes_each_message_as_it_is():
    rows = re.findall(r"^\| `(?:complete|as_specified|current)` \| \*(.+?)\*", CHECKS_PAGE.read_text(), re.MULTILINE)
    texts = [sentence for what in WARNED for sentence in warnings(ACCOUNT, changed(PLAIN, **what))]
    hashing = inspect.getsource(column_check)  # its warnings need a state with hashes

    assert [quote for quote in rows if quote not in "\n".join([*texts, hashing])] == []


def test_an_object_that_is_off_has_no_list_of_its_columns():
    off = changed(PLAIN, problems__unavailable="Off.", problems__missing=("Phone",), problems__hidden=("Phone",))

    assert not {"missing", "hidden"} & set(results(off)["as_specified"].metadata)


@pytest.mark.parametrize("what", [{"problems__unavailable": "Off."}, {"kind": "reread"}])
def test_a_sync_that_does_not_read_the_object_does_not_move_true_as_of(what):
    assert changed(PLAIN, **what).true_as_of is None
    assert "true_as_of" not in results(changed(PLAIN, **what))["current"].metadata
