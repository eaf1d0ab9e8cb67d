"""The published benchmark on `mgus2`, the competing-risk table and the anchors, made again.

    python -m benchmarks.published

Writes its section of docs/benchmarks.md. Needs the demo extra (data), lifelines (Cox models) and,
before Python 3.13, scikit-survival (forests); takes about ten minutes.
"""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.page import write_section
from benchmarks.peers.mgus2 import (
    LABS,
    SPIKE,
    Learner,
    boosted,
    boosted_cox_hazard,
    both_causes,
    cox,
    cox_hazard,
    extra_trees,
    gradient_boosted_cox,
    mgus2,
    of_scikit_survival,
    one_cause,
    penalised_cox,
    random_survival_forest,
    rule_risk,
)
from training.metrics.aalen_johansen import aalen_johansen
from training.metrics.brier import brier_score
from training.metrics.calibration import mean_calibration
from training.metrics.concordance import concordance
from training.metrics.discrimination import auc

SPLITS = Path(__file__).parent / "data" / "mgus2_benchmark_splits.csv"
TEN_YEARS = 10.0
SIX = [*LABS, "dxyr"]

# IPA and C as published (Jaeger 2024), or of R's coxph in the same splits.
TABLE_A: dict[str, tuple[Learner, list[str], str, str]] = {
    "plain coxph, same six features": (one_cause(cox_hazard), SIX, ".017 (.015)", ".654 (.039)"),
    "plain coxph, five labs without dxyr": (
        one_cause(cox_hazard), LABS, ".019 (.014)", ".660 (.038)"
    ),
    "coxph on M-protein alone": (one_cause(cox_hazard), [SPIKE], ".012", ".660"),
    "glmnet-cox; here Coxnet": (
        one_cause(of_scikit_survival(penalised_cox)), SIX, ".015 (.011)", ".651 (.055)"
    ),
    "ranger-extratrees; here ExtraSurvivalTrees": (
        one_cause(of_scikit_survival(extra_trees)), SIX, ".008", ".642"
    ),
    "xgboost-cox": (one_cause(boosted_cox_hazard), SIX, ".005", ".639"),
    "random survival forest": (
        one_cause(of_scikit_survival(random_survival_forest)), SIX, "-.009", ".616"
    ),
}  # fmt: skip


def table_a() -> str:
    """25 published half/half splits, death censored."""
    frame, duration, event = mgus2()
    progressed = (event == 1).astype(int)
    splits = pd.read_csv(SPLITS)
    lines = ["| learner | IPA | reference | C | reference |", "|---|---|---|---|---|"]
    for name, (learner, columns, ipa, c) in TABLE_A.items():
        scores = []
        for _, split in splits.groupby("run"):
            test = np.zeros(len(frame), dtype=bool)
            test[split["row"].to_numpy() - 1] = True
            features = frame[columns].fillna(frame[columns][~test].mean())
            years = float(np.median(duration[test & (event == 1)]))
            train = (features[~test], duration[~test], progressed[~test], features[test])
            risk = learner(*train, [years])[:, 0]
            given = (duration[test], progressed[test], risk, years)
            scores.append((brier_score(*given).ipa.value, auc(*given).value))
        mean, spread = np.mean(scores, axis=0), np.std(scores, axis=0, ddof=1)
        found = [f"{m:.3f} ({s:.3f})".replace("0.", ".") for m, s in zip(mean, spread, strict=True)]
        lines.append(f"| {name} | {found[0]} | {ipa} | {found[1]} | {c} |")
    return "\n".join(lines)


TABLE_B: dict[str, tuple[Learner, str]] = {
    "rule M >= 1.5": (rule_risk, ".620 .641 .621 .0589 1.5 1.01"),
    "cause-specific Cox, five labs": (
        both_causes(cox_hazard), ".653 .668 .653 .0588 1.5 0.99"
    ),
    "same, death ignored (1-KM)": (one_cause(cox_hazard), ".622 .663 .621 .0623 -4.5 0.63"),
    "random survival forest": (
        both_causes(of_scikit_survival(random_survival_forest)), ".631 .627 .636 .0594 0.4 0.98"
    ),
    "gradient boosted Cox": (
        both_causes(of_scikit_survival(gradient_boosted_cox)), ".641 .670 .646 .0590 1.2 1.00"
    ),
    "xgboost out of the box": (boosted(), "– – .546 – -22.4 0.80"),
    "xgboost depth 2, monotone": (
        boosted(
            max_depth=2,
            n_estimators=60,
            learning_rate=0.05,
            reg_lambda=10,
            min_child_weight=10,
            subsample=0.7,
            monotone_constraints=(0, 0, -1, 0, 1),
        ),
        "– – .645 – 1.3 1.01",
    ),
}  # fmt: skip


