"""Laws of the simulated cohort."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import InputError
from features.sources.csv import rows_from_frame
from features.visits import check
from training.simulation import simulate_cohort, true_risks
from training.simulation.scenarios import SCENARIOS, scenario_named

RISKS = ["risk_1y", "risk_2y", "risk_5y", "risk_10y"]


@pytest.fixture(scope="module", params=SCENARIOS)
def cohort(request):
    return simulate_cohort(1500, seed=11, scenario=request.param)


def test_the_same_seed_gives_the_same_cohort_and_another_seed_another():
    one, again = simulate_cohort(300, seed=3), simulate_cohort(300, seed=3)
    pd.testing.assert_frame_equal(one.visits, again.visits)
    pd.testing.assert_frame_equal(one.outcomes, again.outcomes)
    pd.testing.assert_frame_equal(one.truth, again.truth)
    assert not one.outcomes.equals(simulate_cohort(300, seed=4).outcomes)


@settings(max_examples=8)
@given(size=st.integers(1, 1300), seed=st.integers(0, 2**40))
def test_a_subject_does_not_depend_on_how_many_are_drawn(size, seed):
    """1,300 spans two blocks of 1,024, so the second block's stream is held to it as well."""
    small, large = simulate_cohort(size, seed=seed), simulate_cohort(1300, seed=seed)
    first = large.outcomes["subject_id"].head(size)
    for name in ("visits", "outcomes", "truth"):
        whole = getattr(large, name)
        part = whole[whole["subject_id"].isin(first)]
        pd.testing.assert_frame_equal(getattr(small, name), part.reset_index(drop=True))


def test_visits_begin_at_diagnosis_and_end_before_the_outcome(cohort):
    years = cohort.visits.groupby("subject_id")["years"]
    duration = cohort.outcomes.set_index("subject_id")["duration_years"]
    assert (years.min() == 0).all()
    assert set(years.groups) == set(duration.index)
    assert (years.max() < duration.loc[years.max().index]).all()
    assert (years.diff().dropna() > 0).all()


def test_outcomes_are_possible_and_end_at_the_data_cut(cohort):
    law = scenario_named(cohort.name.removeprefix("simulated-")).population
    outcomes = cohort.outcomes
    assert outcomes["subject_id"].is_unique
    assert outcomes["event"].isin([0, 1, 2]).all()
    assert outcomes["duration_years"].between(0.003, 22).all()
    started = cohort.visits.groupby("subject_id")["diagnosis_date"].first()
    left = pd.Timestamp(law.data_cut) - pd.to_datetime(started)
    longest = left.dt.days / 365.25
    duration = outcomes.set_index("subject_id")["duration_years"]
    # Durations are rounded to .001 years.
    assert (duration <= longest.loc[duration.index] + 0.0006).all()


def test_truth_is_a_risk_and_does_not_fall_with_the_horizon(cohort):
    risk = cohort.truth[RISKS].to_numpy()
    assert ((risk >= 0) & (risk <= 1)).all()
    assert (np.diff(risk, axis=1) >= 0).all()


def test_every_subject_passes_the_checks_any_cohort_passes(cohort):
    visits = check(rows_from_frame(cohort.visits, source="simulated"))
    assert visits.refusals() == {}


def test_first_visits_are_smouldering(cohort):
    first = cohort.visits[cohort.visits["years"] == 0]
    assert first["bmpc_percent"].between(10, 59.5).all()
    assert not (first["hemoglobin_g_dl"] < 10).any()
    assert not (first["creatinine_mg_dl"] > 2).any()
    assert not (first["calcium_mg_dl"] > 11).any()


def test_true_risks_at_diagnosis_are_those_of_the_cohort():
    cohort = simulate_cohort(400, seed=5)
    table = true_risks(400, seed=5, landmarks_years=(0.0,), horizons_years=(1.0, 2.0, 5.0, 10.0))
    wide = table.pivot_table(index="subject_id", columns="horizon_years", values="risk")
    np.testing.assert_array_equal(wide.to_numpy(), cohort.truth[RISKS].to_numpy())


