"""Which visits take place, and which tests each of them has."""

from dataclasses import dataclass

import numpy as np

from training.simulation.arrays import Bools, Floats, Ints, Rng
from training.simulation.clone import Clone
from training.simulation.law import Scenario, Schedule
from training.simulation.subjects import Subjects

__all__ = ["Visits", "draw_tests", "draw_visits"]

PANELS = {
    "m_protein": ("m_protein",),
    "flc": ("kappa_flc", "lambda_flc"),
    "hemoglobin": ("hemoglobin",),
    "creatinine": ("creatinine",),
    "calcium": ("calcium",),
    "albumin": ("albumin",),
    "ldh": ("ldh",),
    "b2m": ("b2m",),
    "immunoglobulins": ("igg", "iga", "igm"),
}
"""Analytes of each panel: they are there together or not at all."""

VISIBLE_GROWTH = 0.2
"""Ln-fold per year from which a clinician sees the clone grow, and tests more."""


@dataclass(frozen=True, slots=True)
class Visits:
    """Visits sorted by subject and time.

    Parameters
    ----------
    subject, years : (v,) arrays
        Index of the subject and years since diagnosis; the first visit is at 0.
    """

    subject: Ints
    years: Floats


def draw_visits(scenario: Scenario, duration_years: Floats, rng: Rng) -> Visits:
    """Visits from diagnosis up to, never at or after, the end of each subject's follow-up."""
    law, n = scenario.schedule, duration_years.size
    adherence = np.exp(law.adherence_ln_sd * rng.normal(size=n))[:, None]
    shortest = min(law.early_interval_years, law.late_interval_years)
    # Enough steps for the longest follow-up at the shortest usual interval, with room to spare.
    steps = int(np.ceil(1.5 * 22.0 / shortest)) + 5
    step = adherence * np.exp(law.interval_ln_sd * rng.normal(size=(n, steps)))
    missed = rng.random((n, steps)) < law.missed
    planned = np.concatenate((np.zeros((n, 1)), np.cumsum(step * (1 + missed), axis=1)), axis=1)
    years = np.round(_spaced(planned, law), 3)
    subject, column = np.nonzero(years < duration_years[:, None])
    return Visits(subject.astype(np.int64), years[subject, column])


def _spaced(planned: Floats, law: Schedule) -> Floats:
    """Years at which the planned steps fall: close in the early years, wider later."""
    early_steps = law.early_years / law.early_interval_years
    later = np.maximum(planned - early_steps, 0.0)
    early = np.minimum(planned, early_steps)
    return early * law.early_interval_years + later * law.late_interval_years


def draw_tests(
    scenario: Scenario, subjects: Subjects, clone: Clone, visits: Visits, rng: Rng
) -> dict[str, Bools]:
    """Whether each visit has each analyte, and FISH; by era, analyte and state."""
    law, count = scenario.completeness, visits.years.size
    era = subjects.era[visits.subject]
    growing = clone.growth_rate(visits.years, visits.subject) > VISIBLE_GROWTH
    tested: dict[str, Bools] = {}
    for panel, analytes in PANELS.items():
        first, last = getattr(law, panel)
        share = first + (last - first) * era
        present = rng.random(count) < _more_often(share, growing, law.growing_odds)
        tested |= dict.fromkeys(analytes, present)
    at_diagnosis = visits.years == 0
    marrows = scenario.schedule.late_interval_years * law.bmpc_repeat_per_year
    repeated = rng.random(count) < marrows * np.where(growing, law.growing_marrow, 1.0)
    tested["bmpc"] = at_diagnosis | repeated
    share = law.fish[0] + (law.fish[1] - law.fish[0]) * era
    share = _more_often(share, growing, law.growing_fish)
    tested["fish"] = at_diagnosis & (rng.random(count) < share)
    return tested


def _more_often(share: Floats, growing: Bools, odds_factor: float) -> Floats:
    """Chance of a test when its odds are multiplied for clones that are seen to grow."""
    odds = share / np.maximum(1 - share, 1e-9) * np.where(growing, odds_factor, 1.0)
    return odds / (1 + odds)
