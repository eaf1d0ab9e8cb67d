"""Observed risk of progression when death comes first for some: Aalen–Johansen.

One minus Kaplan–Meier would count the dead as if they could still progress and is too high.
"""

from dataclasses import dataclass
from math import exp, log, sqrt

import numpy as np

from training.metrics.censoring import follow_up_too_short
from training.metrics.estimate import Estimate, FloatArray, IntArray
from training.metrics.timeline import CENSORED, PROGRESSION, Timeline, checked_horizon


@dataclass(frozen=True, slots=True)
class IncidenceCurve:
    """Cumulative incidence of one cause over time.

    Parameters
    ----------
    times
        (k,) distinct durations in years, ascending, up to where the curve stops.
    incidence
        (k,) cumulative incidence at each of them, within 0–1.
    variance
        (k,) Greenwood-type variance of the incidence; 0 or more.
    timeline
        The sample: it tells where follow-up ends.
    """

    times: FloatArray
    incidence: FloatArray
    variance: FloatArray
    timeline: Timeline

    def at(self, horizon_years: float, *, level: float = 0.95) -> Estimate:
        """Incidence at a horizon, its interval symmetric on the log(-log) scale."""
        horizon = checked_horizon(horizon_years)
        reason = follow_up_too_short(self.timeline, horizon)
        if reason is not None:
            return Estimate.none(reason)
        position = self.timeline.steps_until(horizon) - 1
        if position < 0:
            return Estimate(0.0)
        if position >= self.incidence.size:
            raise ValueError("the curve stops before this horizon")
        return _estimate(float(self.incidence[position]), float(self.variance[position]), level)


def aalen_johansen(
    duration_years: FloatArray,
    event: IntArray,
    *,
    cause: int = PROGRESSION,
    sample_weight: FloatArray | None = None,
    timeline: Timeline | None = None,
    until_years: float | None = None,
) -> IncidenceCurve:
    """Cumulative incidence of one cause with its variance, in O(n log n).

    Parameters
    ----------
    duration_years, event
        (n,) years to the event or the end of follow-up; 0 censored, 1 progression, 2 death first.
    cause
        1 for progression, 2 for death without it.
    sample_weight
        (n,) how many subjects a row stands for; the variance then takes them as that many
        independent subjects.
    timeline
        The same outcomes arranged already.
    until_years
        Where the curve may stop; at the end of follow-up when None.

    Notes
    -----
    The variance is the Greenwood-type one of Marubini & Valsecchi (1995, ISBN 978-0471939870,
    section 10.4), as in R's `prodlim`.
    """
    line = Timeline.of(duration_years, event) if timeline is None else timeline
    last = line.times.size if until_years is None else line.steps_until(until_years)
    steps = _Steps.of(line, last, cause, sample_weight)
    return IncidenceCurve(line.times[:last], steps.incidence, _variance(steps), line)


def observed_risk(line: Timeline, horizon_years: float, *, level: float = 0.95) -> Estimate:
    """Incidence of progression at one horizon with its interval; the end of the curve alone."""
    horizon = checked_horizon(horizon_years)
    reason = follow_up_too_short(line, horizon)
    if reason is not None:
        return Estimate.none(reason)
    last = line.steps_until(horizon)
    if last == 0:
        return Estimate(0.0)
    steps = _Steps.of(line, last, PROGRESSION, None)
    a, b, c = _greenwood(steps)
    left = float(steps.incidence[-1]) - steps.incidence
    variance = float((left * a) @ left + b.sum() - 2 * left @ c)
    return _estimate(float(steps.incidence[-1]), max(variance, 0.0), level)


def _estimate(value: float, variance: float, level: float) -> Estimate:
    error = sqrt(variance)
    if not 0 < value < 1 or error == 0:
        return Estimate(value, error)
    return Estimate.on_scale(
        value,
        error,
        forward=lambda p: log(-log(p)),
        backward=lambda x: exp(-exp(x)),
        slope=1 / (value * log(value)),
        level=level,
    )


@dataclass(frozen=True, slots=True)
class _Steps:
    """What happens at each of the first distinct durations, (k,) each."""

    at_risk: FloatArray
    events: FloatArray
    caused: FloatArray
    free_before: FloatArray
    incidence: FloatArray

    @classmethod
    def of(
        cls, line: Timeline, last: int, cause: int, sample_weight: FloatArray | None
    ) -> "_Steps":
        at_risk = line.at_risk(sample_weight)[:last]
        events = line.total(sample_weight, line.event != CENSORED)[:last]
        caused = line.count(cause, sample_weight)[:last]
        present = np.maximum(at_risk, np.finfo(np.float64).tiny)
        staying = np.clip(1 - events / present, 0.0, 1.0)
        free_before = np.concatenate(([1.0], np.cumprod(staying)[:-1]))[:last]
        incidence = np.cumsum(free_before * caused / present)
        return cls(at_risk, events, caused, free_before, incidence)


