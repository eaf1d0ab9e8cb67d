"""Recalibration on out-of-fold log odds."""

from dataclasses import replace

import numpy as np
import pytest

from models.learned import logit, recalibrated
from training.landmarks import TrainingSet
from training.recalibration import LEAST_SLOPE, closed_test, cross_fitted, intercept_and_slope
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
    found = closed_test(rows, margin, study)
    assert found.forms == ("nothing",)
    assert found.parameters.tolist() == [[0.0, 1.0, 1.0]]
    # Standard errors at n = 10,000 and 20 % events are about 0.04 and 0.03.
    np.testing.assert_allclose(intercept_and_slope(rows, margin, study), [[0.0, 1.0]], atol=0.1)


def test_closed_testing_takes_the_least_form_that_is_enough(
    known: tuple[TrainingSet, np.ndarray, Study],
) -> None:
    rows, margin, study = known
    shifted = closed_test(rows, margin + 0.7, study)
    assert shifted.forms == ("intercept",)
    np.testing.assert_allclose(shifted.parameters, [[-0.7, 1.0, 1.0]], atol=0.1)
    steep = closed_test(rows, 2.0 * margin + 1.0, study)
    assert steep.forms == ("intercept and slope",)
    # Undoing 2 x + 1 takes intercept -0.5 and slope 0.5.
    np.testing.assert_allclose(steep.parameters, [[-0.5, 0.5, 0.5]], atol=0.07)
    # Odds m that beta recalibration with a = 0.6 and b = 1.6 turns into the true ones.
    risk = np.linspace(1e-4, 1 - 1e-4, 200_001)
    bent = np.interp(margin[:, 0], 0.6 * np.log(risk) - 1.6 * np.log1p(-risk), logit(risk))
    found = closed_test(rows, bent[:, None], study)
    assert found.forms == ("beta",)
    np.testing.assert_allclose(found.parameters, [[0.0, 0.6, 1.6]], atol=0.25)
    np.testing.assert_allclose(recalibrated(found.parameters, bent[:, None]), margin, atol=0.25)


def test_rows_given_twice_are_no_new_evidence(
    known: tuple[TrainingSet, np.ndarray, Study],
) -> None:
    """A slope of .75 (error .13) of 400 subjects is not told from 1 by copies of them."""
    rows, margin, study = known
    few = np.arange(400)
    once = closed_test(rows.rows(few), margin[few], study)
    copied = np.tile(few, 20)
    assert once.forms == closed_test(rows.rows(copied), margin[copied], study).forms
    alone = replace(rows.rows(copied), subject=np.arange(copied.size))
    assert closed_test(alone, margin[copied], study).forms != once.forms


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
