"""Recalibration on out-of-fold log odds."""

from dataclasses import replace

import numpy as np
import pytest

from models.learned import logit
from training.landmarks import TrainingSet
from training.recalibration import LEAST_SLOPE, cross_fitted, identity, intercept_and_slope
from training.study import Study


@pytest.fixture
def known(mgus: Study) -> tuple[TrainingSet, np.ndarray, Study]:
    """Ten thousand subjects followed to 10 years whose true log odds are known."""
    study = replace(mgus, horizons_years=(10.0,))
    generator = np.random.default_rng(2)
    margin = generator.normal(-1.5, 1.0, 10_000)
    event = (generator.random(10_000) < 1 / (1 + np.exp(-margin))).astype(np.int64)
    rows = TrainingSet(
        features=("m_protein_g_dl",),
        values=margin[:, None],
        subject=np.arange(10_000),
        landmark_years=np.zeros(10_000),
        duration_years=np.where(event == 1, 5.0, 12.0),
        event=event,
        left_out=0,
        refused=0,
    )
    return rows, margin[:, None], study


def test_true_log_odds_need_no_recalibration(
    known: tuple[TrainingSet, np.ndarray, Study],
) -> None:
    rows, margin, study = known
    # Standard errors at n = 10,000 and 20 % events are about 0.04 and 0.03.
    np.testing.assert_allclose(intercept_and_slope(rows, margin, study), identity(1), atol=0.1)


def test_an_overfit_model_is_shrunk_by_the_slope(
    known: tuple[TrainingSet, np.ndarray, Study],
) -> None:
    rows, margin, study = known
    fitted = intercept_and_slope(rows, 2.0 * margin + 1.0, study)
    # Undoing 2 x + 1 takes intercept -0.5 and slope 0.5.
    np.testing.assert_allclose(fitted, [[-0.5, 0.5]], atol=0.07)


def test_a_model_that_ranks_backwards_is_never_turned_round(
    known: tuple[TrainingSet, np.ndarray, Study],
) -> None:
    rows, margin, study = known
    assert intercept_and_slope(rows, -margin, study)[0, 1] == LEAST_SLOPE


def test_each_fold_is_recalibrated_by_the_others_alone(
    known: tuple[TrainingSet, np.ndarray, Study],
) -> None:
    rows, margin, study = known
    half = np.arange(10_000) < 5_000
    before = cross_fitted(rows, margin, [half, ~half], study)
    other = np.where(half, np.arange(10_000)[::-1] - 5_000, np.arange(10_000))
    shuffled = replace(rows, event=rows.event[other], duration_years=rows.duration_years[other])
    after = cross_fitted(shuffled, margin, [half, ~half], study)
    # The first half is recalibrated by the second, whose outcomes did not change.
    np.testing.assert_array_equal(before[half], after[half])
    assert np.abs(before[~half] - after[~half]).max() > 0.1


def test_logit_of_a_certainty_stays_finite() -> None:
    assert np.isfinite(logit(np.array([0.0, 1.0]))).all()
