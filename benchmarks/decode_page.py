"""CPU microseconds a row of decoding one page, whole and by column type. One thread; the least of several rounds.

python benchmarks/decode_page.py --columns 40
"""

import argparse
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
from simulator import PAGE_ROWS, SimulatedObject

from sf_assets.specs.naming import column_name
from sf_assets.sync.columns import Column
from sf_assets.sync.decode import _rows, decode
from sf_assets.sync.values import ColumnValues, build_column

ROUNDS = 15


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--columns", type=int, default=40)
    page = SimulatedObject("Account", PAGE_ROWS, parser.parse_args().columns, "001")
    body = b"[" + page.records(tuple(name for name, _ in page.fields), 0, PAGE_ROWS) + b"]"
    columns = tuple(Column(name, column_name(name), kind, scale=2, key=name == "Id") for name, kind in page.fields)
    now = datetime.now(UTC)
    print(f"{len(body) / PAGE_ROWS:.0f} bytes of JSON a row")
    print(f"whole: {least(lambda: decode(body, columns, sobject='Account', synced_at=now)):.2f} us a row")
    print(f"  JSON to records: {least(lambda: _rows(body, columns, 'Account')):.2f}")
    rows = _rows(body, columns, "Account")
    cells: list[Any] = list(zip(*map(msgspec.structs.astuple, rows), strict=True))
    totals: Counter[str] = Counter()
    for index, column in enumerate(columns):
        values = ColumnValues("Account", cells, exact=lambda _: ())
        totals[column.type] += least(lambda v=values, c=column, i=index: build_column(v, c, i))  # type: ignore[misc]
    for kind, microseconds in totals.most_common():
        print(f"  {kind}: {microseconds:.2f}")


def least(work: Callable[[], object]) -> float:
    """Return the least CPU microseconds a row."""
    rounds = []
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        rounds.append(time.process_time() - start)
    return min(rounds) / PAGE_ROWS * 1e6


if __name__ == "__main__":
    main()
