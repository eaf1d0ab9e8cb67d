"""Values as JSON: numbers without NaN, days as text, inputs as given and as used."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

import msgspec
import numpy as np
from msgspec import UNSET, UnsetType

from features.analytes import ANALYTES
from features.derived import DERIVED
from features.history import Floats
from features.landmark import LandmarkFeatures
from features.visits import Visits
from serving.request import EPOCH, GivenValue, RiskRequest

__all__ = ["Input", "Json", "input_documents", "iso_day", "number", "numbers"]

Json = dict[str, Any]
"""A JSON object on its way out; it is built here and in `answer`, and only encoded after."""


class Input(msgspec.Struct):
    """One value of an answer.

    Parameters
    ----------
    analyte
        Analyte or derived quantity.
    date
        Of the visit; unset for what was computed.
    given
        As the caller gave it; None for what was computed.
    used, unit
        As the models read it.
    computed
        How, for what was computed.
    flag
        What is unusual about it.
    """

    analyte: str
    date: str | UnsetType
    given: GivenValue | None
    used: float | None
    unit: str
    computed: str | UnsetType = UNSET
    flag: str | UnsetType = UNSET


UNITS = {name: analyte.unit for name, analyte in ANALYTES.items()}

DERIVED_SHOWN = {
    "flc_ratio_involved": ("flc_ratio_involved", "1", "from kappa, lambda and the involved chain"),
    "egfr": (DERIVED["egfr"][0], "mL/min/{1.73_m2}", "CKD-EPI 2021 from creatinine, age and sex"),
    "calcium_corrected": (DERIVED["calcium_corrected"][0], "mg/dL", "calcium + 0.8 (4 - albumin)"),
}
"""Quantities computed from the inputs: feature, UCUM unit, how."""


def number(value: float | np.floating[Any]) -> float | None:
    """A JSON number; None for NaN, which JSON has no word for."""
    plain = float(value)
    return None if plain != plain else plain


def numbers(values: Floats) -> list[Any]:
    """An array as JSON: nested lists of numbers, None for NaN."""
    absent = np.isnan(values)
    if absent.any():
        values = values.astype(object)
        values[absent] = None
    return list(values.tolist())


@lru_cache(maxsize=4096)
def iso_day(day: int) -> str:
    """Day since 1970-01-01 as YYYY-MM-DD."""
    return date.fromordinal(day + EPOCH).isoformat()


def input_documents(
    requests: Sequence[RiskRequest], visits: Visits, features: LandmarkFeatures
) -> Callable[[int, Mapping[str, str]], list[Input]]:
    """From a landmark and its doubts to every value as given and as used.

    The last value of each derived quantity follows, with how it was computed.
    """
    first = np.cumsum([0, *(len(request.visits) for request in requests)]).tolist()
    labs = visits.history.labs
    names = [name for name in labs if name in ANALYTES]
    used = dict(zip(names, numbers(visits.history.table(names)), strict=True))
    visit_of_row = visits.visit_of_row.tolist()
    shown = {name: told for name, told in DERIVED_SHOWN.items() if name in labs}
    latest = numbers(features.matrix(feature for feature, _, _ in shown.values()).T)
    derived = {
        name: (values, unit, how)
        for (name, (_, unit, how)), values in zip(shown.items(), latest, strict=True)
    }

    def of_landmark(k: int, doubts: Mapping[str, str]) -> list[Input]:
        s = int(features.subject[k])
        told: list[Input] = []
        for at, visit in enumerate(requests[s].visits, first[s]):
            row, day = visit_of_row[at], iso_day(visit.day)
            entries = [
                Input(name, day, given, used[name][row], UNITS[name])
                for name, given in visit.values
            ]
            if doubts:
                _flag(entries, visit.place, doubts)
            told += entries
        given_names = {entry.analyte for entry in told}
        for name, (values, unit, how) in derived.items():
            last = values[k]
            if name not in given_names and last is not None:
                told.append(Input(name, UNSET, None, last, unit, how))
        return told

    return of_landmark


def _flag(entries: Sequence[Input], visit: int, doubts: Mapping[str, str]) -> None:
    """Add its doubt to each value of a visit that has one."""
    for entry in entries:
        doubt = doubts.get(f"visits[{visit}].labs.{entry.analyte}.value")
        if doubt is not None:
            entry.flag = doubt
