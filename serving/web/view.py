"""From an answer document to the words and numbers of the page."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.completions import NextTest
from serving.values import Json
from serving.web.curve import Look, looks
from serving.web.messages import said
from serving.web.numbers import percent, quantity, span, within_label, years_label
from serving.web.texts import Texts

__all__ = [
    "Cell",
    "ModelRow",
    "RiskTable",
    "Summary",
    "agreement_lines",
    "field_label",
    "given_lines",
    "input_label",
    "missing_lines",
    "model_label",
    "next_test_lines",
    "risk_table",
    "summary",
]

LAB = re.compile(r"visits\[(\d+)\]\.(?:labs\.)?(\w+)(?:\.\w+)?")
MOST_NEXT_TESTS = 3
IMAGING = ("mri_lesions", "bone_lesions")
"""Criteria that only imaging answers; met, the disease is no longer smouldering."""


def input_label(name: str, t: Texts) -> str:
    """What people call an input."""
    return str(t["input"].get(name, name))


def test_label(name: str, t: Texts) -> str:
    """What people call an order: a test, or several that are ordered together."""
    return str(t["test"].get(name) or input_label(name, t))


def model_label(entry: Mapping[str, Any], t: Texts) -> str:
    """What people call a model, short enough for a curve."""
    return str(t["model"].get(entry["model"], entry["label"]))


def field_label(field: str, t: Texts) -> str:
    """What people call a field of the form."""
    if found := LAB.fullmatch(field):
        return f"{input_label(found[2], t)}, {t['form']['visit']} {int(found[1]) + 1}"
    section, _, name = field.rpartition(".")
    if section == "gate":
        return str(t["gate"][name])
    if field in t["field"]:
        return str(t["field"][field])
    return input_label(name, t)


def given_lines(asked: Json, document: Json, t: Texts) -> list[str]:
    """Whom the answer is about, without a name: the person and the latest value of each test."""
    subject = asked["subject"]
    lines = [
        f"{input_label(name, t)} {_plainly(subject[name], t)}"
        for name in ("sex", "age", "heavy_chain", "light_chain", "diagnosis_date")
        if name in subject
    ]
    latest: dict[str, Json] = {}
    for row in document["inputs"]:
        if row["used"] is not None and row.get("date", "") >= latest.get(row["analyte"], {}).get(
            "date", ""
        ):
            latest[row["analyte"]] = row
    return lines + [
        f"{input_label(name, t)} {quantity(row['used'], row['unit'], t)}"
        + (f" ({row['date']})" if "date" in row else "")
        for name, row in latest.items()
    ]


def _plainly(value: object, t: Texts) -> str:
    if isinstance(value, float):
        return quantity(value, "1", t)
    return str(t["option"].get(value, value))


@dataclass(frozen=True, slots=True)
class Cell:
    """One risk of the table."""

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


def risk_table(estimates: Sequence[Json], t: Texts) -> RiskTable:
    """Risks of all models at every horizon that any of them gives."""
    horizons = sorted({row["horizon_years"] for entry in estimates for row in entry["risks"]})
    look = looks(estimates)
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
    kinds = dict.fromkeys(entry["interval"] for entry in estimates if entry["interval"])
    notes = [t["answer"]["range" if kind.startswith("range") else "interval"] for kind in kinds]
    if any(row["risk"] is not None and _is_bare(row) for e in estimates for row in e["risks"]):
        notes.append(t["answer"]["no_interval"])
    return tuple(notes)


def _is_bare(row: Json) -> bool:
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
        group=_group(entry, t),
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


def _group(entry: Json, t: Texts) -> str:
    groups = [str(t["risk_group"].get(group, group)) for group in entry.get("groups", [])]
    if len(groups) < 2:
        return "".join(groups)
    return str(t["answer"]["possible_groups"].format(groups=" / ".join(groups)))


def _cell(row: Json, t: Texts) -> Cell:
    risk, lower, upper = row["risk"], row["lower"], row["upper"]
    if risk is None and (lower is None or upper is None):
        return Cell("", t["answer"]["no_rate"])
    if _is_bare(row):
        return Cell(percent(risk, t), "")
    return Cell("" if risk is None else percent(risk, t), f"({span(lower, upper, t)})")


@dataclass(frozen=True, slots=True)
class Summary:
    """The answer in three short statements: what it is, how risky, what to order next.

    Parameters
    ----------
    open_stage
        What the staging still needs, where it is undetermined.
    risk
        Lowest to highest of all models at the horizon most of them give.
    verdict
        Whether they agree.
    """

    open_stage: str
    risk_heading: str
    risk: str
    verdict: str
    next_test: str
    next_why: str


def summary(document: Json, found: Sequence[NextTest], t: Texts) -> Summary:
    """The answer at a glance."""
    needed = re.search(r"needs ([^;]+)", document["staging"]["reason"])
    is_open = document["staging"]["stage"] == "undetermined" and needed
    heading, risk, verdict = _overall(document, t)
    test, why = _next(document, found, t)
    return Summary(
        open_stage=said(f"needs {needed[1]}", t) if is_open and needed else "",
        risk_heading=heading,
        risk=risk,
        verdict=verdict,
        next_test=test,
        next_why=why,
    )


def _next(document: Json, found: Sequence[NextTest], t: Texts) -> tuple[str, str]:
    """What to order next and why: what narrows the models, else imaging nobody has looked at."""
    words: Mapping[str, str] = t["summary"]
    if found:
        models = _models(found[0].models, t)
        return test_label(found[0].test, t), words["test_why"].format(models=models)
    unseen = [name for name in document["staging"]["unknown"] if name in IMAGING]
    if unseen and document["staging"]["stage"] in ("MGUS", "SMM"):
        criteria = ", ".join(str(t["criterion"][name]) for name in unseen)
        return words["imaging"], words["imaging_why"].format(criteria=criteria)
    return words["no_test"], words["no_test_why"]


def _overall(document: Json, t: Texts) -> tuple[str, str, str]:
    """Horizon, range and verdict at the horizon most models give."""
    words: Mapping[str, str] = t["summary"]
    if not document["agreement"]:
        return t["answer"]["models"], "–", words["too_few"]
    row = max(document["agreement"], key=lambda each: len(each["voices"]))
    voices = row["voices"]
    lowest, highest = voices[0]["lower"], max(voice["upper"] for voice in voices)
    verdict = words["agree" if row["agree"] else "part"].format(
        models=len(voices), apart=len(row["apart"]), pairs=_pairs(len(voices))
    )
    heading = words["risk"].format(within=within_label(row["horizon_years"], t))
    return heading, span(lowest, highest, t), verdict


def _pairs(models: int) -> int:
    return models * (models - 1) // 2


def _models(names: Sequence[str], t: Texts) -> str:
    return ", ".join(str(t["model"].get(name, name)) for name in names)


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
        pairs=_pairs(len(voices)),
        lowest_model=_models([lowest["model"]], t),
        lowest=percent(lowest["lower"], t),
        highest_model=_models([highest["model"]], t),
        highest=percent(highest["upper"], t),
    )
    return line[0].upper() + line[1:]


@dataclass(frozen=True, slots=True)
class MissingLine:
    """What one model lacked, and what that would change."""

    model: str
    words: str


def missing_lines(estimates: Sequence[Json], t: Texts) -> list[MissingLine]:
    """What each model lacked and what knowing it would change, model by model."""
    return [
        MissingLine(model_label(entry, t), _missing(entry, t))
        for entry in estimates
        if entry["missing"]
    ]


def _missing(entry: Json, t: Texts) -> str:
    words: Mapping[str, str] = t["missing"]
    inputs = _inputs(entry["missing"], t)
    open_risks = [
        row for row in entry["risks"] if not _is_bare(row) and row["lower"] != row["upper"]
    ]
    if entry["status"] == "refused":
        return words["refused"].format(inputs=inputs)
    if entry["status"] == "ok":
        return words["optional"].format(inputs=inputs)
    if open_risks:
        row = open_risks[0]
        return words["range"].format(
            inputs=inputs,
            within=within_label(row["horizon_years"], t),
            range=span(row["lower"], row["upper"], t),
        )
    if len(entry.get("groups", [])) > 1:
        return words["groups"].format(inputs=inputs, groups=_group(entry, t))
    return words["nothing"].format(inputs=inputs)


def _inputs(names: Sequence[str], t: Texts) -> str:
    """Inputs by name; cytogenetic ones come from one order and are told as one."""
    orders = ("FISH" if name.startswith("fish_") else name for name in names)
    return ", ".join(test_label(order, t) for order in dict.fromkeys(orders))


def next_test_lines(found: Sequence[NextTest], t: Texts) -> list[str]:
    """The missing tests that would tell most, the first one first, at most three."""
    line: str = t["answer"]["next_line"]
    return [
        line.format(
            test=test_label(each.test, t),
            models=_models(each.models, t),
            points=max(round(100 * each.narrowing), 1),
        )
        for each in found[:MOST_NEXT_TESTS]
    ]
