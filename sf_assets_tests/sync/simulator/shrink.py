"""From a history that fails to the shortest one that fails in the same way."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from sf_assets_tests.sync.simulator.history import History, Step, Sync

Fails = Callable[[History], bool]


def shrink(history: History, fails: Fails) -> History:
    """Leave out chunks of steps, then single ones, then parts of the syncs, then settings, until nothing can go."""
    size = -1
    while size != len(repr(history)):
        size = len(repr(history))
        history = _fewer_steps(history, fails)
        history = _simpler_steps(history, fails)
        history = _first(history, _simpler_settings(history), fails)
    return history


def _fewer_steps(history: History, fails: Fails) -> History:
    chunk = max(1, len(history.steps) // 2)
    while chunk:
        start = 0
        while start < len(history.steps):
            shorter = replace(history, steps=history.steps[:start] + history.steps[start + chunk :])
            if fails(shorter):
                history = shorter
            else:
                start += chunk
        chunk //= 2
    return history


def _simpler_steps(history: History, fails: Fails) -> History:
    for place in range(len(history.steps)):
        simpler = True
        while simpler:
            candidates = (_with(history, place, step) for step in _simpler(history.steps[place]))
            candidate = _first(history, candidates, fails)
            simpler, history = candidate is not history, candidate
    return history


def _first(history: History, candidates: Iterator[History], fails: Fails) -> History:
    return next((one for one in candidates if fails(one)), history)


def _with(history: History, place: int, step: Step) -> History:
    return replace(history, steps=(*history.steps[:place], step, *history.steps[place + 1 :]))


def _simpler(step: Step) -> Iterator[Step]:
    if isinstance(step, Sync):
        plain: dict[str, Any] = {
            "strike": None, "inside": None, "since": None, "until": None, "full_refresh": False,
            "confirm_shrink": False, "reconcile": False,
        }  # fmt: skip
        yield from (replace(step, **{name: value}) for name, value in plain.items() if getattr(step, name) != value)
        for name in ("faults", "during"):
            entries = getattr(step, name)
            yield from (replace(step, **{name: entries[:n] + entries[n + 1 :]}) for n in range(len(entries)))
        yield from (replace(step, endpoints=(name,)) for name in step.endpoints if len(step.endpoints) > 1)
    elif getattr(step, "count", 1) > 1:
        yield replace(step, count=1)  # type: ignore[call-arg]


def _simpler_settings(history: History) -> Iterator[History]:
    plain: dict[str, Any] = {
        "lanes": False, "locator_rows": "live", "deleted": "mark", "comparison": "rows", "commit_rows": 200_000,
        "page_rows": 2_000, "rows": 3,
    }  # fmt: skip
    yield from (replace(history, **{name: value}) for name, value in plain.items() if getattr(history, name) != value)
    if len(history.endpoints) > 1:
        for name in history.endpoints:
            steps = tuple(_only(step, name) for step in history.steps)
            yield replace(history, endpoints=(name,), steps=tuple(step for step in steps if step is not None))


def _only(step: Step, endpoint: str) -> Step | None:
    if isinstance(step, Sync):
        return replace(step, endpoints=(endpoint,))
    return None if getattr(step, "endpoint", endpoint) != endpoint else step
