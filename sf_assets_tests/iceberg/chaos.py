"""Chaos for a lake: an operation on a table dies, or its disk fails, at one of its file operations.

`make lake-chaos SEED=1 RUNS=100` plays many runs and prints a table. Each run builds a random table, counts the file
operations of one change, builds the same table again and strikes at one of them. Afterwards the table must be the old
one or the new one, its state must belong to its rows, every snapshot must be whole, and the next run must complete
the change.
"""

import errno
import os
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any

import polars as pl
import pyarrow.parquet as pq
from pyiceberg.io import InputFile, OutputFile, OutputStream
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.table import StaticTable
from pyiceberg.types import BooleanType, StringType, TimestamptzType

from sf_assets.errors import IcebergError
from sf_assets.iceberg.maintenance.damage import DamageFinder
from sf_assets.iceberg.model import Chunk, TableColumn
from sf_assets.iceberg.tables import IcebergTables

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
STAMP = pl.Datetime("us", "UTC")
COLUMNS = (
    TableColumn("id", StringType()),
    TableColumn("name", StringType()),
    TableColumn("is_deleted", BooleanType()),
    *(TableColumn(name, TimestamptzType()) for name in ("system_modstamp", "_synced_at")),
)
KINDS = ("kill", "ENOSPC", "EIO", "EACCES")
CHANGES = ("load", "merge", "replace", "state", "column", "compaction", "erasure", "reader", "expiry", "orphans")


class Killed(BaseException):
    """The process dies here. Nothing that it does afterwards has an effect."""


class Strike:
    """Counts file operations and strikes at one of them."""

    def __init__(self, kind: str = "kill", at: int | None = None) -> None:
        self.kind, self.at, self.count, self.is_dead = kind, at, 0, False

    def operation(self) -> None:
        """Count one operation. Raises: Killed or OSError if it is the one to strike."""
        if self.is_dead:
            raise Killed
        self.count += 1
        if self.count == self.at:
            if self.kind == "kill":
                self.is_dead = True
                raise Killed
            raise OSError(getattr(errno, self.kind), os.strerror(getattr(errno, self.kind)))


CURRENT = Strike()


class ChaosFileIO(PyArrowFileIO):
    """Local files whose operations may be struck."""

    def new_input(self, location: str) -> InputFile:
        CURRENT.operation()
        return super().new_input(location)

    def new_output(self, location: str) -> OutputFile:
        CURRENT.operation()
        return _Output(super().new_output(location))

    def delete(self, location: Any) -> None:
        CURRENT.operation()
        super().delete(location)


class _Output(OutputFile):
    def __init__(self, output: OutputFile) -> None:
        super().__init__(output.location)
        self._output = output

    def __len__(self) -> int:
        return len(self._output)

    def exists(self) -> bool:
        return self._output.exists()

    def to_input_file(self) -> InputFile:
        return self._output.to_input_file()

    def create(self, overwrite: bool = False) -> OutputStream:
        CURRENT.operation()
        return _Stream(self._output.create(overwrite=overwrite))


