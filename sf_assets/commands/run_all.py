"""One run over all endpoints in this process, with its progress on the terminal and a table at its end."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

if TYPE_CHECKING:
    from dagster import DagsterEvent, EventLogEntry
    from rich.status import Status

QUIET: Mapping[str, Any] = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""Run config: Dagster's log lines go to the event log and not to the terminal."""

STARTED, MATERIALIZED, SUCCEEDED, FAILED = "STEP_START", "ASSET_MATERIALIZATION", "STEP_SUCCESS", "STEP_FAILURE"
CANCELED, INTERRUPTED = "PIPELINE_CANCELED", "DagsterExecutionInterruptedError"
ENDED = (SUCCEEDED, FAILED)


@dataclass(frozen=True)
class Outcome:
    """The result of one endpoint in a run. `kind` is how it was read; `error` has the remedy in it."""

    endpoint: str
    seconds: float = 0.0
    kind: str = ""
    rows: int = 0
    read: int = 0
    inserted: int = 0
    updated: int = 0
    vanished: int = 0
    calls: int = 0
    uri: str = ""
    error: str | None = None


def run_with_progress(status: "Status") -> list[Outcome]:
    """Materialize every asset of the deployment and show the progress. `status` is paused meanwhile."""
    outcomes_so_far: list[Outcome] = []
    status.stop()  # a terminal shows one moving thing at a time
    with os.fdopen(os.dup(sys.stdout.fileno()), "w") as out:  # Dagster captures what a step writes to stdout
        console = Console(file=out)
        with endpoint_bar(console) as bar:
            task = bar.add_task("Reading ...", total=None)

            def on_outcome(outcome: Outcome) -> None:
                outcomes_so_far.append(outcome)
                bar.update(task, advance=1, description=outcome.endpoint)
                if not console.is_terminal:
                    console.print(f"{len(outcomes_so_far):>3} {outcome.endpoint}: {outcome.kind}", highlight=False)

            outcomes = materialize_all(
                on_outcome,
                on_line=lambda line: bar.update(task, description=line),
                on_start=lambda count: bar.update(task, total=count),
            )
    status.start()
    return outcomes


def materialize_all(
    on_outcome: Callable[[Outcome], None], *, on_line: Callable[[str], None], on_start: Callable[[int], None]
) -> list[Outcome]:
    """Materialize every asset of the deployment in this process.

    `on_start` gets the number of assets, `on_outcome` each endpoint as it ends, `on_line` the log lines of a long read.
    The Dagster instance of DAGSTER_HOME keeps the run, so that Dagit shows it afterwards. Raises: KeyboardInterrupt if
    the run was interrupted.
    """
    import dagster as dg

    from sf_assets.commands.run_logs import terminal_instance
    from sf_assets.definitions import defs

    run_id, listener = str(uuid4()), EventListener(on_outcome, on_line)
    with terminal_instance() as instance:
        instance.add_event_listener(run_id, listener)
        job = defs.resolve_implicit_global_asset_job_def()
        keys = sorted(set(job.asset_layer.executable_asset_keys))
        on_start(len(keys))
        try:
            # With a selection Dagit's list of runs shows the assets; without one its column is empty
            job.execute_in_process(QUIET, instance, run_id=run_id, asset_selection=keys, raise_on_error=False)
        except dg.DagsterExecutionInterruptedError:
            raise KeyboardInterrupt from None
    if listener.is_canceled:
        raise KeyboardInterrupt
    return listener.outcomes


