"""Options that several commands share."""

import click

port_option = click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help="The practice org's port on 127.0.0.1. Default: 8630, or a free one if 8630 is in use.",
)
rows_option = click.option(
    "--rows", multiple=True, metavar="OBJECT=N", help="Number of rows of an object in a new practice org. Repeatable."
)
dagit_port_option = click.option(
    "--dagit-port", type=click.IntRange(1, 65535), default=3000, show_default=True, help="Dagit's port on 127.0.0.1."
)
pace_option = click.option(
    "--pace", type=click.FloatRange(min=0), default=6.0, show_default=True, help="Changes a minute in the practice org."
)
endpoints_argument = click.argument("endpoints", nargs=-1)


def row_options(rows: tuple[str, ...]) -> list[str]:
    """Return `--rows` as the practice org takes it."""
    return [part for row in rows for part in ("--rows", row)]
