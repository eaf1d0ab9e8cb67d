"""The search: every setting once, in whatever order and however often it was broken off."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import optuna
import pytest

from features.errors import DesignError
from training import search as searching
from training.candidates import CANDIDATES
from training.folds import subject_folds
from training.landmarks import TrainingSet
from training.metrics.censoring import ipcw_weights
from training.search import Trial, inner_losses, shortlist, tried
from training.search_space import Search, Space, design_points
from training.study import Study
from training.trials import open_storage

SEARCH = Search(trials=5, inner_folds=2, spaces={"cox": {"strength": Space(0.01, 1.0, log=True)}})


def test_settings_fill_their_space_and_start_with_none_changed() -> None:
    spaces = {"strength": Space(0.01, 1.0, log=True), "depth": Space(1, 3, whole=True)}
    points = design_points(spaces, 17, seed=1)
    assert points[0] == {}
    assert points == design_points(spaces, 17, seed=1) != design_points(spaces, 17, seed=2)
    shares = np.log([p["strength"] / 0.01 for p in points[1:]]) / np.log(100)
    # A scrambled Sobol sequence of 16 has one point in every sixteenth of each axis.
    assert sorted((16 * shares).astype(int)) == list(range(16))
    assert np.bincount([int(p["depth"]) for p in points[1:]])[1:].min() >= 5


def test_a_search_that_was_broken_off_does_the_rest_and_ends_the_same(
    mgus_rows: TrainingSet, mgus: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tried("cox", mgus_rows, mgus, SEARCH, seed=1, storage=None)
    url = f"sqlite:///{tmp_path / 'trials.db'}"
    real, calls = searching.inner_losses, []

    def breaks_down(*given: object, **more: object) -> object:
        calls.append(given[0])
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(searching, "inner_losses", breaks_down)
    with pytest.raises(KeyboardInterrupt):
        tried("cox", mgus_rows, mgus, SEARCH, seed=1, storage=url)
    resumed = tried("cox", mgus_rows, mgus, SEARCH, seed=1, storage=url)
    # Two were done, the third was broken off and done again with the other two.
    assert len(calls) == 3 + 3
    for one, other in zip(whole, resumed, strict=True):
        assert one.settings == other.settings
        np.testing.assert_array_equal(one.losses, other.losses)
    tried("cox", mgus_rows, mgus, SEARCH, seed=1, storage=url)
    assert len(calls) == 6
    with open_storage(url) as storage:
        names = optuna.get_all_study_names(storage)
    assert len(names) == 1 and "seed 1" in names[0]


def test_other_rows_or_another_seed_are_another_search(
    mgus_rows: TrainingSet, mgus: Study, tmp_path: Path
) -> None:
    url, once = f"sqlite:///{tmp_path / 'trials.db'}", replace(SEARCH, trials=2)
    for rows, seed in ((mgus_rows, 1), (mgus_rows, 2), (mgus_rows.rows(np.arange(900)), 1)):
        tried("cox", rows, mgus, once, seed=seed, storage=url)
    with open_storage(url) as storage:
        assert len(optuna.get_all_study_names(storage)) == 3


def test_other_software_is_another_search_and_another_order_of_lines_is_none(
    mgus_rows: TrainingSet, mgus: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'trials.db'}"
    more = {**SEARCH.spaces, "hazards": {"strength": Space(0.01, 1.0, log=True)}}
    for spaces in (more, dict(reversed(more.items()))):
        once = replace(SEARCH, trials=2, spaces=spaces)
        tried("cox", mgus_rows, mgus, once, seed=1, storage=url)
    with open_storage(url) as storage:
        assert len(optuna.get_all_study_names(storage)) == 1
    monkeypatch.setattr(searching, "software_digest", lambda: "another")
    tried("cox", mgus_rows, mgus, once, seed=1, storage=url)
    with open_storage(url) as storage:
        assert len(optuna.get_all_study_names(storage)) == 2


@pytest.mark.parametrize(("name", "counted"), [("logistic", [1]), ("hazards", [0, 1])])
def test_the_horizon_that_decides_chooses_where_horizons_are_fitted_apart(
    mgus_rows: TrainingSet, mgus: Study, name: str, counted: list[int]
) -> None:
    """The loss is that of the horizons counted: of ten years, or the mean of five and ten."""
    assert (mgus.horizons_years, mgus.decision) == ((5.0, 10.0), 1)
    losses, margin = inner_losses(CANDIDATES[name], mgus_rows, mgus, folds=3, seed=1)
    expected = []
    for mask in subject_folds(mgus_rows.subject, mgus_rows.event, count=3, repeats=1, seed=1):
        by_horizon = []
        for j in counted:
            known = ipcw_weights(mgus_rows.duration_years, mgus_rows.event, mgus.horizons_years[j])
            risk = 1 / (1 + np.exp(-margin[mask, j]))
            chance = np.where(known.case[mask], risk, 1 - risk)
            by_horizon.append(-np.mean(known.weights[mask] * np.log(chance)))
        expected.append(np.mean(by_horizon))
    np.testing.assert_allclose(losses, expected, rtol=1e-12)


def test_the_settings_of_least_loss_head_the_short_list() -> None:
    """Even if a stronger penalty is within one standard error."""
    folds = np.array([0.1, 0.2, 0.3])
    trials = [
        Trial({"strength": 0.01}, folds + 0.05),
        Trial({"strength": 0.1}, folds + np.array([0.001, -0.001, 0.0005])),
        Trial({"strength": 1.0}, folds),
    ]
    assert shortlist(trials, 1) == [{"strength": 1.0}]
    assert shortlist(trials, 2) == [{"strength": 1.0}, {"strength": 0.1}]


def test_a_setting_that_the_candidate_lacks_is_refused(mgus_rows: TrainingSet, mgus: Study) -> None:
    wrong = replace(SEARCH, spaces={"cox": {"depth": Space(1, 3, whole=True)}})
    with pytest.raises(DesignError, match="no setting depth"):
        tried("cox", mgus_rows, mgus, wrong, seed=1, storage=None)
