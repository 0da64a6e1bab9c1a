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
    │   ├── BulkJobFailed            a Bulk query job without a complete result
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

from sf_assets.errors.general import (
    ConfigError,
    HashKeyChanged,
    KeysRepeated,
    LedgerUnreachable,
    ResultIncomplete,
    SfAssetsError,
    ShrinkRefused,
    SpecError,
    SyncError,
    ValueUnexpected,
)
from sf_assets.errors.iceberg import (
    CatalogDamaged,
    ColumnIncompatible,
    CommitConflict,
    CommitUnknown,
    IcebergError,
    IcebergReadOnly,
    IcebergUnreachable,
    TableDamaged,
    TableForeign,
    TableUnsupported,
)
from sf_assets.errors.salesforce import (
    AccessDenied,
    AddressRestricted,
    AnswerTooLarge,
    AnswerTorn,
    ApiDisabled,
    ApiVersionRetired,
    AppNotInstalled,
    AssertionExpired,
    AssertionRefused,
    AudienceRefused,
    BulkJobFailed,
    CertificateExpired,
    CertificateUntrusted,
    ClockWrong,
    ConsumerKeyUnknown,
    ExternalSourceFailed,
    FieldInvalid,
    FilterRequired,
    ForeignAddress,
    HostUnreachable,
    LocatorLost,
    LoginError,
    LoginHoursRestricted,
    LoginRateExceeded,
    ObjectUnavailable,
    OrgBusy,
    OrgInactive,
    ProxyRefused,
    QueryRefused,
    QueryTimedOut,
    QueryTooComplicated,
    QueryTooLarge,
    QuotaSpent,
    ResourceNotFound,
    SalesforceError,
    SessionRefused,
    UserInactive,
    UserNotApproved,
)
from sf_assets.errors.snowflake import (
    SnowflakeDenied,
    SnowflakeError,
    SnowflakeLoginRefused,
    SnowflakeNotInitialized,
    SnowflakeStale,
    SnowflakeTableMissing,
    SnowflakeUnreachable,
    SnowflakeWarehouseDown,
)

__all__ = [
    "AccessDenied",
    "AddressRestricted",
    "AnswerTooLarge",
    "AnswerTorn",
    "ApiDisabled",
    "ApiVersionRetired",
    "AppNotInstalled",
    "AssertionExpired",
    "AssertionRefused",
    "AudienceRefused",
    "BulkJobFailed",
    "CatalogDamaged",
    "CertificateExpired",
    "CertificateUntrusted",
    "ClockWrong",
    "ColumnIncompatible",
    "CommitConflict",
    "CommitUnknown",
    "ConfigError",
    "ConsumerKeyUnknown",
    "ExternalSourceFailed",
    "FieldInvalid",
    "FilterRequired",
    "ForeignAddress",
    "HashKeyChanged",
    "HostUnreachable",
    "IcebergError",
    "IcebergReadOnly",
    "IcebergUnreachable",
    "KeysRepeated",
    "LedgerUnreachable",
    "LocatorLost",
    "LoginError",
    "LoginHoursRestricted",
    "LoginRateExceeded",
    "ObjectUnavailable",
    "OrgBusy",
    "OrgInactive",
    "ProxyRefused",
    "QueryRefused",
    "QueryTimedOut",
    "QueryTooComplicated",
    "QueryTooLarge",
    "QuotaSpent",
    "ResourceNotFound",
    "ResultIncomplete",
    "SalesforceError",
    "SessionRefused",
    "SfAssetsError",
    "ShrinkRefused",
    "SnowflakeDenied",
    "SnowflakeError",
    "SnowflakeLoginRefused",
    "SnowflakeNotInitialized",
    "SnowflakeStale",
    "SnowflakeTableMissing",
    "SnowflakeUnreachable",
    "SnowflakeWarehouseDown",
    "SpecError",
    "SyncError",
    "TableDamaged",
    "TableForeign",
    "TableUnsupported",
    "UserInactive",
    "UserNotApproved",
    "ValueUnexpected",
]
