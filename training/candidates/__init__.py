"""Learners, one each, behind one interface: `fit(rows, study, seed=…)` gives a `Fit`."""

from training.candidates.base import Candidate, Fit, Settings
from training.candidates.cox import CauseSpecificCox
from training.candidates.ebm import ExplainableBoosting
from training.candidates.hazard_trees import HazardTrees
from training.candidates.hazards import PenalisedHazards
from training.candidates.logistic import PenalisedLogistic
from training.candidates.pangea import RecalibratedPangea
from training.candidates.rule import RecalibratedRule
from training.candidates.xgboost import BoostedTrees, DefaultBoostedTrees

__all__ = ["CANDIDATES", "Candidate", "Fit", "Settings"]

_ALL: tuple[Candidate, ...] = (
    RecalibratedRule(),
    RecalibratedPangea(),
    PenalisedHazards(),
    CauseSpecificCox(),
    PenalisedLogistic(),
    ExplainableBoosting(),
    BoostedTrees(),
    HazardTrees(),
    DefaultBoostedTrees(),
)

CANDIDATES: dict[str, Candidate] = {candidate.name: candidate for candidate in _ALL}
"""Candidates by name, simplest first; the rule is the one to beat."""
