"""Progression in a cohort, in the numbers of the papers: groups, bands, rates, discrimination."""

import numpy as np

from features.landmark import LandmarkFeatures
from models.published.imwg_2020_points import IMWG_2020_POINTS
from models.published.pangea_smm import PANGEA_SMM
from models.published.twenty_two_twenty import TWENTY_TWO_TWENTY
from training.cohorts import Cohort
from training.simulation.arrays import Bools, Floats
from training.simulation.law import Death
from training.simulation.observed import Observed, Outcome, median_years, net_risk
from training.simulation.scenarios import scenario_named

__all__ = ["GROUPS", "groups_at_diagnosis", "progression_figures"]

Figures = dict[str, float]

GROUPS = ("low", "intermediate", "high")
MOST_CASES = 1500
"""Progressions, evenly spread over time, whose risk sets the concordance looks at."""


def progression_figures(cohort: Cohort, seen: Observed) -> Figures:
    """Every figure of progression, death and discrimination, by its key in published.toml."""
    return {
        **_twenty_two_twenty(seen),
        **_points(seen),
        **_course(seen.outcome),
        **_landmarks(seen),
        **_evolving(seen),
        **_discrimination(seen),
        **_modes(cohort),
        **_death(cohort),
    }


def groups_at_diagnosis(seen: Observed) -> Floats:
    """(n,) 20/2/20 group, an index into ``GROUPS``; NaN where a marker is missing."""
    return _groups(seen.at(0.0)[0])


def _groups(features: LandmarkFeatures) -> Floats:
    score = TWENTY_TWO_TWENTY.estimate(features).score
    assert score is not None
    return np.minimum(score, 2.0)


def _twenty_two_twenty(seen: Observed) -> Figures:
    groups, outcome = groups_at_diagnosis(seen), seen.outcome
    complete = ~np.isnan(groups)
    share, risk, figures = [], [], {}
    for count, group in enumerate(GROUPS):
        chosen = groups == count
        share.append(chosen.sum() / complete.sum())
        risk.append(net_risk(outcome.of(chosen), 2.0))
        figures[f"share_{group}"] = share[-1]
        figures[f"risk_2y_{group}"] = risk[-1]
        figures[f"risk_5y_{group}"] = net_risk(outcome.of(chosen), 5.0)
    figures["auc_2y"] = _auc_of_groups(np.array(share), np.array(risk))
    return figures


def _auc_of_groups(share: Floats, risk: Floats) -> float:
    """AUC that ordered groups imply by their shares and risks alone, ties counting one half."""
    cases, controls = share * risk, share * (1 - risk)
    below = np.cumsum(controls) - controls / 2
    return float(cases @ below / (cases.sum() * controls.sum()))


def _points(seen: Observed) -> Figures:
    features, outcome = seen.at(0.0)
    score = IMWG_2020_POINTS.estimate(features).score
    assert score is not None
    return {
        f"points_{low}": net_risk(outcome.of((score >= low) & (score <= high)), 2.0)
        for low, high in ((0, 4), (5, 8), (9, 12), (13, 17))
    }


def _course(outcome: Outcome) -> Figures:
    risk = {years: net_risk(outcome, years) for years in (2.0, 5.0, 10.0, 15.0)}
    return {
        "overall_2y": risk[2.0],
        "overall_5y": risk[5.0],
        "overall_10y": risk[10.0],
        "overall_15y": risk[15.0],
        "annual_1_5": risk[5.0] / 5,
        "annual_6_10": (risk[10.0] - risk[5.0]) / 5,
        "annual_11_15": (risk[15.0] - risk[10.0]) / 5,
    }


def _landmarks(seen: Observed) -> Figures:
    """Two-year risk of the high group when 20/2/20 is applied anew with the latest labs."""
    figures = {}
    for years in (1.0, 4.0):
        features, outcome = seen.at(years)
        high = _groups(features) == GROUPS.index("high")
        figures[f"landmark_{years:.0f}y_high"] = net_risk(outcome.of(high), 2.0)
    return figures


