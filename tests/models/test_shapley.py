"""Contributions are exact Shapley values, equal to XGBoost's own."""

from itertools import combinations
from math import factorial

import numpy as np
import pytest
import xgboost

from models.forest import Forest
from models.grove import grow
from models.shapley import BLOCK_ROWS, DEEPEST
from training.candidates.xgboost import flatten


def _booster(depth: int, rounds: int, rows: int = 400) -> tuple[xgboost.Booster, np.ndarray]:
    generator = np.random.default_rng(5)
    values = generator.normal(size=(rows, 4))
    values[generator.random(values.shape) < 0.15] = np.nan
    label = (np.nan_to_num(values[:, 0]) + generator.normal(size=rows) > 0.5).astype(float)
    settings = {"objective": "binary:logistic", "max_depth": depth, "nthread": 1, "seed": 1}
    table = xgboost.DMatrix(values, label=label, nthread=1)
    return xgboost.train(settings, table, rounds), values


# Few features and deep trees: most paths decide by the same feature twice.
@pytest.mark.parametrize(("depth", "rounds"), [(1, 10), (2, 60), (3, 40), (DEEPEST, 10)])
def test_contributions_equal_xgboosts_with_and_without_values(depth: int, rounds: int) -> None:
    booster, values = _booster(depth, rounds)
    expected = booster.predict(xgboost.DMatrix(values, nthread=1), pred_contribs=True)
    got = flatten(booster).contributions(values)
    np.testing.assert_allclose(got, expected[:, :-1], atol=1e-5, rtol=0)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_contributions_and_the_average_sum_to_the_margin(depth: int) -> None:
    booster, values = _booster(depth, 20)
    forest = flatten(booster)
    average = grow([forest]).margins(values)[:, 0] - forest.contributions(values).sum(axis=1)
    np.testing.assert_allclose(average, average[0], atol=1e-12)


def test_two_features_share_a_leaf_as_shapley_shares_a_gain() -> None:
    # One tree: x0 < 0 (half of the weight left), then on its right x1 < 0 (a quarter left); only
    # the last leaf, both right, adds 1. By hand, the row (1, 1): with neither feature known the
    # tree gives 1/2 of 3/4, that is 3/8; with x0 alone 3/4, with x1 alone 1/2, with both 1.
    # So x0 is worth the mean of 3/4 less 3/8 and 1 less 1/2; x1 of 1/2 less 3/8 and 1 less 3/4.
    forest = Forest(
        base=0.0,
        feature=np.array([[0, 0, 1]], dtype=np.int16),
        threshold=np.array([[0, np.inf, 0]], dtype=np.float32),
        missing_left=np.ones((1, 3), dtype=bool),
        leaf=np.array([[0, 0, 0, 1]], dtype=np.float32),
        left_share=np.array([[0.5, 1.0, 0.25]], dtype=np.float32),
    )
    assert forest.contributions(np.ones((1, 2))).tolist() == [[7 / 16, 3 / 16]]


def test_contributions_equal_the_average_over_all_coalitions() -> None:
    booster, values = _booster(3, 1)
    forest = flatten(booster)
    for row in values[:20]:
        expected = [_shapley(forest, row, i) for i in range(4)]
        np.testing.assert_allclose(forest.contributions(row[None])[0], expected, atol=1e-9)


def _shapley(forest: Forest, row: np.ndarray, i: int) -> float:
    """The definition: over every coalition of the other features, weighted by its orders."""
    others = [j for j in range(4) if j != i]
    total = 0.0
    for size in range(4):
        weight = factorial(size) * factorial(3 - size) / factorial(4)
        for known in map(set, combinations(others, size)):
            gain = _expected(forest, row, known | {i}, 0) - _expected(forest, row, known, 0)
            total += weight * gain
    return total


def _expected(forest: Forest, row: np.ndarray, known: set[int], node: int) -> float:
    """Margin of one tree when only some features are known: the others go both ways."""
    inner = forest.feature.shape[1]
    if node >= inner:
        return float(forest.leaf[0, node - inner])
    left, right = (_expected(forest, row, known, 2 * node + side) for side in (1, 2))
    feature = int(forest.feature[0, node])
    if feature not in known:
        share = float(forest.left_share[0, node])
        return share * left + (1 - share) * right
    value = np.float32(row[feature])
    goes_left = forest.missing_left if np.isnan(value) else value < forest.threshold
    return left if goes_left[0, node] else right


def test_one_row_and_a_block_of_rows_give_the_same_bits() -> None:
    forest = flatten(_booster(2, 30)[0])
    values = np.random.default_rng(0).normal(size=(BLOCK_ROWS + 3, 4))
    together = forest.contributions(values)
    for i in (0, 17, BLOCK_ROWS, BLOCK_ROWS + 2):
        assert together[i].tolist() == forest.contributions(values[[i]])[0].tolist()


def test_a_forest_without_splits_has_nothing_to_share() -> None:
    settings = {"objective": "binary:logistic", "base_score": 0.2, "nthread": 1}
    values = np.ones((10, 2))
    booster = xgboost.train(settings, xgboost.DMatrix(values, label=np.zeros(10), nthread=1), 1)
    assert flatten(booster).contributions(values).tolist() == [[0.0, 0.0]] * 10


def test_trees_too_deep_for_tables_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be explained"):
        flatten(_booster(DEEPEST + 2, 3)[0]).contributions(np.ones((1, 4)))
