"""Where values lie against published cuts, with "not measured" as a state of its own.

A search in a short table answers for one value and for millions alike: the state is the number of
cuts passed, and the state after the last one means that the value is not known. Nothing missing can
be taken for zero, because unknown is never the state 0.
"""

from collections.abc import Callable
from itertools import product

import numpy as np
from numpy.typing import NDArray

from features.history import Codes, Floats, Ints

__all__ = ["States", "above", "at_least", "state", "tabulate", "unknown"]

States = Codes | Ints

SEARCHED_BELOW = 256
"""Fewer values are searched in the table, more are compared cut by cut: either is faster there."""


def above(*cuts: float) -> Floats:
    """Table for values that must exceed each cut: ``state`` counts the cuts exceeded.

    Parameters
    ----------
    cuts
        Ascending.

    Examples
    --------
    >>> state(np.array([20.0, 20.1, np.nan]), above(20.0))
    array([0, 1, 2])
    """
    # NaN sorts after infinity, so it gets the state after the last cut.
    return np.array([*cuts, np.inf])


def at_least(*cuts: float) -> Floats:
    """Table for values that must reach each cut: ``state`` counts the cuts reached.

    Examples
    --------
    >>> state(np.array([2.9, 3.0, np.nan]), at_least(3.0))
    array([0, 1, 2])
    """
    # x >= c is x > the double just below c, exactly.
    return above(*(float(np.nextafter(cut, -np.inf)) for cut in cuts))


def state(values: Floats, table: Floats) -> States:
    """(k,) number of cuts passed, ``len(table)`` where the value is NaN."""
    if values.size < SEARCHED_BELOW:
        return table.searchsorted(values)
    passed: Codes = (values > table[0]).astype(np.int8)
    for cut in table[1:-1]:
        passed += values > cut
    passed[np.isnan(values)] = table.size
    return passed


def unknown(table: Floats) -> int:
    """State that means not known."""
    return table.size


def tabulate(rule: Callable[..., int], *sizes: int) -> NDArray[np.int8]:
    """Every answer of a rule over small integer states, as one table to index with arrays.

    Parameters
    ----------
    rule
        From one state per argument to a code.
    sizes
        Number of states of each argument, numbered from 0.

    Examples
    --------
    >>> tabulate(lambda a, b: a and b, 2, 2)
    array([[0, 0],
           [0, 1]], dtype=int8)
    """
    answers = [rule(*states) for states in product(*(range(size) for size in sizes))]
    return np.array(answers, dtype=np.int8).reshape(sizes)
