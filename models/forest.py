"""Flattened trees: a boosted forest as arrays, every tree complete and in heap order.

`models.grove` walks it, alone or among others; `models.shapley` shares its margin among columns.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from features.history import Floats
from models.grove import Grove, grow
from models.shapley import PathTables, path_tables

__all__ = ["Forest"]


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
        """(k,) sum of the leaves that each row reaches, plus the base, on the logit scale.

        Parameters
        ----------
        values : (k, p) array
            NaN where unknown.
        """
        return self._grove.margins(values)[:, 0]

    @cached_property
    def _grove(self) -> Grove:
        return grow([self])

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
