"""Rows alike share one number, whatever the number of columns."""

import numpy as np
import pytest

from features.patterns import distinct


@pytest.mark.parametrize("columns", [1, 2, 7, 40])
def test_rows_share_a_number_exactly_when_they_are_alike(columns):
    # Forty columns of three codes are more combinations than fit 64 bits.
    rng = np.random.default_rng(columns)
    table = rng.integers(0, 3, (columns, 500)).astype(np.int8)
    table[:, 250:] = table[:, rng.integers(0, 250, 250)]
    first, which = distinct(table)
    rows = [tuple(column) for column in table.T]
    assert len(first) == len(set(rows))
    for i, row in enumerate(rows):
        assert rows[first[which[i]]] == row
        assert first[which[i]] <= i


def test_no_rows_have_no_patterns_and_truth_values_are_codes():
    first, which = distinct([np.zeros(0, dtype=np.int8)])
    assert first.size == which.size == 0
    first, which = distinct([np.array([True, False, True])])
    assert which[0] == which[2] != which[1]
