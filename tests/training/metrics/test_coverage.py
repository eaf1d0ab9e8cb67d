"""Intervals hold the truth as often as they say: a short run of `python -m benchmarks.coverage`."""

from benchmarks.coverage import coverage

REPLICATES = 300


def test_intervals_of_95_percent_hold_the_truth_about_95_times_in_100() -> None:
    found = coverage(REPLICATES, 600, seed=1, truth_subjects=400_000)
    # The full run of 1,000 cohorts must give 93–97 %; 300 cohorts know a share to ± 2.5 % more.
    for measure, share in found.items():
        assert 0.915 <= share <= 0.985, measure
    assert len(found) == 11
