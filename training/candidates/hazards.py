"""Person-period multinomial regression: the whole incidence curve from partial follow-up too."""

from dataclasses import dataclass

from models.incidence import HazardLearner, LinearPredictor
from training.candidates.base import Fit, Tunable
from training.candidates.standard import Standard
from training.landmarks import TrainingSet
from training.multinomial import fit_hazards
from training.person_periods import Grid, PersonPeriods
from training.study import Study

__all__ = ["PenalisedHazards"]


@dataclass(frozen=True)
class PenalisedHazards(Tunable):
    """Multinomial logistic regression of person-periods with a ridge penalty.

    Parameters
    ----------
    strength
        Inverse penalty per standard deviation, as scikit-learn's ``C``.
    """

    strength: float = 0.1
    name = "hazards"
    label = "Person-period regression"

    def fit(self, rows: TrainingSet, study: Study, *, seed: int) -> Fit:  # noqa: ARG002
        """Both causes on the same standardised features, intervals shared by all horizons."""
        grid = Grid.of(study.horizons_years)
        standard = Standard.of(rows.values)
        design = standard.apply(rows.values)
        periods = PersonPeriods.of(rows.duration_years, rows.event, grid)
        found = fit_hazards((design, design), periods, penalty=1.0 / self.strength)
        parts = standard.fill, standard.centre, standard.scale
        learner = HazardLearner(
            progression=LinearPredictor(*parts, found.coefficient[0]),
            death=LinearPredictor(*parts, found.coefficient[1]),
            baseline=found.baseline,
            until=grid.until,
            link="softmax",
        )
        return Fit(learner, rows.features)
