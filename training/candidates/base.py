"""What a candidate is: it fits rows and gives the very object that will be served."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Protocol, Self

from features.errors import DesignError
from models.learners import Learner
from training.landmarks import TrainingSet
from training.study import Study

__all__ = ["Candidate", "Fit", "Settings", "Tunable"]

Settings = Mapping[str, float | int]


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
    published
        Whether it is a published model that was given the cohort's risks, not a learner.
    separate_horizons
        Whether every horizon has a fit of its own, so that one can be tuned alone.
    unavailable
        Why it cannot be fitted here, and the line to type; None if it can.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def label(self) -> str: ...  # noqa: D102
    @property
    def recalibrated(self) -> bool: ...  # noqa: D102
    @property
    def default(self) -> bool: ...  # noqa: D102
    @property
    def published(self) -> bool: ...  # noqa: D102
    @property
    def separate_horizons(self) -> bool: ...  # noqa: D102
    @property
    def unavailable(self) -> str | None: ...  # noqa: D102

    def parameters(self) -> dict[str, Any]:
        """Settings, as the run records them."""
        ...

    def tuned(self, settings: Settings) -> Self:
        """The same candidate with other settings."""
        ...

    def suits(self, study: Study) -> bool:
        """Whether it can answer this study's question at all."""
        ...

    def fit(self, rows: TrainingSet, study: Study, *, seed: int) -> Fit:
        """Fit on the rows; everything is learnt from them, the censoring weights too."""
        ...


@dataclass(frozen=True)
class Tunable:
    """What candidates share whose settings are their fields."""

    recalibrated = True
    default = True
    published = False
    separate_horizons = False

    @property
    def unavailable(self) -> str | None:
        """None: nothing but what training needs anyway."""
        return None

    def parameters(self) -> dict[str, Any]:
        """Settings, as the run records them."""
        return asdict(self)

    def tuned(self, settings: Settings) -> Self:
        """The same candidate with other settings.

        Raises
        ------
        DesignError
            If it has no setting of that name.
        """
        unknown = set(settings) - {f.name for f in fields(self)}
        if unknown:
            raise DesignError(
                f"search: {type(self).__name__} has no setting {', '.join(sorted(unknown))}"
            )
        return replace(self, **settings)

    def suits(self, study: Study) -> bool:  # noqa: ARG002
        """Every study."""
        return True
