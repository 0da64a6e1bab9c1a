"""Simulated activity in the practice org: leads come, deals move, cases close, people log in.

It uses the org's own operations only. The same org and interval give the same changes.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import cycle, islice
from random import Random

from sf_assets.devorg.activity.deals import convert_lead, move_deal, new_amount
from sf_assets.devorg.activity.people import assign_set, count_page_views, grant_field, log_in
from sf_assets.devorg.activity.rows import ActiveRows, ChangeableOrg, is_live, moment
from sf_assets.devorg.seed.accounts import lead_columns, person
from sf_assets.devorg.seed.row_builder import DAY_SECONDS, Row, day, pick, stamp
from sf_assets.devorg.seed.vocabulary import SUBJECTS, TEXTS, firms

FEWEST_ACTIONS, MOST_ACTIONS, EACH_HOUR = 40, 400, 6
Action = Callable[[ActiveRows, int], int]


def simulate(org: ChangeableOrg, since: datetime, until: datetime) -> int:
    """Make plausible changes with stamps inside (since, until], and return their number of rows.

    A short pause has some forty actions, a long one at most four hundred. Nothing changes if the interval contains no
    whole second. Both moments are aware.
    """
    first, last = int(since.timestamp()) + 1, int(until.timestamp())
    if last < first:
        return 0
    rng = Random(f"{first}/{last}")
    count = min(MOST_ACTIONS, FEWEST_ACTIONS + (last - first) * EACH_HOUR // 3_600)
    moments = sorted(first + int(rng.random() * (last - first + 1)) for _ in range(count))
    actions = list(ACTIONS)
    rng.shuffle(actions)
    rows = ActiveRows(org, rng)
    return sum(act(rows, at) for at, act in zip(moments, islice(cycle(actions), count), strict=True))


# An action takes the rows and its moment (epoch seconds) and returns the number of rows that it changed.


def new_lead(rows: ActiveRows, at: int) -> int:
    rng = rows.rng
    values = person(rng, at % 10**6, host="lead.example") | lead_columns(rng, at % 10**6)
    values |= {"Company": pick(rng, firms()), "Status": "Open - Not Contacted", "OwnerId": rows.one_id("User", at)}
    rows.insert("Lead", values, at)
    return 1


def work_lead(rows: ActiveRows, at: int) -> int:
    row = rows.one("Lead", at, lambda row: is_live(row) and row["Status"] == "Open - Not Contacted")
    return rows.update("Lead", row, {"Status": "Working - Contacted", "IsUnreadByOwner": False}, at) if row else 0


def delete_lead(rows: ActiveRows, at: int) -> int:
    row = rows.one("Lead", at, lambda row: is_live(row) and not row["IsConverted"])
    return _delete(rows, "Lead", row, at)


def new_case(rows: ActiveRows, at: int) -> int:
    contact = rows.one("Contact", at)
    numbers = [int(row["CaseNumber"]) for row in rows.all("Case")]
    values: Row = {
        "CaseNumber": f"{max(numbers, default=999) + 1:08}", "Subject": pick(rows.rng, SUBJECTS), "Status": "New",
        "Priority": "Medium", "Origin": "Web", "Description": pick(rows.rng, TEXTS),
    }  # fmt: skip
    if contact is not None:
        values |= {"ContactId": contact["Id"], "AccountId": contact["AccountId"], "ContactEmail": contact["Email"]}
    rows.insert("Case", values, at)
    return 1


def close_case(rows: ActiveRows, at: int) -> int:
    row = rows.one("Case", at, lambda row: is_live(row) and not row["IsClosed"])
    return rows.update("Case", row, {"Status": "Closed", "IsClosed": True, "ClosedDate": stamp(at)}, at) if row else 0


def new_task(rows: ActiveRows, at: int) -> int:
    deal = rows.one("Opportunity", at)
    values: Row = {
        "Subject": "Follow-up: 👋", "Status": "Not Started", "Priority": "Normal", "TaskSubtype": "Task",
        "ActivityDate": day(at + 3 * DAY_SECONDS), "OwnerId": rows.one_id("User", at),
    }  # fmt: skip
    values |= {"WhatId": deal["Id"], "AccountId": deal["AccountId"]} if deal else {}
    rows.insert("Task", values, at)
    return 1


def finish_task(rows: ActiveRows, at: int) -> int:
    row = rows.one("Task", at, lambda row: is_live(row) and not row["IsClosed"])
    values = {"Status": "Completed", "IsClosed": True, "CompletedDateTime": stamp(at)}
    return rows.update("Task", row, values, at) if row else 0


def delete_task(rows: ActiveRows, at: int) -> int:
    return _delete(rows, "Task", rows.one("Task", at, lambda row: is_live(row) and not row["IsRecurrence"]), at)


def undelete_task(rows: ActiveRows, at: int) -> int:
    row = rows.one("Task", at, lambda row: bool(row["IsDeleted"]))
    if row is None:
        return 0
    rows.org.undelete("Task", row["Id"], stamp=moment(at))
    row |= {"IsDeleted": False, "SystemModstamp": stamp(at)}
    return 1


def _delete(rows: ActiveRows, sobject: str, row: Row | None, at: int) -> int:
    """Move a row to the recycle bin."""
    if row is None:
        return 0
    rows.org.delete(sobject, row["Id"], stamp=moment(at))
    row |= {"IsDeleted": True, "SystemModstamp": stamp(at)}
    return 1


def edit_contact(rows: ActiveRows, at: int) -> int:
    row = rows.one("Contact", at)
    values = {"MobilePhone": f"+1-202-555-{int(rows.rng.random() * 10_000):04}", "Title": "Head of Everything"}
    return rows.update("Contact", row, values, at) if row else 0


def new_contact(rows: ActiveRows, at: int) -> int:
    other = rows.one("Contact", at)
    values = person(rows.rng, at % 10**6, host="mail.example") | {"OwnerId": rows.one_id("User", at)}
    rows.insert("Contact", values | {"AccountId": other["AccountId"] if other else None}, at)
    return 1


def edit_account(rows: ActiveRows, at: int) -> int:
    """Change phone number and score of some contact's account."""
    contact = rows.one("Contact", at, lambda row: is_live(row) and row["AccountId"] is not None)
    account = rows.org.row("Account", contact["AccountId"]) if contact else None
    if account is None or account["SystemModstamp"] > stamp(at):
        return 0
    values = {
        "Phone": f"+49 89 {int(rows.rng.random() * 10**6):06}",
        "Health_Score__c": round(rows.rng.random() * 100, 1),
    }
    return rows.update("Account", account, values, at)


