"""What the Patients and Observations of FHIR R4 say of tests of the catalogue."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TYPE_CHECKING

import numpy as np

from features.analytes import Analyte
from features.labs import DAYS_PER_YEAR, CellFault, Severity
from features.sources.bundles import Json
from features.sources.people import People, target_of
from features.sources.quantities import analyte_of, other_tests, unit_of, value_of

if TYPE_CHECKING:
    from fhir.resources.R4B.observation import Observation, ObservationComponent
    from fhir.resources.R4B.patient import Patient

__all__ = ["Gathered", "Measured", "age_on", "birth_of", "gather"]

USED_STATUS = frozenset({"final", "amended", "corrected", "preliminary"})
UNUSED_STATUS = frozenset({"registered", "cancelled", "entered-in-error", "unknown"})
"""The status codes of R4; a result that is withdrawn or not there yet is not used."""

OTHER_PATIENT = "differs from an earlier Patient of its id; keep one, or tell two apart by fullUrl"
OTHER_VERSION = "is another version of an earlier entry; keep the last"
MODIFIED = "has a modifierExtension, which may change what it means"
AMBIGUOUS = "may be any of several people with this id; only a full URL tells them apart"

Fault = tuple[str, CellFault]
ISO_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


@dataclass(frozen=True, slots=True)
class Measured:
    """One value of one Observation.

    Parameters
    ----------
    moment
        Seconds since 1970-01-01 of the sample; NaN where only a day is known.
    """

    subject: str
    day: str
    analyte: str
    value: float
    unit: str
    row: int
    moment: float = np.nan


@dataclass(slots=True)
class Gathered:
    """What has been read so far."""

    codes: Mapping[str, Analyte]
    people: People
    patients: dict[str, "Patient"] = field(default_factory=dict)
    patient_row: dict[str, int] = field(default_factory=dict)
    version: dict[str, Json] = field(default_factory=dict)
    day_of_member: dict[str, str] = field(default_factory=dict)
    measured: list[Measured] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)

    def fault(self, name: str, expected: str, *, doubted: bool = False) -> None:
        """Note a fault of the value gathered last."""
        severity: Severity = "doubted" if doubted else "refused"
        self.faults.append((name, CellFault(len(self.measured) - 1, expected, severity)))

    def refuse(self, subject: str, row: int, name: str, expected: str) -> None:
        """Note why a subject cannot be read from a row."""
        self.measured.append(Measured(subject, "", "", np.nan, "", row))
        self.fault(name, expected)


def _model_errors(error: ValueError) -> str:
    """Where a resource departs from R4, without what it holds."""
    from pydantic import ValidationError

    if not isinstance(error, ValidationError):
        return "resource"
    places = {
        ".".join(str(part) for part in found["loc"]): found["type"] for found in error.errors()
    }
    unknown = [place for place, kind in places.items() if kind == "extra_forbidden"]
    if unknown:
        return f"{unknown[0][:60]} (no element of R4; is this R5?)"
    # A rule of the resource as a whole has no place.
    return next(iter(places), "")[:80] or "resource"


def gather(
    resources: Iterable[tuple[int, str, Json]], codes: Mapping[str, Analyte] | None = None
) -> Gathered:
    """What resources say: Patients, panels and reports first, then the results of them.

    Parameters
    ----------
    resources
        ``(row, full URL or "", resource as parsed JSON)``.
    codes
        A site's own code to analyte.
    """
    listed = list(resources)
    found = Gathered(codes or {}, People(listed))
    given: dict[str, Json] = {}
    for row, url, resource in listed:
        kind = resource.get("resourceType")
        if kind == "Patient":
            subject = found.people.patient(url, resource)
            if given.setdefault(subject, resource) == resource:
                _gather_patient(found, row, subject, resource)
            else:
                found.refuse(subject, row, "Patient", OTHER_PATIENT)
        elif kind in ("Observation", "DiagnosticReport"):
            _gather_panel(found, url, resource)
    for row, url, resource in listed:
        kind = resource.get("resourceType")
        if kind == "Observation":
            _gather_observation(found, row, url, resource)
        elif kind != "Patient":
            found.passed_over["resources that are neither Patient nor Observation"] += 1
    _leave_out_followed(found)
    return found


def _leave_out_followed(found: Gathered) -> None:
    """Leave out what a later sample of the same day measured again: a visit is one day."""
    of_day: dict[tuple[str, str, str], list[int]] = {}
    for i, measured in enumerate(found.measured):
        if not np.isnan(measured.value) and not np.isnan(measured.moment):
            of_day.setdefault((measured.subject, measured.day, measured.analyte), []).append(i)
    for same in of_day.values():
        last = max(found.measured[i].moment for i in same)
        for i in same:
            measured = found.measured[i]
            if measured.moment < last:
                found.measured[i] = replace(measured, value=np.nan)
                expected = "was measured again later that day; the earlier value was left out"
                found.faults.append((measured.analyte, CellFault(i, expected, "doubted")))


def _gather_patient(found: Gathered, row: int, subject: str, resource: Json) -> None:
    """Keep a Patient, or its fault."""
    from fhir.resources.R4B.patient import Patient

    if found.people.is_ambiguous(subject):
        found.refuse(subject, row, "Patient", AMBIGUOUS)
        return
    try:
        patient = Patient.model_validate(resource)
    except ValueError as error:
        expected = f"{_model_errors(error)} is not as FHIR R4 defines it"
        found.refuse(subject, row, "Patient", expected)
        return
    if patient.modifierExtension:
        found.refuse(subject, row, "Patient", MODIFIED)
        return
    found.patients[subject] = patient
    found.patient_row[subject] = row


def _gather_panel(found: Gathered, url: str, resource: Json) -> None:
    """Keep the day of a panel or report for those of its results that carry none."""
    day = resource.get("effectiveDateTime")
    if not isinstance(day, str) or not _is_day(day[:10]):
        return
    for part in ("hasMember", "result"):
        members = resource.get(part, [])
        for member in members if isinstance(members, list) else []:
            if isinstance(member, dict):
                target = target_of(str(member.get("reference")), url)
                found.day_of_member[target] = day[:10]


def _is_day(text: str) -> bool:
    try:
        return ISO_DAY.fullmatch(text) is not None and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _gather_observation(found: Gathered, row: int, url: str, resource: Json) -> None:
    """Keep the values of an Observation and of its components, or what is wrong with them."""
    from fhir.resources.R4B.observation import Observation

    parts = other_tests(resource, found.codes)
    if parts:
        found.passed_over["values of tests outside the catalogue"] += parts
        return
    subject = found.people.of_result(url, resource)
    if subject is None:
        found.passed_over["Observations of no Patient (a Group, Device or Location)"] += 1
        return
    if found.people.is_ambiguous(subject):
        found.refuse(subject, row, "Observation.subject", AMBIGUOUS)
        return
    if url and found.version.setdefault(target_of(url, ""), resource) != resource:
        found.refuse(subject, row, "Observation", OTHER_VERSION)
        return
    try:
        observation = Observation.model_validate(resource)
    except ValueError as error:
        expected = f"{_model_errors(error)} is not as FHIR R4 defines it"
        found.refuse(subject, row, "Observation", expected)
        return
    status = str(observation.status)
    unused = f"status {status}" if status in UNUSED_STATUS else _changed_by(observation)
    if unused:
        found.passed_over[f"Observations with {unused}"] += 1
        return
    names = (target_of(url, ""), f"Observation/{observation.id}")
    of_panel = (found.day_of_member.get(name) for name in names)
    day = _day(observation) or next((day for day in of_panel if day), "")
    blank = Measured(subject, day, "", np.nan, "", row, _moment(observation))
    _gather_part(found, observation, blank, status)
    for component in observation.component or []:
        _gather_part(found, component, blank, status)


def _changed_by(observation: "Observation") -> str:
    """What makes an Observation other than its code, value and subject say, else empty."""
    components = observation.component or []
    if observation.modifierExtension or any(part.modifierExtension for part in components):
        return "a modifierExtension"
    return "a focus that is not the Patient" if observation.focus else ""


def _gather_part(
    found: Gathered,
    part: "Observation | ObservationComponent",
    blank: Measured,
    status: str,
) -> None:
    # R4 wants one; fhir.resources lets null pass for it.
    if getattr(part, "code", None) is None:
        found.measured.append(blank)
        found.fault("Observation.code", "is missing; FHIR R4 asks for one")
        return
    analyte, wrong = analyte_of(part.code, found.codes)
    quantity = part.valueQuantity
    if analyte is None and not wrong:
        found.passed_over["values of tests outside the catalogue"] += 1
        return
    if analyte is not None and quantity is None and part.dataAbsentReason is not None:
        found.passed_over["values reported as absent"] += 1
        return
    name = analyte.name if analyte is not None else ""
    value = value_of(part, analyte) if analyte is not None else np.nan
    found.measured.append(replace(blank, analyte=name, value=value, unit=unit_of(quantity)))
    if analyte is None:
        found.fault("Observation.code", wrong, doubted=True)
        return
    if quantity is not None and quantity.comparator is not None:
        expected = "is a bound, not a value; it was left out"
        found.fault(f"{name}.comparator", expected, doubted=True)
    elif np.isnan(value) and getattr(part, "component", None) is None:
        expected = "has no number (valueQuantity.value); it was left out"
        found.fault(f"{name}.value", expected, doubted=True)
    if status not in USED_STATUS:
        found.fault("Observation.status", "is no status that FHIR R4 defines")
    elif status == "preliminary":
        found.fault(name, "is preliminary; confirm it", doubted=True)


def _effective(observation: "Observation") -> object:
    period = observation.effectivePeriod
    return (
        observation.effectiveDateTime
        or observation.effectiveInstant
        or (period.start if period is not None else None)
    )


def _day(observation: "Observation") -> str:
    given = _effective(observation)
    return "" if given is None else str(given)[:10]


def _moment(observation: "Observation") -> float:
    given = _effective(observation)
    if isinstance(given, datetime) and given.tzinfo is not None:
        return given.timestamp()
    return np.nan


def birth_of(patient: "Patient") -> date | None:
    """Day of birth; the middle of the year or month where only those are given."""
    if patient.birthDate is None:
        return None
    # A partial date stays text, a whole one is a date: both print as ISO.
    text = str(patient.birthDate)
    return date.fromisoformat(text[:10] + {4: "-07-01", 7: "-15"}.get(len(text), ""))


def age_on(day: str, birth: date | None) -> float | None:
    """Age in years on an ISO day; None where either day is not known."""
    if birth is None or len(day) < len("2024-01-05"):
        return None
    return (date.fromisoformat(day[:10]) - birth).days / DAYS_PER_YEAR
