"""The simplest of the good candidates: one standard error toward the simpler, on differences.

Breiman L et al., Classification and Regression Trees, 1984, section 3.4.3. The error is that of
the difference from the best, fold by fold: folds differ far more from each other than candidates
do, and the error of the loss itself would call everything equal.

It chooses between candidates, not between settings of one. There it takes the strongest penalty
that the folds do not surely reject, and predicts worse (Chen Y & Yang Y, Stats 2021;4:868,
doi:10.3390/stats4040051).
"""

from collections.abc import Sequence

import numpy as np

from features.history import Floats

__all__ = ["simplest_of_the_best"]


def simplest_of_the_best(losses: Sequence[Floats]) -> int:
    """Position of the first choice whose loss is within one error of the best.

    Parameters
    ----------
    losses
        Of every choice, the simplest first: (f,) losses on the same folds; smaller is better. Folds
        that could not be judged are NaN and left out.

    Examples
    --------
    >>> simplest_of_the_best([np.array([0.09, 0.32]), np.array([0.10, 0.30])])
    0
    >>> simplest_of_the_best([np.array([0.12, 0.32]), np.array([0.10, 0.30])])
    1
    """
    best = losses[int(np.argmin([np.nanmean(loss) for loss in losses]))]
    return next(i for i, loss in enumerate(losses) if _within_one_error(loss - best))


def _within_one_error(difference: Floats) -> bool:
    known = difference[~np.isnan(difference)]
    if known.size < 2:
        return not known.any()
    return bool(known.mean() <= known.std(ddof=1) / np.sqrt(known.size))
