"""What each model lacked, what knowing it would change, and which test would tell most."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.completions import NextTest
from serving.values import Json
from serving.web.labels import model_label, models_label, orders_label, test_label
from serving.web.numbers import span, within_label
from serving.web.risk_table import group_label, is_bare
from serving.web.texts import Texts

__all__ = ["MissingLine", "missing_lines", "next_test_lines"]

MOST_NEXT_TESTS = 3


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
    inputs = orders_label(entry["missing"], t)
    open_risks = [
        row for row in entry["risks"] if not is_bare(row) and row["lower"] != row["upper"]
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
        return words["groups"].format(inputs=inputs, groups=group_label(entry, t))
    return words["nothing"].format(inputs=inputs)


def next_test_lines(found: Sequence[NextTest], t: Texts) -> list[str]:
    """The missing tests that would tell most, the first one first, at most three."""
    line: str = t["answer"]["next_line"]
    return [
        line.format(
            test=test_label(each.test, t),
            models=models_label(each.models, t),
            points=max(round(100 * each.narrowing), 1),
        )
        for each in found[:MOST_NEXT_TESTS]
    ]
