"""Dagit and Dagster's daemon in a child process, over the instance of DAGSTER_HOME."""

import subprocess
import sys

SHELL_INTERRUPTED = 130
SUPERSEDED = "ignore:Function `dev_command` is superseded"
"""`dg dev`, which Dagster proposes instead, wants the checkout; this command works where the package is installed."""


def serve_dagit(port: int) -> int:
    """Serve until interrupted; return the exit status.

    The instance is made first, by this process alone: webserver and daemon that both make an empty SQLite home at the
    same moment leave it with two heads of its schema, and neither starts ever after.
    """
    import dagster as dg

    with dg.DagsterInstance.get() as instance:
        instance.get_runs_count()
    served = ["-m", "sf_assets.definitions", "-h", "127.0.0.1", "-p", str(port), "--log-level", "warning"]
    with subprocess.Popen([sys.executable, "-W", SUPERSEDED, "-m", "dagster", "dev", *served]) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.wait()
            return SHELL_INTERRUPTED
        finally:
            process.terminate()
