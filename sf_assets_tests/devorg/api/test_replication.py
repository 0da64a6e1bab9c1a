"""`/deleted` and `/updated`: their times, limits and gaps, as the REST and SOAP guides describe them."""

from datetime import timedelta

import httpx
import pytest

from sf_assets.devorg import sample_org
from sf_assets.devorg.api.transport import in_process

DATA = "/services/data/v60.0"


@pytest.fixture
def replication(http, clock):
    """Ask for the Ids of some minutes; the answer as httpx gives it."""

    def send(kind="deleted", *, sobject="Account", minutes=60, start=None, end=None):
        now = clock()
        span = {
            "start": (start or now - timedelta(minutes=minutes)).isoformat(),
            "end": (end or now + timedelta(minutes=1)).isoformat(),
        }
        return http.get(f"{DATA}/sobjects/{sobject}/{kind}/", params=span)

    return send


def ids(answer):
    return [record["id"] for record in answer.json()["deletedRecords"]]


def test_soft_and_hard_deletes_are_listed_with_their_times(org, replication, clock):
    soft, hard, *_ = org.insert_many("Account", [{"Name": "a"}] * 3)
    org.delete("Account", soft)
    clock.advance(seconds=90)
    org.purge("Account", hard)

    body = replication().json()

    assert body["deletedRecords"] == [
        {"deletedDate": "2026-03-10T12:00:00.000+0000", "id": soft},
        {"deletedDate": "2026-03-10T12:01:30.000+0000", "id": hard},
    ]
    assert body["latestDateCovered"] == "2026-03-10T12:01:00.000+0000"
    assert body["earliestDateAvailable"] == "2026-02-23T12:01:00.000+0000"


def test_a_row_that_came_back_is_no_longer_listed(org, replication):
    record_id = org.insert("Account", {"Name": "a"})
    org.delete("Account", record_id)
    org.undelete("Account", record_id)

    assert ids(replication()) == []


def test_children_are_listed_unless_their_cascade_leaves_no_entry(org, replication):
    parents = org.insert_many("Account", [{"Name": "a"}] * 3)
    children = [org.insert("Contact", {"LastName": "c", "AccountId": parent}) for parent in parents]
    for parent, cascade in zip(parents, ("restamped", "silent", "unlogged"), strict=True):
        org.delete("Account", parent, cascade=cascade, stamp=org.now() + timedelta(seconds=1))

    rows = {row["Id"]: row for row in org.rows("Contact")}

    assert ids(replication(sobject="Contact")) == children[:2]
    assert [rows[child]["SystemModstamp"][17:19] for child in children] == ["01", "00", "00"]


def test_seconds_are_ignored_and_both_ends_are_included(org, replication, clock):
    record_id = org.insert("Account", {"Name": "a"})
    org.delete("Account", record_id, stamp=clock() - timedelta(minutes=10))
    at = clock() - timedelta(minutes=10)

    assert ids(replication(start=at + timedelta(seconds=59), end=clock())) == [record_id]
    assert ids(replication(start=at - timedelta(minutes=5), end=at + timedelta(seconds=50))) == [record_id]
    assert ids(replication(start=at + timedelta(minutes=1), end=clock())) == []


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (-60, -61, "at least one minute"),
        (-60, -59.5, "at least one minute"),
        (-31 * 1440, 0, "more than 30 days ago"),
    ],
)
def test_impossible_times_are_an_invalid_replication_date(replication, clock, start, end, message):
    answer = replication(start=clock() + timedelta(minutes=start), end=clock() + timedelta(minutes=end))

    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_REPLICATION_DATE")
    assert message in answer.json()[0]["message"]


def test_a_start_before_the_org_was_created_is_refused(clock):
    """jsforce/jsforce#406: the first deletes of a young org were asked for since 30 days ago."""
    org = sample_org(rows={"Account": 1, "Task": 1}, clock=clock)
    org.update("Organization", org.org_id, {"CreatedDate": "2026-03-09T00:00:00.000+0000"})
    server, transport = in_process(org)
    token = org.sessions.open(org.org_id, org.now())
    with httpx.Client(base_url=server.url, transport=transport, headers={"Authorization": f"Bearer {token}"}) as client:
        spans = [{"start": f"2026-03-0{day}T00:00:00Z", "end": "2026-03-10T12:00:00Z"} for day in (8, 9)]
        answers = [client.get(f"{DATA}/sobjects/Account/deleted/", params=span) for span in spans]

    assert "replication enabled date" in answers[0].json()[0]["message"]
    assert answers[1].status_code == 200


def test_a_date_with_a_plus_that_is_not_encoded_is_refused(http):
    answer = http.get(f"{DATA}/sobjects/Account/deleted/?start=2026-03-10T11:00:00+00:00&end=2026-03-10T12:00:00Z")

    assert answer.json()[0]["errorCode"] == "INVALID_ARGUMENT"


