"""AUC(t): higher risks for those who progress by the horizon than for those who do not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from training.metrics.censoring import FLOOR, IpcwWeights, ipcw_weights, unknowable
from training.metrics.estimate import Estimate, FloatArray, IntArray
from training.metrics.timeline import checked_risk

Controls = Literal["without-progression", "event-free"]


def auc(
    duration_years: FloatArray,
    event: IntArray,
    risk: FloatArray,
    horizon_years: float,
    *,
    controls: Controls = "without-progression",
    weights: IpcwWeights | None = None,
    ranking: "Ranking | None" = None,
    floor: float = FLOOR,
    level: float = 0.95,
    cluster: IntArray | None = None,
) -> Estimate:
    """Chance that a subject who progresses by the horizon has a higher risk than one who does not.

    Parameters
    ----------
    duration_years, event
        (n,) years to the event or the end of follow-up; 0 censored, 1 progression, 2 death first.
    risk
        (n,) predicted risks within 0–1; ties count one half.
    horizon_years
        The horizon.
    controls
        `without-progression`: event-free at the horizon or dead by then without progression (the
        definition of `riskRegression::Score`); `event-free`: only those alive and event-free.
    weights
        Weights of this sample at this horizon, to share them between models.
    ranking
        `risk` ranked already.
    floor
        Smallest chance of being uncensored, when `weights` is None.
    level
        Confidence level within 0–1.
    cluster
        (n,) codes 0 … k-1 of rows that belong to one subject.

    Returns
    -------
    AUC with influence-function standard error (Blanche 2013, doi:10.1002/sim.5958), or why not.
    """
    w = weights or ipcw_weights(duration_years, event, horizon_years, floor=floor)
    reason = unknowable(w)
    if reason is not None:
        return Estimate.none(reason)
    pairs = _pairs(w, controls)
    if pairs.control.sum() <= 0:
        return Estimate.none(f"nobody is known to be alive and event-free at {horizon_years:g} y")
    rank = ranking or Ranking.of(checked_risk(risk, w.timeline.size))
    if rank.levels == 1:
        return Estimate.none("all predicted risks are equal")
    below, above = rank.sums_below(pairs.control), rank.sums_above(pairs.case)
    cases, count = float(pairs.case.sum()), float(pairs.control.sum())
    value = float(pairs.case @ below) / (cases * count)
    contribution = w.total * (
        pairs.case * (below / count - value) / cases
        + pairs.control * (above / cases - value) / count
    )
    influence = w.with_censoring_influence(contribution)
    return Estimate.from_influence(
        value, influence, level=level, bounds=(0.0, 1.0), cluster=cluster
    )


def auc_value(weights: IpcwWeights, ranking: "Ranking") -> float | None:
    """AUC(t) without its standard error, or None when there are no pairs; for bootstraps."""
    pairs = _pairs(weights, "without-progression")
    total = float(pairs.case.sum()) * float(pairs.control.sum())
    if total <= 0:
        return None
    return float(pairs.case @ ranking.sums_below(pairs.control)) / total


@dataclass(frozen=True, slots=True)
class Ranking:
    """Risks in ascending order, ties as one level.

    Parameters
    ----------
    level
        (n,) position of each subject's risk among the distinct risks, from 0.
    levels
        Number of distinct risks.
    ordered
        (n,) the risks, ascending.
    order
        (n,) the subjects in that order.
    """

    level: IntArray
    levels: int
    ordered: FloatArray
    order: IntArray

    @classmethod
    def of(cls, risk: FloatArray, like: "Ranking | None" = None) -> "Ranking":
        """Rank checked risks, in O(n log n).

        Parameters
        ----------
        risk
            (n,) within 0–1.
        like
            Of the same model at another horizon, which often ranks the subjects alike.
        """
        order = None if like is None else like.order
        if order is None or (np.diff(risk[order]) < 0).any():
            order = np.argsort(risk)
        ordered = risk[order]
        rank = np.concatenate(([0], np.cumsum(ordered[1:] != ordered[:-1])))
        level = np.empty(risk.size, dtype=np.int64)
        level[order] = rank
        return cls(level, int(rank[-1]) + 1, ordered, order)

    def quantiles(
        self, shares: Sequence[float], scale: Callable[[FloatArray], FloatArray] = np.asarray
    ) -> FloatArray:
        """Quantiles of the risks on an increasing scale, as `numpy.quantile` interpolates them.

        Parameters
        ----------
        shares
            (q,) within 0–1.
        scale
            From risks to the scale on which to interpolate; the risks themselves when left out.
        """
        place = np.asarray(shares) * (self.ordered.size - 1)
        below = np.floor(place).astype(np.int64)
        above = np.minimum(below + 1, self.ordered.size - 1)
        low, high = scale(self.ordered[below]), scale(self.ordered[above])
        return np.asarray(low + (high - low) * (place - below), dtype=np.float64)

    def sums_below(self, weight: FloatArray) -> FloatArray:
        """Weight of all lower risks and half of the equal ones, for each subject, (n,)."""
        own = np.bincount(self.level, weights=weight, minlength=self.levels)
        return (np.cumsum(own) - own / 2)[self.level]

    def sums_above(self, weight: FloatArray) -> FloatArray:
        """Weight of all higher risks and half of the equal ones, for each subject, (n,)."""
        return float(weight.sum()) - self.sums_below(weight)


@dataclass(frozen=True, slots=True)
class _Pairs:
    case: FloatArray
    control: FloatArray


def _pairs(weights: IpcwWeights, controls: Controls) -> _Pairs:
    free = weights.event_free
    other = free | weights.dead if controls == "without-progression" else free
    return _Pairs(
        np.where(weights.case, weights.weights, 0.0), np.where(other, weights.weights, 0.0)
    )
