"""Calibration curve: the observed risk as a smooth function of the predicted one, and its band."""

from dataclasses import dataclass

import numpy as np

from training.metrics.aalen_johansen import observed_risk, pseudo_values
from training.metrics.binning import binned
from training.metrics.blocks import blocks
from training.metrics.censoring import follow_up_too_short
from training.metrics.clusters import codes_of
from training.metrics.discrimination import Ranking
from training.metrics.estimate import Estimate, FloatArray, IntArray, normal_quantile
from training.metrics.links import LINKS
from training.metrics.timeline import PROGRESSION, Timeline, checked_risk

# Harrell 2015 (doi:10.1007/978-3-319-19425-7), table 2.3: quantiles for four knots.
KNOT_QUANTILES = (0.05, 0.35, 0.65, 0.95)
# A curve of four coefficients from fewer progressions would follow noise.
MIN_EVENTS = 10
_GRID = 101
_ITERATIONS = 100
_TOLERANCE = 1e-6
# A sum of squares is known to about this factor: a step must not be refused for less.
_ROUNDING = 1 + 1e-12
_SINGULAR = 1e14
_HALVINGS = 30
_CLOGLOG = LINKS["cloglog"]


@dataclass(frozen=True, slots=True)
class CalibrationCurve:
    """Smooth observed risk by predicted risk, and how far apart they are.

    Parameters
    ----------
    predicted
        (g,) predicted risks from the 1st to the 99th percentile.
    observed, lower, upper
        (g,) observed risk there, with its pointwise confidence band.
    ici
        Integrated calibration index: mean absolute difference of predicted and observed.
    e50, e90
        Median and 90th percentile of that difference (Austin & Steyerberg 2019,
        doi:10.1002/sim.8281; with competing risks Austin 2022, doi:10.1186/s41512-021-00114-6).
    reason
        Why there is no curve, or None.
    """

    predicted: FloatArray
    observed: FloatArray
    lower: FloatArray
    upper: FloatArray
    ici: Estimate
    e50: Estimate
    e90: Estimate
    reason: str | None = None

    @classmethod
    def none(cls, reason: str) -> "CalibrationCurve":
        """No curve, and why."""
        empty, none = np.empty(0), Estimate.none(reason)
        return cls(empty, empty, empty, empty, none, none, none, reason)


@dataclass(frozen=True, slots=True)
class RiskGroup:
    """Subjects with similar predicted risks.

    Parameters
    ----------
    subjects, events
        Number of subjects, and of progressions by the horizon among them.
    predicted
        Their mean predicted risk.
    observed
        Their observed risk (Aalen–Johansen).
    """

    subjects: int
    events: int
    predicted: float
    observed: Estimate


def calibration_curve(
    duration_years: FloatArray,
    event: IntArray,
    risk: FloatArray,
    horizon_years: float,
    *,
    timeline: Timeline | None = None,
    pseudo: FloatArray | None = None,
    ranking: Ranking | None = None,
    linked: FloatArray | None = None,
    level: float = 0.95,
    cluster: IntArray | None = None,
) -> CalibrationCurve:
    """Observed risk as a smooth function of predicted risk, from jackknife pseudo-values.

    Parameters
    ----------
    duration_years, event
        (n,) years to the event or the end of follow-up; 0 censored, 1 progression, 2 death first.
    risk, horizon_years
        (n,) predicted risks within 0–1, by this horizon.
    timeline
        The same outcomes arranged already.
    pseudo
        (n,) pseudo-values of this sample at this horizon, to share them between models.
    ranking
        `risk` ranked already.
    linked
        (n,) `risk` on the complementary log-log scale already.
    level
        Confidence level of the pointwise band within 0–1.
    cluster
        (n,) codes 0 … k-1 of rows that belong together.

    Notes
    -----
    Estimating equations with complementary log-log link and constant variance (Klein & Andersen
    2005, doi:10.1111/j.0006-341X.2005.031209.x; van Geloven 2022, doi:10.1136/bmj-2021-069249) on
    a restricted cubic spline of the linked risk with four knots; the band is of the sandwich kind.
    Up to four distinct risks (a rule's groups) are compared level by level instead.
    """
    line = Timeline.of(duration_years, event) if timeline is None else timeline
    values = checked_risk(risk, line.size)
    rank = ranking or Ranking.of(values)
    reason = _no_curve(line, rank, horizon_years)
    if reason is not None:
        return CalibrationCurve.none(reason)
    target = (
        pseudo_values(duration_years, event, horizon_years, timeline=line)
        if pseudo is None
        else pseudo
    )
    if _by_groups(rank):
        return _by_level(values, target, rank, level, cluster)
    return _by_spline(values, target, rank, linked, level, cluster)


