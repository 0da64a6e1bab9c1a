"""The ledgers: one contract for both, and what only the one in a database can do: many processes, kills, outages."""

import os
import signal
import sqlite3
import subprocess
import sys

import pytest

from sf_assets.errors import ConfigError, LedgerUnreachable
from sf_assets.salesforce.rate_limit.ledger import MemoryLedger
from sf_assets.salesforce.rate_limit.quota import QuotaExceeded
from sf_assets.salesforce.rate_limit.sql_ledger import SqlLedger
from sf_assets.salesforce.wire import Query, Usage

EMPTY = {"totalSize": 0, "done": True, "records": []}


@pytest.fixture(params=["memory", "sqlite"])
def ledger(request, clock, tmp_path):
    if request.param == "memory":
        return MemoryLedger(requests_per_second=2.0, clock=clock.monotonic)
    return SqlLedger(
        f"sqlite:///{tmp_path}/ledger.db", org="acme.example", requests_per_second=2.0, clock=clock.monotonic
    )


def take(ledger, clock):
    permit = ledger.permit(None, reserve=0.1)
    while permit.wait_seconds > 0 or not permit.is_kept:
        clock.sleep(permit.wait_seconds)
        permit = ledger.permit(permit, reserve=0.1)
    return permit.slot


def test_permits_are_paced_from_the_first(ledger, clock):
    assert [take(ledger, clock) for _ in range(4)] == [0.0, 0.5, 1.0, 1.5]


def test_permits_of_both_lie_further_apart_by_their_spacing(clock, tmp_path):
    limits = {"requests_per_second": 2.0, "clock": clock.monotonic, "spacing": 1.04}

    for ledger in (MemoryLedger(**limits), SqlLedger(f"sqlite:///{tmp_path}/spaced.db", org="acme.example", **limits)):
        first, second, third = (take(ledger, clock) for _ in range(3))
        assert (second - first, third - second) == pytest.approx((0.52, 0.52))


def test_a_pushback_slows_all_that_follow(ledger, clock):
    slot = take(ledger, clock)

    ledger.pushed_back(slot, retry_after=None)

    following = take(ledger, clock)
    assert following - slot == pytest.approx(1 / 1.4)


def test_a_retry_after_ends_the_permits_that_were_given_before(ledger, clock):
    slot = take(ledger, clock)
    permit = ledger.permit(None, reserve=0.1)

    ledger.pushed_back(slot, retry_after=20.0)

    clock.sleep(permit.wait_seconds)
    assert ledger.permit(permit, reserve=0.1).wait_seconds > 10
    assert take(ledger, clock) >= 20.0


def test_the_reserve_is_kept_and_logins_cost_none(ledger):
    ledger.read(Usage(950, 1000))

    assert ledger.permit(None, reserve=0.1) == QuotaExceeded(Usage(950, 1000), 1800.0)
    assert ledger.permit(None, reserve=None).is_kept


def test_the_rate_is_what_refusals_have_taught_and_grows_back(ledger, clock):
    assert ledger.standing().pace.rate == 2.0

    ledger.pushed_back(take(ledger, clock), retry_after=None)
    assert ledger.standing().pace.rate == pytest.approx(1.4)

    clock.sleep(5.0)
    assert ledger.standing().pace.rate == pytest.approx(1.5)


def test_an_exhausted_org_is_remembered(ledger):
    ledger.exhausted()

    assert isinstance(ledger.permit(None, reserve=0.0), QuotaExceeded)


@pytest.fixture
def books(clock, tmp_path):
    """Open the books of one org once more, as another process would."""

    def open_book(org="acme.example", requests_per_second=2.0, daily_calls=None):
        url, limits = f"sqlite:///{tmp_path}/books/ledger.db?timeout=1", (requests_per_second, daily_calls)
        return SqlLedger(url, org=org, requests_per_second=limits[0], daily_calls=limits[1], clock=clock.monotonic)

    return open_book


def test_what_one_process_learns_the_others_know(books, clock):
    one, other = books(), books()
    slot = take(one, clock)

    one.pushed_back(slot, retry_after=5.0)
    one.read(Usage(990, 1000))

    assert isinstance(other.permit(None, reserve=0.1), QuotaExceeded)
    assert other.permit(None, reserve=None).wait_seconds > 2


def test_the_cap_on_our_own_calls_counts_those_of_all_processes(books, clock):
    one, other = books(daily_calls=3), books(daily_calls=3)

    for ledger in (one, other, one):
        take(ledger, clock)

    assert other.permit(None, reserve=0.1) == QuotaExceeded(Usage(3, 3), 86_400.0 - clock.seconds, is_own_cap=True)
    assert other.permit(None, reserve=None).wait_seconds > 0
    assert isinstance(books().permit(None, reserve=0.1).slot, float)


