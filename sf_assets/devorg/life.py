"""What happens in the practice org while nobody looks: leads come, deals move, cases close, people log in.

It changes an org through the org's own verbs only; the same org and interval give the same changes.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import cycle, islice
from random import Random

from sf_assets.devorg.life_deals import convert_lead, move_deal, new_amount
from sf_assets.devorg.life_rows import LivingOrg, LivingRows, is_alive, moment
from sf_assets.devorg.seed_accounts import interest, person
from sf_assets.devorg.seed_sheet import DAY_SECONDS, Row, day, pick, stamp
from sf_assets.devorg.seed_words import SUBJECTS, TEXTS, firms

FEWEST, MOST, EACH_HOUR = 40, 400, 6
Happening = Callable[[LivingRows, int], int]


def live(org: LivingOrg, since: datetime, until: datetime) -> int:
    """Let time pass: make plausible changes with stamps inside (since, until], in order; the number of changed rows.

    A short pause sees some forty happenings, a long one at most four hundred. Nothing happens where no whole second
    lies inside. Both moments are aware.
    """
    first, last = int(since.timestamp()) + 1, int(until.timestamp())
    if last < first:
        return 0
    rng = Random(f"{first}/{last}")
    count = min(MOST, FEWEST + (last - first) * EACH_HOUR // 3_600)
    moments = sorted(first + int(rng.random() * (last - first + 1)) for _ in range(count))
    happenings = list(HAPPENINGS)
    rng.shuffle(happenings)
    rows = LivingRows(org, rng)
    return sum(happen(rows, at) for at, happen in zip(moments, islice(cycle(happenings), count), strict=True))


# Each happening takes the rows and its moment (epoch seconds) and says how many rows it changed: none when none fits.


def new_lead(rows: LivingRows, at: int) -> int:
    rng = rows.rng
    values = person(rng, at % 10**6, host="lead.example") | interest(rng, at % 10**6)
    values |= {"Company": pick(rng, firms()), "Status": "Open - Not Contacted", "OwnerId": rows.one_id("User", at)}
    rows.insert("Lead", values, at)
    return 1


def work_lead(rows: LivingRows, at: int) -> int:
    row = rows.one("Lead", at, lambda row: is_alive(row) and row["Status"] == "Open - Not Contacted")
    return rows.update("Lead", row, {"Status": "Working - Contacted", "IsUnreadByOwner": False}, at) if row else 0


def delete_lead(rows: LivingRows, at: int) -> int:
    row = rows.one("Lead", at, lambda row: is_alive(row) and not row["IsConverted"])
    return _delete(rows, "Lead", row, at)


def new_case(rows: LivingRows, at: int) -> int:
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


def close_case(rows: LivingRows, at: int) -> int:
    row = rows.one("Case", at, lambda row: is_alive(row) and not row["IsClosed"])
    return rows.update("Case", row, {"Status": "Closed", "IsClosed": True, "ClosedDate": stamp(at)}, at) if row else 0


def new_task(rows: LivingRows, at: int) -> int:
    deal = rows.one("Opportunity", at)
    values: Row = {
        "Subject": "Follow-up: 👋", "Status": "Not Started", "Priority": "Normal", "TaskSubtype": "Task",
        "ActivityDate": day(at + 3 * DAY_SECONDS), "OwnerId": rows.one_id("User", at),
    }  # fmt: skip
    values |= {"WhatId": deal["Id"], "AccountId": deal["AccountId"]} if deal else {}
    rows.insert("Task", values, at)
    return 1


def finish_task(rows: LivingRows, at: int) -> int:
    row = rows.one("Task", at, lambda row: is_alive(row) and not row["IsClosed"])
    values = {"Status": "Completed", "IsClosed": True, "CompletedDateTime": stamp(at)}
    return rows.update("Task", row, values, at) if row else 0


def delete_task(rows: LivingRows, at: int) -> int:
    return _delete(rows, "Task", rows.one("Task", at, lambda row: is_alive(row) and not row["IsRecurrence"]), at)


def undelete_task(rows: LivingRows, at: int) -> int:
    row = rows.one("Task", at, lambda row: bool(row["IsDeleted"]))
    if row is None:
        return 0
    rows.org.undelete("Task", row["Id"], stamp=moment(at))
    row |= {"IsDeleted": False, "SystemModstamp": stamp(at)}
    return 1


def _delete(rows: LivingRows, sobject: str, row: Row | None, at: int) -> int:
    """Put a row in the recycle bin."""
    if row is None:
        return 0
    rows.org.delete(sobject, row["Id"], stamp=moment(at))
    row |= {"IsDeleted": True, "SystemModstamp": stamp(at)}
    return 1


def log_in(rows: LivingRows, at: int) -> int:
    row = rows.one("User", at, lambda row: bool(row["IsActive"]))
    return rows.update("User", row, {"LastLoginDate": stamp(at), "NumberOfFailedLogins": 0}, at) if row else 0


def edit_contact(rows: LivingRows, at: int) -> int:
    row = rows.one("Contact", at)
    values = {"MobilePhone": f"+1-202-555-{int(rows.rng.random() * 10_000):04}", "Title": "Head of Everything"}
    return rows.update("Contact", row, values, at) if row else 0


def new_contact(rows: LivingRows, at: int) -> int:
    known = rows.one("Contact", at)
    values = person(rows.rng, at % 10**6, host="mail.example") | {"OwnerId": rows.one_id("User", at)}
    rows.insert("Contact", values | {"AccountId": known["AccountId"] if known else None}, at)
    return 1


def count_page_views(rows: LivingRows, at: int) -> int:
    row = rows.one("Organization", at)
    return rows.update("Organization", row, {"MonthlyPageViewsUsed": at % 15_000}, at) if row else 0


def assign_set(rows: LivingRows, at: int) -> int:
    """Give a user a permission set that he does not have yet."""
    user = rows.one_id("User", at)
    had = {row["PermissionSetId"] for row in rows.all("PermissionSetAssignment") if row["AssigneeId"] == user}
    wanted = rows.one("PermissionSet", at, lambda row: row["ProfileId"] is None and row["Id"] not in had)
    if user is None or wanted is None:
        return 0
    rows.insert("PermissionSetAssignment", {"PermissionSetId": wanted["Id"], "AssigneeId": user, "IsActive": True}, at)
    return 1


# What happens more often stands here more often.
HAPPENINGS: Sequence[Happening] = (
    *(new_lead, new_lead, work_lead, convert_lead, delete_lead),
    *(move_deal, move_deal, move_deal, new_amount),
    *(new_case, close_case, close_case),
    *(new_task, new_task, finish_task, delete_task, undelete_task),
    *(log_in, log_in, new_contact, edit_contact, count_page_views, assign_set),
)
