"""Does everything work: each check tells a line or several, with what to do. Others may be added to the registry.

A check is a function `(Patient) -> Iterator[Finding]`; an error of ours that it raises is its finding. `register` adds
one; a module that does so is named in `MORE`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

from sf_assets.errors import ObjectUnavailable, SalesforceError, SfAssetsError

if TYPE_CHECKING:
    from sf_assets.assets.deployments import Deployment
    from sf_assets.assets.resources import SalesforceResource
    from sf_assets.salesforce.client import Client
    from sf_assets.specs.model import EndpointSpec

Word = Literal["ok", "warn", "fail"]
SKEW_WARN_SECONDS, SKEW_FAIL_SECONDS = 30.0, 170.0
"""An assertion is valid for less than three minutes."""

MORE = ("sf_assets.commands.doctor.aws", "sf_assets.commands.doctor.snowflake")
"""Modules that register checks of their own, where they are installed."""

SETUP = "View Setup and Configuration"
RIGHTS = {
    "FieldPermissions": f"the right '{SETUP}'",
    "ObjectPermissions": f"the right '{SETUP}'",
    "PermissionSet": f"the right '{SETUP}'",
    "PermissionSetAssignment": f"the right '{SETUP}'",
    "UserRole": "the right 'View Roles and Role Hierarchy'",
    "Quote": "Quotes, switched on in Setup",
    "QuoteLineItem": "Quotes, switched on in Setup",
    "Order": "Orders, switched on in Setup",
    "OrderItem": "Orders, switched on in Setup",
}
"""sObject -> what must be there beside the right to read it."""


@dataclass(frozen=True)
class Finding:
    """One line: which check, how it came out, what was seen and, unless it is ok, what to do."""

    check: str
    word: Word
    said: str
    remedy: str = ""


@dataclass
class DoctorContext:
    """What is examined. The client is made at the first need: a key that cannot be read is a finding, not the end."""

    deployment: "Deployment"
    specs: "Sequence[EndpointSpec]"
    known: dict[str, Any] = field(default_factory=dict)

    @property
    def salesforce(self) -> "SalesforceResource":
        if "salesforce" not in self.known:
            self.known["salesforce"] = self.deployment.salesforce.resolved()
        resolved: SalesforceResource = self.known["salesforce"]
        return resolved

    @property
    def client(self) -> "Client":
        return self.salesforce.client()


Check = Callable[[DoctorContext], Iterator[Finding]]
_checks: dict[str, Check] = {}


def register(name: str) -> Callable[[Check], Check]:
    """Add a check under this name, behind those that are there."""

    def added(check: Check) -> Check:
        _checks[name] = check
        return check

    return added


def examine(deployment: "Deployment", specs: "Sequence[EndpointSpec]") -> Iterator[Finding]:
    """Run every check in the order of its registration. What cannot work without the login is not tried after it."""
    patient = DoctorContext(deployment, specs)
    for module in MORE:
        if find_spec(module):
            import_module(module)
    for name, check in tuple(_checks.items()):
        if name in NEED_LOGIN and "login failed" in patient.known:
            continue
        try:
            yield from check(patient)
        except SfAssetsError as error:
            yield Finding(name, "fail", str(error), error.remedy)
            if name in ("key", "host", "login"):
                patient.known["login failed"] = True


NEED_LOGIN = frozenset({"login", "clock", "quota", "rights"})


@register("ledger")
def ledger(patient: DoctorContext) -> Iterator[Finding]:
    """The books can be read and written, and say how fast may be sent."""
    books = patient.salesforce.open_ledger()
    books.permit(None, reserve=None)
    yield Finding("ledger", "ok", f"{books}: {books.standing().pace.rate:,.4g} requests a second are allowed now")
    if not patient.salesforce.ledger:
        yield Finding("ledger", "warn", "other processes are not paced with this one", "Set SF_ASSETS_LEDGER.")


@register("catalog")
def catalog(patient: DoctorContext) -> Iterator[Finding]:
    """The Iceberg catalog answers and each chosen table can be opened."""
    warehouse, iceberg = patient.deployment.iceberg.warehouse(), patient.deployment.iceberg
    facts = [warehouse.facts(spec.endpoint) for spec in patient.specs]
    there = sum(fact is not None for fact in facts)
    said = f"catalog {iceberg.catalog}, namespace {iceberg.namespace}: {there} of {len(facts)} tables are there"
    yield Finding("catalog", "ok", said)


@register("key")
def key(patient: DoctorContext) -> Iterator[Finding]:
    """Consumer key, private key and username are there, and the key is a usable one."""
    from sf_assets.salesforce.login.private_key import read_private_key

    bits = read_private_key(patient.salesforce.credentials.fetch().private_key).key_size
    yield Finding("key", "ok", f"an RSA key of {bits:,} bits")


@register("host")
def host(patient: DoctorContext) -> Iterator[Finding]:
    """The host answers as Salesforce does and serves our API version."""
    from sf_assets.salesforce.org_info import versions

    client = patient.client
    client.org_id()  # a login that is refused is the better message
    served = client.drive(versions())
    if client.version in served:
        yield Finding("host", "ok", f"{client.address.authority} serves API {served[0]} to {served[-1]}")
    else:
        remedy = "Check that SALESFORCE_INSTANCE_URL is the org's My Domain host."
        yield Finding("host", "fail", f"API version {client.version} is not served, only {', '.join(served)}", remedy)


@register("login")
def login(patient: DoctorContext) -> Iterator[Finding]:
    """The login works, and the org names the host that is configured."""
    from sf_assets.salesforce.login.jwt_bearer import is_elsewhere

    client = patient.client
    yield Finding("login", "ok", f"logged in to org {client.org_id()}")
    if is_elsewhere(client.told_instance_url or "", address=client.address):
        said = f"the org names another host, {client.told_instance_url}"
        yield Finding("login", "warn", said, "Set SALESFORCE_INSTANCE_URL to that host, if it is the org's My Domain.")


@register("clock")
def clock(patient: DoctorContext) -> Iterator[Finding]:
    """This machine's clock and the org's agree."""
    told = patient.client.server_time
    if told is None:
        return
    skew = abs((datetime.now(UTC) - told).total_seconds())
    word: Word = "ok" if skew < SKEW_WARN_SECONDS else "warn" if skew < SKEW_FAIL_SECONDS else "fail"
    remedy = "" if word == "ok" else "Set this machine's clock (NTP): a login's assertion is valid for three minutes."
    yield Finding("clock", word, f"{skew:.0f} s beside the org's", remedy)


@register("rights")
def rights(patient: DoctorContext) -> Iterator[Finding]:
    """Each chosen object is seen and can be counted; the user may write nothing."""
    from sf_assets.salesforce.org_info import objects
    from sf_assets.salesforce.wire import Query

    client = patient.client
    listed = client.drive(objects(version=client.version))
    seen = [spec for spec in patient.specs if spec.sobject in listed and listed[spec.sobject].may_read]
    for spec in patient.specs:
        if spec not in seen:
            yield _missing(spec, "is not in the list of objects of this user")
    questions = [Query(spec.sobject, f"SELECT COUNT(Id) FROM {spec.sobject}", all_rows=False) for spec in seen]
    answers = client.ask(questions)
    for spec, answer in zip(seen, answers, strict=True):
        if isinstance(answer, SalesforceError):
            is_off = isinstance(answer, ObjectUnavailable)
            yield _missing(spec, "cannot be read") if is_off else Finding("rights", "fail", str(answer), answer.remedy)
        elif spec.sobject in RIGHTS and not next(iter(answer.values())):
            yield Finding("rights", "warn", f"{spec.sobject} has no rows", f"Make sure of {RIGHTS[spec.sobject]}.")
    yield Finding("rights", "ok", f"{len(seen)} of {len(patient.specs)} objects can be read")
    writable = [spec.sobject for spec in seen if listed[spec.sobject].may_write]
    if writable:
        more = f" and {len(writable) - 5} more" if len(writable) > 5 else ""
        said = f"the user may write {len(writable)} objects: {', '.join(writable[:5])}{more}"
        yield Finding("rights", "warn", said, "Take create, edit and delete away: sf_assets only reads.")


def _missing(spec: "EndpointSpec", said: str) -> Finding:
    need = RIGHTS.get(spec.sobject, "the right to read it")
    remedy = f"Give the user {need}, or take {spec.endpoint} out of SF_ASSETS_ENDPOINTS."
    return Finding("rights", "fail", f"{spec.sobject} {said} ({spec.endpoint})", remedy)


@register("quota")
def quota(patient: DoctorContext) -> Iterator[Finding]:
    """How many of the day's calls are left."""
    from sf_assets.planning.estimate import budget_of

    budget, reserve = budget_of(patient.client), patient.salesforce.quota_reserve
    if budget.used is None or budget.limit is None:
        remedy = "Set SALESFORCE_DAILY_CALLS to bound our own calls."
        yield Finding("quota", "warn", "the org does not tell its usage", remedy)
        return
    left = budget.left(reserve) or 0
    said = f"{budget.used:,} of {budget.limit:,} calls are used; {left:,} may be sent before the reserve or our own cap"
    yield Finding("quota", "ok" if left else "warn", said, "" if left else "Wait, or see docs/limits.md.")


