"""What has been read of FHIR so far: values, Patients, faults, and what was passed over."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from features.analytes import Analyte
from features.labs import CellFault, Severity
from features.sources.bundles import Json
from features.sources.panels import Panels
from features.sources.people import People

if TYPE_CHECKING:
    from fhir.resources.R4B.patient import Patient

__all__ = ["AMBIGUOUS", "Doubt", "Fault", "Gathered", "Measured", "not_r4"]

AMBIGUOUS = "may be any of several people with this id; only a full URL tells them apart"

OTHERS = "values of tests outside the catalogue"
MOST_CODES = 5
"""Codes of other tests that are told, so that a code that was to be read is seen."""

Fault = tuple[str, CellFault]


@dataclass(frozen=True, slots=True)
class Measured:
    """One value of one Observation.

    Parameters
    ----------
    moment
        Seconds since 1970-01-01 of the sample; NaN where only a day is known.
    band
        Whether it is the first band of an M-protein, by its code.
    half
        Half a unit in the last printed place of the value, in `unit`; 0 where it has no digits.
    """

    subject: str
    day: str
    analyte: str
    value: float
    unit: str
    row: int
    moment: float = np.nan
    band: bool = False
    half: float = 0.0


@dataclass(frozen=True, slots=True)
class Doubt:
    """What is to be known of a resource as a whole, and is of no subject alone.

    Parameters
    ----------
    row
        Of the resource.
    place
        Inside it; empty for all of it.
    said
        What is doubted.
    """

    row: int
    place: str
    said: str


@dataclass(slots=True)
class Gathered:
    """What has been read so far.

    Parameters
    ----------
    second_bands
        Subjects and days with a second band of M-protein.
    others
        Codes of values of tests outside the catalogue; empty where one cannot be told.
    """

    codes: Mapping[str, Analyte]
    people: People
    patients: dict[str, "Patient"] = field(default_factory=dict)
    patient_row: dict[str, int] = field(default_factory=dict)
    version: dict[str, Json] = field(default_factory=dict)
    panels: Panels = field(default_factory=Panels)
    second_bands: set[tuple[str, str]] = field(default_factory=set)
    measured: list[Measured] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)
    others: Counter[str] = field(default_factory=Counter)

    def fault(self, name: str, expected: str, *, doubted: bool = False) -> None:
        """Note a fault of the value gathered last."""
        severity: Severity = "doubted" if doubted else "refused"
        self.faults.append((name, CellFault(len(self.measured) - 1, expected, severity)))

    def pass_over_others(self, codes: Sequence[str]) -> None:
        """Count values of tests outside the catalogue by their codes."""
        self.passed_over[OTHERS] += len(codes)
        self.others.update(codes)

    def notes(self) -> list[str]:
        """What was passed over, a line each; of other tests with the most frequent codes."""
        return [
            f"{what} are not used: {n}{self._most_frequent() if what == OTHERS else ''}"
            for what, n in self.passed_over.items()
        ]

    def _most_frequent(self) -> str:
        codes = [(code, n) for code, n in self.others.most_common() if code]
        told = [f"{code}: {n}" for code, n in codes[:MOST_CODES]]
        more = ["others"] if len(codes) > MOST_CODES else []
        return f" ({', '.join(told + more)})" if told else ""

    def refuse(self, subject: str, row: int, name: str, expected: str) -> None:
        """Note why a subject cannot be read from a row."""
        self.measured.append(Measured(subject, "", "", np.nan, "", row))
        self.fault(name, expected)


def not_r4(error: ValueError) -> str:
    """Where a resource departs from R4, without what it holds."""
    from pydantic import ValidationError

    places: dict[str, str] = {}
    if isinstance(error, ValidationError):
        places = {".".join(map(str, e["loc"])): e["type"] for e in error.errors()}
    unknown = [place for place, kind in places.items() if kind == "extra_forbidden"]
    if unknown:
        where = f"{unknown[0][:60]} (no element of R4; is this R5?)"
    else:
        # A rule of the resource as a whole has no place.
        where = next(iter(places), "")[:80] or "resource"
    return f"{where} is not as FHIR R4 defines it"
