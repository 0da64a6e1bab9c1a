"""Cases, their outcome, and the contact data that they show."""

from random import Random

from sf_assets.devorg.seed.accounts import CASE_QUEUE, is_deleted, maybe_text, merge
from sf_assets.devorg.seed.deals import contacts_by_account
from sf_assets.devorg.seed.row_builder import DAY_SECONDS, Row, RowBuilder, maybe, pick, stamp
from sf_assets.devorg.seed.vocabulary import SUBJECTS

SLA_MINUTES = 240
OLD_DAYS = 400  # by then nearly every case is closed
# case's column | the contact's column that it shows
SHOWN_OF_CONTACT = {
    "ContactPhone": "Phone",
    "ContactMobile": "MobilePhone",
    "ContactEmail": "Email",
    "ContactFax": "Fax",
}


def fill_cases(
    builder: RowBuilder,
    *,
    accounts: RowBuilder,
    contacts: RowBuilder,
    assets: RowBuilder,
    record_types: list[str | None],
) -> None:
    """Add the cases. Older ones are mostly closed; a few have a parent."""
    rng, people = builder.rng, contacts_by_account(contacts)
    assets_of = {row["AccountId"]: row["Id"] for row in assets.live_rows}
    for index, at in enumerate(builder.birth_times()):
        account = accounts.one(rng, at)
        own = people.get(account["Id"], []) if account else []
        row = _case(builder, index) | _from_web(rng, has_contact=bool(own))
        row |= _of_contact(pick(rng, own)) if own else {"AccountId": account["Id"] if account else None}
        row |= {"RecordTypeId": pick(rng, record_types), "AssetId": maybe(rng, 0.3, assets_of.get(row["AccountId"]))}
        row["IsDeleted"] = is_deleted(builder, 0.03)
        touched = builder.later(at)
        added = builder.add(at, row | _outcome(rng, at, touched, age=builder.ends - at), touched=touched)
        if rng.random() < 0.1:
            added["OwnerId"] = CASE_QUEUE
    builder.finish()
    merge(builder)
    for index, row in enumerate(builder.live_rows[1:], start=1):
        row["ParentId"] = builder.live_rows[int(rng.random() * index)]["Id"] if rng.random() < 0.03 else None


def _case(builder: RowBuilder, index: int) -> Row:
    rng, fields = builder.rng, builder.schema.fields
    minutes = float(int(rng.random() ** 3 * 3_000))
    has_answer = rng.random() < 0.85
    values: Row = {name: pick(rng, (*fields[name].picklist_values, None)) for name in ("Type", "Reason", "Origin")}
    return values | {
        "CaseNumber": f"{index + 1_000:08}", "Subject": pick(rng, SUBJECTS), "Description": maybe_text(rng),
        "Priority": pick(rng, fields["Priority"].picklist_values),
        "Comments": maybe(rng, 0.1, "intern: bitte prüfen\t!"),
        "First_Response_Minutes__c": minutes if has_answer else None, "IsEscalated": rng.random() < 0.07,
        "Root_Cause__c": maybe(rng, 0.2, "Firmware < 2.1\nsee release notes"),
        "Sla_Breached__c": not has_answer or minutes > SLA_MINUTES,
    }  # fmt: skip


def _from_web(rng: Random, *, has_contact: bool) -> Row:
    """Return what a stranger entered in the web form."""
    if has_contact or rng.random() < 0.3:
        return {}
    return {"SuppliedName": "Jane « Doe »", "SuppliedEmail": "jane@elsewhere.example", "SuppliedCompany": "Elsewhere"}


def _of_contact(contact: Row) -> Row:
    record = {name: contact[source] for name, source in SHOWN_OF_CONTACT.items()}
    return record | {"ContactId": contact["Id"], "AccountId": contact["AccountId"]}


def _outcome(rng: Random, at: int, touched: int, *, age: int) -> Row:
    """Return the status: open while young, closed at the last change, sometimes at once."""
    is_closed = rng.random() < min(0.95, 0.2 + age / (OLD_DAYS * DAY_SECONDS))
    if not is_closed:
        return {"Status": pick(rng, ("New", "Working", "Escalated")), "IsClosed": False}
    closed = {"Status": "Closed", "IsClosed": True, "ClosedDate": stamp(touched)}
    return closed | {"IsClosedOnCreate": touched == at}
