"""Values looked at all together stand where those looked at column by column do."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from features import columns
from features.analytes import ANALYTES
from features.columns import place_columns

GIVEN = (("m_protein", "g/L"), ("m_protein", "g/dL"), ("creatinine", "umol/L"), ("ldh", "U/L"))


def values(name, unit):
    """Values in a unit, usual ones mostly; some unusual, impossible or not there."""
    low, high = ANALYTES[name].error
    scale = ANALYTES[name].units[unit]
    return st.one_of(
        st.floats(low, high).map(lambda value: value / scale),
        st.sampled_from([np.nan, low / scale, 2 * high / scale, high / scale]),
    )


TABLES = st.lists(st.sampled_from(GIVEN), unique=True).flatmap(
    lambda names: st.tuples(
        st.permutations(range(4)),
        st.fixed_dictionaries(
            {name: st.lists(values(*name), min_size=4, max_size=4) for name in names}
        ),
    )
)


@given(TABLES, st.booleans())
def test_few_values_are_placed_and_judged_as_many_are(build_rows, drawn, merged):
    order, table = drawn
    visit_of_row = np.array(order)
    visits = 4
    if merged:
        visit_of_row, visits = np.minimum(visit_of_row, 2), 3
    rows = build_rows([0, 0, 1, 1], [0, 1, 0, 1], table)
    few, said = place_columns(rows, visit_of_row, visits)
    before = columns.SMALL
    columns.SMALL = 0
    try:
        many, said_of_many = place_columns(rows, visit_of_row, visits)
    finally:
        columns.SMALL = before
    assert said == said_of_many
    assert list(few) == list(many)
    for name, expected in many.items():
        np.testing.assert_array_equal(few[name], expected)


def test_usual_values_stand_at_their_visits_in_canonical_units(build_rows):
    table = {("m_protein", "g/L"): [24.0, 12.0], ("creatinine", "umol/L"): [88.42, 176.84]}
    labs, said = place_columns(build_rows([0, 0], [1, 0], table), np.array([1, 0]), 2)
    # 24 g/L is 2.4 g/dL to the last bit; 88.42 umol/L of creatinine are 1 mg/dL.
    assert labs["m_protein"].tolist() == [1.2, 2.4]
    np.testing.assert_allclose(labs["creatinine"], [2.0, 1.0], rtol=1e-12)
    assert said == []
