"""Intervals of what has no influence function here: distances of the curve, and concordance."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from training.metrics.bootstrap import MOST_FAILED
from training.metrics.calibration_curve import calibration_curve
from training.metrics.censoring import FLOOR, ipcw_weights
from training.metrics.concordance import concordance
from training.metrics.discrimination import Ranking
from training.metrics.estimate import Estimate, FloatArray, IntArray, normal_quantile
from training.metrics.resampling import drawn_counts, replicated
from training.metrics.timeline import Timeline

MEASURES = ("ici", "e50", "e90", "concordance")


@dataclass(frozen=True, slots=True)
class _Work:
    timeline: Timeline
    risk: FloatArray
    horizon_years: float
    cluster: IntArray | None
    floor: float
    with_concordance: bool

    def __call__(self, generator: np.random.Generator) -> FloatArray:
        """(4,) the measures in one resampled cohort."""
        counts = drawn_counts(self.timeline.size, self.cluster, generator).astype(np.int64)
        rows = np.repeat(np.arange(self.timeline.size), counts)
        line, risk = self.timeline.part(rows), self.risk[rows]
        outcome, ranking = (line.duration(), line.event, risk), Ranking.of(risk)
        curve = calibration_curve(*outcome, self.horizon_years, timeline=line, ranking=ranking)
        found = [curve.ici, curve.e50, curve.e90]
        if self.with_concordance:
            weights = ipcw_weights(
                line.times, line.event, self.horizon_years, floor=self.floor, timeline=line
            )
            found.append(
                concordance(
                    *outcome,
                    self.horizon_years,
                    weights=weights,
                    floor=self.floor,
                    ranking=ranking,
                )
            )
        values = [np.nan if one.value is None else one.value for one in found]
        return np.array(values + [np.nan] * (len(MEASURES) - len(values)))


def resampled_measures(
    timeline: Timeline,
    risk: FloatArray,
    horizon_years: float,
    *,
    replicates: int,
    seed: int,
    cluster: IntArray | None = None,
    floor: float = FLOOR,
    with_concordance: bool = True,
    jobs: int = 1,
    progress: Callable[[int], None] | None = None,
) -> dict[str, FloatArray]:
    """ICI, E50, E90 and concordance of one model in resampled cohorts, (replicates,) each.

    Parameters
    ----------
    timeline
        Outcomes, arranged in the order of their durations.
    risk
        (n,) checked risks.
    horizon_years
        The horizon.
    replicates, seed, jobs, progress
        As in `training.metrics.resampling.replicated`.
    cluster
        (n,) codes 0 … k-1 of rows that are drawn together.
    floor
        Smallest chance of being uncensored.
    with_concordance
        Whether concordance is asked for; NaN otherwise.
    """
    work = _Work(timeline, risk, horizon_years, cluster, floor, with_concordance)
    table = replicated(work, replicates=replicates, seed=seed, jobs=jobs, progress=progress)
    return dict(zip(MEASURES, table.T, strict=True))


def with_interval(estimate: Estimate, replicates: FloatArray, *, level: float = 0.95) -> Estimate:
    """An estimate with its standard error over resampled cohorts, and the Wald interval.

    Its coverage is in `benchmarks.coverage`; percentiles would count the upward bias of a distance
    twice.

    Parameters
    ----------
    estimate
        In the sample itself; a number within 0–1.
    replicates
        (r,) in resampled cohorts; NaN where not estimable.
    level
        Confidence level within 0–1.
    """
    known = replicates[np.isfinite(replicates)]
    if estimate.value is None or known.size < max(2, (1 - MOST_FAILED) * replicates.size):
        return estimate
    error = float(known.std(ddof=1))
    half = normal_quantile(level) * error
    value = estimate.value
    return Estimate(value, error, max(0.0, value - half), min(1.0, value + half))


__all__ = ["MEASURES", "resampled_measures", "with_interval"]
