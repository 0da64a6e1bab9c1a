"""The errors of this project, each with its remedy and whether the same call may succeed later.

    SfAssetsError
    ├── ConfigError                  a setting is missing or wrong
    ├── SpecError                    a row of the endpoint table or a .soql file is malformed
    ├── SalesforceError              an answer of the org, or of the network on the way
    │   ├── LoginError               the token endpoint refused the login
    │   │   ├── ConsumerKeyUnknown
    │   │   ├── AppNotInstalled      External Client Apps
    │   │   ├── UserNotApproved
    │   │   ├── UserInactive
    │   │   ├── OrgInactive
    │   │   ├── AudienceRefused
    │   │   ├── AssertionRefused
    │   │   ├── AssertionExpired
    │   │   ├── ClockWrong
    │   │   ├── CertificateExpired
    │   │   ├── AddressRestricted
    │   │   ├── LoginHoursRestricted
    │   │   └── LoginRateExceeded
    │   ├── SessionRefused           401 that a new login does not cure
    │   ├── AccessDenied             403: a right or a feature is missing
    │   │   ├── ApiDisabled
    │   │   └── ProxyRefused         403 or 407 of a proxy
    │   ├── QuotaSpent               the day's API calls are used up, or the reserve is reached
    │   ├── QueryRefused             400 on a query
    │   │   ├── FieldInvalid
    │   │   ├── FilterRequired
    │   │   ├── ObjectUnavailable
    │   │   ├── QueryTimedOut
    │   │   ├── QueryTooLarge
    │   │   │   └── QueryTooComplicated
    │   │   ├── LocatorLost
    │   │   └── ExternalSourceFailed
    │   ├── ResourceNotFound         404, 405: this org or gateway does not serve the path
    │   ├── ApiVersionRetired        410
    │   ├── ForeignAddress           a redirect or nextRecordsUrl that leads elsewhere
    │   ├── AnswerTorn               not a complete Salesforce answer
    │   ├── AnswerTooLarge           an answer beyond every bound
    │   ├── HostUnreachable          no connection, after all tries
    │   │   └── CertificateUntrusted
    │   └── OrgBusy                  pushbacks or server faults, after all tries
    ├── LedgerUnreachable            the shared request ledger cannot be read or written
    ├── ValueUnexpected              a value in an answer that its column's type does not admit
    ├── SyncError                    reading an endpoint did not come out whole
    │   ├── ResultIncomplete
    │   ├── ShrinkRefused
    │   ├── HashKeyChanged           hashes of another key are in the table
    │   └── KeysRepeated
    ├── IcebergError                 the catalog, its files, the tables
    │   ├── IcebergUnreachable
    │   │   └── CommitUnknown
    │   ├── IcebergReadOnly
    │   ├── TableForeign             the table belongs to another org, object or tool
    │   ├── TableUnsupported         the table uses a part of Iceberg that cannot be changed here
    │   ├── TableDamaged             a file or property of the table is missing or unreadable
    │   ├── CatalogDamaged           the catalog's database is unreadable
    │   ├── ColumnIncompatible
    │   └── CommitConflict           another run has written this table meanwhile
    └── SnowflakeError               what Snowflake, or the way to it, answered
        ├── SnowflakeUnreachable
        ├── SnowflakeLoginRefused
        ├── SnowflakeDenied          a privilege is missing
        ├── SnowflakeTableMissing    it does not exist, or the role may not see it
        ├── SnowflakeNotInitialized  discovered, and Snowflake has not read its metadata yet
        ├── SnowflakeWarehouseDown   no warehouse runs for this session
        └── SnowflakeStale           Snowflake still reads an older version of the table

`str(error)` is what happened, to which endpoint, with which values; `error.remedy` is one imperative sentence;
`error.retryable` says whether the same call may succeed later without a change. No secret is ever a value.
"""

from typing import ClassVar

from sf_assets.redaction import redact, redact_value


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


class SalesforceError(SfAssetsError):
    """An answer of the org, or of the network on the way. Values: `status`, `error_code`, `url` without its query."""

    remedy = "Look the errorCode up in docs/errors.md; if it is not there, report it with the message."


class LoginError(SalesforceError):
    """The token endpoint refused the login."""

    remedy = "Check consumer key, username, private key and instance URL against the app in Salesforce's Setup."


class ConsumerKeyUnknown(LoginError):
    """`invalid_client_id`: the org does not know this consumer key."""

    remedy = (
        "Copy the consumer key from the app's page in Setup, check that SALESFORCE_INSTANCE_URL is that org's My Domain"
        " host, and wait ten minutes after the app was created."
    )


