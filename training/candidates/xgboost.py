"""Boosted trees per horizon, weighted for censoring (IPCW)."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import xgboost

from models.forest import Forest
from models.learners import TreeLearner
from models.link import logit
from training.candidates.base import Fit, Tunable
from training.landmarks import TrainingSet
from training.metrics.censoring import ipcw_weights
from training.study import Study

__all__ = ["BoostedTrees", "DefaultBoostedTrees", "flatten"]


@dataclass(frozen=True)
class BoostedTrees(Tunable):
    """Shallow monotone trees, strongly regularised for cohorts of a few hundred events.

    Parameters
    ----------
    rounds, max_depth, eta, min_child_weight, penalty, subsample, colsample_bytree
        As XGBoost's; `penalty` is its ``lambda``.
    """

    rounds: int = 120
    max_depth: int = 2
    eta: float = 0.05
    min_child_weight: float = 10.0
    penalty: float = 10.0
    subsample: float = 0.8
    colsample_bytree: float = 0.8
    monotone: bool = True
    name = "xgboost"
    label = "XGBoost, shallow and monotone"
    separate_horizons = True

    def fit(self, rows: TrainingSet, study: Study, *, seed: int) -> Fit:
        """One forest per horizon."""
        forests, boosters = [], {}
        settings = {"objective": "binary:logistic", **self.settings(rows.features, study, seed)}
        for horizon in study.horizons_years:
            known = ipcw_weights(rows.duration_years, rows.event, horizon)
            used = known.weights > 0
            table = xgboost.DMatrix(
                rows.values[used],
                label=known.case[used],
                weight=known.weights[used],
                nthread=1,
            )
            booster = xgboost.train(settings, table, self.rounds)
            forests.append(flatten(booster))
            boosters[f"booster-{horizon:g}y.ubj"] = bytes(booster.save_raw("ubj"))
        return Fit(TreeLearner(tuple(forests)), rows.features, boosters)

    def settings(self, features: tuple[str, ...], study: Study, seed: int) -> dict[str, Any]:
        """Everything that XGBoost is told but the objective."""
        given: dict[str, Any] = {
            "max_depth": self.max_depth,
            "eta": self.eta,
            "min_child_weight": self.min_child_weight,
            "lambda": self.penalty,
            "subsample": self.subsample,
            "colsample_bytree": self.colsample_bytree,
            "nthread": 1,
            "seed": seed,
            "verbosity": 0,
        }
        if self.monotone:
            given["monotone_constraints"] = tuple(study.monotone.get(n, 0) for n in features)
        return given


@dataclass(frozen=True)
class DefaultBoostedTrees(BoostedTrees):
    """XGBoost out of the box: what a registry must refuse on a cohort of this size."""

    rounds: int = 100
    max_depth: int = 6
    eta: float = 0.3
    min_child_weight: float = 1.0
    penalty: float = 1.0
    subsample: float = 1.0
    colsample_bytree: float = 1.0
    monotone: bool = False
    name = "xgboost-default"
    label = "XGBoost, out of the box"
    recalibrated = False
    default = False


def flatten(booster: xgboost.Booster, *, base: float | None = None) -> Forest:
    """Complete binary trees in heap order from a booster with numerical splits.

    Parameters
    ----------
    booster
        Trained with ``binary:logistic``, or with an objective of ours.
    base
        Margin of no tree; the log odds of XGBoost's base score when None.

    Returns
    -------
    Forest
        Gives the booster's margin to single precision.
    """
    learner = json.loads(bytes(booster.save_raw("json")))["learner"]
    if base is None:
        base = float(logit(np.array(_base_score(learner))))
    trees = learner["gradient_booster"]["model"]["trees"]
    depth = max((_depth(tree, 0) for tree in trees), default=0)
    inner, leaves = 2**depth - 1, 2**depth
    forest = Forest(
        base=base,
        feature=np.zeros((len(trees), inner), dtype=np.int16),
        threshold=np.full((len(trees), inner), np.inf, dtype=np.float32),
        missing_left=np.ones((len(trees), inner), dtype=bool),
        leaf=np.zeros((len(trees), leaves), dtype=np.float32),
        left_share=np.ones((len(trees), inner), dtype=np.float32),
    )
    for number, tree in enumerate(trees):
        _lay_out(forest, number, tree, node=0, place=0)
    return forest


def _base_score(learner: dict[str, Any]) -> float:
    return float(str(learner["learner_model_param"]["base_score"]).strip("[]"))


def _depth(tree: dict[str, Any], node: int) -> int:
    if tree["left_children"][node] == -1:
        return 0
    children = tree["left_children"][node], tree["right_children"][node]
    return 1 + max(_depth(tree, child) for child in children)


def _lay_out(forest: Forest, number: int, tree: dict[str, Any], *, node: int, place: int) -> None:
    """Copy a subtree to its place in heap order; a shallow leaf stands for all leaves below it."""
    inner = forest.feature.shape[1]
    is_leaf = tree["left_children"][node] == -1
    if place >= inner:
        forest.leaf[number, place - inner] = tree["split_conditions"][node]
        return
    if not is_leaf:
        forest.feature[number, place] = tree["split_indices"][node]
        forest.threshold[number, place] = tree["split_conditions"][node]
        forest.missing_left[number, place] = bool(tree["default_left"][node])
        forest.left_share[number, place] = _left_share(tree, node)
    left = node if is_leaf else tree["left_children"][node]
    right = node if is_leaf else tree["right_children"][node]
    _lay_out(forest, number, tree, node=left, place=2 * place + 1)
    _lay_out(forest, number, tree, node=right, place=2 * place + 2)


def _left_share(tree: dict[str, Any], node: int) -> float:
    """Share of a node's training weight (XGBoost's cover) that went left."""
    weight = tree["sum_hessian"]
    return float(weight[tree["left_children"][node]] / weight[node])
