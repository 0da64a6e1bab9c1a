"""The marts over a large org: a million opportunities with three million lines, made here and not read from an org.

    .venv/bin/python benchmarks/marts.py [--opportunities 1000000] [--home /tmp/marts-benchmark]

Prints a line per mart: rows, CPU seconds of the whole dbt process (starting dbt and reading the project included),
seconds of the statement alone, and the most memory that the process had. The tables are made once: for the memory alone,
run it a second time, since a child's figure is at least that of the process that started it.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import polars as pl

from sf_assets.assets.resources import local_catalog
from sf_assets.iceberg.model import UNCHECKED, Chunk
from sf_assets.iceberg.tables import IcebergTables
from sf_assets.specs.endpoints import endpoints
from sf_assets.sync.columns import plan_columns, table_columns

CHUNK_ROWS = 250_000
PROJECT = Path(__file__).parents[1] / "dbt"
START, DAYS = datetime(2021, 1, 1, tzinfo=UTC), 365 * 5
NO = pl.lit(False)
STAGES = ["Prospecting", "Qualification", "Proposal/Price Quote", "Negotiation/Review", "Closed Won", "Closed Lost"]
PER_OPPORTUNITY: Mapping[str, float] = {
    "account": 0.2, "opportunity": 1, "opportunity_line_item": 3, "opportunity_history": 4, "lead": 1, "quote": 0.3,
    "quote_line_item": 0.9, "sales_order": 0.3, "order_item": 0.9, "task": 2, "event": 0.4, "case": 0.5,
}  # fmt: skip
FIXED: Mapping[str, int] = {
    "organization": 1, "user": 5_000, "user_role": 100, "record_type": 8, "product": 2_000, "profile": 30,
    "permission_set": 150, "permission_set_assignment": 25_000, "object_permissions": 45_000,
    "field_permissions": 900_000,
}  # fmt: skip


def main() -> None:
    """Make the tables where they are missing, then build and measure each mart."""
    options = read_options()
    home = Path(options.home)
    sizes = {**{name: round(share * options.opportunities) for name, share in PER_OPPORTUNITY.items()}, **FIXED}
    fill(home, sizes)
    print(f"{'mart':22} {'rows':>10} {'CPU s':>7} {'statement s':>12} {'MB':>6}")
    for model in sorted((PROJECT / "models/marts").glob("*.sql")):
        print(measure(home, model.stem), flush=True)
    print(measure(home, "opportunity_versions", verb="snapshot", history=True), "(first snapshot)", flush=True)
    print(measure(home, "opportunity_versions", verb="snapshot", history=True), "(without news)", flush=True)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--opportunities", type=int, default=1_000_000)
    parser.add_argument("--home", default=str(Path(tempfile.gettempdir()) / "marts-benchmark"))
    return parser.parse_args()


def fill(home: Path, sizes: Mapping[str, int]) -> None:
    """Make every table of the specs; those of `sizes` with so many rows."""
    (home / "lake/practice").mkdir(parents=True, exist_ok=True)
    warehouse = IcebergTables("salesforce", "salesforce", local_catalog(home / "lake/practice"))
    for spec in endpoints():
        if warehouse.facts(spec.endpoint) is not None:
            continue
        columns = table_columns(plan_columns(spec, None).table)
        chunks = (Chunk(frame, None) for frame in frames(spec.endpoint, sizes))
        if spec.endpoint in sizes:
            warehouse.replace(
                spec.endpoint, columns=columns, keys=spec.keys, chunks=chunks, base=UNCHECKED, may_vanish=None
            )
        else:
            warehouse.commit_state(spec.endpoint, columns=columns, keys=spec.keys, base=None, state="{}")


def frames(endpoint: str, sizes: Mapping[str, int]) -> Iterator[pl.DataFrame]:
    """Yield a table's rows in chunks."""
    rows = sizes.get(endpoint, 0)
    for start in range(0, rows, CHUNK_ROWS):
        numbers = pl.int_range(start, min(start + CHUNK_ROWS, rows), eager=True).alias("n")
        yield numbers.to_frame().select(**columns_of(endpoint, sizes))


