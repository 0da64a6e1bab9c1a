"""A sync's report as Dagster shows it: the metadata of a materialization and of a failure, and the log's lines."""

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import dagster as dg

from sf_assets.assets.checks import warnings
from sf_assets.assets.column_check import calculated_age, listed
from sf_assets.assets.sentences import joined, number, plural
from sf_assets.specs.model import EndpointSpec

if TYPE_CHECKING:  # Polars and pyiceberg take 0.4 s of CPU to import, and every Dagster process loads this module
    from sf_assets.iceberg.model import TableFacts, Written
    from sf_assets.sync.columns import Column
    from sf_assets.sync.endpoint import Sync
    from sf_assets.sync.report import ReadTotals, SyncReport

TERMS: Mapping[str, str] = {
    "summary": "True as of, rows, cost, and what is wrong.",
    "kind": "unchanged: nothing to read. tail: changed rows. walk: all rows by Id. replace: all rows, table replaced."
    " reread: the rows of since and until. unavailable: the object is off.",
    "query": "The endpoint's .soql file; soql is the query that this run sent.",
    "rows_read": "Rows in the pages of this run; rows_read_deleted of them are deleted in Salesforce.",
    "read_by": "REST, or the Bulk query job that gave the rows.",
    "calls": "API calls of this endpoint in this run, without its share of login, describe and probe.",
    "sent_again": "Calls that repeated one after a fault.",
    "waited_seconds": "Time spent waiting for a permit of the request budget.",
    "quota_used": "Daily API calls used by all apps of the org; quota_limit is the org's limit.",
    "true_as_of": "The table equals the org as of this moment.",
    "lag_seconds": "Seconds between true_as_of and the start of the sync.",
    "rows_vanished": "Rows that a replace removed because Salesforce does not have them any more.",
    "table_rows_deleted": "Rows of the table with is_deleted = true.",
    "snapshot_id": "The table's Iceberg snapshot.",
    "calculated_as_of": "No formula or roll-up value is older than this.",
}
"""What the words of the metadata mean; shown in Dagit as `terms`."""
TAG = 30
"""Characters of a tag above Dagit's columns; Dagit cuts what is longer."""
MOST_TAGS = 16
"""Tags of warnings above Dagit's columns; the summary and the checks have the whole text."""


def sync_metadata(
    sync: "Sync", *, facts: "TableFacts", deleted: int | None, table: str, as_of: datetime | None, seconds: float
) -> dict[str, Any]:
    """Return the metadata of a materialization. The report must be complete; `table` is the table's full name.

    `deleted`: rows of the table that are deleted in Salesforce, or None if unknown. `as_of`: the moment at which the
    table equals the org, or None if it never did.
    """
    spec, report = sync.spec, sync.report
    above = tags(spec, report, rows=facts.rows, deleted=deleted, as_of=as_of)
    return _present(
        {
            "summary": dg.MetadataValue.md(summary(spec, report, rows=facts.rows, deleted=deleted, as_of=as_of)),
            "kind": report.kind,
            **progress_metadata(report),
            **_write_metadata(report.written),
            "seconds": round(seconds, 3),
            "dagster/row_count": facts.rows,
            "table_rows_deleted": deleted,
            "dagster/query_count": report.read.calls,
            "dagster/uri": facts.uri,
            "dagster/table_name": table,
            "snapshot_id": None if facts.snapshot_id is None else str(facts.snapshot_id),
            "dagster/column_schema": column_schema(spec, sync.columns, above=above),
            **_column_metadata(report),
            "terms": dg.MetadataValue.md("\n".join(f"- **{term}**: {meaning}" for term, meaning in TERMS.items())),
        }
    )


def summary(spec: EndpointSpec, report: "SyncReport", *, rows: int, deleted: int | None, as_of: datetime | None) -> str:
    """Return what a reader of the table wants to know first, as markdown."""
    figures = ". ".join([f"True as of {_moment(as_of)}", ", ".join(_rows(rows, deleted)), _cost(report)])
    return "\n".join([f"**{figures}.**", "", *(f"- {as_markdown(sentence)}" for sentence in _verdict(spec, report))])


