"""One Cox model per cause, combined into the incidence of progression."""

from dataclasses import dataclass

import numpy as np

from models.incidence import HazardLearner, LinearPredictor
from training.candidates.base import Fit, Tunable
from training.candidates.standard import Standard
from training.cox import fit_cox
from training.landmarks import TrainingSet
from training.metrics.timeline import DEATH, PROGRESSION
from training.person_periods import Grid
from training.study import Study

__all__ = ["CauseSpecificCox"]

CELLS = 40
"""Cells of the baselines: within one the two hazards are taken as constant in proportion."""


@dataclass(frozen=True)
class CauseSpecificCox(Tunable):
    """Cause-specific Cox models of progression and of death with a ridge penalty.

    The pair gives coherent incidences, which separate Fine-Gray models need not (Austin PC, Stat
    Med 2021;40:4200, doi:10.1002/sim.9023).

    Parameters
    ----------
    strength
        Inverse penalty per standard deviation.
    """

    strength: float = 0.1
    name = "cox"
    label = "Cause-specific Cox"

    def fit(self, rows: TrainingSet, study: Study, *, seed: int) -> Fit:  # noqa: ARG002
        """Both causes on the same standardised features."""
        grid = Grid.of(study.horizons_years, intervals=CELLS)
        standard = Standard.of(rows.values)
        design = standard.apply(rows.values)
        predictors, baselines = [], []
        for cause in (PROGRESSION, DEATH):
            happened = rows.event == cause
            if not happened.any():
                predictors.append(np.zeros(design.shape[1]))
                baselines.append(np.zeros(grid.ends.size))
                continue
            found = fit_cox(design, rows.duration_years, happened, penalty=1.0 / self.strength)
            predictors.append(found.coefficient)
            baselines.append(found.increments(grid.ends))
        parts = standard.fill, standard.centre, standard.scale
        with np.errstate(divide="ignore"):
            baseline = np.log(np.stack(baselines))
        learner = HazardLearner(
            progression=LinearPredictor(*parts, predictors[0]),
            death=LinearPredictor(*parts, predictors[1]),
            baseline=baseline,
            until=grid.until,
            link="log",
        )
        return Fit(learner, rows.features)
