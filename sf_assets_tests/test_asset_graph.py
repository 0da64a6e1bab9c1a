"""The asset graph as text: keys first, since they are easier to reason about, then everything that a spec says.

When the graph is meant to change, `SF_ASSETS_SNAPSHOT=write pytest sf_assets_tests/test_asset_graph.py` stores it anew,
and the review sees the difference.
"""

import json
import os
from pathlib import Path

import pytest

from sf_assets.assets.deployments import read_deployment
from sf_assets.definitions import build_definitions

KEYS = Path(__file__).with_name("asset_graph_keys.txt")
SPECS = Path(__file__).with_name("asset_graph_specs.json")


@pytest.fixture(scope="module")
def graph():
    """The asset graph of an empty environment."""
    return build_definitions(read_deployment({})).resolve_asset_graph()


def same(stored, text):
    if os.environ.get("SF_ASSETS_SNAPSHOT") == "write":
        stored.write_text(text, encoding="utf-8")
    return stored.read_text(encoding="utf-8") == text


def told(graph, key):
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


def test_the_keys_are_the_stored_ones(graph):
    keys = sorted(key.to_user_string() for key in graph.get_all_asset_keys())

    assert same(KEYS, "\n".join(keys) + "\n"), f"{KEYS.name} differs"


def test_the_specs_are_the_stored_ones(graph):
    specs = {key.to_user_string(): told(graph, key) for key in sorted(graph.get_all_asset_keys())}

    assert same(SPECS, json.dumps(specs, indent=1) + "\n"), f"{SPECS.name} differs"
