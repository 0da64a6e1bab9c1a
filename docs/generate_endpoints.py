"""The page docs/endpoints.md, written from the table: `python docs/generate_endpoints.py` writes it anew."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from sf_assets.specs.endpoints import endpoints
from sf_assets.specs.model import EndpointSpec
from sf_assets.specs.user_endpoints import DEFAULTS, OVERRIDABLE, REQUIRED

PAGE = Path("docs/endpoints.md")

HEAD = """\
# Endpoints

<!-- Written by `python docs/generate_endpoints.py`; a test compares. -->

Each endpoint is one Dagster asset `salesforce/<endpoint>` and one Iceberg table. Its columns stand in
`sf_assets/specs/queries/<endpoint>.soql`; the org's custom columns come with them. **Tail**: what has changed since the
last sync is read and merged. **Snapshot**: the whole object is read when it has changed, and replaces the table.
"""

TAIL = """
## Your own

Set `SF_ASSETS_SPECS` to a folder. Nothing in this package needs editing.

**A new endpoint** is a row in the folder's `endpoints.toml` and a `.soql` file beside it:

```toml
[[endpoint]]
endpoint = "invoice"
sobject = "Invoice__c"
description = "Bills sent to accounts."
```

```sql
SELECT
  Id,
  IsDeleted,
  Name,
  CreatedDate,
  SystemModstamp,
  FIELDS(CUSTOM)
FROM Invoice__c
```

{keys}

**Settings of any endpoint** ({overridable}):

```toml
[override.account]
excluded = ["Description", "Secret__c"]   # neither read nor in the table
cadence = "six_hours"                     # hourly, six_hours or daily
owner = "team:finance"                    # or an e-mail address
```

**Another query for one of ours** is a `.soql` file of its name, over the same object, such as `account.soql`.

## What a `.soql` file may say

`SELECT columns FROM object`, and a `WHERE` if need be; one column a line, no comments, no aliases, no functions, no
subqueries, no columns of other objects, no `ORDER BY` or `LIMIT`. `FIELDS(CUSTOM)` stands for the org's custom columns
and `FIELDS(STANDARD)` for its standard ones. `Id`, `SystemModstamp`, the keys, and `IsDeleted` where the object has it,
must be there. Compound columns (`BillingAddress`) are left out, since their parts are columns, and so are
`LastViewedDate` and `LastReferencedDate`, which show the integration user's own views. Whatever else stands in a file
is refused when Dagster loads it, with file, line and remedy.

In a console `FIELDS(CUSTOM)` needs `LIMIT 200` behind the query.

A `WHERE` chooses by what a row says when it is read: a row that no longer meets it keeps its last version in the table
of a tail. Filter by what does not change, such as a record type.
"""


def endpoints_page() -> str:
    """Return the text of docs/endpoints.md."""
    groups = groupby(endpoints(), key=lambda spec: (spec.group, spec.owner))
    tables = "".join(_table(group, owner, tuple(specs)) for (group, owner), specs in groups)
    return HEAD + tables + TAIL.format(keys=_keys(), overridable=", ".join(OVERRIDABLE))


def _table(group: str, owner: str, specs: Sequence[EndpointSpec]) -> str:
    rows = "\n".join("| " + " | ".join(cells) + " |" for cells in _rows(specs))
    return f"\n## {group}\n\nOwner: `{owner}`\n\n{rows}\n"


def _rows(specs: Sequence[EndpointSpec]) -> Iterator[Sequence[str]]:
    yield ("endpoint", "sObject", "what it holds", "columns", "key", "read by", "cadence")
    yield ("---", "---", "---", "---", "---", "---", "---")
    for spec in specs:
        key = ", ".join(f"`{key}`" for key in spec.keys)
        yield (f"`{spec.endpoint}`", spec.sobject, spec.description, _columns(spec), key, spec.how, spec.cadence)


def _columns(spec: EndpointSpec) -> str:
    return f"all standard, {len(spec.catalogue)} known" if spec.query.standard else str(len(spec.query.columns))


def _keys() -> str:
    defaults = ", ".join(f"`{key}` ({_shown(value)})" for key, value in DEFAULTS.items())
    required = " and ".join(f"`{key}`" for key in REQUIRED)
    return f"{required} are needed; the rest, with what it is when left out: {defaults}."


def _shown(value: object) -> str:
    return ", ".join(value) if isinstance(value, list) and value else str(value or "nothing")


if __name__ == "__main__":
    PAGE.write_text(endpoints_page())
