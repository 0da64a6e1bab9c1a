"""An hour without the org, then back: how many requests are sent, and at what pace."""

import pytest

from sf_assets.errors import OrgBusy
from sf_assets.salesforce.rate_limit.ledger import MemoryLedger
from sf_assets.salesforce.wire import Query

QUERY = Query("Account", "SELECT Id FROM Account", all_rows=False)
PAGE = {"totalSize": 0, "done": True, "records": []}
HOUR = 3600.0


def most_within(times, seconds):
    """The most requests that any span of this length has."""
    return max(sum(start <= time < start + seconds for time in times) for start in times)


@pytest.mark.parametrize("status", [503, 429])
def test_an_hour_of_refusals_costs_few_requests_and_ends_without_a_burst(org, clock, status):
    ledger = MemoryLedger(requests_per_second=2.0, clock=clock.monotonic)
    clients = [org.client(ledger=ledger) for _ in range(3)]  # three processes' share of one pace
    org.always(200, PAGE)
    for client in clients:
        list(client.read(QUERY))
    sent_before, began = len(org.seen), clock.seconds
    org.always(status)
    while clock.seconds - began < HOUR:
        for client in clients:
            with pytest.raises(OrgBusy):
                list(client.read(QUERY))

    hour = org.sent_at[sent_before:]
    assert len(hour) <= (clock.seconds - began) / 20
    assert most_within(hour, 1.0) <= 2

    org.always(200, PAGE)
    sent_before = len(org.seen)
    for _ in range(100):
        for client in clients:
            list(client.read(QUERY))
    after = org.sent_at[sent_before:]
    assert len(after) == 300
    assert most_within(after, 1.0) <= 3
    assert most_within(after, 60.0) <= 121
    assert after[-1] - after[-2] == pytest.approx(0.5, abs=0.1)  # the full pace is back
