"""Tables that are added up."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.additive import AdditiveLearner
from models.artefact import load_artefact, save_artefact
from models.learned import LearnedModel


@pytest.fixture
def learner() -> AdditiveLearner:
    """Two horizons, three features: two cuts, one, and none."""
    inf = np.inf
    return AdditiveLearner(
        cuts=np.array([[1.0, 2.0], [12.0, inf], [inf, inf]]),
        score=np.array(
            [
                [[0.1, -0.4, 0.0, 0.8], [0.2, 0.5, -0.3, -0.3], [0.0, 0.0, 0.0, 0.0]],
                [[0.0, -0.2, 0.1, 0.6], [0.1, 0.4, -0.2, -0.2], [0.3, 0.0, 0.0, 0.0]],
            ]
        ),
        intercept=np.array([-2.0, -1.0]),
    )


def test_every_value_has_one_place_and_a_missing_one_its_own(learner: AdditiveLearner) -> None:
    nan = np.nan
    values = np.array(
        [[0.9, 11.9, 0.0], [1.0, 12.0, 5.0], [2.0, 99.0, nan], [np.inf, -np.inf, nan], [nan] * 3]
    )
    # -2 - .4 + .5; -2 + 0 - .3; -2 + .8 - .3; -2 + .8 + .5; -2 + .1 + .2
    first = [-1.9, -2.3, -1.5, -0.7, -1.7]
    # -1 - .2 + .4; -1 + .1 - .2; -1 + .6 - .2 + .3; -1 + .6 + .4 + .3; -1 + 0 + .1 + .3
    second = [-0.8, -1.1, -0.3, 0.3, -0.6]
    np.testing.assert_allclose(learner.margin(values).T, [first, second], atol=1e-12)
    for horizon in (0, 1):
        added = learner.contributions(values, horizon).sum(axis=1) + learner.intercept[horizon]
        np.testing.assert_array_equal(added, learner.margin(values)[:, horizon])


def test_one_row_and_many_give_the_same_bits(learner: AdditiveLearner) -> None:
    values = np.random.default_rng(3).normal([1.5, 12.0, 0.0], 1.0, (5000, 3))
    together = learner.margin(values)
    for i in (0, 1, 4095, 4999):
        np.testing.assert_array_equal(together[i], learner.margin(values[[i]])[0])


def test_an_artefact_gives_the_tables_back(
    learner: AdditiveLearner, model: LearnedModel, tmp_path: Path
) -> None:
    save_artefact(replace(model, learner=learner), tmp_path / "artefact")
    loaded = load_artefact(tmp_path / "artefact").learner
    values = np.array([[2.5, 11.0, 0.0], [0.7, 14.0, np.nan]])
    np.testing.assert_array_equal(loaded.margin(values), learner.margin(values))
