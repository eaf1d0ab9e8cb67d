"""Are these the people that the study is about: their stage by IMWG 2014."""

import numpy as np

from features.criteria import STAGES, stage
from features.landmark import LandmarkFeatures
from training.diagnosis.evidence import Evidence
from training.diagnosis.finding import Finding

__all__ = ["population"]

MOST_OTHERS = 0.1
"""Share of the subjects at another stage: our own limit. A marrow sample or one M-protein moves a
few people across a threshold, not one in ten."""

UNDETERMINED = "undetermined"


def population(evidence: Evidence) -> Finding:
    """Stage of the subjects at their first landmark, against the study's population."""
    people, rows = evidence.people, evidence.rows
    subject, first = np.unique(rows.subject, return_index=True)
    time = people.index_years[subject] + rows.landmark_years[first]
    staged = stage(LandmarkFeatures(people.history, subject, time)).stage
    counts = {name: int((staged == code).sum()) for code, name in enumerate(STAGES)}
    undetermined = counts.pop(UNDETERMINED)
    own = next(name for name in STAGES if name.lower() == evidence.study.population)
    counts.pop(own)
    others = sum(counts.values())
    found = (
        f"by IMWG 2014 at their first landmark {others} of {subject.size} subjects are not {own} ("
        f"{', '.join(f'{count} {name}' for name, count in counts.items())}), {undetermined} "
        "undetermined"
    )
    share = others / subject.size
    figures = {"others": others, "share_of_others": share, "undetermined": undetermined}
    if share <= MOST_OTHERS:
        return Finding("population", "pass", found, "", figures)
    advice = (
        "a model answers for the people it has learnt from: leave out who is at another stage, or "
        "ask why the values say so"
    )
    return Finding("population", "warn", found, advice, figures)
