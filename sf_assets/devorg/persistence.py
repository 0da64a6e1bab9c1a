"""A practice org that a folder keeps: its key pair, its seed, and a journal of its changes.

The folder must not be put under version control: its own `.gitignore` names everything in it.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sf_assets.devorg.activity.simulate import simulate
from sf_assets.devorg.credentials import CONSUMER_KEY, Credentials, new_private_key
from sf_assets.devorg.org.org import Org
from sf_assets.devorg.org.settings import Behaviour
from sf_assets.devorg.sample import SEED, sample_org
from sf_assets.devorg.store.timestamps import Clock, as_moment, stamp_text, wall_clock

Counts = Mapping[str, int]
LONGEST_PAUSE = timedelta(days=3)
OWNER_FILE, OWNER_FOLDER = 0o600, 0o700


@dataclass(frozen=True)
class OrgConfig:
    """What an org is made from. The same configuration gives the same first day."""

    seed: int
    base: str
    counts: Counts


class PracticeHome:
    """The folder of one org. The next start continues with its rows and simulates the time between."""

    def __init__(self, folder: Path, *, clock: Clock = wall_clock) -> None:
        self.folder = folder
        self.clock = clock
        self._last_seen: datetime | None = None

    def open(
        self, *, seed: int | None = None, counts: Mapping[str, int] | None = None, behaviour: Behaviour | None = None
    ) -> Org:
        """Return the folder's org; the first start makes it.

        Raises:
            ValueError: `seed` or `counts` differ from those of the first start.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=OWNER_FOLDER)
        (self.folder / ".gitignore").write_text("*\n", encoding="utf-8")
        is_first_start = not self._config_file.exists()
        config = self._config(seed, counts or {})
        org = sample_org(
            seed=config.seed,
            rows=config.counts,
            base=as_moment(config.base),
            clock=self.clock,
            behaviour=behaviour,
        )
        self._replay(org)
        org.journal = self._write
        if not is_first_start:  # making the first rows takes a moment in which nothing is to happen
            self._simulate_pause(org, since=self._last_seen or as_moment(config.base))
        return org

    @property
    def _config_file(self) -> Path:
        return self.folder / "org.json"

    @property
    def credentials_file(self) -> Path:
        return self.folder / "credentials.json"

    @property
    def key_file(self) -> Path:
        return self.folder / "key.pem"

    @property
    def journal_file(self) -> Path:
        return self.folder / "journal.jsonl"

    def credentials(self, org: Org) -> Credentials:
        """Return the org's credentials; the first start makes them. Both files are the owner's alone."""
        if not self.key_file.exists():
            _write_secret(self.key_file, new_private_key())
        credentials = Credentials(CONSUMER_KEY, self.key_file.read_text(encoding="ascii"), str(org.user["Username"]))
        _write_secret(self.credentials_file, json.dumps(asdict(credentials), indent=1))
        return credentials

    # -- the past -----------------------------------------------------------------------------------------------

    def _config(self, seed: int | None, counts: Counts) -> OrgConfig:
        path = self._config_file
        if path.exists():
            config = OrgConfig(**json.loads(path.read_text(encoding="utf-8")))
            self._check_same(config, seed, counts)
            return config
        config = OrgConfig(SEED if seed is None else seed, stamp_text(self.clock()), dict(counts))
        path.write_text(json.dumps(asdict(config), indent=1), encoding="utf-8")
        return config

    def _check_same(self, config: OrgConfig, seed: int | None, counts: Counts) -> None:
        differing = sorted(name for name, rows in counts.items() if config.counts.get(name) != rows)
        if seed not in (None, config.seed):
            differing = [f"seed ({config.seed})", *differing]
        if differing:
            raise ValueError(
                f"the org in {self.folder} was made with another {', '.join(differing)}: "
                "remove the folder, or name another one with --home"
            )

    def _replay(self, org: Org) -> None:
        for operation in self._journal():
            if "lived_until" in operation:
                self._last_seen = as_moment(operation["lived_until"])
            else:
                org.apply(operation)
                self._last_seen = max(filter(None, (self._last_seen, _moment_of(operation))), default=None)

    def _journal(self) -> Iterator[dict[str, Any]]:
        """Yield the operations so far.

        A last line that a crash left incomplete is cut off.
        """
        if not self.journal_file.exists():
            return
        with self.journal_file.open("r+b") as journal:
            for line in journal:
                if line.endswith(b"\n"):
                    yield json.loads(line)
                else:
                    journal.truncate(journal.tell() - len(line))

    def _write(self, operation: dict[str, Any]) -> None:
        with self.journal_file.open("a", encoding="utf-8") as journal:
            journal.write(json.dumps(operation) + "\n")

    # -- the time between two starts ----------------------------------------------------------------------------

    def close(self, org: Org) -> None:
        """Record until when the org was served: the next start changes nothing earlier."""
        self._write({"lived_until": stamp_text(org.now())})

    def _simulate_pause(self, org: Org, *, since: datetime) -> None:
        """Simulate the changes of the time between two starts, three days at most."""
        until = org.now()
        if until > since:
            simulate(org, max(since, until - LONGEST_PAUSE), until)
            self._write({"lived_until": stamp_text(until)})


def _moment_of(operation: Mapping[str, Any]) -> datetime | None:
    stamp = operation.get("stamp")
    return None if stamp is None else as_moment(stamp)


def _write_secret(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_FILE)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        os.fchmod(handle, OWNER_FILE)
        file.write(text)
