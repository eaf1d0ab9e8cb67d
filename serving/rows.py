"""From requests to lab rows: the form in which every source hands over what it read."""

import math
from collections.abc import Sequence

import numpy as np

from features.history import Floats, Ints
from features.labs import LabColumn, LabRows, age_from_birth_year, years_from_days
from serving.request import RiskRequest

__all__ = ["as_of_days", "lab_rows"]


def as_of_days(requests: Sequence[RiskRequest]) -> Ints:
    """(s,) days since 1970-01-01 at which each risk is asked: as given, else the last visit."""
    return np.array([_as_of(request) for request in requests], dtype=np.int64)


def _as_of(request: RiskRequest) -> int:
    if request.as_of_day is not None:
        return request.as_of_day
    return max([visit.day for visit in request.visits], default=0)


def lab_rows(requests: Sequence[RiskRequest], asked: Ints) -> LabRows:
    """Lab rows of many requests, asked at days; `row` is a visit's place in its subject's list.

    A finding on them is named by ``visits[row].`` and its field. Problems of reading stay with the
    request and are not repeated here.
    """
    visits = [(s, visit) for s, request in enumerate(requests) for visit in request.visits]
    subject = np.array([s for s, _ in visits], dtype=np.int64)
    days = np.array([visit.day for _, visit in visits], dtype=np.int64)
    time_years = years_from_days(days)
    return LabRows(
        subject_ids=tuple(str(s) for s in range(len(requests))),
        subject=subject,
        time_years=time_years,
        row=np.array([visit.place for _, visit in visits], dtype=np.int64),
        age_years=_ages(requests, asked, subject, time_years),
        sex=np.array([request.sex for request in requests], dtype=np.int8),
        heavy_chain=np.array([request.heavy_chain for request in requests], dtype=np.int8),
        light_chain=np.array([request.light_chain for request in requests], dtype=np.int8),
        diagnosis_years=years_from_days(
            np.array([_or_nan(request.diagnosis_day) for request in requests])
        ),
        columns=_columns(requests),
        dated=True,
    )


def _ages(
    requests: Sequence[RiskRequest], asked: Ints, subject: Ints, time_years: Floats
) -> Floats:
    """(n,) ages at the visits, from the age at the day asked about or from the year of birth."""
    age = np.array([request.age for request in requests])[subject]
    birth = np.array([request.birth_year for request in requests])[subject]
    since = years_from_days(asked)[subject] - time_years
    return np.where(np.isnan(age), age_from_birth_year(time_years, birth), age - since)


def _columns(requests: Sequence[RiskRequest]) -> tuple[LabColumn, ...]:
    grouped: dict[tuple[str, str], tuple[list[int], list[float]]] = {}
    index = 0
    for request in requests:
        for visit in request.visits:
            for analyte, given in visit.values:
                column = grouped.get((analyte, given.unit))
                if column is None:
                    column = grouped[analyte, given.unit] = ([], [])
                column[0].append(index)
                column[1].append(given.value)
            index += 1
    return tuple(
        LabColumn(
            analyte, unit, np.array(at, dtype=np.int64), np.array(values), f"labs.{analyte}.value"
        )
        # In one order, so that findings come in the same order whoever else asks.
        for (analyte, unit), (at, values) in sorted(grouped.items())
    )


def _or_nan(day: int | None) -> float:
    return math.nan if day is None else float(day)
