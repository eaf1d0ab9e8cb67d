"""Tuning one candidate on some rows: the settings of least loss in inner cross-validation.

Trials are kept by `training.trials`; a setting that somebody began who died is done again.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from features.history import Floats
from models.link import expit
from training.candidates import CANDIDATES, Candidate, Settings
from training.folds import subject_folds
from training.landmarks import TrainingSet
from training.metrics.censoring import ipcw_weights
from training.search_space import Search, design_points
from training.software import software_digest
from training.study import Study
from training.trials import Trials, open_trials

__all__ = ["Trial", "inner_losses", "shortlist", "tried"]


@dataclass(frozen=True, slots=True)
class Trial:
    """One setting and its loss in every inner fold."""

    settings: Settings
    losses: Floats


def tried(
    name: str, rows: TrainingSet, study: Study, search: Search, *, seed: int, storage: str | None
) -> list[Trial]:
    """Every setting of a candidate with its losses.

    Parameters
    ----------
    name
        Of the candidate.
    rows
        To be tuned on; split into inner folds by subject.
    study, search
        The design, and what to try.
    seed
        Of folds, learners and settings.
    storage
        URL of Optuna's database; None keeps trials in memory.
    """
    points = design_points(search.spaces.get(name, {}), search.trials, seed=seed)
    candidate = CANDIDATES[name]
    if len(points) == 1:
        return [Trial({}, np.zeros(search.inner_folds))]
    asked = study
    if candidate.separate_horizons:
        # The others would be fitted for nothing: only the one that decides is looked at.
        asked = replace(study, horizons_years=(study.decision_horizon_years,))

    def losses_of(settings: Settings) -> Floats:
        tuned = candidate.tuned(settings)
        return inner_losses(tuned, rows, asked, folds=search.inner_folds, seed=seed)[0]

    with open_trials(_study_name(name, rows, study, search, seed), storage) as trials:
        losses = _every_loss(trials, points, losses_of)
    return [Trial(settings, lost) for settings, lost in zip(points, losses, strict=True)]


def _every_loss(
    trials: Trials, points: Sequence[Settings], losses_of: Callable[[Settings], Floats]
) -> list[Floats]:
    """Losses of every setting: first those that no worker has, then what others leave undone."""
    for wait in (False, True):
        for point, settings in enumerate(points):
            if point in trials.losses():
                continue
            with trials.claim(point, wait=wait) as ours:
                # It may have been finished between the look and the claim.
                if ours and point not in trials.losses():
                    trials.add(point, settings, losses_of(settings))
    found = trials.losses()
    return [found[point] for point in range(len(points))]


def shortlist(trials: list[Trial], count: int) -> list[Settings]:
    """The settings of least loss, the best first; refits choose among them."""
    ranked = sorted(trials, key=lambda trial: float(trial.losses.mean()))
    return [trial.settings for trial in ranked[:count]]


def inner_losses(
    candidate: Candidate, rows: TrainingSet, study: Study, *, folds: int, seed: int
) -> tuple[Floats, Floats]:
    """Loss in every inner fold, and the (n, h) out-of-fold log odds behind it.

    The loss is the logarithmic score of the risks, weighted for censoring and averaged over the
    horizons: proper, and sharper between settings than the Brier score. Where horizons are fitted
    apart, the one that decides chooses for all.
    """
    margin = np.empty((len(rows.subject), len(study.horizons_years)))
    masks = list(subject_folds(rows.subject, rows.event, count=folds, repeats=1, seed=seed))
    for mask in masks:
        fit = candidate.fit(rows.rows(~mask), study, seed=seed)
        margin[mask] = fit.learner.margin(rows.rows(mask).columns(fit.features))
    score = np.zeros(len(margin))
    counted = [study.decision] if candidate.separate_horizons else range(margin.shape[1])
    for j in counted:
        known = ipcw_weights(rows.duration_years, rows.event, study.horizons_years[j])
        risk = expit(margin[:, j])
        score -= known.weights * np.where(known.case, np.log(risk), np.log1p(-risk))
    return np.array([score[mask].mean() for mask in masks]) / len(counted), margin


def _study_name(name: str, rows: TrainingSet, study: Study, search: Search, seed: int) -> str:
    """Unlike that of any other software, question, cohort or part of it, candidate, seed or search.

    Whoever may share trials has the same, in whatever order a study file tells its lines.
    """
    asked = replace(study, search=search).hash
    told = repr((software_digest(), asked, rows.digest, seed))
    return f"{study.name} {name} seed {seed} {hashlib.sha256(told.encode()).hexdigest()[:16]}"
