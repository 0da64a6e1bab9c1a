"""Changes of deals: leads become deals, deals move by stages, each move with its history row."""

from sf_assets.devorg.activity.rows import ActiveRows, is_live
from sf_assets.devorg.seed.deal_stages import BY_NAME, LOST, STAGES, WON, Stage, expected, fiscal
from sf_assets.devorg.seed.row_builder import DAY_SECONDS, Row, day, money, stamp

DAYS_TO_CLOSE = 60


def move_deal(rows: ActiveRows, at: int) -> int:
    """Move an open deal one stage, or win or lose it.

    The calculated pipeline of its account changes without a stamp.
    """
    deal = rows.one("Opportunity", at, _is_open)
    if deal is None:
        return 0
    stage = _next(rows, BY_NAME[deal["StageName"]])
    closes = day(at) if stage.is_closed else deal["CloseDate"]
    values = stage.columns() | fiscal(closes) | {"CloseDate": closes, "LastStageChangeDate": stamp(at)}
    values["ExpectedRevenue"] = expected(deal["Amount"], stage.probability)
    changed = _change_with_history(rows, deal, values, at)
    if stage.is_closed and deal["AccountId"] and deal["Amount"]:
        changed += _add_pipeline(rows, deal["AccountId"], -deal["Amount"], at)
    return changed


def new_amount(rows: ActiveRows, at: int) -> int:
    """Raise the amount of an open deal without lines."""
    deal = rows.one("Opportunity", at, lambda row: _is_open(row) and not row["HasOpportunityLineItem"])
    if deal is None:
        return 0
    before, amount = deal["Amount"] or 0.0, money((deal["Amount"] or 1_000.0) * 1.2)
    values = {"Amount": amount, "ExpectedRevenue": expected(amount, deal["Probability"])}
    changed = _change_with_history(rows, deal, values, at)
    if deal["AccountId"]:
        changed += _add_pipeline(rows, deal["AccountId"], amount - before, at)
    return changed


def convert_lead(rows: ActiveRows, at: int) -> int:
    """Convert a lead to an account, a contact and a deal."""
    lead = rows.one("Lead", at, lambda row: is_live(row) and not row["IsConverted"])
    if lead is None:
        return 0
    mine: Row = {"OwnerId": rows.one_id("User", at), "LeadSource": lead["LeadSource"]}
    account_id = rows.insert("Account", {"Name": lead["Company"], "OwnerId": mine["OwnerId"]} | _pipeline(0.0), at)
    values = {name: lead[name] for name in ("FirstName", "LastName", "Name", "Email", "Phone", "Title")}
    contact_id = rows.insert("Contact", values | mine | {"AccountId": account_id}, at)
    deal = _first(lead["Company"], at) | mine | {"AccountId": account_id, "ContactId": contact_id}
    deal_id = rows.insert("Opportunity", deal, at)
    rows.insert("OpportunityHistory", _history_columns(deal, deal_id), at)
    values = {
        "Status": "Closed - Converted", "IsConverted": True, "ConvertedDate": day(at), "ConvertedAccountId": account_id,
        "ConvertedContactId": contact_id, "ConvertedOpportunityId": deal_id, "IsUnreadByOwner": False,
    }  # fmt: skip
    return 4 + rows.update("Lead", lead, values, at)


def _is_open(row: Row) -> bool:
    return is_live(row) and not row["IsClosed"]


def _next(rows: ActiveRows, stage: Stage) -> Stage:
    """Return the stage after this one.

    The last open stage ends won or lost. A deal can be lost at any stage.
    """
    place = STAGES.index(stage) + 1
    if rows.rng.random() < 0.15:
        return LOST
    if place < len(STAGES):
        return STAGES[place]
    return WON if rows.rng.random() < 0.6 else LOST


def _first(company: str, at: int) -> Row:
    """Return a deal on its first day."""
    closes = day(at + DAYS_TO_CLOSE * DAY_SECONDS)
    stage = STAGES[0]
    return stage.columns() | fiscal(closes) | {
        "Name": f"{company} – New Business"[:120], "CloseDate": closes, "CurrencyIsoCode": "USD",
        "Amount": None, "ExpectedRevenue": None,
    }  # fmt: skip


def _history_columns(deal: Row, deal_id: str) -> Row:
    """Return the columns of a deal that its history row copies."""
    names = ("StageName", "Probability", "ForecastCategory", "Amount", "ExpectedRevenue", "CloseDate")
    columns = {name: deal[name] for name in (*names, "CurrencyIsoCode")}
    return columns | {"OpportunityId": deal_id}


def _change_with_history(rows: ActiveRows, deal: Row, values: Row, at: int) -> int:
    """Add the history row of a change, then change the deal: two rows."""
    before = {"PrevAmount": deal["Amount"], "PrevCloseDate": deal["CloseDate"]}
    history_id = rows.insert("OpportunityHistory", _history_columns(deal | values, deal["Id"]) | before, at)
    if values.get("Amount", deal["Amount"]) != deal["Amount"]:
        values = values | {"LastAmountChangedHistoryId": history_id}
    if values.get("CloseDate", deal["CloseDate"]) != deal["CloseDate"]:
        values = values | {"LastCloseDateChangedHistoryId": history_id}
    return 1 + rows.update("Opportunity", deal, values, at)


def _pipeline(amount: float) -> Row:
    return {"Open_Pipeline__c": money(amount)}


def _add_pipeline(rows: ActiveRows, account_id: str, amount: float, at: int) -> int:
    return rows.recalculate(
        "Account", account_id, lambda account: _pipeline((account["Open_Pipeline__c"] or 0.0) + amount), at
    )
