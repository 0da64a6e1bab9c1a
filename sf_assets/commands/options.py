"""Options that several commands share."""

import math
from typing import Any

import click


class FiniteRange(click.FloatRange):
    """A range of numbers without `nan` and `inf`, which no bound excludes."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number; fail if it is none."""
        number = float(super().convert(value, param, ctx))
        return number if math.isfinite(number) else self.fail(f"{value} is not a number.", param, ctx)


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
    "--pace", type=FiniteRange(min=0), default=6.0, show_default=True, help="Changes a minute in the practice org."
)
endpoints_argument = click.argument("endpoints", nargs=-1)


def row_options(rows: tuple[str, ...]) -> list[str]:
    """Return `--rows` as the practice org takes it."""
    return [part for row in rows for part in ("--rows", row)]
