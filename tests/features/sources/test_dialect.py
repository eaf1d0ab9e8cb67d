"""A German spreadsheet reads as the English one does, or not at all."""

import numpy as np
import pytest

from features.errors import ColumnError
from features.sources import read_visits

ENGLISH = (
    "subject_id,date,age,sex,m_protein_g_l,creatinine_umol_l,hemoglobin_g_dl\r\n"
    "Müller-7,2024-09-17,61,female,19.5,74,13.4\r\n"
    "Müller-7,2025-03-04,61.5,female,21,1234,13\r\n"
    "B,2025-09-09,70,male,2.345,80,\r\n"
)
GERMAN = (
    "subject_id;date;age;sex;m_protein_g_l;creatinine_umol_l;hemoglobin_g_dl\r\n"
    "Müller-7;17.09.2024;61;weiblich;19,5;74;13,4\r\n"
    "Müller-7;4.3.2025;61,5;weiblich;21;1234;13\r\n"
    "B;09.09.2025 00:00;70;männlich;2,345;80;\r\n"
)
"""As Excel saves the same sheet where its language is German."""


def same(one, other):
    """Whether two readings hold the same lab rows, whatever is noted about them."""
    assert one.subject_ids == other.subject_ids
    for name in ("subject", "time_years", "row", "age_years", "sex"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    for mine, theirs in zip(one.columns, other.columns, strict=True):
        assert (mine.analyte, mine.unit) == (theirs.analyte, theirs.unit)
        np.testing.assert_array_equal(mine.value, theirs.value)
    assert one.problems == other.problems == ()


@pytest.mark.parametrize(
    ("content", "noted"),
    [
        (b"\xef\xbb\xbf" + GERMAN.encode(), False),
        (GERMAN.encode(), False),
        (GERMAN.encode("cp1252"), True),
        (GERMAN.replace("\r\n", "\r").encode("cp1252"), True),
    ],
    ids=["csv-utf-8", "without-mark", "csv", "old-mac"],
)
def test_a_german_spreadsheet_reads_as_the_english_one_does(written, content, noted):
    told = read_visits(written(content))
    same(told, read_visits(written(ENGLISH)))
    assert "numbers of the file have decimal commas" in told.notes
    assert any("Windows-1252" in note for note in told.notes) == noted


def test_a_careful_reading_of_the_same_file_is_the_same(written):
    # One cell too many in the last row makes Arrow give up; it is blank and does no harm.
    ragged = GERMAN.replace("80;\r\n", "80;;\r\n")
    same(read_visits(written(ragged)), read_visits(written(ENGLISH)))


def test_semicolons_with_decimal_points_read_as_they_are_written(written):
    points = GERMAN.replace(",", ".")
    told = read_visits(written(points))
    same(told, read_visits(written(ENGLISH)))
    assert told.notes == ()


HEADER = "subject_id;years;m_protein_g_l;ldh_u_l"


@pytest.mark.parametrize("mark", [",", "."])
@pytest.mark.parametrize(
    "number",
    ["1{}234", "12{}345", "123{}456 ", "< 1{}234", "1{}234\u00a0", "\u2009< \u00a01{}234\u3000"],
)
def test_a_sign_that_could_stand_between_thousands_is_refused(written, mark, number):
    text = f"{HEADER}\nA;0;20;{number.format(mark)}\n"
    with pytest.raises(
        ColumnError, match=r"row 2, ldh_u_l: .* may be decimal or between thousands"
    ):
        read_visits(written(text))


@pytest.mark.parametrize("settling", ["2{}4", "0{}125", "1234{}567", "2{}3456"])
@pytest.mark.parametrize("mark", [",", "."])
def test_another_number_settles_it(written, settling, mark):
    text = f"{HEADER}\nA;0;{settling.format(mark)};1{mark}234\n"
    told = read_visits(written(text))
    (value,) = [c.value.tolist() for c in told.columns if c.analyte == "ldh"]
    assert value == [1.234]


def test_commas_beside_points_are_refused_where_the_second_kind_begins(written):
    text = f"{HEADER}\nA;0;2,4;200\nA;1;2.5;200\n"
    with pytest.raises(ColumnError, match=r"row 3, m_protein_g_l: has a decimal comma where"):
        read_visits(written(text))


def test_both_signs_in_one_number_are_a_problem_of_its_cell(written):
    text = f"{HEADER}\nA;0;2,4;1.234,5\nB;0;3,1;200\n"
    told = read_visits(written(text))
    assert [(p.row, p.field) for p in told.problems] == [(2, "ldh_u_l")]
    assert "between thousands" in told.problems[0].expected


def test_commas_of_texts_say_nothing_about_numbers(written):
    text = "subject_id;remark;years;ldh_u_l\n1,5;2,4;0;200.5\n"
    told = read_visits(written(text))
    assert told.subject_ids == ("1,5",)
    assert told.columns[0].value.tolist() == [200.5]


def test_bytes_that_windows_1252_does_not_know_are_refused(written):
    with pytest.raises(Exception, match="is not UTF-8"):
        read_visits(written(GERMAN.encode("cp1252").replace(b"\xfc", b"\x81")))


def test_a_file_with_commas_is_still_refused_where_it_is_not_utf_8(written):
    with pytest.raises(Exception, match="is not UTF-8"):
        read_visits(written(ENGLISH.encode("cp1252")))


def test_values_in_the_long_layout_have_decimal_commas_too(written):
    text = (
        "subject_id;date;analyte;value;unit\n"
        "A;17.09.2024;m_protein;19,5;g/L\nA;17.09.2024;creatinine;74;umol/L\n"
    )
    told = read_visits(written(text))
    assert {(c.analyte, c.value.tolist()[0]) for c in told.columns} == {
        ("m_protein", 19.5),
        ("creatinine", 74.0),
    }
