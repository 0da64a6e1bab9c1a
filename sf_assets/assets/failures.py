"""Our errors as Dagster's Failure: what happened, what to do, the red check, and one message for one cause."""

import inspect
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import dagster as dg

from sf_assets.assets.checks import CHECKS, failed_evaluation
from sf_assets.errors import QuotaSpent, SfAssetsError
from sf_assets.errors.redaction import redact
from sf_assets.sync import status_table

ERRORS_PAGE = "docs/errors.md"
CHECKOUT = Path(__file__).parents[2]
DOCS = "docs"
"""Metadata of an asset: where docs/ can be opened in a browser, if the deployment names a place."""

LOOK_BACK = 20
"""Records of a check among which its last result is looked for; a run that was killed leaves one without a result."""
NOT_CHECKED = "Not checked yet: no sync of this endpoint has ended. Correct what the run's failure names."

UNEXPECTED = "sf_assets did not expect this. Report it with the traceback in the metadata of this failure."
LONGEST_TRACEBACK = 100_000

_first_failed: "WeakKeyDictionary[SfAssetsError, str]" = WeakKeyDictionary()
"""An error that fails several endpoints of a run -> the endpoint that explains it in its failure."""


def failure(error: SfAssetsError, endpoint: str, *, docs: str = "", metadata: Mapping[str, Any] = {}) -> dg.Failure:  # noqa: B006 - read only
    """Return the Failure that says what happened to which endpoint, and what to do.

    `docs`: where docs/ can be opened in a browser. `metadata`: what the sync has read and committed.
    """
    name = type(error).__name__
    values = {key: _text(value) for key, value in error.values.items() if value is not None}
    text, start = error.with_remedy, f"{endpoint}: "
    return dg.Failure(
        text if text.startswith(start) else start + text,
        metadata={
            "error": name,
            "remedy": dg.MetadataValue.text(error.remedy),  # Dagit shows markdown only after a click
            "what_it_means": dg.MetadataValue.md(meaning(type(error))),
            "page": errors_page(type(error), docs),
            **{key: dg.MetadataValue.text(value) for key, value in values.items() if key not in ("error", "remedy")},
            **metadata,
        },
        allow_retries=error.retryable,
    )


def shared_failure(error: SfAssetsError, endpoint: str, first: str) -> dg.Failure:
    """Return the one-line Failure of an endpoint that fails as another one did."""
    name = type(error).__name__
    return dg.Failure(
        f"{endpoint}: not read, for the same reason as {first} ({name}). Its failure says what to do.",
        metadata={"error": name, "same_as": first},
        allow_retries=error.retryable,
    )


def unexpected_failure(error: Exception, endpoint: str) -> dg.Failure:
    """Return the Failure of an exception that is not ours. Its text and traceback are redacted.

    Dagster repeats a chained exception in the run's last event, which passes none of our filters.
    """
    name, text = type(error).__name__, redact(str(error))
    lines = redact("".join(traceback.format_exception(error)), longest=LONGEST_TRACEBACK, keep_lines=True)
    return dg.Failure(
        f"{endpoint}: ended by {name}: {text}. {UNEXPECTED}",
        metadata={"error": name, "remedy": UNEXPECTED, "traceback": dg.MetadataValue.md(f"```\n{lines}\n```")},
    )


def meaning(kind: type[SfAssetsError]) -> str:
    """Return what an error means and whether trying again helps, as markdown."""
    text = " ".join((inspect.getdoc(kind) or "").split())
    return f"**{kind.__name__}.** {text} Trying again helps: {'yes' if kind.retryable else 'no'}."


def errors_page(kind: type[SfAssetsError], docs: str) -> dg.MetadataValue[Any]:
    """Return an error's place on the page of errors, as a link or a path."""
    anchor = f"{Path(ERRORS_PAGE).name}#{kind.__name__.lower()}"
    if docs:
        return dg.MetadataValue.url(f"{docs.rstrip('/')}/{anchor}")
    folder = CHECKOUT / "docs"
    return dg.MetadataValue.path(str(folder / anchor) if folder.is_dir() else f"docs/{anchor}")


@contextmanager
def raise_as_failure(
    context: dg.AssetExecutionContext,
    endpoint: str,
    *,
    metadata: Callable[[SfAssetsError], Mapping[str, Any]] = lambda error: {},
) -> Iterator[None]:
    """Raise an error of ours as a Failure, and report the endpoint's status and checks."""
    source = context.asset_key.path[0]
    try:
        yield
    except SfAssetsError as error:
        status_table.add(source, _status(error, endpoint, context.run.run_id))
        first = _first_failed.setdefault(error, endpoint)
        details = metadata(error)
        raised = failure(error, endpoint, docs=_docs(context), metadata=details)
        _report_checks(context, error, raised.metadata)
        raise (raised if first == endpoint else shared_failure(error, endpoint, first)) from error
    except (dg.Failure, dg.RetryRequested):
        raise
    except Exception as error:  # noqa: BLE001 - raised again, without its secrets
        text = f"Ended by {type(error).__name__}. See the log of the run."
        status_table.add(source, status_table.Status(endpoint, "failed", context.run.run_id, warnings=text))
        raise unexpected_failure(error, endpoint) from None


@contextmanager
def translate_errors(name: str) -> Iterator[None]:
    """Raise an error of ours as a Failure about `name`, a table or an endpoint."""
    try:
        yield
    except SfAssetsError as error:
        raise failure(error, name) from error


def _report_checks(context: dg.AssetExecutionContext, error: SfAssetsError, metadata: Mapping[str, Any]) -> None:
    """Report the error's check as red, and repeat the last results of the others.

    Dagster shows a check without a result in a failed run as failed, although nothing is known against it.
    """
    evaluation = failed_evaluation(context.asset_key, error, metadata)
    if evaluation:
        context.log_event(evaluation)
    for name in CHECKS:
        if evaluation is None or name != evaluation.check_name:
            context.log_event(_last_result(context.instance, dg.AssetCheckKey(context.asset_key, name)))


def _last_result(instance: dg.DagsterInstance, key: dg.AssetCheckKey) -> dg.AssetCheckEvaluation:
    """Return a check's last result, or an orange one if it has none yet."""
    for record in instance.event_log_storage.get_asset_check_execution_history(key, limit=LOOK_BACK):
        event = record.event.dagster_event if record.event else None
        if event and event.event_type_value == "ASSET_CHECK_EVALUATION":
            data = event.asset_check_evaluation_data
            return _result(key, passed=data.passed, severity=data.severity, text=data.description, values=data.metadata)
    return _result(key, passed=False, severity=dg.AssetCheckSeverity.WARN, text=NOT_CHECKED, values={})


def _result(
    key: dg.AssetCheckKey, *, passed: bool, severity: dg.AssetCheckSeverity, text: str | None, values: Mapping[str, Any]
) -> dg.AssetCheckEvaluation:
    return dg.AssetCheckEvaluation(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=passed,
        severity=severity,
        description=text,
        metadata=values,
        blocking=key.name == "complete",
    )


def _docs(context: dg.AssetExecutionContext) -> str:
    address = context.assets_def.metadata_by_key.get(context.asset_key, {}).get(DOCS)
    return str(address.value) if isinstance(address, dg.UrlMetadataValue) else ""


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)


def _status(error: SfAssetsError, endpoint: str, run_id: str) -> status_table.Status:
    outcome: status_table.Outcome = "quota_spent" if isinstance(error, QuotaSpent) else "failed"
    return status_table.Status(endpoint, outcome, run_id, warnings=error.with_remedy)
