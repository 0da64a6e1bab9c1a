"""From a seed to a history. Every kind of step can follow every other; a theme makes some of them frequent."""

from collections.abc import Callable
from random import Random

from sf_assets_tests.sync.simulator.history import Edit, Fault, History, Pass, RollBack, Step, Strike, Sync, Upkeep
from sf_assets_tests.sync.simulator.wire import NAMES, SHORT

ENDPOINTS = (("account",), ("account", "contact"), ("contact",), ("user_role",), ("account", "user_role"))
SOBJECTS = {"account": "Account", "contact": "Contact", "user_role": "UserRole"}
PAUSES = (0, 0, 1, 60, 600, 1_300, 4_000, 30_000, 90_000, 90_000, 200_000)
SHORT_PAUSES = (0, 0, 0, 0, 0, 1, 60, 600, 1_300, 90_000)
STAMPED = ("insert", "insert", "update", "update", "update", "restamp", "delete", "undelete")
QUIET = (
    "purge",
    "purge",
    "hide",
    "show",
    "recalculate",
    "quiet_delete",
    "quiet_undelete",
    "cascade",
    "late",
    "empty_bin",
)
COLUMNS = ("hide_column", "show_column", "add_column", "refuse_column", "accept_column")
RARE = ("switch_off", "switch_on", "switch_on", "retype_column", "ahead", "back", "hide_many", "show_many")
THEMES = ("stamps", "stamps", "quiet", "quiet", "columns", "wire", "kills", "kills", "operators", "all", "all")


BURSTS = 0.2
"""The share of histories in which many rows get one stamp, and the tail over them is killed. Not among THEMES, so that
the other seeds keep their histories.
"""


