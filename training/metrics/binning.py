"""Large samples in narrow bins of a regression's only covariate."""

import numpy as np

from training.metrics.estimate import FloatArray

BINS = 8_192
# Below this size the subjects themselves are as quick.
_WORTHWHILE = 8 * BINS
# Standard deviation of places within a bin, in its width, when they are spread evenly.
_APART = 12**-0.5


def binned(
    x: FloatArray, weight: FloatArray | None, target: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray] | None:
    """Two points for each of many narrow bins: their covariate, weight and target, in O(n).

    The points of a bin have its weight, its means and its covariance of covariate and target, so
    that a regression on x alone has nearly the same solution on them as on the subjects: what
    differs is of the order of the squared width of a bin. It is a start, not an answer.

    Parameters
    ----------
    x
        (n,) covariate, finite.
    weight
        (n,) weights above 0; ones when None.
    target
        (n,) what is regressed on x.

    Returns
    -------
    (points,) arrays for the bins that hold anybody, or None for a sample too small to gain by it.
    """
    if x.size < _WORTHWHILE:
        return None
    lowest = float(x.min())
    # A little wider, so that the largest x is inside the last bin.
    width = (float(x.max()) - lowest) / BINS * (1 + 1e-12)
    if not width > 0:
        return None
    inside = x - lowest
    inside *= 1 / width
    bin_of = inside.astype(np.int64)
    inside -= bin_of
    size = np.bincount(bin_of, weights=weight, minlength=BINS).astype(np.float64)
    held = np.flatnonzero(size)
    size = size[held]

    def mean(values: FloatArray) -> FloatArray:
        return np.asarray(np.bincount(bin_of, weights=values, minlength=BINS)[held] / size)

    weighted = target if weight is None else target * weight
    level = mean(weighted)
    weighted = weighted * inside
    product = mean(weighted)
    place = mean(inside if weight is None else np.multiply(inside, weight, out=inside))
    centre, tilt = lowest + (held + place) * width, (product - place * level) / _APART
    apart = _APART * width
    return (
        np.concatenate((centre - apart, centre + apart)),
        np.concatenate((size, size)) / 2,
        np.concatenate((level - tilt, level + tilt)),
    )


__all__ = ["BINS", "binned"]
