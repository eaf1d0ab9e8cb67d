"""Brier score and scaled Brier score (IPA): the distance of risks from what happened."""

from dataclasses import dataclass

import numpy as np

from training.metrics.aalen_johansen import incidence_at
from training.metrics.censoring import FLOOR, IpcwWeights, ipcw_weights, unknowable
from training.metrics.estimate import Estimate, FloatArray, IntArray
from training.metrics.timeline import checked_risk


@dataclass(frozen=True, slots=True)
class BrierScore:
    """Brier score of a model beside that of the model without features.

    Parameters
    ----------
    brier
        Weighted mean squared difference of risk and outcome, 0 best.
    null
        The same when everyone is given the observed risk (Aalen–Johansen).
    ipa
        Index of prediction accuracy 1 - brier / null: 1 perfect, 0 no better than the average,
        below 0 worse (Kattan & Gerds 2018, doi:10.1186/s41512-018-0029-2).
    """

    brier: Estimate
    null: Estimate
    ipa: Estimate


def brier_score(
    duration_years: FloatArray,
    event: IntArray,
    risk: FloatArray,
    horizon_years: float,
    *,
    weights: IpcwWeights | None = None,
    null: Estimate | None = None,
    floor: float = FLOOR,
    level: float = 0.95,
    cluster: IntArray | None = None,
) -> BrierScore:
    """Brier score at the horizon, of the model, of the null model, and their ratio.

    Parameters
    ----------
    duration_years, event
        (n,) years to the event or the end of follow-up; 0 censored, 1 progression, 2 death first.
    risk, horizon_years
        (n,) predicted risks within 0–1, by this horizon.
    weights
        Weights of this sample at this horizon, to share them between models.
    null
        Null score of this sample at this horizon, to share it between models.
    floor
        Smallest chance of being uncensored, when `weights` is None.
    level
        Confidence level within 0–1.
    cluster
        (n,) codes 0 … k-1 of rows that belong to one subject.

    Notes
    -----
    Death by the horizon is a known non-event. Standard errors are by influence function with the
    estimated censoring distribution included. Since the weighted number of progressions is the
    Aalen–Johansen estimate, the null score does not depend on it to first order.
    """
    w = weights or ipcw_weights(duration_years, event, horizon_years, floor=floor)
    reason = unknowable(w)
    if reason is not None:
        none = Estimate.none(reason)
        return BrierScore(none, none, none)
    predicted = checked_risk(risk, w.timeline.size)
    if null is None:
        null = null_score(w, level=level, cluster=cluster)
    brier = _score(w, predicted, level, cluster)
    return BrierScore(brier, null, _ipa(brier, null, level, cluster))


def null_score(
    weights: IpcwWeights, *, level: float = 0.95, cluster: IntArray | None = None
) -> Estimate:
    """Brier score when everyone is given the observed risk."""
    reason = unknowable(weights)
    if reason is not None:
        return Estimate.none(reason)
    line = weights.timeline
    average = incidence_at(line, weights.horizon_years, sample_weight=weights.sample_weight)
    return _score(weights, np.full(line.size, average), level, cluster)


def brier_value(weights: IpcwWeights, risk: FloatArray) -> float:
    """Brier score without its standard error; for bootstraps."""
    residual = np.where(weights.case, 1 - risk, risk)
    return float(weights.weights @ residual**2) / weights.total


def _score(
    weights: IpcwWeights, risk: FloatArray, level: float, cluster: IntArray | None
) -> Estimate:
    squared = risk - weights.case
    squared *= squared
    squared *= weights.weights
    value = float(squared.sum()) / weights.total
    size = weights.timeline.size
    own = 1.0 if weights.sample_weight is None else weights.sample_weight
    # Scaled so that the standard error is the standard deviation over the square root of n.
    influence = weights.with_censoring_influence(squared) - own * value
    influence *= size / weights.total
    return Estimate.from_influence(
        value, influence, level=level, bounds=(0.0, 1.0), cluster=cluster
    )


def _ipa(brier: Estimate, null: Estimate, level: float, cluster: IntArray | None) -> Estimate:
    if not brier.value or not null.value or brier.influence is None or null.influence is None:
        if brier.value == 0 and null.value:
            return Estimate(1.0)
        return Estimate.none("the null model has no error to explain")
    ratio = brier.value / null.value
    influence = (ratio * null.influence - brier.influence) / null.value
    return Estimate.from_influence(
        1 - ratio, influence, level=level, bounds=(-np.inf, 1.0), cluster=cluster
    )
