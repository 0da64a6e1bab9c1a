"""Requests per CPU second to the practice org: over a socket, and by the transport inside the process.

Run: python benchmarks/practice_transport.py [requests]
"""

import sys
import time

import httpx

from sf_assets.devorg import Org, sample_org, serve
from sf_assets.devorg.api.transport import in_process

QUERY = "/services/data/v60.0/query?q=SELECT+Id,Name+FROM+Account+ORDER+BY+Id+LIMIT+5"


def requests_per_cpu_second(client: httpx.Client, org: Org, count: int) -> float:
    """Send the same small query and return the rate."""
    token = org.sessions.open(org.org_id, org.now())
    headers = {"Authorization": f"Bearer {token}"}
    start = time.process_time()
    for _ in range(count):
        assert client.get(QUERY, headers=headers).status_code == 200
    return count / (time.process_time() - start)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 3_000
    org = sample_org(rows={"Account": 40, "Task": 40})
    org.behave(daily_limit=10**9)
    with serve(org) as server, httpx.Client(base_url=server.url, trust_env=False) as client:
        over_http = requests_per_cpu_second(client, org, count)
    server, transport = in_process(org)
    with httpx.Client(base_url=server.url, transport=transport) as client:
        direct = requests_per_cpu_second(client, org, count)
    print(f"over a socket: {over_http:,.0f} requests per CPU second")
    print(f"in process:    {direct:,.0f} requests per CPU second")


if __name__ == "__main__":
    main()
