"""Which part of its usual range a value fell into: what the drift of inputs can be seen from.

Counts by analyte and bin say whether the values that come in move, and no value. Bins are ten equal
steps of the catalogue's usual range, on a log scale where that range spans two powers of ten.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from features.analytes import ANALYTES, Analyte

__all__ = ["BINS", "bins_of"]

STEPS = 10
BINS = ("below", *(str(i + 1) for i in range(STEPS)), "above")
"""Names of the bins, lowest first."""

LOG_SPAN = 100.0


def _edges(analyte: Analyte) -> tuple[float, ...]:
    """(11,) ends of the bins within the usual range; an open end is that of the possible range."""
    low, high = (
        error if warn is None else warn
        for warn, error in zip(analyte.warn, analyte.error, strict=True)
    )
    if low > 0 and high / low >= LOG_SPAN:
        first, last = math.log(low), math.log(high)
        inner = (math.exp(first + (last - first) * i / STEPS) for i in range(1, STEPS))
        return (low, *inner, high)
    return tuple(low + (high - low) * i / STEPS for i in range(STEPS + 1))


EDGES: Mapping[str, tuple[float, ...]] = {
    name: _edges(analyte) for name, analyte in ANALYTES.items()
}


def bins_of(analyte: str, values: Sequence[float]) -> dict[str, int]:
    """How many values, in the analyte's canonical unit, fell into each bin; empty ones left out.

    Examples
    --------
    >>> bins_of("hemoglobin", [12.5, 12.6])  # usual 6-18.5 g/dL, steps of 1.25
    {'6': 2}
    >>> bins_of("kappa_flc", [0.4]), bins_of("m_protein", [6.1])
    ({'below': 1}, {'above': 1})
    """
    edges = EDGES[analyte]
    found = np.searchsorted(edges, values, side="right")
    # The last bin holds its upper end.
    found[np.equal(values, edges[-1])] = STEPS
    return {BINS[i]: int(n) for i, n in enumerate(np.bincount(found)) if n}
