"""Boosted trees per horizon, weighted for censoring (IPCW)."""

import json
from typing import Any

import numpy as np
import xgboost

from models.forest import Forest
from models.learned import TreeLearner
from training.candidates.base import Fit
from training.landmarks import TrainingSet
from training.metrics.censoring import ipcw_weights
from training.study import Study

__all__ = ["BoostedTrees", "DefaultBoostedTrees", "flatten"]


class BoostedTrees:
    """Shallow monotone trees, strongly regularised for cohorts of a few hundred events."""

    name = "xgboost"
    label = "XGBoost, shallow and monotone"
    recalibrated = True
    default = True
    monotone = True
    rounds = 120
    settings: dict[str, Any] = {  # noqa: RUF012
        "max_depth": 2,
        "eta": 0.05,
        "min_child_weight": 10.0,
        "lambda": 10.0,
        "subsample": 0.8,
        "colsample_bytree": 0.8,
    }

    def parameters(self) -> dict[str, Any]:
        """Settings, as the run records them."""
        return {"rounds": self.rounds, "monotone": self.monotone, **self.settings}

    def fit(self, rows: TrainingSet, study: Study, *, seed: int) -> Fit:
        """One forest per horizon."""
        forests, boosters = [], {}
        for horizon in study.horizons_years:
            known = ipcw_weights(rows.duration_years, rows.event, horizon)
            used = known.weights > 0
            table = xgboost.DMatrix(
                rows.values[used],
                label=known.case[used],
                weight=known.weights[used],
                nthread=1,
            )
            booster = xgboost.train(self._settings(rows.features, study, seed), table, self.rounds)
            forests.append(flatten(booster))
            boosters[f"booster-{horizon:g}y.ubj"] = bytes(booster.save_raw("ubj"))
        return Fit(TreeLearner(tuple(forests)), rows.features, boosters)

    def _settings(self, features: tuple[str, ...], study: Study, seed: int) -> dict[str, Any]:
        signs = tuple(study.monotone.get(name, 0) for name in features)
        constraint = {"monotone_constraints": signs} if self.monotone else {}
        common = {"objective": "binary:logistic", "nthread": 1, "seed": seed, "verbosity": 0}
        return {**common, **self.settings, **constraint}


class DefaultBoostedTrees(BoostedTrees):
    """XGBoost out of the box: what a registry must refuse on a cohort of this size."""

    name = "xgboost-default"
    label = "XGBoost, out of the box"
    recalibrated = False
    default = False
    monotone = False
    rounds = 100
    settings: dict[str, Any] = {}  # noqa: RUF012


def flatten(booster: xgboost.Booster) -> Forest:
    """Complete binary trees in heap order from a booster with numerical splits.

    Parameters
    ----------
    booster
        Trained with ``binary:logistic``.

    Returns
    -------
    Forest
        Gives the booster's margin to single precision.
    """
    learner = json.loads(bytes(booster.save_raw("json")))["learner"]
    base = float(str(learner["learner_model_param"]["base_score"]).strip("[]"))
    trees = learner["gradient_booster"]["model"]["trees"]
    depth = max((_depth(tree, 0) for tree in trees), default=0)
    inner, leaves = 2**depth - 1, 2**depth
    forest = Forest(
        base=float(np.log(base / (1.0 - base))),
        feature=np.zeros((len(trees), inner), dtype=np.int16),
        threshold=np.full((len(trees), inner), np.inf, dtype=np.float32),
        missing_left=np.ones((len(trees), inner), dtype=bool),
        leaf=np.zeros((len(trees), leaves), dtype=np.float32),
        left_share=np.ones((len(trees), inner), dtype=np.float32),
    )
    for number, tree in enumerate(trees):
        _lay_out(forest, number, tree, node=0, place=0)
    return forest


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
