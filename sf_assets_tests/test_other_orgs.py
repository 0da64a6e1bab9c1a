"""Orgs, gateways and emulators that answer in other forms than Salesforce: every row comes in, or the sync says why."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sf_assets.assets.checks import findings
from sf_assets.errors import ResultIncomplete, ValueUnexpected
from sf_assets.salesforce.login.credentials import Credentials
from sf_assets_tests.other_org import (
    ACCOUNT,
    STAMP,
    OtherOrg,
    Synced,
    accounts,
    expected_ids,
    ids,
    new_credentials,
    syncing,
)


@pytest.fixture(scope="module")
def credentials() -> Credentials:
    return new_credentials()


@pytest.fixture
def sync_accounts(credentials: Credentials, tmp_path: Path, clock: Any) -> Iterator[Synced]:
    """Sync accounts of an org into a new table, as a run of its own does."""
    with syncing(credentials, tmp_path, clock) as one:
        yield one


@pytest.mark.parametrize(
    "liberties",
    [
        {"orders": False},
        {"filters": False},
        {"limits": False},
        {"orders": False, "filters": False},
        {"orders": False, "filters": False, "limits": False},
    ],
    ids=lambda liberties: " ".join(liberties),
)
def test_every_row_is_read_from_an_org_that_ignores_order_filter_and_limit(
    sync_accounts: Synced, liberties: Any
) -> None:
    org = OtherOrg(accounts(4_500), **liberties)

    record = sync_accounts(org)

    assert ids(record) == expected_ids(org)
    assert len(org.requests) < 40
    assert any("did not order by Id" in note for note in record.problems.notes) == (liberties != {"limits": False})


@pytest.mark.parametrize("total", [lambda result, page: page, lambda result, page: -1], ids=["of the page", "unknown"])
def test_a_total_size_that_is_too_small_ends_no_walk(sync_accounts: Synced, total: Any) -> None:
    org = OtherOrg(accounts(4_500), total=total)

    assert ids(sync_accounts(org)) == expected_ids(org)


def test_a_total_size_that_is_too_large_and_stays_so_is_no_whole_result(sync_accounts: Synced) -> None:
    org = OtherOrg(accounts(900), total=lambda result, page: result + 1)

    with pytest.raises(ResultIncomplete, match="announced 901 rows, held 900"):
        sync_accounts(org)


@pytest.mark.parametrize(
    "count",
    [
        lambda rows: (200, answer({"expr1": STAMP, "expr0": len(rows)})),
        lambda rows: (200, answer({"rows": float(len(rows)), "newest": STAMP})),
        lambda rows: (200, answer(*({"Id": row["Id"]} for row in rows))),
        lambda rows: (200, answer({"Id": "001"})),
        lambda rows: (200, answer()),
        lambda rows: (200, answer({"expr0": len(rows), "expr1": "2026-03-01 10:00"})),
        lambda rows: (200, {}),
        lambda rows: (500, [{"errorCode": "UNKNOWN_EXCEPTION", "message": "no aggregates here"}]),
    ],
    ids=["swapped", "named", "rows", "one row", "no record", "no offset", "no answer", "500"],
)
def test_an_aggregate_in_another_form_costs_at_most_the_probe(sync_accounts: Synced, count: Any) -> None:
    org = OtherOrg(accounts(60), count=count)

    assert ids(sync_accounts(org)) == expected_ids(org)


def answer(*records: dict[str, Any]) -> dict[str, Any]:
    return {"totalSize": len(records), "done": True, "records": list(records)}


@pytest.mark.parametrize("status", [400, 403, 404, 405, 501])
def test_what_a_gateway_refuses_beside_the_query_is_done_without(sync_accounts: Synced, status: int) -> None:
    refusal = (status, [{"errorCode": "NO", "message": "not here"}])
    org = OtherOrg(accounts(60), unknown=refusal, query_all=refusal)

    record = sync_accounts(org)

    assert ids(record) == expected_ids(org)
    assert {"composite", "describe", "queryAll"} <= set(record.org.degraded)
    assert "deleted and archived rows are not read" in " ".join(findings(ACCOUNT, record)["complete"].warnings)


def test_a_column_that_records_leave_out_is_null_and_named(sync_accounts: Synced) -> None:
    org = OtherOrg(
        [*accounts(2, Name="Acme"), {"Id": "001000000000009AAA", "IsDeleted": False, "SystemModstamp": STAMP}]
    )

    record = sync_accounts(org)

    assert sorted(record.rows["name"].to_list(), key=str) == ["Acme", "Acme", None]  # type: ignore[attr-defined]
    assert record.problems.left_out["Name"] == 1
    assert "Left out of records, and so stored as NULL" in " ".join(findings(ACCOUNT, record)["as_specified"].warnings)


@pytest.mark.parametrize("name", ["Id", "IsDeleted", "SystemModstamp"])
def test_what_tells_rows_and_versions_apart_may_not_be_left_out(sync_accounts: Synced, name: str) -> None:
    org = OtherOrg([{key: value for key, value in row.items() if key != name} for row in accounts(1)], orders=False)

    with pytest.raises(ValueUnexpected, match=rf"Account\.{name} is not in the record"):
        sync_accounts(org)