class Draw:
    """Expressions over the row number `n`. Each value follows from it, so that rows of two tables meet."""

    def __init__(self, sizes: Mapping[str, int]) -> None:
        self.sizes = sizes
        self.stage, self.currency = self.word(1, *STAGES), self.word(2, "USD", "EUR", "JPY")

    def chance(self, salt: int, below: int) -> pl.Expr:
        return pl.col("n").hash(salt) % below

    def maybe(self, salt: int, percent: int) -> pl.Expr:
        return self.chance(salt, 100) < percent

    def key(self, kind: str, number: pl.Expr | None = None) -> pl.Expr:
        """The row's own Id, or that of another row of this kind."""
        digits = pl.col("n") if number is None else number
        return pl.concat_str(pl.lit(f"{kind[:3]}."), digits.cast(pl.String).str.zfill(14))

    def to(self, kind: str, salt: int) -> pl.Expr:
        return self.key(kind, self.chance(salt, self.sizes[kind]))

    def of(self, parent: str) -> pl.Expr:
        return self.key(parent, pl.col("n") % self.sizes[parent])

    def money(self, salt: int) -> pl.Expr:
        return (self.chance(salt, 10_000_000).cast(pl.Float64) / 100).cast(pl.Decimal(38, 6))

    def day(self, salt: int) -> pl.Expr:
        return pl.lit(START.date()) + pl.duration(days=self.chance(salt, DAYS))

    def moment(self, salt: int) -> pl.Expr:
        seconds = self.chance(salt, DAYS * 86_400)
        return (pl.lit(START) + pl.duration(seconds=seconds)).cast(pl.Datetime("us", "UTC"))

    def word(self, salt: int, *words: str) -> pl.Expr:
        return self.chance(salt, len(words)).replace_strict(dict(enumerate(words)), return_dtype=pl.String)


def columns_of(endpoint: str, sizes: Mapping[str, int]) -> dict[str, pl.Expr]:
    """Return a table's columns as expressions over the row number `n`; three rows in a hundred are deleted."""
    draw = Draw(sizes)
    tables = {**selling(draw), **ordering(draw), **working(draw), **permitting(draw)}
    has_deleted = {spec.endpoint for spec in endpoints() if spec.has_is_deleted}
    deleted = {"is_deleted": draw.maybe(59, 3)} if endpoint in has_deleted else {}
    synced = pl.lit(START).cast(pl.Datetime("us", "UTC"))
    return {"system_modstamp": draw.moment(58), "_synced_at": synced, **deleted, **tables[endpoint]}


# fmt: off
# ruff: noqa: E501  (a table is read across)
def selling(draw: Draw) -> dict[str, dict[str, pl.Expr]]:
    """The org, accounts, leads, deals and what they are made of."""
    key, to, is_converted = draw.key, draw.to, draw.maybe(25, 25)
    is_closed, is_won = draw.stage.is_in(STAGES[4:]), draw.stage == STAGES[4]
    return {
        "organization": {"id": key("org"), "fiscal_year_start_month": pl.lit(4), "uses_start_date_as_fiscal_year_name": NO},
        "account": {"id": key("account"), "industry": draw.word(3, *"ABCDEFGHIJKLMNOP"), "master_record_id": pl.when(draw.maybe(4, 2)).then(to("account", 5))},
        "record_type": {"id": key("record_type"), "name": key("name")},
        "product": {"id": key("product"), "name": key("name"), "family": draw.word(10, "X", "Y", "Z")},
        "opportunity": {"id": key("opportunity"), "account_id": to("account", 11), "owner_id": to("user", 12), "record_type_id": to("record_type", 13),
                        "stage_name": draw.stage, "is_closed": is_closed, "is_won": is_won, "forecast_category_name": draw.word(17, "A", "B"),
                        "amount": draw.money(14), "expected_revenue": draw.money(15), "close_date": draw.day(16), "currency_iso_code": draw.currency},
        "opportunity_line_item": {"id": key("line"), "opportunity_id": draw.of("opportunity"), "product_2_id": to("product", 18),
                                  "quantity": draw.chance(19, 20).cast(pl.Float64), "total_price": draw.money(20), "currency_iso_code": draw.currency},
        "opportunity_history": {"id": key("history"), "opportunity_id": draw.of("opportunity"), "stage_name": draw.stage,
                                "created_date": draw.moment(21), "amount": draw.money(22)},
        "lead": {"id": key("lead"), "lead_source": draw.word(23, *"ABCDE"), "created_date": draw.moment(24), "is_converted": is_converted,
                 "converted_date": pl.when(is_converted).then(draw.day(26)), "converted_opportunity_id": pl.when(is_converted).then(to("opportunity", 27))},
    }


