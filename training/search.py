"""Tuning one candidate on some rows: settings by inner cross-validation, the simplest of the good.

Trials are kept in an Optuna study: beside MLflow in a file, or in a PostgreSQL database that
several workers share. All settings are put into its queue at the start; a worker takes the next,
and one that was begun by somebody who died is done again.
"""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from filelock import FileLock

from features.history import Floats
from models.learned import expit
from training.candidates import CANDIDATES, Candidate, Settings
from training.folds import subject_folds
from training.landmarks import TrainingSet
from training.metrics.censoring import ipcw_weights
from training.search_space import Search, design_points
from training.selection import simplest_of_the_best
from training.study import Study

__all__ = ["Trial", "chosen_settings", "inner_losses", "shortlist", "tried"]

POINT, LOSSES = "point", "losses"
SQLITE = "sqlite:///"


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
        # Where horizons are fitted apart, the one that decides chooses for all.
        asked = replace(study, horizons_years=(study.decision_horizon_years,))
    work = _Queue(_study_name(name, rows, study, search, seed), storage, points)
    while (settings := work.next()) is not None:
        tuned = candidate.tuned(settings)
        losses, _ = inner_losses(tuned, rows, asked, folds=search.inner_folds, seed=seed)
        work.done(losses)
    return [Trial(settings, losses) for settings, losses in zip(points, work.losses(), strict=True)]


def chosen_settings(name: str, trials: list[Trial]) -> Settings:
    """Settings of the simplest trial within one standard error of the best."""
    best = simplest_of_the_best(
        [trial.losses for trial in trials],
        [CANDIDATES[name].tuned(trial.settings).freedom for trial in trials],
    )
    return trials[best].settings


def shortlist(name: str, trials: list[Trial], count: int) -> list[Settings]:
    """The chosen settings and the best others, for refits to choose among."""
    chosen = chosen_settings(name, trials)
    ranked = sorted(trials, key=lambda trial: float(trial.losses.mean()))
    others = [trial.settings for trial in ranked if trial.settings != chosen]
    return [chosen, *others[: count - 1]]


def inner_losses(
    candidate: Candidate, rows: TrainingSet, study: Study, *, folds: int, seed: int
) -> tuple[Floats, Floats]:
    """Loss in every inner fold, and the (n, h) out-of-fold log odds behind it.

    The loss is the logarithmic score of the risks, weighted for censoring and averaged over the
    horizons: proper, and sharper between settings than the Brier score.
    """
    margin = np.empty((len(rows.subject), len(study.horizons_years)))
    masks = list(subject_folds(rows.subject, rows.event, count=folds, repeats=1, seed=seed))
    for mask in masks:
        fit = candidate.fit(rows.rows(~mask), study, seed=seed)
        margin[mask] = fit.learner.margin(rows.rows(mask).columns(fit.features))
    score = np.zeros(len(margin))
    for j, horizon in enumerate(study.horizons_years):
        known = ipcw_weights(rows.duration_years, rows.event, horizon)
        risk = expit(margin[:, j])
        score -= known.weights * np.where(known.case, np.log(risk), np.log1p(-risk))
    return np.array([score[mask].mean() for mask in masks]) / margin.shape[1], margin


def _study_name(name: str, rows: TrainingSet, study: Study, search: Search, seed: int) -> str:
    """Unlike that of any other question, cohort or part of it, candidate, seed or search."""
    told = repr((study.hash, search, rows.digest, seed))
    return f"{study.name} {name} seed {seed} {hashlib.sha256(told.encode()).hexdigest()[:16]}"


class _Queue:
    """The settings of one search in Optuna's storage."""

    def __init__(self, name: str, storage: str | None, points: Sequence[Settings]) -> None:
        import optuna

        optuna.logging.set_verbosity(logging.WARNING)
        self._states = optuna.trial.TrialState
        self._points = points
        self._study = optuna.create_study(
            study_name=name,
            storage=None if storage is None else open_storage(storage),
            load_if_exists=True,
            direction="minimize",
        )

    def next(self) -> Settings | None:
        """A setting that nobody has done; None when all are."""
        while missing := [p for p in range(len(self._points)) if p not in self._complete()]:
            if not self._study.get_trials(deepcopy=False, states=(self._states.WAITING,)):
                for point in missing:
                    given = dict(self._points[point])
                    self._study.enqueue_trial(given, user_attrs={POINT: point})
            self._asked = self._study.ask()
            taken = self._asked.user_attrs.get(POINT)
            if taken in missing:
                return self._points[int(taken)]
            # Somebody took the last one in between, or did it already.
            self._study.tell(self._asked, state=self._states.FAIL)
        return None

    def done(self, losses: Floats) -> None:
        """Keep the losses of the setting that `next` gave."""
        self._asked.set_user_attr(LOSSES, losses.tolist())
        self._study.tell(self._asked, float(losses.mean()))

    def losses(self) -> list[Floats]:
        """Losses of every setting, in their order."""
        complete = self._complete()
        return [np.array(complete[point]) for point in range(len(self._points))]

    def _complete(self) -> Mapping[int, Any]:
        done = self._study.get_trials(deepcopy=False, states=(self._states.COMPLETE,))
        return {trial.user_attrs[POINT]: trial.user_attrs[LOSSES] for trial in done}


def open_storage(url: str) -> Any:
    """Optuna's storage behind a URL; a file waits for its turn instead of failing."""
    from optuna.storages import RDBStorage

    if not url.startswith(SQLITE):
        return RDBStorage(url)
    # Two processes that make the tables of one new file at once would both fail.
    with FileLock(f"{url.removeprefix(SQLITE)}.lock"):
        return RDBStorage(url, engine_kwargs={"connect_args": {"timeout": 60}})
