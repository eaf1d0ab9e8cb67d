"""From an answer document to the words and numbers of the page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from features.analytes import ANALYTES
from features.criteria import CRITERIA
from features.landmark import DERIVED
from models.completions import NextTest
from serving.values import Json
from serving.web.curve import Look, looks
from serving.web.texts import Texts

__all__ = ["Cell", "ModelRow", "RiskTable", "input_label", "percent", "risk_table"]


def percent(risk: float | None) -> str:
    """A risk for people: whole percents from 10 % on, one decimal below.

    Examples
    --------
    >>> percent(0.264), percent(0.062), percent(0.0004), percent(None)
    ('26 %', '6.2 %', '< 0.1 %', '–')
    """
    if risk is None:
        return "–"
    share = 100 * risk
    if 0 < share < 0.1:
        return "< 0.1 %"
    return f"{share:.0f} %" if share >= 9.95 else f"{share:.1f} %"


def years_label(years: float, t: Texts) -> str:
    """A horizon in words."""
    answer: Mapping[str, str] = t["answer"]
    return answer["year"] if years == 1 else answer["years"].format(n=f"{years:g}")


def input_label(name: str, t: Texts) -> str:
    """What people call an input."""
    if name in ANALYTES:
        return ANALYTES[name].label
    if name in DERIVED:
        return DERIVED[name][1]
    return str(t["form"].get(name, name))


def criterion_label(name: str) -> str:
    """The inequality of a criterion, as published."""
    return CRITERIA[name].rule


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
        return Cell(percent(risk), "")
    span = f"{percent(lower).removesuffix(' %')}–{percent(upper)}"
    return Cell("" if risk is None else percent(risk), f"({span})")


def agreement_lines(told: Sequence[Json], t: Texts) -> list[str]:
    """Where models agree and part, one sentence per horizon."""
    return [_agreement_line(row, t) for row in told]


def _agreement_line(row: Json, t: Texts) -> str:
    words: Mapping[str, str] = t["agreement"]
    voices = row["voices"]
    lowest, highest = voices[0], max(voices, key=lambda voice: float(voice["upper"]))
    return words["agree" if row["agree"] else "part"].format(
        horizon=years_label(row["horizon_years"], t),
        models=len(voices),
        apart=len(row["apart"]),
        pairs=len(voices) * (len(voices) - 1) // 2,
        lowest_model=lowest["model"],
        lowest=percent(lowest["lower"]),
        highest_model=highest["model"],
        highest=percent(highest["upper"]),
    )


def next_test_lines(found: Sequence[NextTest], t: Texts) -> list[str]:
    """The missing tests that would tell most, the first one first, at most three."""
    line: str = t["answer"]["next_line"]
    return [
        line.format(test=input_label(each.test, t), models=", ".join(each.models))
        for each in found[:3]
    ]


def used_value(row: Mapping[str, Any]) -> str:
    """A value in the canonical unit, to the digits a laboratory reports."""
    used = row["used"]
    text = f"{used:.3g}" if abs(used) < 100 else f"{used:.0f}"
    return text if row["unit"] == "1" else f"{text} {row['unit']}"
