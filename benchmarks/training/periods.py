"""A million person-periods: XGBoost on them written out, beside the candidate on the same."""

import time
from collections.abc import Callable

import numpy as np
import xgboost

from training.candidates import CANDIDATES
from training.cohorts import installable_cohort
from training.landmarks import training_set
from training.metrics.timeline import PROGRESSION
from training.person_periods import Grid, PersonPeriods
from training.study import read_study

__all__ = ["section"]

PERIODS = 1_000_000
REPEATS = 2
LIMIT = 1.3


def seconds(work: Callable[[], object]) -> float:
    """Processor time."""
    start = time.process_time()
    work()
    return time.process_time() - start


def raw_against_ours() -> tuple[float, float, int]:
    """Processor seconds of both, the better of two runs in turn, and the number of periods."""
    study = read_study("mgus")
    base = training_set(installable_cohort("mgus2"), study)
    grid = Grid.of(study.horizons_years)
    per_row = PersonPeriods.of(base.duration_years, base.event, grid).count / len(base.subject)
    generator = np.random.default_rng(1)
    rows = base.rows(generator.integers(0, len(base.subject), int(PERIODS / per_row)))
    periods = PersonPeriods.of(rows.duration_years, rows.event, grid)
    candidate = CANDIDATES["hazard-trees"]
    row, interval = np.nonzero(periods.weight.T)
    values = np.column_stack([rows.values[row], grid.ends[interval]])
    label = (interval == periods.last[row]) & (periods.cause[row] == PROGRESSION)
    weight = periods.weight[interval, row]
    settings = {"objective": "binary:logistic"} | candidate.settings(
        (*rows.features, "interval"), study, 0
    )

    def raw() -> None:
        table = xgboost.DMatrix(values, label=label, weight=weight, nthread=1)
        xgboost.train(settings, table, candidate.rounds)

    both = [
        (seconds(raw), seconds(lambda: candidate.fit(rows, study, seed=0))) for _ in range(REPEATS)
    ]
    theirs, ours = np.min(both, axis=0)
    return float(theirs), float(ours), periods.count


def section() -> str:
    """The ratio."""
    raw, ours, count = raw_against_ours()
    return f"""
## Training: a million person-periods

`python -m benchmarks.training --part periods`

{count:,} person-periods (people of mgus2 drawn again and again), one core, processor time, the same
settings for both. Raw: `xgboost.DMatrix` and `xgboost.train` on the periods of progression already
written out. Ours: the whole candidate `hazard-trees` – periods, death by a regression, trees in the
multinomial likelihood, baselines, the artefact's form.

| | seconds |
|---|---|
| raw XGBoost | {raw:.1f} |
| ours | {ours:.1f} |
| ours / raw (limit {LIMIT}) | {ours / raw:.2f} |
"""