def _evolving(seen: Observed) -> Figures:
    """Time to progression from one year on, by Ravi's factors in the first year.

    Both labs are compared with the value at diagnosis, as in the source; the published score at a
    later landmark compares with any earlier value, which noise alone raises more often.
    """
    later, outcome = seen.at(1.0)
    first, half = (
        LandmarkFeatures(later.history, later.subject, moment)
        for moment in (np.zeros(len(later)), np.full(len(later), 0.5))
    )
    evolving = _m_protein_rose(first, half, least=3.0, by=0.10) | _m_protein_rose(
        first, later, least=0.0, by=0.25
    )
    falling = first["hemoglobin_g_dl"] - later["hemoglobin_g_dl"] >= 0.5
    factors = (first["bmpc_percent"] >= 20).astype(int) + evolving + falling
    figures = {
        f"evolving_{number}_median": median_years(outcome.of(factors == number))
        for number in range(4)
    }
    return figures | {"evolving_3_risk_2y": net_risk(outcome.of(factors == 3), 2.0)}


def _m_protein_rose(
    first: LandmarkFeatures, later: LandmarkFeatures, *, least: float, by: float
) -> Bools:
    before, now = first["m_protein_g_dl"], later["m_protein_g_dl"]
    return (before >= least) & (now >= (1 + by) * before) & (now - before >= 0.5)


def _discrimination(seen: Observed) -> Figures:
    history = seen.features.history
    groups = _groups(seen.features)
    pangea = PANGEA_SMM.estimate(seen.features).risk[:, 1]
    both = ~np.isnan(pangea) & ~np.isnan(groups)
    subject, years = history.subject[both], history.time_years[both]
    c_pangea = _time_varying_c(subject, years, pangea[both], seen.outcome)
    c_groups = _time_varying_c(subject, years, groups[both], seen.outcome)
    return {
        "c_pangea": c_pangea,
        "c_20_2_20": c_groups,
        "c_pangea_above_20_2_20": c_pangea - c_groups,
    }


def _time_varying_c(subject: np.ndarray, years: Floats, risk: Floats, outcome: Outcome) -> float:
    """Chance that who progresses had, at that moment, a higher latest risk than who does not yet.

    The concordance of a time-varying Cox model (start-stop rows), ties counting one half.
    """
    duration, event = outcome.duration_years, outcome.event
    cases = np.flatnonzero(event == 1)
    cases = cases[np.argsort(duration[cases], kind="stable")]
    cases = cases[:: max(cases.size // MOST_CASES, 1)]
    by_time = np.argsort(years, kind="stable")
    known = np.searchsorted(years[by_time], duration[cases], side="left")
    latest = np.full(duration.size, np.nan)
    concordant = comparable = 0.0
    told = 0
    for case, end in zip(cases, known, strict=True):
        # In order of time, so that a subject's last row of these is the one that stays.
        rows = by_time[told:end]
        latest[subject[rows]], told = risk[rows], end
        own, others = latest[case], latest[duration > duration[case]]
        if np.isnan(own):
            continue
        concordant += np.sum(others < own) + 0.5 * np.sum(others == own)
        comparable += np.sum(~np.isnan(others))
    return float(concordant / comparable)


def _modes(cohort: Cohort) -> Figures:
    assert cohort.truth is not None
    mode = cohort.truth["progression_mode"]
    mode = mode[mode != ""]
    return {
        f"mode_{sign}": float(mode.str.contains(sign).mean())
        for sign in ("bone", "anaemia", "renal", "calcium", "slim")
    }


def _death(cohort: Cohort) -> Figures:
    """Deaths before progression over those that the Gompertz law expects in the same follow-up."""
    first = cohort.visits[cohort.visits["years"] == 0].set_index("subject_id")
    first = first.loc[cohort.outcomes["subject_id"]]
    age = first["age"].to_numpy(np.float64)
    male = (first["sex"] == "M").to_numpy()
    duration = cohort.outcomes["duration_years"].to_numpy(np.float64)
    law: Death = scenario_named("referral").death
    rate = law.scale * np.exp(
        law.log_rate_at_70 + law.per_year_of_age * (age - 70) + law.male * male
    )
    expected = rate * np.expm1(law.per_year_of_age * duration) / law.per_year_of_age
    deaths = float((cohort.outcomes["event"] == 2).sum())
    return {"deaths_over_expected": deaths / float(expected.sum())}
