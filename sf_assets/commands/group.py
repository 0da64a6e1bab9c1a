"""The group of all commands: how an error, Ctrl-C and an unknown command end."""

import atexit
import difflib
import os
import sys
import traceback
from contextlib import suppress
from typing import Any

import click

from sf_assets.errors import SfAssetsError
from sf_assets.errors.redaction import redact

INTERRUPTED = 130
"""The exit status that shells use for Ctrl-C."""


def _advised(error: SfAssetsError) -> SfAssetsError:
    """Return the error with the remedy of its deployment."""
    from sf_assets.assets.deployments import read_deployment  # it loads Dagster, which `--help` does not need

    with suppress(SfAssetsError):  # the deployment itself may be the error
        return read_deployment().salesforce.credentials.advised(error)
    return error


OF_A_DEFECT = "This is a defect. Report it with the lines above; secrets are removed from them."
LONGEST_TRACEBACK = 20_000


def _print_error(kind: str, what: str, remedy: str) -> None:
    click.secho(f"{kind}: {what}", fg="red", err=True)
    click.echo(f"What to do: {remedy}", err=True)


def _of_system(error: OSError) -> tuple[str, str]:
    """Return what an error of the operating system says, and what to do."""
    reason = error.strerror or redact(str(error))
    if error.filename is None:
        return reason, "Check where the output goes, the space on its disk, and the network."
    return (
        f"{redact(str(error.filename))}: {reason}",
        "Check that this user may read and write it, and its disk's space.",
    )


def _exit_at_once(status: int) -> None:
    """End this process before Python removes its objects: DuckDB lists those of an interrupted run."""
    atexit._run_exitfuncs()  # noqa: SLF001  # no public name; without it multiprocessing reports leaked semaphores
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


class CommandGroup(click.Group):
    """A group that prints an error of ours as one message with its remedy, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command of a command line."""
        try:
            return super().invoke(ctx)
        except SfAssetsError as error:
            _print_error(type(error).__name__, str(error), _advised(error).remedy)
            sys.exit(1)
        except KeyboardInterrupt:
            click.echo("\nStopped. Committed rows stay; the same command goes on from there.", err=True)
            sys.exit(INTERRUPTED)

    def main(self, *args: Any, **options: Any) -> Any:
        """Run the command line and print each error as a message."""
        try:
            return super().main(*args, **options)
        except SystemExit as end:
            if end.code == INTERRUPTED and not args and options.get("args") is None:  # the program, not a caller
                _exit_at_once(INTERRUPTED)
            raise
        except click.ClickException:
            raise  # only where another program calls the commands
        except OSError as error:
            _print_error("System error", *_of_system(error))
        except Exception as error:  # noqa: BLE001  # a person gets one message, whatever a package raises
            click.echo(redact(traceback.format_exc(), longest=LONGEST_TRACEBACK, keep_lines=True), err=True)
            _print_error("Unexpected error", f"{type(error).__name__}: {redact(str(error))}", OF_A_DEFECT)
        sys.exit(1)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Find the command. Raises: click.UsageError that names a similar command, or all of them."""
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            names = self.list_commands(ctx)
            near = difflib.get_close_matches(args[0], names, n=1)
            advice = f"Did you mean {near[0]}?" if near else f"There are {', '.join(names)}."
            raise click.UsageError(f"No such command: {args[0]}. {advice}", ctx)
        return super().resolve_command(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of their registration, as a person needs them."""
        return list(self.commands)
