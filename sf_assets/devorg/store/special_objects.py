"""Objects that real orgs have and that are hard to copy, to be added by `org.add_object(name)`.

The messages of ContentDocumentLink and CollaborationGroupRecord are those of public reports
(douglascayers/sfdc-convert-attachments-to-chatter-files#29, afawcett/apex-sobjectdataloader#9). The others are
unverified.
"""

from dataclasses import replace

from sf_assets.devorg.store.schema import FieldSchema, ObjectSchema, Restriction

_AUDIT = (
    FieldSchema("IsDeleted", "boolean", "Deleted", nillable=False),
    FieldSchema("CreatedDate", "datetime", "Created Date", nillable=False),
    FieldSchema("LastModifiedDate", "datetime", "Last Modified Date", nillable=False),
    FieldSchema("SystemModstamp", "datetime", "System Modstamp", nillable=False),
)


def _id(name: str, label: str, *targets: str) -> FieldSchema:
    return FieldSchema(name, "reference", label, length=18, reference_to=targets)


def _text(name: str, label: str) -> FieldSchema:
    return FieldSchema(name, "string", label, length=255)


def _object(name: str, key_prefix: str, *fields: FieldSchema) -> ObjectSchema:
    own = (FieldSchema("Id", "id", "Id", length=18, nillable=False), *fields)
    by_name = {field.name: field for field in own}
    return ObjectSchema(name, name, key_prefix, by_name, has_is_deleted="IsDeleted" in by_name, undeletable=False)


def _restricted(schema: ObjectSchema, filters: tuple[str, ...], message: str) -> ObjectSchema:
    return replace(schema, restriction=Restriction(filters, 400, "MALFORMED_QUERY", message))


def _history() -> ObjectSchema:
    """Return AccountHistory: append-only, with CreatedDate as its only stamp."""
    return _object(
        "AccountHistory",
        "017",
        FieldSchema("IsDeleted", "boolean", "Deleted", nillable=False),
        _id("AccountId", "Account", "Account"),
        _id("CreatedById", "Created By", "User"),
        FieldSchema("CreatedDate", "datetime", "Created Date", nillable=False),
        _text("Field", "Changed Field"),
        FieldSchema("OldValue", "anyType", "Old Value", filterable=False, sortable=False),
        FieldSchema("NewValue", "anyType", "New Value", filterable=False, sortable=False),
    )


SPECIAL_OBJECTS: dict[str, ObjectSchema] = {
    schema.name: schema
    for schema in (
        _restricted(
            _object(
                "ContentDocumentLink",
                "06A",
                _id("LinkedEntityId", "Linked Entity", "Account", "Opportunity"),
                _id("ContentDocumentId", "Content Document", "ContentDocument"),
                _AUDIT[0],
                _AUDIT[3],
                _text("ShareType", "Share Type"),
            ),
            ("ContentDocumentId", "LinkedEntityId"),
            "Implementation restriction: ContentDocumentLink requires a filter by a single Id on ContentDocumentId or"
            " LinkedEntityId using the equals operator or multiple Id's using the IN operator.",
        ),
        _restricted(
            _object("Vote", "0DV", _id("ParentId", "Parent", "Idea"), *_AUDIT, _text("Type", "Type")),
            ("ParentId", "Id"),
            "Implementation restriction. When querying the Vote object, you must filter using the following syntax:"
            " ParentId = [single ID], Id = [single ID], or Id IN [list of ID's].",
        ),
        _restricted(
            _object(
                "KnowledgeArticleVersion",
                "ka0",
                _id("KnowledgeArticleId", "Knowledge Article", "KnowledgeArticle"),
                _text("PublishStatus", "Publication Status"),
                _text("Title", "Title"),
                *_AUDIT,
            ),
            ("KnowledgeArticleId", "PublishStatus", "Id"),
            "Implementation restriction: You must filter KnowledgeArticleVersion by KnowledgeArticleId = [single ID],"
            " PublishStatus = [single PublishStatus], Id = [single ID], or Id IN [list of ID's].",
        ),
        _restricted(
            _object(
                "CollaborationGroupRecord",
                "0D8",
                _id("CollaborationGroupId", "Group", "CollaborationGroup"),
                _id("RecordId", "Record", "Account"),
                *_AUDIT,
            ),
            ("CollaborationGroupId", "RecordId", "Id"),
            "Implementation restriction: CollaborationGroupRecord requires a filter by a single Id,"
            " CollaborationGroupId or Record using the equals operator",
        ),
        # A big object: the filter must begin with the first field of its index (Big Objects guide).
        _restricted(
            _object("Click__b", "bg0", _text("Visitor__c", "Visitor"), FieldSchema("At__c", "datetime", "At")),
            ("Visitor__c",),
            "Filter by the first field of the index: Visitor__c",
        ),
        # An external object: rows come from another system (Salesforce Connect).
        _object("Invoice__x", "x00", _text("ExternalId", "External Id"), _text("Number__c", "Number")),
        # An object that describe lists and no query reads.
        replace(_object("ActivityHistory", "", _text("Subject", "Subject"), *_AUDIT), queryable=False),
        _history(),
    )
}
