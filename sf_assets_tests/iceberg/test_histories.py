"""Random histories of merges, replaces, settlings and rollbacks; three readers must agree with a plain model."""

import random
from dataclasses import dataclass, field
from typing import Any

import duckdb
import polars as pl
import pytest

from sf_assets.iceberg.model import Chunk

pytestmark = pytest.mark.slow

KEYS = [f"{n:02}" for n in range(40)]
Row = tuple[Any, ...]  # name, amount, stamp in seconds, read at


@dataclass
class Model:
    """The table as it ought to be, and how it was at each snapshot."""

    rows: dict[str, Row] = field(default_factory=dict)
    state: str | None = None
    past: list[tuple[int, dict[str, Row], str | None]] = field(default_factory=list)

    def merge(self, key: str, row: Row, *, has_amount: bool) -> None:
        old = self.rows.get(key)
        if old is None:
            self.rows[key] = row if has_amount else (row[0], None, *row[2:])
            return
        new = row if has_amount else (row[0], old[1], *row[2:])
        is_same = new[:3] == old[:3]
        is_later_read = new[3] > old[3] or (new[3] == old[3] and new[2] == old[2])
        if new[2] > old[2] or (is_later_read and not is_same):
            self.rows[key] = new

    def replace(self, rows: dict[str, Row], *, has_amount: bool) -> None:
        after = {}
        for key, row in rows.items():
            old = self.rows.get(key)
            new = row if has_amount else (row[0], old[1] if old else None, *row[2:])
            after[key] = old if old is not None and old[:3] == new[:3] else new
        self.rows = after


def some_rows(chance: random.Random, *, at: int) -> dict[str, Row]:
    keys = chance.sample(KEYS, chance.randint(0, 12))
    return {key: (chance.choice("abc"), chance.choice([None, 1, 2]), chance.randint(0, 9), at) for key in keys}


def frame_of(account, rows: dict[str, Row], *, has_amount: bool) -> pl.DataFrame:
    frames = [account.frame((key, name, stamp), at=at) for key, (name, _, stamp, at) in rows.items()]
    frame = pl.concat([account.frame(), *frames])
    amounts = pl.Series("amount", [row[1] for row in rows.values()], dtype=pl.Decimal(38, 6))
    return frame.with_columns(amounts) if has_amount else frame


def merge(account, model: Model, chance: random.Random, *, turn: int) -> None:
    """One to three frames of their own columns, read together, now or by a run that is late; a state at the end."""
    chunks, at = [], chance.choice([turn, turn, max(turn - 3, 0)])
    for _ in range(chance.randint(1, 3)):
        rows, has_amount = some_rows(chance, at=at), chance.random() < 0.6
        chunks.append(Chunk(frame_of(account, rows, has_amount=has_amount), None))
        for key, row in rows.items():
            model.merge(key, row, has_amount=has_amount)
    result = account.stream([*chunks, Chunk(account.frame(), f"state {turn}")])
    if result.commits:
        model.state = f"state {turn}"


def replace(account, model: Model, chance: random.Random, *, turn: int) -> None:
    rows, has_amount = some_rows(chance, at=turn), chance.random() < 0.6
    new_rows = {key: (row[0], row[1], row[2], turn) for key, row in model.rows.items() if chance.random() < 0.8}
    rows = new_rows | rows
    before = set(model.rows)
    model.replace(rows, has_amount=has_amount)
    result = account.replace(frame_of(account, rows, has_amount=has_amount), state=f"state {turn}")
    assert (result.inserted, result.vanished) == (len(set(rows) - before), len(before - set(rows)))
    if result.commits:
        model.state = f"state {turn}"


def settle(account, model: Model, chance: random.Random, *, turn: int) -> None:
    model.state = f"settled {turn}"
    account.tables.commit_state("account", columns=account.columns, base=account.state, state=model.state)
    account.state = model.state


def roll_back(account, model: Model, chance: random.Random, *, turn: int) -> None:
    """To one of the last snapshots. The state is what that snapshot bears, or what was settled on it last."""
    snapshot_id, rows, _ = chance.choice(model.past[-4:])
    account.table.manage_snapshots().set_current_snapshot(snapshot_id=snapshot_id).commit()
    states = {state for past_id, _, state in model.past if past_id == snapshot_id}
    assert account.facts.state in states
    model.rows, model.state = dict(rows), account.facts.state
    account.state = model.state


def readers(account) -> dict[str, list[tuple[Any, ...]]]:
    """The rows as pyiceberg, Polars and DuckDB (over Arrow) read them: id, name, amount, stamp, read at."""
    arrow = account.table.scan().to_arrow()
    columns = ["id", "name", "amount", "system_modstamp", "_synced_at"]
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("account", account.tables.scan("account").collect().to_arrow())
        rows = connection.sql(f"SELECT {', '.join(columns)} FROM account ORDER BY id").pl().rows()
    return {
        "pyiceberg": pl.from_arrow(arrow).select(columns).sort("id").rows(),
        "polars": account.tables.scan("account").select(columns).sort("id").collect().rows(),
        "duckdb": rows,
    }


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.heavy) for seed in range(2, 6))])
def test_a_random_history_reads_as_the_model_says(account, seed):
    chance, model = random.Random(seed), Model()
    account.merge(account.frame(("00", "a", 0), at=0), state="state 0")
    model.rows, model.state = {"00": ("a", None, 0, 0)}, "state 0"
    model.past.append((account.facts.snapshot_id, dict(model.rows), model.state))

    for turn in range(1, 16):
        [step] = chance.choices([merge, replace, settle, roll_back], weights=[6, 3, 1, 2])
        step(account, model, chance, turn=turn)
        facts = account.facts
        expected = expected_rows(account, model)
        model.past.append((facts.snapshot_id, dict(model.rows), model.state))

        assert facts.state == model.state
        assert facts.rows == len(model.rows)
        for name, rows in readers(account).items():
            assert rows == expected, f"turn {turn}, {step.__name__}, read by {name}"


def expected_rows(account, model: Model) -> list[tuple[Any, ...]]:
    frame = frame_of(account, dict(sorted(model.rows.items())), has_amount=True)
    return frame.select("id", "name", "amount", "system_modstamp", "_synced_at").rows()
