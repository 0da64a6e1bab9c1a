"""The registry of doctor's checks. A check is a function `(DoctorContext) -> Iterator[Finding]`.

An error of ours that a check raises is its finding. To add a check, decorate it with `register_check` and name its
module in `MODULES`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Literal

from sf_assets.errors import LoginError, SfAssetsError
from sf_assets.errors.redaction import redact

if TYPE_CHECKING:  # Dagster takes a second to import, and `--help` needs none of it
    from sf_assets.assets.deployments import Deployment
    from sf_assets.assets.resources import SalesforceResource
    from sf_assets.salesforce.client import Client
    from sf_assets.specs.model import EndpointSpec

Status = Literal["ok", "warn", "fail"]

MODULES = tuple(
    f"sf_assets.commands.doctor.{name}" for name in ("deployment", "salesforce", "history", "aws", "snowflake")
)
"""The modules that register checks, in the order in which they run."""
BEFORE_LOGIN = frozenset({"key", "host", "login"})
"""Checks that mean, if they fail, that there is no login."""
NEED_LOGIN = frozenset({"login", "clock", "quota", "rights", "history"})


@dataclass(frozen=True)
class Finding:
    """One line: the check, its status, the message and, unless it is ok, what to do."""

    check: str
    status: Status
    message: str
    remedy: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", redact(self.message))


@dataclass
class DoctorContext:
    """The deployment and the endpoints to check.

    The client is built at its first use, so that an unusable key is a finding and does not end the command.
    """

    deployment: "Deployment"
    specs: "Sequence[EndpointSpec]"
    login_failed: bool = field(default=False, init=False)

    @cached_property
    def salesforce(self) -> "SalesforceResource":
        """The org's resource with its environment variables resolved."""
        return self.deployment.salesforce.resolved()

    @property
    def client(self) -> "Client":
        """The client of this process for the org."""
        return self.salesforce.client()


Check = Callable[[DoctorContext], Iterator[Finding]]
_checks: dict[str, Check] = {}


def register_check(name: str) -> Callable[[Check], Check]:
    """Add a check under this name, after those that are registered."""

    def add(check: Check) -> Check:
        _checks[name] = check
        return check

    return add


def run_checks(deployment: "Deployment", specs: "Sequence[EndpointSpec]") -> Iterator[Finding]:
    """Run every check in the order of registration.

    Checks that need a login are skipped after a refused one. A cause that fails several checks is explained once.
    """
    for module in MODULES:
        import_module(module)
    context, first_check = DoctorContext(deployment, specs), dict[str, str]()
    for name, check in tuple(_checks.items()):
        if name in NEED_LOGIN and context.login_failed:
            continue
        try:
            yield from check(context)
        except SfAssetsError as error:
            failed_check = "login" if isinstance(error, LoginError) else name
            first = first_check.setdefault(str(error), failed_check)
            is_repeated = first != failed_check
            yield _repeated(failed_check, first) if is_repeated else _failure(deployment, failed_check, error)
            context.login_failed |= name in BEFORE_LOGIN


def _failure(deployment: "Deployment", check: str, error: SfAssetsError) -> Finding:
    return Finding(check, "fail", str(error), deployment.salesforce.credentials.advised(error).remedy)


def _repeated(check: str, first: str) -> Finding:
    return Finding(check, "fail", f"not checked, for the same reason as {first}", f"See {first}.")


def exit_status(findings: Iterable[Finding]) -> int:
    """Return 1 if a check failed, else 0. A warning is not a failure."""
    return int(any(finding.status == "fail" for finding in findings))
