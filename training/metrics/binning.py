"""Large samples in narrow bins of a regression's only covariate, or block after block."""

from collections.abc import Iterator

import numpy as np

from training.metrics.estimate import FloatArray

BINS = 16_384
# Below this size the subjects themselves are as quick.
_WORTHWHILE = 4 * BINS
_BLOCK = 8192


def binned(
    x: FloatArray, weight: FloatArray | None, target: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray] | None:
    """Mean covariate, total weight and mean target of narrow bins, in O(n).

    A regression on x alone has almost the same solution on these as on the subjects: the
    difference is of the order of the squared width of a bin. It is a start, not an answer.

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
    (bins,) arrays for the bins that hold anybody, or None for a sample too small to gain by it.
    """
    if x.size < _WORTHWHILE:
        return None
    lowest = float(x.min())
    width = (float(x.max()) - lowest) / BINS
    if not width > 0:
        return None
    place = np.minimum(((x - lowest) / width).astype(np.int64), BINS - 1)
    size = np.bincount(place, weights=weight, minlength=BINS).astype(np.float64)
    held = size > 0

    def mean(values: FloatArray) -> FloatArray:
        weighted = values if weight is None else values * weight
        return np.asarray(np.bincount(place, weights=weighted, minlength=BINS)[held] / size[held])

    return mean(x), size[held], mean(target)


def blocks(size: int) -> Iterator[slice]:
    """Consecutive parts whose work arrays stay in the processor's cache."""
    return (slice(start, start + _BLOCK) for start in range(0, size, _BLOCK))


__all__ = ["BINS", "binned", "blocks"]
