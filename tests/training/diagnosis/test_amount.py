"""Events, and subjects for the number of parameters."""

from dataclasses import replace

import numpy as np
import pytest

from training.cohorts import Cohort
from training.diagnosis.amount import effective_parameters
from training.study import Study


def _with_progressions(cohort: Cohort, wanted: int) -> Cohort:
    """The cohort with its earliest progressions alone, the others censored at the time."""
    outcomes = cohort.outcomes.sort_values("duration_years", ignore_index=True)
    progressed = np.flatnonzero(outcomes["event"] == 1)
    outcomes.loc[outcomes.index[progressed[wanted:]], "event"] = 0
    return replace(cohort, outcomes=outcomes)


@pytest.mark.parametrize(
    ("progressions", "status", "final", "said"),
    [
        (0, "refuse", True, "nobody progresses within"),
        (2, "refuse", True, "3 folds would leave some without any"),
        (15, "refuse", False, "at least 20 are needed"),
        (90, "warn", False, "progress within 2y"),
    ],
)
def test_few_events_are_refused_or_warned(
    look, simulated: Cohort, smm: Study, progressions: int, status: str, final: bool, said: str
) -> None:
    study = replace(smm, landmarks_years=(0.0,))
    found = look("events", _with_progressions(simulated, progressions), study)
    assert (found.status, found.final) == (status, final)
    assert said in found.found


def test_many_events_pass(look, simulated: Cohort, smm: Study) -> None:
    found = look("events", simulated, smm)
    assert found.status == "pass"
    assert found.figures["2y"] >= 100


def test_the_features_of_a_small_cohort_are_more_than_it_supports(
    look, simulated: Cohort, smm: Study
) -> None:
    found = look("sample-size", simulated, smm)
    assert found.status == "warn"
    assert found.figures["effective_parameters"] > found.figures["parameters_supported"]
    # Rows of one subject are no new subjects: at most as many count as there are.
    assert found.figures["effective_subjects"] <= 400
    few = replace(smm, optional=(), expected=("bmpc_percent",), monotone={})
    assert look("sample-size", simulated, few).status == "pass"


def test_a_feature_given_twice_is_one_parameter_and_ten_apart_are_ten() -> None:
    table = np.random.default_rng(1).normal(size=(5000, 10))
    assert effective_parameters(table, 1e9, 0.2) == pytest.approx(10, abs=1e-3)
    assert effective_parameters(np.hstack([table, table]), 1e9, 0.2) == pytest.approx(10, abs=1e-3)
    constant = np.hstack([table, np.ones((5000, 1)), np.full((5000, 1), np.nan)])
    assert effective_parameters(constant, 1e9, 0.2) == pytest.approx(10, abs=1e-3)


def test_the_penalty_takes_half_where_it_weighs_as_much_as_the_data() -> None:
    """One feature, n p (1 - p) = 62.5 x .16 = 10 units of information against a penalty of 10."""
    one = np.random.default_rng(2).normal(size=(1000, 1))
    assert effective_parameters(one, 62.5, 0.2) == pytest.approx(0.5)
