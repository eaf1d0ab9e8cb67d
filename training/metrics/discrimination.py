"""AUC(t): higher risks for those who progress by the horizon than for those who do not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
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
    rank = ranking or Ranking.of(checked_risk(risk, w.timeline.size))
    pairs = _Pairs.of(w, controls, rank)
    if pairs.controls <= 0:
        return Estimate.none(f"nobody is known to be alive and event-free at {horizon_years:g} y")
    if rank.levels == 1:
        return Estimate.none("all predicted risks are equal")
    value, contribution = pairs.area()
    contribution *= w.total
    influence = w.with_censoring_influence(rank.by_subject(contribution))
    return Estimate.from_influence(
        value, influence, level=level, bounds=(0.0, 1.0), cluster=cluster
    )


def auc_value(weights: IpcwWeights, ranking: "Ranking") -> float | None:
    """AUC(t) without its standard error, or None when there are no pairs; for bootstraps."""
    pairs = _Pairs.of(weights, "without-progression", ranking)
    total = pairs.cases * pairs.controls
    return None if total <= 0 else float(pairs.case @ ranking.lower(pairs.control)) / total


@dataclass(frozen=True)
class Ranking:
    """Risks in ascending order, ties as one level.

    Parameters
    ----------
    ordered
        (n,) the risks, ascending.
    order
        (n,) the subjects in that order.
    first
        (levels,) place in that order of the first subject of each distinct risk.
    """

    ordered: FloatArray
    order: IntArray
    first: IntArray

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
        order = np.argsort(risk) if like is None else like.order
        ordered = risk[order]
        if like is not None and (ordered[1:] < ordered[:-1]).any():
            return cls.of(risk)
        starts = np.concatenate(([True], ordered[1:] != ordered[:-1]))
        return cls(ordered, order, np.flatnonzero(starts))

    @property
    def levels(self) -> int:
        """Number of distinct risks."""
        return int(self.first.size)

    @cached_property
    def level(self) -> IntArray:
        """Position of each subject's risk among the distinct risks, from 0, (n,)."""
        level = np.empty(self.order.size, dtype=np.int64)
        level[self.order] = np.repeat(np.arange(self.levels), self._sizes)
        return level

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

    def by_subject(self, values: FloatArray) -> FloatArray:
        """Values in ascending order of risk, put back to the order of the subjects, (n,)."""
        result = np.empty_like(values)
        result[self.order] = values
        return result

    def sums_below(self, weight: FloatArray) -> FloatArray:
        """Weight of all lower risks and half of the equal ones, for each subject, (n,)."""
        return self.by_subject(self.lower(weight[self.order]))

    def lower(self, weight: FloatArray) -> FloatArray:
        """Weight of all lower risks and half of the equal ones, in ascending order, (n,).

        Parameters
        ----------
        weight
            (n,) in ascending order of risk as well, so that sums walk along memory.
        """
        untied = self.levels == weight.size
        own = weight if untied else np.add.reduceat(weight, self.first)
        below = np.cumsum(own)
        below -= own / 2
        return below if untied else np.repeat(below, self._sizes)

    @cached_property
    def _sizes(self) -> IntArray:
        return np.diff(self.first, append=self.order.size)


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Weights of the two sides of every pair, in ascending order of risk, (n,) each."""

    ranking: Ranking
    case: FloatArray
    control: FloatArray
    cases: float
    controls: float

    @classmethod
    def of(cls, weights: IpcwWeights, controls: Controls, ranking: Ranking) -> "_Pairs":
        # Nobody is on both sides: one look-up serves for the two.
        signed = weights.weights * (2.0 * weights.case - 1.0)
        if controls == "event-free":
            signed[weights.dead] = 0.0
        signed = signed[ranking.order]
        case = np.maximum(signed, 0.0)
        control = case - signed
        return cls(ranking, case, control, float(case.sum()), float(control.sum()))

    def area(self) -> tuple[float, FloatArray]:
        """Share of pairs in the right order, and each subject's part in its deviation, (n,)."""
        below = self.ranking.lower(self.control)
        below /= self.controls
        value = float(self.case @ below) / self.cases
        above = self.ranking.lower(self.case)
        np.subtract(1.0, above / self.cases, out=above)
        below -= value
        below *= self.case / self.cases
        above -= value
        above *= self.control / self.controls
        below += above
        return value, below
