"""Explainable boosting per horizon, weighted for censoring (IPCW): one curve per feature.

Steps of one feature at a time, in turn (Lou Y, KDD 2012, doi:10.1145/2339530.2339556), as fitted by
InterpretML (Nori H, arXiv:1909.09223), which is an extra. Without interactions, what a feature adds
to a person's log odds is read off a table, exactly. Its early stopping would split rows at random
and put a subject on both sides; the number of rounds is a setting instead, tuned in folds of
subjects.
"""

import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from features.errors import ArtefactError, InputError
from features.history import Floats
from models.additive import AdditiveLearner
from training.candidates.base import Fit, Tunable
from training.landmarks import TrainingSet
from training.metrics.censoring import ipcw_weights
from training.study import Study

__all__ = ["ExplainableBoosting"]

TOLERANCE = 1e-9
"""Largest difference in log odds between the tables and InterpretML's own answer."""


@dataclass(frozen=True)
class ExplainableBoosting(Tunable):
    """Explainable boosting machine without interactions, monotone where medicine demands it.

    Parameters
    ----------
    rounds
        Passes over all features.
    eta
        Learning rate.
    penalty
        L2 penalty of a step's height.
    bins
        Of every feature, by quantiles of the values measured.
    """

    rounds: int = 100
    eta: float = 0.05
    penalty: float = 10.0
    bins: int = 32
    name = "ebm"
    label = "Explainable boosting"
    separate_horizons = True
    # What a study considers unasked must not depend on what is installed.
    default = False

    @property
    def unavailable(self) -> str | None:
        """The line to type where InterpretML is not installed."""
        if find_spec("interpret") is None:
            return "ebm needs interpret-core; type: pip install 'smoulder[ebm]'"
        return None

    def fit(self, rows: TrainingSet, study: Study, *, seed: int) -> Fit:
        """One additive model per horizon on the same bins.

        Raises
        ------
        InputError
            If InterpretML is not installed.
        ArtefactError
            If the tables do not give what InterpretML's own model gives.
        """
        if self.unavailable is not None:
            raise InputError("candidate", self.unavailable)
        cuts = [_cuts(column, self.bins) for column in rows.values.T]
        width = max(of_one.size for of_one in cuts)
        table = np.full((len(cuts), width), np.inf)
        for j, of_one in enumerate(cuts):
            table[j, : of_one.size] = of_one
        score = np.zeros((len(study.horizons_years), len(cuts), width + 2))
        intercept = np.zeros(len(study.horizons_years))
        learner = AdditiveLearner(table, score, intercept)
        for h, horizon in enumerate(study.horizons_years):
            known = ipcw_weights(rows.duration_years, rows.event, horizon)
            used = known.weights > 0
            values = rows.values[used]
            # A column without any value has no bins that could be asked for.
            columns = np.flatnonzero(~np.isnan(values).all(axis=0))
            constraints = [study.monotone.get(rows.features[j], 0) for j in columns]
            machine = self._machine([cuts[j].tolist() for j in columns], constraints, seed)
            with warnings.catch_warnings():
                # Its pictures would not show them; our tables do.
                warnings.filterwarnings("ignore", message="Missing values detected")
                machine.fit(values[:, columns], known.case[used], known.weights[used])
            intercept[h] = machine.intercept_[0]
            for j, found in zip(columns.tolist(), machine.term_scores_, strict=True):
                # The last place is for words it never met; ours is for values above all cuts.
                score[h, j, : found.size - 1] = found[:-1]
                score[h, j, found.size - 1 :] = found[-2]
            own = machine.decision_function(values[:, columns])
            if np.abs(learner.margin(values)[:, h] - own).max() > TOLERANCE:
                raise ArtefactError("ebm: its tables do not give what InterpretML's model gives")
        return Fit(learner, rows.features)

    def _machine(self, cuts: list[list[float]], constraints: list[int], seed: int) -> Any:
        from interpret.glassbox import ExplainableBoostingClassifier

        return ExplainableBoostingClassifier(
            feature_types=cuts,
            interactions=0,
            validation_size=0,
            outer_bags=1,
            early_stopping_rounds=0,
            max_rounds=self.rounds,
            learning_rate=self.eta,
            reg_lambda=self.penalty,
            monotone_constraints=constraints,
            n_jobs=1,
            random_state=seed,
        )


def _cuts(column: Floats, bins: int) -> Floats:
    """Cuts between bins of about as many values each, learnt without the outcome."""
    known = column[~np.isnan(column)]
    if not known.size:
        return known
    cuts = np.unique(np.quantile(known, np.arange(1, bins) / bins))
    return np.asarray(cuts[cuts > known.min()])