def _greenwood(steps: _Steps) -> tuple[FloatArray, FloatArray, FloatArray]:
    """What each step s adds to the variance at t: (F(t) - F(s))² a + b - 2 (F(t) - F(s)) c."""
    left = steps.at_risk - steps.events
    safe = np.maximum(steps.at_risk, np.finfo(np.float64).tiny)
    a = np.divide(steps.events, safe * left, out=np.zeros_like(left), where=left > 0)
    c = steps.free_before * steps.caused / safe**2
    return a, steps.free_before * c * (safe - steps.caused) / safe, c


def _variance(steps: _Steps) -> FloatArray:
    # The squares multiplied out, so that every t costs the same.
    a, b, c = _greenwood(steps)
    f = steps.incidence
    spread = f**2 * np.cumsum(a) - 2 * f * np.cumsum(f * a) + np.cumsum(f**2 * a)
    cross = f * np.cumsum(c) - np.cumsum(f * c)
    return np.asarray(np.maximum(spread + np.cumsum(b) - 2 * cross, 0.0), dtype=np.float64)


def incidence_at(
    timeline: Timeline,
    horizon_years: float,
    *,
    sample_weight: FloatArray | None = None,
) -> float:
    """Incidence of progression at one horizon without its variance; for bootstraps.

    The caller makes sure that follow-up reaches the horizon.
    """
    last = timeline.steps_until(horizon_years)
    present = np.maximum(timeline.at_risk(sample_weight)[:last], np.finfo(np.float64).tiny)
    events = timeline.total(sample_weight, timeline.event != CENSORED)[:last]
    caused = timeline.count(PROGRESSION, sample_weight)[:last]
    free = np.cumprod(np.clip(1 - events / present, 0.0, 1.0))
    free_before = np.concatenate(([1.0], free[:-1]))[: caused.size]
    return float(free_before @ (caused / present))


def pseudo_values(
    duration_years: FloatArray,
    event: IntArray,
    horizon_years: float,
    *,
    timeline: Timeline | None = None,
) -> FloatArray:
    """Jackknife pseudo-values of the incidence of progression at the horizon, (n,).

    Parameters
    ----------
    duration_years, event
        (n,) years to the event or the end of follow-up; 0 censored, 1 progression, 2 death first.
    horizon_years
        The horizon.
    timeline
        The same outcomes arranged already.

    Returns
    -------
    n F - (n - 1) F without subject i: it stands in for the unknown outcome of a censored subject
    and has the conditional risk as its expectation (Andersen 2003, doi:10.1093/biomet/90.1.15).

    Notes
    -----
    Leaving out subject i lowers the number at risk by one up to T_i and changes nothing after, so
    the exact jackknife is a product of two cumulative sums: O(n log n), no refit.
    """
    line = Timeline.of(duration_years, event) if timeline is None else timeline
    n, last = line.size, line.steps_until(checked_horizon(horizon_years))
    at_risk = line.at_risk()
    events = line.total(None, line.event != CENSORED)
    caused = line.count(PROGRESSION)
    full, free = _walk(at_risk, events, caused, last)
    final = float(full[-1])
    fewer, fewer_free = _walk(at_risk - 1, events, caused, last)
    inside = line.step < last
    step = np.where(inside, line.step, last)
    without = np.full(n, fewer[-1])
    own = step[inside]
    left = np.maximum(at_risk[own] - 1, 1.0)
    is_cause = (line.event[inside] == PROGRESSION).astype(np.float64)
    is_event = (line.event[inside] != CENSORED).astype(np.float64)
    at_own = fewer_free[own] * (caused[own] - is_cause) / left
    free_after = fewer_free[own] * (1 - (events[own] - is_event) / left)
    # From T_i on the two samples are the same: the rest of the curve, given free of events.
    later = np.divide(
        final - full[own + 1], free[own + 1], out=np.zeros(own.size), where=free[own + 1] > 0
    )
    without[inside] = fewer[own] + at_own + free_after * later
    return n * final - (n - 1) * without


def _walk(
    at_risk: FloatArray, events: FloatArray, caused: FloatArray, last: int
) -> tuple[FloatArray, FloatArray]:
    # Incidence and event-free chance before each step, and after the last: (last + 1,) each.
    present = np.maximum(at_risk[:last], 1e-300)
    staying = np.where(at_risk[:last] > 0, np.clip(1 - events[:last] / present, 0.0, 1.0), 0.0)
    free = np.concatenate(([1.0], np.cumprod(staying)))
    hazard = np.where(at_risk[:last] > 0, caused[:last] / present, 0.0)
    return np.concatenate(([0.0], np.cumsum(free[:-1] * hazard))), free


__all__ = ["IncidenceCurve", "aalen_johansen", "incidence_at", "observed_risk", "pseudo_values"]
