"""Audiences: which ones a login tries, in which order, and which one it keeps."""

from urllib.parse import parse_qs

import jwt
import pytest

from sf_assets import errors
from sf_assets.salesforce.instance_url import parse_instance_url
from sf_assets.salesforce.login.audience import audiences

LOGIN, TEST = "https://login.salesforce.com", "https://test.salesforce.com"
OWN = "https://acme.my.salesforce.com"
AUDIENCES = [
    ("acme.my.salesforce.com", (OWN, LOGIN)),
    ("acme--uat.sandbox.my.salesforce.com", ("https://acme--uat.sandbox.my.salesforce.com", TEST)),
    ("acme.scratch.my.salesforce.com", ("https://acme.scratch.my.salesforce.com", TEST)),
    ("acme-dev-ed.develop.my.salesforce.com", ("https://acme-dev-ed.develop.my.salesforce.com", LOGIN)),
    ("latest.my.salesforce.com", ("https://latest.my.salesforce.com", LOGIN)),
    ("cs42.salesforce.com", ("https://cs42.salesforce.com", TEST)),
    ("acme.my.salesforce.mil", ("https://acme.my.salesforce.mil", "https://login.salesforce.mil")),
    ("acme.my.sfcrmproducts.cn", ("https://acme.my.sfcrmproducts.cn", "https://login.sfcrmproducts.cn")),
    ("acme.my.site.com", ("https://acme.my.site.com", LOGIN)),
    ("gateway:8443", ("https://gateway:8443", LOGIN, TEST)),
    ("10.1.2.3", ("https://10.1.2.3", LOGIN, TEST)),
    ("http://127.0.0.1:8630", ("http://127.0.0.1:8630", LOGIN, TEST)),
]


@pytest.mark.parametrize(("host", "expected"), AUDIENCES)
def test_the_own_origin_comes_before_the_generic_host(host, expected):
    assert audiences(parse_instance_url(host)) == expected


@pytest.mark.parametrize("host", ["acme.my.saslesforce.com", "salesforce.com.evil.example", "crm.acme.example"])
def test_no_assertion_for_salesforce_is_sent_to_a_host_of_others(host):
    address = parse_instance_url(host)

    assert audiences(address) == (address.origin,)
    assert audiences(address, LOGIN) == (LOGIN,)


@pytest.mark.parametrize("setting", [TEST, f" {TEST}/\n", f"\ufeff{TEST}\u00a0"])
def test_a_set_audience_is_used_alone(setting):
    assert audiences(parse_instance_url("acme.my.salesforce.com"), setting) == (TEST,)


@pytest.mark.parametrize(
    "setting",
    [
        "login.salesforce.com",
        "http://login.salesforce.com",
        "https://",
        "https://x/y",
        "-----BEGIN KEY-----",
        "ftp://a",
    ],
)
def test_an_audience_that_is_no_https_origin_is_refused_unquoted(setting):
    with pytest.raises(errors.ConfigError) as error_info:
        audiences(parse_instance_url("acme.my.salesforce.com"), setting)

    assert "SALESFORCE_LOGIN_AUDIENCE" in str(error_info.value)
    assert setting not in str(error_info.value)


def sent_audiences(org):
    forms = (parse_qs(request.content.decode()) for request in org.login_calls)
    return [jwt.decode(form["assertion"][0], options={"verify_signature": False})["aud"] for form in forms]


REFUSALS = [
    ("app_not_found", "External client app is not installed in this org", errors.AppNotInstalled),
    ("invalid_grant", "audience is invalid", errors.AudienceRefused),
    ("invalid_grant", "invalid assertion", errors.AssertionRefused),
    ("invalid_request", "something else", errors.LoginError),
]


@pytest.mark.parametrize(("error", "description", "kind"), REFUSALS)
def test_a_refused_audience_is_followed_by_the_generic_one(org, error, description, kind):
    org.login(400, {"error": error, "error_description": description})
    client = org.client()

    assert client.org_id() == org.org_id
    assert sent_audiences(org) == [OWN, LOGIN]


@pytest.mark.parametrize(("error", "description", "kind"), REFUSALS)
def test_the_audience_that_worked_serves_the_next_login(org, clock, error, description, kind):
    org.login(400, {"error": error, "error_description": description})
    client = org.client(token_seconds=60.0)
    client.org_id()
    clock.seconds += 3600
    client.org_id()

    assert sent_audiences(org) == [OWN, LOGIN, LOGIN]


@pytest.mark.parametrize(("error", "description", "kind"), REFUSALS)
def test_a_login_refused_with_each_audience_names_them(org, error, description, kind):
    for _ in range(2):
        org.login(400, {"error": error, "error_description": description})

    with pytest.raises(kind, match="refused with each audience: https://acme.my.salesforce.com, https://login"):
        org.client().org_id()

    assert sent_audiences(org) == [OWN, LOGIN]


def test_the_refusal_that_names_another_cause_is_raised(org):
    org.login(400, {"error": "invalid_grant", "error_description": "audience is invalid"})
    org.login(400, {"error": "invalid_grant", "error_description": "user hasn't approved this consumer"})

    with pytest.raises(errors.UserNotApproved):
        org.client().org_id()


def test_another_cause_is_not_followed_by_another_audience(org):
    org.login(400, {"error": "inactive_user", "error_description": "user is inactive"})

    with pytest.raises(errors.UserInactive):
        org.client().org_id()

    assert sent_audiences(org) == [OWN]