class Generator:
    """The choices of one seed."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self.theme = self.chance.choice(THEMES)
        self.endpoints = self.chance.choice(ENDPOINTS)
        if Random(f"burst {seed}").random() < BURSTS and "user_role" not in self.endpoints:
            self.theme = "burst"

    def history(self) -> History:
        """Return the history of ten to fourteen syncs."""
        pick, steps = self.chance.choice, list[Step]()
        for _ in range(self.chance.randint(8, 12)):
            steps += [self.edit() for _ in range(pick([0, 0, 1, 1, 2, 4]))]
            if self._is(0.05, often="operators"):
                steps.append(RollBack(pick(self.endpoints), pick([1, 1, 2, 4])))
            if self._is(0.05, often="operators"):
                steps.append(Upkeep(pick(self.endpoints), self._strike(file_only=True) if self._is(0.3) else None))
            if self.theme == "burst":
                steps += self._burst()
            steps += [Pass(pick(SHORT_PAUSES if self.theme == "stamps" else PAUSES)), self.sync()]
        if self.theme == "burst":
            return self._burst_history(steps)
        return History(
            endpoints=self.endpoints, steps=tuple(steps), rows=pick([0, 3, 6, 6, 12]),
            page_rows=pick([2, 3, 7, 2_000]), locator_rows=pick(["live", "live", "frozen"]),
            comparison=pick(["rows", "values", "counts", "counts"]), deleted=pick(["mark"] * 5 + ["remove"]),
            commit_rows=pick([1, 1, 5, 200_000]), lanes=self._is(0.1),
        )  # fmt: skip

    def _burst(self) -> list[Step]:
        """Return a load of many rows in one second, and a change that puts it below the ceiling less 20 minutes."""
        sobject = SOBJECTS[self.chance.choice(self.endpoints)]
        load = self.chance.choice([self._load(sobject), Edit("restamp", sobject, count=20)])
        return [load, Pass(self.chance.choice([1_300, 4_000])), Edit("update", sobject, **self._numbers())]

    def _load(self, sobject: str) -> Edit:
        return Edit("insert", sobject, value=self.chance.randrange(99), count=8, how=self.chance.choice(["", "early"]))

    def _burst_history(self, steps: list[Step]) -> History:
        return History(
            endpoints=self.endpoints, steps=tuple(steps), rows=6, page_rows=self.chance.choice([2, 3]),
            comparison="counts", commit_rows=1,
        )  # fmt: skip

    def edit(self) -> Edit:
        """Return one edit."""
        kinds = {"stamps": (STAMPED,) * 6 + (RARE,), "quiet": (STAMPED, QUIET, QUIET), "columns": (STAMPED, COLUMNS)}
        group = self.chance.choice(kinds.get(self.theme, (STAMPED, STAMPED, STAMPED, QUIET, QUIET, COLUMNS, RARE)))
        verb = self.chance.choice(group)
        sobject = SOBJECTS[self.chance.choice(self.endpoints)]
        make: Callable[[str], Edit] = getattr(self, f"_{verb}", lambda sobject: Edit(verb, sobject, **self._numbers()))
        return make(sobject)

    def _numbers(self) -> dict[str, int]:
        rows = 2 if self.theme == "stamps" else 12  # the same row again within a second
        return {"row": self.chance.randrange(rows), "value": self.chance.randrange(1, 99)}

    def _lateness(self) -> int:
        return self.chance.choice([0, 0, 0, 0, 1, 60, 900, 1_199])

    def _insert(self, sobject: str) -> Edit:
        how = self.chance.choice(["", "", "early"])
        count = self.chance.choice([1, 1, 2, 5])
        return Edit("insert", sobject, value=self.chance.randrange(99), count=count, late=self._lateness(), how=how)

    def _update(self, sobject: str) -> Edit:
        how = self.chance.choice(["", "", "note", "new", "money"])
        return Edit("update", sobject, **self._numbers(), late=self._lateness(), how=how)

    def _restamp(self, sobject: str) -> Edit:
        return Edit("restamp", sobject, row=self.chance.randrange(12), count=self.chance.choice([1, 3, 20]))

    def _delete(self, sobject: str) -> Edit:
        return Edit("delete", sobject, row=self.chance.randrange(12), late=self._lateness())

    def _cascade(self, sobject: str) -> Edit:
        return Edit("delete", sobject, row=self.chance.randrange(12), how=self.chance.choice(["silent", "unlogged"]))

    def _quiet_delete(self, sobject: str) -> Edit:
        return Edit("delete", sobject, row=self.chance.randrange(12), quiet=True)

    def _quiet_undelete(self, sobject: str) -> Edit:
        return Edit("undelete", sobject, row=self.chance.randrange(12), quiet=True)

    def _undelete(self, sobject: str) -> Edit:
        return Edit("undelete", sobject, row=self.chance.randrange(12))

    def _purge(self, sobject: str) -> Edit:
        count = self.chance.choice([1, 1, 2, 6])
        return Edit("purge", sobject, row=self.chance.randrange(12), count=count, quiet=self._is(0.5))

    def _empty_bin(self, sobject: str) -> Edit:
        return Edit("empty_bin", sobject, quiet=self._is(0.5))

    def _late(self, sobject: str) -> Edit:
        return Edit(
            self.chance.choice(["insert", "update"]),
            sobject,
            **self._numbers(),
            late=self.chance.choice([4_000, 40_000]),
        )

    def _ahead(self, sobject: str) -> Edit:
        """A change that a clock stamped which runs ahead."""
        return Edit(
            self.chance.choice(["insert", "update"]),
            sobject,
            **self._numbers(),
            late=-self.chance.choice([5, 3_600, 90_000]),
        )

    def _back(self, sobject: str) -> Edit:
        return Edit("update", sobject, **self._numbers(), late=self.chance.choice([5, 600, 1_199]))

    def _hide_many(self, sobject: str) -> Edit:
        return Edit("hide", sobject, row=self.chance.randrange(12), count=self.chance.choice([5, 20]))

    def _show_many(self, sobject: str) -> Edit:
        return Edit("show", sobject, count=20)

    def sync(self) -> Sync:
        """Return one sync."""
        during = (
            tuple((self._page(), self.edit()) for _ in range(self.chance.choice([1, 2, 4])))
            if self._is(0.6 if self.theme == "burst" else 0.4)
            else ()
        )
        faults = (
            tuple(self._fault() for _ in range(self.chance.choice([1, 1, 2]))) if self._is(0.15, often="wire") else ()
        )
        if self.theme == "burst" and self._is(0.3):
            faults = (Fault(self.chance.choice(SHORT), after=self.chance.choice([1, 2, 4])),)
        strikes = 0.4 if any(one.name in SHORT for one in faults) else 0.2
        since = self.chance.choice([None, 3_000, 100_000]) if self._is(0.06, often="operators") else None
        return Sync(
            self.endpoints, during=tuple(sorted(during, key=lambda one: one[0])), faults=faults,
            strike=self._strike() if self._is(0.6 if self.theme == "burst" else strikes, often="kills") else None,
            full_refresh=self._is(0.05), confirm_shrink=self._is(0.05), reconcile=self._is(0.05), since=since,
            until=self.chance.choice([None, 600]) if since else None, inside=self._page() if self._is(0.06) else None,
        )  # fmt: skip

    def _page(self) -> int:
        return self.chance.choice([1, 2, 2, 3, 3, 4, 5, 7])

    def _fault(self) -> Fault:
        name = self.chance.choice([*NAMES, *SHORT])
        kind = self.chance.choice(
            [None, None, "query", "queryAll", "queryAll", "more", "composite", "describe", "deleted"]
        )
        times = self.chance.choice([1, 1, 2, 4, 40])
        return Fault(name, kind if name not in SHORT else None, after=self.chance.choice([0, 0, 1, 2, 4]), times=times)

    def _strike(self, *, file_only: bool = False) -> Strike:
        kind = self.chance.choice(
            ["kill", "ENOSPC", "EIO", "EACCES"]
            if file_only
            else ["batch"] * 4 + ["kill", "kill", "ENOSPC", "EIO", "EACCES"]
        )
        most = 6 if kind == "batch" else 40
        return Strike(kind, self.chance.randint(1, most))

    def _is(self, share: float, *, often: str = "") -> bool:
        return self.chance.random() < (min(0.6, 8 * share) if often == self.theme else share)


def generate(seed: int) -> History:
    """Return the history of a seed."""
    return Generator(seed).history()
