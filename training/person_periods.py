"""Person-periods: every row once for each interval in which it was followed.

Discrete-time hazards use partial follow-up, which weighting at one horizon throws away (Suresh K,
BMC Med Res Methodol 2022;22:207, doi:10.1186/s12874-022-01679-6). Features do not change within a
row, so the periods are kept as (n, m) arrays beside the n rows and never written out one below the
other: what is fitted is the same, at the cost of the rows.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.history import Floats, Ints
from training.metrics.timeline import CENSORED

__all__ = ["Grid", "PersonPeriods"]

INTERVALS = 10
"""Intervals up to the last horizon at least; more hardly move a risk of whole years."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Intervals of time since the landmark, with every horizon at the end of one.

    Parameters
    ----------
    ends : (m,) array
        Years, ascending; the first interval starts at 0.
    until : (h,) array of int
        Interval at whose end each horizon stands.
    """

    ends: Floats
    until: NDArray[np.int64]

    @classmethod
    def of(cls, horizons_years: tuple[float, ...], *, intervals: int = INTERVALS) -> "Grid":
        """Equal intervals between neighbouring horizons, none longer than a share of the last.

        Examples
        --------
        >>> Grid.of((1.0, 2.0, 5.0)).ends
        array([0.5, 1. , 1.5, 2. , 2.5, 3. , 3.5, 4. , 4.5, 5. ])
        """
        longest = horizons_years[-1] / intervals
        parts, start = [], 0.0
        for horizon in horizons_years:
            count = int(np.ceil((horizon - start) / longest - 1e-9))
            parts.append(np.linspace(start, horizon, count + 1)[1:])
            start = horizon
        ends = np.concatenate(parts)
        return cls(ends, np.cumsum([part.size for part in parts]) - 1)


@dataclass(frozen=True, slots=True)
class PersonPeriods:
    """Which row was at risk in which interval, and what happened there.

    Parameters
    ----------
    weight : (n, m) array
        1 for an interval at risk to its end or to an event, the share that was followed for one
        left by censoring – right when the hazard is constant within it – and 0 after.
    outcome : (2, n, m) array
        1 in the interval of progression, and of death before it.
    """

    weight: Floats
    outcome: Floats

    @classmethod
    def of(cls, duration_years: Floats, event: Ints, grid: Grid) -> "PersonPeriods":
        """Periods of n rows followed for `duration_years` to their `event`."""
        starts = np.concatenate([[0.0], grid.ends[:-1]])
        followed = (duration_years[:, None] - starts) / (grid.ends - starts)
        weight = np.clip(followed, 0.0, 1.0)
        left = (followed > 0.0) & (followed <= 1.0)
        weight[left & (event != CENSORED)[:, None]] = 1.0
        outcome = np.stack([left & (event == cause)[:, None] for cause in (1, 2)])
        return cls(weight, outcome.astype(np.float64))

    @property
    def count(self) -> int:
        """Number of person-periods."""
        return int(np.count_nonzero(self.weight))
