"""Objects that SOQL cannot copy like any other: they need a filter, or they have no SystemModstamp.

Sources: the object's page in Salesforce's Object Reference ("Special Access Rules"), and the org's own answers
("Implementation restriction: … requires a filter by …"). An object that the tables lack is read like any other; the
org's refusal then names the reason.
"""

import re
from collections.abc import Collection, Mapping

FILTER_NEEDED: Mapping[str, tuple[str, ...]] = {
    "Announcement": ("Id", "ParentId"),
    "AppTabMember": ("AppDefinitionId", "DurableId"),
    "CollaborationGroupRecord": ("Id", "CollaborationGroupId", "RecordId"),
    "ContentDocumentLink": ("Id", "ContentDocumentId", "LinkedEntityId"),
    "ContentFolderItem": ("Id", "ParentContentFolderId"),
    "ContentFolderMember": ("Id", "ParentContentFolderId", "ChildRecordId"),
    "EntityParticle": ("DurableId", "EntityDefinitionId"),
    "FieldDefinition": ("DurableId", "EntityDefinitionId"),
    "FlowVersionView": ("DurableId", "FlowDefinitionViewId"),
    "IdeaComment": ("Id", "IdeaId", "CommunityId"),
    "KnowledgeArticleVersion": ("Id", "KnowledgeArticleId", "PublishStatus"),
    "PicklistValueInfo": ("DurableId", "EntityParticleId"),
    "RelationshipInfo": ("DurableId", "ParentEntityDefinitionId"),
    "UserEntityAccess": ("UserId",),
    "UserFieldAccess": ("UserId",),
    "UserRecordAccess": ("UserId",),
    "Vote": ("Id", "ParentId", "Parent.Type"),
}
"""sObject -> columns. The org refuses a query without a filter on one of them."""

KINDS: tuple[tuple[str, str, str], ...] = (
    ("__b", "a big object", "its rows have neither SystemModstamp nor a filter that shows changes"),
    ("__x", "an external object", "its rows are in another system and have no SystemModstamp"),
    ("__e", "a platform event", "events are delivered to subscribers and cannot be queried"),
    ("__ChangeEvent", "a change event", "events are delivered to subscribers and cannot be queried"),
    ("ChangeEvent", "a change event", "events are delivered to subscribers and cannot be queried"),
)
"""Ending of the API name, what the object is, and why it cannot be an endpoint."""


def why_unreadable(sobject: str) -> tuple[str, str] | None:
    """Return why an object cannot be an endpoint, with a remedy, or None."""
    for ending, kind, reason in KINDS:
        if sobject.endswith(ending):
            return f"{sobject} is {kind}: {reason}", "Remove the endpoint, or copy a custom object with these rows"
    return None


def missing_filter(sobject: str, where: str | None) -> tuple[str, ...]:
    """Return the columns that the query should filter, or nothing if it does."""
    columns = FILTER_NEEDED.get(sobject, ())
    return () if _names_one_of(columns, where or "") else columns


def _names_one_of(columns: Collection[str], where: str) -> bool:
    texts = re.sub(r"'(?:[^'\\]|\\.)*'", "''", where)
    return any(re.search(rf"(?<![\w.]){re.escape(name)}(?![\w.])", texts, re.IGNORECASE) for name in columns)
