"""What treatment would change, behind the switch of the page: one table per reported trial."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from features.landmark import LandmarkFeatures
from models.risk import RiskModel
from models.treatment import HORIZONS_YEARS, Benefit, expected_benefit
from models.trial import TRIALS, Trial, load_trial
from serving.web.numbers import percent, span, years_label
from serving.web.texts import Texts

__all__ = ["TreatmentTable", "treatment_tables"]

REPORTED: tuple[Trial, ...] = tuple(
    trial for trial in map(load_trial, TRIALS) if trial.treatment is not None
)


@dataclass(frozen=True, slots=True)
class TreatmentTable:
    """Expected absolute reduction by model and horizon under one trial's result.

    Parameters
    ----------
    trial
        Name and registration.
    statement
        Hazard ratio, outcome, population and source.
    horizons
        In words.
    rows
        Model, and per horizon the reduction in percentage points with its range; empty where the
        model has none.
    """

    trial: str
    statement: str
    horizons: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


def treatment_tables(
    features: LandmarkFeatures, place: int, models: Sequence[RiskModel], t: Texts
) -> list[TreatmentTable]:
    """One table per reported trial, of the models for SMM that give a risk at 2 or 5 years."""
    answered = [
        (model.name, model.estimate(features)) for model in models if model.population == "smm"
    ]
    tables = []
    for trial in REPORTED:
        assert trial.treatment is not None
        found = [(name, expected_benefit(said, trial.treatment)) for name, said in answered]
        rows = [(name, _cells(benefit, place, t)) for name, benefit in found]
        rows = [(name, cells) for name, cells in rows if any(cells)]
        if rows:
            tables.append(
                TreatmentTable(
                    trial=f"{trial.name}, {trial.nct}",
                    statement=found[0][1].statement,
                    horizons=tuple(years_label(years, t) for years in HORIZONS_YEARS),
                    rows=tuple(rows),
                )
            )
    return tables


def _cells(benefit: Benefit, place: int, t: Texts) -> tuple[str, ...]:
    cells = []
    for years in HORIZONS_YEARS:
        if years not in benefit.horizons_years:
            cells.append("")
            continue
        j = benefit.horizons_years.index(years)
        ends = benefit.lower[place, j], benefit.upper[place, j]
        if np.isnan(ends).any():
            cells.append("")
            continue
        between = span(float(ends[0]), float(ends[1]), t)
        reduction = benefit.reduction[place, j]
        first = "" if np.isnan(reduction) else f"{percent(float(reduction), t)} "
        cells.append(f"{first}({between})")
    return tuple(cells)
