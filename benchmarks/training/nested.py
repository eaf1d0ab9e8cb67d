"""A candidate as the pipeline makes it from some rows, and its risks of others."""

import numpy as np

from models.link import risks_of
from training.candidates import CANDIDATES
from training.landmarks import TrainingSet
from training.recalibration import closed_test, identity
from training.search import inner_losses, shortlist, tried
from training.study import Study

__all__ = ["LEARNERS", "fits_of_a_search", "pipeline_risk"]

LEARNERS = ("hazards", "cox", "logistic", "xgboost", "hazard-trees")


def pipeline_risk(name: str, train: TrainingSet, test: TrainingSet, study: Study) -> np.ndarray:
    """Risks by a candidate tuned, recalibrated and fitted on the training rows alone, (n, h)."""
    search = study.search
    settings = shortlist(tried(name, train, study, search, seed=0, storage=None), 1)[0]
    candidate = CANDIDATES[name].tuned(settings)
    asked = identity(len(study.horizons_years))
    if candidate.recalibrated:
        _, margin = inner_losses(candidate, train, study, folds=search.inner_folds, seed=0)
        asked = closed_test(train, margin, study)
    fit = candidate.fit(train, study, seed=0)
    return risks_of(asked.parameters, fit.learner.margin(test.columns(fit.features)))


def fits_of_a_search(study: Study) -> int:
    """Fits of one candidate in one training part.

    Every setting in every inner fold, the chosen one again for the recalibration, and on all rows.
    """
    return (study.search.trials + 1) * study.search.inner_folds + 1
