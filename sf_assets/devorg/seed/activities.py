"""Tasks and events. Old ones are archived: only queryAll shows them."""

from collections.abc import Callable, Mapping, Sequence
from random import Random

from sf_assets.devorg.seed.accounts import CASE_QUEUE, LONGEST_TEXT, is_deleted, maybe_text
from sf_assets.devorg.seed.row_builder import DAY_SECONDS, Row, RowBuilder, day, maybe, pick, stamp
from sf_assets.devorg.seed.vocabulary import long_text

ARCHIVED_AFTER_DAYS = 365
HOUR_SECONDS = 3_600
SERIES = 4  # activities in a recurring series
SUBJECTS = (
    "Call",
    "Email",
    "Send Letter/Quote",
    "Send Quote",
    "Other",
    "Follow-up: 👋",
    "Rückruf",
    "מעקב",
    None,
    "Demo\tprep",
)
OPEN_STATUSES = ("Not Started", "In Progress", "Waiting on someone else", "Deferred")


def fill_tasks(builder: RowBuilder, *, people: Sequence[RowBuilder], subjects: Sequence[RowBuilder]) -> None:
    """Add the tasks; those that were done long ago are archived."""
    rng = builder.rng
    for index, at in enumerate(builder.birth_times()):
        due = at + int(rng.random() * 30) * DAY_SECONDS
        touched = min(builder.ends, builder.later(at))
        row = _task(rng, index) | _about(rng, at, people=people, subjects=subjects)
        row |= _progress(rng, due, touched, ends=builder.ends) | {"IsDeleted": is_deleted(builder, 0.03)}
        added = builder.add(at, row, touched=touched)
        if index % 50 == 9:
            added["OwnerId"] = CASE_QUEUE
    builder.finish()
    _recur(builder, start="RecurrenceStartDateOnly", moment_of=lambda row: row["ActivityDate"])


def _task(rng: Random, index: int) -> Row:
    """Return subject, priority and texts; a fifth are calls."""
    chance, is_call = rng.random(), rng.random() < 0.2
    priority = ("High", "Normal", "Normal", "Low")[int(chance * 4)]
    values = {"CallDurationInSeconds": int(chance * 3_600), "CallType": "Outbound", "CallObject": f"call-{index}"}
    return (values if is_call else {}) | {
        "Subject": pick(rng, SUBJECTS) or None, "Priority": priority, "IsHighPriority": priority == "High",
        "Description": long_text(LONGEST_TEXT) if index % 1_500 == 7 else maybe_text(rng),
        "TaskSubtype": "Call" if is_call else "Task", "CallDisposition": "Reached" if is_call else None,
        "Outcome_Code__c": maybe(rng, 0.3, f"0{int(chance * 99):02}"), "Effort_Hours__c": round(chance * 8, 2),
    }  # fmt: skip


def _about(rng: Random, at: int, *, people: Sequence[RowBuilder], subjects: Sequence[RowBuilder]) -> Row:
    """Return the records that an activity is about; a lead has no second one."""
    who = pick(rng, people).one(rng, at) if rng.random() < 0.7 else None
    is_lead = who is not None and "Company" in who
    builder = pick(rng, subjects)
    what = None if is_lead or rng.random() < 0.3 else builder.one(rng, at)
    account_id = None
    if what is not None:
        account_id = what["Id"] if builder.schema.name == "Account" else what.get("AccountId")
    elif who is not None:
        account_id = who.get("AccountId")
    return {"WhoId": who["Id"] if who else None, "WhatId": what["Id"] if what else None, "AccountId": account_id}


def _progress(rng: Random, due: int, touched: int, *, ends: int) -> Row:
    """Return whether a task is done and whether it is archived."""
    is_closed = rng.random() < 0.75 and due < ends
    status = "Completed" if is_closed else pick(rng, OPEN_STATUSES)
    is_archived = is_closed and due < ends - ARCHIVED_AFTER_DAYS * DAY_SECONDS
    has_reminder = not is_closed and rng.random() < 0.3
    return {
        "ActivityDate": maybe(rng, 0.9, day(due)) if not is_archived else day(due), "Status": status,
        "IsClosed": is_closed, "IsArchived": is_archived, "IsReminderSet": has_reminder,
        "CompletedDateTime": stamp(touched) if is_closed else None,
        "ReminderDateTime": stamp(due - due % DAY_SECONDS + 8 * HOUR_SECONDS) if has_reminder else None,
    }  # fmt: skip