def calibration_groups(
    duration_years: FloatArray,
    event: IntArray,
    risk: FloatArray,
    horizon_years: float,
    *,
    groups: int = 10,
    timeline: Timeline | None = None,
    level: float = 0.95,
    cluster: IntArray | None = None,
) -> list[RiskGroup]:
    """Observed risk in groups of similar predicted risk, lowest first.

    Parameters
    ----------
    duration_years, event
        (n,) years to the event or the end of follow-up; 0 censored, 1 progression, 2 death first.
    risk
        (n,) predicted risks within 0–1; equal risks stay together.
    horizon_years
        The horizon.
    groups
        At most this many groups, of about equal size.
    timeline
        The same outcomes arranged already.
    level
        Confidence level within 0–1.
    cluster
        (n,) codes 0 … k-1 of rows that belong together.
    """
    line = Timeline.of(duration_years, event) if timeline is None else timeline
    values = checked_risk(risk, line.size)
    edges = np.unique(np.quantile(values, np.linspace(0, 1, groups + 1)[1:-1]))
    member = np.searchsorted(edges, values, side="left")
    by_horizon = (line.event == PROGRESSION) & (line.step < line.steps_until(horizon_years))
    result = []
    for group in np.unique(member):
        chosen = member == group
        part = line.part(chosen)
        result.append(
            RiskGroup(
                subjects=int(chosen.sum()),
                events=int(by_horizon[chosen].sum()),
                predicted=float(values[chosen].mean()),
                observed=observed_risk(
                    part, horizon_years, level=level, cluster=codes_of(cluster, chosen)
                ),
            )
        )
    return result


def _no_curve(line: Timeline, ranking: Ranking, horizon_years: float) -> str | None:
    short = follow_up_too_short(line, horizon_years)
    if short is not None:
        return short
    by_horizon = line.step < line.steps_until(horizon_years)
    events = int(((line.event == PROGRESSION) & by_horizon).sum())
    if events < MIN_EVENTS:
        return f"{events} progressions by {horizon_years:g} years; a curve needs {MIN_EVENTS}"
    certain = ranking.ordered[0] <= 0 or ranking.ordered[-1] >= 1
    if certain and not _by_groups(ranking):
        return "a predicted risk of exactly 0 or 1 has no cloglog"
    return None


def _by_groups(ranking: Ranking) -> bool:
    """Whether there are too few distinct risks for a curve, as of a rule."""
    return ranking.levels <= len(KNOT_QUANTILES)


def _by_level(
    risk: FloatArray,
    target: FloatArray,
    ranking: Ranking,
    level: float,
    cluster: IntArray | None,
) -> CalibrationCurve:
    member, levels = ranking.level, np.unique(ranking.ordered)
    size = np.bincount(member, minlength=levels.size)
    mean = np.bincount(member, weights=target, minlength=levels.size) / size
    apart = target - mean[member]
    squares = _squares(member, apart, levels.size, cluster)
    half = normal_quantile(level) * np.sqrt(squares) / size
    observed = np.clip(mean, 0.0, 1.0)
    return _distances(
        (levels, observed, np.clip(mean - half, 0, 1), np.clip(mean + half, 0, 1)),
        np.abs(observed[member] - risk),
    )


def _squares(
    member: IntArray, apart: FloatArray, levels: int, cluster: IntArray | None
) -> FloatArray:
    """(levels,) sums of squares of the rows' distances, or of those of each cluster together."""
    if cluster is None:
        return np.bincount(member, weights=apart**2, minlength=levels).astype(np.float64)
    cells = (int(cluster.max()) + 1) * levels
    sums = np.bincount(cluster * levels + member, weights=apart, minlength=cells)
    return np.asarray((sums.reshape(-1, levels) ** 2).sum(axis=0), dtype=np.float64)


def _by_spline(
    risk: FloatArray,
    target: FloatArray,
    ranking: Ranking,
    linked: FloatArray | None,
    level: float,
    cluster: IntArray | None,
) -> CalibrationCurve:
    eta = _CLOGLOG.forward(risk) if linked is None else linked
    knots = ranking.quantiles(KNOT_QUANTILES, _CLOGLOG.forward)
    if (np.diff(knots) <= 0).any():
        return CalibrationCurve.none("too many equal risks for a smooth curve")
    basis = np.empty((knots.size, eta.size))
    for part in blocks(eta.size):
        basis[:, part] = restricted_cubic(eta[part], knots)
    found = _solve(basis, target, _start(eta, target, knots))
    if found is None:
        return CalibrationCurve.none("the smooth calibration curve does not converge")
    beta, fitted, slope = found
    bread = np.linalg.inv(_products(basis, slope))
    slope *= target - fitted
    covariance = bread @ _scores_squared(basis, slope, cluster) @ bread
    ends = ranking.quantiles((0.01, 0.99))
    grid = np.linspace(ends[0], ends[1], _GRID, dtype=np.float64)
    at_grid = restricted_cubic(_CLOGLOG.forward(grid), knots)
    middle = beta @ at_grid
    variance = np.einsum("ji,jk,ki->i", at_grid, covariance, at_grid)
    half = normal_quantile(level) * np.sqrt(np.maximum(variance, 0))
    observed, lower, upper = (
        _CLOGLOG.backward(line)[0] for line in (middle, middle - half, middle + half)
    )
    return _distances((grid, observed, lower, upper), np.abs(fitted - risk))


