"""The diagnosis of a training as a section of its report."""

from collections.abc import Iterator

from training.diagnosis import HEADER, Diagnosis
from training.report.html import Html, element, table

__all__ = ["DIAGNOSIS", "caption", "diagnosis_section"]

DIAGNOSIS = "Is the design sound on this cohort"
"""Heading of the section."""


def caption(diagnosis: Diagnosis) -> str:
    """What its table is about."""
    return f"Study {diagnosis.study} on {diagnosis.cohort}, before anything was fitted"


def diagnosis_section(diagnosis: Diagnosis | None) -> Iterator[Html]:
    """Heading and table, or nothing for risks that no training made."""
    if diagnosis is None:
        return
    yield element("h2", DIAGNOSIS, id="diagnosis")
    yield table(caption(diagnosis), HEADER, diagnosis.table())
