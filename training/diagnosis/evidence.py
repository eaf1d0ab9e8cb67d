"""What every check looks at: enrolled subjects, their landmark rows, and the study's question."""

from dataclasses import dataclass

import numpy as np

from features.history import Floats, Ints
from training.enrolment import Bools, Enrolled
from training.landmarks import TrainingSet
from training.metrics.censoring import IpcwWeights, ipcw_weights
from training.study import Study

__all__ = ["Evidence"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Subjects, rows and weights of one design on one cohort.

    Parameters
    ----------
    people, rows, study
        Who was enrolled, their landmark rows, the question.
    known
        Censoring weights of the rows, one for each horizon of the study.
    """

    people: Enrolled
    rows: TrainingSet
    study: Study
    known: tuple[IpcwWeights, ...]

    @classmethod
    def of(cls, people: Enrolled, rows: TrainingSet, study: Study) -> "Evidence":
        """Evidence with its weights."""
        known = tuple(
            ipcw_weights(rows.duration_years, rows.event, horizon)
            for horizon in study.horizons_years
        )
        return cls(people, rows, study, known)

    @property
    def decision(self) -> IpcwWeights:
        """Weights at the decision horizon."""
        return self.known[self.study.decision]

    @property
    def subjects(self) -> Ints:
        """Codes of the subjects that have a row."""
        return np.unique(self.rows.subject)

    @property
    def risk(self) -> float:
        """Observed risk of a row at the decision horizon."""
        weights = self.decision.weights
        return float(np.average(self.decision.case, weights=weights)) if weights.any() else 0.0

    def progressed(self, weights: IpcwWeights) -> int:
        """Subjects with a row that progresses by the horizon of the weights."""
        return int(np.unique(self.rows.subject[weights.case]).size)

    def column(self, feature: str) -> Floats:
        """(n,) values of a feature of the study."""
        return self.rows.values[:, self.rows.features.index(feature)]

    def without(self) -> Bools:
        """(n,) rows known to be without progression at the decision horizon."""
        return (self.decision.weights > 0) & ~self.decision.case