def ordering(draw: Draw) -> dict[str, dict[str, pl.Expr]]:
    """Quotes and orders with their lines."""
    key, to = draw.key, draw.to
    return {
        "quote": {"id": key("quote"), "opportunity_id": to("opportunity", 28), "account_id": to("account", 29), "status": draw.word(30, "Draft", "Accepted"),
                  "created_date": draw.moment(31), "currency_iso_code": draw.currency},
        "quote_line_item": {"id": key("line"), "quote_id": draw.of("quote"), "total_price": draw.money(32)},
        "sales_order": {"id": key("sales_order"), "quote_id": pl.when(draw.maybe(33, 80)).then(to("quote", 34)), "account_id": to("account", 35),
                        "opportunity_id": to("opportunity", 36), "activated_date": pl.when(draw.maybe(37, 70)).then(draw.moment(38)),
                        "currency_iso_code": draw.currency},
        "order_item": {"id": key("line"), "order_id": draw.of("sales_order"), "total_price": draw.money(39)},
    }


def working(draw: Draw) -> dict[str, dict[str, pl.Expr]]:
    """People, and what they do."""
    key, to = draw.key, draw.to
    return {
        "user": {"id": key("user"), "username": key("name"), "name": key("name"), "is_active": ~draw.maybe(6, 10),
                 "user_role_id": to("user_role", 7), "profile_id": to("profile", 8), "manager_id": to("user", 9)},
        "user_role": {"id": key("user_role"), "name": key("name")},
        "task": {"id": key("task"), "owner_id": to("user", 40), "activity_date": draw.day(41), "is_closed": draw.maybe(42, 75),
                 "completed_date_time": draw.moment(43), "task_subtype": draw.word(44, "Task", "Call"), "is_recurrence": NO},
        "event": {"id": key("event"), "owner_id": to("user", 45), "activity_date": draw.day(46), "is_recurrence": NO,
                  "is_all_day_event": draw.maybe(47, 10), "duration_in_minutes": draw.chance(48, 120).cast(pl.Int32)},
        "case": {"id": key("case"), "owner_id": to("user", 49), "is_closed": draw.maybe(50, 80), "closed_date": draw.moment(51)},
    }


def permitting(draw: Draw) -> dict[str, dict[str, pl.Expr]]:
    """Who holds which of 150 permission sets, of 300 objects and 6,000 fields; some 400 bundles of sets among the users."""
    n, sets = pl.col("n"), draw.sizes["permission_set"]
    user, turn = n % draw.sizes["user"], n // draw.sizes["user"]
    key, set_key = draw.key, draw.key("permission_set", (user % 400 * 7 + turn * 31) % sets)
    return {
        "profile": {"id": key("profile"), "name": key("name")},
        "permission_set": {"id": key("permission_set"), "permissions_view_all_data": draw.maybe(52, 3), "permissions_modify_all_data": draw.maybe(53, 2)},
        "permission_set_assignment": {"id": key("held"), "assignee_id": draw.of("user"), "permission_set_id": set_key, "is_active": ~NO, "is_revoked": NO},
        "object_permissions": {"id": key("rights"), "parent_id": draw.of("permission_set"), "sobject_type": key("object", n // sets),
                               "permissions_read": draw.maybe(54, 90), "permissions_edit": draw.maybe(55, 50)},
        "field_permissions": {"id": key("rights"), "parent_id": draw.of("permission_set"), "sobject_type": key("object", n // sets // 20),
                              "field": key("field", n // sets), "permissions_read": draw.maybe(56, 90), "permissions_edit": draw.maybe(57, 50)},
    }
# fmt: on


def measure(home: Path, model: str, *, verb: str = "run", **variables: object) -> str:
    """Run one model and return its line."""
    target = home / "target"
    places = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)]
    places += ["--target-path", str(target), "--log-path", str(target)]
    variables_json = json.dumps({"home": str(home), **variables})
    command = [
        str(Path(sys.executable).with_name("dbt")),
        "--quiet",
        verb,
        "--select",
        model,
        "--vars",
        variables_json,
        *places,
    ]
    process = os.posix_spawn(command[0], command, os.environ)
    _, status, usage = os.wait4(process, 0)
    if status:
        raise SystemExit(f"{model}: dbt failed; see {target}/dbt.log")
    seconds = json.loads((target / "run_results.json").read_text())["results"][0]["execution_time"]
    cpu = usage.ru_utime + usage.ru_stime
    return f"{model:22} {count(home, model):>10,} {cpu:>7.1f} {seconds:>12.1f} {usage.ru_maxrss / 1024:>6.0f}"


def count(home: Path, model: str) -> int:
    with duckdb.connect(str(home / "analytics.duckdb"), read_only=True) as connection:
        return int(connection.execute(f"select count(*) from marts.{model}").fetchall()[0][0])


if __name__ == "__main__":
    main()
