"""The practice org: a Salesforce org in memory, served on loopback, to be changed and broken on purpose."""

from sf_assets.devorg.api.server import Server, serve
from sf_assets.devorg.credentials import Credentials
from sf_assets.devorg.org.faults import Fault
from sf_assets.devorg.org.org import Org
from sf_assets.devorg.org.settings import Behaviour
from sf_assets.devorg.sample import sample_org

__all__ = ["Behaviour", "Credentials", "Fault", "Org", "Server", "sample_org", "serve"]
