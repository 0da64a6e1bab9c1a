"""Break each rule of docs/reading.md once, and count the histories until the simulator notices.

    python -m sf_assets_tests.sync.simulator.rules SEED MOST [NAME...]

Each rule is broken by a change of the source, in a copy of the package. A history that fails without the change too
does not count. Exit status 1 if a rule was not noticed.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Break:
    """A change of one file: the first `old` becomes `new`."""

    path: str
    old: str
    new: str


BREAKS: Mapping[str, Break] = {
    "settling: 'unchanged' is believed 20 minutes after the newest stamp": Break(
        "sync/decide.py", "read_at - LOOKBACK > newest)", "read_at >= newest)"
    ),
    "a tail looks back 20 minutes": Break(
        "sync/limits.py", "LOOKBACK = timedelta(minutes=20)", "LOOKBACK = timedelta(0)"
    ),
    "a tail has no upper bound": Break(
        "sync/resume_marks.py",
        "self._last, self._rows, self._is_ordered, self._is_short = None, 0, True, False",
        """self._last, self._rows, self._is_ordered, self._is_short = None, 0, True, False
        from datetime import timedelta
        if self.below:
            ceiling = datetime_literal(self.below + timedelta(minutes=20))
            self._where.append(f"{self.reader.spec.stamp} <= {ceiling}")""",
    ),
    "a tail resumes by (stamp, Id)": Break(
        "sync/resume_marks.py",
        """return f"({name} > {stamp} OR ({name} = {stamp} AND Id > {string_literal(resume.id)}))\"""",
        """return f"{name} > {stamp}\"""",
    ),
    "a tail's position counts only if no row before it is missing": Break(
        "sync/resume_marks.py",
        "self.reader.holds_all(self._rest(mark), self._rows - self._confirmed_rows):",
        "True:",
    ),
    "checkpoints rest on stamps below the ceiling less 20 minutes": Break(
        "sync/transitions.py", "is not None and stamp < below and ids[i]", "is not None and ids[i]"
    ),
    "the ceiling is never later than the clock": Break(
        "sync/transitions.py",
        "return ceiling and max(EARLIEST, min(ceiling, began_at.replace(microsecond=0)))",
        "return ceiling",
    ),
    "a tail follows a walk": Break(
        "sync/strategies.py", "if was_short or walk_end.position.tail_from is None:", "if True:"
    ),
    "a walk's ceiling is that of its start": Break(
        "sync/read.py",
        "start = step.walk if step.walk.is_begun else replace(step.walk, ceiling=ceiling)",
        "start = replace(step.walk, ceiling=ceiling)",
    ),
    "at an equal stamp the later read wins": Break(
        "iceberg/write/row_versions.py",
        "    later = pl.lit(True)\n    if",
        "    later = pl.lit(False)\n    if False and",
    ),
    "an older stamp of a later reading wins": Break(
        "iceberg/write/row_versions.py", "        is_older &= (", "        is_older &= True | ("
    ),
    "an older read does not win": Break(
        "iceberg/write/row_versions.py",
        "later = (pl.col(SYNCED_AT) >= pl.col(SYNCED_AT + OLD))",
        "later = (pl.lit(True))",
    ),
    "the daily deep tail looks back 36 hours": Break(
        "sync/decide.py", "is_deep = at.reconcile or is_deep_due(base, at.now)", "is_deep = False"
    ),
    "the deep tail begins where the last one began": Break(
        "sync/decide.py",
        "return min(tail_from - DEEP_LOOKBACK, last - LOOKBACK) if last else tail_from - DEEP_LOOKBACK",
        "return tail_from - DEEP_LOOKBACK",
    ),
    "the state is bound to a snapshot": Break(
        "iceberg/commit/table_state.py", "snapshot.snapshot_id == written_for:", "True:"
    ),
    "a short result is read again": Break(
        "sync/reader.py", "return count is not None and count <= rows", "return True"
    ),
    "a gap that a purge explains is not an error": Break(
        "sync/reader.py", "return count is not None and count <= rows", "return False"
    ),
    "a range ends at fewer rows than its LIMIT": Break(
        "sync/id_range.py", "self.is_done = max(rows, total) < limit", "self.is_done = True"
    ),
    "a replace removes no more than the bound": Break(
        "sync/plan.py", "if self.run.confirm_shrink or self.run.adopt_org:", "if True:"
    ),
    "a comparison marks no more than the bound": Break(
        "sync/reconcile/run.py", "if limit is None or len(surplus) <= limit:", "if True:"
    ),
    "the deleted log explains rows": Break(
        "sync/reconcile/run.py", "logged = self.log.ids if self.log else", "logged = frozenset[str]() if self.log else"
    ),
    "an object that goes off during a full read keeps its table": Break(
        "sync/read.py", 'if step.kind == "replace" and self.report.read.pages:', "if False:"
    ),
    "a column that comes back is read from where it was hidden": Break(
        "sync/decide.py",
        "return min([lower, *(stamp for column in revealed",
        "return min([lower, *(stamp for column in ()",
    ),
    "a walk's column that was hidden for a part is new": Break(
        "sync/transitions.py",
        "columns = tuple(column for column in walk.columns if column in readable)",
        "columns = walk.columns",
    ),
    "a new column is filled": Break("sync/column_status.py", "if column not in state.columns.read and", "if False and"),
    "a refused column is kept in the state": Break(
        "sync/strategies.py",
        "return with_refused(state, {**state.columns.refused, **refused}, complicated=reader.complicated)",
        "return state",
    ),
    "a probe explains a table only without newer rows": Break(
        "sync/transitions.py", "return None if is_older else probe", "return probe"
    ),
    "a snapshot is read daily": Break("sync/decide.py", "if (is_small and is_deep_due(base, at.now)) or", "if"),
    "the daily comparison": Break(
        "sync/read.py",
        "if not is_comparison_due(without_comparison(state) if is_requested else state, now):",
        "if True:",
    ),
    "a comparison marks rows that are gone": Break("sync/reconcile/compare.py", "tuple(surplus[ID].sort())", "()"),
    "a comparison reads rows that the table lacks": Break(
        "sync/reconcile/compare.py", "return Differences(tuple(outdated[ID].sort()),", "return Differences((),"
    ),
    "a comparison is of IsDeleted too": Break("sync/reconcile/compare.py", "on=[ID, DELETED, STAMP]", "on=[ID, STAMP]"),
    "rows back in sight are read again": Break(
        "sync/reconcile/run.py", "if counts.sight_lost_since is None or lost", "if True or lost"
    ),
    "calculated columns are read again daily": Break(
        "sync/plan.py", "(c.calculated and has_refresh)", "(False and has_refresh)"
    ),
    "counts and newest stamps of the probe are compared": Break(
        "sync/decide.py", "is_equal = (at.probe.count, at.probe.ceiling) == at.window", "is_equal = True"
    ),
}


