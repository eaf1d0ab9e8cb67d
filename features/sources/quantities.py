"""What number and unit an Observation, or a component of one, gives."""

from typing import TYPE_CHECKING

import numpy as np

from features.analytes import Analyte
from features.sources.ucum import UCUM_SYSTEMS, one_spelling

if TYPE_CHECKING:
    from fhir.resources.R4B.observation import Observation, ObservationComponent
    from fhir.resources.R4B.quantity import Quantity

    Part = Observation | ObservationComponent

__all__ = ["absent", "left_out", "names_two_units", "number_of", "unit_of", "value_of"]

VALUES = (
    "valueBoolean",
    "valueCodeableConcept",
    "valueDateTime",
    "valueInteger",
    "valuePeriod",
    "valueQuantity",
    "valueRange",
    "valueRatio",
    "valueSampledData",
    "valueString",
    "valueTime",
)
"""The forms a value has in R4."""


def value_of(part: "Part", analyte: Analyte) -> float:
    """Number, or 0 and 1 of a flag; NaN where there is none, or only a bound."""
    if part.valueBoolean is not None and analyte.kind == "flag":
        return float(part.valueBoolean) if part.dataAbsentReason is None else np.nan
    return number_of(part)


def number_of(part: "Part") -> float:
    """Number of a quantity; NaN where there is none, or only a bound, or a reason against it."""
    quantity = part.valueQuantity
    if quantity is None or quantity.value is None:
        return np.nan
    doubtful = part.dataAbsentReason is not None or quantity.comparator is not None
    return np.nan if doubtful else float(quantity.value)


def absent(part: "Part") -> bool:
    """Whether a part says that it has no value, and has none."""
    return part.dataAbsentReason is not None and not _has_value(part)


def left_out(part: "Part", analyte: Analyte) -> tuple[str, str] | None:
    """Element for which a part gives no number, and why; None where it gives one.

    A panel has no value of its own, only those of its components.
    """
    quantity = part.valueQuantity
    if not np.isnan(value_of(part, analyte)):
        return None
    if part.dataAbsentReason is not None:
        return "dataAbsentReason", "stands beside a value; it was left out"
    if quantity is not None and quantity.comparator is not None:
        return "comparator", "is a bound, not a value; it was left out"
    if getattr(part, "component", None) is not None and not _has_value(part):
        return None
    return "value", "has no number (valueQuantity.value); it was left out"


def unit_of(quantity: "Quantity | None") -> str:
    """UCUM's code, else the unit as people read it; in the catalogue's spelling."""
    if quantity is None:
        return ""
    known = quantity.system is None or str(quantity.system) in UCUM_SYSTEMS
    code = quantity.code if known else None
    return one_spelling(str(code or quantity.unit or quantity.code or ""))


def names_two_units(quantity: "Quantity | None", analyte: Analyte) -> bool:
    """Whether the code of a unit and the unit that people read are two units of an analyte."""
    if quantity is None:
        return False
    named = {one_spelling(str(each)) for each in (quantity.code, quantity.unit) if each}
    return len({analyte.units[unit] for unit in named if unit in analyte.units}) > 1


def _has_value(part: "Part") -> bool:
    return any(getattr(part, name, None) is not None for name in VALUES)
