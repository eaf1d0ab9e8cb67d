"""Exact TreeSHAP of a flattened forest: what each feature adds to the margin of a row.

Lundberg SM, Nat Mach Intell 2020;2:56, doi:10.1038/s42256-019-0138-9, path-dependent: a feature not
in the coalition sends a row both ways, in the shares of the training weight, so that contributions
are against the average margin of the training rows. A leaf's part depends only on which of the
decisions on its path the row follows. There are at most 2**d such patterns: their contributions
are computed once (as in Yang J, arXiv:2109.09847), and a row is explained by look-ups.

The Shapley weights are the integral over t of the product of the other features' factors
o t + z (1 - t), where o is 1 if the row follows the path and z the share of the training weight
that does; Gauss-Legendre quadrature is exact for that polynomial.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from features.history import Floats, Ints

__all__ = ["DEEPEST", "PathTables", "Trees", "path_tables"]

DEEPEST = 6
"""Levels up to which tables are made: they grow as 4**d, to 20 MB for a hundred trees of six."""

BLOCK_ROWS = 16
"""Rows explained together; a row needs about a thousand numbers. For arrays beyond some 100 kB the
allocator asks the system for fresh memory each time, which costs several times the work itself."""

Singles = NDArray[np.float32]
Bools = NDArray[np.bool_]


class Trees(Protocol):
    """What is read of `models.forest.Forest`."""

    @property
    def base(self) -> float: ...  # noqa: D102
    @property
    def depth(self) -> int: ...  # noqa: D102
    @property
    def feature(self) -> NDArray[np.int16]: ...  # noqa: D102
    @property
    def threshold(self) -> Singles: ...  # noqa: D102
    @property
    def missing_left(self) -> Bools: ...  # noqa: D102
    @property
    def leaf(self) -> Singles: ...  # noqa: D102
    @property
    def left_share(self) -> Singles: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class PathTables:
    """Contributions of every leaf for every pattern of followed decisions.

    Parameters
    ----------
    trees
        Whose leaves.
    bits : (2**d - 1, 2**d) array of float32
        What a row that goes left at an inner node adds to the pattern of each leaf.
    path : (trees, 2**d) array
        Place in `effect` of each leaf, with the bits of its pattern that are turned over: where
        the path to the leaf goes right.
    column : (trees, 2**d, d) array
        What every step of the path to each leaf reads.
    effect : (trees * 2**d * 2**d, d) array
        By tree, leaf and pattern: what the feature of each step adds; a feature that decides twice
        on a path has it all at its first step.
    """

    trees: Trees
    bits: Singles
    path: Ints
    column: Ints
    effect: Floats

    def contributions(self, values: Singles) -> Floats:
        """(k, p) contributions of the columns of k rows."""
        told = np.empty(values.shape)
        for start in range(0, len(values), BLOCK_ROWS):
            block = slice(start, start + BLOCK_ROWS)
            told[block] = self._of_rows(values[block])
        return told

    def _of_rows(self, values: Singles) -> Floats:
        trees, (rows, columns) = self.trees, values.shape
        value = values.take(trees.feature, axis=1)
        left = (value < trees.threshold) | (np.isnan(value) & trees.missing_left)
        # Small whole numbers: a product in single precision is exact, and fast.
        pattern = (left.astype(np.float32) @ self.bits).astype(np.int64)
        # Leaf by leaf and not row by row: a sum need not wait for the one before it.
        effect = self.effect.take((pattern ^ self.path).transpose(1, 2, 0), axis=0)
        # One running sum per row and feature: a row gives the same bits alone and among others.
        place = self.column[:, :, None] + columns * np.arange(rows)[:, None]
        summed = np.bincount(place.ravel(), effect.ravel(), minlength=values.size)
        return summed.astype(np.float64, copy=False).reshape(rows, columns)


def path_tables(trees: Trees) -> PathTables:
    """Tables of a forest of at most `DEEPEST` levels.

    Raises
    ------
    ValueError
        For deeper trees.
    """
    depth = trees.depth
    if depth > DEEPEST:
        raise ValueError(f"trees of {depth} levels cannot be explained; at most {DEEPEST}")
    leaf, level = np.arange(2**depth)[:, None], np.arange(depth)
    step = 2**level - 1 + (leaf >> (depth - level))
    rightward = ((leaf >> (depth - 1 - level)) & 1).astype(bool)
    left_share = trees.left_share[:, step].astype(np.float64)
    share = np.where(rightward, 1.0 - left_share, left_share)[:, :, None]
    follows = ((leaf >> level) & 1).astype(np.float64)
    feature = trees.feature[:, step]
    same = feature[..., :, None] == feature[..., None, :]
    first = same.argmax(axis=-1) == level if depth else same.any(axis=-1)
    share = _together(share, same[:, :, None], first[:, :, None])
    follows = _together(follows, same[:, :, None], first[:, :, None])
    effect = trees.leaf[:, :, None, None] * _shapley(share, follows)
    bits = np.zeros((2**depth - 1, 2**depth), dtype=np.float32)
    bits[step, leaf] = 1 << level
    return PathTables(
        trees=trees,
        bits=bits,
        path=(np.arange(trees.leaf.size).reshape(trees.leaf.shape) << depth)
        | (rightward @ (1 << level)),
        column=feature.astype(np.int64),
        effect=effect.reshape(len(trees.leaf) << 2 * depth, depth),
    )


def _together(factor: Floats, same: Bools, first: Bools) -> Floats:
    """Product over the steps that share a feature, at the first of them; 1 at the others."""
    product = np.where(same, factor[..., None, :], 1.0).prod(axis=-1)
    return np.where(first, product, 1.0)


def _shapley(share: Floats, follows: Floats) -> Floats:
    """(…, d) Shapley values of the game whose value is 1 where a row reaches the leaf."""
    depth = share.shape[-1]
    points, weights = np.polynomial.legendre.leggauss(max(1, (depth + 1) // 2))
    total = np.zeros(np.broadcast_shapes(share.shape, follows.shape))
    for point, weight in zip((points + 1.0) / 2.0, weights / 2.0, strict=True):
        factor = share + (follows - share) * point
        for i in range(depth):
            total[..., i] += weight * np.delete(factor, i, axis=-1).prod(axis=-1)
    return (follows - share) * total
