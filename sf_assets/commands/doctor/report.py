"""Run doctor's checks and print the findings, as lines or as JSON."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sf_assets.commands.doctor.checks import Finding, exit_status, run_checks

if TYPE_CHECKING:  # see checks.py
    from sf_assets.assets.deployments import Deployment

COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}
Answers = Sequence[tuple[str, str]]


def report(deployment: "Deployment", names: Sequence[str], *, as_json: bool, ask_open_questions: bool) -> list[Finding]:
    """Run the checks, print the findings and return them."""
    from rich.console import Console

    from sf_assets.commands.plan import chosen_specs
    from sf_assets.specs.endpoints import endpoints

    findings = list(run_checks(deployment, chosen_specs(endpoints(deployment.specs), names)))
    answers = _answers(deployment) if ask_open_questions and not exit_status(findings) else []
    console = Console()
    if as_json:
        text = json.dumps(_as_json(findings, answers), indent=2)
        console.print(text, markup=False, highlight=False, soft_wrap=True)
        return findings
    for line in _lines(findings, answers):
        console.print(line, highlight=False, soft_wrap=True)
    return findings


def _answers(deployment: "Deployment") -> Answers:
    from sf_assets.commands.doctor.open_questions import ask_all

    return ask_all(deployment.salesforce.resolved().client())


def _lines(findings: Iterable[Finding], answers: Answers) -> Iterator[str]:
    from rich.markup import escape

    for finding in findings:
        remedy = f" {escape(finding.remedy)}" if finding.remedy else ""
        status = f"[{COLOURS[finding.status]}]{finding.status:<4}[/]"
        yield f"{status} {finding.check:<8} {escape(finding.message)}.{remedy}".replace("..", ".")
    for question, answer in answers:
        yield f"\n{escape(question)}\n    {escape(answer)}"


def _as_json(findings: Iterable[Finding], answers: Answers) -> dict[str, Any]:
    """Return the findings under the keys of the command's JSON, which are an interface."""
    return {
        "findings": [
            {"check": finding.check, "word": finding.status, "said": finding.message, "remedy": finding.remedy}
            for finding in findings
        ],
        "answers": [{"question": question, "answer": answer} for question, answer in answers],
    }
