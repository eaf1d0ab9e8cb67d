"""What the pipeline reaches: on mgus2, on simulated cohorts with their truth, and how fast.

    python -m benchmarks.training [--cohorts 20] [--jobs 2] [--part mgus2|simulated|speed]

Writes its sections of docs/benchmarks.md. Needs the demo extra; the peers are hazardous and
scikit-survival (development only, Python below 3.13).
"""

import argparse
import time
import warnings
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import xgboost
from joblib import Parallel, delayed

from benchmarks.page import write_section
from benchmarks.published import SPLITS, TEN_YEARS, mgus2
from models.learned import expit, risks_of
from training.candidates import CANDIDATES
from training.fit import _choice
from training.landmarks import TrainingSet, training_set
from training.metrics.brier import brier_score
from training.metrics.calibration import mean_calibration, weak_calibration
from training.metrics.discrimination import auc
from training.person_periods import Grid, PersonPeriods
from training.recalibration import closed_test, identity
from training.search import chosen_settings, inner_losses, tried
from training.simulation import simulate_cohort, true_risks
from training.study import Study, read_study
from training.validation import cross_validate

LABS = {
    "m_protein_g_dl": "m_protein_g_dl",
    "age_years": "age",
    "hemoglobin_g_dl": "hemoglobin_g_dl",
    "creatinine_mg_dl": "creatinine_mg_dl",
    "male": "male",
}
LEARNERS = ("hazards", "cox", "logistic", "hazard-trees")
SUBJECTS = 1000
PERIODS = 1_000_000


def labs_of_mgus2() -> TrainingSet:
    """Everybody of mgus2 at diagnosis, the rows where R has them."""
    frame, duration, event = mgus2()
    values = frame[list(LABS.values())].to_numpy(float)
    n = len(values)
    return TrainingSet(tuple(LABS), values, np.arange(n), np.zeros(n), duration, event, 0, 0)


def pipeline_risk(name: str, train: TrainingSet, test: TrainingSet, study: Study) -> np.ndarray:
    """Risks by a candidate tuned, recalibrated and fitted on the training rows alone, (n, h)."""
    search = study.search
    settings = chosen_settings(name, tried(name, train, study, search, seed=0, storage=None))
    candidate = CANDIDATES[name].tuned(settings)
    asked = identity(len(study.horizons_years))
    if candidate.recalibrated:
        _, margin = inner_losses(candidate, train, study, folds=search.inner_folds, seed=0)
        asked = closed_test(train, margin, study)
    fit = candidate.fit(train, study, seed=0)
    return risks_of(asked.parameters, fit.learner.margin(test.columns(fit.features)))


def table_a(jobs: int) -> str:
    """25 published half/half splits, death censored."""
    rows = labs_of_mgus2()
    rows = replace(rows, event=np.where(rows.event == 1, 1, 0))
    splits = [split["row"].to_numpy() - 1 for _, split in pd.read_csv(SPLITS).groupby("run")]

    def scores(name: str, numbers: np.ndarray) -> tuple[float, float]:
        mask = np.isin(np.arange(len(rows.subject)), numbers)
        train, test = rows.rows(~mask), rows.rows(mask)
        years = float(np.median(test.duration_years[test.event == 1]))
        study = replace(read_study("mgus"), horizons_years=(years,), decision_horizon_years=years)
        risk = pipeline_risk(name, train, test, study)[:, 0]
        given = (test.duration_years, test.event, risk, years)
        return brier_score(*given).ipa.value, auc(*given).value

    lines = ["| candidate | IPA (>= .019) | C (>= .66) |", "|---|---|---|"]
    for name in LEARNERS:
        found = Parallel(n_jobs=jobs)(delayed(scores)(name, split) for split in splits)
        mean, spread = np.mean(found, axis=0), np.std(found, axis=0, ddof=1)
        ipa, c = (f"{m:.3f} ({s:.3f})" for m, s in zip(mean, spread, strict=True))
        lines.append(f"| {CANDIDATES[name].label} | {ipa} | {c} |")
    return "\n".join(lines)


