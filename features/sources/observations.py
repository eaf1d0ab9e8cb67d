"""What the Observations of FHIR R4 say of tests of the catalogue."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from features.analytes import Analyte
from features.sources.bundles import Json
from features.sources.gathered import AMBIGUOUS, Gathered, Measured, not_r4
from features.sources.named_tests import (
    BAND,
    FIRST_BAND,
    analyte_of,
    coding_pairs,
    loinc_codes,
    other_code,
    other_tests,
)
from features.sources.people import target_of
from features.sources.printed import half_a_place
from features.sources.quantities import (
    absent,
    left_out,
    names_two_units,
    number_of,
    unit_of,
    value_of,
)

if TYPE_CHECKING:
    from fhir.resources.R4B.observation import Observation, ObservationComponent

    Part = Observation | ObservationComponent

__all__ = ["contained_results", "gather_observation"]

USED_STATUS = frozenset({"final", "amended", "corrected", "preliminary"})
UNUSED_STATUS = frozenset({"registered", "cancelled", "entered-in-error", "unknown"})
"""The status codes of R4; a result that is withdrawn or not there yet is not used."""

OTHER_VERSION = "is another version of an earlier entry; keep the last"
CONTAINED = "a result inside another resource was left out; it needs an entry of its own"


def gather_observation(found: Gathered, row: int, url: str, resource: Json) -> None:
    """Keep the values of an Observation and of its components, or what is wrong with them."""
    from fhir.resources.R4B.observation import Observation

    others = other_tests(resource, found.codes)
    if others:
        found.pass_over_others(others)
        return
    subject = found.people.of_result(url, resource)
    if subject is None:
        found.passed_over["Observations of no Patient (a Group, Device or Location)"] += 1
        return
    if found.people.is_ambiguous(subject):
        found.refuse(subject, row, "Observation.subject", AMBIGUOUS)
        return
    name = _identity(subject, url, resource)
    if name and found.version.setdefault(name, resource) != resource:
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
    listed = found.panels.of((target_of(url, ""), f"Observation/{observation.id}"))
    day = _day(observation) or listed.day
    blank = Measured(subject, day, "", np.nan, "", row, _moment(observation))
    if status not in USED_STATUS:
        found.measured.append(blank)
        found.fault("Observation.status", "is no status that FHIR R4 defines")
        return
    preliminary = ("is preliminary; confirm it",) if status == "preliminary" else ()
    parts: list[Part] = [observation, *(observation.component or [])]
    for part in parts:
        _gather_part(found, part, blank, (*preliminary, *listed.doubts))


def _identity(subject: str, url: str, resource: Json) -> str:
    """What versions of one Observation share: full URL, else subject and id; empty if none."""
    if url:
        return target_of(url, "")
    return f"{subject} Observation/{resource['id']}" if resource.get("id") else ""


def contained_results(resource: Json, codes: Mapping[str, Analyte]) -> Iterator[tuple[str, str]]:
    """Places of contained Observations of tests of the catalogue, and that they are not used."""
    contained = resource.get("contained")
    for i, inner in enumerate(contained if isinstance(contained, list) else []):
        is_result = isinstance(inner, dict) and inner.get("resourceType") == "Observation"
        if is_result and not other_tests(inner, codes):
            yield f"contained[{i}]", CONTAINED


def _changed_by(observation: "Observation") -> str:
    """What makes an Observation other than its code, value and subject say, else empty."""
    components = observation.component or []
    if observation.modifierExtension or any(part.modifierExtension for part in components):
        return "a modifierExtension"
    return "a focus that is not the Patient" if observation.focus else ""


def _gather_part(found: Gathered, part: "Part", blank: Measured, doubts: tuple[str, ...]) -> None:
    """Keep the value of an Observation or component, or what is wrong with it."""
    # R4 wants one; fhir.resources lets null pass for it.
    if getattr(part, "code", None) is None:
        found.measured.append(blank)
        found.fault("Observation.code", "is missing; FHIR R4 asks for one")
        return
    analyte, wrong = analyte_of(part.code, found.codes)
    if analyte is None and not wrong:
        found.pass_over_others([other_code(coding_pairs(part.code))])
        return
    if analyte is None:
        if wrong == BAND and number_of(part) > 0:
            found.second_bands.add((blank.subject, blank.day))
        found.measured.append(blank)
        found.fault("Observation.code", wrong, doubted=True)
        return
    if absent(part):
        found.passed_over["values reported as absent"] += 1
        return
    name, quantity = analyte.name, part.valueQuantity
    given = replace(
        blank,
        analyte=name,
        value=value_of(part, analyte),
        unit=unit_of(quantity),
        half=half_a_place(quantity.value) if quantity and quantity.value is not None else 0.0,
        band=loinc_codes(part.code).intersection(analyte.loinc) == {FIRST_BAND},
    )
    found.measured.append(given)
    if names_two_units(quantity, analyte):
        found.fault(f"{name}.unit", "is another unit than its code says; which one is meant?")
    if why := left_out(part, analyte):
        element, expected = why
        found.fault(f"{name}.{element}", expected, doubted=True)
    for doubt in (wrong, *doubts):
        if doubt:
            found.fault(name, doubt, doubted=True)


def _effective(observation: "Observation") -> object:
    period = observation.effectivePeriod
    start_or_end = None if period is None else period.start or period.end
    return observation.effectiveDateTime or observation.effectiveInstant or start_or_end


def _day(observation: "Observation") -> str:
    given = _effective(observation)
    return "" if given is None else str(given)[:10]


def _moment(observation: "Observation") -> float:
    given = _effective(observation)
    if isinstance(given, datetime) and given.tzinfo is not None:
        return given.timestamp()
    return np.nan
