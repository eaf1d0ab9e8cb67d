import numpy as np
import pytest

from training.metrics.binning import BINS, binned, blocks


def test_bins_keep_the_totals_and_hardly_move_anybody() -> None:
    generator = np.random.default_rng(1)
    x, weight = generator.normal(size=100_000), generator.uniform(0.5, 2, 100_000)
    target = generator.uniform(size=100_000)
    found = binned(x, weight, target)
    assert found is not None
    centre, size, mean = found
    assert centre.size <= BINS
    assert size.sum() == pytest.approx(weight.sum())
    assert centre @ size == pytest.approx(x @ weight)
    assert mean @ size == pytest.approx(target @ weight)
    # Sums of squares lose the variance within a bin, at most a quarter of its squared width.
    width = np.ptp(x) / BINS
    assert 0 <= x**2 @ weight - centre**2 @ size <= width**2 / 4 * weight.sum()


def test_a_small_sample_and_a_constant_are_not_binned() -> None:
    assert binned(np.arange(1000.0), None, np.ones(1000)) is None
    assert binned(np.ones(100_000), None, np.ones(100_000)) is None


@pytest.mark.parametrize("size", [0, 1, 8192, 8193, 20_000])
def test_blocks_cover_everything_once(size: int) -> None:
    places = np.arange(size)
    assert np.concatenate([places[:0], *(places[part] for part in blocks(size))]).tolist() == [
        *range(size)
    ]