def broken_copy(rule: Break, folder: Path) -> None:
    """Copy the package and the tests into a folder, with the rule broken."""
    shutil.copytree(ROOT / "sf_assets", folder / "sf_assets", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "sf_assets_tests").symlink_to(ROOT / "sf_assets_tests")
    path = folder / "sf_assets" / rule.path
    text = path.read_text(encoding="utf-8")
    if rule.old not in text:
        raise LookupError(f"{rule.path} has no {rule.old!r}: write the change of this rule again")
    path.write_text(text.replace(rule.old, rule.new, 1), encoding="utf-8")


def histories_until_found(rule: Break, *, seed: int, most: int) -> tuple[int | None, str]:
    """Return after how many histories the simulator notices, and what it says."""
    with TemporaryDirectory() as folder:
        broken_copy(rule, Path(folder))
        first, end = seed, seed + most
        while first < end:
            failure = first_failure(Path(folder), seed=first, most=end - first)
            if failure is None:
                break
            failing_seed, text = failure
            if first_failure(ROOT, seed=failing_seed, most=1) is None:
                return failing_seed - seed + 1, text
            first = failing_seed + 1
    return None, ""


def first_failure(folder: Path, *, seed: int, most: int) -> tuple[int, str] | None:
    """Play histories with the package in a folder. Return the first seed that fails, and why."""
    command = ["-m", "sf_assets_tests.sync.simulator.chaos", str(seed), str(most), "--stop", "--jobs", "1"]
    process = subprocess.run(
        [sys.executable, *command],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    match = re.search(r"found after (\d+) histories: (.*)", process.stdout)
    if match is None and process.returncode:
        raise RuntimeError(process.stderr[-2_000:])
    return (seed + int(match[1]) - 1, match[2]) if match else None


def main() -> int:
    """Break the rules of the command line, or all of them, and print a row for each."""
    seed, most, *names = sys.argv[1:]
    misses = 0
    sys.stdout.write("| rule | found after histories | as |\n| --- | --- | --- |\n")
    for name, rule in BREAKS.items():
        if names and not any(part in name for part in names):
            continue
        count, text = histories_until_found(rule, seed=int(seed), most=int(most))
        misses += count is None
        sys.stdout.write(f"| {name} | {count or f'not in {most}'} | {text[:110]} |\n")
        sys.stdout.flush()
    return int(misses > 0)


if __name__ == "__main__":
    sys.exit(main())
