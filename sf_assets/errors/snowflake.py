"""Errors of Snowflake, and of the network on the way to it."""

from sf_assets.errors.general import SfAssetsError


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
