"""Flattened trees: margin and contributions of a boosted forest by array look-ups alone.

Every tree is laid out as a complete binary tree in heap order, so that all trees of all rows walk
one level per step. XGBoost compares in single precision and so does this; leaves are summed in
double precision, which agrees with XGBoost to its own rounding (1e-6 on the margin).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from features.history import Floats
from models.shapley import PathTables, path_tables

__all__ = ["Forest"]

BLOCK_ROWS = 4096
"""Rows walked together: keeps the (rows, trees) work arrays inside the processor's cache."""


@dataclass(frozen=True)
class Forest:
    """Boosted trees of depth d.

    Parameters
    ----------
    base : float
        Margin of no tree, on the logit scale.
    feature : (trees, 2**d - 1) array of int16
        Column that each inner node reads.
    threshold : (trees, 2**d - 1) array of float32
        A row goes left when its value is below.
    missing_left : (trees, 2**d - 1) array of bool
        Where a row without the value goes.
    leaf : (trees, 2**d) array of float32
        Margin that each leaf adds.
    left_share : (trees, 2**d - 1) array of float32
        Share of the training weight at each inner node that went left; 1 above a leaf that stands
        for all leaves below it.
    """

    base: float
    feature: NDArray[np.int16]
    threshold: NDArray[np.float32]
    missing_left: NDArray[np.bool_]
    leaf: NDArray[np.float32]
    left_share: NDArray[np.float32]

    @property
    def depth(self) -> int:
        """Levels of inner nodes."""
        return int(self.leaf.shape[1]).bit_length() - 1

    def margin(self, values: Floats) -> Floats:
        """Sum of the leaves that each row reaches, plus the base, on the logit scale.

        Parameters
        ----------
        values : (k, p) array
            NaN where unknown.

        Returns
        -------
        (k,) array
        """
        single = values.astype(np.float32)
        margin = np.empty(len(single))
        for start in range(0, len(single), BLOCK_ROWS):
            block = slice(start, start + BLOCK_ROWS)
            margin[block] = self._walk(single[block])
        return margin

    def contributions(self, values: Floats) -> Floats:
        """What each column adds to the margin, against the average of the training rows.

        Exact TreeSHAP (see `models.shapley`); with the average margin, a row sums to its margin.

        Parameters
        ----------
        values : (k, p) array
            NaN where unknown.

        Returns
        -------
        (k, p) array
        """
        return self._paths.contributions(values.astype(np.float32))

    @cached_property
    def _paths(self) -> PathTables:
        return path_tables(self)

    def _walk(self, values: NDArray[np.float32]) -> Floats:
        rows, trees = np.arange(len(values))[:, None], np.arange(len(self.leaf))[None]
        node = np.zeros((len(values), len(self.leaf)), dtype=np.intp)
        for _ in range(self.depth):
            value = values[rows, self.feature[trees, node]]
            left = np.where(
                np.isnan(value),
                self.missing_left[trees, node],
                value < self.threshold[trees, node],
            )
            node = 2 * node + 2 - left
        reached = self.leaf[trees, node - self.feature.shape[1]]
        return np.asarray(self.base + reached.sum(axis=1, dtype=np.float64))
