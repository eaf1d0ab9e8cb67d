import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.metrics.aalen_johansen import aalen_johansen, incidence_at, pseudo_values
from training.metrics.timeline import Timeline

outcomes = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 2)), min_size=3, max_size=30).map(
    lambda rows: (np.array([r[0] / 2 for r in rows]), np.array([r[1] for r in rows]))
)


def test_incidence_by_hand() -> None:
    # 4 at risk: progression 1/4; death of 3 leaves 3/4 * 2/3 = 1/2 free; progression of 2.
    curve = aalen_johansen(np.array([1.0, 2, 3, 4]), np.array([1, 2, 1, 0]))
    assert [curve.at(t).value for t in (0.5, 1, 2, 3)] == pytest.approx([0, 0.25, 0.25, 0.5])


@given(outcomes)
def test_incidences_rise_and_add_up_with_the_event_free(
    given_outcomes: tuple[np.ndarray, np.ndarray],
) -> None:
    duration, event = given_outcomes
    one, two = (aalen_johansen(duration, event, cause=c).incidence for c in (1, 2))
    assert (np.diff(one) >= -1e-12).all()
    assert (one + two <= 1 + 1e-12).all()
    if (event != 0).all():
        # Without censoring the incidence is the share of subjects.
        assert one[-1] == pytest.approx((event == 1).mean())


@given(outcomes, st.sampled_from([0.25, 1.0, 3.0]))
def test_pseudo_values_are_the_jackknife(
    given_outcomes: tuple[np.ndarray, np.ndarray], horizon: float
) -> None:
    duration, event = given_outcomes
    n = duration.size
    whole = incidence_at(Timeline.of(duration, event), horizon)
    expected = [
        n * whole
        - (n - 1) * incidence_at(Timeline.of(np.delete(duration, i), np.delete(event, i)), horizon)
        for i in range(n)
    ]
    assert pseudo_values(duration, event, horizon) == pytest.approx(expected, abs=1e-9)


@given(outcomes, st.sampled_from([0.25, 1.0, 3.0]))
def test_incidence_at_one_horizon_is_that_of_the_curve(
    given_outcomes: tuple[np.ndarray, np.ndarray], horizon: float
) -> None:
    duration, event = given_outcomes
    found = aalen_johansen(duration, event).at(horizon)
    if found.value is None:
        assert duration.max() < horizon
    else:
        assert found.value == pytest.approx(incidence_at(Timeline.of(duration, event), horizon))


def test_beyond_follow_up_is_not_estimable() -> None:
    found = aalen_johansen(np.array([1.0, 2.0]), np.array([1, 0])).at(3.0)
    assert found.reason == "follow-up ends before 3 years"


def test_beyond_the_last_event_of_all_nothing_changes() -> None:
    # Everyone has had an event by 2 years: at 3 years the incidence is still known.
    assert aalen_johansen(np.array([1.0, 2.0]), np.array([1, 2])).at(3.0).value == 0.5


def test_the_interval_stays_within_0_and_1() -> None:
    found = aalen_johansen(np.array([1.0] + [2.0] * 9), np.array([1] + [0] * 9)).at(1.5)
    assert found.lower is not None and found.upper is not None
    assert 0 < found.lower < 0.1 < found.upper < 1
