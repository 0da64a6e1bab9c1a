"""What every driver shares: its arguments, and the CPU seconds of its work without its imports."""

import argparse
import json
import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path

SOBJECT = "Account"
LINES = "lines"
"""The file of what a tool prints, in the folder of its copy."""


def run(work: Callable[[str, list[str], str], int]) -> None:
    """Run `work(url, columns, folder)`, which returns its rows; print rows, CPU seconds and peak memory as JSON."""
    parser = argparse.ArgumentParser()
    for name in ("url", "columns", "folder"):
        parser.add_argument(name)
    arguments = parser.parse_args()
    result = os.dup(1)
    with (Path(arguments.folder) / LINES).open("wb") as lines:
        os.dup2(lines.fileno(), 1)
    before = resource.getrusage(resource.RUSAGE_SELF)
    rows = work(arguments.url, arguments.columns.split(","), arguments.folder)
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    os.write(result, json.dumps({"rows": rows, "cpu": cpu, "peak_mb": after.ru_maxrss / 1024}).encode())


def soql(columns: list[str]) -> str:
    """Return the query of all rows."""
    return f"SELECT {', '.join(columns)} FROM {SOBJECT}"


def count_lines(folder: str, start: bytes) -> int:
    """Return how many of the printed lines start so."""
    sys.stdout.flush()
    return (Path(folder) / LINES).read_bytes().count(start)
