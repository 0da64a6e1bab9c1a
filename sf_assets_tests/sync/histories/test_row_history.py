"""A history equals the org's journal at the granularity of syncs: random edits, kills and rollbacks.

`HISTORY_EXAMPLES=50 pytest` plays more of them. Each snapshot's rows are read by pyiceberg; those of a sync that was
not killed are compared with the org's own rows.
"""

import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import groupby, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sf_assets.devorg.api.transport import in_process
from sf_assets.devorg.org.org import Org
from sf_assets.devorg.sample import sample_org
from sf_assets_tests.conftest import Clock
from sf_assets_tests.sync.histories.lake import SPECS, TINY, KilledError, Lake
from sf_assets_tests.sync.histories.test_random_histories import Editor

NAMES = ("contact", "opportunity_contact_role", "user_role")
START = datetime(2026, 3, 10, 12, tzinfo=UTC)
EXAMPLES = int(os.environ.get("HISTORY_EXAMPLES", "2"))
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("sync"), st.sampled_from([None, None, 0, 1, 2])),
        st.tuples(st.just("edit"), st.integers(1, 6)),
        st.tuples(st.just("edit"), st.integers(1, 6)),
        st.tuples(st.just("refresh"), st.just(None)),
        st.tuples(st.just("roll_back"), st.integers(0, 20)),
        st.tuples(st.just("history"), st.just(None)),
    ),
    min_size=4,
    max_size=9,
)
View = dict[str, dict[str, Any]]
Change = tuple[str, str, dict[str, Any]]


@pytest.fixture(scope="module")
def org() -> Org:
    return sample_org(seed=7, rows=TINY, base=START)


@pytest.mark.heavy
@pytest.mark.parametrize("name", NAMES)
def test_the_history_equals_the_journal_of_the_org(org, name):
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(actions=ACTIONS, seed=st.integers(0, 2**16))
    def check(actions: list[tuple[str, Any]], seed: int) -> None:
        with TemporaryDirectory() as folder:
            journal = Journal(org, name, Path(folder), random.Random(seed))
            for action, value in [("sync", None), *actions, ("edit", 3), ("sync", None), ("history", None)]:
                getattr(journal, action)(value)
            journal.lake.client.close()

    check()


class Journal:
    """One endpoint of an org, and the rows that its table had at each snapshot."""

    def __init__(self, seed_org: Org, name: str, folder: Path, chance: random.Random) -> None:
        self.name, self.chance, self.clock = name, chance, Clock(START)
        self.sobject = SPECS[name].sobject
        org = seed_org.copy(clock=self.clock)
        org.behave(page_rows=3)
        server, transport = in_process(org, sleep=lambda seconds: None)
        self.lake = Lake(org, server=server, folder=folder, clock=self.clock, transport=transport)
        self.editor = Editor(self.lake, chance)
        self.views: dict[int | None, View] = {None: {}}
        self.used: int | None = None
        self.count = 0

    @property
    def table(self) -> Any:
        return self.lake.warehouse._catalog.find(self.name)

    def edit(self, times: int) -> None:
        verbs = [self.editor.insert, self.editor.update]
        verbs += [self.editor.purge] if SPECS[self.name].how == "snapshot" else [self.editor.delete_or_undelete]
        for _ in range(times):
            self.chance.choice(verbs)(self.sobject)
            self.clock.advance(seconds=self.chance.choice([0, 1, 3_700]))

    def sync(self, dies_after: int | None) -> None:
        self.clock.advance(seconds=1_000)
        try:
            self.lake.sync(self.name, dies_after=dies_after, commit_rows=4)
        except KilledError:
            return
        self.lake.assert_equal(self.name)

    def refresh(self, _: None) -> None:
        self.clock.advance(seconds=1_000)
        self.lake.sync(self.name, full_refresh=True, confirm_shrink=True)
        self.lake.assert_equal(self.name)

    def roll_back(self, choice: int) -> None:
        if (table := self.table) is not None and table.snapshots():
            snapshot = table.snapshots()[choice % len(table.snapshots())]
            table.manage_snapshots().set_current_snapshot(snapshot.snapshot_id).commit()

    def history(self, _: None) -> None:
        if self.table is None or self.table.current_snapshot() is None:
            return
        changes_of_table = [changes for one, two in pairwise(self.path()) if (changes := differences(one, two))]
        self.lake.warehouse.histories.update(self.name)
        assert self.new_changes() == changes_of_table
        self.used = self.table.current_snapshot().snapshot_id

    def path(self) -> list[View]:
        """Return what the table held since the last update: back to the common snapshot, then forward."""
        forward = list(self.ancestors(self.table.current_snapshot().snapshot_id))
        if self.used is None:
            return [{}, *map(self.view, forward[::-1])]
        common = next(one for one in self.ancestors(self.used) if one in forward)
        back = [] if common == self.used else [self.used]
        return [self.view(one) for one in [*back, *forward[forward.index(common) :: -1]]]

    def ancestors(self, snapshot_id: int | None) -> Iterator[int]:
        while snapshot_id is not None:
            yield snapshot_id
            snapshot_id = self.table.snapshot_by_id(snapshot_id).parent_snapshot_id

    def view(self, snapshot_id: int) -> View:
        if snapshot_id not in self.views:
            rows = self.table.scan(snapshot_id=snapshot_id).to_arrow().to_pylist()
            self.views[snapshot_id] = {row["id"]: without(row, "_synced_at") for row in rows}
        return self.views[snapshot_id]

    def new_changes(self) -> list[list[Change]]:
        """Return the changes since the last call, a list for each number."""
        rows = self.lake.warehouse.scan(f"{self.name}_changes").sort("_change_number", "id").collect().to_dicts()
        assert len({(row["id"], row["_change_number"]) for row in rows}) == len(rows)
        news, self.count = rows[self.count :], len(rows)
        own = ("_synced_at", "_change", "_change_number", "_snapshot_id", "_derived_from")
        return [
            [(row["id"], row["_change"], without(row, *own)) for row in group]
            for _, group in groupby(news, key=lambda row: row["_change_number"])
        ]


def differences(before: View, after: View) -> list[Change]:
    """Return what changed between two snapshots' rows, by id."""
    changes = []
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key), after.get(key)
        if new is None and old is not None and not old.get("is_deleted"):
            changes.append((key, "delete", old))
        elif new is not None and new != old:
            changes.append((key, kind(old, new), new))
    return changes


def kind(old: dict[str, Any] | None, new: dict[str, Any]) -> str:
    if new.get("is_deleted"):
        return "delete"
    if old is None:
        return "insert"
    return "undelete" if old.get("is_deleted") else "update"


def without(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}
