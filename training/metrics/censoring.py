"""Weights that let the subjects still followed stand for those censored before the horizon.

A subject whose state at the horizon is known stands for 1/G subjects, where G is the chance of
not having been censored until then, by Kaplan–Meier with censoring as the event (Graf 1999,
doi:10.1002/(SICI)1097-0258(19990915/30)18:17/18<2529::AID-SIM274>3.0.CO;2-5; Vock 2016,
doi:10.1016/j.jbi.2016.03.009). Events come before censorings of the same duration, so a subject
with an event is not at risk of being censored at that time.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from features.errors import ValueRangeError
from training.metrics.estimate import BoolArray, FloatArray, IntArray
from training.metrics.timeline import (
    CENSORED,
    DEATH,
    PROGRESSION,
    Timeline,
    checked_horizon,
)

# Vock 2016 truncate the weights; 0.05 lets no subject stand for more than 20.
FLOOR = 0.05


@dataclass(frozen=True, slots=True)
class CensoringDistribution:
    """Kaplan–Meier estimate G of the chance of remaining uncensored.

    Parameters
    ----------
    times
        (k,) durations in years at which G may fall, ascending.
    survival
        (k,) G at and right after each of them, within 0–1.
    followed
        (k,) number still followed there.
    share_censored
        (k,) share of them who were censored there.
    """

    times: FloatArray
    survival: FloatArray
    followed: FloatArray
    share_censored: FloatArray

    @classmethod
    def fit(
        cls,
        duration_years: FloatArray,
        event: IntArray,
        *,
        sample_weight: FloatArray | None = None,
    ) -> "CensoringDistribution":
        """G of a sample; `sample_weight` (n,) counts a subject as that many."""
        return cls.along(Timeline.of(duration_years, event), sample_weight=sample_weight)

    @classmethod
    def along(
        cls, timeline: Timeline, *, sample_weight: FloatArray | None = None
    ) -> "CensoringDistribution":
        """G of a sample that is arranged already."""
        censored = timeline.count(CENSORED, sample_weight)
        had_event = timeline.total(sample_weight, timeline.event != CENSORED)
        followed = timeline.at_risk(sample_weight)
        hazard = _ratio(censored, followed - had_event)
        survival = np.asarray(np.cumprod(1 - hazard), dtype=np.float64)
        return cls(timeline.times, survival, followed, _ratio(censored, followed))

    def at(self, years: FloatArray | float) -> FloatArray:
        """Chance of being uncensored up to and including `years`."""
        return self._look_up(years, "right")

    def before(self, years: FloatArray | float) -> FloatArray:
        """Chance of being uncensored until just before `years` (the left limit)."""
        return self._look_up(years, "left")

    def _look_up(self, years: FloatArray | float, side: str) -> FloatArray:
        position = np.searchsorted(self.times, years, side="left" if side == "left" else "right")
        return np.concatenate(([1.0], self.survival))[position]


@dataclass(frozen=True)
class IpcwWeights:
    """Inverse-probability-of-censoring weights at one horizon.

    Parameters
    ----------
    weights
        (n,) 0 for subjects censored before the horizon, else 1/G times the sample weight.
    horizon_years
        The horizon.
    case
        (n,) progressed by the horizon.
    dead
        (n,) died by the horizon without progression.
    event_free
        (n,) followed beyond the horizon without either.
    trimmed
        (n,) the weight was limited by the floor.
    timeline
        The sample, arranged by duration.
    censoring
        G.
    sample_weight
        (n,) or None.
    own_censoring
        Whether G comes from this very sample, so that its uncertainty belongs to the estimate's.
    """

    weights: FloatArray
    horizon_years: float
    case: BoolArray
    dead: BoolArray
    event_free: BoolArray
    trimmed: BoolArray
    timeline: Timeline
    censoring: CensoringDistribution
    sample_weight: FloatArray | None = None
    own_censoring: bool = True

    @property
    def total(self) -> float:
        """Number of subjects that the weights stand for: n, or the sum of the sample weights."""
        if self.sample_weight is None:
            return float(self.timeline.size)
        return float(self.sample_weight.sum())

    @cached_property
    def any_trimmed(self) -> bool:
        """Whether the floor limited any weight."""
        return bool(self.trimmed.any())

    @cached_property
    def used(self) -> IntArray:
        """Places of the subjects with a weight above 0, whose state at the horizon is known."""
        return np.flatnonzero(self.weights > 0)

    @cached_property
    def known(self) -> tuple[FloatArray, FloatArray]:
        """Outcome (1 progressed by the horizon, 0 not) and weight of those `used`."""
        return self.case[self.used].astype(np.float64), self.weights[self.used]

    @property
    def max_weight(self) -> float:
        """The largest weight: how many subjects one subject stands for at most."""
        return float(self.weights.max())

    @property
    def effective_sample_size(self) -> float:
        """Kish's (sum of weights)² / sum of squared weights; 0 when nobody has a weight."""
        squares = float(self.weights @ self.weights)
        return float(self.weights.sum()) ** 2 / squares if squares > 0 else 0.0

    def with_censoring_influence(self, contribution: FloatArray) -> FloatArray:
        """Influence, including what each subject contributes to G, on a weighted sum.

        Parameters
        ----------
        contribution
            (n,) the part of the estimate that is proportional to each subject's weight, scaled so
            that its mean is the estimate (or its mean deviation).

        Returns
        -------
        (n,) `contribution` plus the influence through the estimated G, following Blanche 2013
        (doi:10.1002/sim.5958): the weight of subject i depends on every censoring before T_i. As
        in `riskRegression`, everyone still followed counts as at risk of censoring here, also
        those with an event at that very time; without ties it is the same.
        """
        # Censoring after the horizon changes no weight.
        last = self.timeline.steps_until(self.horizon_years)
        if not self.own_censoring or last == 0:
            return contribution
        influence = self._through_censoring(contribution, last)
        if self.sample_weight is not None:
            influence *= self.sample_weight
        influence += contribution
        return influence

    def _through_censoring(self, contribution: FloatArray, last: int) -> FloatArray:
        line, (censored, theirs) = self.timeline, self._censored
        depends = np.where(self.trimmed, 0.0, contribution) if self.any_trimmed else contribution
        later = np.cumsum(line.total(depends, last=last))
        np.subtract(float(depends.sum()), later, out=later)
        jump = _ratio(later, self.censoring.followed[:last])
        compensator = np.cumsum(jump * self.censoring.share_censored[:last])
        inside, own = line.until(last)
        influence = np.full(line.size, -compensator[-1])
        influence[inside] = -compensator[own]
        influence[censored] += jump[theirs]
        return influence

    @cached_property
    def _censored(self) -> tuple[IntArray, IntArray]:
        """Places and steps of those censored by the horizon."""
        line = self.timeline
        last = line.steps_until(self.horizon_years)
        places = np.flatnonzero((line.event == CENSORED) & (line.step < last))
        return places, line.step[places]


