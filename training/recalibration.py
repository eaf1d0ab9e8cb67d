"""Recalibration of log odds on predictions made out of fold, no stronger than the data ask for.

Closed testing (Vergouwe Y, Stat Med 2017;36:4529, doi:10.1002/sim.7179): nothing, unless the whole
of intercept, slope and bend is needed; then the intercept, unless slope and bend are; then
intercept and slope; beta recalibration last. Always on the log odds, never on probabilities (what
scikit-learn's ``CalibratedClassifierCV("sigmoid")`` does to an XGBClassifier), with death a known
non-event and the early censored weighted for. Isotonic recalibration is not offered: it needs far
more patients than cohorts of this disease have.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import chi2

from features.history import Floats, Ints
from models.learned import recalibrated
from training.landmarks import TrainingSet
from training.metrics.censoring import ipcw_weights
from training.study import Study

__all__ = [
    "Recalibration",
    "closed_test",
    "cross_fitted",
    "identity",
    "intercept_and_slope",
]

Form = Literal["nothing", "intercept", "intercept and slope", "beta"]
Masks = list[NDArray[np.bool_]]

LEAST_SLOPE = 0.05
"""A slope at or below zero would turn the ranking round; such a model carries no signal and is kept
almost flat, for the gate to refuse."""
LEVEL = 0.05
"""Of each test; closed testing keeps it for all of them together (Marcus R, Biometrika 1976;63:655,
doi:10.1093/biomet/63.3.655)."""
STEPS = 30


@dataclass(frozen=True, slots=True)
class Recalibration:
    """How the log odds of every horizon are recalibrated.

    Parameters
    ----------
    parameters : (h, 3) array
        As `models.learned.recalibrated` takes them.
    forms
        What the closed test settled on at every horizon.
    """

    parameters: Floats
    forms: tuple[Form, ...]


def identity(horizons: int) -> Recalibration:
    """Recalibration that changes nothing."""
    nothing: Form = "nothing"
    return Recalibration(np.tile([0.0, 1.0, 1.0], (horizons, 1)), (nothing,) * horizons)


def closed_test(rows: TrainingSet, margin: Floats, study: Study) -> Recalibration:
    """Least recalibration that the outcomes do not contradict, per horizon.

    Parameters
    ----------
    rows
        n rows with outcomes.
    margin : (n, h) array
        Log odds predicted for rows that the learner did not see.
    study
        Gives the horizons.
    """
    parameters: list[Floats] = []
    forms: list[Form] = []
    for j, horizon in enumerate(study.horizons_years):
        known = ipcw_weights(rows.duration_years, rows.event, horizon)
        used = known.weights > 0
        found, form = _settle(
            margin[used, j], known.case[used], known.weights[used], rows.subject[used]
        )
        parameters.append(found)
        forms.append(form)
    return Recalibration(np.array(parameters), tuple(forms))


def intercept_and_slope(rows: TrainingSet, margin: Floats, study: Study) -> Floats:
    """(h, 2) intercept and slope of the outcome on the log odds, per horizon.

    Parameters
    ----------
    rows, margin, study
        As for `closed_test`.
    """
    fitted = []
    for j, horizon in enumerate(study.horizons_years):
        known = ipcw_weights(rows.duration_years, rows.event, horizon)
        used = known.weights > 0
        shift, slope, _ = _line(margin[used, j], known.case[used], known.weights[used])
        fitted.append((shift, slope))
    return np.array(fitted)


def cross_fitted(rows: TrainingSet, margin: Floats, masks: Masks, study: Study) -> Floats:
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
        others = closed_test(rows.rows(~mask), margin[~mask], study)
        calibrated[mask] = recalibrated(others.parameters, margin[mask])
    return calibrated


def _settle(
    margin: Floats, case: NDArray[np.bool_], weight: Floats, subject: Ints
) -> tuple[Floats, Form]:
    """Parameters and form at one horizon, by Wald tests with errors clustered by subject.

    The censoring weights make the likelihood a pseudo-likelihood, so that its ratios have no known
    distribution; robust Wald tests of the same hypotheses do.
    """
    other = np.logaddexp(0.0, margin)
    # Columns of c, of the slope that both ends share, and of what the upper end has beyond it.
    design = np.column_stack([np.ones_like(margin), margin, other])
    theta, covariance = _fit(design, case, weight, np.zeros_like(margin), subject)
    away = theta - np.array([0.0, 1.0, 0.0])
    if not _needed(away, covariance):
        return np.array([0.0, 1.0, 1.0]), "nothing"
    if not _needed(away[1:], covariance[1:, 1:]):
        shift, _ = _fit(design[:, :1], case, weight, margin, subject)
        return np.array([shift[0], 1.0, 1.0]), "intercept"
    rising, falling = theta[1], theta[1] + theta[2]
    bends = _needed(away[2:], covariance[2:, 2:])
    if bends and min(rising, falling) >= LEAST_SLOPE:
        return np.array([theta[0], rising, falling]), "beta"
    return _line(margin, case, weight), "intercept and slope"


def _line(margin: Floats, case: NDArray[np.bool_], weight: Floats) -> Floats:
    design = np.column_stack([np.ones_like(margin), margin])
    theta, _ = _fit(design, case, weight, np.zeros_like(margin), np.arange(margin.size))
    slope = max(float(theta[1]), LEAST_SLOPE)
    return np.array([theta[0], slope, slope])


def _needed(away: Floats, covariance: Floats) -> bool:
    statistic = float(away @ np.linalg.pinv(covariance, hermitian=True) @ away)
    return bool(chi2.sf(statistic, away.size) < LEVEL)


def _fit(
    design: Floats, case: NDArray[np.bool_], weight: Floats, offset: Floats, subject: Ints
) -> tuple[Floats, Floats]:
    """Weighted logistic regression by Newton's method, and its clustered sandwich covariance."""
    # So little that it only decides where the data leave a direction open.
    ridge = 1e-6 * np.eye(design.shape[1])
    theta = np.zeros(design.shape[1])
    for _ in range(STEPS):
        chance = expit(design @ theta + offset)
        residual = weight * (chance - case)
        curvature = design.T @ ((weight * chance * (1.0 - chance))[:, None] * design) + ridge
        step = np.linalg.solve(curvature, design.T @ residual + ridge @ theta)
        # A step of more than a few units of log odds would leave where the curvature holds.
        largest = np.abs(design @ step).max()
        theta = theta - step * min(1.0, 3.0 / max(largest, 1e-12))
        if largest < 1e-9:
            break
    _, cluster = np.unique(subject, return_inverse=True)
    scores = np.zeros((cluster.max() + 1, design.shape[1]))
    np.add.at(scores, cluster, residual[:, None] * design)
    bread = np.linalg.inv(curvature)
    return theta, bread @ (scores.T @ scores) @ bread
