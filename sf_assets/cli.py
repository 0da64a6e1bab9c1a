"""The `sf-assets` command: it registers the commands of `commands/`.

Each command is a function with click's decorators in a module of its own. It imports Dagster, Polars and the like
inside the function, so that `sf-assets --help` takes 0.2 seconds and not two.
"""

import signal
import sys
from types import FrameType

import click

from sf_assets.commands.demo import demo
from sf_assets.commands.dev import dev
from sf_assets.commands.doctor.command import doctor
from sf_assets.commands.drift import drift
from sf_assets.commands.endpoint import endpoint
from sf_assets.commands.erase_columns import erase_columns
from sf_assets.commands.group import CommandGroup
from sf_assets.commands.marts import marts
from sf_assets.commands.plan import plan
from sf_assets.commands.practice_cli import practice
from sf_assets.commands.prove.command import prove
from sf_assets.commands.reconcile import reconcile
from sf_assets.commands.repair import repair
from sf_assets.commands.setup.command import setup
from sf_assets.commands.sources import sources
from sf_assets.commands.sweep import sweep
from sf_assets.commands.tables import tables

COMMANDS = (
    demo,
    dev,
    marts,
    tables,
    plan,
    doctor,
    prove,
    endpoint,
    sources,
    sweep,
    reconcile,
    drift,
    repair,
    erase_columns,
    setup,
    practice,
)


@click.group(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sf-assets", prog_name="sf-assets")
def main() -> None:
    """Keep a Salesforce org as Apache Iceberg tables."""
    signal.signal(signal.SIGTERM, exit_on_signal)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:  # the terminal was closed; nohup ignores that
        signal.signal(signal.SIGHUP, exit_on_signal)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it otherwise


def exit_on_signal(signum: int, frame: FrameType | None) -> None:
    """Exit through SystemExit, so that child processes are terminated too."""
    sys.exit(128 + signum)


for command in COMMANDS:
    main.add_command(command)

if __name__ == "__main__":
    main()
