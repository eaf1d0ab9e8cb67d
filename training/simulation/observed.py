"""A cohort as a clinical paper would describe it: subjects, labs at a landmark, outcomes.

Only what the cohort's tables hold is used, read as any user's cohort is read.
"""

from dataclasses import dataclass

import numpy as np

from features.landmark import LandmarkFeatures
from features.sources.csv import rows_from_frame
from features.visits import check
from training.cohorts import Cohort
from training.metrics.aalen_johansen import aalen_johansen
from training.simulation.arrays import Bools, Floats, Ints

__all__ = ["Observed", "Outcome", "median_years", "net_risk", "observe"]

PROGRESSION = 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """Time to event of some subjects from one moment.

    Parameters
    ----------
    duration_years, event : (n,) arrays
        Event 0 censored, 1 progression, 2 death first.
    """

    duration_years: Floats
    event: Ints

    def of(self, chosen: Bools) -> "Outcome":
        """Outcome of some of the subjects."""
        return Outcome(self.duration_years[chosen], self.event[chosen])


@dataclass(frozen=True, slots=True)
class Observed:
    """Checked visits and outcomes of a cohort.

    Parameters
    ----------
    features
        Every visit is a landmark.
    outcome
        From diagnosis, in the order of the history's subjects.
    """

    features: LandmarkFeatures
    outcome: Outcome

    def at(self, landmark_years: float) -> tuple[LandmarkFeatures, Outcome]:
        """Features and outcome, from a landmark, of the subjects still at risk there."""
        at_risk = np.flatnonzero(self.outcome.duration_years > landmark_years).astype(np.int64)
        moment = np.full(at_risk.size, landmark_years)
        duration = self.outcome.duration_years[at_risk] - landmark_years
        return (
            LandmarkFeatures(self.features.history, at_risk, moment),
            Outcome(duration, self.outcome.event[at_risk]),
        )


def observe(cohort: Cohort) -> Observed:
    """Cohort as its users see it."""
    visits = check(rows_from_frame(cohort.visits, source=f"{cohort.name}/visits"))
    outcomes = cohort.outcomes.set_index("subject_id").loc[list(visits.history.subject_ids)]
    outcome = Outcome(
        outcomes["duration_years"].to_numpy(np.float64), outcomes["event"].to_numpy(np.int64)
    )
    return Observed(LandmarkFeatures(visits.history), outcome)


def net_risk(outcome: Outcome, horizon_years: float) -> float:
    """One minus Kaplan–Meier, deaths censored: the statistic that the published figures are."""
    net = (outcome.event == PROGRESSION).astype(np.int64)
    estimate = aalen_johansen(outcome.duration_years, net).at(horizon_years).value
    return float("nan") if estimate is None else estimate


def median_years(outcome: Outcome) -> float:
    """Time by which half have progressed, by Kaplan–Meier; infinite if never reached."""
    net = (outcome.event == PROGRESSION).astype(np.int64)
    curve = aalen_johansen(outcome.duration_years, net)
    reached = np.flatnonzero(curve.incidence >= 0.5)
    return float(curve.times[reached[0]]) if reached.size else float("inf")
