"""Person-periods, and the multinomial regression on them."""

import numpy as np
import pytest
from scipy.optimize import minimize

from training.multinomial import SMOOTHING, fit_hazards
from training.person_periods import Grid, PersonPeriods


def test_every_horizon_ends_an_interval() -> None:
    grid = Grid.of((1.0, 2.0, 5.0), intervals=4)
    # No longer than 5 / 4 years: one interval to 1, one to 2, and 3 years in three parts.
    assert grid.ends.tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert grid.until.tolist() == [0, 1, 4]


def test_a_row_counts_until_its_event_and_for_the_part_that_was_followed() -> None:
    grid = Grid.of((3.0,), intervals=3)
    duration = np.array([0.5, 1.0, 1.25, 2.5, 9.0])
    event = np.array([1, 2, 0, 2, 1])
    periods = PersonPeriods.of(duration, event, grid)
    # An event at the end of an interval belongs to it; censored at 1.25: a quarter of the second;
    # an event beyond the grid is none within it.
    assert periods.weight.T.tolist() == [
        [1, 0, 0],
        [1, 0, 0],
        [1, 0.25, 0],
        [1, 1, 1],
        [1, 1, 1],
    ]
    assert periods.cause.tolist() == [1, 2, 0, 2, 0]
    assert periods.last.tolist() == [0, 0, 1, 2, 2]
    assert periods.events(1).tolist() == [1, 0, 0]
    assert periods.events(2).tolist() == [1, 0, 1]
    assert periods.count == 1 + 1 + 2 + 3 + 3


def test_newton_finds_the_optimum_of_the_likelihood_written_out() -> None:
    """Periods one below the other, and an optimiser that knows no derivative of ours."""
    generator = np.random.default_rng(6)
    n, grid = 150, Grid.of((3.0,), intervals=3)
    design = generator.normal(size=(n, 2))
    duration = generator.exponential(2.0 * np.exp(-0.6 * design[:, 0]), n)
    event = generator.integers(0, 3, n)
    periods = PersonPeriods.of(duration, event, grid)
    offset = generator.normal(0.0, 0.3, (2, n))
    found = fit_hazards((design, design[:, :1]), periods, penalty=2.0, offset=offset)

    row, interval = np.nonzero(periods.weight.T)
    weight = periods.weight[interval, row]
    ended = interval == periods.last[row]
    first, second = (ended & (periods.cause[row] == cause) for cause in (1, 2))
    happened = np.column_stack([first, second, ~first & ~second])

    def loss(theta: np.ndarray) -> float:
        baseline, one, other = theta[:6].reshape(2, 3), theta[6:8], theta[8:]
        log_rates = np.zeros((row.size, 3))
        log_rates[:, 0] = baseline[0, interval] + design[row] @ one + offset[0, row]
        log_rates[:, 1] = baseline[1, interval] + design[row, :1] @ other + offset[1, row]
        chance = log_rates - np.log(np.exp(log_rates).sum(axis=1, keepdims=True))
        smooth = SMOOTHING / 2 * (np.diff(baseline, axis=1) ** 2).sum()
        return -(weight @ (happened * chance).sum(axis=1)) + smooth + one @ one + other @ other

    theta = np.concatenate([found.baseline.ravel(), *found.coefficient])
    best = minimize(loss, theta + 0.01, method="BFGS", options={"gtol": 1e-5})
    assert loss(theta) <= best.fun + 1e-8
    np.testing.assert_allclose(theta, best.x, atol=1e-3)


def test_neither_where_it_begins_nor_how_rows_are_cut_changes_a_fit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    generator = np.random.default_rng(7)
    n, grid = 300, Grid.of((3.0,), intervals=3)
    design = generator.normal(size=(n, 2))
    duration = generator.exponential(2.0 * np.exp(-0.6 * design[:, 0]), n)
    periods = PersonPeriods.of(duration, generator.integers(0, 3, n), grid)
    whole = fit_hazards((design, design), periods, penalty=2.0)
    elsewhere = fit_hazards((design, design), periods, penalty=200.0)
    again = fit_hazards((design, design), periods, penalty=2.0, start=elsewhere)
    # 21 rows at a time; the last block is shorter.
    monkeypatch.setattr("training.person_periods.BLOCK", 64)
    assert [block.stop - block.start for block in periods.blocks()] == [21] * 14 + [6]
    cut = fit_hazards((design, design), periods, penalty=2.0)
    for other in (again, cut):
        np.testing.assert_allclose(other.baseline, whole.baseline, atol=1e-9)
        np.testing.assert_allclose(other.coefficient, whole.coefficient, atol=1e-9)


def test_an_interval_without_events_keeps_a_finite_rate() -> None:
    grid = Grid.of((3.0,), intervals=3)
    duration = np.array([0.5, 0.7, 2.5, 5.0, 5.0])
    periods = PersonPeriods.of(duration, np.array([1, 2, 1, 0, 0]), grid)
    found = fit_hazards((np.empty((5, 0)),) * 2, periods, penalty=1.0)
    assert np.isfinite(found.baseline).all()
    # Two at risk of five ended in the first: a rate of death of about one in five, smoothed.
    assert found.baseline[1, 0] == pytest.approx(np.log(0.25), abs=0.8)


def test_a_cause_that_nobody_has_takes_nothing_from_the_other() -> None:
    """Without deaths the multinomial is a logistic regression of progression alone, found here by
    an optimiser that knows no derivative of ours."""
    generator = np.random.default_rng(8)
    n, grid = 200, Grid.of((3.0,), intervals=3)
    design = generator.normal(size=(n, 2))
    duration = generator.exponential(2.0 * np.exp(-0.6 * design[:, 0]), n)
    periods = PersonPeriods.of(duration, generator.integers(0, 2, n), grid)
    found = fit_hazards((design, design), periods, penalty=2.0)
    assert (found.baseline[1] < -30).all()
    assert found.coefficient[1].tolist() == [0.0, 0.0]

    def loss(theta: np.ndarray) -> float:
        rate = theta[:3, None] + design @ theta[3:]
        progressed = (np.arange(3)[:, None] == periods.last) & (periods.cause == 1)
        log_likelihood = progressed * rate - np.logaddexp(0.0, rate)
        smooth = SMOOTHING / 2 * (np.diff(theta[:3]) ** 2).sum()
        return -float((periods.weight * log_likelihood).sum()) + smooth + theta[3:] @ theta[3:]

    theta = np.concatenate([found.baseline[0], found.coefficient[0]])
    best = minimize(loss, theta + 0.01, method="BFGS", options={"gtol": 1e-5})
    np.testing.assert_allclose(theta, best.x, atol=1e-3)
