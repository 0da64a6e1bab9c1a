"""A history: settings and steps. It can be printed as a test, and any part of its steps is a history too.

Rows are named by their place among the rows that exist, modulo their number. So a step keeps a meaning when steps
before it are left out.
"""

from dataclasses import MISSING, dataclass, fields
from typing import Any


class Printed:
    """Prints only the arguments that differ from their defaults."""

    def __repr__(self) -> str:
        parts = []
        for entry in fields(self):  # type: ignore[arg-type]
            value = getattr(self, entry.name)
            if entry.default is MISSING or value != entry.default:
                parts.append(f"{entry.name}={value!r}")
        return f"{type(self).__name__}({', '.join(parts)})"


@dataclass(frozen=True, repr=False)
class Edit(Printed):
    """One change in the org.

    `row`: the place of the row. `count`: of how many rows from there. `late`: the seconds by which the stamp is older
    than the change; negative for a clock that runs ahead. `quiet`: no stamp moves, or no log names it.
    """

    verb: str
    sobject: str
    row: int = 0
    value: int = 0
    count: int = 1
    late: int = 0
    quiet: bool = False
    how: str = ""


@dataclass(frozen=True, repr=False)
class Pass(Printed):
    """Time passes."""

    seconds: int


@dataclass(frozen=True, repr=False)
class Fault(Printed):
    """A fault of the wire: at the requests of a kind (None: any), after some of them, so many times."""

    name: str
    kind: str | None = None
    after: int = 0
    times: int = 1


@dataclass(frozen=True, repr=False)
class Strike(Printed):
    """The process dies, or the disk fails, `at` a batch or a file operation (from 1)."""

    kind: str  # batch, kill, ENOSPC, EIO, EACCES
    at: int


@dataclass(frozen=True, repr=False)
class Sync(Printed):
    """One run over endpoints. `during`: edits at the n-th query or page. `strike`: its end.

    `since`, `until`: the bounds of a re-read, as seconds before now. `inside`: the page at which another run of the
    same endpoints runs from begin to end.
    """

    endpoints: tuple[str, ...]
    during: tuple[tuple[int, Edit], ...] = ()
    faults: tuple[Fault, ...] = ()
    strike: Strike | None = None
    full_refresh: bool = False
    confirm_shrink: bool = False
    reconcile: bool = False
    since: int | None = None
    until: int | None = None
    inside: int | None = None

    @property
    def is_undisturbed(self) -> bool:
        """Whether nothing but edits of the org comes between."""
        return not self.faults and self.strike is None and self.inside is None


@dataclass(frozen=True, repr=False)
class RollBack(Printed):
    """An operator rolls a table back by some snapshots."""

    endpoint: str
    by: int = 1


@dataclass(frozen=True, repr=False)
class Upkeep(Printed):
    """Compaction, expiry of snapshots and removal of orphan files of one table."""

    endpoint: str
    strike: Strike | None = None


Step = Edit | Pass | Sync | RollBack | Upkeep


@dataclass(frozen=True, repr=False)
class History(Printed):
    """What one seed comes to."""

    endpoints: tuple[str, ...]
    steps: tuple[Step, ...] = ()
    rows: int = 6
    page_rows: int = 2_000
    locator_rows: str = "live"
    comparison: str = "rows"
    deleted: str = "mark"
    commit_rows: int = 200_000
    shrink_rows: int = 3
    lanes: bool = False


def as_test(history: History, *, name: str, why: str) -> str:
    """Return a history as the text of a test that can be pasted."""
    settings = [
        f"        {entry.name}={getattr(history, entry.name)!r},"
        for entry in fields(history)
        if entry.name != "steps" and (entry.default is MISSING or getattr(history, entry.name) != entry.default)
    ]
    steps = [f"            {step!r}," for step in history.steps]
    lines = [
        f"def test_{name}(tmp_path):",
        f'    """{why.splitlines()[0][:100]}"""',
        "    history = History(",
        *settings,
        "        steps=(",
        *steps,
        "        ),",
        "    )",
        "    play(history, tmp_path)",
    ]
    return "\n".join(lines)


def arguments(step: Any) -> dict[str, Any]:
    return {entry.name: getattr(step, entry.name) for entry in fields(step)}
