"""Three check results inside each endpoint's asset: `complete`, `as_specified` and `current`.

They cost no API call. `complete` blocks what is downstream. A warning names what a person may want to correct while no
row is lost; an error is for lost or old rows. Each sentence gives figures, and each warning says what to do.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import dagster as dg

from sf_assets import errors
from sf_assets.assets.column_check import as_specified
from sf_assets.assets.finding import Finding
from sf_assets.assets.sentences import joined, number, plural
from sf_assets.specs.model import EndpointSpec

if TYPE_CHECKING:  # Polars and pyiceberg take 0.4 s of CPU to import, and every Dagster process loads this module
    from sf_assets.sync.report import SyncReport

CHECKS: Mapping[str, str] = {
    "complete": "Every row that the org showed is in the table. Keys are unique and not null. No row vanished.",
    "as_specified": "The object is available, and each column of the spec is read completely and in its own type.",
    "current": "The table equals the org as of this run, and enough of the day's API calls is left for the next runs.",
}
MARKED = "Salesforce does not show these rows any more. It does not say if they are deleted or hidden from the user."
QUOTA_LOW = 0.9
"""Share of the daily calls above which `current` warns."""

_CHECK_OF_ERROR: Mapping[str, tuple[type[errors.SfAssetsError], ...]] = {
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


def check_specs(key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """Return the specs of an endpoint's three checks."""
    return [
        dg.AssetCheckSpec(name, asset=key, description=text, blocking=name == "complete")
        for name, text in CHECKS.items()
    ]


def check_results(spec: EndpointSpec, report: "SyncReport") -> Iterator[dg.AssetCheckResult]:
    """Yield the three results of a sync that has ended. The report must be complete."""
    for name, finding in findings(spec, report).items():
        yield dg.AssetCheckResult(
            check_name=name,
            passed=not finding.warnings,
            severity=dg.AssetCheckSeverity.ERROR if finding.is_error else dg.AssetCheckSeverity.WARN,
            description=finding.description,
            metadata={key: value for key, value in finding.metadata.items() if value is not None},
        )


def findings(spec: EndpointSpec, report: "SyncReport") -> dict[str, Finding]:
    """Return each check's finding by its name."""
    return {
        "complete": _complete(spec, report),
        "as_specified": as_specified(spec, report),
        "current": _current(report),
    }


def warnings(spec: EndpointSpec, report: "SyncReport") -> list[str]:
    """Return the warnings of all three checks."""
    return [sentence for finding in findings(spec, report).values() for sentence in finding.warnings]


def failed_evaluation(
    key: dg.AssetKey, error: errors.SfAssetsError, metadata: Mapping[str, Any]
) -> dg.AssetCheckEvaluation | None:
    """Return the red result of the check that an error concerns, or None."""
    for name, kinds in _CHECK_OF_ERROR.items():
        if isinstance(error, kinds):
            return dg.AssetCheckEvaluation(
                asset_key=key,
                check_name=name,
                passed=False,
                severity=dg.AssetCheckSeverity.ERROR,
                description=error.with_remedy,
                metadata=metadata,
                blocking=name == "complete",
            )
    return None


def _complete(spec: EndpointSpec, report: "SyncReport") -> Finding:
    problems, read, written = report.problems, report.read, report.written
    rows = written.rows if written else report.planned.table_rows
    return Finding(
        f"{plural(rows, 'row')}. This run read {number(read.rows)} ({number(read.deleted)} of them deleted)"
        f"{_changes(report)}. {joined(spec.keys)} {'is' if len(spec.keys) == 1 else 'together are'} unique.",
        tuple(_row_warnings(spec, report)),
        {
            "keys": ", ".join(spec.keys),
            "rows_announced": report.planned.rows,
            "rows_read": read.rows,
            "table_rows_before": report.planned.table_rows,
            "table_rows": rows,
            "rows_vanished": written.vanished if written else 0,
            **_comparison(report),
            "notes": "\n".join(problems.notes) or None,
        },
        is_error=bool(problems.out_of_sight),
    )


def _row_warnings(spec: EndpointSpec, report: "SyncReport") -> Iterator[str]:
    problems = report.problems
    if "queryAll" in report.org.degraded and spec.has_is_deleted:
        yield (
            "This org does not serve queryAll of this object, so deleted and archived rows are not read."
            " Ask for access to queryAll."
        )
    if problems.out_of_sight:
        yield (
            f"{plural(problems.out_of_sight, 'row')} of the table are out of the user's sight, too many to be deleted"
            " rows. Give the user View All Data, or run once with confirm_shrink: true if they are deleted."
        )
    if problems.not_compared:
        why = problems.not_compared.rstrip(".")
        yield f"The table was not compared with the org: {why}. See the run's log; the next run compares it again."
    if report.reconciled and report.reconciled.is_partial:
        yield (
            "The comparison with the org found more differences than one day's calls can read. The next run goes on; to"
            " read all rows now, run the endpoint with full_refresh: true. Check the user's rights if this comes back."
        )


def _comparison(report: "SyncReport") -> dict[str, Any]:
    """Return when the table was last compared with the org, and what that found."""
    times, result = report.final.times if report.final else None, report.reconciled
    return {
        "compared_at": _timestamp(times.reconciled_at if times else None),
        "ids_compared_at": _timestamp(times.ids_compared_at if times else None),
        "compared_by": result and result.how,
        "rows_marked_deleted": result and result.rows_marked,
        "rows_out_of_sight": report.problems.out_of_sight or None,
        "marked_means": MARKED if result and result.rows_marked else None,
    }


def _timestamp(moment: datetime | None) -> dg.TimestampMetadataValue | None:
    return dg.MetadataValue.timestamp(moment) if moment else None


def _changes(report: "SyncReport") -> str:
    written = report.written
    if written is None:
        return " and changed none"
    vanished = f", {number(written.vanished)} gone" if written.vanished else ""
    return f": {number(written.inserted)} new, {number(written.updated)} changed{vanished}"


def _current(report: "SyncReport") -> Finding:
    org, as_of = report.org, report.true_as_of
    share = org.quota_used / org.quota_limit if org.quota_used is not None and org.quota_limit else 0.0
    warnings = [
        f"{share:.0%} of the org's daily API calls are used. Lower the cadences (SF_ASSETS_CADENCES) or buy calls."
        * (share > QUOTA_LOW),
        "The object cannot be read now, so the table stays as it was. See as_specified."
        * bool(report.problems.unavailable),
    ]
    return Finding(
        " ".join(filter(None, [_as_of(as_of), f"{plural(report.read.calls, 'call')} in this run.", _quota(report)])),
        tuple(filter(None, warnings)),
        {
            "true_as_of": dg.MetadataValue.timestamp(as_of) if as_of else None,
            "calls": report.read.calls,
            "quota_used": org.quota_used,
            "quota_limit": org.quota_limit,
        },
    )


def _as_of(moment: datetime | None) -> str:
    return f"True as of {moment:%Y-%m-%d %H:%M:%S} UTC." if moment else ""


def _quota(report: "SyncReport") -> str:
    used, limit = report.org.quota_used, report.org.quota_limit
    return "" if used is None or limit is None else f"All apps have used {number(used)} of {number(limit)} calls today."