def new_event(rows: ActiveRows, at: int) -> int:
    contact = rows.one("Contact", at)
    starts = at - at % 3_600 + 2 * DAY_SECONDS
    values: Row = {
        "Subject": "Meeting", "StartDateTime": stamp(starts), "EndDateTime": stamp(starts + 3_600), "ShowAs": "Busy",
        "ActivityDateTime": stamp(starts), "ActivityDate": day(starts), "EndDate": day(starts + 3_600),
        "DurationInMinutes": 60, "GroupEventType": "0", "EventSubtype": "Event", "OwnerId": rows.one_id("User", at),
    }  # fmt: skip
    values |= {"WhoId": contact["Id"], "AccountId": contact["AccountId"]} if contact else {}
    rows.insert("Event", values, at)
    return 1


def activate_order(rows: ActiveRows, at: int) -> int:
    row = rows.one("Order", at, lambda row: is_live(row) and row["Status"] == "Draft")
    if row is None:
        return 0
    values = {"Status": "Activated", "StatusCode": "Activated", "ActivatedDate": stamp(at)}
    return rows.update("Order", row, values | {"ActivatedById": row["OwnerId"]}, at)


# Frequent actions are listed more often.
ACTIONS: Sequence[Action] = (
    *(new_lead, new_lead, work_lead, convert_lead, delete_lead),
    *(move_deal, move_deal, move_deal, new_amount),
    *(new_case, close_case, close_case),
    *(new_task, new_task, finish_task, delete_task, undelete_task),
    *(new_event, activate_order, new_contact, edit_contact, edit_account),
    *(log_in, log_in, count_page_views, assign_set, grant_field),
)
