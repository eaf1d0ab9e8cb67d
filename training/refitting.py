"""The whole pipeline again in bootstrap samples of the subjects: tuning, fit and recalibration.

What a refit says of everybody gives the interval of an answer and the instability of the model
(Riley RD, Collins GS, Biom J 2023;65:2200302, doi:10.1002/bimj.202200302).
"""

from collections.abc import Sequence

import numpy as np

from features.history import Floats, Ints
from models.link import logit, risks_of
from models.refits import Refits
from training.candidates import CANDIDATES, Fit, Settings
from training.landmarks import TrainingSet
from training.metrics.instability import Instability, bootstrap_rows, instability_of
from training.recalibration import ENOUGH, Recalibration, closed_test, identity
from training.search import inner_losses
from training.study import Study
from training.validation import OutOfFold
from training.workshop import Piece, Result, Workshop

__all__ = ["fit_anew", "refit"]

FOLDS = 3
"""Inner folds of a refit: they choose among a short list, and give its recalibration."""
DISTINCT = 0.632
"""Share of the subjects that a bootstrap sample holds, 1 - 1/e."""
MOST_ROWS = 5000
"""Rows on which refits are compared with the model: more tell nothing new of their spread."""


def refit(
    result: OutOfFold,
    fit: Fit,
    rows: TrainingSet,
    study: Study,
    *,
    replicates: int,
    seed: int,
    workshop: Workshop,
) -> tuple[Refits, Instability | None]:
    """Refits of a candidate, and how unstable they show it to be at the decision horizon.

    Parameters
    ----------
    result
        Of the candidate: its short list of settings and its recalibration.
    fit
        The candidate on all rows.
    rows, study
        What it was fitted on, and why.
    replicates
        Number of bootstrap samples; without any there is neither.
    seed
        Of samples, folds and learners.
    workshop
        Where the fits are done.
    """
    if replicates == 0:
        return Refits.none(len(fit.features), len(study.horizons_years)), None
    seen = np.unique(np.linspace(0, len(rows.subject) - 1, MOST_ROWS).astype(np.int64))
    label = f"{CANDIDATES[result.name].label}, refits"
    pieces = [
        Piece(
            f"{result.name} refit {number}",
            label,
            _refit,
            (result.name, rows, sample, seen, study, seed, result.shortlist),
        )
        for number, sample in enumerate(
            bootstrap_rows(rows.subject, replicates=replicates, seed=seed)
        )
    ]
    done = workshop.do(pieces)
    refitted = np.stack([done[piece.name]["log_odds"] for piece in pieces]).astype(np.float64)
    values = rows.rows(seen).columns(fit.features)
    own = risks_of(result.recalibration.parameters, fit.learner.margin(values))
    at = study.decision
    unstable = instability_of(
        own[:, at], 1.0 / (1.0 + np.exp(-refitted[:, :, at])), thresholds=study.gate.thresholds
    )
    return Refits.of(values, logit(own), refitted), unstable


def fit_anew(
    name: str,
    rows: TrainingSet,
    study: Study,
    listed: Sequence[Settings],
    *,
    seed: int,
    enough: float = ENOUGH,
) -> tuple[Fit, Recalibration]:
    """A candidate chosen among settings, fitted and recalibrated on some rows alone.

    Parameters
    ----------
    name
        Of the candidate.
    rows, study
        What it learns from, and why.
    listed
        Settings to choose among by inner folds.
    seed
        Of folds and learners.
    enough
        As for `closed_test`.
    """
    options = [CANDIDATES[name].tuned(settings) for settings in listed]
    chosen, asked = options[0], identity(len(study.horizons_years))
    if chosen.recalibrated:
        tried = [inner_losses(o, rows, study, folds=FOLDS, seed=seed) for o in options]
        best = int(np.argmin([losses.mean() for losses, _ in tried]))
        chosen, asked = options[best], closed_test(rows, tried[best][1], study, enough=enough)
    return chosen.fit(rows, study, seed=seed), asked


def _refit(
    name: str,
    rows: TrainingSet,
    sample: Ints,
    seen: Ints,
    study: Study,
    seed: int,
    listed: tuple[Settings, ...],
) -> Result:
    """Log odds that a refit in one sample gives to the rows seen."""
    enough = DISTINCT * ENOUGH
    fit, asked = fit_anew(name, rows.rows(sample), study, listed, seed=seed, enough=enough)
    margin = fit.learner.margin(rows.rows(seen).columns(fit.features))
    found: Floats = logit(risks_of(asked.parameters, margin))
    return {"log_odds": found.astype(np.float32)}
