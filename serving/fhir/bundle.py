"""From a FHIR R4 Bundle to one subject's request, and from its problems back to the Bundle.

Resources are read as files of FHIR are (`features.sources.resources`): one way to read them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from features.analytes import ANALYTES
from features.errors import FieldProblem, InputError, UnitError
from features.sources.bundles import Entry, entries_of
from features.sources.gathered import Gathered, Measured
from features.sources.patients import age_on, birth_of
from features.sources.resources import gather
from features.units import measured_unit
from serving.limits import MOST_VISITS
from serving.request import EARLIEST_YEAR, EPOCH, SEXES, Given, GivenValue, GivenVisit, RiskRequest

__all__ = ["FHIR_BYTES", "Asked", "read_bundle", "read_resources"]

FHIR_BYTES = 4 * 1024 * 1024
"""A laboratory result as an Observation has about a kilobyte."""

SOURCE = "Bundle"
WHOLE_DAY = len("2024-01-05")


@dataclass(frozen=True, slots=True)
class Asked:
    """One person of a Bundle as the use case takes them.

    Parameters
    ----------
    request
        Visits, one per day, and every problem of reading them.
    patient
        Reference to the Patient.
    observations
        Reference to the Observation that gave an analyte's value on a day (since 1970-01-01).
    places
        Path in the request to path in the Bundle.
    doubts
        What was left out and why, by path in the Bundle.
    notes
        What is no laboratory value of the catalogue, counted.
    """

    request: RiskRequest
    patient: str
    observations: Mapping[tuple[str, int], str]
    places: Mapping[str, str]
    doubts: tuple[FieldProblem, ...]
    notes: tuple[str, ...]

    def placed(self, problem: FieldProblem) -> FieldProblem:
        """A problem of the request, named as the Bundle names the field."""
        return FieldProblem(self.places.get(problem.field, problem.field), problem.expected)


def read_bundle(document: object) -> Asked:
    """One subject's request from a decoded Bundle, with all its problems."""
    if not isinstance(document, dict) or document.get("resourceType") != "Bundle":
        return _unread("resourceType", "must be Bundle")
    try:
        return read_resources(entries_of(document, SOURCE))
    except InputError as error:
        return _unread(error.problem.field, error.problem.expected)


def _unread(path: str, expected: str) -> Asked:
    request = RiskRequest(problems=(FieldProblem(path, expected),), malformed=True)
    return Asked(request, "", {}, {"visits": "entry"}, (), ())


def read_resources(resources: Iterable[Entry]) -> Asked:
    """One subject's request from the resources of a source."""
    listed = list(resources)
    found = gather(entry._replace(row=i) for i, entry in enumerate(listed))
    paths = [entry.path for entry in listed]
    names = [_reference(entry.url, entry.resource) for entry in listed]
    problems, doubts = _faults(found, paths)
    doubts += [FieldProblem(_inside(paths[d.row], d.place), d.said) for d in found.doubts]
    subject, more = _subject(found, paths)
    problems += more
    values, more = _values(found, subject, paths)
    problems += more
    doubts += _doubts_of_patient(found, subject, paths)
    days = sorted({day for day, _, _ in values})
    if len(days) > MOST_VISITS:
        problems.append(FieldProblem("entry", f"may hold results of at most {MOST_VISITS} days"))
        values, days = [], []
    visit = {day: place for place, day in enumerate(days)}
    places = {
        f"visits[{visit[day]}].labs.{analyte}.value": f"{paths[row]}.valueQuantity"
        for day, (analyte, _), row in values
    } | {f"visits[{visit[day]}].date": f"{paths[row]}.effectiveDateTime" for day, _, row in values}
    places |= {"visits": "entry", "subject.age": "Patient.birthDate"}
    return Asked(
        _request(found, subject, values, days, problems),
        names[found.patient_row[subject]] if subject in found.patient_row else "",
        {(analyte, day): names[row] for day, (analyte, _), row in values if names[row]},
        places,
        tuple(doubts),
        tuple(found.notes()),
    )


def _inside(path: str, place: str) -> str:
    return ".".join(part for part in (path, place) if part)


def _reference(url: str, resource: Mapping[str, object]) -> str:
    """How a resource is referred to: by its full URL, else by type and id."""
    if url:
        return url
    return f"{resource.get('resourceType')}/{resource['id']}" if resource.get("id") else ""


