"""Is it known what became of the subjects: follow-up, censoring, treatment, deaths, dates."""

import numpy as np

from training.diagnosis.evidence import Evidence
from training.diagnosis.finding import Finding
from training.metrics.censoring import CensoringDistribution, unknowable
from training.metrics.timeline import CENSORED, DEATH

__all__ = ["censoring", "dates", "deaths", "follow_up", "treatment"]

LEAST_EFFECTIVE = 0.5
"""Share of the rows that the censoring weights may leave before a warning: below it more than half
of the information comes from few who stand for many."""

MOST_TREATED = 0.1
"""Share treated early above which it matters how treatment is dealt with."""

LONGEST_YEARS = 60.0
"""Nobody is followed for longer from a diagnosis of later life; five years in months read so."""

MOST_LATE = 0.01
ONE_DAY = 1.5 / 365.25
"""Slack for durations that were rounded to days."""


def follow_up(evidence: Evidence) -> Finding:
    """Median follow-up by reverse Kaplan–Meier; are durations years, is every horizon observed."""
    rows, study = evidence.rows, evidence.study
    for weights in evidence.known:
        reason = unknowable(weights)
        if reason is not None and not reason.startswith("no progression"):
            found = f"horizon {weights.horizon_years:g} years: {reason}"
            advice = "ask for shorter horizons in the study"
            return Finding("follow-up", "refuse", found, advice, final=True)
    people, who = evidence.people, evidence.subjects
    farthest = float(people.duration_years[who].max())
    if farthest > LONGEST_YEARS:
        found = f"the longest follow-up is {farthest:.0f} years from diagnosis"
        advice = "durations look like months or days; give years"
        return Finding("follow-up", "refuse", found, advice, {"longest_years": farthest})
    curve = CensoringDistribution.fit(people.duration_years[who], people.event[who])
    below = np.flatnonzero(curve.survival <= 0.5)
    median = float(curve.times[below[0]]) if below.size else np.inf
    longest = float(rows.duration_years.max())
    figures = {"median_years": median, "longest_from_a_landmark_years": longest}
    told = f"{median:.1f} years" if below.size else f"above {float(curve.times[-1]):.1f} years"
    found = f"median {told} from diagnosis (reverse Kaplan–Meier)"
    horizon = study.decision_horizon_years
    if median < horizon:
        advice = f"half are followed for less than the decision horizon of {horizon:g} years"
        return Finding("follow-up", "warn", found, f"{advice}; a shorter one is surer", figures)
    return Finding("follow-up", "pass", found, "", figures)


def censoring(evidence: Evidence) -> Finding:
    """Rows censored before each horizon, and how few those left weigh like."""
    count = len(evidence.rows.subject)
    figures: dict[str, float] = {}
    told, thin = [], []
    for weights in evidence.known:
        horizon = f"{weights.horizon_years:g}y"
        lost = float((weights.weights == 0).mean())
        effective = weights.effective_sample_size / count
        figures |= {
            f"censored_before_{horizon}": lost,
            f"effective_rows_{horizon}": weights.effective_sample_size,
            f"largest_weight_{horizon}": weights.max_weight,
        }
        told.append(
            f"{horizon}: {lost:.0%} of rows censored before, effective size {effective:.0%}"
        )
        if effective < LEAST_EFFECTIVE or weights.any_trimmed:
            thin.append(horizon)
    found = "; ".join(told)
    if thin:
        advice = (
            f"risks at {', '.join(thin)} rest on few who stand for many; prefer shorter horizons"
        )
        return Finding("censoring", "warn", found, advice, figures)
    return Finding("censoring", "pass", found, "", figures)


def treatment(evidence: Evidence) -> Finding:
    """Subjects treated before progression, and what the study makes of it."""
    who = evidence.subjects
    share = float(evidence.people.treated[who].mean())
    count = int(evidence.people.treated[who].sum())
    how = evidence.study.treatment
    figures = {"treated": count, "share": share}
    if not count:
        found = "no treatment before progression is recorded"
        return Finding("treatment", "pass", found, "", figures)
    found = f"{count} subjects ({share:.0%}) are treated before progression, which counts as {how}"
    if share > MOST_TREATED and how == "censoring":
        advice = (
            "who is treated early is seldom like who is not, so risks without treatment may come "
            'out too low; compare with treatment = "competing"'
        )
        return Finding("treatment", "warn", found, advice, figures)
    return Finding("treatment", "pass", found, "", figures)


def deaths(evidence: Evidence) -> Finding:
    """Deaths before progression; without any recorded they hide among the censored."""
    people, who = evidence.people, evidence.subjects
    died = int(((people.event[who] == DEATH) & ~people.treated[who]).sum())
    figures = {"died_first": died}
    found = f"{died} subjects die before progression"
    if died:
        return Finding("deaths", "pass", found, "", figures)
    advice = (
        "deaths seem to be counted as censored, which makes long risks of old people too high; "
        "give event 2 in outcomes if they are known"
    )
    return Finding("deaths", "warn", f"{found} on record", advice, figures)


def dates(evidence: Evidence) -> Finding:
    """Visits dated after the subject's death or the end of its follow-up."""
    people = evidence.people
    history = people.history
    since = history.time_years - people.index_years[history.subject]
    ended = people.event[history.subject] != 1
    not_treated = ~people.treated[history.subject]
    late = ended & not_treated & (since > people.duration_years[history.subject] + ONE_DAY)
    subjects = np.unique(history.subject[late])
    dead = int((people.event[subjects] == DEATH).sum())
    lost = int((people.event[subjects] == CENSORED).sum())
    figures = {"after_death": dead, "after_end_of_follow_up": lost}
    if not subjects.size:
        return Finding(
            "dates", "pass", "no visit lies after death or end of follow-up", "", figures
        )
    found = f"{dead} subjects have visits after their death, {lost} after the end of follow-up"
    advice = (
        "such visits are never used, but the dates contradict: do durations and visits count from "
        "the same diagnosis?"
    )
    share = subjects.size / max(people.subjects, 1)
    if not dead and share <= MOST_LATE:
        return Finding("dates", "pass", found, "", figures)
    return Finding("dates", "warn", found, advice, figures)
