"""The simulated law, typed: what a scenario must say and within which limits."""

from dataclasses import dataclass, field
from datetime import date
from typing import Annotated

__all__ = ["FISH", "Centre", "Limits", "Scenario"]

FISH = ("fish_t_4_14", "fish_t_14_16", "fish_del_17p", "fish_gain_1q", "fish_del_13q")


@dataclass(frozen=True, slots=True)
class Limits:
    """Least and most a number may be, and how many of them there are (0: one, not a list)."""

    low: float
    high: float
    length: int = 0


Share = Annotated[float, Limits(0.0, 1.0)]
Effect = Annotated[float, Limits(-10.0, 10.0)]
Loading = Annotated[float, Limits(-1.0, 1.0)]
Spread = Annotated[float, Limits(0.0, 2.0)]
Rate = Annotated[float, Limits(0.0, 10.0)]
Factor = Annotated[float, Limits(0.1, 10.0)]
Positive = Annotated[float, Limits(1e-9, 1e6)]
Pair = Annotated[tuple[float, ...], Limits(0.0, 1.0, length=2)]
Knots = Annotated[tuple[float, ...], Limits(-1e6, 1e6, length=7)]
PositiveKnots = Annotated[tuple[float, ...], Limits(1e-6, 1e6, length=7)]


@dataclass(frozen=True, slots=True)
class Population:
    """Who is diagnosed, and when."""

    age_mean_years: Annotated[float, Limits(30.0, 90.0)]
    age_sd_years: Annotated[float, Limits(0.1, 20.0)]
    share_female: Share
    share_igg: Share
    share_iga: Share
    share_kappa: Share
    first_diagnosis: date = date(2004, 1, 1)
    last_diagnosis: date = date(2021, 12, 31)
    data_cut: date = date(2024, 1, 1)


@dataclass(frozen=True, slots=True)
class Fish:
    """Share and log hazard ratio by abnormality, in the order of ``FISH``."""

    shares: dict[str, float]
    log_hazard: dict[str, float]


@dataclass(frozen=True, slots=True)
class Levels:
    """Levels at diagnosis by normal score, and how far this population is shifted."""

    normal_scores: Knots
    m_protein_g_dl: Knots
    flc_ratio: PositiveKnots
    uninvolved_flc_mg_l: PositiveKnots
    bmpc_percent: PositiveKnots
    ldh_u_l: PositiveKnots
    shift_clone: Effect
    shift_m_protein: Effect
    shift_flc_ratio: Effect
    shift_bmpc: Effect
    most_flc_ratio: Positive
    most_bmpc_percent: Annotated[float, Limits(10.0, 99.0)]


@dataclass(frozen=True, slots=True)
class Loadings:
    """How clone size and secretory bias move each level, in normal scores."""

    clone_m_protein: Loading
    clone_flc_ratio: Loading
    clone_bmpc: Loading
    clone_uninvolved_flc: Loading
    clone_hemoglobin: Loading
    clone_albumin: Loading
    secretion_m_protein: Loading
    secretion_flc_ratio: Loading
    secretion_uninvolved_flc: Loading


@dataclass(frozen=True, slots=True)
class Growth:
    """How clones grow: stable, slow, evolving."""

    share_slow: Share
    share_evolving: Share
    evolving_per_clone: Effect
    evolving_at_diagnosis: Share
    onset_mean_years: Positive
    evolving_rate: Positive
    evolving_rate_sd: Annotated[float, Limits(0.0, 3.0)]
    slow_rate: Positive
    slow_rate_sd: Annotated[float, Limits(0.0, 3.0)]
    ceiling_ln: Annotated[float, Limits(0.1, 10.0)]
    m_protein_exponent: Effect
    involved_flc_exponent: Effect
    uninvolved_flc_exponent: Effect
    bmpc_exponent: Effect


@dataclass(frozen=True, slots=True)
class Hazard:
    """Log hazard of progression per year by level and growth."""

    log_baseline: Annotated[float, Limits(-20.0, 3.0)]
    bmpc: Effect
    flc_ratio: Effect
    m_protein: Effect
    growth: Effect
    stable_decline: Annotated[float, Limits(0.0, 5.0)]
    most_per_year: Annotated[float, Limits(0.01, 50.0)]
    log_baseline_shift: Effect = 0.0


@dataclass(frozen=True, slots=True)
class Death:
    """Gompertz hazard of death before progression."""

    log_rate_at_70: Annotated[float, Limits(-20.0, 3.0)]
    per_year_of_age: Annotated[float, Limits(0.0, 1.0)]
    male: Effect
    scale: Rate


