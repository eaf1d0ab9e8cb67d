"""A sum of one table per feature: what an explainable boosting machine is once it is fitted."""

from dataclasses import dataclass

import numpy as np

from features.history import Floats, Ints

__all__ = ["AdditiveLearner"]


@dataclass(frozen=True, slots=True)
class AdditiveLearner:
    """Log odds that are added up feature by feature, each looked up in a table of its own.

    Parameters
    ----------
    cuts : (p, c) array
        Where the steps of each feature meet, ascending; a value at a cut is above it. Features with
        fewer cuts are filled up with infinity.
    score : (h, p, c + 2) array
        What is added where the feature is missing, below its first cut, and so on upwards. Each
        table averages 0 over the training rows that it was fitted on.
    intercept : (h,) array

    Examples
    --------
    >>> step = AdditiveLearner(
    ...     np.array([[2.0]]), np.array([[[0.1, -0.5, 0.7]]]), np.array([-1.0])
    ... )
    >>> step.margin(np.array([[np.nan], [1.9], [2.0]])).round(2).tolist()
    [[-0.9], [-1.5], [-0.3]]
    """

    cuts: Floats
    score: Floats
    intercept: Floats

    def margin(self, values: Floats) -> Floats:
        """(k, h) log odds."""
        place = self._place(values)
        added = [self._scores(place, horizon).sum(axis=1) for horizon in range(len(self.score))]
        return np.asarray(self.intercept + np.stack(added, axis=1))

    def contributions(self, values: Floats, horizon: int) -> Floats:
        """(k, p) score of each feature; the intercept is the average."""
        return self._scores(self._place(values), horizon)

    def _scores(self, place: Ints, horizon: int) -> Floats:
        return np.asarray(self.score[horizon][np.arange(len(self.cuts)), place])

    def _place(self, values: Floats) -> Ints:
        """(k, p) place in the table of each feature; 0 where it is missing."""
        place = np.empty(values.shape, dtype=np.int64)
        for j, cuts in enumerate(self.cuts):
            above = np.searchsorted(cuts, values[:, j], side="right")
            place[:, j] = np.where(np.isnan(values[:, j]), 0, above + 1)
        return place
