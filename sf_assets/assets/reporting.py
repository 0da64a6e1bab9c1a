"""A sync's record in Dagster's words: a materialization's metadata, and a Failure that teaches for an error of ours."""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from sf_assets.assets.checks import aged, failed_evaluation, listed
from sf_assets.errors import QuotaSpent, SfAssetsError
from sf_assets.specs.model import EndpointSpec
from sf_assets.sync import status_table

if TYPE_CHECKING:
    from sf_assets.iceberg.model import TableFacts, Written
    from sf_assets.sync.columns import Column
    from sf_assets.sync.report import SyncReport

ERRORS_PAGE = "docs/errors.md"
CHECKOUT = Path(__file__).parents[2]
DOCS = "docs"
"""Metadata of an asset: where the pages can be opened in a browser, if the deployment says so."""


def materialized(
    spec: EndpointSpec,
    record: "SyncReport",
    *,
    facts: "TableFacts",
    columns: "Iterable[Column]",
    table: str,
    seconds: float,
) -> dict[str, Any]:
    """Return the metadata of a materialization. The record must be complete; `table` is the table's full name."""
    told = {
        "kind": record.kind,
        **reading(record),
        **_writing(record.written),
        "seconds": round(seconds, 3),
        "dagster/row_count": facts.rows,
        "dagster/uri": facts.uri,
        "dagster/table_name": table,
        "snapshot_id": None if facts.snapshot_id is None else str(facts.snapshot_id),
        "dagster/column_schema": column_schema(spec, columns),
        **_columns(record),
    }
    return _said(told)


def column_schema(spec: EndpointSpec, columns: "Iterable[Column]") -> dg.TableSchema:
    """Return the table's columns for Dagit's Columns panel; a description is Salesforce's own."""
    return dg.TableSchema([_table_column(spec, column) for column in columns])


def stored(written: "Written", table: str) -> dict[str, Any]:
    """Return the metadata of a plain frame that was stored as `table`."""
    return {
        "dagster/row_count": written.rows,
        "dagster/uri": written.uri,
        "dagster/table_name": table,
        "bytes_written": written.bytes_written,
        **({} if written.snapshot_id is None else {"snapshot_id": str(written.snapshot_id)}),
    }


def failure(error: SfAssetsError, endpoint: str, *, docs: str = "", come_to: Mapping[str, Any] = {}) -> dg.Failure:  # noqa: B006 - read only
    """Return the Failure whose first line says what happened, to which endpoint, and what to do about it.

    `docs` is where docs/ can be opened, `come_to` what the endpoint had come to.
    """
    name = type(error).__name__
    told = {key: _plain(value) for key, value in error.values.items() if value is not None}
    return dg.Failure(
        f"{endpoint}: {error.with_remedy}",
        metadata={
            "error": name,
            "remedy": dg.MetadataValue.md(f"{error.remedy} See `{name}` in {ERRORS_PAGE}."),
            "what_it_means": dg.MetadataValue.md(meaning(type(error))),
            "page": errors_page(type(error), docs),
            **{key: dg.MetadataValue.text(value) for key, value in told.items() if key not in ("error", "remedy")},
            **come_to,
        },
        allow_retries=error.retryable,
    )


def meaning(kind: type[SfAssetsError]) -> str:
    """Return what the page of errors says of a class besides its remedy, as markdown."""
    said = " ".join((inspect.getdoc(kind) or "").split())
    return f"**{kind.__name__}.** {said} Trying again helps: {'yes' if kind.retryable else 'no'}."


def errors_page(kind: type[SfAssetsError], docs: str) -> dg.MetadataValue[Any]:
    """Return the place of an error on the page of errors: a link under `docs`, without that a path of the checkout."""
    anchor = f"{Path(ERRORS_PAGE).name}#{kind.__name__.lower()}"
    if docs:
        return dg.MetadataValue.url(f"{docs.rstrip('/')}/{anchor}")
    folder = CHECKOUT / "docs"
    return dg.MetadataValue.path(str(folder / anchor) if folder.is_dir() else f"docs/{anchor}")


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)


def _nothing(error: SfAssetsError) -> Mapping[str, Any]:
    return {}


