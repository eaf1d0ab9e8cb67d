"""Who the subjects are: centre, age, sex, era, chains, FISH and the latent traits of the clone."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from training.simulation.arrays import Bools, Floats, Ints, Rng, categories
from training.simulation.law import FISH, Scenario

__all__ = ["HEAVY_CHAINS", "Subjects", "draw_subjects"]

HEAVY_CHAINS = ("IgG", "IgA", "none")
DAYS_PER_YEAR = 365.25
EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Subjects:
    """What does not change, one row per subject.

    Parameters
    ----------
    centre : (n,) array
        Index into the scenario's centres.
    age_years : (n,) array
        At diagnosis.
    female, kappa : (n,) arrays of bool
        Sex and involved light chain.
    heavy_chain : (n,) array
        Index into ``HEAVY_CHAINS``.
    diagnosis_day : (n,) array
        Days since 1970-01-01.
    era : (n,) array
        0 in the scenario's first year of diagnosis, 1 in its last.
    fish : (n, 5) array of bool
        Abnormalities in the order of ``FISH``.
    clone, secretion : (n,) arrays
        Normal scores of clone size and of the bias towards light chains.
    anaemia_prone, renal_prone, calcium_prone : (n,) arrays of bool
        Whom the growing clone harms in which way.
    """

    centre: Ints
    age_years: Floats
    female: Bools
    kappa: Bools
    heavy_chain: Ints
    diagnosis_day: Ints
    era: Floats
    fish: Bools
    clone: Floats
    secretion: Floats
    anaemia_prone: Bools
    renal_prone: Bools
    calcium_prone: Bools


def draw_subjects(scenario: Scenario, subjects: int, rng: Rng) -> Subjects:
    """Subjects as they are diagnosed under a scenario."""
    population = scenario.population
    centre = categories(rng, tuple(c.share for c in scenario.centres), subjects)
    case_mix = np.array([c.clone for c in scenario.centres])[centre]
    age = rng.normal(population.age_mean_years, population.age_sd_years, subjects)
    first = population.first_diagnosis.toordinal() - EPOCH
    last = population.last_diagnosis.toordinal() - EPOCH
    day = rng.integers(first, last + 1, subjects)
    light_only = 1 - population.share_igg - population.share_iga
    return Subjects(
        centre=centre,
        age_years=np.clip(age, 35.0, 92.0),
        female=rng.random(subjects) < population.share_female,
        kappa=rng.random(subjects) < population.share_kappa,
        heavy_chain=categories(
            rng, (population.share_igg, population.share_iga, light_only), subjects
        ),
        diagnosis_day=day,
        era=(day - first) / max(last - first, 1),
        fish=rng.random((subjects, len(FISH))) < [scenario.fish.shares[name] for name in FISH],
        clone=rng.normal(scenario.levels.shift_clone, 1.0, subjects) + case_mix,
        secretion=rng.normal(size=subjects),
        anaemia_prone=rng.random(subjects) < scenario.labs.share_anaemia_prone,
        renal_prone=rng.random(subjects) < scenario.labs.share_renal_prone,
        calcium_prone=rng.random(subjects) < scenario.labs.share_calcium_prone,
    )
