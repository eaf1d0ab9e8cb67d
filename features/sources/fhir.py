"""FHIR R4: Patient and Observation resources in a Bundle, a list or NDJSON.

A row is an Observation or one of its components; its number is the entry of the Bundle or the line
of the file. LOINC codes and a site's own ones name the analyte, UCUM the unit. Withdrawn results
and absent values are counted in the notes, never used.
"""

import importlib.util
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from features.analytes import Analyte, analyte_for_loinc
from features.errors import InputError
from features.labs import DAYS_PER_YEAR, LabRows, Severity
from features.sources.bundles import Json, resources_of
from features.sources.cells import CellFault
from features.sources.codes import read_codes
from features.sources.long import LEFT_OUT, is_loinc, measured_rows
from features.sources.reading import Reading
from features.sources.tables import Table

if TYPE_CHECKING:
    from fhir.resources.R4B.codeableconcept import CodeableConcept
    from fhir.resources.R4B.observation import Observation, ObservationComponent
    from fhir.resources.R4B.patient import Patient

__all__ = ["read_fhir", "rows_from_resources"]

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


def read_fhir(path: Path | str, *, codes: Path | str | None = None) -> LabRows:
    """Lab rows of a FHIR R4 Bundle (JSON) or of resources one a line (NDJSON).

    Parameters
    ----------
    path
        File in UTF-8.
    codes
        CSV file of a site's own codes: ``code,analyte``.

    Raises
    ------
    InputError
        If the file is not JSON, holds no resource, or the extra ``fhir`` is not installed.
    """
    path = Path(path)
    return rows_from_resources(resources_of(path), codes=read_codes(codes), source=path.name)


def rows_from_resources(
    resources: Iterator[tuple[int, str, Json]],
    *,
    codes: Mapping[str, Analyte] | None = None,
    source: str = "bundle",
) -> LabRows:
    """Lab rows of resources, each with its row and full URL.

    Parameters
    ----------
    resources
        ``(row, full URL or "", resource as parsed JSON)``.
    codes
        A site's own code to analyte.
    source
        What messages call it.
    """
    if importlib.util.find_spec("fhir") is None:
        raise InputError("FHIR", "needs the extra: pip install 'smoulder[fhir]'", source=source)
    found = Gathered(codes or {})
    listed = list(resources)
    for row, url, resource in listed:
        if resource.get("resourceType") == "Patient":
            _gather_patient(found, row, url, resource)
    for row, _, resource in listed:
        kind = resource.get("resourceType")
        if kind == "Observation":
            _gather_observation(found, row, resource)
        elif kind != "Patient":
            found.passed_over["resources that are neither Patient nor Observation"] += 1
    _add_patients_without_values(found)
    if not found.measured:
        raise InputError(
            "file", "holds no Patient and no Observation of a test in the catalogue", source=source
        )
    return _lab_rows(found, source)


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


def _gather_patient(found: Gathered, row: int, url: str, resource: Json) -> None:
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
    found.subject_of_url[url] = subject


def _gather_observation(found: Gathered, row: int, resource: Json) -> None:
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


def _add_patients_without_values(found: Gathered) -> None:
    seen = {measured.subject for measured in found.measured}
    for subject, row in found.patient_row.items():
        if subject not in seen:
            found.measured.append(Measured(subject, "", "", np.nan, "", row))
            found.fault("Patient", "has no Observation that can be used")


def _lab_rows(found: Gathered, source: str) -> LabRows:
    measured = found.measured
    sexes = {s: str(patient.gender or "") for s, patient in found.patients.items()}
    births = {s: _birth(patient) for s, patient in found.patients.items()}
    table = Table(
        source,
        {
            "subject_id": pa.array([m.subject for m in measured], pa.string()),
            "date": pa.array([m.day for m in measured], pa.string()),
            "sex": pa.array([_sex(sexes.get(m.subject, "")) for m in measured], pa.string()),
            "age": pa.array([_age(m.day, births.get(m.subject)) for m in measured], pa.float64()),
            "analyte": pa.array([m.analyte for m in measured], pa.string()),
            "value": pa.array([m.value for m in measured], pa.float64()),
            "unit": pa.array([m.unit for m in measured], pa.string()),
        },
        np.array([m.row for m in measured], dtype=np.int64),
        {},
    )
    reading = Reading(table)
    for name, fault in found.faults:
        reading.add(name, [fault])
    reading.notes += [f"{what} are not used: {n}" for what, n in found.passed_over.items()]
    return measured_rows(reading, count_others=False)


def _sex(gender: str) -> str:
    return gender if gender in ("female", "male") else ""


def _birth(patient: "Patient") -> date | None:
    """Day of birth; the middle of the year or month where only those are given."""
    if patient.birthDate is None:
        return None
    # A partial date stays text, a whole one is a date: both print as ISO.
    text = str(patient.birthDate)
    return date.fromisoformat(text[:10] + {4: "-07-01", 7: "-15"}.get(len(text), ""))


def _age(day: str, birth: date | None) -> float | None:
    if birth is None or len(day) < len("2024-01-05"):
        return None
    return (date.fromisoformat(day[:10]) - birth).days / DAYS_PER_YEAR
