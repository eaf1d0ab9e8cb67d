"""Columns of a table of visits as a person chooses among them."""

from collections.abc import Mapping
from types import MappingProxyType

from features.analytes import ANALYTES, column_name
from serving.web.numbers import unit_label
from serving.web.screening_frames import Column
from serving.web.texts import Texts

__all__ = ["GROUPS", "column_label", "likely_units"]

_TESTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        column_name(analyte.name, unit): (analyte.name, unit)
        for analyte in ANALYTES.values()
        for unit in reversed(tuple(analyte.units))
    }
)

GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "subject_fields": (
            "subject_id",
            "date",
            "years",
            "age",
            "birth_year",
            "sex",
            "heavy_chain",
            "light_chain",
            "diagnosis_date",
        ),
        "test_fields": tuple(
            dict.fromkeys(
                column_name(analyte.name, unit)
                for analyte in ANALYTES.values()
                for unit in analyte.units
            )
        ),
        "long_fields": ("analyte", "loinc", "value", "unit"),
    }
)
"""What a column may be, by the heading it stands under."""


def column_label(name: str, t: Texts) -> str:
    """What people call a column: a field of the patient, or a test and its unit."""
    if name not in _TESTS:
        words: Mapping[str, str] = {**t["input"], **t["screening"]["field"]}
        return words[name]
    analyte, unit = _TESTS[name]
    label = str(t["input"][analyte])
    return f"{label}, {unit_label(unit)}" if unit != "1" else label


def likely_units(column: Column) -> str:
    """Units in which the middle value of a column is usual."""
    units = [_TESTS[name][1] for name in column.likely]
    return " / ".join(unit_label(unit) for unit in units if unit != "1")
