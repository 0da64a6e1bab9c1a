"""Mutation gate: change the modules that decide, one place at a time; the tests of their package must notice.

    python sf_assets_tests/mutants.py [--sample N] [--seed S] [MODULE...]

Each mutant is a fork of one process that has imported the libraries, so it costs only the tests. Survivors that
`mutants_survivors.txt` lists with a reason are accepted. Exit status 1 below 90 %.
"""

import argparse
import ast
import contextlib
import importlib.util
import io
import os
import random
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SURVIVORS = Path(__file__).with_name("mutants_survivors.txt")
LEAST_KILLED = 0.9
SECONDS = 120
LIBRARIES = ("polars", "pyarrow.parquet", "pyiceberg.catalog.sql", "httpx", "hypothesis", "pytest", "sqlalchemy")

SYNC = ("sf_assets_tests/sync/test_decisions.py", "sf_assets_tests/sync/test_state.py")
MERGE = ("sf_assets_tests/iceberg/write", "sf_assets_tests/iceberg/commit")
RATE = "sf_assets_tests/salesforce/rate_limit"
TESTS: Mapping[str, tuple[str, ...]] = {
    "sf_assets/sync/state.py": SYNC,
    "sf_assets/sync/transitions.py": SYNC,
    "sf_assets/sync/decide.py": SYNC,
    "sf_assets/iceberg/write/merge.py": MERGE,
    "sf_assets/iceberg/write/row_lookup.py": MERGE,
    "sf_assets/iceberg/write/row_versions.py": MERGE,
    "sf_assets/iceberg/commit/row_delta.py": MERGE,
    "sf_assets/iceberg/commit/table_state.py": MERGE,
    "sf_assets/salesforce/rate_limit/throttle.py": (RATE,),
    "sf_assets/salesforce/rate_limit/quota.py": (RATE,),
    "sf_assets/salesforce/rate_limit/ledger.py": (RATE,),
}

SWAPS: Mapping[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.And: ast.Or, ast.Or: ast.And, ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One change of one module: the place, and the line before and after."""

    path: str
    line: int
    change: str
    source: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.change}"


def mutants_of(path: str) -> Iterator[Mutant]:
    """Yield every mutant of a module."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    for place, node in enumerate(ast.walk(tree)):
        for number, (change, _) in enumerate(_changes(node)):
            twin = deepcopy(tree)
            target = next(one for at, one in enumerate(ast.walk(twin)) if at == place)
            before = ast.unparse(target) if not isinstance(target, ast.arguments) else ""
            list(_changes(target))[number][1]()
            ast.fix_missing_locations(twin)
            yield Mutant(path, getattr(node, "lineno", 0), f"{change}: {before[:90]}", ast.unparse(twin))


def _changes(node: ast.AST) -> list[tuple[str, Any]]:
    """Return the changes of one node: their names, and functions that make them."""
    changes: list[tuple[str, Any]] = []
    if isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPS:
        swap = SWAPS[type(node.ops[0])]
        changes.append((f"{type(node.ops[0]).__name__} to {swap.__name__}", lambda: node.ops.__setitem__(0, swap())))
    elif isinstance(node, ast.BoolOp) or (isinstance(node, ast.BinOp) and type(node.op) in SWAPS):
        other = SWAPS[type(node.op)]
        changes.append((f"{type(node.op).__name__} to {other.__name__}", lambda: setattr(node, "op", other())))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        changes.append(
            (
                "without not",
                lambda: (
                    setattr(node, "op", ast.Not()) or setattr(node, "operand", ast.UnaryOp(ast.Not(), node.operand))
                ),
            )
        )
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        changes.append((f"not {node.value}", lambda: setattr(node, "value", not node.value)))
    elif isinstance(node, ast.Constant) and isinstance(node.value, int):
        changes.append((f"{node.value} to {node.value + 1}", lambda: setattr(node, "value", node.value + 1)))
    elif isinstance(node, ast.If | ast.IfExp):
        changes.append(("condition reversed", lambda: setattr(node, "test", ast.UnaryOp(ast.Not(), node.test))))
    elif isinstance(node, ast.Return) and node.value is not None and not isinstance(node.value, ast.Constant):
        changes.append(("returns None", lambda: setattr(node, "value", ast.Constant(None))))
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("min", "max"):
        other_name = "max" if node.func.id == "min" else "min"
        changes.append((f"{node.func.id} to {other_name}", lambda: setattr(node.func, "id", other_name)))
    elif isinstance(node, ast.keyword) and node.arg is not None:
        pass
    return changes


class MutantFinder(MetaPathFinder):
    """Imports one module from a mutant's source."""

    def __init__(self, mutant: Mutant) -> None:
        self.name, self.mutant = mutant.path.removesuffix(".py").replace("/", "."), mutant

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        if fullname != self.name:
            return None
        loader: Loader = _MutantLoader(fullname, str(ROOT / self.mutant.path), self.mutant.source)
        return importlib.util.spec_from_file_location(fullname, ROOT / self.mutant.path, loader=loader)


class _MutantLoader(SourceFileLoader):
    def __init__(self, name: str, path: str, source: str) -> None:
        super().__init__(name, path)
        self._source = source

    def get_code(self, fullname: str) -> Any:
        return compile(self._source, self.path, "exec")


def is_killed(mutant: Mutant | None, tests: tuple[str, ...]) -> bool:
    """Run the tests in a fork with the mutant. A timeout counts as killed."""
    child = os.fork()
    if child == 0:
        os._exit(_run_tests(mutant, tests))
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status) != 0
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


