"""Audiences of a login: which ones to try, and what a setting may name."""

import re
from collections.abc import Sequence

from sf_assets.errors import (
    AppNotInstalled,
    AssertionRefused,
    AudienceRefused,
    ConfigError,
    LoginError,
)
from sf_assets.salesforce.instance_url import Address, parse_origin
from sf_assets.salesforce.setting_text import bare

DOUBTFUL = (AppNotInstalled, AudienceRefused, AssertionRefused)
"""Refusals that another audience may cure; the last one says too little."""
_DOMAINS = re.compile(r"\.(salesforce\.com|salesforce\.mil|sfcrmproducts\.cn|force\.com|site\.com)$")
_SANDBOX = re.compile(r"^(test|cs\d{1,4})\.|\.(sandbox|scratch)\.")


def audiences(address: Address, setting: str = "") -> tuple[str, ...]:
    """Return the audiences to try, in order; a setting is tried alone.

    The org's own My Domain comes first: External Client Apps accept nothing else. Older set-ups may accept only the
    generic host. A host that does not say whether it is a sandbox has both. A host of the internet that is not
    Salesforce's has none: who receives an assertion for the generic host can log in with it there.
    """
    if bare(setting):
        return (parse_audience(setting),)
    match = _DOMAINS.search(address.host)
    if match is None and not address.is_internal:
        return (address.origin,)
    domain = match[1] if match and match[1] in ("salesforce.mil", "sfcrmproducts.cn") else "salesforce.com"
    generic = [f"https://login.{domain}", f"https://test.{domain}"]
    if _SANDBOX.search(address.host):
        generic.reverse()
    return (address.origin, generic[0]) if match else (address.origin, *generic)


def parse_audience(setting: str) -> str:
    """Return the origin that a setting names.

    Raises: ConfigError, which does not quote it: it may be a secret.
    """
    origin = parse_origin(bare(setting))
    if origin is None or "://" not in setting:
        raise ConfigError(
            "SALESFORCE_LOGIN_AUDIENCE is not an https origin",
            remedy="Leave SALESFORCE_LOGIN_AUDIENCE empty, or set it to https://login.salesforce.com,"
            " https://test.salesforce.com or the org's own https://<My Domain>.",
            setting="SALESFORCE_LOGIN_AUDIENCE",
        )
    return origin.origin


def is_in_doubt(error: LoginError) -> bool:
    """Return whether another audience may cure the refusal.

    The refusal names the audience, or no cause at all.
    """
    return isinstance(error, DOUBTFUL) or type(error) is LoginError


def refusal_of_all(refusals: Sequence[LoginError], tried: Sequence[str]) -> LoginError:
    """Return the error of a login that was refused with each audience.

    An error that names another cause than the audience comes first."""
    ranks: list[type[LoginError]] = [AssertionRefused, AudienceRefused, AppNotInstalled]
    first = min(refusals, key=lambda error: ranks.index(type(error)) if type(error) in ranks else -1)
    if len(refusals) == 1:
        return first
    what = f"{first}; refused with each audience: {', '.join(tried)}"
    return type(first)(what, remedy=first.remedy, **{**first.values, "audiences": ", ".join(tried)})
