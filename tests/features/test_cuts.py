"""States by cuts: the same by search and by comparison, and nothing missing is a zero."""

import numpy as np
import pytest

from features.cuts import SEARCHED_BELOW, above, at_least, state, tabulate, unknown

TABLES = {
    "above one": above(20.0),
    "above several": above(10.0, 25.0, 40.0),
    "at least one": at_least(3.0),
    "at least several": at_least(10.0, 60.0),
}


@pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))
def test_many_values_have_the_states_that_each_has_alone(table):
    cuts = table[:-1]
    beside = [np.nextafter(cuts, -np.inf), cuts, np.nextafter(cuts, np.inf)]
    values = np.concatenate([*beside, [0.0, -1.0, 1e9, np.inf, -np.inf, np.nan]])
    many = np.tile(values, SEARCHED_BELOW)
    alone = [int(state(values[i : i + 1], table)[0]) for i in range(values.size)]
    assert state(many, table)[: values.size].tolist() == alone
    assert alone == [
        unknown(table) if np.isnan(value) else int((value > cuts).sum()) for value in values
    ]


def test_at_least_reaches_the_cut_itself_and_above_does_not():
    values = np.array([np.nextafter(20.0, 0), 20.0, np.nextafter(20.0, 21)])
    assert state(values, at_least(20.0)).tolist() == [0, 1, 1]
    assert state(values, above(20.0)).tolist() == [0, 0, 1]


def test_a_table_holds_the_rule_of_every_combination():
    table = tabulate(lambda a, b, c: (a + 2 * b + 3 * c) % 5, 2, 3, 4)
    assert table.shape == (2, 3, 4)
    assert table[1, 2, 3] == (1 + 4 + 9) % 5
