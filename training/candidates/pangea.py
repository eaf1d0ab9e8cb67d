"""PANGEA-SMM with the risks of this cohort: a published opponent made fair.

Chabrun F et al., Nat Med 2026, doi:10.1038/s41591-026-04304-x. Coefficients and baseline are as
published; only the calibration is the cohort's. The variant with marrow, since the rows have one.
"""

from dataclasses import dataclass

import numpy as np

from models.incidence import HazardLearner, LinearPredictor
from models.published.pangea_smm import PANGEA_SMM_MARROW
from training.candidates.base import Fit, Tunable
from training.landmarks import TrainingSet
from training.study import Study

__all__ = ["RecalibratedPangea"]


@dataclass(frozen=True)
class RecalibratedPangea(Tunable):
    """PANGEA-SMM's linear predictor, recalibrated per horizon as a learner's log odds are.

    A missing value counts as the published centre, so that every row has a risk to compare.
    """

    name = "pangea-smm"
    label = "PANGEA-SMM, recalibrated"
    published = True

    def suits(self, study: Study) -> bool:
        """Studies of smouldering myeloma at published horizons."""
        published = set(PANGEA_SMM_MARROW.horizons_years)
        return study.population == "smm" and set(study.horizons_years) <= published

    def fit(self, rows: TrainingSet, study: Study, *, seed: int) -> Fit:  # noqa: ARG002
        """Nothing to fit: the published model at the study's horizons."""
        variant = PANGEA_SMM_MARROW
        at = [variant.horizons_years.index(horizon) for horizon in study.horizons_years]
        cumulative = -np.log(variant.baseline_survival[at])
        centres = variant.centres
        horizons = len(at)
        learner = HazardLearner(
            progression=LinearPredictor(
                centres, centres, np.ones_like(centres), variant.coefficients
            ),
            death=LinearPredictor(centres, centres, np.ones_like(centres), np.zeros_like(centres)),
            baseline=np.stack(
                [np.log(np.diff(cumulative, prepend=0.0)), np.full(horizons, -np.inf)]
            ),
            until=np.arange(horizons),
            link="log",
        )
        return Fit(learner, variant.required)