def test_true_risk_at_a_landmark_is_what_happens_to_those_who_reach_it():
    """Among the subjects free of events at 2 years, progression by 5 years, censored or not.

    4,000 subjects, about 1,900 at risk: the standard error of the observed share is at most
    sqrt(.25/1900) = .0115, inflated by censoring to about .013; four of them are allowed.
    """
    from training.metrics.aalen_johansen import aalen_johansen

    cohort = simulate_cohort(4000, seed=6)
    truth = true_risks(4000, seed=6, landmarks_years=(2.0,), horizons_years=(3.0,))
    later = cohort.outcomes[cohort.outcomes["duration_years"] > 2]
    observed = aalen_johansen(
        later["duration_years"].to_numpy() - 2, later["event"].to_numpy(np.int64)
    ).at(3.0)
    expected = truth.set_index("subject_id").loc[later["subject_id"], "risk"].mean()
    assert observed.value == pytest.approx(expected, abs=0.052)


@pytest.mark.parametrize("subjects", [0, -5, 2.5, True])
def test_a_number_of_subjects_below_one_is_refused(subjects):
    with pytest.raises(InputError, match="subjects: expected a whole number, 1 or more"):
        simulate_cohort(subjects, seed=1)


def test_an_unknown_scenario_and_a_negative_seed_are_refused():
    with pytest.raises(InputError, match="scenario: expected one of referral"):
        simulate_cohort(10, seed=1, scenario="imaginary")
    with pytest.raises(InputError, match="seed: expected a whole number, 0 or more"):
        simulate_cohort(10, seed=-1)
    with pytest.raises(InputError, match="22 years at most"):
        true_risks(10, seed=1, landmarks_years=(15.0,), horizons_years=(10.0,))
    with pytest.raises(InputError, match="0 or more"):
        true_risks(10, seed=1, landmarks_years=(-1.0,))


def _two_year_risk(scenario):
    return simulate_cohort(4000, seed=8, scenario=scenario).truth["risk_2y"].mean()


def test_scenarios_differ_in_the_way_their_names_say():
    referral = _two_year_risk("referral")
    assert _two_year_risk("screened") < 0.75 * referral
    assert _two_year_risk("trial") > 1.2 * referral
    assert _two_year_risk("shifted-hazard") < 0.8 * referral
    assert _two_year_risk("shifted-assay") == referral
    assert _two_year_risk("informative-censoring") == referral


def test_a_shifted_assay_moves_the_labs_and_nothing_else():
    usual = simulate_cohort(3000, seed=9)
    shifted = simulate_cohort(3000, seed=9, scenario="shifted-assay")
    pd.testing.assert_frame_equal(usual.outcomes, shifted.outcomes)
    later = usual.visits["years"] > 0
    ratio = shifted.visits["lambda_flc_mg_l"][later] / usual.visits["lambda_flc_mg_l"][later]
    # The assay's factor, but for rounding to .1 mg/L.
    assert ratio.median() == pytest.approx(1.30, abs=0.005)


def test_informative_censoring_takes_the_subjects_at_high_risk_first():
    def risk_of_censored(scenario):
        cohort = simulate_cohort(4000, seed=10, scenario=scenario)
        early = (cohort.outcomes["event"] == 0) & (cohort.outcomes["duration_years"] < 2)
        return cohort.truth.loc[early, "risk_5y"].mean() / cohort.truth["risk_5y"].mean()

    assert risk_of_censored("informative-censoring") > 1.25 * risk_of_censored("referral")


def test_centres_differ_in_hazard_at_the_same_clone():
    law = scenario_named("referral")
    twins = tuple(
        replace(law.centres[0], name=name, share=0.5, log_hazard=shift)
        for name, shift in (("calm", -0.5), ("restless", 0.5))
    )
    cohort = simulate_cohort(4000, seed=12, scenario=replace(law, centres=twins))
    centre = cohort.visits.groupby("subject_id")["centre"].first()
    risk = cohort.truth.set_index("subject_id")["risk_2y"].groupby(centre).mean()
    assert risk["restless"] > 1.5 * risk["calm"]
