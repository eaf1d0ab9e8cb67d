"""Who lacks which test: by outcome, by sex, by centre."""

import numpy as np

from features.history import FEMALE, MALE
from training.diagnosis.evidence import Evidence
from training.diagnosis.finding import Finding
from training.enrolment import Bools

__all__ = ["missingness"]

MOST_LEFT_OUT = 0.2
"""Share of the landmarks without a necessary test above which the cohort is a selection of those
who were tested."""

MOST_APART, MOST_APART_BY_OUTCOME = 0.5, 0.2
"""Differences in the share missing: between centres or sexes, and between those who do and do not
progress, where missingness itself would tell the outcome."""

LEAST_ROWS = 20


def missingness(evidence: Evidence) -> Finding:
    """Share of each feature that is missing, and whether it goes with outcome, sex or centre."""
    rows = evidence.rows
    missing = np.isnan(rows.values)
    share = missing.mean(axis=0)
    never = [name for name, part in zip(rows.features, share, strict=True) if part == 1]
    figures = {f"missing {name}": part for name, part in zip(rows.features, share, strict=True)}
    left_out = rows.left_out / (rows.left_out + len(rows.subject))
    figures["landmarks_left_out"] = left_out
    told = [f"{left_out:.0%} of the landmarks left out for a necessary test"]
    if never:
        told.append(f"never measured: {', '.join(never)}")
    uneven = [
        f"{name} by {by} ({low:.0%} against {high:.0%})"
        for by, groups, most in _partitions(evidence)
        for name, low, high in _apart(rows.features, missing, groups)
        if high - low > most
    ]
    if uneven:
        told.append(f"unevenly missing: {', '.join(uneven)}")
    found = "; ".join(told)
    if uneven or left_out > MOST_LEFT_OUT:
        advice = (
            "a model learns who is tested when testing differs: leave such a feature out of the "
            "study, or ask why it is missing"
        )
        return Finding("missingness", "warn", found, advice, figures)
    return Finding("missingness", "pass", found, "", figures)


def _partitions(evidence: Evidence) -> list[tuple[str, list[Bools], float]]:
    """What the rows are divided by, the parts, and how far apart their shares may be."""
    rows, people = evidence.rows, evidence.people
    sex = people.history.sex[rows.subject]
    centre = people.centre[rows.subject]
    return [
        ("outcome", [evidence.decision.case, evidence.without()], MOST_APART_BY_OUTCOME),
        ("sex", [sex == FEMALE, sex == MALE], MOST_APART),
        ("centre", [centre == code for code in range(len(people.centres))], MOST_APART),
    ]


def _apart(
    features: tuple[str, ...], missing: Bools, groups: list[Bools]
) -> list[tuple[str, float, float]]:
    """Least and greatest share missing over the parts that are large enough, per feature."""
    shares = np.array([missing[g].mean(axis=0) for g in groups if g.sum() >= LEAST_ROWS])
    if len(shares) < 2:
        return []
    return list(zip(features, shares.min(axis=0), shares.max(axis=0), strict=True))
