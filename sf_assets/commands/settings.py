"""The deployment that a command works on, and the switch to the practice org."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sf_assets.errors import ConfigError

OWNER_ALONE = 0o077
"""Umask of the commands that serve or fill the tables."""

if TYPE_CHECKING:  # every Dagster import costs a second, and `sf-assets --help` needs none
    from sf_assets.assets.deployments import Deployment


def deployment() -> "Deployment":
    """Return the deployment of the environment."""
    from sf_assets.assets.deployments import read_deployment

    return read_deployment()


def practice_deployment(command: str) -> "Deployment":
    """Return the practice deployment, with a home that can be written.

    Raises: ConfigError in production, or if the home cannot be written.
    """
    if os.environ.get("SF_ASSETS_DEPLOYMENT") == "production":
        raise ConfigError(
            f"SF_ASSETS_DEPLOYMENT is production, and sf-assets {command} fills the tables of the practice org",
            remedy="For the practice org: unset SF_ASSETS_DEPLOYMENT. For the real org: sf-assets dev, or"
            " dagster asset materialize -m sf_assets.definitions --select 'salesforce/account'.",
        )
    result = deployment()
    prepare_home(result)
    return result


def prepare_home(result: "Deployment") -> None:
    """Create the home, with the checkout's dagster.yaml in it.

    What this process and its children create afterwards is the owner's alone: rows, Dagster's history, and the socket
    of Dagster's code server, by which anybody who may write to it runs code. Raises: ConfigError if the home cannot be
    written.
    """
    os.umask(OWNER_ALONE)
    home = Path(os.environ.get("DAGSTER_HOME") or result.home)
    for folder in {home, result.home}:
        _require_writable(folder)
    template = result.dbt_project.parent / "dagster.yaml"
    with _as_config_error(home):
        if template.is_file() and not (home / "dagster.yaml").exists():
            shutil.copyfile(template, home / "dagster.yaml")


def _require_writable(folder: Path) -> None:
    with _as_config_error(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # the history and the marts show rows
        probe = folder / f".writable-{os.getpid()}"
        probe.touch()
        probe.unlink()


@contextmanager
def _as_config_error(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigError(
            f"the home {folder} {'is a file' if folder.is_file() else f'cannot be written ({error.strerror})'}",
            remedy="Set SF_ASSETS_HOME and DAGSTER_HOME to a folder that this user may write.",
        ) from None


def use_practice(url: str, result: "Deployment") -> None:
    """Point this process and its children at the practice org."""
    home = str(result.home)
    os.environ |= {
        "SF_ASSETS_DEPLOYMENT": "practice",
        "SALESFORCE_INSTANCE_URL": url,
        "SF_ASSETS_HOME": home,
        "DAGSTER_HOME": os.environ.get("DAGSTER_HOME", home),
    }
