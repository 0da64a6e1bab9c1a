"""Doctor's check of Dagster's history: it must not be another org's."""

import os
from collections.abc import Iterator
from pathlib import Path

from sf_assets.commands.doctor.checks import DoctorContext, Finding, register_check
from sf_assets.commands.settings import dagster_instance


@register_check("history")
def check_history(context: DoctorContext) -> Iterator[Finding]:
    """Check that the Dagster instance of DAGSTER_HOME has no history of another org."""
    from sf_assets.assets.org_asset import require_same_org

    home = os.environ.get("DAGSTER_HOME", "")
    if not home or not (Path(home) / "dagster.yaml").is_file():
        return  # Dagster's own commands would create the history; doctor only looks
    with dagster_instance() as instance:
        require_same_org(instance, context.deployment.naming, context.client.org_id())
    yield Finding("history", "ok", f"the Dagster instance in {home} has no history of another org")
