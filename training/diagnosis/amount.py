"""Is there enough to learn from: events, and subjects for the number of parameters."""

import numpy as np

from features.history import Floats
from training.diagnosis.evidence import Evidence
from training.diagnosis.finding import Finding
from training.sample_size import (
    cox_snell_of_auc,
    expected_shrinkage,
    parameters_supported,
    sample_size,
)

__all__ = ["effective_parameters", "events", "sample_size_of"]

LEAST_EVENTS = 20
"""Fewer progressions cannot calibrate even intercept and slope (Riley RD, BMJ 2020;368:m441,
doi:10.1136/bmj.m441, and the usual ten events for each of two parameters)."""

EVENTS_TO_JUDGE = 100
"""Fewer leave every measure of a model's performance imprecise (Collins GS, Stat Med 2016;35:214,
doi:10.1002/sim.6787)."""

PENALTY = 10.0
"""Ridge penalty, per standard deviation, under which parameters are counted: the logistic
candidate's own before any search."""


def events(evidence: Evidence) -> Finding:
    """Subjects who progress by each horizon."""
    study = evidence.study
    counts = {f"{w.horizon_years:g}y": evidence.progressed(w) for w in evidence.known}
    figures = dict(counts) | {"subjects": float(evidence.subjects.size)}
    fewest, horizon = min(zip(counts.values(), study.horizons_years, strict=True))
    few = f"{fewest} subjects progress within {horizon:g} years"
    more = "wait for more follow-up, add centres, or stay with the published rule"
    if fewest == 0:
        found = f"nobody progresses within {horizon:g} years"
        return Finding("events", "refuse", found, more, figures, final=True)
    if fewest < study.folds.count:
        found = f"{few}; {study.folds.count} folds would leave some without any"
        return Finding("events", "refuse", found, more, figures, final=True)
    if fewest < LEAST_EVENTS:
        found = f"{few}; at least {LEAST_EVENTS} are needed to train anything"
        return Finding("events", "refuse", found, more, figures)
    found = (
        f"of {evidence.subjects.size} subjects with {len(evidence.rows.subject)} landmark rows "
        + ", ".join(f"{n} progress within {h}" for h, n in counts.items())
    )
    if evidence.progressed(evidence.decision) < EVENTS_TO_JUDGE:
        advice = (
            f"fewer than {EVENTS_TO_JUDGE} at the decision horizon: expect wide intervals, and "
            "that nothing can be shown to beat the rule"
        )
        return Finding("events", "warn", found, advice, figures)
    return Finding("events", "pass", found, "", figures)


def sample_size_of(evidence: Evidence) -> Finding:
    """Effective parameters against the Riley limits.

    Landmark rows of one subject are no new subjects: what counts is the number of subjects, reduced
    as the censoring weights reduce the rows.
    """
    study, weights = evidence.study, evidence.decision
    risk = evidence.risk
    if not 0 < risk < 1:
        found = "no risk can be told at the decision horizon"
        return Finding("sample-size", "warn", found, "see events and follow-up")
    share = weights.effective_sample_size / len(evidence.rows.subject)
    subjects = evidence.subjects.size * share
    candidate = int(_varying(evidence.rows.values).sum())
    used = effective_parameters(evidence.rows.values, subjects, risk)
    cox_snell = cox_snell_of_auc(study.anticipated_auc, risk)
    supported = parameters_supported(subjects, risk=risk, cox_snell=cox_snell)
    size = sample_size(parameters=max(used, 1.0), risk=risk, cox_snell=cox_snell)
    shrinkage = expected_shrinkage(subjects, parameters=max(used, 1.0), cox_snell=cox_snell)
    figures = {
        "effective_subjects": subjects,
        "candidate_parameters": candidate,
        "effective_parameters": used,
        "parameters_supported": supported,
        "subjects_needed": size.needed,
        "needed_for_shrinkage": size.shrinkage,
        "needed_for_optimism": size.optimism,
        "needed_for_overall_risk": size.overall_risk,
        "expected_shrinkage": shrinkage,
        "anticipated_cox_snell": cox_snell,
    }
    found = (
        f"{candidate} features, {used:.1f} effective parameters; {subjects:.0f} effective "
        f"subjects support {supported} at an anticipated AUC of {study.anticipated_auc:g}, and "
        f"{size.needed} would be needed (Riley); expected shrinkage {shrinkage:.2f}"
    )
    if used > supported or subjects < size.overall_risk:
        advice = (
            "expect overfitting: name fewer features in the study, and trust strong penalties and "
            "the rule over trees"
        )
        return Finding("sample-size", "warn", found, advice, figures)
    return Finding("sample-size", "pass", found, "", figures)


def effective_parameters(values: Floats, subjects: float, risk: float) -> float:
    """Degrees of freedom that a ridge penalty leaves to standardised features.

    The trace of the penalised hat matrix (le Cessie S, Appl Stat 1992;41:191, doi:10.2307/2347628)
    where every subject has the overall risk: each direction of the features' correlations counts
    by the share of its information that the penalty does not take.

    Examples
    --------
    >>> one = np.linspace(0, 1, 50)[:, None]
    >>> alone, twice = (effective_parameters(np.hstack([one] * k), 1e9, 0.2) for k in (1, 2))
    >>> round(alone, 3), round(twice, 3)
    (1.0, 1.0)
    """
    varying = values[:, _varying(values)]
    if not varying.shape[1]:
        return 0.0
    centred = varying - np.nanmean(varying, axis=0)
    filled = np.where(np.isnan(centred), 0.0, centred)
    scaled = filled / np.sqrt((filled**2).mean(axis=0))
    direction = np.linalg.eigvalsh(scaled.T @ scaled / len(scaled)).clip(0)
    information = direction * subjects * risk * (1 - risk)
    return float((information / (information + PENALTY)).sum())


def _varying(values: Floats) -> Floats:
    """Columns in which some two known values differ."""
    known = ~np.isnan(values)
    low = np.where(known, values, np.inf).min(axis=0, initial=np.inf)
    high = np.where(known, values, -np.inf).max(axis=0, initial=-np.inf)
    return np.asarray(high > low)
