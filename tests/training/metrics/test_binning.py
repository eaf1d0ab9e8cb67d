import numpy as np
import pytest

from training.metrics.binning import BINS, binned


def test_bins_keep_the_totals_and_hardly_move_anybody() -> None:
    generator = np.random.default_rng(1)
    x, weight = generator.normal(size=100_000), generator.uniform(0.5, 2, 100_000)
    target = generator.uniform(size=100_000)
    found = binned(x, weight, target)
    assert found is not None
    centre, size, mean = found
    assert centre.size <= 2 * BINS
    assert size.sum() == pytest.approx(weight.sum())
    assert centre @ size == pytest.approx(x @ weight)
    assert mean @ size == pytest.approx(target @ weight)
    # Nothing of a regression's first order is lost, not even within a bin.
    assert (mean * centre) @ size == pytest.approx((target * x) @ weight, abs=1e-9)
    # The variance within a bin is at most a quarter of its squared width, and one twelfth of it
    # is supposed: few bins of this sample hold many subjects, which even out.
    width = np.ptp(x) / BINS
    assert abs(x**2 @ weight - centre**2 @ size) <= width**2 / 4 * weight.sum()


def test_a_small_sample_and_a_constant_are_not_binned() -> None:
    assert binned(np.arange(1000.0), None, np.ones(1000)) is None
    assert binned(np.ones(100_000), None, np.ones(100_000)) is None
