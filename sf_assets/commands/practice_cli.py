"""`sf-assets practice`: serve the practice org alone."""

import os
import sys
from pathlib import Path

import click

from sf_assets.commands.options import row_options, rows_option
from sf_assets.commands.ports import require_free
from sf_assets.commands.settings import deployment
from sf_assets.errors import ConfigError


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=8630, show_default=True, help="Port on 127.0.0.1.")
@click.option(
    "--home", type=click.Path(path_type=Path), help="Folder of the org. Default: practice/ under SF_ASSETS_HOME."
)
@click.option("--seed", type=int, help="Seed of the data: another number makes other rows. Default: 7.")
@rows_option
@click.option("--behaviour", metavar="JSON", help="Switches, as JSON or a file of it (docs/devorg.md).")
@click.option("--faults", metavar="JSON", help="Injected failures, as JSON or a file of it (docs/devorg.md).")
def practice(
    port: int, home: Path | None, seed: int | None, rows: tuple[str, ...], behaviour: str | None, faults: str | None
) -> None:
    """Serve the practice org alone, until Ctrl-C.

    The practice org is a Salesforce org on 127.0.0.1 with made-up data. Its folder keeps it: a second start continues
    with the same rows.
    """
    from sf_assets.commands.practice import command, note, serving

    folder = home or deployment().practice
    if url := serving(folder):
        raise ConfigError(f"the practice org of {folder} is already served on {url}", remedy="Use it, or end it first.")
    require_free(port, flag="--port", what="the practice org")
    note(folder, port=port, pid=os.getpid())
    options = {"--seed": seed, "--behaviour": behaviour, "--faults": faults}
    values = [text for name, value in options.items() if value is not None for text in (name, str(value))]
    os.execv(sys.executable, command(folder, port, [*row_options(rows), *values]))
