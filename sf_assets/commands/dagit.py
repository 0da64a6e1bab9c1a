"""Dagit and Dagster's daemon in a child process, over the instance of DAGSTER_HOME."""

import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from sf_assets.errors import ConfigError

SHELL_INTERRUPTED = 130
"""Exit status of a command that Ctrl-C ended."""
HOST = "127.0.0.1"
STOP_SECONDS = 15.0
WORKSPACE = "load_from:\n  - python_module: {module_name: sf_assets.definitions, location_name: sf_assets}\n"


def serve_dagit(port: int) -> int:
    """Serve until interrupted; return the exit status.

    Raises ConfigError if another program uses the port.
    """
    refuse_used_port(port)
    make_instance()
    with TemporaryDirectory() as folder, subprocess.Popen(dev_command(port, Path(folder))) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            with suppress(subprocess.TimeoutExpired):  # a terminal's Ctrl-C has reached the child too
                process.wait(timeout=STOP_SECONDS)
            return SHELL_INTERRUPTED
        finally:
            process.terminate()


def dev_command(port: int, folder: Path) -> list[str]:
    """Return the command that serves Dagit. Its workspace is written into `folder`.

    The workspace names the code location as pyproject.toml does for `dagster dev` and `dg dev` in a checkout.
    """
    workspace = folder / "workspace.yaml"
    workspace.write_text(WORKSPACE, encoding="utf-8")
    levels = ["--log-level", "warning", "--code-server-log-level", "warning"]
    served = ["-w", str(workspace), "-h", HOST, "-p", str(port), *levels]
    return [sys.executable, "-m", "sf_assets.commands.guarded_dagit", "dev", *served]


def refuse_used_port(port: int) -> None:
    """Raise ConfigError if another program uses Dagit's port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            what = f"port {port} of {HOST} is used by another program"
            raise ConfigError(what, remedy="End that program, or choose another port: --dagit-port 3001.") from None


def make_instance() -> None:
    """Make the Dagster instance in this process alone.

    Webserver and daemon that both make an empty SQLite home at the same moment leave it with two heads of its schema,
    and neither starts again.
    """
    import dagster as dg

    with dg.DagsterInstance.get() as instance:
        instance.get_runs_count()