def _faults(found: Gathered, paths: list[str]) -> tuple[list[FieldProblem], list[FieldProblem]]:
    problems: list[FieldProblem] = []
    doubts: list[FieldProblem] = []
    for name, fault in found.faults:
        told = FieldProblem(paths[found.measured[fault.index].row], f"{name} {fault.expected}")
        (problems if fault.severity == "refused" else doubts).append(told)
    return problems, doubts


def _subject(found: Gathered, paths: list[str]) -> tuple[str, list[FieldProblem]]:
    """Identifier of the one Patient, and what is wrong with whom results are of."""
    if len(found.patients) != 1:
        unread = any(name == "Patient" for name, _ in found.faults)
        said = f"must hold one Patient; it holds {len(found.patients)}"
        return "", [] if unread else [FieldProblem("entry", said)]
    (subject,) = found.patients
    others = {m.row for m in found.measured if m.analyte and m.subject != subject}
    return subject, [
        FieldProblem(f"{paths[row]}.subject", "must refer to the Patient of this Bundle")
        for row in sorted(others)
    ]


def _doubts_of_patient(found: Gathered, subject: str, paths: list[str]) -> list[FieldProblem]:
    """What R4 calls modifiers of a Patient: a reader must not pass over them in silence."""
    patient = found.patients.get(subject)
    if patient is None:
        return []
    said = {
        "deceased": (
            patient.deceasedBoolean or patient.deceasedDateTime,
            "the record says that the person died",
        ),
        "active": (patient.active is False, "the record says that it is not in use"),
        "link": (
            any(link.type == "replaced-by" for link in patient.link or []),
            "the record says that another one replaces it",
        ),
    }
    at = paths[found.patient_row[subject]]
    return [FieldProblem(f"{at}.{name}", told) for name, (holds, told) in said.items() if holds]


def _values(
    found: Gathered, subject: str, paths: list[str]
) -> tuple[list[tuple[int, Given, int]], list[FieldProblem]]:
    """Day, value and row of everything measured, and what cannot be used."""
    values, problems = [], []
    for measured in found.measured:
        value = measured.value
        if np.isnan(value) or not measured.analyte or measured.subject != subject:
            continue
        path = paths[measured.row]
        try:
            unit = measured_unit(ANALYTES[measured.analyte], measured.unit)
        except UnitError as error:
            said = f"{measured.analyte}: {error.problem.expected}"
            problems.append(FieldProblem(f"{path}.valueQuantity.code", said))
            continue
        day = _day(measured)
        if day is None:
            said = f"must give a whole day, {EARLIEST_YEAR} or later"
            problems.append(FieldProblem(f"{path}.effectiveDateTime", said))
            continue
        if not np.isfinite(value):
            problems.append(FieldProblem(f"{path}.valueQuantity", "must be a finite number"))
            continue
        values.append((day, (measured.analyte, GivenValue(value, unit)), measured.row))
    return values, problems


def _day(measured: Measured) -> int | None:
    try:
        day = date.fromisoformat(measured.day) if len(measured.day) == WHOLE_DAY else None
    except ValueError:
        day = None
    return None if day is None or day.year < EARLIEST_YEAR else day.toordinal() - EPOCH


def _request(
    found: Gathered,
    subject: str,
    values: list[tuple[int, Given, int]],
    days: list[int],
    problems: list[FieldProblem],
) -> RiskRequest:
    of_day: dict[int, list[Given]] = {day: [] for day in days}
    for day, given, _ in values:
        of_day[day].append(given)
    visits = tuple(
        GivenVisit(place, day, tuple(listed)) for place, (day, listed) in enumerate(of_day.items())
    )
    patient = found.patients.get(subject)
    if patient is None:
        return RiskRequest(visits=visits, problems=tuple(problems))
    last = date.fromordinal((days[-1] if days else 0) + EPOCH).isoformat()
    age = age_on(last, birth_of(patient))
    return RiskRequest(
        id=subject,
        sex=SEXES.get(str(patient.gender or ""), SEXES["unknown"]),
        age=np.nan if age is None else age,
        visits=visits,
        problems=tuple(problems),
    )
