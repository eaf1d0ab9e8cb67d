"""Doubts as a person reads them who sees the chart and not the request."""

import re
from collections.abc import Iterable

from features.analytes import ANALYTES
from features.errors import FieldProblem

__all__ = ["sentences"]

LAB = re.compile(r"visits\[\d+\]\.labs\.(\w+)\b")
NAMED = re.compile(r"(\w+)(?:\.\w+)? (.+)")
"""Name of an analyte, the element that is doubted, and what is said of it."""


def sentences(doubts: Iterable[FieldProblem]) -> list[str]:
    """What is doubted, once each; of an analyte by the name a clinician reads.

    Examples
    --------
    >>> sentences([FieldProblem("entry[3].resource", "m_protein is preliminary; confirm it")])
    ['Serum M-protein is preliminary; confirm it']
    >>> sentences([FieldProblem("visits[0].labs.calcium.value", "is unusual; confirm it")])
    ['Calcium (total) is unusual; confirm it']
    """
    return list(dict.fromkeys(_sentence(doubt) for doubt in doubts))


def _sentence(doubt: FieldProblem) -> str:
    name, said = "", doubt.expected
    if lab := LAB.match(doubt.field):
        name = lab[1]
    elif doubt.field == "subject.age":
        return f"Age {said}"
    elif (named := NAMED.fullmatch(said)) and (named[1] in ANALYTES or named[1] == "Observation"):
        name, said = named[1], named[2]
    if name == "Observation":
        return f"A result {said}"
    return f"{ANALYTES[name].label} {said}" if name in ANALYTES else said[:1].upper() + said[1:]
