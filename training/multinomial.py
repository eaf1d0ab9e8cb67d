"""Multinomial regression of person-periods: each interval ends in nothing, progression or death."""

from dataclasses import dataclass

import numpy as np

from features.history import Floats
from training.person_periods import PersonPeriods

__all__ = ["Hazards", "fit_hazards"]

STEPS = 50
SMOOTHING = 1.0
"""Precision of the steps of the log baseline between intervals: one without an event leans on its
neighbours instead of running off to minus infinity."""

NEVER = -40.0
"""Log rate of a cause that is not on record at all, as deaths are not in the PANGEA file."""


@dataclass(frozen=True, slots=True)
class Hazards:
    """Fitted multinomial: log baselines (2, m) and coefficients of each cause."""

    baseline: Floats
    coefficient: tuple[Floats, Floats]


def fit_hazards(
    designs: tuple[Floats, Floats],
    periods: PersonPeriods,
    *,
    penalty: float,
    offset: Floats | None = None,
) -> Hazards:
    """Ridge-penalised multinomial logistic regression of person-periods, by Newton's method.

    A cause without an event is held at no rate.

    Parameters
    ----------
    designs
        Standardised features of progression (n, p) and of death (n, q); either may have none.
    periods
        Weights and outcomes.
    penalty
        Half of it times the squared coefficients is added to the negative log-likelihood.
    offset : (2, n) array
        Known part of the log rates.
    """
    known = np.zeros((2, len(periods.weight))) if offset is None else offset
    intervals = periods.weight.shape[1]
    sizes = [intervals, intervals, designs[0].shape[1], designs[1].shape[1]]
    cuts = np.cumsum(sizes)[:-1]
    ridge = _penalty(intervals, sizes[2] + sizes[3], penalty)
    crude = (periods.outcome * periods.weight).sum(axis=1) + 0.5
    start = np.log(crude / (periods.weight.sum(axis=0) + 1.0))
    happens = periods.outcome.any(axis=(1, 2))
    start[~happens] = NEVER
    free = np.repeat(np.tile(happens, 2), sizes)
    theta = np.concatenate([start.ravel(), np.zeros(sizes[2] + sizes[3])])
    loss, gradient, hessian = _newton_terms(theta, cuts, designs, periods, known, ridge)
    for _ in range(STEPS):
        step = np.zeros_like(theta)
        step[free] = np.linalg.solve(hessian[np.ix_(free, free)], gradient[free])
        share = 1.0
        while True:
            tried = theta - share * step
            new = _newton_terms(tried, cuts, designs, periods, known, ridge)
            if new[0] <= loss + 1e-9 * abs(loss) or share < 1e-6:
                break
            share /= 2.0
        theta, (loss, gradient, hessian) = tried, new
        if np.abs(share * step).max() < 1e-8:
            break
    first, second, one, other = np.split(theta, cuts)
    return Hazards(np.stack([first, second]), (one, other))


def _penalty(intervals: int, coefficients: int, penalty: float) -> Floats:
    """Quadratic form of the penalty: smooth baselines, small coefficients."""
    steps = np.diff(np.eye(intervals), axis=0)
    smooth = SMOOTHING * steps.T @ steps
    form = np.zeros((2 * intervals + coefficients,) * 2)
    form[:intervals, :intervals] = form[intervals : 2 * intervals, intervals : 2 * intervals] = (
        smooth
    )
    np.fill_diagonal(form[2 * intervals :, 2 * intervals :], penalty)
    return form


def _newton_terms(
    theta: Floats,
    cuts: Floats,
    designs: tuple[Floats, Floats],
    periods: PersonPeriods,
    offset: Floats,
    ridge: Floats,
) -> tuple[float, Floats, Floats]:
    """Penalised negative log-likelihood, its gradient and Hessian."""
    first, second, *coefficients = np.split(theta, cuts)
    known = [offset[c] + designs[c] @ coefficients[c] for c in (0, 1)]
    rates = np.exp(np.stack([known[0][:, None] + first, known[1][:, None] + second]))
    chance = rates / (1.0 + rates.sum(axis=0))
    weight, outcome = periods.weight, periods.outcome
    log_chance = np.where(outcome > 0, np.log(chance), 0.0).sum(axis=0)
    stays = np.where(outcome.sum(axis=0) > 0, 0.0, -np.log1p(rates.sum(axis=0)))
    loss = -float((weight * (log_chance + stays)).sum()) + 0.5 * float(theta @ ridge @ theta)
    residual = weight * (chance - outcome)
    gradient = np.concatenate(
        [
            residual.sum(axis=1).ravel(),
            designs[0].T @ residual[0].sum(axis=1),
            designs[1].T @ residual[1].sum(axis=1),
        ]
    )
    return loss, gradient + ridge @ theta, _hessian(designs, weight, chance) + ridge


def _hessian(designs: tuple[Floats, Floats], weight: Floats, chance: Floats) -> Floats:
    """Second derivatives in blocks of (baselines of both causes, coefficients of both)."""
    blocks: list[list[Floats]] = [[np.empty(0)] * 4 for _ in range(4)]
    for c in (0, 1):
        for d in (0, 1):
            curvature = weight * chance[c] * ((c == d) - chance[d])
            by_row = curvature.sum(axis=1)
            blocks[c][d] = np.diag(curvature.sum(axis=0))
            blocks[c][2 + d] = curvature.T @ designs[d]
            blocks[2 + d][c] = blocks[c][2 + d].T
            blocks[2 + c][2 + d] = designs[c].T @ (by_row[:, None] * designs[d])
    return np.block(blocks)
