"""The steps of `sf-assets prove` and the exchanges that they record.

An exchange has the form of the tests' stand-ins (name, request, answer, source), so that an answer of a real account
can be pasted there. Answers never hold a secret or a value of a row, and names of the account are replaced.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from sf_assets.commands.prove.redact import Redaction
from sf_assets.errors import SfAssetsError

if TYPE_CHECKING:  # Dagster takes a second to import, and `--help` needs none of it
    from sf_assets.assets.deployments import Deployment
    from sf_assets.specs.model import EndpointSpec

Part = Literal["salesforce", "aws", "snowflake", "kubernetes"]
PARTS: tuple[Part, ...] = ("salesforce", "aws", "snowflake", "kubernetes")
Verdict = Literal["as documented", "different", "refused", "open"]


@dataclass(frozen=True)
class Exchange:
    """One request, its answer, what the vendor documents about it, and whether both agree.

    `open`: nothing is documented, the answer is news.
    """

    name: str
    request: str
    answer: Any
    source: str
    verdict: Verdict = "open"


@dataclass
class ProofContext:
    """The deployment, its endpoints, and what the person allows."""

    deployment: "Deployment"
    specs: "tuple[EndpointSpec, ...]"
    redaction: Redaction
    confirm: Callable[[str], bool] = field(default=lambda question: False)


Run = Callable[[ProofContext], Iterator[Exchange]]


@dataclass(frozen=True)
class Step:
    """One step. `changes`: what it creates or changes and removes again; empty if it only reads."""

    part: Part
    name: str
    run: Run
    changes: str = ""


STEPS: list[Step] = []


def step(part: Part, name: str, *, changes: str = "") -> Callable[[Run], Run]:
    """Register a step under its part."""

    def add(run: Run) -> Run:
        STEPS.append(Step(part, name, run, changes))
        return run

    return add


def run_step(one: Step, context: ProofContext) -> Iterator[Exchange]:
    """Run a step that the person allows. An error of ours is its last exchange."""
    if one.changes and not context.confirm(f"{one.name}: {one.changes}. Go on?"):
        yield Exchange(one.name, one.changes, "skipped: not allowed", "", "open")
        return
    try:
        yield from one.run(context)
    except SfAssetsError as error:
        yield Exchange(one.name, one.name, f"{type(error).__name__}: {error}", error.remedy, "refused")
