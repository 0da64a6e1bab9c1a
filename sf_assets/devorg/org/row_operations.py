"""What can be done to rows. Each verb moves the row's stamps to the org's time unless `stamp` is given."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sf_assets.devorg.org.state import OrgState
from sf_assets.devorg.store.table import STAMP, Table

Record = Mapping[str, Any]
Stamp = datetime | str | None

# What goes with a parent into the recycle bin, and moves to the winner of a merge.
CHILDREN: dict[str, tuple[tuple[str, str], ...]] = {
    "Account": (("Contact", "AccountId"), ("Opportunity", "AccountId"), ("Case", "AccountId"), ("Asset", "AccountId")),
    "Contact": (("CampaignMember", "ContactId"), ("OpportunityContactRole", "ContactId")),
    "Lead": (("CampaignMember", "LeadId"),),
    "Campaign": (("CampaignMember", "CampaignId"),),
    "Opportunity": (
        ("OpportunityLineItem", "OpportunityId"),
        ("OpportunityContactRole", "OpportunityId"),
        ("OpportunityHistory", "OpportunityId"),
        ("Quote", "OpportunityId"),
    ),
    "Quote": (("QuoteLineItem", "QuoteId"),),
    "Order": (("OrderItem", "OrderId"),),
    "Pricebook2": (("PricebookEntry", "Pricebook2Id"),),
}


class RowVerbs(OrgState):
    """Insert, update, delete, undelete, purge, merge, restamp, hide and show rows."""

    def insert(self, sobject: str, record: Record, *, stamp: Stamp = None) -> str:
        """Put one row in; its Id is made unless given, audit columns and booleans are filled."""
        return self.insert_many(sobject, [record], stamp=stamp)[0]

    def insert_many(self, sobject: str, records: Iterable[Record], *, stamp: Stamp = None) -> list[str]:
        """Put rows in with one stamp; millions are fine. Hands back their Ids."""
        with self.lock:
            table, when = self.table(sobject), self.stamp(stamp)
            defaults = {name: value for name, value in self._audit(when).items() if name in table.place}
            full = [{**defaults, **record} for record in records]
            self._number(table, full)
            table.insert(full)
            self.note("insert_many", sobject=sobject, records=full, stamp=when)
            return [record["Id"] for record in full]

    def _audit(self, when: str) -> dict[str, Any]:
        user = self.user["Id"]
        dates = dict.fromkeys(("CreatedDate", "LastModifiedDate", STAMP), when)
        return {**dates, "CreatedById": user, "LastModifiedById": user, "OwnerId": user}

    def _number(self, table: Table, records: list[dict[str, Any]]) -> None:
        free = table.free_ids()
        for record in records:
            record["Id"] = record.get("Id") or next(free)

    def update(
        self, sobject: str, record_id: str, values: Record, *, stamp: Stamp = None, restamp: bool = True
    ) -> None:
        """Set columns of a row. `restamp=False` is what a formula or a pulled value does: no stamp moves."""
        with self.lock:
            table = self.table(sobject)
            when = self.stamp(stamp)
            moved = self._moved(table, when) if restamp else {}
            table.change(table.key(record_id), {**moved, **values})
            self.note("update", sobject=sobject, record_id=record_id, values=dict(values), stamp=when, restamp=restamp)

    def _moved(self, table: Table, when: str) -> dict[str, Any]:
        return {name: when for name in (STAMP, "LastModifiedDate") if name in table.place}

    def restamp(self, sobject: str, ids: Iterable[str], stamp: Stamp = None) -> None:
        """Touch rows without changing them: a mass update, a release upgrade, a late commit."""
        with self.lock:
            table, when, wanted = self.table(sobject), self.stamp(stamp), list(ids)
            for record_id in wanted:
                table.change(table.key(record_id), self._moved(table, when))
            self.note("restamp", sobject=sobject, ids=wanted, stamp=when)

    def delete(self, sobject: str, record_id: str, *, stamp: Stamp = None, cascade: str | None = None) -> None:
        """Put a row in the recycle bin, its children with it; a row of an object without IsDeleted is gone at once."""
        with self.lock:
            table, when, how = self.table(sobject), self.stamp(stamp), cascade or self.behaviour.cascade
            if "IsDeleted" in table.place:
                table.change(table.key(record_id), {**self._moved(table, when), "IsDeleted": True})
                self._delete_children(sobject, [table.key(record_id)], when=when, how=how)
            else:
                table.remove(table.key(record_id))
            self.note("delete", sobject=sobject, record_id=record_id, stamp=when, cascade=how)

    def _delete_children(self, sobject: str, parents: list[str], *, when: str, how: str) -> None:
        for child, column in CHILDREN.get(sobject, ()) if how != "none" else ():
            table = self.tables.get(child)
            keys = table.keys_where(column, parents) if table is not None and column in table.place else []
            for key in keys:
                moved = self._moved(self.table(child), when) if how == "restamped" else {}
                self.table(child).change(key, {**moved, "IsDeleted": True})
            if keys:
                self._delete_children(child, keys, when=when, how=how)

    def undelete(self, sobject: str, record_id: str, *, stamp: Stamp = None) -> None:
        """Take one row out of the recycle bin; its children stay there."""
        with self.lock:
            table, when = self.table(sobject), self.stamp(stamp)
            table.change(table.key(record_id), {**self._moved(table, when), "IsDeleted": False})
            self.note("undelete", sobject=sobject, record_id=record_id, stamp=when)

    def purge(self, sobject: str, record_id: str) -> None:
        """Take a row out without a trace: a hard delete, or an emptied recycle bin."""
        with self.lock:
            table = self.table(sobject)
            table.remove(table.key(record_id))
            self.note("purge", sobject=sobject, record_id=record_id)

    def merge(self, sobject: str, winner: str, losers: Iterable[str], *, stamp: Stamp = None) -> None:
        """Merge duplicates: the losers are deleted and name the winner, their children move to it."""
        with self.lock:
            table, when, lost = self.table(sobject), self.stamp(stamp), list(losers)
            master = table.key(winner)
            for loser in map(table.key, lost):
                table.change(loser, {**self._moved(table, when), "IsDeleted": True, "MasterRecordId": master})
            self._reparent(sobject, [table.key(loser) for loser in lost], master=master, when=when)
            table.change(master, self._moved(table, when))
            self.note("merge", sobject=sobject, winner=winner, losers=lost, stamp=when)

    def _reparent(self, sobject: str, losers: list[str], *, master: str, when: str) -> None:
        for child, column in CHILDREN.get(sobject, ()):
            table = self.tables.get(child)
            keys = table.keys_where(column, losers) if table is not None and column in table.place else []
            for key in keys:
                self.table(child).change(key, {**self._moved(self.table(child), when), column: master})

    def hide_rows(self, sobject: str, ids: Iterable[str]) -> None:
        """Take rows out of the integration user's sight: a sharing rule, a lost View All Data. No error tells of it."""
        with self.lock:
            table, wanted = self.table(sobject), list(ids)
            table.unseen.update(map(table.key, wanted))
            self.note("hide_rows", sobject=sobject, ids=wanted)

    def show_rows(self, sobject: str, ids: Iterable[str] | None = None) -> None:
        """Give rows back to the integration user's sight; all that were hidden when none are named."""
        with self.lock:
            table, wanted = self.table(sobject), None if ids is None else list(ids)
            table.unseen.difference_update(list(table.unseen) if wanted is None else map(table.key, wanted))
            self.note("show_rows", sobject=sobject, ids=wanted)
