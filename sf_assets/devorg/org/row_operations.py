"""Changes of rows. Each moves the row's stamps to the org's time unless `stamp` is given."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sf_assets.devorg.org.state import OrgState
from sf_assets.devorg.store.table import STAMP, Table
from sf_assets.devorg.store.timestamps import milliseconds

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


TRACKED: dict[str, tuple[str, ...]] = {"Account": ("Name", "OwnerId", "Industry", "Rating", "Type")}
"""sObject -> fields. `add_object` adds a history object, which then has a row for each change of them."""


class RowOperations(OrgState):
    """Insert, update, delete, undelete, purge, merge, restamp, hide and show rows."""

    def insert(self, sobject: str, record: Record, *, stamp: Stamp = None) -> str:
        """Insert one row. A missing Id is made; audit columns and booleans are filled."""
        return self.insert_many(sobject, [record], stamp=stamp)[0]

    def insert_many(self, sobject: str, records: Iterable[Record], *, stamp: Stamp = None) -> list[str]:
        """Insert rows with one stamp and return their Ids; millions are fine."""
        with self.lock:
            table, when = self.table(sobject), self.stamp(stamp)
            defaults = {name: value for name, value in self._audit(when).items() if name in table.place}
            full = [{**defaults, **record} for record in records]
            self._number(table, full)
            table.insert(full)
            self.journalize("insert_many", sobject=sobject, records=full, stamp=when)
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
        """Set columns of a row. `restamp=False` moves no stamp, as a formula does."""
        with self.lock:
            table = self.table(sobject)
            when = self.stamp(stamp)
            stamps = self._new_stamps(table, when) if restamp else {}
            self._track(sobject, table.key(record_id), values, when)
            table.change(table.key(record_id), {**stamps, **values})
            self.journalize(
                "update", sobject=sobject, record_id=record_id, values=dict(values), stamp=when, restamp=restamp
            )

    def _track(self, sobject: str, record_id: str, values: Record, when: str) -> None:
        """Add a row of field history for each tracked field that changes."""
        history = self.tables.get(f"{sobject}History")
        tracked = TRACKED.get(sobject, ())
        if history is None or not tracked:
            return
        row = self.table(sobject).record(record_id)
        changed = [name for name in tracked if name in values and values[name] != row[name]]
        defaults = {name: value for name, value in self._audit(when).items() if name in history.place}
        full = [
            {**defaults, f"{sobject}Id": record_id, "Field": name, "OldValue": row[name], "NewValue": values[name]}
            for name in changed
        ]
        self._number(history, full)
        history.insert(full)

    def _new_stamps(self, table: Table, when: str) -> dict[str, Any]:
        return {name: when for name in (STAMP, "LastModifiedDate") if name in table.place}

    def restamp(self, sobject: str, ids: Iterable[str], stamp: Stamp = None) -> None:
        """Move the stamps of rows without other changes.

        A mass update or a release of Salesforce does this.
        """
        with self.lock:
            table, when, wanted = self.table(sobject), self.stamp(stamp), list(ids)
            for record_id in wanted:
                table.change(table.key(record_id), self._new_stamps(table, when))
            self.journalize("restamp", sobject=sobject, ids=wanted, stamp=when)

    def delete(self, sobject: str, record_id: str, *, stamp: Stamp = None, cascade: str | None = None) -> None:
        """Move a row and its children to the recycle bin.

        A row of an object without IsDeleted is gone at once.
        """
        with self.lock:
            table, when, how = self.table(sobject), self.stamp(stamp), cascade or self.behaviour.cascade
            self.delete_log(sobject).add(table.key(record_id), self._logged_at(when))
            if "IsDeleted" in table.place:
                table.change(table.key(record_id), {**self._new_stamps(table, when), "IsDeleted": True})
                self._delete_children(sobject, [table.key(record_id)], when=when, how=how)
            else:
                table.remove(table.key(record_id))
            self.journalize("delete", sobject=sobject, record_id=record_id, stamp=when, cascade=how)

    def _delete_children(self, sobject: str, parents: list[str], *, when: str, how: str) -> None:
        for child, column in CHILDREN.get(sobject, ()) if how != "none" else ():
            table = self.tables.get(child)
            keys = table.keys_where(column, parents) if table is not None and column in table.place else []
            for key in keys:
                stamps = self._new_stamps(self.table(child), when) if how == "restamped" else {}
                self.table(child).change(key, {**stamps, "IsDeleted": True})
                if how != "unlogged":
                    self.delete_log(child).add(key, self._logged_at(when))
            if keys:
                self._delete_children(child, keys, when=when, how=how)

    @staticmethod
    def _logged_at(when: str) -> int:
        return milliseconds(when)

    def undelete(self, sobject: str, record_id: str, *, stamp: Stamp = None, restamp: bool = True) -> None:
        """Take one row out of the recycle bin, without its children. `restamp=False` moves no stamp."""
        with self.lock:
            table, when = self.table(sobject), self.stamp(stamp)
            stamps = self._new_stamps(table, when) if restamp else {}
            table.change(table.key(record_id), {**stamps, "IsDeleted": False})
            self.delete_log(sobject).discard(table.key(record_id))
            self.journalize("undelete", sobject=sobject, record_id=record_id, stamp=when, restamp=restamp)

    def purge(self, sobject: str, record_id: str, *, log: bool = True) -> None:
        """Delete a row permanently: no query shows it.

        `log=False` leaves it out of the delete log too.
        """
        self.purge_many(sobject, [record_id], log=log)

    def purge_many(self, sobject: str, ids: Iterable[str], *, log: bool = True, stamp: Stamp = None) -> None:
        """Delete many rows permanently, as a bulk hard delete does."""
        with self.lock:
            table, when, wanted = self.table(sobject), self.stamp(stamp), list(ids)
            for key in map(table.key, wanted):
                table.remove(key)
                if log:
                    self.delete_log(sobject).add(key, self._logged_at(when))
            self.journalize("purge_many", sobject=sobject, ids=wanted, log=log, stamp=when)

    def empty_bin(self, sobject: str | None = None, *, log: bool = True) -> int:
        """Empty the recycle bin and return the number of deleted rows.

        Without an object all bins are emptied. The delete log keeps their entries. `log=False` drops all entries up to
        now: the guide says that results end "earlier if an administrator has purged the Recycle Bin".
        """
        with self.lock:
            names, now = [sobject] if sobject else list(self.tables), self.stamp(None)
            count = sum(self._empty_bin(self.table(name)) for name in names)
            if not log:
                for name in names:
                    self.delete_log(name).trim(self._logged_at(now))
            self.journalize("empty_bin", sobject=sobject, log=log)
            return count

    def _empty_bin(self, table: Table) -> int:
        keys = list(table.bin_keys)
        for key in keys:
            table.remove(key)
        return len(keys)

    def trim_delete_log(self, sobject: str, until: Stamp = None) -> None:
        """Drop the oldest entries of the delete log, up to a time (default now)."""
        with self.lock:
            when = self.stamp(until)
            self.delete_log(sobject).trim(self._logged_at(when))
            self.journalize("trim_delete_log", sobject=sobject, until=when)

    def set_raw(self, sobject: str, record_id: str, name: str, json_text: str) -> None:
        """Put any JSON text into a cell. No stamp moves.

        Examples: a lone surrogate, 1E400, 47.5 in an int.
        """
        with self.lock:
            table = self.table(sobject)
            table.set_raw(table.key(record_id), name, json_text)
            self.journalize("set_raw", sobject=sobject, record_id=record_id, name=name, json_text=json_text)

    def recalculate(self, sobject: str, values: Mapping[str, Record]) -> None:
        """Set columns of rows by Id without a stamp, as formulas and roll-ups change."""
        with self.lock:
            table = self.table(sobject)
            for record_id, record in values.items():
                table.change(table.key(record_id), record)
            self.journalize(
                "recalculate", sobject=sobject, values={key: dict(record) for key, record in values.items()}
            )

    def merge(self, sobject: str, winner: str, losers: Iterable[str], *, stamp: Stamp = None) -> None:
        """Merge duplicates: losers are deleted and name the winner; their children move to it."""
        with self.lock:
            table, when, lost = self.table(sobject), self.stamp(stamp), list(losers)
            master = table.key(winner)
            for loser in map(table.key, lost):
                table.change(loser, {**self._new_stamps(table, when), "IsDeleted": True, "MasterRecordId": master})
                self.delete_log(sobject).add(loser, self._logged_at(when))
            self._reparent(sobject, [table.key(loser) for loser in lost], master=master, when=when)
            table.change(master, self._new_stamps(table, when))
            self.journalize("merge", sobject=sobject, winner=winner, losers=lost, stamp=when)

    def _reparent(self, sobject: str, losers: list[str], *, master: str, when: str) -> None:
        for child, column in CHILDREN.get(sobject, ()):
            table = self.tables.get(child)
            keys = table.keys_where(column, losers) if table is not None and column in table.place else []
            for key in keys:
                self.table(child).change(key, {**self._new_stamps(self.table(child), when), column: master})

    def hide_rows(self, sobject: str, ids: Iterable[str]) -> None:
        """Hide rows from the integration user, as a sharing rule does. No error reports it."""
        with self.lock:
            table, wanted = self.table(sobject), list(ids)
            table.hidden_keys.update(map(table.key, wanted))
            self.journalize("hide_rows", sobject=sobject, ids=wanted)

    def show_rows(self, sobject: str, ids: Iterable[str] | None = None) -> None:
        """Show hidden rows again; all of them if none are named."""
        with self.lock:
            table, wanted = self.table(sobject), None if ids is None else list(ids)
            table.hidden_keys.difference_update(list(table.hidden_keys) if wanted is None else map(table.key, wanted))
            self.journalize("show_rows", sobject=sobject, ids=wanted)
