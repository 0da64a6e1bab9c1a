"""An error of ours in Dagster's words."""

from pathlib import Path

import dagster as dg
import pytest

from sf_assets import errors
from sf_assets.assets.failures import failure, raise_as_failure, translate_errors
from sf_assets.assets.resources import IcebergResource


def test_the_first_line_names_the_endpoint_the_failure_and_the_remedy():
    error = errors.FieldInvalid("Account does not show Phone.", remedy="Grant it.")

    assert failure(error, "account").description == "account: Account does not show Phone. Grant it."


def test_the_values_of_the_error_are_beneath_it():
    error = errors.ApiDisabled("The API is off.", status=403, error_code="API_DISABLED_FOR_ORG", url=None)

    result = {name: entry.value for name, entry in failure(error, "account").metadata.items()}

    assert (result["status"], result["error_code"], result["error"]) == ("403", "API_DISABLED_FOR_ORG", "ApiDisabled")
    assert "url" not in result
    assert result["remedy"].startswith(error.remedy)


KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.SfAssetsError)]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not errors.SfAssetsError])
def test_the_error_has_its_explanation_remedy_and_place_on_the_errors_page(kind):
    result = failure(kind("It happened."), "account").metadata

    page, anchor = str(result["page"].value).split("#")
    text = Path(page).read_text(encoding="utf-8")
    assert f"\n## {kind.__name__}\n" in text
    assert anchor == kind.__name__.lower()
    assert result["what_it_means"].value.startswith(f"**{kind.__name__}.** ")
    assert " ".join((kind.__doc__ or "").split()) in " ".join(text.split())


def test_the_page_is_a_link_where_the_deployment_says_where_it_is():
    result = failure(errors.AccessDenied("No."), "account", docs="https://acme.example/docs/").metadata

    assert result["page"] == dg.MetadataValue.url("https://acme.example/docs/errors.md#accessdenied")


@pytest.mark.parametrize(
    ("error", "again"), [(errors.OrgBusy("busy"), True), (errors.UserNotApproved("not approved"), False)]
)
def test_only_what_may_pass_by_itself_may_be_retried(error, again):
    assert failure(error, "account").allow_retries == again


def test_what_is_no_error_of_ours_is_left_as_it_is():
    with pytest.raises(ZeroDivisionError), translate_errors("account"):
        raise ZeroDivisionError


def test_the_failure_names_its_cause():
    with pytest.raises(dg.Failure) as error_info, translate_errors("account"):
        raise errors.OrgBusy("busy")

    assert isinstance(error_info.value.__cause__, errors.OrgBusy)


# Dagster itself calls it, for a nested resource.
@pytest.mark.filterwarnings("ignore:InitResourceContext.dagster_run:DeprecationWarning")
def test_an_internal_error_is_in_the_status_table_and_keeps_its_traceback(instance, tmp_path):
    @dg.asset(key=["salesforce", "account"])
    def account(context: dg.AssetExecutionContext, iceberg: IcebergResource) -> None:
        with raise_as_failure(context, "account"):
            raise ZeroDivisionError("a mistake")

    iceberg = IcebergResource(local_folder=str(tmp_path / "lake"))
    result = dg.materialize([account], resources={"iceberg": iceberg}, instance=instance, raise_on_error=False)

    (event,) = [event for event in result.all_events if event.is_step_failure]
    (row,) = iceberg.tables().scan("_sync_status").collect().to_dicts()
    assert "a mistake" in event.step_failure_data.error.to_string()
    assert (row["endpoint"], row["state"], row["run_id"]) == ("account", "failed", result.run_id)
    assert row["warnings"].startswith("Ended by ZeroDivisionError")
