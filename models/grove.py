"""Several forests walked together: the margins of a learner and all its refits in one pass.

Every inner node of every tree compares once; then each level, from the lowest up, keeps the leaf
that its comparison points to, by bitwise operations on bytes. For shallow trees this is several
times faster than walking down, and only row and leaves are looked up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from features.history import Floats
from models.shapley import Trees

_Cell = TypeVar("_Cell", bound=np.generic)

__all__ = ["DEEPEST", "Grove", "grow"]

DEEPEST = 8
"""Levels whose leaves a byte can number."""

_ENDS = np.array([-np.inf, np.inf], dtype=np.float32)
"""A missing value below every threshold, and above."""

BLOCK_NODES = 2**18
"""Comparisons made together: keeps the work arrays inside the processor's cache."""


@dataclass(frozen=True, slots=True)
class Grove:
    """Forests of one depth d and one number of trees.

    Parameters
    ----------
    base : (f,) array
        Margin of no tree.
    column : (2**d - 1, f * trees) array
        What each inner node reads of a row whose columns stand twice, side by side: first with a
        missing value below every threshold, then with it above.
    threshold : (2**d - 1, f * trees) array of float32
        A row goes left when its value is below.
    leaf : (2**d, f * trees) array
        Margin that each leaf adds.
    """

    base: Floats
    column: NDArray[np.intp]
    threshold: NDArray[np.float32]
    leaf: Floats

    def margins(self, values: Floats) -> Floats:
        """(k, f) sum of the leaves that each row reaches, plus the base, on the logit scale.

        XGBoost compares in single precision and so does this; leaves are summed in double
        precision, which agrees with XGBoost to its own rounding (1e-6 on the margin).

        Parameters
        ----------
        values : (k, p) array
            NaN where unknown.
        """
        single = values.astype(np.float32)[:, :, None]
        twice = np.where(np.isnan(single), _ENDS, single).reshape(len(values), -1)
        margins = np.empty((len(values), self.base.size))
        rows = max(1, BLOCK_NODES // max(1, self.column.size))
        for start in range(0, len(values), rows):
            block = slice(start, start + rows)
            margins[block] = self._of_rows(twice[block])
        return margins

    def _of_rows(self, twice: NDArray[np.float32]) -> Floats:
        right = ~(twice.take(self.column, axis=1) < self.threshold)
        place = _leaf_reached(right.view(np.uint8)).astype(np.intp)
        place *= self.leaf.shape[1]
        place += np.arange(self.leaf.shape[1])
        # Contiguous runs: a forest sums in the same order alone and among others.
        reached = self.leaf.take(place).reshape(len(twice), self.base.size, -1)
        return np.asarray(self.base + reached.sum(axis=2))


def _leaf_reached(right: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(k, trees) leaf of every tree, from whether a row goes right at each (k, nodes, trees)."""
    rows, nodes, trees = right.shape
    if not nodes:
        return np.zeros((rows, trees), dtype=np.uint8)
    first, bit = nodes // 2, 1
    reached = right[:, first:]
    while first:
        first, until, bit = first // 2, first, 2 * bit
        # All bits set where the row goes right.
        rightward = np.negative(right[:, first:until])
        reached = (reached[:, 0::2] & ~rightward) | ((reached[:, 1::2] | np.uint8(bit)) & rightward)
    return reached.reshape(rows, trees)


def grow(forests: Sequence[Trees]) -> Grove:
    """Forests as one grove; shallower and smaller ones are filled up with what adds nothing.

    Parameters
    ----------
    forests
        At least one.

    Raises
    ------
    ValueError
        For trees of more than `DEEPEST` levels.
    """
    depth = max(forest.depth for forest in forests)
    if depth > DEEPEST:
        raise ValueError(f"trees of {depth} levels; at most {DEEPEST}")
    trees = max(len(forest.leaf) for forest in forests)
    inner = (len(forests), trees, 2**depth - 1)
    column = np.zeros(inner, dtype=np.intp)
    threshold = np.full(inner, np.inf, dtype=np.float32)
    leaf = np.zeros((len(forests), trees, 2**depth))
    for i, forest in enumerate(forests):
        count, known = forest.feature.shape
        column[i, :count, :known] = 2 * forest.feature.astype(np.intp) + ~forest.missing_left
        threshold[i, :count, :known] = forest.threshold
        leaf[i, :count] = np.repeat(forest.leaf, 2 ** (depth - forest.depth), axis=1)
    return Grove(
        base=np.array([forest.base for forest in forests]),
        column=_by_node(column),
        threshold=_by_node(threshold),
        leaf=_by_node(leaf),
    )


def _by_node(table: NDArray[_Cell]) -> NDArray[_Cell]:
    """(nodes, forests * trees) contiguous table of (forests, trees, nodes)."""
    forests, trees, nodes = table.shape
    return np.ascontiguousarray(table.reshape(forests * trees, nodes).T)
