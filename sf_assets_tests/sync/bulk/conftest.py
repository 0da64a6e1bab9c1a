"""An org and its tables, with a client that waits on the histories' clock."""

import pytest

from sf_assets.salesforce.client import Client
from sf_assets.salesforce.client_settings import Clock, OrgAccess, RequestLimits
from sf_assets.salesforce.login.credentials import Credentials
from sf_assets_tests.sync.histories.lake import Lake


class WaitingLake(Lake):
    """A lake whose client moves the clock on when it waits."""

    api_version = "60.0"

    def new_client(self):
        return Client(
            OrgAccess(self.server.url, Credentials(**self.server.credentials), api_version=self.api_version),
            limits=RequestLimits(requests_per_second=100_000),
            clock=Clock(now=self.clock, sleep=lambda seconds: self.clock.advance(seconds=seconds)),
            transport=self.transport,
        )

    def requests_with(self, text):
        """Return how many requests so far have the text in their method and path."""
        return sum(text in f"{request.method} {request.path}" for request in self.server.requests)


@pytest.fixture
def many(lake):
    """A lake with 60 contacts more, in result pages of twenty rows."""
    waiting = WaitingLake(lake.org, server=lake.server, folder=lake.folder, clock=lake.clock)
    lake.org.insert_many("Contact", [{"LastName": f"n{i}"} for i in range(60)])
    lake.org.behave(bulk_page_rows=20)
    lake.clock.advance(days=1)
    return waiting
