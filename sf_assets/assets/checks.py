"""What a sync knows, as three check results inside each asset: is the table complete, as specified, and current.

They cost no call. `complete` blocks what is downstream; the other two tell. A warning is for what a person may want to
mend and no row is lost by; an error is for lost or stale rows.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import dagster as dg

from sf_assets import errors
from sf_assets.specs.catalogue import SYSTEM_COLUMNS
from sf_assets.specs.model import EndpointSpec

if TYPE_CHECKING:
    from sf_assets.sync.report import SyncReport

CHECKS: Mapping[str, str] = {
    "complete": "Every row that the org showed is in the table, keys are unique and not null, nothing shrank.",
    "as_specified": "The object is available and every column of the spec is read, in full and in its own type.",
    "current": "The table is true as of this run, and enough of the day's API calls is left for the next ones.",
}
MARKED = "Salesforce does not show these rows any more. It does not say if they are deleted or hidden from the user."
QUOTA_LOW = 0.9
"""Share of the daily calls above which `current` warns."""

_ASKED_BY: Mapping[str, tuple[type[errors.SfAssetsError], ...]] = {
    "complete": (errors.ResultIncomplete, errors.ShrinkRefused, errors.KeysRepeated),
    "as_specified": (
        errors.ColumnIncompatible,
        errors.ObjectUnavailable,
        errors.FieldInvalid,
        errors.ValueUnexpected,
        errors.AccessDenied,
        errors.HashKeyChanged,
    ),
    "current": (errors.QuotaSpent,),
}


@dataclass(frozen=True)
class Finding:
    """What one check looked at, and the sentences that speak against it (none: it passes)."""

    against: tuple[str, ...]
    looked_at: Mapping[str, Any] = field(default_factory=dict)
    is_error: bool = False


def check_specs(key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """Return the specs of an endpoint's three checks."""
    return [
        dg.AssetCheckSpec(name, asset=key, description=text, blocking=name == "complete")
        for name, text in CHECKS.items()
    ]


def check_results(spec: EndpointSpec, record: "SyncReport") -> Iterator[dg.AssetCheckResult]:
    """Yield the three results of a sync that came to its end; the record must be complete."""
    for name, finding in findings(spec, record).items():
        yield dg.AssetCheckResult(
            check_name=name,
            passed=not finding.against,
            severity=dg.AssetCheckSeverity.ERROR if finding.is_error else dg.AssetCheckSeverity.WARN,
            description=" ".join(finding.against) or CHECKS[name],
            metadata={key: value for key, value in finding.looked_at.items() if value is not None},
        )


def findings(spec: EndpointSpec, record: "SyncReport") -> dict[str, Finding]:
    """Return what each check found, by its name."""
    return {
        "complete": _complete(spec, record),
        "as_specified": _as_specified(spec, record),
        "current": _current(record),
    }


def warnings(spec: EndpointSpec, record: "SyncReport") -> list[str]:
    """Return every sentence that speaks against the sync, of all three checks."""
    return [sentence for finding in findings(spec, record).values() for sentence in finding.against]


def failed_evaluation(
    key: dg.AssetKey, error: errors.SfAssetsError, looked_at: Mapping[str, Any]
) -> dg.AssetCheckEvaluation | None:
    """Return the red check that an error answers, with what was looked at; None when no check asks for it."""
    for name, kinds in _ASKED_BY.items():
        if isinstance(error, kinds):
            return dg.AssetCheckEvaluation(
                asset_key=key,
                check_name=name,
                passed=False,
                severity=dg.AssetCheckSeverity.ERROR,
                description=error.with_remedy,
                metadata=looked_at,
                blocking=name == "complete",
            )
    return None


def _complete(spec: EndpointSpec, record: "SyncReport") -> Finding:
    problems, org = record.problems, record.org
    without_deleted = "queryAll" in org.degraded and spec.has_is_deleted
    against = [
        "This org does not serve queryAll: deleted and archived rows were not seen." * without_deleted,
        f"{problems.out_of_sight:,} rows of the table are out of the user's sight, too many to be deleted rows."
        " Give the integration user View All Data, or run once with confirm_shrink: true if they are really deleted."
        * bool(problems.out_of_sight),
        f"The table was not compared with the org: {problems.not_compared}" * bool(problems.not_compared),
        "The comparison with the org found more differences than one day's calls can read; the next run goes on."
        * bool(record.reconciled and record.reconciled.is_partial),
    ]
    written = record.written
    return Finding(
        tuple(filter(None, against)),
        {
            "keys": ", ".join(spec.keys),
            "rows_announced": record.planned.rows,
            "rows_read": record.read.rows,
            "table_rows_before": record.planned.table_rows,
            "table_rows": written.rows if written else record.planned.table_rows,
            "rows_vanished": written.vanished if written else 0,
            **_comparison(record),
            "notes": "\n".join(problems.notes) or None,
        },
        is_error=bool(problems.out_of_sight),
    )