def _run_tests(mutant: Mutant | None, tests: tuple[str, ...]) -> int:
    import pytest  # imported before the fork

    if mutant is not None:
        sys.meta_path.insert(0, MutantFinder(mutant))
    with (
        open(os.devnull, "w") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
        return int(pytest.main([*tests, "-x", "-q", "-p", "no:cacheprovider", "--no-header", "--assert=plain"]))


def accepted_survivors() -> dict[str, str]:
    """Return the survivors with a reason, as `module: change` -> reason."""
    if not SURVIVORS.exists():
        return {}
    lines = [line for line in SURVIVORS.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return dict(line.split(" | ", 1) for line in lines)


def key_of(mutant: Mutant) -> str:
    """Return the name of a mutant without its line, which moves."""
    return f"{mutant.path}: {mutant.change}"


def main() -> int:
    """Run a sample of the mutants and print the survivors."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", default=list(TESTS))
    parser.add_argument("--sample", type=int, default=0, help="mutants of each module (default: all)")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    for library in LIBRARIES:
        importlib.import_module(library)
    accepted, total, killed, equivalent = accepted_survivors(), 0, 0, 0
    for module in arguments.modules:
        tests = TESTS[module]
        if is_killed(None, tests):
            sys.stdout.write(f"{module}: its tests fail without a mutant\n")
            return 2
        mutants = list(mutants_of(module))
        if arguments.sample and len(mutants) > arguments.sample:
            mutants = random.Random(arguments.seed).sample(mutants, arguments.sample)
        survivors = [mutant for mutant in mutants if not is_killed(mutant, tests)]
        without_reason = [mutant for mutant in survivors if key_of(mutant) not in accepted]
        total, killed = total + len(mutants), killed + len(mutants) - len(survivors)
        equivalent += len(survivors) - len(without_reason)
        sys.stdout.write(f"{module}: {len(mutants) - len(survivors)} of {len(mutants)} killed\n")
        sys.stdout.writelines(f"  survives: {mutant}\n" for mutant in without_reason)
        sys.stdout.flush()
    share = (killed + equivalent) / total
    sys.stdout.write(
        f"{killed} of {total} killed, {equivalent} survive with a reason: {share:.0%} (seed {arguments.seed})\n"
    )
    return int(share < LEAST_KILLED)


if __name__ == "__main__":
    sys.exit(main())
