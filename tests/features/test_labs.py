"""The clock of dated visits and what is assumed of a birth."""

from datetime import date

import numpy as np
import pytest

from features.history import UNKNOWN
from features.labs import age_from_birth_year, unknown_codes, years_from_days


def test_the_clock_starts_in_1970_and_runs_in_years_of_365_and_a_quarter_days():
    days = (date(2024, 1, 1) - date(1970, 1, 1)).days
    # 54 * 365 = 19710 and a leap day in 1972, 1976 … 2020, 13 of them.
    assert days == 19_723
    assert years_from_days(np.array([days]))[0] == pytest.approx(19_723 / 365.25, rel=1e-15)


def test_a_birth_lies_in_the_middle_of_its_year():
    # At the start of 2024 someone born in 1950 is 73 or 74 to the day: 73.5.
    assert age_from_birth_year(np.array([54.0]), np.array([1950.0]))[0] == 73.5


def test_codes_start_as_unknown():
    assert unknown_codes(3).tolist() == [UNKNOWN] * 3
