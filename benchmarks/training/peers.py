"""The same nested evaluation by hazardous and scikit-survival: seconds and Brier scores."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest.mock import patch

import numpy as np
import pandas as pd

from benchmarks.training.nested import LEARNERS, fits_of_a_search, pipeline_risk
from benchmarks.training.simulated import HORIZON_YEARS, SUBJECTS
from training.candidates import CANDIDATES
from training.folds import subject_folds
from training.landmarks import TrainingSet, training_set
from training.metrics.brier import brier_score
from training.selection import simplest_of_the_best
from training.simulation import simulate_cohort
from training.study import read_study
from training.workshop import Piece, Result, Workshop

__all__ = ["forest_risk", "rows_and_folds", "section"]

Risks = Callable[[TrainingSet, TrainingSet], np.ndarray]
FOLDS, SEEDS = 5, (1, 2)
PLACES = [(seed, fold) for seed in SEEDS for fold in range(FOLDS)]
ASKED = 5


def rows_and_folds(seed: int = 1) -> tuple[TrainingSet, list[np.ndarray]]:
    """Landmark rows of a simulated cohort with serial visits, and the outer test folds."""
    rows = training_set(simulate_cohort(SUBJECTS, seed=seed), read_study("smm"))
    return rows, list(subject_folds(rows.subject, rows.event, count=FOLDS, repeats=1, seed=seed))


def boost_risk(train: TrainingSet, test: TrainingSet) -> np.ndarray:
    """SurvivalBoost of hazardous as it comes, death competing."""
    from hazardous import SurvivalBoost

    told = pd.DataFrame({"event": train.event, "duration": train.duration_years})
    with _unweighted_bins():
        model = SurvivalBoost(show_progressbar=False, random_state=0).fit(train.values, told)
    return model.predict_cumulative_incidence(test.values, times=[HORIZON_YEARS])[:, 1, 0]


@contextmanager
def _unweighted_bins() -> Iterator[None]:
    """Bins of scikit-learn's trees without sample weights, as they were before its version 1.9.

    SurvivalBoost bins anew for every tree; with weights that takes most of its time.
    """
    from sklearn.ensemble._hist_gradient_boosting.binning import _BinMapper

    fit = _BinMapper.fit

    def unweighted(mapper, values, y=None, sample_weight=None):  # noqa: ARG001
        return fit(mapper, values)

    with patch.object(_BinMapper, "fit", unweighted):
        yield


def gradient_risk(train: TrainingSet, test: TrainingSet) -> np.ndarray:
    """Gradient boosting of scikit-survival as it comes; death counts as censored."""
    from sksurv.ensemble import GradientBoostingSurvivalAnalysis

    return _survival(GradientBoostingSurvivalAnalysis(random_state=0), train, test)


def forest_risk(train: TrainingSet, test: TrainingSet) -> np.ndarray:
    """Random survival forest of scikit-survival with leaves of 15; death counts as censored."""
    from sksurv.ensemble import RandomSurvivalForest

    model = RandomSurvivalForest(n_estimators=100, min_samples_leaf=15, n_jobs=1, random_state=0)
    return _survival(model, train, test)


def _survival(model, train: TrainingSet, test: TrainingSet) -> np.ndarray:
    from sksurv.util import Surv

    fill = np.nanmedian(train.values, axis=0)
    told = Surv.from_arrays(train.event == 1, train.duration_years)
    model.fit(np.where(np.isnan(train.values), fill, train.values), told)
    curves = model.predict_survival_function(np.where(np.isnan(test.values), fill, test.values))
    return np.array([1.0 - curve(HORIZON_YEARS) for curve in curves])


# The longest first, so that no core waits for one at the end.
PEERS: dict[str, Risks] = {
    "hazardous SurvivalBoost": boost_risk,
    "scikit-survival random survival forest": forest_risk,
    "scikit-survival gradient boosting": gradient_risk,
}


def peer_fold(name: str, seed: int, fold: int) -> Result:
    """Processor seconds of one fit with its risks, and the Brier score in its test fold."""
    return _timed(PEERS[name], seed, fold)


def our_fold(name: str, seed: int, fold: int) -> Result:
    """The same of our whole nested way: the search, its fits, recalibration and the last fit."""
    study = read_study("smm")
    return _timed(
        lambda train, test: pipeline_risk(name, train, test, study)[:, study.decision], seed, fold
    )


def _timed(model: Risks, seed: int, fold: int) -> Result:
    rows, masks = rows_and_folds(seed)
    train, test = rows.rows(~masks[fold]), rows.rows(masks[fold])
    start = time.process_time()
    risk = model(train, test)
    took = time.process_time() - start
    score = brier_score(test.duration_years, test.event, risk, HORIZON_YEARS).brier.value
    return {"found": np.array([took, score])}


def _less(ours: np.ndarray, theirs: np.ndarray) -> str:
    """Mean difference over test folds and its standard error."""
    less = ours - theirs
    return f"{less.mean():+.4f} ({less.std(ddof=1) / np.sqrt(less.size):.4f})"


def chosen(ours: dict[str, np.ndarray], seed: int) -> str:
    """Label of the candidate that the pipeline chooses on one cohort, by its own five folds."""
    at = [k for k, place in enumerate(PLACES) if place[0] == seed]
    return CANDIDATES[LEARNERS[simplest_of_the_best([ours[n][at, 1] for n in LEARNERS])]].label


def section(shop: Workshop) -> str:
    """Ratios to peers in this run, and differences in Brier score on the same folds."""
    study = read_study("smm")
    settings, fits = study.search.trials, fits_of_a_search(study)
    pieces = [
        Piece(f"{name} {seed} {fold}", name, work, (name, seed, fold))
        for work, names in ((peer_fold, PEERS), (our_fold, reversed(LEARNERS)))
        for name in names
        for seed, fold in PLACES
    ]
    done = shop.do(pieces)
    found = {
        name: np.array([done[f"{name} {seed} {fold}"]["found"] for seed, fold in PLACES])
        for name in (*LEARNERS, *PEERS)
    }
    ours = {name: found[name] for name in LEARNERS}
    every = sum(each[:, 0].sum() for each in ours.values()) / len(SEEDS)
    mine = [
        f"| {CANDIDATES[name].label} | {each[:, 0].sum() / len(SEEDS):.1f} "
        f"| {each[:, 1].mean():.4f} | "
        + " | ".join(_less(each[:, 1], found[peer][:, 1]) for peer in PEERS)
        + " |"
        for name, each in ours.items()
    ]
    theirs = []
    for name in PEERS:
        one = found[name][:, 0].mean()
        whole = FOLDS * fits * one
        theirs.append(
            f"| {name} | {one:.1f} | {whole:,.0f} | {whole / every:.0f} "
            f"| {found[name][:, 1].mean():.4f} |"
        )
    against = " | ".join(f"less that of {name}" for name in PEERS)
    ours_table, peers_table = "\n".join(mine), "\n".join(theirs)
    choices = ", ".join(f"{chosen(ours, seed)} on cohort {k}" for k, seed in enumerate(SEEDS, 1))
    return f"""
