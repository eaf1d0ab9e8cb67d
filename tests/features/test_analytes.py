"""The catalogue is one: every code is valid and unique, every column says its unit once."""

from collections import Counter

import pytest

from features.analytes import ANALYTES, analyte_for_loinc, column_name
from features.loinc import is_loinc


def test_every_loinc_code_passes_its_check_digit_and_names_one_analyte():
    codes = Counter(code for analyte in ANALYTES.values() for code in analyte.loinc)
    assert all(is_loinc(code) for code in codes)
    assert set(codes.values()) == {1}


@pytest.mark.parametrize("code", ["33944-8", "33945-5", "1995-0", "26098-4"])
def test_codes_of_other_tests_and_false_codes_name_no_analyte(code):
    # The first two circulate and fail the check digit, then ionised calcium and an ankle X-ray.
    assert analyte_for_loinc(code) is None


def test_columns_of_all_analytes_and_units_are_distinct_but_for_one_factor():
    factors: dict[str, set[tuple[str, float]]] = {}
    for analyte in ANALYTES.values():
        for unit, factor in analyte.units.items():
            column = column_name(analyte.name, unit)
            factors.setdefault(column, set()).add((analyte.name, factor))
    assert all(len(meanings) == 1 for meanings in factors.values())


@pytest.mark.parametrize("name", ANALYTES)
def test_the_usual_range_lies_within_the_possible_one(name):
    analyte = ANALYTES[name]
    low, high = analyte.error
    usual = [bound for bound in analyte.warn if bound is not None]
    assert low < high
    assert all(low <= bound <= high for bound in usual)
