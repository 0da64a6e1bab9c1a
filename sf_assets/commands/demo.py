"""One run over all endpoints in this process: told of while it runs, and as a table when it is over."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

if TYPE_CHECKING:
    from dagster import DagsterEvent, EventLogEntry
    from rich.console import Console

QUIET: Mapping[str, Any] = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""Run config: Dagster's own log lines stay in the event log and off the terminal."""

STARTED, MATERIALIZED, FAILED = "STEP_START", "ASSET_MATERIALIZATION", "STEP_FAILURE"


@dataclass(frozen=True)
class Outcome:
    """What a run did with one endpoint. `kind` is how it was read; `error` is set when it failed, remedy included."""

    endpoint: str
    seconds: float
    kind: str = ""
    rows: int = 0
    read: int = 0
    inserted: int = 0
    updated: int = 0
    vanished: int = 0
    calls: int = 0
    uri: str = ""
    error: str | None = None


def materialize_all(
    report: Callable[[Outcome], None], *, hear: Callable[[str], None], begin: Callable[[int], None]
) -> list[Outcome]:
    """Materialize every asset of the deployment in this process.

    `begin` is told how many there are, `report` of each endpoint as it ends, `hear` what a long reading says meanwhile.

    The run is kept in the Dagster instance of DAGSTER_HOME, so that Dagit shows it afterwards.
    """
    import dagster as dg

    from sf_assets.definitions import defs

    run_id, ear = str(uuid4()), EventListener(report, hear)
    with dg.DagsterInstance.get() as instance:
        instance.add_event_listener(run_id, ear)
        job = defs.resolve_implicit_global_asset_job_def()
        begin(len(set(job.asset_layer.executable_asset_keys)))
        job.execute_in_process(instance=instance, run_id=run_id, raise_on_error=False, run_config=QUIET)
    return ear.outcomes


class EventListener:
    """Hears a run's events and keeps an outcome for each endpoint that ended."""

    def __init__(self, report: Callable[[Outcome], None], hear: Callable[[str], None]) -> None:
        self.outcomes: list[Outcome] = []
        self._report, self._hear = report, hear
        self._since = time.monotonic()

    def __call__(self, entry: "EventLogEntry") -> None:
        event = entry.dagster_event
        if event is None and entry.step_key:
            self._hear(entry.user_message)
        elif event and event.event_type_value == STARTED:
            self._since = time.monotonic()
        elif event and (outcome := _outcome(event, time.monotonic() - self._since)):
            self.outcomes.append(outcome)
            self._report(outcome)


def _outcome(event: "DagsterEvent", seconds: float) -> Outcome | None:
    if event.event_type_value == FAILED:
        return Outcome(event.step_key or "?", seconds, kind="failed", error=_error_text(event))
    if event.event_type_value != MATERIALIZED or event.asset_key is None:
        return None
    metadata = event.step_materialization_data.materialization.metadata
    told: dict[str, Any] = {name: value.value for name, value in metadata.items()}
    return Outcome(
        endpoint=event.asset_key.path[-1],
        seconds=seconds,
        kind=str(told.get("kind", "")),
        rows=int(told.get("dagster/row_count", 0)),
        read=int(told.get("rows_read", 0)),
        inserted=int(told.get("rows_inserted", 0)),
        updated=int(told.get("rows_updated", 0)),
        vanished=int(told.get("rows_vanished", 0)),
        calls=int(told.get("calls", 0)),
        uri=str(told.get("dagster/uri", "")),
    )


def _error_text(event: "DagsterEvent") -> str:
    failure = event.step_failure_data
    if failure.user_failure_data and failure.user_failure_data.description:
        return str(failure.user_failure_data.description)
    error = failure.error
    while error and error.cause:
        error = error.cause
    return error.message.strip() if error else "failed without a message"


def failures(outcomes: Sequence[Outcome]) -> list[str]:
    """Return a line per failed endpoint: what happened and what to do about it."""
    return [outcome.error for outcome in outcomes if outcome.error]


def endpoint_bar(console: "Console") -> Progress:
    """Return a bar of endpoints with what is read now before it; nothing is drawn where no terminal is."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=24), MofNCompleteColumn())
    return Progress(*columns, TimeElapsedColumn(), console=console, transient=True, disable=not console.is_terminal)


COLUMNS = {
    "rows": "rows",
    "read": "read",
    "inserted": "new",
    "updated": "changed",
    "vanished": "gone",
    "calls": "calls",
}
"""Field of an outcome -> title in the printed table, which fits into 80 characters."""


def outcome_table(outcomes: Sequence[Outcome]) -> Table:
    """Return the printed table: a line per endpoint in the order of their names, and their sums."""
    shown = [name for name in COLUMNS if name != "vanished" or any(outcome.vanished for outcome in outcomes)]
    table = Table(box=None, header_style="bold", padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("endpoint", no_wrap=True)
    for title in (*(COLUMNS[name] for name in shown), "seconds"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("read as")
    for outcome in sorted(outcomes, key=lambda outcome: outcome.endpoint):
        table.add_row(*_cells(outcome, shown))
    sums = [sum(getattr(outcome, name) for outcome in outcomes) for name in shown]
    seconds = sum(outcome.seconds for outcome in outcomes)
    table.add_row(f"{len(outcomes)} endpoints", *map(_number, sums), f"{seconds:.1f}", "", style="bold")
    return table


def _cells(outcome: Outcome, shown: Sequence[str]) -> Iterator[str]:
    yield outcome.endpoint
    yield from (_number(getattr(outcome, name)) for name in shown)
    yield f"{outcome.seconds:.1f}"
    yield f"[red]{outcome.kind}[/red]" if outcome.error else outcome.kind


def _number(value: int) -> str:
    return f"{value:,}" if value else "[dim]0[/dim]"
