"""Doctor's checks of the org: key, host, login, clock, rights and quota."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sf_assets.assets.sentences import plural
from sf_assets.commands.doctor.checks import DoctorContext, Finding, Status, register_check
from sf_assets.commands.doctor.versions import version_finding
from sf_assets.errors import ObjectUnavailable, SalesforceError

if TYPE_CHECKING:  # see checks.py
    from sf_assets.specs.model import EndpointSpec

SKEW_WARN_SECONDS, SKEW_FAIL_SECONDS = 30.0, 170.0
"""An assertion of a login is valid for less than three minutes."""

SETUP = "the right 'View Setup and Configuration'"
NEEDS = {
    "FieldPermissions": SETUP,
    "ObjectPermissions": SETUP,
    "PermissionSet": SETUP,
    "PermissionSetAssignment": SETUP,
    "UserRole": "the right 'View Roles and Role Hierarchy'",
    "Quote": "Quotes, switched on in Setup",
    "QuoteLineItem": "Quotes, switched on in Setup",
    "Order": "Orders, switched on in Setup",
    "OrderItem": "Orders, switched on in Setup",
}
"""sObject -> what it needs besides the right to read it."""


@register_check("key")
def check_key(context: DoctorContext) -> Iterator[Finding]:
    """Check that consumer key, private key and username exist and that the key is usable."""
    from sf_assets.salesforce.login.private_key import read_private_key

    credentials = context.salesforce.credentials.fetch()
    bits = read_private_key(credentials.private_key, source=credentials.key_file).key_size
    yield Finding("key", "ok", f"an RSA key of {bits:,} bits")


@register_check("host")
def check_host(context: DoctorContext) -> Iterator[Finding]:
    """Check that the host answers as Salesforce does and serves our API version."""
    from sf_assets.salesforce.org_info import versions

    client = context.client
    client.org_id()  # a refused login has the better message
    yield version_finding(client.address.authority, client.version, client.drive(versions()), client.now().date())


@register_check("login")
def check_login(context: DoctorContext) -> Iterator[Finding]:
    """Check that the login works and that the org names the configured host."""
    from sf_assets.salesforce.login.jwt_bearer import is_elsewhere

    client = context.client
    yield Finding("login", "ok", f"logged in to org {client.org_id()}")
    if is_elsewhere(client.login_instance_url or "", address=client.address):
        message = f"the org names another host, {client.login_instance_url}"
        remedy = "Set SALESFORCE_INSTANCE_URL to that host, if it is the org's My Domain."
        yield Finding("login", "warn", message, remedy)


@register_check("clock")
def check_clock(context: DoctorContext) -> Iterator[Finding]:
    """Check that this machine's clock and the org's agree."""
    server_time = context.client.server_time
    if server_time is None:
        return
    skew = abs((datetime.now(UTC) - server_time).total_seconds())
    status: Status = "ok" if skew < SKEW_WARN_SECONDS else "warn" if skew < SKEW_FAIL_SECONDS else "fail"
    remedy = "" if status == "ok" else "Set this machine's clock (NTP): a login's assertion is valid for three minutes."
    yield Finding("clock", status, f"differs from the org's by {skew:.0f} s", remedy)


@register_check("rights")
def check_rights(context: DoctorContext) -> Iterator[Finding]:
    """Check that each chosen object can be read and that the user may not write."""
    from sf_assets.salesforce.org_info import objects

    listed = context.client.drive(objects(version=context.client.version))
    visible = [spec for spec in context.specs if spec.sobject in listed and listed[spec.sobject].may_read]
    for spec in context.specs:
        if spec not in visible:
            yield _missing(spec, "is not in the list of objects of this user")
    yield from _count(context, visible)
    yield Finding("rights", "ok", f"{len(visible)} of {plural(len(context.specs), 'object')} can be read")
    writable = [spec.sobject for spec in visible if listed[spec.sobject].may_write]
    if writable:
        more = f" and {len(writable) - 5} more" if len(writable) > 5 else ""
        message = f"the user may write {plural(len(writable), 'object')}: {', '.join(writable[:5])}{more}"
        yield Finding("rights", "warn", message, "Take create, edit and delete away: sf_assets only reads.")


def _count(context: DoctorContext, specs: "list[EndpointSpec]") -> Iterator[Finding]:
    """Count the rows of each object; report objects that refuse, and those that look hidden."""
    from sf_assets.salesforce.aggregates import row_count
    from sf_assets.salesforce.wire import Query

    queries = [Query(spec.sobject, f"SELECT COUNT(Id) FROM {spec.sobject}", all_rows=False) for spec in specs]
    for spec, answer in zip(specs, context.client.ask(queries), strict=True):
        if isinstance(answer, ObjectUnavailable):
            yield _missing(spec, "cannot be read")
        elif isinstance(answer, SalesforceError):
            yield Finding("rights", "fail", str(answer), answer.remedy)
        elif spec.sobject in NEEDS and row_count(answer.values()) == 0:
            yield Finding("rights", "warn", f"{spec.sobject} has no rows", f"Make sure of {NEEDS[spec.sobject]}.")


def _missing(spec: "EndpointSpec", reason: str) -> Finding:
    need = NEEDS.get(spec.sobject, "the right to read it")
    remedy = f"Give the user {need}, or take {spec.endpoint} out of SF_ASSETS_ENDPOINTS."
    return Finding("rights", "fail", f"{spec.sobject} {reason} ({spec.endpoint})", remedy)


@register_check("quota")
def check_quota(context: DoctorContext) -> Iterator[Finding]:
    """Check how many of the day's calls remain."""
    from sf_assets.planning.estimate import budget_of

    budget, reserve = budget_of(context.client), context.salesforce.quota_reserve
    if budget.used is None or budget.limit is None:
        remedy = "Set SALESFORCE_DAILY_CALLS to limit our own calls."
        yield Finding("quota", "warn", "the org does not report its API usage", remedy)
        return
    left = budget.left(reserve) or 0
    message = f"{budget.used:,} of {budget.limit:,} calls are used; {left:,} may be sent before the reserve or our cap"
    yield Finding("quota", "ok" if left else "warn", message, "" if left else "Wait, or see docs/limits.md.")
