"""Doctor's checks of AWS: the secret, and the storage of the tables. They only read: a sync proves writing."""

from collections.abc import Iterator

from sf_assets.assets.sentences import plural
from sf_assets.commands.doctor.checks import DoctorContext, Finding, register_check
from sf_assets.sync.hashing import SHORTEST_KEY


@register_check("secret")
def check_secret(context: DoctorContext) -> Iterator[Finding]:
    """Check that the configured secret can be read and is complete."""
    credentials = context.salesforce.credentials
    name: str | None = getattr(credentials, "secret_id", None)
    if name is None:
        return
    credentials.fetch()
    yield Finding("secret", "ok", f"{name} can be read and has consumer_key, private_key and username")
    hashing = [spec.endpoint for spec in context.specs if spec.hashed]
    if hashing and len(credentials.hash_key().encode()) < SHORTEST_KEY:
        message = f"{name} has no hash_key of {SHORTEST_KEY} bytes, which hashed columns need ({', '.join(hashing)})"
        remedy = "Put hash_key into the secret: openssl rand -hex 32. Never change it afterwards."
        yield Finding("secret", "fail", message, remedy)


@register_check("storage")
def check_storage(context: DoctorContext) -> Iterator[Finding]:
    """Check that the catalog lists the tables and that their bucket answers this role."""
    iceberg = context.deployment.iceberg
    storage = iceberg.tables().check_connectivity()
    if storage is None:
        message = f"catalog {iceberg.catalog} has no namespace {iceberg.namespace} yet"
        remedy = "Create it as `sf-assets setup aws` prints it, or let the first sync create it."
        yield Finding("storage", "warn", message, remedy)
    elif storage.location is None:
        message = f"catalog {iceberg.catalog} has no location before the first table"
        yield Finding("storage", "warn", message, "Run doctor again after the first sync.")
    elif not storage.is_there:
        remedy = "Create the bucket as `sf-assets setup aws` prints it, or correct its name."
        yield Finding("storage", "fail", f"{storage.location} does not exist", remedy)
    else:
        message = (
            f"{storage.location} answers and lists {plural(storage.tables, 'table')}; doctor does not try to write"
        )
        yield Finding("storage", "ok", message)
