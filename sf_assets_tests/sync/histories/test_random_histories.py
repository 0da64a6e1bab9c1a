"""Random histories of an org, edited between syncs and between two pages of one result, with kills at any page.

After each, a quiet while and one undisturbed sync, every table equals the org. These play real endpoints with all their
columns; `sf_assets_tests/sync/simulator/` plays many more histories on small objects.
"""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sf_assets.devorg.api.transport import in_process
from sf_assets.devorg.org.org import Org
from sf_assets.devorg.sample import sample_org
from sf_assets.errors import ShrinkRefused
from sf_assets.sync.report import ComparisonLimits
from sf_assets_tests.conftest import Clock
from sf_assets_tests.sync.histories.lake import SPECS, TINY, KilledError, Lake

pytestmark = pytest.mark.slow

NAMES = ("contact", "opportunity_contact_role", "user_role", "account")
OBJECTS = tuple(SPECS[name].sobject for name in NAMES)
TEXT = {"Contact": "FirstName", "OpportunityContactRole": "Role", "UserRole": "Name", "Account": "Name"}
CALCULATED = {"Account": ("Region_Label__c", "Open_Pipeline__c")}
LIMITS = (
    ComparisonLimits(),
    ComparisonLimits(rows_pages=0, ids_every=timedelta(0)),
    ComparisonLimits(rows_pages=0, ids_pages=0),
)
VALUES = ("", " ", "\n", "a\0b", "🚀" * 20, "\ud7ff" * 17, 'O\'Brien \\ "q"', "x" * 300)
SKIPS = (0, 1, 60, 1_200, 4_000, 90_000, 400_000)
START = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def org() -> Org:
    return sample_org(seed=7, rows=TINY, base=START)


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.heavy)])
def test_after_a_random_history_every_table_equals_the_org(org, tmp_path, seed):
    play(org, seed=seed, folder=tmp_path)


class Editor:
    """Edits an org at random; `number` gives every new row a name of its own."""

    def __init__(self, lake: Lake, chance: random.Random) -> None:
        self.lake, self.org, self.chance = lake, lake.org, chance
        self.hidden: dict[str, list[str]] = {sobject: [] for sobject in OBJECTS}
        self.unseen: dict[str, list[str]] = {sobject: [] for sobject in OBJECTS}
        self.number = 0

    def edit(self) -> None:
        """Do one thing to one object."""
        sobject = self.chance.choice(OBJECTS)
        verbs = [self.insert, self.insert, self.update, self.update, self.restamp, self.purge, self.column]
        if sobject != "UserRole":
            verbs += [self.delete_or_undelete, self.without_stamp, self.sight, self.recalculate]
        self.chance.choice(verbs)(sobject)

    def insert(self, sobject: str) -> None:
        """Insert some rows, at times behind their stamps."""
        stamp = self.lake.clock() - timedelta(seconds=self.chance.choice([0, 0, 1, 600]))
        for _ in range(self.chance.choice([1, 1, 2, 12])):
            self.number += 1
            self.org.insert(sobject, self.values(sobject, f"n{self.number}"), stamp=stamp)

    def values(self, sobject: str, name: str) -> dict[str, Any]:
        return {TEXT[sobject]: name, **({"LastName": name} if sobject == "Contact" else {})}

    def pick(self, sobject: str) -> str:
        return str(self.chance.choice(self.org.rows(sobject))["Id"])

    def update(self, sobject: str) -> None:
        """Update a row once or twice within a second."""
        record_id = self.pick(sobject)
        for _ in range(self.chance.choice([1, 2])):
            self.org.update(sobject, record_id, {TEXT[sobject]: self.chance.choice(VALUES)})

    def restamp(self, sobject: str) -> None:
        """Many rows on one second."""
        for row in self.org.rows(sobject)[:: self.chance.choice([1, 3])]:
            self.org.update(sobject, row["Id"], {})

    def purge(self, sobject: str) -> None:
        """Delete a row for good, as long as there are others."""
        if len(self.org.rows(sobject)) > 5:
            self.org.purge(sobject, self.pick(sobject), log=self.chance.random() < 0.5)

    def delete_or_undelete(self, sobject: str) -> None:
        row = self.chance.choice(self.org.rows(sobject))
        (self.org.undelete if row["IsDeleted"] else self.org.delete)(sobject, row["Id"])

    def without_stamp(self, sobject: str) -> None:
        """A delete or an undelete that moves no stamp, as cascades do."""
        row = self.chance.choice(self.org.rows(sobject))
        if row["IsDeleted"]:
            self.org.undelete(sobject, row["Id"], restamp=False)
        else:
            self.org.update(sobject, row["Id"], {"IsDeleted": True}, restamp=False)

    def sight(self, sobject: str) -> None:
        """A sharing rule hides a row, or shows one again."""
        if self.unseen[sobject]:
            self.show(sobject, [self.unseen[sobject].pop()])
        elif len(self.org.rows(sobject)) > 5:
            self.unseen[sobject].append(self.pick(sobject))
            self.org.hide_rows(sobject, self.unseen[sobject][-1:])

    def recalculate(self, sobject: str) -> None:
        """A formula and a roll-up get other values; no stamp moves."""
        if sobject in CALCULATED:
            text, number = CALCULATED[sobject]
            values = {text: self.chance.choice(VALUES), number: float(self.chance.randint(0, 9))}
            self.org.recalculate(sobject, {self.pick(sobject): values})

    def column(self, sobject: str) -> None:
        """A column goes from sight, or comes back."""
        name = TEXT[sobject]
        if self.hidden[sobject]:
            self.org.show_field(sobject, self.hidden[sobject].pop())
        elif self.chance.random() < 0.5:
            self.org.hide_field(sobject, name)
            self.hidden[sobject].append(name)

    def show_all(self) -> None:
        for sobject, names in self.hidden.items():
            while names:
                self.org.show_field(sobject, names.pop())
        for sobject, ids in self.unseen.items():
            self.show(sobject, ids if self.chance.random() < 0.5 else [])

    def show(self, sobject: str, ids: list[str]) -> None:
        """Show those of the rows that still exist."""
        there = {row["Id"] for row in self.org.rows(sobject)}
        self.org.show_rows(sobject, [one for one in ids if one in there])


