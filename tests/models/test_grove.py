"""Forests walked together give XGBoost's own margins."""

import numpy as np
import pytest
import xgboost

from models.grove import BLOCK_NODES, DEEPEST, grow
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
    np.testing.assert_allclose(
        grow([flatten(booster)]).margins(values)[:, 0], expected, atol=2e-6, rtol=0
    )


def test_one_row_and_a_block_of_rows_give_the_same_bits() -> None:
    booster, _ = _booster(3, 20)
    grove = grow([flatten(booster)])
    block = BLOCK_NODES // grove.column.size
    values = np.random.default_rng(0).normal(size=(block + 3, 4))
    together = grove.margins(values)
    alone = [grove.margins(values[[i]])[0].tolist() for i in (0, 17, block, block + 2)]
    assert together[[0, 17, block, block + 2]].tolist() == alone


def test_values_on_a_threshold_go_right_as_in_xgboost() -> None:
    booster, values = _booster(2, 10)
    forest = flatten(booster)
    inner = forest.threshold[np.isfinite(forest.threshold)][:4]
    edge = np.tile(values[:1], (inner.size, 1))
    edge[:, :] = inner[:, None]
    expected = booster.predict(xgboost.DMatrix(edge, nthread=1), output_margin=True)
    np.testing.assert_allclose(grow([forest]).margins(edge)[:, 0], expected, atol=2e-6, rtol=0)


def test_a_booster_without_splits_gives_its_base() -> None:
    values = np.ones((10, 2))
    settings = {"objective": "binary:logistic", "base_score": 0.2, "nthread": 1}
    booster = xgboost.train(settings, xgboost.DMatrix(values, label=np.zeros(10), nthread=1), 1)
    expected = booster.predict(xgboost.DMatrix(values, nthread=1), output_margin=True)
    np.testing.assert_allclose(
        grow([flatten(booster)]).margins(values)[:, 0], expected, atol=2e-6, rtol=0
    )


def test_forests_of_several_depths_and_sizes_are_what_they_are_alone() -> None:
    boosters = [_booster(depth, rounds) for depth, rounds in ((1, 10), (3, 40), (2, 60))]
    forests, values = [flatten(booster) for booster, _ in boosters], boosters[0][1]
    together = grow(forests).margins(values)
    for i, forest in enumerate(forests):
        np.testing.assert_allclose(
            together[:, i], grow([forest]).margins(values)[:, 0], atol=1e-12, rtol=0
        )


def test_trees_too_deep_for_a_byte_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 8"):
        grow([flatten(_booster(DEEPEST + 2, 20)[0])])
