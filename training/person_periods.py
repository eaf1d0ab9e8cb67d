"""Person-periods: every row once for each interval in which it was followed.

Discrete-time hazards use partial follow-up, which weighting at one horizon throws away (Suresh K,
BMC Med Res Methodol 2022;22:207, doi:10.1186/s12874-022-01679-6). Features do not change within a
row, so the periods are kept as (m, n) arrays beside the n rows and never written out one below the
other: what is fitted is the same, at the cost of the rows.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.history import Floats, Ints
from training.metrics.timeline import CENSORED

__all__ = ["Grid", "PersonPeriods"]

INTERVALS = 10
"""Intervals up to the last horizon at least; more hardly move a risk of whole years."""
BLOCK = 16_384
"""Person-periods of a block."""


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
    weight : (m, n) array
        1 for an interval at risk to its end or to an event, the share that was followed for one
        left by censoring – right when the hazard is constant within it – and 0 after. Intervals
        come first, so that sums over a row's intervals run along memory.
    last : (n,) array of int
        Interval in which each row's follow-up ends; the last one for what ends beyond it.
    cause : (n,) array of int
        What ended it there: 1 progression, 2 death before it, 0 neither within the grid.
    """

    weight: Floats
    last: Ints
    cause: Ints

    @classmethod
    def of(cls, duration_years: Floats, event: Ints, grid: Grid) -> "PersonPeriods":
        """Periods of n rows followed for `duration_years` to their `event`."""
        starts = np.concatenate([[0.0], grid.ends[:-1]])
        followed = (duration_years - starts[:, None]) / (grid.ends - starts)[:, None]
        weight = np.clip(followed, 0.0, 1.0, out=followed)
        last = np.minimum(np.searchsorted(grid.ends, duration_years), grid.ends.size - 1)
        cause = np.where(duration_years <= grid.ends[-1], event, CENSORED)
        ended = np.flatnonzero(cause != CENSORED)
        weight[last[ended], ended] = 1.0
        return cls(weight, last.astype(np.int64), cause.astype(np.int64))

    @property
    def count(self) -> int:
        """Number of person-periods."""
        return int(np.count_nonzero(self.weight))

    def events(self, cause: int) -> Floats:
        """(m,) rows that a cause ended in each interval."""
        ended = self.last[self.cause == cause]
        return np.bincount(ended, minlength=len(self.weight)).astype(np.float64)

    def blocks(self) -> Iterator[slice]:
        """Runs of rows whose periods stay in the processor's cache while they are summed."""
        n = self.weight.shape[1]
        size = max(1, BLOCK // len(self.weight))
        return (slice(start, min(start + size, n)) for start in range(0, n, size))