def test_deletes_end_after_fifteen_days_and_updates_after_thirty(org, replication, clock):
    old, older = org.insert_many("Account", [{"Name": "a"}] * 2)
    org.delete("Account", old, stamp=clock() - timedelta(days=14))
    org.delete("Account", older, stamp=clock() - timedelta(days=16))
    org.insert("Account", {"Name": "b"}, stamp=clock() - timedelta(days=29))

    assert ids(replication(minutes=20 * 1440)) == [old]
    assert len(replication("updated", minutes=29.5 * 1440).json()["ids"]) == 1


def test_too_many_ids_are_refused(org, replication):
    org.behave(replication_ids=2)
    row_ids = org.insert_many("Account", [{"Name": "a"}] * 3)
    org.purge_many("Account", row_ids[:2])

    assert len(ids(replication())) == 2
    org.purge_many("Account", row_ids[2:])
    assert replication().json()[0]["errorCode"] == "EXCEEDED_ID_LIMIT"


def test_a_trimmed_log_is_shorter_or_refused(org, replication, clock):
    first, second = org.insert_many("Account", [{"Name": "a"}] * 2)
    org.purge("Account", first)
    clock.advance(seconds=300)
    org.trim_delete_log("Account", clock() - timedelta(minutes=2))
    org.purge("Account", second)

    body = replication().json()
    assert [record["id"] for record in body["deletedRecords"]] == [second]
    assert body["earliestDateAvailable"] == "2026-03-10T12:03:00.000+0000"
    assert replication(end=clock() - timedelta(minutes=3)).json()[0]["errorCode"] == "INVALID_REPLICATION_DATE"
    org.behave(trimmed_log="refused")
    assert replication().json()[0]["errorCode"] == "INVALID_REPLICATION_DATE"


def test_latest_date_covered_waits_for_the_oldest_transaction(org, replication):
    org.behave(oldest_transaction_seconds=600)

    assert replication().json()["latestDateCovered"] == "2026-03-10T11:50:00.000+0000"


def test_an_emptied_bin_leaves_the_log_or_takes_it_along(org, ask, replication, clock):
    binned, emptied = org.insert_many("Account", [{"Name": "a"}] * 2)
    org.delete("Account", binned)
    assert org.empty_bin("Account") == 1
    assert ask("SELECT Id FROM Account", resource="queryAll").json()["totalSize"] == 1
    assert ids(replication()) == [binned]

    org.delete("Account", emptied)
    org.empty_bin("Account", log=False)
    clock.advance(seconds=60)
    assert ids(replication()) == []


def test_rows_out_of_sight_are_in_neither_list(org, replication):
    live, hidden_id = org.insert_many("Account", [{"Name": "a"}] * 2)
    org.delete("Account", hidden_id)
    org.hide_rows("Account", [live, hidden_id])

    assert ids(replication()) == []
    assert replication("updated").json()["ids"] == []


def test_updates_are_live_rows_by_stamp(org, replication, clock):
    old, updated_id, deleted_id = org.insert_many("Account", [{"Name": "a"}] * 3, stamp=clock() - timedelta(days=2))
    org.update("Account", updated_id, {"Name": "b"})
    org.delete("Account", deleted_id)

    assert replication("updated").json() == {"ids": [updated_id], "latestDateCovered": "2026-03-10T12:00:00.000+0000"}


def test_an_object_that_is_not_replicateable_says_so(org, replication, http):
    org.add_object("ObjectPermissions", [{"name": "Id", "type": "id"}])
    schema = org.tables["ObjectPermissions"].schema
    object.__setattr__(schema, "replicateable", False)

    assert http.get(f"{DATA}/sobjects/ObjectPermissions/describe").json()["replicateable"] is False
    assert "is not replicable" in replication(sobject="ObjectPermissions").json()[0]["message"]
    assert replication(sobject="Nothing__c").status_code == 404


def test_composite_carries_both(org, http, clock):
    record_id = org.insert("Account", {"Name": "a"})
    org.purge("Account", record_id)
    span = "?start=2026-03-10T11%3A00%3A00%2B00%3A00&end=2026-03-10T12%3A01%3A00Z"
    parts = [
        {"method": "GET", "url": f"{DATA}/sobjects/Account/{kind}/{span}", "referenceId": kind}
        for kind in ("deleted", "updated")
    ]

    deleted, updated = http.post(f"{DATA}/composite", json={"compositeRequest": parts}).json()["compositeResponse"]

    assert [record["id"] for record in deleted["body"]["deletedRecords"]] == [record_id]
    assert (updated["httpStatusCode"], updated["body"]["ids"]) == (200, [])


def test_a_copied_org_has_a_log_of_its_own(org):
    record_id = org.insert("Account", {"Name": "a"})
    copy = org.copy()
    copy.purge("Account", record_id)

    assert len(copy.delete_log("Account").between(0, 2**63)) == 1
    assert org.delete_log("Account").between(0, 2**63) == []
