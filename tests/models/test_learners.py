"""Learners as they are evaluated."""

import numpy as np

from models.learners import GroupLearner
from models.link import expit


def test_the_rule_counts_features_past_their_cut() -> None:
    rule = GroupLearner(
        cuts=np.array([20.0, 2.0, 20.0]),
        strict=np.array([True, True, True]),
        steps=np.array([1, 2]),
        risk=np.array([[0.06], [0.18], [0.44]]),
    )
    values = np.array(
        [[20.0, 2.0, 20.0], [21.0, 2.0, 20.0], [21.0, 2.1, 3.0], [21.0, 2.1, 21.0], [np.nan, 3, 30]]
    )
    margin = rule.margin(values)[:, 0]
    np.testing.assert_allclose(expit(margin[:4]), [0.06, 0.18, 0.44, 0.44])
    assert np.isnan(margin[4])


def test_a_rule_has_no_contributions() -> None:
    rule = GroupLearner(
        cuts=np.array([2.0]),
        strict=np.array([True]),
        steps=np.array([1]),
        risk=np.array([[0.1], [0.4]]),
    )
    assert rule.contributions(np.array([[3.0]]), 0).shape == (1, 0)
