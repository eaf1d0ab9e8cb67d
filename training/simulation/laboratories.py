"""Laboratory values in a cohort: distributions, correlations, noise, completeness, visits."""

import numpy as np
import pandas as pd

from features.landmark import LandmarkFeatures
from training.cohorts import Cohort
from training.simulation.arrays import Bools, Floats
from training.simulation.observed import Observed

__all__ = ["QUANTILES", "first_labs", "follow_up_figures", "laboratory_figures"]

Figures = dict[str, float]

QUANTILES = (0.05, 0.25, 0.50, 0.75, 0.95)

FIRST_LABS = {
    "m_protein": "m_protein_g_dl",
    "flc_ratio": "flc_ratio_involved",
    "involved_flc": "involved_flc_mg_l",
    "uninvolved_flc": "uninvolved_flc_mg_l",
    "bmpc": "bmpc_percent",
    "hemoglobin": "hemoglobin_g_dl",
    "creatinine": "creatinine_mg_dl",
    "albumin": "albumin_g_dl",
    "ldh": "ldh_u_l",
}

PAIRS = (
    ("m_protein", "bmpc"),
    ("m_protein", "hemoglobin"),
    ("m_protein", "albumin"),
    ("m_protein", "uninvolved_flc"),
    ("bmpc", "hemoglobin"),
    ("bmpc", "uninvolved_flc"),
    ("bmpc", "flc_ratio"),
    ("m_protein", "flc_ratio"),
    ("hemoglobin", "creatinine"),
)


def first_labs(seen: Observed) -> pd.DataFrame:
    """Values at diagnosis, one row per subject."""
    features, _ = seen.at(0.0)
    return pd.DataFrame({name: features[feature] for name, feature in FIRST_LABS.items()})


def laboratory_figures(seen: Observed, published: dict[str, list[float]]) -> Figures:
    """Distributions and correlations at diagnosis.

    Parameters
    ----------
    published
        Quantiles of each quantity; the figure is the share of subjects below each of them.
    """
    labs = first_labs(seen)
    figures = {
        f"below_{name}_{round(100 * share)}": _share_below(labs[name].to_numpy(), value)
        for name, values in published.items()
        for share, value in zip(QUANTILES, values, strict=True)
    }
    for one, other in PAIRS:
        figures[f"spearman_{one}_{other}"] = float(labs[one].corr(labs[other], method="spearman"))
    features, _ = seen.at(0.0)
    male = features["male"] == 1
    for sex, chosen in (("female", ~male), ("male", male)):
        figures[f"hemoglobin_{sex}"] = float(np.nanmean(features["hemoglobin_g_dl"][chosen]))
    return figures


def _share_below(values: Floats, limit: float) -> float:
    """Share below a value, half of those at it included."""
    known = values[~np.isnan(values)]
    return float((np.mean(known < limit) + np.mean(known <= limit)) / 2)


def follow_up_figures(cohort: Cohort, seen: Observed) -> Figures:
    """Noise of stable patients, renal leak, immunoparesis, visits and completeness."""
    assert cohort.truth is not None
    stable = cohort.truth.set_index("subject_id")["growth"] == "stable"
    visits = cohort.visits[cohort.visits["subject_id"].map(stable)]
    kappa = visits["light_chain"] == "kappa"
    involved = visits["kappa_flc_mg_l"].where(kappa, visits["lambda_flc_mg_l"])
    features, _ = seen.at(0.0)
    interval = cohort.visits.groupby("subject_id")["years"].diff().dropna()
    return {
        "false_evolving_at_2": _false_evolving(visits),
        "cv_m_protein": _within_cv(visits, visits["m_protein_g_dl"]),
        "cv_involved_flc": _within_cv(visits, involved),
        "cv_hemoglobin": _within_cv(visits, visits["hemoglobin_g_dl"]),
        "cv_creatinine": _within_cv(visits, visits["creatinine_mg_dl"]),
        "renal_kappa": _renal_slope(features, light_chain=0),
        "renal_lambda": _renal_slope(features, light_chain=1),
        "immunoparesis": _share(features["immunoparesis_isotypes"], 1),
        "interval_median_years": float(interval.median()),
        "interval_within_3_6_months": float(interval.between(0.24, 0.51).mean()),
        "complete_flc": float(cohort.visits["kappa_flc_mg_l"].notna().mean()),
        "complete_ldh": float(cohort.visits["ldh_u_l"].notna().mean()),
        "complete_fish": _complete_at_diagnosis(cohort, "fish_t_4_14"),
        "marrow_repeated_per_year": _marrows_per_year(cohort),
    }


def _share(counts: Floats, least: float) -> float:
    return float(np.mean(counts[~np.isnan(counts)] >= least))


def _false_evolving(visits: pd.DataFrame) -> float:
    """Share of successive M-proteins of stable subjects around 2.0 g/dL that rise by >= 0.2."""
    measured = visits.dropna(subset=["m_protein_g_dl"])
    by_subject = measured.groupby("subject_id")["m_protein_g_dl"]
    mean, count = by_subject.transform("mean"), by_subject.transform("size")
    around = mean.between(1.9, 2.1) & (count >= 5)
    rise = by_subject.diff()[around].dropna()
    return float((np.round(rise, 6) >= 0.2).mean())


def _within_cv(visits: pd.DataFrame, value: "pd.Series[float]") -> float:
    """Within-subject coefficient of variation from successive values, growth taken out."""
    positive = value.where(value > 0.3)
    logarithm = pd.Series(np.log(positive), index=visits.index)
    step = logarithm.groupby(visits["subject_id"]).diff().dropna()
    return float(np.sqrt(np.expm1(step.var() / 2)))


def _renal_slope(features: LandmarkFeatures, *, light_chain: int) -> float:
    """Slope of ln FLC on ln creatinine given age and sex, where that chain is not the clone's."""
    name = ("kappa_flc_mg_l", "lambda_flc_mg_l")[light_chain]
    other: Bools = features.history.light_chain[features.subject] != light_chain
    columns = np.column_stack(
        [
            np.ones(len(features)),
            np.log(features["creatinine_mg_dl"]),
            features["age_years"],
            features["male"],
            np.log(features[name]),
        ]
    )
    rows = columns[other & ~np.isnan(columns).any(axis=1)]
    slopes, *_ = np.linalg.lstsq(rows[:, :-1], rows[:, -1], rcond=None)
    return float(slopes[1])


def _complete_at_diagnosis(cohort: Cohort, column: str) -> float:
    first = cohort.visits[cohort.visits["years"] == 0]
    return float(first[column].notna().mean())


def _marrows_per_year(cohort: Cohort) -> float:
    later = cohort.visits["years"] > 0
    repeated = cohort.visits.loc[later, "bmpc_percent"].notna().sum()
    return float(repeated / cohort.outcomes["duration_years"].sum())
