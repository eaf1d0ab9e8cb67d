"""How many centres there are, and whether a model could be tried at one it has not seen."""

import numpy as np

from training.diagnosis.evidence import Evidence
from training.diagnosis.finding import Finding
from training.enrolment import NO_CENTRE
from training.folds import centre_folds

__all__ = ["centres"]


def centres(evidence: Evidence) -> Finding:
    """Centres, and how many have enough progressions to be held out."""
    people, rows, study = evidence.people, evidence.rows, evidence.study
    least = study.folds.least_centre_events
    here = people.centre[evidence.subjects]
    named = int(np.unique(here[here != NO_CENTRE]).size)
    alone = "nothing here tells how a model travels: validate it elsewhere before it is used there"
    if named < 2:
        found = "no centre is named" if named == 0 else "all subjects are of one centre"
        return Finding("centres", "warn", found, alone, {"centres": named})
    case = evidence.decision.case
    held = list(centre_folds(rows.subject, people.centre[rows.subject], case, least_events=least))
    _, count = np.unique(here, return_counts=True)
    figures = {
        "centres": named,
        "held_out": len(held),
        "largest_share": float(count.max() / here.size),
        "unknown": float((here == NO_CENTRE).mean()),
    }
    found = (
        f"{named} centres, the largest with {count.max() / here.size:.0%} of the subjects; "
        f"{len(held)} with {least} progressions or more can be held out"
    )
    if len(held) < 2:
        return Finding("centres", "warn", found, alone, figures)
    return Finding("centres", "pass", found, "", figures)
