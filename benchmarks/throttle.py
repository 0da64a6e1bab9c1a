"""The throttle against an org's own limiter: simulated on a clock that costs no time, and one real run over HTTP.

    python benchmarks/throttle.py                 # scenarios A, B and C of docs/architecture.md, simulated
    python benchmarks/throttle.py --real 600      # A against the practice org, so many seconds

Share = answered requests / what the limiter would have let through. "Back" = seconds after the limit has returned until
95 % of 2 requests/s hold for 30 s.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sf_assets.devorg import sample_org, serve
from sf_assets.salesforce.client import Client
from sf_assets.salesforce.client_settings import OrgAccess, RequestLimits
from sf_assets.salesforce.login.credentials import Credentials
from sf_assets.salesforce.rate_limit.throttle import Throttle
from sf_assets.salesforce.wire import Query

CEILING = 2.0
SCENARIOS: dict[str, tuple[int, Callable[[float], float], Callable[[float], float | None]]] = {
    "A: 1.3/s for 600 s": (600, lambda _: 1.3, lambda _: None),
    "B: 2, 0.7, 2/s for 300 s each": (900, lambda now: 0.7 if 300 <= now < 600 else 2.0, lambda _: None),
    "C: 0.2/s for 600 s": (600, lambda _: 0.2, lambda _: None),
    "A with Retry-After: 1": (600, lambda _: 1.3, lambda _: 1.0),
}


@dataclass
class Limiter:
    """A token bucket of one second's burst; a refusal costs no token."""

    limit: Callable[[float], float]
    level: float = 1.0
    at: float = 0.0
    answered: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)

    def takes(self, now: float) -> bool:
        """Whether a request at this moment is answered."""
        rate = self.limit(now)
        self.level = min(max(1.0, rate), self.level + (now - self.at) * rate)
        self.at = now
        is_taken = self.level >= 1.0
        self.level -= is_taken
        (self.answered if is_taken else self.refused).append(now)
        return is_taken


def main() -> None:
    """Print a line a scenario, or run for real."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--real", type=int, metavar="SECONDS")
    parser.add_argument("--latency", type=float, default=0.8)
    arguments = parser.parse_args()
    if arguments.real:
        real(arguments.real)
        return
    for name, (seconds, limit, retry_after) in SCENARIOS.items():
        limiter = simulate(seconds, limit, retry_after, latency=arguments.latency)
        capacity = sum(limit(now) for now in range(seconds))
        line = f"{name}: {len(limiter.answered) / capacity:.0%} of the capacity, {len(limiter.refused)} refusals"
        sys.stdout.write(f"{line}{back(limiter.answered) if name.startswith('B') else ''}\n")


def simulate(
    seconds: int, limit: Callable[[float], float], retry_after: Callable[[float], float | None], *, latency: float
) -> Limiter:
    """One sender on a clock of its own, who learns of a refusal after the latency."""
    pace, limiter, now = Throttle.at_ceiling(CEILING, now=0.0), Limiter(limit), 0.0
    while now < seconds:
        pace, permit = pace.permit(now)
        while not permit.is_kept:
            now += permit.wait_seconds
            pace, permit = pace.permit(now, previous=permit)
        now = permit.slot
        if not limiter.takes(now):
            pace = pace.pushed_back(now=now + latency, sent_at=now, retry_after=retry_after(now))
            now += latency
    return limiter


def back(answers: Sequence[float]) -> str:
    """When the full rate was back after the limit has returned at 600 s."""
    for start in range(600, 870):
        if len([moment for moment in answers if start <= moment < start + 30]) >= 0.95 * 30 * CEILING:
            return f", back after {start - 600} s"
    return ", not back"


def real(seconds: int) -> None:
    """The client against the practice org, which answers 429 with a Retry-After above 1.3 requests/s."""
    with serve(sample_org(seed=7, rows={"Campaign": 2})) as org:
        org.org.behave(requests_per_second=1.3)
        client = Client(
            OrgAccess(org.url, Credentials(**org.credentials)), limits=RequestLimits(requests_per_second=CEILING)
        )
        client.org_id()
        start = time.monotonic()
        while time.monotonic() - start < seconds:
            list(client.read(Query("Campaign", "SELECT Id FROM Campaign", all_rows=False)))
        statuses = [request.status for request in org.requests if request.kind == "query"]
        refusals = [request.at.timestamp() for request in org.requests if request.status == 429]
        answer_count = statuses.count(200)
        early = sum(_follows_too_soon(moment, org.requests) for moment in refusals)
        sys.stdout.write(
            f"real, 1.3/s for {seconds} s: {answer_count / (1.3 * seconds):.0%} of the capacity,"
            f" {len(refusals)} refusals, {early} requests before a Retry-After had passed\n"
        )


def _follows_too_soon(refused_at: float, requests: Sequence[object]) -> bool:
    """Whether a request came within the second that the practice org's Retry-After asks for."""
    moments = (request.at.timestamp() for request in requests)  # type: ignore[attr-defined]
    return any(refused_at < moment < refused_at + 0.99 for moment in moments)


if __name__ == "__main__":
    main()
