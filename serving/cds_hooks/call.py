"""From the call of an EHR to one subject's request, and from its feedback to what is counted."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from features.errors import FieldProblem, InputError
from features.sources.bundles import entries_of
from serving.cds_hooks.services import HOOK, PATIENT, REASONS, RESULTS
from serving.fhir.bundle import Asked, read_resources
from serving.problems import PRECONDITION, ProblemError, of_fields

__all__ = ["MOST_FEEDBACK", "OUTCOMES", "read_call", "read_feedback"]

OUTCOMES = ("accepted", "overridden")
MOST_FEEDBACK = 100

Row = tuple[str, str, Mapping[str, object]]


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
        400 for another shape, 412 without the prefetched Patient, 422 for somebody else's.
    """
    reading = _Reading([])
    given: dict[str, Any] = document if isinstance(document, dict) else {}
    reading.need(isinstance(document, dict), "body", "must be an object")
    reading.need(given.get("hook") == HOOK, "hook", f"must be {HOOK}")
    reading.need(_is_text(given.get("hookInstance")), "hookInstance", "is required")
    context, prefetch = given.get("context"), given.get("prefetch", {})
    who = context.get("patientId") if isinstance(context, dict) else None
    reading.need(_is_text(who), "context.patientId", "is required")
    if reading.need(isinstance(prefetch, dict), "prefetch", "must be an object"):
        for key in (PATIENT, RESULTS):
            fits = isinstance(prefetch.get(key), dict | None)
            reading.need(fits, f"prefetch.{key}", "must be a resource")
    if reading.problems:
        raise of_fields(reading.problems, malformed=True)
    patient = prefetch.get(PATIENT)
    if patient is None:
        raise ProblemError(PRECONDITION, "the prefetch must hold the Patient; see /cds-services")
    if patient.get("id") != who:
        wrong = FieldProblem(f"prefetch.{PATIENT}.id", "must be the patient of the context")
        raise of_fields([wrong], malformed=False)
    return read_resources([(f"prefetch.{PATIENT}", "", patient), *_results(prefetch.get(RESULTS))])


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _results(bundle: object) -> Iterator[Row]:
    path = f"prefetch.{RESULTS}"
    try:
        for row, url, resource in entries_of(bundle or [], path):
            yield f"{path}.entry[{row - 1}].resource", url, resource
    except InputError as error:
        at = error.problem.row
        here = f"{path}.{error.problem.field}" if at is None else f"{path}.entry[{at - 1}]"
        raise of_fields([FieldProblem(here, error.problem.expected)], malformed=True) from None


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
                found.append((str(outcome), _reason(report)))
    if reading.problems:
        raise of_fields(reading.problems, malformed=True)
    return found


def _reason(report: Mapping[str, Any]) -> str:
    """Code of a reason of ours; any other text is not ours to keep."""
    given = report.get("overrideReason")
    reason = given.get("reason") if isinstance(given, dict) else None
    code = reason.get("code") if isinstance(reason, dict) else None
    if given is None:
        return "none"
    return code if isinstance(code, str) and code in REASONS else "other"
