"""Changes, slopes and flags against definitions written out pair by pair."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.trends import (
    DECIMAL_TOLERANCE,
    EVOLVING_RULES,
    change,
    evolving,
    limits_of,
    slope_per_year,
    visit_pairs,
)

FAR_YEARS = 30.0
"""Pairs farther apart than any look-back are there too, and must not count."""


def pairs_of(years):
    return visit_pairs(np.zeros(len(years), dtype=np.int64), np.array(years, float), FAR_YEARS)


def evolves(years, values, name, tolerance=DECIMAL_TOLERANCE):
    limits = limits_of([EVOLVING_RULES[name]], [tolerance])
    return (evolving(np.array([values], float), pairs_of(years), limits)[0] == 1.0).tolist()


SERIES = st.lists(st.tuples(st.integers(1, 200), st.integers(1, 400)), min_size=1, max_size=12).map(
    lambda steps: (
        np.cumsum([step for step, _ in steps]) / 100,
        np.array([value / 10 for _, value in steps]),
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

    years, value = series
    expected = [
        any(
            years[i] - years[j] <= rule.lookback_years and counts(value[i], value[j])
            for j in range(i)
        )
        for i in range(value.size)
    ]
    assert evolves(years, value, name, tolerance=0.0) == expected


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
    assert evolves([0, years], [first, then], name)[1] == expected


@given(SERIES, st.floats(0.1, 3))
def test_the_change_is_against_the_oldest_value_in_the_window(series, lookback):
    years, value = series
    (found,) = change(value[None], pairs_of(years), lookback)
    for i in range(value.size):
        inside = [j for j in range(i) if years[i] - years[j] <= lookback]
        if inside:
            assert found[i] == value[i] - value[inside[0]]
        else:
            assert np.isnan(found[i])


@given(SERIES, st.floats(0.1, 3))
def test_the_slope_is_that_of_least_squares(series, lookback):
    years, value = series
    (found,) = slope_per_year(value[None], pairs_of(years), lookback)
    for i in range(value.size):
        inside = np.flatnonzero((years <= years[i]) & (years[i] - years <= lookback))
        if years[i] - years[inside[0]] < 1 / 12:
            assert np.isnan(found[i])
        else:
            expected = np.polyfit(years[inside], value[inside], 1)[0]
            assert found[i] == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_a_straight_line_has_its_own_slope():
    value = np.array([[1.0, 1.25, 1.5, 1.75]])
    (found,) = slope_per_year(value, pairs_of([0, 0.5, 1.0, 1.5]), 2.0)
    np.testing.assert_allclose(found[1:], 0.5, rtol=1e-12)
    assert np.isnan(found[0])


def test_subjects_do_not_touch_each_other():
    pairs = visit_pairs(np.array([0, 0, 1, 1]), np.array([0, 1.0, 0.5, 1.0]), FAR_YEARS)
    value = np.array([[1, 1, 9, 9.0]])
    assert not evolving(value, pairs, limits_of([EVOLVING_RULES["m_protein"]], [0.0])).any()
    assert np.isnan(change(value, pairs, 5.0)[0, [0, 2]]).all()


@given(SERIES, st.lists(st.booleans(), min_size=12, max_size=12), st.floats(0.1, 3))
def test_visits_without_the_value_change_nothing(series, measured, lookback):
    years, value = series
    measured = np.array(measured[: value.size])
    holed = np.where(measured, value, np.nan)[None]
    for quantity in (change, slope_per_year):
        (found,) = quantity(holed, pairs_of(years), lookback)
        (alone,) = quantity(value[None, measured], pairs_of(years[measured]), lookback)
        np.testing.assert_array_equal(found[measured], alone)
