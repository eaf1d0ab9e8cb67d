"""Panels and reports of FHIR R4: the day they give to those of their results that carry none."""

import re
from datetime import date

from features.sources.bundles import Json
from features.sources.gathered import Gathered
from features.sources.people import target_of

__all__ = ["gather_panel"]

ISO_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def gather_panel(found: Gathered, url: str, resource: Json) -> None:
    """Keep the day of a panel (Observation with members) or DiagnosticReport."""
    day = resource.get("effectiveDateTime")
    if not isinstance(day, str) or not _is_day(day[:10]):
        return
    for part in ("hasMember", "result"):
        members = resource.get(part, [])
        for member in members if isinstance(members, list) else []:
            if isinstance(member, dict):
                target = target_of(str(member.get("reference")), url)
                found.day_of_member[target] = day[:10]


def _is_day(text: str) -> bool:
    try:
        return ISO_DAY.fullmatch(text) is not None and bool(date.fromisoformat(text))
    except ValueError:
        return False
