"""The permission set: read only, least, and closed under what Salesforce requires."""

import json
import re
import subprocess
from dataclasses import replace
from itertools import combinations

import pytest

from sf_assets.commands.setup.permissions import dependencies, permission_set
from sf_assets.commands.setup.salesforce import permission_set_metadata, salesforce_steps
from sf_assets.commands.setup.values import SetupValues
from sf_assets.specs.endpoints import endpoints

SPECS = endpoints()
BY_NAME = {spec.endpoint: spec for spec in SPECS}
SELECTIONS = [*([spec] for spec in SPECS), *map(list, combinations(SPECS, 2)), list(SPECS)]


def test_every_selection_is_closed_under_its_dependencies():
    for specs in SELECTIONS:
        permissions = permission_set(specs)
        objects, rights = {entry.name for entry in permissions.objects}, set(permissions.user_permissions)

        for name in objects:
            assert dependencies("object_permissions", "object").get(name, set()) <= objects, specs
        for name in rights:
            assert dependencies("user_permissions", "permission").get(name, set()) <= rights, specs


@pytest.mark.parametrize(
    ("endpoint", "objects"),
    [
        ("account", {"Account"}),
        ("contact", {"Account", "Contact"}),
        ("quote", {"Account", "Opportunity", "Quote"}),
        ("quote_line_item", {"Account", "Opportunity", "Quote"}),
        ("order_item", {"Account", "Order"}),
        ("opportunity_history", {"Account", "Opportunity"}),
        ("pricebook_entry", {"Pricebook2"}),
        ("user", set()),
    ],
)
def test_a_set_holds_no_more_objects_than_its_endpoints_need(endpoint, objects):
    assert {entry.name for entry in permission_set([BY_NAME[endpoint]]).objects} == objects


@pytest.mark.parametrize(
    ("endpoint", "rights"),
    [
        ("account", {"ApiEnabled"}),
        ("user_role", {"ApiEnabled", "ViewRoles"}),
        ("permission_set", {"ApiEnabled", "ViewRoles", "ViewSetup"}),
    ],
)
def test_a_set_holds_no_more_rights_than_its_endpoints_need(endpoint, rights):
    assert set(permission_set([BY_NAME[endpoint]]).user_permissions) == rights


def test_view_all_data_is_only_for_tasks_and_events():
    without = [spec for spec in SPECS if spec.endpoint not in ("task", "event")]

    assert "ViewAllData" not in permission_set(without).user_permissions
    assert {"ViewAllData", "ViewAllForecasts", "ViewPlatformEvents", "ViewDataLeakageEvents"} <= set(
        permission_set([BY_NAME["task"]]).user_permissions
    )


def test_the_set_reads_and_changes_nothing():
    text = permission_set_metadata(SPECS)

    assert not re.search(r"<(allowCreate|allowDelete|allowEdit|modifyAllRecords|editable)>true", text)


def test_all_fields_of_an_object_are_visible():
    text = permission_set_metadata([BY_NAME["account"]])

    assert "<viewAllFields>true</viewAllFields>" in text
    assert "fieldPermissions" not in text


def test_an_excluded_column_is_not_granted():
    permissions = permission_set([replace(BY_NAME["account"], excluded=("Phone", "BillingCity"))])

    assert not permissions.objects[0].view_all_fields
    assert "Account.Website" in permissions.fields
    assert not {"Account.Phone", "Account.BillingAddress", "Account.BillingCity"} & set(permissions.fields)


def test_line_items_have_no_object_permission_so_their_fields_are_granted():
    permissions = permission_set([BY_NAME["opportunity_line_item"]])

    assert "OpportunityLineItem.UnitPrice" in permissions.fields
    assert {entry.name for entry in permissions.objects} == {"Account", "Opportunity"}


def test_the_metadata_is_xml_in_the_order_of_the_schema():
    from xml.etree import ElementTree

    root = ElementTree.fromstring(permission_set_metadata(SPECS))  # noqa: S314 - our own text

    tags = [child.tag.partition("}")[2] for child in root]
    assert tags == sorted(tags)
    assert set(tags) == {"fieldPermissions", "label", "objectPermissions", "userPermissions"}


def test_the_steps_name_the_licence_before_the_permission_set():
    text = salesforce_steps(SPECS, SetupValues())

    assert text.index("Salesforce API Integration") < text.index("Then the permission set sf_assets")
    assert text.index("--dry-run") < text.index("deploy start --source-dir")
    assert "API Access Control" in text


def test_the_commands_of_the_steps_can_be_pasted_in_one_folder(tmp_path):
    text = salesforce_steps(SPECS, SetupValues())
    (tmp_path / "salesforce.txt").write_text(text)
    sf = tmp_path / "sf"
    sf.write_text(
        '#!/bin/sh\necho "$PWD: $*" >> "$LOG"\ncase "$1 $2" in "project generate") mkdir sf_assets_setup;; esac\n'
    )
    sf.chmod(0o755)
    before, _, rest = text.partition("--------\n")
    commands = re.findall(r"^ {5,}(.*)$", before + rest.partition("--------\n")[2], flags=re.MULTILINE)

    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "LOG": str(tmp_path / "log")}
    script = "set -e\n" + "\n".join(commands)
    process = subprocess.run(
        ["sh"], input=script, cwd=tmp_path, env=environment, text=True, capture_output=True, check=False
    )

    assert process.returncode == 0, process.stderr
    (metadata,) = tmp_path.rglob("sf_assets.permissionset-meta.xml")
    assert metadata.read_text().strip() == permission_set_metadata(SPECS).strip()
    calls = (tmp_path / "log").read_text().splitlines()
    assert [call.split()[1:4] for call in calls[2:4]] == [["project", "deploy", "start"]] * 2
    assert all(call.startswith(f"{tmp_path}/sf_assets_setup: ") for call in calls[2:4])
    secret = json.loads((tmp_path / "secret.json").read_text())
    assert secret["private_key"] == (tmp_path / "salesforce.key").read_text()