class _Stream(OutputStream):
    """A stream that may be struck when it is closed: what was written until then stays, cut."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    @property
    def closed(self) -> bool:
        return bool(self._stream.closed)

    def write(self, b: bytes) -> int:
        if CURRENT.is_dead:
            raise Killed
        return int(self._stream.write(b))

    def tell(self) -> int:
        return int(self._stream.tell())

    def flush(self) -> None:
        pass

    def close(self) -> None:
        if self._stream.closed:
            return
        try:
            CURRENT.operation()
        finally:
            self._stream.close()

    def __enter__(self) -> "_Stream":
        return self

    def __exit__(
        self, exctype: type[BaseException] | None, excinst: BaseException | None, exctb: TracebackType | None
    ) -> None:
        self.close()


Rows = dict[str, str]


@dataclass
class Lake:
    """One table, a model of its rows, and the ways to change both."""

    folder: Path
    chance: random.Random
    rows: Rows = field(default_factory=dict)
    turn: int = 0
    columns: tuple[TableColumn, ...] = COLUMNS
    secret: str = "Tweety Bird"
    reads: str = ""
    """The metadata file that the reader has."""
    has_reader: bool = False
    """Another reader (Snowflake) keeps the files of the version that it has."""

    def tables(self, *, later: timedelta = timedelta(0)) -> IcebergTables:
        """Open the catalog as a new process does."""
        properties = {
            "type": "sql",
            "uri": f"sqlite:///{self.folder}/catalog.db",
            "warehouse": f"file://{self.folder}/lake",
            "py-io-impl": f"{__name__}.ChaosFileIO",
        }
        now = lambda: datetime.now(UTC) + later  # noqa: E731
        return IcebergTables("salesforce", "salesforce", properties, now=now, past_waits=self.has_reader)

    def frame(self, rows: Rows, *, deleted: bool = False) -> pl.DataFrame:
        at = pl.lit(NOON + timedelta(minutes=self.turn), dtype=STAMP)
        frame = pl.DataFrame(
            {"id": list(rows), "name": list(rows.values())}, schema={"id": pl.String, "name": pl.String}
        )
        return frame.with_columns(is_deleted=pl.lit(deleted), system_modstamp=at, _synced_at=at)

    def news(self) -> Rows:
        """Return some new and some changed rows."""
        self.turn += 1
        ids = [f"{self.chance.randrange(40):03}" for _ in range(self.chance.randrange(1, 12))]
        return dict.fromkeys(dict.fromkeys(ids), f"v{self.turn}")

    def merge(self, rows: Rows, state: str, **more: Any) -> None:
        facts = self.tables().facts("account")
        self.tables().merge(
            "account", columns=self.columns, keys=("id",), stamp="system_modstamp",
            base=facts.state if facts else None, chunks=[Chunk(self.frame(rows, **more), state)],
        )  # fmt: skip

    def build(self, merges: int) -> None:
        """Make a table of several commits."""
        for _ in range(merges):
            rows = self.news()
            self.merge(rows, f"s{self.turn}")
            self.rows |= rows

    def plan(self, change: str) -> tuple[Callable[[], object], Rows, str]:
        """Return a change, which may be repeated, and the rows and the state after it."""
        name = f"_{change}"
        act, rows, state = getattr(self, name)()
        return act, rows, state

    def _load(self) -> tuple[Callable[[], object], Rows, str]:
        return self._merge()

    def _merge(self) -> tuple[Callable[[], object], Rows, str]:
        rows = self.news()
        return lambda: self.merge(rows, "new"), self.rows | rows, "new"

    def _replace(self) -> tuple[Callable[[], object], Rows, str]:
        rows = self.news() | dict(list(self.rows.items())[::2])

        def act() -> object:
            facts = self.tables().facts("account")
            return self.tables().replace(
                "account", columns=self.columns, keys=("id",), base=facts.state if facts else None, may_vanish=None,
                chunks=[Chunk(self.frame(rows), "new")],
            )  # fmt: skip

        return act, rows, "new"

    def _state(self) -> tuple[Callable[[], object], Rows, str]:
        def act() -> object:
            base = self.tables().facts("account").state  # type: ignore[union-attr]
            return self.tables().commit_state("account", columns=self.columns, base=base, state="new")

        return act, self.rows, "new"

    def _column(self) -> tuple[Callable[[], object], Rows, str]:
        self.columns = (*COLUMNS, TableColumn("phone", StringType()))
        return self._merge()

    def _compaction(self) -> tuple[Callable[[], object], Rows, str]:
        state = f"s{self.turn}"
        return lambda: self.tables().maintenance.maintain("account"), self.rows, state

    def _erasure(self) -> tuple[Callable[[], object], Rows, str]:
        self.turn += 1
        row = {"999": self.secret}
        self.merge(row, f"s{self.turn}")
        self.turn += 1
        self.merge(row, f"s{self.turn}", deleted=True)
        rows, state = dict(self.rows), f"s{self.turn}"
        self.rows |= row
        return lambda: self.tables().erase("account", "is_deleted"), rows, state

    def _reader(self) -> tuple[Callable[[], object], Rows, str]:
        """Erase while a reader has the older version; delete its files once it has moved."""
        self.has_reader = True
        _, rows, state = self._erasure()
        self.reads = self._location()

        def act() -> None:
            self.tables().erase("account", "is_deleted")
            self.reads = self._location()
            self.tables().complete_erasure("account", read_location=self.reads)

        return act, rows, state

    def _location(self) -> str:
        return str(self.tables().facts("account").metadata_location)  # type: ignore[union-attr]

    def unreadable(self) -> list[str]:
        """Return the files that the reader's version names and that are gone or cut."""
        if not self.has_reader:
            return []
        table = StaticTable.from_metadata(self.reads)
        return [
            str(damage)
            for damage in DamageFinder(table.io, table.location(), deep=True).check(table.current_snapshot())
        ]

    def _expiry(self) -> tuple[Callable[[], object], Rows, str]:
        state = f"s{self.turn}"
        later = timedelta(days=9)
        return lambda: self.tables(later=later).maintenance.maintain("account"), self.rows, state

    def _orphans(self) -> tuple[Callable[[], object], Rows, str]:
        state = f"s{self.turn}"
        for number in range(4):
            (self.folder / f"lake/salesforce/account/data/orphan{number}.parquet").write_bytes(b"of a killed write")
        tables = self.tables(later=timedelta(days=9))
        return lambda: tables.remove_orphan_files("account"), self.rows, state

    def present(self) -> tuple[Rows, str | None]:
        """Return the table's rows and state, as a reader sees them."""
        tables = self.tables()
        facts = tables.facts("account")
        if facts is None:
            return {}, None
        frame = tables.scan("account").select("id", "name").collect()
        assert facts.rows == frame.height, "the row count disagrees with the rows"
        assert frame["id"].n_unique() == frame.height, "a key is doubled"
        return dict(frame.iter_rows()), facts.state

    def missing_files(self, *, current_only: bool = False) -> list[str]:
        """Return the files that are missing or cut, of any snapshot.

        current_only: an erasure that has not ended has deleted files of the snapshots before it.
        """
        tables = self.tables()
        table = tables._catalog.find("account")
        if table is None:
            return []
        finder = DamageFinder(table.io, table.location(), deep=True)
        snapshots = [table.current_snapshot()] if current_only else table.snapshots()
        return [str(damage) for snapshot in snapshots for damage in finder.check(snapshot)]

    def files_with_secret(self) -> list[str]:
        paths = [path for path in (self.folder / "lake").rglob("*") if path.is_file()]
        return [path.name for path in paths if self.secret.encode() in path.read_bytes() or self._in_parquet(path)]

    def _in_parquet(self, path: Path) -> bool:
        with suppress(Exception):
            return self.secret in pq.read_table(path, columns=["name"])["name"].to_pylist()
        return False