def restricted_cubic(x: FloatArray, knots: FloatArray) -> FloatArray:
    """Basis of a cubic spline that is linear beyond the outer knots, (number of knots, n).

    Rows: 1, x and one per inner interval, scaled by the squared range of the knots
    (Harrell 2015, equation 2.25).
    """
    scale = (knots[-1] - knots[0]) ** 2
    last, before = knots[-1], knots[-2]
    end, almost = _cubed(x - last), _cubed(x - before)
    rows = np.empty((knots.size, x.size))
    rows[0], rows[1] = 1.0, x
    for row, knot in zip(rows[2:], knots[:-2], strict=True):
        row[:] = _cubed(x - knot)
        row -= almost * ((last - knot) / (last - before))
        row += end * ((before - knot) / (last - before))
        row /= scale
    return rows


def _cubed(x: FloatArray) -> FloatArray:
    positive = np.maximum(x, 0.0)
    return positive * positive * positive


def _start(eta: FloatArray, target: FloatArray, knots: FloatArray) -> FloatArray:
    straight = np.zeros(knots.size)
    straight[1] = 1.0
    bins = binned(eta, None, target)
    if bins is None:
        return straight
    x, subjects, mean = bins
    near = _solve(restricted_cubic(x, knots), mean, straight, subjects)
    return straight if near is None else near[0]


def _solve(
    basis: FloatArray, target: FloatArray, start: FloatArray, weight: FloatArray | None = None
) -> tuple[FloatArray, FloatArray, FloatArray] | None:
    """Least squares of target ≈ 1 - exp(-exp(beta @ basis)) by Newton with halved steps.

    Returns
    -------
    beta, and the fitted risk of each subject with its derivative; None without a minimum.
    """
    beta = start
    fitted, slope = _fitted(basis, beta)
    loss = _loss(target - fitted, weight)
    for _ in range(_ITERATIONS):
        step = _newton_step(basis, target - fitted, fitted, slope, weight)
        if step is None:
            return None
        if float(np.abs(step).max()) < _TOLERANCE * (1 + float(np.abs(beta).max())):
            # What is left after so small a step is of the order of its square.
            return beta + step, fitted + slope * (step @ basis), slope
        for halving in range(_HALVINGS):
            trial = beta + step / 2**halving
            tried = _fitted(basis, trial)
            now = _loss(target - tried[0], weight)
            if now <= loss * _ROUNDING:
                break
        else:
            # No shorter step is any better: this is the minimum to the last digit.
            return beta, fitted, slope
        beta, (fitted, slope), loss = trial, tried, now
    return None


def _fitted(basis: FloatArray, beta: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Risk of each subject, and its derivative."""
    fitted, slope = np.empty(basis.shape[1]), np.empty(basis.shape[1])
    for part in blocks(fitted.size):
        fitted[part], slope[part] = _CLOGLOG.backward(beta @ basis[:, part])
    return fitted, slope


def _newton_step(
    basis: FloatArray,
    residual: FloatArray,
    fitted: FloatArray,
    slope: FloatArray,
    weight: FloatArray | None,
) -> FloatArray | None:
    pull, curved = np.zeros(basis.shape[0]), np.zeros((basis.shape[0],) * 2)
    for part in blocks(residual.size):
        rows, apart, steep = basis[:, part], residual[part], slope[part]
        hazard = steep / np.maximum(1 - fitted[part], np.finfo(np.float64).tiny)
        bend = steep - apart * (1 - hazard)
        steep = steep if weight is None else steep * weight[part]
        pull += rows @ (apart * steep)
        curved += (rows * (steep * bend)) @ rows.T
    if float(np.linalg.eigvalsh(curved)[0]) <= 0:
        # Far from the minimum the surface may curve the other way; Gauss–Newton always descends.
        curved = _products(basis, slope if weight is None else slope * np.sqrt(weight))
        if np.linalg.cond(curved) > _SINGULAR:
            return None
    return np.asarray(np.linalg.solve(curved, pull), np.float64)


def _products(basis: FloatArray, factor: FloatArray) -> FloatArray:
    """Sums of products of every two rows of the basis times a factor, (rows, rows)."""
    total = np.zeros((basis.shape[0],) * 2)
    for part in blocks(factor.size):
        rows = basis[:, part] * factor[part]
        total += rows @ rows.T
    return total


def _scores_squared(basis: FloatArray, factor: FloatArray, cluster: IntArray | None) -> FloatArray:
    """Sum over the rows, or clusters, of the products of their scores: the sandwich's filling."""
    if cluster is None:
        return _products(basis, factor)
    sums = np.array([np.bincount(cluster, weights=row * factor) for row in basis])
    return np.asarray(sums @ sums.T, dtype=np.float64)


def _loss(residual: FloatArray, weight: FloatArray | None) -> float:
    return float(residual @ (residual if weight is None else residual * weight))


def _distances(
    curve: tuple[FloatArray, FloatArray, FloatArray, FloatArray],
    distance: FloatArray,
) -> CalibrationCurve:
    median, ninetieth = np.quantile(distance, (0.5, 0.9))
    return CalibrationCurve(
        *curve,
        ici=Estimate(float(distance.mean())),
        e50=Estimate(float(median)),
        e90=Estimate(float(ninetieth)),
    )
