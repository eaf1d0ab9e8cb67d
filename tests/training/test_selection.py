"""One standard error toward the simpler, on differences."""

import numpy as np

from training.selection import simplest_of_the_best

FOLDS = np.array([0.10, 0.20, 0.15, 0.30])


def test_folds_that_differ_from_each_other_do_not_hide_a_difference_between_choices() -> None:
    """The loss varies by .08 between folds; the first choice is .01 worse in every one of them."""
    worse = FOLDS + np.array([0.010, 0.011, 0.009, 0.010])
    assert simplest_of_the_best([worse, FOLDS]) == 1


def test_a_simpler_choice_within_one_error_is_taken() -> None:
    # Differences .02, -.01, .01, -.01: mean .0025, sd .015, one error .0075.
    near = FOLDS + np.array([0.02, -0.01, 0.01, -0.01])
    assert simplest_of_the_best([near, FOLDS]) == 0
    assert simplest_of_the_best([FOLDS, near]) == 0


def test_a_fold_that_cannot_be_judged_is_left_out() -> None:
    other = FOLDS + 0.01
    other[1] = np.nan
    best = FOLDS.copy()
    best[1] = np.nan
    assert simplest_of_the_best([other, best]) == 1
