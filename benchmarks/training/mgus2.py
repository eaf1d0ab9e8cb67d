"""Tables A and B of `benchmarks.published` with the whole pipeline in every training part."""

from dataclasses import replace

import numpy as np
import pandas as pd

from benchmarks.peers.mgus2 import mgus2
from benchmarks.published import SPLITS, TEN_YEARS
from benchmarks.training.nested import LEARNERS, pipeline_risk
from training.candidates import CANDIDATES
from training.landmarks import TrainingSet
from training.metrics.brier import brier_score
from training.metrics.calibration import mean_calibration, weak_calibration
from training.metrics.discrimination import auc
from training.study import read_study
from training.workshop import Piece, Result, Workshop

__all__ = ["section"]

LABS = {
    "m_protein_g_dl": "m_protein_g_dl",
    "age_years": "age",
    "hemoglobin_g_dl": "hemoglobin_g_dl",
    "creatinine_mg_dl": "creatinine_mg_dl",
    "male": "male",
}
"""Feature to column of `benchmarks.peers.mgus2`."""
REPEATS, FOLDS = 10, 5


def labs_of_mgus2() -> TrainingSet:
    """Everybody of mgus2 at diagnosis, the rows where R has them."""
    frame, duration, event = mgus2()
    values = frame[list(LABS.values())].to_numpy(float)
    n = len(values)
    return TrainingSet(tuple(LABS), values, np.arange(n), np.zeros(n), duration, event, 0, 0)


def parts(rows: TrainingSet, mask: np.ndarray) -> tuple[TrainingSet, TrainingSet]:
    """Training and test rows; missing labs are the training part's means, as for the peers."""
    train, test = rows.rows(~mask), rows.rows(mask)
    mean = np.nanmean(train.values, axis=0)
    filled = [
        replace(p, values=np.where(np.isnan(p.values), mean, p.values)) for p in (train, test)
    ]
    return filled[0], filled[1]


def split_scores(name: str, run: int) -> Result:
    """IPA and C of one published half/half split, death censored."""
    rows = labs_of_mgus2()
    rows = replace(rows, event=np.where(rows.event == 1, 1, 0))
    splits = pd.read_csv(SPLITS)
    mask = np.zeros(len(rows.subject), dtype=bool)
    mask[splits["row"][splits["run"] == run].to_numpy() - 1] = True
    train, test = parts(rows, mask)
    years = float(np.median(test.duration_years[test.event == 1]))
    study = replace(read_study("mgus"), horizons_years=(years,), decision_horizon_years=years)
    risk = pipeline_risk(name, train, test, study)[:, 0]
    given = (test.duration_years, test.event, risk, years)
    area = auc(*given).value
    # With few events trees may split nothing: all alike, and pairs of equals count half.
    return {"scores": np.array([brier_score(*given).ipa.value, 0.5 if area is None else area])}


def fold_of(repeat: int, rows: TrainingSet) -> np.ndarray:
    """(n,) fold of everybody, as `benchmarks.published` draws them."""
    return np.random.default_rng(repeat).permutation(len(rows.subject)) % FOLDS


def repeat_risks(name: str, repeat: int) -> Result:
    """(n,) out-of-fold ten-year risks of one repetition."""
    rows, study = labs_of_mgus2(), read_study("mgus")
    fold, risk = fold_of(repeat, rows), np.empty(len(rows.subject))
    for k in range(FOLDS):
        mask = fold == k
        risk[mask] = pipeline_risk(name, *parts(rows, mask), study)[:, 1]
    return {"risk": risk}


def table_a(shop: Workshop) -> str:
    """25 published half/half splits, death censored."""
    runs = sorted(pd.read_csv(SPLITS)["run"].unique())
    pieces = [
        Piece(f"A {name} {run}", f"A, {name}, split {run}", split_scores, (name, int(run)))
        for name in LEARNERS
        for run in runs
    ]
    done = shop.do(pieces)
    lines = ["| candidate | IPA (asked .019) | C (asked .66) |", "|---|---|---|"]
    for name in LEARNERS:
        found = np.array([done[f"A {name} {run}"]["scores"] for run in runs])
        mean, spread = found.mean(axis=0), found.std(axis=0, ddof=1)
        ipa, c = (f"{m:.4f} ({s:.3f})" for m, s in zip(mean, spread, strict=True))
        lines.append(f"| {CANDIDATES[name].label} | {ipa} | {c} |")
    return "\n".join(lines)


def table_b(shop: Workshop) -> str:
    """Repeated cross-validation with death competing, on the folds of `benchmarks.published`."""
    rows = labs_of_mgus2()
    names = ("rule", *LEARNERS)
    pieces = [
        Piece(f"B {name} {repeat}", f"B, {name}, repetition {repeat}", repeat_risks, (name, repeat))
        for name in names
        for repeat in range(REPEATS)
    ]
    done = shop.do(pieces)
    lines = [
        "| candidate | AUC 10y (asked .653) | O/E 10y (.95–1.05) | slope 10y (asked .8) "
        "| IPA 10y % |",
        "|---|---|---|---|---|",
    ]
    for name in names:
        risks = [done[f"B {name} {repeat}"]["risk"] for repeat in range(REPEATS)]
        folds = [
            _fold_scores(rows.rows(fold_of(repeat, rows) == k), risk[fold_of(repeat, rows) == k])
            for repeat, risk in enumerate(risks)
            for k in range(FOLDS)
        ]
        area, ratio, ipa = np.mean(folds, axis=0)
        slope = np.mean([_slope(rows, risk) for risk in risks])
        lines.append(
            f"| {CANDIDATES[name].label} | {area:.4f} | {ratio:.3f} | {slope:.2f} "
            f"| {100 * ipa:.1f} |"
        )
    return "\n".join(lines)


def _fold_scores(test: TrainingSet, risk: np.ndarray) -> list[float]:
    given = (test.duration_years, test.event, risk, TEN_YEARS)
    return [
        auc(*given).value,
        mean_calibration(*given).ratio.value,
        brier_score(*given).ipa.value,
    ]


def _slope(rows: TrainingSet, risk: np.ndarray) -> float:
    found = weak_calibration(rows.duration_years, rows.event, risk, TEN_YEARS, link="logit")
    return found.slope.value


def section(shop: Workshop) -> str:
    """Tables A and B."""
    return f"""
## Training: mgus2

`python -m benchmarks.training --part mgus2`

The pipeline – settings by five inner folds, recalibration by closed testing, the fit – inside every
training part. A: 25 published half/half splits, death censored, mean (SD); asked is the best of
table A of `benchmarks.published`, known to three decimals, and a mean's own standard error is at
least a fifth of the SD. B: death competing, 10 × 5-fold on the folds of `benchmarks.published`,
means over test folds; the slope on the pooled risks of each repetition.

**A**

{table_a(shop)}

**B**

{table_b(shop)}
"""
