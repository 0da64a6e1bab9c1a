"""Describe and describe-global in the form of a real org, with the fields that the user may see."""

import json
from typing import Any

from sf_assets.devorg.store.schema import FieldSchema, ObjectSchema
from sf_assets.devorg.store.table import Table

SOAP_TYPES = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "int": "xsd:int",
    "long": "xsd:long",
    "double": "xsd:double",
    "currency": "xsd:double",
    "percent": "xsd:double",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "time": "xsd:time",
    "base64": "xsd:base64Binary",
    "address": "urn:address",
    "location": "urn:location",
}


def global_describe(tables: list[Table], *, version: str) -> bytes:
    """Return the list of objects."""
    listed = [_object_facts(table.schema, version=version) for table in tables]
    return json.dumps({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": listed}).encode()


def object_describe(table: Table, *, version: str) -> bytes:
    """Return one object with its visible fields."""
    fields = [_field_facts(field) for field in table.schema.fields.values() if field.visible]
    more = {"fields": fields, "childRelationships": [], "recordTypeInfos": [], "supportedScopes": []}
    return json.dumps({**_object_facts(table.schema, version=version), **more}).encode()


def _object_facts(schema: ObjectSchema, *, version: str) -> dict[str, Any]:
    path = f"/services/data/v{version}/sobjects/{schema.name}"
    custom = schema.name.endswith("__c")
    return {
        "activateable": False,
        "createable": True,
        "custom": custom,
        "customSetting": False,
        "deletable": True,
        "deprecatedAndHidden": False,
        "feedEnabled": False,
        "hasSubtypes": False,
        "isSubtype": False,
        "keyPrefix": schema.key_prefix,
        "label": schema.label,
        "labelPlural": f"{schema.label}s",
        "layoutable": True,
        "mergeable": schema.name in ("Account", "Contact", "Lead", "Case"),
        "mruEnabled": True,
        "name": schema.name,
        "queryable": schema.queryable,
        "replicateable": schema.replicateable,
        "retrieveable": True,
        "searchable": True,
        "triggerable": True,
        "undeletable": schema.undeletable,
        "updateable": True,
        "urls": {"sobject": path, "describe": f"{path}/describe", "rowTemplate": f"{path}/{{ID}}"},
    }


def _field_facts(field: FieldSchema) -> dict[str, Any]:
    return {
        "aggregatable": field.type not in ("boolean", "address", "textarea"),
        "autoNumber": False,
        "byteLength": field.length * 3,
        "calculated": field.calculated,
        "calculatedFormula": None,
        "compoundFieldName": field.compound_field_name,
        "createable": not field.calculated,
        "custom": field.custom,
        "defaultValue": False if field.type == "boolean" else None,
        "defaultedOnCreate": field.type == "boolean",
        "deprecatedAndHidden": False,
        "digits": field.precision if field.type == "int" else 0,
        "externalId": False,
        "filterable": field.filterable,
        "groupable": field.type not in ("double", "currency", "percent", "datetime", "textarea", "address"),
        "idLookup": field.type == "id",
        "inlineHelpText": None,
        "label": field.label,
        "length": field.length,
        "mask": None,
        "name": field.name,
        "nameField": field.name == "Name",
        "nillable": field.nillable,
        "permissionable": field.nillable,
        "picklistValues": [_choice(value) for value in field.picklist_values],
        "precision": field.precision,
        "referenceTo": list(field.reference_to),
        "relationshipName": _relationship(field),
        "restrictedPicklist": False,
        "scale": field.scale,
        "soapType": SOAP_TYPES.get(field.type, "xsd:string"),
        "sortable": field.sortable,
        "type": field.type,
        "unique": False,
        "updateable": not field.calculated,
    }


def _choice(value: str) -> dict[str, Any]:
    return {"active": True, "defaultValue": False, "label": value, "validFor": None, "value": value}


def _relationship(field: FieldSchema) -> str | None:
    if not field.reference_to:
        return None
    return field.name.replace("__c", "__r") if field.custom else field.name.removesuffix("Id")
