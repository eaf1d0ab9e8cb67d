import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import ValueRangeError
from training.metrics.aalen_johansen import observed_risk
from training.metrics.net_benefit import (
    decision_curve,
    net_benefit,
    net_benefit_of_rule,
    standardised,
    treat_all,
)
from training.metrics.reclassification import reclassification
from training.metrics.timeline import Timeline

DURATION = np.array([1.0, 1, 2, 5, 5, 5, 5, 5, 5, 5])
EVENT = np.array([1, 1, 2, 0, 0, 0, 0, 0, 0, 0])
RISK = np.array([0.5, 0.1, 0.5, 0.3, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1])


def test_net_benefit_by_hand() -> None:
    # At 20 %: 3 flagged, 1 progresses; 1/10 - 2/10 * 0.2/0.8 = 0.05. The dead is a false positive.
    assert net_benefit(DURATION, EVENT, RISK, 3, threshold=0.2).value == pytest.approx(0.05)
    # Of at most 2/10: a quarter.
    observed = observed_risk(Timeline.of(DURATION, EVENT), 3)
    best = standardised(net_benefit(DURATION, EVENT, RISK, 3, threshold=0.2), observed)
    assert best.value == pytest.approx(0.25)
    # Everyone flagged: 2/10 progress and the price of the other 8/10 is 2/10 as well.
    assert treat_all(DURATION, EVENT, 3, threshold=0.2).value == pytest.approx(0)


def test_a_risk_at_the_threshold_is_flagged() -> None:
    at = net_benefit(DURATION, EVENT, RISK, 3, threshold=0.3)
    rule = net_benefit_of_rule(DURATION, EVENT, RISK >= 0.3, 3, threshold=0.3)
    assert at.value == rule.value


def test_treating_nobody_is_worth_nothing() -> None:
    assert net_benefit(DURATION, EVENT, RISK, 3, threshold=0.9).value == 0


@given(st.floats(0.01, 0.99), st.integers(0, 50))
def test_no_rule_is_worth_more_than_the_observed_risk(threshold: float, seed: int) -> None:
    flagged = np.random.default_rng(seed).random(10) < 0.5
    found = net_benefit_of_rule(DURATION, EVENT, flagged, 3, threshold=threshold)
    assert found.value is not None and found.value <= 0.2 + 1e-12


def test_the_influence_gives_the_same_standard_error() -> None:
    rng = np.random.default_rng(0)
    duration, event = rng.exponential(3, 2000), rng.integers(0, 3, 2000)
    found = net_benefit(duration, event, rng.random(2000), 2, threshold=0.3, with_influence=True)
    assert found.influence is not None
    assert found.influence.std() / np.sqrt(2000) == pytest.approx(found.standard_error, rel=0.01)


def test_a_threshold_is_between_0_and_1() -> None:
    with pytest.raises(ValueRangeError, match="threshold"):
        net_benefit(DURATION, EVENT, RISK, 3, threshold=1.0)


def test_a_group_whose_follow_up_is_too_short_says_so() -> None:
    flagged = np.array([True, False])
    found = net_benefit_of_rule(np.array([1.0, 5]), np.array([0, 1]), flagged, 3, threshold=0.1)
    assert "among those flagged, follow-up ends" in str(found.reason)


def test_a_decision_curve_is_one_net_benefit_per_threshold() -> None:
    curve = decision_curve(DURATION, EVENT, RISK, 3, thresholds=(0.1, 0.2))
    assert curve.model[1].value == pytest.approx(0.05)
    everyone = [treat_all(DURATION, EVENT, 3, threshold=p).value for p in (0.1, 0.2)]
    assert [point.value for point in curve.treat_all] == pytest.approx(everyone)


def test_reclassification_counts_everyone_once() -> None:
    cells = reclassification(DURATION, EVENT, RISK >= 0.2, RISK >= 0.4, 3)
    assert sum(cell.subjects for cell in cells) == 10
    both = next(cell for cell in cells if cell.reference_flags and cell.model_flags)
    assert (both.subjects, both.events, both.competing) == (2, 1, 1)
    assert both.observed.value == pytest.approx(0.5)
    nobody = next(cell for cell in cells if cell.model_flags and not cell.reference_flags)
    assert nobody.observed.reason == "no subject"


def test_people_at_two_landmarks_are_reclassified_no_more_surely() -> None:
    both = [np.tile(given, 2) for given in (DURATION, EVENT, RISK >= 0.2, RISK >= 0.4)]
    person = np.tile(np.arange(DURATION.size), 2)
    once = reclassification(DURATION, EVENT, RISK >= 0.2, RISK >= 0.4, 3)[3]
    twice = reclassification(*both, 3, cluster=person)[3]
    # One of two people progresses: p (1 - p) / n by Greenwood, over n - 1 by the jackknife.
    assert once.observed.standard_error == pytest.approx(np.sqrt(0.25 / 2))
    assert twice.observed.standard_error == pytest.approx(np.sqrt(0.25 / 1))
