"""Keeps describes for a process, and through the ledger for all who read the same org with the same user."""

import hashlib
import zlib
from collections.abc import Callable, Sequence

import msgspec

from sf_assets.salesforce.credentials import Credentials
from sf_assets.salesforce.describe import Described, SObject
from sf_assets.salesforce.ledger import Ledger


class Shelf:
    """Describes by sObject; how long they are good is the ledger's affair."""

    def __init__(self, ledger: Ledger, credentials: Credentials, *, version: str) -> None:
        user = hashlib.sha256(f"{credentials.consumer_key} {credentials.username}".encode()).hexdigest()
        self._ledger, self._label = ledger, f"describe v{version} {user[:16]}"

    def described(
        self, sobjects: Sequence[str], *, fresh: bool, ask: Callable[[list[str]], dict[str, Described]]
    ) -> dict[str, Described]:
        """Each sObject as it is kept, or as `ask` tells it anew; `fresh` asks for all."""
        known = {} if fresh else {name: kept for name in sobjects if (kept := self.known(name)) is not None}
        missing = [name for name in dict.fromkeys(sobjects) if name not in known]
        told = ask(missing) if missing else {}
        for name, described in told.items():
            if isinstance(described, SObject):
                self.keep(name, described)
        return {name: known[name] if name in known else told[name] for name in sobjects}

    def known(self, sobject: str) -> SObject | None:
        kept = self._ledger.recall(f"{self._label} {sobject}")
        return None if kept is None else msgspec.json.decode(zlib.decompress(kept), type=SObject)

    def keep(self, sobject: str, described: SObject) -> None:
        self._ledger.remember(f"{self._label} {sobject}", zlib.compress(msgspec.json.encode(described)))
