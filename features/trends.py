"""How a quantity moved inside a look-back window: change, slope and the evolving flags.

Every measurement is compared with the earlier ones of the same subject that lie inside the window,
lag by lag, over all subjects at once. A subject's numbers depend on that subject's rows alone, to
the last bit, whatever else is in the batch; cost is linear in the pairs inside the windows.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from features.history import Series

__all__ = [
    "DECIMAL_TOLERANCE",
    "EVOLVING_RULES",
    "MAYO_RULES",
    "EvolvingRule",
    "change",
    "compared",
    "evolved",
    "evolving",
    "limits_of",
    "slope_per_year",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class EvolvingRule:
    """When a laboratory value counts as evolving against any earlier value in a look-back.

    Parameters
    ----------
    quantity
        Name of the quantity in the history.
    kind
        ``rise`` and ``fall`` are absolute, in the canonical unit; ``relative rise`` is a fraction
        of the earlier value.
    threshold
        Smallest change that counts.
    lookback_years
        How far back the earlier value may lie, end included.
    least_change
        Smallest absolute change that counts beside a relative threshold, in the canonical unit.
    earlier_at_least
        Smallest earlier value that the rule looks at, in the canonical unit.
    """

    quantity: str
    kind: Literal["rise", "fall", "relative rise"]
    threshold: float
    lookback_years: float
    least_change: float = 0.0
    earlier_at_least: float = -np.inf


EVOLVING_RULES = {
    "m_protein": EvolvingRule("m_protein", "rise", 0.2, 1.5),
    "hemoglobin": EvolvingRule("hemoglobin", "fall", 1.5, 1.0),
    "flc_ratio_involved": EvolvingRule("flc_ratio_involved", "rise", 20.0, 2.0),
    "creatinine": EvolvingRule("creatinine", "relative rise", 0.25, 1.0),
}
"""The four flags of PANGEA-SMM (Chabrun F, Nat Med 2026, doi:10.1038/s41591-026-04304-x)."""

MAYO_RULES = {
    "m_protein": (
        EvolvingRule("m_protein", "relative rise", 0.10, 0.5, 0.5, 3.0),
        EvolvingRule("m_protein", "relative rise", 0.25, 1.0, 0.5),
    ),
    "hemoglobin": (EvolvingRule("hemoglobin", "fall", 0.5, 1.0),),
}
"""The courses of the Mayo evolving model, by any of the rules (Ravi P, Blood Cancer J 2016;6:e454,
doi:10.1038/bcj.2016.65)."""

DECIMAL_TOLERANCE = 1e-9
"""Differences of decimal laboratory values are exact to far more digits than a laboratory reports;
1.2 - 1.0 misses 0.2 by 4e-17 in binary, and a person who reads both numbers calls that a rise."""


SHORTEST_SPAN_YEARS = 1 / 12

SMALL = 4096
"""Measurements up to which all pairs are held at once."""


def _pairs(series: Series, lookback_years: float | Floats) -> Iterable[tuple[Ints, Ints]]:
    """Measurements and their predecessors inside the window, the nearest ones first.

    The window is one for all, or that of each measurement. Few pairs come all at once; of many,
    those of one distance at a time.
    """
    found = _by_distance(series, lookback_years)
    if series.value.size >= SMALL:
        return found
    every = list(found)
    if not every:
        return ()
    now, before = zip(*every, strict=True)
    return [(np.concatenate(now), np.concatenate(before))]


def _by_distance(series: Series, lookback_years: float | Floats) -> Iterator[tuple[Ints, Ints]]:
    """Measurements and their k-th predecessors inside the window, k = 1, 2 and so on."""
    now = np.arange(1, series.value.size)
    lag = 1
    while now.size:
        now = now[now >= lag]
        before = now - lag
        window = lookback_years if isinstance(lookback_years, float) else lookback_years[now]
        near = series.time_years[now] - series.time_years[before] <= window
        inside = near & (series.subject[now] == series.subject[before])
        now = now[inside]
        if now.size:
            yield now, now - lag
        lag += 1


def evolving(
    series: Series,
    *rules: EvolvingRule,
    which: Ints | None = None,
    tolerance: float | Sequence[float] = DECIMAL_TOLERANCE,
) -> Bools:
    """Whether each measurement evolved against any earlier one inside the rule's look-back.

    Parameters
    ----------
    series : m measurements
        Sorted by subject and time.
    rules
        What counts as evolving.
    which : (m,) array
        Rule of each measurement; the only one when omitted.
    tolerance
        How far a change may miss the threshold through binary arithmetic and still count, for all
        rules or for each; 0 compares plain floating-point differences as the authors' code does.

    Returns
    -------
    (m,) array of bool
        False for a first measurement.
    """
    tolerances = [tolerance] * len(rules) if isinstance(tolerance, float) else tolerance
    return evolved(series, limits_of(rules, tolerances), which)


def evolved(series: Series, limits: Floats, which: Ints | None = None) -> Bools:
    """The same as `evolving`, by limits worked out before.

    Parameters
    ----------
    series, which
        As for `evolving`.
    limits : (6, r) array
        From `limits_of`.
    """
    value = series.value
    flag = np.zeros(value.size, dtype=bool)
    # One rule is the same for all; of several, each measurement has the limits of its own.
    limits = limits if which is None else limits[:, which]
    lookback = float(limits[-1, 0]) if which is None else limits[-1]
    for now, before in _pairs(series, lookback):
        own = limits if which is None else limits[:, now]
        flag[now[_evolved(value[now], value[before], own)]] = True
    return flag


def limits_of(rules: Sequence[EvolvingRule], tolerances: Sequence[float]) -> Floats:
    """(6, r) numbers by which rules judge a change, with the tolerance of each."""
    columns = [
        (
            -1.0 if rule.kind == "fall" else 1.0,
            rule.kind == "relative rise",
            rule.threshold - missed,
            rule.least_change - missed if rule.least_change > 0.0 else -np.inf,
            rule.earlier_at_least,
            rule.lookback_years,
        )
        for rule, missed in zip(rules, tolerances, strict=True)
    ]
    return np.array(columns, dtype=np.float64).T


def _evolved(now: Floats, before: Floats, limits: Floats) -> Bools:
    direction, relative, threshold, least_change, earlier, _ = limits
    change = now - before
    rise = direction * change
    if relative.any():
        # From nothing to something is an endless rise, from nothing to nothing none.
        with np.errstate(divide="ignore", invalid="ignore"):
            rise /= np.where(relative, before, 1.0)
    evolved = rise >= threshold
    if (least_change > -np.inf).any():
        evolved &= np.abs(change) >= least_change
    if (earlier > -np.inf).any():
        evolved &= before >= earlier
    return np.asarray(evolved, dtype=bool)


def compared(series: Series, lookback_years: float | Floats) -> Bools:
    """(m,) whether each measurement has an earlier one inside a look-back to compare with."""
    has_earlier = np.zeros(series.value.size, dtype=bool)
    window = lookback_years if isinstance(lookback_years, float) else lookback_years[1:]
    near = series.time_years[1:] - series.time_years[:-1] <= window
    has_earlier[1:] = near & (series.subject[1:] == series.subject[:-1])
    return has_earlier


def change(series: Series, lookback_years: float) -> Floats:
    """Change of each measurement since the oldest one inside the look-back, in canonical units.

    Returns
    -------
    (m,) array
        NaN where no earlier measurement lies inside the window.
    """
    oldest = np.full(series.value.size, -1)
    for now, before in _by_distance(series, lookback_years):
        oldest[now] = before
    return np.where(oldest >= 0, series.value - series.value[oldest], np.nan)


def slope_per_year(series: Series, lookback_years: float) -> Floats:
    """Least-squares slope through each measurement's look-back window, per year.

    Two measurements give their difference quotient. A window shorter than a month says more about
    noise than about growth and gives no slope.

    Returns
    -------
    (m,) array
        NaN where the window holds one measurement only, or spans less than a month.
    """
    size = series.value.size
    count, sum_t, sum_y, sum_tt, sum_ty = np.ones(size), *np.zeros((4, size))
    span = np.zeros(size)
    # Differences from the measurement itself keep the sums small and free of cancellation.
    for now, before in _by_distance(series, lookback_years):
        t = series.time_years[before] - series.time_years[now]
        y = series.value[before] - series.value[now]
        count[now] += 1
        sum_t[now] += t
        sum_y[now] += y
        sum_tt[now] += t * t
        sum_ty[now] += t * y
        span[now] = -t
    defined = span >= SHORTEST_SPAN_YEARS
    spread = np.where(defined, count * sum_tt - sum_t * sum_t, np.nan)
    return (count * sum_ty - sum_t * sum_y) / spread
