"""What the Patients of FHIR R4 say of a subject."""

from datetime import date
from typing import TYPE_CHECKING

from features.labs import DAYS_PER_YEAR
from features.sources.bundles import Json
from features.sources.gathered import AMBIGUOUS, Gathered, not_r4

if TYPE_CHECKING:
    from fhir.resources.R4B.patient import Patient

__all__ = ["age_on", "birth_of", "gather_patient"]

MODIFIED = "has a modifierExtension, which may change what it means"


def gather_patient(found: Gathered, row: int, subject: str, resource: Json) -> None:
    """Keep a Patient, or its fault."""
    from fhir.resources.R4B.patient import Patient

    if found.people.is_ambiguous(subject):
        found.refuse(subject, row, "Patient", AMBIGUOUS)
        return
    try:
        patient = Patient.model_validate(resource)
    except ValueError as error:
        found.refuse(subject, row, "Patient", not_r4(error))
        return
    if patient.modifierExtension:
        found.refuse(subject, row, "Patient", MODIFIED)
        return
    found.patients[subject] = patient
    found.patient_row[subject] = row


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
