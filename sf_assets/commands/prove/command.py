"""`sf-assets prove`: the steps, the questions before a change, and the report."""

import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from sf_assets.commands.options import endpoints_argument

MODULES = tuple(f"sf_assets.commands.prove.{name}" for name in ("salesforce", "aws", "snowflake", "kubernetes"))
COLOURS = {"as documented": "green", "open": "cyan", "different": "yellow", "refused": "red"}


@click.command()
@endpoints_argument
@click.option("--salesforce", "parts", flag_value="salesforce", multiple=True, help="Ask the org (only reads).")
@click.option("--aws", "parts", flag_value="aws", multiple=True, help="Ask AWS; a probe table is created and removed.")
@click.option("--snowflake", "parts", flag_value="snowflake", multiple=True, help="Ask Snowflake as the loader.")
@click.option("--kubernetes", "parts", flag_value="kubernetes", multiple=True, help="Ask helm and kubectl.")
@click.option("--yes", is_flag=True, help="Allow every change without a question.")
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("prove.json"),
    show_default=True,
    help="File to write the answers to.",
)
def prove(endpoints: tuple[str, ...], parts: tuple[str, ...], yes: bool, report: Path) -> None:
    """Ask your accounts what the documentation leaves open.

    Only reads, unless you allow a step that creates something; that step removes it again. The report of the answers
    holds no secret, no value of a row and no name of your account: read it, then attach it to an issue.
    """
    exchanges = []
    for part, exchange in _run(endpoints, parts, (lambda question: True) if yes else _confirm):
        verdict = exchange["verdict"]
        click.echo(f"{click.style(f'{verdict:<14}', fg=COLOURS[verdict])} {part}: {exchange['name']}")
        exchanges.append({"part": part, **exchange})
    document = {"written": datetime.now(UTC).isoformat(timespec="seconds"), "exchanges": exchanges}
    report.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    click.echo(f"\n{len(exchanges)} answers are in {report}. Read it before you share it.")


def _confirm(question: str) -> bool:
    return click.confirm(question, default=False)


def _run(
    names: tuple[str, ...], parts: tuple[str, ...], confirm: Callable[[str], bool]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each exchange, redacted, with its part."""
    from importlib import import_module

    from sf_assets.commands.plan import chosen_specs
    from sf_assets.commands.prove.redact import Redaction
    from sf_assets.commands.prove.steps import PARTS, STEPS, ProofContext, run_step
    from sf_assets.commands.settings import deployment
    from sf_assets.specs.endpoints import endpoints

    for module in MODULES:
        import_module(module)
    settings = deployment()
    redaction = Redaction(os.environ)
    specs = tuple(chosen_specs(endpoints(settings.specs), names))
    context = ProofContext(settings, specs, redaction, confirm)
    for one in STEPS:
        if one.part in (parts or PARTS):
            for exchange in run_step(one, context):
                yield one.part, redaction.value(vars(exchange))
