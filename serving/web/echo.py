"""What was typed, as it is read: days, converted values and what is unusual about them.

Answered field by field while the form is filled in, and shown again with every page; nothing here
is asked of a model and nothing is recorded.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from features.analytes import ANALYTES, Analyte
from features.units import to_canonical
from serving.web import days
from serving.web.form import Form
from serving.web.numbers import localised, quantity, unit_label
from serving.web.texts import Texts

__all__ = ["Echo", "day_echo", "row_echo"]


@dataclass(frozen=True, slots=True)
class Echo:
    """What is said beside a field or a row.

    Parameters
    ----------
    values
        As read; empty where that is what was typed.
    doubts
        What cannot be, and what is unusual and wants confirming.
    """

    values: str = ""
    doubts: tuple[str, ...] = ()

    def __html__(self) -> str:
        """Said beside the field."""
        if not self.values and not self.doubts:
            return ""
        doubts = [Markup(' <span class="doubt">{}</span>').format(each) for each in self.doubts]
        return Markup().join([f"= {self.values}" if self.values else "", *doubts])


def day_echo(typed: Mapping[str, str], field: str, t: Texts) -> Echo:
    """A day as it is read, where it was written otherwise."""
    text = typed.get(field, "").strip()
    read = days.iso(text)
    if not text or read == text:
        return Echo()
    return Echo(read) if read else Echo(doubts=(t["echo"]["day"],))


def row_echo(form: Form, name: str, t: Texts) -> Echo:
    """One test's values in the unit the models read, and whether any is unusual."""
    analyte = ANALYTES[name]
    unit = form.unit(analyte)
    given = {
        i: visit["labs"][name]["value"]
        for i, visit in zip(form.places, form.document["visits"], strict=True)
        if name in visit["labs"]
    }
    if not given or unit not in analyte.units:
        return Echo()
    used = to_canonical(analyte, np.array(list(given.values())), unit)
    doubts = dict.fromkeys(
        doubt for value in used.tolist() if (doubt := _doubt(value, analyte, unit, t))
    )
    values = ""
    if unit != analyte.unit:
        shown = [quantity(value, "1", t) for value in used.tolist()]
        values = f"{' · '.join(shown)}\xa0{unit_label(analyte.unit)}"
    return Echo(values, tuple(doubts))


def _doubt(value: float, analyte: Analyte, unit: str, t: Texts) -> str:
    """What is unlikely about a canonical value, with the bounds in the unit it was given in."""
    for kind, (low, high) in {"impossible": analyte.error, "unusual": analyte.warn}.items():
        words: Mapping[str, str] = t["echo"]
        if low is not None and value < low:
            return words[f"{kind}_low"].format(bound=_bound(low, analyte, unit, t))
        if high is not None and value > high:
            return words[f"{kind}_high"].format(bound=_bound(high, analyte, unit, t))
    return ""


def _bound(canonical: float, analyte: Analyte, unit: str, t: Texts) -> str:
    shown = localised(f"{canonical / analyte.units[unit]:.4g}", t)
    return f"{shown}\xa0{unit_label(unit)}".rstrip()
