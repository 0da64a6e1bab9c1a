"""Writes the files that say which files pip may install: the versions of constraints.txt, with their hashes.

`requirements.txt` is for `make install`, for every machine: the product, Dagit and dbt.
`requirements-test.txt` is the rest of constraints.txt: what `make test` installs in addition.
`deploy/requirements.txt` is for the image: what the Dockerfile names and needs, for Python 3.11 on Linux.
`make hashes` runs this, and `make constraints` after it. pip's own configuration says which index is asked, and how.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from packaging.tags import Tag
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from pip._internal.commands.download import DownloadCommand

ROOT = Path(__file__).parent.parent
IN_THE_IMAGE = (".[postgres,docker]", "dagster-webserver", "setuptools")
"""What the Dockerfile names; setuptools builds the project's own wheel."""
IN_THE_MARTS_IMAGE = (".[postgres,docker,dbt]", *IN_THE_IMAGE[1:])
DBT_SNOWFLAKE = "dbt-snowflake"
"""Installed without its dependencies: it asks for an old certifi, and has every other one already."""
IN_A_CHECKOUT = (".[dev,dbt,postgres]",)
"""What `make install` brings."""
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
MACHINES = ("x86_64", "aarch64")
LINUX = rf"manylinux.*_({'|'.join(MACHINES)})"
JSON = "application/vnd.pypi.simple.v1+json"
OF_THE_CHECKOUT = f"""\
# What `make install` installs: versions of constraints.txt, with the hashes of all their wheels for Linux and macOS and
# Python {PYTHONS[0]} to {PYTHONS[-1]}, and of their sources. pip takes no other file. To renew: make hashes.
"""
OF_THE_TESTS = OF_THE_CHECKOUT.replace("`make install` installs", "`make test` installs in addition")
OF_THE_IMAGE = f"""\
# What the image installs: versions of constraints.txt, with the hashes of their wheels for Python 3.11 on Linux,
# {" and ".join(MACHINES)}. pip takes no other file. To renew: make hashes.
"""


class Release(NamedTuple):
    """A file of a version; `tags` are the machines of a wheel, and empty for a source."""

    version: str
    sha256: str
    tags: frozenset[Tag]


def main() -> None:
    """Write the four files."""
    pins = _pins()
    releases = dict(zip(pins, _releases(pins), strict=True))
    checkout, image = _needed_by(IN_A_CHECKOUT), _needed_by(IN_THE_IMAGE)
    marts = _needed_by(IN_THE_MARTS_IMAGE) | {DBT_SNOWFLAKE}
    for file, head, names, fits in (
        ("requirements.txt", OF_THE_CHECKOUT, checkout, _fits_a_checkout),
        ("requirements-test.txt", OF_THE_TESTS, pins.keys() - checkout, _fits_a_checkout),
        ("deploy/requirements.txt", OF_THE_IMAGE, image, _fits_the_image),
        ("deploy/requirements-marts.txt", OF_THE_IMAGE, marts, _fits_the_image),
    ):
        chosen = {name: pins[name] for name in sorted(names)}
        (ROOT / file).write_text(head + _text(chosen, releases, fits), encoding="utf-8")


def _pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = (line.split("==") for line in lines if not line.startswith("#"))
    return {canonicalize_name(name): version for name, version in pins}


def _needed_by(targets: Iterable[str]) -> set[str]:
    """Return the names of the projects that pip would install for these targets."""
    pip = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet", "--report", "-"]
    command = [*pip, "-c", "constraints.txt", *targets]
    answer = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    names = (canonicalize_name(item["metadata"]["name"]) for item in json.loads(answer.stdout)["install"])
    return {name for name in names if name != "sf-assets"}


def _releases(names: Iterable[str]) -> Iterator[list[Release]]:
    """Yield the files of each project in pip's index, through pip's own session: index, proxy, certificate, login."""
    command = DownloadCommand("download", "")
    options, _ = command.parse_args([])
    with command.main_context():
        session = command.get_default_session(options)
        for name in names:
            answer = session.get(f"{options.index_url.rstrip('/')}/{name}/", headers={"Accept": JSON})
            answer.raise_for_status()
            yield [release for file in answer.json()["files"] if (release := _release(file))]


def _release(file: Mapping[str, Any]) -> Release | None:
    try:
        _, version, _, tags = parse_wheel_filename(file["filename"])
    except InvalidWheelFilename:
        try:
            (_, version), tags = parse_sdist_filename(file["filename"]), frozenset()
        except InvalidSdistFilename:
            return None
    return Release(str(version), file["hashes"]["sha256"], tags)


def _fits_a_checkout(tags: frozenset[Tag]) -> bool:
    interpreters = {f"cp{python.replace('.', '')}" for python in PYTHONS}
    usable = [tag for tag in tags if tag.platform == "any" or "linux" in tag.platform or "macosx" in tag.platform]
    return not tags or any(_runs_on(tag, interpreters, newest=PYTHONS[-1]) for tag in usable)


def _fits_the_image(tags: frozenset[Tag]) -> bool:
    usable = [tag for tag in tags if tag.platform == "any" or re.fullmatch(LINUX, tag.platform)]
    return any(_runs_on(tag, {"cp311"}, newest="3.11") for tag in usable)


def _runs_on(tag: Tag, interpreters: set[str], *, newest: str) -> bool:
    """Return whether a wheel is pure Python, or built for an interpreter or an older stable interface."""
    stable = re.fullmatch(r"cp3(\d*)", tag.interpreter) if tag.abi == "abi3" else None
    older = stable is not None and int(stable[1] or 0) <= int(newest.partition(".")[2])
    return tag.interpreter.startswith("py3") or tag.interpreter in interpreters or older


def _text(
    pins: Mapping[str, str], releases: Mapping[str, list[Release]], fits: Callable[[frozenset[Tag]], bool]
) -> str:
    return "".join(
        f"{name}=={version}{_hashes(name, version, releases[name], fits)}\n" for name, version in pins.items()
    )


def _hashes(name: str, version: str, releases: list[Release], fits: Callable[[frozenset[Tag]], bool]) -> str:
    of_version = [release for release in releases if release.version == version]
    hashes = {release.sha256 for release in of_version if fits(release.tags)}
    if not hashes:
        sys.exit(f"{name}=={version}: the index has no file for it. Renew the versions: make constraints.")
    return "".join(f" \\\n    --hash=sha256:{digest}" for digest in sorted(hashes))


if __name__ == "__main__":
    main()