class AppNotInstalled(LoginError):
    """`app_not_found`: the External Client App is not in this org, or it was asked for with another host's audience."""

    remedy = (
        "Create the External Client App in this org, or install it there. Leave SALESFORCE_LOGIN_AUDIENCE empty: these"
        " apps accept only the org's own My Domain as audience."
    )


class UserNotApproved(LoginError):
    """`user hasn't approved this consumer` or `invalid_app_access`: the app is not pre-authorized for this user."""

    remedy = (
        "In the app's policies choose 'Admin approved users are pre-authorized', give the user a profile or permission"
        " set of the app, and grant the scopes api and refresh_token."
    )


class UserInactive(LoginError):
    """The user is inactive, locked or frozen."""

    remedy = "Activate, unlock or unfreeze the integration user in Setup > Users."


class OrgInactive(LoginError):
    """The org is locked, closed or an expired trial."""

    remedy = "Ask the org's administrator or Salesforce support to reopen the org."


class AudienceRefused(LoginError):
    """The org accepts none of the audiences: a sandbox's key used on production, or the other way round."""

    remedy = (
        "Correct SALESFORCE_INSTANCE_URL. If it is the org's My Domain, set SALESFORCE_LOGIN_AUDIENCE to"
        " https://test.salesforce.com for a sandbox or https://login.salesforce.com for production."
    )


class AssertionRefused(LoginError):
    """The assertion was not accepted: unknown username, or a private key that does not match the app's certificate."""

    remedy = (
        "Check that SALESFORCE_USERNAME exists in this org (a sandbox's usernames end in the sandbox's name) and that"
        " the private key belongs to the certificate uploaded to the app."
    )


class AssertionExpired(LoginError):
    """The assertion had expired on arrival: this machine's clock is off by minutes."""

    remedy = "Set this machine's clock (NTP); the assertion is valid for three minutes."


class ClockWrong(LoginError):
    """The login was refused, and this machine's clock differs from the org's. Value `skew_seconds`."""

    remedy = "Set this machine's clock (NTP), then start again; the assertion of a login is valid for three minutes."


class CertificateExpired(LoginError):
    """The certificate of the app has expired."""

    remedy = "Create a new key pair, upload its certificate to the app, and store its private key."


class AddressRestricted(LoginError):
    """`ip restricted`: the user's profile or the app does not allow logins from this machine's IP address."""

    remedy = (
        "Add this machine's public address to the login IP ranges of the user's profile, or set the app's policy to"
        " 'Relax IP restrictions'."
    )


class LoginHoursRestricted(LoginError):
    """`restricted login hours`: the user's profile does not allow logins at this time."""

    remedy = "Extend the login hours of the user's profile in Setup, or run within them."


class LoginRateExceeded(LoginError):
    """The user logged in more often than 3,600 times within the hour."""

    remedy = "Wait an hour and find what logs in so often with this user: a run logs in once."


class SessionRefused(SalesforceError):
    """401 that a new login does not cure."""

    remedy = "Check the app's session and IP policies and the user's login hours in Setup; do not retry before."


class AccessDenied(SalesforceError):
    """403: the user lacks a right, or the org a feature."""

    remedy = "Give the integration user the right that the message names, by a permission set (docs/real-org.md)."


class ApiDisabled(AccessDenied):
    """The org's edition or the user has no API access."""

    remedy = "Grant 'API Enabled' to the integration user, or ask Salesforce to enable the REST API for this edition."


class ProxyRefused(AccessDenied):
    """A proxy or gateway between this machine and Salesforce refused the request: 407, or 403 with a web page."""

    remedy = (
        "Let the proxy pass the host of SALESFORCE_INSTANCE_URL. Set its user and password in HTTPS_PROXY, or add the"
        " host to NO_PROXY. If there is no proxy, check the org's IP and network restrictions."
    )


class QuotaSpent(SalesforceError):
    """The org's rolling 24-hour API quota is used up, or what is left is the reserve for others."""

    remedy = "Wait: calls come back over the next 24 hours and the next run resumes where this one stopped."


class QueryRefused(SalesforceError):
    """400 on a query."""

    remedy = "Paste the SELECT of the message into the org's developer console and correct the .soql file."


class FieldInvalid(QueryRefused):
    """`INVALID_FIELD`: a column is missing or hidden by field-level security. Value `columns`: the names, if any."""

    remedy = "Grant the integration user read access to the column, or exclude it in the endpoint's row."


