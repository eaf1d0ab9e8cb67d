"""A refit is made as the model was: chosen by what the search chooses by."""

from dataclasses import replace

import numpy as np

from training.candidates import CANDIDATES
from training.landmarks import TrainingSet
from training.refitting import FOLDS, fit_anew
from training.search import inner_losses
from training.study import Study


def test_a_refit_chooses_settings_at_the_horizon_that_decides(
    smm_rows: TrainingSet, smm: Study
) -> None:
    """Of two penalties, one is better at five years and the other on average over horizons."""
    study, listed = (
        replace(smm, decision_horizon_years=5.0),
        ({"strength": 0.1}, {"strength": 0.03}),
    )
    weak, strong = (CANDIDATES["logistic"].tuned(settings) for settings in listed)

    def loss(candidate: object, years: float) -> float:
        alone = replace(study, horizons_years=(years,), decision_horizon_years=years)
        return float(inner_losses(candidate, smm_rows, alone, folds=FOLDS, seed=3)[0].mean())

    apart = [
        [loss(candidate, years) for years in smm.horizons_years] for candidate in (weak, strong)
    ]
    assert apart[1][2] < apart[0][2] and sum(apart[0]) < sum(apart[1])
    fit, _ = fit_anew("logistic", smm_rows, study, listed, seed=3)
    expected = strong.fit(smm_rows, study, seed=3)
    values = smm_rows.columns(fit.features)
    np.testing.assert_array_equal(fit.learner.margin(values), expected.learner.margin(values))
