"""What a fault did to the service."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.reliability.served import Served

__all__ = ["Fault", "Finding", "percentile"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the page.

    Parameters
    ----------
    fault
        What was done.
    seen
        What happened, in figures.
    limit
        What was allowed to happen.
    holds
        Whether it stayed within.
    """

    fault: str
    seen: str
    limit: str
    holds: bool


Fault = Callable[[Served, bool], Finding]
"""A fault, made to a running service, in short or at length; it leaves version 1 answering."""


def percentile(values: list[float], share: float) -> float:
    """Value that a share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
