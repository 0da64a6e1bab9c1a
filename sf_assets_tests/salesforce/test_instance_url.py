"""The org's address, and what an answer's links may lead to."""

import pytest

from sf_assets.errors import AnswerTorn, ConfigError, ForeignAddress
from sf_assets.salesforce.instance_url import Link, parse_instance_url, read_link

ADDRESSES = [
    ("acme.my.salesforce.com", "https://acme.my.salesforce.com"),
    ("https://acme.my.salesforce.com", "https://acme.my.salesforce.com"),
    ("https://acme.my.salesforce.com/", "https://acme.my.salesforce.com"),
    ("  HTTPS://ACME.my.salesforce.com/ ", "https://acme.my.salesforce.com"),
    ('"acme.my.salesforce.com"', "https://acme.my.salesforce.com"),
    ("'https://acme.my.salesforce.com/' \n", "https://acme.my.salesforce.com"),
    ("\ufeffacme.my.salesforce.com\u200b", "https://acme.my.salesforce.com"),
    ("https://salesforce_gateway.acme.example", "https://salesforce_gateway.acme.example"),
    ("http://127.0.0.1:8630", "http://127.0.0.1:8630"),
    ("http://localhost:8630/", "http://localhost:8630"),
    ("http://[::1]:8630", "http://[::1]:8630"),
]


@pytest.mark.parametrize(("text", "origin"), ADDRESSES)
def test_the_forms_that_people_write_give_one_origin(text, origin):
    assert parse_instance_url(text).origin == origin


UNUSABLE = [
    "",
    "http://acme.my.salesforce.com",
    "http://10.0.0.1:8630",
    "http://127.0.0.1.evil.example",
    "ftp://acme.my.salesforce.com",
    "https://acme.my.salesforce.com/services/data",
    "https://acme.my.salesforce.com?x=1",
    "https://acme.my.salesforce.com#x",
    "https://user:secret@acme.my.salesforce.com",
    "https://acme.my.salesforce.com:port",
    "acme my salesforce",
    "https://",
    "https://https://acme.my.salesforce.com",
    "https://acme--stage--c.visualforce.com",
    "https://acme.lightning.force.com",
    '"acme.my.salesforce.com',
    '""',
]


@pytest.mark.parametrize("text", UNUSABLE)
def test_anything_else_is_a_setting_to_correct(text):
    with pytest.raises(ConfigError) as error_info:
        parse_instance_url(text)

    assert "SALESFORCE_INSTANCE_URL" in error_info.value.remedy
    assert "secret" not in str(error_info.value)


HOST = "acme.my.salesforce.com"
LINKS = [
    ("/services/data/v60.0/query/01gxx0000000001AAA-2000", Link("query", "01gxx0000000001AAA-2000")),
    (f"https://{HOST}/services/data/v60.0/query/01g-200", Link("query", "01g-200")),
    (f"https://{HOST}:443/services/data/v57.0/query/0r8xx0000000001AAA", Link("query", "0r8xx0000000001AAA")),
    ("/services/data/v60.0/queryAll/01g-200", Link("queryAll", "01g-200")),
    ("/services/data/v60.0/query/MDFnLTIwMA==/", Link("query", "MDFnLTIwMA==")),
    ("/services/data/v60.0/query/01g.200", Link("query", "01g.200")),
    ("/services/data/v60.0/query?cursor=01g-200", Link("query", "?cursor=01g-200")),
    ("/services/data/v60.0/queryAll/?locator=MDFn%3D", Link("queryAll", "?locator=MDFn%3D")),
]


@pytest.mark.parametrize(("url", "link"), LINKS)
def test_only_resource_and_locator_of_a_link_are_used(url, link):
    assert read_link(url, address=parse_instance_url(HOST)) == link


def test_all_names_of_this_machine_are_one_but_its_ports_are_not():
    at_home = parse_instance_url("http://127.0.0.1:8630")

    assert read_link("http://localhost:8630/services/data/v60.0/query/01g-200", address=at_home).locator == "01g-200"
    with pytest.raises(ForeignAddress):
        read_link("http://localhost:8631/services/data/v60.0/query/01g-200", address=at_home)
    with pytest.raises(ForeignAddress):
        read_link("http://localhost/services/data/v60.0/query/01g", address=parse_instance_url(HOST))


@pytest.mark.parametrize("link", [Link("queryAll", "01g-200"), Link("query", "?cursor=01g-200")])
def test_a_link_leads_to_this_versions_path_of_its_resource(link):
    path = link.path(version="60.0")

    assert path == f"/services/data/v60.0/{link.resource}{'' if '?' in link.locator else '/'}{link.locator}"
    assert read_link(path, address=parse_instance_url(HOST)) == link


FOREIGN = [
    "https://evil.example/services/data/v60.0/query/01g-200",
    "//evil.example/services/data/v60.0/query/01g-200",
    f"http://{HOST}/services/data/v60.0/query/01g-200",
    f"https://{HOST}:8443/services/data/v60.0/query/01g-200",
    f"https://{HOST}@evil.example/services/data/v60.0/query/01g-200",
    f"https://{HOST}.evil.example/services/data/v60.0/query/01g-200",
    "services/data/v60.0/query/01g-200",
    "https://[bad/services/data/v60.0/query/01g-200",
]


@pytest.mark.parametrize("url", FOREIGN)
def test_a_link_to_another_place_is_refused(url):
    with pytest.raises(ForeignAddress):
        read_link(url, address=parse_instance_url(HOST))


@pytest.mark.parametrize(
    "path",
    [
        "/services/data/v60.0/query/",
        "/services/data/v60.0/query/../../x",
        "/other",
        "/services/data/v60.0/query/a/b",
        "/services/data/v60.0/query/..",
        "/services/data/v60.0/query?cursor=a b",
        "/services/data/v60.0/query?a=/../x",
    ],
)
def test_a_link_without_a_locator_is_torn(path):
    with pytest.raises(AnswerTorn):
        read_link(path, address=parse_instance_url(HOST))