@dataclass(frozen=True)
class Outcome:
    """What became of a run: the change, the kind of strike, and old, new or what is wrong."""

    change: str
    kind: str
    table: str
    at: int = 0
    wrong: str = ""


def prepare(folder: Path, seed: int, change: str) -> tuple[Lake, Callable[[], object], Rows, str]:
    """Build the table of a seed and plan the change."""
    strike_with(Strike())
    lake = Lake(folder, random.Random(seed))
    lake.build(0 if change == "load" else lake.chance.randrange(3, 9) if change != "compaction" else 9)
    return lake, *lake.plan(change)


def strike_with(strike: Strike) -> Strike:
    global CURRENT  # noqa: PLW0603 - the FileIO is made by pyiceberg, by name
    CURRENT = strike
    return strike


def play(seed: int, folder: Path, change: str | None = None, kind: str | None = None) -> Outcome:
    """Play one run. The outcome's `wrong` is empty if every promise held."""
    chance = random.Random(seed)
    change, kind = change or chance.choice(CHANGES), kind or chance.choice(KINDS)
    for name in ("count", "struck"):
        (folder / name).mkdir()
    _, act, _, _ = prepare(folder / "count", seed, change)
    counter = strike_with(Strike())
    act()
    at = chance.randint(1, counter.count)
    lake, act, rows, state = prepare(folder / "struck", seed, change)
    old = lake.present()
    strike_with(Strike(kind, at))
    try:
        with suppress(Killed, IcebergError):
            act()
        strike_with(Strike())
        return Outcome(change, kind, judge(lake, act, old=old, new=(rows, state)), at)
    except Exception as error:  # noqa: BLE001 - every other end of a run is a finding
        strike_with(Strike())
        return Outcome(change, kind, "wrong", at, f"seed {seed}, {change}, {kind} at {at}: {error!r}")


