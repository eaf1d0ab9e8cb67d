"""Every candidate: reproducible, and monotone where medicine demands it."""

from dataclasses import replace

import numpy as np
import pytest

from features.errors import DesignError
from models.learners import GroupLearner
from models.link import expit
from models.published.pangea_smm import PANGEA_SMM_MARROW
from training.candidates import CANDIDATES
from training.landmarks import TrainingSet
from training.metrics.aalen_johansen import aalen_johansen
from training.study import Study, read_study

ANY = [name for name, candidate in CANDIDATES.items() if candidate.suits(read_study("mgus"))]


@pytest.mark.parametrize("name", ANY)
def test_the_same_seed_gives_the_same_model(name: str, mgus_rows: TrainingSet, mgus: Study) -> None:
    first, second = (CANDIDATES[name].fit(mgus_rows, mgus, seed=3) for _ in range(2))
    values = mgus_rows.columns(first.features)
    np.testing.assert_array_equal(first.learner.margin(values), second.learner.margin(values))


@pytest.mark.parametrize("name", ANY)
def test_a_candidate_learns_that_m_protein_matters(
    name: str, mgus_rows: TrainingSet, mgus: Study
) -> None:
    fit = CANDIDATES[name].fit(mgus_rows, mgus, seed=0)
    values = np.tile(np.nanmedian(mgus_rows.columns(fit.features), axis=0), (2, 1))
    values[:, fit.features.index("m_protein_g_dl")] = 0.3, 2.5
    low, high = expit(fit.learner.margin(values))[:, 1]
    assert high > 1.3 * low


@pytest.mark.parametrize("name", ["ebm", "xgboost", "hazard-trees"])
def test_curves_and_shallow_trees_are_monotone_where_the_study_says(
    name: str, smm_rows: TrainingSet, smm: Study
) -> None:
    fit = CANDIDATES[name].fit(smm_rows, smm, seed=0)
    generator = np.random.default_rng(1)
    rows = smm_rows.values[generator.integers(0, len(smm_rows.values), 200)]
    for feature, sign in smm.monotone.items():
        column = smm_rows.features.index(feature)
        measured = rows[~np.isnan(rows[:, column])]
        moved = measured.copy()
        moved[:, column] += np.abs(moved[:, column]) * 0.5 + 0.5
        change = fit.learner.margin(moved) - fit.learner.margin(measured)
        assert (sign * change >= -1e-12).all(), feature


def test_the_rules_group_risks_are_the_observed_incidences(
    mgus_rows: TrainingSet, mgus: Study
) -> None:
    fit = CANDIDATES["rule"].fit(mgus_rows, mgus, seed=0)
    assert isinstance(fit.learner, GroupLearner)
    high = mgus_rows.columns(("m_protein_g_dl",))[:, 0] >= 1.5
    for group, members in enumerate((~high, high)):
        observed = aalen_johansen(mgus_rows.duration_years[members], mgus_rows.event[members])
        # Weighting for censoring over the whole cohort and Aalen-Johansen within the group agree
        # when censoring does not depend on the group.
        for j, horizon in enumerate(mgus.horizons_years):
            expected = observed.at(horizon).value
            assert fit.learner.risk[group, j] == pytest.approx(expected, abs=0.004)


def test_columns_that_are_never_measured_change_nothing(
    mgus_rows: TrainingSet, mgus: Study
) -> None:
    values = mgus_rows.values.copy()
    values[:, mgus_rows.features.index("creatinine_mg_dl")] = np.nan
    rows = replace(mgus_rows, values=values)
    for name in ("logistic", "hazards", "cox", "ebm", "xgboost", "hazard-trees"):
        margin = CANDIDATES[name].fit(rows, mgus, seed=0).learner.margin(values)
        assert np.isfinite(margin).all()


@pytest.mark.parametrize("name", ["hazards", "cox", "hazard-trees"])
def test_whole_curves_give_on_average_the_incidence_observed(
    name: str, mgus_rows: TrainingSet, mgus: Study
) -> None:
    """Death competes: one minus Kaplan-Meier would be 1.5 times too high at ten years."""
    fit = CANDIDATES[name].fit(mgus_rows, mgus, seed=0)
    risk = expit(fit.learner.margin(mgus_rows.values))
    assert (np.diff(risk, axis=1) >= 0).all()
    for j, horizon in enumerate(mgus.horizons_years):
        observed = aalen_johansen(mgus_rows.duration_years, mgus_rows.event).at(horizon).value
        assert risk[:, j].mean() == pytest.approx(observed, rel=0.03)


def test_recalibrated_pangea_starts_from_the_published_risks(
    smm_rows: TrainingSet, smm: Study
) -> None:
    fit = CANDIDATES["pangea-smm"].fit(smm_rows, smm, seed=0)
    values = smm_rows.columns(fit.features)
    complete = ~np.isnan(values).any(axis=1)
    published = PANGEA_SMM_MARROW.answer(values[complete]).risk[:, :3]
    np.testing.assert_allclose(expit(fit.learner.margin(values[complete])), published, atol=1e-6)


def test_a_setting_that_a_candidate_does_not_have_is_refused() -> None:
    assert CANDIDATES["cox"].tuned({"strength": 2.0}).parameters() == {"strength": 2.0}
    with pytest.raises(DesignError, match="CauseSpecificCox has no setting depth"):
        CANDIDATES["cox"].tuned({"depth": 2})
