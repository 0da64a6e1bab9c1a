"""What pip may install: the versions of constraints.txt with their files' hashes, for a checkout and for the image."""

import configparser
import re
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
IMAGE = {"python_version": "3.11", "python_full_version": "3.11.9", "sys_platform": "linux", "platform_system": "Linux"}
MACHINES = [
    {**IMAGE, "python_version": version, "python_full_version": f"{version}.1", "sys_platform": system, **kind}
    for version in ("3.11", "3.12", "3.13", "3.14")
    for system, name, machine in (
        ("linux", "Linux", "x86_64"),
        ("linux", "Linux", "aarch64"),
        ("darwin", "Darwin", "arm64"),
    )
    for kind in [{"platform_system": name, "platform_machine": machine}]
]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def entries(file: str) -> dict[str, str]:
    """Pin -> the rest of its entry."""
    text = (ROOT / file).read_text(encoding="utf-8")
    return dict(entry.split(" ", 1) for entry in re.findall(r"^[a-z0-9].*(?:\n    .*)*", text, flags=re.MULTILINE))


OF_MAKE_INSTALL, OF_THE_TESTS = entries("requirements.txt"), entries("requirements-test.txt")
CHECKOUT, OF_THE_IMAGE = OF_MAKE_INSTALL | OF_THE_TESTS, entries("deploy/requirements.txt")


def versions(pins) -> dict[str, str]:
    return {canonicalize_name(name): version for name, _, version in (pin.partition("==") for pin in pins)}


HASHED = versions(OF_THE_IMAGE)
CONSTRAINTS = versions(
    line for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines() if not line.startswith("#")
)


def wanted_by(requirement: Requirement, visited: set[str], machine: dict[str, str]) -> Iterator[str]:
    """The requirement's name and those that it needs on this machine, as far as it is installed here."""
    if str(requirement) in visited:
        return
    visited.add(str(requirement))
    yield canonicalize_name(requirement.name)
    for need in needs(requirement.name):
        if applies(need, requirement.extras, machine):
            yield from wanted_by(need, visited, machine)


@cache
def needs(name: str) -> list[Requirement]:
    try:
        return [Requirement(text) for text in requires(name) or ()]
    except PackageNotFoundError:
        return []


def applies(need: Requirement, extras: set[str], machine: dict[str, str]) -> bool:
    return need.marker is None or any(need.marker.evaluate({**machine, "extra": extra}) for extra in ("", *extras))


def wanted_with(*extras: str) -> list[Requirement]:
    """What setup.cfg asks for, with these extras."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    texts = [config["options"]["install_requires"], *(config["options.extras_require"][extra] for extra in extras)]
    lines = [line for text in texts for line in text.split("\n") if line and not line.startswith("#")]
    return [Requirement(line) for line in lines]


def of_the_image() -> list[Requirement]:
    return [*wanted_with("postgres", "docker"), Requirement("dagster-webserver"), Requirement("setuptools")]


def test_the_hashed_versions_are_those_of_the_constraints():
    assert len(HASHED) > 50
    assert {name: CONSTRAINTS[name] for name in HASHED} == HASHED
    assert versions(CHECKOUT) == CONSTRAINTS


@pytest.mark.parametrize("pins", [CHECKOUT, OF_THE_IMAGE], ids=["checkout", "image"])
def test_a_pin_has_the_hashes_of_its_files_and_names_no_place(pins):
    hashes = re.compile(r"\\\n    --hash=sha256:[0-9a-f]{64}( \\\n    --hash=sha256:[0-9a-f]{64})*")

    assert [pin for pin, entry in pins.items() if not hashes.fullmatch(entry)] == []


def test_make_install_takes_hashed_files_alone():
    recipe = MAKEFILE.partition("$(STAMP): ")[2].partition("$(TEST_STAMP): ")[0]

    assert "pip install --quiet --disable-pip-version-check --no-deps\n" in MAKEFILE
    assert re.findall(r"pip install|PIP_INSTALL\)[^&|]*", recipe) == [
        "PIP_INSTALL) --require-hashes -r requirements.txt ",
        "PIP_INSTALL) --no-build-isolation -e . ",
    ]


@pytest.mark.parametrize("machine", MACHINES, ids=lambda one: f"{one['python_version']}-{one['platform_machine']}")
def test_every_machine_finds_all_that_it_needs_among_the_hashed(machine):
    visited: set[str] = set()
    requirements = wanted_with("dev", "test", "dbt", "docker", "postgres")

    names = {name for requirement in requirements for name in wanted_by(requirement, visited, machine)}

    assert names - set(versions(CHECKOUT)) == set()


@pytest.mark.parametrize("machine", MACHINES, ids=lambda one: f"{one['python_version']}-{one['platform_machine']}")
def test_make_install_alone_brings_all_that_demo_dev_and_marts_need(machine):
    visited: set[str] = set()
    requirements = wanted_with("dev", "dbt", "postgres")

    names = {name for requirement in requirements for name in wanted_by(requirement, visited, machine)}

    assert names - set(versions(OF_MAKE_INSTALL)) == set()


def test_what_only_tests_need_comes_with_make_test():
    assert {"playwright", "moto", "cfn-lint", "hypothesis", "pytest", "mypy"} <= set(versions(OF_THE_TESTS))
    assert set(versions(OF_THE_TESTS)) & set(versions(OF_MAKE_INSTALL)) == set()
    assert "PIP_INSTALL) --require-hashes -r requirements-test.txt" in MAKEFILE


@pytest.mark.parametrize("requirement", of_the_image(), ids=str)
def test_all_that_the_image_needs_is_hashed(requirement):
    assert set(wanted_by(requirement, set(), IMAGE)) <= set(HASHED)
