"""Each check turns orange or red by its own seeded fault, and no other check changes with it."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import dagster as dg
import pytest

from sf_assets.assets.checks import CHECKS, check_results, failed_evaluation
from sf_assets.devorg.org.faults import Fault
from sf_assets.errors import SfAssetsError
from sf_assets.sync.report import ComparisonLimits
from sf_assets_tests.sync.histories.lake import SPECS

pytestmark = pytest.mark.slow
KEY = dg.AssetKey(["salesforce", "account"])
WARN, ERROR = dg.AssetCheckSeverity.WARN, dg.AssetCheckSeverity.ERROR
COUNTS = ComparisonLimits(rows_pages=0, ids_pages=0, calculated_calls=0)


@dataclass(frozen=True)
class Seeded:
    """A fault: operations of the org as (name, arguments), faults of its wire, and the run's options.

    `changed`: check -> its severity. `says`: a piece of the description.
    """

    changed: dict[str, Any]
    says: str
    operations: tuple[tuple[Any, ...], ...] = ()
    faults: tuple[Fault, ...] = ()
    behaviour: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    endpoint: str = "account"


def everywhere(**values):
    return (Fault(times=None, **values),)


def account(number=0):
    """Stands for the Id of an account until the org is there."""
    return f"@Account:{number}"


NEW = {"name": "New__c", "type": "string", "custom": True}
COMPLETE = {
    "no queryAll": Seeded({"complete": WARN}, "queryAll", faults=everywhere(path="queryAll", status=404)),
    "rows out of sight": Seeded(
        {"complete": ERROR},
        "View All Data",
        (("hide_rows", "Account", [account(n) for n in range(4)]),),
        options={"shrink_rows": 2, "comparison": COUNTS},
    ),
    "not compared": Seeded(
        {"complete": WARN},
        "not compared",
        faults=everywhere(soql="SELECT Id, IsDeleted, SystemModstamp FROM", refusal="too_complicated"),
        options={"calculated": "stale", "comparison": ComparisonLimits(rows_pages=0, ids_every=timedelta(0))},
    ),
    "compared in part": Seeded(
        {"complete": WARN},
        "more differences",
        (("purge_many", "Account", [account(1)]), ("trim_delete_log", "Account")),
        options={"comparison": ComparisonLimits(rows_pages=0, ids_pages=0, calculated_calls=0, most_calls=2)},
    ),
    "short result": Seeded(
        {"complete": ERROR},
        "announced",
        (("update", "Account", account(), {"Name": "new"}),),
        everywhere(kind="queryAll", soql="ORDER BY SystemModstamp", lost_rows=(0,)),
    ),
    "most rows gone": Seeded(
        {"complete": ERROR},
        "would vanish",
        (("hide_rows", "Profile", ["@Profile:0", "@Profile:1"]),),
        options={"shrink_rows": 0, "shrink_share": 0.0},
        endpoint="profile",
    ),
}
AS_SPECIFIED = {
    "hidden column": Seeded({"as_specified": WARN}, "Phone", (("hide_field", "Account", "Phone"),)),
    "refused column": Seeded(
        {"as_specified": WARN},
        "Sic",
        (("refuse_field", "Account", "Sic"), ("update", "Account", account(), {"Name": "new"})),
    ),
    "complicated query": Seeded(
        {"as_specified": WARN},
        "too complicated",
        (("update", "Account", account(), {"Name": "new"}),),
        behaviour={"formulas_per_query": 0},
    ),
    "new column": Seeded(
        {"as_specified": WARN}, "New__c", (("add_field", "Account", NEW),), options={"backfill_calls": 0}
    ),
    "rounded": Seeded(
        {"as_specified": WARN}, "Rounded", (("update", "Account", account(), {"AnnualRevenue": 0.123456789}),)
    ),
    "fractions": Seeded(
        {"as_specified": WARN},
        "Fractions",
        (("set_raw", "Account", account(), "NumberOfEmployees", "47.5"),),
        options={"full_refresh": True},
    ),
    "half an emoji": Seeded(
        {"as_specified": WARN},
        "emoji",
        (("set_raw", "Account", account(), "Description", '"\\ud83d"'),),
        options={"full_refresh": True},
    ),
    "no describe": Seeded(
        {"as_specified": WARN},
        "describe",
        behaviour={"unserved": frozenset({"describe", "sobjects", "composite"})},
    ),
    "another type": Seeded(
        {"as_specified": ERROR}, "full_refresh", (("retype_field", "Account", "NumberOfEmployees", "date"),)
    ),
    "hidden stamp": Seeded({"as_specified": ERROR}, "SystemModstamp", (("hide_field", "Account", "SystemModstamp"),)),
    "value of another type": Seeded(
        {"as_specified": ERROR},
        "NumberOfEmployees",
        (("set_raw", "Account", account(), "NumberOfEmployees", '"x"'),),
        options={"full_refresh": True},
    ),
    "no access": Seeded(
        {"as_specified": ERROR},
        "INSUFFICIENT_ACCESS",
        (("update", "Account", account(), {"Name": "new"}),),
        everywhere(kind="queryAll", status=403, error_code="INSUFFICIENT_ACCESS")
        + everywhere(kind="query", status=403, error_code="INSUFFICIENT_ACCESS"),
    ),
    "another hash key": Seeded({"as_specified": ERROR}, "key", options={"hash_key": b"n" * 32}, endpoint="hashed"),
}
CURRENT = {
    "few calls left": Seeded(
        {"current": WARN}, "daily API calls", (("spend_calls", 96_000),), options={"quota_reserve": 0.0}
    ),
    "no calls left": Seeded({"current": ERROR}, "REQUEST_LIMIT", (("spend_calls", 200_000),)),
    "object off": Seeded(
        {"current": WARN, "as_specified": WARN}, "not available", (("switch_off", "Account"),)
    ),
}  # fmt: skip
SEEDED = COMPLETE | AS_SPECIFIED | CURRENT


def with_ids(lake, value):
    """Put an Id of the org in the place of `@Object:number`."""
    if isinstance(value, list):
        return [with_ids(lake, item) for item in value]
    if not (isinstance(value, str) and value.startswith("@")):
        return value
    sobject, _, number = value[1:].partition(":")
    return [row["Id"] for row in lake.org.rows(sobject) if not row.get("IsDeleted")][int(number)]


def outcome(lake, endpoint, options):
    """Run an endpoint; return each check's severity (None: it passes) and all descriptions."""
    try:
        report = lake.sync(endpoint, **options)[endpoint]
    except SfAssetsError as error:
        red = failed_evaluation(KEY, error, {})
        if red is None:
            raise
        return {red.check_name: red.severity}, f"{error} {red.description}"
    results = list(check_results(SPECS[endpoint], report))
    severities = {result.check_name: result.severity for result in results if not result.passed}
    return severities, " ".join(result.description for result in results)


@pytest.mark.parametrize("fault", SEEDED)
def test_a_seeded_fault_changes_its_own_check_alone(lake, fault, monkeypatch):
    case = SEEDED[fault]
    endpoint, options = case.endpoint, {}
    if endpoint == "hashed":
        endpoint, options = "account", {"hash_key": b"k" * 32}
        monkeypatch.setitem(SPECS, "account", replace(SPECS["account"], hashed=("Phone",)))
    before, text = outcome(lake, endpoint, options)
    assert before == {}, text
    lake.clock.advance(hours=25)
    for name, *arguments in case.operations:
        getattr(lake.org, name)(*(with_ids(lake, argument) for argument in arguments))
    lake.clock.advance(hours=1)
    lake.org.faults.extend(case.faults)
    lake.org.behave(**case.behaviour)
    lake.quota_reserve = case.options.get("quota_reserve", lake.quota_reserve)

    after, text = outcome(lake, endpoint, {**options, **case.options})

    assert after == case.changed, text
    assert case.says in text


@pytest.mark.parametrize("check", CHECKS)
def test_each_check_has_an_orange_and_a_red_fault(check):
    severities = {case.changed[check] for case in SEEDED.values() if check in case.changed}

    assert severities == {WARN, ERROR}