def _comparison(record: "SyncReport") -> dict[str, Any]:
    """Return when the table was last compared with the org, and what that found."""
    times, result = record.final.times if record.final else None, record.reconciled
    return {
        "compared_at": _timestamp(times.reconciled_at if times else None),
        "ids_compared_at": _timestamp(times.ids_compared_at if times else None),
        "compared_by": result and result.how,
        "rows_marked_deleted": result and result.rows_marked,
        "rows_out_of_sight": record.problems.out_of_sight or None,
        "marked_means": MARKED if result and result.rows_marked else None,
    }


def _timestamp(moment: datetime | None) -> dg.TimestampMetadataValue | None:
    return dg.MetadataValue.timestamp(moment) if moment else None


def _as_specified(spec: EndpointSpec, record: "SyncReport") -> Finding:
    problems, org = record.problems, record.org
    rounded = {name: count for name, count in problems.rounded.items() if name not in problems.rounded_before}
    hidden = sorted({*problems.hidden, *(name for name in problems.missing if name not in _features(spec))})
    against = [
        f"The object is not available: {problems.unavailable}" * bool(problems.unavailable),
        f"Hidden from the integration user, or gone: {', '.join(hidden)}." * bool(hidden and not problems.unavailable),
        f"Listed by describe but refused in queries: {_priced(problems.refused)}. They are tried again once a day."
        * bool(problems.refused),
        f"New and not backfilled: {_priced(problems.pending)}." * bool(problems.pending),
        f"Digits beyond the column's scale were rounded: {_counted(rounded)}." * bool(rounded),
        f"Left out of records, and so read as NULL: {_counted(problems.left_out)}." * bool(problems.left_out),
        f"Half of an emoji was replaced by U+FFFD in: {_counted(problems.replaced)}." * bool(problems.replaced),
        "This org serves no describe: columns and types are the catalogue's." * ("describe" in org.degraded),
        *_policy(spec, record),
    ]
    return Finding(
        tuple(filter(None, against)),
        {
            "object": spec.sobject,
            "object_available": problems.unavailable is None,
            "missing": _listed(problems.missing),
            "hidden": _listed(problems.hidden),
            "refused": _listed(tuple(problems.refused)),
            "shown_again": _listed(record.planned.revealed),
            "added": _listed(record.planned.added),
            "retyped": listed(record.retyped),
            "calculated": _listed(record.planned.calculated),
            **aged(record),
            "rounded_now": _counted(problems.rounded) or None,
            "rounded_columns": _listed(record.final.columns.rounded) if record.final else None,
        },
    )


def aged(record: "SyncReport") -> dict[str, Any]:
    """Return how old a calculated value may be: formulas and roll-ups change without a stamp on their row."""
    as_of = record.calculated_as_of
    if as_of is None:
        return {}
    days = (record.began_at - as_of).total_seconds() / 86_400
    return {"calculated_as_of": dg.MetadataValue.timestamp(as_of), "calculated_days": round(days, 2)}


def listed(changes: Mapping[str, str]) -> str | None:
    """Return the columns with what became of each; None where there is none."""
    return ", ".join(f"{column} ({change})" for column, change in changes.items()) or None


def _policy(spec: EndpointSpec, record: "SyncReport") -> Iterator[str]:
    """A policy holds for what is written from then on; a column that nobody ever saw holds nothing."""
    from sf_assets.sync.hashing_policy import columns_out_of_policy  # only here: it loads Polars

    if record.final is None:
        return
    clear, stale = columns_out_of_policy(record.final, spec)
    unseen = set(record.problems.missing) - set(record.final.columns.hidden)
    if told := [name for name in clear if name not in unseen]:
        yield (
            f"Rows of before the policy may hold the text of what is hashed now: {', '.join(told)}."
            " Run the endpoint once with full_refresh: true; old snapshots go within five days."
        )
    if stale:
        yield f"Older rows hold hashes of what is hashed no more: {', '.join(stale)}. Run it once with full_refresh."


def _current(record: "SyncReport") -> Finding:
    problems, org = record.problems, record.org
    share = org.quota_used / org.quota_limit if org.quota_used is not None and org.quota_limit else None
    against = [
        f"{share or 0:.0%} of the org's daily API calls are used." * bool(share and share > QUOTA_LOW),
        "The table keeps what it had: the object cannot be read now." * bool(problems.unavailable),
    ]
    return Finding(
        tuple(filter(None, against)),
        {
            "true_as_of": dg.MetadataValue.timestamp(org.true_as_of) if org.true_as_of else None,
            "quota_used": org.quota_used,
            "quota_limit": org.quota_limit,
        },
    )


def _features(spec: EndpointSpec) -> frozenset[str]:
    """The standard columns that many orgs lack: none of them is missed. Rights come and go with releases, so none of
    them is missed by a query that asks for all standard columns."""
    rights = "Permissions" if spec.query.standard else None
    columns = (*spec.catalogue, *SYSTEM_COLUMNS)
    return frozenset(one.name for one in columns if one.feature or (rights and one.name.startswith(rights)))


def _listed(names: tuple[str, ...]) -> str | None:
    return ", ".join(names) or None


def _priced(calls: Mapping[str, int]) -> str:
    return ", ".join(f"{column} (costs {count} calls)" for column, count in calls.items())


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{column} ({count} values)" for column, count in counts.items())
