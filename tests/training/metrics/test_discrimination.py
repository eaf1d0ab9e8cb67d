import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.metrics.censoring import CensoringDistribution, ipcw_weights
from training.metrics.concordance import concordance
from training.metrics.discrimination import Ranking, auc

cohort = st.lists(
    st.tuples(st.integers(1, 10), st.integers(0, 2), st.integers(1, 6)), min_size=4, max_size=30
).map(
    lambda rows: (
        np.array([r[0] / 2 for r in rows]),
        np.array([r[1] for r in rows]),
        np.array([r[2] / 7 for r in rows]),
    )
)
Cohort = tuple[np.ndarray, np.ndarray, np.ndarray]


def test_auc_by_hand() -> None:
    # One case (risk .5) against controls .1, .5 (tie) and .9: (1 + 1/2 + 0) / 3.
    found = auc(np.array([1.0, 5, 5, 5]), np.array([1, 0, 0, 2]), np.array([0.5, 0.1, 0.5, 0.9]), 3)
    assert found.value == pytest.approx(0.5)


def test_the_dead_are_controls_unless_asked_otherwise() -> None:
    given_cohort = (np.array([1.0, 2, 5]), np.array([1, 2, 0]), np.array([0.5, 0.9, 0.1]))
    assert auc(*given_cohort, 3).value == pytest.approx(0.5)
    assert auc(*given_cohort, 3, controls="event-free").value == pytest.approx(1.0)


@given(cohort)
def test_auc_is_the_weighted_share_of_ordered_pairs(given_cohort: Cohort) -> None:
    duration, event, risk = given_cohort
    found = auc(duration, event, risk, 2.5)
    if found.value is None:
        return
    w = ipcw_weights(duration, event, 2.5)
    won = total = 0.0
    for i in np.flatnonzero(w.case):
        for j in np.flatnonzero(w.dead | w.event_free):
            pair = w.weights[i] * w.weights[j]
            total += pair
            won += pair * ((risk[i] > risk[j]) + 0.5 * (risk[i] == risk[j]))
    assert found.value == pytest.approx(won / total)


@given(cohort)
def test_auc_depends_on_the_order_of_risks_only(given_cohort: Cohort) -> None:
    duration, event, risk = given_cohort
    straight = auc(duration, event, risk, 2.5)
    bent, turned = auc(duration, event, risk**3, 2.5), auc(duration, event, 1 - risk, 2.5)
    if straight.value is not None and bent.value is not None and turned.value is not None:
        assert bent.value == pytest.approx(straight.value)
        assert turned.value == pytest.approx(1 - straight.value)


@given(cohort)
def test_influences_cancel_out(given_cohort: Cohort) -> None:
    found = auc(*given_cohort, 2.5)
    if found.influence is not None:
        assert found.influence.mean() == pytest.approx(0, abs=1e-9)


@given(cohort)
def test_concordance_is_the_weighted_share_of_comparable_pairs(given_cohort: Cohort) -> None:
    duration, event, risk = given_cohort
    found = concordance(duration, event, risk, 2.5, floor=0)
    if found.value is None:
        return
    before = CensoringDistribution.fit(duration, event).before(duration)
    won = total = 0.0
    for i in np.flatnonzero((event == 1) & (duration <= 2.5)):
        for j in range(duration.size):
            longer = duration[j] > duration[i] or (duration[j] == duration[i] and event[j] == 0)
            dead = event[j] == 2 and duration[j] <= duration[i]
            if not longer and not dead:
                continue
            pair = 1 / before[i] ** 2 if longer else 1 / (before[i] * before[j])
            total += pair
            won += pair * ((risk[i] > risk[j]) + 0.5 * (risk[i] == risk[j]))
    assert found.value == pytest.approx(won / total)


def test_visits_of_one_subject_do_not_narrow_the_interval() -> None:
    rng = np.random.default_rng(0)
    duration, event = rng.exponential(3, 200), rng.integers(0, 3, 200)
    risk = rng.uniform(0.05, 0.5, 200)
    once = auc(duration, event, risk, 2.0)
    thrice = auc(
        np.tile(duration, 3),
        np.tile(event, 3),
        np.tile(risk, 3),
        2.0,
        cluster=np.tile(np.arange(200), 3),
    )
    assert thrice.value == pytest.approx(once.value)
    assert thrice.standard_error == pytest.approx(once.standard_error, rel=1e-6)


def test_equal_risks_have_no_auc() -> None:
    found = auc(np.array([1.0, 5, 5]), np.array([1, 0, 2]), np.full(3, 0.2), 3)
    assert found.reason == "all predicted risks are equal"


def test_a_ranking_at_another_horizon_is_used_only_where_it_orders_the_risks() -> None:
    risk = np.array([0.3, 0.1, 0.2, 0.2])
    first = Ranking.of(risk)
    squared, turned = Ranking.of(risk**2, first), Ranking.of(1 - risk, first)
    assert squared.order is first.order
    assert squared.level.tolist() == first.level.tolist() == [2, 0, 1, 1]
    assert turned.level.tolist() == [0, 2, 1, 1]


def test_quantiles_of_a_ranking_are_those_of_numpy_on_any_increasing_scale() -> None:
    risk = np.random.default_rng(3).uniform(0.01, 0.9, 101)
    shares = (0.0, 0.05, 0.333, 0.5, 0.99, 1.0)
    expected = np.quantile(np.log(risk), shares)
    assert Ranking.of(risk).quantiles(shares, np.log) == pytest.approx(expected, abs=1e-12)
