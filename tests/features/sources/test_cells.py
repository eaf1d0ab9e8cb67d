"""Cells of every type Arrow knows become the number, day or word they are, or a fault."""

from datetime import UTC, date, datetime, time
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.sources.cells import MISSING_DAY, codes, days, numbers, texts

DAY = 19_727
"""2024-01-05, in days since 1970-01-01."""


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1, 0, None]),
        pa.array([1.0, 0.0, None]),
        pa.array([True, False, None]),
        pa.array([Decimal("1.0"), Decimal("0.0"), None]),
        pa.array(["1", " 0.0 ", None]),
        pa.array(["1", "+0", "NA"]),
        pa.array(["1", "0", ""]).dictionary_encode(),
        pa.array(["1", "0", None], pa.large_string()),
    ],
)
def test_numbers_of_any_type_are_numbers(column):
    values, faults = numbers(column)
    np.testing.assert_array_equal(values, [1.0, 0.0, np.nan])
    assert not faults


def test_a_column_that_is_empty_throughout_is_missing():
    assert np.isnan(numbers(pa.nulls(2))[0]).all()


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("<0.5", "is a bound"),
        ("≥ 100", "is a bound"),
        ("1,5", "has a decimal comma"),
        ("1,234.5", "has a sign between thousands"),
        ("1.234,5", "has a sign between thousands"),
        ("=A1", "is a spreadsheet formula"),
        ("#N/A", "is a spreadsheet formula or its error"),
        ("18 g/L", "is a number with something behind it"),
        ("0x10", "is a number with something behind it"),
        ("inf", "is not a number"),
        ("see note", "is not a number"),
    ],
)
def test_what_is_no_number_is_said_of_its_cell_alone(cell, expected):
    values, (fault,) = numbers(pa.array(["1.5", cell, "2.5"]))
    np.testing.assert_array_equal(values, [1.5, np.nan, 2.5])
    assert fault.index == 1
    assert fault.expected.startswith(expected)
    assert fault.severity == ("doubted" if expected == "is a bound" else "refused")


@given(st.lists(st.one_of(st.floats(allow_nan=False), st.text(max_size=5)), max_size=8))
def test_every_cell_is_a_finite_number_or_missing_or_faulty(cells):
    values, faults = numbers(pa.array([str(cell) for cell in cells], pa.string()))
    assert values.size == len(cells)
    assert not np.isinf(values).any()
    assert all(np.isnan(values[fault.index]) for fault in faults)


@pytest.mark.parametrize(
    "column",
    [
        pa.array([date(2024, 1, 5), None]),
        pa.array([datetime(2024, 1, 5, 23, 59), None]),
        pa.array([datetime(2024, 1, 5, 23, 59, tzinfo=UTC), None]),
        pa.array(["2024-01-05", None]),
        pa.array(["2024-01-05T23:30:00-05:00", ""]),
        pa.array([" 2024-01-05 ", "NA"]),
        pa.array(["2024-01-05", ""]).dictionary_encode(),
    ],
)
def test_days_of_any_type_are_days(column):
    found, faults = days(column)
    assert found.tolist() == [DAY, MISSING_DAY]
    assert not faults


@pytest.mark.parametrize(
    "column",
    [
        pa.array([45296]),
        pa.array([time(10)]),
        pa.array(["45296"]),
        pa.array(["5/1/2024"]),
        pa.array(["2024-01"]),
        pa.array(["2023-02-29"]),
        pa.array([date(1899, 12, 31)]),
        pa.array(["1899-12-31"]),
        pa.array(["1899-12-31T00:00"]),
    ],
)
def test_what_is_no_day_of_a_visit_is_a_fault(column):
    found, (fault,) = days(column)
    assert found.tolist() == [MISSING_DAY]
    assert fault.index == 0


@given(st.dates(date(1900, 1, 1), date(2999, 12, 31)))
def test_a_day_as_text_is_the_day_itself(day):
    assert days(pa.array([day.isoformat()]))[0].tolist() == days(pa.array([day]))[0].tolist()


def test_words_are_known_in_any_case_and_others_are_faults():
    found, (fault,) = codes(pa.array(["Yes", " no", "", None, "maybe"]), {"yes": 1, "no": 0})
    assert found.tolist() == [1, 0, -1, -1, -1]
    assert (fault.index, fault.expected) == (4, "is not understood; expected one of yes, no")


def test_whole_numbers_as_text_have_no_decimal_point():
    assert texts(pa.array([7.0, 12.0])).to_pylist() == ["7", "12"]
    assert texts(pa.array([7.5, None])).to_pylist() == ["7.5", ""]