def judge(lake: Lake, act: Callable[[], object], *, old: tuple[Rows, str | None], new: tuple[Rows, str]) -> str:
    """Return whether the table is the old or the new one. Raises: AssertionError for any broken promise."""
    present, is_erasure = lake.present(), "999" in old[0] and "999" not in new[0]
    made_empty = present == ({}, None)
    assert present in (old, new) or made_empty, f"neither old nor new: {present[1]}, {len(present[0])} rows"
    assert lake.missing_files(current_only=is_erasure) == [], lake.missing_files(current_only=is_erasure)
    assert lake.unreadable() == [], lake.unreadable()
    if is_erasure:
        lake.tables(later=timedelta(days=4)).remove_orphan_files("account")
        assert lake.unreadable() == [], lake.unreadable()
    act()
    assert lake.unreadable() == [], lake.unreadable()
    assert lake.present() == new, "the next run does not complete the change"
    assert lake.missing_files() == [], lake.missing_files()
    late = lake.tables(later=timedelta(days=2))
    late.erase("account", "is_deleted")
    late.remove_orphan_files("account")
    assert lake.present() == new, "the removal of orphans changed the table"
    assert lake.missing_files() == [], lake.missing_files()
    if is_erasure:
        assert lake.files_with_secret() == [], lake.files_with_secret()
    return "new" if present == new and old != new else "old"


def runs(seed: int, count: int) -> Iterator[Outcome]:
    """Play runs with seeds from `seed` on; every change comes in turn."""
    for number in range(count):
        with TemporaryDirectory(dir=os.environ.get("CHAOS_FOLDER")) as folder:
            yield play(seed + number, Path(folder), change=CHANGES[number % len(CHANGES)])


def table_of(outcomes: list[Outcome]) -> list[str]:
    """Return the printed table: changes down, kinds of strike and ends across."""
    counts = Counter((o.change, o.kind) for o in outcomes)
    ends = Counter((o.change, o.table) for o in outcomes)
    lines = [f"| change | {' | '.join(KINDS)} | table was old | table was new | wrong |", "| --- " * 8 + "|"]
    for change in CHANGES:
        cells = [str(counts[change, kind]) for kind in KINDS] + [
            str(ends[change, end]) for end in ("old", "new", "wrong")
        ]
        lines.append(f"| {change} | {' | '.join(map(str, cells))} |")
    return lines


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """Play the runs of the command line and print their table."""
    seed, count = (int(argument) for argument in sys.argv[1:3])
    outcomes = []
    for outcome in runs(seed, count):
        outcomes.append(outcome)
        if outcome.wrong:
            say(outcome.wrong)
    wrong = sum(bool(outcome.wrong) for outcome in outcomes)
    say("\n".join(table_of(outcomes)))
    say(f"seed {seed}, {len(outcomes)} runs, {wrong} wrong")
    return int(bool(wrong))


if __name__ == "__main__":
    from sf_assets_tests.iceberg import chaos  # pyiceberg finds the FileIO by the module's name

    sys.exit(chaos.main())
