"""Candidates and rule compared on the same folds: out-of-fold risks and their metrics per fold.

Nested: a candidate is tuned inside the training part of each fold, so that what is judged is the
whole way to a model.

Metrics are averaged over folds. Pooling out-of-fold predictions biases the AUC of a coarse rule (a
null model gets .44-.47).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.history import Floats
from models.link import expit
from training.candidates import CANDIDATES, Settings
from training.folds import subject_folds
from training.landmarks import TrainingSet
from training.metrics.brier import brier_score
from training.metrics.censoring import IpcwWeights, ipcw_weights
from training.metrics.discrimination import auc
from training.recalibration import Recalibration, closed_test, cross_fitted, identity
from training.search import shortlist, tried
from training.search_space import Search
from training.study import Study
from training.workshop import Piece, Result, Workshop, as_text, from_text

__all__ = ["FoldMetrics", "OutOfFold", "cross_validate"]

Bools = NDArray[np.bool_]


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
    recalibration
        What all out-of-fold log odds ask for, for the final model.
    settings
        Chosen in every fold, by what its training part shows.
    shortlist
        Settings of the final model, then others among which its refits choose.
    """

    name: str
    margin: Floats
    risk: Floats
    folds: tuple[FoldMetrics, ...]
    recalibration: Recalibration
    settings: tuple[Settings, ...]
    shortlist: tuple[Settings, ...]

    def values(self, metric: str, horizon_years: float) -> Floats:
        """A metric in every fold; NaN where the fold cannot say."""
        return np.array(
            [getattr(f, metric) for f in self.folds if f.horizon_years == horizon_years]
        )

    def mean(self, metric: str, horizon_years: float) -> float:
        """Mean of a metric over the folds that can be judged."""
        known = self.values(metric, horizon_years)
        known = known[~np.isnan(known)]
        return float(known.mean()) if known.size else float("nan")


def cross_validate(
    rows: TrainingSet,
    study: Study,
    names: Sequence[str],
    *,
    seed: int,
    search: Search | None = None,
    storage: str | None = None,
    workshop: Workshop | None = None,
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
        Of folds, learners and search.
    search
        How each candidate is tuned inside every training part, and once on all rows; None takes
        the settings it has.
    storage
        URL of the database of trials.
    workshop
        Where the fits are done; here, one after the other, when None.
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
    pieces = [
        Piece(f"{name} fold {k}", CANDIDATES[name].label, _fold, (name, rows, mask, *given))
        for given in [(study, search, seed, storage)]
        for k, mask in enumerate(masks)
        for name in names
    ]
    if search is not None:
        pieces += [
            Piece(f"{name} all", CANDIDATES[name].label, _all_rows, (name, rows, *given))
            for given in [(study, search, seed, storage)]
            for name in names
        ]
    found = (workshop or Workshop()).do(pieces)
    known = [
        [_known(rows.rows(mask), horizon) for horizon in study.horizons_years] for mask in masks
    ]
    return {
        name: _out_of_fold(
            rows,
            study,
            name,
            masks,
            known,
            [found[f"{name} fold {k}"] for k in range(len(masks))],
            _settings_of(found.get(f"{name} all")),
        )
        for name in names
    }


def _known(rows: TrainingSet, horizon: float) -> IpcwWeights:
    return ipcw_weights(rows.duration_years, rows.event, horizon)


def _fold(
    name: str,
    rows: TrainingSet,
    mask: Bools,
    study: Study,
    search: Search | None,
    seed: int,
    storage: str | None,
) -> Result:
    """Log odds of the test rows, by a candidate tuned and fitted on the others alone."""
    others = rows.rows(~mask)
    settings: Settings = {}
    if search is not None:
        trials = tried(name, others, study, search, seed=seed, storage=storage)
        settings = shortlist(trials, 1)[0]
    fit = CANDIDATES[name].tuned(settings).fit(others, study, seed=seed)
    margin = fit.learner.margin(rows.rows(mask).columns(fit.features))
    return {"margin": margin, "settings": as_text(settings)}


def _all_rows(
    name: str, rows: TrainingSet, study: Study, search: Search, seed: int, storage: str | None
) -> Result:
    """Settings for the final model, and those that its refits choose among."""
    trials = tried(name, rows, study, search, seed=seed, storage=storage)
    listed = shortlist(trials, search.shortlist)
    return {"shortlist": np.array([str(as_text(settings)) for settings in listed])}


def _settings_of(found: Result | None) -> tuple[Settings, ...]:
    return ({},) if found is None else tuple(from_text(text) for text in found["shortlist"])


def _out_of_fold(
    rows: TrainingSet,
    study: Study,
    name: str,
    masks: list[Bools],
    known: list[list[IpcwWeights]],
    found: list[Result],
    listed: tuple[Settings, ...],
) -> OutOfFold:
    candidate = CANDIDATES[name]
    repeats, count = study.folds.repeats, study.folds.count
    shape = (repeats, len(rows.subject), len(study.horizons_years))
    margin, risk = np.empty(shape), np.empty(shape)
    for number, (mask, result) in enumerate(zip(masks, found, strict=True)):
        margin[number // count, mask] = result["margin"]
    for r in range(repeats):
        folds = masks[r * count : (r + 1) * count]
        final = cross_fitted(rows, margin[r], folds, study) if candidate.recalibrated else margin[r]
        risk[r] = np.maximum.accumulate(expit(final), axis=1)
    every = rows.rows(np.tile(np.arange(shape[1]), repeats))
    asked = (
        closed_test(every, margin.reshape(-1, shape[2]), study)
        if candidate.recalibrated
        else identity(shape[2])
    )
    return OutOfFold(
        name=name,
        margin=margin,
        risk=risk,
        folds=tuple(
            _metrics(number, rows.rows(mask), risk[number // count, mask], weights, study)
            for number, (mask, of_mask) in enumerate(zip(masks, known, strict=True))
            for weights in of_mask
        ),
        recalibration=asked,
        settings=tuple(from_text(result["settings"]) for result in found),
        shortlist=listed,
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
