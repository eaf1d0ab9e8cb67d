"""The learned risk model at run time: learner, recalibration, interval – numpy only.

What is evaluated in training is what is served: training fits these same objects, so train/serve
skew has no place to live.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from features.history import Floats
from features.landmark import LandmarkFeatures
from models.forest import Forest
from models.grove import Grove, grow
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
    "percentiles",
    "together",
]

FLOOR = 1e-6
"""Risks are kept this far from 0 and 1: no cohort of this size can support a certainty."""


def logit(risk: Floats) -> Floats:
    """Log odds of a risk, bounded by `FLOOR`."""
    kept = np.clip(risk, FLOOR, 1.0 - FLOOR)
    return np.log(kept / (1.0 - kept))


def expit(margin: Floats) -> Floats:
    """Risk of a log odds, bounded by `FLOOR`."""
    return np.clip(1.0 / (1.0 + np.exp(-margin)), FLOOR, 1.0 - FLOOR)


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


def together(learners: Sequence[Learner]) -> Callable[[Floats], Floats]:
    """From (k, p) feature values to the (m, k, h) log odds of m learners.

    The same bits as one after the other; forests and regressions are asked in one pass.
    """
    trees = [learner for learner in learners if isinstance(learner, TreeLearner)]
    lines = [learner for learner in learners if isinstance(learner, LinearLearner)]
    if trees and len(trees) == len(learners):
        return _trees_together(trees)
    if lines and len(lines) == len(learners):
        return _lines_together(lines)
    return lambda values: np.array([learner.margin(values) for learner in learners])


def _trees_together(learners: Sequence[TreeLearner]) -> Callable[[Floats], Floats]:
    grove = grow([forest for learner in learners for forest in learner.forests])

    def margins(values: Floats) -> Floats:
        found = grove.margins(values).reshape(len(values), len(learners), -1)
        return found.transpose(1, 0, 2)

    return margins


def _lines_together(learners: Sequence[LinearLearner]) -> Callable[[Floats], Floats]:
    fill, centre, scale = (
        np.array([getattr(learner, part) for learner in learners])[:, None]
        for part in ("fill", "centre", "scale")
    )
    coefficient = np.array([learner.coefficient for learner in learners])
    intercept = np.array([learner.intercept for learner in learners])[:, None]

    def margins(values: Floats) -> Floats:
        standard = (np.where(np.isnan(values), fill, values) - centre) / scale
        return np.asarray(np.einsum("mkp,mhp->mkh", standard, coefficient) + intercept)

    return margins


INTERVAL = (0.025, 0.975)


def percentiles(refits: Floats, levels: Sequence[float] = INTERVAL) -> list[Floats]:
    """Percentiles over the first axis, as `numpy.quantile` gives them, at a tenth of its cost."""
    ordered = np.sort(refits, axis=0)
    last = len(ordered) - 1
    found = []
    for level in levels:
        below, share = divmod(level * last, 1.0)
        low, high = ordered[int(below)], ordered[min(int(below) + 1, last)]
        # The form numpy takes, so that both agree to the last bit.
        step = high - low
        found.append(low + step * share if share < 0.5 else high - step * (1.0 - share))
    return found


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
    recalibration : (h, 2) array
        Intercept and slope on the log odds, per horizon.
    members
        Refits on bootstrap samples of the subjects; their risks span the interval, which is
        that of the learner alone: the recalibration is not refitted with them.
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
    members: tuple[Learner, ...]
    features: tuple[str, ...]
    necessary: tuple[str, ...]
    expected: tuple[str, ...]
    plausible: Floats
    lookback_years: float
    provenance: Mapping[str, Any] = field(default_factory=dict)
    kind: Literal["published", "learned"] = "learned"
    _everyone: Callable[[Floats], Floats] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_everyone", together((self.learner, *self.members)))

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
        slope = self.recalibration[horizon, 1]
        return np.asarray(slope * self.learner.contributions(values, horizon))

    def estimate_matrix(self, values: Floats, *, intervals: bool = True) -> Estimates:
        """Risk by each horizon from (k, p) values in the order of `features`.

        Without `intervals` the refits are not asked; a partial answer has its range all the same.
        """
        absent = np.isnan(values)
        place = {name: i for i, name in enumerate(self.features)}
        missing = {name: absent[:, place[name]] for name in (*self.necessary, *self.expected)}
        refused = absent[:, [place[name] for name in self.necessary]].any(axis=1)
        partial = absent[:, [place[name] for name in self.expected]].any(axis=1) & ~refused
        status = np.where(refused, REFUSED, np.where(partial, PARTIAL, OK)).astype(np.int8)
        risk, lower, upper = self._interval(values, intervals=intervals)
        if partial.any():
            ends = self._range(values[partial])
            lower[partial], upper[partial] = ends
            risk[partial] = np.clip(risk[partial], *ends)
        for table in (risk, lower, upper):
            table[refused] = np.nan
        return Estimates(
            horizons_years=self.horizons_years,
            status=status,
            risk=risk,
            lower=lower,
            upper=upper,
            missing=missing,
            ranges="confidence interval" if self.members else "none",
        )

    def risk(self, values: Floats) -> Floats:
        """(k, h) recalibrated risks, non-decreasing in the horizon."""
        return self._calibrated(self.learner.margin(values))

    def _calibrated(self, margin: Floats) -> Floats:
        calibrated = expit(self.recalibration[:, 0] + self.recalibration[:, 1] * margin)
        return np.asarray(np.maximum.accumulate(calibrated, axis=-1))

    def _interval(self, values: Floats, *, intervals: bool) -> tuple[Floats, Floats, Floats]:
        """Risk, and the 2.5th and 97.5th percentile of the refits, widened to hold it."""
        if not self.members or not intervals:
            nothing = np.full((len(values), len(self.horizons_years)), np.nan)
            return self.risk(values), nothing, nothing.copy()
        risks = self._calibrated(self._everyone(values))
        risk, (lower, upper) = risks[0], percentiles(risks[1:])
        return risk, np.minimum(lower, risk), np.maximum(upper, risk)

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
