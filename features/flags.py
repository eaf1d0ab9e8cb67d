"""Flags of evolving: whether the latest value of a quantity shows that it moves the wrong way.

A flag is raised by any of its rules, each against any earlier value in its look-back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import numpy as np

from features.history import Floats, Ints
from features.trends import (
    DECIMAL_TOLERANCE,
    EVOLVING_RULES,
    MAYO_RULES,
    EvolvingRule,
    Limits,
    Pairs,
    compared,
    evolving,
    limits_of,
)

__all__ = ["FLAGS", "Flag", "Judgement", "judgement"]


@dataclass(frozen=True, slots=True, eq=False)
class Flag:
    """When a quantity counts as evolving.

    Parameters
    ----------
    rules
        Of one quantity; any of them is enough.
    said
        For people, after the name of the quantity.
    tolerance
        As `features.trends.limits_of` takes it.
    compared
        Whether a measurement with nothing in the longest look-back to compare it with leaves the
        flag unknown, not down.
    """

    rules: tuple[EvolvingRule, ...]
    said: str = "evolving"
    tolerance: float = DECIMAL_TOLERANCE
    compared: bool = False

    @property
    def quantity(self) -> str:
        """Name of the quantity in the history."""
        return self.rules[0].quantity


def _catalogue() -> dict[str, Flag]:
    flags = {}
    for name, rule in EVOLVING_RULES.items():
        flags[f"{name}_evolving"] = Flag((rule,))
        # The authors compare plain binary differences; their coefficient belongs to that flag.
        flags[f"{name}_evolving_as_published"] = Flag(
            (rule,), "evolving, as PANGEA-SMM computes it", tolerance=0.0
        )
    for name, rules in MAYO_RULES.items():
        flags[f"{name}_evolving_mayo"] = Flag(rules, "evolving, by Mayo's rules", compared=True)
    return flags


FLAGS: Mapping[str, Flag] = MappingProxyType(_catalogue())
"""Flags by the name of their feature."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The rules of some flags, one after another.

    Parameters
    ----------
    quantities
        One for each of r rules.
    limits
        From `features.trends.limits_of`.
    longest_years
        Longest look-back of all.
    needs : array
        Rules whose flag is unknown without a measurement to compare with.
    needed_years : (needs, 1) array
        Longest look-back of the flag of each of these.
    first : array
        Place of the first rule of each flag.
    """

    quantities: tuple[str, ...]
    limits: Limits
    longest_years: float
    needs: Ints
    needed_years: Floats
    first: Ints

    def raised(self, value: Floats, pairs: Pairs) -> Floats:
        """What each measurement says of each rule.

        Parameters
        ----------
        value : (r, n) array
            Of the quantities at every visit; NaN where not measured.
        pairs
            Of the visits, as far back as `longest_years`.

        Returns
        -------
        (r, n) array
            1 where the rule is met, 0 where not, NaN where that is not known.
        """
        found = evolving(value, pairs, self.limits).astype(np.float64)
        if self.needs.size:
            known = compared(value[self.needs], pairs, self.needed_years)
            found[self.needs] = np.where(known, found[self.needs], np.nan)
        return found


@lru_cache(maxsize=64)
def judgement(flags: tuple[Flag, ...]) -> Judgement:
    """The rules of some flags, as a function of measurements.

    Examples
    --------
    >>> judgement((FLAGS["m_protein_evolving_mayo"], FLAGS["hemoglobin_evolving"])).quantities
    ('m_protein', 'm_protein', 'hemoglobin')
    """
    judged = [(flag, rule) for flag in flags for rule in flag.rules]
    longest = np.array([max(rule.lookback_years for rule in f.rules) for f, _ in judged])
    needs = np.array([flag.compared for flag, _ in judged]).nonzero()[0]
    return Judgement(
        quantities=tuple(rule.quantity for _, rule in judged),
        limits=limits_of([rule for _, rule in judged], [flag.tolerance for flag, _ in judged]),
        longest_years=float(longest.max()),
        needs=needs,
        needed_years=longest[needs, None],
        first=np.cumsum([0, *(len(flag.rules) for flag in flags[:-1])]),
    )