def play(seed_org: Org, *, seed: int, folder: Path) -> None:
    """Play the history of a seed; AssertionError where a table is not the org's in the end."""
    chance, clock = random.Random(seed), Clock(START)
    org = seed_org.copy(clock=clock)
    org.behave(page_rows=chance.choice([2, 7, 40]))
    server, transport = in_process(org, sleep=lambda seconds: None)
    lake = Lake(org, server=server, folder=folder, clock=clock, transport=transport)
    editor = Editor(lake, chance)
    for _ in range(chance.randint(3, 6)):
        org.on_page[:] = [between_pages(editor)] if chance.random() < 0.7 else []
        for name in NAMES:
            sync_somehow(lake, name, chance)
        org.on_page.clear()
        for _ in range(chance.choice([0, 1, 8])):
            editor.edit()
        clock.advance(seconds=chance.choice(SKIPS))
    editor.show_all()
    clock.advance(hours=25)
    lake.sync(*NAMES, confirm_shrink=True, comparison=chance.choice(LIMITS[:2]))
    for name in NAMES:
        assert_equal(lake, name)
    lake.client.close()


def between_pages(editor: Editor) -> Callable[[Any], None]:
    def edit(page: Any) -> None:
        editor.lake.clock.advance(seconds=editor.chance.choice([0, 0, 1, 2]))
        if editor.chance.random() < 0.3:
            editor.edit()

    return edit


def sync_somehow(lake: Lake, name: str, chance: random.Random) -> None:
    """One sync, which may be killed or read everything anew."""
    dies_after = chance.choice([None, None, chance.randint(0, 6)])
    options = {"commit_rows": chance.choice([1, 20, 200_000]), "full_refresh": chance.random() < 0.1}
    options["comparison"] = chance.choice(LIMITS)
    try:
        lake.sync(name, dies_after=dies_after, **options)
    except (KilledError, ShrinkRefused):
        return


def assert_equal(lake: Lake, name: str) -> None:
    """Equal to the org; rows that the org does not show any more stay in a merged table, marked as deleted."""
    sobject = SPECS[name].sobject
    hidden = lake.org.tables[sobject].hidden_keys
    truth = [row for row in lake.truth(name) if not any(key.startswith(row["id"]) for key in hidden)]
    org_ids, table = {row["id"] for row in truth}, lake.table(name)
    assert len({row["id"] for row in table}) == len(table), name
    former = [row for row in table if row["id"] not in org_ids]
    assert all(SPECS[name].how == "tail" and row["is_deleted"] for row in former), name
    assert [row for row in table if row["id"] in org_ids] == truth, name
