"""Recalibration of log odds on predictions made out of fold, no stronger than the data ask for.

Closed testing (Vergouwe Y, Stat Med 2017;36:4529, doi:10.1002/sim.7179): nothing, unless the whole
of intercept, slope and bend is needed; then the intercept, unless slope and bend are; then
intercept and slope; then beta recalibration; and above `ENOUGH` subjects of either outcome isotonic
recalibration last. Always on the log odds, never on probabilities (what scikit-learn's
``CalibratedClassifierCV("sigmoid")`` does to an XGBClassifier), with death a known non-event and
the early censored weighted for.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import chi2
from sklearn.isotonic import IsotonicRegression

from features.history import Floats, Ints
from models.link import logit, recalibrated
from training.landmarks import TrainingSet
from training.metrics.censoring import ipcw_weights
from training.study import Study

__all__ = [
    "Recalibration",
    "closed_test",
    "cross_fitted",
    "identity",
]

Form = Literal["nothing", "intercept", "intercept and slope", "beta", "isotonic"]
Masks = list[NDArray[np.bool_]]

LEAST_SLOPE = 0.05
"""A slope at or below zero would turn the ranking round; such a model carries no signal and is kept
almost flat, for the gate to refuse."""
LEVEL = 0.05
"""Of each test; closed testing keeps it for all of them together (Marcus R, Biometrika 1976;63:655,
doi:10.1093/biomet/63.3.655)."""
ENOUGH = 1000
"""Subjects known to progress by the horizon, and as many known not to, from which on isotonic
recalibration may be chosen. From about 1,000 cases on it was as good as a logistic curve or better
(Niculescu-Mizil A, Caruana R, ICML 2005:625, doi:10.1145/1102351.1102430); where one outcome is
rarer it is that one that counts. On 200 patients it puts 15 % of them at exactly 0 or 1."""
LEAST_SHARE = 0.05
"""Of either outcome between two corners of an isotonic line: 50 subjects at `ENOUGH`."""
LEAST_CORNERS = 3
PIECES = (0.25, 0.5, 0.75)
"""Quantiles of the log odds between which pieces of a line may show what beta cannot follow."""
STEPS = 30


@dataclass(frozen=True, slots=True)
class Recalibration:
    """How the log odds of every horizon are recalibrated.

    Parameters
    ----------
    parameters : (h, 3) or (h, 3 + 2 m) array
        As `models.link.recalibrated` takes them.
    forms
        What the closed test settled on at every horizon.
    """

    parameters: Floats
    forms: tuple[Form, ...]


def identity(horizons: int) -> Recalibration:
    """Recalibration that changes nothing."""
    nothing: Form = "nothing"
    return Recalibration(np.tile([0.0, 1.0, 1.0], (horizons, 1)), (nothing,) * horizons)


def closed_test(
    rows: TrainingSet, margin: Floats, study: Study, *, enough: float = ENOUGH
) -> Recalibration:
    """Least recalibration that the outcomes do not contradict, per horizon.

    Parameters
    ----------
    rows
        n rows with outcomes.
    margin : (n, h) array
        Log odds predicted for rows that the learner did not see.
    study
        Gives the horizons.
    enough
        Subjects of either outcome from which on isotonic recalibration may be chosen.
    """
    parameters: list[Floats] = []
    forms: list[Form] = []
    for j, horizon in enumerate(study.horizons_years):
        known = ipcw_weights(rows.duration_years, rows.event, horizon)
        used = known.weights > 0
        found, form = _settle(
            margin[used, j], known.case[used], known.weights[used], rows.subject[used], enough
        )
        parameters.append(found)
        forms.append(form)
    return Recalibration(_side_by_side(parameters), tuple(forms))


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
        # The same menu as on all rows: a part is offered what the whole is.
        enough = ENOUGH * float(np.mean(~mask))
        others = closed_test(rows.rows(~mask), margin[~mask], study, enough=enough)
        calibrated[mask] = recalibrated(others.parameters, margin[mask])
    return calibrated


def _settle(
    margin: Floats, case: NDArray[np.bool_], weight: Floats, subject: Ints, enough: float
) -> tuple[Floats, Form]:
    """Parameters and form at one horizon, by Wald tests with errors clustered by subject.

    The censoring weights make the likelihood a pseudo-likelihood, so that its ratios have no known
    distribution; robust Wald tests of the same hypotheses do.
    """
    large = min(np.unique(subject[case]).size, np.unique(subject[~case]).size) >= enough
    offset, other = np.zeros_like(margin), np.logaddexp(0.0, margin)
    # Columns of c, of the slope that both ends share, and of what the upper end has beyond it.
    beta = np.column_stack([np.ones_like(margin), margin, other])
    pieces = [np.maximum(margin - cut, 0.0) for cut in np.quantile(margin, PIECES) if large]
    theta, covariance = _fit(np.column_stack([beta, *pieces]), case, weight, offset, subject)
    away = theta.copy()
    away[1] -= 1.0

    def needed(start: int) -> bool:
        return _needed(away[start:], covariance[start:, start:])

    if not needed(0):
        return np.array([0.0, 1.0, 1.0]), "nothing"
    if not needed(1):
        shift, _ = _fit(beta[:, :1], case, weight, margin, subject)
        return np.array([shift[0], 1.0, 1.0]), "intercept"
    line = _line(margin, case, weight)
    if not needed(2):
        return line, "intercept and slope"
    if large and needed(3):
        corners = _isotonic(recalibrated(line, margin), case, weight)
        if corners.shape[1] >= LEAST_CORNERS:
            return np.concatenate([line, corners.ravel()]), "isotonic"
    shift, rising, bend = _fit(beta, case, weight, offset, subject)[0]
    if min(rising, rising + bend) < LEAST_SLOPE:
        return line, "intercept and slope"
    return np.array([shift, rising, rising + bend]), "beta"


def _isotonic(margin: Floats, case: NDArray[np.bool_], weight: Floats) -> Floats:
    """(2, m) places and heights of the corners of a rising line, as log odds.

    Centred isotonic regression (Oron AP, Flournoy N, Stat Biopharm Res 2017;9:258,
    doi:10.1080/19466315.2017.1286256): each level stands at the mean of its places, straight lines
    between, so that whom the model ranks apart stay apart. Levels are put together until each has
    `LEAST_SHARE` of either outcome, so that none is 0 or 1.
    """
    order = np.argsort(margin, kind="stable")
    margin, case, weight = margin[order], case[order], weight[order]
    level = IsotonicRegression().fit_transform(margin, case, sample_weight=weight)
    starts = np.flatnonzero(np.diff(level, prepend=-1.0))
    columns = [case, ~case, weight, weight * margin, weight * case]
    sums = np.stack([np.add.reduceat(column.astype(np.float64), starts) for column in columns])
    least = LEAST_SHARE * sums[:2].sum(axis=1)
    blocks, open_block = [], np.zeros(len(columns))
    for found in sums.T:
        open_block = open_block + found
        if (open_block[:2] >= least).all():
            blocks.append(open_block)
            open_block = np.zeros(len(columns))
    if blocks:
        blocks[-1] = blocks[-1] + open_block
    _, _, total, place, risk = np.array(blocks).reshape(-1, len(columns)).T
    return np.stack([place / total, logit(risk / total)])


def _side_by_side(parameters: list[Floats]) -> Floats:
    """(h, 3 + 2 m) parameters of all horizons; a line without corners gets some on its way."""
    corners = max(found.size - 3 for found in parameters) // 2
    table = np.empty((len(parameters), 3 + 2 * corners))
    for row, found in zip(table, parameters, strict=True):
        place, height = found[3:].reshape(2, -1) if found.size > 3 else np.zeros((2, 1))
        # Beyond the last corner the line goes on at a slope of 1 all the same.
        more = np.arange(1.0, corners - place.size + 1.0)
        row[:3] = found[:3]
        row[3 : 3 + corners] = np.concatenate([place, place[-1] + more])[:corners]
        row[3 + corners :] = np.concatenate([height, height[-1] + more])[:corners]
    return table


def _line(margin: Floats, case: NDArray[np.bool_], weight: Floats) -> Floats:
    design = np.column_stack([np.ones_like(margin), margin])
    rows = np.arange(margin.size)
    (shift, slope), _ = _fit(design, case, weight, np.zeros_like(margin), rows)
    if slope < LEAST_SLOPE:
        slope = LEAST_SLOPE
        # The intercept of another slope would put everybody's risk somewhere else.
        (shift,), _ = _fit(design[:, :1], case, weight, slope * margin, rows)
    return np.array([shift, slope, slope])


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