def table_b(repeats: int = 10, folds: int = 5) -> str:
    """Repeated cross-validation with death competing; means over test folds."""
    frame, duration, event = mgus2()
    scores: dict[str, list[list[float]]] = {name: [] for name in TABLE_B}
    for repeat in range(repeats):
        fold = np.random.default_rng(repeat).permutation(len(frame)) % folds
        for k in range(folds):
            test = fold == k
            features = frame[LABS].fillna(frame[LABS][~test].mean())
            for name, (learner, _) in TABLE_B.items():
                scores[name].append(_fold_scores(learner, features, duration, event, test))
    lines = [
        "| model | C 10y | AUC 5y | AUC 10y | Brier 10y | IPA 10y % | against training "
        "average | O/E 10y | reference |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, rows in scores.items():
        c, five, ten, brier, ipa, against, ratio = np.mean(rows, axis=0)
        lines.append(
            f"| {name} | {c:.3f} | {five:.3f} | {ten:.3f} | {brier:.4f} | {100 * ipa:.1f} "
            f"| {100 * against:.1f} | {ratio:.2f} | {TABLE_B[name][1]} |"
        )
    return "\n".join(lines)


def _fold_scores(
    learner: Learner,
    features: pd.DataFrame,
    duration: np.ndarray,
    event: np.ndarray,
    test: np.ndarray,
) -> list[float]:
    train = (features[~test], duration[~test], event[~test], features[test])
    five, ten = learner(*train, (5.0, TEN_YEARS)).T
    seen = (duration[test], event[test])
    scores = brier_score(*seen, ten, TEN_YEARS)
    average = aalen_johansen(duration[~test], event[~test]).at(TEN_YEARS).value
    known = brier_score(*seen, np.full(int(test.sum()), average), TEN_YEARS).brier.value
    return [
        concordance(*seen, ten, TEN_YEARS).value,
        auc(*seen, five, 5.0).value,
        auc(*seen, ten, TEN_YEARS).value,
        scores.brier.value,
        scores.ipa.value,
        1 - scores.brier.value / known,
        mean_calibration(*seen, ten, TEN_YEARS).ratio.value,
    ]


def table_c() -> str:
    """Anchors of R survival 3.5 on the whole cohort."""
    frame, duration, event = mgus2()
    complete = frame[LABS].notna().all(axis=1).to_numpy()
    model, _ = cox(frame[LABS][complete], duration[complete], event[complete] == 1)
    reference = dict(zip(LABS, (0.01117, 0.09870, -0.13465, -0.14503, 0.91238), strict=True))
    lines = ["| quantity | found | R survival 3.5 |", "|---|---|---|"]
    lines += [
        f"| coxph, {name} | {model.params_[name]:.5f} | {value:.5f} |"
        for name, value in reference.items()
    ]
    years = (2, 5, 10, 15, 20, 25)
    for cause, name, known in (
        (1, "progression", ".0174 .0341 .0637 .0871 .0998 .1092"),
        (2, "death first", ".170 .320 .532 .666 .724 .763"),
    ):
        curve = aalen_johansen(duration, event, cause=cause)
        digits = 4 if cause == 1 else 3
        lines.append(_curve_line(f"{name} by {years}", curve, years, digits, known))
    spike = frame[SPIKE]
    for chosen, name, known in (
        (spike >= 1.5, "M-protein >= 1.5", ".065 .111 .165"),
        (spike < 1.5, "M-protein < 1.5", ".021 .044 .068"),
    ):
        part = chosen.to_numpy()
        curve = aalen_johansen(duration[part], event[part])
        lines.append(
            _curve_line(f"{name}, progression by (5, 10, 20)", curve, (5, 10, 20), 3, known)
        )
    return "\n".join(lines)


def _curve_line(name: str, curve, years: tuple[int, ...], digits: int, known: str) -> str:
    found = " ".join(f"{curve.at(t).value:.{digits}f}".replace("0.", ".") for t in years)
    return f"| {name} years | {found} | {known} |"


def main() -> None:
    """Write the section and print it."""
    warnings.simplefilter("ignore")
    text = f"""
## mgus2: published and reference tables

`python -m benchmarks.published`

**A. 25 published half/half splits, death censored** (Jaeger 2024; `benchmarks/data`), mean (SD); C
is the AUC at the horizon. The horizon is the median time of the test half's progressions and
missing labs are the training half's means: both are our reading of the paper.

{table_a()}

The forests and the elastic net are scikit-survival's, their settings ours. Published there and not
refitted here, since their packages are R's or unmaintained: obliqueRSF .012 / .649, aorsf-cph
.010 / .644, Cox-Time -.003 / .515.

**B. Death competing, 10 × 5-fold, mean over test folds** (reference: C 10y, AUC 5y, AUC
10y, Brier, IPA, O/E; its folds and XGBoost settings are not known). IPA is against the average of
the test fold, as in `riskRegression::Score`, and against that of the training fold, which is what a
null model would have known.

{table_b()}

**C. Anchors on the whole cohort**

{table_c()}
"""
    write_section("published", text)
    print(text)


if __name__ == "__main__":
    main()
