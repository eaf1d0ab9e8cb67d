"""Flags of evolving: whether the latest value of a quantity shows that it moves the wrong way.

A flag is raised by any of its rules, each against any earlier value in its look-back.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from features.history import Floats, Ints, Series
from features.trends import (
    DECIMAL_TOLERANCE,
    EVOLVING_RULES,
    MAYO_RULES,
    EvolvingRule,
    compared,
    evolving,
)

__all__ = ["FLAGS", "Flag", "judgement"]


@dataclass(frozen=True, slots=True)
class Flag:
    """When a quantity counts as evolving.

    Parameters
    ----------
    rules
        Of one quantity; any of them is enough.
    said
        For people, after the name of the quantity.
    tolerance
        As `features.trends.evolving` takes it.
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


def judgement(flags: Sequence[Flag]) -> tuple[list[str], Callable[[Series, Ints], Floats]]:
    """Quantity of every rule of some flags, and the rules as a function of their measurements.

    Returns
    -------
    quantities
        One for each rule, flag after flag.
    raised
        From the series of all of them, one after another, and the place among `quantities` of each
        measurement: 1 where its rule is met, 0 where not, NaN where that is not known.
    """
    judged = [(flag, rule) for flag in flags for rule in flag.rules]
    rules = [rule for _, rule in judged]
    tolerances = [flag.tolerance for flag, _ in judged]
    needs = np.array([flag.compared for flag, _ in judged])
    longest = np.array([max(rule.lookback_years for rule in flag.rules) for flag, _ in judged])

    def raised(series: Series, which: Ints) -> Floats:
        own = which if len(rules) > 1 else None
        found = evolving(series, *rules, which=own, tolerance=tolerances).astype(np.float64)
        if needs.any():
            found[needs[which] & ~compared(series, longest[which])] = np.nan
        return found

    return [rule.quantity for rule in rules], raised
