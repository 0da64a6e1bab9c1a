"""The index: the same answers as a sorted list, whatever is put in and taken out."""

from random import Random

import pytest

from sf_assets.devorg.store.ids import eighteen, id_number, record_id_of
from sf_assets.devorg.store.sorted_keys import SortedKeys


@pytest.mark.parametrize("size", [0, 1, 999, 1_000, 5_000])
def test_the_index_answers_as_a_sorted_list_does(size):
    rng = Random(size)
    numbers = rng.sample(range(20_000), size)
    index = SortedKeys(numbers)
    for _ in range(3_000):
        key = rng.randrange(20_000)
        if key in numbers:
            index.remove(key)
            numbers.remove(key)
        else:
            index.add(key)
            numbers.append(key)
    numbers.sort()

    assert list(index.between()) == numbers
    assert list(index.backwards()) == numbers[::-1]
    assert len(index) == len(numbers)
    for low, high in [(None, 500), (500, None), (3_000, 9_000), (9_000, 3_000), (20_001, None), (None, -1)]:
        inside = [key for key in numbers if (low is None or key >= low) and (high is None or key < high)]
        assert list(index.between(low, high)) == inside
        assert list(index.backwards(low, high)) == inside[::-1]
        assert index.count(low, high) == len(inside)


@pytest.mark.parametrize("keys", [[], [1, 3]])
def test_taking_out_what_is_not_there_is_an_error(keys):
    with pytest.raises(ValueError):
        SortedKeys(keys).remove(2)


def test_a_copy_of_the_index_goes_its_own_way():
    index = SortedKeys(range(10))
    twin = index.copy()
    twin.remove(5)

    assert (len(index), len(twin)) == (10, 9)


@pytest.mark.parametrize(
    ("short", "long"),
    [("001D000000IRFma", "001D000000IRFmaIAH"), ("0015000000Gv7qJ", "0015000000Gv7qJAAR"), ("short", "short")],
)
def test_the_checksum_of_an_id_is_salesforces(short, long):
    assert eighteen(short) == long
    assert eighteen(long) == long


def test_ids_sort_as_their_numbers():
    numbers = [1, 9, 10, 35, 36, 61, 62, 3_843, 10**9]
    ids = [record_id_of("001", number) for number in numbers]

    assert sorted(ids) == ids
    assert [id_number(record_id) for record_id in ids] == numbers
