"""The long layout: one measurement a row, by name or LOINC, never with a guessed unit."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.analytes import ANALYTES
from features.errors import UnitError
from features.loinc import is_loinc
from features.sources import read_visits
from features.sources.csv import read_table
from features.sources.long import read_long
from features.units import measured_unit
from features.visits import check

HEADER = "subject_id,date,analyte,value,unit,age,sex\n"


def test_rows_of_one_day_become_one_visit(written):
    rows = read_visits(
        written(
            HEADER
            + "A,2024-01-05,m_protein,24,g/L,60,F\n"
            + "A,2024-01-05,Hemoglobin,12.5,g/dL,60,F\n"
            + "A,2024-07-05,m_protein,2.6,g/dL,60.5,F\n"
        )
    )
    visits = check(rows)
    assert visits.visit_of_row.tolist() == [0, 0, 1]
    assert visits.history.labs["m_protein"].tolist() == [2.4, 2.6]
    np.testing.assert_equal(visits.history.labs["hemoglobin"], [12.5, np.nan])
    assert not visits.findings


def test_a_long_table_says_what_its_wide_form_says(written):
    wide = "subject_id,years,m_protein_g_l,kappa_flc_mg_l\nA,0,24,100\nA,1,26,\nB,0,,7\n"
    long = (
        "subject_id,years,loinc,value,unit\n"
        "A,0,33358-3,24,g/L\nA,0,36916-5,100,mg/L\nA,1,33358-3,26,g/L\nB,0,36916-5,7,mg/L\n"
    )
    ours = check(read_long(written(long, "long.csv"))).history
    theirs = check(read_table(written(wide, "wide.csv"))).history
    assert ours.subject_ids == theirs.subject_ids
    np.testing.assert_array_equal(ours.time_years, theirs.time_years)
    for name in ("m_protein", "kappa_flc"):
        np.testing.assert_array_equal(ours.labs[name], theirs.labs[name])


def test_parquet_is_read_as_csv_is(written, tmp_path):
    path = written(HEADER + "A,2024-01-05,m_protein,24,g/L,60,F\n")
    pd.read_csv(path).to_parquet(tmp_path / "long.parquet")
    (column,) = read_visits(tmp_path / "long.parquet").columns
    assert (column.analyte, column.unit, column.value.tolist()) == ("m_protein", "g/L", [24.0])


def test_a_name_wins_and_the_code_stands_in(written):
    rows = read_long(
        written(
            "subject_id,years,analyte,loinc,value,unit\n"
            "A,0,m_protein,718-7,24,g/L\n"
            "A,0,,718-7,12.5,g/dL\n"
        )
    )
    assert sorted(column.analyte for column in rows.columns) == ["hemoglobin", "m_protein"]


def test_other_tests_are_counted_and_passed_over(written):
    rows = read_long(
        written(
            HEADER + "A,2024-01-05,m_protein,24,g/L,60,F\nA,2024-01-05,sodium,140,mmol/L,60,F\n"
        )
    )
    assert rows.notes == ("tests outside the catalogue are not used: 1, first in row 3",)
    assert not rows.problems


def test_a_row_without_a_value_needs_no_unit(written):
    rows = read_long(
        written(HEADER + "A,2024-01-05,m_protein,24,g/L,60,F\nA,2024-01-05,ldh,,,60,F\n")
    )
    assert not rows.problems


@pytest.mark.parametrize("unit", ["", "1", "{ratio}"])
def test_a_ratio_needs_no_unit(unit):
    assert measured_unit(ANALYTES["flc_ratio_kappa_lambda"], unit) == "1"


@pytest.mark.parametrize("unit", ["", "{ratio}", "1", "mg"])
def test_a_quantity_does(unit):
    with pytest.raises(UnitError, match=r"(expected|give) one of"):
        measured_unit(ANALYTES["kappa_flc"], unit)


@given(st.integers(1, 999_999), st.integers(0, 9), st.integers(0, 9))
def test_one_check_digit_of_ten_is_right_and_no_single_digit_slips(number, digit, position):
    right = [f"{number}-{check}" for check in range(10) if is_loinc(f"{number}-{check}")]
    assert len(right) == 1
    text, _, last = right[0].partition("-")
    place = position % len(text)
    slipped = f"{text[:place]}{digit}{text[place + 1 :]}-{last}"
    assert is_loinc(slipped) == (slipped == right[0])
