"""True risks against closed forms worked by hand and against simulated times."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from training.simulation.hazards import MONTHS, Hazards
from training.simulation.truth import Truth


def constant(progression, death):
    shape = np.ones((1, MONTHS))
    return Hazards(progression * shape, death * shape)


@pytest.mark.parametrize("landmark", [0.0, 1.0, 3.37])
@pytest.mark.parametrize("horizon", [0.5, 2.0, 10.0])
def test_constant_hazards_give_the_textbook_incidence_at_any_landmark(landmark, horizon):
    """F(t) = a/(a+b) (1 - exp(-(a+b)t)) for constant hazards a and b, whatever the landmark."""
    risk = Truth.of(constant(0.12, 0.03)).risk(landmark, horizon)[0]
    assert risk == pytest.approx(0.8 * (1 - np.exp(-0.15 * horizon)), rel=1e-12)


def test_a_hazard_that_changes_once_is_integrated_piece_by_piece():
    """.1 per year for the first year, .3 after, no death to speak of: H(2.5) = .1 + .45."""
    hazards = constant(0.1, 1e-12)
    hazards.progression[:, 12:] = 0.3
    assert Truth.of(hazards).risk(0.0, 2.5)[0] == pytest.approx(1 - np.exp(-0.55), rel=1e-9)


@settings(max_examples=30)
@given(
    progression=arrays(np.float64, (3, MONTHS), elements=st.floats(0, 4)),
    death=arrays(np.float64, (3, MONTHS), elements=st.floats(1e-6, 1)),
    landmark=st.floats(0, 6),
)
def test_risk_is_a_probability_and_does_not_fall_with_the_horizon(progression, death, landmark):
    truth = Truth.of(Hazards(progression, death))
    risks = np.array([truth.risk(landmark, horizon) for horizon in (0.0, 0.1, 1.0, 2.0, 5.0)])
    assert ((risks >= 0) & (risks <= 1)).all()
    assert (np.diff(risks, axis=0) >= -1e-9).all()


def test_drawn_times_follow_the_risk():
    """60,000 draws of one law: standard error of a share at most .5 / sqrt(60000) = .002."""
    hazards = constant(0.1, 0.05)
    hazards.progression[:, 24:] = 0.4
    many = Hazards(np.repeat(hazards.progression, 60_000, 0), np.repeat(hazards.death, 60_000, 0))
    rng = np.random.default_rng(1)
    years, chance = many.draw(rng)
    progressed = rng.random(years.size) < chance
    truth = Truth.of(hazards)
    for horizon in (1.0, 2.0, 5.0, 10.0):
        share = np.mean(progressed & (years <= horizon))
        assert share == pytest.approx(truth.risk(0.0, horizon)[0], abs=0.007)


def test_no_event_within_the_months_modelled_is_never():
    years, _ = constant(1e-9, 1e-9).draw(np.random.default_rng(2))
    assert np.isinf(years).all()
