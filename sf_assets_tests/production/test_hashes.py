"""deploy/requirements.txt: the versions of constraints.txt, all that the image needs, each with its files' hashes."""

import configparser
import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
IMAGE = {"python_version": "3.11", "python_full_version": "3.11.9", "sys_platform": "linux", "platform_system": "Linux"}
TEXT = (ROOT / "deploy/requirements.txt").read_text(encoding="utf-8")
ENTRIES = dict(entry.split(" ", 1) for entry in re.findall(r"^[a-z0-9].*(?:\n    .*)*", TEXT, flags=re.MULTILINE))


def versions(pins) -> dict[str, str]:
    return {canonicalize_name(name): version for name, _, version in (pin.partition("==") for pin in pins)}


HASHED = versions(ENTRIES)
CONSTRAINTS = versions(
    line for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines() if not line.startswith("#")
)


def wanted_by(requirement: Requirement, seen: set[str]) -> Iterator[str]:
    """The requirement's name and those that it needs in the image, as far as it is installed here."""
    if str(requirement) in seen:
        return
    seen.add(str(requirement))
    yield canonicalize_name(requirement.name)
    try:
        needs = [Requirement(text) for text in requires(requirement.name) or ()]
    except PackageNotFoundError:
        return
    for need in needs:
        if applies(need, requirement.extras):
            yield from wanted_by(need, seen)


def applies(need: Requirement, extras: set[str]) -> bool:
    return need.marker is None or any(need.marker.evaluate({**IMAGE, "extra": extra}) for extra in ("", *extras))


def of_the_image() -> list[Requirement]:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    extras = config["options.extras_require"]
    texts = [config["options"]["install_requires"], extras["postgres"], extras["docker"]]
    lines = [line for text in texts for line in text.split("\n") if line and not line.startswith("#")]
    return [Requirement(line) for line in (*lines, "dagster-webserver", "setuptools")]


def test_the_hashed_versions_are_those_of_the_constraints():
    assert len(HASHED) > 50
    assert {name: CONSTRAINTS[name] for name in HASHED} == HASHED


@pytest.mark.parametrize("pin", ENTRIES)
def test_a_pin_has_the_hashes_of_its_files_and_names_no_place(pin):
    assert re.fullmatch(r"\\\n    --hash=sha256:[0-9a-f]{64}( \\\n    --hash=sha256:[0-9a-f]{64})*", ENTRIES[pin])


@pytest.mark.parametrize("requirement", of_the_image(), ids=str)
def test_all_that_the_image_needs_is_hashed(requirement):
    assert set(wanted_by(requirement, set())) <= set(HASHED)
