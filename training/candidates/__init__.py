"""Learners, one each, behind one interface: `fit(rows, study, seed=…)` gives a `Fit`."""

from training.candidates.base import Candidate, Fit
from training.candidates.logistic import PenalisedLogistic
from training.candidates.rule import RecalibratedRule
from training.candidates.xgboost import BoostedTrees, DefaultBoostedTrees

__all__ = ["CANDIDATES", "Candidate", "Fit"]

CANDIDATES: dict[str, Candidate] = {
    candidate.name: candidate
    for candidate in (
        RecalibratedRule(),
        PenalisedLogistic(),
        BoostedTrees(),
        DefaultBoostedTrees(),
    )
}
"""Candidates by name, simplest first; the rule is the one to beat."""
