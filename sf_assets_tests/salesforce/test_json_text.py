import pytest

from sf_assets.salesforce.json_text import replace_lone_surrogates


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (rb'"a\ud83d b"', rb'"a\ufffd b"'),
        (rb'"\uDE00"', rb'"\ufffd"'),
        (rb'"\ud83d\ude00"', rb'"\ud83d\ude00"'),
        (rb'"\ud83d\ud83d\ude00"', rb'"\ufffd\ud83d\ude00"'),
        (rb'"\\ud83d"', rb'"\\ud83d"'),
        (rb'"\\\ud83d"', rb'"\\\ufffd"'),
    ],
)
def test_half_a_surrogate_pair_is_replaced_and_all_else_stays(body, text):
    assert replace_lone_surrogates(body) == text
