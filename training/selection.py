"""The simplest of the good: one standard error toward the simpler, counted on differences.

Breiman L et al., Classification and Regression Trees, 1984, section 3.4.3. The error is that of
the difference from the best, fold by fold: folds differ far more from each other than candidates
do, and the error of the loss itself would call everything equal.
"""

from collections.abc import Sequence

import numpy as np

from features.history import Floats

__all__ = ["simplest_of_the_best"]


def simplest_of_the_best(losses: Sequence[Floats], freedom: Sequence[float]) -> int:
    """Position of the choice with least freedom whose loss is within one error of the best.

    Parameters
    ----------
    losses
        Of every choice, (f,) losses on the same folds; smaller is better. Folds that could not be
        judged are NaN and left out.
    freedom
        Of every choice; of two alike the one with the smaller loss is taken.

    Examples
    --------
    >>> simplest_of_the_best([np.array([0.10, 0.30]), np.array([0.09, 0.32])], [2.0, 1.0])
    1
    >>> simplest_of_the_best([np.array([0.10, 0.30]), np.array([0.12, 0.32])], [2.0, 1.0])
    0
    """
    means = [float(np.nanmean(loss)) for loss in losses]
    best = losses[int(np.argmin(means))]
    good = [i for i, loss in enumerate(losses) if _within_one_error(loss - best)]
    return min(good, key=lambda i: (freedom[i], means[i]))


def _within_one_error(difference: Floats) -> bool:
    known = difference[~np.isnan(difference)]
    if known.size < 2:
        return not known.any()
    return bool(known.mean() <= known.std(ddof=1) / np.sqrt(known.size))