def fill_events(builder: RowBuilder, *, people: Sequence[RowBuilder], subjects: Sequence[RowBuilder]) -> None:
    """Add the events, some all day long, some in the future; old ones are archived."""
    rng = builder.rng
    for index, at in enumerate(builder.birth_times()):
        row = _event(rng, at, ends=builder.ends) | _about(rng, at, people=people, subjects=subjects)
        row |= {
            "IsDeleted": is_deleted(builder, 0.03),
            "Location": pick(rng, ("Raum 3", "Zoom", "客先", "4th floor", None)),
        }
        row["Description"] = long_text(20_000) if index % 300 == 5 else maybe_text(rng)
        builder.add(at, row)
    builder.finish()
    _recur(builder, start="RecurrenceStartDateTime", moment_of=lambda row: row["StartDateTime"])


def _event(rng: Random, at: int, *, ends: int) -> Row:
    is_all_day = rng.random() < 0.1
    starts_on = at // DAY_SECONDS + int(rng.random() * 45)
    minutes = 1_440 if is_all_day else pick(rng, (15, 30, 60, 90))
    starts = starts_on * DAY_SECONDS + (0 if is_all_day else (8 + int(rng.random() * 9)) * HOUR_SECONDS)
    over = starts + minutes * 60
    return {
        "Subject": pick(rng, ("Meeting", "Call", "Demo 🎬", "Jour fixe", "Other")), "IsAllDayEvent": is_all_day,
        "ActivityDateTime": None if is_all_day else stamp(starts), "ActivityDate": day(starts), "EndDate": day(over),
        "DurationInMinutes": minutes, "StartDateTime": stamp(starts), "EndDateTime": stamp(over), "ShowAs": "Busy",
        "GroupEventType": "0", "IsArchived": over < ends - ARCHIVED_AFTER_DAYS * DAY_SECONDS, "EventSubtype": "Event",
        "IsPrivate": rng.random() < 0.05, "IsReminderSet": False,
    }  # fmt: skip


def _recur(builder: RowBuilder, *, start: str, moment_of: Callable[[Row], str | None]) -> None:
    """Make some neighbours one series: the first is the pattern, the others are its occurrences."""
    for first in range(20, len(builder.live_rows) - SERIES, 100):
        pattern, *others = builder.live_rows[first : first + SERIES]
        pattern |= {
            "IsRecurrence": True, "RecurrenceType": "RecursWeekly", "RecurrenceInterval": 1, start: moment_of(pattern),
            "RecurrenceDayOfWeekMask": 2,
            "RecurrenceEndDateOnly": (last := moment_of(others[-1])) and last[:10],
        }  # fmt: skip
        for row in (pattern, *others):
            row["RecurrenceActivityId"] = pattern["Id"]


def mark_activity(
    tasks: RowBuilder, events: RowBuilder, *, touched: Sequence[RowBuilder], opportunities: RowBuilder
) -> None:
    """Set the activity columns of records: last day, and open activities of deals."""
    last: dict[str, str] = {}
    for row in (*tasks.live_rows, *events.live_rows):
        if row["ActivityDate"] and (row.get("IsClosed") or "StartDateTime" in row):
            for record_id in filter(None, (row["WhoId"], row["WhatId"], row["AccountId"])):
                last[record_id] = max(last.get(record_id, ""), row["ActivityDate"])
    for builder in touched:
        for row in builder.live_rows:
            row["LastActivityDate"] = last.get(row["Id"])
    _mark_open(tasks, {row["Id"]: row for row in opportunities.live_rows}, today=day(tasks.ends))


def _mark_open(tasks: RowBuilder, opportunities: Mapping[str, Row], *, today: str) -> None:
    for task in tasks.live_rows:
        row = opportunities.get(task["WhatId"])
        if row is not None and not task["IsClosed"]:
            row["HasOpenActivity"] = True
            row["HasOverdueTask"] |= bool(task["ActivityDate"] and task["ActivityDate"] < today)
