"""Does the outcome hide in the features: labs of its own workup, or a column made from it.

Values dated after a landmark cannot: features are computed from the visits up to it alone.
"""

import numpy as np
from scipy.stats import rankdata

from features.criteria import EVENT, stage
from features.history import Floats
from features.landmark import LandmarkFeatures
from training.diagnosis.evidence import Evidence
from training.diagnosis.finding import Finding, Status
from training.metrics.timeline import PROGRESSION

__all__ = ["outcome_in_feature", "outcome_labs"]

SOON_YEARS = 0.25
"""Three months: within one interval of the usual follow-up of 3–6 months, so that no visit lies
between the labs of a landmark and the diagnosis of myeloma."""

LABS_WARN, LABS_REFUSE = 0.05, 0.2
"""Shares of the progressions whose landmark may already show the event that defined them."""

AUC_WARN, AUC_REFUSE = 0.85, 0.95
"""No routine test comes near: the best published model for smouldering myeloma, with marrow and
history, has a C of 0.79 (PANGEA-SMM, Chabrun F, Nat Med 2026, doi:10.1038/s41591-026-04304-x)."""

CORRELATION_REFUSE = 0.95
LEAST_ROWS = 20


def outcome_labs(evidence: Evidence) -> Finding:
    """Progressions within three months of a landmark whose labs meet a myeloma-defining event."""
    people, rows = evidence.people, evidence.rows
    time = people.index_years[rows.subject] + rows.landmark_years
    staged = stage(LandmarkFeatures(people.history, rows.subject, time)).stage == EVENT
    soon = (rows.event == PROGRESSION) & (rows.duration_years <= SOON_YEARS)
    revealed = np.unique(rows.subject[staged & soon]).size
    progressed = evidence.progressed(evidence.decision)
    share = revealed / max(progressed, 1)
    figures = {
        "progressions_shown_by_the_landmark": revealed,
        "share_of_progressions": share,
        "rows_meeting_an_event": float(staged.mean()),
    }
    found = (
        f"{revealed} of {progressed} progressions follow within three months of a landmark whose "
        f"labs meet a threshold of IMWG 2014 already; {staged.mean():.0%} of all rows meet one"
    )
    if share <= LABS_WARN:
        return Finding("outcome-labs", "pass", found, "", figures)
    advice = (
        f"the model would recognise myeloma rather than foresee it: set blanking_years = "
        f"{SOON_YEARS:g} in the study, or date progression by the first test that showed it"
    )
    status: Status = "refuse" if share > LABS_REFUSE else "warn"
    return Finding("outcome-labs", status, found, advice, figures)


def outcome_in_feature(evidence: Evidence) -> Finding:
    """Features that tell the event, or the time to it, too well to be known beforehand."""
    areas, correlations = {}, {}
    for name in evidence.rows.features:
        values = evidence.column(name)
        area = _area(evidence, values)
        if area is not None:
            areas[name] = area
        correlation = _with_duration(evidence, values)
        if correlation is not None:
            correlations[name] = correlation
    refused = [n for n, a in areas.items() if a >= AUC_REFUSE]
    refused += [n for n, r in correlations.items() if r >= CORRELATION_REFUSE]
    doubted = [n for n, a in areas.items() if AUC_WARN <= a < AUC_REFUSE and n not in refused]
    figures = {f"auc {name}": area for name, area in areas.items()}
    advice = "is it measured before the landmark, or filled in from the outcome? leave it out"
    if refused:
        named = ", ".join(dict.fromkeys(refused))
        found = f"{named} nearly determines who progresses or when"
        return Finding("outcome-in-feature", "refuse", found, advice, figures)
    if doubted:
        found = f"{', '.join(doubted)} alone separates better than any published model"
        return Finding("outcome-in-feature", "warn", found, advice, figures)
    found = "too few rows to tell"
    if areas:
        best = max(areas, key=lambda name: areas[name])
        found = f"the best single feature is {best}, AUC {areas[best]:.2f}"
    return Finding("outcome-in-feature", "pass", found, "", figures)


def _area(evidence: Evidence, values: Floats) -> float | None:
    """AUC of one feature in whichever direction, on the rows that have it.

    The larger of that for progression by the decision horizon and that for the event on record,
    whenever it came: a column made from the record tells the latter.
    """
    known = ~np.isnan(values)
    split = [
        (evidence.decision.case, evidence.without()),
        (evidence.rows.event == PROGRESSION, evidence.rows.event != PROGRESSION),
    ]
    found = [_separation(values[a & known], values[b & known]) for a, b in split]
    areas = [area for area in found if area is not None]
    return max(areas) if areas else None


def _separation(cases: Floats, others: Floats) -> float | None:
    """Chance that a case has the higher value, or the lower one if that is larger; ties half."""
    if min(cases.size, others.size) < LEAST_ROWS:
        return None
    ranks = rankdata(np.concatenate([cases, others]))[: cases.size]
    higher = float(ranks.mean() - (cases.size + 1) / 2) / others.size
    return max(higher, 1 - higher)


def _with_duration(evidence: Evidence, values: Floats) -> float | None:
    """Absolute rank correlation with the time to progression, among those who progress."""
    rows = evidence.rows
    used = (rows.event == PROGRESSION) & ~np.isnan(values)
    given, duration = values[used], rows.duration_years[used]
    if given.size < LEAST_ROWS or np.ptp(given) == 0 or np.ptp(duration) == 0:
        return None
    ranks = np.corrcoef(rankdata(given), rankdata(duration))
    return abs(float(ranks[0, 1]))
