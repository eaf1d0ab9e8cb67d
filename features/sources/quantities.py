"""Which test the code of an Observation names, and what number and unit it gives."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from features.analytes import Analyte, analyte_for_loinc
from features.loinc import LEFT_OUT, is_loinc
from features.sources.bundles import Json

if TYPE_CHECKING:
    from fhir.resources.R4B.codeableconcept import CodeableConcept
    from fhir.resources.R4B.observation import Observation, ObservationComponent
    from fhir.resources.R4B.quantity import Quantity

__all__ = ["analyte_of", "other_tests", "unit_of", "value_of"]

LOINC_SYSTEM = "http://loinc.org"
UCUM_SYSTEM = "http://unitsofmeasure.org"
TWO_TESTS = "names two tests of the catalogue; the value was left out"


def value_of(part: "Observation | ObservationComponent", analyte: Analyte) -> float:
    """Number, or 0 and 1 of a flag; NaN where there is none, or only a bound."""
    if part.valueBoolean is not None and analyte.kind == "flag":
        return float(part.valueBoolean)
    quantity = part.valueQuantity
    if quantity is None or quantity.value is None or quantity.comparator is not None:
        return np.nan
    return float(quantity.value)


def unit_of(quantity: "Quantity | None") -> str:
    """UCUM's code, else the unit as people read it."""
    if quantity is None:
        return ""
    code = quantity.code if quantity.system in (None, UCUM_SYSTEM) else None
    return str(code or quantity.unit or quantity.code or "")


def analyte_of(code: "CodeableConcept", local: Mapping[str, Analyte]) -> tuple[Analyte | None, str]:
    """Analyte that a code names, or why it cannot: no code of LOINC's, or two tests."""
    named: dict[str, Analyte] = {}
    wrong = ""
    for coding in code.coding or []:
        text = str(coding.code or "")
        analyte = local.get(text)
        if analyte is None and coding.system == LOINC_SYSTEM:
            analyte = analyte_for_loinc(text)
            wrong = wrong if analyte is not None or is_loinc(text) else LEFT_OUT
        if analyte is not None:
            named[analyte.name] = analyte
    if len(named) == 1:
        return next(iter(named.values())), ""
    return None, TWO_TESTS if named else wrong


def other_tests(resource: Json, local: Mapping[str, Analyte]) -> int:
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
