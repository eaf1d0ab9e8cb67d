"""How a quantity moved inside a look-back window: change, slope and the evolving flags.

Every measurement is compared with the earlier ones of the same subject that lie inside the window.
Which visits those are is found once, for all subjects and quantities. A subject's numbers depend on
that subject's rows alone, to the last bit, whatever else is in the batch; cost is linear in the
pairs inside the windows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "DECIMAL_TOLERANCE",
    "EVOLVING_RULES",
    "MAYO_RULES",
    "EvolvingRule",
    "Limits",
    "Pairs",
    "change",
    "evolving",
    "limits_of",
    "slope_per_year",
    "visit_pairs",
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
"""Pairs up to which all are held at once; of more, those of one distance fill the cache alone."""


class Step(NamedTuple):
    """Some pairs of visits of one subject: the places of both, and the years between."""

    now: Ints
    before: Ints
    years: Floats
    fewest_years: float


@dataclass(frozen=True, slots=True)
class Pairs:
    """Visits and the earlier ones of the same subject inside a window.

    Parameters
    ----------
    window_years
        How far back, end included.
    steps
        The pairs; those of one visit stand from the nearest earlier one to the farthest.
    """

    window_years: float
    steps: tuple[Step, ...]

    def within(self, years: float) -> Iterator[Step]:
        """Steps that hold pairs inside a window, among others."""
        return (step for step in self.steps if step.fewest_years <= years)


def visit_pairs(subject: Ints, time_years: Floats, window_years: float) -> Pairs:
    """Pairs of visits inside a window.

    Parameters
    ----------
    subject, time_years : (n,) arrays
        Of visits, sorted by subject and time.
    window_years
        How far back the earlier visit may lie.

    Examples
    --------
    >>> pairs = visit_pairs(np.array([0, 0, 0, 1]), np.array([0.0, 1.0, 2.5, 2.6]), 2.0)
    >>> [(step.now.tolist(), step.before.tolist()) for step in pairs.steps]
    [([1, 2], [0, 1])]
    """
    found = list(_by_distance(subject, time_years, window_years))
    if len(found) > 1 and sum(now.size for now, _, _ in found) < SMALL:
        now, before, years = zip(*found, strict=True)
        found = [(np.concatenate(now), np.concatenate(before), np.concatenate(years))]
    return Pairs(window_years, tuple(Step(*step, float(step[2].min())) for step in found))


def _by_distance(
    subject: Ints, time_years: Floats, window_years: float
) -> Iterator[tuple[Ints, Ints, Floats]]:
    """Visits, their k-th predecessors inside the window and the years between, k = 1, 2, ..."""
    now, lag = np.arange(1, subject.size), 1
    while now.size:
        before = now - lag
        years = time_years[now] - time_years[before]
        inside = (years <= window_years) & (subject[now] == subject[before])
        now = now[inside]
        if now.size:
            yield now, before[inside], years[inside]
        lag += 1
        now = now[now >= lag]


class Limits(NamedTuple):
    """Numbers by which r rules judge a change, each (r, 1); None where no rule has such a one.

    `compared` is the look-back in which there must be an earlier value to compare with, 0 for none;
    `longest_years` is the longest look-back of all.
    """

    longest_years: float
    direction: Floats
    threshold: Floats
    lookback: Floats
    relative: Bools | None
    least_change: Floats | None
    earlier: Floats | None
    compared: Floats | None


def limits_of(
    rules: Sequence[EvolvingRule],
    tolerances: Sequence[float],
    compared_years: Sequence[float] = (),
) -> Limits:
    """Numbers by which rules judge a change.

    Parameters
    ----------
    rules
        What counts as evolving.
    tolerances
        How far a change may miss the threshold of each through binary arithmetic and still count;
        0 compares plain floating-point differences as the authors' code does.
    compared_years
        Look-back of each in which a measurement without an earlier one leaves the answer unknown;
        0, or nothing at all, where there is no such need.
    """
    needed = np.array(compared_years)
    missed = np.array(tolerances)
    least = np.array([rule.least_change for rule in rules])
    relative = np.array([rule.kind == "relative rise" for rule in rules])
    earlier = np.array([rule.earlier_at_least for rule in rules])
    lookback = np.array([rule.lookback_years for rule in rules])
    return Limits(
        longest_years=float(max(lookback.max(), needed.max(initial=0.0))),
        direction=np.array([-1.0 if rule.kind == "fall" else 1.0 for rule in rules])[:, None],
        threshold=(np.array([rule.threshold for rule in rules]) - missed)[:, None],
        lookback=lookback[:, None],
        relative=relative[:, None] if relative.any() else None,
        least_change=(
            np.where(least > 0.0, least - missed, -np.inf)[:, None] if least.any() else None
        ),
        earlier=earlier[:, None] if (earlier > -np.inf).any() else None,
        compared=needed[:, None] if needed.any() else None,
    )


def evolving(value: Floats, pairs: Pairs, limits: Limits) -> Floats:
    """Whether each measurement evolved against any earlier one inside the rule's look-back.

    Parameters
    ----------
    value : (r, n) array
        Of the quantity of each rule at every visit; NaN where not measured.
    pairs
        Of the n visits, at least as far back as the longest look-back.
    limits
        Of the rules.

    Returns
    -------
    (r, n) array
        1 where it did, else 0, as for a first measurement; NaN where that is not known.
    """
    flag = np.zeros(value.shape)
    if limits.compared is not None:
        flag[limits.compared[:, 0] > 0.0] = np.nan
    for now, before, years, _ in pairs.within(limits.longest_years):
        # What was not measured is not a number, and no comparison with it holds.
        earlier = value.take(before, axis=1)
        change = value.take(now, axis=1) - earlier
        if limits.compared is not None:
            rule, pair = ((change == change) & (years <= limits.compared)).nonzero()
            place = now[pair]
            # What was met at a nearer visit stays met.
            flag[rule, place] = np.fmax(flag[rule, place], 0.0)
        rule, pair = (_met(change, earlier, limits) & (years <= limits.lookback)).nonzero()
        flag[rule, now[pair]] = 1.0
    return flag


def _met(change: Floats, earlier: Floats, limits: Limits) -> Bools:
    rise = limits.direction * change
    if limits.relative is not None:
        # From nothing to something is an endless rise, from nothing to nothing none.
        with np.errstate(divide="ignore", invalid="ignore"):
            rise /= np.where(limits.relative, earlier, 1.0)
    met = rise >= limits.threshold
    if limits.least_change is not None:
        met &= np.abs(change) >= limits.least_change
    if limits.earlier is not None:
        met &= earlier >= limits.earlier
    return np.asarray(met, dtype=bool)


def _measured(
    value: Floats, step: Step, lookback_years: float | Floats
) -> tuple[Ints, Ints, Floats]:
    """Of pairs that were both measured: place of the later value, pair, and change since."""
    now, before, years, _ = step
    change = value.take(now, axis=1) - value.take(before, axis=1)
    # What was not measured is not a number, and that differs from itself.
    known = ((change == change) & (years <= lookback_years)).ravel().nonzero()[0]
    change = change.ravel()[known]
    if len(value) == 1:
        return now[known], known, change
    row, pair = np.divmod(known, now.size)
    return row * value.shape[1] + now[pair], pair, change


def change(value: Floats, pairs: Pairs, lookback_years: float) -> Floats:
    """Change of each measurement since the oldest one inside the look-back, in canonical units.

    Parameters
    ----------
    value : (q, n) array
        Of quantities at every visit; NaN where not measured.
    pairs
        As for `evolving`.

    Returns
    -------
    (q, n) array
        NaN where no earlier measurement lies inside the window.
    """
    found = np.full(value.size, np.nan)
    for step in pairs.within(lookback_years):
        place, _, difference = _measured(value, step, lookback_years)
        # Of several pairs of one visit the last one stays: the farthest.
        found[place] = difference
    return found.reshape(value.shape)


def slope_per_year(value: Floats, pairs: Pairs, lookback_years: float) -> Floats:
    """Least-squares slope through each measurement's look-back window, per year.

    Two measurements give their difference quotient. A window shorter than a month says more about
    noise than about growth and gives no slope.

    Parameters
    ----------
    value, pairs
        As for `change`.

    Returns
    -------
    (q, n) array
        NaN where the window holds one measurement only, or spans less than a month.
    """
    size = value.size
    count, span = np.ones(size), np.zeros(size)
    sum_t, sum_y, sum_tt, sum_ty = np.zeros((4, size))
    # Differences from the measurement itself keep the sums small and free of cancellation.
    for step in pairs.within(lookback_years):
        place, pair, difference = _measured(value, step, lookback_years)
        t, y = -step.years[pair], -difference
        # Pair after pair, so that a visit is summed in the same order alone and among others.
        np.add.at(count, place, 1.0)
        np.add.at(sum_t, place, t)
        np.add.at(sum_y, place, y)
        np.add.at(sum_tt, place, t * t)
        np.add.at(sum_ty, place, t * y)
        span[place] = -t
    defined = span >= SHORTEST_SPAN_YEARS
    spread = np.where(defined, count * sum_tt - sum_t * sum_t, np.nan)
    return ((count * sum_ty - sum_t * sum_y) / spread).reshape(value.shape)
