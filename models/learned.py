"""The learned risk model at run time: learner, recalibration, interval – numpy only.

What is evaluated in training is what is served: training fits these same objects, so train/serve
skew has no place to live.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from features.history import Floats
from features.landmark import LandmarkFeatures
from models.forest import Forest
from models.grove import Grove, grow
from models.refits import Refits
from models.risk import OK, PARTIAL, REFUSED, Estimates
from models.shapley import DEEPEST

__all__ = [
    "FLOOR",
    "GroupLearner",
    "LearnedModel",
    "Learner",
    "LinearLearner",
    "TreeLearner",
    "expit",
    "logit",
    "recalibrated",
    "risks_of",
]

FLOOR = 1e-6
"""Risks are kept this far from 0 and 1: no cohort of this size can support a certainty."""


def logit(risk: Floats) -> Floats:
    """Log odds of a risk, bounded by `FLOOR`."""
    kept = _within_floor(risk)
    return np.log(kept / (1.0 - kept))


def expit(margin: Floats) -> Floats:
    """Risk of a log odds, bounded by `FLOOR`."""
    return _within_floor(1.0 / (1.0 + np.exp(-margin)))


def _within_floor(risk: Floats) -> Floats:
    # For one landmark, two comparisons cost a fifth of numpy.clip.
    return np.asarray(np.minimum(np.maximum(risk, FLOOR), 1.0 - FLOOR))


def recalibrated(parameters: Floats, margin: Floats) -> Floats:
    """Log odds after beta recalibration (Kull M, Electron J Stat 2017;11:5052), or isotonic.

    Parameters
    ----------
    parameters : (..., 3) or (..., 3 + 2 m) array
        c, a, b: the log odds become c + a log(p) - b log(1 - p), doi:10.1214/17-EJS1338SI. With
        a = b that is intercept and slope; 0, 1, 1 changes nothing. After these, the m corners of a
        rising line that bends what comes out: where they are, then how high; beyond the first and
        the last it goes on at a slope of 1.
    margin : array
        Log odds of p.

    Examples
    --------
    >>> recalibrated(np.array([0.5, 2.0, 2.0]), np.array([-1.0, 0.0]))
    array([-1.5,  0.5])
    >>> recalibrated(np.array([0.0, 1.0, 1.0, -1.0, 1.0, -1.5, 0.5]), np.array([-2.0, 0.0, 1.0]))
    array([-2.5, -0.5,  0.5])
    """
    shift, rising, falling = parameters[..., 0], parameters[..., 1], parameters[..., 2]
    # log(1 - p) of log odds m is -log(1 + exp(m)); log(p) is m more.
    other = np.logaddexp(0.0, margin)
    bent = np.asarray(shift + rising * margin + (falling - rising) * other)
    corners = parameters[..., 3:]
    if not corners.size:
        return bent
    if corners.ndim == 1:
        return _along(corners, bent)
    return np.stack([_along(c, m) for c, m in zip(corners, bent.T, strict=True)], axis=1)


def _along(corners: Floats, margin: Floats) -> Floats:
    """(k,) heights of a rising line with m corners, at (k,) places."""
    place, height = corners.reshape(2, -1)
    inside = np.clip(margin, place[0], place[-1])
    return np.asarray(np.interp(inside, place, height) + (margin - inside))


def risks_of(parameters: Floats, margin: Floats) -> Floats:
    """(k, h) risks from a learner's log odds, non-decreasing in the horizon.

    Parameters
    ----------
    parameters : (h, 3) or (h, 3 + 2 m) array
        Recalibration of every horizon.
    margin : (k, h) array
    """
    return np.asarray(np.maximum.accumulate(expit(recalibrated(parameters, margin)), axis=1))


class Learner(Protocol):
    """From (k, p) feature values to (k, h) log odds, one column per horizon."""

    def margin(self, values: Floats) -> Floats:
        """Log odds of progression by each horizon, before recalibration."""
        ...

    def contributions(self, values: Floats, horizon: int) -> Floats:
        """(k, p) what each feature adds to the log odds at one horizon, by its place.

        Against the average of the training rows: with that average, a row sums to its margin.
        (k, 0) from a learner whose margin is no sum.
        """
        ...


@dataclass(frozen=True, slots=True)
class LinearLearner:
    """Penalised logistic regression on standardised features.

    Parameters
    ----------
    fill, centre, scale : (p,) arrays
        Value that stands for a missing one, and the standardisation; learnt without the outcome.
    coefficient : (h, p) array
    intercept : (h,) array
    """

    fill: Floats
    centre: Floats
    scale: Floats
    coefficient: Floats
    intercept: Floats

    def margin(self, values: Floats) -> Floats:
        """(k, h) log odds."""
        # Row by row sums, not a BLAS product: one row and a million give the same bits.
        product = np.einsum("kp,hp->kh", self._standard(values), self.coefficient)
        return np.asarray(product + self.intercept)

    def contributions(self, values: Floats, horizon: int) -> Floats:
        """(k, p) coefficient times standardised value; the intercept is the average."""
        return np.asarray(self._standard(values) * self.coefficient[horizon])

    def _standard(self, values: Floats) -> Floats:
        filled = np.where(np.isnan(values), self.fill, values)
        return np.asarray((filled - self.centre) / self.scale)


@dataclass(frozen=True)
class TreeLearner:
    """One boosted forest per horizon."""

    forests: tuple[Forest, ...]

    def margin(self, values: Floats) -> Floats:
        """(k, h) log odds."""
        return self._grove.margins(values)

    @cached_property
    def _grove(self) -> Grove:
        return grow(self.forests)

    def contributions(self, values: Floats, horizon: int) -> Floats:
        """(k, p) exact TreeSHAP; nothing for trees too deep to explain."""
        forest = self.forests[horizon]
        if forest.depth > DEEPEST:
            return np.empty((len(values), 0))
        return forest.contributions(values)


@dataclass(frozen=True, slots=True)
class GroupLearner:
    """A rule: the observed risk of its group.

    Parameters
    ----------
    cuts : (p,) array
        Cut of each feature.
    strict : (p,) array of bool
        Whether the cut itself is still below.
    steps : (s,) array of int
        Number of features past their cut at which each higher group starts, ascending.
    risk : (s + 1, h) array
        Observed cumulative incidence by group and horizon.
    """

    cuts: Floats
    strict: NDArray[np.bool_]
    steps: NDArray[np.int64]
    risk: Floats

    def group(self, values: Floats) -> NDArray[np.int64]:
        """(k,) group; meaningless where a feature is missing, which `margin` marks."""
        past = np.where(self.strict, values > self.cuts, values >= self.cuts)
        count = past.sum(axis=1)
        return np.asarray(np.searchsorted(self.steps, count, side="right"), dtype=np.int64)

    def margin(self, values: Floats) -> Floats:
        """(k, h) log odds; NaN where a feature of the rule is missing."""
        margin = logit(self.risk[self.group(values)])
        margin[np.isnan(values).any(axis=1)] = np.nan
        return margin

    def contributions(self, values: Floats, horizon: int) -> Floats:  # noqa: ARG002
        """None: a group is no sum."""
        return np.empty((len(values), 0))


@dataclass(frozen=True, slots=True)
class LearnedModel:
    """A registered model: one learner, its recalibration and its bootstrap refits.

    Parameters
    ----------
    name, version
        Registry name and version.
    decision_horizon_years
        The horizon that the study decides by; contributions are told there.
    learner
        Fitted on the whole cohort.
    recalibration : (h, 3) or (h, 3 + 2 m) array
        Of every horizon, as `recalibrated` takes it.
    refits
        The whole pipeline on bootstrap samples of the subjects, recalibration and all; their risks
        span the interval.
    features
        Columns of the learner, in order.
    necessary
        Features without which nothing is answered.
    expected
        Features whose absence makes the answer partial; the rest may be missing.
    plausible : (p, 2) array
        5th and 95th percentile of every feature in the training cohort.
    """

    name: str
    version: str
    label: str
    citation: str
    population: Literal["smm", "mgus"]
    horizons_years: tuple[float, ...]
    decision_horizon_years: float
    learner: Learner
    recalibration: Floats
    refits: Refits
    features: tuple[str, ...]
    necessary: tuple[str, ...]
    expected: tuple[str, ...]
    plausible: Floats
    lookback_years: float
    provenance: Mapping[str, Any] = field(default_factory=dict)
    kind: Literal["published", "learned"] = "learned"

    @property
    def required(self) -> tuple[str, ...]:
        """Features without which nothing is answered."""
        return self.necessary

    @property
    def optional(self) -> tuple[str, ...]:
        """Features that sharpen the answer."""
        return tuple(name for name in self.features if name not in self.necessary)

    def estimate(self, features: LandmarkFeatures) -> Estimates:
        """Risk by each horizon at every landmark."""
        return self.estimate_matrix(self.values(features))

    def values(self, features: LandmarkFeatures) -> Floats:
        """(k, p) what the learner reads at every landmark, NaN where unknown."""
        if features.lookback_years != self.lookback_years:
            features = LandmarkFeatures(
                features.history,
                features.subject,
                features.time_years,
                lookback_years=self.lookback_years,
            )
        return features.matrix(self.features)

    def contributions(self, values: Floats) -> Floats:
        """(k, p) what each feature adds to the recalibrated log odds at the decision horizon.

        Against the average of the training cohort; (k, 0) where the learner is no sum. Where an
        earlier horizon's risk is the higher one, the answer takes that one's and these stay their
        own horizon's.

        Parameters
        ----------
        values : (k, p) array
            From `values`.
        """
        horizon = self.horizons_years.index(self.decision_horizon_years)
        added = self.learner.contributions(values, horizon)
        parameters = self.recalibration[horizon]
        _, rising, falling = parameters[:3]
        if rising == falling and parameters.size == 3:
            return np.asarray(rising * added)
        # The others bend: their secant from the average keeps the sum what it is.
        here = self.learner.margin(values)[:, horizon]
        step = added.sum(axis=1)
        bent = recalibrated(parameters, here) - recalibrated(parameters, here - step)
        slope = np.divide(bent, step, out=np.full_like(bent, rising), where=step != 0.0)
        return np.asarray(slope[:, None] * added)

    def estimate_matrix(self, values: Floats, *, intervals: bool = True) -> Estimates:
        """Risk by each horizon from (k, p) values in the order of `features`.

        Without `intervals` the refits are not asked; a partial answer has its range all the same.
        """
        wanted = (*self.necessary, *self.expected)
        absent = np.isnan(values.take(_places(self.features, wanted), axis=1))
        missing = dict(zip(wanted, absent.T, strict=True))
        refused = absent[:, : len(self.necessary)].any(axis=1)
        partial = absent.any(axis=1) & ~refused
        status = _STATUS[partial + 2 * refused]
        risk = self.risk(values)
        lower, upper = self._interval(values, risk, intervals=intervals)
        if partial.any():
            ends = self._range(values[partial])
            lower[partial], upper[partial] = ends
            risk[partial] = np.clip(risk[partial], *ends)
        if refused.any():
            risk[refused], lower[refused], upper[refused] = np.nan, np.nan, np.nan
        return Estimates(
            horizons_years=self.horizons_years,
            status=status,
            risk=risk,
            lower=lower,
            upper=upper,
            missing=missing,
            ranges="confidence interval" if len(self.refits) else "none",
        )

    def risk(self, values: Floats) -> Floats:
        """(k, h) recalibrated risks, non-decreasing in the horizon."""
        return risks_of(self.recalibration, self.learner.margin(values))

    def _interval(self, values: Floats, risk: Floats, *, intervals: bool) -> tuple[Floats, Floats]:
        """2.5th and 97.5th percentile of the refits, widened to hold the risk."""
        if not intervals or not len(self.refits):
            nothing = np.full(risk.shape, np.nan)
            return nothing, nothing.copy()
        lower, upper = expit(np.array(self.refits.interval(values, logit(risk))))
        return np.minimum(lower, risk), np.maximum(upper, risk)

    def _range(self, values: Floats) -> tuple[Floats, Floats]:
        """Least and greatest risk while the missing features run over their plausible ends.

        One feature is moved at a time to find its direction, then all go to their ends together;
        exact for learners that are monotone in each missing feature.
        """
        filled = np.where(np.isnan(values), self.plausible.mean(axis=1), values)
        least, most = filled.copy(), filled.copy()
        for i in range(values.shape[1]):
            rows = np.isnan(values[:, i]) & (self.features[i] in self.expected)
            if rows.any():
                low, high = filled[rows].copy(), filled[rows].copy()
                low[:, i], high[:, i] = self.plausible[i]
                rising = self.risk(high)[:, -1] >= self.risk(low)[:, -1]
                least[rows, i] = np.where(rising, *self.plausible[i])
                most[rows, i] = np.where(rising, *self.plausible[i][::-1])
        keep = np.isnan(values) & ~np.isin(self.features, self.expected)
        least[keep] = most[keep] = np.nan
        ends = self.risk(least), self.risk(most)
        return np.minimum(*ends), np.maximum(*ends)


_STATUS = np.array([OK, PARTIAL, REFUSED], dtype=np.int8)


@lru_cache(maxsize=64)
def _places(features: tuple[str, ...], wanted: tuple[str, ...]) -> NDArray[np.intp]:
    """Columns of some features among those of a model."""
    return np.array([features.index(name) for name in wanted], dtype=np.intp)
