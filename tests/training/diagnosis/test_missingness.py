"""Who lacks which test."""

from dataclasses import replace

import numpy as np

from training.cohorts import Cohort
from training.study import Study


def _blank(cohort: Cohort, column: str, where: np.ndarray) -> Cohort:
    visits = cohort.visits.copy()
    visits.loc[where, column] = np.nan
    return replace(cohort, visits=visits)


def test_a_test_done_for_those_who_progress_is_warned_by_name(
    look, simulated: Cohort, smm: Study
) -> None:
    assert look("missingness", simulated, smm).status == "pass"
    progressed = simulated.outcomes.set_index("subject_id")["event"] == 1
    spared = ~progressed.loc[simulated.visits["subject_id"]].to_numpy()
    found = look("missingness", _blank(simulated, "creatinine_mg_dl", spared), smm)
    assert found.status == "warn"
    assert "creatinine_mg_dl by outcome" in found.found


def test_a_centre_that_never_measures_is_named_by_feature(
    look, simulated: Cohort, smm: Study
) -> None:
    centre = simulated.visits["centre"].value_counts().index[0]
    here = (simulated.visits["centre"] == centre).to_numpy()
    found = look("missingness", _blank(simulated, "albumin_g_dl", here), smm)
    assert found.status == "warn"
    assert "albumin_g_dl by centre (" in found.found


def test_what_nobody_measured_is_told_and_passes(look, simulated: Cohort, smm: Study) -> None:
    without = replace(simulated, visits=simulated.visits.drop(columns="albumin_g_dl"))
    found = look("missingness", without, smm)
    assert found.status == "pass"
    assert "never measured: albumin_g_dl" in found.found


def test_a_cohort_that_is_mostly_left_out_is_warned(look, simulated: Cohort, smm: Study) -> None:
    number = simulated.visits["subject_id"].str[1:].astype(int)
    found = look(
        "missingness", _blank(simulated, "m_protein_g_dl", (number % 2 == 0).to_numpy()), smm
    )
    assert found.status == "warn"
    assert found.figures["landmarks_left_out"] > 0.4
