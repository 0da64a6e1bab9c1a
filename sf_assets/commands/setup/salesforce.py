"""`sf-assets setup salesforce`: the app, the user and the permission set that the chosen endpoints need."""

from collections.abc import Mapping, Sequence

from sf_assets.commands.setup.values import Values
from sf_assets.specs.model import EndpointSpec

VIEW_SETUP = "ViewSetup"
RIGHTS: Mapping[str, str] = {
    "FieldPermissions": VIEW_SETUP,
    "ObjectPermissions": VIEW_SETUP,
    "PermissionSet": VIEW_SETUP,
    "PermissionSetAssignment": VIEW_SETUP,
    "UserRole": "ViewRoles",
    "Event": "ViewAllData",
    "Task": "ViewAllData",
}
"""User permission without which an object's rows are hidden; for tasks and events the server refuses the query."""
WITHOUT_OBJECT_RIGHT = frozenset(
    {
        *("Event", "FieldPermissions", "ObjectPermissions", "Organization", "PermissionSet", "PermissionSetAssignment"),
        *("Profile", "RecordType", "Task", "User", "UserRole"),
        *("CampaignMember", "OpportunityContactRole", "OpportunityHistory", "OpportunityLineItem", "OrderItem"),
        *("PricebookEntry", "QuoteLineItem"),
    }
)
"""Objects that follow another object's right, or a user permission alone."""
PARENTS: Mapping[str, str] = {
    "CampaignMember": "Campaign",
    "OpportunityContactRole": "Opportunity",
    "OpportunityHistory": "Opportunity",
    "OpportunityLineItem": "Opportunity",
    "OrderItem": "Order",
    "PricebookEntry": "Pricebook2",
    "QuoteLineItem": "Quote",
}
"""Objects whose rows are seen by the right to their parent."""
WITHOUT_VIEW_ALL = frozenset({"Pricebook2", "Product2"})
FEATURES: Mapping[str, str] = {"Quote": "Quotes", "QuoteLineItem": "Quotes", "Order": "Orders", "OrderItem": "Orders"}
"""What must be switched on in the org; otherwise the endpoint is an empty table and a warning."""


def salesforce_steps(specs: Sequence[EndpointSpec], values: Values) -> str:
    """Return the steps, the permission set as metadata among them."""
    sobjects = sorted({spec.sobject for spec in specs})
    features = sorted({FEATURES[name] for name in sobjects if name in FEATURES})
    switched = f"\n     Switch on in Setup before: {', '.join(features)}." if features else ""
    return f"""\
The Salesforce side of sf_assets, for {len(specs)} endpoints. Done once by an administrator of the org.

1. A key pair. The certificate goes to Salesforce (step 2), the key stays with you (step 6):
     openssl req -x509 -newkey rsa:2048 -nodes -days 730 -keyout salesforce.key -out salesforce.crt -subj /CN=sf_assets
   help.salesforce.com: remoteaccess_oauth_jwt_flow

2. An app: Setup > External Client App Manager > New External Client App. Enable OAuth; any callback URL (not used);
   scopes api and refresh_token; JWT bearer flow with salesforce.crt. It gives the consumer key to step 6.
   help.salesforce.com: external_client_apps

3. A permission set. Save what stands between the lines as permissionsets/sf_assets.permissionset-meta.xml and deploy it
   (sf project deploy start), or tick the same in Setup > Permission Sets.{switched}
   Columns are shown by field-level security: give the set read access to the fields that you want to copy.
--------
{permission_set(sobjects)}
--------
   developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_permissionset.htm

4. A user of its own: Setup > Users > New, licence Salesforce Integration or any with API access; the permission set.
   It gives the username to step 6.

5. Pre-authorization: in the app's policies choose Admin approved users are pre-authorized and add the permission set.
   A new app or a change of it takes up to ten minutes to act.

6. The secret, for `sf-assets setup aws` step 5, name {values["secret"]}:
     python3 -c 'import json, sys; print(json.dumps({{"consumer_key": sys.argv[1], "username": sys.argv[2],
       "private_key": open("salesforce.key").read()}}))' CONSUMER_KEY USERNAME > secret.json

7. Setup > My Domain gives the host: SALESFORCE_INSTANCE_URL. Check all of it with: sf-assets doctor
"""


def permission_set(sobjects: Sequence[str]) -> str:
    """Return the permission set as metadata: read and View All per object, and no right to change anything."""
    own = sorted({PARENTS.get(name, name) for name in sobjects if PARENTS.get(name, name) not in WITHOUT_OBJECT_RIGHT})
    rights = sorted({"ApiEnabled", *(RIGHTS[name] for name in sobjects if name in RIGHTS)})
    lines = [*map(_object, own), *map(_user, rights)]
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            '<PermissionSet xmlns="http://soap.sforce.com/2006/04/metadata">',
            "  <label>sf_assets</label>",
            *lines,
            "</PermissionSet>",
        ]
    )


def _object(name: str) -> str:
    view_all = str(name not in WITHOUT_VIEW_ALL).lower()
    refused = "".join(f"<{right}>false</{right}>" for right in ("allowCreate", "allowDelete", "allowEdit"))
    return (
        f"  <objectPermissions>{refused}<allowRead>true</allowRead><modifyAllRecords>false</modifyAllRecords>"
        f"<object>{name}</object><viewAllRecords>{view_all}</viewAllRecords></objectPermissions>"
    )


def _user(name: str) -> str:
    return f"  <userPermissions><enabled>true</enabled><name>{name}</name></userPermissions>"
