"""The calls of a day without changes, hourly over thirty endpoints, counted on the practice org."""

import pytest

from sf_assets_tests.sync.histories.lake import SPECS


@pytest.mark.heavy
def test_a_quiet_day_hourly_costs_at_most_300_calls(lake):
    lake.sync()
    for _ in range(2):
        lake.clock.advance(hours=25)
        lake.sync()
    calls = []
    for _ in range(24):
        lake.clock.advance(hours=1)
        before = len(lake.server.requests)
        lake.sync()
        calls.append(sum(request.kind != "token" for request in lake.server.requests[before:]))

    assert len(SPECS) == 30
    assert sum(calls) <= 300, calls
    assert sorted(calls)[-2] <= 10, calls  # all but the run that does the daily work
