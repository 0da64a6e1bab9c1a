"""`dagster dev` with `DagitGuard` before its Dagit: `python -m sf_assets.commands.guarded_dagit dev ...`.

Dagster offers no switch for a middleware and no other command for its webserver. Both are replaced here by name, so
that a Dagster without these names does not start instead of starting without the guard.
"""

import logging
import sys
import warnings
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

MODULE = "sf_assets.commands.guarded_dagit"
OURS = {"dagster_webserver": "webserver", "dagster._daemon": "daemon"}
"""Module that `dagster dev` starts -> the word that starts it here."""
OTHER_HOME = "Found a dagster instance configuration value"
"""Dagster's warning in a checkout with a dagster.yaml: `make dev` has copied it into its DAGSTER_HOME."""
NO_CURSOR = "No cursor for event type"
"""The daemon's warning at its first start over a home."""


def serve_webserver() -> None:
    """Run `dagster-webserver` with the guard in front of its app."""
    import dagster_webserver.cli as webserver

    names = vars(webserver)
    build_app = names["create_app_from_workspace_process_context"]

    def build_guarded_app(*values: Any, **options: Any) -> Any:
        from sf_assets.commands.dagit_guard import DagitGuard

        return DagitGuard(build_app(*values, **options))

    names["create_app_from_workspace_process_context"] = build_guarded_app
    names["main"]()


def run_daemon() -> None:
    """Run Dagster's daemon without its warning at the first start."""
    from dagster._daemon.cli import main

    consumer = logging.getLogger("dagster.daemon.EventLogConsumerDaemon")
    consumer.addFilter(lambda record: NO_CURSOR not in record.getMessage())
    main()


def serve_all() -> None:
    """Run `dagster dev`, which starts code server, webserver and daemon and ends them together."""
    import dagster._cli.dev as dev

    names = vars(dev)
    start = names["open_ipc_subprocess"]
    names["open_ipc_subprocess"] = lambda command, **options: start(guarded(command), **options)
    logging.getLogger("dagster").addFilter(lambda record: OTHER_HOME not in record.getMessage())
    with warnings.catch_warnings():  # `dg dev`, which Dagster proposes instead, needs a checkout
        warnings.filterwarnings("ignore", "Function `dev_command` is superseded")
        dev.dev_command(prog_name="sf-assets dev")


def guarded(command: Sequence[str]) -> list[str]:
    """Return the command that starts our webserver or daemon; any other command as it is."""
    for place, (flag, module) in enumerate(pairwise(command)):
        if flag == "-m" and module in OURS:
            return [*command[:place], "-m", MODULE, OURS[module], *command[place + 2 :]]
    return list(command)


if __name__ == "__main__":
    serve = {"dev": serve_all, "webserver": serve_webserver, "daemon": run_daemon}[sys.argv.pop(1)]
    serve()