def tags(
    spec: EndpointSpec, report: "SyncReport", *, rows: int, deleted: int | None, as_of: datetime | None
) -> list[str]:
    """Return the summary as short texts for the tags that Dagit shows above the columns."""
    warned = [part for sentence in _verdict(spec, report) for part in _parts(sentence)]
    rest = ["... and more: see Checks"] if len(warned) > MOST_TAGS else []
    return [f"As of {_moment(as_of)}", *_rows(rows, deleted), *_parts(_cost(report)), *warned[:MOST_TAGS], *rest]


def _parts(text: str) -> list[str]:
    return textwrap.wrap(text.replace("`", ""), TAG)


def _moment(as_of: datetime | None) -> str:
    return f"{as_of:%Y-%m-%d %H:%M:%S} UTC" if as_of else "no moment yet"


def _rows(rows: int, deleted: int | None) -> Iterator[str]:
    yield plural(rows, "row")
    if deleted is not None:
        yield f"{number(deleted)} of them deleted"


def _cost(report: "SyncReport") -> str:
    limit = report.org.quota_limit
    return plural(report.read.calls, "call") + (f" of {number(limit)} a day" if limit else "")


def _verdict(spec: EndpointSpec, report: "SyncReport") -> list[str]:
    """Return what is wrong and what to do, in sentences."""
    return warnings(spec, report) or ["Nothing is wrong."]


def start_line(sync: "Sync") -> str:
    """Return the log's first line: what is read. A sync without news has one line alone, its last."""
    position = sync.base.position if sync.base else None
    since = position.tail_from if position else None
    way = "by a Bulk query job" if sync.bulk else "by Id"
    what = {
        "tail": f"reads changes since {since:%Y-%m-%d %H:%M:%S} UTC" if since else "goes on with the changed rows",
        "walk": f"goes on with its rows {way}" if position and position.walk else f"reads all rows {way}",
        "replace": f"reads all rows {'by a Bulk query job ' * bool(sync.bulk)}and replaces the table",
        "reread": "reads again the rows of since and until",
        "unavailable": "the object is not available, so the table stays as it is",
    }[sync.report.kind]
    return f"{sync.spec.endpoint}: {what}."


def end_lines(report: "SyncReport", facts: "TableFacts", *, seconds: float) -> list[str]:
    """Return the log's lines after the commit; one line where nothing was to read.

    Each line is an event in Dagster's storage, and most syncs of a day find nothing.
    """
    if is_unchanged(report):
        cost = f"{plural(report.read.calls, 'call')}, {seconds:.1f} seconds"
        return [f"{report.endpoint}: nothing has changed: {cost}. The table has {plural(facts.rows, 'row')}."]
    return [read_line(report, seconds=seconds), commit_line(report, facts)]


def is_unchanged(report: "SyncReport") -> bool:
    """Return whether the sync has read no row because nothing has changed."""
    return report.kind == "unchanged" and not report.read.rows


def read_line(report: "SyncReport", *, seconds: float) -> str:
    """Return the log's second line: what came in, and what it cost."""
    read = report.read
    return (
        f"{report.endpoint}: {plural(read.rows, 'row')} in {plural(read.pages, 'page')}, {plural(read.calls, 'call')},"
        f" {seconds:.1f} seconds."
    )


def commit_line(report: "SyncReport", facts: "TableFacts") -> str:
    """Return the log's third line: what was committed."""
    written = report.written
    if written is None or not written.commits:
        return (
            f"{report.endpoint}: no row changed, so nothing was committed. The table has {plural(facts.rows, 'row')}."
        )
    return (
        f"{report.endpoint}: committed snapshot {facts.snapshot_id}: {number(written.inserted)} new,"
        f" {number(written.updated)} changed, {plural(facts.rows, 'row')} in the table."
    )


