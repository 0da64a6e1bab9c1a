"""What every driver shares: its arguments, and the CPU seconds of its work without its imports."""

import argparse
import json
import resource
import sys
from collections.abc import Callable

SOBJECT = "Account"


def run(work: Callable[[str, list[str], str], int]) -> None:
    """Run `work(url, columns, folder)`, which returns its rows; print rows, CPU seconds and peak memory as JSON."""
    parser = argparse.ArgumentParser()
    for name in ("url", "columns", "folder"):
        parser.add_argument(name)
    arguments = parser.parse_args()
    before = resource.getrusage(resource.RUSAGE_SELF)
    rows = work(arguments.url, arguments.columns.split(","), arguments.folder)
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    json.dump({"rows": rows, "cpu": cpu, "peak_mb": after.ru_maxrss / 1024}, sys.__stdout__)


def soql(columns: list[str]) -> str:
    """Return the query of all rows."""
    return f"SELECT {', '.join(columns)} FROM {SOBJECT}"
