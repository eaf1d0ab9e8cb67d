"""Parts of a cohort: judged where there are events, failed only when surely miscalibrated."""

from dataclasses import replace

import numpy as np
import pytest

from training.gate.parts import observed_over_expected, subgroup_checks, travel_checks
from training.landmarks import TrainingSet
from training.study import Study
from training.validation import OutOfFold, cross_validate


@pytest.fixture(scope="module")
def logistic(mgus_rows: TrainingSet, mgus: Study) -> OutOfFold:
    return cross_validate(mgus_rows, mgus, ["logistic"], seed=1)["logistic"]


def test_observed_over_expected_without_censoring_is_a_share_over_a_mean() -> None:
    """40 of 100 progress, predicted .2: O/E 2; SE of .4 is sqrt(.24/99), so exp(+-1.96 SE/.4)."""
    subject = np.arange(100)
    event = (subject < 40).astype(np.int64)
    nothing = np.zeros(100)
    rows = TrainingSet(
        ("age_years",), nothing[:, None], subject, nothing, np.where(event, 1.0, 9.0), event, 0, 0
    )
    found = observed_over_expected(rows, np.full(100, 0.2), 2.0)
    factor = np.exp(1.959964 * np.sqrt(0.24 / 99) / 0.4)
    assert found == pytest.approx((2.0, 2 / factor, 2 * factor), rel=1e-6)
    assert observed_over_expected(rows.rows(event == 0), np.full(60, 0.2), 2.0) is None


def test_subgroups_with_too_few_events_are_not_judged(
    mgus_rows: TrainingSet, mgus: Study, logistic: OutOfFold
) -> None:
    names = [check.name for check in subgroup_checks(mgus_rows, mgus, logistic)]
    assert "observed/expected, male: no" in names
    assert "observed/expected, age_years from 65 to below 75" in names
    strict = replace(mgus, gate=replace(mgus.gate, least_part_events=1000))
    assert list(subgroup_checks(mgus_rows, strict, logistic)) == []


def test_a_subgroup_that_is_told_a_third_of_its_risk_fails_by_name(
    mgus_rows: TrainingSet, mgus: Study, logistic: OutOfFold
) -> None:
    assert all(check.passed for check in subgroup_checks(mgus_rows, mgus, logistic))
    male = mgus_rows.columns(("male",))[:, 0] == 1
    risk = logistic.risk.copy()
    risk[:, male] /= 3
    spoilt = list(subgroup_checks(mgus_rows, mgus, replace(logistic, risk=risk)))
    passed = {check.name: check.passed for check in spoilt}
    assert not passed["observed/expected, male: yes"]
    assert passed["observed/expected, male: no"]


def test_a_cohort_without_centres_and_dates_is_held_out_nowhere(
    mgus_rows: TrainingSet, mgus: Study, logistic: OutOfFold
) -> None:
    alone = replace(mgus_rows, centre=None, diagnosed_years=None)
    assert list(travel_checks(alone, mgus, logistic, seed=1)) == []


def test_a_centre_where_three_in_four_more_progress_is_found_by_leaving_it_out(
    mgus_rows: TrainingSet, mgus: Study, logistic: OutOfFold
) -> None:
    """Whoever progresses goes to B with chance .75, everybody else with chance .25.

    With 83 and about 1,290 subjects B has some three times A's risk, so each is far outside .8-1.25
    for a fit on the other.
    """
    generator = np.random.default_rng(3)
    chance = np.where(mgus_rows.event == 1, 0.75, 0.25)
    centre = (generator.random(len(chance)) < chance).astype(np.int64)
    rows = replace(mgus_rows, centres=("A", "B"), centre=centre)
    checks = {check.name: check for check in travel_checks(rows, mgus, logistic, seed=1)}
    assert list(checks) == [f"observed/expected, centre {name} held out" for name in "AB"]
    assert not any(check.passed for check in checks.values())
    low, high = (check.value for check in checks.values())
    assert low is not None and high is not None and low < 0.8 and high > 1.25


def test_what_is_held_out_is_judged_by_the_candidate_as_it_was_tuned(
    mgus_rows: TrainingSet, mgus: Study, logistic: OutOfFold
) -> None:
    """A penalty under which features hardly matter tells everybody the others' average risk."""
    mild = mgus_rows.columns(("m_protein_g_dl",))[:, 0] < 1.5
    rows = replace(mgus_rows, centres=("A", "B"), centre=mild.astype(np.int64))
    flat = replace(logistic, shortlist=({"strength": 1e-9},))
    ratios = {
        name: [check.value for check in travel_checks(rows, mgus, result, seed=1)]
        for name, result in (("own", logistic), ("flat", flat))
    }
    # Those with much M-protein progress some 2.5 times as often (docs/benchmarks.md, .111 to .044).
    assert ratios["flat"][0] == pytest.approx(2.5, rel=0.3)
    assert ratios["own"][0] != pytest.approx(ratios["flat"][0], rel=0.1)


def test_the_latest_diagnoses_are_held_out_where_days_are_known(
    mgus_rows: TrainingSet, mgus: Study, logistic: OutOfFold
) -> None:
    year = np.random.default_rng(4).uniform(1990, 2000, len(mgus_rows.subject))
    rows = replace(mgus_rows, diagnosed_years=year, centre=None)
    (check,) = travel_checks(rows, mgus, logistic, seed=1)
    assert check.name == "observed/expected, latest 30% of diagnoses held out"
    # Days drawn at random: nothing differs, and the interval of some 25 events says so.
    assert check.passed
