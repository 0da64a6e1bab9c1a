"""Each mart against a computation of its own in Polars, from the org's rows and not from the tables."""

from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal

import polars as pl
import pytest

pytestmark = pytest.mark.usefixtures("marts_state")

MONEY = pl.Decimal(38, 6)
MARTS = {}
NO_CURRENCY = "XXX"


def mart(order):
    """Register a computation under its name; `order` are the columns that are compared."""
    return lambda compute: MARTS.setdefault(compute.__name__, (order.split(), compute))


class Truth:
    """The org's living rows as frames."""

    def __init__(self, org):
        self.org = org
        [organization] = org.rows("Organization")
        self.start = organization["FiscalYearStartMonth"]
        self.named_by_start = organization["UsesStartDateAsFiscalYearName"]

    def rows(self, sobject, **columns):
        """The living rows; `columns` are name -> API name, of a Salesforce type when it is (API name, type)."""
        living = [row for row in self.org.rows(sobject) if not row.get("IsDeleted")]
        series = [column(name, source, living) for name, source in columns.items()]
        return pl.DataFrame(series)

    def accounts(self):
        """Every account's Id -> the Id of the one that stands for it now."""
        master = {row["Id"]: row["MasterRecordId"] for row in self.org.rows("Account")}

        def current(account):
            while account and master.get(account):
                account = master[account]
            return account

        return {account: current(account) for account in master}

    def fiscal(self, frame, day):
        """The frame with fiscal_year and fiscal_quarter of a date column."""
        months = pl.col(day).dt.year() * 12 + pl.col(day).dt.month() - self.start
        years_added = 1 if self.start > 1 and not self.named_by_start else 0
        year, quarter = (
            (months // 12 + years_added).alias("fiscal_year"),
            (months % 12 // 3 + 1).alias("fiscal_quarter"),
        )
        return frame.with_columns(year, quarter)

    def users(self):
        return self.rows("User", owner_id="Id", owner_name="Name", role_id="UserRoleId", manager_id="ManagerId").join(
            self.rows("UserRole", role_id="Id", owner_role="Name"), on="role_id", how="left"
        )


def column(name, source, rows):
    api_name, kind = source if isinstance(source, tuple) else (source, None)
    values = [row.get(api_name) for row in rows]
    if kind == "money":
        six = Decimal("0.000001")
        return pl.Series(name, [None if v is None else Decimal(repr(v)).quantize(six, ROUND_HALF_EVEN) for v in values],
                         dtype=MONEY)  # fmt: skip
    if kind == "date":
        return pl.Series(name, [v and date.fromisoformat(v[:10]) for v in values], dtype=pl.Date)
    if kind == "moment":
        return pl.Series(name, [v and datetime.fromisoformat(v) for v in values], dtype=pl.Datetime("us", "UTC"))
    if kind == "currency":
        return pl.Series(name, [v or NO_CURRENCY for v in values], dtype=pl.String)
    is_text = any(isinstance(value, str) for value in values) or all(value is None for value in values)
    return pl.Series(name, values, dtype=pl.String if is_text else None)


def deals(truth):
    frame = truth.rows(
        "Opportunity",
        opportunity_id="Id",
        stage_name="StageName",
        forecast_category_name="ForecastCategoryName",
        owner_id="OwnerId",
        record_type_id="RecordTypeId",
        account_id="AccountId",
        currency_iso_code=("CurrencyIsoCode", "currency"),
        amount=("Amount", "money"),
        expected_revenue=("ExpectedRevenue", "money"),
        close_date=("CloseDate", "date"),
        is_closed="IsClosed",
        is_won="IsWon",
    )
    current = truth.accounts()
    account_ids = pl.Series(
        "account_id", [current.get(account, account) for account in frame["account_id"]], dtype=pl.String
    )
    return truth.fiscal(frame.with_columns(account_ids), "close_date")


def with_names(truth, frame):
    kinds = truth.rows("RecordType", record_type_id="Id", record_type="Name")
    return frame.join(truth.users(), on="owner_id", how="left").join(kinds, on="record_type_id", how="left")


@mart(
    "stage_name forecast_category_name owner_id owner_name owner_role record_type_id record_type industry fiscal_year "
    "fiscal_quarter currency_iso_code opportunities opportunities_without_amount amount expected_revenue"
)
def pipeline_by_stage(truth):
    accounts = truth.rows("Account", account_id="Id", industry="Industry")
    grain = ["stage_name", "forecast_category_name", "owner_id", "record_type_id", "industry", "fiscal_year"]
    grain += ["fiscal_quarter", "currency_iso_code"]
    figures = (
        deals(truth).filter(~pl.col("is_closed")).join(accounts, on="account_id", how="left").group_by(grain).agg(
            opportunities=pl.len(), opportunities_without_amount=pl.col("amount").is_null().sum(),
            amount=pl.col("amount").sum(), expected_revenue=pl.col("expected_revenue").sum(),
        )
    )  # fmt: skip
    return with_names(truth, figures)


@mart(
    "owner_id owner_name record_type_id record_type fiscal_year fiscal_quarter currency_iso_code closed_opportunities "
    "won_opportunities lost_opportunities win_rate won_amount lost_amount"
)
def win_rate(truth):
    grain = ["owner_id", "record_type_id", "fiscal_year", "fiscal_quarter", "currency_iso_code"]
    won = pl.col("is_won")
    figures = (
        deals(truth).filter("is_closed").group_by(grain).agg(
            closed_opportunities=pl.len(), won_opportunities=won.sum(), lost_opportunities=(~won).sum(),
            won_amount=pl.col("amount").filter(won).sum(), lost_amount=pl.col("amount").filter(~won).sum(),
        ).with_columns(win_rate=pl.col("won_opportunities") / pl.col("closed_opportunities"))
    )  # fmt: skip
    return with_names(truth, figures)


@mart(
    "opportunity_id visit_number stage_name entered_at left_at days is_current owner_id record_type_id is_closed is_won"
)
def stage_duration(truth):
    history = truth.rows(
        "OpportunityHistory", opportunity_id="OpportunityId", row="Id", stage_name="StageName",
        entered_at=("CreatedDate", "moment"),
    ).sort("entered_at", "row")  # fmt: skip
    visits = []
    for (deal,), steps in history.group_by("opportunity_id", maintain_order=True):
        visit_starts = []
        for step in steps.to_dicts():
            if not visit_starts or visit_starts[-1]["stage_name"] != step["stage_name"]:
                visit_starts.append(step)
        leaving = [step["entered_at"] for step in visit_starts[1:]] + [None]
        for number, (step, left_at) in enumerate(zip(visit_starts, leaving, strict=True), start=1):
            days = left_at and (left_at - step["entered_at"]).total_seconds() / 86_400
            visits.append({"opportunity_id": deal, "visit_number": number, "stage_name": step["stage_name"],
                           "entered_at": step["entered_at"], "left_at": left_at, "days": days,
                           "is_current": left_at is None})  # fmt: skip
    own = deals(truth).select("opportunity_id", "owner_id", "record_type_id", "is_closed", "is_won")
    return pl.DataFrame(visits, infer_schema_length=None).join(own, on="opportunity_id")


@mart(
    "document_id document quote_id opportunity_id account_id currency_iso_code quote_status is_syncing quote_lines "
    "quoted_amount orders activated_orders orders_in_other_currency order_lines ordered_amount activated_amount "
    "first_activated_at days_to_order"
)
def quote_to_order(truth):
    current = truth.accounts()
    living = {name: [r for r in truth.org.rows(name) if not r.get("IsDeleted")]
              for name in ("Quote", "QuoteLineItem", "Order", "OrderItem")}  # fmt: skip
    quotes = {quote["Id"]: quote for quote in living["Quote"]}
    documents = {key: document(quote, "quote", current) for key, quote in quotes.items()}
    for line in living["QuoteLineItem"]:
        if line["QuoteId"] in documents:
            documents[line["QuoteId"]]["quote_lines"] += 1
            documents[line["QuoteId"]]["quoted_amount"] += money(line["TotalPrice"])
    lines = {}
    for line in living["OrderItem"]:
        count, amount = lines.get(line["OrderId"], (0, Decimal(0)))
        lines[line["OrderId"]] = (count + 1, amount + money(line["TotalPrice"]))
    for order in living["Order"]:
        quote = quotes.get(order.get("QuoteId"))
        row = documents.setdefault((quote or order)["Id"], document(order, "order", current))
        place(order, row, lines.get(order["Id"], (0, Decimal(0))))
    for key, row in documents.items():
        if key in quotes and row["first_activated_at"]:
            duration = row["first_activated_at"] - datetime.fromisoformat(quotes[key]["CreatedDate"])
            row["days_to_order"] = duration.total_seconds() / 86_400
    return pl.DataFrame(list(documents.values()), infer_schema_length=None)


def document(row, kind, current):
    is_quote = kind == "quote"
    return {
        "document_id": row["Id"], "document": kind, "quote_id": row["Id"] if is_quote else None,
        "opportunity_id": row["OpportunityId"], "account_id": current.get(row["AccountId"], row["AccountId"]),
        "currency_iso_code": row["CurrencyIsoCode"] or NO_CURRENCY, "quote_status": row["Status"] if is_quote else None,
        "is_syncing": row["IsSyncing"] if is_quote else None, "quote_lines": 0, "quoted_amount": Decimal(0),
        "orders": 0, "activated_orders": 0, "orders_in_other_currency": 0, "order_lines": 0,
        "ordered_amount": Decimal(0), "activated_amount": Decimal(0), "first_activated_at": None, "days_to_order": None,
    }  # fmt: skip


def place(order, row, lines):
    count, amount = lines
    is_other = (order["CurrencyIsoCode"] or NO_CURRENCY) != row["currency_iso_code"]
    activated = order["ActivatedDate"] and datetime.fromisoformat(order["ActivatedDate"])
    row["orders"] += 1
    row["order_lines"] += count
    row["orders_in_other_currency"] += is_other
    row["activated_orders"] += bool(activated)
    row["ordered_amount"] += 0 if is_other else amount
    row["activated_amount"] += amount if activated and not is_other else 0
    row["first_activated_at"] = min(filter(None, (activated, row["first_activated_at"])), default=None)


def money(value):
    return Decimal(0) if value is None else Decimal(repr(value)).quantize(Decimal("0.000001"), ROUND_HALF_EVEN)


@mart(
    "owner_id owner_name owner_role manager_id day tasks_completed calls call_minutes tasks_due_open events "
    "event_minutes cases_closed"
)
def rep_activity(truth):
    tasks = truth.rows(
        "Task", owner_id="OwnerId", due=("ActivityDate", "date"), done=("CompletedDateTime", "date"), closed="IsClosed",
        series="IsRecurrence", kind="TaskSubtype", seconds="CallDurationInSeconds",
    ).filter(~pl.col("series"))  # fmt: skip
    events = truth.rows(
        "Event", owner_id="OwnerId", day=("ActivityDate", "date"), start=("StartDateTime", "date"),
        series="IsRecurrence", all_day="IsAllDayEvent", minutes="DurationInMinutes",
    ).filter(~pl.col("series"))  # fmt: skip
    cases = truth.rows("Case", owner_id="OwnerId", day=("ClosedDate", "date"), closed="IsClosed")
    completed_tasks = tasks.filter("closed").select(
        "owner_id", day=pl.coalesce("done", "due"), tasks_completed=1, calls=(pl.col("kind") == "Call").cast(int),
        call_minutes=pl.col("seconds").cast(float).fill_null(0) / 60,
    )  # fmt: skip
    due = tasks.filter(~pl.col("closed")).select("owner_id", day="due", tasks_due_open=1)
    past_events = events.select(
        "owner_id", day=pl.coalesce("day", "start"), events=1,
        event_minutes=pl.when("all_day").then(0).otherwise(pl.col("minutes")).fill_null(0),
    )  # fmt: skip
    closed_cases = cases.filter("closed").select("owner_id", "day", cases_closed=1)
    every = pl.concat([completed_tasks, due, past_events, closed_cases], how="diagonal_relaxed").filter(
        pl.col("day").is_not_null()
    )
    counts = [name for name in every.columns if name not in ("owner_id", "day")]
    return every.group_by("owner_id", "day").agg(pl.col(counts).fill_null(0).sum()).join(truth.users(), on="owner_id")


@mart(
    "user_id username user_name profile_name sobject_type can_read can_create can_edit can_delete can_view_all "
    "can_modify_all can_view_all_data can_modify_all_data readable_fields editable_fields granted_by_sets "
    "permission_sets"
)
def permission_audit(truth):
    users = truth.rows("User", user_id="Id", username="Username", user_name="Name", profile_id="ProfileId",
                       active="IsActive").filter("active")  # fmt: skip
    profiles = truth.rows("Profile", profile_id="Id", profile_name="Name")
    assignments = (
        truth.rows("PermissionSetAssignment", user_id="AssigneeId", set_id="PermissionSetId", active="IsActive",
                   revoked="IsRevoked")
        .filter(pl.col("active") & ~pl.col("revoked")).select("user_id", "set_id").unique()
    )  # fmt: skip
    words = {"can_read": "Read", "can_create": "Create", "can_edit": "Edit", "can_delete": "Delete",
             "can_view_all": "ViewAllRecords", "can_modify_all": "ModifyAllRecords"}  # fmt: skip
    rights = {name: f"Permissions{word}" for name, word in words.items()}
    object_rights = truth.rows("ObjectPermissions", set_id="ParentId", sobject_type="SobjectType", **rights)
    objects = assignments.join(object_rights, on="set_id").group_by("user_id", "sobject_type")
    objects = objects.agg(pl.col(list(rights)).any(), granted_by_sets=pl.len())
    fields = assignments.join(
        truth.rows("FieldPermissions", set_id="ParentId", sobject_type="SobjectType", field="Field",
                   readable_fields="PermissionsRead", editable_fields="PermissionsEdit"), on="set_id"
    )  # fmt: skip
    both = ["readable_fields", "editable_fields"]
    fields = fields.group_by("user_id", "sobject_type", "field").agg(pl.col(both).any())
    fields = fields.group_by("user_id", "sobject_type").agg(pl.col(both).sum())
    systems = assignments.join(
        truth.rows("PermissionSet", set_id="Id", can_view_all_data="PermissionsViewAllData",
                   can_modify_all_data="PermissionsModifyAllData"), on="set_id"
    )  # fmt: skip
    systems = systems.group_by("user_id").agg(pl.col("can_view_all_data", "can_modify_all_data").any())
    sets_by_user = assignments.group_by("user_id").agg(permission_sets=pl.len())
    return (
        users.join(objects, on="user_id").join(fields, on=["user_id", "sobject_type"], how="left")
        .join(systems, on="user_id", how="left").join(sets_by_user, on="user_id")
        .join(profiles, on="profile_id", how="left").with_columns(pl.col(both).fill_null(0))
    )  # fmt: skip


@mart(
    "lead_source created_month leads open_leads converted_leads conversion_rate opportunities won_opportunities "
    "average_days_to_convert"
)
def lead_conversion(truth):
    leads = truth.rows("Lead", lead_source="LeadSource", created=("CreatedDate", "date"), converted="IsConverted",
                       on=("ConvertedDate", "date"), opportunity_id="ConvertedOpportunityId")  # fmt: skip
    deal = deals(truth).select("opportunity_id", "is_won", lives=True)
    month = pl.col("created").dt.truncate("1mo")
    leads_with_deal = leads.join(deal, on="opportunity_id", how="left").with_columns(created_month=month)
    converted = pl.col("converted")
    return leads_with_deal.group_by("lead_source", "created_month").agg(
        leads=pl.len(), open_leads=(~converted).sum(), converted_leads=converted.sum(),
        conversion_rate=converted.mean(), opportunities=(converted & pl.col("lives").fill_null(False)).sum(),
        won_opportunities=(converted & pl.col("is_won").fill_null(False)).sum(),
        average_days_to_convert=(pl.col("on") - pl.col("created")).dt.total_days().filter(converted).mean(),
    )  # fmt: skip


@mart(
    "product_id product_name product_code family currency_iso_code fiscal_year fiscal_quarter open_opportunities "
    "won_opportunities lost_opportunities win_rate won_quantity open_amount won_amount lost_amount"
)
def product_performance(truth):
    lines = truth.rows("OpportunityLineItem", opportunity_id="OpportunityId", product_id="Product2Id",
                       quantity="Quantity", amount=("TotalPrice", "money"),
                       currency_iso_code=("CurrencyIsoCode", "currency"))  # fmt: skip
    deal = deals(truth).select("opportunity_id", "is_closed", "is_won", "fiscal_year", "fiscal_quarter")
    products = truth.rows("Product2", product_id="Id", product_name="Name", product_code="ProductCode", family="Family")
    is_open, won = ~pl.col("is_closed"), pl.col("is_won")
    lost = ~is_open & ~won
    grain = ["product_id", "currency_iso_code", "fiscal_year", "fiscal_quarter"]

    def distinct(condition):
        return pl.col("opportunity_id").filter(condition).n_unique()

    figures = lines.join(deal, on="opportunity_id").group_by(grain).agg(
        open_opportunities=distinct(is_open), won_opportunities=distinct(won), lost_opportunities=distinct(lost),
        won_quantity=pl.col("quantity").filter(won).sum(), open_amount=pl.col("amount").filter(is_open).sum(),
        won_amount=pl.col("amount").filter(won).sum(), lost_amount=pl.col("amount").filter(lost).sum(),
    )  # fmt: skip
    closed = pl.col("won_opportunities") + pl.col("lost_opportunities")
    rate = pl.when(closed > 0).then(pl.col("won_opportunities") / closed)
    return figures.with_columns(win_rate=rate).join(products, on="product_id", how="left")


def comparable(rows):
    """Rows in one order, with fractions as far as they are meant."""
    return sorted((tuple(map(plain, row)) for row in rows), key=lambda row: tuple(map(str, row)))


def plain(value):
    if isinstance(value, float | Decimal):
        return round(float(value), 6) + 0.0
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value


def change(org):
    """A day in the org: what each mart must follow, and what must not confuse it."""
    living = {name: [row for row in org.rows(name) if not row.get("IsDeleted")] for name in org.tables}
    [organization] = org.rows("Organization")
    org.update("Organization", organization["Id"], {"FiscalYearStartMonth": 4})
    opened = [row for row in living["Opportunity"] if not row["IsClosed"]]
    closed = [row for row in living["Opportunity"] if row["IsClosed"]]
    change_deals(org, opened, closed)
    first, second, third, *others = [row["Id"] for row in living["Account"]]
    org.merge("Account", second, [first])
    org.merge("Account", third, [second])
    org.delete("Account", others[0])
    org.update("Opportunity", opened[4]["Id"], {"AccountId": first})
    change_documents(org, living, account=first)
    change_people(org, living)


def change_deals(org, opened, closed):
    org.update("Opportunity", opened[0]["Id"], {"StageName": "Closed Won", "IsClosed": True, "IsWon": True})
    org.update("Opportunity", opened[1]["Id"], {"Amount": None, "CurrencyIsoCode": "CHF", "RecordTypeId": None})
    org.update("Opportunity", opened[2]["Id"], {"CloseDate": "2027-03-31", "Amount": 0.0000005})
    org.update("Opportunity", closed[1]["Id"], {"CurrencyIsoCode": None, "CloseDate": "2026-04-01"})
    org.delete("Opportunity", opened[3]["Id"])
    org.delete("Opportunity", closed[0]["Id"])
    back = {"OpportunityId": opened[0]["Id"], "Amount": 1.0, "CloseDate": "2026-05-05", "Probability": 10.0}
    for stage, at in (("Prospecting", "01"), ("Prospecting", "02"), ("Closed Won", "03"), ("Prospecting", "03")):
        stamp = f"2026-11-20T00:00:{at}.000+0000"
        org.insert("OpportunityHistory", {**back, "StageName": stage, "CreatedDate": stamp})


def change_documents(org, living, *, account):
    orders = [row for row in living["Order"] if row["QuoteId"]]
    org.delete("Quote", orders[0]["QuoteId"])
    org.update("Order", orders[1]["Id"], {"CurrencyIsoCode": "CHF", "AccountId": account})
    org.update("Order", orders[2]["Id"], {"ActivatedDate": None, "Status": "Draft"})
    org.delete("Order", orders[3]["Id"])
    org.delete("OrderItem", next(row["Id"] for row in living["OrderItem"] if row["OrderId"] == orders[4]["Id"]))
    org.update("QuoteLineItem", living["QuoteLineItem"][5]["Id"], {"TotalPrice": -12.5})
    org.delete("OpportunityLineItem", living["OpportunityLineItem"][0]["Id"])
    org.update("OpportunityLineItem", living["OpportunityLineItem"][1]["Id"], {"Quantity": 7.0, "TotalPrice": 70.7})
    org.delete("Product2", living["Product2"][0]["Id"])


def change_people(org, living):
    waiting = [row for row in living["Task"] if not row["IsClosed"] and not row["IsRecurrence"]]
    moment = "2026-11-21T23:59:59.000+0000"
    org.update("Task", waiting[0]["Id"], {"IsClosed": True, "CompletedDateTime": moment, "TaskSubtype": "Call",
                                          "CallDurationInSeconds": 90})  # fmt: skip
    org.update("Task", waiting[1]["Id"], {"IsClosed": True, "CompletedDateTime": None})
    org.delete("Task", waiting[2]["Id"])
    org.delete("Event", living["Event"][0]["Id"])
    in_queue = {"IsClosed": True, "ClosedDate": moment, "OwnerId": "00G000000000001AAA"}
    org.update("Case", living["Case"][0]["Id"], in_queue)
    org.update("User", living["User"][3]["Id"], {"IsActive": False})
    org.delete("PermissionSetAssignment", living["PermissionSetAssignment"][7]["Id"])
    leads = [row for row in living["Lead"] if not row["IsConverted"]]
    org.merge("Lead", leads[0]["Id"], [leads[1]["Id"]])
    deal = next(row for row in living["Opportunity"] if row["IsWon"])
    org.update("Lead", leads[2]["Id"], {"IsConverted": True, "ConvertedDate": "2026-11-22", "LeadSource": None,
                                        "ConvertedOpportunityId": deal["Id"]})  # fmt: skip


STATES = [pytest.param("as the org began", marks=pytest.mark.heavy), "after changes, with a named fiscal year"]


@pytest.fixture(scope="module", params=STATES)
def marts_state(request, downstream):
    """The marts over the org of each state in turn; the second time with every test of dbt's, which must be green."""
    verb = "run"
    if request.param != "as the org began":
        change(downstream.org)
        [organization] = downstream.org.rows("Organization")
        fiscal_year = {"FiscalYearStartMonth": 11, "UsesStartDateAsFiscalYearName": True}
        downstream.org.update("Organization", organization["Id"], fiscal_year)
        verb = "build"
    downstream.sync()
    downstream.dbt(verb)
    return request.param


@pytest.mark.parametrize("name", MARTS)
def test_a_mart_equals_what_the_orgs_own_rows_give(downstream, marts_state, name):
    columns, compute = MARTS[name]

    expected = compute(Truth(downstream.org)).select(columns).rows()

    assert expected
    assert comparable(downstream.mart(name, ", ".join(columns))) == comparable(expected)


def test_every_mart_of_the_project_is_compared_column_by_column(downstream):
    import duckdb

    query = "select table_name, column_name from information_schema.columns where table_schema = 'marts'"
    with duckdb.connect(str(downstream.home / "analytics.duckdb"), read_only=True) as connection:
        table_columns = connection.execute(query).fetchall()

    left_out = {("quote_to_order", "quoted_at")}  # days_to_order is counted from it
    assert {*table_columns} - left_out == {(name, column) for name, (columns, _) in MARTS.items() for column in columns}
