"""Rows as the CSV of a Bulk API 2.0 result: every cell in quotes, null as an empty cell, times ending in Z.

Source: Bulk API 2.0 guide, "Get Results for a Query Job"; forms of values as in Data Loader exports by Bulk API.
"""

from collections.abc import Sequence

from sf_assets.devorg.soql.bind import Plan
from sf_assets.devorg.store.row_codec import NULL, column_picker, decode, split_row
from sf_assets.devorg.store.table import Table

QUOTE = ord('"')


def csv_page(
    plan: Plan, table: Table, rows: Sequence[bytes], *, delimiter: str, line_end: bytes, with_header: bool
) -> bytes:
    """Return one page of a job's result."""
    between = delimiter.encode()
    pick = column_picker([table.place[field.name] for field in plan.columns])
    datetimes = [place for place, field in enumerate(plan.columns) if field.type == "datetime"]
    lines = [between.join(b'"%b"' % field.name.encode() for field in plan.columns)] if with_header else []
    for row in rows:
        cells = _cells(pick(split_row(row, table.defaults)))
        for place in datetimes:
            cells[place] = cells[place].replace(b"+0000", b"Z")
        lines.append(between.join(cells))
    return b"".join(line + line_end for line in lines)


def _cells(parts: Sequence[bytes]) -> list[bytes]:
    """Return the cells of JSON values.

    A JSON string without escapes is a CSV cell already.
    """
    return [
        b'""' if part == NULL else part if part[0] == QUOTE and b"\\" not in part else _quoted(part) for part in parts
    ]


def _quoted(part: bytes) -> bytes:
    if part[0] != QUOTE:
        return b'"%b"' % part
    return b'"%b"' % str(decode(part)).replace('"', '""').encode("utf-8", "surrogatepass")
