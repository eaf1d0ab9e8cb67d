import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import ValueRangeError
from training.metrics.censoring import CensoringDistribution, ipcw_weights, unknowable

outcomes = st.lists(st.tuples(st.integers(1, 12), st.integers(0, 2)), min_size=3, max_size=40).map(
    lambda rows: (np.array([r[0] / 2 for r in rows]), np.array([r[1] for r in rows]))
)


def test_events_come_before_censorings_of_the_same_duration() -> None:
    # At 1 y: one event, two censored of three left -> G falls to 1/3 there, not to 1/2.
    chance = CensoringDistribution.fit(np.array([1.0, 1, 1, 2]), np.array([1, 0, 0, 1]))
    assert chance.at(1.0) == pytest.approx(1 / 3)
    assert chance.before(1.0) == 1.0


def test_weights_are_one_over_the_chance_of_being_seen() -> None:
    # Censored at 1 y of four: G is 3/4 after; the event at 1 y is weighted by G just before it.
    weights = ipcw_weights(np.array([1.0, 1, 2, 4]), np.array([0, 1, 2, 0]), 3.0).weights
    # After the event at 1 y three are at risk of censoring, one of whom is censored: G = 2/3.
    assert weights == pytest.approx([0, 1, 1.5, 1.5])


@given(outcomes, st.sampled_from([0.5, 1.0, 2.25, 5.0]))
def test_weights_of_the_seen_stand_for_everyone(
    given_outcomes: tuple[np.ndarray, np.ndarray], horizon: float
) -> None:
    duration, event = given_outcomes
    weights = ipcw_weights(duration, event, horizon, floor=0)
    if duration.max() > horizon or (event[duration == duration.max()] != 0).all():
        assert weights.weights.sum() == pytest.approx(duration.size)


@given(outcomes)
def test_order_of_rows_does_not_matter(given_outcomes: tuple[np.ndarray, np.ndarray]) -> None:
    duration, event = given_outcomes
    order = np.random.default_rng(0).permutation(duration.size)
    straight = ipcw_weights(duration, event, 2.0).weights[order]
    assert ipcw_weights(duration[order], event[order], 2.0).weights == pytest.approx(straight)


@given(outcomes, st.integers(0, 5))
def test_a_count_is_the_same_as_that_many_copies(
    given_outcomes: tuple[np.ndarray, np.ndarray], seed: int
) -> None:
    duration, event = given_outcomes
    counts = np.random.default_rng(seed).integers(0, 3, duration.size)
    if counts.sum() < 2:
        return
    copies = np.repeat(np.arange(duration.size), counts)
    counted = ipcw_weights(duration, event, 2.0, sample_weight=counts.astype(float))
    copied = ipcw_weights(duration[copies], event[copies], 2.0)
    assert counted.weights.sum() == pytest.approx(copied.weights.sum())


def test_the_floor_limits_a_weight_and_is_reported() -> None:
    duration = np.append(np.linspace(0.1, 1, 40), 3.0)
    weights = ipcw_weights(duration, np.append(np.zeros(40, int), 1), 3.0, floor=0.05)
    assert weights.max_weight == pytest.approx(20)
    assert int(weights.trimmed.sum()) == 1


def test_effective_sample_size_of_equal_weights_is_their_number() -> None:
    weights = ipcw_weights(np.array([1.0, 2, 3, 4]), np.array([1, 2, 1, 0]), 3.5)
    assert weights.effective_sample_size == pytest.approx(4)


def test_a_censoring_distribution_serves_another_sample() -> None:
    chance = CensoringDistribution.fit(np.array([1.0, 2]), np.array([0, 0]))
    weights = ipcw_weights(np.array([1.5, 0.5]), np.array([1, 1]), 3.0, censoring=chance)
    assert weights.weights == pytest.approx([2, 1])


def test_censored_exactly_at_the_horizon_where_follow_up_stops_is_event_free() -> None:
    weights = ipcw_weights(np.array([1.0, 2, 2, 2]), np.array([1, 0, 0, 1]), 2.0)
    assert unknowable(weights) is None
    assert weights.weights == pytest.approx([1, 1, 1, 1])


@pytest.mark.parametrize(
    ("duration", "event", "horizon", "why"),
    [
        ([1, 2, 3], [0, 0, 0], 2, "no progression"),
        ([1, 2, 3], [1, 0, 0], 4, "follow-up ends before 4 years"),
        ([1, 2, 3], [1, 1, 1], 4, "nobody is known to be without progression"),
        ([3, 4, 5], [1, 1, 0], 2, "no progression is observed by 2 years"),
    ],
)
def test_why_a_horizon_cannot_be_judged(
    duration: list[float], event: list[int], horizon: float, why: str
) -> None:
    weights = ipcw_weights(np.array(duration, float), np.array(event), horizon)
    assert why in str(unknowable(weights))


@pytest.mark.parametrize(
    ("duration", "event", "field"),
    [
        ([1, np.nan], [0, 1], "duration_years"),
        ([1, -1], [0, 1], "duration_years"),
        ([], [], "duration_years"),
        ([1, 2], [0, 3], "event"),
        ([1, 2], [0], "event"),
    ],
)
def test_impossible_outcomes_are_refused_by_name(
    duration: list[float], event: list[int], field: str
) -> None:
    with pytest.raises(ValueRangeError, match=field):
        ipcw_weights(np.array(duration, float), np.array(event), 1.0)
