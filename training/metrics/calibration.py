"""Agreement of predicted risks with what happened: on average, and from low to high."""

from dataclasses import dataclass

import numpy as np

from training.metrics.aalen_johansen import aalen_johansen
from training.metrics.censoring import FLOOR, IpcwWeights, ipcw_weights, unknowable
from training.metrics.estimate import Estimate, FloatArray, IntArray
from training.metrics.links import LINKS, Link, LinkName
from training.metrics.timeline import Timeline, checked_risk

_ITERATIONS = 50
_TOLERANCE = 1e-10


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
    duration_years
        (n,) years from the landmark to the event or the end of follow-up.
    event
        (n,) 0 censored, 1 progression, 2 death before progression.
    risk
        (n,) predicted risks within 0–1.
    horizon_years
        The horizon.
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
        curve = aalen_johansen(duration_years, event, timeline=line)
        observed = curve.at(horizon_years, level=level)
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
    duration_years
        (n,) years from the landmark to the event or the end of follow-up.
    event
        (n,) 0 censored, 1 progression, 2 death before progression.
    risk
        (n,) predicted risks within 0–1.
    horizon_years
        The horizon.
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
    intercept = line.fit(slope=False, level=level, cluster=cluster)
    used = line.eta[line.used]
    if np.ptp(used) == 0:
        return WeakCalibration(intercept, Estimate.none("all predicted risks are equal"))
    return WeakCalibration(intercept, line.fit(slope=True, level=level, cluster=cluster))


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
    eta: FloatArray
    outcome: FloatArray
    weight: FloatArray
    link: Link

    @classmethod
    def of(cls, weights: IpcwWeights, risk: FloatArray, link: Link) -> "_Line":
        used = np.flatnonzero(weights.weights > 0)
        eta = np.zeros(risk.size)
        eta[used] = link.forward(risk[used])
        outcome = weights.case[used].astype(np.float64)
        return cls(weights, used, eta, outcome, weights.weights[used], link)

    def fit(self, *, slope: bool, level: float, cluster: IntArray | None) -> Estimate:
        x = self.eta[self.used]
        a, b = 0.0, 1.0
        for _ in range(_ITERATIONS):
            score, information = self._moments(a, b, x)
            step = _solve(score, information, slope=slope)
            if step is None or not np.isfinite(step).all():
                break
            a, b = a + float(step[0]), b + float(step[1])
            if abs(step[0]) + abs(step[1]) < _TOLERANCE * (1 + abs(a) + abs(b)):
                return self._estimate(a, b, x, slope=slope, level=level, cluster=cluster)
        return Estimate.none("the calibration regression does not converge")

    def _working(self, a: float, b: float, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        eta = a + b * x
        risk = np.clip(self.link.backward(eta), 1e-300, 1 - 1e-16)
        gradient = self.link.slope(eta, risk)
        tilt = gradient / (risk * (1 - risk))
        return self.weight * (self.outcome - risk) * tilt, self.weight * gradient * tilt

    def _moments(self, a: float, b: float, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        score, information = self._working(a, b, x)
        ix = information * x
        cross = float(ix.sum())
        return (
            np.array([score.sum(), score @ x]),
            np.array([[information.sum(), cross], [cross, ix @ x]]),
        )

    def _estimate(
        self,
        a: float,
        b: float,
        x: FloatArray,
        *,
        slope: bool,
        level: float,
        cluster: IntArray | None,
    ) -> Estimate:
        score, information = self._working(a, b, x)
        total = float(information.sum())
        if slope:
            centred = x - float(information @ x) / total
            own = score * centred / float(information @ centred**2)
        else:
            own = score / total
        contribution = np.zeros(self.weights.timeline.size)
        contribution[self.used] = own * contribution.size
        influence = self.weights.with_censoring_influence(contribution)
        return Estimate.from_influence(b if slope else a, influence, level=level, cluster=cluster)


def _solve(score: FloatArray, information: FloatArray, *, slope: bool) -> FloatArray | None:
    if not slope:
        return np.array([score[0] / information[0, 0], 0.0]) if information[0, 0] > 0 else None
    determinant = information[0, 0] * information[1, 1] - information[0, 1] ** 2
    if not determinant > 0:
        return None
    return np.asarray(np.linalg.solve(information, score))
