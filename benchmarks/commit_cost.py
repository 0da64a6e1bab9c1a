"""CPU and files of a commit: the same rows into one table by one commit, and into another by a commit for each page.

python benchmarks/commit_cost.py --pages 25 --columns 40
"""

import argparse
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from simulator import PAGE_ROWS, SimulatedObject

from sf_assets.iceberg.model import Chunk
from sf_assets.iceberg.tables import IcebergTables
from sf_assets.specs.naming import column_name
from sf_assets.sync.columns import Column, table_columns
from sf_assets.sync.decode import decode


def main() -> None:
    """Merge twice and print the difference."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=25)
    parser.add_argument("--columns", type=int, default=40)
    arguments = parser.parse_args()
    source = SimulatedObject("Account", arguments.pages * PAGE_ROWS, arguments.columns, "001")
    names = tuple(name for name, _ in source.fields)
    columns = tuple(Column(name, column_name(name), kind, scale=2, key=name == "Id") for name, kind in source.fields)
    now = datetime.now(UTC)
    bodies = (b"[" + source.records(names, page * PAGE_ROWS, PAGE_ROWS) + b"]" for page in range(arguments.pages))
    frames = [decode(body, columns, sobject="Account", synced_at=now).frame for body in bodies]
    with tempfile.TemporaryDirectory() as folder:
        catalog = {"type": "sql", "uri": f"sqlite:///{folder}/catalog.db", "warehouse": f"file://{folder}/tables"}
        tables = IcebergTables("benchmark", "salesforce", catalog)
        seconds = {}
        for name, pages in (("warm_up", arguments.pages), ("once", arguments.pages), ("each_page", 1)):
            chunks = [Chunk(frame, f"{n}" if n % pages == 0 else None) for n, frame in enumerate(frames, start=1)]
            began = time.process_time()
            result = tables.merge(
                name, columns=table_columns(columns), keys=("id",), stamp="system_modstamp", chunks=chunks, base=None
            )
            seconds[name] = time.process_time() - began
        metadata = max(Path(folder).rglob("*.metadata.json"), key=lambda path: path.stat().st_mtime).stat().st_size
    cost = (seconds["each_page"] - seconds["once"]) / (result.commits - 1)
    rows = arguments.pages * PAGE_ROWS
    print(f"{seconds['once'] / rows * 1e6:.1f} us of CPU a row in one commit; {cost * 1e3:.0f} ms a commit more")
    print(f"{result.commits} commits: {result.files_written} files, metadata of {metadata / 1e3:.0f} kB at the end")


if __name__ == "__main__":
    main()
