"""From an answer to the card that a clinician sees.

One card, or none: a chart without anything to say about progression shows nothing. A learned model
made from a simulated cohort is a demonstration and never reaches a chart.
"""

import uuid
from collections.abc import Sequence

from features.criteria import EVENT, STAGES, UNDETERMINED
from serving.cds_hooks.services import REASON_SYSTEM, REASONS
from serving.values import Json
from serving.web.numbers import percent, span
from serving.web.texts import texts

__all__ = ["MOST_CHARACTERS", "cards"]

MOST_CHARACTERS = 140
"""CDS Hooks 2.0: a summary has fewer characters than this."""

MOST_DOUBTS = 10
"""Shown on a card; a chart is no place for a longer list."""

CLONAL = ("m_protein", "urine_m_protein", "bmpc")

LEAD_HORIZON = 2.0
"""Years; the horizon of the usual definition of high risk (Mateos MV, Blood Cancer J 2020;10:102,
doi:10.1038/s41408-020-00366-3)."""


def cards(answer: Json, *, request_id: str, base: str, confirm: Sequence[str] = ()) -> list[Json]:
    """Cards of an answer.

    Parameters
    ----------
    answer
        Document of `serving.answer`.
    request_id
        32 hexadecimal digits; the card's identifier follows from it.
    base
        Address of this server, without a slash at its end.
    confirm
        What is doubted of the person or the results.
    """
    told = [
        entry
        for entry in answer["estimates"]
        if entry["risks"] and entry["provenance"].get("cohort_kind") != "simulated"
    ]
    if not _shows_a_clone(answer):
        return []
    event = answer["staging"]["stage"] == STAGES[EVENT]
    lead = _lead(told)
    if lead is None and not event:
        return []
    high = event or (lead is not None and lead.get("groups") == ["high"])
    return [
        {
            "uuid": str(uuid.uuid5(uuid.UUID(request_id), "card")),
            "summary": _summary(answer, None if event else lead),
            "detail": _detail(answer, told, confirm),
            "indicator": "warning" if high else "info",
            "source": {"label": "Smoulder", "url": f"{base}/ui/models"},
            "links": [
                {"label": "Enter values in Smoulder", "url": f"{base}/ui/", "type": "absolute"}
            ],
            "overrideReasons": [
                {"code": code, "system": REASON_SYSTEM, "display": text}
                for code, text in REASONS.items()
            ],
        }
    ]


def _shows_a_clone(answer: Json) -> bool:
    """Whether anything but routine chemistry was found; nobody else's chart is to show a card."""
    if answer["staging"]["stage"] != STAGES[UNDETERMINED]:
        return True
    return any(each.analyte in CLONAL and (each.used or 0) > 0 for each in answer["inputs"])


def _lead(told: Sequence[Json]) -> Json | None:
    """The model a summary names: the champion, else the first that knows all it reads."""
    ranked = sorted(
        told, key=lambda e: (e.get("role") != "champion", e["status"] != "ok")
    )  # stable: the order of the answer decides
    return next((entry for entry in ranked if _lead_row(entry) is not None), None)


def _lead_row(entry: Json) -> Json | None:
    rows = [row for row in entry["risks"] if _risk(row)]
    two = [row for row in rows if row["horizon_years"] == LEAD_HORIZON]
    return next(iter(two or rows), None)


def _summary(answer: Json, lead: Json | None) -> str:
    stage = answer["staging"]["stage"]
    row = None if lead is None else _lead_row(lead)
    if lead is None or row is None:
        text = "Meets a criterion of myeloma by IMWG 2014; see what to confirm"
    else:
        group = f", {' or '.join(lead['groups'])}" if lead.get("groups") else ""
        years = f"{row['horizon_years']:g} years"
        text = f"{stage}: {_risk(row)} risk of progression within {years} ({lead['label']}{group})"
    return text if len(text) < MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 2]}…"


def _risk(row: Json) -> str:
    """Risk in percent, or the range that a missing marker leaves; empty where there is neither."""
    if row["risk"] is not None:
        return percent(row["risk"], texts("en"))
    if row["lower"] is not None and row["upper"] is not None:
        return span(row["lower"], row["upper"], texts("en"))
    return ""


def _detail(answer: Json, told: Sequence[Json], confirm: Sequence[str]) -> str:
    staging = answer["staging"]
    lines = [f"**{staging['stage']}** – {staging['reason']} (on {answer['as_of']})", ""]
    if told:
        lines += ["| model | group | risk of progression |", "|---|---|---|"]
        for entry in told:
            risks = ", ".join(
                f"{row['horizon_years']:g} y: {_risk(row)}" for row in entry["risks"] if _risk(row)
            )
            group = " or ".join(entry.get("groups", []))
            name = entry["label"] + (" (incomplete)" if entry["status"] == "partial" else "")
            lines.append(f"| {name} | {group} | {risks} |")
        lines.append("")
    missing = list(dict.fromkeys(name for entry in told for name in entry["missing"]))
    if missing:
        lines += [f"Missing: {', '.join(missing)}.", ""]
    return "\n".join([*lines, *_to_confirm(confirm), answer["notice"]])


def _to_confirm(confirm: Sequence[str]) -> list[str]:
    """A list of what is doubted, and how much more there is of it."""
    if not confirm:
        return []
    more = len(confirm) - MOST_DOUBTS
    shown = [*confirm[:MOST_DOUBTS], *([f"{more} more"] if more > 0 else [])]
    return ["To confirm:", "", *(f"- {each}" for each in shown), ""]
