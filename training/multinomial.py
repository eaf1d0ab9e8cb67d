"""Multinomial regression of person-periods: each interval ends in nothing, progression or death."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.history import Floats
from training.metrics.timeline import DEATH, PROGRESSION
from training.person_periods import PersonPeriods

__all__ = ["Hazards", "fit_hazards"]

STEPS = 50
CONVERGED = 1e-6
"""Largest step after which none follows: the next would be of the order of its square."""
CAUSES = (PROGRESSION, DEATH)
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
    start: Hazards | None = None,
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
    start
        Where to begin: what a fit of the same designs found; the crude rates when None. It saves
        steps and changes nothing.
    """
    problem = _Problem.of(designs, periods, penalty, offset)
    theta = problem.crude() if start is None else problem.joined(start)
    loss, gradient, hessian = problem.terms(theta)
    free = problem.free
    for _ in range(STEPS):
        step = np.zeros_like(theta)
        step[free] = np.linalg.solve(hessian[np.ix_(free, free)], gradient[free])
        share = 1.0
        while True:
            tried = theta - share * step
            new = problem.terms(tried)
            if new[0] <= loss + 1e-9 * abs(loss) or share < 1e-6:
                break
            share /= 2.0
        theta, (loss, gradient, hessian) = tried, new
        if np.abs(share * step).max() < CONVERGED:
            break
    return problem.split(theta)


@dataclass(frozen=True, slots=True)
class _Problem:
    """One likelihood to be minimised over log baselines and coefficients.

    Parameters
    ----------
    designs, periods
        As for `fit_hazards`.
    known : (2, n) array
        Known part of the log rates.
    events : (2, m) array
        Of each cause in each interval.
    ridge : (k, k) array
        Quadratic form of the penalty on all parameters: both baselines, then both coefficients.
    linear : (k,) array
        What the events contribute to the log-likelihood, which is linear in the parameters.
    free : (k,) array of bool
        Parameters of causes that happen.
    """

    designs: tuple[Floats, Floats]
    periods: PersonPeriods
    known: Floats
    events: Floats
    ridge: Floats
    linear: Floats
    free: NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        designs: tuple[Floats, Floats],
        periods: PersonPeriods,
        penalty: float,
        offset: Floats | None,
    ) -> "_Problem":
        intervals, n = periods.weight.shape
        sizes = [intervals, intervals, designs[0].shape[1], designs[1].shape[1]]
        events = np.stack([periods.events(cause) for cause in CAUSES])
        of_features = [
            design[periods.cause == cause].sum(axis=0)
            for design, cause in zip(designs, CAUSES, strict=True)
        ]
        return cls(
            designs,
            periods,
            np.zeros((2, n)) if offset is None else offset,
            events,
            _penalty(intervals, sizes[2] + sizes[3], penalty),
            np.concatenate([events.ravel(), *of_features]),
            np.repeat(np.tile(events.any(axis=1), 2), sizes),
        )

    def crude(self) -> Floats:
        """Parameters of the crude rates."""
        at_risk = self.periods.weight.sum(axis=1)
        rates = np.log((self.events + 0.5) / (at_risk + 1.0))
        rates[~self.events.any(axis=1)] = NEVER
        theta = np.zeros(len(self.ridge))
        theta[: rates.size] = rates.ravel()
        return theta

    def joined(self, hazards: Hazards) -> Floats:
        """Parameters one behind the other."""
        return np.concatenate([hazards.baseline.ravel(), *hazards.coefficient])

    def split(self, theta: Floats) -> Hazards:
        """Parameters by name."""
        baselines, one, other = np.split(
            theta, np.cumsum([self.events.size, self.designs[0].shape[1]])
        )
        return Hazards(baselines.reshape(2, -1), (one, other))

    def terms(self, theta: Floats) -> tuple[float, Floats, Floats]:
        """Penalised negative log-likelihood, its gradient and Hessian."""
        at = self.split(theta)
        baseline = np.exp(at.baseline)[:, :, None]
        loss = 0.0
        gradient, hessian = np.zeros_like(theta), np.zeros_like(self.ridge)
        for rows in self.periods.blocks():
            designs = tuple(design[rows] for design in self.designs)
            rates = self.known[:, rows] + np.stack([designs[c] @ at.coefficient[c] for c in (0, 1)])
            chance = baseline * np.exp(rates)[:, None]
            total = 1.0 + chance[0] + chance[1]
            weight = self.periods.weight[:, rows]
            chance /= total
            loss += float(np.vdot(weight, np.log(total)))
            expected = weight * chance
            gradient += _against(designs, expected)
            hessian += _curvature(designs, expected, chance)
        loss -= float(self.linear @ theta)
        loss -= sum(float(self.known[c, self.periods.cause == CAUSES[c]].sum()) for c in (0, 1))
        pull = self.ridge @ theta
        return loss + 0.5 * float(theta @ pull), gradient - self.linear + pull, hessian + self.ridge


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


def _against(designs: tuple[Floats, ...], expected: Floats) -> Floats:
    """Sums of a (2, m, n) array over rows, and over rows weighted by their features."""
    by_row = expected.sum(axis=1)
    return np.concatenate([expected.sum(axis=2).ravel(), *(by_row[c] @ designs[c] for c in (0, 1))])


def _curvature(designs: tuple[Floats, ...], expected: Floats, chance: Floats) -> Floats:
    """Second derivatives in blocks of (baselines of both causes, coefficients of both)."""
    blocks: list[list[Floats]] = [[np.empty(0)] * 4 for _ in range(4)]
    for c, d in ((0, 0), (0, 1), (1, 1)):
        curvature = expected[c] * ((c == d) - chance[d])
        blocks[c][d] = np.diag(curvature.sum(axis=1))
        blocks[c][2 + d] = curvature @ designs[d]
        blocks[d][2 + c] = blocks[c][2 + d] if c == d else curvature @ designs[c]
        blocks[2 + c][2 + d] = designs[c].T @ (curvature.sum(axis=0)[:, None] * designs[d])
    for c in range(4):
        for d in range(c):
            blocks[c][d] = blocks[d][c].T
    return np.block(blocks)