## Training: nested evaluation beside peers

`python -m benchmarks.training --part peers`

{len(SEEDS)} simulated cohorts of {SUBJECTS:,} subjects with serial visits, {FOLDS} outer folds,
the same rows, features and folds for all. Ours: in every training part {settings} settings in five
inner folds, recalibration and the last fit – {fits} fits – all timed. The peers' time is that of
{fits} fits for each of {FOLDS} parts, from the mean of {len(PLACES)} measured fits with their
risks. Seconds of processor, one core, one cohort.
Measured fits have the rows of a whole part; inner ones would have four fifths of them, so
that the peers' times are over by up to a quarter where cost is linear in rows, by half where it is
quadratic.

The Brier score at two years is weighted for censoring, and a mean over the {len(PLACES)} test
folds; in brackets the standard error of the difference, fold by fold, somewhat too small since
training parts of a cohort overlap. The peers are judged with
settings of their own, untuned: as they come, the forest with leaves of 15. SurvivalBoost is given
the unweighted bins of scikit-learn before 1.9: with weighted ones a fit takes many times as long.
scikit-survival takes medians for missing values and the dead as censored.

| ours | nested evaluation, s | Brier 2y | {against} |
|---|---|---|{"---|" * len(PEERS)}
{ours_table}
| all of ours | {every:.1f} | {"| " * (1 + len(PEERS))}

The pipeline chooses: {choices}.

| peer | one fit, s | nested evaluation, s | times all of ours (asked: {ASKED}) | Brier 2y |
|---|---|---|---|---|
{peers_table}
"""
