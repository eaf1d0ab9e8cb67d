import numpy as np
import pytest

from benchmarks.coverage import HORIZON, resampled_coverage, simulated
from training.metrics.estimate import Estimate
from training.metrics.intervals import MEASURES, resampled_measures, with_interval
from training.metrics.timeline import Timeline


def test_an_interval_is_as_wide_as_the_replicates_spread() -> None:
    found = with_interval(Estimate(0.2), np.array([0.1, 0.2, 0.3]))
    # Standard deviation of .1, .2, .3 is .1; 1.96 of it on either side, cut at 0.
    assert found.standard_error == pytest.approx(0.1)
    assert (found.lower, found.upper) == pytest.approx((0.2 - 0.195996, 0.2 + 0.195996), abs=1e-6)
    assert with_interval(Estimate(0.05), np.array([0.0, 0.1, 0.2])).lower == 0


def test_no_interval_when_too_many_replicates_have_no_value() -> None:
    some = np.array([0.1, 0.2, 0.3, np.nan])
    assert with_interval(Estimate(0.2), some).lower is None
    assert with_interval(Estimate.none("few"), some).reason == "few"


def test_replicates_do_not_depend_on_the_number_of_processes() -> None:
    cohort = simulated(np.random.default_rng(5), 300, followed=False)
    order = np.argsort(cohort.duration)
    line = Timeline.of(cohort.duration[order], cohort.event[order])
    one, two = (
        resampled_measures(line, cohort.noisy[order], HORIZON, replicates=60, seed=1, jobs=jobs)
        for jobs in (1, 2)
    )
    for name in MEASURES:
        assert one[name].tolist() == two[name].tolist()
        assert np.isfinite(one[name]).all()


def test_resampled_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    found = resampled_coverage(24, 600, resamples=40, seed=2, truth_subjects=200_000)
    # The full run is in docs/benchmarks.md; 24 cohorts know 92 % to within 3 standard errors, 17 %.
    assert all(share >= 0.75 for share in found.values()), found