def column_schema(spec: EndpointSpec, columns: "Iterable[Column]", *, above: list[str]) -> dg.TableSchema:
    """Return the table's columns for Dagit's Columns panel. Descriptions are Salesforce's own.

    Dagit shows a table's constraints above its columns, and metadata only below them: so `above` are constraints.
    """
    return dg.TableSchema([_table_column(spec, column) for column in columns], dg.TableConstraints(above))


def frame_metadata(written: "Written", table: str) -> dict[str, Any]:
    """Return the metadata of a plain frame that was stored as `table`."""
    return {
        "dagster/row_count": written.rows,
        "dagster/uri": written.uri,
        "dagster/table_name": table,
        "bytes_written": written.bytes_written,
        **({} if written.snapshot_id is None else {"snapshot_id": str(written.snapshot_id)}),
    }


def progress_metadata(report: "SyncReport") -> dict[str, Any]:
    """Return what a sync has read so far, and what it cost."""
    as_of, read = report.true_as_of, report.read
    return _present(
        {
            "rows_read": read.rows,
            "rows_read_deleted": read.deleted,
            "pages": read.pages,
            "read_by": _read_by(read),
            "calls": read.calls,
            "sent_again": read.repeated_calls,
            "waited_seconds": round(read.waited_seconds, 3),
            "quota_used": report.org.quota_used,
            "quota_limit": report.org.quota_limit,
            "true_as_of": as_of and dg.MetadataValue.timestamp(as_of),
            "lag_seconds": as_of and round((report.began_at - as_of).total_seconds(), 3),
            "soql": read.soql and dg.MetadataValue.md(f"```sql\n{read.soql}\n```"),
            "notes": _bullets(report.problems.notes),
        }
    )


def _read_by(read: "ReadTotals") -> str | None:
    if not read.pages:
        return None
    return f"Bulk query job {read.bulk_job}" if read.bulk_job else "REST"


def table_metadata(facts: "TableFacts | None", *, before: "TableFacts | None") -> dict[str, Any]:
    """Return what a failed sync has committed, and where the next one starts."""
    former, present = (before and before.snapshot_id), (facts and facts.snapshot_id)
    nothing = "Nothing: the table is as it was." if before else "Nothing: there is no table yet."
    return _present(
        {
            "table_rows_before": before.rows if before else 0,
            "table_rows": facts.rows if facts else 0,
            "snapshot_id": None if present is None else str(present),
            "committed": nothing if present == former else "All rows up to a checkpoint. The next run goes on there.",
        }
    )


def _bullets(notes: list[str]) -> dg.MetadataValue[Any] | None:
    return dg.MetadataValue.md("\n".join(f"- {as_markdown(note)}" for note in notes)) if notes else None


def as_markdown(text: str) -> str:
    """Return a text of the org as markdown without HTML, links and images."""
    return text.replace("<", "&lt;").replace("[", "\\[")


def _present(metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in metadata.items() if value not in (None, "")}


def _write_metadata(written: "Written | None") -> Mapping[str, Any]:
    return {
        "rows_inserted": written.inserted if written else 0,
        "rows_updated": written.updated if written else 0,
        "rows_vanished": written.vanished if written else 0,
        "bytes_written": written.bytes_written if written else 0,
        "commits": written.commits if written else 0,
    }


def _column_metadata(report: "SyncReport") -> Mapping[str, Any]:
    problems = report.problems
    return {
        "missing_columns": joined(problems.missing) if problems.unavailable is None else None,
        "hidden_columns": joined(problems.hidden) if problems.unavailable is None else None,
        "added_columns": joined(report.planned.added),
        "retyped_columns": listed(report.retyped),
        "rounded_columns": joined(report.final.columns.rounded) if report.final else None,
        "fractional_columns": joined(report.final.columns.fractional) if report.final else None,
        "calculated_columns": joined(report.planned.calculated),
        **calculated_age(report),
    }


def _table_column(spec: EndpointSpec, column: "Column") -> dg.TableColumn:
    is_key = column.name in spec.keys
    return dg.TableColumn(
        column.name,
        type=str(column.iceberg),
        description=column.doc,
        constraints=dg.TableColumnConstraints(nullable=not is_key, unique=is_key and len(spec.keys) == 1),
    )
