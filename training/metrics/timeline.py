"""Subjects arranged by duration, tied durations as one step: what every estimator walks along."""

from dataclasses import dataclass

import numpy as np

from features.errors import ValueRangeError
from training.metrics.estimate import BoolArray, FloatArray, IntArray

CENSORED, PROGRESSION, DEATH = 0, 1, 2

Places = slice | IntArray


@dataclass(frozen=True, slots=True)
class Timeline:
    """The distinct durations of a sample and where each subject stands among them.

    Parameters
    ----------
    times
        (k,) distinct durations in years, ascending.
    step
        (n,) index into `times` of each subject.
    event
        (n,) 0 censored, 1 progression, 2 death before progression.
    first
        (k,) place of the first subject of each step when subjects stand in the order of their
        durations, so that sums walk along memory; None when they do not.
    """

    times: FloatArray
    step: IntArray
    event: IntArray
    first: IntArray | None = None

    @classmethod
    def of(cls, duration_years: FloatArray, event: IntArray) -> "Timeline":
        """Timeline of checked outcomes, in O(n log n)."""
        duration, codes = checked_outcomes(duration_years, event)
        if (duration[1:] >= duration[:-1]).all():
            return cls._in_order(duration, codes)
        times, step = np.unique(duration, return_inverse=True)
        return cls(times, step.astype(np.int64, copy=False), codes)

    @classmethod
    def _in_order(cls, duration: FloatArray, event: IntArray) -> "Timeline":
        starts = np.concatenate(([True], duration[1:] > duration[:-1]))
        return cls(duration[starts], np.cumsum(starts) - 1, event, np.flatnonzero(starts))

    def part(self, chosen: BoolArray | IntArray) -> "Timeline":
        """Timeline of some of the subjects, at least one, without sorting again."""
        if self.untied and chosen.dtype == np.bool_:
            times = self.times[chosen]
            own = np.arange(times.size)
            return Timeline(times, own, self.event[chosen], own)
        step = self.step[chosen]
        if self.first is not None and (step[1:] >= step[:-1]).all():
            return Timeline._in_order(self.times[step], self.event[chosen])
        present = np.zeros(self.times.size, dtype=np.bool_)
        present[step] = True
        renumbered = np.cumsum(present) - 1
        return Timeline(self.times[present], renumbered[step], self.event[chosen])

    @property
    def size(self) -> int:
        """Number of subjects."""
        return int(self.step.size)

    @property
    def untied(self) -> bool:
        """Whether subjects stand in the order of their durations and no two are equal."""
        return self.first is not None and self.first.size == self.step.size

    def until(self, last: int) -> tuple[Places, Places]:
        """Places of the subjects who end at one of the first `last` steps, and their steps.

        A slice where the subjects stand in the order of their durations: a view costs nothing.
        """
        if self.first is None:
            inside = np.flatnonzero(self.step < last)
            return inside, self.step[inside]
        if self.untied:
            return slice(last), slice(last)
        before = slice(self.size if last == self.first.size else int(self.first[last]))
        return before, self.step[before]

    def duration(self) -> FloatArray:
        """Durations in years, (n,)."""
        return self.times if self.untied else self.times[self.step]

    def total(
        self,
        values: FloatArray | None,
        where: BoolArray | None = None,
        *,
        last: int | None = None,
    ) -> FloatArray:
        """Sum of `values` (ones when None) at each distinct duration, or the first `last`, (k,)."""
        last = self.times.size if last is None else last
        if self.first is not None:
            return _runs(self._values(values, where, self.until(last)[0]), self.first[:last])
        step = self.step if where is None else self.step[where]
        if values is not None and where is not None:
            values = values[where]
        sums = np.bincount(step, weights=values, minlength=self.times.size)[:last]
        return sums.astype(np.float64)

    def _values(
        self, values: FloatArray | None, where: BoolArray | None, among: Places
    ) -> FloatArray:
        """What each of some subjects adds to a sum."""
        if values is None:
            return np.ones(self.size)[among] if where is None else where[among].astype(np.float64)
        return values[among] if where is None else np.where(where[among], values[among], 0.0)

    def count(
        self, code: int, sample_weight: FloatArray | None = None, *, last: int | None = None
    ) -> FloatArray:
        """Weighted number of subjects whose follow-up ends with this event, per step, (k,)."""
        return self.total(sample_weight, self.event == code, last=last)

    def at_risk(
        self, sample_weight: FloatArray | None = None, *, last: int | None = None
    ) -> FloatArray:
        """Weighted number of subjects with at least this duration, per step, (k,)."""
        if self.first is not None and sample_weight is None:
            return (self.size - self.first[:last]).astype(np.float64)
        return onwards(self.total(sample_weight))[:last]

    def steps_until(self, horizon_years: float) -> int:
        """Number of distinct durations at or before the horizon."""
        return int(np.searchsorted(self.times, horizon_years, side="right"))


def _runs(values: FloatArray, first: IntArray) -> FloatArray:
    # Without ties every subject is a step of its own.
    if first.size == values.size:
        return values
    return np.asarray(np.add.reduceat(values, first), dtype=np.float64)


def onwards(values: FloatArray) -> FloatArray:
    """Sum of each value and all that follow it."""
    return np.cumsum(values[::-1])[::-1]


def checked_outcomes(duration_years: FloatArray, event: IntArray) -> tuple[FloatArray, IntArray]:
    """Durations and events as arrays, or an error that says what is wrong with them.

    Parameters
    ----------
    duration_years
        (n,) years from the landmark to the event or the end of follow-up; finite, 0 or more.
    event
        (n,) 0 censored, 1 progression, 2 death before progression.
    """
    duration = np.asarray(duration_years, dtype=np.float64)
    if duration.ndim != 1 or duration.size == 0:
        raise ValueRangeError("duration_years", "expected one duration for each of 1 or more rows")
    bad = ~(np.isfinite(duration) & (duration >= 0))
    if bad.any():
        raise ValueRangeError(
            "duration_years",
            f"expected a number of years of 0 or more; {int(bad.sum())} are not",
            row=int(np.flatnonzero(bad)[0]),
        )
    return duration, checked_event(event, duration.size)


def checked_event(event: IntArray, size: int) -> IntArray:
    """Event codes as integers, one per duration, or an error."""
    given = np.asarray(event)
    if given.shape != (size,):
        raise ValueRangeError("event", f"expected {size} events, one per duration")
    bad = ~np.isin(given, (CENSORED, PROGRESSION, DEATH))
    if bad.any():
        raise ValueRangeError(
            "event",
            "expected 0 (censored), 1 (progression) or 2 (death first)",
            row=int(np.flatnonzero(bad)[0]),
        )
    return given.astype(np.int64)


def checked_risk(risk: FloatArray, size: int) -> FloatArray:
    """Risks as an array within 0–1, one per subject, or an error."""
    values = np.asarray(risk, dtype=np.float64)
    if values.shape != (size,):
        raise ValueRangeError("risk", f"expected {size} risks, one per subject")
    if size and not (values.min() >= 0 and values.max() <= 1):
        bad = ~((values >= 0) & (values <= 1))
        raise ValueRangeError(
            "risk",
            f"expected a probability within 0–1; {int(bad.sum())} are not",
            row=int(np.flatnonzero(bad)[0]),
        )
    return values


def checked_horizon(horizon_years: float) -> float:
    """The horizon in years, positive and finite, or an error."""
    horizon = float(horizon_years)
    if not (np.isfinite(horizon) and horizon > 0):
        raise ValueRangeError("horizon_years", "expected a positive number of years")
    return horizon
