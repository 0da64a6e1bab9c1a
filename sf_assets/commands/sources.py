"""`sf-assets sources`: write the generated files of a dbt project where they differ."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import click

from sf_assets.commands.settings import deployment
from sf_assets.errors import ConfigError
from sf_assets.specs.endpoints import endpoints
from sf_assets.specs.model import EndpointSpec


@click.command()
@click.option(
    "--project", type=click.Path(path_type=Path), help="Folder of the dbt project. Default: SF_ASSETS_DBT_PROJECT."
)
def sources(project: Path | None) -> None:
    """Write dbt's sources.yml and staging models.

    They come from the specs, including your own endpoints of SF_ASSETS_SPECS.
    """
    settings = deployment()
    changed = write_sources(project or settings.dbt_project, endpoints(settings.specs))
    for path in changed:
        click.echo(path)
    click.echo(f"{len(changed)} file{'s' * (len(changed) != 1)} written.")


def write_sources(project: Path, specs: Sequence[EndpointSpec]) -> list[str]:
    """Write `sources.yml` and the staging models; return the paths that changed, including removed ones.

    Raises: ConfigError if there is no dbt project.
    """
    from sf_assets.downstream.sources import project_files

    if not (project / "dbt_project.yml").is_file():
        raise ConfigError(f"{project} has no dbt_project.yml", remedy="Name the folder of a dbt project: --project.")
    files = project_files(specs)
    changed = [path for path, text in files.items() if not _is_same(project / path, text)]
    for path in changed:
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        (project / path).write_text(files[path], encoding="utf-8")
    obsolete = list(_obsolete_models(project, files.keys()))
    for path in obsolete:
        (project / path).unlink()
    return changed + obsolete


def _is_same(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


def _obsolete_models(project: Path, current: Collection[str]) -> Iterator[str]:
    """Yield generated staging models of endpoints that no longer exist; models written by hand stay."""
    from sf_assets.downstream.sources import STAGING, WRITTEN

    for path in sorted((project / STAGING).glob("*.sql")):
        name = path.relative_to(project).as_posix()
        if name not in current and WRITTEN in path.read_text(encoding="utf-8"):
            yield name
