"""Dagit and Dagster's daemon in a child process, over the instance of DAGSTER_HOME."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread

import click

from sf_assets.commands.ports import require_free
from sf_assets.commands.settings import dagster_instance

SHELL_INTERRUPTED = 130
"""Exit status of a command that Ctrl-C ended."""
HOST = "127.0.0.1"
STOP_SECONDS = 15.0
WORKER_SECONDS = 5.0
"""How long the processes of runs may outlive Dagit."""
WILL_RETRY = "dagster/will_retry"
"""Tag of a run: does Dagster's daemon retry it?"""
WORKSPACE = "load_from:\n  - python_module: {module_name: sf_assets.definitions, location_name: sf_assets}\n"


def serve_dagit(port: int) -> int:
    """Serve until interrupted; return the exit status.

    Raises ConfigError if another program uses the port.
    """
    require_free(port, flag="--dagit-port", what="Dagit")
    make_instance()
    with TemporaryDirectory() as folder:
        return serve_child(dev_command(port, Path(folder)))


def serve_child(command: Sequence[str]) -> int:
    """Run a command that serves Dagit until it is interrupted; return the exit status.

    It has a process group of its own, and this process prints what it prints. After Ctrl-C nothing more is printed:
    Dagster prints a traceback of each process and run that it interrupts.
    """
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, process_group=0) as process:
        muted = Event()
        Thread(target=_print_lines, args=(process.stdout, muted), daemon=True).start()
        try:
            return process.wait()
        except KeyboardInterrupt:
            muted.set()
            click.echo("\nEnding Dagit. Runs in progress are canceled, and the next sync resumes where they stopped.")
            os.killpg(process.pid, signal.SIGINT)
            end_with_runs(process, grace_seconds=STOP_SECONDS)
            return SHELL_INTERRUPTED
        except SystemExit:
            end_with_runs(process, grace_seconds=0)
            raise


def _print_lines(lines: Iterable[bytes], muted: Event) -> None:
    for line in lines:
        if not muted.is_set():
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()


def end_with_runs(process: subprocess.Popen[bytes], *, grace_seconds: float) -> None:
    """End Dagit and cancel the runs that end with it.

    `grace_seconds`: how long it may take to end by itself. A second Ctrl-C kills it at once.
    """
    stopped_at = datetime.now(UTC)
    with suppress(KeyboardInterrupt):
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=grace_seconds)
        process.terminate()
        process.wait()
        _wait_for_group(process.pid)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    cancel_runs(stopped_at)


def _wait_for_group(group: int) -> None:
    """Wait for the processes of runs, which would report their own end after the cancellation."""
    deadline = time.monotonic() + WORKER_SECONDS
    with suppress(ProcessLookupError):
        while time.monotonic() < deadline:
            os.killpg(group, 0)
            time.sleep(0.1)


def cancel_runs(since: datetime) -> None:
    """Cancel the runs that ended with Dagit. The next start does not retry them.

    These are all unfinished runs, and those that failed after `since`.
    """
    import dagster as dg
    from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

    with dg.DagsterInstance.get() as instance:
        unfinished = dg.RunsFilter(statuses=NOT_FINISHED_STATUSES)
        interrupted = dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], updated_after=since)
        for record in [*instance.get_run_records(unfinished), *instance.get_run_records(interrupted)]:
            run = record.dagster_run
            instance.add_run_tags(run.run_id, {WILL_RETRY: "false"})
            instance.report_run_canceled(run, "The command that served Dagit was ended.")


def dev_command(port: int, folder: Path) -> list[str]:
    """Return the command that serves Dagit. Its workspace is written into `folder`.

    The workspace names the code location as pyproject.toml does for `dagster dev` and `dg dev` in a checkout.
    """
    workspace = folder / "workspace.yaml"
    workspace.write_text(WORKSPACE, encoding="utf-8")
    levels = ["--log-level", "warning", "--code-server-log-level", "warning"]
    served = ["-w", str(workspace), "-h", HOST, "-p", str(port), *levels]
    return [sys.executable, "-m", "sf_assets.commands.guarded_dagit", "dev", *served]


def make_instance() -> None:
    """Make the Dagster instance in this process alone.

    Webserver and daemon that both make an empty SQLite home at the same moment leave it with two heads of its schema,
    and neither starts again. Raises: ConfigError if the instance cannot be opened.
    """
    with dagster_instance():
        pass
