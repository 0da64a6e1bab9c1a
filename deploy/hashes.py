"""Writes deploy/requirements.txt: what the image installs, in the versions of constraints.txt, with its files' hashes.

Run by `make hashes`, after `make constraints`. pip itself says which files it would install and what their hashes are.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
WANTED = (".[postgres,docker]", "dagster-webserver", "setuptools")
"""What the Dockerfile names; setuptools builds the project's own wheel."""
PYTHON = "3.11"
MACHINES = ("x86_64", "aarch64")
GLIBC = range(17, 37)
"""Minor versions that the image's Debian can run."""
HEAD = f"""\
# What the image installs: versions of constraints.txt, with the hashes of their wheels for Python {PYTHON} on Linux,
# {" and ".join(MACHINES)}. pip refuses any other file. To renew: make hashes.
"""


def main() -> None:
    """Write the file anew."""
    pins = sorted({_pin(item) for item in _would_install([*WANTED, "-c", "constraints.txt"]) if _is_foreign(item)})
    hashes: dict[str, set[str]] = {pin: set() for pin in pins}
    for machine in MACHINES:
        for item in _would_install(["--no-deps", *_platform(machine), *pins]):
            hashes[_pin(item)].add(item["download_info"]["archive_info"]["hashes"]["sha256"])
    (ROOT / "deploy/requirements.txt").write_text(HEAD + "".join(_lines(hashes)), encoding="utf-8")


def _would_install(arguments: Sequence[str]) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet", "--report", "-"]
    answer = subprocess.run([*command, *arguments], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    installed: list[dict[str, Any]] = json.loads(answer.stdout)["install"]
    return installed


def _platform(machine: str) -> list[str]:
    tags = [f"--platform=manylinux_2_{minor}_{machine}" for minor in GLIBC]
    return [
        *tags,
        f"--platform=manylinux2014_{machine}",
        f"--python-version={PYTHON}",
        "--only-binary=:all:",
        "--target=unused",
    ]


def _is_foreign(item: dict[str, Any]) -> bool:
    return bool(item["metadata"]["name"] != "sf-assets")


def _pin(item: dict[str, Any]) -> str:
    return "{name}=={version}".format(**item["metadata"]).lower()


def _lines(hashes: dict[str, set[str]]) -> Iterator[str]:
    for pin, found in hashes.items():
        yield " \\\n    ".join([pin, *(f"--hash=sha256:{digest}" for digest in sorted(found))]) + "\n"


if __name__ == "__main__":
    main()
