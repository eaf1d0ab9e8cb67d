"""The wide layout: what is in the file comes out, in the order of the file, from any container."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.errors import InputError
from features.history import FEMALE, KAPPA, LAMBDA, MALE, UNKNOWN
from features.sources import read_visits
from features.sources.csv import LAB_COLUMNS, read_table, rows_from_frame

FULL = (
    "subject_id,date,age,sex,heavy_chain,light_chain,diagnosis_date,m_protein_g_l,bmpc_percent\n"
    "007,2024-01-05,60.5,F,IgG,kappa,2020-01-01,24,12\n"
    "B,2023-06-30,71,male,igA,LAMBDA,,,30\n"
    "007,2024-07-05T09:30:00,61,female,,κ,2020-01-01,25.5,\n"
)


def value_of(rows, analyte):
    (column,) = (column for column in rows.columns if column.analyte == analyte)
    return column.value.tolist()


def test_rows_come_out_in_the_order_of_the_file_with_ids_as_written(written):
    rows = read_table(written(FULL))
    assert rows.subject_ids == ("007", "B")
    assert rows.subject.tolist() == [0, 1, 0]
    assert rows.row.tolist() == [2, 3, 4]
    np.testing.assert_equal(value_of(rows, "m_protein"), [24.0, np.nan, 25.5])
    np.testing.assert_equal(value_of(rows, "bmpc"), [12.0, 30.0, np.nan])
    assert {(c.analyte, c.unit, c.field) for c in rows.columns} == {
        ("m_protein", "g/L", "m_protein_g_l"),
        ("bmpc", "%", "bmpc_percent"),
    }
    assert not rows.problems


def test_what_is_true_of_a_subject_may_stand_in_any_of_its_rows(written):
    rows = read_table(written(FULL))
    assert rows.sex.tolist() == [FEMALE, MALE]
    assert rows.heavy_chain.tolist() == [0, 1]
    assert rows.light_chain.tolist() == [KAPPA, LAMBDA]
    # 2020-01-01 is day 18262 since 1970-01-01.
    np.testing.assert_allclose(rows.diagnosis_years, [18_262 / 365.25, np.nan])
    assert rows.age_years.tolist() == [60.5, 71.0, 61.0]


def test_times_of_day_are_dropped(written):
    rows = read_table(written(FULL))
    # 2024-07-05 is day 19909.
    assert rows.time_years[2] == 19_909 / 365.25
    assert rows.dated


def test_years_since_diagnosis_need_no_calendar(written):
    rows = read_table(written("subject_id,years,m_protein_g_dl\nA,-0.5,2\nA,1.25,3\n"))
    assert rows.time_years.tolist() == [-0.5, 1.25]
    assert rows.diagnosis_years.tolist() == [0.0]
    assert not rows.dated


def test_age_follows_from_the_year_of_birth_where_it_is_not_given(written):
    header = "subject_id,date,age,birth_year,m_protein_g_dl"
    text = f"{header}\nA,2024-01-01,,1950,2\nB,2024-01-01,70,1950,2\n"
    age = read_table(written(text)).age_years
    # Born in the middle of 1950, 73.5 at the start of 2024, as far as 365.25-day years can tell.
    assert age[0] == pytest.approx(73.5, abs=0.01)
    assert age[1] == 70.0


def test_an_age_in_years_since_diagnosis_needs_the_date_of_diagnosis(written):
    text = (
        "subject_id,years,birth_year,diagnosis_date,m_protein_g_dl\n"
        "A,2,1950,2022-01-01,2\nB,2,1950,,2\n"
    )
    age = read_table(written(text)).age_years
    assert age[0] == pytest.approx(73.5, abs=0.01)
    assert np.isnan(age[1])


@pytest.mark.parametrize("mark", ["", "NA", "N/A", "nan", "NaN", "null", " "])
def test_usual_marks_of_a_missing_value_are_missing(written, mark):
    rows = read_table(written(f"subject_id,date,m_protein_g_dl\nA,2024-01-05,{mark}\n"))
    assert np.isnan(value_of(rows, "m_protein")).all()
    assert not rows.problems


def test_a_subject_may_be_called_na(written):
    assert read_table(written("subject_id,years,ldh_u_l\nNA,0,200\n")).subject_ids == ("NA",)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_a_byte_order_mark_change_nothing(written, end, mark):
    rows = read_table(written(mark + FULL.replace("\n", end).encode()))
    assert rows.subject_ids == ("007", "B")
    assert not rows.problems


def test_blank_rows_are_passed_over_and_still_counted(written):
    text = "subject_id,years,ldh_u_l\n\nA,0,200\n,,\n\nB,0,300\n"
    assert read_table(written(text)).row.tolist() == [3, 6]


def test_a_comma_too_many_at_the_end_of_every_row_is_harmless(written):
    rows = read_table(written("subject_id,years,ldh_u_l\nA,0,200,\nB,0,300,\n"))
    assert value_of(rows, "ldh") == [200.0, 300.0]
    assert not rows.problems


def test_quoted_cells_may_hold_commas_and_line_ends(written):
    rows = read_table(
        written('subject_id,remark,years,ldh_u_l\n"A,1","x\ny, z",0,"200"\nB,,0,3e2\n')
    )
    assert rows.subject_ids == ("A,1", "B")
    assert value_of(rows, "ldh") == [200.0, 300.0]
    assert rows.row.tolist() == [2, 3]


def test_other_columns_are_named_and_passed_over(written):
    rows = read_table(written("subject_id,years,sodium_mmol_l,ldh_u_l\nA,0,Zebra,200\n"))
    assert rows.notes == ("column 'sodium_mmol_l' is not used",)
    assert not rows.problems


def test_every_analyte_in_every_unit_has_its_column(written):
    header = ",".join(LAB_COLUMNS)
    ones = ",".join("1" for _ in LAB_COLUMNS)
    rows = read_table(written(f"subject_id,years,{header}\nA,0,{ones}\n"))
    assert [(c.analyte, c.unit) for c in rows.columns] == list(LAB_COLUMNS.values())


def test_parquet_csv_and_frame_give_the_same_rows(written, tmp_path):
    path = written(FULL)
    frame = pd.read_csv(path, dtype={"subject_id": str})
    frame["date"] = pd.to_datetime(frame["date"], format="ISO8601")
    frame.to_parquet(tmp_path / "visits.parquet")
    expected = read_table(path)
    for rows in (
        read_table(tmp_path / "visits.parquet"),
        rows_from_frame(frame, source="frame"),
        rows_from_frame(frame.astype(object), source="frame"),
    ):
        assert rows.subject_ids == expected.subject_ids
        np.testing.assert_array_equal(rows.time_years, expected.time_years)
        np.testing.assert_array_equal(rows.light_chain, expected.light_chain)
        np.testing.assert_array_equal(rows.diagnosis_years, expected.diagnosis_years)
        for ours, theirs in zip(rows.columns, expected.columns, strict=True):
            np.testing.assert_array_equal(ours.value, theirs.value)


def test_whole_number_ids_have_no_decimal_point(tmp_path):
    frame = pd.DataFrame({"subject_id": [7, 12], "years": [0.0, 0.0], "ldh_u_l": [200, 300]})
    assert rows_from_frame(frame, source="frame").subject_ids == ("7", "12")
    floats = frame.astype({"subject_id": float})
    assert rows_from_frame(floats, source="frame").subject_ids == ("7", "12")


def test_a_broken_row_does_not_change_how_others_are_read(written):
    whole = read_table(written(FULL))
    mended = read_table(written(FULL + "C,2024-01-05,60\n", "ragged.csv"))
    assert mended.subject_ids == (*whole.subject_ids, "C")
    assert {problem.subject for problem in mended.problems} == {2}
    for ours, theirs in zip(mended.columns, whole.columns, strict=True):
        np.testing.assert_array_equal(ours.value[:3], theirs.value)


def test_a_bad_cell_is_named_with_its_row_and_column(written):
    rows = read_table(written(FULL + "C,2024-01-05,60,X,IgG,kappa,,24 g/L,12\n"))
    assert [(p.subject, p.row, p.field, p.severity) for p in rows.problems] == [
        (2, 5, "m_protein_g_l", "refused"),
        (2, 5, "sex", "refused"),
    ]
    assert rows.sex.tolist() == [FEMALE, MALE, UNKNOWN]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_numbers_are_read_to_the_last_bit(tmp_path, values):
    path = tmp_path / "visits.csv"
    lines = [f"S{i},0,{value!r}" for i, value in enumerate(values)]
    path.write_text("\n".join(["subject_id,years,ldh_u_l", *lines]))
    assert value_of(read_table(path), "ldh") == values
    # And so through the slow way, which a row of the wrong width takes.
    path.write_text("\n".join(["subject_id,years,ldh_u_l", *lines, "short"]))
    assert value_of(read_table(path), "ldh")[:-1] == values


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_whatever_a_file_holds_it_is_read_or_refused_in_one_line(tmp_path, content):
    path = tmp_path / "visits.csv"
    path.write_bytes(b"subject_id,years,ldh_u_l\nA,0,200\n" + content)
    try:
        read_visits(path)
    except InputError as error:
        assert "\n" not in str(error)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"^nowhere\.csv, file: does not exist"):
        read_visits(tmp_path / "nowhere.csv")


def test_an_unknown_format_lists_the_known_ones(written):
    with pytest.raises(InputError, match="expected one of auto, csv, pangea, fhir, omop"):
        read_visits(written(FULL), format="excel")
