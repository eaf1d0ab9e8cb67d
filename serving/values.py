"""Values as JSON: numbers without NaN, days as text, inputs as given and as used."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np

from features.analytes import ANALYTES
from features.landmark import DERIVED, LandmarkFeatures
from features.visits import Visits
from serving.request import EPOCH, RiskRequest

__all__ = ["Json", "input_documents", "iso_day", "number"]

Json = dict[str, Any]
"""A JSON object on its way out; it is built here and in `answer`, and only encoded after."""

DERIVED_SHOWN = {
    "flc_ratio_involved": ("flc_ratio_involved", "1", "from kappa, lambda and the involved chain"),
    "egfr": (DERIVED["egfr"][0], "mL/min/{1.73_m2}", "CKD-EPI 2021 from creatinine, age and sex"),
    "calcium_corrected": (DERIVED["calcium_corrected"][0], "mg/dL", "calcium + 0.8 (4 - albumin)"),
}
"""Quantities computed from the inputs: feature, UCUM unit, how."""


def number(value: float | np.floating[Any]) -> float | None:
    """A JSON number; None for NaN, which JSON has no word for."""
    plain = float(value)
    return None if np.isnan(plain) else plain


def iso_day(day: int) -> str:
    """Day since 1970-01-01 as YYYY-MM-DD."""
    return date.fromordinal(day + EPOCH).isoformat()


def input_documents(
    requests: Sequence[RiskRequest], visits: Visits, features: LandmarkFeatures
) -> Callable[[int, Mapping[str, str]], list[Json]]:
    """From a landmark and its doubts to every value as given and as used.

    The last value of each derived quantity follows, with how it was computed.
    """
    first = np.cumsum([0, *(len(request.visits) for request in requests)])
    labs = visits.history.labs
    derived = {
        name: (features[feature], unit, how)
        for name, (feature, unit, how) in DERIVED_SHOWN.items()
        if name in labs
    }

    def of_landmark(k: int, doubts: Mapping[str, str]) -> list[Json]:
        s = int(features.subject[k])
        told = []
        given_names = set()
        for i, visit in enumerate(requests[s].visits):
            at = visits.visit_of_row[first[s] + i]
            for given in visit.values:
                given_names.add(given.analyte)
                entry: Json = {
                    "analyte": given.analyte,
                    "date": iso_day(visit.day),
                    "given": {"value": given.value, "unit": given.unit},
                    "used": number(labs[given.analyte][at]),
                    "unit": ANALYTES[given.analyte].unit,
                }
                doubt = doubts.get(f"visits[{visit.place}].labs.{given.analyte}.value")
                if doubt is not None:
                    entry["flag"] = doubt
                told.append(entry)
        for name, (values, unit, how) in derived.items():
            if name not in given_names and not np.isnan(values[k]):
                used = number(values[k])
                told.append(
                    {"analyte": name, "given": None, "used": used, "unit": unit, "computed": how}
                )
        return told

    return of_landmark
