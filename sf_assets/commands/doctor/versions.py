"""The finding of doctor about API versions; it registers no check, so that it can be imported alone."""

from collections.abc import Sequence
from datetime import date

from sf_assets.commands.doctor.checks import Finding


def version_finding(host: str, version: str, served: Sequence[str], today: date) -> Finding:
    """Return what the versions that an org serves mean for ours."""
    from sf_assets.salesforce.api_versions import is_retired_soon, oldest_and_newest, retirement_of

    if version not in served:
        remedy = "Check that SALESFORCE_INSTANCE_URL is the org's My Domain host. If it is, upgrade sf_assets."
        return Finding("host", "fail", f"API version {version} is not served, only {', '.join(served)[:500]}", remedy)
    oldest, newest = oldest_and_newest(served)
    if is_retired_soon(version, today):
        remedy = f"Upgrade sf_assets to a release that uses a newer version; the org serves up to {newest}."
        return Finding("host", "warn", f"Salesforce retires API version {version} on {retirement_of(version)}", remedy)
    return Finding("host", "ok", f"{host} serves API {oldest} to {newest}")
