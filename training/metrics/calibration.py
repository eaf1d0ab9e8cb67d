"""Agreement of predicted risks with what happened: on average, and from low to high."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from training.metrics.aalen_johansen import observed_risk
from training.metrics.binning import binned
from training.metrics.blocks import blocks
from training.metrics.censoring import FLOOR, IpcwWeights, ipcw_weights, unknowable
from training.metrics.estimate import Estimate, FloatArray, IntArray
from training.metrics.links import LINKS, Link, LinkName
from training.metrics.timeline import Timeline, checked_risk

_ITERATIONS = 50
# Each step leaves a small share of the error before it.
_TOLERANCE = 1e-8


@dataclass(frozen=True, slots=True)
class MeanCalibration:
    """Observed risk, mean predicted risk and their ratio.

    Parameters
    ----------
    observed
        Aalen–Johansen risk of progression by the horizon.
    predicted
        Mean predicted risk.
    ratio
        Observed over expected (O/E): 1 agrees, above 1 the model predicts too little.
    """

    observed: Estimate
    predicted: float
    ratio: Estimate


@dataclass(frozen=True, slots=True)
class WeakCalibration:
    """Calibration as a straight line on a link scale.

    Parameters
    ----------
    intercept
        Shift that would bring predictions to the right level, slope held at 1; 0 is right,
        above 0 the model predicts too little.
    slope
        Below 1 the predictions are too extreme (an overfit model), above 1 too timid.
    """

    intercept: Estimate
    slope: Estimate


def mean_calibration(
    duration_years: FloatArray,
    event: IntArray,
    risk: FloatArray,
    horizon_years: float,
    *,
    timeline: Timeline | None = None,
    observed: Estimate | None = None,
    level: float = 0.95,
) -> MeanCalibration:
    """Observed over expected risk at the horizon.

    Parameters
    ----------
    duration_years, event
        (n,) years to the event or the end of follow-up; 0 censored, 1 progression, 2 death first.
    risk, horizon_years
        (n,) predicted risks within 0–1, by this horizon.
    timeline
        The same outcomes arranged already.
    observed
        Their observed risk at this horizon, to share it between models.
    level
        Confidence level within 0–1; the interval is symmetric for log O/E.
    """
    line = Timeline.of(duration_years, event) if timeline is None else timeline
    expected = float(checked_risk(risk, line.size).mean())
    if observed is None:
        observed = observed_risk(line, horizon_years, level=level)
    if observed.value is None or observed.reason is not None:
        return MeanCalibration(observed, expected, Estimate.none(str(observed.reason)))
    if expected == 0:
        return MeanCalibration(observed, expected, Estimate.none("every predicted risk is 0"))
    if observed.value == 0:
        nobody = f"no progression is observed by {horizon_years:g} years"
        return MeanCalibration(observed, expected, Estimate.none(nobody))
    if observed.standard_error is None:
        # Landmarks of one person alone.
        return MeanCalibration(observed, expected, Estimate(observed.value / expected))
    relative = observed.standard_error / observed.value
    ratio = Estimate.ratio(observed.value / expected, relative, level=level)
    return MeanCalibration(observed, expected, ratio)


def weak_calibration(
    duration_years: FloatArray,
    event: IntArray,
    risk: FloatArray,
    horizon_years: float,
    *,
    link: LinkName = "cloglog",
    linked: FloatArray | None = None,
    weights: IpcwWeights | None = None,
    floor: float = FLOOR,
    level: float = 0.95,
    cluster: IntArray | None = None,
) -> WeakCalibration:
    """Calibration intercept and slope of a weighted binomial regression on the predicted risk.

    Parameters
    ----------
    duration_years, event
        (n,) years to the event or the end of follow-up; 0 censored, 1 progression, 2 death first.
    risk, horizon_years
        (n,) predicted risks within 0–1, by this horizon.
    link
        `cloglog` suits hazards, `logit` suits classifiers; for rare events they agree.
    linked
        (n,) the risks on the link's scale, to share them with the calibration curve.
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
    Inverse-probability-of-censoring weighted; standard errors are of the sandwich kind with the
    estimated censoring distribution included. Hierarchy of calibration: Van Calster 2016,
    doi:10.1016/j.jclinepi.2015.12.005.
    """
    w = weights or ipcw_weights(duration_years, event, horizon_years, floor=floor)
    values = checked_risk(risk, w.timeline.size)
    reason = unknowable(w) or _unlinkable(values[w.used], link)
    if reason is not None:
        return WeakCalibration(Estimate.none(reason), Estimate.none(reason))
    x = LINKS[link].forward(values[w.used]) if linked is None else linked[w.used]
    line = _Line(w, x, *w.known, LINKS[link])
    near = line.binned()
    intercept = line.fit(near, slope=False, level=level, cluster=cluster)
    if np.ptp(line.x) == 0:
        return WeakCalibration(intercept, Estimate.none("all predicted risks are equal"))
    return WeakCalibration(intercept, line.fit(near, slope=True, level=level, cluster=cluster))


def _unlinkable(risk: FloatArray, link: LinkName) -> str | None:
    if risk.min() > 0 and risk.max() < 1:
        return None
    return f"a predicted risk of exactly 0 or 1 has no {link}"


class _Sums(NamedTuple):
    """Totals of score and information, and of both times the linked risk and its square."""

    score: float
    score_x: float
    information: float
    information_x: float
    information_xx: float


# Intercept and slope, with the score of each subject there and the totals.
_Solution = tuple[float, float, FloatArray, _Sums]


@dataclass(frozen=True, slots=True)
class _Line:
    """The regression of the outcome on the linked risk, solved by Fisher scoring."""

    weights: IpcwWeights
    x: FloatArray
    outcome: FloatArray
    weight: FloatArray
    link: Link

    def binned(self) -> "_Line | None":
        """Almost the same regression on few points, since it sees the linked risk alone."""
        bins = binned(self.x, self.weight, self.outcome)
        if bins is None:
            return None
        x, weight, outcome = bins
        return replace(self, x=x, outcome=outcome, weight=weight)

    def fit(
        self, near: "_Line | None", *, slope: bool, level: float, cluster: IntArray | None
    ) -> Estimate:
        """Intercept with the slope held at 1, or the slope; `near` gives the start."""
        start = None if near is None else near._solve((0.0, 1.0), slope=slope)
        found = self._solve((0.0, 1.0) if start is None else start[:2], slope=slope)
        if found is None:
            return Estimate.none("the calibration regression does not converge")
        a, b, score, sums = found
        influence = self._influence(score, sums, slope=slope)
        return Estimate.from_influence(b if slope else a, influence, level=level, cluster=cluster)

    def _solve(self, start: tuple[float, float], *, slope: bool) -> _Solution | None:
        """Intercept and slope where the score is 0."""
        a, b = start
        for _ in range(_ITERATIONS):
            score, sums = self._working(a, b)
            step = _step(sums, slope=slope)
            if step is None:
                return None
            a, b = a + step[0], b + step[1]
            if abs(step[0]) + abs(step[1]) < _TOLERANCE * (1 + abs(a) + abs(b)):
                return a, b, score, sums
        return None

    def _working(self, a: float, b: float) -> tuple[FloatArray, _Sums]:
        """Score of each subject at an intercept and slope, and the totals."""
        score, totals = np.empty_like(self.x), np.zeros(5)
        for part in blocks(self.x.size):
            x = self.x[part]
            risk, gradient = self.link.backward(a + b * x)
            tilt = self.weight[part] * self.link.tilt(risk, gradient)
            pull = np.multiply(self.outcome[part] - risk, tilt, out=score[part])
            information = gradient * tilt
            weighted = information * x
            totals += pull.sum(), pull @ x, information.sum(), weighted.sum(), weighted @ x
        return score, _Sums(*totals.tolist())

    def _influence(self, score: FloatArray, sums: _Sums, *, slope: bool) -> FloatArray:
        if slope:
            mean = sums.information_x / sums.information
            own = self.x - mean
            own *= score
            own /= sums.information_xx - mean * sums.information_x
        else:
            own = score / sums.information
        contribution = np.zeros(self.weights.timeline.size)
        own *= float(contribution.size)
        contribution[self.weights.used] = own
        return self.weights.with_censoring_influence(contribution)


def _step(sums: _Sums, *, slope: bool) -> tuple[float, float] | None:
    pull, tilt, total, first, second = sums
    if not slope:
        return (pull / total, 0.0) if total > 0 else None
    determinant = total * second - first**2
    if not determinant > 0:
        return None
    step = (second * pull - first * tilt) / determinant, (total * tilt - first * pull) / determinant
    return step if np.isfinite(step).all() else None
