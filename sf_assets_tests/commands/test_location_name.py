"""One name of the code location, whichever command serves Dagit in a checkout."""

from pathlib import Path

import pytest
from dagster._cli.workspace.cli_target import WorkspaceOpts, workspace_opts_to_load_target
from dagster_dg_core.context import DgContext

from sf_assets.commands.dagit import dev_command

ROOT = Path(__file__).parents[2]


def names(options: WorkspaceOpts) -> list[str]:
    return [origin.location_name for origin in workspace_opts_to_load_target(options).create_origins()]


@pytest.fixture(autouse=True)
def checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def test_dagster_dev_names_the_location() -> None:
    assert names(WorkspaceOpts()) == ["sf_assets"]


def test_dg_dev_names_the_location() -> None:
    assert DgContext.for_project_environment(ROOT, {}).code_location_name == "sf_assets"


def test_make_dev_names_the_location(tmp_path: Path) -> None:
    command = dev_command(3000, tmp_path)

    workspace = command[command.index("-w") + 1]
    assert names(WorkspaceOpts(workspace=(workspace,))) == ["sf_assets"]


def test_dg_is_quiet_in_a_shell_without_an_active_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    monkeypatch.setattr("sys.prefix", str(tmp_path))

    context = DgContext.for_project_environment(ROOT, {})

    assert capfd.readouterr() == ("", "")
    assert not context.config.cli.telemetry_enabled
