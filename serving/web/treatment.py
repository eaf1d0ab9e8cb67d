"""What treatment would change, behind the switch of the page: one table per reported trial."""

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
    answered = [
        (entry["model"], _estimates(entry))
        for entry in told
        if entry["model"] in smm and entry["risks"]
    ]
    tables = []
    for trial in REPORTED:
        assert trial.treatment is not None
        found = [(name, expected_benefit(said, trial.treatment)) for name, said in answered]
        rows = [(name, _cells(benefit, t)) for name, benefit in found]
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


def _estimates(entry: Json) -> Estimates:
    """What one model said, as the one landmark it said it of."""

    def row(name: str) -> Floats:
        values = [np.nan if risk[name] is None else risk[name] for risk in entry["risks"]]
        return np.array([values])

    horizons = tuple(risk["horizon_years"] for risk in entry["risks"])
    status = np.zeros(1, dtype=np.int8)
    return Estimates(horizons, status, row("risk"), row("lower"), row("upper"))


def _cells(benefit: Benefit, t: Texts) -> tuple[str, ...]:
    cells = []
    for years in HORIZONS_YEARS:
        if years not in benefit.horizons_years:
            cells.append("")
            continue
        j = benefit.horizons_years.index(years)
        ends = benefit.lower[0, j], benefit.upper[0, j]
        if np.isnan(ends).any():
            cells.append("")
            continue
        between = span(float(ends[0]), float(ends[1]), t)
        reduction = benefit.reduction[0, j]
        first = "" if np.isnan(reduction) else f"{percent(float(reduction), t)} "
        cells.append(f"{first}({between})")
    return tuple(cells)
