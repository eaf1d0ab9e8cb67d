"""Array types of the simulation and the one-line draws everything shares."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Bools", "Floats", "Ints", "Rng", "at_normal_score", "categories", "noise_factor"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Rng = np.random.Generator
Scale = Literal["linear", "log"]


def categories(rng: Rng, shares: tuple[float, ...], subjects: int) -> Ints:
    """(n,) category of each subject, drawn by share; the last takes what the others leave."""
    bounds = np.cumsum(shares)[:-1]
    return np.searchsorted(bounds, rng.random(subjects), side="right").astype(np.int64)


def at_normal_score(
    score: Floats, knots: tuple[float, ...], values: tuple[float, ...], scale: Scale
) -> Floats:
    """Level at a normal score, linear between the knots on the scale given."""
    if scale == "log":
        return np.exp(np.interp(score, knots, np.log(values)))
    return np.interp(score, knots, values)


def noise_factor(rng: Rng, coefficient_of_variation: float, count: int) -> Floats:
    """(n,) lognormal factor with mean 1 and the coefficient of variation given."""
    variance = np.log1p(coefficient_of_variation**2)
    return np.exp(rng.normal(-variance / 2, np.sqrt(variance), count))
