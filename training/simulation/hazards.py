"""Hazards of progression and of death before it, constant within each month from diagnosis.

Piecewise constant hazards make the law exact: times are drawn by inversion and true risks follow in
closed form, with no numerical error between them.
"""

from dataclasses import dataclass

import numpy as np

from training.simulation.arrays import Floats, Rng
from training.simulation.clone import Clone
from training.simulation.law import FISH, Scenario
from training.simulation.subjects import Subjects

__all__ = ["MONTHS", "STEP_YEARS", "Hazards", "hazards_of"]

STEP_YEARS = 1.0 / 12.0
MONTHS = 264
"""22 years: the longest follow-up of any scenario, and every landmark + horizon up to it."""

REFERENCE_BMPC_PERCENT, REFERENCE_M_PROTEIN_G_DL, REFERENCE_FLC_RATIO = 20.0, 2.0, 20.0


@dataclass(frozen=True, slots=True)
class Hazards:
    """Cause-specific hazards per year.

    Parameters
    ----------
    progression, death : (n, m) arrays
        In each month since diagnosis.
    """

    progression: Floats
    death: Floats

    def draw(self, rng: Rng) -> tuple[Floats, Floats]:
        """(n,) years to the first event and (n,) chance that it is progression.

        Subjects without an event within the months modelled get infinity.
        """
        total = self.progression + self.death
        n, months = total.shape
        passed = np.cumsum(total, axis=1) * STEP_YEARS
        threshold: Floats = rng.standard_exponential((n, 1))
        month = (passed <= threshold).sum(axis=1)
        within = np.minimum(month, months - 1)
        row = np.arange(n)
        before: Floats = np.where(within > 0, passed[row, within - 1], 0.0)
        years = within * STEP_YEARS + (threshold[:, 0] - before) / total[row, within]
        chance = self.progression[row, within] / total[row, within]
        return np.where(month < months, years, np.inf), chance


def hazards_of(scenario: Scenario, subjects: Subjects, clone: Clone) -> Hazards:
    """Hazards of every subject in every month since diagnosis."""
    years: Floats = (np.arange(MONTHS, dtype=np.float64)[None, :] + 0.5) * STEP_YEARS
    return Hazards(
        progression=_progression(scenario, subjects, clone, years),
        death=_death(scenario, subjects, years),
    )


def _progression(scenario: Scenario, subjects: Subjects, clone: Clone, years: Floats) -> Floats:
    """Hazard by level and growth; it declines with time for those whose clone does not grow."""
    law = scenario.hazard
    who = np.arange(subjects.clone.size)[:, None]
    expansion = clone.expansion(years, who)
    centre = np.array([c.log_hazard for c in scenario.centres])[subjects.centre]
    fish = subjects.fish @ np.array([scenario.fish.log_hazard[name] for name in FISH])
    stable_years = np.minimum(years, clone.onset_years[who])
    log_hazard = (
        law.log_baseline
        + law.log_baseline_shift
        + (centre + fish)[:, None]
        + law.bmpc * np.log(clone.bmpc_at(expansion, who) / REFERENCE_BMPC_PERCENT)
        + law.flc_ratio * (clone.ln_flc_ratio_at(expansion, who) - np.log(REFERENCE_FLC_RATIO))
        + law.m_protein * (clone.m_protein_at(expansion, who) - REFERENCE_M_PROTEIN_G_DL)
        + law.growth * clone.growth_rate(years, who)
        - law.stable_decline * stable_years
    )
    hazard: Floats = np.minimum(np.exp(log_hazard), law.most_per_year)
    return hazard


def _death(scenario: Scenario, subjects: Subjects, years: Floats) -> Floats:
    law = scenario.death
    log_rate = (
        law.log_rate_at_70
        + law.per_year_of_age * (subjects.age_years[:, None] + years - 70)
        + law.male * ~subjects.female[:, None]
    )
    rate: Floats = law.scale * np.exp(log_rate)
    return rate
