"""Subject-grouped folds: all landmarks of a subject stand on the same side."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from features.history import Ints

__all__ = ["subject_folds"]


def subject_folds(
    subject: Ints, event: Ints, *, count: int, repeats: int, seed: int
) -> Iterator[NDArray[np.bool_]]:
    """Test masks of repeated k-fold cross-validation over subjects, balanced by event.

    Parameters
    ----------
    subject, event : (n,) arrays
        Code and final event of each row's subject.
    count, repeats
        Folds and repetitions.
    seed
        Of the random order.

    Yields
    ------
    (n,) array of bool
        Rows of the test fold; `count` masks of each repetition partition the rows.

    Examples
    --------
    >>> subject = np.array([0, 0, 1, 2, 3])
    >>> masks = list(subject_folds(subject, np.zeros(5, int), count=2, repeats=1, seed=1))
    >>> bool((masks[0] ^ masks[1]).all()), bool(masks[0][0] == masks[0][1])
    (True, True)
    """
    subjects, first = np.unique(subject, return_index=True)
    generator = np.random.default_rng(seed)
    for _ in range(repeats):
        # Sorted by event after a shuffle, then dealt out in turn: events spread evenly.
        shuffled = generator.permutation(subjects.size)
        dealt = shuffled[np.argsort(event[first][shuffled], kind="stable")]
        fold = np.empty(subjects.size, dtype=np.int64)
        fold[dealt] = np.arange(subjects.size) % count
        of_row = fold[np.searchsorted(subjects, subject)]
        for k in range(count):
            yield of_row == k
