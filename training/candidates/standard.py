"""Standardised features: what linear learners read, learnt without the outcome.

Missing values are filled with the median (Sisk R, Stat Methods Med Res 2023;32:1461,
doi:10.1177/09622802231165001).
"""

from dataclasses import dataclass

import numpy as np

from features.history import Floats

__all__ = ["Standard"]


@dataclass(frozen=True, slots=True)
class Standard:
    """Filling and standardisation of p columns.

    Parameters
    ----------
    fill : (p,) array
        Median; 0 for a column that was never measured.
    centre, scale : (p,) arrays
        Mean and standard deviation after filling; 1 for a column that does not vary.
    """

    fill: Floats
    centre: Floats
    scale: Floats

    @classmethod
    def of(cls, values: Floats) -> "Standard":
        """Learnt from (n, p) values, NaN where unknown."""
        fill = _median(values)
        filled = np.where(np.isnan(values), fill, values)
        spread = filled.std(axis=0)
        return cls(fill, filled.mean(axis=0), np.where(spread > 0, spread, 1.0))

    def apply(self, values: Floats) -> Floats:
        """(n, p) standardised values, none missing."""
        filled = np.where(np.isnan(values), self.fill, values)
        return np.asarray((filled - self.centre) / self.scale)


def _median(values: Floats) -> Floats:
    measured = ~np.isnan(values)
    return np.array(
        [
            np.median(column[known]) if known.any() else 0.0
            for column, known in zip(values.T, measured.T, strict=True)
        ]
    )
