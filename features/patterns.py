"""Rows that are alike: a text that depends on a few codes is written once for each combination."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from features.history import Codes, Ints

__all__ = ["distinct"]

MOST_CODES = 2**20
"""Combinations are counted in a table of this size at most, which stays in the cache."""


def distinct(columns: Iterable[Codes | NDArray[np.bool_]]) -> tuple[Ints, Ints]:
    """First row of each distinct combination of small codes, and the combination of every row.

    Parameters
    ----------
    columns : (n,) arrays of one length
        Codes from 0, or truth values.

    Returns
    -------
    first : (d,) array
        Row at which each of the d combinations is met first.
    which : (n,) array
        Combination of every row, from 0 to d - 1.

    Examples
    --------
    >>> first, which = distinct([np.array([1, 0, 1, 1]), np.array([2, 2, 2, 0])])
    >>> first.tolist(), which.tolist()
    ([1, 3, 0], [2, 0, 2, 1])
    """
    code, codes = np.zeros(0, dtype=np.int64), 1
    first = np.zeros(0, dtype=np.int64)
    for column in columns:
        states = int(column.max(initial=0)) + 1
        if codes == 1:
            code, codes = column.astype(np.int64), states
            continue
        if codes * states > MOST_CODES:
            first, code = _numbered(code, codes)
            codes = first.size
        code *= states
        code += column
        codes *= states
    first, code = _numbered(code, codes)
    return first, code


def _numbered(code: Ints, codes: int) -> tuple[Ints, Ints]:
    """First row of each code that occurs, and every row's rank among the codes that occur."""
    met = np.full(codes, code.size)
    # Written from the last row to the first, so the first one stays.
    met[code[::-1]] = np.arange(code.size - 1, -1, -1)
    occurs = met < code.size
    return met[occurs], (np.cumsum(occurs) - 1)[code]