@contextmanager
def raise_as_failure(
    context: dg.AssetExecutionContext,
    endpoint: str,
    *,
    come_to: Callable[[SfAssetsError], Mapping[str, Any]] = _nothing,
) -> Iterator[None]:
    """Note the endpoint as failed; turn an error of ours into its red check, when one asks for it, and a Failure."""
    try:
        yield
    except SfAssetsError as error:
        status_table.add(_failed(error, endpoint, context.run.run_id))
        told = failure(error, endpoint, docs=_docs(context), come_to=come_to(error))
        if evaluation := failed_evaluation(context.asset_key, error, told.metadata):
            context.log_event(evaluation)
        raise told from error
    except Exception as error:
        said = f"Ended by {type(error).__name__}; see the log of the run."
        status_table.add(status_table.Status(endpoint, "failed", context.run.run_id, warnings=said))
        raise


def _docs(context: dg.AssetExecutionContext) -> str:
    told = context.assets_def.metadata_by_key.get(context.asset_key, {}).get(DOCS)
    return str(told.value) if isinstance(told, dg.UrlMetadataValue) else ""


@contextmanager
def failing(name: str) -> Iterator[None]:
    """Turn an error of ours into a Failure; `name` is the table or endpoint that its first line begins with."""
    try:
        yield
    except SfAssetsError as error:
        raise failure(error, name) from error


def _failed(error: SfAssetsError, endpoint: str, run_id: str) -> status_table.Status:
    word: status_table.Outcome = "quota_spent" if isinstance(error, QuotaSpent) else "failed"
    return status_table.Status(endpoint, word, run_id, warnings=error.with_remedy)


def reading(record: "SyncReport") -> dict[str, Any]:
    """Return what a reading took, and how far it came."""
    as_of = record.org.true_as_of
    told = {
        "rows_read": record.read.rows,
        "rows_read_deleted": record.read.deleted,
        "pages": record.read.pages,
        "calls": record.read.calls,
        "sent_again": record.read.repeated_calls,
        "waited_seconds": round(record.read.waited_seconds, 3),
        "quota_used": record.org.quota_used,
        "quota_limit": record.org.quota_limit,
        "true_as_of": as_of and dg.MetadataValue.timestamp(as_of),
        "lag_seconds": as_of and round((record.began_at - as_of).total_seconds(), 3),
        "soql": record.read.soql and dg.MetadataValue.md(f"```sql\n{record.read.soql}\n```"),
        "notes": _bullets(record.problems.notes),
    }
    return _said(told)


def _bullets(notes: "list[str]") -> dg.MetadataValue[Any] | None:
    return dg.MetadataValue.md("\n".join(f"- {note}" for note in notes)) if notes else None


def kept(facts: "TableFacts | None", *, before: "TableFacts | None") -> dict[str, Any]:
    """Return what a sync that failed has left in its table, and where the next one begins."""
    former, present = (before and before.snapshot_id), (facts and facts.snapshot_id)
    nothing = "Nothing: the table is as it was." if before else "Nothing: there is no row yet."
    told = {
        "table_rows_before": before.rows if before else 0,
        "table_rows": facts.rows if facts else 0,
        "snapshot_id": None if present is None else str(present),
        "committed": nothing if present == former else "What was read up to a checkpoint; the next run goes on there.",
    }
    return _said(told)


def _said(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if value not in (None, "")}


def _writing(written: "Written | None") -> Mapping[str, Any]:
    return {
        "rows_inserted": written.inserted if written else 0,
        "rows_updated": written.updated if written else 0,
        "rows_vanished": written.vanished if written else 0,
        "bytes_written": written.bytes_written if written else 0,
        "commits": written.commits if written else 0,
    }


def _columns(record: "SyncReport") -> Mapping[str, Any]:
    return {
        "missing_columns": ", ".join(record.problems.missing),
        "hidden_columns": ", ".join(record.problems.hidden),
        "added_columns": ", ".join(record.planned.added),
        "retyped_columns": listed(record.retyped),
        "rounded_columns": ", ".join(record.final.columns.rounded) if record.final else None,
        "calculated_columns": ", ".join(record.planned.calculated),
        **aged(record),
    }


def _table_column(spec: EndpointSpec, column: "Column") -> dg.TableColumn:
    is_key = column.name in spec.keys
    return dg.TableColumn(
        column.name,
        type=str(column.iceberg),
        description=column.doc,
        constraints=dg.TableColumnConstraints(nullable=not is_key, unique=is_key and len(spec.keys) == 1),
    )
