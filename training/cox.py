"""Cox regression with Efron's ties and a ridge penalty, by Newton's method, for many quick fits.

Cox DR, J R Stat Soc B 1972;34:187, doi:10.1111/j.2517-6161.1972.tb00899.x; Efron B, J Am Stat Assoc
1977;72:557, doi:10.1080/01621459.1977.10480613. Sums over risk sets are cumulative sums in order of
duration, so that one step costs n p^2.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.history import Floats

__all__ = ["Cox", "fit_cox"]

STEPS = 50


@dataclass(frozen=True, slots=True)
class Cox:
    """A fitted Cox model.

    Parameters
    ----------
    coefficient : (p,) array
        Log hazard ratios.
    times, hazard : (t,) arrays
        Event times in years, one per event and ascending, and what the cumulative baseline hazard
        gains there.
    """

    coefficient: Floats
    times: Floats
    hazard: Floats

    def increments(self, ends: Floats) -> Floats:
        """(m,) gain of the cumulative baseline hazard in intervals that end at `ends`."""
        gained = np.concatenate([[0.0], np.cumsum(self.hazard)])
        return np.diff(gained[np.searchsorted(self.times, ends, side="right")], prepend=0.0)


@dataclass(frozen=True, slots=True)
class _RiskSets:
    """Rows by falling duration, and for each event the share of its tie that has left already.

    Parameters
    ----------
    order : (n,) array of int
        Rows by falling duration.
    happened : (e,) array of int
        Rows with the event, by rising duration.
    followed : (e,) array of int
        How many rows of `order` are at risk at each event.
    tie : (e,) array of int
        Which tie each event belongs to.
    left : (e,) array
        Efron's share: 0 for the first of a tie, 1/d for the second of d.
    events_by : (n,) array of int
        Number of events up to each row's duration.
    """

    order: NDArray[np.int64]
    happened: NDArray[np.int64]
    followed: NDArray[np.int64]
    tie: NDArray[np.int64]
    left: Floats
    events_by: NDArray[np.int64]

    @classmethod
    def of(cls, duration: Floats, happened: NDArray[np.bool_]) -> "_RiskSets":
        order = np.argsort(-duration, kind="stable")
        rows = np.flatnonzero(happened)
        rows = rows[np.argsort(duration[rows], kind="stable")]
        times = duration[rows]
        _, first, tie, size = np.unique(
            times, return_index=True, return_inverse=True, return_counts=True
        )
        left = (np.arange(rows.size) - first[tie]) / size[tie]
        followed = np.searchsorted(-duration[order], -times, side="right")
        events_by = np.searchsorted(times, duration, side="right")
        return cls(order, rows, followed, tie, left, events_by)


def fit_cox(
    design: Floats, duration_years: Floats, happened: NDArray[np.bool_], *, penalty: float = 0.0
) -> Cox:
    """Cox model of one cause; other causes end follow-up as censoring does.

    Parameters
    ----------
    design : (n, p) array
        Features, none missing.
    duration_years : (n,) array
    happened : (n,) array of bool
        Whether the cause was observed at the end of the duration; one at least.
    penalty
        Half of it times the squared coefficients is taken from the partial log-likelihood.
    """
    sets = _RiskSets.of(duration_years, happened)
    beta = np.zeros(design.shape[1])
    loss, gradient, hessian = _terms(beta, design, sets, penalty)
    for _ in range(STEPS):
        step = np.linalg.solve(hessian, gradient)
        share = 1.0
        while True:
            new = _terms(beta - share * step, design, sets, penalty)
            if new[0] <= loss + 1e-9 * abs(loss) or share < 1e-6:
                break
            share /= 2.0
        beta = beta - share * step
        loss, gradient, hessian = new
        if np.abs(share * step).max(initial=0.0) < 1e-9:
            break
    at_risk, _ = _sums(np.exp(design @ beta), design, sets)
    return Cox(beta, duration_years[sets.happened], 1.0 / at_risk)


def _sums(ratio: Floats, design: Floats, sets: _RiskSets) -> tuple[Floats, Floats]:
    """(e,) hazard ratios at risk at each event, and (e, p) the features weighted by them."""
    weighted = np.column_stack([ratio, ratio[:, None] * design])
    cumulated = np.cumsum(weighted[sets.order], axis=0)[sets.followed - 1]
    tied = np.zeros((sets.tie[-1] + 1, weighted.shape[1]))
    np.add.at(tied, sets.tie, weighted[sets.happened])
    total = cumulated - sets.left[:, None] * tied[sets.tie]
    return total[:, 0], total[:, 1:]


def _terms(
    beta: Floats, design: Floats, sets: _RiskSets, penalty: float
) -> tuple[float, Floats, Floats]:
    """Penalised negative partial log-likelihood, its gradient and Hessian."""
    predictor = design @ beta
    ratio = np.exp(predictor)
    at_risk, features = _sums(ratio, design, sets)
    mean = features / at_risk[:, None]
    loss = float(np.log(at_risk).sum() - predictor[sets.happened].sum())
    gradient = mean.sum(axis=0) - design[sets.happened].sum(axis=0)
    # Every row counts in the risk sets of the events up to its duration; those of its own tie,
    # where it had the event too, only as far as it has not left.
    passed = np.concatenate([[0.0], np.cumsum(1.0 / at_risk)])[sets.events_by]
    gone = np.bincount(sets.tie, sets.left / at_risk)
    passed[sets.happened] -= gone[sets.tie]
    hessian = design.T @ ((ratio * passed)[:, None] * design) - mean.T @ mean
    return (
        loss + 0.5 * penalty * float(beta @ beta),
        gradient + penalty * beta,
        hessian + penalty * np.eye(beta.size),
    )
