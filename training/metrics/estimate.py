"""One number with its interval – or the reason why there is none."""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import exp, inf, isfinite, log, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from training.metrics.blocks import blocks

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with standard error and interval, or the reason why it is not estimable.

    Parameters
    ----------
    value
        The estimate, or None when it is not estimable.
    standard_error
        On the scale of `value`, or None where none is defined.
    lower, upper
        Ends of the confidence interval, or None.
    reason
        Why there is no value; None when there is one.
    influence
        (n,) influence of each subject on `value`: the standard error is their standard deviation
        over the square root of n, and two estimates on the same subjects are compared by the
        difference of their influences.
    """

    value: float | None
    standard_error: float | None = None
    lower: float | None = None
    upper: float | None = None
    reason: str | None = None
    influence: FloatArray | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if (self.value is None) == (self.reason is None):
            raise ValueError("an estimate has either a value or a reason")
        if self.value is not None and not isfinite(self.value):
            raise ValueError("an estimate that is not finite must say why it is not estimable")

    @property
    def estimable(self) -> bool:
        """Whether there is a value."""
        return self.value is not None

    @classmethod
    def none(cls, reason: str) -> "Estimate":
        """No value, and why."""
        return cls(None, reason=reason)

    @classmethod
    def from_influence(
        cls,
        value: float,
        influence: FloatArray,
        *,
        level: float = 0.95,
        bounds: tuple[float, float] | None = None,
        cluster: IntArray | None = None,
    ) -> "Estimate":
        """Value with Wald interval from the influence of each subject.

        Parameters
        ----------
        value
            The estimate.
        influence
            (n,) influence values; they sum to about zero.
        level
            Confidence level within 0–1.
        bounds
            Range the interval is cut to.
        cluster
            (n,) codes 0 … k-1; rows of one cluster (visits of one subject) are not independent.
        """
        error = clustered_standard_error(influence, cluster)
        if error is None:
            return cls(value, influence=influence)
        half = normal_quantile(level) * error
        low, high = bounds if bounds is not None else (-inf, inf)
        return cls(
            value,
            error,
            max(low, float(value - half)),
            min(high, float(value + half)),
            influence=influence,
        )

    @classmethod
    def on_scale(
        cls,
        value: float,
        standard_error: float,
        *,
        forward: Callable[[float], float],
        backward: Callable[[float], float],
        slope: float,
        level: float = 0.95,
    ) -> "Estimate":
        """Value with an interval that is symmetric on a transformed scale.

        Parameters
        ----------
        value, standard_error
            On the natural scale.
        forward, backward
            The transformation and its inverse.
        slope
            Derivative of `forward` at `value`.
        level
            Confidence level within 0–1.
        """
        half = normal_quantile(level) * standard_error * abs(slope)
        ends = (backward(forward(value) - half), backward(forward(value) + half))
        return cls(value, standard_error, min(ends), max(ends))

    @classmethod
    def ratio(cls, value: float, relative_error: float, *, level: float = 0.95) -> "Estimate":
        """Positive ratio with an interval that is symmetric on the log scale."""
        return cls.on_scale(
            value, value * relative_error, forward=log, backward=exp, slope=1 / value, level=level
        )


def normal_quantile(level: float) -> float:
    """Half-width, in standard errors, of a two-sided interval of this level."""
    return _NORMAL.inv_cdf(0.5 + level / 2)


def two_sided_p(z: float) -> float:
    """Two-sided p-value of a standard normal statistic."""
    return 2 * _NORMAL.cdf(-abs(z))


def clustered_standard_error(
    influence: FloatArray, cluster: IntArray | None = None
) -> float | None:
    """Standard error of a mean of influences, or None with fewer than two independent units."""
    n = influence.size
    sums = influence if cluster is None else np.bincount(cluster, weights=influence)
    units = sums.size
    if units < 2:
        return None
    mean, squares = sums.mean(), 0.0
    for part in blocks(units):
        centred = sums[part] - mean
        squares += float(centred @ centred)
    return sqrt(squares * units / (units - 1)) / n
