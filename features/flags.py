"""Flags of evolving: whether the latest value of a quantity shows that it moves the wrong way.

A flag is raised by any of its rules, each against any earlier value in its look-back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import numpy as np

from features.history import Ints
from features.trends import (
    DECIMAL_TOLERANCE,
    EVOLVING_RULES,
    MAYO_RULES,
    EvolvingRule,
    Limits,
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
    first : array
        Place of the first rule of each flag.
    """

    quantities: tuple[str, ...]
    limits: Limits
    first: Ints


@lru_cache(maxsize=64)
def judgement(flags: tuple[Flag, ...]) -> Judgement:
    """The rules of some flags, as a function of measurements.

    Examples
    --------
    >>> judgement((FLAGS["m_protein_evolving_mayo"], FLAGS["hemoglobin_evolving"])).quantities
    ('m_protein', 'm_protein', 'hemoglobin')
    """
    judged = [(flag, rule) for flag in flags for rule in flag.rules]
    longest = [max(rule.lookback_years for rule in flag.rules) for flag, _ in judged]
    return Judgement(
        quantities=tuple(rule.quantity for _, rule in judged),
        limits=limits_of(
            [rule for _, rule in judged],
            [flag.tolerance for flag, _ in judged],
            [
                years if flag.compared else 0.0
                for (flag, _), years in zip(judged, longest, strict=True)
            ],
        ),
        first=np.cumsum([0, *(len(flag.rules) for flag in flags[:-1])]),
    )
