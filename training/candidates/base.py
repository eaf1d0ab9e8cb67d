"""What a candidate is: it fits rows and gives the very object that will be served."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from models.learned import Learner
from training.landmarks import TrainingSet
from training.study import Study

__all__ = ["Candidate", "Fit"]


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted learner, and XGBoost's own file of each forest for those who want to look into it.

    Parameters
    ----------
    learner
        Reads `features`, gives log odds per horizon.
    features
        Columns that it reads.
    boosters
        File name to UBJSON.
    """

    learner: Learner
    features: tuple[str, ...]
    boosters: Mapping[str, bytes] = field(default_factory=dict)


class Candidate(Protocol):
    """One way to learn a risk.

    Attributes
    ----------
    name, label
        Identifier, and name for people.
    recalibrated
        Whether its log odds are recalibrated on out-of-fold predictions.
    default
        Whether `smoulder train` considers it unasked.
    """

    name: str
    label: str
    recalibrated: bool
    default: bool

    def parameters(self) -> dict[str, Any]:
        """Settings, as the run records them."""
        ...

    def fit(self, rows: TrainingSet, study: Study, *, seed: int) -> Fit:
        """Fit on the rows; everything is learnt from them, the censoring weights too."""
        ...
