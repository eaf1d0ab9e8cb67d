"""Recalibration of log odds by intercept and slope, on predictions made out of fold.

On the log odds, never on probabilities (scikit-learn's ``CalibratedClassifierCV("sigmoid")`` does
the latter to an XGBClassifier), with death a known non-event and the early censored weighted for.
"""

import numpy as np
from sklearn.linear_model import LogisticRegression

from features.history import Floats
from training.landmarks import TrainingSet
from training.metrics.censoring import ipcw_weights
from training.study import Study

__all__ = ["cross_fitted", "identity", "intercept_and_slope"]

LEAST_SLOPE = 0.05
"""A slope at or below zero would turn the ranking round; such a model carries no signal and is kept
almost flat, for the gate to refuse."""


def identity(horizons: int) -> Floats:
    """(h, 2) recalibration that changes nothing."""
    return np.tile([0.0, 1.0], (horizons, 1))


def intercept_and_slope(rows: TrainingSet, margin: Floats, study: Study) -> Floats:
    """(h, 2) intercept and slope of the outcome on the log odds, per horizon.

    Parameters
    ----------
    rows
        n rows with outcomes.
    margin : (n, h) array
        Log odds predicted for rows that the learner did not see.
    study
        Gives the horizons.
    """
    fitted = identity(len(study.horizons_years))
    for j, horizon in enumerate(study.horizons_years):
        known = ipcw_weights(rows.duration_years, rows.event, horizon)
        used = known.weights > 0
        model = LogisticRegression(C=np.inf, max_iter=1000)
        model.fit(margin[used, j : j + 1], known.case[used], known.weights[used])
        slope = max(float(model.coef_[0, 0]), LEAST_SLOPE)
        fitted[j] = float(model.intercept_[0]), slope
    return fitted


def cross_fitted(
    rows: TrainingSet,
    margin: Floats,
    masks: list[np.ndarray[tuple[int], np.dtype[np.bool_]]],
    study: Study,
) -> Floats:
    """(n, h) log odds recalibrated in each fold by what the other folds show.

    Parameters
    ----------
    rows
        n rows.
    margin : (n, h) array
        Out-of-fold log odds of one repetition.
    masks
        Test rows of each fold of that repetition.
    study
        Gives the horizons.
    """
    calibrated = np.empty_like(margin)
    for mask in masks:
        fitted = intercept_and_slope(rows.rows(~mask), margin[~mask], study)
        calibrated[mask] = fitted[:, 0] + fitted[:, 1] * margin[mask]
    return calibrated
