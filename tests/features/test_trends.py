"""Changes, slopes and flags against definitions written out pair by pair."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.history import Series
from features.trends import EVOLVING_RULES, change, evolving, slope_per_year


def series_of(years, values):
    size = len(years)
    return Series(
        np.arange(size),
        np.zeros(size, dtype=np.int64),
        np.array(years, float),
        np.array(values, float),
    )


SERIES = st.lists(st.tuples(st.integers(1, 200), st.integers(1, 400)), min_size=1, max_size=12).map(
    lambda steps: series_of(
        np.cumsum([step for step, _ in steps]) / 100, [value / 10 for _, value in steps]
    )
)


@given(SERIES, st.sampled_from(sorted(EVOLVING_RULES)))
def test_a_value_evolves_against_any_earlier_one_in_the_look_back(series, name):
    rule = EVOLVING_RULES[name]

    def counts(now, before):
        if rule.kind == "relative rise":
            return (now - before) / before >= rule.threshold
        rise = now - before if rule.kind == "rise" else before - now
        return rise >= rule.threshold

    years, value = series.time_years, series.value
    expected = [
        any(
            years[i] - years[j] <= rule.lookback_years and counts(value[i], value[j])
            for j in range(i)
        )
        for i in range(value.size)
    ]
    assert evolving(series, rule, tolerance=0.0).tolist() == expected


@pytest.mark.parametrize(
    ("name", "first", "then", "years", "expected"),
    [
        ("m_protein", 1.0, 1.2, 1.5, True),
        ("m_protein", 1.0, 1.19, 1.5, False),
        ("m_protein", 1.0, 1.2, 1.51, False),
        ("hemoglobin", 13.0, 11.5, 1.0, True),
        ("hemoglobin", 13.0, 11.6, 1.0, False),
        ("hemoglobin", 11.5, 13.0, 1.0, False),
        ("flc_ratio_involved", 10.0, 30.0, 2.0, True),
        ("flc_ratio_involved", 10.0, 29.9, 2.0, False),
        ("creatinine", 0.8, 1.0, 1.0, True),
        ("creatinine", 0.8, 0.99, 1.0, False),
    ],
)
def test_flags_turn_at_the_published_thresholds_as_a_person_reads_them(
    name, first, then, years, expected
):
    # 1.2 - 1.0 is 0.19999999999999996 in binary; a person who reads both calls that a rise of 0.2.
    assert evolving(series_of([0, years], [first, then]), EVOLVING_RULES[name])[1] == expected


@given(SERIES, st.floats(0.1, 3))
def test_the_change_is_against_the_oldest_value_in_the_window(series, lookback):
    found = change(series, lookback)
    for i in range(series.value.size):
        inside = [j for j in range(i) if series.time_years[i] - series.time_years[j] <= lookback]
        if inside:
            assert found[i] == series.value[i] - series.value[inside[0]]
        else:
            assert np.isnan(found[i])


@given(SERIES, st.floats(0.1, 3))
def test_the_slope_is_that_of_least_squares(series, lookback):
    found = slope_per_year(series, lookback)
    years, value = series.time_years, series.value
    for i in range(value.size):
        inside = np.flatnonzero((years <= years[i]) & (years[i] - years <= lookback))
        if years[i] - years[inside[0]] < 1 / 12:
            assert np.isnan(found[i])
        else:
            expected = np.polyfit(years[inside], value[inside], 1)[0]
            assert found[i] == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_a_straight_line_has_its_own_slope():
    found = slope_per_year(series_of([0, 0.5, 1.0, 1.5], [1.0, 1.25, 1.5, 1.75]), 2.0)
    np.testing.assert_allclose(found[1:], 0.5, rtol=1e-12)
    assert np.isnan(found[0])


def test_subjects_do_not_touch_each_other():
    series = Series(
        np.arange(4), np.array([0, 0, 1, 1]), np.array([0, 1.0, 0.5, 1.0]), np.array([1, 1, 9, 9.0])
    )
    assert not evolving(series, EVOLVING_RULES["m_protein"]).any()
    assert np.isnan(change(series, 5.0)[[0, 2]]).all()
