"""Prediction instability: what this person would have been told by a model of another cohort."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from features.errors import ValueRangeError
from training.metrics.estimate import FloatArray, IntArray

# Fits the whole pipeline on these rows and returns the risks (n,) of everybody.
Refit = Callable[[IntArray], FloatArray]


@dataclass(frozen=True, slots=True)
class Instability:
    """How much each subject's risk depends on the cohort the model happened to be fitted on.

    Parameters
    ----------
    lower, upper
        (n,) interval of each subject's risk over refitted models.
    mean_absolute_error
        (n,) mean absolute distance of refitted risks from the model's own (MAPE of Riley &
        Collins 2023, doi:10.1002/bimj.202200060).
    flips
        (n,) by threshold: share of refitted models that put the subject on its other side.
    replicates
        Number of refitted models.
    """

    lower: FloatArray
    upper: FloatArray
    mean_absolute_error: FloatArray
    flips: dict[float, FloatArray]
    replicates: int

    def summary(self) -> dict[str, float]:
        """Averages over subjects: width of the interval, error, share of flips."""
        averages = {
            "interval_width": float((self.upper - self.lower).mean()),
            "mean_absolute_error": float(self.mean_absolute_error.mean()),
        }
        return averages | {f"flips_{p:g}": float(share.mean()) for p, share in self.flips.items()}


def instability_of(
    risk: FloatArray,
    refitted: FloatArray,
    *,
    thresholds: tuple[float, ...] = (),
    level: float = 0.95,
) -> Instability:
    """Instability from risks of models refitted in bootstrap samples.

    Parameters
    ----------
    risk
        (n,) the model's own risks within 0–1.
    refitted
        (r, n) risks of the same subjects from r refitted models.
    thresholds
        Risks at which one would act.
    level
        Share of refitted risks within the interval.
    """
    own, others = np.asarray(risk, np.float64), np.asarray(refitted, np.float64)
    if others.ndim != 2 or others.shape[0] == 0 or others.shape[1:] != own.shape:
        raise ValueRangeError("refitted", f"expected replicates by {own.size} subjects")
    if not ((others >= 0) & (others <= 1)).all() or not ((own >= 0) & (own <= 1)).all():
        raise ValueRangeError("refitted", "expected risks within 0–1")
    tail = (1 - level) / 2
    lower, upper = np.quantile(others, (tail, 1 - tail), axis=0)
    return Instability(
        lower,
        upper,
        np.abs(others - own).mean(axis=0),
        {p: ((others >= p) != (own >= p)).mean(axis=0) for p in thresholds},
        others.shape[0],
    )


def refitted_risks(
    refit: Refit,
    cluster: IntArray,
    *,
    replicates: int,
    seed: int,
    progress: Callable[[int], None] | None = None,
) -> FloatArray:
    """Risks of everybody from models refitted in bootstrap samples of whole subjects, (r, n).

    Parameters
    ----------
    refit
        Fits the whole pipeline – tuning, recalibration and all – on the rows it is given (some of
        them more than once) and returns the risks of all n rows.
    cluster
        (n,) codes 0 … k-1 of the subject each row belongs to.
    replicates
        Number of refitted models.
    seed
        Each replicate has its own stream from it.
    progress
        Called with 1 after each replicate.
    """
    order = np.argsort(cluster, kind="stable")
    subjects = int(cluster.max()) + 1
    bounds = np.searchsorted(cluster[order], np.arange(subjects + 1))
    risks = []
    for stream in np.random.SeedSequence(seed).spawn(replicates):
        drawn = np.random.default_rng(stream).integers(0, subjects, subjects)
        rows = np.concatenate([order[bounds[k] : bounds[k + 1]] for k in drawn])
        risks.append(refit(rows))
        if progress is not None:
            progress(1)
    return np.stack(risks)
