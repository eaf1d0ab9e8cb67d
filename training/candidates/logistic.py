"""Penalised logistic regression per horizon, weighted for censoring (IPCW)."""

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

from models.learners import LinearLearner
from training.candidates.base import Fit, Tunable
from training.candidates.standard import Standard
from training.landmarks import TrainingSet
from training.metrics.censoring import ipcw_weights
from training.study import Study

__all__ = ["PenalisedLogistic"]


@dataclass(frozen=True)
class PenalisedLogistic(Tunable):
    """Ridge logistic regression on standardised features.

    Parameters
    ----------
    strength
        Inverse penalty per standard deviation, as scikit-learn's ``C``.
    """

    strength: float = 0.1
    name = "logistic"
    label = "Penalised logistic regression"
    separate_horizons = True

    def fit(self, rows: TrainingSet, study: Study, *, seed: int) -> Fit:  # noqa: ARG002
        """One regression per horizon on the same standardised features."""
        standard = Standard.of(rows.values)
        design = standard.apply(rows.values)
        fits = []
        for horizon in study.horizons_years:
            known = ipcw_weights(rows.duration_years, rows.event, horizon)
            used = known.weights > 0
            # max_iter well above what lbfgs needs on standardised columns, so that it converges.
            model = LogisticRegression(C=self.strength, max_iter=1000)
            fits.append(model.fit(design[used], known.case[used], known.weights[used]))
        learner = LinearLearner(
            fill=standard.fill,
            centre=standard.centre,
            scale=standard.scale,
            coefficient=np.vstack([model.coef_ for model in fits]),
            intercept=np.concatenate([model.intercept_ for model in fits]),
        )
        return Fit(learner, rows.features)
