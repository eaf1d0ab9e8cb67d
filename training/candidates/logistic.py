"""Penalised logistic regression per horizon, weighted for censoring (IPCW)."""

from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from features.history import Floats
from models.learned import LinearLearner
from training.candidates.base import Fit
from training.landmarks import TrainingSet
from training.metrics.censoring import ipcw_weights
from training.study import Study

__all__ = ["PenalisedLogistic"]


class PenalisedLogistic:
    """Ridge logistic regression on standardised features, missing ones filled with the median.

    Filling and standardisation are learnt from the training rows without the outcome (Sisk R, Stat
    Methods Med Res 2023;32:1461, doi:10.1177/09622802231165001). `strength` is the inverse penalty
    per standard deviation, as scikit-learn's ``C``.
    """

    name = "logistic"
    label = "Penalised logistic regression"
    recalibrated = True
    default = True

    def __init__(self, *, strength: float = 0.1) -> None:
        self.strength = strength

    def parameters(self) -> dict[str, Any]:
        """Settings, as the run records them."""
        return {"strength": self.strength}

    def fit(self, rows: TrainingSet, study: Study, *, seed: int) -> Fit:  # noqa: ARG002
        """One regression per horizon on the same standardised features."""
        fill = _median(rows.values)
        filled = np.where(np.isnan(rows.values), fill, rows.values)
        centre, scale = filled.mean(axis=0), filled.std(axis=0)
        scale = np.where(scale > 0, scale, 1.0)
        standard = (filled - centre) / scale
        fits = []
        for horizon in study.horizons_years:
            known = ipcw_weights(rows.duration_years, rows.event, horizon)
            used = known.weights > 0
            # max_iter well above what lbfgs needs on standardised columns, so that it converges.
            model = LogisticRegression(C=self.strength, max_iter=1000)
            fits.append(model.fit(standard[used], known.case[used], known.weights[used]))
        learner = LinearLearner(
            fill=fill,
            centre=centre,
            scale=scale,
            coefficient=np.vstack([model.coef_ for model in fits]),
            intercept=np.concatenate([model.intercept_ for model in fits]),
        )
        return Fit(learner, rows.features)


def _median(values: Floats) -> Floats:
    """Column medians; 0 for a column that was never measured."""
    measured = ~np.isnan(values)
    return np.array(
        [
            np.median(column[known]) if known.any() else 0.0
            for column, known in zip(values.T, measured.T, strict=True)
        ]
    )
