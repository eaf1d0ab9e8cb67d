"""Agreement of predicted risks with what happened: on average, and from low to high."""

from dataclasses import dataclass, replace

import numpy as np

from training.metrics.aalen_johansen import observed_risk
from training.metrics.binning import binned, blocks
from training.metrics.censoring import FLOOR, IpcwWeights, ipcw_weights, unknowable
from training.metrics.estimate import Estimate, FloatArray, IntArray
from training.metrics.links import LINKS, Link, LinkName
from training.metrics.timeline import Timeline, checked_risk

_ITERATIONS = 50
_TOLERANCE = 1e-9


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
    if observed.value == 0 or observed.standard_error is None:
        nobody = f"no progression is observed by {horizon_years:g} years"
        return MeanCalibration(observed, expected, Estimate.none(nobody))
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
    reason = unknowable(w) or _unlinkable(w, checked_risk(risk, w.timeline.size), link)
    if reason is not None:
        return WeakCalibration(Estimate.none(reason), Estimate.none(reason))
    line = _Line.of(w, np.asarray(risk, dtype=np.float64), LINKS[link])
    near = line.binned()
    intercept = line.fit(near, slope=False, level=level, cluster=cluster)
    if np.ptp(line.x) == 0:
        return WeakCalibration(intercept, Estimate.none("all predicted risks are equal"))
    return WeakCalibration(intercept, line.fit(near, slope=True, level=level, cluster=cluster))


def _unlinkable(weights: IpcwWeights, risk: FloatArray, link: LinkName) -> str | None:
    used = risk[weights.weights > 0]
    if ((used <= 0) | (used >= 1)).any():
        return f"a predicted risk of exactly 0 or 1 has no {link}"
    return None


@dataclass(frozen=True, slots=True)
class _Line:
    """The regression of the outcome on the linked risk, solved by Fisher scoring."""

    weights: IpcwWeights
    used: IntArray
    x: FloatArray
    outcome: FloatArray
    weight: FloatArray
    link: Link

    @classmethod
    def of(cls, weights: IpcwWeights, risk: FloatArray, link: Link) -> "_Line":
        used = np.flatnonzero(weights.weights > 0)
        outcome = weights.case[used].astype(np.float64)
        return cls(weights, used, link.forward(risk[used]), outcome, weights.weights[used], link)

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
        a, b, score, information = found
        influence = self._influence(score, information, slope=slope)
        return Estimate.from_influence(b if slope else a, influence, level=level, cluster=cluster)

    def _solve(
        self, start: tuple[float, float], *, slope: bool
    ) -> tuple[float, float, FloatArray, FloatArray] | None:
        """Intercept and slope, with score and information of each subject there."""
        a, b = start
        for _ in range(_ITERATIONS):
            score, information = self._working(a, b)
            step = _step(score, information, self.x, slope=slope)
            if step is None:
                return None
            a, b = a + step[0], b + step[1]
            if abs(step[0]) + abs(step[1]) < _TOLERANCE * (1 + abs(a) + abs(b)):
                return a, b, score, information
        return None

    def _working(self, a: float, b: float) -> tuple[FloatArray, FloatArray]:
        """Score and information of each subject at an intercept and slope."""
        score, information = np.empty_like(self.x), np.empty_like(self.x)
        for part in blocks(self.x.size):
            risk, gradient = self.link.backward(a + b * self.x[part])
            risk = np.clip(risk, 1e-300, 1 - 1e-16)
            tilt = self.weight[part] * gradient / (risk * (1 - risk))
            score[part] = (self.outcome[part] - risk) * tilt
            information[part] = gradient * tilt
        return score, information

    def _influence(self, score: FloatArray, information: FloatArray, *, slope: bool) -> FloatArray:
        total = float(information.sum())
        if slope:
            centred = self.x - float(information @ self.x) / total
            own = score * centred / float((information * centred) @ centred)
        else:
            own = score / total
        contribution = np.zeros(self.weights.timeline.size)
        contribution[self.used] = own * contribution.size
        return self.weights.with_censoring_influence(contribution)


def _step(
    score: FloatArray, information: FloatArray, x: FloatArray, *, slope: bool
) -> tuple[float, float] | None:
    total, pull = float(information.sum()), float(score.sum())
    if not slope:
        return (pull / total, 0.0) if total > 0 else None
    weighted = information * x
    first, second = float(weighted.sum()), float(weighted @ x)
    determinant = total * second - first**2
    if not determinant > 0:
        return None
    tilt = float(score @ x)
    step = (second * pull - first * tilt) / determinant, (total * tilt - first * pull) / determinant
    return step if np.isfinite(step).all() else None