def test_orgs_have_books_of_their_own(books, clock):
    take(books(), clock)

    assert books(org="other.example").permit(None, reserve=0.1).wait_seconds == 0


def test_a_raised_ceiling_counts_at_once_before_any_refusal(books, clock):
    take(books(), clock)
    faster = books(requests_per_second=10.0)

    slots = [take(faster, clock) for _ in range(3)]

    assert slots[2] - slots[1] == pytest.approx(0.1)


WORKER = """
import sys, time
from sf_assets.salesforce.rate_limit.sql_ledger import SqlLedger
ledger = SqlLedger(sys.argv[1], org="acme.example", requests_per_second=40.0)
until = time.time() + 1.5
while time.time() < until:
    permit = ledger.permit(None, reserve=0.1)
    while permit.wait_seconds > 0 or not permit.is_kept:
        time.sleep(permit.wait_seconds)
        permit = ledger.permit(permit, reserve=0.1)
    print(permit.slot, time.time(), flush=True)
"""


def start(script, *arguments):
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": os.getcwd()})


@pytest.mark.slow
def test_processes_keep_one_pace_together_and_use_it(tmp_path):
    url = f"sqlite:///{tmp_path}/ledger.db"
    processes = [start(WORKER, url) for _ in range(3)]

    moments = [line.split() for process in processes for line in process.communicate()[0].splitlines()]

    slots = sorted(float(slot) for slot, _ in moments)
    gaps = [later - earlier for earlier, later in zip(slots, slots[1:], strict=False)]
    assert min(gaps) >= 1 / 40 - 1e-5
    assert all(float(sent_at) >= float(slot) for slot, sent_at in moments)
    assert len(slots) >= 0.5 * 40 * (slots[-1] - slots[0])


HOLDER = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
time.sleep(60)
"""


def test_a_process_that_is_killed_inside_its_transaction_blocks_nobody(books, clock, tmp_path):
    ledger = books()
    take(ledger, clock)
    holder = start(HOLDER, tmp_path / "books" / "ledger.db")
    assert holder.stdout.readline() == "held\n"

    holder.send_signal(signal.SIGKILL)
    holder.communicate()

    assert take(ledger, clock) == 0.5


@pytest.mark.slow
def test_a_ledger_that_does_not_answer_stops_requests(org, books, clock, tmp_path):
    org.always(200, EMPTY)
    ledger = books()
    client = org.client(ledger=ledger)
    list(client.read(Query("Account", "SELECT Id FROM Account", all_rows=False)))
    blocker = sqlite3.connect(tmp_path / "books" / "ledger.db", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")

    with pytest.raises(LedgerUnreachable, match="locked") as error_info:
        list(client.read(Query("Account", "SELECT Id FROM Account", all_rows=False)))

    assert "SF_ASSETS_LEDGER" in error_info.value.remedy
    assert len(org.data_calls) == 1


def test_a_ledger_that_is_no_database_is_told(tmp_path):
    (tmp_path / "ledger.db").write_text("this is no database, and it is long enough to be seen as none" * 20)
    ledger = SqlLedger(f"sqlite:///{tmp_path}/ledger.db", org="acme.example", requests_per_second=2.0)

    with pytest.raises(LedgerUnreachable):
        ledger.permit(None, reserve=0.1)


@pytest.mark.parametrize(
    "url", ["", "ledger.db", "sqlite://", "sqlite:///:memory:", "mysql://host/db", "nosuch://host/db"]
)
def test_an_unusable_ledger_setting_is_told_before_anything_is_sent(url):
    with pytest.raises(ConfigError, match="SF_ASSETS_LEDGER"):
        SqlLedger(url, org="acme.example", requests_per_second=2.0)


def test_the_password_of_a_database_is_not_told():
    with pytest.raises((ConfigError, LedgerUnreachable)) as error_info:
        SqlLedger("postgresql://me:hunter2@127.0.0.1:1/x", org="o", requests_per_second=2.0).permit(None, reserve=None)

    assert "hunter2" not in str(error_info.value)


def test_a_damaged_ledger_says_how_to_get_a_new_one(tmp_path):
    path = tmp_path / "ledger.db"
    path.write_bytes(b"no database" * 500)
    ledger = SqlLedger(f"sqlite:///{path}", org="acme", requests_per_second=2.0)

    with pytest.raises(LedgerUnreachable, match="not a database") as error_info:
        ledger.standing()

    assert "Move the ledger's file away" in error_info.value.remedy
    path.unlink()
    assert ledger.standing().pace.rate == 2.0
