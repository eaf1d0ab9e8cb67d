"""Whom an answer is about, and every value as it was given and as it was used."""

from collections.abc import Sequence
from dataclasses import dataclass

from serving.values import Input, Json
from serving.web.labels import input_label
from serving.web.messages import said
from serving.web.numbers import quantity
from serving.web.texts import Texts

__all__ = ["InputRow", "given_lines", "input_rows"]


def given_lines(asked: Json, document: Json, t: Texts) -> list[str]:
    """Whom the answer is about, without a name: the person and the latest value of each test."""
    subject = asked["subject"]
    lines = [
        f"{input_label(name, t)} {_plainly(subject[name], t)}"
        for name in ("sex", "age", "heavy_chain", "light_chain", "diagnosis_date")
        if name in subject
    ]
    latest: dict[str, Input] = {}
    for row in document["inputs"]:
        known = latest.get(row.analyte)
        if row.used is not None and (known is None or (row.date or "") >= (known.date or "")):
            latest[row.analyte] = row
    return lines + [
        f"{input_label(name, t)} {_used(row, t)}" + (f" ({row.date})" if row.date else "")
        for name, row in latest.items()
    ]


def _used(row: Input, t: Texts) -> str:
    """A value as the models read it."""
    return "" if row.used is None else quantity(row.used, row.unit, t)


def _plainly(value: object, t: Texts) -> str:
    if isinstance(value, float):
        return quantity(value, "1", t)
    return str(t["option"].get(value, value))


@dataclass(frozen=True, slots=True)
class InputRow:
    """One value.

    Parameters
    ----------
    given
        As given, with its unit; empty for what was computed.
    computed
        How, for what was not given.
    used
        In the unit the models read.
    doubt
        What is unusual about it.
    """

    name: str
    date: str
    given: str
    computed: str
    used: str
    doubt: str


def input_rows(told: Sequence[Input], t: Texts) -> list[InputRow]:
    """Every value of an answer, in its order."""
    return [_input_row(row, t) for row in told]


def _input_row(row: Input, t: Texts) -> InputRow:
    given = row.given
    return InputRow(
        name=input_label(row.analyte, t),
        date=row.date or "",
        given=quantity(given.value, given.unit, t) if given else "",
        computed=said(row.computed, t) if row.computed else "",
        used=_used(row, t),
        doubt=said(row.flag, t) if row.flag else "",
    )
