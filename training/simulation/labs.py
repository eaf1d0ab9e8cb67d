"""Laboratory values at a visit: what is true of the subject, then what the laboratory reports."""

from dataclasses import dataclass

import numpy as np

from training.simulation.arrays import Floats, Ints, Rng, at_normal_score, noise_factor
from training.simulation.clone import Clone
from training.simulation.law import Scenario
from training.simulation.subjects import HEAVY_CHAINS, Subjects

__all__ = ["Constitution", "draw_constitution", "reported_labs", "true_labs"]

MEAN_CREATININE_MG_DL = 0.9
LEAST_QUANTIFIED_M_PROTEIN_G_DL = 0.1
MG_PER_G = 1000.0

DECIMALS = {
    "m_protein": 2, "kappa_flc": 1, "lambda_flc": 1, "bmpc": 0, "hemoglobin": 1, "creatinine": 2,
    "calcium": 1, "albumin": 1, "ldh": 0, "b2m": 1, "igg": 0, "iga": 0, "igm": 0,
}  # fmt: skip

Labs = dict[str, Floats]


@dataclass(frozen=True, slots=True)
class Constitution:
    """A subject's own values before the clone changes them, all (n,) arrays."""

    hemoglobin_g_dl: Floats
    hemoglobin_drift: Floats
    creatinine_mg_dl: Floats
    albumin_g_dl: Floats
    calcium_mg_dl: Floats
    ldh_u_l: Floats
    b2m_mg_l: Floats
    igg_mg_dl: Floats
    iga_mg_dl: Floats
    igm_mg_dl: Floats


def draw_constitution(scenario: Scenario, subjects: Subjects, rng: Rng) -> Constitution:
    """Values at diagnosis by sex, age, clone and centre."""
    law, loadings, n = scenario.labs, scenario.loadings, subjects.clone.size
    levels = scenario.levels

    def score(clone: float) -> Floats:
        drawn: Floats = clone * subjects.clone + np.sqrt(1 - clone**2) * rng.normal(size=n)
        return drawn

    def spread(centre: float, ln_sd: float) -> Floats:
        return centre * np.exp(ln_sd * rng.normal(size=n))

    hemoglobin = np.where(
        subjects.female, law.hemoglobin_female_g_dl, law.hemoglobin_male_g_dl
    ) + law.hemoglobin_sd * score(loadings.clone_hemoglobin)
    creatinine = np.where(
        subjects.female, law.creatinine_female_mg_dl, law.creatinine_male_mg_dl
    ) * np.exp(
        law.creatinine_per_year_of_age * (subjects.age_years - 66.0)
        + law.creatinine_ln_sd * rng.normal(size=n)
    )
    suppressed = np.exp(-law.suppression - law.suppression_per_clone * subjects.clone)
    return Constitution(
        hemoglobin_g_dl=np.clip(hemoglobin, 10.4, 17.5),
        hemoglobin_drift=law.hemoglobin_drift_sd * rng.normal(size=n),
        creatinine_mg_dl=np.clip(creatinine, 0.4, 1.7),
        albumin_g_dl=law.albumin_g_dl + law.albumin_sd * score(loadings.clone_albumin),
        calcium_mg_dl=law.calcium_mg_dl + law.calcium_sd * rng.normal(size=n),
        ldh_u_l=at_normal_score(rng.normal(size=n), levels.normal_scores, levels.ldh_u_l, "log"),
        b2m_mg_l=spread(law.b2m_mg_l, law.b2m_ln_sd) * (creatinine / MEAN_CREATININE_MG_DL) ** 0.5,
        igg_mg_dl=spread(law.igg_mg_dl, law.immunoglobulin_ln_sd) * suppressed,
        iga_mg_dl=spread(law.iga_mg_dl, law.immunoglobulin_ln_sd) * suppressed,
        igm_mg_dl=spread(law.igm_mg_dl, law.immunoglobulin_ln_sd) * suppressed,
    )


def true_labs(
    scenario: Scenario,
    subjects: Subjects,
    clone: Clone,
    own: Constitution,
    *,
    subject: Ints,
    years: Floats,
) -> Labs:
    """True values at visits, in canonical units.

    Parameters
    ----------
    subject, years : (v,) arrays
        Index of the subject and years since diagnosis of each visit.
    """
    law = scenario.labs
    expansion = clone.expansion(years, subject)
    anaemia = np.where(
        subjects.anaemia_prone, law.hemoglobin_per_ln_clone_prone, law.hemoglobin_per_ln_clone
    )[subject]
    renal = np.where(subjects.renal_prone, law.creatinine_per_ln_clone_prone, 0.0)[subject]
    bone = np.where(subjects.calcium_prone, law.calcium_per_ln_clone_prone, 0.0)[subject]
    creatinine = own.creatinine_mg_dl[subject] * np.exp(
        law.creatinine_drift * years + renal * expansion
    )
    m_protein = clone.m_protein_at(expansion, subject)
    kappa, lambda_ = _light_chains(scenario, subjects, clone, subject, expansion, creatinine)
    labs = {
        "m_protein": m_protein,
        "kappa_flc": kappa,
        "lambda_flc": lambda_,
        "bmpc": clone.bmpc_at(expansion, subject),
        "hemoglobin": own.hemoglobin_g_dl[subject]
        + own.hemoglobin_drift[subject] * years
        + anaemia * expansion,
        "creatinine": creatinine,
        "calcium": own.calcium_mg_dl[subject] + bone * expansion,
        "albumin": own.albumin_g_dl[subject] - 0.1 * expansion,
        "ldh": own.ldh_u_l[subject] * np.exp(0.08 * expansion),
        "b2m": own.b2m_mg_l[subject] * np.exp(0.15 * expansion),
    }
    falling = np.exp(-law.suppression_per_ln_clone * expansion)
    for name, level in (("igg", own.igg_mg_dl), ("iga", own.iga_mg_dl), ("igm", own.igm_mg_dl)):
        labs[name] = level[subject] * falling
    for code, name in enumerate(HEAVY_CHAINS[:2]):
        involved = subjects.heavy_chain[subject] == code
        labs[name.lower()] = labs[name.lower()] + np.where(involved, m_protein * MG_PER_G, 0.0)
    return labs


