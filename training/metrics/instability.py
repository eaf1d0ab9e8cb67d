"""Prediction instability: what this person would have been told by a model of another cohort."""

from dataclasses import dataclass

import numpy as np

from features.errors import ValueRangeError
from training.metrics.estimate import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Instability:
    """How much each subject's risk depends on the cohort the model happened to be fitted on.

    Parameters
    ----------
    risk
        (n,) the model's own risks.
    lower, upper
        (n,) interval of each subject's risk over refitted models.
    mean_absolute_error
        (n,) mean absolute distance of refitted risks from the model's own (MAPE of Riley &
        Collins 2023, doi:10.1002/bimj.202200302).
    flips
        (n,) by threshold: share of refitted models that put the subject on its other side.
    replicates
        Number of refitted models.
    """

    risk: FloatArray
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
        own,
        lower,
        upper,
        np.abs(others - own).mean(axis=0),
        {p: ((others >= p) != (own >= p)).mean(axis=0) for p in thresholds},
        others.shape[0],
    )


def bootstrap_rows(cluster: IntArray, *, replicates: int, seed: int) -> list[IntArray]:
    """Row numbers of bootstrap samples of whole subjects.

    Parameters
    ----------
    cluster
        (n,) codes of the subject each row belongs to.
    replicates
        Number of samples.
    seed
        Each sample has its own stream from it.
    """
    codes, of_row = np.unique(cluster, return_inverse=True)
    order = np.argsort(of_row, kind="stable")
    bounds = np.searchsorted(of_row[order], np.arange(codes.size + 1))
    samples = []
    for stream in np.random.SeedSequence(seed).spawn(replicates):
        drawn = np.random.default_rng(stream).integers(0, codes.size, codes.size)
        samples.append(np.concatenate([order[bounds[k] : bounds[k + 1]] for k in drawn]))
    return samples
