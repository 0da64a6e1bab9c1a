"""The Dagster instance of a run in the terminal's own process."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.execution.compute_logs import redirect_to_file
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.compute_log_manager import CapturedLogContext, ComputeIOType
from dagster._core.storage.local_compute_log_manager import IO_TYPE_EXTENSION, LocalComputeLogManager
from dagster._utils import touch_file

from sf_assets.commands.settings import dagster_instance


class RunLogFiles(LocalComputeLogManager):
    """Files with what a run prints, which Dagit shows; the terminal shows the command's own progress.

    Dagster's manager also prints it, by two processes for each stream, and each prints a traceback at Ctrl-C.
    """

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> "RunLogFiles":
        """Return the manager of an instance's configuration."""
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def capture_logs(self, log_key: Sequence[str]) -> Iterator[CapturedLogContext]:
        """Write what is printed in the block to the files of a run."""
        out, err = (
            self.get_captured_local_path(log_key, IO_TYPE_EXTENSION[kind])
            for kind in (ComputeIOType.STDOUT, ComputeIOType.STDERR)
        )
        Path(out).parent.mkdir(parents=True, exist_ok=True)
        with redirect_to_file(sys.stdout, out), redirect_to_file(sys.stderr, err):
            yield CapturedLogContext(log_key)
        touch_file(self.complete_artifact_path(log_key))  # type: ignore[no-untyped-call]


@contextmanager
def terminal_instance() -> Iterator[dg.DagsterInstance]:
    """Open the instance of DAGSTER_HOME. Its runs print nothing, unless dagster.yaml says where output goes.

    Raises: ConfigError if it cannot be opened.
    """
    with dagster_instance() as instance:
        if type(instance.compute_log_manager) is not LocalComputeLogManager:
            yield instance
            return
    home = os.environ["DAGSTER_HOME"]
    config = {"base_dir": str(Path(home) / "storage")}
    files = {"module": __name__, "class": RunLogFiles.__name__, "config": config}
    with dg.DagsterInstance.from_ref(InstanceRef.from_dir(home, overrides={"compute_logs": files})) as instance:
        yield instance
