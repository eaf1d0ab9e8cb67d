"""Subject-grouped folds: all landmarks of a subject stand on the same side.

Random folds compare candidates; a centre or the latest diagnoses held out show how a model travels.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from features.history import Floats, Ints

__all__ = ["centre_folds", "latest_fold", "subject_folds"]

Bools = NDArray[np.bool_]


def subject_folds(
    subject: Ints, event: Ints, *, count: int, repeats: int, seed: int
) -> Iterator[Bools]:
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


def centre_folds(
    subject: Ints, centre: Ints, progressed: Bools, *, least_events: int
) -> Iterator[tuple[int, Bools]]:
    """Leave one centre out: test mask of each centre that has enough events to be judged alone.

    Parameters
    ----------
    subject, centre : (n,) arrays
        Codes; a centre of -1 is not known, and its rows are always trained on.
    progressed : (n,) array
        Rows that progress by the horizon of interest.
    least_events
        Subjects with a progression without which a centre is not held out.

    Yields
    ------
    centre, (n,) array of bool
        Nothing when all rows are of one centre.

    Examples
    --------
    >>> centre = np.array([0, 0, 1, 1, 2])
    >>> progressed = np.array([True, False, True, False, False])
    >>> [c for c, _ in centre_folds(np.arange(5), centre, progressed, least_events=1)]
    [0, 1]
    """
    known = np.unique(centre)
    if known.size < 2:
        return
    for code in known[known >= 0]:
        here = centre == code
        if np.unique(subject[here & progressed]).size >= least_events:
            yield int(code), here


def latest_fold(subject: Ints, diagnosed_years: Floats, *, share: float) -> Bools | None:
    """Test mask of a temporal split: the rows of the subjects diagnosed last.

    Parameters
    ----------
    subject, diagnosed_years : (n,) arrays
        Code of each row's subject and its day of diagnosis, in years on any clock.
    share
        Share of the subjects to hold out; subjects of one day stay together.

    Returns
    -------
    (n,) array of bool, or None when a day is unknown or all are the same.

    Examples
    --------
    >>> latest_fold(np.array([0, 0, 1, 2]), np.array([2001.0, 2001, 2003, 2002]), share=0.3)
    array([False, False,  True, False])
    """
    _, first = np.unique(subject, return_index=True)
    if np.isnan(diagnosed_years).any():
        return None
    cut = np.quantile(diagnosed_years[first], 1 - share, method="lower")
    later = diagnosed_years > cut
    return later if later.any() else None
