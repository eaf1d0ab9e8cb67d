"""Panels and reports of FHIR R4: what they say of the results that they list."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from features.sources.bundles import Json
from features.sources.people import target_of

__all__ = ["Listed", "Panels"]

ISO_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
WITHDRAWN = frozenset({"cancelled", "entered-in-error"})
DOUBT = "is listed by a report or panel that was withdrawn; confirm it"


class Listed(NamedTuple):
    """What panels and reports say of one result.

    Parameters
    ----------
    day
        ISO day, or empty: for a result that carries none.
    doubts
        What is to be confirmed.
    """

    day: str
    doubts: tuple[str, ...]


@dataclass(slots=True)
class Panels:
    """Panels (Observations with members) and DiagnosticReports of a source."""

    _days: dict[str, set[str]] = field(default_factory=dict)
    _withdrawn: set[str] = field(default_factory=set)

    def add(self, url: str, resource: Json) -> None:
        """Keep what a panel or report says of its results."""
        targets = _targets(url, resource)
        if str(resource.get("status")) in WITHDRAWN:
            self._withdrawn.update(targets)
        elif day := _day(resource):
            for target in targets:
                self._days.setdefault(target, set()).add(day)

    def of(self, names: Iterable[str]) -> Listed:
        """What is said of the result with these names; a day that two dispute is none."""
        names = tuple(names)
        days = {day for name in names for day in self._days.get(name, ())}
        doubts = (DOUBT,) if self._withdrawn.intersection(names) else ()
        return Listed(days.pop() if len(days) == 1 else "", doubts)


def _targets(url: str, resource: Json) -> list[str]:
    listed = [resource.get(part) for part in ("hasMember", "result")]
    return [
        target_of(str(member.get("reference")), url)
        for members in listed
        if isinstance(members, list)
        for member in members
        if isinstance(member, dict)
    ]


def _day(resource: Json) -> str:
    period = resource.get("effectivePeriod")
    ends = (period.get("start"), period.get("end")) if isinstance(period, dict) else ()
    given = (resource.get("effectiveDateTime"), resource.get("effectiveInstant"), *ends)
    days = (str(each)[:10] for each in given if each)
    return next((day for day in days if _is_day(day)), "")


def _is_day(text: str) -> bool:
    try:
        return ISO_DAY.fullmatch(text) is not None and bool(date.fromisoformat(text))
    except ValueError:
        return False
