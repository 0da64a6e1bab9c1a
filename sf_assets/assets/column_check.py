"""The check `as_specified`: the object, its columns, and what the table holds against the policies."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import dagster as dg

from sf_assets.assets.finding import Finding
from sf_assets.assets.sentences import counted, joined, number, plural, priced
from sf_assets.errors import ObjectUnavailable
from sf_assets.specs.catalogue import SYSTEM_COLUMNS
from sf_assets.specs.model import EndpointSpec

if TYPE_CHECKING:  # Polars and pyiceberg take 0.4 s of CPU to import, and every Dagster process loads this module
    from sf_assets.sync.report import SyncReport

GRANT = "Give the integration user read access, or list what is not needed under `excluded` in endpoints.toml."


def as_specified(spec: EndpointSpec, report: "SyncReport") -> Finding:
    """Return the finding about the object and its columns."""
    problems, planned = report.problems, report.planned
    return Finding(
        _column_figures(spec, report),
        tuple(
            filter(None, [*_object_warnings(report), *_column_warnings(spec, report), *_hashing_warnings(spec, report)])
        ),
        {
            "object": spec.sobject,
            "object_available": problems.unavailable is None,
            "missing": None if problems.unavailable else joined(problems.missing) or None,
            "hidden": None if problems.unavailable else joined(problems.hidden) or None,
            "refused": joined(problems.refused) or None,
            "too_complicated": joined(problems.complicated) or None,
            "shown_again": joined(planned.revealed) or None,
            "added": joined(planned.added) or None,
            "retyped": listed(report.retyped),
            "calculated": joined(planned.calculated) or None,
            **calculated_age(report),
            "rounded_now": counted(problems.rounded) or None,
            "rounded_columns": joined(report.final.columns.rounded) or None if report.final else None,
            "fractional_columns": joined(report.final.columns.fractional) or None if report.final else None,
        },
    )


def _column_figures(spec: EndpointSpec, report: "SyncReport") -> str:
    problems, optional = report.problems, optional_columns(spec)
    if problems.unavailable:
        return "The rows of the table stay as they are."
    absent = [name for name in problems.missing if name in optional]
    total = report.planned.columns
    rounded = report.final.columns.rounded if report.final else ()
    fractional = report.final.columns.fractional if report.final else ()
    sentences = [
        f"{number(total - len(problems.missing))} of {plural(total, 'column')} are read." * bool(total),
        f"{plural(len(absent), 'column')} of features that are off in this org: NULL." * bool(absent),
        f"{plural(len(rounded), 'column')} with rounded values: {joined(rounded)}." * bool(rounded),
        f"{plural(len(fractional), 'whole-number column')} with fractions: {joined(fractional)}; the exact values are"
        " in the columns with names that end in __exact." * bool(fractional),
    ]
    return " ".join(filter(None, sentences)) or "Every column of the spec is read."


def _object_warnings(report: "SyncReport") -> Iterator[str]:
    problems = report.problems
    if problems.unavailable:
        why = problems.unavailable.rstrip(".")
        yield f"The object is not available: {why}. {ObjectUnavailable.remedy}"
    if "describe" in report.org.degraded:
        yield (
            "This org serves no describe: columns and types are those of our catalogue, and custom fields are not read."
            " Ask for direct access to the org."
        )


def _column_warnings(spec: EndpointSpec, report: "SyncReport") -> Iterator[str]:
    problems, optional = report.problems, optional_columns(spec)
    hidden = sorted({*problems.hidden, *(name for name in problems.missing if name not in optional)})
    rounded = {name: count for name, count in problems.rounded.items() if name not in problems.rounded_before}
    if hidden and not problems.unavailable:
        yield f"Hidden from the integration user, or deleted: {joined(hidden)}. {GRANT}"
    if problems.refused:
        yield (
            f"Listed by describe but refused in queries: {priced(problems.refused)}. They are tried again once a day;"
            " list them under `excluded` in endpoints.toml to stop that."
        )
    if problems.complicated:
        yield (
            "Not read, since a query of all calculated columns is too complicated for Salesforce:"
            f" {joined(problems.complicated)}. They are tried again once a day; list calculated columns that you do"
            " not need under `excluded` in endpoints.toml."
        )
    if problems.pending:
        yield (
            f"New, and NULL in older rows: {priced(problems.pending)}. Run the endpoint with full_refresh: true to"
            " fill them."
        )
    if rounded and report.planned.table_rows:  # in a first copy it is a figure: every org has such values
        yield f"Rounded to the column's scale: {counted(rounded)}. Give the field more decimal places in Salesforce."
    if fractions := {n: count for n, count in problems.fractions.items() if n not in problems.fractions_before}:
        yield (
            f"Fractions in whole numbers: {counted(fractions)}. The column is rounded; a new column with a name that"
            " ends in __exact keeps the exact value. Ask who writes such values into Salesforce."
        )
    if problems.left_out:
        yield (
            f"Left out of records, and so stored as NULL: {counted(problems.left_out)}. Check the gateway before the"
            " org."
        )
    if problems.replaced:
        yield (
            f"Half of an emoji was replaced by U+FFFD: {counted(problems.replaced)}. Correct the text in Salesforce."
        )
    if columns := report.planned.held_excluded:
        yield (
            f"The table still holds values of columns that are excluded now: {joined(columns)}. Remove them from every"
            f" file: sf-assets erase-columns {spec.endpoint}"
        )


def _hashing_warnings(spec: EndpointSpec, report: "SyncReport") -> Iterator[str]:
    """Yield what the table holds against the hashing policy. A column that was never read holds nothing."""
    if not (spec.hashed or (report.final and report.final.hashing.mixed)) or report.final is None:
        return
    from sf_assets.sync.hashing_policy import columns_out_of_policy  # only for hashed columns: it loads Polars

    clear, outdated = columns_out_of_policy(report.final, spec)
    unread = set(report.problems.missing) - set(report.final.columns.hidden)
    if columns := [name for name in clear if name not in unread]:
        yield (
            f"The table may still hold the text of columns that are hashed now: {joined(columns)}. Remove it from"
            f" every file (sf-assets erase-columns {spec.endpoint} {' '.join(columns)}), then run the endpoint once"
            " with full_refresh: true."
        )
    if outdated:
        yield (
            f"Older rows hold hashes of columns that are not hashed any more: {joined(outdated)}. Run the endpoint once"
            " with full_refresh: true."
        )


def calculated_age(report: "SyncReport") -> dict[str, Any]:
    """Return how old a calculated value may be.

    Formulas and roll-ups change without a stamp on their row.
    """
    as_of = report.calculated_as_of
    if as_of is None:
        return {}
    days = (report.began_at - as_of).total_seconds() / 86_400
    return {"calculated_as_of": dg.MetadataValue.timestamp(as_of), "calculated_days": round(days, 2)}


def listed(changes: Mapping[str, str]) -> str | None:
    """Return each column with its change, or None if there is none."""
    return ", ".join(f"{column} ({change})" for column, change in changes.items()) or None


def optional_columns(spec: EndpointSpec) -> frozenset[str]:
    """Return the columns of features and releases, which an org may lack without a warning."""
    prefix = "Permissions" if spec.query.standard else None  # rights come and go with releases
    columns = (*spec.catalogue, *SYSTEM_COLUMNS)
    return frozenset(one.name for one in columns if one.feature or (prefix and one.name.startswith(prefix)))
