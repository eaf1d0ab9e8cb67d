"""The same nested evaluation by hazardous and scikit-survival: seconds and Brier scores."""

import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from benchmarks.training.nested import LEARNERS, fits_of_a_search, pipeline_risk
from benchmarks.training.simulated import HORIZON_YEARS, SUBJECTS
from training.candidates import CANDIDATES
from training.folds import subject_folds
from training.landmarks import TrainingSet, training_set
from training.metrics.brier import brier_score
from training.simulation import simulate_cohort
from training.study import read_study
from training.workshop import Piece, Result, Workshop

__all__ = ["forest_risk", "rows_and_folds", "section"]

Risks = Callable[[TrainingSet, TrainingSet], np.ndarray]
FOLDS = 5


def rows_and_folds() -> tuple[TrainingSet, list[np.ndarray]]:
    """Landmark rows of a simulated cohort with serial visits, and the outer test folds."""
    rows = training_set(simulate_cohort(SUBJECTS, seed=1), read_study("smm"))
    return rows, list(subject_folds(rows.subject, rows.event, count=FOLDS, repeats=1, seed=1))


def boost_risk(train: TrainingSet, test: TrainingSet) -> np.ndarray:
    """SurvivalBoost of hazardous as it comes, death competing."""
    from hazardous import SurvivalBoost

    told = pd.DataFrame({"event": train.event, "duration": train.duration_years})
    model = SurvivalBoost(show_progressbar=False, random_state=0).fit(train.values, told)
    return model.predict_cumulative_incidence(test.values, times=[HORIZON_YEARS])[:, 1, 0]


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


PEERS: dict[str, tuple[Risks, int]] = {
    "scikit-survival gradient boosting": (gradient_risk, FOLDS),
    "scikit-survival random survival forest": (forest_risk, FOLDS),
    # Minutes per fit: one fold tells enough.
    "hazardous SurvivalBoost": (boost_risk, 1),
}


def peer_fold(name: str, fold: int) -> Result:
    """Processor seconds of one fit with its risks, and the Brier score in its test fold."""
    return _timed(PEERS[name][0], fold)


def our_fold(name: str, fold: int) -> Result:
    """The same of our whole nested way: the search, its fits, recalibration and the last fit."""
    study = read_study("smm")
    return _timed(
        lambda train, test: pipeline_risk(name, train, test, study)[:, study.decision], fold
    )


def _timed(model: Risks, fold: int) -> Result:
    rows, masks = rows_and_folds()
    train, test = rows.rows(~masks[fold]), rows.rows(masks[fold])
    start = time.process_time()
    risk = model(train, test)
    took = time.process_time() - start
    score = brier_score(test.duration_years, test.event, risk, HORIZON_YEARS).brier.value
    return {"found": np.array([took, score])}


def section(shop: Workshop) -> str:
    """Ratios to peers in this run."""
    fits = fits_of_a_search(read_study("smm"))
    pieces = [
        *(Piece(f"{n} {k}", n, our_fold, (n, k)) for n in LEARNERS for k in range(FOLDS)),
        *(Piece(f"{n} {k}", n, peer_fold, (n, k)) for n in PEERS for k in range(PEERS[n][1])),
    ]
    done = shop.do(pieces)
    ours = {n: np.array([done[f"{n} {k}"]["found"] for k in range(FOLDS)]) for n in LEARNERS}
    theirs = {n: np.array([done[f"{n} {k}"]["found"] for k in range(PEERS[n][1])]) for n in PEERS}
    every = sum(found[:, 0].sum() for found in ours.values())
    lines = [
        "| model | nested evaluation, s | Brier 2y | Brier 2y, first fold |",
        "|---|---|---|---|",
        *(
            f"| {CANDIDATES[n].label} | {found[:, 0].sum():.1f} | {found[:, 1].mean():.4f} "
            f"| {found[0, 1]:.4f} |"
            for n, found in ours.items()
        ),
        f"| all of ours | {every:.1f} | | |",
    ]
    for n, found in theirs.items():
        whole = FOLDS * fits * found[:, 0].mean()
        brier = f"{found[:, 1].mean():.4f}" if len(found) == FOLDS else "–"
        lines.append(
            f"| {n} | {whole:,.0f} ({found[:, 0].mean():.1f} per fit; "
            f"{whole / ours['hazard-trees'][:, 0].sum():,.0f} × our trees on person-periods) "
            f"| {brier} | {found[0, 1]:.4f} |"
        )
    table = "\n".join(lines)
    return f"""
## Training: nested evaluation beside peers

`python -m benchmarks.training --part peers`

A simulated cohort of {SUBJECTS:,} subjects with serial visits, five outer folds. Ours: in every
training part {read_study("smm").search.trials} settings in five inner folds, recalibration and the
last fit – {fits} fits – all timed. The peers' time is that of {fits} fits for each of five parts,
from the measured fit with its risks; they are judged with their own settings, untuned.
scikit-survival takes the dead as censored. Processor time, one core each.

{table}
"""
