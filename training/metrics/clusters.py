"""Rows that belong together: the landmarks of one person."""

import numpy as np

from training.metrics.estimate import BoolArray, IntArray

__all__ = ["codes_of", "people_of"]


def people_of(cluster: IntArray | None, rows: BoolArray) -> int:
    """How many people some of the rows are of.

    Parameters
    ----------
    cluster
        (n,) code of the person of each row; None where every row is a person of its own.
    rows
        (n,) which rows.
    """
    return int(rows.sum()) if cluster is None else int(np.unique(cluster[rows]).size)


def codes_of(cluster: IntArray | None, rows: IntArray | BoolArray) -> IntArray | None:
    """(m,) codes 0 … k-1 of some of the rows, without gaps; None where every row is its own.

    Parameters
    ----------
    cluster
        (n,) code of the person of each row, or None.
    rows
        (m,) places of the rows, or (n,) which rows.
    """
    if cluster is None:
        return None
    return np.unique(cluster[rows], return_inverse=True)[1].astype(np.int64)
