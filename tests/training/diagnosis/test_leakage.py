"""The outcome in the features."""

from dataclasses import replace

import numpy as np
import pytest

from training.cohorts import Cohort
from training.study import Study


@pytest.fixture(scope="module")
def at_diagnosis(smm: Study) -> Study:
    return replace(smm, landmarks_years=(0.0,))


def _revealed(cohort: Cohort, share: float) -> Cohort:
    """Of those who progress within two years a share does so a month after a marrow of 70 %."""
    outcomes = cohort.outcomes.copy()
    early = np.flatnonzero((outcomes["event"] == 1) & (outcomes["duration_years"] < 2))
    chosen = early[: round(share * early.size)]
    outcomes.loc[outcomes.index[chosen], "duration_years"] = 1 / 12
    ids = outcomes["subject_id"].iloc[chosen]
    visits = cohort.visits.copy()
    first = visits["subject_id"].isin(ids) & (visits["years"] == 0)
    visits.loc[first, "bmpc_percent"] = 70.0
    return replace(cohort, visits=visits, outcomes=outcomes)


@pytest.mark.parametrize(("share", "status"), [(0.0, "pass"), (0.12, "warn"), (0.4, "refuse")])
def test_landmarks_that_show_the_event_already_are_refused(
    look, simulated: Cohort, at_diagnosis: Study, share: float, status: str
) -> None:
    found = look("outcome-labs", _revealed(simulated, share), at_diagnosis)
    assert found.status == status
    assert ("blanking_years" in found.advice) == (status != "pass")


def test_blanking_takes_them_out(look, simulated: Cohort, at_diagnosis: Study) -> None:
    study = replace(at_diagnosis, blanking_years=0.25)
    found = look("outcome-labs", _revealed(simulated, 0.4), study)
    assert found.status == "pass"
    assert found.figures["progressions_shown_by_the_landmark"] == 0


@pytest.mark.parametrize("made_from", ["event", "duration_years"])
def test_a_column_made_from_the_outcome_is_refused_by_name(
    look, simulated: Cohort, smm: Study, made_from: str
) -> None:
    """Creatinine that is 1.5 for who will progress, or falls with the time that is left."""
    outcome = simulated.outcomes.set_index("subject_id").loc[simulated.visits["subject_id"]]
    leaked = {
        "event": 0.8 + 0.7 * (outcome["event"] == 1),
        "duration_years": 0.5 + 0.1 * outcome["duration_years"],
    }[made_from]
    visits = simulated.visits.assign(creatinine_mg_dl=leaked.to_numpy())
    study = replace(smm, landmarks_years=(0.0,))
    found = look("outcome-in-feature", replace(simulated, visits=visits), study)
    assert found.status == "refuse"
    assert "creatinine_mg_dl nearly determines" in found.found
    assert "m_protein" not in found.found


def test_a_feature_far_better_than_any_published_model_is_doubted(
    look, simulated: Cohort, smm: Study
) -> None:
    outcome = simulated.outcomes.set_index("subject_id").loc[simulated.visits["subject_id"]]
    noise = np.random.default_rng(1).normal(size=len(simulated.visits))
    # Two normal distributions 2 standard deviations apart: AUC = Phi(2 / sqrt 2) = .92.
    early = (outcome["event"] == 1) & (outcome["duration_years"] <= 2)
    leaked = 1.0 + 0.1 * (noise + 2 * early.to_numpy())
    visits = simulated.visits.assign(creatinine_mg_dl=np.maximum(leaked, 0.2))
    study = replace(smm, landmarks_years=(0.0,))
    found = look("outcome-in-feature", replace(simulated, visits=visits), study)
    assert found.status == "warn"
    assert found.figures["auc creatinine_mg_dl"] == pytest.approx(0.92, abs=0.04)


def test_honest_labs_pass(look, simulated: Cohort, smm: Study) -> None:
    found = look("outcome-in-feature", simulated, smm)
    assert found.status == "pass"
    assert max(found.figures.values()) < 0.85
