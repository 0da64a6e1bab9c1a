"""Changes of the org's own people: logins, and rights that they get. Snapshot endpoints show these."""

from sf_assets.devorg.activity.rows import ActiveRows
from sf_assets.devorg.seed.row_builder import Row, pick, stamp

GRANTED = ("Account.Tier__c", "Opportunity.Margin__c", "Contact.National_Id__c", "Lead.Score__c", "Case.Root_Cause__c")


def log_in(rows: ActiveRows, at: int) -> int:
    row = rows.one("User", at, lambda row: bool(row["IsActive"]))
    return rows.update("User", row, {"LastLoginDate": stamp(at), "NumberOfFailedLogins": 0}, at) if row else 0


def count_page_views(rows: ActiveRows, at: int) -> int:
    row = rows.one("Organization", at)
    return rows.update("Organization", row, {"MonthlyPageViewsUsed": at % 15_000}, at) if row else 0


def assign_set(rows: ActiveRows, at: int) -> int:
    """Assign a permission set to a user who does not have it yet."""
    user = rows.one_id("User", at)
    had = {row["PermissionSetId"] for row in rows.all("PermissionSetAssignment") if row["AssigneeId"] == user}
    wanted = rows.one("PermissionSet", at, lambda row: row["ProfileId"] is None and row["Id"] not in had)
    if user is None or wanted is None:
        return 0
    rows.insert("PermissionSetAssignment", {"PermissionSetId": wanted["Id"], "AssigneeId": user, "IsActive": True}, at)
    return 1


def grant_field(rows: ActiveRows, at: int) -> int:
    """Let a permission set that people made read one more field."""
    field = pick(rows.rng, GRANTED)
    had = {row["ParentId"] for row in rows.all("FieldPermissions") if row["Field"] == field}
    wanted = rows.one("PermissionSet", at, lambda row: _is_made(row) and row["Id"] not in had)
    if wanted is None:
        return 0
    values: Row = {"ParentId": wanted["Id"], "Field": field, "SobjectType": field.partition(".")[0]}
    rows.insert("FieldPermissions", values | {"PermissionsRead": True}, at)
    return 1


def _is_made(row: Row) -> bool:
    return row["ProfileId"] is None and not row["PermissionsModifyAllData"]
