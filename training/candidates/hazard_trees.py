"""Boosted trees on person-periods: the whole incidence curve, monotone where medicine demands it.

XGBoost's ``multi:softprob`` puts the same monotone constraint on the margin of every class: with a
rising progression margin that of "nothing happened" would have to rise too, and the risk would be
free again. Here progression alone is boosted, under its constraints, in the same multinomial
likelihood, beside a penalised regression of death on the features without a demanded direction. In
each constrained feature the incidence then moves with the progression margin and nothing else.
"""

from dataclasses import dataclass

import numpy as np
import xgboost
from numpy.typing import NDArray

from features.history import Floats
from models.incidence import HazardLearner, LinearPredictor
from training.candidates.base import Fit
from training.candidates.standard import Standard
from training.candidates.xgboost import BoostedTrees, flatten
from training.landmarks import TrainingSet
from training.metrics.timeline import PROGRESSION
from training.multinomial import fit_hazards
from training.person_periods import Grid, PersonPeriods
from training.study import Study

__all__ = ["HazardTrees"]

Singles = NDArray[np.float32]

DEATH_PENALTY = 10.0
"""Per standard deviation: the death hazard of few features needs little."""


@dataclass(frozen=True)
class HazardTrees(BoostedTrees):
    """Shallow monotone trees of the progression hazard, boosted in the person-period likelihood.

    Features do not change within a row, so gradients are summed over its periods and trees grow on
    rows: the same trees as on the periods written out, at a fraction of the cost.
    """

    name = "hazard-trees"
    label = "XGBoost on person-periods"
    separate_horizons = False

    def fit(self, rows: TrainingSet, study: Study, *, seed: int) -> Fit:
        """One forest for all horizons."""
        grid = Grid.of(study.horizons_years)
        periods = PersonPeriods.of(rows.duration_years, rows.event, grid)
        standard = Standard.of(rows.values)
        free = np.array([study.monotone.get(name, 0) == 0 for name in rows.features])
        design = standard.apply(rows.values)[:, free]
        none = np.empty((len(design), 0))
        first = fit_hazards((none, design), periods, penalty=DEATH_PENALTY)
        dead = np.exp(first.baseline[1])[:, None] * np.exp(design @ first.coefficient[1])
        booster = self._boost(rows, study, periods, np.exp(first.baseline[0]), dead, seed)
        forest = flatten(booster, base=0.0)
        offset = np.stack([forest.margin(rows.values), np.zeros(len(design))])
        found = fit_hazards(
            (none, design), periods, penalty=DEATH_PENALTY, offset=offset, start=first
        )
        coefficient = np.zeros(len(rows.features))
        coefficient[free] = found.coefficient[1]
        learner = HazardLearner(
            progression=forest,
            death=LinearPredictor(standard.fill, standard.centre, standard.scale, coefficient),
            baseline=found.baseline,
            until=grid.until,
            link="softmax",
        )
        boosters = {"booster-progression.ubj": bytes(booster.save_raw("ubj"))}
        return Fit(learner, rows.features, boosters)

    def _boost(
        self,
        rows: TrainingSet,
        study: Study,
        periods: PersonPeriods,
        rate: Floats,
        dead: Floats,
        seed: int,
    ) -> xgboost.Booster:
        """Forest that is added to the log progression rate, the death rate held as it is.

        Parameters
        ----------
        rate : (m,) array
            Progression in each interval where no tree says otherwise, against staying free of both.
        dead : (m, n) array
            The same of death.
        """
        n = len(rows.values)
        table = xgboost.DMatrix(rows.values, label=np.zeros(n), nthread=1)
        settings = self.settings(rows.features, study, seed) | {"base_score": 0.0}
        # In XGBoost's own precision: it would round gradients to it anyway.
        ours, other = rate.astype(np.float32)[:, None], (1.0 + dead).astype(np.float32)
        weight = periods.weight.astype(np.float32)
        happened = (periods.cause == PROGRESSION).astype(np.float32)

        def objective(margin: Singles, _: xgboost.DMatrix) -> tuple[Singles, Singles]:
            ratio = np.exp(margin)
            gradient, hessian = np.empty((2, n), dtype=np.float32)
            for block in periods.blocks():
                chance = ours * ratio[block]
                chance /= other[:, block] + chance
                expected = weight[:, block] * chance
                gradient[block] = expected.sum(axis=0)
                hessian[block] = gradient[block] - (expected * chance).sum(axis=0)
            return gradient - happened, hessian

        return xgboost.train(settings, table, self.rounds, obj=objective)
