"""What treatment would change, behind the switch of the page: one table per reported trial."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from features.history import Floats
from models.risk import Estimates, RiskModel
from models.treatment import HORIZONS_YEARS, Benefit, expected_benefit
from models.trial import TRIALS, Trial, load_trial
from serving.values import Json
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
    told: Sequence[Json], models: Sequence[RiskModel], t: Texts
) -> list[TreatmentTable]:
    """One table per reported trial, of the models for SMM that gave a risk at 2 or 5 years."""
    smm = {model.name for model in models if model.population == "smm"}
    answered = [entry for entry in told if entry["model"] in smm and entry["risks"]]
    if not answered:
        return []
    estimates = _estimates(answered)
    horizons = tuple(years_label(years, t) for years in HORIZONS_YEARS)
    tables = []
    for trial in REPORTED:
        assert trial.treatment is not None
        benefit = expected_benefit(estimates, trial.treatment)
        cells = zip(answered, _cells(benefit, t), strict=True)
        rows = tuple((entry["model"], row) for entry, row in cells if any(row))
        if rows:
            named = f"{trial.name}, {trial.nct}"
            tables.append(TreatmentTable(named, benefit.statement, horizons, rows))
    return tables


def _estimates(told: Sequence[Json]) -> Estimates:
    """What the models said at the horizons of the benefit, as if each were a landmark."""

    def table(name: str) -> Floats:
        by_horizon = [{risk["horizon_years"]: risk[name] for risk in e["risks"]} for e in told]
        return np.array(
            [[row.get(years) for years in HORIZONS_YEARS] for row in by_horizon], dtype=np.float64
        )

    status = np.zeros(len(told), dtype=np.int8)
    return Estimates(HORIZONS_YEARS, status, table("risk"), table("lower"), table("upper"))


def _cells(benefit: Benefit, t: Texts) -> list[tuple[str, ...]]:
    """Cells of every model, one per horizon."""
    numbers = np.stack([benefit.reduction, benefit.lower, benefit.upper], axis=-1).tolist()
    return [tuple(_cell(*ends, t=t) for ends in row) for row in numbers]


def _cell(reduction: float, lower: float, upper: float, *, t: Texts) -> str:
    if math.isnan(lower) or math.isnan(upper):
        return ""
    between = f"({span(lower, upper, t)})"
    return between if math.isnan(reduction) else f"{percent(reduction, t)} {between}"
