"""Doctor's checks of what every deployment has: the request ledger and the Iceberg catalog."""

from collections.abc import Iterator

from sf_assets.assets.sentences import plural
from sf_assets.commands.doctor.checks import DoctorContext, Finding, register_check


@register_check("ledger")
def check_ledger(context: DoctorContext) -> Iterator[Finding]:
    """Check that the ledger can be read and written, and show the allowed rate."""
    ledger = context.salesforce.open_ledger()
    ledger.permit(None, reserve=None)
    rate = ledger.standing().pace.rate
    yield Finding("ledger", "ok", f"{ledger}: {rate:,.4g} requests a second are allowed now")
    if not context.salesforce.ledger:
        yield Finding("ledger", "warn", "other processes do not share this request budget", "Set SF_ASSETS_LEDGER.")


@register_check("catalog")
def check_catalog(context: DoctorContext) -> Iterator[Finding]:
    """Check that the Iceberg catalog answers and that each chosen table can be opened."""
    iceberg = context.deployment.iceberg
    tables = iceberg.tables()
    count = sum(tables.facts(spec.endpoint) is not None for spec in context.specs)
    number = f"{count} of {plural(len(context.specs), 'table')}"
    yield Finding("catalog", "ok", f"catalog {iceberg.catalog}, namespace {iceberg.namespace}: it has {number}")


@register_check("files")
def check_files(context: DoctorContext) -> Iterator[Finding]:
    """Check that every file of each chosen table exists and has its size."""
    tables, damaged = context.deployment.iceberg.tables(), False
    for spec in context.specs:
        for damage in tables.maintenance.find_damage(spec.endpoint)[:3]:
            damaged = True
            remedy = f"Run sf-assets repair {spec.endpoint}: it prints what it would do."
            yield Finding("files", "fail", f"{spec.endpoint}: {damage}", remedy)
    if not damaged:
        yield Finding("files", "ok", "every file of the tables' current snapshots exists and has its size")
