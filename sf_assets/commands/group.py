"""The group of all commands: how an error, Ctrl-C and an unknown command end."""

import difflib
import sys
from contextlib import suppress
from typing import Any

import click

from sf_assets.errors import SfAssetsError

INTERRUPTED = 130
"""The exit status that shells use for Ctrl-C."""


def _advised(error: SfAssetsError) -> SfAssetsError:
    """Return the error with the remedy of its deployment."""
    from sf_assets.assets.deployments import read_deployment  # it loads Dagster, which `--help` does not need

    with suppress(SfAssetsError):  # the deployment itself may be the error
        return read_deployment().salesforce.credentials.advised(error)
    return error


class CommandGroup(click.Group):
    """A group that prints an error of ours as one message with its remedy, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command of a command line."""
        try:
            return super().invoke(ctx)
        except SfAssetsError as error:
            click.secho(f"{type(error).__name__}: {error}", fg="red", err=True)
            click.echo(f"What to do: {_advised(error).remedy}", err=True)
            sys.exit(1)
        except KeyboardInterrupt:
            click.echo("\nStopped. Committed rows stay; the same command goes on from there.", err=True)
            sys.exit(INTERRUPTED)

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
