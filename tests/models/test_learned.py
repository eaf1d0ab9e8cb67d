"""The learned model at run time."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.artefact import load_artefact, save_artefact
from models.learned import LearnedModel
from models.link import FLOOR, logit
from models.risk import OK, PARTIAL, REFUSED


def test_risk_is_the_recalibrated_logistic_of_the_standardised_features(
    model: LearnedModel,
) -> None:
    risk = model.estimate_matrix(np.array([[2.5, 11.0, 0.0]])).risk[0]
    # By hand: standardised (1, -1, 0); 2 years -2 + 0.8 + 0.3 = -0.9, recalibrated
    # 0.1 - 0.81 = -0.71; 5 years -1 + 0.7 + 0.2 = -0.1, unchanged.
    assert risk[0] == pytest.approx(1 / (1 + np.exp(0.71)), abs=1e-12)
    assert risk[1] == pytest.approx(1 / (1 + np.exp(0.1)), abs=1e-12)


def test_without_a_necessary_feature_nothing_is_answered(model: LearnedModel) -> None:
    estimates = model.estimate_matrix(np.array([[np.nan, 12.0, 0.1]]))
    assert estimates.status[0] == REFUSED
    assert np.isnan(estimates.risk).all()
    assert np.isnan(estimates.lower).all()
    assert estimates.reason_at(0) == "needs m_protein_g_dl"


def test_without_an_expected_feature_the_answer_is_the_range_over_its_plausible_values(
    model: LearnedModel,
) -> None:
    estimates = model.estimate_matrix(np.array([[2.5, np.nan, 0.0]]))
    low, high = (model.risk(np.array([[2.5, hb, 0.0]]))[0] for hb in (15.1, 10.9))
    assert estimates.status[0] == PARTIAL
    np.testing.assert_allclose(estimates.lower[0], low, atol=1e-12)
    np.testing.assert_allclose(estimates.upper[0], high, atol=1e-12)
    assert estimates.missing_at(0) == ["hemoglobin_g_dl"]


def test_an_optional_feature_may_be_missing_without_a_word(model: LearnedModel) -> None:
    assert model.estimate_matrix(np.array([[2.5, 12.0, np.nan]])).status[0] == OK


def test_rows_do_not_touch_each_other(model: LearnedModel) -> None:
    rows = np.array([[2.5, np.nan, 0.0], [1.0, 12.0, 0.3], [np.nan, 12.0, 0.3], [3.0, 9.0, np.nan]])
    together = model.estimate_matrix(rows)
    for i in range(len(rows)):
        alone = model.estimate_matrix(rows[[i]])
        for name in ("risk", "lower", "upper"):
            np.testing.assert_array_equal(getattr(together, name)[i], getattr(alone, name)[0])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(
            st.floats(0, 10), st.floats(3, 22) | st.just(np.nan), st.floats(-5, 5) | st.just(np.nan)
        ),
        min_size=1,
        max_size=5,
    )
)
def test_risks_lie_within_their_interval_and_never_fall_with_the_horizon(
    model: LearnedModel, rows: list[tuple[float, float, float]]
) -> None:
    estimates = model.estimate_matrix(np.array(rows))
    assert (estimates.risk >= FLOOR).all()
    assert (estimates.risk <= 1 - FLOOR).all()
    assert (np.diff(estimates.risk, axis=1) >= 0).all()
    assert (estimates.lower <= estimates.risk).all()
    assert (estimates.risk <= estimates.upper).all()


def test_contributions_are_the_terms_of_the_recalibrated_log_odds(model: LearnedModel) -> None:
    values = np.array([[2.5, 11.0, 0.5], [1.5, np.nan, np.nan]])
    # By hand, at the decision horizon of two years, slope 0.9: standardised (1, -1, 0.5) times
    # (0.8, -0.3, 0.1). The second row is the average in everything it has, and is filled with it.
    np.testing.assert_allclose(
        model.contributions(values), [[0.72, 0.27, 0.045], [0.0, 0.0, 0.0]], atol=1e-12
    )
    # With the average they sum to the log odds of the risk: 0.1 + 0.9 * -2 = -1.7.
    risk = model.estimate_matrix(values).risk[0, 0]
    assert logit(risk) == pytest.approx(-1.7 + 0.72 + 0.27 + 0.045, abs=1e-12)


def test_without_intervals_the_risk_stays_and_a_partial_answer_keeps_its_range(
    model: LearnedModel,
) -> None:
    values = np.array([[2.5, 11.0, 0.0], [2.5, np.nan, 0.0]])
    asked, spared = model.estimate_matrix(values), model.estimate_matrix(values, intervals=False)
    np.testing.assert_array_equal(asked.risk, spared.risk)
    assert np.isnan(spared.lower[0]).all()
    np.testing.assert_array_equal(asked.lower[1], spared.lower[1])


BETA = np.array([[0.1, 0.7, 1.4], [0.0, 1.0, 1.0]])
ISOTONIC = np.array([[0.1, 0.9, 0.9, -2.5, 0.0, -2.8, 0.5], [0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 1.0]])


def test_corners_bend_the_log_odds_and_come_back_from_an_artefact(
    model: LearnedModel, tmp_path: Path
) -> None:
    values = np.array([[1.5, 13.0, 0.0], [0.25, 13.0, 0.0], [6.5, 13.0, 0.0]])
    model = replace(model, recalibration=ISOTONIC)
    # Log odds -2, -3 and 2 of the learner are -1.7, -2.6 and 1.9 after 0.1 + 0.9 m; then between
    # the corners -2.8 + 0.8 (3.3 / 2.5), and beyond them as far away as before: -2.9 and 2.4.
    expected = [-2.8 + 0.8 * 3.3 / 2.5, -2.9, 2.4]
    np.testing.assert_allclose(logit(model.risk(values)[:, 0]), expected, atol=1e-9)
    save_artefact(model, tmp_path / "artefact")
    loaded = load_artefact(tmp_path / "artefact")
    np.testing.assert_array_equal(loaded.risk(values), model.risk(values))


@pytest.mark.parametrize("bent", [BETA, ISOTONIC], ids=["beta", "isotonic"])
def test_contributions_to_bent_log_odds_add_up_to_the_recalibrated_step(
    model: LearnedModel, bent: np.ndarray
) -> None:
    model = replace(model, recalibration=bent, decision_horizon_years=2.0)
    values = np.array([[2.5, 11.0, 0.5], [0.7, 14.9, -0.2], [1.5, 13.0, 0.0]])
    # The average of the hand-made learner is where every standardised value is 0.
    average = logit(model.risk(np.array([[1.5, 13.0, 0.0]])))[:, 0]
    step = logit(model.risk(values))[:, 0] - average
    np.testing.assert_allclose(model.contributions(values).sum(axis=1), step, atol=1e-12)
