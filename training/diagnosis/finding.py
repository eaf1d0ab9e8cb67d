"""What one check of the diagnosis found, and the diagnosis as a whole."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from features.errors import DesignError

__all__ = ["HEADER", "Diagnosis", "Finding", "Status"]

Status = Literal["pass", "warn", "refuse"]

HEADER = ("check", "verdict", "found", "what to do")
"""Of the table of findings."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found.

    Parameters
    ----------
    check
        Its name.
    status
        ``pass``, ``warn`` (train, and think of it) or ``refuse``.
    found
        What was found, in words; counts and medians of groups, never a subject's value.
    advice
        What to do; empty when it passes.
    figures
        The numbers behind it.
    final
        A refusal that nothing can override, since nothing could be computed.
    """

    check: str
    status: Status
    found: str
    advice: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)
    final: bool = False


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Whether a design is sound on a cohort, check by check.

    Parameters
    ----------
    study, study_hash, cohort
        What was diagnosed.
    findings
        One per check.
    overrides
        Refused check to the reason why it is trained regardless.
    """

    study: str
    study_hash: str
    cohort: str
    findings: tuple[Finding, ...]
    overrides: Mapping[str, str] = field(default_factory=dict)

    @property
    def refusals(self) -> tuple[Finding, ...]:
        """Refused checks that no reason overrides."""
        return tuple(
            f
            for f in self.findings
            if f.status == "refuse" and (f.final or f.check not in self.overrides)
        )

    @property
    def status(self) -> Status:
        """The worst that stands after the overrides."""
        if self.refusals:
            return "refuse"
        return "pass" if all(f.status == "pass" for f in self.findings) else "warn"

    def finding(self, check: str) -> Finding:
        """What one check found."""
        return next(f for f in self.findings if f.check == check)

    def verdict(self, finding: Finding) -> str:
        """One finding's status, in words."""
        if finding.status == "refuse" and finding not in self.refusals:
            return f"overridden: {self.overrides[finding.check]}"
        return finding.status

    def table(self) -> list[tuple[str, str, str, str]]:
        """Rows under `HEADER`."""
        return [(f.check, self.verdict(f), f.found, f.advice) for f in self.findings]

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "study": self.study,
            "study_hash": self.study_hash,
            "cohort": self.cohort,
            "status": self.status,
            "overrides": dict(self.overrides),
            "findings": [
                {
                    "check": f.check,
                    "status": f.status,
                    "found": f.found,
                    "advice": f.advice,
                    "figures": {name: _plain(value) for name, value in f.figures.items()},
                }
                for f in self.findings
            ],
        }

    def summary(self) -> dict[str, Any]:
        """What goes with the model into every answer: warned checks, and overrides with reasons."""
        return {
            "status": self.status,
            "warned": [f.check for f in self.findings if f.status == "warn"],
            "overridden": dict(self.overrides),
        }

    def stop_if_refused(self) -> None:
        """Raise the first refusal that stands.

        Raises
        ------
        DesignError
            One line: what was found, what to do, and how to go on regardless.
        """
        if not self.refusals:
            return
        first, more = self.refusals[0], len(self.refusals) - 1
        others = f"; {more} more refused" if more else ""
        way = (
            "nothing can be trained without it"
            if first.final
            else f"or --override {first.check} --because REASON"
        )
        raise DesignError(
            f"study {self.study} on {self.cohort}: {first.check}: {first.found}{others}; "
            f"{first.advice}; {way}"
        )


def _plain(value: float) -> float | None:
    """JSON has no NaN and no infinity."""
    number = float(value)
    return round(number, 6) if abs(number) < float("inf") else None
