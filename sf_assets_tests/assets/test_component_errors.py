"""Every wrong key and value of a component's YAML is refused with file and line, as `dg check defs` shows it."""

import sys

import pytest
from dagster.components.core.component_tree import ComponentTree, ComponentTreeException

HEAD = "type: sf_assets.SalesforceOrg\nattributes:\n"
PEM = "-----BEGIN PRIVATE KEY-----"
REAL = "  instance_url: acme.my.salesforce.com\n  login:\n"
OBJECTS = "  custom_objects:\n    - object: Invoice__c\n"
WRONG = {
    "unknown key": ("  org: a1\n  colour: red\n", 4, "attributes.colour"),
    "a secret under an unknown key": (
        "  org: a1\n  login:\n    password: 3MVG9.a\n",
        5,
        "login.password is unknown; a login has",
    ),
    "not a number": ("  org: a1\n  requests_per_second: fast\n", 4, "requests_per_second is 'fast'"),
    "out of bounds": ("  quota_reserve: 7\n", 3, "quota_reserve is '7.0'"),
    "short name": ("  org: Not A Name\n", 3, "org is 'Not A Name'"),
    "host": ("  org: a1\n  instance_url: https://acme.example.com/path\n", 4, "it must be a host and nothing more"),
    "audience": ("  audience: http://acme.example.com\n", 3, "audience is not an https origin"),
    "namespace": ("  namespace: ../x\n", 3, "namespace is '../x'"),
    "one of some words": ("  snowflake: maybe\n", 3, "it must be one of: linked, tables"),
    "item of a list": ("  endpoints:\n    - account\n    - acount\n", 5, "endpoints: no endpoint or group is named"),
    "value of a pair": ("  cadences:\n    account: daily\n    contact: weekly\n", 5, "cadences: 'contact=weekly'"),
    "name of a pair": ("  cadences:\n    account: daily\n    acount: daily\n", 5, "named 'acount'"),
    "unknown override": ("  overrides:\n    account: {}\n    acount: {}\n", 5, "unknown endpoint acount"),
    "value of an override": ("  overrides:\n    account:\n      cadence: weekly\n", 5, "cadence 'weekly' is unknown"),
    "column of an override": ("  overrides:\n    account:\n      excluded: [Id]\n", 4, "excludes Id"),
    "name of an object": (f"{OBJECTS}    - object: Not a name\n", 5, "custom_objects, row 2"),
    "two of one name": (f"{OBJECTS}    - object: Invoice__c\n", 5, "an endpoint invoice already"),
    "filter of an object": (f"{OBJECTS}      where: NOT\n", 4, "a condition is expected"),
    "keys of an object": (f"{OBJECTS}      how: tail\n      keys: [id, id]\n", 6, "keys names 'id' twice"),
    "a secret as a name": (
        f"{REAL}    username: U\n    consumer_key: 3MVG9.a\n",
        6,
        "login.consumer_key is not the name",
    ),
    "a key as text": (f"{REAL}    private_key: |\n      {PEM}\n      MII\n", 5, "login.private_key is not the name"),
    "a key as a path": (f"{REAL}    private_key_file: '{PEM}'\n", 5, "login.private_key_file holds a key"),
    "a key twice": ("  org: a1\n  bulk: auto\n  org: b2\n", 5, "org is there twice"),
    "an asset key": ("  org: a1\n  translation:\n    key: other\n", 4, "asset key would change"),
    "the second document": (f"  bulk: auto\n---\n{HEAD}  org: b2\n  bulk: maybe\n", 8, "bulk is 'maybe'"),
}


@pytest.fixture
def project(tmp_path, monkeypatch):
    """The folder of definitions of an empty `dg` project."""
    monkeypatch.setenv("SF_ASSETS_HOME", str(tmp_path / "home"))
    package = tmp_path / "proj/src/errors_of_yaml"
    (package / "defs/crm").mkdir(parents=True)
    for name in ("__init__.py", "defs/__init__.py"):
        (package / name).touch()
    (tmp_path / "proj/pyproject.toml").write_text(
        '[project]\nname = "p"\nversion = "0"\n[tool.dg]\ndirectory_type = "project"\n'
        '[tool.dg.project]\nroot_module = "errors_of_yaml"\n'
    )
    monkeypatch.syspath_prepend(tmp_path / "proj/src")
    yield tmp_path / "proj"
    for name in [name for name in sys.modules if name.startswith("errors_of_yaml")]:
        del sys.modules[name]


@pytest.mark.filterwarnings("ignore:`parse_obj_as` is deprecated")  # both are of Dagster's own calls
@pytest.mark.filterwarnings("ignore:.* is currently in (beta|preview)")
@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_value_is_refused_with_its_file_and_line(project, name):
    text, line, what = WRONG[name]
    file = project / "src/errors_of_yaml/defs/crm/defs.yaml"
    file.write_text(HEAD + text)

    with pytest.raises(ComponentTreeException) as refusal:
        ComponentTree.for_project(project).build_defs()

    message = str(refusal.value.__cause__)
    assert f"{file}:{line}" in message
    assert what in message
    assert "3MVG9" not in message
    assert PEM not in message
