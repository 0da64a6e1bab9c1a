"""What a person installs: versions, package data, the Makefile's plain words, and the cost of the door."""

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from setuptools import Distribution

ROOT = Path(__file__).parent.parent
EXPENSIVE = ("polars", "pyiceberg", "pyarrow", "httpx", "jwt", "dagster_aws", "dagster_snowflake", "boto3")


def setup_requirements() -> list[Requirement]:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    texts = [config["options"]["install_requires"], *dict(config["options.extras_require"]).values()]
    return [Requirement(line) for text in texts for line in text.split("\n") if line and not line.startswith("#")]


def pinned_versions() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


@pytest.mark.parametrize("requirement", setup_requirements(), ids=str)
def test_every_dependency_is_pinned_within_its_bounds(requirement: Requirement) -> None:
    versions = {canonicalize_name(name): version for name, version in pinned_versions().items()}

    assert versions[canonicalize_name(requirement.name)] in requirement.specifier


def test_constraints_are_names_and_versions_alone() -> None:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]

    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9a-z.+]*", line)] == []
    assert len(lines) == len(pinned_versions())


def test_an_installation_for_a_demo_has_none_of_the_tests_tools() -> None:
    tools = ("playwright", "moto", "cfn-lint", "pytest", "hypothesis", "mypy", "ruff")
    files = {name: (ROOT / name).read_text(encoding="utf-8") for name in ("requirements.txt", "requirements-test.txt")}

    assert [tool for tool in tools if re.search(rf"^{tool}==", files["requirements.txt"], re.MULTILINE)] == []
    assert [tool for tool in tools if not re.search(rf"^{tool}==", files["requirements-test.txt"], re.MULTILINE)] == []


def test_all_that_is_not_python_is_packaged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    distribution = Distribution()
    distribution.parse_config_files(["setup.cfg"])
    distribution.script_name = "setup.py"
    build = distribution.get_command_obj("build_py")
    build.ensure_finalized()

    data_files = {str(Path(source) / name) for _, source, _, names in build.data_files for name in names}

    on_disk = {str(path.relative_to(ROOT)) for path in (ROOT / "sf_assets").rglob("*") if path.is_file()}
    assert data_files == {name for name in on_disk if not name.endswith((".py", ".pyc"))}


def test_every_folder_of_the_package_is_a_package() -> None:
    folders = {path.parent for path in (ROOT / "sf_assets").rglob("*.py")}

    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


def test_what_the_door_has_loaded_is_left_alone_by_the_garbage_collector() -> None:
    counts_objects = "import gc, sf_assets.definitions; print(gc.get_freeze_count() > 50_000 > len(gc.get_objects()))"

    assert subprocess.run([sys.executable, "-c", counts_objects], capture_output=True, text=True).stdout == "True\n"


@pytest.mark.parametrize("door", ["sf_assets.definitions", "sf_assets.cli"])
def test_the_door_loads_nothing_expensive(door: str) -> None:
    code = f"import sys, {door}; print(*[name for name in {EXPENSIVE!r} if name in sys.modules])"

    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert answer.stdout.split() == []


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout without .venv, as a person has just cloned it."""
    for name in ("Makefile", "setup.cfg", "requirements.txt", "dagster.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def make(checkout: Path, *arguments: str) -> tuple[int, str]:
    answer = subprocess.run(["make", *arguments], cwd=checkout, capture_output=True, text=True, timeout=60)
    return answer.returncode, answer.stdout + answer.stderr


def stub_python(folder: Path, body: str) -> str:
    """A `python` that behaves as its shell text says; `$2` is the code of `python -c`."""
    path = folder / "stub-python"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return f"PYTHON={path}"


def test_make_alone_lists_every_target(checkout: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):.*##", (checkout / "Makefile").read_text(), flags=re.MULTILINE))

    status, output = make(checkout)

    assert status == 0
    assert set(re.findall(r"^  make ([a-z-]+)", output, flags=re.MULTILINE)) == targets
    assert {"install", "demo", "dev", "test", "check"} <= targets


def test_a_home_that_cannot_be_written_is_one_sentence(checkout: Path) -> None:
    venv = checkout / ".venv"
    venv.mkdir()
    (venv / ".installed").touch()
    (checkout / "file").touch()

    status, output = make(checkout, "demo", f"DAGSTER_HOME={checkout / 'file' / 'home'}")

    assert status != 0
    assert f"DAGSTER_HOME cannot be written: {checkout / 'file' / 'home'}. Set it to a folder" in output


def test_a_machine_without_python_is_told_so(checkout: Path) -> None:
    status, output = make(checkout, "test", "PYTHON=no-such-python")

    assert status != 0
    assert "Missing: no-such-python. Install Python 3.11" in output


def test_an_old_python_is_refused_by_name(checkout: Path) -> None:
    old = stub_python(checkout, 'case "$1" in --version) echo Python 3.9.2;; *) exit 1;; esac')

    status, output = make(checkout, "install", old)

    assert status != 0
    assert "Too old: Python 3.9.2" in output


def test_a_python_without_venv_is_told_what_to_install(checkout: Path) -> None:
    bare = stub_python(checkout, 'case "$2" in *ensurepip*) exit 1;; esac')

    status, output = make(checkout, "install", bare)

    assert status != 0
    assert "Missing: Python's venv module" in output


def test_an_installation_that_fails_leaves_no_stamp_and_says_what_to_check(checkout: Path) -> None:
    pip_fails = 'mkdir -p .venv/bin; printf "#!/bin/sh\\nexit 1\\n" > .venv/bin/python; chmod +x .venv/bin/python'
    python = stub_python(checkout, f'case "$2" in venv) {pip_fails};; esac')

    status, output = make(checkout, "demo", python)

    assert status != 0
    assert "check the network" in output
    assert not (checkout / ".venv/.installed").exists()
