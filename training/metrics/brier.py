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
    floor: float = FLOOR,
    level: float = 0.95,
    cluster: IntArray | None = None,
) -> BrierScore:
    """Brier score at the horizon, of the model, of the null model, and their ratio.

    Parameters
    ----------
    duration_years
        (n,) years from the landmark to the event or the end of follow-up.
    event
        (n,) 0 censored, 1 progression, 2 death before progression.
    risk
        (n,) predicted risks within 0–1.
    horizon_years
        The horizon.
    weights
        Weights of this sample at this horizon, to share them between models.
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
    average = incidence_at(w.timeline, w.horizon_years, sample_weight=w.sample_weight)
    brier, error = _score(w, predicted)
    null, null_error = _score(w, np.full(w.timeline.size, average))
    ipa_error = brier / null**2 * null_error - error / null

    def estimate(value: float, influence: FloatArray, low: float) -> Estimate:
        return Estimate.from_influence(
            value, influence, level=level, bounds=(low, 1.0), cluster=cluster
        )

    return BrierScore(
        estimate(brier, error, 0.0),
        estimate(null, null_error, 0.0),
        estimate(1 - brier / null, ipa_error, -np.inf),
    )


def brier_value(weights: IpcwWeights, risk: FloatArray) -> float:
    """Brier score without its standard error; for bootstraps."""
    residual = np.where(weights.case, 1 - risk, risk)
    return float(weights.weights @ residual**2) / weights.total


def _score(weights: IpcwWeights, risk: FloatArray) -> tuple[float, FloatArray]:
    squared = weights.weights * np.where(weights.case, 1 - risk, risk) ** 2
    value = float(squared.sum()) / weights.total
    size = weights.timeline.size
    own = weights.sample_weight if weights.sample_weight is not None else np.ones(size)
    # Scaled so that the standard error is the standard deviation over the square root of n.
    scale = size / weights.total
    through = weights.with_censoring_influence(squared) - own * value
    return value, scale * through
