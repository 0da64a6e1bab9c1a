"""The generated files of the dbt project, written where they differ."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from sf_assets.downstream.sources import STAGING, WRITTEN, project_files
from sf_assets.errors import ConfigError
from sf_assets.specs.model import EndpointSpec


def write_sources(project: Path, specs: Sequence[EndpointSpec]) -> list[str]:
    """Write `sources.yml` and the staging models of the specs; return the paths that changed, removed ones too.

    Raises ConfigError where there is no dbt project.
    """
    if not (project / "dbt_project.yml").is_file():
        raise ConfigError(f"{project} holds no dbt_project.yml", remedy="Name the folder of a dbt project: --project.")
    files = project_files(specs)
    changed = [path for path, text in files.items() if not _is_same(project / path, text)]
    for path in changed:
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        (project / path).write_text(files[path], encoding="utf-8")
    gone = list(_of_no_endpoint(project, files.keys()))
    for path in gone:
        (project / path).unlink()
    return changed + gone


def _is_same(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


def _of_no_endpoint(project: Path, kept: Collection[str]) -> Iterator[str]:
    """Staging models that were written for an endpoint that is gone; those written by hand stay."""
    for path in sorted((project / STAGING).glob("*.sql")):
        name = path.relative_to(project).as_posix()
        if name not in kept and WRITTEN in path.read_text(encoding="utf-8"):
            yield name
