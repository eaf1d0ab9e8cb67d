"""The learned risk model at run time: learner, recalibration, interval – numpy only.

What is evaluated in training is what is served: training fits these same objects, so train/serve
skew has no place to live.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from features.history import Floats
from features.landmark import LandmarkFeatures
from models.forest import Forest
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


@dataclass(frozen=True, slots=True)
class TreeLearner:
    """One boosted forest per horizon."""

    forests: tuple[Forest, ...]

    def margin(self, values: Floats) -> Floats:
        """(k, h) log odds."""
        return np.stack([forest.margin(values) for forest in self.forests], axis=1)

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

    def estimate_matrix(self, values: Floats) -> Estimates:
        """Risk by each horizon from (k, p) values in the order of `features`."""
        absent = np.isnan(values)
        place = {name: i for i, name in enumerate(self.features)}
        missing = {name: absent[:, place[name]] for name in (*self.necessary, *self.expected)}
        refused = absent[:, [place[name] for name in self.necessary]].any(axis=1)
        partial = absent[:, [place[name] for name in self.expected]].any(axis=1) & ~refused
        status = np.where(refused, REFUSED, np.where(partial, PARTIAL, OK)).astype(np.int8)
        risk = self.risk(values)
        lower, upper = self._interval(values)
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

    def risk(self, values: Floats, learner: Learner | None = None) -> Floats:
        """(k, h) recalibrated risks, non-decreasing in the horizon."""
        margin = (learner or self.learner).margin(values)
        calibrated = expit(self.recalibration[:, 0] + self.recalibration[:, 1] * margin)
        return np.asarray(np.maximum.accumulate(calibrated, axis=1))

    def _interval(self, values: Floats) -> tuple[Floats, Floats]:
        """2.5th and 97.5th percentile of the bootstrap refits, widened to hold the estimate."""
        if not self.members:
            nothing = np.full((len(values), len(self.horizons_years)), np.nan)
            return nothing, nothing.copy()
        refits = np.stack([self.risk(values, member) for member in self.members])
        lower, upper = np.quantile(refits, [0.025, 0.975], axis=0)
        risk = self.risk(values)
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