@dataclass(frozen=True, slots=True)
class Labs:
    """Other laboratory values, and what the clone does to them."""

    hemoglobin_female_g_dl: Annotated[float, Limits(8.0, 18.0)]
    hemoglobin_male_g_dl: Annotated[float, Limits(8.0, 18.0)]
    hemoglobin_sd: Annotated[float, Limits(0.0, 5.0)]
    hemoglobin_drift_sd: Annotated[float, Limits(0.0, 5.0)]
    hemoglobin_per_ln_clone: Effect
    share_anaemia_prone: Share
    hemoglobin_per_ln_clone_prone: Effect
    creatinine_female_mg_dl: Annotated[float, Limits(0.2, 3.0)]
    creatinine_male_mg_dl: Annotated[float, Limits(0.2, 3.0)]
    creatinine_ln_sd: Spread
    creatinine_per_year_of_age: Annotated[float, Limits(-0.1, 0.1)]
    creatinine_drift: Annotated[float, Limits(-0.5, 0.5)]
    share_renal_prone: Share
    creatinine_per_ln_clone_prone: Effect
    albumin_g_dl: Annotated[float, Limits(1.0, 6.0)]
    albumin_sd: Spread
    calcium_mg_dl: Annotated[float, Limits(6.0, 12.0)]
    calcium_sd: Spread
    share_calcium_prone: Share
    calcium_per_ln_clone_prone: Effect
    b2m_mg_l: Positive
    b2m_ln_sd: Spread
    kappa_per_ln_creatinine: Effect
    lambda_per_ln_creatinine: Effect
    igg_mg_dl: Positive
    iga_mg_dl: Positive
    igm_mg_dl: Positive
    immunoglobulin_ln_sd: Spread
    suppression: Effect
    suppression_per_clone: Effect
    suppression_per_ln_clone: Effect


@dataclass(frozen=True, slots=True)
class Noise:
    """Coefficient of variation of repeated measurements, by analyte."""

    m_protein: Share
    kappa_flc: Share
    lambda_flc: Share
    bmpc: Share
    hemoglobin: Share
    creatinine: Share
    calcium: Share
    albumin: Share
    ldh: Share
    b2m: Share
    igg: Share
    iga: Share
    igm: Share


@dataclass(frozen=True, slots=True)
class Assay:
    """Factor by which every centre's method reads an analyte, on top of the centre's own."""

    m_protein: Factor = 1.0
    kappa_flc: Factor = 1.0
    lambda_flc: Factor = 1.0


@dataclass(frozen=True, slots=True)
class Schedule:
    """When subjects come."""

    early_interval_years: Annotated[float, Limits(0.05, 3.0)]
    early_years: Annotated[float, Limits(0.0, 30.0)]
    late_interval_years: Annotated[float, Limits(0.05, 3.0)]
    adherence_ln_sd: Annotated[float, Limits(0.0, 1.0)]
    interval_ln_sd: Annotated[float, Limits(0.0, 1.0)]
    missed: Annotated[float, Limits(0.0, 0.9)]


@dataclass(frozen=True, slots=True)
class Completeness:
    """Chance that a visit has a test, in the first and the last year of diagnosis."""

    m_protein: Pair
    flc: Pair
    hemoglobin: Pair
    creatinine: Pair
    calcium: Pair
    albumin: Pair
    ldh: Pair
    b2m: Pair
    immunoglobulins: Pair
    fish: Pair
    bmpc_repeat_per_year: Annotated[float, Limits(0.0, 4.0)]
    growing_odds: Positive
    growing_marrow: Positive
    growing_fish: Positive


@dataclass(frozen=True, slots=True)
class Modes:
    """Chance that a progression shows a sign, for subjects not prone to it and for prone ones."""

    bone: Pair
    anaemia: Pair
    renal: Pair
    calcium: Pair


@dataclass(frozen=True, slots=True)
class Censoring:
    """Rates per year of leaving before the data cut."""

    dropout_per_year: Rate
    other_treatment_per_year: Rate
    other_treatment_per_log_hazard: Effect


@dataclass(frozen=True, slots=True)
class Centre:
    """One hospital: its share, case mix (normal scores), hazard and methods."""

    name: str
    share: Share
    clone: Effect = 0.0
    log_hazard: Effect = 0.0
    hemoglobin_g_dl: Effect = 0.0
    m_protein_assay: Factor = 1.0
    kappa_assay: Factor = 1.0
    lambda_assay: Factor = 1.0
    creatinine_assay: Factor = 1.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """A simulated law, complete and checked."""

    name: str
    title: str
    population: Population
    fish: Fish
    levels: Levels
    loadings: Loadings
    growth: Growth
    hazard: Hazard
    death: Death
    labs: Labs
    noise: Noise
    schedule: Schedule
    completeness: Completeness
    modes: Modes
    censoring: Censoring
    centres: tuple[Centre, ...]
    assay: Assay = field(default_factory=Assay)
