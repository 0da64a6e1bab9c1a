"""The root of the errors, and those of settings, specs, values and syncs."""

from typing import ClassVar

from sf_assets.errors.redaction import redact, redact_value


class SfAssetsError(Exception):
    """The root. `values` holds what the message names, for metadata: short strings, numbers, never a secret."""

    remedy: str = "Read the message; if it does not say enough, report it with the run's log."
    retryable: ClassVar[bool] = False

    def __init__(self, what: str, /, *, remedy: str | None = None, **values: object) -> None:
        super().__init__(redact(what))
        self.values = {name: redact_value(value) for name, value in values.items()}
        if remedy is not None:
            self.remedy = remedy

    @property
    def with_remedy(self) -> str:
        """The message and the remedy as two sentences."""
        return f"{str(self).rstrip('.')}. {self.remedy}"


class ConfigError(SfAssetsError):
    """A setting is missing or wrong; raised before any request is sent."""

    remedy = "Correct the setting that the message names (docs/settings.md) and start again."


class SpecError(SfAssetsError):
    """A row of the endpoint table or a .soql file is malformed; raised at load, with file and line."""

    remedy = "Correct the file at the line that the message names."


class LedgerUnreachable(SfAssetsError):
    """The request ledger that all processes share did not answer; nothing is sent to the org without it."""

    remedy = "Check SF_ASSETS_LEDGER: its database, its network, and that this process may write it."
    retryable = True


class ValueUnexpected(SfAssetsError):
    """A value that its column's type does not admit. Values: `object`, `column`, `value`, `record_id`."""

    remedy = "Look at the record in Salesforce; if the column was retyped there, run the endpoint again."


class SyncError(SfAssetsError):
    """Reading an endpoint did not come out whole; the table keeps what it had."""


class ResultIncomplete(SyncError):
    """A result held fewer rows than its totalSize, again on a second reading, and no purge explains it."""

    remedy = "Run the endpoint again; if it recurs, report it to Salesforce with the SELECT of the message."
    retryable = True


class ShrinkRefused(SyncError):
    """More rows would vanish from the table than an ordinary day takes away: most likely the user lost a right."""

    remedy = (
        "Check the integration user's rights (View All Data, sharing rules, View Setup and Configuration); if the rows"
        " are really gone, run the endpoint once with confirm_shrink: true."
    )


class HashKeyChanged(SyncError):
    """The table's hashes were made with another key: hashes of both would stand side by side, and joins break unseen.

    Values: `hashed_under` and `key_at_hand`, the keys' fingerprints.
    """

    remedy = (
        "Put the former key back (hash_key of the secret, or SALESFORCE_HASH_KEY). If the change is meant, run every"
        " endpoint with hashed columns once with full_refresh: true: the table is then hashed with the new key alone."
    )


class KeysRepeated(SyncError):
    """The endpoint's keys do not identify its rows: a key repeats or is null.

    If the key is `Id`, a row changed while a full refresh read its range twice.
    """

    remedy = "Correct the endpoint's keys in its row of the endpoint table; where the key is Id, run it again."
