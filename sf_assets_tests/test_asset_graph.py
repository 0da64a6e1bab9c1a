"""The asset graph as text: the keys alone, then all that a spec says.

When the graph is meant to change, `pytest sf_assets_tests/test_asset_graph.py --snapshot-update` writes it again, and
the review shows the difference.
"""

import json

import pytest

from sf_assets.assets.deployments import read_deployment
from sf_assets.definitions import build_definitions
from sf_assets_tests.snapshots import JsonSnapshot, TextSnapshot


@pytest.fixture(scope="module")
def graph():
    """The asset graph of an empty environment."""
    return build_definitions(read_deployment({})).resolve_asset_graph()


def description_of(graph, key):
    node = graph.get(key)
    return {
        "group": node.group_name,
        "owners": list(node.owners),
        "kinds": sorted(node.kinds),
        "tags": {name: value for name, value in sorted(node.tags.items()) if not name.startswith("dagster/kind/")},
        "upstream": sorted(parent.to_user_string() for parent in node.parent_keys),
        "automation": node.automation_condition.get_label() if node.automation_condition else None,
        "fresh": _windows(node.freshness_policy),
        "checks": sorted(f"{check.name}{'!' * graph.get(check).blocking}" for check in node.check_keys),
        "description": node.description.split("```")[0].strip().splitlines(),
    }


def _windows(policy):
    windows = (policy.warn_window, policy.fail_window) if policy else ()
    return " / ".join(str(window.to_timedelta()) for window in windows)


def test_the_keys_are_the_stored_ones(graph, snapshot):
    keys = sorted(key.to_user_string() for key in graph.get_all_asset_keys())

    assert "\n".join(keys) + "\n" == snapshot(extension_class=TextSnapshot)


def test_the_specs_are_the_stored_ones(graph, snapshot):
    specs = {key.to_user_string(): description_of(graph, key) for key in sorted(graph.get_all_asset_keys())}

    assert json.dumps(specs, indent=1) + "\n" == snapshot(extension_class=JsonSnapshot)
