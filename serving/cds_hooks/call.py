"""From the call of an EHR to one subject's request, and from its feedback to what is counted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from features.errors import FieldProblem, InputError
from features.sources.bundles import Entry, entries_of
from serving.cds_hooks.services import HOOK, PATIENT, REASON_SYSTEM, REASONS, RESULTS
from serving.fhir.bundle import Asked, read_resources
from serving.problems import PRECONDITION, ProblemError, of_fields

__all__ = ["FAILED", "MOST_FEEDBACK", "OUTCOMES", "read_call", "read_feedback"]

OVERRIDDEN = "overridden"
OUTCOMES = ("accepted", OVERRIDDEN)
MOST_FEEDBACK = 100

FAILED = "OperationOutcome"
"""What an EHR may send in place of a resource that it could not fetch."""


@dataclass(slots=True)
class _Reading:
    """Problems of shape met so far."""

    problems: list[FieldProblem]

    def need(self, holds: bool, path: str, expected: str) -> bool:
        if not holds:
            self.problems.append(FieldProblem(path, expected))
        return holds


def read_call(document: object) -> Asked:
    """Who is looked at, with their results, as the use case takes them.

    Raises
    ------
    ProblemError
        400 for another shape, 412 where Patient or results were not prefetched, 422 for somebody
        else's.
    """
    reading = _Reading([])
    given: dict[str, Any] = document if isinstance(document, dict) else {}
    reading.need(isinstance(document, dict), "body", "must be an object")
    reading.need(given.get("hook") == HOOK, "hook", f"must be {HOOK}")
    reading.need(_is_text(given.get("hookInstance")), "hookInstance", "is required")
    context, prefetch = given.get("context"), given.get("prefetch")
    prefetch = {} if prefetch is None else prefetch
    who = context.get("patientId") if isinstance(context, dict) else None
    reading.need(_is_text(who), "context.patientId", "is required")
    if reading.need(isinstance(prefetch, dict), "prefetch", "must be an object"):
        for key, kind in ((PATIENT, "Patient"), (RESULTS, "Bundle")):
            fits = _kind_of(prefetch.get(key)) in (None, kind, FAILED)
            reading.need(fits, f"prefetch.{key}", f"must be a {kind}")
    if reading.problems:
        raise of_fields(reading.problems, malformed=True)
    patient, results = prefetch.get(PATIENT), prefetch.get(RESULTS)
    if patient is None or _kind_of(patient) == FAILED:
        raise ProblemError(PRECONDITION, "the prefetch must hold the Patient; see /cds-services")
    if RESULTS not in prefetch or _kind_of(results) == FAILED:
        # null says that there are none; without the key nobody has looked.
        detail = "the prefetch must hold the results, null where there are none; see /cds-services"
        raise ProblemError(PRECONDITION, detail)
    if patient.get("id") != who:
        wrong = FieldProblem(f"prefetch.{PATIENT}.id", "must be the patient of the context")
        raise of_fields([wrong], malformed=False)
    listed = [] if results is None else _listed(results)
    return read_resources([Entry(0, "", patient, f"prefetch.{PATIENT}"), *listed])


def _kind_of(resource: object) -> object:
    """Type of a resource; None for null and empty for what is no resource."""
    if resource is None:
        return None
    kind = resource.get("resourceType") if isinstance(resource, dict) else None
    return "" if kind is None else kind


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _listed(bundle: object) -> list[Entry]:
    path = f"prefetch.{RESULTS}"
    try:
        listed = list(entries_of(bundle, path))
    except InputError as error:
        wrong = FieldProblem(f"{path}.{error.problem.field}", error.problem.expected)
        raise of_fields([wrong], malformed=True) from None
    return [each._replace(path=f"{path}.{each.path}".rstrip(".")) for each in listed]


def read_feedback(document: object) -> list[tuple[str, str]]:
    """Outcome and reason code of every card reported; comments are not kept.

    Raises
    ------
    ProblemError
        400 for another shape.
    """
    reading = _Reading([])
    given = document.get("feedback") if isinstance(document, dict) else None
    fits = isinstance(given, list) and 0 < len(given) <= MOST_FEEDBACK
    found = []
    if reading.need(fits, "feedback", f"must hold 1 to {MOST_FEEDBACK} reports"):
        assert isinstance(given, list)
        for i, report in enumerate(given):
            outcome = report.get("outcome") if isinstance(report, dict) else None
            card = report.get("card") if isinstance(report, dict) else None
            reading.need(_is_text(card), f"feedback[{i}].card", "must be the card's uuid")
            known = f"must be one of {', '.join(OUTCOMES)}"
            if reading.need(outcome in OUTCOMES, f"feedback[{i}].outcome", known):
                found.append((str(outcome), _reason(report) if outcome == OVERRIDDEN else "none"))
    if reading.problems:
        raise of_fields(reading.problems, malformed=True)
    return found


def _reason(report: Mapping[str, Any]) -> str:
    """Code of a reason of ours; any other text is not ours to keep."""
    given = report.get("overrideReason")
    if given is None:
        return "none"
    reason = given.get("reason") if isinstance(given, dict) else None
    coding = reason if isinstance(reason, dict) else {}
    code, system = coding.get("code"), coding.get("system")
    ours = system in (None, REASON_SYSTEM) and isinstance(code, str) and code in REASONS
    return str(code) if ours else "other"
