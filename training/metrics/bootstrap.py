"""Bootstrap of several models on the same subjects: whole subjects drawn, everything else refitted.

A replicate counts subjects instead of copying them, so that durations and risks are sorted once
and a replicate costs O(n).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from training.metrics.aalen_johansen import incidence_at
from training.metrics.brier import brier_value
from training.metrics.censoring import FLOOR, ipcw_weights
from training.metrics.contrasts import Contrast
from training.metrics.discrimination import Ranking, auc_value
from training.metrics.estimate import BoolArray, Estimate, FloatArray, IntArray
from training.metrics.resampling import drawn_counts, replicated
from training.metrics.timeline import Timeline

# With more replicates than this share not estimable, percentiles would be of a selected sample.
MOST_FAILED = 0.05


@dataclass(frozen=True, slots=True)
class Replicates:
    """Estimates of every model in every replicate; NaN where a replicate has none.

    Parameters
    ----------
    auc, brier
        (replicates, models).
    net_benefit
        (replicates, models, thresholds).
    models
        Names of the columns.
    """

    auc: FloatArray
    brier: FloatArray
    net_benefit: FloatArray
    models: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Work:
    timeline: Timeline
    risks: tuple[FloatArray, ...]
    rankings: tuple[Ranking, ...]
    flags: tuple[tuple[BoolArray, ...], ...]
    horizon_years: float
    thresholds: tuple[float, ...]
    cluster: IntArray | None
    floor: float

    def __call__(self, generator: np.random.Generator) -> FloatArray:
        """(models, 2 + thresholds) AUC, Brier score and net benefits of one resampled cohort."""
        line, horizon = self.timeline, self.horizon_years
        counts = drawn_counts(line.size, self.cluster, generator)
        result = np.full((len(self.risks), 2 + len(self.thresholds)), np.nan)
        weights = ipcw_weights(
            line.times, line.event, horizon, floor=self.floor, sample_weight=counts, timeline=line
        )
        used = weights.weights > 0
        if not (weights.case & used).any() or not (used & ~weights.case).any():
            return result
        for k, (risk, ranking) in enumerate(zip(self.risks, self.rankings, strict=True)):
            area = auc_value(weights, ranking)
            result[k, 0] = np.nan if area is None else area
            result[k, 1] = brier_value(weights, risk)
            for j, threshold in enumerate(self.thresholds):
                result[k, 2 + j] = _benefit(line, counts, self.flags[k][j], horizon, threshold)
        return result


def paired_bootstrap(
    timeline: Timeline,
    risks: Mapping[str, FloatArray],
    horizon_years: float,
    *,
    replicates: int,
    seed: int,
    thresholds: tuple[float, ...] = (),
    cluster: IntArray | None = None,
    floor: float = FLOOR,
    jobs: int = 1,
    progress: Callable[[int], None] | None = None,
) -> Replicates:
    """AUC, Brier score and net benefit of every model in resampled cohorts.

    Parameters
    ----------
    timeline
        Outcomes, arranged.
    risks
        (n,) checked risks by model.
    horizon_years
        The horizon.
    replicates
        Number of resampled cohorts.
    seed
        Each replicate has its own stream from it: the result does not depend on `jobs`.
    thresholds
        Risks at which one would act.
    cluster
        (n,) codes 0 … k-1 of rows that are drawn together.
    floor
        Smallest chance of being uncensored.
    jobs
        Number of processes.
    progress
        Called with the number of replicates finished since the last call.
    """
    values = tuple(risks.values())
    work = _Work(
        timeline,
        values,
        tuple(Ranking.of(risk) for risk in values),
        tuple(tuple(risk >= p for p in thresholds) for risk in values),
        horizon_years,
        thresholds,
        cluster,
        floor,
    )
    table = replicated(work, replicates=replicates, seed=seed, jobs=jobs, progress=progress)
    return Replicates(table[:, :, 0], table[:, :, 1], table[:, :, 2:], tuple(risks))


def bootstrap_contrast(
    model: FloatArray, reference: FloatArray, observed: Contrast, *, level: float = 0.95
) -> Contrast:
    """Paired difference with percentile interval and p-value from replicates.

    Parameters
    ----------
    model, reference
        (r,) estimates in the same replicates.
    observed
        The difference in the sample itself.
    level
        Confidence level within 0–1.
    """
    if observed.delta.value is None:
        return observed
    delta = model - reference
    delta = delta[np.isfinite(delta)]
    failed = model.size - delta.size
    if failed > MOST_FAILED * model.size:
        reason = f"not estimable in {failed} of {model.size} bootstrap replicates"
        return Contrast(Estimate.none(reason), None)
    tail = (1 - level) / 2
    lower, upper = np.quantile(delta, (tail, 1 - tail))
    error = float(delta.std(ddof=1)) if delta.size > 1 else None
    below, above = int((delta <= 0).sum()), int((delta >= 0).sum())
    # One is added to both counts: a p-value of 0 cannot come from a finite number of replicates.
    p = min(1.0, 2 * (min(below, above) + 1) / (delta.size + 1))
    estimate = Estimate(observed.delta.value, error, float(lower), float(upper))
    return Contrast(estimate, p if lower < upper else None)


def _benefit(
    line: Timeline, counts: FloatArray, flagged: BoolArray, horizon: float, threshold: float
) -> float:
    weight = np.where(flagged, counts, 0.0)
    share = float(weight.sum() / counts.sum())
    if share == 0:
        return 0.0
    odds = threshold / (1 - threshold)
    risk = incidence_at(line, horizon, sample_weight=weight)
    return share * (risk * (1 + odds) - odds)
