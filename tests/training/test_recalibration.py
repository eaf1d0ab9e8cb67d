"""Recalibration on out-of-fold log odds."""

from dataclasses import replace

import numpy as np
import pytest

from models.link import expit, logit, recalibrated
from training.landmarks import TrainingSet
from training.recalibration import (
    ENOUGH,
    LEAST_SLOPE,
    closed_test,
    cross_fitted,
)
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


def test_where_the_ranking_would_turn_round_the_mean_risk_is_that_observed(
    known: tuple[TrainingSet, np.ndarray, Study],
) -> None:
    """As with a learner of a constant, whose mean out of fold is lower the more the fold has."""
    rows, margin, study = known
    found = closed_test(rows, -margin - 3.0, study)
    assert found.forms == ("intercept and slope",)
    assert found.parameters[0, 1:].tolist() == [LEAST_SLOPE, LEAST_SLOPE]
    risk = expit(recalibrated(found.parameters, -margin - 3.0))
    assert risk.mean() == pytest.approx(rows.event.mean(), abs=1e-6)


def _staircase(true: np.ndarray) -> np.ndarray:
    """Log odds that rise in steps where the true ones rise evenly: no beta curve undoes that."""
    places = np.linspace(-12.0, 12.0, 100_001)
    return np.interp(true, places + 0.35 * np.sin(2.5 * places), places)


def _many(subjects: int, study: Study, *, censored: bool = False) -> tuple[TrainingSet, np.ndarray]:
    """Subjects with 20 % true risk on average, and the log odds behind it."""
    generator = np.random.default_rng(5)
    true = generator.normal(-1.8, 1.2, subjects)
    event = (generator.random(subjects) < 1 / (1 + np.exp(-true))).astype(np.int64)
    duration = np.where(event == 1, generator.uniform(0.0, 10.0, subjects), 12.0)
    if censored:
        # Four in ten are lost before ten years, whatever their risk.
        lost = generator.exponential(20.0, subjects)
        event, duration = np.where(lost < duration, 0, event), np.minimum(lost, duration)
    rows = TrainingSet(
        features=("m_protein_g_dl",),
        values=true[:, None],
        subject=np.arange(subjects),
        landmark_years=np.zeros(subjects),
        duration_years=duration,
        event=event,
        left_out=0,
        refused=0,
    )
    return rows, true


@pytest.mark.parametrize("censored", [False, True])
def test_isotonic_comes_last_and_finds_the_true_risk(mgus: Study, censored: bool) -> None:
    study = replace(mgus, horizons_years=(10.0,))
    rows, true = _many(20_000, study, censored=censored)
    margin = _staircase(true)[:, None]
    found = closed_test(rows, margin, study)
    assert found.forms == ("isotonic",)
    beta = closed_test(rows, margin, study, enough=np.inf)
    assert beta.forms != ("isotonic",)
    truth = expit(true)
    error, other = (
        np.abs(expit(recalibrated(f.parameters, margin))[:, 0] - truth).mean()
        for f in (found, beta)
    )
    # A level of 5 % of the cases has a standard error of 1 to 2 points.
    assert error < 0.015 < 0.02 < other
    # Who is ranked apart stays apart, far beyond what was seen too.
    places = np.linspace(-30.0, 30.0, 10_001)[:, None]
    assert (np.diff(recalibrated(found.parameters, places)[:, 0]) > 0).all()
    alone = [recalibrated(found.parameters, margin[[i]])[0] for i in (0, 7, 19_999)]
    np.testing.assert_array_equal(alone, recalibrated(found.parameters, margin)[[0, 7, 19_999]])


def test_isotonic_is_never_chosen_below_its_size(mgus: Study) -> None:
    """However far from the truth: 999 subjects who progress are not enough, 1,000 are."""
    study = replace(mgus, horizons_years=(10.0,))
    rows, true = _many(6_000, study)
    margin = _staircase(_staircase(true))[:, None]
    progressed = np.flatnonzero(rows.event == 1)
    for cases, chosen in ((300, False), (ENOUGH - 1, False), (ENOUGH, True)):
        kept = np.sort(np.concatenate([progressed[:cases], np.flatnonzero(rows.event == 0)]))
        forms = closed_test(rows.rows(kept), margin[kept], study).forms
        assert (forms == ("isotonic",)) == chosen
    few = np.sort(np.concatenate([progressed[:300], np.flatnonzero(rows.event == 0)]))
    copied = np.tile(few, 4)
    assert closed_test(rows.rows(copied), margin[copied], study).forms != ("isotonic",)


def test_a_fold_is_offered_the_recalibrations_that_the_whole_is(mgus: Study) -> None:
    """Of 1,050 who progress about 840 are left without a fifth, fewer than the whole must have."""
    study = replace(mgus, horizons_years=(10.0,))
    rows, true = _many(6_000, study)
    progressed = np.flatnonzero(rows.event == 1)[:1_050]
    kept = np.sort(np.concatenate([progressed, np.flatnonzero(rows.event == 0)]))
    rows, margin = rows.rows(kept), _staircase(_staircase(true))[kept, None]
    assert closed_test(rows, margin, study).forms == ("isotonic",)
    mask = np.arange(kept.size) % 5 == 0
    others = rows.rows(~mask)
    assert ENOUGH > others.event.sum() > 0.8 * ENOUGH
    found = cross_fitted(rows, margin, [mask, ~mask], study)
    whole = closed_test(others, margin[~mask], study, enough=0.0)
    assert whole.forms == ("isotonic",)
    np.testing.assert_array_equal(found[mask], recalibrated(whole.parameters, margin[mask]))


def test_one_horizon_with_corners_leaves_the_others_as_they_were(mgus: Study) -> None:
    study = replace(mgus, horizons_years=(5.0, 10.0))
    rows, true = _many(20_000, study)
    # By five years about half of them have progressed; what is asked for there is not the point.
    margin = np.column_stack([true, _staircase(true)])
    both = closed_test(rows, margin, study)
    alone = closed_test(rows, margin[:, :1], replace(study, horizons_years=(5.0,)))
    assert both.forms == (*alone.forms, "isotonic") and alone.parameters.shape == (1, 3)
    np.testing.assert_allclose(
        recalibrated(both.parameters, margin)[:, 0],
        recalibrated(alone.parameters, margin[:, :1])[:, 0],
        rtol=1e-12,
    )


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
