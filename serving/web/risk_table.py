"""The risks of all models in one table, with what its numbers are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from serving.values import Json
from serving.web.curve import Look
from serving.web.labels import model_label
from serving.web.messages import said
from serving.web.numbers import percent, span, years_label
from serving.web.texts import Texts

__all__ = ["Cell", "ModelRow", "RiskTable", "group_label", "is_bare", "risk_table"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One risk of the table with its interval, or what is open with the word for it."""

    risk: str
    interval: str


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One model of the table.

    Parameters
    ----------
    name, about
        What people call it, and what it is.
    reason
        Why it did not answer, in words.
    """

    entry: Json
    look: Look | None
    name: str
    about: str
    group: str
    cells: tuple[Cell | None, ...]
    reason: str
    demonstration: str


@dataclass(frozen=True, slots=True)
class RiskTable:
    """Models by horizons.

    Parameters
    ----------
    notes
        What the brackets are, and which models give none.
    elsewhere
        Models for another disease, with what staging says.
    """

    horizons: tuple[str, ...]
    rows: tuple[ModelRow, ...]
    notes: tuple[str, ...]
    elsewhere: tuple[str, ...]


def risk_table(estimates: Sequence[Json], look: Mapping[str, Look], t: Texts) -> RiskTable:
    """Risks of all models at every horizon that any of them gives."""
    horizons = sorted({row["horizon_years"] for entry in estimates for row in entry["risks"]})
    rows = tuple(_row(look, entry, horizons, t) for entry in estimates if not _for_another(entry))
    return RiskTable(
        horizons=tuple(years_label(years, t) for years in horizons),
        rows=rows,
        notes=_notes(estimates, t),
        elsewhere=_elsewhere(estimates, t),
    )


def _for_another(entry: Json) -> bool:
    """Whether a model was not asked because its disease is another one."""
    return entry["status"] == "refused" and not entry["missing"]


def _elsewhere(estimates: Sequence[Json], t: Texts) -> tuple[str, ...]:
    by_reason: dict[str, list[str]] = {}
    for entry in estimates:
        if _for_another(entry):
            by_reason.setdefault(entry["reason"], []).append(model_label(entry, t))
    line: str = t["answer"]["elsewhere"]
    return tuple(
        line.format(models=", ".join(names), reason=said(reason, t))
        for reason, names in by_reason.items()
    )


def _notes(estimates: Sequence[Json], t: Texts) -> tuple[str, ...]:
    rows = [row for entry in estimates for row in entry["risks"]]
    told = [row for row in rows if row["risk"] is not None]
    kinds = {entry["interval"] for entry in estimates if entry["interval"]}
    notes = {
        "interval": any(not kind.startswith("range") for kind in kinds),
        "range": any(row["risk"] is None and row["lower"] is not None for row in rows),
        "no_interval": any(is_bare(row) for row in told),
    }
    return tuple(t["answer"][name] for name, needed in notes.items() if needed)


def is_bare(row: Json) -> bool:
    """Whether a risk comes without an interval or range."""
    lower, upper = row["lower"], row["upper"]
    return lower is None or upper is None or bool(lower == upper == row["risk"])


def _row(look: Mapping[str, Look], entry: Json, horizons: Sequence[float], t: Texts) -> ModelRow:
    given = {row["horizon_years"]: row for row in entry["risks"]}
    return ModelRow(
        entry=entry,
        look=look.get(entry["model"]),
        name=model_label(entry, t),
        about=_about(entry, t),
        group=group_label(entry, t),
        cells=tuple(_cell(given[years], t) if years in given else None for years in horizons),
        reason=said(entry.get("reason") or "", t),
        demonstration=said(entry["provenance"].get("notice", ""), t),
    )


def _about(entry: Json, t: Texts) -> str:
    """What a model is: its name as published, its kind or its role, its version."""
    kind = t["kind"][entry.get("role", entry["kind"])]
    version = entry["version"]
    if "role" in entry:
        version = f"{t['answer']['version']} {version}"
    return f"{said(entry['label'], t)} · {kind}, {version}"


def group_label(entry: Json, t: Texts) -> str:
    """Risk group of a model's answer, or those that remain possible."""
    groups = [str(t["risk_group"].get(group, group)) for group in entry.get("groups", [])]
    if len(groups) < 2:
        return "".join(groups)
    return str(t["answer"]["possible_groups"].format(groups=" / ".join(groups)))


def _cell(row: Json, t: Texts) -> Cell:
    risk, lower, upper = row["risk"], row["lower"], row["upper"]
    if risk is None and (lower is None or upper is None):
        return Cell("", t["answer"]["no_rate"])
    if risk is None:
        return Cell(span(lower, upper, t), t["answer"]["open"])
    return Cell(percent(risk, t), "" if is_bare(row) else f"({span(lower, upper, t)})")
