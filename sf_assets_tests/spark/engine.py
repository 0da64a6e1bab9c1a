"""Spark as another engine over a catalog of ours: a process that runs SQL."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sf_assets_tests.spark.shaded_jackson import build

SERVER = Path(__file__).parent / "server.py"
JDBC = (Path("/usr/share/java/sqlite-jdbc.jar"), *Path("/usr/share/java").glob("slf4j-api.jar"))
"""Debian: libxerial-sqlite-jdbc-java."""


class SparkFailed(AssertionError):
    """Spark's own error."""


class Spark:
    """A running Spark."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def __call__(self, statement: str) -> list[dict[str, Any]]:
        """Run a statement; return its rows with their cells as text. Raises: SparkFailed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(statement) + "\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            if line.startswith("ROWS "):
                rows: list[dict[str, Any]] = json.loads(line.removeprefix("ROWS "))
                return rows
            if line.startswith("ERROR "):
                raise SparkFailed(f"{statement}: {json.loads(line.removeprefix('ERROR '))[:3000]}")
        raise SparkFailed("Spark ended")


def text(value: Any) -> str | None:
    """Return a value as Spark casts it to a string."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}" + (f".{value.microsecond:06}".rstrip("0") if value.microsecond else "")
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def collect_jars(python: Path, folder: Path) -> Path:
    """Copy Iceberg's runtime jar and SQLite's driver, and build the shaded Jackson that the runtime jar lacks."""
    where = "import pyspark, sysconfig; print(pyspark.__path__[0]); print(sysconfig.get_paths()['purelib'])"
    pyspark, packages = subprocess.check_output([python, "-c", where], text=True).split()
    (runtime,) = Path(packages).rglob("iceberg-spark-runtime-*_2.12-*.jar")  # the Scala of pyspark
    shutil.copy(runtime, folder)
    if JDBC[0].exists():
        shutil.copy(JDBC[0].resolve(), folder / "sqlite-jdbc.jar")
    build(Path(pyspark) / "jars", folder / "shaded-jackson.jar")
    return folder


@contextmanager
def spark_over(python: Path, jars: Path, *, database: Path, warehouse: str, log: Path) -> Iterator[Spark]:
    """Start a Spark over a SQLite catalog; it ends with the block."""
    command = [python, SERVER, jars, database, warehouse]
    environment = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1"}
    with (
        log.open("w") as errors,
        subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
            env=environment,
        ) as process,
    ):  # fmt: skip
        yield Spark(process)
        process.terminate()
