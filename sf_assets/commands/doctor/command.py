"""`sf-assets doctor`: one line for each thing that has to work."""

import sys

import click

from sf_assets.commands.options import endpoints_argument
from sf_assets.commands.settings import deployment


@click.command()
@endpoints_argument
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.option("--ask-open-questions", is_flag=True, help="Ask the org what Salesforce's documentation leaves open.")
def doctor(endpoints: tuple[str, ...], as_json: bool, ask_open_questions: bool) -> None:
    """Check key, login, rights, ledger, catalog, quota.

    ENDPOINTS are endpoints or groups; default: all. Each finding is a line with what to do. Exit status 1: something
    fails.
    """
    from sf_assets.commands.doctor.checks import exit_status
    from sf_assets.commands.doctor.report import report

    findings = report(deployment(), endpoints, as_json=as_json, ask_open_questions=ask_open_questions)
    sys.exit(exit_status(findings))
