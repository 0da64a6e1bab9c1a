"""A count is a whole number of rows, in whatever form an org or a gateway answers it; anything else is none."""

import pytest

from sf_assets.salesforce.aggregates import row_count


@pytest.mark.parametrize("values", [[12], [12.0], ["12"], ["2026-01-01T00:00:00.000Z", 12], [None, 12], [True, 12]])
def test_a_count_is_found_in_any_form_and_place(values):
    assert row_count(values) == 12


@pytest.mark.parametrize(
    "values",
    [[], [None], [True], [-1], [0.5], [1e300], [10**30], ["001000000000001AAA"], ["1" * 5_000], ["\u0661"], [{}], [[]]],
)
def test_what_cannot_be_a_count_is_none(values):
    assert row_count(values) is None
