"""Whom an answer is about, and every value as it was given and as it was used."""

from collections.abc import Sequence
from dataclasses import dataclass

from serving.values import Json
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


def input_rows(told: Sequence[Json], t: Texts) -> list[InputRow]:
    """Every value of an answer, in its order."""
    return [_input_row(row, t) for row in told]


def _input_row(row: Json, t: Texts) -> InputRow:
    given = row["given"]
    return InputRow(
        name=input_label(row["analyte"], t),
        date=row.get("date", ""),
        given=quantity(given.value, given.unit, t) if given else "",
        computed="" if given else said(row["computed"], t),
        used=quantity(row["used"], row["unit"], t),
        doubt=said(row["flag"], t) if "flag" in row else "",
    )
