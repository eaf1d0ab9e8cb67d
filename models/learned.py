"""The learned risk model at run time: learner, recalibration, interval – numpy only.

What is evaluated in training is what is served: training fits these same objects, so train/serve
skew has no place to live.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from features.history import Floats
from features.landmark import LandmarkFeatures
from models.learners import Learner
from models.link import expit, logit, recalibrated, risks_of
from models.refits import Refits
from models.risk import OK, PARTIAL, REFUSED, Estimates

__all__ = ["LearnedModel"]


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