def ipcw_weights(
    duration_years: FloatArray,
    event: IntArray,
    horizon_years: float,
    *,
    floor: float = FLOOR,
    sample_weight: FloatArray | None = None,
    censoring: CensoringDistribution | None = None,
    timeline: Timeline | None = None,
) -> IpcwWeights:
    """Weight of each subject whose state at the horizon is known.

    Parameters
    ----------
    duration_years, event
        (n,) years to the event or the end of follow-up; 0 censored, 1 progression, 2 death first.
    horizon_years
        The horizon t.
    floor
        G is taken as at least this, within 0–1; 0 trims nothing.
    sample_weight
        (n,) how many subjects a row stands for (bootstrap counts, survey or cluster weights).
    censoring
        G fitted on another sample, such as the training fold; from this sample when None.
    timeline
        The same outcomes arranged already, to share the sorting between horizons.

    Returns
    -------
    Weights 1/G(T-) for an event at T by the horizon, 1/G(t) for subjects followed beyond it and
    0 for those censored by it. When follow-up stops exactly at the horizon for everyone (nobody
    is followed beyond it), those censored at the horizon are known to be event-free there and
    weigh 1/G(t-).
    """
    horizon = checked_horizon(horizon_years)
    if not 0 <= floor <= 1:
        raise ValueRangeError("floor", "expected a number within 0–1")
    line = Timeline.of(duration_years, event) if timeline is None else timeline
    chance = (
        CensoringDistribution.along(line, sample_weight=sample_weight)
        if censoring is None
        else censoring
    )
    last = line.steps_until(horizon)
    by_horizon = line.step < last
    case = by_horizon & (line.event == PROGRESSION)
    dead = by_horizon & (line.event == DEATH)
    event_free = ~by_horizon
    at_horizon = chance.at(horizon)
    if _stops_at(horizon, line, sample_weight):
        event_free = (line.step == last - 1) & (line.event == CENSORED)
        at_horizon = chance.before(horizon)
    known = case | dead | event_free
    # The sample's own G falls at the sample's own times: nothing to look up.
    own_before = np.concatenate(([1.0], chance.survival[:-1]))
    before = own_before if censoring is None else chance.before(line.times)
    uncensored = np.where(event_free, at_horizon, before[line.step])
    limited = np.maximum(uncensored, max(floor, np.finfo(np.float64).tiny))
    weights = np.where(known, 1 / limited, 0.0)
    return IpcwWeights(
        weights=weights if sample_weight is None else weights * sample_weight,
        horizon_years=horizon,
        case=case,
        dead=dead,
        event_free=event_free,
        trimmed=known & (uncensored < floor),
        timeline=line,
        censoring=chance,
        sample_weight=sample_weight,
        own_censoring=censoring is None,
    )


def _stops_at(horizon: float, line: Timeline, sample_weight: FloatArray | None) -> bool:
    last = line.steps_until(horizon)
    if last == 0 or line.times[last - 1] != horizon:
        return False
    beyond = line.step >= last
    return not beyond.any() or (sample_weight is not None and not sample_weight[beyond].any())


def unknowable(weights: IpcwWeights) -> str | None:
    """Why no risk can be judged at this horizon, or None if it can."""
    short = follow_up_too_short(weights.timeline, weights.horizon_years)
    if short is not None:
        return short
    years = f"{weights.horizon_years:g} years"
    used = weights.weights > 0
    if not (weights.case & used).any():
        return f"no progression is observed by {years}"
    if not (~weights.case & used).any():
        return f"nobody is known to be without progression at {years}"
    return None


def follow_up_too_short(timeline: Timeline, horizon_years: float) -> str | None:
    """Why the state at the horizon is never observed, or None if it is."""
    if timeline.times[-1] >= horizon_years:
        return None
    at_end = timeline.event[timeline.step == timeline.times.size - 1]
    if (at_end != CENSORED).all():
        return None
    return f"follow-up ends before {horizon_years:g} years"


def _ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    # A step without anyone at risk has a numerator of 0: its hazard is 0.
    if denominator.size and denominator.min() > 0:
        return np.asarray(numerator / denominator)
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)
