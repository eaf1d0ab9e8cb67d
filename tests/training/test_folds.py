"""Folds by subject."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from training.folds import centre_folds, latest_fold, subject_folds


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


def test_a_centre_is_held_out_whole_when_enough_of_its_subjects_progress() -> None:
    # Subject 0 has two landmarks that both progress: one subject, not two.
    subject = np.array([0, 0, 1, 2, 3, 4, 5])
    centre = np.array([0, 0, 0, 1, 1, 2, -1])
    progressed = np.array([True, True, False, True, True, False, True])
    held = dict(centre_folds(subject, centre, progressed, least_events=2))
    assert list(held) == [1]
    assert held[1].tolist() == [False, False, False, True, True, False, False]
    assert list(dict(centre_folds(subject, centre, progressed, least_events=1))) == [0, 1]


def test_one_centre_alone_is_never_held_out() -> None:
    progressed = np.ones(4, dtype=bool)
    assert list(centre_folds(np.arange(4), np.zeros(4, int), progressed, least_events=1)) == []


@given(st.integers(2, 40), st.floats(0.1, 0.9), st.integers(0, 100))
def test_the_latest_diagnoses_are_held_out_by_subject(n: int, share: float, seed: int) -> None:
    day = np.random.default_rng(seed).integers(0, 5, n).astype(float)
    subject = np.repeat(np.arange(n), 2)
    later = latest_fold(subject, day[subject], share=share)
    if later is None:
        assert np.quantile(day, 1 - share, method="lower") == day.max()
        return
    assert day[subject][later].min() > day[subject][~later].max()
    assert later.mean() <= share + 1 / n


def test_without_a_day_of_diagnosis_there_is_no_temporal_split() -> None:
    assert latest_fold(np.arange(3), np.array([2000.0, np.nan, 2002.0]), share=0.3) is None
    assert latest_fold(np.arange(3), np.full(3, 2000.0), share=0.3) is None