class EventListener:
    """A listener on a run's events; it has an outcome for each endpoint that ended.

    The seconds of an outcome are those that Dagit shows for the step: checks and registration are part of them.
    """

    def __init__(self, on_outcome: Callable[[Outcome], None], on_line: Callable[[str], None]) -> None:
        self.outcomes: list[Outcome] = []
        self.is_canceled = False
        self._on_outcome, self._on_line = on_outcome, on_line
        self._started = 0.0
        self._materialized: list[Outcome] = []

    def __call__(self, entry: "EventLogEntry") -> None:
        event = entry.dagster_event
        if event is None:
            if entry.step_key:
                self._on_line(entry.user_message)
        elif event.event_type_value == CANCELED:
            self.is_canceled = True
        elif event.event_type_value == STARTED:
            self._started = entry.timestamp
        elif event.event_type_value == MATERIALIZED:
            self._materialized += _materialized(event)
        elif event.event_type_value in ENDED:
            self._end(event, entry.timestamp - self._started)

    def _end(self, event: "DagsterEvent", seconds: float) -> None:
        """Report the step's endpoint, or its marts; a step that checks something else has none."""
        outcomes, self._materialized = self._materialized, []
        if event.event_type_value == FAILED:
            self.is_canceled |= INTERRUPTED in _error_text(event)
            outcomes.append(Outcome(_endpoint_of(event), kind="failed", error=_error_text(event)))
        for outcome in outcomes:
            self.outcomes.append(replace(outcome, seconds=seconds))
            self._on_outcome(self.outcomes[-1])


def _endpoint_of(event: "DagsterEvent") -> str:
    """Return `account` for the step `salesforce__account`."""
    step = event.step_key or "?"
    return step.partition("__")[2] or step


def _materialized(event: "DagsterEvent") -> list[Outcome]:
    if event.asset_key is None:
        return []
    metadata = event.step_materialization_data.materialization.metadata
    values: dict[str, Any] = {name: entry.value for name, entry in metadata.items()}
    outcome = Outcome(
        endpoint=event.asset_key.path[-1],
        kind=str(values.get("kind", "built")),
        rows=int(values.get("dagster/row_count", 0)),
        read=int(values.get("rows_read", 0)),
        inserted=int(values.get("rows_inserted", 0)),
        updated=int(values.get("rows_updated", 0)),
        vanished=int(values.get("rows_vanished", 0)),
        calls=int(values.get("calls", 0)),
        uri=str(values.get("dagster/uri", "")),
    )
    return [outcome]


def _error_text(event: "DagsterEvent") -> str:
    failure = event.step_failure_data
    if failure.user_failure_data and failure.user_failure_data.description:
        return str(failure.user_failure_data.description)
    error = failure.error
    while error and error.cause:
        error = error.cause
    return error.message.strip() if error else "failed without a message"


def failures(outcomes: Sequence[Outcome]) -> list[str]:
    """Return a line for each cause of a failure, with its endpoints and the remedy.

    One cause, such as a refused login, fails many endpoints.
    """
    endpoints: dict[str, list[str]] = {}
    for outcome in outcomes:
        if outcome.error:
            cause = outcome.error.removeprefix(f"{outcome.endpoint}: ")
            endpoints.setdefault(cause, []).append(outcome.endpoint)
    return [f"{', '.join(names)}: {cause}" for cause, names in endpoints.items()]


def endpoint_bar(console: Console) -> Progress:
    """Return a progress bar over the endpoints; without a terminal it draws nothing."""
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
"""Field of an outcome -> title in the printed table. The table fits into 80 characters."""


def outcome_table(outcomes: Sequence[Outcome]) -> Table:
    """Return the printed table: a line for each endpoint, sorted by name, and the sums."""
    fields = [name for name in COLUMNS if name != "vanished" or any(outcome.vanished for outcome in outcomes)]
    table = Table(box=None, header_style="bold", padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("endpoint", no_wrap=True)
    for title in (*(COLUMNS[name] for name in fields), "seconds"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("read as")
    for outcome in sorted(outcomes, key=lambda outcome: outcome.endpoint):
        table.add_row(*_cells(outcome, fields))
    sums = [sum(getattr(outcome, name) for outcome in outcomes) for name in fields]
    seconds = sum(outcome.seconds for outcome in outcomes)
    table.add_row(f"{len(outcomes)} endpoints", *map(_number, sums), f"{seconds:.1f}", "", style="bold")
    return table


def _cells(outcome: Outcome, fields: Sequence[str]) -> Iterator[str]:
    yield outcome.endpoint
    yield from (_number(getattr(outcome, name)) for name in fields)
    yield f"{outcome.seconds:.1f}"
    yield f"[red]{outcome.kind}[/red]" if outcome.error else outcome.kind


def _number(value: int) -> str:
    return f"{value:,}" if value else "[dim]0[/dim]"
