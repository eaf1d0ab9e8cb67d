"""Observed risk of progression when death comes first for some: Aalen–Johansen.

One minus Kaplan–Meier would count the dead as if they could still progress and is too high.
"""

from dataclasses import dataclass
from math import exp, log, sqrt

import numpy as np

from training.metrics.censoring import follow_up_too_short
from training.metrics.estimate import (
    Estimate,
    FloatArray,
    IntArray,
    clustered_standard_error,
)
from training.metrics.timeline import CENSORED, PROGRESSION, Timeline, checked_horizon

# Divided by instead of 0 where nobody is at risk, and nothing happens.
_NOBODY = np.finfo(np.float64).tiny


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
        error = sqrt(float(self.variance[position]))
        return _estimate(float(self.incidence[position]), error, level)


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


def observed_risk(
    line: Timeline,
    horizon_years: float,
    *,
    level: float = 0.95,
    cluster: IntArray | None = None,
) -> Estimate:
    """Incidence of progression at one horizon with its interval; the end of the curve alone.

    Parameters
    ----------
    line
        The sample.
    horizon_years
        The horizon.
    level
        Confidence level within 0–1.
    cluster
        (n,) codes of rows that belong together, as `observed_risk_and_pseudo_values` takes them.
    """
    if cluster is not None:
        return observed_risk_and_pseudo_values(line, horizon_years, level=level, cluster=cluster)[0]
    horizon = checked_horizon(horizon_years)
    reason = follow_up_too_short(line, horizon)
    if reason is not None:
        return Estimate.none(reason)
    return _at_end(_Steps.until(line, horizon), level)


def observed_risk_and_pseudo_values(
    line: Timeline,
    horizon_years: float,
    *,
    level: float = 0.95,
    cluster: IntArray | None = None,
) -> tuple[Estimate, FloatArray]:
    """Incidence of progression at one horizon and its pseudo-values, from one walk; zeros if none.

    Parameters
    ----------
    line
        The sample.
    horizon_years
        The horizon.
    level
        Confidence level within 0–1.
    cluster
        (n,) codes 0 … k-1 of rows that belong together: the variance is then the jackknife's over
        clusters (Greenwood's takes every row as a subject of its own).
    """
    horizon = checked_horizon(horizon_years)
    reason = follow_up_too_short(line, horizon)
    if reason is not None:
        return Estimate.none(reason), np.zeros(line.size)
    steps = _Steps.until(line, horizon)
    found, pseudo = _at_end(steps, level), _jackknife(line, steps)
    if cluster is None or found.value is None:
        return found, pseudo
    error = clustered_standard_error(pseudo - pseudo.mean(), cluster)
    if error is None:
        return Estimate(found.value), pseudo
    return _estimate(found.value, error, level), pseudo


def _at_end(steps: "_Steps", level: float) -> Estimate:
    if steps.incidence.size == 0:
        return Estimate(0.0)
    a, b, c = _greenwood(steps)
    left = float(steps.incidence[-1]) - steps.incidence
    variance = float((left * a) @ left + b.sum() - 2 * left @ c)
    return _estimate(float(steps.incidence[-1]), sqrt(max(variance, 0.0)), level)


def _estimate(value: float, error: float, level: float) -> Estimate:
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
    """What happens at each of the first distinct durations, and is left after it, (k,) each."""

    at_risk: FloatArray
    events: FloatArray
    caused: FloatArray
    free_before: FloatArray
    free: FloatArray
    incidence: FloatArray

    @classmethod
    def until(cls, line: Timeline, horizon_years: float) -> "_Steps":
        """Steps to progression up to a horizon."""
        return cls.of(line, line.steps_until(horizon_years), PROGRESSION, None)

    @classmethod
    def of(
        cls, line: Timeline, last: int, cause: int, sample_weight: FloatArray | None
    ) -> "_Steps":
        counts = _counts(line, last, cause, sample_weight)
        free, incidence = _walk(*counts)
        return cls(*counts, free[:-1], free[1:], incidence[1:])


def _greenwood(steps: _Steps) -> tuple[FloatArray, FloatArray, FloatArray]:
    """What each step s adds to the variance at t: (F(t) - F(s))² a + b - 2 (F(t) - F(s)) c."""
    safe = np.maximum(steps.at_risk, _NOBODY)
    a = _share(steps.events / safe, steps.at_risk - steps.events)
    caused = steps.caused / safe
    c = steps.free_before * caused
    c /= safe
    return a, steps.free_before * c * (1 - caused), c


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
    return float(_walk(*_counts(timeline, last, PROGRESSION, sample_weight))[1][-1])


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
    return _jackknife(line, _Steps.until(line, checked_horizon(horizon_years)))


def _jackknife(line: Timeline, steps: _Steps) -> FloatArray:
    n, last = line.size, steps.incidence.size
    final = float(steps.incidence[-1]) if last else 0.0
    left = np.maximum(steps.at_risk - 1, 1.0)
    free, incidence = _walk(left, steps.events, steps.caused)
    # From T_i on the two samples are the same: the rest of the curve, given free of events.
    later = _share(final - steps.incidence, steps.free)
    inside, own = line.until(last)
    without = np.full(n, incidence[-1])
    if line.untied:
        # Nobody else ends at T_i.
        later *= free[:-1]
        later += incidence[:-1]
        without[inside] = later
    else:
        code = line.event[inside]
        at_own = (steps.caused[own] - (code == PROGRESSION)) / left[own]
        staying = 1 - (steps.events[own] - (code != CENSORED)) / left[own]
        without[inside] = incidence[own] + free[own] * (at_own + staying * later[own])
    without *= 1 - n
    without += n * final
    return without


def _share(part: FloatArray, whole: FloatArray) -> FloatArray:
    """Part of a whole, 0 of nothing; changes `part`."""
    if whole.size and whole.min() <= 0:
        return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
    part /= whole
    return part


def _counts(
    line: Timeline, last: int, cause: int, sample_weight: FloatArray | None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Subjects at risk, with any event and with one of this cause at the first steps, (last,)."""
    events = line.total(sample_weight, line.event != CENSORED, last=last)
    caused = line.count(cause, sample_weight, last=last)
    return line.at_risk(sample_weight, last=last), events, caused


def _walk(
    at_risk: FloatArray, events: FloatArray, caused: FloatArray
) -> tuple[FloatArray, FloatArray]:
    # Event-free chance and incidence before each step, and after the last: (steps + 1,) each.
    present = np.maximum(at_risk, _NOBODY)
    free, incidence = np.ones(events.size + 1), np.zeros(events.size + 1)
    work = events / present
    np.subtract(1.0, work, out=work)
    np.cumprod(np.maximum(work, 0.0, out=work), out=free[1:])
    np.multiply(free[:-1], caused, out=work)
    work /= present
    np.cumsum(work, out=incidence[1:])
    return free, incidence


__all__ = [
    "IncidenceCurve",
    "aalen_johansen",
    "incidence_at",
    "observed_risk",
    "observed_risk_and_pseudo_values",
    "pseudo_values",
]
