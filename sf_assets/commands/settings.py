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
    from dagster import DagsterInstance

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
    from sf_assets.assets.settings import dagster_home

    os.umask(OWNER_ALONE)
    os.environ["DAGSTER_HOME"] = str(dagster_home(os.environ) or result.home)
    home = dagster_home(os.environ) or result.home
    for folder in {home, result.home}:
        _require_writable(folder)
    template = result.dbt_project.parent / "dagster.yaml"
    with home_errors(home):
        if template.is_file() and not (home / "dagster.yaml").exists():
            shutil.copyfile(template, home / "dagster.yaml")


def _require_writable(folder: Path) -> None:
    with home_errors(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # the history and the marts show rows
        probe = folder / f".writable-{os.getpid()}"
        probe.touch()
        probe.unlink()


@contextmanager
def home_errors(folder: Path) -> Iterator[None]:
    """Raise an error of the operating system as a ConfigError that names the home."""
    try:
        yield
    except OSError as error:
        raise ConfigError(
            f"the home {folder} {'is a file' if os.path.isfile(folder) else f'cannot be written ({error.strerror})'}",
            remedy="Set SF_ASSETS_HOME and DAGSTER_HOME to a folder that this user may write.",
        ) from None


def use_practice(url: str, result: "Deployment") -> None:
    """Point this process and its children at the practice org."""
    home = str(result.home)
    os.environ |= {
        "SF_ASSETS_DEPLOYMENT": "practice",
        "SALESFORCE_INSTANCE_URL": url,
        "SF_ASSETS_HOME": home,
        "DAGSTER_HOME": os.environ.get("DAGSTER_HOME") or home,
    }


@contextmanager
def dagster_instance() -> "Iterator[DagsterInstance]":
    """Open the Dagster instance of DAGSTER_HOME. Raises: ConfigError if it cannot be opened."""
    import dagster as dg
    from sqlalchemy.exc import SQLAlchemyError
    from yaml import YAMLError

    try:
        instance = dg.DagsterInstance.get()
        instance.get_runs_count()
    except (dg.DagsterError, SQLAlchemyError, YAMLError, OSError, ValueError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise ConfigError(
            f"Dagster's instance of DAGSTER_HOME={os.environ.get('DAGSTER_HOME', '')} cannot be opened: {reason}",
            remedy="Set DAGSTER_HOME to the absolute path of a folder that this user may write. If a file in it is"
            " damaged, correct dagster.yaml, or move the folder away: Dagster starts a new history. The tables stay.",
            setting="DAGSTER_HOME",
        ) from None
    with instance:
        yield instance
