"""Objects that cannot be queried at all, or only with a certain filter."""

from sf_assets.devorg.api_errors import Refusal
from sf_assets.devorg.soql.syntax import And, Compare, Condition, Select
from sf_assets.devorg.store.schema import ObjectSchema


def check_restriction(select: Select, schema: ObjectSchema) -> None:
    """Raise the refusal of an object that this statement may not read."""
    if not schema.queryable:
        raise Refusal(400, "INVALID_TYPE_FOR_OPERATION", f"entity type {schema.name} does not support query")
    restriction = schema.restriction
    if restriction is not None and not _has_filter(select.where, {name.lower() for name in restriction.filters}):
        raise Refusal(restriction.status, restriction.error_code, restriction.message)


def _has_filter(condition: Condition | None, names: set[str]) -> bool:
    parts = condition.parts if isinstance(condition, And) else (condition,)
    compared = (part for part in parts if isinstance(part, Compare) and part.name.lower() in names)
    return any(part.operator in ("=", "IN") for part in compared)
