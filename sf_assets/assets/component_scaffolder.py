"""The YAML file that `dg scaffold defs sf_assets.SalesforceOrg` writes: it works against the practice org at once."""

from typing import Any

import dagster as dg

TEXT = """\
type: sf_assets.SalesforceOrg

attributes:
  # Without a host this org is the practice org: start it with `sf-assets practice`.
  # instance_url: acme.my.salesforce.com
  # login:
  #   secret_id: salesforce/acme          # or: consumer_key, username, private_key: names of environment variables
  # org: {name}                           # a prefix for keys and namespace, needed for the second org of an instance
  # endpoints: [crm_core, task]           # names or groups; all thirty by default
  # cadences: {{task: six_hours}}
  requests_per_second: 2
"""


class SalesforceOrgScaffolder(dg.Scaffolder[Any]):
    """The scaffolder of a commented `defs.yaml`. It asks nothing."""

    def scaffold(self, request: Any) -> None:
        """Write the file into the new folder."""
        folder = request.target_path
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "defs.yaml").write_text(TEXT.format(name=folder.name), encoding="utf-8")
