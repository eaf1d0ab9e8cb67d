"""From an answer document to the words and numbers of the page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.completions import NextTest
from serving.values import Json
from serving.web.curve import Look, looks
from serving.web.numbers import percent, span, within_label, years_label
from serving.web.texts import Texts

__all__ = ["Cell", "ModelRow", "RiskTable", "input_label", "model_label", "risk_table"]


def input_label(name: str, t: Texts) -> str:
    """What people call an input."""
    return str(t["input"].get(name, name))


def model_label(entry: Mapping[str, Any], t: Texts) -> str:
    """What people call a model."""
    return str(t["model"].get(entry["model"], entry["label"]))


@dataclass(frozen=True, slots=True)
class Cell:
    """One risk of the table."""

    risk: str
    interval: str


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One model of the table."""

    entry: Json
    look: Look | None
    group: str
    cells: tuple[Cell | None, ...]
    missing: tuple[str, ...]
    demonstration: str | None


@dataclass(frozen=True, slots=True)
class RiskTable:
    """Models by horizons."""

    horizons: tuple[str, ...]
    rows: tuple[ModelRow, ...]
    kinds: tuple[str, ...]


def risk_table(estimates: Sequence[Json], t: Texts) -> RiskTable:
    """Risks of all models at every horizon that any of them gives."""
    horizons = sorted({row["horizon_years"] for entry in estimates for row in entry["risks"]})
    look = looks(estimates)
    rows = tuple(_row(look, entry, horizons, t) for entry in estimates)
    kinds = tuple(dict.fromkeys(e["interval"] for e in estimates if e["interval"]))
    return RiskTable(tuple(years_label(years, t) for years in horizons), rows, kinds)


def _row(look: Mapping[str, Look], entry: Json, horizons: Sequence[float], t: Texts) -> ModelRow:
    given = {row["horizon_years"]: row for row in entry["risks"]}
    return ModelRow(
        entry=entry,
        look=look.get(entry["model"]),
        group=_group(entry, t),
        cells=tuple(_cell(given[years], t) if years in given else None for years in horizons),
        missing=tuple(input_label(name, t) for name in entry["missing"]),
        demonstration=entry["provenance"].get("notice"),
    )


def _group(entry: Json, t: Texts) -> str:
    if "group" in entry:
        return str(entry["group"])
    groups = entry.get("groups", [])
    if not groups:
        return ""
    return str(t["answer"]["possible_groups"].format(groups=" / ".join(groups)))


def _cell(row: Json, t: Texts) -> Cell:
    risk, lower, upper = row["risk"], row["lower"], row["upper"]
    if risk is None and (lower is None or upper is None):
        return Cell("", t["answer"]["no_rate"])
    if lower is None or upper is None or lower == upper == risk:
        return Cell(percent(risk, t), "")
    return Cell("" if risk is None else percent(risk, t), f"({span(lower, upper, t)})")


def agreement_lines(told: Sequence[Json], t: Texts) -> list[str]:
    """Where models agree and part, one sentence per horizon."""
    return [_agreement_line(row, t) for row in told]


def _agreement_line(row: Json, t: Texts) -> str:
    words: Mapping[str, str] = t["agreement"]
    voices = row["voices"]
    lowest, highest = voices[0], max(voices, key=lambda voice: float(voice["upper"]))
    line = words["agree" if row["agree"] else "part"].format(
        within=within_label(row["horizon_years"], t),
        models=len(voices),
        apart=len(row["apart"]),
        pairs=len(voices) * (len(voices) - 1) // 2,
        lowest_model=lowest["model"],
        lowest=percent(lowest["lower"], t),
        highest_model=highest["model"],
        highest=percent(highest["upper"], t),
    )
    return line[0].upper() + line[1:]


def next_test_lines(found: Sequence[NextTest], t: Texts) -> list[str]:
    """The missing tests that would tell most, the first one first, at most three."""
    line: str = t["answer"]["next_line"]
    return [
        line.format(test=input_label(each.test, t), models=", ".join(each.models))
        for each in found[:3]
    ]
