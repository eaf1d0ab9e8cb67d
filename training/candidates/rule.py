"""The published rule, recalibrated: each group's observed cumulative incidence in this cohort.

A fair opponent: without this the learner would win on calibration alone.
"""

from dataclasses import dataclass

import numpy as np

from models.learners import GroupLearner
from training.candidates.base import Fit, Tunable
from training.landmarks import TrainingSet
from training.metrics.censoring import ipcw_weights
from training.study import Study

__all__ = ["RecalibratedRule"]


@dataclass(frozen=True)
class RecalibratedRule(Tunable):
    """Groups of the study's published rule with the risks observed in the training rows."""

    name = "rule"
    label = "Published rule, recalibrated"
    recalibrated = False
    published = True

    def fit(self, rows: TrainingSet, study: Study, *, seed: int) -> Fit:  # noqa: ARG002
        """Observed risk of each group by inverse-probability-of-censoring weighting.

        A group without a known outcome takes the risk of everyone.
        """
        rule = study.rule
        empty = GroupLearner(
            cuts=np.array(rule.cuts),
            strict=np.array(rule.strict),
            steps=np.array(rule.steps, dtype=np.int64),
            risk=np.empty((0, 0)),
        )
        group = empty.group(rows.columns(rule.features))
        risk = np.empty((len(rule.steps) + 1, len(study.horizons_years)))
        for j, horizon in enumerate(study.horizons_years):
            known = ipcw_weights(rows.duration_years, rows.event, horizon)
            everyone = np.average(known.case, weights=known.weights)
            for g in range(len(risk)):
                weight = np.where(group == g, known.weights, 0.0)
                risk[g, j] = np.average(known.case, weights=weight) if weight.any() else everyone
        return Fit(GroupLearner(empty.cuts, empty.strict, empty.steps, risk), rule.features)
