"""A table is read the same by Arrow and cell by cell, and its rows are counted as a person does."""

import csv
import io

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.sources.table import normal_name
from features.sources.tables import header_of, table_of

CELL = st.text(
    st.characters(exclude_categories=["C"], exclude_characters="\x85\u2028\u2029"), max_size=4
)
ROWS = st.lists(st.tuples(CELL, CELL), min_size=1, max_size=6)


def as_csv(rows, *ragged):
    made = io.StringIO()
    csv.writer(made).writerows([("a", "b"), *rows, *ragged])
    return made.getvalue().encode()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ROWS)
def test_the_quick_and_the_careful_way_read_the_same(tmp_path, rows):
    path = tmp_path / "table.csv"
    wanted = {"a": "text", "b": "text"}
    path.write_bytes(as_csv([("x", "y"), *rows]))
    quick = table_of(path, wanted)
    path.write_bytes(as_csv([("x", "y"), *rows], ("one", "two", "too many")))
    careful = table_of(path, wanted)
    assert careful.ragged.keys() == {len(careful) - 1}
    for name in wanted:
        assert quick.columns[name].to_pylist() == careful.columns[name].to_pylist()[:-1]
    np.testing.assert_array_equal(quick.row, careful.row[:-1])


def test_only_wanted_columns_are_read(written):
    table = table_of(written("a,b,c\n1,2,3\n"), {"c": "number"})
    assert list(table.columns) == ["c"]
    assert table.columns["c"].to_pylist() == [3.0]
    assert "a" not in table


def test_a_header_is_compared_without_case_blanks_and_byte_order_mark(written):
    assert header_of(written('\ufeffSubject_ID, Age ,"x,y"\n1,2,3\n')) == (
        "subject_id",
        "age",
        "x,y",
    )
    assert normal_name("\ufeff LDH_U_L") == "ldh_u_l"


def test_a_column_without_a_name_is_no_column_twice(written):
    assert header_of(written("a,,\n1,2,3\n")) == ("a", "", "")