def exit_status(findings: Iterable[Finding]) -> int:
    """1 when something fails, else 0; warnings are no failure."""
    return int(any(finding.word == "fail" for finding in findings))


def report(deployment: "Deployment", names: Sequence[str], *, as_json: bool, ask_open_questions: bool) -> list[Finding]:
    """Examine, print, and return the findings."""
    import json

    from rich.console import Console

    from sf_assets.commands.plan import chosen_specs
    from sf_assets.specs.endpoints import endpoints

    findings = list(examine(deployment, chosen_specs(endpoints(deployment.specs), names)))
    told = _answers(deployment) if ask_open_questions and not exit_status(findings) else []
    console = Console()
    if as_json:
        console.print(json.dumps(_told(findings, told), indent=2), markup=False, highlight=False, soft_wrap=True)
        return findings
    for line in _lines(findings, told):
        console.print(line, highlight=False, soft_wrap=True)
    return findings


def _answers(deployment: "Deployment") -> list[tuple[str, str]]:
    from sf_assets.commands.doctor.open_questions import answers

    return answers(deployment.salesforce.resolved().client())


COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


def _lines(findings: Iterable[Finding], answers: Iterable[tuple[str, str]]) -> Iterator[str]:
    from rich.markup import escape

    for finding in findings:
        remedy = f" {escape(finding.remedy)}" if finding.remedy else ""
        word = f"[{COLOURS[finding.word]}]{finding.word:<4}[/]"
        yield f"{word} {finding.check:<8} {escape(finding.said)}.{remedy}".replace("..", ".")
    for question, answer in answers:
        yield f"\n{escape(question)}\n    {escape(answer)}"


def _told(findings: Iterable[Finding], answers: Iterable[tuple[str, str]]) -> dict[str, Any]:
    return {
        "findings": [asdict(finding) for finding in findings],
        "answers": [{"question": question, "answer": answer} for question, answer in answers],
    }