class FilterRequired(QueryRefused):
    """The object cannot be read as a whole: Salesforce demands a filter, or does not allow queries of it."""

    remedy = "Give the endpoint a WHERE that filters as the message demands, or take the endpoint out."


class ObjectUnavailable(QueryRefused):
    """`INVALID_TYPE`: the object does not exist, its feature is off, or the user may not see it."""

    remedy = (
        "Switch the object's feature on in Setup, give the user read access, or take the endpoint out of"
        " SF_ASSETS_ENDPOINTS."
    )


class QueryTimedOut(QueryRefused):
    """`QUERY_TIMEOUT`: the same query will time out again; a smaller range may not."""

    remedy = "Narrow the endpoint's WHERE, or run it when the org is quiet."


class QueryTooLarge(QueryRefused):
    """`OPERATION_TOO_LARGE`, 414 or 431."""

    remedy = "Give the user 'View All Data' (Task and Event need it), or exclude columns in the endpoint's row."


class QueryTooComplicated(QueryTooLarge):
    """`QUERY_TOO_COMPLICATED`: the calculated columns of the object are too much for one query."""

    remedy = (
        "Exclude the longest formulas in the endpoint's row, or all formulas by `calculated: exclude` of the Salesforce"
        " resource."
    )


class LocatorLost(QueryRefused):
    """`INVALID_QUERY_LOCATOR`: the cursor of this result is gone; the query must be sent again."""

    remedy = "Run the endpoint again: it resumes from its last checkpoint."
    retryable = True


class ExternalSourceFailed(QueryRefused):
    """`EXTERNAL_OBJECT_EXCEPTION`: the external system of this object, or its connection, failed."""

    remedy = "Check the external data source in Setup, or take the endpoint out of SF_ASSETS_ENDPOINTS."
    retryable = True


class ResourceNotFound(SalesforceError):
    """404 or 405: this org or gateway does not serve the path."""

    remedy = "Check SALESFORCE_INSTANCE_URL and that the org serves API version 60.0."


class ApiVersionRetired(SalesforceError):
    """410 `UNSUPPORTED_API_VERSION`: the org does not serve this version of the API any more."""

    remedy = "Upgrade sf_assets to a release that uses a newer API version; `sf-assets doctor` lists those of the org."


class ForeignAddress(SalesforceError):
    """A redirect, or a nextRecordsUrl, that leads to another host. The bearer token was not sent there."""

    remedy = "Set SALESFORCE_INSTANCE_URL to the org's own My Domain host; if it is right, a proxy rewrites answers."


class AnswerTorn(SalesforceError):
    """An answer that is not a complete Salesforce answer, after all tries: HTML, cut JSON, a page without records."""

    remedy = "Run the endpoint again; if it recurs, look for a proxy between this machine and Salesforce."
    retryable = True


class AnswerTooLarge(SalesforceError):
    """An answer that is larger than any honest one; it was not read to its end."""

    remedy = (
        "Exclude the longest text columns in the endpoint's row. If the object has none, something between this machine"
        " and Salesforce answers in its place."
    )


class HostUnreachable(SalesforceError):
    """The host did not answer, after all tries."""

    remedy = "Check SALESFORCE_INSTANCE_URL, DNS, firewall and proxy (HTTPS_PROXY, NO_PROXY) from this machine."
    retryable = True


class CertificateUntrusted(HostUnreachable):
    """The host's TLS certificate is not trusted, so nothing was sent."""

    remedy = (
        "If your company inspects TLS, set SSL_CERT_FILE to a file with its CA certificate; otherwise check"
        " SALESFORCE_INSTANCE_URL and this machine's clock."
    )
    retryable = False


class OrgBusy(SalesforceError):
    """Pushbacks (429, 503, concurrent limits) or server faults, after all tries."""

    remedy = "Wait: the next run resumes from the last checkpoint. See status.salesforce.com for the org's instance."
    retryable = True


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


class IcebergError(SfAssetsError):
    """The Iceberg side: catalog, files, tables."""

    remedy = "Check the catalog's settings (PYICEBERG_CATALOG__*) with pyiceberg's own command line."


class IcebergUnreachable(IcebergError):
    """The catalog or its storage did not answer."""

    remedy = "Check the catalog's uri, credentials and network (PYICEBERG_CATALOG__SALESFORCE__*)."
    retryable = True


class CommitUnknown(IcebergUnreachable):
    """The catalog never confirmed the commit, and the table does not contain it."""

    remedy = (
        "Run the endpoint again: it goes on from the table's own state, whether or not the commit still arrives. If it"
        " recurs, look at the catalog's log and at the time-outs of the gateway before it."
    )


