"""Expected benefit by hand, for a risk, for a range of risks and for a refused answer."""

import numpy as np
import pytest

from models.catalogue import PUBLISHED
from models.treatment import expected_benefit
from models.trial import load_trial

AQUILA = load_trial("AQUILA").treatment
NAN = float("nan")


def test_benefit_is_risk_times_one_minus_the_hazard_ratio(landmarks):
    # 20/2/20 high: 44.2 % and 82 %; 1 - 0.49 = 0.51, at the ends 1 - 0.67 = 0.33, 1 - 0.36 = 0.64.
    features = landmarks(bmpc=30.0, m_protein=3.0, flc_ratio_involved=30.0)
    benefit = expected_benefit(PUBLISHED["20-2-20"].estimate(features), AQUILA)
    assert benefit.horizons_years == (2.0, 5.0)
    np.testing.assert_allclose(benefit.reduction, [[0.442 * 0.51, 0.82 * 0.51]])
    np.testing.assert_allclose(benefit.lower, [[0.442 * 0.33, 0.82 * 0.33]])
    np.testing.assert_allclose(benefit.upper, [[0.442 * 0.64, 0.82 * 0.64]])


def test_a_range_of_risks_gives_a_range_of_benefits_and_a_refusal_none(landmarks):
    features = landmarks(m_protein=[3.0, NAN], flc_ratio_involved=[5.0, NAN], bmpc=[NAN, NAN])
    benefit = expected_benefit(PUBLISHED["20-2-20"].estimate(features), AQUILA)
    # Intermediate or high: 17.9 to 44.2 % at two years.
    np.testing.assert_allclose(benefit.lower[0, 0], 0.179 * 0.33)
    np.testing.assert_allclose(benefit.upper[0, 0], 0.442 * 0.64)
    assert np.isnan(benefit.reduction).all()
    assert np.isnan(benefit.lower[1]).all() and np.isnan(benefit.upper[1]).all()


def test_only_horizons_of_the_model_are_answered(landmarks):
    features = landmarks(bmpc=50.0, flc_ratio_involved=60.0, albumin=3.0)
    benefit = expected_benefit(PUBLISHED["penn"].estimate(features), AQUILA)
    assert benefit.horizons_years == (2.0,)
    mgus = expected_benefit(PUBLISHED["mayo-2005-mgus"].estimate(features), AQUILA)
    assert mgus.horizons_years == () and mgus.reduction.shape == (1, 0)


def test_the_statement_names_drug_effect_population_and_source(landmarks):
    estimates = PUBLISHED["penn"].estimate(landmarks(bmpc=50.0))
    statement = expected_benefit(estimates, AQUILA).statement
    for part in ("daratumumab", "0.49 (0.36-0.67)", "high-risk smouldering", "AQUILA", "doi:"):
        assert part in statement


@pytest.mark.parametrize(
    ("trial", "ratio", "interval"),
    [("AQUILA", 0.49, (0.36, 0.67)), ("E3A06", 0.28, (0.12, 0.62))],
)
def test_hazard_ratios_are_those_the_trials_reported(trial, ratio, interval):
    # Dimopoulos 2025 (daratumumab) and Lonial 2020 (lenalidomide), both against observation.
    treatment = load_trial(trial).treatment
    assert (treatment.hazard_ratio, treatment.interval) == (ratio, interval)


@pytest.mark.parametrize("trial", ["DETER-SMM", "ITHACA", "GEM-CESAR"])
def test_a_trial_that_has_not_reported_against_observation_has_no_effect(trial):
    assert load_trial(trial).treatment is None
