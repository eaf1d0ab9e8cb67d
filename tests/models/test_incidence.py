"""The incidence curve from two competing hazards."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.artefact import load_artefact, save_artefact
from models.forest import Forest
from models.incidence import BLOCK_ROWS, HazardLearner, LinearPredictor
from models.learned import LearnedModel
from models.link import expit


def _predictor(coefficient: float) -> LinearPredictor:
    return LinearPredictor(
        np.array([1.5, 13.0, 0.0]),
        np.array([1.5, 13.0, 0.0]),
        np.array([1.0, 2.0, 1.0]),
        np.array([coefficient, 0.0, 0.0]),
    )


def _learner(link: str, *, forest: bool = False) -> HazardLearner:
    tree = Forest(
        base=0.0,
        feature=np.zeros((1, 1), dtype=np.int16),
        threshold=np.full((1, 1), 2.0, dtype=np.float32),
        missing_left=np.ones((1, 1), dtype=bool),
        leaf=np.array([[0.0, 0.5]], dtype=np.float32),
        left_share=np.full((1, 1), 0.6, dtype=np.float32),
    )
    return HazardLearner(
        progression=tree if forest else _predictor(0.5),
        death=_predictor(-0.25),
        baseline=np.log([[0.1, 0.2, 0.3], [0.2, 0.1, 0.1]]),
        until=np.array([0, 2]),
        link=link,  # type: ignore[arg-type]
    )


def test_odds_against_neither_are_chances_of_each() -> None:
    """At the centre: rates .1 and .2 of the first interval, odds against neither happening."""
    found = expit(_learner("softmax").margin(np.array([[1.5, 13.0, 0.0]])))[0]
    first = 0.1 / 1.3
    second = (1 / 1.3) * 0.2 / 1.3
    third = (1 / 1.3) * (1 / 1.3) * 0.3 / 1.4
    np.testing.assert_allclose(found, [first, first + second + third], atol=1e-12)


def test_integrated_hazards_in_proportion_share_those_who_leave() -> None:
    found = expit(_learner("log").margin(np.array([[1.5, 13.0, 0.0]])))[0]
    first = (1 - np.exp(-0.3)) / 3
    second = np.exp(-0.3) * (1 - np.exp(-0.3)) * 2 / 3
    third = np.exp(-0.6) * (1 - np.exp(-0.4)) * 3 / 4
    np.testing.assert_allclose(found, [first, first + second + third], atol=1e-12)


def test_without_death_the_risk_is_one_minus_survival() -> None:
    learner = HazardLearner(
        _predictor(0.5),
        _predictor(0.0),
        np.stack([np.log([0.1, 0.2]), np.full(2, -np.inf)]),
        np.array([0, 1]),
        "log",
    )
    found = expit(learner.margin(np.array([[2.5, 13.0, 0.0]])))[0]
    np.testing.assert_allclose(found, 1 - np.exp(-np.exp(0.5) * np.array([0.1, 0.3])), atol=1e-12)


def test_rows_do_not_touch_each_other_across_blocks() -> None:
    generator = np.random.default_rng(2)
    values = generator.normal([1.5, 13.0, 0.0], 1.0, (BLOCK_ROWS + 3, 3))
    learner = _learner("softmax", forest=True)
    together = learner.margin(values)
    for i in (0, BLOCK_ROWS - 1, BLOCK_ROWS, BLOCK_ROWS + 2):
        np.testing.assert_array_equal(together[i], learner.margin(values[[i]])[0])


@pytest.mark.parametrize("forest", [False, True])
def test_contributions_add_up_to_the_step_from_the_average(forest: bool) -> None:
    learner = _learner("softmax", forest=forest)
    values = np.array([[2.5, 11.0, 0.0], [0.7, 14.0, 1.0], [1.5, 13.0, 0.0]])
    average = learner._log_odds(np.full(3, 0.6 * 0.0 + 0.4 * 0.5 if forest else 0.0), np.zeros(3))
    for horizon in (0, 1):
        added = learner.contributions(values, horizon)
        step = learner.margin(values)[:, horizon] - average[:, horizon]
        np.testing.assert_allclose(added.sum(axis=1), step, atol=1e-6)
        # Only the first feature has a coefficient, and nothing is added at its average.
        assert (added[:, 1:] == 0).all()
    assert forest or (added[2] == 0).all()


@pytest.mark.parametrize("forest", [False, True])
@pytest.mark.parametrize("link", ["softmax", "log"])
def test_an_artefact_gives_the_learner_back(
    link: str, forest: bool, model: LearnedModel, tmp_path: Path
) -> None:
    learner = _learner(link, forest=forest)
    saved = replace(model, learner=learner)
    save_artefact(saved, tmp_path / "artefact")
    loaded = load_artefact(tmp_path / "artefact")
    values = np.array([[2.5, 11.0, 0.0], [0.7, 14.0, np.nan]])
    np.testing.assert_array_equal(loaded.learner.margin(values), learner.margin(values))