class IcebergReadOnly(IcebergError):
    """The catalog or its storage may not be written."""

    remedy = "Give this process read and write access to the catalog and to the warehouse's folder or bucket."


class TableForeign(IcebergError):
    """The table belongs to another org, object or tool, or a newer version wrote it."""

    remedy = (
        "Point SF_ASSETS_NAMESPACE at an empty namespace; after a sandbox refresh run the endpoint once with"
        " adopt_org: true and full_refresh: true."
    )


class TableUnsupported(IcebergError):
    """Another engine gave the table a feature that sf_assets cannot read and change safely.

    These are equality deletes, deletion vectors (format version 3), files in other formats than Parquet, and
    partition specs without an unpartitioned one.
    """

    remedy = (
        "Compact the table with the engine that wrote it (Spark: rewrite_data_files with delete-file-threshold 1). If"
        " that is impossible, `sf-assets repair` sets the table aside and the next run copies the endpoint again."
    )


class TableDamaged(IcebergError):
    """A file that the table needs is missing, cut or changed, or its stored state is unreadable. Value: `path`."""

    remedy = (
        "Run `sf-assets repair` with the endpoint's name: it prints what is damaged and what it would do; with --apply"
        " it returns to the newest whole version. No file is deleted."
    )


class CatalogDamaged(IcebergError):
    """The catalog's database file cannot be read as a database."""

    remedy = (
        "Restore the catalog's file from a backup. Without one, move it away and run `sf-assets repair --apply`: it"
        " registers the tables again from their own files."
    )


class ColumnIncompatible(IcebergError):
    """A column's type in Salesforce can no longer be stored in the table's column."""

    remedy = (
        "Run the endpoint once with full_refresh: true, and the column takes its new type; "
        "or exclude it in the endpoint's row."
    )


class CommitConflict(IcebergError):
    """Another run has written this table since this one read its state; nothing of this commit was written."""

    remedy = "Run the endpoint again; let only one run at a time write a table."
    retryable = True


class SnowflakeError(SfAssetsError):
    """What Snowflake, or the way to it, answered. Values: `errno`, `sqlstate`, `query_id`, `statement`."""

    remedy = "Run the statement of the message as the loader role in Snowsight and read what it says there."


class SnowflakeUnreachable(SnowflakeError):
    """Snowflake did not answer."""

    remedy = "Check SNOWFLAKE_ACCOUNT (and SNOWFLAKE_HOST, if set), DNS, firewall and proxy from this machine."
    retryable = True


class SnowflakeLoginRefused(SnowflakeError):
    """User, key or role were not accepted."""

    remedy = (
        "Compare RSA_PUBLIC_KEY_FP of DESC USER with the key of SNOWFLAKE_PRIVATE_KEY, and grant SNOWFLAKE_ROLE to"
        " SNOWFLAKE_USER."
    )


class SnowflakeDenied(SnowflakeError):
    """The role lacks a privilege."""

    remedy = "Grant the loader role what `sf-assets setup snowflake` lists for this object."


class SnowflakeTableMissing(SnowflakeError):
    """The table or its schema does not exist in Snowflake, or the role may not see it."""

    remedy = (
        "Check SNOWFLAKE_DATABASE and SNOWFLAKE_SCHEMA. In a linked database run ALTER DATABASE ... RESUME DISCOVERY"
        " and look at SYSTEM$CATALOG_LINK_STATUS; otherwise materialize the endpoint again: that creates the table."
    )


class SnowflakeNotInitialized(SnowflakeError):
    """Snowflake has discovered the table and has not read its metadata."""

    remedy = (
        "Look at invalidExecutionStateReason of SYSTEM$AUTO_REFRESH_STATUS: most often the reader role may not read the"
        " bucket, or Lake Formation or KMS refuses it (docs/production.md, AWS)."
    )
    retryable = True


class SnowflakeWarehouseDown(SnowflakeError):
    """No warehouse runs for this session: none is named, it is suspended, or its monitor's quota is spent."""

    remedy = "Name a warehouse that the loader role may use and resume in SNOWFLAKE_WAREHOUSE, and resume it."


class SnowflakeStale(SnowflakeError):
    """Snowflake still reads an older version of the table than the last commit."""

    remedy = (
        "In a linked database ask SYSTEM$AUTO_REFRESH_STATUS of the table. If it is STOPPED, run ALTER ICEBERG TABLE"
        " ... SET AUTO_REFRESH = FALSE; REFRESH; SET AUTO_REFRESH = TRUE. In mode tables materialize it again."
    )
    retryable = True
