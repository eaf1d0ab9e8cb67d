"""What the Observations of FHIR R4 say of tests of the catalogue."""

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from features.sources.bundles import Json
from features.sources.gathered import AMBIGUOUS, Gathered, Measured, not_r4
from features.sources.people import target_of
from features.sources.quantities import analyte_of, other_tests, unit_of, value_of

if TYPE_CHECKING:
    from fhir.resources.R4B.observation import Observation, ObservationComponent

__all__ = ["gather_observation"]

USED_STATUS = frozenset({"final", "amended", "corrected", "preliminary"})
UNUSED_STATUS = frozenset({"registered", "cancelled", "entered-in-error", "unknown"})
"""The status codes of R4; a result that is withdrawn or not there yet is not used."""

OTHER_VERSION = "is another version of an earlier entry; keep the last"


def gather_observation(found: Gathered, row: int, url: str, resource: Json) -> None:
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
        found.refuse(subject, row, "Observation", not_r4(error))
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
