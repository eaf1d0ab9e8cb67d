"""Folds by subject."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from training.folds import subject_folds


@given(st.integers(5, 60), st.integers(2, 5), st.integers(1, 3), st.integers(0, 1000))
def test_folds_partition_the_rows_and_never_split_a_subject(
    subjects: int, count: int, repeats: int, seed: int
) -> None:
    subject = np.repeat(np.arange(subjects), np.random.default_rng(seed).integers(1, 4, subjects))
    event = np.random.default_rng(seed).integers(0, 3, subjects)[subject]
    masks = list(subject_folds(subject, event, count=count, repeats=repeats, seed=seed))
    assert len(masks) == count * repeats
    for r in range(repeats):
        together = np.sum(masks[r * count : (r + 1) * count], axis=0)
        assert (together == 1).all()
    for mask in masks:
        assert not set(subject[mask]) & set(subject[~mask])


def test_events_spread_evenly_over_the_folds() -> None:
    subject, event = np.arange(100), np.repeat([1, 0], [10, 90])
    masks = subject_folds(subject, event, count=5, repeats=1, seed=0)
    assert [int(event[mask].sum()) for mask in masks] == [2, 2, 2, 2, 2]
