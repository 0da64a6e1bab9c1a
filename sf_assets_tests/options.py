"""Options of a sync from their names, whichever of the two groups they are in."""

from dataclasses import fields
from typing import Any

from sf_assets.sync.report import DeploymentOptions, RunOptions


def sync_options(**values: Any) -> dict[str, Any]:
    """Return the keyword arguments `run` and `deployment` of a sync."""
    names = {field.name for field in fields(RunOptions)}
    run = {name: value for name, value in values.items() if name in names}
    deployment = {name: value for name, value in values.items() if name not in names}
    return {"run": RunOptions(**run), "deployment": DeploymentOptions(**deployment)}
