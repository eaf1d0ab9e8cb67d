"""One limit and what the candidate shows; all of them together are the verdict."""

from dataclasses import dataclass, replace
from math import isfinite
from typing import Self

__all__ = ["Check", "Verdict"]


@dataclass(frozen=True, slots=True)
class Check:
    """One limit and what the candidate shows.

    Parameters
    ----------
    name
        What is limited.
    value
        What was found, by cross-validation at the decision horizon; None when it was not measured.
    limit
        What was asked, in words.
    passed
        What was not measured fails nothing.
    reason
        Why there is no value.
    """

    name: str
    value: float | None
    limit: str
    passed: bool
    reason: str | None = None

    def __str__(self) -> str:
        if self.value is None:
            return f"{self.name} not measured: {self.reason}"
        return f"{self.name} {self.value:.4g}, must be {self.limit}"

    @classmethod
    def within(cls, name: str, value: float | None, least: float, most: float) -> Self:
        """A value between two limits; one that could not be estimated is not."""
        limit = f"within {least:g}-{most:g}"
        return cls(name, number(value), limit, value is not None and least <= value <= most)

    @classmethod
    def at_most(cls, name: str, value: float, most: float) -> Self:
        """A value up to a limit."""
        return cls(name, number(value), f"at most {most:g}", value <= most)

    @classmethod
    def unmeasured(cls, name: str, limit: str, reason: str) -> Self:
        """What the cohort or the training gives no number for."""
        return cls(name, None, limit, passed=True, reason=reason)


def number(value: float | None) -> float:
    """A finite number for what is told and logged; the largest one where nothing was estimable."""
    return float(value) if value is not None and isfinite(value) else NOT_ESTIMABLE


NOT_ESTIMABLE = 1e9
"""Stands for what could not be estimated: JSON and MLflow take no infinity."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a candidate may become champion, and every check behind it.

    Parameters
    ----------
    candidate
        That was held to the gate.
    checks
        In the order in which they are told.
    against
        Published model that it was compared with.
    """

    candidate: str
    checks: tuple[Check, ...]
    against: str = "rule"

    @property
    def passed(self) -> bool:
        """Whether every limit is kept."""
        return all(check.passed for check in self.checks)

    @property
    def failures(self) -> list[str]:
        """The limits that are not kept."""
        return [str(check) for check in self.checks if not check.passed]

    def also(self, *checks: Check) -> "Verdict":
        """The verdict with further checks."""
        return replace(self, checks=(*self.checks, *checks))
