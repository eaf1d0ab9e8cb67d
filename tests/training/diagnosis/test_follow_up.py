"""What became of the subjects."""

from dataclasses import replace

import numpy as np
import pytest

from training.cohorts import Cohort
from training.study import Study


def _short(study: Study) -> Study:
    return replace(study, horizons_years=(1.5,), decision_horizon_years=1.5, landmarks_years=(0.0,))


def test_follow_up_is_the_median_of_the_reverse_kaplan_meier(look, drawn, smm: Study) -> None:
    """Followed 1 (progressed), 2 and 4 (lost), 3 (died): of the three still followed at 2 one is
    lost, of the one at 4 all are. The curve is 2/3 from 2 and 0 from 4: the median is 4, although
    nobody but the last was followed so long."""
    found = look("follow-up", drawn([1.0, 2.0, 3.0, 4.0], [1, 0, 2, 0]), _short(smm))
    assert found.status == "pass"
    assert found.figures["median_years"] == 4.0


def test_half_followed_for_less_than_the_horizon_is_warned(look, drawn, smm: Study) -> None:
    duration = [1.0, *[1.2] * 9, 5.0, 5.0]
    found = look("follow-up", drawn(duration, [1, *[0] * 9, 0, 0]), _short(smm))
    assert found.status == "warn"
    assert found.figures["median_years"] == 1.2


def test_follow_up_that_never_reaches_the_horizon_is_refused_for_good(
    look, drawn, smm: Study
) -> None:
    found = look("follow-up", drawn([0.5, 1.0, 1.4], [1, 0, 0]), _short(smm))
    assert (found.status, found.final) == ("refuse", True)
    assert "horizon 1.5 years: follow-up ends before 1.5 years" in found.found


def test_durations_in_months_are_refused(look, drawn, smm: Study) -> None:
    years = [1.0, 3.0, 5.0, 5.5]
    assert look("follow-up", drawn(years, [1, 0, 0, 0]), _short(smm)).status == "pass"
    months = [12 * duration for duration in years]
    found = look("follow-up", drawn(months, [1, 0, 0, 0]), _short(smm))
    assert (found.status, found.final) == ("refuse", False)
    assert found.found == "the longest follow-up is 66 years from diagnosis"


def test_weights_that_rest_on_few_are_warned(look, drawn, smm: Study) -> None:
    """Of 42, 36 are lost at once; the 4 followed beyond the horizon stand for all but two."""
    duration = [0.5, 0.6, *[0.7] * 36, *[3.0] * 4]
    found = look("censoring", drawn(duration, [1, 1, *[0] * 40]), _short(smm))
    assert found.status == "warn"
    assert found.figures["censored_before_1.5y"] == pytest.approx(36 / 42)
    # Weights 1, 1 and four times 10: 42² / (2 + 400).
    assert found.figures["effective_rows_1.5y"] == pytest.approx(42**2 / 402)
    assert found.figures["largest_weight_1.5y"] == pytest.approx(10)


def test_early_treatment_is_warned_where_it_counts_as_censoring(
    look, simulated: Cohort, smm: Study
) -> None:
    outcomes = simulated.outcomes.copy()
    outcomes["treated_years"] = np.where(np.arange(len(outcomes)) % 4 == 0, 0.2, np.nan)
    treated = replace(simulated, outcomes=outcomes)
    found = look("treatment", treated, replace(smm, landmarks_years=(0.0,)))
    assert found.status == "warn"
    assert 0.15 < found.figures["share"] < 0.3
    competing = replace(smm, landmarks_years=(0.0,), treatment="competing")
    assert look("treatment", treated, competing).status == "pass"
    assert look("treatment", simulated, smm).status == "pass"


def test_a_cohort_without_deaths_is_warned_and_treatment_is_no_death(
    look, simulated: Cohort, smm: Study
) -> None:
    assert look("deaths", simulated, smm).status == "pass"
    outcomes = simulated.outcomes.assign(event=simulated.outcomes["event"] % 2)
    nobody = replace(simulated, outcomes=outcomes)
    assert look("deaths", nobody, smm).status == "warn"
    outcomes = outcomes.assign(treated_years=0.5)
    competing = replace(smm, landmarks_years=(0.0,), treatment="competing")
    assert look("deaths", replace(simulated, outcomes=outcomes), competing).status == "warn"


def test_visits_after_death_contradict(look, simulated: Cohort, smm: Study) -> None:
    assert look("dates", simulated, smm).status == "pass"
    dead = simulated.outcomes.loc[simulated.outcomes["event"] == 2, "subject_id"].iloc[:3]
    outcomes = simulated.outcomes.copy()
    outcomes.loc[outcomes["subject_id"].isin(dead), "duration_years"] = 0.01
    found = look("dates", replace(simulated, outcomes=outcomes), smm)
    assert found.status == "warn"
    assert found.figures["after_death"] == 3
