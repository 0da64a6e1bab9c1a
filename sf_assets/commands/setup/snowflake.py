"""`sf-assets setup snowflake`: the statements in their order, filled in, each with its page of documentation."""

from collections.abc import Iterator, Sequence

from sf_assets.commands.setup.render import render_script
from sf_assets.commands.setup.values import SetupValues
from sf_assets.snowflake.statements import Mode, SnowflakeTarget, create_table

DOCS = "docs.snowflake.com/en"


def snowflake_script(values: SetupValues, *, mode: Mode, tables: Sequence[str]) -> str:
    """Return the script.

    `tables`: the names of the endpoints, for one table each in mode tables.
    """
    return render_script(
        "snowflake.sql.j2",
        values,
        comment="--",
        docs=DOCS,
        mode=mode,
        schemas=[f"{values['database']}.{schema}" for schema in values.schemas.values()],
        creates="\n".join(_creates(values, tables)),
        others=list(zip(values.named_orgs, list(values.schemas.values())[1:], strict=True)),
    )


def _creates(values: SetupValues, tables: Sequence[str]) -> Iterator[str]:
    for namespace, schema in values.schemas.items():
        target = SnowflakeTarget("tables", database=values["database"], schema=schema, namespace=namespace)
        yield from (f"{create_table(target, table)};" for table in tables)
