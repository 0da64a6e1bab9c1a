"""The doctor's checks of AWS: the secret, and the storage of the tables. They only read: a sync proves writing."""

from collections.abc import Iterator

from sf_assets.commands.doctor.checks import DoctorContext, Finding, register
from sf_assets.sync.hashing import SHORTEST_KEY


@register("secret")
def secret(patient: DoctorContext) -> Iterator[Finding]:
    """The secret can be read and holds what is needed of it; not asked where no secret is configured."""
    credentials = patient.salesforce.credentials
    name: str | None = getattr(credentials, "secret_id", None)
    if name is None:
        return
    credentials.fetch()
    yield Finding("secret", "ok", f"{name} can be read and has consumer_key, private_key and username")
    hashing = [spec.endpoint for spec in patient.specs if spec.hashed]
    if hashing and len(credentials.hash_key().encode()) < SHORTEST_KEY:
        said = f"{name} has no hash_key of {SHORTEST_KEY} bytes, which hashed columns need ({', '.join(hashing)})"
        yield Finding("secret", "fail", said, "Put hash_key into the secret: openssl rand -hex 32. Keep it for good.")


@register("storage")
def storage(patient: DoctorContext) -> Iterator[Finding]:
    """The catalog lists the tables, and their bucket answers this role."""
    iceberg = patient.deployment.iceberg
    found = iceberg.warehouse().check_connectivity()
    if found is None:
        said = f"catalog {iceberg.catalog} has no namespace {iceberg.namespace} yet"
        yield Finding("storage", "warn", said, "Make it as `sf-assets setup aws` prints it; the first sync does else.")
    elif found.location is None:
        said = f"catalog {iceberg.catalog} tells no location before there is a table"
        yield Finding("storage", "warn", said, "Ask again after the first sync.")
    elif not found.is_there:
        said = f"{found.location} is not there"
        yield Finding("storage", "fail", said, "Make the bucket as `sf-assets setup aws` prints it, or mend the name.")
    else:
        said = f"{found.location} answers, {found.tables} tables are listed; writing is not tried here"
        yield Finding("storage", "ok", said)
