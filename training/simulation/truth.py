"""True risks under the simulated law: the cumulative incidence of progression, in closed form.

The risk is conditional on everything the simulation knows of a subject – the clone and its future
course, not only the labs – and on being alive without progression at the landmark. Averaged over
any group formed by what is seen at the landmark it is that group's risk.
"""

from dataclasses import dataclass

import numpy as np

from training.simulation.arrays import Floats
from training.simulation.hazards import STEP_YEARS, Hazards

__all__ = ["HORIZONS_YEARS", "Truth"]

HORIZONS_YEARS = (1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Truth:
    """True law of subjects' outcomes, tabulated at the start of every month.

    Parameters
    ----------
    hazards
        The law.
    free : (n, m + 1) array
        Probability of being alive without progression at the start of each month.
    incidence : (n, m + 1) array
        Cumulative incidence of progression by then.
    """

    hazards: Hazards
    free: Floats
    incidence: Floats

    @classmethod
    def of(cls, hazards: Hazards) -> "Truth":
        """Law of the hazards, integrated exactly."""
        total = hazards.progression + hazards.death
        leaving = -np.expm1(-total * STEP_YEARS)
        start = np.zeros((total.shape[0], 1))
        passed = np.concatenate((start, np.cumsum(total, axis=1) * STEP_YEARS), axis=1)
        free = np.exp(-passed)
        gained = free[:, :-1] * leaving * hazards.progression / total
        incidence = np.concatenate((start, np.cumsum(gained, axis=1)), axis=1)
        return cls(hazards, free, incidence)

    def risk(self, landmark_years: float, horizon_years: float) -> Floats:
        """(n,) risk of progression within the horizon for those free of events at the landmark.

        Parameters
        ----------
        landmark_years, horizon_years
            0 or more; their sum at most 22 years.
        """
        free, before = self._at(landmark_years)
        _, after = self._at(landmark_years + horizon_years)
        return np.clip((after - before) / free, 0.0, 1.0)

    def _at(self, years: float) -> tuple[Floats, Floats]:
        month = min(int(years / STEP_YEARS + 1e-9), self.hazards.death.shape[1] - 1)
        progression = self.hazards.progression[:, month]
        total = progression + self.hazards.death[:, month]
        part = years - month * STEP_YEARS
        free = self.free[:, month] * np.exp(-total * part)
        gained = self.free[:, month] * -np.expm1(-total * part) * progression / total
        return free, self.incidence[:, month] + gained
