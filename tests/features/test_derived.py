"""Derived quantities against arithmetic done by hand from the published formulas."""

import numpy as np
import pytest

from features.derived import (
    corrected_calcium_mg_dl,
    egfr_ml_min_173m2,
    involved_chain,
    involved_ratio,
    ratio_disagrees,
)
from features.history import FEMALE, KAPPA, LAMBDA, MALE, UNKNOWN


def codes(*values):
    return np.array(values, dtype=np.int8)


@pytest.mark.parametrize(
    ("creatinine", "age", "sex", "expected"),
    [
        # Above the knee: 142 * (0.8/0.7)^-1.2 * 0.9938^50 * 1.012
        # = 142 * 0.85194 * 0.73274 * 1.012
        (0.8, 50, FEMALE, 89.71),
        # Below the knee: 142 * (0.5/0.7)^-0.241 * 0.9938^40 * 1.012
        # = 142 * 1.08446 * 0.77978 * 1.012
        (0.5, 40, FEMALE, 121.52),
        # At the knee both powers are 1: 142 * 0.9938^70 = 142 * 0.64706
        (0.9, 70, MALE, 91.88),
        # 142 * (2.0/0.9)^-1.2 * 0.9938^65 = 142 * 0.38359 * 0.66751
        (2.0, 65, MALE, 36.36),
        # Below the knee: 142 * (0.7/0.9)^-0.302 * 0.9938^30 = 142 * 1.07886 * 0.82981
        (0.7, 30, MALE, 127.12),
    ],
)
def test_egfr_is_ckd_epi_2021(creatinine, age, sex, expected):
    found = egfr_ml_min_173m2(np.array([creatinine]), np.array([float(age)]), codes(sex))
    assert found[0] == pytest.approx(expected, abs=0.02)


def test_egfr_needs_creatinine_age_and_sex():
    missing = egfr_ml_min_173m2(
        np.array([np.nan, 1.0, 1.0]), np.array([60.0, np.nan, 60.0]), codes(MALE, MALE, UNKNOWN)
    )
    assert np.isnan(missing).all()


def test_calcium_is_raised_by_eight_tenths_per_gram_of_missing_albumin():
    # 9.0 + 0.8 * (4.0 - 2.5) = 10.2; at an albumin of 4.0 nothing changes.
    found = corrected_calcium_mg_dl(np.array([9.0, 9.0]), np.array([2.5, 4.0]))
    np.testing.assert_allclose(found, [10.2, 9.0], rtol=1e-15)


def test_the_typed_chain_is_involved_even_where_the_other_is_in_excess():
    # kappa/lambda 0.5: lambda is in excess, but immunofixation typed kappa.
    assert involved_chain(np.array([0.5]), codes(KAPPA))[0] == KAPPA
    assert involved_ratio(np.array([0.5]), codes(KAPPA))[0] == 0.5


@pytest.mark.parametrize(
    ("ratio", "typed", "chain", "involved"),
    [
        (20.0, UNKNOWN, KAPPA, 20.0),
        (0.05, UNKNOWN, LAMBDA, 20.0),
        (0.05, LAMBDA, LAMBDA, 20.0),
        (4.0, LAMBDA, LAMBDA, 0.25),
        (1.0, UNKNOWN, KAPPA, 1.0),
    ],
)
def test_the_involved_ratio_is_kappa_over_lambda_or_its_inverse(ratio, typed, chain, involved):
    assert involved_chain(np.array([ratio]), codes(typed))[0] == chain
    assert involved_ratio(np.array([ratio]), codes(typed))[0] == pytest.approx(involved, rel=1e-15)


def test_without_a_ratio_and_a_type_no_chain_is_involved():
    assert involved_chain(np.array([np.nan]), codes(UNKNOWN))[0] == UNKNOWN
    assert np.isnan(involved_ratio(np.array([np.nan]), codes(KAPPA))[0])


def test_ratios_disagree_beyond_a_tenth_of_the_computed_one():
    reported = np.array([11.0, 11.1, 9.0, 8.9, np.nan])
    assert ratio_disagrees(reported, np.full(5, 10.0)).tolist() == [False, True, False, True, False]
