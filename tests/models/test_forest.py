"""The flattened forest gives XGBoost's own margin."""

import numpy as np
import pytest
import xgboost

from models.forest import BLOCK_ROWS
from training.candidates.xgboost import flatten


def _booster(depth: int, rounds: int, rows: int = 400) -> tuple[xgboost.Booster, np.ndarray]:
    generator = np.random.default_rng(5)
    values = generator.normal(size=(rows, 4))
    values[generator.random(values.shape) < 0.15] = np.nan
    label = (np.nan_to_num(values[:, 0]) + generator.normal(size=rows) > 0.5).astype(float)
    settings = {"objective": "binary:logistic", "max_depth": depth, "nthread": 1, "seed": 1}
    table = xgboost.DMatrix(values, label=label, nthread=1)
    return xgboost.train(settings, table, rounds), values


@pytest.mark.parametrize(("depth", "rounds"), [(1, 10), (2, 60), (3, 40), (6, 20)])
def test_margin_equals_xgboost_with_and_without_values(depth: int, rounds: int) -> None:
    booster, values = _booster(depth, rounds)
    expected = booster.predict(xgboost.DMatrix(values, nthread=1), output_margin=True)
    # XGBoost sums the leaves in single precision, the flattened forest in double.
    np.testing.assert_allclose(flatten(booster).margin(values), expected, atol=2e-6, rtol=0)


def test_one_row_and_a_block_of_rows_give_the_same_bits() -> None:
    booster, _ = _booster(3, 20)
    forest = flatten(booster)
    values = np.random.default_rng(0).normal(size=(BLOCK_ROWS + 3, 4))
    together = forest.margin(values)
    alone = [forest.margin(values[[i]])[0] for i in (0, 17, BLOCK_ROWS, BLOCK_ROWS + 2)]
    assert together[[0, 17, BLOCK_ROWS, BLOCK_ROWS + 2]].tolist() == alone


def test_values_on_a_threshold_go_right_as_in_xgboost() -> None:
    booster, values = _booster(2, 10)
    forest = flatten(booster)
    inner = forest.threshold[np.isfinite(forest.threshold)][:4]
    edge = np.tile(values[:1], (inner.size, 1))
    edge[:, :] = inner[:, None]
    expected = booster.predict(xgboost.DMatrix(edge, nthread=1), output_margin=True)
    np.testing.assert_allclose(forest.margin(edge), expected, atol=2e-6, rtol=0)


def test_a_booster_without_splits_gives_its_base() -> None:
    values = np.ones((10, 2))
    settings = {"objective": "binary:logistic", "base_score": 0.2, "nthread": 1}
    booster = xgboost.train(settings, xgboost.DMatrix(values, label=np.zeros(10), nthread=1), 1)
    expected = booster.predict(xgboost.DMatrix(values, nthread=1), output_margin=True)
    np.testing.assert_allclose(flatten(booster).margin(values), expected, atol=2e-6, rtol=0)
