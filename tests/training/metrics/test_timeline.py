from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.metrics.aalen_johansen import aalen_johansen, observed_risk, pseudo_values
from training.metrics.brier import brier_score
from training.metrics.discrimination import auc
from training.metrics.net_benefit import net_benefit
from training.metrics.timeline import Timeline

OUTCOMES = st.lists(
    st.tuples(st.sampled_from([0.5, 1.0, 1.5, 2.0, 3.0, 4.0]), st.sampled_from([0, 1, 2])),
    min_size=1,
    max_size=30,
)


def arranged(outcomes: list[tuple[float, int]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([t for t, _ in outcomes]), np.array([e for _, e in outcomes])


@given(OUTCOMES)
def test_sums_in_the_order_of_durations_are_those_in_any_order(
    outcomes: list[tuple[float, int]],
) -> None:
    duration, event = arranged(outcomes)
    order = np.argsort(duration, kind="stable")
    any_order, in_order = Timeline.of(duration, event), Timeline.of(duration[order], event[order])
    assert in_order.first is not None
    weight = np.arange(1.0, duration.size + 1)
    for code in (0, 1, 2):
        assert in_order.count(code).tolist() == any_order.count(code).tolist()
        assert (
            in_order.count(code, weight[order]).tolist() == any_order.count(code, weight).tolist()
        )
    assert in_order.at_risk().tolist() == any_order.at_risk().tolist()


@given(OUTCOMES, st.randoms(use_true_random=False))
def test_a_part_is_the_timeline_of_the_part(
    outcomes: list[tuple[float, int]], random: Random
) -> None:
    duration, event = arranged(sorted(outcomes))
    chosen = np.array([random.random() < 0.6 for _ in outcomes])
    chosen[0] = True
    part, expected = (
        Timeline.of(duration, event).part(chosen),
        Timeline.of(duration[chosen], event[chosen]),
    )
    for name in ("times", "step", "event", "first"):
        assert getattr(part, name).tolist() == getattr(expected, name).tolist()


@given(OUTCOMES, st.sampled_from([0.4, 1.0, 1.7, 4.0]))
def test_the_risk_at_one_horizon_is_the_end_of_the_curve(
    outcomes: list[tuple[float, int]], horizon: float
) -> None:
    duration, event = arranged(outcomes)
    whole = aalen_johansen(duration, event).at(horizon)
    end = observed_risk(Timeline.of(duration, event), horizon)
    assert end.reason == whole.reason
    assert end.value == pytest.approx(whole.value, abs=1e-14)
    if whole.standard_error is not None:
        assert end.standard_error == pytest.approx(whole.standard_error, abs=1e-7)


@pytest.mark.parametrize("tied", [False, True])
def test_what_each_subject_contributes_does_not_depend_on_the_order_of_rows(tied: bool) -> None:
    # In the order of durations sums walk along slices, and without ties along subjects.
    generator = np.random.default_rng(5)
    duration = generator.exponential(4, 300).round(1 if tied else 12)
    event, risk = generator.choice(3, 300), generator.uniform(0.01, 0.6, 300).round(2)
    assert (np.unique(duration).size < duration.size) == tied
    order = np.argsort(duration, kind="stable")
    assert Timeline.of(duration[order], event[order]).untied != tied
    for estimate in (
        auc,
        lambda *given: auc(*given, controls="event-free"),
        lambda *given: brier_score(*given).brier,
        lambda *given: net_benefit(*given, threshold=0.1, with_influence=True),
    ):
        any_order = estimate(duration, event, risk, 3.0)
        in_order = estimate(duration[order], event[order], risk[order], 3.0)
        assert in_order.value == pytest.approx(any_order.value, abs=1e-13)
        assert in_order.standard_error == pytest.approx(any_order.standard_error, abs=1e-13)
        assert in_order.influence == pytest.approx(any_order.influence[order], abs=1e-11)
    assert pseudo_values(duration[order], event[order], 3.0) == pytest.approx(
        pseudo_values(duration, event, 3.0)[order], abs=1e-11
    )
