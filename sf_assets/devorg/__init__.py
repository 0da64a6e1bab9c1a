"""The practice org: a Salesforce org in memory, served on loopback, to be changed and broken on purpose."""

from sf_assets.devorg.behaviour import Behaviour
from sf_assets.devorg.credentials import Credentials
from sf_assets.devorg.faults import Fault
from sf_assets.devorg.org import Org
from sf_assets.devorg.serve import Server, serve

__all__ = ["Behaviour", "Credentials", "Fault", "Org", "Server", "serve"]
