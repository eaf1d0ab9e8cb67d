import numpy as np
import pytest

from training.metrics.brier import brier_score

DURATION = np.array([1.0, 2, 5, 5])
EVENT = np.array([1, 2, 0, 0])


def test_brier_score_by_hand() -> None:
    # Without censoring by 3 y: ((1-.8)² + .4² + .2² + 0²) / 4 = (.04 + .16 + .04) / 4.
    score = brier_score(DURATION, EVENT, np.array([0.8, 0.4, 0.2, 0.0]), 3)
    assert score.brier.value == pytest.approx(0.06)
    # One in four progresses: the average risk scores 1/4 * 3/4.
    assert score.null.value == pytest.approx(3 / 16)
    assert score.ipa.value == pytest.approx(1 - 0.06 / (3 / 16))


def test_the_average_risk_explains_nothing() -> None:
    assert brier_score(DURATION, EVENT, np.full(4, 0.25), 3).ipa.value == pytest.approx(0)


def test_knowing_the_outcome_explains_everything() -> None:
    score = brier_score(DURATION, EVENT, np.array([1.0, 0, 0, 0]), 3)
    assert score.brier.value == 0
    assert score.ipa.value == 1
