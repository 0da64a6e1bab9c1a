"""The fixtures of `account.py`."""

from sf_assets_tests.snowflake.account import free_port, key_pair, other_key, refusal, snowflake

__all__ = ["free_port", "key_pair", "other_key", "refusal", "snowflake"]
