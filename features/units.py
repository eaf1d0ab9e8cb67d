"""From the unit a value was given in to the catalogue's canonical unit.

A unit is never guessed. An unknown or missing one is an error that lists what is accepted; a value
that is impossible in the unit given but usual in another is an error that names that other unit,
because g/L against g/dL and mg/dL against mg/L are the silent factors of ten in this field.
"""

import re

import numpy as np
from numpy.typing import NDArray

from features.analytes import ANALYTES, Analyte
from features.errors import InputError, UnitError

__all__ = [
    "analyte_named",
    "conversion",
    "factor_to_canonical",
    "likely_unit",
    "measured_unit",
    "spelled_unit",
    "to_canonical",
]

Floats = NDArray[np.float64]
ANNOTATION = re.compile(r"\{[^{}]*\}")
SHOWN_UNIT = re.compile(r"[A-Za-zµμ\[\]().]{1,8}/[A-Za-z0-9.()]{1,8}")


def analyte_named(name: str, *, field: str | None = None) -> Analyte:
    """Analyte of a catalogue name; any other name is an error that lists the catalogue."""
    found = ANALYTES.get(name)
    if found is None:
        raise InputError(field or "analyte", f"is not in the catalogue: {', '.join(ANALYTES)}")
    return found


def spelled_unit(unit: str) -> str:
    """Spell a unit as the catalogue does: trimmed, micro sign as UCUM's ``u``.

    Case is kept: in UCUM ``mg/dL`` and ``MG/DL`` are not the same unit.

    Examples
    --------
    >>> spelled_unit(" µmol/L "), spelled_unit("mg/24 h")
    ('umol/L', 'mg/24h')
    """
    return unit.strip().replace("µ", "u").replace("μ", "u").replace("/24 h", "/24h")


def factor_to_canonical(analyte: Analyte, unit: str | None, *, field: str | None = None) -> float:
    """Multiplier that takes a value from a unit to the analyte's canonical unit.

    Parameters
    ----------
    analyte
        From the catalogue.
    unit
        As given by the caller.
    field
        What the caller calls this value; the analyte's name when omitted.

    Raises
    ------
    UnitError
        If the unit is missing or not one the analyte is measured in.

    Examples
    --------
    >>> from features.analytes import ANALYTES
    >>> factor_to_canonical(ANALYTES["m_protein"], "g/L")
    0.1
    >>> factor_to_canonical(ANALYTES["m_protein"], "mg/dl")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    features.errors.UnitError: m_protein: unit 'mg/dl' is not understood; expected one of ...
    """
    accepted = ", ".join(analyte.units)
    if unit is None or not unit.strip():
        raise UnitError(field or analyte.name, f"has no unit; give one of {accepted}")
    factor = analyte.units.get(spelled_unit(unit))
    if factor is None:
        shown = unit.strip()[:20]
        raise UnitError(
            field or analyte.name, f"unit '{shown}' is not understood; expected one of {accepted}"
        )
    return factor


def measured_unit(analyte: Analyte, unit: str) -> str:
    """Unit as the catalogue spells it; blank or an annotation is ``1`` where there is no unit.

    Raises
    ------
    UnitError
        If the unit is not one the analyte is measured in; only what looks like a unit is shown.
    """
    if analyte.unit == "1" and (not unit or ANNOTATION.fullmatch(unit)):
        return "1"
    try:
        factor_to_canonical(analyte, unit)
    except UnitError:
        if not unit or SHOWN_UNIT.fullmatch(unit):
            raise
        expected = f"unit is not understood; expected one of {', '.join(analyte.units)}"
        raise UnitError(analyte.name, expected) from None
    return spelled_unit(unit)


def to_canonical(analyte: Analyte, values: Floats, unit: str) -> Floats:
    """Values in the analyte's canonical unit.

    Division by the inverse keeps decimal input decimal: 24 g/L is 2.4 g/dL, where 24 * 0.1 is
    2.4000000000000004 and would cross a published threshold that 2.4 does not.

    Parameters
    ----------
    analyte
        From the catalogue.
    values : array of any shape
        In `unit`; NaN stays NaN.
    unit
        One of the analyte's accepted units.

    Returns
    -------
    array of the same shape
        In ``analyte.unit``.

    Examples
    --------
    >>> from features.analytes import ANALYTES
    >>> float(to_canonical(ANALYTES["m_protein"], np.array(24.0), "g/L"))
    2.4
    """
    divisor, factor = conversion(analyte, unit)
    if divisor != 1.0:
        return values / divisor
    return values if factor == 1.0 else values * factor


def conversion(analyte: Analyte, unit: str) -> tuple[float, float]:
    """Divisor and factor that take a value to the canonical unit; at least one of them is 1.

    Examples
    --------
    >>> from features.analytes import ANALYTES
    >>> conversion(ANALYTES["m_protein"], "g/L")
    (10.0, 1.0)
    """
    factor = factor_to_canonical(analyte, unit)
    return (_inverse(factor), 1.0) if factor < 1.0 else (1.0, factor)


def likely_unit(analyte: Analyte, value: float, unit: str) -> str | None:
    """Accepted unit in which an impossible value would be usual, or None.

    Examples
    --------
    >>> from features.analytes import ANALYTES
    >>> likely_unit(ANALYTES["hemoglobin"], 128.0, "g/dL")
    'g/L'
    """
    low, high = (
        error if warn is None else warn
        for warn, error in zip(analyte.warn, analyte.error, strict=True)
    )
    given = factor_to_canonical(analyte, unit)
    for other, factor in analyte.units.items():
        inside = low <= value * factor <= high
        if factor != given and inside and value > 0:
            return other
    return None


def _inverse(factor: float) -> float:
    inverse = 1.0 / factor
    nearest = round(inverse, 6)
    return nearest if abs(nearest - inverse) <= 1e-12 * inverse else inverse