def _light_chains(
    scenario: Scenario,
    subjects: Subjects,
    clone: Clone,
    subject: Ints,
    expansion: Floats,
    creatinine: Floats,
) -> tuple[Floats, Floats]:
    """Kappa and lambda FLC; failing kidneys keep both, kappa more."""
    law = scenario.labs
    uninvolved = clone.uninvolved_flc_at(expansion, subject)
    involved = uninvolved * np.exp(clone.ln_flc_ratio_at(expansion, subject))
    kept = np.log(creatinine / MEAN_CREATININE_MG_DL)
    is_kappa = subjects.kappa[subject]
    kappa = np.where(is_kappa, involved, uninvolved) * np.exp(law.kappa_per_ln_creatinine * kept)
    lambda_ = np.where(is_kappa, uninvolved, involved) * np.exp(law.lambda_per_ln_creatinine * kept)
    return kappa, lambda_


def reported_labs(
    scenario: Scenario, subjects: Subjects, truth: Labs, *, subject: Ints, years: Floats, rng: Rng
) -> Labs:
    """What each centre's laboratory reports: assay, within-person noise, rounding."""
    centre = subjects.centre[subject]
    factors = _assay_factors(scenario)
    reported: Labs = {}
    for name, value in truth.items():
        noisy = value * noise_factor(rng, getattr(scenario.noise, name), value.size)
        if name in factors:
            noisy = noisy * factors[name][centre]
        reported[name] = noisy
    shift = np.array([c.hemoglobin_g_dl for c in scenario.centres])[centre]
    reported["hemoglobin"] = np.maximum(reported["hemoglobin"] + shift, 4.0)
    _diagnosed_as_smouldering(scenario, subjects, reported, subject, years == 0)
    reported["bmpc"] = _read_marrow(reported["bmpc"])
    reported = {name: np.round(value, DECIMALS[name]) for name, value in reported.items()}
    small = reported["m_protein"] < LEAST_QUANTIFIED_M_PROTEIN_G_DL
    reported["m_protein"] = np.where(small, 0.0, reported["m_protein"])
    for chain in ("kappa_flc", "lambda_flc"):
        reported[chain] = np.maximum(reported[chain], 0.1)
    return reported


def _assay_factors(scenario: Scenario) -> Labs:
    centres, assay = scenario.centres, scenario.assay
    return {
        "m_protein": assay.m_protein * np.array([c.m_protein_assay for c in centres]),
        "kappa_flc": assay.kappa_flc * np.array([c.kappa_assay for c in centres]),
        "lambda_flc": assay.lambda_flc * np.array([c.lambda_assay for c in centres]),
        "creatinine": np.array([c.creatinine_assay for c in centres]),
    }


def _diagnosed_as_smouldering(
    scenario: Scenario, subjects: Subjects, reported: Labs, subject: Ints, first: np.ndarray
) -> None:
    """Hold the first visit below every myeloma-defining event, or it had not been SMM."""
    levels = scenario.levels
    bounds = {
        "bmpc": (10.0, levels.most_bmpc_percent),
        "hemoglobin": (10.0, 20.0),
        "creatinine": (0.3, 2.0),
        "calcium": (7.0, 11.0),
    }
    for name, (low, high) in bounds.items():
        reported[name] = np.where(first, np.clip(reported[name], low, high), reported[name])
    kappa = subjects.kappa[subject]
    for involved, other, chain in (
        ("kappa_flc", "lambda_flc", kappa),
        ("lambda_flc", "kappa_flc", ~kappa),
    ):
        most = levels.most_flc_ratio * reported[other]
        above = first & chain & (reported[involved] > most)
        reported[involved] = np.where(above, most, reported[involved])


def _read_marrow(percent: Floats) -> Floats:
    """Plasma cells as pathologists read them: to 1 % below 15 %, to 5 % above; at most 95 %."""
    return np.minimum(np.where(percent < 15, np.round(percent), 5 * np.round(percent / 5)), 95.0)
