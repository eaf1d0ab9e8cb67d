"""A number that keeps the digits it was printed with."""

import copy
import json
from decimal import Decimal

import pytest

from features.sources.printed import half_a_place, printed


@pytest.mark.parametrize("literal", ["1.10", "-0.50", "24.0", "0.0"])
def test_a_printed_number_keeps_its_digits_and_is_its_number_in_all_else(literal):
    number = printed(literal)
    assert str(number) == str(copy.deepcopy(number)) == literal
    assert number == float(literal)
    assert hash(number) == hash(float(literal))
    assert json.dumps(number) == json.dumps(float(literal))


@pytest.mark.parametrize("literal", ["1e400", "1e-99999999999999999999", "9" * 400 + ".0", "2.5E3"])
def test_a_number_beyond_all_numbers_or_with_an_exponent_is_a_plain_one(literal):
    assert type(printed(literal)) is float
    assert printed(literal) == float(literal)


@pytest.mark.parametrize(
    ("text", "half"), [("1.10", 0.005), ("1.1", 0.05), ("97", 0.5), ("100", 0.5), ("1E+2", 0.5)]
)
def test_half_a_place_is_of_the_last_digit_and_at_most_half_of_one(text, half):
    assert half_a_place(Decimal(text)) == pytest.approx(half, rel=1e-12)
