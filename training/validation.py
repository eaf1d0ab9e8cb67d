"""Candidates and rule compared on the same folds: out-of-fold risks and their metrics per fold.

Metrics are averaged over folds. Pooling out-of-fold predictions biases the AUC of a coarse rule (a
null model gets .44-.47).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.history import Floats
from models.learned import expit
from training.candidates import CANDIDATES
from training.folds import subject_folds
from training.landmarks import TrainingSet
from training.metrics.brier import brier_score
from training.metrics.censoring import IpcwWeights, ipcw_weights
from training.metrics.discrimination import auc
from training.recalibration import cross_fitted, intercept_and_slope
from training.study import Study

__all__ = ["FoldMetrics", "OutOfFold", "cross_validate"]

Bools = NDArray[np.bool_]
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class FoldMetrics:
    """What one test fold says of one candidate at one horizon; NaN where it cannot say.

    Parameters
    ----------
    fold
        Number of the fold over all repetitions.
    horizon_years
    auc, brier, ipa
        Controls of the AUC are all without progression by the horizon, the dead included.
    """

    fold: int
    horizon_years: float
    auc: float
    brier: float
    ipa: float


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """Out-of-fold predictions of one candidate.

    Parameters
    ----------
    name
        Of the candidate.
    margin : (repeats, n, h) array
        Log odds before recalibration.
    risk : (repeats, n, h) array
        Risks as they would be answered: recalibrated by the other folds, non-decreasing in the
        horizon.
    folds
        Metrics of every fold and horizon.
    recalibration : (h, 2) array
        Intercept and slope on all out-of-fold log odds, for the final model.
    """

    name: str
    margin: Floats
    risk: Floats
    folds: tuple[FoldMetrics, ...]
    recalibration: Floats

    def mean(self, metric: str, horizon_years: float) -> float:
        """Mean of a metric over the folds that can be judged."""
        values = [getattr(f, metric) for f in self.folds if f.horizon_years == horizon_years]
        known = np.array([v for v in values if not np.isnan(v)])
        return float(known.mean()) if known.size else float("nan")

    def standard_error(self, metric: str, horizon_years: float) -> float:
        """Standard error of that mean, taking the folds as independent."""
        values = [getattr(f, metric) for f in self.folds if f.horizon_years == horizon_years]
        known = np.array([v for v in values if not np.isnan(v)])
        return float(known.std(ddof=1) / np.sqrt(known.size)) if known.size > 1 else float("nan")


def cross_validate(
    rows: TrainingSet,
    study: Study,
    names: Sequence[str],
    *,
    seed: int,
    progress: Progress = lambda _: None,
) -> dict[str, OutOfFold]:
    """Out-of-fold risks and metrics of several candidates on the same folds.

    Parameters
    ----------
    rows
        Landmark rows.
    study
        Gives folds, horizons and the recalibration's targets.
    names
        Of the candidates.
    seed
        Of folds and learners.
    progress
        Told the name of the candidate after each fit.
    """
    masks = list(
        subject_folds(
            rows.subject,
            rows.event,
            count=study.folds.count,
            repeats=study.folds.repeats,
            seed=seed,
        )
    )
    known = [
        [_known(rows.rows(mask), horizon) for horizon in study.horizons_years] for mask in masks
    ]
    return {name: _out_of_fold(rows, study, name, masks, known, seed, progress) for name in names}


def _known(rows: TrainingSet, horizon: float) -> IpcwWeights:
    return ipcw_weights(rows.duration_years, rows.event, horizon)


def _out_of_fold(
    rows: TrainingSet,
    study: Study,
    name: str,
    masks: list[Bools],
    known: list[list[IpcwWeights]],
    seed: int,
    progress: Progress,
) -> OutOfFold:
    candidate = CANDIDATES[name]
    repeats, count = study.folds.repeats, study.folds.count
    shape = (repeats, len(rows.subject), len(study.horizons_years))
    margin, risk = np.empty(shape), np.empty(shape)
    for number, mask in enumerate(masks):
        fit = candidate.fit(rows.rows(~mask), study, seed=seed)
        margin[number // count, mask] = fit.learner.margin(rows.rows(mask).columns(fit.features))
        progress(candidate.label)
    for r in range(repeats):
        folds = masks[r * count : (r + 1) * count]
        final = cross_fitted(rows, margin[r], folds, study) if candidate.recalibrated else margin[r]
        risk[r] = np.maximum.accumulate(expit(final), axis=1)
    every = rows.rows(np.tile(np.arange(shape[1]), repeats))
    return OutOfFold(
        name=name,
        margin=margin,
        risk=risk,
        folds=tuple(
            _metrics(number, rows.rows(mask), risk[number // count, mask], weights, study)
            for number, (mask, of_mask) in enumerate(zip(masks, known, strict=True))
            for weights in of_mask
        ),
        recalibration=intercept_and_slope(every, margin.reshape(-1, shape[2]), study),
    )


def _metrics(
    fold: int, rows: TrainingSet, risk: Floats, weights: IpcwWeights, study: Study
) -> FoldMetrics:
    horizon = weights.horizon_years
    at = risk[:, study.horizons_years.index(horizon)]
    area = auc(rows.duration_years, rows.event, at, horizon, weights=weights).value
    score = brier_score(rows.duration_years, rows.event, at, horizon, weights=weights)
    return FoldMetrics(
        fold, horizon, _number(area), _number(score.brier.value), _number(score.ipa.value)
    )


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