def table_b(jobs: int, repeats: int = 10, folds: int = 5) -> str:
    """Repeated cross-validation with death competing, on the folds of `benchmarks.published`."""
    rows, study = labs_of_mgus2(), read_study("mgus")
    n = len(rows.subject)
    tests = [
        np.random.default_rng(repeat).permutation(n) % folds == k
        for repeat in range(repeats)
        for k in range(folds)
    ]
    lines = [
        "| candidate | AUC 10y (>= .653) | O/E 10y (.95–1.05) | slope 10y (>= .8) | IPA 10y % |",
        "|---|---|---|---|---|",
    ]
    for name in ("rule", *LEARNERS):
        risks = Parallel(n_jobs=jobs)(
            delayed(pipeline_risk)(name, rows.rows(~mask), rows.rows(mask), study) for mask in tests
        )
        per_fold = [_fold_scores(rows.rows(m), r[:, 1]) for m, r in zip(tests, risks, strict=True)]
        slopes = []
        for repeat in range(repeats):
            pooled = np.empty(n)
            for mask, risk in list(zip(tests, risks, strict=True))[repeat * folds :][:folds]:
                pooled[mask] = risk[:, 1]
            given = (rows.duration_years, rows.event, pooled, TEN_YEARS)
            slopes.append(weak_calibration(*given, link="logit").slope.value)
        area, ratio, ipa = np.mean(per_fold, axis=0)
        lines.append(
            f"| {CANDIDATES[name].label} | {area:.3f} | {ratio:.2f} | {np.mean(slopes):.2f} "
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


def simulated(seed: int) -> dict[str, float]:
    """Out-of-fold risks of the nested pipeline against the true ones, in one cohort."""
    study = read_study("smm")
    cohort = simulate_cohort(SUBJECTS, seed=seed)
    rows = training_set(cohort, study)
    truth = true_risks(
        SUBJECTS, seed=seed, landmarks_years=study.landmarks_years, horizons_years=(2.0,)
    ).set_index(["subject_id", "landmark_years"])["risk"]
    ids = cohort.visits["subject_id"].unique()
    true = truth.loc[list(zip(ids[rows.subject], rows.landmark_years, strict=True))].to_numpy()
    names = [name for name, c in CANDIDATES.items() if c.default and c.suits(study)]
    results = cross_validate(rows, study, names, seed=seed, search=study.search)
    chosen = _choice(results, study)
    risk = {name: results[name].risk[0, :, study.decision] for name in names}
    first = rows.landmark_years == 0

    def error(name: str, chosen_rows: np.ndarray) -> float:
        return float(np.abs(risk[name] - true)[chosen_rows].mean())

    every = np.ones(true.size, dtype=bool)
    given = (rows.duration_years, rows.event, risk[chosen], 2.0)
    return {
        "error": error(chosen, every),
        "rule": error("rule", every),
        "pangea": error("pangea-smm", every),
        "error at diagnosis": error(chosen, first),
        "rule at diagnosis": error("rule", first),
        "pangea at diagnosis": error("pangea-smm", first),
        "slope": weak_calibration(*given, link="logit").slope.value,
        "chosen": float(names.index(chosen)),
    }


def rule_only(seed: int) -> tuple[float, float]:
    """Brier score of the choice and of the rule where nothing but the rule's markers matters.

    Labs are the simulated ones; progression is exponential with 20/2/20's published two-year risks
    (6.2, 17.9 and 44.2 %), death 2 % a year, follow-up 1 to 10 years.
    """
    study = read_study("smm")
    rows = training_set(
        simulate_cohort(SUBJECTS, seed=seed), replace(study, landmarks_years=(0.0,))
    )
    generator = np.random.default_rng(seed)
    markers = rows.columns(study.rule.features) > np.array(study.rule.cuts)
    true = np.array([0.062, 0.179, 0.442, 0.442])[markers.sum(axis=1)]
    hazard = -np.log1p(-true) / 2.0
    progress = generator.exponential(1.0 / hazard)
    death = generator.exponential(50.0, true.size)
    end = generator.uniform(1.0, 10.0, true.size)
    duration = np.minimum(np.minimum(progress, death), end)
    event = np.where(duration == progress, 1, np.where(duration == death, 2, 0))
    rows = replace(rows, duration_years=duration, event=event)
    names = [name for name, c in CANDIDATES.items() if c.default and c.suits(study)]
    results = cross_validate(rows, study, names, seed=seed, search=study.search)
    at = study.decision
    chosen = results[_choice(results, study)]
    brier = [
        brier_score(duration, event, found.risk[0, :, at], 2.0).brier.value
        for found in (chosen, results["rule"])
    ]
    return brier[0], brier[1]


def simulated_section(cohorts: int, jobs: int) -> str:
    """Errors against the truth, mean and spread over cohorts."""
    found = pd.DataFrame(
        Parallel(n_jobs=jobs)(delayed(simulated)(s) for s in range(1, cohorts + 1))
    )
    only = np.array(Parallel(n_jobs=jobs)(delayed(rule_only)(s) for s in range(1, cohorts + 1)))

    def spread(values: pd.Series) -> str:
        low, high = values.min(), values.max()
        return f"{values.mean():.3f} ({low:.3f} to {high:.3f})"

    names = [n for n, c in CANDIDATES.items() if c.default and c.suits(read_study("smm"))]
    counts = found["chosen"].astype(int).map(lambda i: names[i]).value_counts()
    chosen = ", ".join(f"{name} {count}" for name, count in counts.items())
    slopes = found["slope"]
    within = int(((slopes >= 0.9) & (slopes <= 1.1)).sum())
    difference = pd.Series(only[:, 0] - only[:, 1])
    return f"""
## Training: simulated cohorts with their truth

`python -m benchmarks.training --part simulated --cohorts {cohorts}`

{cohorts} simulated referral cohorts of {
        SUBJECTS:,} subjects with serial labs, the nested pipeline on
each; mean absolute error of out-of-fold two-year risks against the true ones, mean (least to
greatest) over cohorts. The true risk knows the clone's future, which no lab shows: no model comes
near 0.

| quantity | all landmarks | at diagnosis |
|---|---|---|
| chosen candidate | {spread(found["error"])} | {spread(found["error at diagnosis"])} |
| 20/2/20, recalibrated | {spread(found["rule"])} | {spread(found["rule at diagnosis"])} |
| PANGEA-SMM, recalibrated | {spread(found["pangea"])} | {spread(found["pangea at diagnosis"])} |
| share of 20/2/20's (at most .70) | {spread(found["error"] / found["rule"])} | {
        spread(found["error at diagnosis"] / found["rule at diagnosis"])
    } |
| share of PANGEA-SMM's (at most .90) | {spread(found["error"] / found["pangea"])} | {
        spread(found["error at diagnosis"] / found["pangea at diagnosis"])
    } |
| calibration slope (.9–1.1) | {spread(slopes)}, within in {within} of {cohorts} | |

Chosen: {chosen}.

Where only the rule's markers matter ({SUBJECTS:,} subjects, published risks of its groups), Brier
score of the chosen candidate less that of the rule: {difference.mean():.4f} ({
        difference.min():.4f} to
{difference.max():.4f}); the gate keeps the rule unless the candidate is better.
"""


def seconds(work: Callable[[], object], repeats: int = 3) -> float:
    """Least processor time of some repetitions."""
    best = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def raw_against_ours() -> tuple[float, float, int]:
    """Processor time of XGBoost on written-out person-periods and of the candidate on the same."""
    study = read_study("mgus")
    base = training_set(_cohort_of_mgus2(), study)
    grid = Grid.of(study.horizons_years)
    per_row = PersonPeriods.of(base.duration_years, base.event, grid).count / len(base.subject)
    generator = np.random.default_rng(1)
    rows = base.rows(generator.integers(0, len(base.subject), int(PERIODS / per_row)))
    periods = PersonPeriods.of(rows.duration_years, rows.event, grid)
    candidate = CANDIDATES["hazard-trees"]
    ours = seconds(lambda: candidate.fit(rows, study, seed=0), repeats=1)
    row, interval = np.nonzero(periods.weight.T)
    values = np.column_stack([rows.columns(rows.features)[row], grid.ends[interval]])
    settings = {"objective": "binary:logistic", "max_depth": 2, "eta": 0.05, "nthread": 1}

    def raw() -> None:
        label = (interval == periods.last[row]) & (periods.cause[row] == 1)
        weight = periods.weight[interval, row]
        table = xgboost.DMatrix(values, label=label, weight=weight, nthread=1)
        xgboost.train(settings, table, candidate.parameters()["rounds"])

    return seconds(raw, repeats=1), ours, periods.count


def _cohort_of_mgus2():
    from training.cohorts import installable_cohort

    return installable_cohort("mgus2")


def peers() -> list[tuple[str, float, float]]:
    """Name, processor seconds of a fit with its risks, mean Brier at two years over five folds."""
    from hazardous import SurvivalBoost
    from sksurv.ensemble import GradientBoostingSurvivalAnalysis, RandomSurvivalForest
    from sksurv.util import Surv

    from training.folds import subject_folds

    study = read_study("smm")
    rows = training_set(simulate_cohort(SUBJECTS, seed=1), study)
    masks = list(subject_folds(rows.subject, rows.event, count=5, repeats=1, seed=1))

    def labs(part: TrainingSet) -> np.ndarray:
        return part.columns(part.features)

    def ours(name: str) -> Callable[[TrainingSet, TrainingSet], np.ndarray]:
        def risk(train: TrainingSet, test: TrainingSet) -> np.ndarray:
            fit = CANDIDATES[name].fit(train, study, seed=0)
            return expit(fit.learner.margin(test.columns(fit.features)))[:, 1]

        return risk

    def boost(train: TrainingSet, test: TrainingSet) -> np.ndarray:
        told = pd.DataFrame({"event": train.event, "duration": train.duration_years})
        model = SurvivalBoost(show_progressbar=False, random_state=0).fit(labs(train), told)
        return model.predict_cumulative_incidence(labs(test), times=[2.0])[:, 1, 0]

    def survival(kind: type, **options: object) -> Callable[[TrainingSet, TrainingSet], np.ndarray]:
        def risk(train: TrainingSet, test: TrainingSet) -> np.ndarray:
            fill = np.nanmedian(labs(train), axis=0)
            told = Surv.from_arrays(train.event == 1, train.duration_years)
            model = kind(random_state=0, **options)
            model.fit(np.where(np.isnan(labs(train)), fill, labs(train)), told)
            filled = np.where(np.isnan(labs(test)), fill, labs(test))
            return np.array([1.0 - curve(2.0) for curve in model.predict_survival_function(filled)])

        return risk

    models = {
        **{CANDIDATES[name].label: ours(name) for name in LEARNERS},
        "hazardous SurvivalBoost": boost,
        "scikit-survival gradient boosting": survival(GradientBoostingSurvivalAnalysis),
        "scikit-survival random survival forest": survival(
            RandomSurvivalForest, n_estimators=100, min_samples_leaf=15, n_jobs=1
        ),
    }
    found = []
    for name, model in models.items():
        start, scores = time.process_time(), []
        for mask in masks:
            test = rows.rows(mask)
            risk = model(rows.rows(~mask), test)
            scores.append(brier_score(test.duration_years, test.event, risk, 2.0).brier.value)
        found.append((name, (time.process_time() - start) / 5, float(np.mean(scores))))
    return found


def speed_section() -> str:
    """Ratios to peers in this run."""
    raw, ours, count = raw_against_ours()
    timed = peers()
    slowest = max(took for name, took, _ in timed[: len(LEARNERS)])
    lines = [
        f"| {name} | {took:.2f} | {took / slowest:.1f} | {score:.4f} |"
        for name, took, score in timed
    ]
    table = "\n".join(lines)
    return f"""
## Training: speed

`python -m benchmarks.training --part speed`

One core, processor time. A nested evaluation is some hundred fits, so its ratio is that of one fit
with its risks (simulated cohort of {SUBJECTS:,} subjects, five folds; every model with its own
settings; scikit-survival takes the dead as censored, which it cannot help).

| model | seconds per fit | × our slowest | Brier 2y |
|---|---|---|---|
{table}

{count:,} person-periods: XGBoost on the periods written out {raw:.1f} s, the candidate on the same
(both causes) {ours:.1f} s: {ours / raw:.2f} times (limit 1.3).
"""


def mgus2_section(jobs: int) -> str:
    """Tables A and B with the pipeline."""
    return f"""
## Training: mgus2

`python -m benchmarks.training --part mgus2`

Tuned, recalibrated and fitted inside every training part. A: 25 published half/half splits, death
censored, mean (SD). B: death competing, 10 × 5-fold on the folds of `benchmarks.published`, means
over test folds; the slope on the pooled risks of each repetition.

**A**

{table_a(jobs)}

**B**

{table_b(jobs)}
"""


def main() -> None:
    """Write the sections asked for and print them."""
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cohorts", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--part", choices=("mgus2", "simulated", "speed"))
    chosen = parser.parse_args()
    parts: dict[str, Callable[[], str]] = {
        "mgus2": lambda: mgus2_section(chosen.jobs),
        "simulated": lambda: simulated_section(chosen.cohorts, chosen.jobs),
        "speed": speed_section,
    }
    for name, made in parts.items():
        if chosen.part in (None, name):
            text = made()
            write_section(f"training-{name}", text)
            print(text)


if __name__ == "__main__":
    main()
