"""Play many histories at once: `python -m sf_assets_tests.sync.simulator.chaos SEED RUNS [--jobs N]`.

A history that fails is shrunk and printed as a test. Exit status 1 if one failed.
"""

import argparse
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from sf_assets_tests.sync.simulator.generator import generate
from sf_assets_tests.sync.simulator.history import History, as_test
from sf_assets_tests.sync.simulator.player import Tally, play
from sf_assets_tests.sync.simulator.shrink import shrink

SHRINK_SECONDS = 90.0
CHUNK = 10
"""Histories that a process plays before it reports."""


@dataclass
class Result:
    """What a few histories came to."""

    runs: int = 0
    seconds: float = 0.0
    tally: Tally = field(default_factory=Tally)
    failures: list[tuple[int, str]] = field(default_factory=list)


def failure_of(history: History) -> BaseException | None:
    """Play a history on files in memory, if the machine has such a folder. Return the error, or None."""
    with TemporaryDirectory(dir=memory_folder()) as folder:
        try:
            play(history, Path(folder))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - every end but the good one is a finding
            return error
    return None


def memory_folder() -> str | None:
    """Return a folder in memory, or None for the usual one."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108


def signature(error: BaseException | None) -> tuple[str, ...] | None:
    """Return what two failures have in common if their cause is the same: class, endpoint or sentence, kind."""
    return None if error is None else (type(error).__name__, *str(error).split(": ")[:2])


def play_some(seeds: Sequence[int]) -> Result:
    """Play the histories of some seeds."""
    result, start = Result(), time.perf_counter()
    for seed in seeds:
        result.runs += 1
        with TemporaryDirectory(dir=memory_folder()) as folder:
            try:
                result.tally += play(generate(seed), Path(folder))
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # noqa: BLE001 - see failure_of
                result.failures.append((seed, f"{type(error).__name__}: {error}"))
    result.seconds = time.perf_counter() - start
    return result


def shortest(seed: int, *, seconds: float = SHRINK_SECONDS) -> str:
    """Return the shortest history that fails as the seed's does, as a test."""
    history, deadline = generate(seed), time.monotonic() + seconds
    original = signature(failure_of(history))
    if original is None:
        return f"# seed {seed} passed when it was played again"
    small = shrink(history, lambda one: time.monotonic() < deadline and signature(failure_of(one)) == original)
    error = failure_of(small)
    return as_test(small, name=f"the_history_of_seed_{seed}", why=str(error or original))


def results(seed: int, runs: int, jobs: int, *, chunk: int = CHUNK) -> Iterator[Result]:
    """Play histories in several processes; yield what each chunk came to."""
    chunks = [range(first, min(first + chunk, seed + runs)) for first in range(seed, seed + runs, chunk)]
    if jobs == 1:
        yield from map(play_some, chunks)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), max_tasks_per_child=50) as pool:
        for future in as_completed([pool.submit(play_some, chunk) for chunk in chunks]):
            yield future.result()


def table_of(total: Result, *, seed: int, seconds: float, commit: str) -> list[str]:
    """Return the table of docs/reliability.md."""
    tally, kinds = total.tally, Counter(kind_of_failure(text) for _, text in total.failures)
    rows = {
        "histories": f"{total.runs:,} (seeds {seed} to {seed + total.runs - 1}, commit {commit})",
        "time": f"{seconds / 60:,.0f} minutes, {total.runs / seconds * 3600:,.0f} histories an hour",
        "syncs": f"{tally.syncs:,}, {tally.undisturbed:,} of them undisturbed",
        "rows read": f"{tally.rows:,}",
        "edits of the org": counts_as_text(tally.edits),
        "faults of the wire": counts_as_text(tally.faults),
        "kills and failures of the disk": counts_as_text(tally.kills),
        "rollbacks, upkeep": f"{tally.steps['RollBack']:,}, {tally.steps['Upkeep']:,}",
        "syncs that resumed a checkpoint": f"{tally.resumed:,}",
        "rows lost, doubled, with wrong values": ", ".join(str(kinds[name]) for name in ("lost", "doubled", "values")),
        "other failures": str(kinds["other"]),
    }
    return ["| | |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in rows.items())]


def kind_of_failure(text: str) -> str:
    """Return which of the promises a failure breaks."""
    return next((name for name in ("lost", "doubled", "values") if f"{name}: " in text), "other")


def counts_as_text(counts: Counter[str]) -> str:
    """Return counts as a text, the most frequent first."""
    return f"{sum(counts.values()):,}: " + ", ".join(f"{name} {count:,}" for name, count in counts.most_common())


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def commit_of_checkout() -> str:
    with suppress(OSError):
        process = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)  # noqa: S607
        return process.stdout.strip() or "unknown"
    return "unknown"


def main() -> int:
    """Play the histories of the command line, print their table, and shrink the first failures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seed", type=int)
    parser.add_argument("runs", type=int)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--stop", action="store_true", help="stop at the first failure, and do not shrink it")
    arguments = parser.parse_args()
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
    total, start = Result(), time.perf_counter()
    for part in results(arguments.seed, arguments.runs, arguments.jobs, chunk=1 if arguments.stop else CHUNK):
        total.runs, total.seconds = total.runs + part.runs, total.seconds + part.seconds
        total.tally += part.tally
        total.failures += part.failures
        for seed, text in part.failures:
            say(f"seed {seed}, found after {seed - arguments.seed + 1} histories: {text[:300]}")
        if arguments.stop and total.failures:
            return 1
    seconds = time.perf_counter() - start
    say("\n".join(table_of(total, seed=arguments.seed, seconds=seconds, commit=commit_of_checkout())))
    for seed, _ in total.failures[:5]:
        say(f"\n{shortest(seed)}")
    return int(bool(total.failures))


if __name__ == "__main__":
    from sf_assets_tests.sync.simulator import chaos  # spawned processes import the module by its name

    sys.exit(chaos.main())
