"""The interval from refits that share one basis."""

import numpy as np
import pytest

from models.refits import Refits, _tails

LEVELS = [0.025, 0.975]


@pytest.mark.parametrize("refits", [1, 2, 9, 40, 41])
def test_percentiles_are_numpys(refits: int) -> None:
    ordered = np.sort(np.random.default_rng(refits).random((3, 2, refits)), axis=2)
    expected = np.moveaxis(np.quantile(ordered, LEVELS, axis=2), 0, -1)
    np.testing.assert_allclose(_tails(ordered), expected, rtol=1e-14)


@pytest.fixture
def drawn() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sixty linear models around one, at two horizons; a feature is missing in every fifth row."""
    generator = np.random.default_rng(7)
    values = generator.normal([1.5, 12.0, 0.0], [1.0, 2.0, 0.3], (500, 3))
    values[::5, 2] = np.nan
    design = np.column_stack([np.ones(500), np.nan_to_num(values)])
    own = design @ np.array([[-3.0, -2.0], [0.8, 0.7], [-0.05, -0.03], [0.2, 0.1]])
    others = own + design @ generator.normal(0.0, 0.05, (60, 4, 2))
    return values, own, others


def test_percentiles_are_those_of_the_refits_themselves(
    drawn: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    values, own, others = drawn
    refits = Refits.of(values, own, others)
    assert len(refits) == 60
    for found, expected in zip(
        refits.interval(values, own), np.quantile(others, LEVELS, axis=0), strict=True
    ):
        np.testing.assert_allclose(found, expected, atol=0.05)


def test_what_the_basis_cannot_follow_widens_the_interval(
    drawn: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    values, own, others = drawn
    noise = np.random.default_rng(8).normal(0.0, 0.5, others.shape)
    refits = Refits.of(values, own, others + noise)
    lower, upper = refits.interval(values, own)
    low, high = np.quantile(others + noise, LEVELS, axis=0)
    assert (upper - lower).mean() == pytest.approx((high - low).mean(), rel=0.1)


def test_ends_of_refits_in_steps_are_found_for_people_not_seen() -> None:
    """A hundred models whose steps, alone and in pairs, stand and rise elsewhere, as trees' do."""
    generator = np.random.default_rng(9)
    values = generator.normal(0.0, 1.0, (3000, 3))

    def steps(moved: float) -> np.ndarray:
        at = np.array([-0.5, 0.3, 0.8]) + moved * generator.normal(size=3)
        height = np.array([0.9, 0.7, -0.6, 0.8]) + moved * generator.normal(size=4)
        past = values > at
        pair = (past[:, 0] & past[:, 1])[:, None]
        return -2.0 + np.concatenate([past, pair], axis=1) @ height

    own, *others = (steps(moved)[:, None] for moved in (0.0, *np.full(100, 0.3)))
    refitted = np.stack(others)
    seen, fresh = slice(0, 2000), slice(2000, 3000)
    refits = Refits.of(values[seen], own[seen], refitted[:, seen])
    found = np.stack(refits.interval(values[fresh], own[fresh]))
    expected = np.quantile(refitted[:, fresh], LEVELS, axis=0)
    found, expected = 1 / (1 + np.exp(-found)), 1 / (1 + np.exp(-expected))
    # Neither too wide nor too narrow on average, and each end near its own: widening alone would
    # make them a twelfth too wide here.
    width = np.diff(expected, axis=0).mean()
    assert np.diff(found, axis=0).mean() == pytest.approx(width, rel=0.02)
    assert np.abs(found - expected).mean() < 0.1 * width


def test_one_row_and_many_give_the_same_bits(
    drawn: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    values, own, others = drawn
    refits = Refits.of(values, own, others)
    lower, upper = refits.interval(np.tile(values, (3, 1)), np.tile(own, (3, 1)))
    for i in (0, 7, 1023, 1024, 1499):
        at = i % 500
        alone = refits.interval(values[[at]], own[[at]])
        np.testing.assert_array_equal((lower[i], upper[i]), (alone[0][0], alone[1][0]))


def test_without_refits_there_is_no_interval() -> None:
    nothing = Refits.none(3, 2)
    assert len(nothing) == 0
    lower, upper = nothing.interval(np.zeros((4, 3)), np.zeros((4, 2)))
    assert np.isnan(lower).all() and np.isnan(upper).all()
