"""What is observed of each subject's course: progression, death first, or the end of follow-up."""

from dataclasses import dataclass

import numpy as np

from training.simulation.arrays import Bools, Floats, Ints, Rng
from training.simulation.hazards import Hazards
from training.simulation.law import Scenario
from training.simulation.subjects import DAYS_PER_YEAR, EPOCH, Subjects

__all__ = ["SHORTEST_YEARS", "Outcomes", "draw_outcomes"]

SHORTEST_YEARS = 0.003
"""One day: nobody leaves at the diagnosis itself."""

CENSORED, PROGRESSION, DEATH = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Observed outcomes.

    Parameters
    ----------
    duration_years : (n,) array
        From diagnosis, to the day.
    event : (n,) array
        0 censored, 1 progression, 2 death first.
    mode : (n,) array of str
        Signs of progression joined by ``+``, ``slim`` for none of CRAB, empty without progression.
    """

    duration_years: Floats
    event: Ints
    mode: np.ndarray[tuple[int], np.dtype[np.object_]]


def draw_outcomes(scenario: Scenario, subjects: Subjects, hazards: Hazards, rng: Rng) -> Outcomes:
    """Outcome of every subject, seen until the data cut, dropout or another treatment."""
    years, chance = hazards.draw(rng)
    event = np.where(rng.random(years.size) < chance, PROGRESSION, DEATH)
    seen_until = _follow_up(scenario, subjects, hazards, rng)
    event = np.where(years <= seen_until, event, CENSORED)
    duration = np.maximum(np.round(np.minimum(years, seen_until), 3), SHORTEST_YEARS)
    mode = _mode(scenario, subjects, rng)
    return Outcomes(duration, event, np.where(event == PROGRESSION, mode, ""))


def _follow_up(scenario: Scenario, subjects: Subjects, hazards: Hazards, rng: Rng) -> Floats:
    law, n = scenario.censoring, subjects.clone.size
    cut = scenario.population.data_cut.toordinal() - EPOCH
    administrative = (cut - subjects.diagnosis_day) / DAYS_PER_YEAR
    # Relative to the reference subject, so that the rate means the same in every scenario.
    severity = np.log(hazards.progression[:, 0]) - scenario.hazard.log_baseline
    treated = law.other_treatment_per_year * np.exp(law.other_treatment_per_log_hazard * severity)
    dropout = rng.exponential(size=n) / max(law.dropout_per_year, 1e-12)
    treatment = rng.exponential(size=n) / np.maximum(treated, 1e-12)
    return np.minimum(administrative, np.minimum(dropout, treatment))


def _mode(
    scenario: Scenario, subjects: Subjects, rng: Rng
) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    law, n = scenario.modes, subjects.clone.size
    nobody: Bools = np.zeros(n, dtype=bool)
    signs = (
        ("bone", law.bone, nobody),
        ("anaemia", law.anaemia, subjects.anaemia_prone),
        ("renal", law.renal, subjects.renal_prone),
        ("calcium", law.calcium, subjects.calcium_prone),
    )
    mode = np.full(n, "", dtype=object)
    for name, (otherwise, prone), is_prone in signs:
        shows = rng.random(n) < np.where(is_prone, prone, otherwise)
        mode = np.where(shows, np.where(mode == "", name, mode + "+" + name), mode)
    return np.where(mode == "", "slim", mode)
