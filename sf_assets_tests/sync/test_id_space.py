import polars as pl
import pytest

from sf_assets.sync.id_space import IdSpace, with_check_digits

PLAIN = [with_check_digits(f"0015g00000{digit}Abcd") for digit in "0123456789ABCxyz"]


def space_of(ids: list[str]) -> IdSpace:
    space = IdSpace()
    space.observe(ids)
    return space


@pytest.mark.parametrize("ids", [PLAIN, [f"001{n:015d}" for n in (1, 234_567, 890_123)], ["001a", "001b", "001z"]])
def test_a_split_point_is_between_its_neighbours(ids):
    space = space_of(ids)
    low, high = space.number(ids[0]), space.number(ids[-1])

    point = space.split_point((low + high) // 2, after=ids[0], before=ids[-1])

    assert point is not None
    assert ids[0] < point < ids[-1]
    assert len(point) == len(ids[0])


def test_the_check_digits_of_a_split_point_are_right():
    space = space_of(PLAIN)

    point = space.split_point(space.number(PLAIN[3]) + 1, after=PLAIN[3])

    assert point is not None
    assert point == with_check_digits(point[:15])
    assert with_check_digits("001D000000IRFma") == "001D000000IRFmaIAH"


def caseless_space():
    ids = [with_check_digits(f"0030000000000{digits}") for digits in ("aB", "Ac", "bA", "Bb", "cA")]
    space = space_of(ids)
    space.observe_page(pl.Series(ids))
    return space


def test_a_row_that_equals_a_bound_without_case_is_not_after_it():
    """The org sends it to the part up to the bound, and not to the part after it."""
    upper, row = (with_check_digits(f"003000000000{digits}") for digits in ("3zp", "3zP"))
    space = caseless_space()

    assert not space.is_after(row, upper)
    assert not space.is_after(upper, row)
    assert space.rows_until(pl.Series([row]), upper) == 1
    assert space.is_after(with_check_digits("0030000000003zQ"), upper)


def test_two_rows_that_differ_by_case_alone_hide_no_order():
    ids = [with_check_digits(f"0030000000000{digits}") for digits in ("aB", "Ac", "bA", "ba", "cA")]
    space = space_of(ids)
    space.observe_page(pl.Series(ids))

    assert space.is_after(with_check_digits("0030000000000Zz"), with_check_digits("0030000000000aa"))


def test_numbers_of_ids_have_the_order_of_the_ids():
    space = space_of(PLAIN)

    assert [space.number(each) for each in PLAIN] == sorted(space.number(each) for each in PLAIN)


def test_there_is_no_split_point_outside_the_bounds():
    space = space_of(PLAIN)

    assert space.split_point(space.number(PLAIN[0]), after=PLAIN[0]) is None
    assert space.split_point(space.number(PLAIN[5]), after=PLAIN[0], before=PLAIN[2]) is None
    assert space.split_point(62**16, after=PLAIN[0]) is None
