"""Is everybody one person: the same labs under two identifiers, one identifier at two centres."""

import numpy as np
import pandas as pd

from features.analytes import ANALYTES
from features.history import Floats, Ints
from training.diagnosis.evidence import Evidence
from training.diagnosis.finding import Finding, Status

__all__ = ["duplicates", "identifiers"]

MOST_TWICE, MOST_MOVED = 0.01, 0.05
"""Shares of the subjects above which it is refused rather than warned."""

SPARE_BITS = 10.0
"""Beyond what it takes to tell all pairs of visits apart: one chance in a thousand for the cohort
when tests are independent."""

DIGITS = 9


def duplicates(evidence: Evidence) -> Finding:
    """Subjects that share a whole visit, value by value, with somebody else.

    A visit is compared when its values are rare enough together that no two people of the cohort
    should have them by chance: the sum over its tests of -log2 of the share of measurements with
    that value exceeds what tells all pairs of visits apart.
    """
    history = evidence.people.history
    labs = [name for name in ANALYTES if name in history.labs and ANALYTES[name].kind == "lab"]
    table = np.column_stack([history.labs[name] for name in labs])
    telling = _bits(table) > 2 * np.log2(max(history.visits, 2)) + SPARE_BITS
    subject = history.subject[telling]
    twice = _shared(table[telling], subject)
    compared, found = np.unique(subject).size, int(twice.size)
    figures = {"subjects_compared": compared, "subjects_sharing_a_visit": found}
    if not compared:
        told = "visits hold too few values to recognise a person by"
        return Finding("duplicates", "pass", told, "", figures)
    if not found:
        told = f"no two of {compared} subjects share a visit"
        return Finding("duplicates", "pass", told, "", figures)
    centres = np.unique(evidence.people.centre[twice]).size
    where = f" in {centres} centres" if centres > 1 else ""
    told = f"{found} of {compared} subjects{where} share a visit, value by value, with another"
    advice = (
        "one person under two identifiers stands on both sides of a fold: keep one of them, with "
        "all visits and the later end of follow-up"
    )
    share = found / evidence.people.subjects
    status: Status = "refuse" if share > MOST_TWICE else "warn"
    return Finding("duplicates", status, told, advice, figures)


def identifiers(evidence: Evidence) -> Finding:
    """Identifiers whose visits name more than one centre."""
    people = evidence.people
    moved = int(people.moved.sum())
    figures = {"subjects_in_two_centres": moved}
    if not moved:
        told = "no identifier appears at two centres" if people.centres else "no centre is named"
        return Finding("identifiers", "pass", told, "", figures)
    told = f"{moved} identifiers appear at more than one centre"
    advice = (
        "if centres number their patients alike, these are different people under one name: put "
        "the centre before the number; if they moved, keep the centre of the diagnosis"
    )
    status: Status = "refuse" if moved / people.subjects > MOST_MOVED else "warn"
    return Finding("identifiers", status, told, advice, figures)


def _bits(table: Floats) -> Floats:
    """(n,) how telling each visit is: -log2 of the share of each of its values, summed."""
    bits = np.zeros(len(table))
    for values in table.T:
        known = np.flatnonzero(~np.isnan(values))
        _, which, count = np.unique(values[known], return_inverse=True, return_counts=True)
        bits[known] -= np.log2(count[which] / max(known.size, 1))
    return bits


def _shared(table: Floats, subject: Ints) -> Ints:
    """Subjects with a row that somebody else has too."""
    rounded = pd.DataFrame(np.where(np.isnan(table), -1.0, np.round(table, DIGITS)))
    key = pd.util.hash_pandas_object(rounded, index=False)
    pairs = pd.DataFrame({"key": key.to_numpy(), "subject": subject}).drop_duplicates()
    return np.unique(pairs.loc[pairs["key"].duplicated(keep=False), "subject"].to_numpy())
