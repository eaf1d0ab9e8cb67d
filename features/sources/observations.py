"""What the Patients and Observations of FHIR R4 say of tests of the catalogue."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from features.analytes import Analyte, analyte_for_loinc
from features.labs import Severity
from features.sources.bundles import Json
from features.sources.cells import CellFault
from features.sources.long import LEFT_OUT, is_loinc

if TYPE_CHECKING:
    from fhir.resources.R4B.codeableconcept import CodeableConcept
    from fhir.resources.R4B.observation import Observation, ObservationComponent
    from fhir.resources.R4B.patient import Patient

__all__ = ["Gathered", "Measured", "gather_observation", "gather_patient"]

LOINC_SYSTEM = "http://loinc.org"
USED_STATUS = frozenset({"final", "amended", "corrected", "preliminary"})
UNUSED_STATUS = frozenset({"registered", "cancelled", "entered-in-error", "unknown"})
"""The status codes of R4; a result that is withdrawn or not there yet is not used."""

Fault = tuple[str, CellFault]


@dataclass(frozen=True, slots=True)
class Measured:
    """One value of one Observation."""

    subject: str
    day: str
    analyte: str
    value: float
    unit: str
    row: int


@dataclass(slots=True)
class Gathered:
    """What has been read so far."""

    codes: Mapping[str, Analyte]
    patients: dict[str, "Patient"] = field(default_factory=dict)
    patient_row: dict[str, int] = field(default_factory=dict)
    subject_of_url: dict[str, str] = field(default_factory=dict)
    measured: list[Measured] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)

    def fault(self, name: str, expected: str, *, doubted: bool = False) -> None:
        """Note a fault of the value gathered last."""
        severity: Severity = "doubted" if doubted else "refused"
        self.faults.append((name, CellFault(len(self.measured) - 1, expected, severity)))


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
    return next(iter(places), "resource")[:80]


def gather_patient(found: Gathered, row: int, url: str, resource: Json) -> None:
    """Keep a Patient, or its fault."""
    from fhir.resources.R4B.patient import Patient

    try:
        patient = Patient.model_validate(resource)
    except ValueError as error:
        found.measured.append(Measured(str(resource.get("id", "")), "", "", np.nan, "", row))
        found.fault("Patient", f"{_model_errors(error)} is not as FHIR R4 defines it")
        return
    subject = str(patient.id or _last_part(url))
    found.patients[subject] = patient
    found.patient_row[subject] = row
    if url:
        found.subject_of_url[url] = subject


def gather_observation(found: Gathered, row: int, resource: Json) -> None:
    """Keep the values of an Observation and of its components, or what is wrong with them."""
    from fhir.resources.R4B.observation import Observation

    subject = _subject(found, resource)
    parts = _other_tests(resource, found.codes)
    if parts:
        found.passed_over["values of tests outside the catalogue"] += parts
        return
    try:
        observation = Observation.model_validate(resource)
    except ValueError as error:
        found.measured.append(Measured(subject, "", "", np.nan, "", row))
        found.fault("Observation", f"{_model_errors(error)} is not as FHIR R4 defines it")
        return
    status = str(observation.status)
    if status in UNUSED_STATUS:
        found.passed_over[f"Observations with status {status}"] += 1
        return
    day = _day(observation)
    _gather_part(found, observation, row, subject, day, status)
    for component in observation.component or []:
        _gather_part(found, component, row, subject, day, status)


def _other_tests(resource: Json, local: Mapping[str, Analyte]) -> int:
    """Number of values of an Observation that plainly holds no test of the catalogue, else 0.

    Most results of a hospital are other tests: they need no validation, which is slow, and a fault
    in one of them refuses nobody.
    """
    components = resource.get("component", [])
    parts = [resource, *components] if isinstance(components, list) else [None]
    for part in parts:
        code = part.get("code") if isinstance(part, dict) else None
        codings = code.get("coding", []) if isinstance(code, dict) else None
        if not isinstance(codings, list):
            return 0
        for coding in codings:
            if not isinstance(coding, dict) or _is_of_interest(coding, local):
                return 0
    return len(parts)


def _is_of_interest(coding: Json, local: Mapping[str, Analyte]) -> bool:
    text = str(coding.get("code", ""))
    if text in local:
        return True
    if coding.get("system") != LOINC_SYSTEM:
        return False
    return analyte_for_loinc(text) is not None or not is_loinc(text)


def _gather_part(
    found: Gathered,
    part: "Observation | ObservationComponent",
    row: int,
    subject: str,
    day: str,
    status: str,
) -> None:
    analyte, wrong = _analyte(part.code, found.codes)
    quantity = part.valueQuantity
    if analyte is None and not wrong:
        found.passed_over["values of tests outside the catalogue"] += 1
        return
    if analyte is not None and quantity is None and part.dataAbsentReason is not None:
        found.passed_over["values reported as absent"] += 1
        return
    exact = analyte is not None and quantity is not None and quantity.comparator is None
    value = _value(part) if exact or part.valueBoolean is not None else np.nan
    unit = "" if quantity is None else str(quantity.code or quantity.unit or "")
    name = analyte.name if analyte is not None else ""
    found.measured.append(Measured(subject, day, name, value, unit, row))
    if analyte is None:
        found.fault("Observation.code", LEFT_OUT, doubted=True)
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


def _value(part: "Observation | ObservationComponent") -> float:
    if part.valueBoolean is not None:
        return float(part.valueBoolean)
    if part.valueQuantity is None or part.valueQuantity.value is None:
        return np.nan
    return float(part.valueQuantity.value)


def _analyte(code: "CodeableConcept", local: Mapping[str, Analyte]) -> tuple[Analyte | None, bool]:
    """Analyte that a code names, and whether it claims to be LOINC's and cannot be."""
    wrong = False
    for coding in code.coding or []:
        text = str(coding.code or "")
        if text in local:
            return local[text], False
        if coding.system == LOINC_SYSTEM:
            analyte = analyte_for_loinc(text)
            if analyte is not None:
                return analyte, False
            wrong = wrong or not is_loinc(text)
    return None, wrong


def _subject(found: Gathered, resource: Json) -> str:
    reference = resource.get("subject")
    url = reference.get("reference", "") if isinstance(reference, dict) else ""
    if not isinstance(url, str):
        return ""
    if url in found.subject_of_url:
        return found.subject_of_url[url]
    return _last_part(url)


def _last_part(url: str) -> str:
    """The id at the end of a reference: of a path, a URN, or an anchor."""
    return url.split("/_history/", 1)[0].rsplit("/", 1)[-1].rsplit(":", 1)[-1].lstrip("#")


def _day(observation: "Observation") -> str:
    period = observation.effectivePeriod
    given: object = (
        observation.effectiveDateTime
        or observation.effectiveInstant
        or (period.start if period is not None else None)
    )
    if given is None:
        return ""
    return str(given)[:10]
