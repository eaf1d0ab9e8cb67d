"""The simulated cohort: the whole law from subjects to tables, in blocks that need no other block.

A block has its own random stream, so a subject's course depends on the seed and on the subject's
number alone: a larger cohort begins with the smaller one, and memory grows with the tables only.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.errors import ValueRangeError
from training.cohorts import Cohort
from training.simulation.arrays import Bools, Floats
from training.simulation.clone import GROWTH, Clone, draw_clone
from training.simulation.hazards import MONTHS, STEP_YEARS, hazards_of
from training.simulation.labs import draw_constitution, reported_labs, true_labs
from training.simulation.law import FISH, Scenario
from training.simulation.outcomes import Outcomes, draw_outcomes
from training.simulation.scenarios import scenario_named
from training.simulation.subjects import HEAVY_CHAINS, Subjects, draw_subjects
from training.simulation.truth import HORIZONS_YEARS, Truth
from training.simulation.visits import Visits, draw_tests, draw_visits

__all__ = ["simulate_cohort", "true_risks"]

BLOCK = 1024
"""Subjects per random stream; part of the law, since changing it changes every cohort."""

UNITS = {
    "m_protein": "g_dl", "kappa_flc": "mg_l", "lambda_flc": "mg_l", "bmpc": "percent",
    "hemoglobin": "g_dl", "creatinine": "mg_dl", "calcium": "mg_dl", "albumin": "g_dl",
    "ldh": "u_l", "b2m": "mg_l", "igg": "mg_dl", "iga": "mg_dl", "igm": "mg_dl",
}  # fmt: skip

Columns = dict[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class _Block:
    """The first `size` subjects of one block, with the streams of what is drawn next."""

    scenario: Scenario
    size: int
    first: int
    subjects: Subjects
    clone: Clone
    truth: Truth
    streams: list[np.random.Generator]


def simulate_cohort(subjects: int, *, seed: int, scenario: str | Scenario = "referral") -> Cohort:
    """Simulated SMM cohort with visits, outcomes and each subject's true risks at diagnosis.

    Parameters
    ----------
    subjects
        1 or more.
    seed
        0 or more; the same seed gives the same cohort.
    scenario
        Name of a scenario of this package, or one made by ``scenario_from``.

    Raises
    ------
    InputError
        A number is out of range or the scenario unknown.
    """
    law = scenario_named(scenario) if isinstance(scenario, str) else scenario
    tables = [_tables(block) for block in _blocks(subjects, seed, law)]
    visits, outcomes, truth = (
        pd.DataFrame({name: np.concatenate([t[i][name] for t in tables]) for name in tables[0][i]})
        for i in range(3)
    )
    return Cohort(f"simulated-{law.name}", "simulated", visits, outcomes, truth)


def true_risks(
    subjects: int,
    *,
    seed: int,
    scenario: str | Scenario = "referral",
    landmarks_years: tuple[float, ...] = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0),
    horizons_years: tuple[float, ...] = HORIZONS_YEARS,
) -> pd.DataFrame:
    """True risks of a simulated cohort's subjects at every landmark, given no event before it.

    Parameters
    ----------
    subjects, seed, scenario
        As given to ``simulate_cohort``.
    landmarks_years, horizons_years
        Every landmark + horizon at most 22 years.

    Returns
    -------
    DataFrame
        ``subject_id, landmark_years, horizon_years, risk``, one row for each combination, whether
        or not the subject was still followed at the landmark.
    """
    if min(landmarks_years) < 0 or min(horizons_years) < 0:
        raise ValueRangeError("landmarks_years", "expected landmarks and horizons of 0 or more")
    if max(landmarks_years) + max(horizons_years) > MONTHS * STEP_YEARS:
        raise ValueRangeError("landmarks_years", "expected landmark + horizon of 22 years at most")
    law = scenario_named(scenario) if isinstance(scenario, str) else scenario
    tables = [
        pd.DataFrame(
            {
                "subject_id": _identifiers(block),
                "landmark_years": landmark,
                "horizon_years": horizon,
                "risk": block.truth.risk(landmark, horizon)[: block.size],
            }
        )
        for block in _blocks(subjects, seed, law)
        for landmark in landmarks_years
        for horizon in horizons_years
    ]
    return pd.concat(tables, ignore_index=True)


def _blocks(subjects: int, seed: int, scenario: Scenario) -> Iterator[_Block]:
    if isinstance(subjects, bool) or not isinstance(subjects, int) or subjects < 1:
        raise ValueRangeError("subjects", "expected a whole number, 1 or more")
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ValueRangeError("seed", "expected a whole number, 0 or more")
    for first in range(0, subjects, BLOCK):
        sequence = np.random.SeedSequence(seed, spawn_key=(first // BLOCK,))
        streams = [np.random.default_rng(child) for child in sequence.spawn(6)]
        # Every block is drawn whole, so that a subject does not depend on how many follow.
        drawn = draw_subjects(scenario, BLOCK, streams[0])
        clone = draw_clone(scenario, drawn, streams[1])
        truth = Truth.of(hazards_of(scenario, drawn, clone))
        size = min(BLOCK, subjects - first)
        yield _Block(scenario, size, first, drawn, clone, truth, streams[2:])


def _tables(block: _Block) -> tuple[Columns, Columns, Columns]:
    on_outcomes, on_visits, on_tests, on_labs = block.streams
    outcomes = draw_outcomes(block.scenario, block.subjects, block.truth.hazards, on_outcomes)
    visits = draw_visits(block.scenario, outcomes.duration_years, on_visits)
    tested = draw_tests(block.scenario, block.subjects, block.clone, visits, on_tests)
    labs = _labs(block, visits, on_labs)
    return (
        _visit_columns(block, visits, labs, tested),
        {
            "subject_id": _identifiers(block),
            "duration_years": outcomes.duration_years[: block.size],
            "event": outcomes.event[: block.size],
        },
        _truth_columns(block, outcomes),
    )


def _labs(block: _Block, visits: Visits, rng: np.random.Generator) -> dict[str, Floats]:
    scenario, subjects = block.scenario, block.subjects
    own = draw_constitution(scenario, subjects, rng)
    true = true_labs(
        scenario, subjects, block.clone, own, subject=visits.subject, years=visits.years
    )
    return reported_labs(
        scenario, subjects, true, subject=visits.subject, years=visits.years, rng=rng
    )


def _visit_columns(
    block: _Block, visits: Visits, labs: dict[str, Floats], tested: dict[str, Bools]
) -> Columns:
    kept = visits.subject < block.size
    who, years = visits.subject[kept], visits.years[kept]
    people = block.subjects
    centres = np.array([c.name for c in block.scenario.centres], dtype=object)
    day = people.diagnosis_day[who].astype("datetime64[D]")
    columns: Columns = {
        "subject_id": _identifiers(block)[who],
        "years": years,
        "centre": centres[people.centre[who]],
        "age": np.round(people.age_years[who] + years, 2),
        "sex": np.where(people.female[who], "F", "M").astype(object),
        "heavy_chain": np.array(HEAVY_CHAINS, dtype=object)[people.heavy_chain[who]],
        "light_chain": np.where(people.kappa[who], "kappa", "lambda").astype(object),
        "diagnosis_date": np.datetime_as_string(day).astype(object),
    }
    for name, unit in UNITS.items():
        columns[f"{name}_{unit}"] = np.where(tested[name], labs[name], np.nan)[kept]
    for code, name in enumerate(FISH):
        found = people.fish[visits.subject, code].astype(np.float64)
        columns[name] = np.where(tested["fish"], found, np.nan)[kept]
    return columns


def _truth_columns(block: _Block, outcomes: Outcomes) -> Columns:
    columns: Columns = {"subject_id": _identifiers(block)}
    for horizon in HORIZONS_YEARS:
        columns[f"risk_{horizon:.0f}y"] = block.truth.risk(0.0, horizon)[: block.size]
    growth = np.array(GROWTH, dtype=object)[block.clone.growth]
    return columns | {
        "growth": growth[: block.size],
        "progression_mode": outcomes.mode[: block.size],
    }


def _identifiers(block: _Block) -> np.ndarray:
    numbers = range(block.first + 1, block.first + block.size + 1)
    return np.array([f"S{number:07d}" for number in numbers], dtype=object)
