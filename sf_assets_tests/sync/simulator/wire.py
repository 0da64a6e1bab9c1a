"""The wire of a history: the practice org without a socket, faults, and results that lack a record."""

import json
from collections import Counter
from collections.abc import Callable

import httpx

from sf_assets.devorg.org import faults as devorg
from sf_assets.devorg.org.org import Org
from sf_assets_tests.sync.simulator.history import Fault

HOURS = 3_600.0
SCRIPTED: dict[str, dict[str, object]] = {
    "429": {"refusal": "gateway_limit", "headers": {"Retry-After": "7"}},
    "500": {"refusal": "unknown_exception"},
    "503": {"refusal": "server_unavailable"},
    "busy": {"refusal": "concurrent_limit"},
    "lock": {"refusal": "row_lock"},
    "quota": {"refusal": "daily_limit"},
    "query_timeout": {"refusal": "query_timeout"},
    "html": {"status": 200, "html": True},
    "reset": {"reset": True},
    "torn": {"truncate": True},
    "slow": {"delay_seconds": 100.0},
}
ON_PAGE = ("session", "locator")
"""Faults that happen when a page is asked for: the token ends, all locators end."""
SHORT = ("short_first", "short_middle", "short_last")
"""Results that lack a record which their totalSize counts, as a proxy or a failing node serves them."""
NAMES = (*SCRIPTED, *ON_PAGE, *SHORT)


class Wire(httpx.BaseTransport):
    """Passes requests on to the practice org and injects the faults of one sync. `struck` counts them by name."""

    def __init__(self, inner: httpx.BaseTransport, org: Org, wait: Callable[[float], None]) -> None:
        self._inner, self._org, self._wait = inner, org, wait
        self.struck: Counter[str] = Counter()
        self.requests = 0
        self._short: list[list[int | str]] = []
        self._on_page: list[list[int | str]] = []

    def inject(self, faults: tuple[Fault, ...]) -> None:
        """Replace the faults."""
        self._org.faults[:] = [
            devorg.Fault(kind=one.kind, after=one.after, times=one.times, **SCRIPTED[one.name])  # type: ignore[arg-type]
            for one in faults
            if one.name in SCRIPTED
        ]
        self._short = [[one.name, one.after, one.times] for one in faults if one.name in SHORT]
        self._on_page = [[one.name, one.after] for one in faults if one.name in ON_PAGE]
        self.is_armed = bool(faults)

    def on_page(self) -> None:
        """End sessions or locators, if it is time. Called before each page."""
        for fault in list(self._on_page):
            fault[1] = int(fault[1]) - 1
            if fault[1] < 0:
                self._on_page.remove(fault)
                self.struck[str(fault[0])] += 1
                (self._org.expire_sessions if fault[0] == "session" else self._org.expire_locators)()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        self.requests += 1
        try:
            response = self._inner.handle_request(request)
        except httpx.TransportError:
            self.struck["reset or torn"] += 1
            raise
        if response.status_code >= 400:
            self.struck[str(response.status_code)] += 1
        return self._shorten(request, response) if self._short and response.status_code == 200 else response

    def _shorten(self, request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if "/query" not in request.url.path or b'"AggregateResult"' in response.content:
            return response
        body = json.loads(response.content)
        if len(body.get("records", ())) < 2:
            return response
        fault = self._short[0]
        if int(fault[1]) > 0:
            fault[1] = int(fault[1]) - 1
            return response
        fault[2] = int(fault[2]) - 1
        if fault[2] <= 0:
            self._short.pop(0)
        self.struck["short"] += 1
        records = body["records"]
        del records[{"short_first": 0, "short_middle": len(records) // 2, "short_last": -1}[str(fault[0])]]
        headers = {k: v for k, v in response.headers.items() if k.lower() != "content-length"}
        return httpx.Response(200, headers=headers, json=body, request=request)
